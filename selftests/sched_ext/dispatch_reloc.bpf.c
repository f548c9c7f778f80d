// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that dispatches from ops.select_cpu(), ops.enqueue() and
 * ops.dispatch(), in FIFO and in vtime order, directly and in subprograms that
 * the three share, and checks what each dispatch did: the first two record it
 * in the task, for the core to act on when they return, the last puts it into
 * the dispatch buffer.
 */

#include <scx/common.bpf.h>
#include "dispatch_reloc.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

#define VTIME_DSQ	0
#define SLICE		(SCX_SLICE_DFL + 1)

struct dispatch_reloc_stat stats[NR_FROM][NR_BY];
u64 max_buffered;

static u64 nr_select_cpu, nr_enqueue, nr_dispatch, vtime_now;

/* Tasks that ops.enqueue() leaves to ops.dispatch() */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} queue SEC(".maps");

struct task_ctx {
	/* which dispatch the task waits to run from */
	bool dispatched;
	u32 from;
	u32 by;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctxs SEC(".maps");

static __always_inline struct dispatch_reloc_stat *get_stat(u32 from, u32 by)
{
	if (from >= NR_FROM || by >= NR_BY)
		return NULL;
	return &stats[from][by];
}

static __noinline void shared_dispatch(struct task_struct *p, u64 dsq_id,
				       u64 enq_flags)
{
	scx_bpf_dispatch(p, dsq_id, SLICE, enq_flags);
}

static __noinline void shared_dispatch_vtime(struct task_struct *p, u64 dsq_id,
					     u64 vtime, u64 enq_flags)
{
	scx_bpf_dispatch_vtime(p, dsq_id, SLICE, vtime, enq_flags);
}

/* Dispatch the task and check what does not depend on the member. */
static __always_inline bool dispatch(struct task_struct *p, u32 from, u32 by,
				     u64 dsq_id, u64 enq_flags)
{
	struct dispatch_reloc_stat *stat = get_stat(from, by);
	struct task_ctx *tctx;
	u64 vtime;

	tctx = bpf_task_storage_get(&task_ctxs, p, 0, 0);
	if (!stat || !tctx) {
		scx_bpf_error("No context for %s[%d]", p->comm, p->pid);
		return false;
	}
	tctx->from = from;
	tctx->by = by;
	tctx->dispatched = true;
	__sync_fetch_and_add(&stat->nr_dispatched, 1);

	if (by & BY_VTIME) {
		vtime = __sync_fetch_and_add(&vtime_now, 1);
		if (by & BY_SUBPROG)
			shared_dispatch_vtime(p, dsq_id, vtime, enq_flags);
		else
			scx_bpf_dispatch_vtime(p, dsq_id, SLICE, vtime, enq_flags);
		if (p->scx.dsq_vtime != vtime)
			return false;
	} else {
		if (by & BY_SUBPROG)
			shared_dispatch(p, dsq_id, enq_flags);
		else
			scx_bpf_dispatch(p, dsq_id, SLICE, enq_flags);
	}
	return p->scx.slice == SLICE;
}

static __always_inline void dispatch_wrong(u32 from, u32 by)
{
	struct dispatch_reloc_stat *stat = get_stat(from, by);

	if (stat)
		__sync_fetch_and_add(&stat->nr_wrong, 1);
}

static __always_inline void dispatch_direct(struct task_struct *p, u32 from,
					    u32 by, u64 enq_flags)
{
	u64 dsq_id = by & BY_VTIME ? VTIME_DSQ : SCX_DSQ_LOCAL;
	u64 priq = by & BY_VTIME ? SCX_ENQ_DSQ_PRIQ : 0;

	if (p->scx.ddsp_dsq_id != SCX_DSQ_INVALID ||
	    !dispatch(p, from, by, dsq_id, enq_flags) ||
	    p->scx.ddsp_dsq_id != dsq_id ||
	    p->scx.ddsp_enq_flags != (enq_flags | priq))
		dispatch_wrong(from, by);
}

static __always_inline void dispatch_buffered(struct task_struct *p, u32 by)
{
	u64 dsq_id = VTIME_DSQ;
	u32 nr_slots;

	if (!(by & BY_VTIME))
		dsq_id = SCX_DSQ_LOCAL_ON | scx_bpf_task_cpu(p);
	nr_slots = scx_bpf_dispatch_nr_slots();

	if (!dispatch(p, FROM_DISPATCH, by, dsq_id, 0) ||
	    scx_bpf_dispatch_nr_slots() != nr_slots - 1 ||
	    p->scx.ddsp_dsq_id != SCX_DSQ_INVALID)
		dispatch_wrong(FROM_DISPATCH, by);
}

s32 BPF_STRUCT_OPS(dispatch_reloc_select_cpu, struct task_struct *p,
		   s32 prev_cpu, u64 wake_flags)
{
	u64 nr = __sync_fetch_and_add(&nr_select_cpu, 1);

	/* every other time, let ops.enqueue() do it */
	if (nr & 1)
		dispatch_direct(p, FROM_SELECT_CPU, nr / 2 % NR_BY, 0);
	return prev_cpu;
}

void BPF_STRUCT_OPS(dispatch_reloc_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 nr = __sync_fetch_and_add(&nr_enqueue, 1);
	s32 pid = p->pid;

	/* every other time, let ops.dispatch() do it */
	if (nr & 1)
		dispatch_direct(p, FROM_ENQUEUE, nr / 2 % NR_BY, enq_flags);
	else if (bpf_map_push_elem(&queue, &pid, 0))
		scx_bpf_error("Failed to queue %s[%d]", p->comm, p->pid);
}

void BPF_STRUCT_OPS(dispatch_reloc_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u64 nr_buffered = 0;
	s32 pid;

	bpf_repeat(8) {
		if (bpf_map_pop_elem(&queue, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dispatch_buffered(p, __sync_fetch_and_add(&nr_dispatch, 1) % NR_BY);
		bpf_task_release(p);
		nr_buffered++;
	}
	if (max_buffered < nr_buffered)
		max_buffered = nr_buffered;

	scx_bpf_consume(VTIME_DSQ);
}

void BPF_STRUCT_OPS(dispatch_reloc_running, struct task_struct *p)
{
	struct dispatch_reloc_stat *stat;
	struct task_ctx *tctx;

	tctx = bpf_task_storage_get(&task_ctxs, p, 0, 0);
	if (!tctx || !tctx->dispatched)
		return;
	tctx->dispatched = false;

	stat = get_stat(tctx->from, tctx->by);
	if (stat)
		__sync_fetch_and_add(&stat->nr_ran, 1);
}

s32 BPF_STRUCT_OPS(dispatch_reloc_init_task, struct task_struct *p,
		   struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&task_ctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -ENOMEM;
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dispatch_reloc_init)
{
	return scx_bpf_create_dsq(VTIME_DSQ, -1);
}

void BPF_STRUCT_OPS(dispatch_reloc_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops dispatch_reloc_ops = {
	.select_cpu		= (void *)dispatch_reloc_select_cpu,
	.enqueue		= (void *)dispatch_reloc_enqueue,
	.dispatch		= (void *)dispatch_reloc_dispatch,
	.running		= (void *)dispatch_reloc_running,
	.init_task		= (void *)dispatch_reloc_init_task,
	.init			= (void *)dispatch_reloc_init,
	.exit			= (void *)dispatch_reloc_exit,
	.flags			= SCX_OPS_SWITCH_PARTIAL,
	.name			= "dispatch_reloc",
};
