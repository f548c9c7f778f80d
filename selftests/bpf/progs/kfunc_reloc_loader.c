// SPDX-License-Identifier: GPL-2.0
/* Loads a program as a light skeleton's loader program does, out of its own maps. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct bpf_insn insns[8];
int fd_array[2];
char prog_license[] = "GPL";

union bpf_attr attr;

SEC("syscall")
int load(void *ctx)
{
	attr.insns = (long)insns;
	attr.fd_array = (long)fd_array;
	attr.license = (long)prog_license;
	return bpf_sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}
