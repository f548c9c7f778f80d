// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that inserts tasks into DSQs from ops.select_cpu(), ops.enqueue()
 * and ops.dispatch(), in FIFO and in vtime order, and probes on the kfuncs that
 * compare what they see with what the scheduler is about to do.
 */
#include <scx/common.bpf.h>
#include "kfunc_trace.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

#define VTIME_DSQ	0

u64 calls[NR_FROM][NR_ORDERS];
u64 hits[NR_PROBES][NR_ORDERS];
u64 wrong[NR_PROBES][NR_ORDERS];

static u64 nr_select_cpu, nr_enqueue, nr_dispatch, vtime_now;

struct call {
	s32 pid;
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
};

/* Interrupts are disabled in the ops that insert */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct call);
} call_map SEC(".maps");

/* Tasks that ops.enqueue() leaves to ops.dispatch() */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} queue SEC(".maps");

static __always_inline void insert(struct task_struct *p, enum call_from from, u64 nr,
				   u64 enq_flags)
{
	enum call_order order = nr & 1 ? VTIME : FIFO;
	u64 slice = SCX_SLICE_DFL + from;
	struct call *call;
	u32 key = 0;

	call = bpf_map_lookup_elem(&call_map, &key);
	if (!call)
		return;
	call->pid = p->pid;
	call->dsq_id = order == VTIME ? VTIME_DSQ : SCX_DSQ_GLOBAL;
	call->slice = slice;
	call->vtime = order == VTIME ? __sync_fetch_and_add(&vtime_now, 1) : 0;
	call->enq_flags = enq_flags;
	__sync_fetch_and_add(&calls[from][order], 1);

	if (order == VTIME)
		scx_bpf_dsq_insert_vtime(p, VTIME_DSQ, slice, call->vtime, enq_flags);
	else
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice, enq_flags);
}

s32 BPF_STRUCT_OPS(kfunc_trace_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	u64 nr = __sync_fetch_and_add(&nr_select_cpu, 1);

	/* leave every other task to ops.enqueue() */
	if (nr & 1)
		insert(p, FROM_SELECT_CPU, nr / 2, 0);
	return prev_cpu;
}

void BPF_STRUCT_OPS(kfunc_trace_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 nr = __sync_fetch_and_add(&nr_enqueue, 1);
	s32 pid = p->pid;

	/* leave every other task to ops.dispatch() */
	if (nr & 1 || bpf_map_push_elem(&queue, &pid, 0))
		insert(p, FROM_ENQUEUE, nr / 2, enq_flags);
}

void BPF_STRUCT_OPS(kfunc_trace_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	s32 pid;

	bpf_repeat(8) {
		if (bpf_map_pop_elem(&queue, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		insert(p, FROM_DISPATCH, __sync_fetch_and_add(&nr_dispatch, 1), 0);
		scx_bpf_kick_cpu(scx_bpf_task_cpu(p), 0);
		bpf_task_release(p);
	}
	scx_bpf_dsq_move_to_local(VTIME_DSQ, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(kfunc_trace_init)
{
	return scx_bpf_create_dsq(VTIME_DSQ, -1);
}

void BPF_STRUCT_OPS(kfunc_trace_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops kfunc_trace_ops = {
	.select_cpu	= (void *)kfunc_trace_select_cpu,
	.enqueue	= (void *)kfunc_trace_enqueue,
	.dispatch	= (void *)kfunc_trace_dispatch,
	.init		= (void *)kfunc_trace_init,
	.exit		= (void *)kfunc_trace_exit,
	.name		= "kfunc_trace",
};

static __always_inline int check(enum probe_kind probe, enum call_order order, s32 pid, u64 dsq_id,
				 u64 slice, u64 vtime, u64 enq_flags)
{
	struct call *call;
	u32 key = 0;

	__sync_fetch_and_add(&hits[probe][order], 1);
	call = bpf_map_lookup_elem(&call_map, &key);
	if (!call || call->pid != pid || call->dsq_id != dsq_id || call->slice != slice ||
	    call->vtime != vtime || call->enq_flags != enq_flags)
		__sync_fetch_and_add(&wrong[probe][order], 1);
	return 0;
}

#define INSERT		"scx_bpf_dsq_insert___v2"
#define INSERT_VTIME	"__scx_bpf_dsq_insert_vtime"

SEC("kprobe/" INSERT)
int BPF_KPROBE(kprobe_insert, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	return check(KPROBE, FIFO, BPF_CORE_READ(p, pid), dsq_id, slice, 0, enq_flags);
}

SEC("kprobe/" INSERT_VTIME)
int BPF_KPROBE(kprobe_insert_vtime, struct task_struct *p,
	       struct scx_bpf_dsq_insert_vtime_args *args)
{
	return check(KPROBE, VTIME, BPF_CORE_READ(p, pid), BPF_CORE_READ(args, dsq_id),
		     BPF_CORE_READ(args, slice), BPF_CORE_READ(args, vtime),
		     BPF_CORE_READ(args, enq_flags));
}

SEC("fentry/" INSERT)
int BPF_PROG(fentry_insert, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	return check(FENTRY, FIFO, p->pid, dsq_id, slice, 0, enq_flags);
}

SEC("fentry/" INSERT_VTIME)
int BPF_PROG(fentry_insert_vtime, struct task_struct *p,
	     struct scx_bpf_dsq_insert_vtime_args *args)
{
	return check(FENTRY, VTIME, p->pid, args->dsq_id, args->slice, args->vtime,
		     args->enq_flags);
}

SEC("fexit/" INSERT)
int BPF_PROG(fexit_insert, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	return check(FEXIT, FIFO, p->pid, dsq_id, slice, 0, enq_flags);
}

SEC("fexit/" INSERT_VTIME)
int BPF_PROG(fexit_insert_vtime, struct task_struct *p,
	     struct scx_bpf_dsq_insert_vtime_args *args)
{
	return check(FEXIT, VTIME, p->pid, args->dsq_id, args->slice, args->vtime,
		     args->enq_flags);
}
