// SPDX-License-Identifier: GPL-2.0
/* Programs that load, and that prog_tests/kfunc_escape.c tries to run elsewhere than
 * in the member they are bound for.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "bpf_experimental.h"
#include "kfunc_reloc_common.h"
#include "../bpf_testmod/bpf_testmod.h"
#include "../bpf_testmod/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

int result;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ringbuf SEC(".maps");

static __noinline int static_sub(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

__noinline int global_sub(int arg)
{
	return static_sub(arg);
}

/* What replaced it would have the context, and could make tail calls, too. */
__noinline int global_ctx(void *ctx __arg_ctx)
{
	bpf_tail_call(ctx, &jmp_table, 0);
	return 3;
}

__noinline int exception_cb(u64 cookie)
{
	return result = cookie;
}

SEC("struct_ops/test_a")
int BPF_PROG(escape_a, int arg)
{
	return result = global_sub(arg);
}

SEC("struct_ops/test_b")
int BPF_PROG(escape_b, int arg)
{
	return result = global_sub(arg);
}

SEC("struct_ops/test_a")
int BPF_PROG(ctx_a, int arg)
{
	return result = global_ctx(ctx) + arg;
}

SEC("struct_ops/test_a")
int BPF_PROG(noreloc, int arg)
{
	return result = global_sub(arg);
}

/* Its prog array is that of test_a. */
SEC("struct_ops/test_a")
int BPF_PROG(tail_a, int arg)
{
	bpf_tail_call(ctx, &jmp_table, 0);
	return 0;
}

SEC("struct_ops/test_a")
__exception_cb(exception_cb)
int BPF_PROG(throw_a, int arg)
{
	bpf_throw(arg);
	return 0;
}

RELOC_OPS(test_a, escape_a);
RELOC_OPS(test_b, escape_b);
RELOC_OPS(test_a, ctx_a);
RELOC_OPS(test_a, throw_a);
RELOC_OPS(test_a, tail_a);
OPS(bpf_testmod_noreloc_ops, test_a, noreloc);

/* A second map with the same program, as libbpf has it */
SEC(".struct_ops.link")
struct bpf_testmod_reloc_ops ops_escape_a_too = {
	.test_a = (void *)escape_a,
};

/* Synchronous callbacks of all kinds, which are the member's */

static long drain_cb(struct bpf_dynptr *dynptr, int *arg)
{
	*arg = bpf_kfunc_reloc_test(*arg);
	return 1;
}

static long loop_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_reloc_test(*arg);
	return 0;
}

static long outer_cb(u32 i, int *arg)
{
	bpf_loop(1, loop_cb, arg, 0);
	return 0;
}

SEC("struct_ops/test_a")
int BPF_PROG(drain_a, int arg)
{
	bpf_user_ringbuf_drain(&user_ringbuf, drain_cb, &arg, 0);
	return result = arg;
}

SEC("struct_ops/test_a")
int BPF_PROG(nested_a, int arg)
{
	bpf_loop(1, outer_cb, &arg, 0);
	return result = arg;
}

/* Through the stack of another frame, which is as far as the pointer gets */
static __noinline int pick_cb(void **cb)
{
	*cb = loop_cb;
	return 0;
}

SEC("struct_ops/test_a")
int BPF_PROG(picked_a, int arg)
{
	void *cb = NULL;

	pick_cb(&cb);
	bpf_loop(1, cb, &arg, 0);
	return result = arg;
}

/* Open-coded iterators are no callbacks at all. */
SEC("struct_ops/test_a")
int BPF_PROG(iter_a, int arg)
{
	int i;

	bpf_for(i, 0, 2)
		arg = bpf_kfunc_reloc_test(arg);
	return result = arg;
}

RELOC_OPS(test_a, drain_a);
RELOC_OPS(test_a, nested_a);
RELOC_OPS(test_a, picked_a);
RELOC_OPS(test_a, iter_a);

/* And within a callback that is asynchronous, they are outside. */

static int async_iter_cb(void *map, int *key, struct elem *elem)
{
	int i, arg = 100;

	bpf_for(i, 0, 1)
		arg = bpf_kfunc_reloc_test(arg);
	result = arg;
	return 0;
}

static int async_nested_cb(void *map, int *key, struct elem *elem)
{
	int arg = 100;

	bpf_loop(1, outer_cb, &arg, 0);
	result = arg;
	return 0;
}

static int async_picked_cb(void *map, int *key, struct elem *elem)
{
	void *cb = NULL;
	int arg = 100;

	pick_cb(&cb);
	bpf_loop(1, cb, &arg, 0);
	result = arg;
	return 0;
}

/* The second callback is set by the first, and not by the program. */
static int async_second_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_reloc_test(100);
	return 0;
}

static int async_first_cb(void *map, int *key, struct elem *elem)
{
	start_wq(async_second_cb);
	return 0;
}

SEC("struct_ops/test_a")
int BPF_PROG(timer_iter_a, int arg)
{
	return start_timer(async_iter_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(timer_nested_a, int arg)
{
	return start_timer(async_nested_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(wq_picked_a, int arg)
{
	return start_wq(async_picked_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(timer_wq_a, int arg)
{
	return start_timer(async_first_cb);
}

RELOC_OPS(test_a, timer_iter_a);
RELOC_OPS(test_a, timer_nested_a);
RELOC_OPS(test_a, wq_picked_a);
RELOC_OPS(test_a, timer_wq_a);
