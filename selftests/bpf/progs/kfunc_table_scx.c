// SPDX-License-Identifier: GPL-2.0
/* sched_ext's own kfuncs in programs of another struct_ops */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"

char _license[] SEC("license") = "GPL";

void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
bool scx_bpf_consume(u64 dsq_id) __ksym;
s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;

#define MSG(kfunc, ops)								\
	kfunc "() cannot be called from a " ops " program; "			\
	"only those of sched_ext_ops may (insn {{[0-9]+}}): "

SEC("struct_ops/ssthresh")
__failure __msg(MSG("scx_bpf_dispatch", "tcp_congestion_ops"))
__u32 BPF_PROG(tcp_dispatch, struct sock *sk)
{
	scx_bpf_dispatch(bpf_get_current_task_btf(), 0, 0, 0);
	return 2;
}

SEC("struct_ops/ssthresh")
__failure __msg(MSG("scx_bpf_consume", "tcp_congestion_ops"))
__u32 BPF_PROG(tcp_consume, struct sock *sk)
{
	return scx_bpf_consume(0);
}

SEC("struct_ops/test_1")
__failure __msg(MSG("scx_bpf_consume", "bpf_dummy_ops"))
int BPF_PROG(dummy_consume, struct bpf_dummy_ops_state *state)
{
	return scx_bpf_consume(0);
}

/* sched_ext's table does not name it. */
SEC("struct_ops/ssthresh")
__success
__u32 BPF_PROG(tcp_nr_queued, struct sock *sk)
{
	return scx_bpf_dsq_nr_queued(0);
}

#define OPS(type, member, prog)				\
	SEC(".struct_ops.link")				\
	struct type ops_##prog = {			\
		.member = (void *)prog,			\
	}

OPS(tcp_congestion_ops, ssthresh, tcp_dispatch);
OPS(tcp_congestion_ops, ssthresh, tcp_consume);
OPS(bpf_dummy_ops, test_1, dummy_consume);
OPS(tcp_congestion_ops, ssthresh, tcp_nr_queued);
