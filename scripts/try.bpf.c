// SPDX-License-Identifier: GPL-2.0
/*
 * What scripts/try is shown with: a call that is bound, one that is refused as a timer
 * makes it, and the same with a guard, the constant argument of work().
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#ifndef scx_bpf_dsq_move_to_local	/* the headers of 6.12 have the names from before 6.13 */
#define scx_bpf_dsq_move_to_local(dsq, flags)	scx_bpf_consume(dsq)
#define scx_bpf_dsq_insert			scx_bpf_dispatch
#endif

struct elem { struct bpf_timer timer; };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} timers SEC(".maps");

static __noinline int work(bool late)
{
	if (!late)
		scx_bpf_dsq_move_to_local(0, 0);
	return 0;
}

#define DISPATCH(name, late)						\
static int name##_cb(void *map, int *key, struct elem *e)		\
{									\
	return work(late);						\
}									\
void BPF_STRUCT_OPS(name, s32 cpu, struct task_struct *prev)		\
{									\
	int key = 0;							\
	struct elem *e = bpf_map_lookup_elem(&timers, &key);		\
									\
	if (e) {							\
		bpf_timer_init(&e->timer, &timers, CLOCK_MONOTONIC);	\
		bpf_timer_set_callback(&e->timer, name##_cb);		\
	}								\
	work(false);							\
}
DISPATCH(unguarded, false)
DISPATCH(guarded, true)

void BPF_STRUCT_OPS(inserts, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link") struct sched_ext_ops bad = { .name = "bad", .dispatch = (void *)unguarded };
SEC(".struct_ops.link") struct sched_ext_ops good = {
	.name = "good", .enqueue = (void *)inserts, .dispatch = (void *)guarded,
};
