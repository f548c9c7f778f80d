// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>
#include <linux/kernel.h>
#include <scx/common.h>
#include <unistd.h>
#include "kfunc_async.bpf.skel.h"
#include "scx_test.h"
#include "util.h"

#define OFFSET(member)								\
	offsetof(typeof(*((struct kfunc_async *)0)->struct_ops.kfunc_async_ops), member)
#define ASYNC		"() cannot be called from an asynchronous callback of a sched_ext_ops program, "

static const struct {
	const char *prog;
	size_t off;		/* of the op */
	const char *kfunc;
	const char *error;
} tests[] = {
	{ "insert", OFFSET(enqueue), "scx_bpf_dsq_insert___v2", ASYNC "insert_cb()" },
	{ "move_to_local", OFFSET(dispatch), "scx_bpf_dsq_move_to_local___v2",
	  ASYNC "move_to_local_cb()" },
	{ "sub_dispatch", OFFSET(dispatch), "scx_bpf_sub_dispatch", ASYNC "sub_dispatch_cb()" },
	{ "reenqueue_local", OFFSET(cpu_release), "scx_bpf_reenqueue_local",
	  ASYNC "reenqueue_local_cb()" },
	{ "nr_slots", OFFSET(dispatch), "scx_bpf_dispatch_nr_slots", ASYNC "nr_slots_cb()" },
	{ "cancel", OFFSET(dispatch), "scx_bpf_dispatch_cancel", ASYNC "cancel_cb()" },
};

static char kernel_log[64 * 1024];

static struct kfunc_async *open_prog(const char *name, struct bpf_program **prog)
{
	struct kfunc_async *skel = kfunc_async__open();

	if (!skel)
		return NULL;
	SCX_ENUM_INIT(skel);
	*prog = bpf_object__find_program_by_name(skel->obj, name);
	bpf_program__set_autoload(*prog, true);
	kernel_log[0] = '\0';
	bpf_program__set_log_buf(*prog, kernel_log, sizeof(kernel_log));
	bpf_map__set_autocreate(skel->maps.kfunc_async_ops, false);
	bpf_map__set_autocreate(skel->maps.kfunc_async_cid_ops, false);
	return skel;
}

static bool is_refused(int err, const char *kfunc, const char *error)
{
	const char *line = strstr(kernel_log, error);
	size_t len = strlen(kfunc);

	if (err == -EACCES && line && line - kernel_log >= len &&
	    !strncmp(line - len, kfunc, len))
		return true;
	fprintf(stderr, "%d, expected %s%s\n%s\n", err, kfunc, error, kernel_log);
	return false;
}

static enum scx_test_status run_callbacks(void)
{
	struct bpf_program *prog;
	struct kfunc_async *skel;
	bool refused;
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!__COMPAT_has_ksym(tests[i].kfunc))
			continue;
		skel = open_prog(tests[i].prog, &prog);
		SCX_FAIL_IF(!skel, "Failed to open skel");
		bpf_map__set_autocreate(skel->maps.kfunc_async_ops, true);
		*(struct bpf_program **)((void *)skel->struct_ops.kfunc_async_ops +
					 tests[i].off) = prog;
		refused = is_refused(kfunc_async__load(skel), tests[i].kfunc, tests[i].error);
		kfunc_async__destroy(skel);
		SCX_ASSERT(refused);
	}
	return SCX_TEST_PASS;
}

/* Load the replacement of a function of a scheduler of one of the forms. */
static int load_replacement(bool cid)
{
	struct kfunc_async *target, *skel;
	struct bpf_program *prog;
	int err, fd;

	target = open_prog("replace_target", &prog);
	if (!target)
		return -ENOMEM;
	if (cid) {
		bpf_map__set_autocreate(target->maps.kfunc_async_cid_ops, true);
		target->struct_ops.kfunc_async_cid_ops->enqueue = prog;
	} else {
		bpf_map__set_autocreate(target->maps.kfunc_async_ops, true);
		target->struct_ops.kfunc_async_ops->enqueue = prog;
	}
	err = kfunc_async__load(target);
	if (err) {
		fprintf(stderr, "Failed to load the target: %d\n%s\n", err, kernel_log);
		goto out;
	}
	skel = open_prog("replacement", &prog);
	err = -ENOMEM;
	if (skel) {
		fd = bpf_program__fd(target->progs.replace_target);
		err = bpf_program__set_attach_target(prog, fd, "replaced") ?:
		      kfunc_async__load(skel);
		kfunc_async__destroy(skel);
	}
out:
	kfunc_async__destroy(target);
	return err;
}

static enum scx_test_status run_guard(void)
{
	struct kfunc_async *skel;
	struct bpf_program *prog;
	struct bpf_link *link;
	int i, fd;

	skel = open_prog("guard", &prog);
	SCX_FAIL_IF(!skel, "Failed to open skel");
	bpf_map__set_autocreate(skel->maps.kfunc_async_ops, true);
	skel->struct_ops.kfunc_async_ops->enqueue = prog;
	skel->struct_ops.kfunc_async_ops->exit = skel->progs.guard_exit;
	bpf_program__set_autoload(skel->progs.guard_exit, true);
	SCX_FAIL_IF(kfunc_async__load(skel), "Failed to load skel:\n%s", kernel_log);

	fd = bpf_program__fd(prog);
	SCX_EQ(count_kfunc_calls(fd, "scx_bpf_dsq_insert_direct"), 1);
	SCX_EQ(count_kfunc_calls(fd, "scx_bpf_dsq_insert___v2"), 0);

	link = bpf_map__attach_struct_ops(skel->maps.kfunc_async_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	for (i = 0; i < 1000 && (!skel->bss->nr_late || !skel->bss->nr_inserted); i++)
		usleep(10000);
	bpf_link__destroy(link);

	SCX_FAIL_IF(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_UNREG),
		    "The scheduler exited: %s (%s)", skel->data->uei.reason,
		    skel->data->uei.msg);
	SCX_GT(skel->bss->nr_late, 0);
	SCX_GT(skel->bss->nr_inserted, 0);
	kfunc_async__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	libbpf_print_fn_t print_fn;
	enum scx_test_status status;
	int err, cid_err;

	/* what is not to load says why in its own log */
	print_fn = libbpf_set_print(NULL);
	status = run_callbacks();
	err = load_replacement(false);
	cid_err = load_replacement(true);
	libbpf_set_print(print_fn);
	if (status != SCX_TEST_PASS)
		return status;
	SCX_EQ(err, 0);
	SCX_ASSERT(is_refused(cid_err, "scx_bpf_kick_cpu",
			      "() cannot be called from sched_ext_ops_cid.enqueue"));

	return run_guard();
}

struct scx_test kfunc_async = {
	.name = "kfunc_async",
	.description = "Verify that callbacks and replacements do not call what they must not",
	.run = run,
};

REGISTER_SCX_TEST(&kfunc_async)
