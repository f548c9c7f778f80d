// SPDX-License-Identifier: GPL-2.0
/*
 * Runs scx_poly.bpf.c and prints what its calls of one kfunc became.
 */
#include <stdio.h>
#include <unistd.h>
#include <signal.h>
#include <libgen.h>
#include <bpf/bpf.h>
#include <linux/kernel.h>
#include <scx/common.h>
#include "scx_poly.bpf.skel.h"

const char help_fmt[] =
"A sched_ext scheduler that calls one kfunc from three operations.\n"
"\n"
"See the top-level comment in .bpf.c for more details.\n"
"\n"
"Usage: %s [-r] [-v]\n"
"\n"
"  -r            Call it from ops.running() as well, to see that refused\n"
"  -v            Print libbpf debug messages\n"
"  -h            Display this help and exit\n";

/* In the order of the counters */
static const char * const ops[] = { "select_cpu", "enqueue", "dispatch" };

static bool verbose;
static volatile int exit_req;

static int libbpf_print_fn(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG && !verbose)
		return 0;
	return vfprintf(stderr, format, args);
}

static void sigint_handler(int poly)
{
	exit_req = 1;
}

int main(int argc, char **argv)
{
	struct scx_poly *skel;
	struct bpf_link *link;
	int opt, i;
	__u64 ecode;

	libbpf_set_print(libbpf_print_fn);
	signal(SIGINT, sigint_handler);
	signal(SIGTERM, sigint_handler);
restart:
	skel = SCX_OPS_OPEN(poly_ops, scx_poly);

	while ((opt = getopt(argc, argv, "rvh")) != -1) {
		switch (opt) {
		case 'r':
			skel->rodata->call_in_running = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			fprintf(stderr, help_fmt, basename(argv[0]));
			return opt != 'h';
		}
	}

	SCX_OPS_LOAD(skel, poly_ops, scx_poly, uei);
	link = SCX_OPS_ATTACH(skel, poly_ops, scx_poly);

	while (!exit_req && !UEI_EXITED(skel, uei)) {
		printf("%-18s %13s %13s %13s\n", "scx_bpf_dispatch()",
		       "in the task", "in the buffer", "in neither");
		for (i = 0; i < ARRAY_SIZE(ops); i++)
			printf("  from %-11s %13llu %13llu %13llu\n", ops[i],
			       (unsigned long long)skel->bss->nr_in_task[i],
			       (unsigned long long)skel->bss->nr_in_buffer[i],
			       (unsigned long long)skel->bss->nr_in_neither[i]);
		fflush(stdout);
		sleep(1);
	}

	bpf_link__destroy(link);
	ecode = UEI_REPORT(skel, uei);
	scx_poly__destroy(skel);

	if (UEI_ECODE_RESTART(ecode)) {
		optind = 1;
		goto restart;
	}
	return 0;
}
