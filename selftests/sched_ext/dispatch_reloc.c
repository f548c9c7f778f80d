// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>
#include <sched.h>
#include <scx/common.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dispatch_reloc.h"
#include "dispatch_reloc.bpf.skel.h"
#include "scx_test.h"
#include "util.h"

#ifndef SCHED_EXT
#define SCHED_EXT		7
#endif

#define NUM_CHILDREN		8
#define ENOUGH			10
#define TIMEOUT_SECS		60

static const char * const from_names[NR_FROM] = {
	[FROM_SELECT_CPU]	= "select_cpu",
	[FROM_ENQUEUE]		= "enqueue",
	[FROM_DISPATCH]		= "dispatch",
};

static enum scx_test_status setup(void **ctx)
{
	struct dispatch_reloc *skel;

	/* Tasks that cannot move are not asked for a CPU. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "needs two CPUs\n");
		return SCX_TEST_SKIP;
	}

	skel = dispatch_reloc__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to open and load skel");
	*ctx = skel;

	return SCX_TEST_PASS;
}

/* What is the function that the programs call? Ask the kernel. */
static enum scx_test_status check_bound(struct dispatch_reloc *skel)
{
	enum {
		KFUNC,
		KFUNC_VTIME,
		DIRECT,
		DIRECT_VTIME,
		BUFFERED,
		BUFFERED_VTIME,
		NR_FUNCS,
	};
	struct kernel_func funcs[NR_FUNCS] = {
		[KFUNC].name		= "scx_bpf_dispatch",
		[KFUNC_VTIME].name	= "scx_bpf_dispatch_vtime",
		[DIRECT].name		= "scx_bpf_dispatch_direct",
		[DIRECT_VTIME].name	= "scx_bpf_dispatch_vtime_direct",
		[BUFFERED].name		= "scx_bpf_dispatch_buffered",
		[BUFFERED_VTIME].name	= "scx_bpf_dispatch_vtime_buffered",
	};
	const struct {
		struct bpf_program *prog;
		int first_func;
	} members[NR_FROM] = {
		[FROM_SELECT_CPU] = { skel->progs.dispatch_reloc_select_cpu, DIRECT },
		[FROM_ENQUEUE]	= { skel->progs.dispatch_reloc_enqueue, DIRECT },
		[FROM_DISPATCH]	= { skel->progs.dispatch_reloc_dispatch, BUFFERED },
	};
	int from, f, err;
	bool bound;

	err = find_kernel_funcs(funcs, NR_FUNCS);
	if (err == -EPERM) {
		fprintf(stderr, "The kernel hides its addresses, see kernel.kptr_restrict\n");
		return SCX_TEST_SKIP;
	}
	SCX_EQ(err, 0);
	for (f = 0; f < NR_FUNCS; f++)
		SCX_FAIL_IF(!funcs[f].addr, "No function %s in the kernel",
			    funcs[f].name);

	for (from = 0; from < NR_FROM; from++) {
		err = count_kernel_func_calls(bpf_program__fd(members[from].prog),
					      funcs, NR_FUNCS);
		SCX_FAIL_IF(err, "Failed to read the program of ops.%s: %d",
			    from_names[from], err);
		for (f = 0; f < NR_FUNCS; f++) {
			bound = f == members[from].first_func ||
				f == members[from].first_func + 1;
			if (funcs[f].nr_xlated || funcs[f].nr_jited > 0 || bound)
				printf("ops.%-10s calls %-31s %d translated, %d JITed\n",
				       from_names[from], funcs[f].name,
				       funcs[f].nr_xlated, funcs[f].nr_jited);
			if (funcs[f].nr_jited >= 0)
				SCX_EQ(funcs[f].nr_jited, funcs[f].nr_xlated);
			/* in the program itself and in the subprogram */
			if (bound)
				SCX_GE(funcs[f].nr_xlated, 2);
			else
				SCX_EQ(funcs[f].nr_xlated, 0);
		}
	}
	return SCX_TEST_PASS;
}

static void child(void)
{
	struct sched_param param = {};
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_EXT, &param))
		_exit(1);
	for (;;) {
		for (i = 0; i < 10000; i++)
			asm volatile ("");
		usleep(500);
	}
}

static bool enough_ran(struct dispatch_reloc *skel)
{
	struct dispatch_reloc_stat *stat;
	int from, by;

	for (from = 0; from < NR_FROM; from++) {
		for (by = 0; by < NR_BY; by++) {
			stat = &skel->bss->stats[from][by];
			if (__atomic_load_n(&stat->nr_ran, __ATOMIC_RELAXED) < ENOUGH)
				return false;
		}
	}
	return __atomic_load_n(&skel->bss->max_buffered, __ATOMIC_RELAXED) > 1;
}

static enum scx_test_status check_stats(struct dispatch_reloc *skel)
{
	struct dispatch_reloc_stat *stat;
	int from, by;

	for (from = 0; from < NR_FROM; from++) {
		for (by = 0; by < NR_BY; by++) {
			stat = &skel->bss->stats[from][by];
			printf("ops.%-10s %-5s %-13s: %6llu dispatched, %6llu ran, %llu wrong\n",
			       from_names[from], by & BY_VTIME ? "vtime" : "FIFO",
			       by & BY_SUBPROG ? "in subprogram" : "directly",
			       stat->nr_dispatched, stat->nr_ran, stat->nr_wrong);
			SCX_GE(stat->nr_ran, ENOUGH);
			SCX_LE(stat->nr_ran, stat->nr_dispatched);
			SCX_EQ(stat->nr_wrong, 0);
		}
	}
	printf("ops.dispatch() dispatched up to %lu tasks at once\n",
	       skel->bss->max_buffered);
	SCX_GT(skel->bss->max_buffered, 1);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct dispatch_reloc *skel = ctx;
	pid_t pids[NUM_CHILDREN];
	enum scx_test_status status;
	struct bpf_link *link;
	int i, wstatus;
	bool failed = false;

	status = check_bound(skel);
	if (status != SCX_TEST_PASS)
		return status;

	link = bpf_map__attach_struct_ops(skel->maps.dispatch_reloc_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	for (i = 0; i < NUM_CHILDREN; i++) {
		pids[i] = fork();
		if (!pids[i])
			child();
	}

	for (i = 0; i < TIMEOUT_SECS * 10; i++) {
		if (enough_ran(skel) ||
		    UEI_EXITED(skel, uei) != EXIT_KIND(SCX_EXIT_NONE))
			break;
		usleep(100000);
	}

	/* they are not to end on their own */
	for (i = 0; i < NUM_CHILDREN; i++) {
		if (pids[i] < 0) {
			failed = true;
			continue;
		}
		kill(pids[i], SIGKILL);
		if (waitpid(pids[i], &wstatus, 0) != pids[i] ||
		    !WIFSIGNALED(wstatus))
			failed = true;
	}
	bpf_link__destroy(link);

	SCX_FAIL_IF(failed, "A child failed");
	SCX_FAIL_IF(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_UNREG),
		    "The scheduler exited: %s (%s)", skel->data->uei.reason,
		    skel->data->uei.msg);
	return check_stats(skel);
}

static void cleanup(void *ctx)
{
	struct dispatch_reloc *skel = ctx;

	dispatch_reloc__destroy(skel);
}

struct scx_test dispatch_reloc = {
	.name = "dispatch_reloc",
	.description = "Verify what scx_bpf_dispatch[_vtime]() calls are bound to, and do",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};

REGISTER_SCX_TEST(&dispatch_reloc)
