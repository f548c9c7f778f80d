// SPDX-License-Identifier: GPL-2.0
/* Kfunc calls in places where bpf_testmod_reloc_ops allows them. What each of
 * them becomes is in prog_tests/kfunc_reloc.c.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "bpf_misc.h"
#include "kfunc_reloc_common.h"
#include "../bpf_testmod/bpf_testmod.h"
#include "../bpf_testmod/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

int result;

const volatile bool never;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jmp_table SEC(".maps");

static __noinline int static_sub(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

__noinline int global_sub(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

static __noinline int static_to_global(int arg)
{
	return global_sub(arg);
}

__noinline int global_to_static_to_global(int arg)
{
	return static_to_global(arg);
}

/* Directly from the program */

SEC("struct_ops/test_a")
int BPF_PROG(call_a, int arg)
{
	return result = bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops/test_b")
int BPF_PROG(call_b, int arg)
{
	return result = bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops/test_plain")
int BPF_PROG(call_plain, int arg)
{
	return result = bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops/test_a")
int BPF_PROG(call_several, int arg)
{
	return result = bpf_kfunc_reloc_test(arg) + bpf_kfunc_reloc_inside(arg) +
			bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops.s/test_sleepable")
int BPF_PROG(call_sleepable, int arg)
{
	return result = bpf_kfunc_reloc_sleepable(arg);
}

RELOC_OPS(test_a, call_a);
RELOC_OPS(test_b, call_b);
RELOC_OPS(test_plain, call_plain);
RELOC_OPS(test_a, call_several);
RELOC_OPS(test_sleepable, call_sleepable);

/* Of a kfunc in vmlinux, and becoming a function in vmlinux */

SEC("struct_ops/test_a")
int BPF_PROG(call_from_vmlinux, int arg)
{
	struct task_struct *task;

	task = bpf_task_from_pid(-1);
	if (!task)
		return 0;
	result = task->pid;
	bpf_task_release(task);
	return 0;
}

SEC("struct_ops/test_vmlinux")
int BPF_PROG(call_to_vmlinux, int arg)
{
	return result = bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops/test_vmlinux")
int BPF_PROG(call_within_vmlinux, int arg)
{
	struct bpf_cpumask *mask;

	mask = bpf_cpumask_create();
	if (!mask)
		return 0;
	bpf_cpumask_set_cpu(0, mask);
	result = bpf_cpumask_first((const struct cpumask *)mask);
	bpf_cpumask_release(mask);
	return 0;
}

RELOC_OPS(test_a, call_from_vmlinux);
RELOC_OPS(test_vmlinux, call_to_vmlinux);
RELOC_OPS(test_vmlinux, call_within_vmlinux);

/* The verifier knows them, nobody says anything else about them. */
SEC("struct_ops/test_b")
int BPF_PROG(call_special, int arg)
{
	bpf_rcu_read_lock();
	bpf_kfunc_common_test();
	bpf_rcu_read_unlock();
	return 0;
}

RELOC_OPS(test_b, call_special);

/* From subprograms, linked into programs of different members */

SEC("struct_ops/test_a")
int BPF_PROG(static_a, int arg)
{
	return result = static_sub(arg);
}

SEC("struct_ops/test_b")
int BPF_PROG(static_b, int arg)
{
	return result = static_sub(arg);
}

SEC("struct_ops/test_a")
int BPF_PROG(global_a, int arg)
{
	return result = global_sub(arg);
}

SEC("struct_ops/test_a")
int BPF_PROG(global_a2, int arg)
{
	return result = global_sub(arg) + 100;
}

SEC("struct_ops/test_b")
int BPF_PROG(global_b, int arg)
{
	return result = global_sub(arg);
}

SEC("struct_ops/test_a")
int BPF_PROG(chain_a, int arg)
{
	return result = global_to_static_to_global(arg);
}

SEC("struct_ops/test_b")
int BPF_PROG(chain_b, int arg)
{
	return result = global_to_static_to_global(arg);
}

RELOC_OPS(test_a, static_a);
RELOC_OPS(test_b, static_b);
RELOC_OPS(test_a, global_a);
RELOC_OPS(test_a, global_a2);
RELOC_OPS(test_b, global_b);
RELOC_OPS(test_a, chain_a);
RELOC_OPS(test_b, chain_b);

/* From callbacks that run before the program returns */

static int loop_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_reloc_test(*arg);
	return 0;
}

static int each_cb(void *map, int *key, struct elem *elem, int *arg)
{
	*arg = bpf_kfunc_reloc_test(*arg);
	return 0;
}

SEC("struct_ops/test_a")
int BPF_PROG(loop_a, int arg)
{
	bpf_loop(2, loop_cb, &arg, 0);
	return result = arg;
}

SEC("struct_ops/test_b")
int BPF_PROG(loop_b, int arg)
{
	bpf_loop(2, loop_cb, &arg, 0);
	return result = arg;
}

SEC("struct_ops/test_a")
int BPF_PROG(each_a, int arg)
{
	bpf_for_each_map_elem(&elems, each_cb, &arg, 0);
	return result = arg;
}

static __noinline int loop_with(int (*cb)(u32 i, int *arg), int *arg)
{
	bpf_loop(2, cb, arg, 0);
	return 0;
}

/* The callback is named in one subprogram, and used in another. */
SEC("struct_ops/test_a")
int BPF_PROG(loop_passed_a, int arg)
{
	loop_with(loop_cb, &arg);
	return result = arg;
}

__noinline int exception_cb(u64 cookie)
{
	return result = bpf_kfunc_reloc_test(cookie);
}

SEC("struct_ops/test_a")
__exception_cb(exception_cb)
int BPF_PROG(throw_a, int arg)
{
	bpf_throw(5);
	return 0;
}

RELOC_OPS(test_a, loop_a);
RELOC_OPS(test_b, loop_b);
RELOC_OPS(test_a, each_a);
RELOC_OPS(test_a, loop_passed_a);
RELOC_OPS(test_a, throw_a);

/* From callbacks that run later */

static int async_cb(void *map, int *key, struct elem *elem)
{
	result = bpf_kfunc_reloc_test(100);
	return 0;
}

static int async_static_cb(void *map, int *key, struct elem *elem)
{
	result = static_sub(100);
	return 0;
}

static int async_global_cb(void *map, int *key, struct elem *elem)
{
	result = global_to_static_to_global(100);
	return 0;
}

static int async_loop_cb(void *map, int *key, struct elem *elem)
{
	int arg = 100;

	bpf_loop(1, loop_cb, &arg, 0);
	result = arg;
	return 0;
}

/* The program's own call is another one than the callback's. */
SEC("struct_ops/test_a")
int BPF_PROG(timer_a, int arg)
{
	bpf_kfunc_reloc_test(arg);
	return start_timer(async_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(timer_static_a, int arg)
{
	return start_timer(async_static_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(timer_global_a, int arg)
{
	return start_timer(async_global_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(timer_loop_a, int arg)
{
	return start_timer(async_loop_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(wq_a, int arg)
{
	bpf_kfunc_reloc_test(arg);
	return start_wq(async_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(wq_static_a, int arg)
{
	return start_wq(async_static_cb);
}

SEC("struct_ops/test_a")
int BPF_PROG(wq_global_a, int arg)
{
	return start_wq(async_global_cb);
}

RELOC_OPS(test_a, timer_a);
RELOC_OPS(test_a, timer_static_a);
RELOC_OPS(test_a, timer_global_a);
RELOC_OPS(test_a, timer_loop_a);
RELOC_OPS(test_a, wq_a);
RELOC_OPS(test_a, wq_static_a);
RELOC_OPS(test_a, wq_global_a);

/* Both ways, in a member where both mean the same */

SEC("struct_ops/test_async")
int BPF_PROG(both_cb, int arg)
{
	bpf_for_each_map_elem(&elems, async_cb, NULL, 0);
	return start_timer(async_cb);
}

SEC("struct_ops/test_async")
int BPF_PROG(both_static, int arg)
{
	static_sub(arg);
	return start_timer(async_static_cb);
}

SEC("struct_ops/test_async")
int BPF_PROG(both_global, int arg)
{
	global_sub(arg);
	return start_wq(async_global_cb);
}

RELOC_OPS(test_async, both_cb);
RELOC_OPS(test_async, both_static);
RELOC_OPS(test_async, both_global);

/* Dead code, in a member that may not call the kfunc */

void bpf_kfunc_reloc_no_such(int a) __ksym __weak;

struct task_struct___no_such {
	int no_such;
} __attribute__((preserve_access_index));

__noinline int global_dead(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

SEC("struct_ops/test_deny")
int BPF_PROG(dead_ksym, int arg)
{
	if (bpf_ksym_exists(bpf_kfunc_reloc_no_such)) {
		bpf_kfunc_reloc_no_such(arg);
		return bpf_kfunc_reloc_test(arg);
	}
	return result = arg;
}

SEC("struct_ops/test_deny")
int BPF_PROG(dead_core, int arg)
{
	if (bpf_core_field_exists(struct task_struct___no_such, no_such))
		return bpf_kfunc_reloc_test(arg);
	return result = arg;
}

SEC("struct_ops/test_deny")
int BPF_PROG(dead_rodata, int arg)
{
	if (never)
		return bpf_kfunc_reloc_test(arg);
	return result = arg;
}

SEC("struct_ops/test_deny")
int BPF_PROG(dead_global, int arg)
{
	if (never)
		return global_dead(arg);
	return result = arg;
}

SEC("struct_ops/test_deny")
int BPF_PROG(dead_timer, int arg)
{
	if (never)
		return start_timer(async_cb);
	return result = arg;
}

RELOC_OPS(test_deny, dead_ksym);
RELOC_OPS(test_deny, dead_core);
RELOC_OPS(test_deny, dead_rodata);
RELOC_OPS(test_deny, dead_global);
RELOC_OPS(test_deny, dead_timer);

/* Through a prog array */

SEC("struct_ops/test_a")
int BPF_PROG(tail_a, int arg)
{
	bpf_tail_call(ctx, &jmp_table, 0);
	return 0;
}

RELOC_OPS(test_a, tail_a);

/* Of struct_ops that do not relocate kfuncs */

SEC("struct_ops/test_a")
int BPF_PROG(noreloc, int arg)
{
	return result = global_sub(arg);
}

SEC("struct_ops/test_1")
int BPF_PROG(dummy, struct bpf_dummy_ops_state *state)
{
	return bpf_kfunc_reloc_test(7);
}

OPS(bpf_testmod_noreloc_ops, test_a, noreloc);
OPS(bpf_dummy_ops, test_1, dummy);
