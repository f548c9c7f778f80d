// SPDX-License-Identifier: GPL-2.0
/* Calls of kfuncs of vmlinux, about which the table of bpf_test_kfunc_table_ops has
 * rows. They are nothing to all programs but those of bpf_test_kfunc_table_ops.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "../bpf_testmod/bpf_testmod.h"
#include "../bpf_test_kfunc_table/bpf_test_kfunc_table.h"

char _license[] SEC("license") = "GPL";

struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
int bpf_test_kfunc_table_own(int a) __ksym;

int result;

#define OPS(type, member, prog)				\
	SEC(".struct_ops.link")				\
	struct type ops_##prog = {			\
		.member = (void *)prog,			\
	}

static __always_inline int acquire(void)
{
	struct task_struct *task;

	task = bpf_task_acquire(bpf_get_current_task_btf());
	if (!task)
		return -1;
	result = 1;
	bpf_task_release(task);
	return 1;
}

static __always_inline int from_pid(void)
{
	struct task_struct *task;

	task = bpf_task_from_pid(1);
	if (!task)
		return -1;
	result = task->pid;
	bpf_task_release(task);
	return result;
}

/* Denied: see prog_tests/kfunc_table.c */
SEC("struct_ops/first")
int BPF_PROG(acquire_first, int arg)
{
	return acquire();
}

/* No row */
SEC("struct_ops/second")
int BPF_PROG(acquire_second, int arg)
{
	return acquire();
}

SEC("struct_ops/first")
int BPF_PROG(from_pid_first, int arg)
{
	return from_pid();
}

/* Relocated to a function of the module */
SEC("struct_ops/second")
int BPF_PROG(from_pid_second, int arg)
{
	return from_pid();
}

SEC("struct_ops/first")
int BPF_PROG(own_first, int arg)
{
	return result = bpf_test_kfunc_table_own(arg);
}

OPS(bpf_test_kfunc_table_ops, first, acquire_first);
OPS(bpf_test_kfunc_table_ops, second, acquire_second);
OPS(bpf_test_kfunc_table_ops, first, from_pid_first);
OPS(bpf_test_kfunc_table_ops, second, from_pid_second);
OPS(bpf_test_kfunc_table_ops, first, own_first);

/* Other struct_ops: of the same module, of another one, of vmlinux */

SEC("struct_ops/first")
int BPF_PROG(acquire_plain, int arg)
{
	return acquire();
}

SEC("struct_ops/first")
int BPF_PROG(from_pid_plain, int arg)
{
	return from_pid();
}

SEC("struct_ops/test_prologue")
int BPF_PROG(acquire_st_ops, struct st_ops_args *args)
{
	return acquire();
}

/* There are no helpers for these. */
SEC("struct_ops/test_1")
int BPF_PROG(acquire_dummy, struct bpf_dummy_ops_state *state)
{
	struct task_struct *init, *task;

	init = bpf_task_from_pid(1);
	if (!init)
		return -1;
	task = bpf_task_acquire(init);
	if (task)
		bpf_task_release(task);
	bpf_task_release(init);
	return 1;
}

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(acquire_tcp, struct sock *sk)
{
	return acquire();
}

OPS(bpf_test_kfunc_plain_ops, first, acquire_plain);
OPS(bpf_test_kfunc_plain_ops, first, from_pid_plain);
OPS(bpf_testmod_st_ops, test_prologue, acquire_st_ops);
OPS(bpf_dummy_ops, test_1, acquire_dummy);
OPS(tcp_congestion_ops, ssthresh, acquire_tcp);

/* Other types */

SEC("tp_btf/task_newtask")
int BPF_PROG(acquire_tracing, struct task_struct *task, u64 clone_flags)
{
	return acquire();
}

SEC("tp_btf/task_newtask")
int BPF_PROG(from_pid_tracing, struct task_struct *task, u64 clone_flags)
{
	return from_pid();
}

SEC("syscall")
int acquire_syscall(void *ctx)
{
	return acquire();
}
