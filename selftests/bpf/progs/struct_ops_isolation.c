// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../test_kmods/bpf_testmod.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

__noinline int replaced(int a)
{
	barrier_var(a);
	return a;
}

SEC("struct_ops/test_1")
int BPF_PROG(ops_test_1)
{
	return replaced(1);
}

SEC("struct_ops/test_1")
int BPF_PROG(ops_test_1_too)
{
	return replaced(2);
}

/* Index and prototype of the member are those of bpf_testmod_ops.test_1(). */
SEC("struct_ops/test_1")
int BPF_PROG(ops2_test_1)
{
	return replaced(3);
}

/* The index of the member is the value of BPF_TRACE_RAW_TP. */
SEC("struct_ops/tramp_14")
int BPF_PROG(ops_raw_tp, int value)
{
	return replaced(value);
}

/* ... of BPF_TRACE_ITER */
SEC("struct_ops/tramp_19")
int BPF_PROG(ops_iter, int value)
{
	return replaced(value);
}

SEC(".struct_ops.link")
struct bpf_testmod_ops ops = {
	.test_1 = (void *)ops_test_1,
	.tramp_14 = (void *)ops_raw_tp,
	.tramp_19 = (void *)ops_iter,
};

SEC(".struct_ops.link")
struct bpf_testmod_ops ops_too = {
	.test_1 = (void *)ops_test_1_too,
};

SEC(".struct_ops.link")
struct bpf_testmod_ops2 ops2 = {
	.test_1 = (void *)ops2_test_1,
};
