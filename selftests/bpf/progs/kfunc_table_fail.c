// SPDX-License-Identifier: GPL-2.0
/* Kfunc calls in places where the tables of bpf_testmod_table.c do not allow them */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "kfunc_reloc_common.h"
#include "../bpf_testmod/bpf_testmod.h"
#include "../bpf_testmod/bpf_testmod_table.h"

char _license[] SEC("license") = "GPL";

#define MSG(kfunc, where)	"bpf_kfunc_table_" kfunc "() cannot be called from " where
#define INSN			" (insn {{[0-9]+}})"
#define SRC			" @ kfunc_table_fail.c:{{[0-9]+}}"
#define ASYNC_OF(ops)		"an asynchronous callback of a " ops " program, "
#define ASYNC			ASYNC_OF("bpf_testmod_table_ops")

/* What a denied own kfunc's rows allow: outside any member first, then in the order
 * of the members
 */
#define IN_OWN		"; allowed in: outside any member, first, second, third"
#define IN_INSIDE	"; allowed in: first, third"
#define NOWHERE		"; allowed nowhere"

/* Own: there is no row, a row that denies, or no row at all */

SEC("struct_ops/fourth")
__failure __msg(MSG("own", "bpf_testmod_table_ops.fourth") IN_OWN INSN
		": return bpf_kfunc_table_own(arg);" SRC)
int BPF_PROG(own_fourth, int arg)
{
	return bpf_kfunc_table_own(arg);
}

SEC("struct_ops/second")
__failure __msg(MSG("inside", "bpf_testmod_table_ops.second") IN_INSIDE INSN)
int BPF_PROG(inside_second, int arg)
{
	return bpf_kfunc_table_inside(arg);
}

SEC("struct_ops/fourth")
__failure __msg(MSG("inside", "bpf_testmod_table_ops.fourth") IN_INSIDE INSN)
int BPF_PROG(inside_fourth, int arg)
{
	return bpf_kfunc_table_inside(arg);
}

SEC("struct_ops/first")
__failure __msg(MSG("never", "bpf_testmod_table_ops.first") NOWHERE INSN)
int BPF_PROG(never_first, int arg)
{
	return bpf_kfunc_table_never(arg);
}

TABLE_OPS(fourth, own_fourth);
TABLE_OPS(second, inside_second);
TABLE_OPS(fourth, inside_fourth);
TABLE_OPS(first, never_first);

/* Shared: a row that denies. Where else it might be called nobody can say. */

SEC("struct_ops/first")
__failure __msg(MSG("shared", "bpf_testmod_table_ops.first") INSN)
int BPF_PROG(shared_first, int arg)
{
	return bpf_kfunc_table_shared(arg);
}

TABLE_OPS(first, shared_first);

/* Outside any member */

static int inside_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_table_inside(1);
	return 0;
}

static int never_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_table_never(1);
	return 0;
}

static int shared_outside_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_table_shared_outside(1);
	return 0;
}

static int own_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_table_own(1);
	return 0;
}

SEC("struct_ops/first")
__failure __msg(MSG("inside", ASYNC "inside_cb()") IN_INSIDE INSN)
int BPF_PROG(timer_inside, int arg)
{
	return start_timer(inside_cb);
}

SEC("struct_ops/first")
__failure __msg(MSG("never", ASYNC "never_cb()") NOWHERE INSN)
int BPF_PROG(timer_never, int arg)
{
	return start_timer(never_cb);
}

SEC("struct_ops/first")
__failure __msg(MSG("shared_outside", ASYNC "shared_outside_cb()") INSN)
int BPF_PROG(timer_shared_outside, int arg)
{
	return start_timer(shared_outside_cb);
}

#define MEANS(to)	"bpf_kfunc_table_own() means bpf_kfunc_table_" to "() in "
#define BUT(to)		", but bpf_kfunc_table_" to "() in "

/* Allowed both ways, but to do two things */
SEC("struct_ops/first")
__failure __msg(MEANS("to_first") "bpf_testmod_table_ops.first"
		BUT("to_outside") ASYNC "own_cb()" INSN)
int BPF_PROG(timer_and_each_own, int arg)
{
	bpf_for_each_map_elem(&elems, own_cb, NULL, 0);
	return start_timer(own_cb);
}

TABLE_OPS(first, timer_inside);
TABLE_OPS(first, timer_never);
TABLE_OPS(first, timer_shared_outside);
TABLE_OPS(first, timer_and_each_own);

/* A callback that falls back on a table: what either denies. The rows alone do not
 * say where the call is allowed.
 */

SEC("struct_ops.s/first")
__failure __msg(MSG("fallback", "bpf_testmod_fallback_ops.first") INSN)
int BPF_PROG(fallback_sleepable, int arg)
{
	return bpf_kfunc_table_fallback(arg);
}

static int fallback_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_table_fallback(1);
	return 0;
}

SEC("struct_ops/first")
__failure __msg(MSG("fallback", ASYNC_OF("bpf_testmod_fallback_ops") "fallback_cb()") INSN)
int BPF_PROG(fallback_timer, int arg)
{
	return start_timer(fallback_cb);
}

OPS(bpf_testmod_fallback_ops, first, fallback_sleepable);
OPS(bpf_testmod_fallback_ops, first, fallback_timer);

/* Own is not for others: struct_ops with a table of its own, with none, of vmlinux */

#define MSG_OTHER(kfunc, ops, owner)					\
	MSG(kfunc, "a " ops " program; only those of " owner " may" INSN)

SEC("struct_ops/first")
__failure __msg(MSG_OTHER("own", "bpf_testmod_fallback_ops", "bpf_testmod_table_ops"))
int BPF_PROG(own_other_table, int arg)
{
	return bpf_kfunc_table_own(arg);
}

SEC("struct_ops/first")
__failure __msg(MSG_OTHER("fallback", "bpf_testmod_table_ops", "bpf_testmod_fallback_ops"))
int BPF_PROG(own_other_callback, int arg)
{
	return bpf_kfunc_table_fallback(arg);
}

SEC("struct_ops/test_1")
__failure __msg(MSG_OTHER("own", "bpf_testmod_ops2", "bpf_testmod_table_ops"))
int BPF_PROG(own_no_table)
{
	return bpf_kfunc_table_own(1);
}

SEC("struct_ops/test_1")
__failure __msg(MSG_OTHER("never", "bpf_dummy_ops", "bpf_testmod_table_ops"))
int BPF_PROG(never_dummy, struct bpf_dummy_ops_state *state)
{
	return bpf_kfunc_table_never(1);
}

SEC("struct_ops/test_1")
__failure __msg(MSG_OTHER("own", "bpf_dummy_ops", "bpf_testmod_table_ops"))
int BPF_PROG(own_dummy, struct bpf_dummy_ops_state *state)
{
	return bpf_kfunc_table_own(1);
}

SEC("struct_ops/ssthresh")
__failure __msg(MSG_OTHER("own", "tcp_congestion_ops", "bpf_testmod_table_ops"))
__u32 BPF_PROG(own_tcp, struct sock *sk)
{
	return bpf_kfunc_table_own(1);
}

OPS(bpf_testmod_fallback_ops, first, own_other_table);
OPS(bpf_testmod_table_ops, first, own_other_callback);
OPS(bpf_testmod_ops2, test_1, own_no_table);
OPS(bpf_dummy_ops, test_1, never_dummy);
OPS(bpf_dummy_ops, test_1, own_dummy);
OPS(tcp_congestion_ops, ssthresh, own_tcp);

/* Not in a callback of theirs either */

SEC("struct_ops/first")
__failure __msg(MSG_OTHER("own", "bpf_testmod_fallback_ops", "bpf_testmod_table_ops"))
int BPF_PROG(own_other_each, int arg)
{
	return bpf_for_each_map_elem(&elems, own_cb, NULL, 0);
}

SEC("struct_ops/first")
__failure __msg(MSG_OTHER("own", "bpf_testmod_fallback_ops", "bpf_testmod_table_ops"))
int BPF_PROG(own_other_timer, int arg)
{
	return start_timer(own_cb);
}

OPS(bpf_testmod_fallback_ops, first, own_other_each);
OPS(bpf_testmod_fallback_ops, first, own_other_timer);
