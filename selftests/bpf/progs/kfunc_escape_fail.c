// SPDX-License-Identifier: GPL-2.0
/* Attempts to have a subprogram run where the kernel did not see it: all of them are
 * refused, by the verifier as it is or by what relocates kfunc calls. To
 * bpf_testmod_reloc_ops, bpf_kfunc_reloc_inside() is denied outside any member.
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

#define INSIDE	"bpf_kfunc_reloc_inside()"
#define ASYNC	"an asynchronous callback of a bpf_testmod_reloc_ops program, "
#define MSG_ASYNC	INSIDE " cannot be called from " ASYNC

int bpf_kfunc_reloc_no_such(int a) __ksym __weak;

struct tree_node {
	struct bpf_rb_node node;
	int key;
};

SEC(".bss.tree") __hidden struct bpf_spin_lock lock;
SEC(".bss.tree") __hidden struct bpf_rb_root root __contains(tree_node, node);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, __u64);
} pointers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ringbuf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

static int inside_cb(void *map, int *key, struct elem *elem)
{
	bpf_kfunc_reloc_inside(1);
	return 0;
}

static long inside_loop_cb(u32 i, int *arg)
{
	bpf_kfunc_reloc_inside(1);
	return 0;
}

/* A pointer to a subprogram that was kept in a map is no such pointer any more. */

static int read_back_cb(void *map, int *key, struct elem *elem)
{
	__u64 *cb;
	int zero = 0;

	cb = bpf_map_lookup_elem(&pointers, &zero);
	if (cb)
		bpf_loop(1, (void *)*cb, NULL, 0);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg("R2 type=scalar expected=func")
int BPF_PROG(through_map, int arg)
{
	__u64 *cb;
	int zero = 0;

	cb = bpf_map_lookup_elem(&pointers, &zero);
	if (cb)
		*cb = (__u64)inside_loop_cb;
	return start_timer(read_back_cb);
}

/* It is none either after arithmetic. */
SEC("struct_ops/test_a")
__failure __msg("dereference of modified func ptr R2 off=8 disallowed")
int BPF_PROG(next_to_it, int arg)
{
	void *cb = inside_loop_cb;

	barrier_var(cb);
	bpf_loop(1, cb + 8, NULL, 0);
	return 0;
}

/* A kernel function has an address, and is not a callback. */
SEC("struct_ops/test_a")
__failure __msg("R2 type=rdonly_mem expected=func")
int BPF_PROG(kernel_func, int arg)
{
	bpf_loop(1, (void *)bpf_kfunc_reloc_inside, NULL, 0);
	return bpf_kfunc_reloc_inside(arg);
}

RELOC_OPS(test_a, through_map);
RELOC_OPS(test_a, next_to_it);
RELOC_OPS(test_a, kernel_func);

/* A global subprogram is verified without its callers, and cannot be a callback. */

__noinline int global_cb(void *map, int *key, struct elem *elem)
{
	return bpf_kfunc_reloc_inside(1);
}

SEC("struct_ops/test_a")
__failure __msg("callback function not static")
int BPF_PROG(timer_is_global, int arg)
{
	return start_timer(global_cb);
}

SEC("struct_ops/test_a")
__failure __msg("callback function not static")
int BPF_PROG(wq_is_global, int arg)
{
	return start_wq(global_cb);
}

RELOC_OPS(test_a, timer_is_global);
RELOC_OPS(test_a, wq_is_global);

/* An exception callback is the member's: no asynchronous callback gets there. */

__noinline int exception_cb(u64 cookie)
{
	return bpf_kfunc_reloc_inside(cookie);
}

__noinline int global_throw(int arg)
{
	bpf_throw(arg);
	return 0;
}

static int throw_cb(void *map, int *key, struct elem *elem)
{
	bpf_throw(1);
	return 0;
}

static int global_throw_cb(void *map, int *key, struct elem *elem)
{
	global_throw(1);
	return 0;
}

SEC("struct_ops/test_a")
__exception_cb(exception_cb)
__failure __msg("cannot be called from callback subprog")
int BPF_PROG(timer_throws, int arg)
{
	return start_timer(throw_cb);
}

SEC("struct_ops/test_a")
__exception_cb(exception_cb)
__failure __msg("cannot be called from callback")
int BPF_PROG(wq_throws_global, int arg)
{
	return start_wq(global_throw_cb);
}

RELOC_OPS(test_a, timer_throws);
RELOC_OPS(test_a, wq_throws_global);

/* Callbacks of all helpers, from a callback that runs later */

static int drain_async_cb(void *map, int *key, struct elem *elem)
{
	bpf_user_ringbuf_drain(&user_ringbuf, inside_loop_cb, NULL, 0);
	return 0;
}

static int each_async_cb(void *map, int *key, struct elem *elem)
{
	bpf_for_each_map_elem(&elems, inside_cb, NULL, 0);
	return 0;
}

static int iter_async_cb(void *map, int *key, struct elem *elem)
{
	int i;

	bpf_for(i, 0, 2)
		bpf_kfunc_reloc_inside(i);
	return 0;
}

static int may_goto_async_cb(void *map, int *key, struct elem *elem)
{
	int i;

	for (i = 0; i < 2 && can_loop; i++)
		bpf_kfunc_reloc_inside(i);
	return 0;
}

static int wq_async_cb(void *map, int *key, struct elem *elem)
{
	start_wq(inside_cb);
	return 0;
}

static long outer_loop_cb(u32 i, int *arg)
{
	bpf_loop(1, inside_loop_cb, NULL, 0);
	return 0;
}

static int nested_async_cb(void *map, int *key, struct elem *elem)
{
	bpf_loop(1, outer_loop_cb, NULL, 0);
	return 0;
}

/* The pointer comes back from a subprogram, through the stack. */
static __noinline int pick_cb(void **cb)
{
	*cb = inside_loop_cb;
	return 0;
}

static int picked_async_cb(void *map, int *key, struct elem *elem)
{
	void *cb = NULL;

	pick_cb(&cb);
	bpf_loop(1, cb, NULL, 0);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_loop_cb() called by drain_async_cb() (insn")
int BPF_PROG(timer_drain, int arg)
{
	return start_timer(drain_async_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_cb() called by each_async_cb() (insn")
int BPF_PROG(timer_each, int arg)
{
	return start_timer(each_async_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "iter_async_cb() (insn")
int BPF_PROG(timer_iter, int arg)
{
	return start_timer(iter_async_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "may_goto_async_cb() (insn")
int BPF_PROG(timer_may_goto, int arg)
{
	return start_timer(may_goto_async_cb);
}

/* A callback that is set by a callback */
SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_cb() (insn")
int BPF_PROG(timer_wq, int arg)
{
	return start_timer(wq_async_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_loop_cb() called by outer_loop_cb() called by nested_async_cb()")
int BPF_PROG(wq_nested, int arg)
{
	return start_wq(nested_async_cb);
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_loop_cb() called by pick_cb() called by picked_async_cb()")
int BPF_PROG(wq_picked, int arg)
{
	return start_wq(picked_async_cb);
}

/* The member's own callback sets it: it is not the member's for that. */
static long set_timer_loop_cb(u32 i, int *arg)
{
	start_timer(inside_cb);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg(MSG_ASYNC "inside_cb() (insn")
int BPF_PROG(loop_sets_timer, int arg)
{
	bpf_loop(1, set_timer_loop_cb, NULL, 0);
	return 0;
}

/* Nor for being what the exception callback sets */
__noinline int timer_exception_cb(u64 cookie)
{
	return start_timer(inside_cb);
}

SEC("struct_ops/test_a")
__exception_cb(timer_exception_cb)
__failure __msg(MSG_ASYNC "inside_cb() (insn")
int BPF_PROG(throw_sets_timer, int arg)
{
	bpf_throw(arg);
	return 0;
}

RELOC_OPS(test_a, timer_drain);
RELOC_OPS(test_a, timer_each);
RELOC_OPS(test_a, timer_iter);
RELOC_OPS(test_a, timer_may_goto);
RELOC_OPS(test_a, timer_wq);
RELOC_OPS(test_a, wq_nested);
RELOC_OPS(test_a, wq_picked);
RELOC_OPS(test_a, loop_sets_timer);
RELOC_OPS(test_a, throw_sets_timer);

/* In less() of a tree its lock is held: no such kfunc can be called. */

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return bpf_kfunc_reloc_inside(1) > 1;
}

SEC("struct_ops/test_a")
__failure __msg("function calls are not allowed while holding a lock")
int BPF_PROG(rbtree_less, int arg)
{
	struct tree_node *n;

	n = bpf_obj_new(typeof(*n));
	if (!n)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&root, &n->node, less);
	bpf_spin_unlock(&lock);
	return 0;
}

RELOC_OPS(test_a, rbtree_less);

/* Tail calls take the program's context, which no asynchronous callback has. */

static int wq_tail_cb(void *map, int *key, struct elem *elem)
{
	bpf_tail_call(elem, &jmp_table, 0);
	return 0;
}

SEC("struct_ops/test_a")
__failure __msg("R1 type=map_value expected=ctx")
int BPF_PROG(wq_tail, int arg)
{
	return start_wq(wq_tail_cb);
}

RELOC_OPS(test_a, wq_tail);

/* A kfunc that is not there has no ID, so nobody can be asked about it. */
SEC("struct_ops/test_a")
__failure __msg("kfunc 'bpf_kfunc_reloc_no_such' is referenced but wasn't resolved")
int BPF_PROG(no_such_kfunc, int arg)
{
	return bpf_kfunc_reloc_no_such(arg);
}

RELOC_OPS(test_a, no_such_kfunc);
