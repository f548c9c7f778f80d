// SPDX-License-Identifier: GPL-2.0
/* Programs that replace global_sub() of programs in kfunc_reloc.c */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include "../bpf_testmod/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

SEC("freplace/global_sub")
int ext_test(int arg)
{
	return bpf_kfunc_reloc_test(arg + 1);
}

SEC("freplace/global_sub")
int ext_inside(int arg)
{
	return bpf_kfunc_reloc_inside(arg + 1);
}
