// SPDX-License-Identifier: GPL-2.0
/* Programs that run, see prog_tests/kfunc_reloc.c */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "../test_kmods/bpf_testmod.h"
#include "../test_kmods/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

int in_member, in_timer;

u64 id_addr;
u32 id;

struct elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

static int timer_cb(void *map, int *key, struct elem *elem)
{
	in_timer = bpf_kfunc_reloc_test(10);
	return 0;
}

SEC("struct_ops/test_first")
int BPF_PROG(run_first, int arg)
{
	struct elem *elem = bpf_map_lookup_elem(&elems, &(int){0});

	in_member = bpf_kfunc_reloc_test(10);
	if (!elem)
		return 0;
	bpf_timer_init(&elem->timer, &elems, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&elem->timer, timer_cb);
	bpf_timer_start(&elem->timer, 0, 0);
	return 0;
}

SEC(".struct_ops.link")
struct bpf_testmod_reloc_ops run_ops = {
	.test_first = (void *)run_first,
};

SEC("syscall")
int run_syscall(void *ctx)
{
	return bpf_kfunc_reloc_test(10);
}

SEC("syscall")
int read_id(void *ctx)
{
	return bpf_probe_read_kernel(&id, sizeof(id), (void *)id_addr);
}
