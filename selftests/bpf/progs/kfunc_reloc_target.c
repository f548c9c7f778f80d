// SPDX-License-Identifier: GPL-2.0
/* Programs whose target_sub() the programs of kfunc_reloc_ext.c replace. They call
 * no kfunc, and do not hold bpf_testmod.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "../test_kmods/bpf_testmod.h"

char _license[] SEC("license") = "GPL";

__noinline int target_sub(int arg)
{
	barrier_var(arg);
	return arg;
}

SEC("struct_ops/test_first")
int BPF_PROG(first, int arg)
{
	return target_sub(arg);
}

SEC("struct_ops/test_same")
int BPF_PROG(same, int arg)
{
	return target_sub(arg);
}

SEC(".struct_ops.link")
struct bpf_testmod_reloc_ops target_ops = {
	.test_first = (void *)first,
	.test_same = (void *)same,
};
