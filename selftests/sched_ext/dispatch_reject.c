// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/kernel.h>
#include <scx/common.h>
#include "dispatch_reject.bpf.skel.h"
#include "dispatch_reject.h"
#include "scx_test.h"

static const char * const kfunc_names[NR_ALL_CALLS] = {
	[CALL_DISPATCH]		= "scx_bpf_dispatch",
	[CALL_DISPATCH_VTIME]	= "scx_bpf_dispatch_vtime",
	[CALL_DIRECT]		= "scx_bpf_dispatch_direct",
	[CALL_BUFFERED]		= "scx_bpf_dispatch_buffered",
	[CALL_VTIME_DIRECT]	= "scx_bpf_dispatch_vtime_direct",
	[CALL_VTIME_BUFFERED]	= "scx_bpf_dispatch_vtime_buffered",
};

/* where the two kfuncs can be called */
static const char * const dispatch_members[] = {
	"select_cpu", "enqueue", "dispatch", NULL,
};

/* what can sleep */
static const char * const sleepable_members[] = {
	"init_task", "cgroup_init", "cgroup_exit", "cgroup_prep_move",
	"cpu_online", "cpu_offline", "init", "exit", NULL,
};

#define CANNOT	"cannot be called from "
#define ALLOWED	"; allowed in: select_cpu, enqueue, dispatch (insn "
#define MEMBER	CANNOT "sched_ext_ops."
#define ASYNC	CANNOT "an asynchronous callback of a sched_ext_ops program, "
#define REPLACES CANNOT "a program that replaces a function of a sched_ext_ops program"
#define TCP	CANNOT "a tcp_congestion_ops program; only those of sched_ext_ops may "

/* Calls that are not in the main program */
static const struct {
	const char *prog;
	const char *member;
	const char *error;	/* NULL if it loads */
} contexts[] = {
	{ "in_static",		"select_cpu",	NULL },
	{ "in_static",		"enqueue",	NULL },
	{ "in_static",		"dispatch",	NULL },
	{ "in_static",		"dequeue",	MEMBER "dequeue" },
	{ "in_global",		"select_cpu",	NULL },
	{ "in_global",		"enqueue",	NULL },
	{ "in_global",		"dispatch",	NULL },
	{ "in_global",		"dequeue",	MEMBER "dequeue" },
	{ "in_loop",		"select_cpu",	NULL },
	{ "in_loop",		"enqueue",	NULL },
	{ "in_loop",		"dispatch",	NULL },
	{ "in_loop",		"dequeue",	MEMBER "dequeue" },
	{ "beside_timer",	"enqueue",	NULL },
	{ "in_timer",		"enqueue",	ASYNC "timer_cb()" },
	{ "in_timer",		"dispatch",	ASYNC "timer_cb()" },
	{ "in_timer",		"init",		ASYNC "timer_cb()" },
	{ "in_timer_static",	"enqueue",
	  ASYNC "static_subprog() called by timer_static_cb()" },
	{ "in_timer_global",	"enqueue",
	  ASYNC "global_subprog() called by timer_global_cb()" },
	{ "in_timer_caller",	"enqueue",
	  ASYNC "static_subprog() called by global_caller() called by timer_caller_cb()" },
	{ "in_timer_loop",	"enqueue",
	  ASYNC "loop_cb() called by timer_loop_cb()" },
	{ "in_timer_too",	"enqueue",
	  ASYNC "static_subprog() called by timer_static_cb()" },
	{ "in_wq",		"enqueue",	ASYNC "wq_cb()" },
	{ "in_wq",		"dispatch",	ASYNC "wq_cb()" },
	{ "in_wq",		"init",		ASYNC "wq_cb()" },
	{ "in_wq_static",	"enqueue",
	  ASYNC "static_subprog() called by wq_static_cb()" },
	{ "in_wq_global",	"enqueue",
	  ASYNC "global_subprog() called by wq_global_cb()" },
};

#define NOT_ALLOWED	"calling kernel function %s is not allowed\n"

static char kernel_log[64 * 1024];
static int nr_loads, nr_failed;

static bool contains(const char * const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static bool is_op(const struct btf *btf, const struct btf_member *m)
{
	const struct btf_type *t = btf__type_by_id(btf, m->type);

	return btf_is_ptr(t) && btf_is_func_proto(btf__type_by_id(btf, t->type));
}

static const struct btf_type *sched_ext_ops_type(const struct btf *btf)
{
	return btf__type_by_id(btf, btf__find_by_name_kind(btf, "sched_ext_ops",
							   BTF_KIND_STRUCT));
}

/* An object with one program to load, which makes one of the calls */
static struct dispatch_reject *open_prog(const char *name, int kfunc,
					 struct bpf_program **prog)
{
	struct dispatch_reject *skel;

	snprintf(kernel_log, sizeof(kernel_log), "(not loaded)");
	skel = dispatch_reject__open();
	*prog = skel ? bpf_object__find_program_by_name(skel->obj, name) : NULL;
	if (!*prog) {
		dispatch_reject__destroy(skel);
		return NULL;
	}
	*(int *)&skel->rodata->kfunc = kfunc;
	bpf_program__set_autoload(*prog, true);
	bpf_program__set_log_buf(*prog, kernel_log, sizeof(kernel_log));
	return skel;
}

/* Make the program the one of a member. */
static int set_op(struct dispatch_reject *skel, const char *member,
		  struct bpf_program *prog)
{
	const struct btf *btf = bpf_object__btf(skel->obj);
	const struct btf_type *t = sched_ext_ops_type(btf);
	const struct btf_member *m = btf_members(t);
	void *ops;
	int i;

	ops = bpf_map__initial_value(skel->maps.dispatch_reject_ops, NULL);
	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(btf, m->name_off), member))
			continue;
		*(struct bpf_program **)(ops + m->offset / 8) = prog;
		return 0;
	}
	return -ENOENT;
}

static struct dispatch_reject *load_op(const char *name, const char *member,
				       int kfunc, int *err)
{
	struct dispatch_reject *skel;
	struct bpf_program *prog;

	skel = open_prog(name, kfunc, &prog);
	*err = skel ? set_op(skel, member, prog) : -ENOENT;
	if (!*err)
		*err = dispatch_reject__load(skel);
	return skel;
}

/* Report one attempt. @error has a "%s" for the kfunc, or is NULL if it is to load. */
static void report(const char *what, int kfunc, int err, const char *error)
{
	const char *name = kfunc_names[kfunc] ?: "no call";
	char expected[256] = "";
	char *line;
	bool ok;

	if (error)
		snprintf(expected, sizeof(expected), error, name);
	ok = error ? err && strstr(kernel_log, expected) : !err;
	nr_loads++;
	nr_failed += !ok;

	printf("%-6s %-36s %-31s: ", ok ? "ok" : "NOT OK", what, name);
	if (!err) {
		printf("loads\n");
	} else {
		/* the line that says why, or else all that there is */
		line = strstr(kernel_log, expected);
		if (ok)
			line[strcspn(line, "\n")] = '\0';
		printf("%d, %s\n", err, ok ? line : kernel_log);
	}
	if (!ok && error)
		printf("       expected: %s\n", expected);
}

static void try_op(const char *prog, const char *member, int kfunc,
		   const char *error)
{
	struct dispatch_reject *skel;
	char what[64];
	int err;

	skel = load_op(prog, member, kfunc, &err);
	snprintf(what, sizeof(what), "%s, %s", member, prog);
	report(what, kfunc, err, error);
	dispatch_reject__destroy(skel);
}

/* Every member of the running kernel's struct: one that it gains is tried, too. */
static void try_members(void)
{
	const struct btf_member *m;
	const struct btf_type *t;
	struct btf *btf;
	const char *name, *error;
	char buf[128];
	int i, kfunc;

	btf = btf__load_vmlinux_btf();
	if (!btf) {
		nr_failed++;
		return;
	}
	t = sched_ext_ops_type(btf);
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (!is_op(btf, m))
			continue;
		name = btf__name_by_offset(btf, m->name_off);
		snprintf(buf, sizeof(buf), "%%s() " MEMBER "%s" ALLOWED, name);

		for (kfunc = 0; kfunc < NR_CALLS; kfunc++) {
			error = buf;
			if (kfunc == CALL_NOTHING || contains(dispatch_members, name))
				error = NULL;
			try_op("main_prog", name, kfunc, error);
			if (contains(sleepable_members, name))
				try_op("sleepable_prog", name, kfunc, error);
		}
	}
	btf__free(btf);
}

static void try_contexts(void)
{
	char buf[256];
	int i, kfunc;

	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (contexts[i].error)
			snprintf(buf, sizeof(buf), "%%s() %s" ALLOWED,
				 contexts[i].error);
		for (kfunc = 0; kfunc < NR_CALLS; kfunc++)
			try_op(contexts[i].prog, contexts[i].member, kfunc,
			       kfunc && contexts[i].error ? buf : NULL);
	}
}

/* An implementation is not callable, not even where it is what a call becomes. */
static void try_by_name(void)
{
	int i, kfunc;

	for (i = 0; dispatch_members[i]; i++) {
		try_op("by_name", dispatch_members[i], CALL_NOTHING, NULL);
		for (kfunc = CALL_DIRECT; kfunc < NR_ALL_CALLS; kfunc++)
			try_op("by_name", dispatch_members[i], kfunc, NOT_ALLOWED);
	}
}

/* The function of a program that could call itself what it likes */
static void try_freplace(const char *name)
{
	struct dispatch_reject *target, *skel;
	int target_fd, kfunc, err;
	struct bpf_program *prog;

	target = load_op("replace_target", "enqueue", CALL_NOTHING, &err);
	if (err) {
		report("enqueue, replace_target", CALL_NOTHING, err, NULL);
		goto out;
	}
	target_fd = bpf_program__fd(target->progs.replace_target);

	for (kfunc = 0; kfunc < NR_CALLS; kfunc++) {
		skel = open_prog(name, kfunc, &prog);
		err = skel ? bpf_program__set_attach_target(prog, target_fd, "replaced") : -ENOENT;
		if (!err)
			err = dispatch_reject__load(skel);
		report(name, kfunc, err, kfunc ? "%s() " REPLACES ALLOWED : NULL);
		dispatch_reject__destroy(skel);
	}
out:
	dispatch_reject__destroy(target);
}

static void try_tcp(void)
{
	struct dispatch_reject *skel;
	struct bpf_program *prog;
	int kfunc, err;

	for (kfunc = 0; kfunc < NR_CALLS; kfunc++) {
		err = -ENOENT;
		skel = open_prog("tcp_ssthresh", kfunc, &prog);
		if (skel) {
			bpf_map__set_autocreate(skel->maps.dispatch_reject_tcp_ops, true);
			skel->struct_ops.dispatch_reject_tcp_ops->ssthresh = prog;
			err = dispatch_reject__load(skel);
		}
		report("tcp_congestion_ops.ssthresh", kfunc, err,
		       kfunc ? "%s() " TCP : NULL);
		dispatch_reject__destroy(skel);
	}
}

static enum scx_test_status run(void *ctx)
{
	libbpf_print_fn_t print_fn;

	nr_loads = 0;
	nr_failed = 0;

	/* most of it is not to load, and says why in its own log */
	print_fn = libbpf_set_print(NULL);
	try_members();
	try_contexts();
	try_by_name();
	try_freplace("replacement");
	try_freplace("replacement_static");
	try_tcp();
	libbpf_set_print(print_fn);

	printf("%d of %d as expected\n", nr_loads - nr_failed, nr_loads);
	SCX_EQ(nr_failed, 0);
	return SCX_TEST_PASS;
}

struct scx_test dispatch_reject = {
	.name = "dispatch_reject",
	.description = "Verify that misplaced scx_bpf_dispatch[_vtime]() calls do not load",
	.run = run,
};

REGISTER_SCX_TEST(&dispatch_reject)
