// SPDX-License-Identifier: GPL-2.0
/* A kfunc of a module that is neither the struct_ops' nor vmlinux */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "../bpf_testmod/bpf_testmod.h"
#include "../bpf_testmod/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

int result;

int bpf_test_modorder_retx(void)
	__ksym;

SEC("struct_ops/test_a")
int BPF_PROG(third_a, int arg)
{
	return result = bpf_test_modorder_retx() + bpf_kfunc_reloc_test(arg);
}

SEC(".struct_ops.link")
struct bpf_testmod_reloc_ops ops_third_a = {
	.test_a = (void *)third_a,
};
