// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: struct_ops decide what a kfunc call becomes, see
 * bpf_struct_ops.kfunc_validate_reloc. The functions that calls are bound to are
 * read back from the translated program and, on x86-64, from the JITed one.
 */
#include <test_progs.h>
#include <sys/syscall.h>
#include "kfunc_reloc_testmod.h"
#include "kfunc_reloc.skel.h"
#include "kfunc_reloc_ext.skel.h"
#include "kfunc_reloc_fail.skel.h"
#include "kfunc_reloc_loader.skel.h"
#include "kfunc_reloc_third.skel.h"

/* What the struct_ops answers here */
static const struct rule rules[] = {
	{ "bpf_kfunc_reloc_test", "test_a", "bpf_kfunc_reloc_test_a" },
	{ "bpf_kfunc_reloc_test", "test_b", "bpf_kfunc_reloc_test_b" },
	{ "bpf_kfunc_reloc_test", "test_async", "bpf_kfunc_reloc_test_outside" },
	{ "bpf_kfunc_reloc_test", OUTSIDE, "bpf_kfunc_reloc_test_outside" },
	{ "bpf_kfunc_reloc_test", "test_vmlinux", "bpf_fentry_test1" },
	{ "bpf_kfunc_reloc_test", "test_deny", NULL, -EXDEV },
	{ "bpf_kfunc_reloc_inside", OUTSIDE, NULL, -EACCES },
	{ "bpf_kfunc_reloc_sleepable", "test_sleepable", "bpf_kfunc_reloc_test_a" },
	{ "bpf_task_from_pid", "test_a", "bpf_kfunc_reloc_task_from_pid" },
	{ "bpf_cpumask_first", "test_vmlinux", "bpf_cpumask_first_zero" },
};

/* What the programs of kfunc_reloc.c call then, and what it comes to when they
 * run with an argument of 7.
 */
#define KFUNC	"bpf_kfunc_reloc_test "
#define A	"bpf_kfunc_reloc_test_a "
#define B	"bpf_kfunc_reloc_test_b "
#define OUT	"bpf_kfunc_reloc_test_outside "
#define PID	-1

/* How the log puts it */
#define DENY		"bpf_kfunc_reloc_test() cannot be called from bpf_testmod_reloc_ops.test_deny"
#define DENY_EXT	"bpf_kfunc_reloc_inside() cannot be called from a program " \
			"that replaces a function of a bpf_testmod_reloc_ops program"

static const struct {
	const char *prog;
	const char *calls;
	int result;
} bound[] = {
	{ "call_a", A, 17 },
	{ "call_b", B, 27 },
	{ "call_plain", KFUNC, 1007 },
	{ "call_several", A "bpf_kfunc_reloc_inside " A, 17 + 2007 + 17 },
	{ "call_sleepable", A, 17 },
	{ "call_from_vmlinux", "bpf_kfunc_reloc_task_from_pid ", PID },
	{ "call_to_vmlinux", "bpf_fentry_test1 ", 8 },
	{ "call_within_vmlinux", "bpf_cpumask_first_zero ", 1 },
	{ "call_special", "bpf_kfunc_common_test ", 0 },
	/* subprograms */
	{ "static_a", A, 17 },
	{ "static_b", B, 27 },
	{ "global_a", A, 17 },
	{ "global_b", B, 27 },
	{ "chain_a", A, 17 },
	{ "chain_b", B, 27 },
	/* synchronous callbacks, and the exception callback */
	{ "loop_a", A, 27 },
	{ "loop_b", B, 47 },
	{ "each_a", A, 17 },
	{ "loop_passed_a", A, 27 },
	{ "throw_a", A, 15 },
	/* asynchronous callbacks */
	{ "timer_a", A OUT, 130 },
	{ "timer_static_a", OUT, 130 },
	{ "timer_global_a", OUT, 130 },
	{ "timer_loop_a", OUT, 130 },
	{ "wq_a", A OUT, 130 },
	{ "wq_static_a", OUT, 130 },
	{ "wq_global_a", OUT, 130 },
	{ "both_cb", OUT, 130 },
	{ "both_static", OUT, 130 },
	{ "both_global", OUT, 130 },
	/* dead code */
	{ "dead_ksym", "", 7 },
	{ "dead_core", "", 7 },
	{ "dead_rodata", "", 7 },
	{ "dead_global", "", 7 },
	{ "dead_timer", "", 7 },
	/* struct_ops without the callback */
	{ "noreloc", KFUNC, 1007 },
};

static struct kfunc_calls kfunc_calls;

static int set_own_rules(void)
{
	return set_rules(rules, ARRAY_SIZE(rules));
}

/* How often was the question put, since rules were set? */
static int times_asked(int kfunc, int member)
{
	struct bpf_testmod_reloc_rule asked[256];
	int fd, n, i, cnt = 0;

	fd = open("/sys/kernel/bpf_testmod_reloc", O_RDONLY);
	if (!ASSERT_GE(fd, 0, "open_asked"))
		return -1;
	n = read(fd, asked, sizeof(asked));
	close(fd);
	if (!ASSERT_GE(n, 0, "read_asked"))
		return -1;
	for (i = 0; i < n / sizeof(*asked); i++)
		cnt += asked[i].kfunc == kfunc && asked[i].member == member;
	return cnt;
}

/* Other functions are relocated by nobody. */
static bool is_relocatable(const char *name)
{
	int i;

	if (!strncmp(name, "bpf_kfunc_", sizeof("bpf_kfunc_") - 1))
		return true;
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		if (!strcmp(name, rules[i].kfunc) ||
		    (rules[i].becomes && !strcmp(name, rules[i].becomes)))
			return true;
	}
	return false;
}

static void check_calls(int prog_fd, const char *expected)
{
	kfunc_calls_check(&kfunc_calls, prog_fd, expected);
}

static void check_result(struct kfunc_reloc *skel, const char *prog, int expected)
{
	kfunc_calls_check_result(skel->obj, prog, &skel->bss->result, expected);
}

static int prog_fd(struct kfunc_reloc *skel, const char *name)
{
	return find_prog_fd(skel->obj, name);
}

static void test_bound(struct kfunc_reloc *skel)
{
	int i, pid = syscall(SYS_gettid);

	for (i = 0; i < ARRAY_SIZE(bound); i++) {
		if (!test__start_subtest(bound[i].prog))
			continue;
		check_calls(prog_fd(skel, bound[i].prog), bound[i].calls);
		check_result(skel, bound[i].prog,
			     bound[i].result == PID ? pid : bound[i].result);
	}
}

/* bpf_dummy_ops, a struct_ops of vmlinux without the callback */
static void test_dummy(struct kfunc_reloc *skel)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = prog_fd(skel, "dummy");
	u64 args[1] = {};

	check_calls(fd, KFUNC);
	opts.ctx_in = args;
	opts.ctx_size_in = sizeof(args);
	ASSERT_OK(bpf_prog_test_run_opts(fd, &opts), "test_run");
	ASSERT_EQ(opts.retval, 1007, "retval");
}

/* Once for each context of each live call site */
static void test_asked(struct kfunc_reloc *skel)
{
	static const struct {
		const char *kfunc;
		const char *member;
		int times;
	} asked[] = {
		/* in async_cb(), static_sub() and global_sub() */
		{ "bpf_kfunc_reloc_test", "test_async", 3 },
		{ "bpf_kfunc_reloc_test", "test_plain", 1 },
		/* dead code only */
		{ "bpf_kfunc_reloc_test", "test_deny", 0 },
		{ "bpf_kfunc_reloc_inside", "test_a", 1 },
		{ "bpf_kfunc_reloc_inside", OUTSIDE, 0 },
		{ "bpf_kfunc_reloc_sleepable", "test_sleepable", 1 },
		{ "bpf_cpumask_first", "test_vmlinux", 1 },
		/* what is not in any rule is asked about as well */
		{ "bpf_rcu_read_lock", "test_b", 1 },
		{ "bpf_rcu_read_lock", OUTSIDE, 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(asked); i++)
		ASSERT_EQ(times_asked(func_id(asked[i].kfunc), member_idx(asked[i].member)),
			  asked[i].times, asked[i].kfunc);
}

/* A prog array has one member's programs, so a tail call stays within it. */
static void test_tail_call(struct kfunc_reloc *skel)
{
	int fd, jmp = bpf_map__fd(skel->maps.jmp_table);
	u32 key = 0;

	fd = prog_fd(skel, "call_b");
	ASSERT_EQ(bpf_map_update_elem(jmp, &key, &fd, 0), -EINVAL, "another member");
	fd = prog_fd(skel, "noreloc");
	ASSERT_EQ(bpf_map_update_elem(jmp, &key, &fd, 0), -EINVAL, "another struct_ops");
	fd = prog_fd(skel, "call_a");
	if (!ASSERT_OK(bpf_map_update_elem(jmp, &key, &fd, 0), "same member"))
		return;
	check_result(skel, "tail_a", 17);
}

static struct kfunc_reloc_ext *load_ext(struct kfunc_reloc *skel, const char *target,
					const char *name, char *log, size_t log_size,
					int *err)
{
	struct kfunc_reloc_ext *ext;
	struct bpf_program *prog;

	ext = kfunc_reloc_ext__open();
	if (!ASSERT_OK_PTR(ext, "ext_open"))
		return NULL;
	bpf_object__for_each_program(prog, ext->obj) {
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
		bpf_program__set_log_buf(prog, log, log_size);
		bpf_program__set_log_level(prog, 1);
		ASSERT_OK(bpf_program__set_attach_target(prog, prog_fd(skel, target),
							 "global_sub"), "attach_target");
	}
	*err = kfunc_reloc_ext__load(ext);
	return ext;
}

/* A program that replaces a function can do so in another program later. */
static void test_freplace(struct kfunc_reloc *skel)
{
	struct bpf_link *link = NULL, *link2 = NULL;
	static char log[65536];
	struct kfunc_reloc_ext *ext;
	int err;

	ext = load_ext(skel, "global_a", "ext_test", log, sizeof(log), &err);
	if (!ext || !ASSERT_OK(err, "ext_load"))
		goto out;
	check_calls(bpf_program__fd(ext->progs.ext_test), OUT);
	link = bpf_program__attach(ext->progs.ext_test);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	check_result(skel, "global_a", 7 + 1 + 30);
	check_result(skel, "global_a2", 7 + 10 + 100);

	link2 = bpf_program__attach_freplace(ext->progs.ext_test, prog_fd(skel, "global_a2"),
					     "global_sub");
	if (!ASSERT_OK_PTR(link2, "attach_freplace"))
		goto out;
	check_calls(bpf_program__fd(ext->progs.ext_test), OUT);
	check_result(skel, "global_a2", 7 + 1 + 30 + 100);
out:
	bpf_link__destroy(link2);
	bpf_link__destroy(link);
	kfunc_reloc_ext__destroy(ext);
}

static void test_freplace_deny(struct kfunc_reloc *skel)
{
	static char log[65536];
	struct kfunc_reloc_ext *ext;
	int err;

	ext = load_ext(skel, "global_a", "ext_inside", log, sizeof(log), &err);
	ASSERT_EQ(err, -EACCES, "ext_load");
	ASSERT_HAS_SUBSTR(log, DENY_EXT " (insn ", "log");
	kfunc_reloc_ext__destroy(ext);
}

/* Nor can it come from a program of struct_ops that were not asked. */
static void test_freplace_other_ops(struct kfunc_reloc *skel)
{
	static char log[65536];
	struct kfunc_reloc_ext *ext;
	struct bpf_link *link;
	int err;

	ext = load_ext(skel, "noreloc", "ext_inside", log, sizeof(log), &err);
	if (!ext || !ASSERT_OK(err, "ext_load"))
		goto out;
	check_calls(bpf_program__fd(ext->progs.ext_inside), "bpf_kfunc_reloc_inside ");
	link = bpf_program__attach_freplace(ext->progs.ext_inside, prog_fd(skel, "global_a"),
					    "global_sub");
	if (!ASSERT_ERR_PTR(link, "attach_freplace"))
		bpf_link__destroy(link);
out:
	kfunc_reloc_ext__destroy(ext);
}

/* Load one program of kfunc_reloc.c, after one rule was set. */
static int load_one(const char *name, const struct bpf_testmod_reloc_rule *rule,
		    char *log, size_t log_size, struct kfunc_reloc **skelp)
{
	struct bpf_program *prog;
	struct kfunc_reloc *skel;
	struct bpf_map *map;
	char map_name[64];

	*skelp = NULL;
	if (rule && write_rules(rule, 1))
		return -1;
	skel = kfunc_reloc__open();
	if (!ASSERT_OK_PTR(skel, "skel_open"))
		return -1;
	log[0] = '\0';
	snprintf(map_name, sizeof(map_name), "ops_%s", name);
	bpf_object__for_each_map(map, skel->obj) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS &&
		    strcmp(bpf_map__name(map), map_name))
			bpf_map__set_autocreate(map, false);
	}
	bpf_object__for_each_program(prog, skel->obj) {
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
		bpf_program__set_log_buf(prog, log, log_size);
		bpf_program__set_log_level(prog, 1);
	}
	*skelp = skel;
	return kfunc_reloc__load(skel);
}

/* The error is the one that the struct_ops gave. */
static void test_errno(void)
{
	struct bpf_testmod_reloc_rule rule = {
		func_id("bpf_kfunc_reloc_test"), member_idx("test_b"), -EXDEV
	};
	struct kfunc_reloc *skel;
	static char log[65536];

	ASSERT_EQ(load_one("call_b", &rule, log, sizeof(log), &skel), -EXDEV, "load");
	kfunc_reloc__destroy(skel);
}

static bool is_ambiguous(const struct ksym *sym, bool twice)
{
	return twice;
}

/* Answers that would make the kernel call what the verifier knows nothing about */
static void test_bad_answers(void)
{
	static const struct {
		const char *subtest;
		const char *prog;
		const char *kfunc;
		const char *answer;
		u32 kind;
		int id;
		const char *msg;
	} bad[] = {
		{ "bad_param_count", "call_b", "bpf_kfunc_reloc_test", "bpf_fentry_test2",
		  .msg = "they have 1 and 2 parameters" },
		{ "bad_param_type", "call_b", "bpf_kfunc_reloc_test", "bpf_fentry_test7",
		  .msg = "the types of parameter 1 differ (a, arg)" },
		{ "bad_param_name", "call_b", "bpf_kfunc_reloc_test", "bpf_kfunc_reloc_test_const",
		  .msg = "the names of parameter 1 mean different things (a, a__k)" },
		{ "bad_return_type", "call_b", "bpf_kfunc_reloc_test", "bpf_testmod_test_mod_kfunc",
		  .msg = "their return types differ" },
		{ "bad_flags", "call_b", "bpf_kfunc_reloc_test", "bpf_kfunc_reloc_sleepable",
		  .msg = "their flags differ (0x0, 0x20)" },
		{ "bad_flags_hook", "call_special", "bpf_kfunc_common_test",
		  "bpf_kfunc_call_test_destructive", .msg = "their flags differ (0x0, 0x40)" },
		{ "bad_kind", "call_b", "bpf_kfunc_reloc_test", "task_struct", BTF_KIND_STRUCT,
		  .msg = "that is no function" },
		{ "bad_id", "call_b", "bpf_kfunc_reloc_test", .id = INT_MAX,
		  .msg = "(btf_id 2147483647), but that is no function" },
		{ "bad_special_kfunc", "call_special", "bpf_rcu_read_lock", "bpf_kfunc_common_test",
		  .msg = "the former is special" },
		{ "bad_special_answer", "call_special", "bpf_kfunc_common_test",
		  "bpf_rcu_read_lock", .msg = "the latter is special" },
		{ "bad_ambiguous", "call_special", "bpf_kfunc_common_test", .id = -1,
		  .msg = "functions of that name" },
	};
	struct bpf_testmod_reloc_rule rule;
	struct kfunc_reloc *skel;
	static char log[65536];
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!test__start_subtest(bad[i].subtest))
			continue;
		rule.kfunc = func_id(bad[i].kfunc);
		rule.member = member_idx("test_b");
		rule.answer = bad[i].id;
		if (bad[i].answer)
			rule.answer = btf_id(bad[i].answer, bad[i].kind ?: BTF_KIND_FUNC);
		if (rule.answer < 0)
			rule.answer = find_void_func(is_ambiguous);
		if (!rule.answer) {
			test__skip();
			continue;
		}
		ASSERT_EQ(load_one(bad[i].prog, &rule, log, sizeof(log), &skel),
			  -EFAULT, "load");
		ASSERT_HAS_SUBSTR(log, "kernel bug: bpf_testmod_reloc_ops relocates ", "log");
		ASSERT_HAS_SUBSTR(log, bad[i].msg, "log");
		kfunc_reloc__destroy(skel);
	}
}

/* Another kfunc can be the answer, if its flags are the same, and is then final,
 * whatever the struct_ops say about it themselves.
 */
static void test_other_kfunc(void)
{
	struct bpf_testmod_reloc_rule rule[] = {
		{ func_id("bpf_kfunc_reloc_test"), member_idx("test_b"),
		  func_id("bpf_kfunc_reloc_inside") },
		{ func_id("bpf_kfunc_reloc_inside"), member_idx("test_b"), -EACCES },
	};
	struct kfunc_reloc *skel;
	static char log[65536];

	if (!write_rules(rule, ARRAY_SIZE(rule)) &&
	    ASSERT_OK(load_one("call_b", NULL, log, sizeof(log), &skel), "load")) {
		check_calls(prog_fd(skel, "call_b"), "bpf_kfunc_reloc_inside ");
		check_result(skel, "call_b", 2007);
		kfunc_reloc__destroy(skel);
	}
	ASSERT_EQ(times_asked(rule[1].kfunc, rule[1].member), 0, "chained");
}

/* The same kfunc means the other thing in the next load. */
static void test_same_kfunc(void)
{
	struct bpf_testmod_reloc_rule rule = {
		func_id("bpf_kfunc_reloc_test"), member_idx("test_b"),
		func_id("bpf_kfunc_reloc_test")
	};
	struct kfunc_reloc *skel;
	static char log[65536];

	if (ASSERT_OK(load_one("call_b", &rule, log, sizeof(log), &skel), "load")) {
		check_calls(prog_fd(skel, "call_b"), KFUNC);
		check_result(skel, "call_b", 1007);
	}
	kfunc_reloc__destroy(skel);
}

/* A module that is neither the struct_ops' nor vmlinux has no IDs to speak of. */
static void test_third_module(void)
{
	struct kfunc_reloc_third *skel = NULL;
	struct btf *btf = NULL;
	struct bpf_link *link;
	int id;

	if (!ASSERT_OK(load_module("bpf_test_modorder_x.ko", env_verbosity > VERBOSE_NONE),
		       "load_module"))
		return;
	btf = btf__load_module_btf("bpf_test_modorder_x", vmlinux_btf);
	if (!ASSERT_OK_PTR(btf, "module_btf"))
		goto out;
	id = btf__find_by_name_kind(btf, "bpf_test_modorder_retx", BTF_KIND_FUNC);
	ASSERT_GT(id, 0, "bpf_test_modorder_retx");

	skel = kfunc_reloc_third__open_and_load();
	if (!ASSERT_OK_PTR(skel, "skel"))
		goto out;
	ASSERT_EQ(times_asked(id, member_idx("test_a")), 0, "asked");
	ASSERT_EQ(times_asked(func_id("bpf_kfunc_reloc_test"), member_idx("test_a")), 1, "asked");
	check_calls(bpf_program__fd(skel->progs.third_a), A);
	link = bpf_map__attach_struct_ops(skel->maps.ops_third_a);
	if (ASSERT_OK_PTR(link, "attach"))
		bpf_link__destroy(link);
	ASSERT_EQ(skel->bss->result, 'x' + 17, "result");
out:
	kfunc_reloc_third__destroy(skel);
	btf__free(btf);
	unload_module("bpf_test_modorder_x", env_verbosity > VERBOSE_NONE);
}

/* Without BTF of its own, loaded by a program, as light skeletons are. libbpf makes
 * none with struct_ops, so this one is made by hand.
 */
static void test_loader(void)
{
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 7),
		BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 1,
			     func_id("bpf_kfunc_reloc_test")),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct kfunc_reloc_loader *skel;
	static char log[65536];
	int btf_fd, fd, load_fd;

	btf_fd = module_btf_fd("bpf_testmod");
	if (!ASSERT_GE(btf_fd, 0, "testmod_btf_fd"))
		return;
	skel = kfunc_reloc_loader__open_and_load();
	if (!ASSERT_OK_PTR(skel, "skel"))
		goto out;
	memcpy(skel->bss->insns, insns, sizeof(insns));
	skel->bss->fd_array[1] = btf_fd;
	skel->bss->attr.insn_cnt = ARRAY_SIZE(insns);
	skel->bss->attr.prog_type = BPF_PROG_TYPE_STRUCT_OPS;
	skel->bss->attr.log_level = 1;
	skel->bss->attr.log_size = sizeof(log);
	skel->bss->attr.log_buf = ptr_to_u64(log);
	skel->bss->attr.attach_btf_obj_fd = btf_fd;
	skel->bss->attr.attach_btf_id = btf_id("bpf_testmod_reloc_ops", BTF_KIND_STRUCT);
	load_fd = bpf_program__fd(skel->progs.load);

	skel->bss->attr.expected_attach_type = member_idx("test_a");
	ASSERT_OK(bpf_prog_test_run_opts(load_fd, &opts), "load_a");
	fd = opts.retval;
	if (ASSERT_GT(fd, 0, "fd_a")) {
		check_calls(fd, A);
		close(fd);
	}

	skel->bss->attr.expected_attach_type = member_idx("test_b");
	ASSERT_OK(bpf_prog_test_run_opts(load_fd, &opts), "load_b");
	fd = opts.retval;
	if (ASSERT_GT(fd, 0, "fd_b")) {
		check_calls(fd, B);
		close(fd);
	}

	skel->bss->attr.expected_attach_type = member_idx("test_deny");
	ASSERT_OK(bpf_prog_test_run_opts(load_fd, &opts), "load_deny");
	ASSERT_EQ((int)opts.retval, -EXDEV, "deny");
	/* there is no source line */
	ASSERT_HAS_SUBSTR(log, DENY " (insn 1)\n", "log");
out:
	kfunc_reloc_loader__destroy(skel);
	close(btf_fd);
}

/* The program names kfuncs of vmlinux only, and calls a function of bpf_testmod,
 * which has to stay for that long.
 */
static void test_module_held(void)
{
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1),
		BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
			     func_id("bpf_task_from_pid")),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 2),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
		BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
			     func_id("bpf_task_release")),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd, refcnt;

	opts.attach_btf_id = btf_id("bpf_testmod_reloc_ops", BTF_KIND_STRUCT);
	opts.attach_btf_obj_fd = module_btf_fd("bpf_testmod");
	if (!ASSERT_GE(opts.attach_btf_obj_fd, 0, "testmod_btf_fd"))
		return;
	/* maps of earlier tests hold it until they are freed */
	kern_sync_rcu();
	refcnt = module_refcnt_down_to("bpf_testmod", 0);

	/* as many of the members as there are calls to relocate: none */
	opts.expected_attach_type = member_idx("test_plain");
	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (ASSERT_GE(fd, 0, "load_plain")) {
		check_calls(fd, "bpf_task_from_pid ");
		ASSERT_EQ(module_refcnt("bpf_testmod"), refcnt, "not_held");
		close(fd);
	}

	opts.expected_attach_type = member_idx("test_a");
	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (ASSERT_GE(fd, 0, "load_a")) {
		check_calls(fd, "bpf_kfunc_reloc_task_from_pid ");
		if (ASSERT_EQ(module_refcnt("bpf_testmod"), refcnt + 1, "held"))
			ASSERT_ERR(delete_module("bpf_testmod", O_NONBLOCK), "delete_module");
		close(fd);
	}
	kern_sync_rcu();
	ASSERT_EQ(module_refcnt_down_to("bpf_testmod", refcnt), refcnt, "released");
	close(opts.attach_btf_obj_fd);
}

static void test_loaded(void)
{
	struct kfunc_reloc *skel;

	skel = kfunc_reloc__open_and_load();
	if (!ASSERT_OK_PTR(skel, "kfunc_reloc"))
		return;
	if (test__start_subtest("asked"))
		test_asked(skel);
	test_bound(skel);
	if (test__start_subtest("dummy"))
		test_dummy(skel);
	if (test__start_subtest("tail_call"))
		test_tail_call(skel);
	if (test__start_subtest("freplace"))
		test_freplace(skel);
	if (test__start_subtest("freplace_deny"))
		test_freplace_deny(skel);
	if (test__start_subtest("freplace_other_ops"))
		test_freplace_other_ops(skel);
	kfunc_reloc__destroy(skel);
}

/* serial: what a kfunc means is global to bpf_testmod, and one test is about
 * unloading that
 */
void serial_test_kfunc_reloc(void)
{
	if (!env.has_testmod) {
		test__skip();
		return;
	}
#if !defined(__x86_64__)
	printf("%s:SKIP: JITed programs are read on x86-64 only\n", __func__);
#endif
	if (open_btfs())
		return;
	if (kfunc_calls_open(&kfunc_calls, testmod_btf, is_relocatable))
		goto out;

	if (!set_own_rules())
		test_loaded();
	if (!set_own_rules())
		RUN_TESTS(kfunc_reloc_fail);
	if (test__start_subtest("third_module") && !set_own_rules())
		test_third_module();
	if (test__start_subtest("loader") && !set_own_rules())
		test_loader();
	if (test__start_subtest("module_held") && !set_own_rules())
		test_module_held();
	if (test__start_subtest("errno"))
		test_errno();
	if (test__start_subtest("other_kfunc"))
		test_other_kfunc();
	if (test__start_subtest("same_kfunc"))
		test_same_kfunc();
	test_bad_answers();
	write_rules(NULL, 0);
out:
	kfunc_calls_close(&kfunc_calls);
	close_btfs();
}
