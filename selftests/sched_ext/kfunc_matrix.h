/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From where the kfuncs of sched_ext can be called. This is written down from
 * what Linux 7.3 decided for a program as a whole, in scx_kf_allow_flags[] and
 * the kfunc sets. Asynchronous callbacks have what can be called with no rq
 * locked, whichever op arms them.
 */
#ifndef __KFUNC_MATRIX_H__
#define __KFUNC_MATRIX_H__

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>

enum site {
	MAIN,
	TIMER,
	WQ,
	TASK_WORK,
	NR_SITES,
};

#define WQ_SET_CALLBACK	"bpf_wq_set_callback"

enum { CPU_FORM, CID_FORM, NR_OPS };

static const char * const ops_names[NR_OPS] = { "sched_ext_ops", "sched_ext_ops_cid" };

/* scx_kf_allow_flags */
enum {
	UNLOCKED	= 1 << 0,
	INIT_CIDS	= 1 << 1,
	CPU_RELEASE	= 1 << 2,
	DISPATCH	= 1 << 3,
	ENQUEUE		= 1 << 4,
	SELECT_CPU	= 1 << 5,
};

#define BOTH(name)	{ name, name }	/* the same in both forms */

static const struct member {
	const char *names[NR_OPS];
	int flags;
	bool sleepable;		/* see bpf_scx_check_member() */
	bool tried_async;	/* by default, with callbacks */
} members[] = {
	{ { "select_cpu", "select_cid" },	SELECT_CPU | ENQUEUE },
	{ BOTH("enqueue"),			SELECT_CPU | ENQUEUE, .tried_async = true },
	{ BOTH("dequeue") },
	{ BOTH("dispatch"),			ENQUEUE | DISPATCH, .tried_async = true },
	{ BOTH("tick") },
	{ BOTH("runnable") },
	{ BOTH("running") },
	{ BOTH("stopping") },
	{ BOTH("quiescent") },
	{ BOTH("yield") },
	{ BOTH("core_sched_before") },
	{ BOTH("set_weight") },
	{ { "set_cpumask", "set_cmask" } },
	{ BOTH("update_idle") },
	{ BOTH("init_task"),			UNLOCKED, .sleepable = true },
	{ BOTH("exit_task") },
	{ BOTH("enable") },
	{ BOTH("disable") },
	{ BOTH("dump"),				UNLOCKED },
	{ { "dump_cpu", "dump_cid" } },
	{ BOTH("dump_task") },
	{ { "cgroup_init", "cpuctl_init" },	UNLOCKED, .sleepable = true },
	{ { "cgroup_exit", "cpuctl_exit" },	UNLOCKED, .sleepable = true },
	{ { "cgroup_prep_move", "cpuctl_prep_move" }, UNLOCKED, .sleepable = true },
	{ { "cgroup_move", "cpuctl_move" } },
	{ { "cgroup_cancel_move", "cpuctl_cancel_move" }, UNLOCKED },
	{ { "cgroup_set_weight", "cpuctl_set_weight" }, UNLOCKED },
	{ { "cgroup_set_bandwidth", "cpuctl_set_bandwidth" }, UNLOCKED, .sleepable = true },
	{ { "cgroup_set_idle", "cpuctl_set_idle" }, UNLOCKED },
	{ BOTH("sub_attach"),			UNLOCKED, .sleepable = true },
	{ BOTH("sub_detach"),			UNLOCKED, .sleepable = true },
	{ BOTH("sub_caps_updated") },
	{ BOTH("sub_ecaps_updated"),		ENQUEUE | DISPATCH },
	{ { "cpu_online", "cid_online" },	UNLOCKED, .sleepable = true },
	{ { "cpu_offline", "cid_offline" },	UNLOCKED, .sleepable = true },
	{ BOTH("init_cids"),			UNLOCKED | INIT_CIDS, .sleepable = true,
						.tried_async = true },
	{ BOTH("init"),				UNLOCKED, .sleepable = true },
	{ BOTH("exit"),				UNLOCKED, .sleepable = true },
	{ { "cpu_acquire", NULL } },
	{ { "cpu_release", NULL },		CPU_RELEASE, .tried_async = true },
};

/*
 * @args has one letter for each argument:
 *	0 to 9	this number
 *	t	the current task
 *	m	its cpumask
 *	i	an iterator
 *	r	what @acquire returned
 *	d	zeroes on the stack
 */
static const struct kfunc {
	const char *name;
	const char *args;
	int groups;		/* an op must have one of these flags; any op if none */
	bool cpu_only;		/* not for sched_ext_ops_cid */
	bool sleepable;
	bool tried;		/* by default */
	const char *acquire;	/* called before it */
	const char *release;	/* called with what it returned */
	const char *direct;	/* what it is in ops.select_cpu() and ops.enqueue() ... */
	const char *buffered;	/* ... and in ops.dispatch() and ops.sub_ecaps_updated() */
} kfuncs[] = {
#define GROUPS(mask)	.groups = (mask), .tried = true
	{ "scx_bpf_dsq_insert",		"t000",	GROUPS(ENQUEUE) },
	{ "scx_bpf_dsq_insert___v2",	"t000",	GROUPS(ENQUEUE),
	  .direct = "scx_bpf_dsq_insert_direct",
	  .buffered = "scx_bpf_dsq_insert_buffered" },
	{ "__scx_bpf_dsq_insert_vtime",	"td",	GROUPS(ENQUEUE),
	  .direct = "__scx_bpf_dsq_insert_vtime_direct",
	  .buffered = "__scx_bpf_dsq_insert_vtime_buffered" },
	{ "scx_bpf_dsq_insert_vtime",	"t0000", GROUPS(ENQUEUE) },
	{ "scx_bpf_dispatch_nr_slots",	"",	GROUPS(DISPATCH) },
	{ "scx_bpf_dispatch_cancel",	"",	GROUPS(DISPATCH) },
	{ "scx_bpf_dsq_move_to_local",	"0",	GROUPS(DISPATCH) },
	{ "scx_bpf_dsq_move_to_local___v2", "00", GROUPS(DISPATCH) },
	{ "scx_bpf_sub_dispatch",	"0",	GROUPS(DISPATCH) },
	{ "scx_bpf_dsq_move_set_slice",	"i0",	GROUPS(DISPATCH | UNLOCKED) },
	{ "scx_bpf_dsq_move_set_vtime",	"i0",	GROUPS(DISPATCH | UNLOCKED) },
	{ "scx_bpf_dsq_move",		"it00",	GROUPS(DISPATCH | UNLOCKED) },
	{ "scx_bpf_dsq_move_vtime",	"it00",	GROUPS(DISPATCH | UNLOCKED) },
	{ "scx_bpf_reenqueue_local",	"",	GROUPS(CPU_RELEASE) },
	{ "scx_bpf_create_dsq",		"00",	GROUPS(UNLOCKED), .sleepable = true },
	{ "scx_bpf_cid_override",	"0000",	GROUPS(INIT_CIDS), .sleepable = true },
	{ "scx_bpf_select_cpu_dfl",	"t00d",	GROUPS(SELECT_CPU | UNLOCKED), .cpu_only = true },
	{ "scx_bpf_select_cpu_and",	"t00m0", GROUPS(SELECT_CPU | UNLOCKED), .cpu_only = true },
	{ "__scx_bpf_select_cpu_and",	"tmd",	GROUPS(SELECT_CPU | UNLOCKED), .cpu_only = true },

	{ "scx_bpf_kick_cpu",		"00",	.cpu_only = true, .tried = true },
	{ "scx_bpf_dsq_nr_queued",	"0",	.tried = true },
	{ "scx_bpf_cpu_to_cid",		"0",	.tried = true },

	{ "scx_bpf_kick_cid",		"00" },
	{ "scx_bpf_task_set_slice",	"t0" },
	{ "scx_bpf_task_set_dsq_vtime",	"t0" },
	{ "scx_bpf_destroy_dsq",	"0" },
	{ "scx_bpf_dsq_peek",		"0" },
	{ "scx_bpf_dsq_reenq",		"00" },
	{ "scx_bpf_reenqueue_local___v2", "" },
	{ "bpf_iter_scx_dsq_new",	"i" },
	{ "bpf_iter_scx_dsq_next",	"i" },
	{ "bpf_iter_scx_dsq_destroy",	"i" },
	{ "scx_bpf_exit_bstr",		"0dd8" },
	{ "scx_bpf_error_bstr",		"dd8" },
	{ "scx_bpf_dump_bstr",		"dd8" },
	{ "scx_bpf_cpuperf_cap",	"0",	.cpu_only = true },
	{ "scx_bpf_cpuperf_cur",	"0",	.cpu_only = true },
	{ "scx_bpf_cpuperf_set",	"00",	.cpu_only = true },
	{ "scx_bpf_cidperf_cap",	"0" },
	{ "scx_bpf_cidperf_cur",	"0" },
	{ "scx_bpf_cidperf_set",	"00" },
	{ "scx_bpf_nr_node_ids",	"" },
	{ "scx_bpf_nr_cpu_ids",		"" },
	{ "scx_bpf_nr_cids",		"" },
	{ "scx_bpf_nr_online_cids",	"" },
	{ "scx_bpf_online_cmask",	"" },
	{ "scx_bpf_this_cid",		"" },
	{ "scx_bpf_get_possible_cpumask", "",	.cpu_only = true,
	  .release = "scx_bpf_put_cpumask" },
	{ "scx_bpf_get_online_cpumask",	"",	.cpu_only = true,
	  .release = "scx_bpf_put_cpumask" },
	{ "scx_bpf_put_cpumask",	"r",	.cpu_only = true,
	  .acquire = "scx_bpf_get_online_cpumask" },
	{ "scx_bpf_task_running",	"t" },
	{ "scx_bpf_task_cpu",		"t",	.cpu_only = true },
	{ "scx_bpf_task_cid",		"t" },
	{ "scx_bpf_locked_rq",		"" },
	{ "scx_bpf_cpu_curr",		"0",	.cpu_only = true },
	{ "scx_bpf_cid_curr",		"0" },
	{ "scx_bpf_tid_to_task",	"0" },
	{ "scx_bpf_now",		"" },
	{ "scx_bpf_events",		"d8" },
	{ "scx_bpf_task_cgroup",	"t",	.release = "bpf_cgroup_release" },
	{ "scx_bpf_sub_grant",		"0000" },
	{ "scx_bpf_sub_revoke",		"000" },
	{ "scx_bpf_sub_caps",		"000" },
	{ "scx_bpf_sub_kill_bstr",	"0dd8" },
	{ "scx_bpf_cpu_node",		"0",	.cpu_only = true },
	{ "scx_bpf_get_idle_cpumask",	"",	.cpu_only = true,
	  .release = "scx_bpf_put_idle_cpumask" },
	{ "scx_bpf_get_idle_cpumask_node", "0",	.cpu_only = true,
	  .release = "scx_bpf_put_idle_cpumask" },
	{ "scx_bpf_get_idle_smtmask",	"",	.cpu_only = true,
	  .release = "scx_bpf_put_idle_cpumask" },
	{ "scx_bpf_get_idle_smtmask_node", "0",	.cpu_only = true,
	  .release = "scx_bpf_put_idle_cpumask" },
	{ "scx_bpf_put_idle_cpumask",	"r",	.cpu_only = true,
	  .acquire = "scx_bpf_get_idle_cpumask" },
	{ "scx_bpf_test_and_clear_cpu_idle", "0", .cpu_only = true },
	{ "scx_bpf_pick_idle_cpu",	"m0",	.cpu_only = true },
	{ "scx_bpf_pick_idle_cpu_node",	"m00",	.cpu_only = true },
	{ "scx_bpf_pick_any_cpu",	"m0",	.cpu_only = true },
	{ "scx_bpf_pick_any_cpu_node",	"m00",	.cpu_only = true },
	{ "scx_bpf_cid_to_cpu",		"0" },
	{ "scx_bpf_cid_topo",		"0d8" },
};

static inline bool may_sleep(const struct member *m, enum site site)
{
	return site == MAIN ? m->sleepable : site != TIMER;
}

/*
 * The function that a call is one of, NULL if it is refused. @m is NULL for an
 * asynchronous callback.
 */
static inline const char *bound_to(const struct kfunc *k, const struct member *m, int ops)
{
	int flags = m ? m->flags : UNLOCKED;

	if (ops == CID_FORM && k->cpu_only)
		return NULL;
	if (k->groups && !(k->groups & flags))
		return NULL;
	if (k->direct && flags & SELECT_CPU)
		return k->direct;
	if (k->buffered && flags & DISPATCH)
		return k->buffered;
	return k->name;
}

#endif /* __KFUNC_MATRIX_H__ */
