// SPDX-License-Identifier: GPL-2.0
#include <test_progs.h>
#include "freplace_args.skel.h"
#include "freplace_args_ext.skel.h"

static const struct {
	const char *prog;
	const char *func;
	const char *msg;	/* NULL: loads */
} tests[] = {
	{ "mem_same", "takes_mem" },
	{ "mem_or_null", "takes_nonnull" },
	{ "task_or_null", "takes_trusted" },
	{ "ctx_tag", "takes_ctx" },
	{ "mem_nonnull", "takes_mem",
	  "arg0 in mem_nonnull() and in takes_mem() have different tags" },
	{ "task_trusted", "takes_task",
	  "arg0 in task_trusted() and in takes_task() have different tags" },
	{ "task_not_null", "takes_task_or_null",
	  "arg0 in task_not_null() and in takes_task_or_null() have different tags" },
	{ "buf_larger", "takes_buf",
	  "arg0 struct buf has size 512 in buf_larger() and 8 in takes_buf()" },
};

static void load_ext(int i, int target_fd)
{
	struct freplace_args_ext *skel;
	struct bpf_program *prog;
	char log[4096] = {};
	int err;

	skel = freplace_args_ext__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	prog = bpf_object__find_program_by_name(skel->obj, tests[i].prog);
	if (!ASSERT_OK_PTR(prog, "find_program"))
		goto out;
	bpf_program__set_autoload(prog, true);
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 1);
	err = bpf_program__set_attach_target(prog, target_fd, tests[i].func);
	if (!ASSERT_OK(err, "set_attach_target"))
		goto out;

	err = freplace_args_ext__load(skel);
	if (tests[i].msg) {
		ASSERT_ERR(err, "load");
		ASSERT_HAS_SUBSTR(log, tests[i].msg, "log");
	} else {
		ASSERT_OK(err, "load");
	}
out:
	freplace_args_ext__destroy(skel);
}

void test_freplace_args(void)
{
	struct freplace_args *target;
	int i;

	target = freplace_args__open_and_load();
	if (!ASSERT_OK_PTR(target, "target"))
		return;
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (test__start_subtest(tests[i].prog))
			load_ext(i, bpf_program__fd(target->progs.target));
	}
	freplace_args__destroy(target);
}
