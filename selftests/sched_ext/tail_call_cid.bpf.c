// SPDX-License-Identifier: GPL-2.0
/*
 * A cid-form and a cpu-form ops.enqueue() that share a prog array. The index of
 * the member and its prototype are the same in both forms.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} progs SEC(".maps");

SEC("struct_ops/tail_call_cid_enqueue")
int tail_call_cid_enqueue(u64 *ctx)
{
	bpf_tail_call(ctx, &progs, 0);
	return 0;
}

SEC("struct_ops/tail_call_cpu_enqueue")
int tail_call_cpu_enqueue(u64 *ctx)
{
	bpf_tail_call(ctx, &progs, 0);
	scx_bpf_kick_cpu(0, 0);		/* not for cid-form schedulers */
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops_cid cid_ops = {
	.enqueue	= (void *)tail_call_cid_enqueue,
	.name		= "tail_call_cid",
};

SEC(".struct_ops.link")
struct sched_ext_ops cpu_ops = {
	.enqueue	= (void *)tail_call_cpu_enqueue,
	.name		= "tail_call_cpu",
};
