// SPDX-License-Identifier: GPL-2.0

#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

__u32 subprog_line = __LINE__ + 4;

static __noinline __u32 ssthresh_sub(struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(call_in_subprog, struct sock *sk)
{
	return ssthresh_sub(sk);
}

__u32 main_line = __LINE__ + 5;

SEC("struct_ops")
__u32 BPF_PROG(call_in_main, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
void BPF_PROG(no_call, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC(".struct_ops.link")
struct tcp_congestion_ops kfuncs_ca = {
	.ssthresh = (void *)call_in_subprog,
	.undo_cwnd = (void *)call_in_main,
	.cong_avoid = (void *)no_call,
	.name = "bpf_kfuncs",
};
