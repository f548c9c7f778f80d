// SPDX-License-Identifier: GPL-2.0
/* The same loop around calls of kfuncs with empty bodies, see mod/bench_kfr.c. */
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define MAX	2048

struct bench_ops {
	int (*plain)(__u64 n);
	int (*reloc)(__u64 n);
	int (*percpu)(__u64 n);
	int (*arg)(__u64 n);
	int (*many)(__u64 n);
	int (*allowed)(__u64 n);
};

extern void bench_target(void) __ksym;
extern void bench_named(void) __ksym;
extern void bench_percpu(void) __ksym;
extern void bench_arg(__u32 where) __ksym;

SEC("struct_ops/plain")
int BPF_PROG(bench_plain, __u64 n)
{
	__u64 i;

	for (i = 0; i < n && i < MAX; i++)
		bench_target();
	return 0;
}

SEC("struct_ops/reloc")
int BPF_PROG(bench_reloc, __u64 n)
{
	__u64 i;

	for (i = 0; i < n && i < MAX; i++)
		bench_named();
	return 0;
}

SEC("struct_ops/percpu")
int BPF_PROG(bench_runtime, __u64 n)
{
	__u64 i;

	for (i = 0; i < n && i < MAX; i++)
		bench_percpu();
	return 0;
}

SEC("struct_ops/arg")
int BPF_PROG(bench_told, __u64 n)
{
	__u64 i;

	for (i = 0; i < n && i < MAX; i++)
		bench_arg(1);
	return 0;
}

SEC(".struct_ops.link")
struct bench_ops bench = {
	.plain	= (void *)bench_plain,
	.reloc	= (void *)bench_reloc,
	.percpu	= (void *)bench_runtime,
	.arg	= (void *)bench_told,
};

char _license[] SEC("license") = "GPL";
