// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: each allocation fails once while a program with calls to be
 * relocated is loaded, and while a module with a table is. The error is clean, nothing
 * is left behind, and the next load works. Then, logs of all levels and too small
 * ones.
 */
#include "kfunc_reloc_testmod.h"

#define TABLE_MODULE	"bpf_test_kfunc_table"
#define DEBUGFS		"/sys/kernel/debug/"
#define DENIED		"bpf_kfunc_reloc_test() cannot be called from " \
			"bpf_testmod_reloc_ops.test_deny"
#define RELOCATED	"bpf_kfunc_reloc_test() relocated to bpf_kfunc_reloc_test_a()"
#define MAX_FAULTS	2000

static const struct rule rules[] = {
	{ "bpf_kfunc_reloc_test", "test_a", "bpf_kfunc_reloc_test_a" },
	{ "bpf_kfunc_reloc_test", "test_deny", NULL, -EXDEV },
	{ "bpf_task_from_pid", "test_a", "bpf_kfunc_reloc_task_from_pid" },
};

static struct kfunc_calls kfunc_calls;
static int testmod_btf_fd;
static char log_buf[65536];

static bool is_relocatable(const char *name)
{
	return !strncmp(name, "bpf_kfunc_reloc_", strlen("bpf_kfunc_reloc_")) ||
	       !strcmp(name, "bpf_task_from_pid");
}

static int put(const char *path, const char *fmt, ...)
{
	char text[64];
	va_list args;
	int fd, n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, n) == n ? 0 : -errno;
	close(fd);
	return n;
}

/* The n-th allocation fails that this thread makes and that may, 0 for none. */
static int fail_nth(int n)
{
	return put("/proc/thread-self/fail-nth", "%d", n);
}

/* Has it failed? */
static bool has_failed(void)
{
	char text[16] = {};
	int fd;

	fd = open("/proc/thread-self/fail-nth", O_RDONLY | O_CLOEXEC);
	if (!ASSERT_GE(fd, 0, "open_fail_nth"))
		return false;
	ASSERT_GT(read(fd, text, sizeof(text) - 1), 0, "read_fail_nth");
	close(fd);
	return atoi(text) == 0;
}

static int set_knob(const char *kind, const char *knob, const char *fmt, unsigned long value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", kind, knob);
	return ASSERT_OK(put(path, fmt, value), path) ? 0 : -1;
}

/* Allocations below this kernel function can be made to fail, and no others. */
static int fail_below(const char *func)
{
	static const char * const kinds[] = { "failslab", "fail_page_alloc" };
	unsigned long long addr;
	struct ksym *sym;
	int i, err = 0;
	long start;

	if (!ASSERT_OK(kallsyms_find(func, &addr), func))
		return -1;
	start = addr;
	sym = search_kallsyms_custom_local(kfunc_calls.ksyms, &start, kfunc_calls_cmp_key);
	if (!ASSERT_OK_PTR(sym, func))
		return -1;
	while (sym->addr == start)
		sym++;

	for (i = 0; i < ARRAY_SIZE(kinds) && !err; i++) {
		if (i && access(DEBUGFS "fail_page_alloc", F_OK))
			break;
		err = set_knob(kinds[i], "require-start", "0x%lx", start) ?:
		      set_knob(kinds[i], "require-end", "0x%lx", sym->addr) ?:
		      set_knob(kinds[i], "stacktrace-depth", "%lu", 32) ?:
		      set_knob(kinds[i], "verbose", "%lu", 0) ?:
		      set_knob(kinds[i], "ignore-gfp-wait", "%lu", 0);
		if (i)
			err = err ?: set_knob(kinds[i], "min-order", "%lu", 0);
	}
	return err;
}

static int count_ids(int (*next)(__u32 id, __u32 *next_id))
{
	u32 id = 0;
	int cnt = 0;

	while (!next(id, &id))
		cnt++;
	return cnt;
}

/* What is there of what a load makes */
struct count {
	int progs;
	int btfs;
	int refcnt;
};

static void count(struct count *c)
{
	c->progs = count_ids(bpf_prog_get_next_id);
	c->btfs = count_ids(bpf_btf_get_next_id);
	c->refcnt = module_refcnt("bpf_testmod");
}

/* It is as before, once all that is being freed has gone. */
static void check_count(const struct count *before)
{
	struct count now;
	int i;

	kern_sync_rcu();
	memset(&now, 0, sizeof(now));
	for (i = 0; i < 500; i++) {
		count(&now);
		if (!memcmp(&now, before, sizeof(now)))
			return;
		usleep(10000);
	}
	ASSERT_EQ(now.progs, before->progs, "programs");
	ASSERT_EQ(now.btfs, before->btfs, "btfs");
	ASSERT_EQ(now.refcnt, before->refcnt, "module refcnt");
}

/* Calls kfuncs of vmlinux, one of which becomes a function of bpf_testmod. A program
 * that is bound holds bpf_testmod for it.
 */
static int load_prog(void)
{
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1),
		CALL_KFUNC(0, func_id("bpf_task_from_pid")),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 2),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
		CALL_KFUNC(0, func_id("bpf_task_release")),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	opts.attempts = 1;
	opts.attach_btf_obj_fd = testmod_btf_fd;
	opts.attach_btf_id = btf_id("bpf_testmod_reloc_ops", BTF_KIND_STRUCT);
	opts.expected_attach_type = member_idx("test_a");
	return bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns, ARRAY_SIZE(insns),
			     &opts);
}

/* A load that was disturbed or not: either it fails, or the program is as it is always. */
static bool check_prog(int fd)
{
	if (fd < 0)
		return false;
	kfunc_calls_check(&kfunc_calls, fd, "bpf_kfunc_reloc_task_from_pid ");
	close(fd);
	return true;
}

/* Returns how many allocations there are below @func. If one fails, the load does, with
 * this error; or, if that is 0, it may fail in any way, or succeed.
 */
static int fail_each_of_load(const char *func, int expected_err)
{
	int n, fd = -1, failed = 0, survived = 0;
	bool hit;

	if (fail_below(func))
		return -1;
	for (n = 1; n < MAX_FAULTS; n++) {
		if (!ASSERT_OK(fail_nth(n), "fail_nth"))
			return -1;
		fd = load_prog();
		hit = has_failed();
		if (!ASSERT_OK(fail_nth(0), "fail_nth"))
			return -1;
		if (!hit)
			break;
		/* kmemleak's own allocations are among them, and can fail */
		if (expected_err && fd < 0)
			ASSERT_EQ(fd, expected_err, "load");
		if (check_prog(fd))
			survived++;
		else
			failed++;
		/* the next one works */
		ASSERT_TRUE(check_prog(load_prog()), "next load");
	}
	ASSERT_LT(n, MAX_FAULTS, "too many");
	/* the last one was not disturbed */
	ASSERT_TRUE(check_prog(fd), "last load");
	if (env.verbosity > VERBOSE_NONE)
		printf("%s: %d allocations, %d loads failed, %d did not\n", func, n - 1, failed,
		       survived);
	return failed;
}

static void test_load(void)
{
	struct count before;

	testmod_btf_fd = module_btf_fd("bpf_testmod");
	if (!ASSERT_GE(testmod_btf_fd, 0, "btf_fd"))
		return;
	/* before the first one, which is freed some time after it was closed */
	kern_sync_rcu();
	count(&before);
	if (!ASSERT_TRUE(check_prog(load_prog()), "first load"))
		goto out;
	check_count(&before);
	/* the state of the pass, and the table that holds bpf_testmod */
	ASSERT_GE(fail_each_of_load("bpf_kfunc_reloc_prog", -ENOMEM), 2, "of the pass");
	check_count(&before);
	/* before and after it: the program must not be left half bound */
	ASSERT_GE(fail_each_of_load("bpf_check", 0), 5, "of the verifier");
	check_count(&before);
	ASSERT_GE(fail_each_of_load("__sys_bpf", 0), 10, "of all");
	check_count(&before);
out:
	close(testmod_btf_fd);
}

/* The module registers two struct_ops, one of them with a table. */
static void test_module(void)
{
	struct count before;
	int n, err, fd, failed = 0;
	bool hit;

	fd = open(TABLE_MODULE ".ko", O_RDONLY | O_CLOEXEC);
	if (!ASSERT_GE(fd, 0, "open_module"))
		return;
	if (fail_below("__register_bpf_struct_ops")) {
		close(fd);
		return;
	}
	count(&before);
	for (n = 1; n < MAX_FAULTS; n++) {
		if (!ASSERT_OK(fail_nth(n), "fail_nth"))
			break;
		err = finit_module(fd, "", 0) ? -errno : 0;
		hit = has_failed();
		if (!ASSERT_OK(fail_nth(0), "fail_nth"))
			break;
		if (!err)
			unload_idle_module(TABLE_MODULE);
		ASSERT_ERR(access("/sys/module/" TABLE_MODULE, F_OK), "access_module");
		if (!hit) {
			ASSERT_OK(err, "last load");
			break;
		}
		/* the module says so whatever the error was */
		if (err)
			ASSERT_EQ(err, -ENOTRECOVERABLE, "load");
		failed += !!err;
		check_count(&before);
		if (ASSERT_OK(load_module_params(TABLE_MODULE ".ko", ""), "next load"))
			unload_idle_module(TABLE_MODULE);
	}
	ASSERT_LT(n, MAX_FAULTS, "too many");
	/* the log, the list of struct_ops, the rows */
	ASSERT_GE(failed, 3, "failed");
	if (env.verbosity > VERBOSE_NONE)
		printf("registering struct_ops: %d allocations, %d loads failed\n", n - 1, failed);
	close(fd);
	check_count(&before);
}

/* Leaks that have one of these in their backtrace are those of a load. */
static bool is_of_load(const char *line)
{
	return strstr(line, "kfunc") || strstr(line, "bpf_check+") ||
	       strstr(line, "bpf_prog_load+") || strstr(line, "bpf_struct_ops");
}

static void test_leaks(void)
{
	const char *path = DEBUGFS "kmemleak";
	char line[512];
	int leaks = 0;
	FILE *f;

	if (access(path, F_OK)) {
		printf("%s:SKIP: there is no %s (CONFIG_DEBUG_KMEMLEAK)\n", __func__, path);
		test__skip();
		return;
	}
	/* an object is a leak when it is 5 s old and two scans have not seen it */
	sleep(6);
	if (!ASSERT_OK(put(path, "scan"), "scan"))
		return;
	sleep(1);
	if (!ASSERT_OK(put(path, "scan"), "scan"))
		return;
	f = fopen(path, "r");
	if (!ASSERT_OK_PTR(f, path))
		return;
	while (fgets(line, sizeof(line), f)) {
		if (is_of_load(line)) {
			PRINT_FAIL("leak: %s", line);
			leaks++;
		}
	}
	fclose(f);
	ASSERT_EQ(leaks, 0, "leaks");
}

static bool can_fail(void)
{
	const char *missing = NULL;

	if (fail_nth(0))
		missing = "/proc/thread-self/fail-nth (CONFIG_FAULT_INJECTION)";
	else if (access(DEBUGFS "failslab", F_OK))
		missing = DEBUGFS "failslab (CONFIG_FAILSLAB)";
	else if (access(DEBUGFS "failslab/require-start", F_OK))
		missing = "failslab/require-start (CONFIG_FAULT_INJECTION_STACKTRACE_FILTER)";
	if (missing) {
		printf("%s:SKIP: there is no %s\n", __func__, missing);
		test__skip();
	}
	return !missing;
}

/* One call of a kfunc that test_a relocates and test_deny refuses */
static int load_log(const char *member, u32 level, char *buf, u32 size, u32 *true_size)
{
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 7),
		CALL_KFUNC(1, func_id("bpf_kfunc_reloc_test")),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd;

	if (buf)
		memset(buf, 0, size);
	opts.log_level = level;
	opts.log_buf = buf;
	opts.log_size = size;
	fd = load_raw(member, insns, ARRAY_SIZE(insns), &opts);
	if (true_size)
		*true_size = opts.log_true_size;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* The verdict is the same at all levels. */
static void test_log_levels(void)
{
	static const u32 levels[] = { 1, 2, 4, 1 | 4, 2 | 4, 8 | 1, 8 | 2, 8 | 4 };
	char name[16];
	int i;

	ASSERT_OK(load_log("test_a", 0, NULL, 0, NULL), "accepted, level 0");
	ASSERT_EQ(load_log("test_deny", 0, NULL, 0, NULL), -EXDEV, "refused, level 0");
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		snprintf(name, sizeof(name), "level %u", levels[i]);
		ASSERT_OK(load_log("test_a", levels[i], log_buf, sizeof(log_buf), NULL), name);
		ASSERT_EQ(!!strstr(log_buf, RELOCATED), !!(levels[i] & 2), name);
		ASSERT_EQ(load_log("test_deny", levels[i], log_buf, sizeof(log_buf), NULL),
			  -EXDEV, name);
		/* as any line that says why a program is rejected */
		ASSERT_HAS_SUBSTR(log_buf, DENIED " (insn 1)\n", name);
		ASSERT_NULL(strstr(log_buf, RELOCATED), name);
	}
}

/* A log that is too small keeps its end, or, if it is fixed, its start. The error is
 * that of the log then, for a program that is accepted as for one that is refused. All
 * of that is so for any other program.
 */
static void test_log_small(u32 fixed)
{
	u32 true_size, size, i, sizes[4] = { 1, 20, 128 };
	static char whole[65536];

	ASSERT_EQ(load_log("test_deny", 1 | fixed, whole, sizeof(whole), &true_size), -EXDEV,
		  "refused");
	if (!ASSERT_GT(true_size, 128, "true_size"))
		return;
	sizes[3] = true_size - 1;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		ASSERT_EQ(load_log("test_deny", 1 | fixed, log_buf, size, &true_size), -ENOSPC,
			  "refused, small");
		ASSERT_EQ(true_size, sizes[3] + 1, "true_size");
		ASSERT_EQ(log_buf[size - 1], '\0', "terminated");
		if (fixed)
			ASSERT_STRNEQ(log_buf, whole, size - 1, "start");
		else
			ASSERT_STREQ(log_buf, whole + true_size - size, "end");
	}

	ASSERT_OK(load_log("test_a", 2 | fixed, log_buf, sizeof(log_buf), &true_size),
		  "accepted");
	for (size = true_size; size + 8 > true_size; size--)
		ASSERT_EQ(load_log("test_a", 2 | fixed, log_buf, size, NULL),
			  size < true_size ? -ENOSPC : 0, "accepted, small");
}

/* serial: whatever another test allocates would count, and the modules are theirs, too */
void serial_test_kfunc_fault(void)
{
	if (!env.has_testmod) {
		test__skip();
		return;
	}
	if (open_btfs())
		return;
	if (kfunc_calls_open(&kfunc_calls, testmod_btf, is_relocatable))
		goto out;
	if (set_rules(rules, ARRAY_SIZE(rules)))
		goto close_calls;

	if (test__start_subtest("load") && can_fail())
		test_load();
	if (test__start_subtest("module") && can_fail())
		test_module();
	if (test__start_subtest("leaks"))
		test_leaks();
	if (test__start_subtest("log_levels"))
		test_log_levels();
	if (test__start_subtest("log_small"))
		test_log_small(0);
	if (test__start_subtest("log_small_fixed"))
		test_log_small(8);
	write_rules(NULL, 0);
close_calls:
	kfunc_calls_close(&kfunc_calls);
out:
	close_btfs();
}
