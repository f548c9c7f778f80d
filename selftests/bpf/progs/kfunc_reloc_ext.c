// SPDX-License-Identifier: GPL-2.0
/* Replacements of target_sub() of kfunc_reloc_target.c */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

int bpf_kfunc_reloc_test(int arg) __ksym __weak;
int bpf_kfunc_reloc_sync(int arg) __ksym __weak;
int bpf_kfunc_reloc_async(int arg) __ksym __weak;

SEC("freplace/target_sub")
int ext_test(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

SEC("freplace/target_sub")
int ext_sync(int arg)
{
	return bpf_kfunc_reloc_sync(arg);
}

SEC("freplace/target_sub")
int ext_async(int arg)
{
	return bpf_kfunc_reloc_async(arg);
}

SEC("freplace/target_sub")
int ext_vmlinux(int arg)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return arg;
}
