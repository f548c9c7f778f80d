// SPDX-License-Identifier: GPL-2.0
/* Programs that replace global_sub() of the program for first in kfunc_table.c */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include "../bpf_testmod/bpf_testmod_table.h"

char _license[] SEC("license") = "GPL";

SEC("freplace/global_sub")
int ext_own(int arg)
{
	return bpf_kfunc_table_own(arg);
}

SEC("freplace/global_sub")
int ext_inside(int arg)
{
	return bpf_kfunc_table_inside(arg);
}

SEC("freplace/global_sub")
int ext_never(int arg)
{
	return bpf_kfunc_table_never(arg);
}

SEC("freplace/global_sub")
int ext_same(int arg)
{
	return bpf_kfunc_table_same(arg);
}

SEC("freplace/global_sub")
int ext_shared(int arg)
{
	return bpf_kfunc_table_shared(arg);
}

SEC("freplace/global_sub")
int ext_shared_outside(int arg)
{
	return bpf_kfunc_table_shared_outside(arg);
}

SEC("freplace/global_sub")
int ext_fallback(int arg)
{
	return bpf_kfunc_table_fallback(arg);
}

SEC("freplace/global_sub")
int ext_unnamed(int arg)
{
	return bpf_kfunc_table_unnamed(arg);
}
