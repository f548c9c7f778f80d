// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that call scx_bpf_dispatch() or scx_bpf_dispatch_vtime(). User space
 * makes one of them the program of one member of struct sched_ext_ops, and
 * tries to load it.
 */

#include <scx/common.bpf.h>
#include "dispatch_reject.h"

char _license[] SEC("license") = "GPL";

int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __weak __ksym;
int bpf_wq_set_callback_impl(struct bpf_wq *wq,
			     int (callback_fn)(void *map, int *key, void *value),
			     unsigned int flags, void *aux__ign) __weak __ksym;

void scx_bpf_dispatch_direct(struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags) __weak __ksym;
void scx_bpf_dispatch_buffered(struct task_struct *p, u64 dsq_id, u64 slice,
			       u64 enq_flags) __weak __ksym;
void scx_bpf_dispatch_vtime_direct(struct task_struct *p, u64 dsq_id, u64 slice,
				   u64 vtime, u64 enq_flags) __weak __ksym;
void scx_bpf_dispatch_vtime_buffered(struct task_struct *p, u64 dsq_id, u64 slice,
				     u64 vtime, u64 enq_flags) __weak __ksym;

/* Read-only, but weak: the verifier knows its value, the compiler does not. */
const int kfunc __weak = CALL_NOTHING;

/* The calls that are not asked for are dead code. */
static __always_inline int call_for(struct task_struct *p)
{
	if (kfunc == CALL_DISPATCH)
		scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
	else if (kfunc == CALL_DISPATCH_VTIME)
		scx_bpf_dispatch_vtime(p, 0, SCX_SLICE_DFL, 0, 0);
	return 0;
}

static __always_inline int call(void)
{
	return call_for(bpf_get_current_task_btf());
}

static __noinline int static_subprog(void)
{
	return call();
}

__noinline int global_subprog(void)
{
	return call();
}

/* a subprogram that does not call itself, but reaches one that does */
__noinline int global_caller(void)
{
	return static_subprog();
}

SEC("?struct_ops/main_prog")
int main_prog(void *ctx)
{
	return call();
}

SEC("?struct_ops.s/sleepable_prog")
int sleepable_prog(void *ctx)
{
	return call();
}

SEC("?struct_ops/in_static")
int in_static(void *ctx)
{
	return static_subprog();
}

SEC("?struct_ops/in_global")
int in_global(void *ctx)
{
	return global_subprog();
}

static int loop_cb(u32 i, void *data)
{
	return call();
}

SEC("?struct_ops/in_loop")
int in_loop(void *ctx)
{
	bpf_loop(1, loop_cb, NULL, 0);
	return 0;
}

struct timer_elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct timer_elem);
} timers SEC(".maps");

static __always_inline
int set_timer(int (*cb)(void *map, int *key, struct timer_elem *elem))
{
	struct timer_elem *elem;
	int key = 0;

	elem = bpf_map_lookup_elem(&timers, &key);
	if (!elem)
		return 0;
	bpf_timer_init(&elem->timer, &timers, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&elem->timer, cb);
	return 0;
}

static int timer_cb(void *map, int *key, struct timer_elem *elem)
{
	return call();
}

SEC("?struct_ops/in_timer")
int in_timer(void *ctx)
{
	return set_timer(timer_cb);
}

static int timer_static_cb(void *map, int *key, struct timer_elem *elem)
{
	return static_subprog();
}

SEC("?struct_ops/in_timer_static")
int in_timer_static(void *ctx)
{
	return set_timer(timer_static_cb);
}

static int timer_global_cb(void *map, int *key, struct timer_elem *elem)
{
	return global_subprog();
}

SEC("?struct_ops/in_timer_global")
int in_timer_global(void *ctx)
{
	return set_timer(timer_global_cb);
}

static int timer_caller_cb(void *map, int *key, struct timer_elem *elem)
{
	return global_caller();
}

SEC("?struct_ops/in_timer_caller")
int in_timer_caller(void *ctx)
{
	return set_timer(timer_caller_cb);
}

static int timer_loop_cb(void *map, int *key, struct timer_elem *elem)
{
	bpf_loop(1, loop_cb, NULL, 0);
	return 0;
}

SEC("?struct_ops/in_timer_loop")
int in_timer_loop(void *ctx)
{
	return set_timer(timer_loop_cb);
}

/* The subprogram is called from the member as well. */
SEC("?struct_ops/in_timer_too")
int in_timer_too(void *ctx)
{
	static_subprog();
	return set_timer(timer_static_cb);
}

static int timer_nop_cb(void *map, int *key, struct timer_elem *elem)
{
	return 0;
}

SEC("?struct_ops/beside_timer")
int beside_timer(void *ctx)
{
	set_timer(timer_nop_cb);
	return call();
}

struct wq_elem {
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct wq_elem);
} works SEC(".maps");

static __always_inline
int set_wq(int (*cb)(void *map, int *key, void *value))
{
	struct wq_elem *elem;
	int key = 0;

	elem = bpf_map_lookup_elem(&works, &key);
	if (!elem)
		return 0;
	bpf_wq_init(&elem->work, &works, 0);
	bpf_wq_set_callback_impl(&elem->work, cb, 0, NULL);
	return 0;
}

static int wq_cb(void *map, int *key, void *value)
{
	return call();
}

SEC("?struct_ops/in_wq")
int in_wq(void *ctx)
{
	return set_wq(wq_cb);
}

static int wq_static_cb(void *map, int *key, void *value)
{
	return static_subprog();
}

SEC("?struct_ops/in_wq_static")
int in_wq_static(void *ctx)
{
	return set_wq(wq_static_cb);
}

static int wq_global_cb(void *map, int *key, void *value)
{
	return global_subprog();
}

SEC("?struct_ops/in_wq_global")
int in_wq_global(void *ctx)
{
	return set_wq(wq_global_cb);
}

/* A scheduler with a function to replace, and replacements of it */
__noinline int replaced(void)
{
	asm volatile ("");
	return 0;
}

SEC("?struct_ops/replace_target")
int replace_target(void *ctx)
{
	return replaced();
}

/* there are no helpers for a program that replaces one of a struct_ops program */
static __always_inline int replacement_call(void)
{
	struct task_struct *p = bpf_task_from_pid(1);

	if (p) {
		call_for(p);
		bpf_task_release(p);
	}
	return 0;
}

SEC("?freplace/replaced")
int replacement(void)
{
	return replacement_call();
}

static __noinline int replacement_subprog(void)
{
	return replacement_call();
}

SEC("?freplace/replaced")
int replacement_static(void)
{
	return replacement_subprog();
}

/* functions that are not for programs to call */
SEC("?struct_ops/by_name")
int by_name(void *ctx)
{
	struct task_struct *p = bpf_get_current_task_btf();

	if (kfunc == CALL_DIRECT)
		scx_bpf_dispatch_direct(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
	else if (kfunc == CALL_BUFFERED)
		scx_bpf_dispatch_buffered(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
	else if (kfunc == CALL_VTIME_DIRECT)
		scx_bpf_dispatch_vtime_direct(p, 0, SCX_SLICE_DFL, 0, 0);
	else if (kfunc == CALL_VTIME_BUFFERED)
		scx_bpf_dispatch_vtime_buffered(p, 0, SCX_SLICE_DFL, 0, 0);
	return 0;
}

/* somebody else's struct_ops */
SEC("?struct_ops/tcp_ssthresh")
int tcp_ssthresh(void *ctx)
{
	return call();
}

SEC(".struct_ops.link")
struct sched_ext_ops dispatch_reject_ops = {
	.name			= "dispatch_reject",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops dispatch_reject_tcp_ops = {
	.name			= "dispatch_reject",
};
