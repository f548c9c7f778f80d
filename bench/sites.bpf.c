// SPDX-License-Identifier: GPL-2.0
/*
 * ops.enqueue() with SITES calls of a kfunc. It is one without arguments, so that the rest
 * of the verification is as cheap as it can be, and in no table, so that each look-up goes
 * through all of it. And not one with KF_IMPLICIT_ARGS: the verifier inserts instructions
 * before each call of these, which takes time with the square of their number.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern u32 scx_bpf_nr_cpu_ids(void) __ksym;

SEC("struct_ops/enqueue")
int BPF_PROG(sites_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_nr_cpu_ids();
	asm volatile(".rept %[n]; call scx_bpf_nr_cpu_ids; .endr"
		     :: [n]"i"(SITES - 1) : "r0", "r1", "r2", "r3", "r4", "r5");
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops sites = {
	.enqueue	= (void *)sites_enqueue,
	.name		= "sites",
};

char _license[] SEC("license") = "GPL";
