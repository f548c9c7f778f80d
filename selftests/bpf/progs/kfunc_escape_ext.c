// SPDX-License-Identifier: GPL-2.0
/* Programs that replace functions of programs in kfunc_escape.c */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "../bpf_testmod/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

SEC("freplace/global_sub")
int ext_sub(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

SEC("freplace/global_sub")
int ext_plain(int arg)
{
	return arg + 1;
}

SEC("freplace/global_sub")
int ext_inside(int arg)
{
	return bpf_kfunc_reloc_inside(arg);
}

/* With a context, it could make tail calls. */
SEC("freplace/global_ctx")
int ext_tail(void *ctx __arg_ctx)
{
	bpf_tail_call(ctx, &jmp_table, 0);
	return 4;
}
