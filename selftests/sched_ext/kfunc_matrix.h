/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every kfunc of sched_ext is in every member of struct sched_ext_ops.
 *
 * These are the answers that Linux 6.12 gave when a program ran: it kept a mask
 * of what the operation in progress allowed, which each kfunc checked. The two
 * tables below are those masks, but for that of ops.cgroup_move(): it said that no
 * rq was locked there, and one is.
 */
#ifndef __KFUNC_MATRIX_H__
#define __KFUNC_MATRIX_H__

#include <stdbool.h>
#include <stddef.h>

enum {
	KF_UNLOCKED		= 0,
	KF_CPU_RELEASE		= 1 << 0,
	KF_DISPATCH		= 1 << 1,
	KF_ENQUEUE		= 1 << 2,
	KF_SELECT_CPU		= 1 << 3,
	KF_REST			= 1 << 4,
	KF_RQ_LOCKED		= (1 << 5) - 1,
};

/* What SCX_CALL_OP*() said of the operation */
static const struct member {
	const char *name;
	int mask;
	bool task;		/* on behalf of a task, as SCX_CALL_OP_TASK() */
	bool sleepable;		/* see bpf_scx_check_member() */
} members[] = {
	{ "select_cpu",		KF_ENQUEUE | KF_SELECT_CPU, .task = true },
	{ "enqueue",		KF_ENQUEUE,	.task = true },
	{ "dequeue",		KF_REST,	.task = true },
	{ "dispatch",		KF_DISPATCH },
	{ "tick",		KF_REST,	.task = true },
	{ "runnable",		KF_REST,	.task = true },
	{ "running",		KF_REST,	.task = true },
	{ "stopping",		KF_REST,	.task = true },
	{ "quiescent",		KF_REST,	.task = true },
	{ "yield",		KF_REST,	.task = true },
	{ "core_sched_before",	KF_REST,	.task = true },
	{ "set_weight",		KF_REST,	.task = true },
	{ "set_cpumask",	KF_REST,	.task = true },
	{ "update_idle",	KF_REST },
	{ "cpu_acquire",	KF_REST },
	{ "cpu_release",	KF_CPU_RELEASE },
	{ "init_task",		KF_UNLOCKED,	.sleepable = true },
	{ "exit_task",		KF_REST,	.task = true },
	{ "enable",		KF_REST,	.task = true },
	{ "disable",		KF_REST,	.task = true },
	{ "dump",		KF_UNLOCKED },
	{ "dump_cpu",		KF_REST },
	{ "dump_task",		KF_REST },
	{ "cgroup_init",	KF_UNLOCKED,	.sleepable = true },
	{ "cgroup_exit",	KF_UNLOCKED,	.sleepable = true },
	{ "cgroup_prep_move",	KF_UNLOCKED,	.sleepable = true },
	{ "cgroup_move",	KF_REST,	.task = true },
	{ "cgroup_cancel_move",	KF_UNLOCKED },
	{ "cgroup_set_weight",	KF_UNLOCKED },
	{ "cpu_online",		KF_UNLOCKED,	.sleepable = true },
	{ "cpu_offline",	KF_UNLOCKED,	.sleepable = true },
	{ "init",		KF_UNLOCKED,	.sleepable = true },
	{ "exit",		KF_UNLOCKED,	.sleepable = true },
};

/* Asynchronous callbacks run for no operation. */
static const struct member outside = { "an asynchronous callback", KF_UNLOCKED };

/* What kfuncs are there for? By program type, as they were registered. */
enum {
	IN_SYSCALL		= 1 << 0,
	IN_TRACING		= 1 << 1,
	IN_NONE			= 1 << 2,	/* not a kfunc at all */
};

#define ANY	.any = true, .types = IN_SYSCALL | IN_TRACING

/*
 * What the kfuncs checked, and how to call them. @args has one letter for each:
 *	0	a scalar
 *	t	a task
 *	b	a bool on the stack
 *	f, a, z	a format, the array of its arguments, the array's size
 *	i	an iterator
 *	m	a cpumask
 *	M, I	a cpumask, one of the idle cpumasks, that the kfunc releases
 *	-	none, but the kfunc is called for an iterator anyway
 */
static const struct kfunc {
	const char *name;
	const char *args;
	int allowed;		/* scx_kf_allowed() */
	bool if_unlocked;	/* scx_kf_allowed_if_unlocked() */
	bool on_arg_tasks;	/* scx_kf_allowed_on_arg_tasks() */
	bool any;		/* no check */
	bool sleepable;
	int types;
	const char *release;	/* what to do with the returned value */
	const char *direct;	/* what it becomes where ENQUEUE is allowed ... */
	const char *buffered;	/* ... and where DISPATCH is */
} kfuncs[] = {
	{ "scx_bpf_select_cpu_dfl",	"t00b",	KF_SELECT_CPU },
	{ "scx_bpf_dispatch",		"t000",	KF_ENQUEUE | KF_DISPATCH,
	  .direct = "scx_bpf_dispatch_direct",
	  .buffered = "scx_bpf_dispatch_buffered" },
	{ "scx_bpf_dispatch_vtime",	"t0000", KF_ENQUEUE | KF_DISPATCH,
	  .direct = "scx_bpf_dispatch_vtime_direct",
	  .buffered = "scx_bpf_dispatch_vtime_buffered" },
	{ "scx_bpf_dispatch_nr_slots",	"",	KF_DISPATCH },
	{ "scx_bpf_dispatch_cancel",	"",	KF_DISPATCH },
	{ "scx_bpf_consume",		"0",	KF_DISPATCH },
	{ "scx_bpf_dispatch_from_dsq",	"it00",	KF_DISPATCH,
	  .if_unlocked = true, .types = IN_SYSCALL },
	{ "scx_bpf_dispatch_vtime_from_dsq", "it00", KF_DISPATCH,
	  .if_unlocked = true, .types = IN_SYSCALL },
	{ "scx_bpf_reenqueue_local",	"",	KF_CPU_RELEASE },
	{ "scx_bpf_task_cgroup",	"t",	KF_RQ_LOCKED,
	  .on_arg_tasks = true, .types = IN_SYSCALL | IN_TRACING,
	  .release = "bpf_cgroup_release" },
	{ "scx_bpf_dispatch_from_dsq_set_slice", "i0",
	  .any = true, .types = IN_SYSCALL },
	{ "scx_bpf_dispatch_from_dsq_set_vtime", "i0",
	  .any = true, .types = IN_SYSCALL },
	{ "scx_bpf_create_dsq",		"00",
	  .any = true, .types = IN_SYSCALL, .sleepable = true },
	{ "scx_bpf_kick_cpu",		"00",	ANY },
	{ "scx_bpf_dsq_nr_queued",	"0",	ANY },
	{ "scx_bpf_destroy_dsq",	"0",	ANY },
	{ "bpf_iter_scx_dsq_new",	"-",	ANY },
	{ "bpf_iter_scx_dsq_next",	"i",	ANY },
	{ "bpf_iter_scx_dsq_destroy",	"-",	ANY },
	{ "scx_bpf_exit_bstr",		"0faz",	ANY },
	{ "scx_bpf_error_bstr",		"faz",	ANY },
	{ "scx_bpf_dump_bstr",		"faz",	ANY },
	{ "scx_bpf_cpuperf_cap",	"0",	ANY },
	{ "scx_bpf_cpuperf_cur",	"0",	ANY },
	{ "scx_bpf_cpuperf_set",	"00",	ANY },
	{ "scx_bpf_nr_cpu_ids",		"",	ANY },
	{ "scx_bpf_get_possible_cpumask", "",	ANY, .release = "scx_bpf_put_cpumask" },
	{ "scx_bpf_get_online_cpumask",	"",	ANY, .release = "scx_bpf_put_cpumask" },
	{ "scx_bpf_put_cpumask",	"M",	ANY },
	{ "scx_bpf_get_idle_cpumask",	"",	ANY, .release = "scx_bpf_put_idle_cpumask" },
	{ "scx_bpf_get_idle_smtmask",	"",	ANY, .release = "scx_bpf_put_idle_cpumask" },
	{ "scx_bpf_put_idle_cpumask",	"I",	ANY },
	{ "scx_bpf_test_and_clear_cpu_idle", "0", ANY },
	{ "scx_bpf_pick_idle_cpu",	"m0",	ANY },
	{ "scx_bpf_pick_any_cpu",	"m0",	ANY },
	{ "scx_bpf_task_running",	"t",	ANY },
	{ "scx_bpf_task_cpu",		"t",	ANY },
	{ "scx_bpf_cpu_rq",		"0",	ANY },

	/* what the dispatch kfuncs become is not for programs to call */
	{ "scx_bpf_dispatch_direct",	"t000",	.types = IN_NONE },
	{ "scx_bpf_dispatch_buffered",	"t000",	.types = IN_NONE },
	{ "scx_bpf_dispatch_vtime_direct", "t0000", .types = IN_NONE },
	{ "scx_bpf_dispatch_vtime_buffered", "t0000", .types = IN_NONE },
};

static inline bool is_allowed(const struct kfunc *k, const struct member *m)
{
	if (k->any)
		return true;
	if (k->if_unlocked && !m->mask)
		return true;
	if (k->on_arg_tasks && !m->task)
		return false;
	return k->allowed & m->mask;
}

/* The function that a call of the kfunc is, NULL if it is refused */
static inline const char *bound_to(const struct kfunc *k, const struct member *m)
{
	if (!is_allowed(k, m))
		return NULL;
	if (k->direct && m->mask & KF_ENQUEUE)
		return k->direct;
	if (k->buffered && m->mask & KF_DISPATCH)
		return k->buffered;
	return k->name;
}

#endif /* __KFUNC_MATRIX_H__ */
