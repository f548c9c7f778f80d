// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler with all operations that a wakeup invokes. They do nothing, but for the
 * dispatch and the consume that keep tasks running.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

s32 BPF_STRUCT_OPS(empty_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(empty_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, 0, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(empty_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_consume(0);
}

void BPF_STRUCT_OPS(empty_runnable, struct task_struct *p, u64 enq_flags)
{
}

void BPF_STRUCT_OPS(empty_running, struct task_struct *p)
{
}

void BPF_STRUCT_OPS(empty_stopping, struct task_struct *p, bool runnable)
{
}

void BPF_STRUCT_OPS(empty_quiescent, struct task_struct *p, u64 deq_flags)
{
}

void BPF_STRUCT_OPS(empty_tick, struct task_struct *p)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(empty_init)
{
	return scx_bpf_create_dsq(0, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops empty_ops = {
	.select_cpu	= (void *)empty_select_cpu,
	.enqueue	= (void *)empty_enqueue,
	.dispatch	= (void *)empty_dispatch,
	.runnable	= (void *)empty_runnable,
	.running	= (void *)empty_running,
	.stopping	= (void *)empty_stopping,
	.quiescent	= (void *)empty_quiescent,
	.tick		= (void *)empty_tick,
	.init		= (void *)empty_init,
	.timeout_ms	= 5000,
	.name		= "empty",
};
