// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: attempts to run code that is bound for one member of a
 * struct_ops elsewhere. Each is refused, by the kernel as it was or by what relocates
 * kfunc calls, or runs what the place calls for.
 */
#include <test_progs.h>
#include <pthread.h>
#include "kfunc_reloc_testmod.h"
#include "kfunc_escape.skel.h"
#include "kfunc_escape_ext.skel.h"
#include "kfunc_escape_fail.skel.h"
#include "kfunc_escape_stale.skel.h"

#define A	"bpf_kfunc_reloc_test_a "
#define B	"bpf_kfunc_reloc_test_b "
#define OUT	"bpf_kfunc_reloc_test_outside "

#define TABLE_MODULE	"bpf_test_kfunc_table"
#define TABLE_OPS	"bpf_test_kfunc_table_ops"

#define MSG_MAIN	"bpf_kfunc_reloc_test() means bpf_kfunc_reloc_test_a() in "		\
			"bpf_testmod_reloc_ops.test_a, but bpf_kfunc_reloc_test_outside() in "	\
			"an asynchronous callback of a bpf_testmod_reloc_ops program, main()"

static const struct rule rules[] = {
	{ "bpf_kfunc_reloc_test", "test_a", "bpf_kfunc_reloc_test_a" },
	{ "bpf_kfunc_reloc_test", "test_b", "bpf_kfunc_reloc_test_b" },
	{ "bpf_kfunc_reloc_test", "test_async", "bpf_kfunc_reloc_test_outside" },
	{ "bpf_kfunc_reloc_test", OUTSIDE, "bpf_kfunc_reloc_test_outside" },
	{ "bpf_kfunc_reloc_inside", OUTSIDE, NULL, -EACCES },
};

/* Programs of kfunc_escape.c, with what they call and come to, as in kfunc_reloc.c */
static const struct {
	const char *prog;
	const char *calls;
	int result;
} bound[] = {
	{ "drain_a", A, 17 },
	{ "nested_a", A, 17 },
	{ "picked_a", A, 17 },
	{ "iter_a", A, 27 },
	{ "timer_iter_a", OUT, 130 },
	{ "timer_nested_a", OUT, 130 },
	{ "wq_picked_a", OUT, 130 },
	{ "timer_wq_a", OUT, 130 },
};

static char log_buf[65536];
static struct kfunc_calls kfunc_calls;

static bool is_relocatable(const char *name)
{
	return !strncmp(name, "bpf_kfunc_reloc_", strlen("bpf_kfunc_reloc_"));
}

static bool is_task_kfunc(const char *name)
{
	return !strcmp(name, "bpf_task_from_pid") ||
	       !strcmp(name, "bpf_test_kfunc_table_current");
}

static void check_calls(int prog_fd, const char *expected)
{
	kfunc_calls_check(&kfunc_calls, prog_fd, expected);
}

static void check_result(struct kfunc_escape *skel, const char *prog, int expected)
{
	kfunc_calls_check_result(skel->obj, prog, &skel->bss->result, expected);
}

/* For drain_a: one sample is there when it runs. */
static int post_sample(struct kfunc_escape *skel)
{
	struct user_ring_buffer *rb;
	void *sample = NULL;

	rb = user_ring_buffer__new(bpf_map__fd(skel->maps.user_ringbuf), NULL);
	if (!ASSERT_OK_PTR(rb, "user_ring_buffer"))
		return -1;
	sample = user_ring_buffer__reserve(rb, 8);
	if (ASSERT_OK_PTR(sample, "reserve"))
		user_ring_buffer__submit(rb, sample);
	user_ring_buffer__free(rb);
	return sample ? 0 : -1;
}

static void test_bound(struct kfunc_escape *skel)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bound); i++) {
		if (!test__start_subtest(bound[i].prog))
			continue;
		if (!strcmp(bound[i].prog, "drain_a") && post_sample(skel))
			continue;
		check_calls(find_prog_fd(skel->obj, bound[i].prog), bound[i].calls);
		check_result(skel, bound[i].prog, bound[i].result);
	}
}

/* One program in two maps, both attached: it is in the same member in both. */
static void test_two_maps(struct kfunc_escape *skel)
{
	struct bpf_link *link;

	link = bpf_map__attach_struct_ops(skel->maps.ops_escape_a);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	ASSERT_EQ(skel->bss->result, 17, "result");
	check_result(skel, "escape_a_too", 17);
	check_calls(bpf_program__fd(skel->progs.escape_a), A);
	bpf_link__destroy(link);
}

static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *t,
					    const char *name)
{
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (!strcmp(btf__name_by_offset(btf, m->name_off), name))
			return m;
	}
	PRINT_FAIL("no member %s\n", name);
	return NULL;
}

/* BTF of a program that is but one function, static, as no compiler would have it */
static int load_program_btf(int *main_id)
{
	int fd = -1, int_id;
	struct btf *btf;
	const void *raw;
	u32 size;

	btf = btf__new_empty();
	if (!ASSERT_OK_PTR(btf, "btf_new"))
		return -1;
	int_id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	*main_id = btf__add_func(btf, "main", BTF_FUNC_STATIC, btf__add_func_proto(btf, int_id));
	raw = btf__raw_data(btf, &size);
	if (ASSERT_GT(*main_id, 0, "main_id") && ASSERT_OK_PTR(raw, "btf_raw"))
		fd = bpf_btf_load(raw, size, NULL);
	ASSERT_GE(fd, 0, "btf_load");
	btf__free(btf);
	return fd;
}

/* A map of a struct_ops that has one member set, without libbpf's checks */
static int set_member(const struct btf *btf, int btf_fd, const char *ops, const char *member,
		      int prog_fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	const struct btf_member *data, *m;
	const struct btf_type *t;
	char name[64], value[1024] = {};
	int id, map_fd, err, zero = 0;
	u64 fd = prog_fd;
	int main_id;

	snprintf(name, sizeof(name), "bpf_struct_ops_%s", ops);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	if (!ASSERT_GT(id, 0, name))
		return id;
	t = btf__type_by_id(btf, id);
	data = find_member(btf, t, "data");
	if (!data || !ASSERT_LE(t->size, sizeof(value), "value_size"))
		return -E2BIG;
	m = find_member(btf, btf__type_by_id(btf, data->type), member);
	if (!m)
		return -ENOENT;
	memcpy(&value[(data->offset + m->offset) / 8], &fd, sizeof(fd));

	/* whatever it is, a map with a kernel's type needs the BTF of a program */
	opts.btf_fd = load_program_btf(&main_id);
	if (opts.btf_fd < 0)
		return -EBADF;
	opts.btf_vmlinux_value_type_id = id;
	opts.value_type_btf_obj_fd = btf_fd;
	opts.map_flags = BPF_F_LINK | BPF_F_VTYPE_BTF_OBJ_FD;
	map_fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, "ops", sizeof(zero), t->size, 1, &opts);
	close(opts.btf_fd);
	if (!ASSERT_GE(map_fd, 0, "map_create"))
		return map_fd;
	err = bpf_map_update_elem(map_fd, &zero, value, 0);
	close(map_fd);
	return err;
}

static void test_wrong_member(struct kfunc_escape *skel)
{
	int btf_fd, fd_a, fd_b, fd_noreloc, fd_tail;

	fd_a = bpf_program__fd(skel->progs.escape_a);
	fd_b = bpf_program__fd(skel->progs.escape_b);
	fd_noreloc = bpf_program__fd(skel->progs.noreloc);
	btf_fd = module_btf_fd("bpf_testmod");
	if (!ASSERT_GE(btf_fd, 0, "btf_fd"))
		return;
	fd_tail = bpf_map__fd(skel->maps.jmp_table);
	ASSERT_OK(set_member(testmod_btf, btf_fd, "bpf_testmod_reloc_ops", "test_a", fd_a),
		  "its own");
	ASSERT_EQ(set_member(testmod_btf, btf_fd, "bpf_testmod_reloc_ops", "test_b", fd_a),
		  -EINVAL, "another member");
	ASSERT_EQ(set_member(testmod_btf, btf_fd, "bpf_testmod_reloc_ops", "test_a", fd_b),
		  -EINVAL, "the other way round");
	ASSERT_EQ(set_member(testmod_btf, btf_fd, "bpf_testmod_noreloc_ops", "test_a", fd_a),
		  -EINVAL, "another struct_ops");
	ASSERT_EQ(set_member(testmod_btf, btf_fd, "bpf_testmod_reloc_ops", "test_a", fd_noreloc),
		  -EINVAL, "from another struct_ops");
	ASSERT_ERR(set_member(testmod_btf, btf_fd, "bpf_testmod_reloc_ops", "test_a", fd_tail),
		   "no program");
	close(btf_fd);
}

/* Updating a link runs the new map's programs, which are bound as they were. */
static void test_link_update(struct kfunc_escape *skel)
{
	struct bpf_link *link;

	skel->bss->result = 0;
	link = bpf_map__attach_struct_ops(skel->maps.ops_escape_a);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	ASSERT_EQ(skel->bss->result, 17, "result");
	ASSERT_OK(bpf_link__update_map(link, skel->maps.ops_escape_b), "update_b");
	ASSERT_EQ(skel->bss->result, 27, "result_b");
	ASSERT_OK(bpf_link__update_map(link, skel->maps.ops_escape_a_too), "update_a");
	ASSERT_EQ(skel->bss->result, 17, "result_a");
	ASSERT_EQ(bpf_link__update_map(link, skel->maps.ops_noreloc), -EINVAL,
		  "another struct_ops");
	ASSERT_EQ(bpf_link_update(bpf_link__fd(link), bpf_program__fd(skel->progs.escape_b), NULL),
		  -EINVAL, "a program");
	ASSERT_EQ(skel->bss->result, 17, "not run");
	check_calls(bpf_program__fd(skel->progs.escape_a), A);
	check_calls(bpf_program__fd(skel->progs.escape_b), B);
	bpf_link__destroy(link);
}

/* A program of tcp_congestion_ops, which is of vmlinux as bpf_dummy_ops is */
static int load_vmlinux_ops(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	const struct btf_member *m;
	const struct btf_type *t;
	int id;

	id = btf__find_by_name_kind(vmlinux_btf, "tcp_congestion_ops", BTF_KIND_STRUCT);
	if (!ASSERT_GT(id, 0, "tcp_congestion_ops"))
		return id;
	t = btf__type_by_id(vmlinux_btf, id);
	m = find_member(vmlinux_btf, t, "ssthresh");
	if (!m)
		return -ENOENT;
	opts.attach_btf_id = id;
	opts.expected_attach_type = m - btf_members(t);
	return bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns, ARRAY_SIZE(insns),
			     &opts);
}

/* There is no way to run a struct_ops program but through a map. */
static void test_other_attach(struct kfunc_escape *skel)
{
	LIBBPF_OPTS(bpf_test_run_opts, run_opts);
	int sk, cgroup, type, fd, prog_fd = bpf_program__fd(skel->progs.escape_a);
	u64 args[8] = {};

	run_opts.ctx_in = args;
	run_opts.ctx_size_in = sizeof(args);
	ASSERT_EQ(bpf_prog_test_run_opts(prog_fd, &run_opts), -EOPNOTSUPP, "test_run");
	fd = load_vmlinux_ops();
	if (ASSERT_GE(fd, 0, "load_vmlinux_ops")) {
		ASSERT_EQ(bpf_prog_test_run_opts(fd, &run_opts), -EOPNOTSUPP, "test_run_vmlinux");
		close(fd);
	}
	run_opts.ctx_size_in = 0;
	run_opts.ctx_in = NULL;
	ASSERT_ERR(bpf_prog_test_run_opts(prog_fd, &run_opts), "test_run without arguments");

	fd = bpf_raw_tracepoint_open("sys_enter", prog_fd);
	if (!ASSERT_LT(fd, 0, "raw_tracepoint"))
		close(fd);
	fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	if (!ASSERT_LT(fd, 0, "no raw_tracepoint"))
		close(fd);

	cgroup = test__join_cgroup("/kfunc_escape");
	if (ASSERT_GE(cgroup, 0, "join_cgroup")) {
		for (type = 0; type < __MAX_BPF_ATTACH_TYPE; type++) {
			fd = bpf_link_create(prog_fd, cgroup, type, NULL);
			if (!ASSERT_LT(fd, 0, "link_create"))
				close(fd);
			ASSERT_ERR(bpf_prog_attach(prog_fd, cgroup, type, 0), "prog_attach");
		}
		close(cgroup);
	}

	sk = socket(AF_INET, SOCK_DGRAM, 0);
	if (!ASSERT_GE(sk, 0, "socket"))
		return;
	ASSERT_ERR(setsockopt(sk, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, sizeof(prog_fd)),
		   "SO_ATTACH_BPF");
	close(sk);
}

/* What owns a prog array is known by its first program, so that must be seen. */
static void test_map_of_prog_arrays(struct kfunc_escape *skel)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int fd;

	opts.inner_map_fd = bpf_map__fd(skel->maps.jmp_table);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", sizeof(u32), sizeof(u32), 1,
			    &opts);
	if (!ASSERT_EQ(fd, -524 /* ENOTSUPP */, "array_of_maps"))
		close(fd);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", sizeof(u32), sizeof(u32), 1,
			    &opts);
	if (!ASSERT_EQ(fd, -524, "hash_of_maps"))
		close(fd);
}

static struct kfunc_escape_ext *load_ext(int target_fd, const char *func, const char *name,
					 int *err)
{
	struct kfunc_escape_ext *ext;
	struct bpf_program *prog;

	ext = kfunc_escape_ext__open();
	if (!ASSERT_OK_PTR(ext, "ext_open"))
		return NULL;
	log_buf[0] = '\0';
	bpf_object__for_each_program(prog, ext->obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	prog = bpf_object__find_program_by_name(ext->obj, name);
	bpf_program__set_log_buf(prog, log_buf, sizeof(log_buf));
	bpf_program__set_log_level(prog, 1);
	*err = bpf_program__set_attach_target(prog, target_fd, func);
	if (!*err)
		*err = kfunc_escape_ext__load(ext);
	return ext;
}

/* A program that replaces a function has no context to make a tail call with, and gets
 * into no prog array of a struct_ops program: neither of the member it is loaded for
 * nor of another struct_ops.
 */
static void test_ext_tail_call(struct kfunc_escape *skel)
{
	int err, fd, jmp = bpf_map__fd(skel->maps.jmp_table);
	struct kfunc_escape_ext *ext;
	struct bpf_link *link;
	u32 key = 0;

	ext = load_ext(bpf_program__fd(skel->progs.ctx_a), "global_ctx", "ext_tail", &err);
	ASSERT_EQ(err, -EINVAL, "caller");
	ASSERT_HAS_SUBSTR(log_buf, "is not a pointer to context", "log");
	kfunc_escape_ext__destroy(ext);

	fd = bpf_program__fd(skel->progs.escape_a);
	ASSERT_OK(bpf_map_update_elem(jmp, &key, &fd, 0), "the member's own");
	fd = bpf_program__fd(skel->progs.noreloc);
	ASSERT_EQ(bpf_map_update_elem(jmp, &key, &fd, 0), -EINVAL, "another struct_ops");

	ext = load_ext(bpf_program__fd(skel->progs.escape_a), "global_sub", "ext_sub", &err);
	if (ext && ASSERT_OK(err, "load_callee")) {
		fd = bpf_program__fd(ext->progs.ext_sub);
		ASSERT_EQ(bpf_map_update_elem(jmp, &key, &fd, 0), -EINVAL, "callee");
		/* and no tail call goes to what it replaces a function of */
		link = bpf_program__attach(ext->progs.ext_sub);
		ASSERT_ERR_PTR(link, "attach");
		ASSERT_EQ(errno, EBUSY, "attach");
	}
	kfunc_escape_ext__destroy(ext);

	ext = load_ext(bpf_program__fd(skel->progs.noreloc), "global_sub", "ext_inside", &err);
	if (ext && ASSERT_OK(err, "load_other")) {
		check_calls(bpf_program__fd(ext->progs.ext_inside), "bpf_kfunc_reloc_inside ");
		fd = bpf_program__fd(ext->progs.ext_inside);
		ASSERT_EQ(bpf_map_update_elem(jmp, &key, &fd, 0), -EINVAL, "other callee");
	}
	kfunc_escape_ext__destroy(ext);
	check_result(skel, "tail_a", 17);
	ASSERT_OK(bpf_map_delete_elem(jmp, &key), "delete");
}

/* What cannot be replaced */
static void test_ext_refused(struct kfunc_escape *skel)
{
	const struct {
		const char *name;
		int target;
		const char *func;
		const char *msg;
	} refused[] = {
		{ "static_sub", bpf_program__fd(skel->progs.escape_a), "static_sub",
		  "static_sub() is not a global function" },
		{ "exception_cb", bpf_program__fd(skel->progs.throw_a), "exception_cb",
		  "Extension programs cannot attach to exception callback" },
		/* the arguments of a member, an array of u64, are of no type */
		{ "main", bpf_program__fd(skel->progs.escape_a), "escape_a",
		  "Cannot replace static functions" },
		{ "kernel", 0, "bpf_fentry_test1", "Cannot replace kernel functions" },
	};
	struct kfunc_escape_ext *ext, *ext2;
	int i, err;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		ext = load_ext(refused[i].target, refused[i].func, "ext_plain", &err);
		ASSERT_EQ(err, -EINVAL, refused[i].name);
		if (refused[i].target)
			ASSERT_HAS_SUBSTR(log_buf, refused[i].msg, refused[i].name);
		kfunc_escape_ext__destroy(ext);
	}

	ext = load_ext(bpf_program__fd(skel->progs.escape_a), "global_sub", "ext_sub", &err);
	if (!ext || !ASSERT_OK(err, "load_ext"))
		goto out;
	ext2 = load_ext(bpf_program__fd(ext->progs.ext_sub), "ext_sub", "ext_plain", &err);
	ASSERT_EQ(err, -EINVAL, "another extension");
	ASSERT_HAS_SUBSTR(log_buf, "Cannot recursively attach", "log");
	kfunc_escape_ext__destroy(ext2);
out:
	kfunc_escape_ext__destroy(ext);
}

/* Loaded for a program of one member, attached to one of another */
static void test_ext_other_member(struct kfunc_escape *skel)
{
	struct kfunc_escape_ext *ext;
	struct bpf_link *link;
	int err;

	ext = load_ext(bpf_program__fd(skel->progs.escape_a), "global_sub", "ext_sub", &err);
	if (!ext || !ASSERT_OK(err, "load_ext"))
		goto out;
	check_calls(bpf_program__fd(ext->progs.ext_sub), OUT);
	link = bpf_program__attach_freplace(ext->progs.ext_sub,
					    bpf_program__fd(skel->progs.escape_b), "global_sub");
	if (!ASSERT_ERR_PTR(link, "another member"))
		bpf_link__destroy(link);
	link = bpf_program__attach(ext->progs.ext_sub);
	if (ASSERT_OK_PTR(link, "its own")) {
		check_result(skel, "escape_a", 37);
		ASSERT_ERR(bpf_link_update(bpf_link__fd(link),
					   bpf_program__fd(skel->progs.escape_b), NULL),
			   "link_update");
		bpf_link__destroy(link);
	}
	check_result(skel, "escape_a", 17);
out:
	kfunc_escape_ext__destroy(ext);
}

static int load_logged(const char *member, const struct bpf_insn *insns, size_t cnt,
		       struct bpf_prog_load_opts *opts)
{
	log_buf[0] = '\0';
	opts->log_buf = log_buf;
	opts->log_size = sizeof(log_buf);
	opts->log_level = 1;
	return load_raw(member, insns, cnt, opts);
}

/* Call instructions that libbpf does not make */
static void test_raw_calls(void)
{
	const struct {
		const char *name;
		struct bpf_insn call;
		const char *msg;
	} calls[] = {
		{ "no ID", CALL_KFUNC(0, 0),
		  "invalid kernel function call not eliminated in verifier pass" },
		{ "negative slot", CALL_KFUNC(-32768, func_id("bpf_kfunc_reloc_test")),
		  "negative offset disallowed for kernel module function call" },
		{ "the target", CALL_KFUNC(1, func_id("bpf_kfunc_reloc_test_a")),
		  "calling kernel function bpf_kfunc_reloc_test_a is not allowed" },
		{ "a register", BPF_RAW_INSN(BPF_JMP | BPF_CALL | BPF_X, BPF_REG_1, 0, 0, 0),
		  "unknown opcode 8d" },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 7),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		insns[1] = calls[i].call;
		ASSERT_LT(load_logged("test_a", insns, ARRAY_SIZE(insns), &opts), 0, calls[i].name);
		ASSERT_HAS_SUBSTR(log_buf, calls[i].msg, calls[i].name);
	}
}

/* The address that the first kfunc call of a program goes to */
static unsigned long first_call(int prog_fd)
{
	unsigned long addr = 0;
	struct bpf_insn *insns;
	u32 cnt, i;

	if (!ASSERT_OK(get_xlated_program(prog_fd, &insns, &cnt), "xlated"))
		return 0;
	for (i = 0; i < cnt && !addr; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL)
			addr = kfunc_calls.call_base + insns[i].imm;
	}
	free(insns);
	return addr;
}

/* That of bpf_testmod itself, and not what vmlinux has of the name */
static int own_func_id(const char *name)
{
	int id, cnt = btf__type_cnt(testmod_btf);
	const struct btf_type *t;

	for (id = btf__type_cnt(vmlinux_btf); id < cnt; id++) {
		t = btf__type_by_id(testmod_btf, id);
		if (btf_is_func(t) && !strcmp(btf__name_by_offset(testmod_btf, t->name_off), name))
			return id;
	}
	return -ENOENT;
}

/* Dead code names what the live call becomes. For that call, the verifier has looked
 * the function up by name, and vmlinux has another one of that name. The live call
 * is still of the one in the module.
 */
static void test_dead_target(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_testmod_reloc_rule rule = { .member = member_idx("test_a") };
	const char *name = "bpf_dummy_ops__test_1";
	unsigned long long vmlinux_addr;
	unsigned long addr[2];
	int fd, dead;

	if (!ASSERT_OK(kallsyms_find(name, &vmlinux_addr), "kallsyms_find"))
		return;
	rule.kfunc = func_id("bpf_kfunc_reloc_test");
	rule.answer = own_func_id(name);
	if (!ASSERT_GT(rule.answer, 0, name) || write_rules(&rule, 1))
		return;

	for (dead = 0; dead < 2; dead++) {
		struct bpf_insn insns[] = {
			BPF_MOV64_IMM(BPF_REG_1, 7),
			BPF_MOV64_IMM(BPF_REG_2, 0),
			BPF_JMP_IMM(BPF_JEQ, BPF_REG_2, 0, 1),
			BPF_MOV64_IMM(BPF_REG_0, 0),
			CALL_KFUNC(1, rule.kfunc),
			BPF_EXIT_INSN(),
		};

		if (dead)
			insns[3] = CALL_KFUNC(1, rule.answer);
		fd = load_logged("test_a", insns, ARRAY_SIZE(insns), &opts);
		if (!ASSERT_GE(fd, 0, "load"))
			return;
		addr[dead] = first_call(fd);
		close(fd);
	}
	ASSERT_NEQ(addr[0], vmlinux_addr, "not of vmlinux");
	ASSERT_EQ(addr[1], addr[0], "in spite of the dead call");
}

/* The program as a callback of its own timer */
static void test_main_is_callback(struct kfunc_escape *skel)
{
	int elems = bpf_map__fd(skel->maps.elems);
	struct bpf_insn insns[] = {
		BPF_ST_MEM(BPF_W, BPF_REG_10, -4, 0),
		BPF_MOV64_REG(BPF_REG_2, BPF_REG_10),
		BPF_ALU64_IMM(BPF_ADD, BPF_REG_2, -4),
		BPF_LD_MAP_FD(BPF_REG_1, elems),
		BPF_EMIT_CALL(BPF_FUNC_map_lookup_elem),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 13),
		BPF_MOV64_REG(BPF_REG_6, BPF_REG_0),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		BPF_LD_MAP_FD(BPF_REG_2, elems),
		BPF_MOV64_IMM(BPF_REG_3, CLOCK_MONOTONIC),
		BPF_EMIT_CALL(BPF_FUNC_timer_init),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		BPF_RAW_INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_FUNC, 0, -15),
		BPF_RAW_INSN(0, 0, 0, 0, 0),
		BPF_EMIT_CALL(BPF_FUNC_timer_set_callback),
		BPF_MOV64_IMM(BPF_REG_1, 7),
		CALL_KFUNC(1, func_id("bpf_kfunc_reloc_test")),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_func_info info = {};
	int fd, main_id;

	opts.prog_btf_fd = load_program_btf(&main_id);
	if (opts.prog_btf_fd < 0)
		return;
	info.type_id = main_id;
	opts.func_info = &info;
	opts.func_info_cnt = 1;
	opts.func_info_rec_size = sizeof(info);
	/* in test_a the call would have to mean two things */
	ASSERT_EQ(load_logged("test_a", insns, ARRAY_SIZE(insns), &opts), -EINVAL, "load_a");
	ASSERT_HAS_SUBSTR(log_buf, MSG_MAIN, "log");
	/* and in test_async it means the same */
	fd = load_logged("test_async", insns, ARRAY_SIZE(insns), &opts);
	if (ASSERT_GE(fd, 0, "load_async")) {
		check_calls(fd, OUT);
		close(fd);
	}
	close(opts.prog_btf_fd);
}

static unsigned long long init_start, init_end;

static bool is_init(const struct ksym *sym, bool twice)
{
	return !twice && sym->addr >= init_start && sym->addr < init_end;
}

/* Code that is gone after boot, or after the module was loaded, has BTF still. */
static void test_init_code(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_testmod_reloc_rule rule = { .member = member_idx("test_a") };
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 7),
		CALL_KFUNC(1, 0),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};

	rule.kfunc = func_id("bpf_kfunc_reloc_test");
	rule.answer = func_id("bpf_kfunc_reloc_test_init");
	insns[1].imm = rule.kfunc;
	if (write_rules(&rule, 1))
		return;
	ASSERT_EQ(load_logged("test_a", insns, ARRAY_SIZE(insns), &opts), -EFAULT, "load_module");
	ASSERT_HAS_SUBSTR(log_buf, "bpf_kfunc_reloc_test_init() (btf_id ", "log_module");

	/* bpf_kfunc_common_test() and many functions of vmlinux' are void(void) */
	if (!ASSERT_OK(kallsyms_find("_sinittext", &init_start), "_sinittext") ||
	    !ASSERT_OK(kallsyms_find("_einittext", &init_end), "_einittext"))
		return;
	rule.answer = find_void_func(is_init);
	if (!ASSERT_GT(rule.answer, 0, "init function"))
		return;
	rule.kfunc = func_id("bpf_kfunc_common_test");
	insns[1].imm = rule.kfunc;
	if (write_rules(&rule, 1))
		return;
	ASSERT_EQ(load_logged("test_a", insns, ARRAY_SIZE(insns), &opts), -EFAULT, "load_vmlinux");
	ASSERT_HAS_SUBSTR(log_buf, "but the latter is not there after init", "log_vmlinux");
}

/* The interpreter cannot call kfuncs at all. */
static void test_no_jit(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	const char *path = "/proc/sys/net/core/bpf_jit_enable";
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 7),
		CALL_KFUNC(1, func_id("bpf_kfunc_reloc_test")),
		BPF_EXIT_INSN(),
	};
	int fd, err;
	char old;

	fd = open(path, O_RDWR);
	if (!ASSERT_GE(fd, 0, path))
		return;
	if (!ASSERT_EQ(pread(fd, &old, 1, 0), 1, "read"))
		goto out;
	err = pwrite(fd, "0", 1, 0) == 1 ? 0 : -errno;
	if (err) {
		/* CONFIG_BPF_JIT_ALWAYS_ON: there is no interpreter */
		ASSERT_EQ(err, -EINVAL, "always on");
		goto out;
	}
	ASSERT_LT(load_logged("test_a", insns, ARRAY_SIZE(insns), &opts), 0, "load");
	ASSERT_EQ(pwrite(fd, &old, 1, 0), 1, "restore");
out:
	close(fd);
}

static struct kfunc_escape_stale *load_stale(const char *name, int *prog_fd)
{
	struct kfunc_escape_stale *skel;

	skel = kfunc_escape_stale__open();
	if (!ASSERT_OK_PTR(skel, "stale_open"))
		return NULL;
	load_only(skel->obj, name);
	if (ASSERT_OK(kfunc_escape_stale__load(skel), "stale_load")) {
		*prog_fd = dup(find_prog_fd(skel->obj, name));
		if (ASSERT_GE(*prog_fd, 0, "dup"))
			return skel;
	}
	kfunc_escape_stale__destroy(skel);
	return NULL;
}

static int load_ext_stale(struct kfunc_escape_stale **skel, int target)
{
	struct bpf_program *prog;

	*skel = kfunc_escape_stale__open();
	if (!ASSERT_OK_PTR(*skel, "ext_open"))
		return -ENOMEM;
	load_only((*skel)->obj, "ext_stale");
	prog = (*skel)->progs.ext_stale;
	log_buf[0] = '\0';
	bpf_program__set_log_buf(prog, log_buf, sizeof(log_buf));
	bpf_program__set_log_level(prog, 1);
	if (!ASSERT_OK(bpf_program__set_attach_target(prog, target, "global_sub"), "target"))
		return -EINVAL;
	return kfunc_escape_stale__load(*skel);
}

/* A program of a module that was unloaded is none of the module that was loaded
 * next, although all BTF IDs are the same: those of two modules collide anyway. It
 * gets into no map, prog array or trampoline of the latter.
 */
static void test_stale(void)
{
	struct kfunc_escape_stale *skel, *ext = NULL, *ext2 = NULL;
	int old_fd, new_fd = -1, tail_fd = -1, btf_fd = -1, old_id, jmp;
	struct btf *btf = NULL;
	struct bpf_link *link;
	u32 key = 0;

	if (!ASSERT_OK(load_module_params(TABLE_MODULE ".ko", ""), "load_module"))
		return;
	btf_fd = module_btf_fd(TABLE_MODULE);
	skel = load_stale("stale", &old_fd);
	kfunc_escape_stale__destroy(skel);
	btf = btf__load_module_btf(TABLE_MODULE, vmlinux_btf);
	unload_idle_module(TABLE_MODULE);
	if (!skel || !ASSERT_GE(btf_fd, 0, "btf_fd") || !ASSERT_OK_PTR(btf, "btf"))
		goto out;
	old_id = btf__find_by_name_kind(btf, TABLE_OPS, BTF_KIND_STRUCT);
	btf__free(btf);
	btf = NULL;

	/* while there is no such module */
	{
		LIBBPF_OPTS(bpf_prog_load_opts, opts);
		struct bpf_insn insns[] = {
			BPF_MOV64_IMM(BPF_REG_0, 0),
			BPF_EXIT_INSN(),
		};

		opts.attach_btf_obj_fd = btf_fd;
		opts.attach_btf_id = old_id;
		ASSERT_LT(bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns,
					ARRAY_SIZE(insns), &opts), 0, "no module");
	}
	ASSERT_EQ(load_ext_stale(&ext, old_fd), -ENXIO, "ext of a stale program");
	ASSERT_HAS_SUBSTR(log_buf, "struct_ops module " TABLE_MODULE " is not found", "log");
	kfunc_escape_stale__destroy(ext);
	ext = NULL;

	if (!ASSERT_OK(load_module_params(TABLE_MODULE ".ko", ""), "load_again"))
		goto out;
	close(btf_fd);
	btf_fd = module_btf_fd(TABLE_MODULE);
	btf = btf__load_module_btf(TABLE_MODULE, vmlinux_btf);
	if (!ASSERT_GE(btf_fd, 0, "btf_fd") || !ASSERT_OK_PTR(btf, "btf"))
		goto unload;
	ASSERT_EQ(btf__find_by_name_kind(btf, TABLE_OPS, BTF_KIND_STRUCT), old_id, "same IDs");

	skel = load_stale("stale", &new_fd);
	kfunc_escape_stale__destroy(skel);
	if (!skel)
		goto unload;
	ASSERT_OK(set_member(btf, btf_fd, TABLE_OPS, "first", new_fd), "map, new program");
	ASSERT_EQ(set_member(btf, btf_fd, TABLE_OPS, "first", old_fd), -EINVAL,
		  "map, stale program");

	skel = load_stale("stale_tail", &tail_fd);
	if (skel) {
		jmp = bpf_map__fd(skel->maps.jmp_table);
		ASSERT_OK(bpf_map_update_elem(jmp, &key, &new_fd, 0), "tail call, new program");
		ASSERT_EQ(bpf_map_update_elem(jmp, &key, &old_fd, 0), -EINVAL,
			  "tail call, stale program");
		close(tail_fd);
	}
	kfunc_escape_stale__destroy(skel);

	if (ASSERT_OK(load_ext_stale(&ext2, new_fd), "ext")) {
		link = bpf_program__attach_freplace(ext2->progs.ext_stale, old_fd, "global_sub");
		if (!ASSERT_ERR_PTR(link, "ext of a new program, to a stale one"))
			bpf_link__destroy(link);
	}
	kfunc_escape_stale__destroy(ext2);
	close(new_fd);
unload:
	btf__free(btf);
	unload_idle_module(TABLE_MODULE);
out:
	if (skel)
		close(old_fd);
	if (btf_fd >= 0)
		close(btf_fd);
}

static volatile bool stop_loading;

static void *load_and_unload(void *cnt)
{
	while (!stop_loading) {
		if (load_module_params(TABLE_MODULE ".ko", ""))
			continue;
		usleep(20000);
		while (delete_module(TABLE_MODULE, O_NONBLOCK) && !stop_loading)
			usleep(1000);
		(*(int *)cnt)++;
	}
	return NULL;
}

/* Programs of a module that comes and goes meanwhile: they load and are bound as
 * ever, and then the module stays, or it is too late for them.
 */
static void test_unload_race(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 7),
		CALL_KFUNC(0, 0),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 2),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
		CALL_KFUNC(0, 0),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	int fd, btf_fd, id, i, modules = 0, loaded = 0, late = 0;
	struct kfunc_calls kc;
	struct btf *btf;
	pthread_t thread;
	u64 end;

	/* all IDs are the same every time */
	if (!ASSERT_OK(load_module_params(TABLE_MODULE ".ko", ""), "load_module"))
		return;
	btf = btf__load_module_btf(TABLE_MODULE, vmlinux_btf);
	unload_idle_module(TABLE_MODULE);
	if (!ASSERT_OK_PTR(btf, "btf"))
		return;
	id = btf__find_by_name_kind(btf, TABLE_OPS, BTF_KIND_STRUCT);
	insns[1].imm = btf__find_by_name_kind(btf, "bpf_task_from_pid", BTF_KIND_FUNC);
	insns[4].imm = btf__find_by_name_kind(btf, "bpf_task_release", BTF_KIND_FUNC);
	if (!ASSERT_OK(pthread_create(&thread, NULL, load_and_unload, &modules), "thread"))
		goto out;

	end = get_time_ns() + 60000000000ULL;
	while (READ_ONCE(modules) < 20 && get_time_ns() < end) {
		btf_fd = module_btf_fd(TABLE_MODULE);
		if (btf_fd < 0)
			continue;
		/* second: relocated to a function of the module */
		opts.attach_btf_obj_fd = btf_fd;
		opts.attach_btf_id = id;
		opts.expected_attach_type = 1;
		for (i = 0; i < 3; i++) {
			fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns,
					   ARRAY_SIZE(insns), &opts);
			if (fd < 0) {
				late++;
				break;
			}
			/* the program holds it, so this can wait for the symbols */
			if (!loaded++ && !kfunc_calls_open(&kc, btf, is_task_kfunc)) {
				kfunc_calls_check(&kc, fd, "bpf_test_kfunc_table_current ");
				kfunc_calls_close(&kc);
			}
			if (module_refcnt(TABLE_MODULE) <= 0)
				PRINT_FAIL("%s is not held\n", TABLE_MODULE);
			close(fd);
		}
		close(btf_fd);
		/* programs hold it until they are freed */
		kern_sync_rcu();
	}
	stop_loading = true;
	pthread_join(thread, NULL);
	stop_loading = false;
	if (module_refcnt(TABLE_MODULE) >= 0)
		unload_idle_module(TABLE_MODULE);
	ASSERT_GT(loaded, 0, "loaded");
	ASSERT_GE(modules, 5, "modules");
	if (env.verbosity > VERBOSE_NONE)
		printf("%d modules, %d programs, %d too late\n", modules, loaded, late);
out:
	btf__free(btf);
}

/* serial: what a kfunc means is global to bpf_testmod, and modules come and go */
void serial_test_kfunc_escape(void)
{
	struct kfunc_escape *skel;

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

	RUN_TESTS(kfunc_escape_fail);
	skel = kfunc_escape__open_and_load();
	if (!ASSERT_OK_PTR(skel, "kfunc_escape"))
		goto close_calls;
	test_bound(skel);
	if (test__start_subtest("two_maps"))
		test_two_maps(skel);
	if (test__start_subtest("wrong_member"))
		test_wrong_member(skel);
	if (test__start_subtest("link_update"))
		test_link_update(skel);
	if (test__start_subtest("other_attach"))
		test_other_attach(skel);
	if (test__start_subtest("map_of_prog_arrays"))
		test_map_of_prog_arrays(skel);
	if (test__start_subtest("ext_tail_call"))
		test_ext_tail_call(skel);
	if (test__start_subtest("ext_refused"))
		test_ext_refused(skel);
	if (test__start_subtest("ext_other_member"))
		test_ext_other_member(skel);
	if (test__start_subtest("raw_calls"))
		test_raw_calls();
	if (test__start_subtest("main_is_callback"))
		test_main_is_callback(skel);
	if (test__start_subtest("no_jit"))
		test_no_jit();
	kfunc_escape__destroy(skel);
	if (test__start_subtest("dead_target"))
		test_dead_target();
	if (test__start_subtest("init_code"))
		test_init_code();
	if (test__start_subtest("stale"))
		test_stale();
	if (test__start_subtest("unload_race"))
		test_unload_race();
	write_rules(NULL, 0);
close_calls:
	kfunc_calls_close(&kfunc_calls);
out:
	close_btfs();
}
