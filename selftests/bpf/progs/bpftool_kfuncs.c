// SPDX-License-Identifier: GPL-2.0
/* Kfunc calls for test_bpftool_kfuncs.py, which knows what each of them becomes.
 * All kfuncs of bpf_testmod_table_ops have the same prototype.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "task_kfunc_common.h"
#include "../bpf_testmod/bpf_testmod_table.h"

char _license[] SEC("license") = "GPL";

int bpf_kfunc_table_own___flavor(int a) __ksym __weak;

int result;

struct elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

#define INSIDE(a)	bpf_kfunc_table_inside(a)
#define TWICE(a)	(bpf_kfunc_table_inside(a) + bpf_kfunc_table_own(a))
#define PASS(kfunc, a)	kfunc(a)

static __noinline int static_sub(int arg)
{
	return bpf_kfunc_table_own(arg);
}

__noinline int global_sub(int arg)
{
	return bpf_kfunc_table_own(arg);
}

static int loop_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_table_own(*arg);
	return 0;
}

static int timer_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_table_own(100);
	return 0;
}

/* Subprograms, and three calls in one line */
SEC("struct_ops/first")
int BPF_PROG(kfuncs_first, int arg)
{
	arg = bpf_kfunc_table_own(arg) + bpf_kfunc_table_inside(arg) + bpf_kfunc_table_same(arg);
	return static_sub(arg) + global_sub(arg);
}

/* The subprogram again, a synchronous callback, and a call over several lines */
SEC("struct_ops/second")
int BPF_PROG(kfuncs_second, int arg)
{
	bpf_loop(2, loop_cb, &arg, 0);
	arg = arg +
	      bpf_kfunc_table_shared(arg);
	return static_sub(arg);
}

/* Macros and an asynchronous callback */
SEC("struct_ops/third")
int BPF_PROG(kfuncs_third, int arg)
{
	struct elem *elem;
	int key = 0;

	arg += INSIDE(arg);
	arg += TWICE(arg);
	arg += PASS(bpf_kfunc_table_inside, arg);
	if (bpf_ksym_exists(bpf_kfunc_table_own___flavor))
		arg += bpf_kfunc_table_own___flavor(arg);
	elem = bpf_map_lookup_elem(&elems, &key);
	if (!elem)
		return 1;
	bpf_timer_init(&elem->timer, &elems, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&elem->timer, timer_cb);
	return arg;
}

SEC("struct_ops/fourth")
int BPF_PROG(kfuncs_fourth, int arg)
{
	return result = arg;
}

SEC(".struct_ops.link")
struct bpf_testmod_table_ops kfuncs_ops = {
	.first = (void *)kfuncs_first,
	.second = (void *)kfuncs_second,
	.third = (void *)kfuncs_third,
	.fourth = (void *)kfuncs_fourth,
};

/* Nothing here is relocated. */
SEC("syscall")
int kfuncs_plain(void *ctx)
{
	struct task_struct *task;
	int i;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_for(i, 0, 3)
		result += i;
	task = bpf_task_from_pid(1);
	if (!task)
		return 0;
	bpf_task_release(task);
	return 0;
}

SEC("syscall")
int kfuncs_none(void *ctx)
{
	return bpf_get_smp_processor_id();
}
