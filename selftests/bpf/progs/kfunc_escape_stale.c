// SPDX-License-Identifier: GPL-2.0
/* A program that outlives the module of its struct_ops, and one that replaces a
 * function of it. Neither names a function of the module.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "../bpf_test_kfunc_table/bpf_test_kfunc_table.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

__noinline int global_sub(int arg)
{
	barrier_var(arg);
	return arg;
}

SEC("struct_ops/first")
int BPF_PROG(stale, int arg)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return global_sub(arg);
}

SEC("struct_ops/first")
int BPF_PROG(stale_tail, int arg)
{
	bpf_tail_call(ctx, &jmp_table, 0);
	return 0;
}

SEC("freplace/global_sub")
int ext_stale(int arg)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return arg;
}

SEC(".struct_ops.link")
struct bpf_test_kfunc_table_ops ops_stale = {
	.first = (void *)stale,
};

SEC(".struct_ops.link")
struct bpf_test_kfunc_table_ops ops_stale_tail = {
	.first = (void *)stale_tail,
};
