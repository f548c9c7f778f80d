// SPDX-License-Identifier: GPL-2.0
/*
 * Load a program for each member of the struct_ops of sched_ext, each kfunc of
 * sched_ext, and each place that the call can be made from: the main program,
 * and the callbacks that it can arm. kfunc_matrix.h has what is expected. And
 * load a program of each other type that the kfuncs are there for, one of
 * another struct_ops, and extensions of them, with each kfunc.
 *
 * Those are many. Unless SCX_KFUNC_MATRIX is set in the environment, only the
 * kfuncs are tried that are marked as context-sensitive and three others, and
 * callbacks only with the members that are marked.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/filter.h>
#include <linux/kernel.h>
#include <scx/common.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "kfunc_matrix.h"
#include "scx_test.h"
#include "util.h"

/* BPF_LOG_STATS of the kernel: what is wrong, but no trace of the walk */
#define LOG_LEVEL	4

static struct btf *btf;
static int ops_ids[NR_OPS];
static int map_fds[NR_SITES], arena_fd, prog_btf_fd;
static struct bpf_func_info func_info[2], target_info[2];
static char kernel_log[4096];
static int nr_loaded, nr_refused, nr_bound, nr_wrong;

static const struct {
	const char *name;
	const char *type;	/* in the value of the map */
	int size;
} sites[] = {
	[MAIN]		= { "main program" },
	[TIMER]		= { "timer", "bpf_timer", 16 },
	[WQ]		= { "workqueue", "bpf_wq", 16 },
	[TASK_WORK]	= { "task_work", "bpf_task_work", 8 },
};

struct gen {
	struct bpf_insn insns[64];
	int cnt;
};

static void emit(struct gen *g, struct bpf_insn insn)
{
	if (g->cnt == ARRAY_SIZE(g->insns))
		abort();
	g->insns[g->cnt++] = insn;
}

static void emit_ld_imm64(struct gen *g, int reg, int src, int imm)
{
	emit(g, BPF_RAW_INSN(BPF_LD | BPF_DW | BPF_IMM, reg, src, 0, imm));
	emit(g, BPF_RAW_INSN(0, 0, 0, 0, 0));
}

static void emit_stack_ptr(struct gen *g, int reg, int off)
{
	emit(g, BPF_MOV64_REG(reg, BPF_REG_FP));
	emit(g, BPF_ALU64_IMM(BPF_ADD, reg, off));
}

/* The lookup in BTF is slow, so remember what is asked for again and again. */
static int func_id(const char *name)
{
	static struct {
		const char *name;
		int id;
	} cache[256];
	int i;

	for (i = 0; i < ARRAY_SIZE(cache) && cache[i].name; i++)
		if (!strcmp(cache[i].name, name))
			return cache[i].id;
	if (i == ARRAY_SIZE(cache))
		abort();
	cache[i].name = name;
	cache[i].id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	return cache[i].id;
}

static void emit_kfunc(struct gen *g, const char *name)
{
	emit(g, BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, func_id(name)));
}

static int cpus_ptr_off(void)
{
	const struct btf_type *t;
	const struct btf_member *m;
	static int off = -1;
	int i;

	if (off >= 0)
		return off;
	t = btf__type_by_id(btf, btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT));
	for (i = 0, m = btf_members(t); i < btf_vlen(t); i++, m++)
		if (!strcmp(btf__name_by_offset(btf, m->name_off), "cpus_ptr"))
			off = btf_member_bit_offset(t, i) / 8;
	return off;
}

static void emit_exit(struct gen *g)
{
	emit(g, BPF_MOV64_IMM(BPF_REG_0, 0));
	emit(g, BPF_EXIT_INSN());
}

#define STACK_DATA	-40
#define STACK_ITER	-112

static void emit_call(struct gen *g, const struct kfunc *k, bool sleepable)
{
	bool lock = sleepable && !k->sleepable;
	const char *arg;
	int reg, off;

	if (lock)
		emit_kfunc(g, "bpf_rcu_read_lock");
	if (strpbrk(k->args, "tm")) {
		emit(g, BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf));
		emit(g, BPF_MOV64_REG(BPF_REG_6, BPF_REG_0));
	}
	if (k->acquire) {
		emit_kfunc(g, k->acquire);
		emit(g, BPF_MOV64_REG(BPF_REG_7, BPF_REG_0));
	}
	if (strchr(k->args, 'i')) {
		emit_stack_ptr(g, BPF_REG_1, STACK_ITER);
		emit(g, BPF_MOV64_IMM(BPF_REG_2, 0));
		emit(g, BPF_MOV64_IMM(BPF_REG_3, 0));
		emit_kfunc(g, "bpf_iter_scx_dsq_new");
	}
	for (off = STACK_DATA; off < 0; off += 8)
		emit(g, BPF_ST_MEM(BPF_DW, BPF_REG_FP, off, 0));

	for (arg = k->args, reg = BPF_REG_1; *arg; arg++, reg++) {
		switch (*arg) {
		case 't':
			emit(g, BPF_MOV64_REG(reg, BPF_REG_6));
			break;
		case 'm':
			emit(g, BPF_LDX_MEM(BPF_DW, reg, BPF_REG_6, cpus_ptr_off()));
			break;
		case 'r':
			emit(g, BPF_MOV64_REG(reg, BPF_REG_7));
			break;
		case 'i':
			emit_stack_ptr(g, reg, STACK_ITER);
			break;
		case 'd':
			emit_stack_ptr(g, reg, STACK_DATA);
			break;
		default:
			emit(g, BPF_MOV64_IMM(reg, *arg - '0'));
		}
	}
	/* the first and the last call for an iterator are made anyway */
	if (strcmp(k->args, "i") || !strcmp(k->name, "bpf_iter_scx_dsq_next"))
		emit_kfunc(g, k->name);
	if (k->release) {
		emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_0));
		emit_kfunc(g, k->release);
	}
	if (strchr(k->args, 'i')) {
		emit_stack_ptr(g, BPF_REG_1, STACK_ITER);
		emit_kfunc(g, "bpf_iter_scx_dsq_destroy");
	}
	if (lock)
		emit_kfunc(g, "bpf_rcu_read_unlock");
	emit_exit(g);
}

/* A main program that arms the callback which follows */
static void emit_async(struct gen *g, enum site site)
{
	int branch, ref;

	emit(g, BPF_ST_MEM(BPF_W, BPF_REG_FP, -4, 0));
	emit_stack_ptr(g, BPF_REG_2, -4);
	emit_ld_imm64(g, BPF_REG_1, BPF_PSEUDO_MAP_FD, map_fds[site]);
	emit(g, BPF_EMIT_CALL(BPF_FUNC_map_lookup_elem));
	branch = g->cnt;
	emit(g, BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 0));
	emit(g, BPF_MOV64_REG(BPF_REG_6, BPF_REG_0));

	if (site == TASK_WORK) {
		emit(g, BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf));
		emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_0));
		emit(g, BPF_MOV64_REG(BPF_REG_2, BPF_REG_6));
		emit_ld_imm64(g, BPF_REG_3, BPF_PSEUDO_MAP_FD, map_fds[site]);
		ref = g->cnt;
		emit_ld_imm64(g, BPF_REG_4, BPF_PSEUDO_FUNC, 0);
		emit_kfunc(g, "bpf_task_work_schedule_signal");
	} else {
		emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_6));
		emit_ld_imm64(g, BPF_REG_2, BPF_PSEUDO_MAP_FD, map_fds[site]);
		emit(g, BPF_MOV64_IMM(BPF_REG_3, site == WQ ? 0 : CLOCK_MONOTONIC));
		if (site == WQ)
			emit_kfunc(g, "bpf_wq_init");
		else
			emit(g, BPF_EMIT_CALL(BPF_FUNC_timer_init));

		emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_6));
		ref = g->cnt;
		emit_ld_imm64(g, BPF_REG_2, BPF_PSEUDO_FUNC, 0);
		emit(g, BPF_MOV64_IMM(BPF_REG_3, 0));
		emit(g, BPF_MOV64_IMM(BPF_REG_4, 0));
		if (site == WQ)
			emit_kfunc(g, WQ_SET_CALLBACK);
		else
			emit(g, BPF_EMIT_CALL(BPF_FUNC_timer_set_callback));
	}
	g->insns[branch].off = g->cnt - branch - 1;
	emit_exit(g);

	g->insns[ref].imm = g->cnt - ref - 1;
	func_info[1].insn_off = g->cnt;
}

static void try(const struct kfunc *k, const struct member *m, int idx, int ops,
		enum site site)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .attach_btf_id = ops_ids[ops],
		    .expected_attach_type = idx,
		    .prog_flags = m->sleepable ? BPF_F_SLEEPABLE : 0,
		    .log_buf = kernel_log,
		    .log_size = sizeof(kernel_log),
		    .log_level = LOG_LEVEL);
	bool sleepable = may_sleep(m, site);
	const char *func = bound_to(k, site == MAIN ? m : NULL, ops);
	struct gen g = {};
	char expected[256];
	bool ok;
	int fd;

	/* arguments that point to it want an arena */
	emit_ld_imm64(&g, BPF_REG_0, BPF_PSEUDO_MAP_FD, arena_fd);
	if (site != MAIN) {
		emit_async(&g, site);
		opts.prog_btf_fd = prog_btf_fd;
		opts.func_info = func_info;
		opts.func_info_rec_size = sizeof(func_info[0]);
		opts.func_info_cnt = ARRAY_SIZE(func_info);
	}
	emit_call(&g, k, sleepable);

	if (k->sleepable && !sleepable) {
		func = NULL;
		snprintf(expected, sizeof(expected),
			 "program must be sleepable to call sleepable kfunc %s", k->name);
	} else if (site == MAIN) {
		snprintf(expected, sizeof(expected), "%s() cannot be called from %s.%s",
			 k->acquire ?: k->name, ops_names[ops], m->names[ops]);
	} else {
		snprintf(expected, sizeof(expected),
			 "%s() cannot be called from an asynchronous callback of a %s program, callback()",
			 k->acquire ?: k->name, ops_names[ops]);
	}

	kernel_log[0] = '\0';
	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "kfunc_matrix", "GPL", g.insns, g.cnt,
			   &opts);
	if (fd >= 0) {
		nr_loaded++;
		ok = func;
		if (func && func != k->name) {
			nr_bound++;
			ok = count_kfunc_calls(fd, func) == 1 && !count_kfunc_calls(fd, k->name);
		}
		close(fd);
	} else if (strstr(kernel_log, "attach to unsupported member")) {
		/* not by this form, or this configuration */
		ok = true;
	} else {
		const char *line = strstr(kernel_log, expected);

		nr_refused++;
		/* not that of dump_cpu for dump */
		ok = !func && line && strchr(";\n ", line[strlen(expected)]);
	}
	if (ok)
		return;
	nr_wrong++;
	printf("%s() in %s.%s, %s: expected %s, %s\n%s\n", k->name, ops_names[ops],
	       m->names[ops], sites[site].name, func ?: expected,
	       fd < 0 ? "does not load" : "loads", kernel_log);
}

static int member_idx(int ops_id, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, ops_id);
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), name))
			return i;
	return -1;
}

static int syscall_fd, ssthresh_fd;

/* Load programs with a global function, to be replaced by an extension program */
static int load_targets(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .prog_btf_fd = prog_btf_fd,
		    .func_info = target_info,
		    .func_info_rec_size = sizeof(target_info[0]),
		    .func_info_cnt = ARRAY_SIZE(target_info),
		    .prog_flags = BPF_F_SLEEPABLE);
	const struct bpf_insn insns[] = {
		BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1),
		BPF_EXIT_INSN(),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	int tcp_id = btf__find_by_name_kind(btf, "tcp_congestion_ops", BTF_KIND_STRUCT);

	target_info[1].insn_off = 2;
	syscall_fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "target", "GPL", insns,
				   ARRAY_SIZE(insns), &opts);
	if (syscall_fd < 0)
		return syscall_fd;
	opts.prog_flags = 0;
	opts.attach_btf_id = tcp_id;
	opts.expected_attach_type = member_idx(tcp_id, "ssthresh");
	ssthresh_fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "target", "GPL", insns,
				    ARRAY_SIZE(insns), &opts);
	return ssthresh_fd < 0 ? ssthresh_fd : 0;
}

/* Programs that are no operation, nor part of one */
static void try_others(const struct kfunc *k)
{
	int tcp_id = btf__find_by_name_kind(btf, "tcp_congestion_ops", BTF_KIND_STRUCT);
	const struct {
		const char *name;
		enum bpf_prog_type type;
		bool allowed;
		bool sleepable;
		enum bpf_attach_type attach_type;
		int btf_id;
		int target_fd;
	} others[] = {
		{ "a syscall program", BPF_PROG_TYPE_SYSCALL,
		  .allowed = !k->groups || k->groups & UNLOCKED, .sleepable = true },
		{ "an fentry program", BPF_PROG_TYPE_TRACING, .allowed = !k->groups,
		  .attach_type = BPF_TRACE_FENTRY, .btf_id = func_id("bpf_fentry_test1") },
		{ "tcp_congestion_ops.ssthresh", BPF_PROG_TYPE_STRUCT_OPS,
		  .attach_type = member_idx(tcp_id, "ssthresh"), .btf_id = tcp_id },
		{ "an extension of a syscall program", BPF_PROG_TYPE_EXT,
		  .allowed = !k->groups || k->groups & UNLOCKED,
		  .btf_id = target_info[1].type_id, .target_fd = syscall_fd },
		{ "an extension of tcp_congestion_ops.ssthresh", BPF_PROG_TYPE_EXT,
		  .btf_id = target_info[1].type_id, .target_fd = ssthresh_fd },
	}, *o;
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .log_buf = kernel_log,
		    .log_size = sizeof(kernel_log),
		    .log_level = LOG_LEVEL);
	bool ok;
	int fd;

	for (o = others; o < others + ARRAY_SIZE(others); o++) {
		struct bpf_func_info info = { .type_id = o->btf_id };
		bool ext = o->type == BPF_PROG_TYPE_EXT;
		struct gen g = {};

		/* extension programs do not sleep */
		if (ext && k->sleepable)
			continue;
		opts.attach_btf_id = o->btf_id;
		opts.expected_attach_type = o->attach_type;
		opts.prog_flags = o->sleepable ? BPF_F_SLEEPABLE : 0;
		opts.attach_prog_fd = o->target_fd;
		opts.prog_btf_fd = ext ? prog_btf_fd : 0;
		opts.func_info = ext ? &info : NULL;
		opts.func_info_rec_size = sizeof(info);
		opts.func_info_cnt = ext;
		emit_ld_imm64(&g, BPF_REG_0, BPF_PSEUDO_MAP_FD, arena_fd);
		if (o->allowed) {
			emit_call(&g, k, o->sleepable);
		} else { /* its arguments are not looked at */
			emit_kfunc(&g, k->name);
			emit_exit(&g);
		}

		kernel_log[0] = '\0';
		fd = bpf_prog_load(o->type, "kfunc_matrix", "GPL", g.insns, g.cnt, &opts);
		if (fd >= 0) {
			nr_loaded++;
			ok = o->allowed;
			close(fd);
		} else {
			nr_refused++;
			ok = !o->allowed && strstr(kernel_log, " is not allowed\n");
		}
		if (ok)
			continue;
		nr_wrong++;
		printf("%s() in %s: expected that it %s, but it %s\n%s\n", k->name, o->name,
		       o->allowed ? "loads" : "is not allowed", fd < 0 ? "does not load" : "loads",
		       kernel_log);
	}
}

/* Does the kernel have a member or a kfunc that the tables lack? */
static bool are_tables_complete(void)
{
	const struct btf_member *bm;
	const struct btf_type *t;
	bool complete = true;
	const char *name;
	int i, j, ops, n;

	for (ops = 0; ops < NR_OPS; ops++) {
		t = btf__type_by_id(btf, ops_ids[ops]);
		for (i = 0, bm = btf_members(t); i < btf_vlen(t); i++, bm++) {
			const struct btf_type *mt = btf__type_by_id(btf, bm->type);

			if (!btf_is_ptr(mt) || !btf_is_func_proto(btf__type_by_id(btf, mt->type)))
				continue;
			name = btf__name_by_offset(btf, bm->name_off);
			for (j = 0; j < ARRAY_SIZE(members); j++)
				if (members[j].names[ops] && !strcmp(members[j].names[ops], name))
					break;
			if (j == ARRAY_SIZE(members)) {
				printf("No %s.%s in the table\n", ops_names[ops], name);
				complete = false;
			}
		}
	}

	for (i = 1, n = btf__type_cnt(btf); i < n; i++) {
		t = btf__type_by_id(btf, i);
		if (!btf_is_decl_tag(t) ||
		    strcmp(btf__name_by_offset(btf, t->name_off), "bpf_kfunc"))
			continue;
		name = btf__name_by_offset(btf, btf__type_by_id(btf, t->type)->name_off);
		if (strncmp(name, "scx_bpf_", 8) && strncmp(name, "__scx_bpf_", 10) &&
		    strncmp(name, "bpf_iter_scx_", 13))
			continue;
		for (j = 0; j < ARRAY_SIZE(kfuncs); j++)
			if (!strcmp(kfuncs[j].name, name))
				break;
		if (j == ARRAY_SIZE(kfuncs)) {
			printf("No %s() in the table\n", name);
			complete = false;
		}
	}
	return complete;
}

static int create_objects(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, arena_opts, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int id_int, id_u64, id_ptr, id, value_ids[NR_SITES];
	struct btf *b = btf__new_empty();
	enum site site;

	if (!b)
		return -errno;
	id_int = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	id_u64 = btf__add_int(b, "u64", 8, 0);
	id_ptr = btf__add_ptr(b, 0);
	for (site = TIMER; site < NR_SITES; site++) {
		int size = sites[site].size;

		id = btf__add_array(b, id_int, id_u64, size / 8);
		value_ids[site] = btf__add_struct(b, sites[site].type, size);
		btf__add_field(b, "__opaque", id, 0, 0);
		id = value_ids[site];
		value_ids[site] = btf__add_struct(b, "elem", size);
		btf__add_field(b, "field", id, 0, 0);
	}
	id = btf__add_func_proto(b, id_int);
	btf__add_func_param(b, "ctx", id_ptr);
	func_info[0].type_id = btf__add_func(b, "prog", BTF_FUNC_GLOBAL, id);
	id = btf__add_func_proto(b, id_int);
	btf__add_func_param(b, "map", id_ptr);
	btf__add_func_param(b, "key", id_ptr);
	btf__add_func_param(b, "value", id_ptr);
	func_info[1].type_id = btf__add_func(b, "callback", BTF_FUNC_STATIC, id);
	target_info[0].type_id = func_info[0].type_id;
	id = btf__add_func_proto(b, id_int);
	target_info[1].type_id = btf__add_func(b, "replaced", BTF_FUNC_GLOBAL, id);

	if (btf__load_into_kernel(b)) {
		btf__free(b);
		return -errno;
	}
	prog_btf_fd = dup(btf__fd(b));
	btf__free(b);

	opts.btf_fd = prog_btf_fd;
	opts.btf_key_type_id = id_int;
	for (site = TIMER; site < NR_SITES; site++) {
		opts.btf_value_type_id = value_ids[site];
		map_fds[site] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kfunc_matrix", sizeof(int),
					       sites[site].size, 1, &opts);
		if (map_fds[site] < 0)
			return map_fds[site];
	}
	/* it has no address before it is mapped */
	arena_fd = bpf_map_create(BPF_MAP_TYPE_ARENA, "kfunc_matrix", 0, 0, 1, &arena_opts);
	if (arena_fd < 0)
		return arena_fd;
	if (mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, arena_fd,
		 0) == MAP_FAILED)
		return -errno;
	return load_targets();
}

static enum scx_test_status run(void *ctx)
{
	bool all = getenv("SCX_KFUNC_MATRIX");
	const struct member *m;
	const struct kfunc *k;
	int err, ops, idx;
	enum site site;

	btf = btf__load_vmlinux_btf();
	SCX_FAIL_IF(!btf, "No BTF of the kernel");
	for (ops = 0; ops < NR_OPS; ops++) {
		ops_ids[ops] = btf__find_by_name_kind(btf, ops_names[ops], BTF_KIND_STRUCT);
		SCX_FAIL_IF(ops_ids[ops] < 0, "No %s in the kernel", ops_names[ops]);
	}
	SCX_FAIL_IF(!are_tables_complete(), "The tables lack something");
	err = create_objects();
	SCX_FAIL_IF(err, "Failed to create maps, or targets of extensions: %d", err);

	for (k = kfuncs; k < kfuncs + ARRAY_SIZE(kfuncs); k++) {
		/* depends on the configuration, as members do */
		if (func_id(k->name) < 0 || !(all || k->tried))
			continue;
		try_others(k);
		for (ops = 0; ops < NR_OPS; ops++) {
			for (m = members; m < members + ARRAY_SIZE(members); m++) {
				idx = m->names[ops] ? member_idx(ops_ids[ops], m->names[ops]) : -1;
				if (idx < 0)
					continue;
				for (site = MAIN; site < NR_SITES; site++)
					if (site == MAIN || all || m->tried_async)
						try(k, m, idx, ops, site);
			}
		}
	}
	btf__free(btf);

	printf("%d programs load, %d calls of them bound, %d are refused, %d not as expected\n",
	       nr_loaded, nr_bound, nr_refused, nr_wrong);
	SCX_GT(nr_loaded, 0);
	SCX_GT(nr_bound, 0);
	SCX_EQ(nr_wrong, 0);
	return SCX_TEST_PASS;
}

struct scx_test kfunc_matrix = {
	.name = "kfunc_matrix",
	.description = "Verify from where each kfunc can be called, and what the call is then",
	.run = run,
};

REGISTER_SCX_TEST(&kfunc_matrix)
