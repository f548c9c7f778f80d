// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>
#include <scx/common.h>
#include <unistd.h>
#include "kfunc_trace.bpf.skel.h"
#include "kfunc_trace.h"
#include "scx_test.h"

#define ENOUGH		10
#define TIMEOUT_SECS	60

static bool enough_calls(struct kfunc_trace *skel)
{
	int from, order;

	for (from = 0; from < NR_FROM; from++)
		for (order = 0; order < NR_ORDERS; order++)
			if (skel->bss->calls[from][order] < ENOUGH)
				return false;
	return true;
}

static enum scx_test_status check_hits(struct kfunc_trace *skel, enum call_order order)
{
	static const char * const probes[] = {
		[KPROBE] = "kprobe", [FENTRY] = "fentry", [FEXIT] = "fexit",
	};
	u64 nr, total = 0;
	int i;

	for (i = 0; i < NR_FROM; i++) {
		nr = skel->bss->calls[i][order];
		SCX_GE(nr, ENOUGH);
		total += nr;
	}
	for (i = 0; i < NR_PROBES; i++) {
		printf("%s, %s: %llu hits of %llu calls, %llu with wrong arguments\n",
		       order == VTIME ? "vtime" : "FIFO", probes[i],
		       (unsigned long long)skel->bss->hits[i][order],
		       (unsigned long long)total,
		       (unsigned long long)skel->bss->wrong[i][order]);
		SCX_EQ(skel->bss->hits[i][order], total);
		SCX_EQ(skel->bss->wrong[i][order], 0);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	struct kfunc_trace *skel;

	/* tasks that cannot move are not asked for a CPU */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "needs two CPUs\n");
		return SCX_TEST_SKIP;
	}
	skel = kfunc_trace__open();
	SCX_FAIL_IF(!skel, "Failed to open skel");
	SCX_ENUM_INIT(skel);
	SCX_FAIL_IF(kfunc_trace__load(skel), "Failed to load skel");
	*ctx = skel;

	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct kfunc_trace *skel = ctx;
	struct bpf_link *link;
	int i;

	/* the probes first: they are to see every call */
	bpf_map__set_autoattach(skel->maps.kfunc_trace_ops, false);
	SCX_FAIL_IF(kfunc_trace__attach(skel), "Failed to attach probes");
	link = bpf_map__attach_struct_ops(skel->maps.kfunc_trace_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	/* each sleep is a wake-up */
	for (i = 0; i < TIMEOUT_SECS * 1000; i++) {
		if (enough_calls(skel) || UEI_EXITED(skel, uei))
			break;
		usleep(1000);
	}
	bpf_link__destroy(link);

	SCX_FAIL_IF(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_UNREG),
		    "The scheduler exited: %s (%s)", skel->data->uei.reason,
		    skel->data->uei.msg);
	if (check_hits(skel, FIFO) != SCX_TEST_PASS)
		return SCX_TEST_FAIL;
	return check_hits(skel, VTIME);
}

static void cleanup(void *ctx)
{
	kfunc_trace__destroy(ctx);
}

struct scx_test kfunc_trace = {
	.name = "kfunc_trace",
	.description = "Verify that probes on kfuncs see the calls that are bound",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};

REGISTER_SCX_TEST(&kfunc_trace)
