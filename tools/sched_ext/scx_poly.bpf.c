// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that calls one kfunc from three operations.
 *
 * scx_bpf_dispatch() is one name for two functions. In ops.select_cpu() and
 * ops.enqueue() it writes into the task where that goes, in ops.dispatch() it
 * puts any task into the dispatch buffer of the CPU. A program calls it by the
 * one name everywhere. The kernel picks the function when it loads the program,
 * and does not load a program that calls it from anywhere else. See
 * Documentation/bpf/kfunc_reloc.rst.
 *
 * put() below is the only place that dispatches. It is part of each of the three
 * programs that call it, and in each its call is bound to what fits there. This
 * demonstrates:
 *
 * - A helper that is shared between operations.
 * - What the call became, as it can be seen from its effect. There are counters.
 * - A guard that the verifier can decide. ops.running() calls put(), too, if
 *   call_in_running is set before the scheduler is loaded, and does not load then.
 *   If it is not, the call is dead code, which nobody asks about.
 *
 * As a scheduler, it is a FIFO. A task goes to an idle CPU when it wakes up, or to
 * the CPU that it is on if it can run on no other. All others wait in a queue that
 * ops.dispatch() empties into the global DSQ.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile bool call_in_running;

enum {
	SELECT_CPU,
	ENQUEUE,
	DISPATCH,
	NR_OPS,
};

/* Tasks that ops.dispatch() takes from the queue at once */
#define BATCH 8

/* What calls of put() were seen to have done: the one, the other, neither */
u64 nr_in_task[NR_OPS], nr_in_buffer[NR_OPS], nr_in_neither[NR_OPS];

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} queue SEC(".maps");

static __noinline void put(struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	scx_bpf_dispatch(p, dsq_id, SCX_SLICE_DFL, enq_flags);
}

static __always_inline void count(u32 op, bool in_task, bool in_buffer)
{
	if (in_task)
		__sync_fetch_and_add(&nr_in_task[op], 1);
	else if (in_buffer)
		__sync_fetch_and_add(&nr_in_buffer[op], 1);
	else
		__sync_fetch_and_add(&nr_in_neither[op], 1);
}

/* Where the task goes once ops.select_cpu() or ops.enqueue() has returned */
static __always_inline bool in_task(struct task_struct *p)
{
	return p->scx.ddsp_dsq_id != SCX_DSQ_INVALID;
}

s32 BPF_STRUCT_OPS(poly_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu;

	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	if (is_idle) {
		put(p, SCX_DSQ_LOCAL, 0);
		count(SELECT_CPU, in_task(p), false);
	}

	return cpu;
}

void BPF_STRUCT_OPS(poly_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	/* Nowhere else to go, or no room in the queue */
	if (p->nr_cpus_allowed == 1 || bpf_map_push_elem(&queue, &pid, 0)) {
		put(p, SCX_DSQ_LOCAL, enq_flags);
		count(ENQUEUE, in_task(p), false);
	}
}

void BPF_STRUCT_OPS(poly_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u32 slots;
	s32 pid;

	bpf_repeat(BATCH) {
		slots = scx_bpf_dispatch_nr_slots();
		if (!slots || bpf_map_pop_elem(&queue, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;

		/*
		 * The task is not the one that this operation is about, and may
		 * be on its way elsewhere: what it says of itself is no evidence.
		 */
		put(p, SCX_DSQ_GLOBAL, 0);
		count(DISPATCH, false, scx_bpf_dispatch_nr_slots() == slots - 1);

		/* This CPU may not be one that the task can run on */
		scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
		bpf_task_release(p);
	}
}

void BPF_STRUCT_OPS(poly_running, struct task_struct *p)
{
	if (call_in_running)
		put(p, SCX_DSQ_GLOBAL, 0);
}

void BPF_STRUCT_OPS(poly_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(poly_ops,
	       .select_cpu		= (void *)poly_select_cpu,
	       .enqueue			= (void *)poly_enqueue,
	       .dispatch		= (void *)poly_dispatch,
	       .running			= (void *)poly_running,
	       .exit			= (void *)poly_exit,
	       .name			= "poly");
