#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tables of polymorphic kfuncs, see linux/kfunc_reloc.h: a bad row stops the build
# with an error that points at it, and a good table builds without a warning. So does
# the example of Documentation/bpf/kfunc_reloc.rst.
#
# Builds modules, each of one file, in a temporary directory. Nothing is loaded.

readonly KSFT_SKIP=4

usage() {
	cat <<USAGE
Usage: $0 [VARIABLE=VALUE...]

	VARIABLE=VALUE are for make, such as LLVM=1. KDIR in the environment is the
	kernel to build for, configured and built, if it is not the tree around $0.
USAGE
}

case $1 in
-h|--help) usage; exit 0 ;;
esac

src=$(realpath "$(dirname "$0")/../../../..")
KDIR=${KDIR:-$src}
doc=$src/Documentation/bpf/kfunc_reloc.rst

if [ ! -e "$KDIR/Module.symvers" ] || [ ! -x "$KDIR/scripts/mod/modpost" ]; then
	echo "skip: no kernel is built in $KDIR"
	exit $KSFT_SKIP
fi
if ! grep -q '^CONFIG_DEBUG_INFO_BTF_MODULES=y' "$KDIR/include/config/auto.conf"; then
	echo "skip: modules have no BTF (CONFIG_DEBUG_INFO_BTF_MODULES)"
	exit $KSFT_SKIP
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf -- "$tmp"' EXIT
passed=0 failed=0

pass() {
	echo "ok: $1"
	passed=$((passed + 1))
}

# fail NAME WHY: what the build said is in its log
fail() {
	echo "FAIL: $1: $2"
	sed 's/^/      /' "$tmp/$1/log"
	failed=$((failed + 1))
}

# build NAME MAKE...: build NAME.ko of standard input
build() {
	local name=$1
	shift
	mkdir -p "$tmp/$name"
	cat >"$tmp/$name/$name.c"
	echo "obj-m := $name.o" >"$tmp/$name/Makefile"
	make -C "$KDIR" M="$tmp/$name" "$@" modules >"$tmp/$name/log" 2>&1 </dev/null
}

# A module with one table, with the rows of standard input
module() {
	cat <<-MODULE
	#include <linux/btf.h>
	#include <linux/kfunc_reloc.h>
	#include <linux/module.h>

	struct foo_ops {
		int (*open)(int len);
		int (*data)(int len);
	};

	__bpf_kfunc_start_defs();
	__bpf_kfunc int foo_send(int len)
	{
		return len;
	}
	__bpf_kfunc int foo_send_first(int len)
	{
		return len + 1;
	}
	__bpf_kfunc int foo_send_long(long len)
	{
		return len + 2;
	}
	__bpf_kfunc int foo_send_two(int len, int flags)
	{
		return len + flags;
	}
	__bpf_kfunc unsigned int foo_send_unsigned(int len)
	{
		return len + 3;
	}
	__bpf_kfunc_end_defs();

	int foo_send_missing(int len);

	BTF_KFUNC_RELOC_TABLE(foo_relocs, struct foo_ops)
	{
		BTF_KFUNC_RELOC_START(foo_relocs);
	$(cat)
		BTF_KFUNC_RELOC_END(foo_relocs);
	}

	/* stands for bpf_struct_ops.kfunc_relocs */
	const struct btf_kfunc_reloc_table *foo_table(void);
	const struct btf_kfunc_reloc_table *foo_table(void)
	{
		return &foo_relocs;
	}

	MODULE_DESCRIPTION("A table of kfunc relocations");
	MODULE_LICENSE("GPL");
	MODULE
}

# good NAME MAKE...: the module on standard input builds, and nobody complains
good() {
	local name=$1

	if ! build "$@"; then
		fail "$name" "does not build"
	elif grep -iE 'warn|error' "$tmp/$name/log" >/dev/null; then
		fail "$name" "builds with a warning"
	else
		pass "$name"
	fi
}

# bad NAME ERROR ROW MAKE...: a table with this row does not build, with an error that
# has ERROR in it. If it is the compiler's, it leads to the row.
bad() {
	local name=$1 error=$2 row=$3 line
	shift 3

	if build "$name" "$@" < <(printf '\tBTF_KFUNC_OWN(foo_send);\n\t%s\n' "$row" | module); then
		fail "$name" "builds"
		return
	fi
	line=$(grep -nF "$row" "$tmp/$name/$name.c")
	line=$name.c:${line%%:*}:
	if grep -E "ERROR: modpost: .*$error" "$tmp/$name/log" >/dev/null; then
		pass "$name"
	elif ! grep -E "error: .*$error" "$tmp/$name/log" >/dev/null; then
		fail "$name" "no error says '$error'"
	elif ! grep -F "/$line" "$tmp/$name/log" >/dev/null; then
		fail "$name" "no error is about $line"
	else
		pass "$name"
	fi
}

# The C code between the two markers of the documentation
example() {
	sed -n '/^\.\. kfunc-reloc-example-begin$/,/^\.\. kfunc-reloc-example-end$/p' "$doc" |
		sed -e '1,/^\.\. code-block:: c$/d' -e '/^\.\. /d' -e 's/^\t//'
}

good good_table "$@" < <(module <<-ROWS
	BTF_KFUNC_OWN(foo_send);
	BTF_KFUNC_RELOC(foo_send, open, foo_send_first);
	BTF_KFUNC_ALLOW(foo_send, data);
	BTF_KFUNC_DENY_OUTSIDE(foo_send);
	BTF_KFUNC_SHARED(foo_send_two);
	BTF_KFUNC_DENY(foo_send_two, open);
	BTF_KFUNC_RELOC_OUTSIDE(foo_send_long, foo_send_long);
ROWS
)

bad bad_member 'struct foo_ops. has no member named .close' \
	'BTF_KFUNC_RELOC(foo_send, close, foo_send_first);' "$@"
bad bad_member_allow 'struct foo_ops. has no member named .close' \
	'BTF_KFUNC_ALLOW(foo_send, close);' "$@"
bad bad_param_type 'foo_send_long\(\) has not the prototype of foo_send\(\)' \
	'BTF_KFUNC_RELOC(foo_send, open, foo_send_long);' "$@"
bad bad_param_count 'foo_send_two\(\) has not the prototype of foo_send\(\)' \
	'BTF_KFUNC_RELOC(foo_send, open, foo_send_two);' "$@"
bad bad_return_type 'foo_send_unsigned\(\) has not the prototype of foo_send\(\)' \
	'BTF_KFUNC_RELOC_OUTSIDE(foo_send, foo_send_unsigned);' "$@"
bad bad_function 'foo_send_undeclared' \
	'BTF_KFUNC_RELOC(foo_send, open, foo_send_undeclared);' "$@"
bad bad_kfunc 'foo_undeclared' \
	'BTF_KFUNC_OWN(foo_undeclared);' "$@"
bad missing_function 'foo_send_missing.* undefined' \
	'BTF_KFUNC_RELOC(foo_send, open, foo_send_missing);' "$@"

good documentation_example "$@" < <(example)

echo "$passed passed, $failed failed"
[ $failed = 0 ]
