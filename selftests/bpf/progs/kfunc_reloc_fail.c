// SPDX-License-Identifier: GPL-2.0
/* Kfunc calls in places where bpf_testmod_reloc_ops does not allow them: test_deny
 * for bpf_kfunc_reloc_test(), and outside any member for bpf_kfunc_reloc_inside().
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "kfunc_reloc_common.h"
#include "../bpf_testmod/bpf_testmod.h"
#include "../bpf_testmod/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

#define INSN	" (insn {{[0-9]+}}): "
#define SRC	" @ kfunc_reloc_fail.c:{{[0-9]+}}"
#define TEST	"bpf_kfunc_reloc_test()"
#define INSIDE	"bpf_kfunc_reloc_inside()"
#define ASYNC	"an asynchronous callback of a bpf_testmod_reloc_ops program, "
#define MSG_DENY	\
	TEST " cannot be called from bpf_testmod_reloc_ops.test_deny" INSN
#define MSG_ASYNC	\
	INSIDE " cannot be called from " ASYNC
#define MSG_BOTH	\
	TEST " means bpf_kfunc_reloc_test_a() in bpf_testmod_reloc_ops.test_a, "	\
	"but bpf_kfunc_reloc_test_outside() in " ASYNC
#define MSG_RELOC	\
	TEST " relocated to "

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

static __noinline int static_test(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

__noinline int global_test(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

static __noinline int static_inside(int arg)
{
	return bpf_kfunc_reloc_inside(arg);
}

__noinline int global_inside(int arg)
{
	return static_inside(arg);
}

static int loop_test_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_reloc_test(*arg);
	return 0;
}

static int loop_inside_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_reloc_inside(*arg);
	return 0;
}

/* The log says which kfunc, where, and where that is in the source. */
SEC("struct_ops/test_deny")
__failure __msg(MSG_DENY "return bpf_kfunc_reloc_test(arg);" SRC)
int BPF_PROG(deny, int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops/test_deny")
__failure __msg(MSG_DENY)
int BPF_PROG(deny_static, int arg)
{
	return static_test(arg);
}

SEC("struct_ops/test_deny")
__failure __msg(MSG_DENY)
int BPF_PROG(deny_global, int arg)
{
	return global_test(arg);
}

SEC("struct_ops/test_deny")
__failure __msg(MSG_DENY)
int BPF_PROG(deny_loop, int arg)
{
	bpf_loop(1, loop_test_cb, &arg, 0);
	return arg;
}

__noinline int exception_cb(u64 cookie)
{
	return bpf_kfunc_reloc_test(cookie);
}

SEC("struct_ops/test_deny")
__exception_cb(exception_cb)
__failure __msg(MSG_DENY)
int BPF_PROG(deny_throw, int arg)
{
	bpf_throw(5);
	return 0;
}

RELOC_OPS(test_deny, deny);
RELOC_OPS(test_deny, deny_static);
RELOC_OPS(test_deny, deny_global);
RELOC_OPS(test_deny, deny_loop);
RELOC_OPS(test_deny, deny_throw);

/* Outside the member, in all the ways that lead there */

static int inside_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_reloc_inside(1);
	return 0;
}

static int inside_static_cb(void *map, int *key, struct elem *elem)
{
	static_inside(1);
	return 0;
}

static int inside_global_cb(void *map, int *key, struct elem *elem)
{
	global_inside(1);
	return 0;
}

static int inside_loop_cb(void *map, int *key, struct elem *elem)
{
	int arg = 1;

	bpf_loop(1, loop_inside_cb, &arg, 0);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_cb()" INSN "bpf_kfunc_reloc_inside(1);" SRC)
int BPF_PROG(timer, int arg)
{
	return start_timer(inside_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "static_inside() called by inside_static_cb() (insn")
int BPF_PROG(timer_static, int arg)
{
	return start_timer(inside_static_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "static_inside() called by global_inside() called by inside_global_cb()")
int BPF_PROG(timer_global, int arg)
{
	return start_timer(inside_global_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "loop_inside_cb() called by inside_loop_cb() (insn")
int BPF_PROG(timer_loop, int arg)
{
	return start_timer(inside_loop_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_cb() (insn")
int BPF_PROG(wq, int arg)
{
	return start_wq(inside_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "static_inside() called by inside_static_cb() (insn")
int BPF_PROG(wq_static, int arg)
{
	return start_wq(inside_static_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "static_inside() called by global_inside() called by inside_global_cb()")
int BPF_PROG(wq_global, int arg)
{
	return start_wq(inside_global_cb);
}

/* The program may make the call, and its callback may not. */
SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_cb() (insn")
int BPF_PROG(timer_and_each, int arg)
{
	bpf_for_each_map_elem(&elems, inside_cb, NULL, 0);
	return start_timer(inside_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "static_inside() called by inside_static_cb() (insn")
int BPF_PROG(timer_and_static, int arg)
{
	static_inside(arg);
	return start_timer(inside_static_cb);
}

/* A callee has been looked at for the program when it turns out to be the callback's. */
SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "static_inside() called by global_inside() called by inside_global_cb()")
int BPF_PROG(timer_and_global, int arg)
{
	global_inside(arg);
	return start_timer(inside_global_cb);
}

RELOC_OPS(test_a, timer);
RELOC_OPS(test_a, timer_static);
RELOC_OPS(test_a, timer_global);
RELOC_OPS(test_a, timer_loop);
RELOC_OPS(test_a, wq);
RELOC_OPS(test_a, wq_static);
RELOC_OPS(test_a, wq_global);
RELOC_OPS(test_a, timer_and_each);
RELOC_OPS(test_a, timer_and_static);
RELOC_OPS(test_a, timer_and_global);

/* One instruction cannot mean two things. */

static int test_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_reloc_test(1);
	return 0;
}

static int test_static_cb(void *map, int *key, struct elem *elem)
{
	static_test(1);
	return 0;
}

static int test_global_cb(void *map, int *key, struct elem *elem)
{
	global_test(1);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg(MSG_BOTH "test_cb() (insn")
int BPF_PROG(differ_cb, int arg)
{
	bpf_for_each_map_elem(&elems, test_cb, NULL, 0);
	return start_timer(test_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_BOTH "static_test() called by test_static_cb() (insn")
int BPF_PROG(differ_static, int arg)
{
	static_test(arg);
	return start_timer(test_static_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_BOTH "global_test() called by test_global_cb() (insn")
int BPF_PROG(differ_global, int arg)
{
	global_test(arg);
	return start_wq(test_global_cb);
}

RELOC_OPS(test_a, differ_cb);
RELOC_OPS(test_a, differ_static);
RELOC_OPS(test_a, differ_global);

/* No way leads from an asynchronous callback into a member's program: a tail call
 * takes the program's context, and the callback has none.
 */

static int tail_cb(void *map, int *key, struct elem *elem)
{
	bpf_tail_call(map, &jmp_table, 0);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg("R1 type=map_ptr expected=ctx")
int BPF_PROG(timer_tail, int arg)
{
	return start_timer(tail_cb);
}

RELOC_OPS(test_a, timer_tail);

/* An implementation is no kfunc, neither where it is used nor elsewhere. */

int bpf_kfunc_reloc_test_a(int a) __ksym;
struct task_struct *bpf_kfunc_reloc_task_from_pid(s32 pid) __ksym;

SEC("struct_ops/test_a")
__failure __msg("calling kernel function bpf_kfunc_reloc_test_a is not allowed")
int BPF_PROG(by_name, int arg)
{
	return bpf_kfunc_reloc_test_a(arg);
}

SEC("struct_ops/test_a")
__failure __msg("calling kernel function bpf_kfunc_reloc_test_a is not allowed")
int BPF_PROG(by_name_too, int arg)
{
	return bpf_kfunc_reloc_test(arg) + bpf_kfunc_reloc_test_a(arg);
}

SEC("syscall")
__failure __msg("calling kernel function bpf_kfunc_reloc_test_a is not allowed")
int by_name_elsewhere(void *ctx)
{
	return bpf_kfunc_reloc_test_a(1);
}

RELOC_OPS(test_a, by_name);
RELOC_OPS(test_a, by_name_too);

/* The log tells of what was done. */
SEC("struct_ops/test_a")
__success __log_level(2)
__msg(MSG_RELOC "bpf_kfunc_reloc_test_a() in static_test()" INSN "return bpf_kfunc_reloc")
__msg(MSG_RELOC "bpf_kfunc_reloc_test_outside() in test_cb()" INSN "bpf_kfunc_reloc_test(1);" SRC)
int BPF_PROG(log_level2, int arg)
{
	static_test(arg);
	return start_timer(test_cb);
}

RELOC_OPS(test_a, log_level2);
