#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A bad row of BPF_KFUNC_RELOCS() does not compile. KDIR in the environment is a
# configured and built kernel, if it is not the tree around this script. Arguments
# are for make, such as LLVM=1.

readonly KSFT_SKIP=4
KDIR=${KDIR:-$(realpath "$(dirname "$0")/../../../..")}

if [ ! -e "$KDIR/Module.symvers" ]; then
	echo "skip: no kernel is built in $KDIR"
	exit $KSFT_SKIP
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf -- "$tmp"' EXIT
failed=0

# check NAME ERROR ROW MAKE...: a table with ROW compiles if ERROR is empty, else the
# compiler says ERROR
check() {
	local name=$1 error=$2 row=$3 result=ok
	shift 3

	cat >"$tmp/$name.c" <<-MODULE
	#include <linux/btf.h>
	#include <linux/kfunc_reloc.h>

	struct foo_ops {
		int (*open)(int len);
	};
	#define FOO_IN(member)	BIT(offsetof(struct foo_ops, member) / sizeof(void (*)(void)))

	int foo_send(int len);
	int foo_send_first(int len);
	int foo_send_long(long len);
	unsigned int foo_send_unsigned(int len);

	#define ROWS(A, K) A(foo_send, 0) $row
	BPF_KFUNC_RELOCS(foo, ROWS)

	s32 foo_lookup(struct bpf_prog *prog, u32 kfunc_id);
	s32 foo_lookup(struct bpf_prog *prog, u32 kfunc_id)
	{
		return bpf_kfunc_reloc_table(foo, prog, kfunc_id, FOO_IN(open));
	}
	MODULE
	echo "obj-m := $name.o" >"$tmp/Makefile"
	if make -C "$KDIR" M="$tmp" "$@" "$name.o" >"$tmp/log" 2>&1; then
		[ -z "$error" ] || result=FAIL
	elif [ -z "$error" ] || ! grep -q "error: .*$error" "$tmp/log"; then
		result=FAIL
	fi
	echo "$result: $name"
	if [ $result = FAIL ]; then
		cat "$tmp/log"
		failed=1
	fi
}

check good '' 'K(foo_send, FOO_IN(open), foo_send_first)' "$@"
check no_member 'close' 'K(foo_send, FOO_IN(close), foo_send_first)' "$@"
check no_function 'foo_send_last' 'K(foo_send, FOO_IN(open), foo_send_last)' "$@"
check other_param '\(negative\|__same_type\)' 'K(foo_send, FOO_IN(open), foo_send_long)' "$@"
check other_result '\(negative\|__same_type\)' 'K(foo_send, FOO_IN(open), foo_send_unsigned)' "$@"
exit $failed
