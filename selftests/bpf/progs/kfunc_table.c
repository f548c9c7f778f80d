// SPDX-License-Identifier: GPL-2.0
/* Kfunc calls in places where the tables of bpf_testmod_table.c allow them. What
 * each of them becomes is in prog_tests/kfunc_table.c.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "kfunc_reloc_common.h"
#include "../bpf_testmod/bpf_testmod_table.h"

char _license[] SEC("license") = "GPL";

int result;

int bpf_kfunc_table_no_such(int a) __ksym __weak;

/* The program <member>_<kfunc> of a member does nothing but call the kfunc. */
#define CALL(type, member, kfunc)			\
	SEC("struct_ops/" #member)			\
	int BPF_PROG(member##_##kfunc, int arg)		\
	{						\
		return result = bpf_kfunc_table_##kfunc(arg);	\
	}						\
	OPS(type, member, member##_##kfunc)

#define TABLE_CALL(member, kfunc)	CALL(bpf_testmod_table_ops, member, kfunc)

/* Own */

TABLE_CALL(first, own);
TABLE_CALL(second, own);
TABLE_CALL(third, own);

TABLE_CALL(first, inside);
TABLE_CALL(third, inside);

TABLE_CALL(first, same);
TABLE_CALL(fourth, same);

/* Shared: without a row as well */

TABLE_CALL(second, shared);
TABLE_CALL(third, shared);
TABLE_CALL(fourth, shared);

TABLE_CALL(first, shared_outside);

/* Not named */

TABLE_CALL(first, unnamed);
TABLE_CALL(fourth, unnamed);

/* Outside any member, from a member for which there is no row, or another one */

static int own_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_table_own(100);
	return 0;
}

static int shared_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_table_shared(100);
	return 0;
}

static int unnamed_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_table_unnamed(100);
	return 0;
}

static int same_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_table_same(100);
	return 0;
}

SEC("struct_ops/fourth")
int BPF_PROG(timer_own, int arg)
{
	return start_timer(own_cb);
}

SEC("struct_ops/first")
int BPF_PROG(timer_and_first_own, int arg)
{
	bpf_kfunc_table_own(arg);
	return start_timer(own_cb);
}

SEC("struct_ops/first")
int BPF_PROG(timer_shared, int arg)
{
	return start_timer(shared_cb);
}

SEC("struct_ops/fourth")
int BPF_PROG(timer_unnamed, int arg)
{
	return start_timer(unnamed_cb);
}

/* The same call site, within the member and outside */
SEC("struct_ops/second")
int BPF_PROG(timer_and_each_same, int arg)
{
	bpf_for_each_map_elem(&elems, same_cb, NULL, 0);
	return start_timer(same_cb);
}

OPS(bpf_testmod_table_ops, fourth, timer_own);
OPS(bpf_testmod_table_ops, first, timer_and_first_own);
OPS(bpf_testmod_table_ops, first, timer_shared);
OPS(bpf_testmod_table_ops, fourth, timer_unnamed);
OPS(bpf_testmod_table_ops, second, timer_and_each_same);

/* Dead code is denied nothing. */
SEC("struct_ops/fourth")
int BPF_PROG(dead, int arg)
{
	if (bpf_ksym_exists(bpf_kfunc_table_no_such))
		return bpf_kfunc_table_own(arg) + bpf_kfunc_table_fallback(arg);
	return result = arg;
}

OPS(bpf_testmod_table_ops, fourth, dead);

/* Functions that kfunc_table_ext.c replaces */

__noinline int global_sub(int arg)
{
	return bpf_kfunc_table_own(arg);
}

SEC("struct_ops/first")
int BPF_PROG(global, int arg)
{
	return result = global_sub(arg);
}

OPS(bpf_testmod_table_ops, first, global);

/* A callback that falls back on its table */

CALL(bpf_testmod_fallback_ops, first, fallback);
CALL(bpf_testmod_fallback_ops, second, fallback);

/* What a table says of a shared kfunc is nothing to programs of another struct_ops:
 * those of the same module, of vmlinux, and with the member of the same name.
 */

SEC("struct_ops/first")
int BPF_PROG(other_shared, int arg)
{
	return result = bpf_kfunc_table_shared(arg);
}

SEC("struct_ops/test_1")
int BPF_PROG(dummy_shared, struct bpf_dummy_ops_state *state)
{
	return bpf_kfunc_table_shared(7);
}

SEC("struct_ops/test_1")
int BPF_PROG(dummy_unnamed, struct bpf_dummy_ops_state *state)
{
	return bpf_kfunc_table_unnamed(7);
}

OPS(bpf_testmod_fallback_ops, first, other_shared);
OPS(bpf_dummy_ops, test_1, dummy_shared);
OPS(bpf_dummy_ops, test_1, dummy_unnamed);

/* Nor to programs of another type, which may call own kfuncs, too. */

SEC("syscall")
int syscall_own(void *ctx)
{
	return bpf_kfunc_table_own(7);
}

SEC("syscall")
int syscall_never(void *ctx)
{
	return bpf_kfunc_table_never(7);
}

SEC("syscall")
int syscall_shared(void *ctx)
{
	return bpf_kfunc_table_shared(7);
}
