// SPDX-License-Identifier: GPL-2.0
/*
 * Programs whose asynchronous callback calls what only the op may call, a
 * replacement of a function of theirs, and one whose callback calls nothing of
 * the kind, though it comes to the function that does.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct timer_elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct timer_elem);
} timers SEC(".maps");

#define IN_TIMER(name, call)							\
static int name##_cb(void *map, int *key, struct timer_elem *e)			\
{										\
	call;									\
	return 0;								\
}										\
SEC("?struct_ops/" #name)							\
int name(u64 *ctx)								\
{										\
	int key = 0;								\
	struct timer_elem *e = bpf_map_lookup_elem(&timers, &key);		\
										\
	if (e) {								\
		bpf_timer_init(&e->timer, &timers, CLOCK_MONOTONIC);		\
		bpf_timer_set_callback(&e->timer, name##_cb);			\
	}									\
	return 0;								\
}

IN_TIMER(insert, scx_bpf_dsq_insert(bpf_get_current_task_btf(), SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0))
IN_TIMER(move_to_local, scx_bpf_dsq_move_to_local(0, 0))
IN_TIMER(sub_dispatch, scx_bpf_sub_dispatch(1))
IN_TIMER(reenqueue_local, scx_bpf_reenqueue_local___v1())
IN_TIMER(nr_slots, scx_bpf_dispatch_nr_slots())
IN_TIMER(cancel, scx_bpf_dispatch_cancel())

__noinline int replaced(int cpu)
{
	asm volatile ("");
	return cpu;
}

SEC("?struct_ops/replace_target")
int replace_target(u64 *ctx)
{
	replaced(0);
	return 0;
}

/* not for cid-form schedulers */
SEC("?freplace/replaced")
int replacement(int cpu)
{
	scx_bpf_kick_cpu(cpu, 0);
	return 0;
}

u64 nr_inserted, nr_late;
static u32 armed;

static __noinline int put(struct task_struct *p, u64 enq_flags, bool late)
{
	if (late) {
		__sync_fetch_and_add(&nr_late, 1);
		return 0;
	}
	__sync_fetch_and_add(&nr_inserted, 1);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	return 0;
}

__noinline int put_late(void)
{
	return put(NULL, 0, true);
}

static int guard_cb(void *map, int *key, struct timer_elem *e)
{
	put(NULL, 0, true);
	put_late();
	bpf_timer_start(&e->timer, 1000000, 0);
	return 0;
}

SEC("?struct_ops/guard")
int BPF_PROG(guard, struct task_struct *p, u64 enq_flags)
{
	int key = 0;
	struct timer_elem *e = bpf_map_lookup_elem(&timers, &key);

	if (e && !__sync_val_compare_and_swap(&armed, 0, 1)) {
		bpf_timer_init(&e->timer, &timers, CLOCK_MONOTONIC);
		bpf_timer_set_callback(&e->timer, guard_cb);
		bpf_timer_start(&e->timer, 1000000, 0);
	}
	put(p, enq_flags, false);
	return 0;
}

SEC("?struct_ops/guard_exit")
int BPF_PROG(guard_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops kfunc_async_ops = {
	.name			= "kfunc_async",
};

SEC(".struct_ops.link")
struct sched_ext_ops_cid kfunc_async_cid_ops = {
	.name			= "kfunc_async_cid",
};
