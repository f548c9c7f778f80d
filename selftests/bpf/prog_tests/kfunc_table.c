// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: struct_ops say in a table what a kfunc call becomes, see
 * bpf_struct_ops.kfunc_relocs and linux/kfunc_reloc.h. The tables are those of
 * bpf_testmod_table.c, about kfuncs of its own, of bpf_test_kfunc_table.c, about
 * kfuncs of vmlinux, and of sched_ext.
 */
#include "kfunc_reloc_helpers.h"
#include <sys/syscall.h>
#include "kfunc_table.skel.h"
#include "kfunc_table_ext.skel.h"
#include "kfunc_table_fail.skel.h"
#include "kfunc_table_scx.skel.h"
#include "kfunc_table_vmlinux.skel.h"

#define TABLE_MODULE	"bpf_test_kfunc_table"

#define OWN		"bpf_kfunc_table_own "
#define INSIDE		"bpf_kfunc_table_inside "
#define SHARED		"bpf_kfunc_table_shared "
#define SHARED_OUTSIDE	"bpf_kfunc_table_shared_outside "
#define UNNAMED		"bpf_kfunc_table_unnamed "
#define TO_FIRST	"bpf_kfunc_table_to_first "
#define TO_SECOND	"bpf_kfunc_table_to_second "
#define TO_OUTSIDE	"bpf_kfunc_table_to_outside "
#define TO_SAME		"bpf_kfunc_table_to_same "

/* What the programs of kfunc_table.c call, and what it comes to when they run: the
 * argument is 7 in a member, and 100 in a timer's callback.
 */
static const struct {
	const char *prog;
	const char *calls;
	int result;
} bound[] = {
	/* own */
	{ "first_own", TO_FIRST, 17 },
	{ "second_own", TO_SECOND, 27 },
	{ "third_own", OWN, 1007 },
	{ "first_inside", INSIDE, 2007 },
	{ "third_inside", TO_FIRST, 17 },
	{ "first_same", TO_SAME, 47 },
	{ "fourth_same", TO_SAME, 47 },
	/* shared */
	{ "second_shared", TO_SECOND, 27 },
	{ "third_shared", SHARED, 5007 },
	{ "fourth_shared", SHARED, 5007 },
	{ "first_shared_outside", SHARED_OUTSIDE, 6007 },
	/* not named */
	{ "first_unnamed", UNNAMED, 8007 },
	{ "fourth_unnamed", UNNAMED, 8007 },
	/* outside any member */
	{ "timer_own", TO_OUTSIDE, 130 },
	{ "timer_and_first_own", TO_FIRST TO_OUTSIDE, 130 },
	{ "timer_shared", SHARED, 5100 },
	{ "timer_unnamed", UNNAMED, 8100 },
	{ "timer_and_each_same", TO_SAME, 140 },
	/* dead code */
	{ "dead", "", 7 },
	/* a callback that falls back on its table */
	{ "first_fallback", TO_FIRST, 17 },
	{ "second_fallback", TO_SECOND, 27 },
	/* another struct_ops */
	{ "other_shared", SHARED, 5007 },
};

/* The same, by BPF_PROG_TEST_RUN */
static const struct {
	const char *prog;
	const char *calls;
	int retval;
	bool dummy;
} run[] = {
	{ "dummy_shared", SHARED, 5007, true },
	{ "dummy_unnamed", UNNAMED, 8007, true },
	{ "syscall_own", OWN, 1007 },
	{ "syscall_never", "bpf_kfunc_table_never ", 4007 },
	{ "syscall_shared", SHARED, 5007 },
};

/* Programs of kfunc_table_ext.c, with what replaces global_sub(): that has to be the
 * same in each member and outside.
 */
#define MSG_EXT(kfunc)								\
	"bpf_kfunc_table_" kfunc "() cannot be called from a program that "	\
	"replaces a function of a bpf_testmod_table_ops program"

static const struct {
	const char *prog;
	const char *calls;
	int result;
	const char *msg;
} ext[] = {
	{ "ext_same", TO_SAME, 47 },
	{ "ext_unnamed", UNNAMED, 8007 },
	{ "ext_own",
	  .msg = MSG_EXT("own") "; allowed in: outside any member, first, second, third (insn " },
	{ "ext_inside", .msg = MSG_EXT("inside") "; allowed in: first, third (insn " },
	{ "ext_never", .msg = MSG_EXT("never") "; allowed nowhere (insn " },
	{ "ext_shared", .msg = MSG_EXT("shared") " (insn " },
	{ "ext_shared_outside", .msg = MSG_EXT("shared_outside") " (insn " },
	{ "ext_fallback",
	  .msg = "only those of bpf_testmod_fallback_ops may (insn " },
};

/* Programs of kfunc_table_vmlinux.c */
#define ACQUIRE		"bpf_task_acquire "
#define FROM_PID	"bpf_task_from_pid "
#define TID		-2

#define MSG_ACQUIRE	\
	"bpf_task_acquire() cannot be called from bpf_test_kfunc_table_ops.first (insn "

static const struct {
	const char *prog;
	const char *calls;
	int result;	/* -1: the program is not run, TID: that of the test */
} vmlinux_bound[] = {
	/* of the struct_ops that has the rows */
	{ "acquire_second", ACQUIRE, 1 },
	{ "from_pid_first", FROM_PID, 1 },
	{ "from_pid_second", "bpf_test_kfunc_table_current ", TID },
	{ "own_first", "bpf_test_kfunc_table_own ", 1007 },
	/* of others */
	{ "acquire_plain", ACQUIRE, 1 },
	{ "from_pid_plain", FROM_PID, 1 },
	{ "acquire_st_ops", ACQUIRE, -1 },
	{ "acquire_dummy", FROM_PID ACQUIRE, -1 },
	{ "acquire_tcp", ACQUIRE, -1 },
	/* of other types */
	{ "acquire_tracing", ACQUIRE, -1 },
	{ "from_pid_tracing", FROM_PID, -1 },
	{ "acquire_syscall", ACQUIRE, -1 },
};

/* bad_tables of bpf_test_kfunc_table.c, and how the kernel puts what is wrong */
#define BAD_OPS	"struct_ops bpf_test_kfunc_bad_ops: "
#define BAD	"bpf_test_kfunc_table_bad"
#define BAD_OWN	"bpf_test_kfunc_table_own"

static const struct {
	const char *table;
	const char *msg;
} bad[] = {
	{ "unknown_kfunc", "(?, named, ?): its kfunc is unknown" },
	{ "kfunc_is_struct",
	  "(bpf_test_kfunc_bad_ops, named, ?): its kfunc is unknown" },
	{ "unknown_function", "(" BAD ", second, ?): its function is unknown" },
	{ "function_is_struct",
	  "(" BAD ", second, bpf_test_kfunc_bad_ops): its function is unknown" },
	{ "row_twice", "(" BAD ", first, ?): it is there twice" },
	{ "outside_twice", "(bpf_task_acquire, outside any member, ?): it is there twice" },
	{ "named_twice", "(" BAD ", named, ?): it is there twice" },
	{ "not_named", "(" BAD ", second, " BAD_OWN "): the table does not name its kfunc" },
	{ "no_member", "(" BAD ", ?, ?): there is no such member" },
	{ "far_member", "(" BAD ", ?, ?): there is no such member" },
	{ "data_member", "(" BAD ", ?, ?): there is no such member" },
	{ "within_member", "(" BAD ", ?, ?): there is no such member" },
	{ "name_of_kind_row", "(" BAD ", named, ?): its kind is unknown" },
	{ "row_of_kind_name", "(" BAD ", first, ?): its kind is unknown" },
	{ "unknown_kind", "(" BAD ", first, ?): its kind is unknown" },
	{ "own_vmlinux",
	  "(bpf_task_acquire, named, ?): a kfunc of vmlinux can only be shared" },
	{ "own_others",
	  "(" BAD_OWN ", named, ?): another struct_ops has its kfunc for its own" },
};

static char log_buf[65536];

static bool wanted(const char *name)
{
	return !strncmp(name, "bpf_kfunc_table_", strlen("bpf_kfunc_table_")) ||
	       !strncmp(name, "bpf_test_kfunc_table_", strlen("bpf_test_kfunc_table_")) ||
	       !strcmp(name, "bpf_task_acquire") || !strcmp(name, "bpf_task_from_pid");
}

static void test_run(struct kfunc_table *skel, const struct kfunc_calls *kc, int i)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	u64 args[1] = {};
	int fd;

	fd = find_prog_fd(skel->obj, run[i].prog);
	kfunc_calls_check(kc, fd, run[i].calls);
	if (run[i].dummy) {
		opts.ctx_in = args;
		opts.ctx_size_in = sizeof(args);
	}
	ASSERT_OK(bpf_prog_test_run_opts(fd, &opts), "test_run");
	ASSERT_EQ(opts.retval, run[i].retval, "retval");
}

static void test_ext(struct kfunc_table *skel, const struct kfunc_calls *kc, int i)
{
	struct kfunc_table_ext *ext_skel;
	struct bpf_program *prog;
	struct bpf_link *link;
	int err;

	ext_skel = kfunc_table_ext__open();
	if (!ASSERT_OK_PTR(ext_skel, "ext_open"))
		return;
	bpf_object__for_each_program(prog, ext_skel->obj) {
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), ext[i].prog));
		ASSERT_OK(bpf_program__set_attach_target(prog, find_prog_fd(skel->obj, "global"),
							 "global_sub"), "attach_target");
	}
	prog = bpf_object__find_program_by_name(ext_skel->obj, ext[i].prog);
	log_buf[0] = '\0';
	bpf_program__set_log_buf(prog, log_buf, sizeof(log_buf));
	bpf_program__set_log_level(prog, 1);
	err = kfunc_table_ext__load(ext_skel);
	if (ext[i].msg) {
		ASSERT_EQ(err, -EACCES, "ext_load");
		ASSERT_HAS_SUBSTR(log_buf, ext[i].msg, "log");
		goto out;
	}
	if (!ASSERT_OK(err, "ext_load"))
		goto out;
	kfunc_calls_check(kc, bpf_program__fd(prog), ext[i].calls);
	link = bpf_program__attach(prog);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	kfunc_calls_check_result(skel->obj, "global", &skel->bss->result, ext[i].result);
	bpf_link__destroy(link);
out:
	kfunc_table_ext__destroy(ext_skel);
}

static void test_loaded(const struct kfunc_calls *kc)
{
	struct kfunc_table *skel;
	int i;

	skel = kfunc_table__open_and_load();
	if (!ASSERT_OK_PTR(skel, "kfunc_table"))
		return;
	for (i = 0; i < ARRAY_SIZE(bound); i++) {
		if (!test__start_subtest(bound[i].prog))
			continue;
		kfunc_calls_check(kc, find_prog_fd(skel->obj, bound[i].prog), bound[i].calls);
		kfunc_calls_check_result(skel->obj, bound[i].prog, &skel->bss->result,
					 bound[i].result);
	}
	for (i = 0; i < ARRAY_SIZE(run); i++) {
		if (test__start_subtest(run[i].prog))
			test_run(skel, kc, i);
	}
	for (i = 0; i < ARRAY_SIZE(ext); i++) {
		if (test__start_subtest(ext[i].prog))
			test_ext(skel, kc, i);
	}
	kfunc_table__destroy(skel);
}

/* The error is that of the callback, or that of its table. */
static void test_fallback_errno(void)
{
	static const struct {
		const char *prog;
		int err;
	} errnos[] = {
		{ "fallback_sleepable", -EPERM },
		{ "fallback_timer", -EACCES },
	};
	struct kfunc_table_fail *skel;
	int i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++) {
		skel = kfunc_table_fail__open();
		if (!ASSERT_OK_PTR(skel, "open"))
			return;
		load_only(skel->obj, errnos[i].prog);
		ASSERT_EQ(kfunc_table_fail__load(skel), errnos[i].err, errnos[i].prog);
		kfunc_table_fail__destroy(skel);
	}
}

static void test_vmlinux_denied(void)
{
	struct kfunc_table_vmlinux *skel;

	skel = kfunc_table_vmlinux__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	load_only(skel->obj, "acquire_first");
	log_buf[0] = '\0';
	bpf_program__set_log_buf(skel->progs.acquire_first, log_buf, sizeof(log_buf));
	bpf_program__set_log_level(skel->progs.acquire_first, 1);
	ASSERT_EQ(kfunc_table_vmlinux__load(skel), -EACCES, "load");
	ASSERT_HAS_SUBSTR(log_buf, MSG_ACQUIRE, "log");
	kfunc_table_vmlinux__destroy(skel);
}

static void test_vmlinux_bound(const struct kfunc_calls *kc)
{
	struct kfunc_table_vmlinux *skel;
	const char *name;
	int i, result;

	skel = kfunc_table_vmlinux__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.acquire_first, false);
	bpf_map__set_autocreate(skel->maps.ops_acquire_first, false);
	if (!ASSERT_OK(kfunc_table_vmlinux__load(skel), "load"))
		goto out;
	for (i = 0; i < ARRAY_SIZE(vmlinux_bound); i++) {
		name = vmlinux_bound[i].prog;
		if (!test__start_subtest(name))
			continue;
		kfunc_calls_check(kc, find_prog_fd(skel->obj, name), vmlinux_bound[i].calls);
		result = vmlinux_bound[i].result;
		if (result == TID)
			result = syscall(SYS_gettid);
		if (result >= 0)
			kfunc_calls_check_result(skel->obj, name, &skel->bss->result, result);
	}
out:
	kfunc_table_vmlinux__destroy(skel);
}

/* A table about kfuncs that belong to vmlinux */
static void test_vmlinux(struct btf *vmlinux_btf)
{
	struct kfunc_calls kc;
	struct btf *btf;

	if (!ASSERT_OK(load_module_params(TABLE_MODULE ".ko", ""), "load_module"))
		return;
	btf = btf__load_module_btf("bpf_test_kfunc_table", vmlinux_btf);
	if (!ASSERT_OK_PTR(btf, "module_btf"))
		goto out;
	if (!kfunc_calls_open(&kc, btf, wanted)) {
		test_vmlinux_bound(&kc);
		if (test__start_subtest("acquire_first"))
			test_vmlinux_denied();
		kfunc_calls_close(&kc);
	}
	btf__free(btf);
out:
	unload_idle_module(TABLE_MODULE);
}

/* Look at what the kernel had to say of BAD_OPS since @fd was opened: how many lines,
 * and is this one among them?
 */
static int read_kmsg(int fd, const char *msg, bool *found)
{
	char record[2048];
	int n, cnt = 0;

	*found = false;
	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE) /* overwritten meanwhile */
			continue;
		if (n <= 0)
			return cnt;
		record[n] = '\0';
		if (!strstr(record, BAD_OPS))
			continue;
		cnt++;
		*found |= !!strstr(record, msg);
	}
}

/* A module with a bad table does not load, and one line says why. */
static void test_bad(struct btf *vmlinux_btf, int i)
{
	char params[64], msg[256];
	struct btf *btf;
	bool found;
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (!ASSERT_GE(fd, 0, "open_kmsg"))
		return;
	ASSERT_OK(lseek(fd, 0, SEEK_END), "seek_kmsg");

	snprintf(params, sizeof(params), "bad=%s", bad[i].table);
	snprintf(msg, sizeof(msg), BAD_OPS "bad kfunc row %s\n", bad[i].msg);
	if (!ASSERT_EQ(load_module_params(TABLE_MODULE ".ko", params), -EINVAL, "load_module"))
		unload_module("bpf_test_kfunc_table", false);
	ASSERT_EQ(read_kmsg(fd, msg, &found), 1, "lines");
	ASSERT_TRUE(found, msg);
	close(fd);

	/* nothing is left of it, nor of the struct_ops that were fine */
	ASSERT_ERR(access("/sys/module/bpf_test_kfunc_table", F_OK), "access_module");
	btf = btf__load_module_btf("bpf_test_kfunc_table", vmlinux_btf);
	if (!ASSERT_ERR_PTR(btf, "module_btf"))
		btf__free(btf);
	if (ASSERT_OK(load_module_params(TABLE_MODULE ".ko", ""), "load_good"))
		unload_idle_module(TABLE_MODULE);
}

static void test_bad_tables(struct btf *vmlinux_btf)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (test__start_subtest(bad[i].table))
			test_bad(vmlinux_btf, i);
	}
}

static void test_scx(struct btf *vmlinux_btf)
{
	if (btf__find_by_name_kind(vmlinux_btf, "sched_ext_ops", BTF_KIND_STRUCT) < 0) {
		if (test__start_subtest("scx")) {
			printf("%s:SKIP: CONFIG_SCHED_CLASS_EXT is off\n", __func__);
			test__skip();
		}
		return;
	}
	RUN_TESTS(kfunc_table_scx);
}

void test_kfunc_table(void)
{
	struct btf *vmlinux_btf, *testmod_btf;
	struct kfunc_calls kc;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	vmlinux_btf = btf__load_vmlinux_btf();
	if (!ASSERT_OK_PTR(vmlinux_btf, "vmlinux_btf"))
		return;
	testmod_btf = btf__load_module_btf("bpf_testmod", vmlinux_btf);
	if (!ASSERT_OK_PTR(testmod_btf, "testmod_btf"))
		goto out;
	if (!kfunc_calls_open(&kc, testmod_btf, wanted)) {
		test_loaded(&kc);
		kfunc_calls_close(&kc);
	}
	RUN_TESTS(kfunc_table_fail);
	if (test__start_subtest("fallback_errno"))
		test_fallback_errno();
	test_vmlinux(vmlinux_btf);
	test_bad_tables(vmlinux_btf);
	test_scx(vmlinux_btf);
out:
	btf__free(testmod_btf);
	btf__free(vmlinux_btf);
}
