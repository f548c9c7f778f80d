// SPDX-License-Identifier: GPL-2.0
/*
 * Every member of struct sched_ext_ops times every kfunc of sched_ext: does a
 * program of the member that calls the kfunc load, from its main program and
 * from a timer's callback, and which function does it call then? The same for
 * programs of other types.
 *
 * What is expected is in kfunc_matrix.h.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/filter.h>
#include <linux/kernel.h>
#include <scx/common.h>
#include <time.h>
#include <unistd.h>
#include "kfunc_matrix.h"
#include "scx_test.h"
#include "util.h"

/* What the kernel has */
static struct btf *btf;
static struct kernel_func funcs[ARRAY_SIZE(kfuncs)];
static int timer_map_fd, wq_map_fd, prog_btf_fd;
static struct bpf_func_info func_info[2];

static char kernel_log[64 * 1024];
static int nr_tried, nr_failed;

/*
 * The programs
 */

struct gen {
	struct bpf_insn insns[64];
	int cnt;
	bool failed;
};

static void emit(struct gen *g, struct bpf_insn insn)
{
	if (g->cnt == ARRAY_SIZE(g->insns))
		g->failed = true;
	else
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

static int kfunc_id(const char *name)
{
	/* the few that are called often, in a BTF of many */
	static struct {
		const char *name;
		int id;
	} ids[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(ids) && ids[i].name; i++)
		if (!strcmp(ids[i].name, name))
			return ids[i].id;
	if (i == ARRAY_SIZE(ids))
		return -ENOSPC;
	ids[i].name = name;
	ids[i].id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	return ids[i].id;
}

static void emit_kfunc(struct gen *g, const char *name)
{
	int id = kfunc_id(name);

	if (id < 0)
		g->failed = true;
	emit(g, BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, id));
}

static void emit_exit(struct gen *g)
{
	emit(g, BPF_MOV64_IMM(BPF_REG_0, 0));
	emit(g, BPF_EXIT_INSN());
}

#define STACK_FMT	-8
#define STACK_DATA	-16
#define STACK_BOOL	-24
#define STACK_ITER	-80

/* A function that calls the kfunc */
static void emit_call(struct gen *g, const struct kfunc *k, bool sleepable)
{
	bool iter = strpbrk(k->args, "i-");
	const char *arg;
	int reg;

	/* iterators want it, and what is to sleep must not have it */
	if (sleepable && iter)
		emit_kfunc(g, "bpf_rcu_read_lock");

	if (strchr(k->args, 't')) {
		emit(g, BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf));
		emit(g, BPF_MOV64_REG(BPF_REG_6, BPF_REG_0));
	}
	if (strpbrk(k->args, "mMI")) {
		emit_kfunc(g, strchr(k->args, 'I') ? "scx_bpf_get_idle_cpumask" :
						     "scx_bpf_get_online_cpumask");
		emit(g, BPF_MOV64_REG(BPF_REG_7, BPF_REG_0));
	}
	if (iter) {
		emit_stack_ptr(g, BPF_REG_1, STACK_ITER);
		emit(g, BPF_MOV64_IMM(BPF_REG_2, 0));
		emit(g, BPF_MOV64_IMM(BPF_REG_3, 0));
		emit_kfunc(g, "bpf_iter_scx_dsq_new");
	}
	emit(g, BPF_ST_MEM(BPF_DW, BPF_REG_FP, STACK_FMT, 0));
	emit(g, BPF_ST_MEM(BPF_DW, BPF_REG_FP, STACK_DATA, 0));
	emit(g, BPF_ST_MEM(BPF_DW, BPF_REG_FP, STACK_BOOL, 0));

	for (arg = k->args, reg = BPF_REG_1; *arg; arg++, reg++) {
		switch (*arg) {
		case '0':
			emit(g, BPF_MOV64_IMM(reg, 0));
			break;
		case 't':
			emit(g, BPF_MOV64_REG(reg, BPF_REG_6));
			break;
		case 'b':
			emit_stack_ptr(g, reg, STACK_BOOL);
			break;
		case 'f':
			emit_stack_ptr(g, reg, STACK_FMT);
			break;
		case 'a':
			emit_stack_ptr(g, reg, STACK_DATA);
			break;
		case 'z':
			emit(g, BPF_MOV64_IMM(reg, 8));
			break;
		case 'i':
			emit_stack_ptr(g, reg, STACK_ITER);
			break;
		case 'm':
		case 'M':
		case 'I':
			emit(g, BPF_MOV64_REG(reg, BPF_REG_7));
			break;
		}
	}
	if (!strchr(k->args, '-'))
		emit_kfunc(g, k->name);

	if (k->release) {
		emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_0));
		emit_kfunc(g, k->release);
	}
	if (strchr(k->args, 'm')) {
		emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_7));
		emit_kfunc(g, "scx_bpf_put_cpumask");
	}
	if (iter) {
		emit_stack_ptr(g, BPF_REG_1, STACK_ITER);
		emit_kfunc(g, "bpf_iter_scx_dsq_destroy");
	}
	if (sleepable && iter)
		emit_kfunc(g, "bpf_rcu_read_unlock");
	emit_exit(g);
}

/* A program with a callback to follow. Returns where it is referred to. */
static int emit_async(struct gen *g, bool wq)
{
	int map_fd = wq ? wq_map_fd : timer_map_fd;
	int branch, ref;

	emit(g, BPF_ST_MEM(BPF_W, BPF_REG_FP, -4, 0));
	emit_stack_ptr(g, BPF_REG_2, -4);
	emit_ld_imm64(g, BPF_REG_1, BPF_PSEUDO_MAP_FD, map_fd);
	emit(g, BPF_EMIT_CALL(BPF_FUNC_map_lookup_elem));
	branch = g->cnt;
	emit(g, BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 0));
	emit(g, BPF_MOV64_REG(BPF_REG_6, BPF_REG_0));

	emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_6));
	emit_ld_imm64(g, BPF_REG_2, BPF_PSEUDO_MAP_FD, map_fd);
	emit(g, BPF_MOV64_IMM(BPF_REG_3, wq ? 0 : CLOCK_MONOTONIC));
	if (wq)
		emit_kfunc(g, "bpf_wq_init");
	else
		emit(g, BPF_EMIT_CALL(BPF_FUNC_timer_init));

	emit(g, BPF_MOV64_REG(BPF_REG_1, BPF_REG_6));
	ref = g->cnt;
	emit_ld_imm64(g, BPF_REG_2, BPF_PSEUDO_FUNC, 0);
	emit(g, BPF_MOV64_IMM(BPF_REG_3, 0));
	emit(g, BPF_MOV64_IMM(BPF_REG_4, 0));
	if (wq)
		emit_kfunc(g, "bpf_wq_set_callback_impl");
	else
		emit(g, BPF_EMIT_CALL(BPF_FUNC_timer_set_callback));

	g->insns[branch].off = g->cnt - branch - 1;
	emit_exit(g);
	return ref;
}

/* Where the call is */
enum site {
	MAIN,
	SLEEPABLE,		/* main program that may sleep */
	TIMER,
	WQ,
};

static int load(struct gen *g, enum bpf_prog_type type, const char *target,
		int kind, int attach_type, enum site site)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	static const char *last_target;
	static int last_id;
	int fd;

	kernel_log[0] = '\0';
	if (g->failed)
		return -ENOENT;

	if (target && target != last_target) {
		last_id = btf__find_by_name_kind(btf, target, kind);
		last_target = target;
	}
	if (target)
		opts.attach_btf_id = last_id;
	opts.expected_attach_type = attach_type;
	if (site == SLEEPABLE)
		opts.prog_flags = BPF_F_SLEEPABLE;
	if (site == TIMER || site == WQ) {
		opts.prog_btf_fd = prog_btf_fd;
		opts.func_info = func_info;
		opts.func_info_rec_size = sizeof(func_info[0]);
		opts.func_info_cnt = ARRAY_SIZE(func_info);
	}
	fd = bpf_prog_load(type, "kfunc_matrix", "GPL", g->insns, g->cnt, &opts);
	if (fd >= 0)
		return fd;

	/* once more, to see why */
	opts.log_buf = kernel_log;
	opts.log_size = sizeof(kernel_log);
	opts.log_level = 1;
	return bpf_prog_load(type, "kfunc_matrix", "GPL", g->insns, g->cnt, &opts);
}

/* Does the program call @name, and none of the others that the kfunc can mean? */
static bool is_bound(int fd, const struct kfunc *k, const char *name)
{
	struct kernel_func *f;
	int i;

	if (count_kernel_func_calls(fd, funcs, ARRAY_SIZE(funcs)))
		return false;
	for (i = 0, f = funcs; i < ARRAY_SIZE(funcs); i++, f++) {
		if (f->nr_jited >= 0 && f->nr_jited != f->nr_xlated)
			return false;
		if (!strcmp(f->name, name)) {
			if (f->nr_xlated < 1)
				return false;
		} else if (!strcmp(f->name, k->name) ||
			   (k->direct && !strcmp(f->name, k->direct)) ||
			   (k->buffered && !strcmp(f->name, k->buffered))) {
			if (f->nr_xlated)
				return false;
		}
	}
	return true;
}

/*
 * Judge an attempt to load a program, whose call is to be the one of @bound, or
 * refused with @error. Returns a letter for the matrix.
 */
static char judge(int fd, const struct kfunc *k, const char *where,
		  const char *bound, const char *error)
{
	char ret = '!';

	nr_tried++;
	if (bound && fd >= 0 && is_bound(fd, k, bound))
		ret = bound == k->direct ? 'D' : bound == k->buffered ? 'B' : 'x';
	else if (!bound && fd < 0 && strstr(kernel_log, error))
		ret = '.';

	if (ret == '!') {
		nr_failed++;
		printf("%s in %s: ", k->name, where);
		if (bound && fd < 0)
			printf("does not load: %d\n%s\n", fd, kernel_log);
		else if (bound)
			printf("does not call %s\n", bound);
		else if (fd >= 0)
			printf("loads, expected \"%s\"\n", error);
		else
			printf("%d, expected \"%s\"\n%s\n", fd, error, kernel_log);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Why it is that the kfunc cannot be called */
static void cannot_call(char *buf, size_t size, const struct kfunc *k,
			const struct member *m)
{
	const char *sep = "; allowed in: ";
	int i, len;

	len = snprintf(buf, size, "%s() cannot be called from %s%s", k->name,
		       m == &outside ? "" : "sched_ext_ops.", m->name);
	if (m == &outside)
		len += snprintf(buf + len, size - len, " of a sched_ext_ops program, callback()");
	if (is_allowed(k, &outside)) {
		len += snprintf(buf + len, size - len, "%soutside any member", sep);
		sep = ", ";
	}
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (!is_allowed(k, &members[i]))
			continue;
		len += snprintf(buf + len, size - len, "%s%s", sep, members[i].name);
		sep = ", ";
	}
	snprintf(buf + len, size - len, " (insn ");
}

/* A program of member number @idx */
static char try_member(const struct kfunc *k, const struct member *m, int idx,
		       enum site site)
{
	bool async = site == TIMER || site == WQ;
	const struct member *context = async ? &outside : m;
	bool sleepable = site == SLEEPABLE || site == WQ;
	const char *bound = NULL;
	char where[64], error[512];
	struct gen g = {};
	int ref;

	if (async) {
		ref = emit_async(&g, site == WQ);
		g.insns[ref].imm = g.cnt - ref - 1;
		func_info[1].insn_off = g.cnt;
	}
	emit_call(&g, k, sleepable);

	snprintf(where, sizeof(where), "%s%s", m->name,
		 site == SLEEPABLE ? " (sleepable)" : site == TIMER ? " (timer)" :
		 site == WQ ? " (wq)" : "");
	if (k->types & IN_NONE)
		snprintf(error, sizeof(error),
			 "calling kernel function %s is not allowed", k->name);
	else if (k->sleepable && !sleepable)
		snprintf(error, sizeof(error),
			 "program must be sleepable to call sleepable kfunc %s", k->name);
	else if (is_allowed(k, context))
		bound = bound_to(k, context);
	else
		cannot_call(error, sizeof(error), k, context);

	return judge(load(&g, BPF_PROG_TYPE_STRUCT_OPS, "sched_ext_ops",
			  BTF_KIND_STRUCT, idx, site), k, where, bound, error);
}

/* A program that is not of a scheduler */
static char try_type(const struct kfunc *k, const char *where,
		     enum bpf_prog_type type, int in)
{
	const char *bound = k->types & in ? k->name : NULL;
	bool syscall = type == BPF_PROG_TYPE_SYSCALL;
	struct gen g = {};
	char error[128];
	int fd;

	snprintf(error, sizeof(error),
		 "calling kernel function %s is not allowed", k->name);
	emit_call(&g, k, syscall);
	if (syscall)
		fd = load(&g, type, NULL, 0, 0, SLEEPABLE);
	else
		fd = load(&g, type, "wake_up_new_task", BTF_KIND_FUNC,
			  BPF_TRACE_FENTRY, MAIN);
	return judge(fd, k, where, bound, error);
}

/* A program of another struct_ops can call what does not depend on context. */
static char try_tcp(const struct kfunc *k, int idx)
{
	const char *bound = k->any && !k->sleepable ? k->name : NULL;
	struct gen g = {};
	char error[256];

	if (k->sleepable)
		snprintf(error, sizeof(error),
			 "program must be sleepable to call sleepable kfunc %s", k->name);
	else if (k->types & IN_NONE)
		snprintf(error, sizeof(error),
			 "calling kernel function %s is not allowed", k->name);
	else
		snprintf(error, sizeof(error),
			 "%s() cannot be called from a tcp_congestion_ops program; only those of sched_ext_ops may",
			 k->name);
	emit_call(&g, k, false);
	return judge(load(&g, BPF_PROG_TYPE_STRUCT_OPS, "tcp_congestion_ops",
			  BTF_KIND_STRUCT, idx, MAIN),
		     k, "tcp_congestion_ops", bound, error);
}

/*
 * What programs are made of
 */

/* The number of a member, or -1 */
static int member_idx(const char *type, const char *name)
{
	s32 id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(btf, id);
	const struct btf_member *m;
	int i;

	if (!t)
		return -1;
	for (i = 0, m = btf_members(t); i < btf_vlen(t); i++, m++)
		if (!strcmp(btf__name_by_offset(btf, m->name_off), name))
			return i;
	return -1;
}

/* Is there a member or a kfunc that the tables above do not know? */
static bool are_tables_complete(void)
{
	const struct btf_type *t, *mt, *func;
	const struct btf_member *m;
	bool complete = true;
	const char *name;
	int i, j, n;

	t = btf__type_by_id(btf, btf__find_by_name_kind(btf, "sched_ext_ops",
							BTF_KIND_STRUCT));
	for (i = 0, m = btf_members(t); i < btf_vlen(t); i++, m++) {
		mt = btf__type_by_id(btf, m->type);
		if (!btf_is_ptr(mt) ||
		    !btf_is_func_proto(btf__type_by_id(btf, mt->type)))
			continue;
		name = btf__name_by_offset(btf, m->name_off);
		for (j = 0; j < ARRAY_SIZE(members); j++)
			if (!strcmp(members[j].name, name))
				break;
		if (j == ARRAY_SIZE(members)) {
			fprintf(stderr, "No ops.%s in the table\n", name);
			complete = false;
		}
	}

	/* pahole marks what is in a kfunc set */
	n = btf__type_cnt(btf);
	for (i = 1; i < n; i++) {
		t = btf__type_by_id(btf, i);
		if (!btf_is_decl_tag(t) ||
		    strcmp(btf__name_by_offset(btf, t->name_off), "bpf_kfunc"))
			continue;
		func = btf__type_by_id(btf, t->type);
		name = btf__name_by_offset(btf, func->name_off);
		if (strncmp(name, "scx_bpf_", 8) &&
		    strncmp(name, "bpf_iter_scx_", 13))
			continue;
		for (j = 0; j < ARRAY_SIZE(kfuncs); j++)
			if (!strcmp(kfuncs[j].name, name))
				break;
		if (j == ARRAY_SIZE(kfuncs)) {
			fprintf(stderr, "No %s() in the table\n", name);
			complete = false;
		}
	}
	return complete;
}

/* An array map of one element with a timer or a wq in it */
static int create_map(struct btf *b, const char *type, int id_int)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_fd = prog_btf_fd);

	opts.btf_key_type_id = id_int;
	opts.btf_value_type_id = btf__find_by_name(b, type);
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "kfunc_matrix", sizeof(int),
			      2 * sizeof(u64), 1, &opts);
}

static int create_objects(void)
{
	int id_int, id_u64, id_array, id_ptr, id_struct, id_proto;
	struct btf *b = btf__new_empty();

	if (!b)
		return -errno;
	id_int = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	id_u64 = btf__add_int(b, "u64", 8, 0);
	id_array = btf__add_array(b, id_int, id_u64, 2);
	id_ptr = btf__add_ptr(b, 0);

	id_struct = btf__add_struct(b, "bpf_timer", 16);
	btf__add_field(b, "__opaque", id_array, 0, 0);
	btf__add_struct(b, "timer_elem", 16);
	btf__add_field(b, "timer", id_struct, 0, 0);
	id_struct = btf__add_struct(b, "bpf_wq", 16);
	btf__add_field(b, "__opaque", id_array, 0, 0);
	btf__add_struct(b, "wq_elem", 16);
	btf__add_field(b, "wq", id_struct, 0, 0);

	id_proto = btf__add_func_proto(b, id_int);
	btf__add_func_param(b, "ctx", id_ptr);
	func_info[0].type_id = btf__add_func(b, "prog", BTF_FUNC_GLOBAL, id_proto);
	id_proto = btf__add_func_proto(b, id_int);
	btf__add_func_param(b, "map", id_ptr);
	btf__add_func_param(b, "key", id_ptr);
	btf__add_func_param(b, "value", id_ptr);
	func_info[1].type_id = btf__add_func(b, "callback", BTF_FUNC_STATIC, id_proto);

	if (btf__load_into_kernel(b)) {
		btf__free(b);
		return -errno;
	}
	prog_btf_fd = dup(btf__fd(b));
	timer_map_fd = create_map(b, "timer_elem", id_int);
	wq_map_fd = create_map(b, "wq_elem", id_int);
	btf__free(b);
	return prog_btf_fd < 0 || timer_map_fd < 0 || wq_map_fd < 0 ? -EINVAL : 0;
}

static void print_header(void)
{
	const struct member *m;
	int row, rows = 0;

	for (m = members; m < members + ARRAY_SIZE(members); m++)
		if (rows < (int)strlen(m->name))
			rows = strlen(m->name);

	for (row = 0; row < rows; row++) {
		printf("%36s", "");
		for (m = members; m < members + ARRAY_SIZE(members); m++) {
			int skip = rows - strlen(m->name);

			printf(" %c", row < skip ? ' ' : m->name[row - skip]);
		}
		printf("\n");
	}
}

static void try_site(const char *title, enum site site, const int *idx)
{
	char row[2 * ARRAY_SIZE(members) + 1];
	const struct kfunc *k;
	int i;

	printf("\n%s:\n", title);
	print_header();
	for (k = kfuncs; k < kfuncs + ARRAY_SIZE(kfuncs); k++) {
		memset(row, ' ', sizeof(row));
		row[sizeof(row) - 1] = '\0';
		for (i = 0; i < ARRAY_SIZE(members); i++)
			if (site != SLEEPABLE || members[i].sleepable)
				row[2 * i + 1] = try_member(k, &members[i], idx[i], site);
		printf("%-36s%s\n", k->name, row);
	}
}

static enum scx_test_status run(void *ctx)
{
	int i, err, tcp_idx, idx[ARRAY_SIZE(members)];
	const struct kfunc *k;

	nr_tried = 0;
	nr_failed = 0;

	btf = btf__load_vmlinux_btf();
	SCX_FAIL_IF(!btf, "No BTF of the kernel");
	SCX_FAIL_IF(!are_tables_complete(), "The tables lack something");

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		idx[i] = member_idx("sched_ext_ops", members[i].name);
		SCX_FAIL_IF(idx[i] < 0, "No ops.%s in the kernel", members[i].name);
	}
	tcp_idx = member_idx("tcp_congestion_ops", "ssthresh");
	SCX_FAIL_IF(tcp_idx < 0, "No tcp_congestion_ops.ssthresh in the kernel");

	for (i = 0; i < ARRAY_SIZE(kfuncs); i++)
		funcs[i].name = kfuncs[i].name;
	err = find_kernel_funcs(funcs, ARRAY_SIZE(funcs));
	if (err == -EPERM) {
		fprintf(stderr, "The kernel hides its addresses, see kernel.kptr_restrict\n");
		return SCX_TEST_SKIP;
	}
	SCX_EQ(err, 0);
	for (i = 0; i < ARRAY_SIZE(kfuncs); i++)
		SCX_FAIL_IF(!funcs[i].addr, "No %s() in the kernel", funcs[i].name);

	err = create_objects();
	SCX_FAIL_IF(err, "Failed to create maps: %d", err);

	printf("x: loads, D: direct, B: buffered, .: refused, !: not as expected\n");
	try_site("Main program", MAIN, idx);
	try_site("Main program that may sleep", SLEEPABLE, idx);
	try_site("Timer callback of a program of", TIMER, idx);

	printf("\n%36s wq callback, SYSCALL, TRACING, tcp_congestion_ops\n", "");
	for (k = kfuncs; k < kfuncs + ARRAY_SIZE(kfuncs); k++) {
		/* ops.init() */
		i = ARRAY_SIZE(members) - 2;
		printf("%-36s %c %c %c %c\n", k->name,
		       try_member(k, &members[i], idx[i], WQ),
		       try_type(k, "SYSCALL", BPF_PROG_TYPE_SYSCALL, IN_SYSCALL),
		       try_type(k, "TRACING", BPF_PROG_TYPE_TRACING, IN_TRACING),
		       try_tcp(k, tcp_idx));
	}

	close(timer_map_fd);
	close(wq_map_fd);
	close(prog_btf_fd);
	btf__free(btf);

	printf("\n%d of %d as expected\n", nr_tried - nr_failed, nr_tried);
	SCX_EQ(nr_failed, 0);
	return SCX_TEST_PASS;
}

struct scx_test kfunc_matrix = {
	.name = "kfunc_matrix",
	.description = "Verify which kfuncs can be called from where",
	.run = run,
};

REGISTER_SCX_TEST(&kfunc_matrix)
