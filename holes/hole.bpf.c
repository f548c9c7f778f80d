// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers that call a kfunc where it must not be called: each arms a timer that
 * calls what only the op that arms it may call, the last has a function that is
 * replaced by one that calls what its form of struct_ops may not. 7.3 loads them all.
 * hole.c runs one. Each does what makes the damage sure, and not a matter of luck.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define Q		77
#define MS		1000000

/* hole.c sets them */
s32 pid;
u64 cgroup;

static u32 armed;

struct timer_elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct timer_elem);
} timers SEC(".maps");

/* A cid-form scheduler has to use one, in which the kernel has its own objects, too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << 16);
} arena SEC(".maps");

#define USE_ARENA()	asm volatile("" :: "r"(&arena))

#define IN_TIMER(name, ...)						\
static int name##_cb(void *map, int *key, struct timer_elem *e)		\
{									\
	__VA_ARGS__;							\
	bpf_timer_start(&e->timer, MS, 0);				\
	return 0;							\
}									\
SEC("struct_ops/" #name)						\
int name##_arm(u64 *ctx)						\
{									\
	int key = 0;							\
	struct timer_elem *e = bpf_map_lookup_elem(&timers, &key);	\
									\
	if (e && !__sync_val_compare_and_swap(&armed, 0, 1)) {		\
		bpf_timer_init(&e->timer, &timers, CLOCK_MONOTONIC);	\
		bpf_timer_set_callback(&e->timer, name##_cb);		\
		bpf_timer_start(&e->timer, MS, 0);			\
	}								\
	return 0;							\
}

#define SCHEDULER(type, map, ...)					\
SEC(".struct_ops.link")							\
struct type map = { .name = #map, __VA_ARGS__ }

/* Nobody empties the buffer that this fills. */
IN_TIMER(insert,
	struct task_struct *p = bpf_task_from_pid(pid);

	if (p) {
		bpf_repeat(100)
			scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	})
SCHEDULER(sched_ext_ops, insert, .dispatch = (void *)insert_arm);

IN_TIMER(cancel, scx_bpf_dispatch_cancel())
SCHEDULER(sched_ext_ops, cancel, .dispatch = (void *)cancel_arm);

IN_TIMER(nr_slots, scx_bpf_dispatch_nr_slots())
SCHEDULER(sched_ext_ops, nr_slots, .dispatch = (void *)nr_slots_arm);

/*
 * Only the timer takes tasks out of Q. To take one of another CPU, the kernel unlocks
 * the rq that it thinks is locked, and has it locked in the end.
 */
IN_TIMER(move, scx_bpf_dsq_move_to_local(Q, 0))

void BPF_STRUCT_OPS(move_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, Q, SCX_SLICE_DFL, enq_flags);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(move_init)
{
	return scx_bpf_create_dsq(Q, -1);
}

SCHEDULER(sched_ext_ops, move,
	  .enqueue = (void *)move_enqueue,
	  .dispatch = (void *)move_arm,
	  .init = (void *)move_init);

/*
 * The timer enqueues tasks, with interrupts enabled. One that wakes up a task on this
 * CPU meanwhile enqueues it in the midst of that.
 */
IN_TIMER(reenqueue, scx_bpf_reenqueue_local___v1())

s32 BPF_STRUCT_OPS(reenqueue_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(reenqueue_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 start = bpf_ktime_get_ns();

	if (enq_flags & SCX_ENQ_REENQ) {
		bpf_repeat(1 << 20) {
			if (bpf_ktime_get_ns() - start > 10 * MS)
				break;
		}
	}
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
}

SCHEDULER(sched_ext_ops, reenqueue,
	  .select_cpu = (void *)reenqueue_select_cpu,
	  .enqueue = (void *)reenqueue_enqueue,
	  .cpu_release = (void *)reenqueue_arm);

/* With no rq locked, the kernel asks NULL for its CPU once there is a child. */
IN_TIMER(sub_dispatch, scx_bpf_sub_dispatch(cgroup))

s32 BPF_STRUCT_OPS(sub_dispatch_attach, struct scx_sub_attach_args *args)
{
	USE_ARENA();
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(child_init)
{
	USE_ARENA();
	return 0;
}

SCHEDULER(sched_ext_ops_cid, sub_dispatch,
	  .dispatch = (void *)sub_dispatch_arm,
	  .sub_attach = (void *)sub_dispatch_attach);
SCHEDULER(sched_ext_ops_cid, child, .init = (void *)child_init);

__noinline void replaced(s32 cid)
{
	asm volatile("" :: "r"(cid));
}

SEC("struct_ops/replace_tick")
int replace_tick(u64 *ctx)
{
	USE_ARENA();
	replaced(0);
	return 0;
}

SCHEDULER(sched_ext_ops_cid, replace, .tick = (void *)replace_tick);

SEC("?freplace/replaced")
void replacement(s32 cid)
{
	scx_bpf_kick_cpu(cid, 0);
}
