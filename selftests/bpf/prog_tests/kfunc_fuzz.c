// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: random struct_ops programs, and what a model says of them.
 *
 * A program is a random graph of subprograms: static and global ones, callbacks of
 * loops, timers and workqueues, an exception callback, branches that are dead and
 * branches that are not, with kfunc calls in all of them. It is loaded for a random
 * member of a random struct_ops, or as the replacement of a function. The model is
 * written from Documentation/bpf/kfunc_reloc.rst, works on the graph, and sees no
 * instruction. Verdict, message, and the function that each call is bound to have
 * to be the same.
 *
 * KFUNC_FUZZ_COUNT=N	so many programs, default 500
 * KFUNC_FUZZ_SEED=N	the seed of the first; that of the next is one more. So what
 *			fails is seen again with its seed and a count of 1.
 * KFUNC_FUZZ_SHOW=1	print every program
 */
#include "kfunc_reloc_helpers.h"
#include <stdarg.h>

#define MAX_SUBS	8	/* as many frames as there can be */
#define MAX_OPS		256
#define MAX_INSNS	4096
#define MAX_SITES	4	/* of an op */
#define MAX_CALLS	32768	/* characters */
#define MAX_FAILURES	3
#define OUTSIDE		-1	/* where: not a member */
#define ANYWHERE	-2	/* where: replaces a function */
#define EXT_MSG		"a program that replaces a function of a "
#define ASYNC_MSG	"an asynchronous callback of a "

enum { VMLINUX, TESTMOD, TABLEMOD, NR_BTFS };

/* The functions, by what it takes to call one */
enum shape {
	TARGET,		/* not a kfunc: nothing calls it by name */
	ARGS0, ARGS1, ARGS2,
	FROM_PID,	/* bpf_task_from_pid(), and release */
	ACQUIRE,	/* a task, acquire it, and release both */
	TASK4, TASK5,	/* of a task and scalars */
	INTERNAL,	/* only as part of something else */
};

enum func_idx {
	OWN, INSIDE, SAME, NEVER, SHARED, SHARED_OUTSIDE, FALLBACK, UNNAMED,
	TO_FIRST, TO_SECOND, TO_OUTSIDE, TO_SAME,
	RELOC_TEST, RELOC_INSIDE, RELOC_A, RELOC_B, RELOC_OUTSIDE, RELOC_FROM_PID,
	TABLE_OWN, TABLE_BAD, TABLE_CURRENT,
	TASK_FROM_PID, TASK_ACQUIRE, TASK_RELEASE, WQ_SET_CALLBACK, THROW,
	SCX_DISPATCH, SCX_VTIME, SCX_SLOTS, SCX_CANCEL, SCX_CONSUME, SCX_REENQUEUE,
	SCX_NR_CPUS, SCX_KICK,
	SCX_DIRECT, SCX_BUFFERED, SCX_VTIME_DIRECT, SCX_VTIME_BUFFERED,
	NR_FUNCS
};

enum ops_idx { TABLE_OPS, FALLBACK_OPS, RELOC_OPS, NORELOC_OPS, VMTABLE_OPS, PLAIN_OPS,
	       SCX_OPS, NR_OPS, NO_OPS = NR_OPS };

static struct func {
	const char *name;
	int btf;
	enum shape shape;
	enum ops_idx owner;
	int id;
} funcs[NR_FUNCS] = {
	[OWN] = { "bpf_kfunc_table_own", TESTMOD, ARGS1, TABLE_OPS },
	[INSIDE] = { "bpf_kfunc_table_inside", TESTMOD, ARGS1, TABLE_OPS },
	[SAME] = { "bpf_kfunc_table_same", TESTMOD, ARGS1, TABLE_OPS },
	[NEVER] = { "bpf_kfunc_table_never", TESTMOD, ARGS1, TABLE_OPS },
	[SHARED] = { "bpf_kfunc_table_shared", TESTMOD, ARGS1, NO_OPS },
	[SHARED_OUTSIDE] = { "bpf_kfunc_table_shared_outside", TESTMOD, ARGS1, NO_OPS },
	[FALLBACK] = { "bpf_kfunc_table_fallback", TESTMOD, ARGS1, FALLBACK_OPS },
	[UNNAMED] = { "bpf_kfunc_table_unnamed", TESTMOD, ARGS1, NO_OPS },
	[TO_FIRST] = { "bpf_kfunc_table_to_first", TESTMOD },
	[TO_SECOND] = { "bpf_kfunc_table_to_second", TESTMOD },
	[TO_OUTSIDE] = { "bpf_kfunc_table_to_outside", TESTMOD },
	[TO_SAME] = { "bpf_kfunc_table_to_same", TESTMOD },
	[RELOC_TEST] = { "bpf_kfunc_reloc_test", TESTMOD, ARGS1, NO_OPS },
	[RELOC_INSIDE] = { "bpf_kfunc_reloc_inside", TESTMOD, ARGS1, NO_OPS },
	[RELOC_A] = { "bpf_kfunc_reloc_test_a", TESTMOD },
	[RELOC_B] = { "bpf_kfunc_reloc_test_b", TESTMOD },
	[RELOC_OUTSIDE] = { "bpf_kfunc_reloc_test_outside", TESTMOD },
	[RELOC_FROM_PID] = { "bpf_kfunc_reloc_task_from_pid", TESTMOD },
	[TABLE_OWN] = { "bpf_test_kfunc_table_own", TABLEMOD, ARGS1, VMTABLE_OPS },
	[TABLE_BAD] = { "bpf_test_kfunc_table_bad", TABLEMOD, ARGS1, NO_OPS },
	[TABLE_CURRENT] = { "bpf_test_kfunc_table_current", TABLEMOD },
	[TASK_FROM_PID] = { "bpf_task_from_pid", VMLINUX, FROM_PID, NO_OPS },
	[TASK_ACQUIRE] = { "bpf_task_acquire", VMLINUX, ACQUIRE, NO_OPS },
	[TASK_RELEASE] = { "bpf_task_release", VMLINUX, INTERNAL, NO_OPS },
	[WQ_SET_CALLBACK] = { "bpf_wq_set_callback_impl", VMLINUX, INTERNAL, NO_OPS },
	[THROW] = { "bpf_throw", VMLINUX, INTERNAL, NO_OPS },
	[SCX_DISPATCH] = { "scx_bpf_dispatch", VMLINUX, TASK4, SCX_OPS },
	[SCX_VTIME] = { "scx_bpf_dispatch_vtime", VMLINUX, TASK5, SCX_OPS },
	[SCX_SLOTS] = { "scx_bpf_dispatch_nr_slots", VMLINUX, ARGS0, SCX_OPS },
	[SCX_CANCEL] = { "scx_bpf_dispatch_cancel", VMLINUX, ARGS0, SCX_OPS },
	[SCX_CONSUME] = { "scx_bpf_consume", VMLINUX, ARGS1, SCX_OPS },
	[SCX_REENQUEUE] = { "scx_bpf_reenqueue_local", VMLINUX, ARGS0, SCX_OPS },
	[SCX_NR_CPUS] = { "scx_bpf_nr_cpu_ids", VMLINUX, ARGS0, NO_OPS },
	[SCX_KICK] = { "scx_bpf_kick_cpu", VMLINUX, ARGS2, NO_OPS },
	[SCX_DIRECT] = { "scx_bpf_dispatch_direct", VMLINUX },
	[SCX_BUFFERED] = { "scx_bpf_dispatch_buffered", VMLINUX },
	[SCX_VTIME_DIRECT] = { "scx_bpf_dispatch_vtime_direct", VMLINUX },
	[SCX_VTIME_BUFFERED] = { "scx_bpf_dispatch_vtime_buffered", VMLINUX },
};

static struct ops {
	const char *name;
	int btf;
	enum { BY_TABLE, BY_CALLBACK, BY_FALLBACK, BY_NOTHING } how;
	bool scalar_arg;
	const char *members[9];	/* in the order of the struct */
	int nr_members;
	int id;
	int idx[9];
	int target_fd;		/* a program with a function to replace */
} all_ops[NR_OPS] = {
	[TABLE_OPS] = { "bpf_testmod_table_ops", TESTMOD, BY_TABLE, true,
			{ "first", "second", "third", "fourth" } },
	[FALLBACK_OPS] = { "bpf_testmod_fallback_ops", TESTMOD, BY_FALLBACK, true,
			   { "first", "second" } },
	[RELOC_OPS] = { "bpf_testmod_reloc_ops", TESTMOD, BY_CALLBACK, true,
			{ "test_a", "test_b", "test_vmlinux", "test_deny" } },
	[NORELOC_OPS] = { "bpf_testmod_noreloc_ops", TESTMOD, BY_NOTHING, true,
			  { "test_a" } },
	[VMTABLE_OPS] = { "bpf_test_kfunc_table_ops", TABLEMOD, BY_TABLE, true,
			  { "first", "second" } },
	[PLAIN_OPS] = { "bpf_test_kfunc_plain_ops", TABLEMOD, BY_NOTHING, true,
			{ "first" } },
	[SCX_OPS] = { "sched_ext_ops", VMLINUX, BY_TABLE, false,
		      { "select_cpu", "enqueue", "dispatch", "running", "cpu_release",
			"exit_task", "dump" } },
};

/* What a kfunc is in a member, or outside (NULL): the tables of bpf_testmod_table.c,
 * bpf_test_kfunc_table.c and sched_ext, and what bpf_testmod_reloc.c is told to say.
 * A row that allows an own kfunc leads to itself.
 */
#define DENY	-EACCES

static const struct row {
	enum ops_idx ops;
	enum func_idx kfunc;
	const char *where;
	int answer;
} rows[] = {
	{ TABLE_OPS, OWN, NULL, TO_OUTSIDE },
	{ TABLE_OPS, OWN, "first", TO_FIRST },
	{ TABLE_OPS, OWN, "second", TO_SECOND },
	{ TABLE_OPS, OWN, "third", OWN },
	{ TABLE_OPS, INSIDE, "first", INSIDE },
	{ TABLE_OPS, INSIDE, "second", DENY },
	{ TABLE_OPS, INSIDE, "third", TO_FIRST },
	{ TABLE_OPS, SAME, NULL, TO_SAME },
	{ TABLE_OPS, SAME, "first", TO_SAME },
	{ TABLE_OPS, SAME, "second", TO_SAME },
	{ TABLE_OPS, SAME, "third", TO_SAME },
	{ TABLE_OPS, SAME, "fourth", TO_SAME },
	{ TABLE_OPS, SHARED, "first", DENY },
	{ TABLE_OPS, SHARED, "second", TO_SECOND },
	{ TABLE_OPS, SHARED, "fourth", SHARED },
	{ TABLE_OPS, SHARED_OUTSIDE, NULL, DENY },
	{ FALLBACK_OPS, FALLBACK, "first", TO_FIRST },
	{ FALLBACK_OPS, FALLBACK, "second", TO_SECOND },
	{ RELOC_OPS, RELOC_TEST, NULL, RELOC_OUTSIDE },
	{ RELOC_OPS, RELOC_TEST, "test_a", RELOC_A },
	{ RELOC_OPS, RELOC_TEST, "test_b", RELOC_B },
	{ RELOC_OPS, RELOC_TEST, "test_deny", DENY },
	{ RELOC_OPS, RELOC_INSIDE, NULL, DENY },
	{ RELOC_OPS, UNNAMED, NULL, RELOC_A },
	{ RELOC_OPS, UNNAMED, "test_a", RELOC_A },
	{ RELOC_OPS, TASK_FROM_PID, "test_vmlinux", RELOC_FROM_PID },
	{ VMTABLE_OPS, TASK_ACQUIRE, "first", DENY },
	{ VMTABLE_OPS, TASK_FROM_PID, "second", TABLE_CURRENT },
	{ VMTABLE_OPS, TABLE_OWN, "first", TABLE_OWN },
	{ SCX_OPS, SCX_DISPATCH, "select_cpu", SCX_DIRECT },
	{ SCX_OPS, SCX_DISPATCH, "enqueue", SCX_DIRECT },
	{ SCX_OPS, SCX_DISPATCH, "dispatch", SCX_BUFFERED },
	{ SCX_OPS, SCX_VTIME, "select_cpu", SCX_VTIME_DIRECT },
	{ SCX_OPS, SCX_VTIME, "enqueue", SCX_VTIME_DIRECT },
	{ SCX_OPS, SCX_VTIME, "dispatch", SCX_VTIME_BUFFERED },
	{ SCX_OPS, SCX_SLOTS, "dispatch", SCX_SLOTS },
	{ SCX_OPS, SCX_CANCEL, "dispatch", SCX_CANCEL },
	{ SCX_OPS, SCX_CONSUME, "dispatch", SCX_CONSUME },
	{ SCX_OPS, SCX_REENQUEUE, "cpu_release", SCX_REENQUEUE },
};

/* A program */

enum op_kind {
	OP_KFUNC,	/* call a kfunc */
	OP_CALL,	/* call a subprogram */
	OP_LOOP,	/* bpf_loop() with a callback */
	OP_LOOP0,	/* the same for no iteration */
	OP_EACH,	/* bpf_for_each_map_elem() with a callback */
	OP_TIMER,	/* bpf_timer_set_callback() */
	OP_WQ,		/* bpf_wq_set_callback() */
	OP_TAKE,	/* take the address of a callback, no more */
	OP_PASS,	/* call a subprogram that uses the callback it is passed */
	OP_THROW,
	OP_IF,
	NR_KINDS
};

enum cond { IF_RANDOM, IF_MEMORY, IF_ARG, IF_CONST0, IF_CONST1, IF_RODATA0, IF_RODATA1,
	    IF_RANGE0, IF_RANGE1, IF_FLAG, NR_CONDS };

static const char * const cond_names[] = {
	"random", "memory", "arg", "0", "1", "rodata.zero", "rodata.one",
	"memory in no range", "memory in its range", "flag",
};

enum sub_kind {
	SUB_MAIN,
	SUB_STATIC,	/* the only one that can be a callback */
	SUB_FLAG,	/* static, called with a constant */
	SUB_GLOBAL,
	SUB_USER,	/* static, uses the callback it is passed */
	SUB_EXC,	/* the exception callback */
};

struct op {
	enum op_kind kind;
	int kfunc;		/* OP_KFUNC */
	int sub;		/* called, or whose address is taken */
	int user;		/* OP_PASS: the SUB_USER */
	bool by_stack;		/* OP_PASS: pass a pointer to the pointer */
	int val;		/* OP_CALL: the flag; OP_LOOP: of unknown count */
	enum cond cond;		/* OP_IF */
	int body, other;	/* OP_IF: first op, or -1 */
	int next;
	int insn[MAX_SITES];
	bool live;		/* the model's */
};

struct sub {
	enum sub_kind kind;
	bool by_stack;		/* SUB_USER: gets a pointer to the pointer */
	enum op_kind use;	/* SUB_USER: what it does with it */
	int use_insn;
	int first, last;
	int start;
	bool referenced, called, no_throw, maybe_outside;
	const struct op *rearm;
	/* the model's: */
	bool live[2];		/* by flag */
	bool sync_used, async_used;
	bool member, outside;
};

struct prog {
	u64 seed, rng;
	enum ops_idx ops;
	int member;		/* index in ops->members */
	bool ext, exc, careful;
	struct sub subs[MAX_SUBS];
	struct op pool[MAX_OPS];
	int nr_subs, nr_ops;
	int layout[MAX_SUBS];
	struct bpf_insn insns[MAX_INSNS];
	int cnt;
	struct { int insn, sub; } refs[2 * MAX_OPS];
	int nr_refs;
};

enum reason { LOADED, BY_OWNER, BY_MEMBER, BY_OUTSIDE, BY_BOTH, BY_EXT, NR_REASONS };

struct verdict {
	enum reason reason;
	int err;
	int sub;		/* where it is refused */
	char head[256], tail[256];
	int len, bound, plain;
	char calls[MAX_CALLS];
};

static struct btf *btfs[NR_BTFS];
static int btf_fds[NR_BTFS];
static struct btf *prog_btf;
static int main_id, main_exc_id, exc_id, static_ids[MAX_SUBS], global_ids[MAX_SUBS];
static int map_fd, data_fd, rodata_fd;
static struct kfunc_calls kfunc_calls;
static char log_buf[65536];
static bool show;

static struct {
	unsigned long programs, ext, reasons[NR_REASONS], cautious, exc, throws;
	unsigned long subs, dead_subs, globals, sync_cbs, async_cbs, both_cbs, both_subs;
	unsigned long bound, plain, dead;
} stats;

/* Random numbers: splitmix64 */

static u64 rnd64(struct prog *p)
{
	u64 z = (p->rng += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static int rnd(struct prog *p, int n)
{
	return rnd64(p) % n;
}

static bool one_in(struct prog *p, int n)
{
	return !rnd(p, n);
}

/* The model, part one: what a kfunc is where */

static int answer_at(enum ops_idx ops, const char *where, int kfunc)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].ops != ops || rows[i].kfunc != kfunc || !rows[i].where != !where)
			continue;
		if (!where || !strcmp(rows[i].where, where))
			return rows[i].answer;
	}
	return funcs[kfunc].owner == ops ? DENY : kfunc;
}

static int answer(enum ops_idx ops, int where, int kfunc)
{
	int i, outside = answer_at(ops, NULL, kfunc);

	if (where >= 0)
		return answer_at(ops, all_ops[ops].members[where], kfunc);
	/* a callback is asked about a replacement as about what is outside */
	if (where == OUTSIDE || all_ops[ops].how == BY_CALLBACK)
		return outside;
	for (i = 0; i < all_ops[ops].nr_members; i++) {
		if (answer_at(ops, all_ops[ops].members[i], kfunc) != outside)
			return DENY;
	}
	return outside;
}

static bool others_own(enum ops_idx ops, int kfunc)
{
	return funcs[kfunc].owner != NO_OPS && funcs[kfunc].owner != ops;
}

/* The generator */

static int add_op(struct prog *p, int *last, int *first, enum op_kind kind)
{
	int i = p->nr_ops++;

	p->pool[i] = (struct op){ .kind = kind, .body = -1, .other = -1, .next = -1 };
	if (*last < 0)
		*first = i;
	else
		p->pool[*last].next = i;
	*last = i;
	return i;
}

static bool takes_address(const struct op *op)
{
	return op->kind >= OP_LOOP && op->kind <= OP_PASS;
}

static bool uses_sync(const struct prog *p, const struct op *op)
{
	enum op_kind kind = op->kind == OP_PASS ? p->subs[op->user].use : op->kind;

	return kind == OP_LOOP || kind == OP_EACH;
}

static bool uses_async(const struct prog *p, const struct op *op)
{
	enum op_kind kind = op->kind == OP_PASS ? p->subs[op->user].use : op->kind;

	return kind == OP_TIMER || kind == OP_WQ;
}

/* What the generator guesses of a subprogram, to make programs that mostly load */
static void note_ref(struct prog *p, int from, const struct op *op)
{
	struct sub *sub = &p->subs[op->sub];

	sub->referenced = true;
	sub->called |= op->kind == OP_CALL;
	sub->maybe_outside |= p->subs[from].maybe_outside;
	sub->no_throw |= p->subs[from].no_throw;
	if (takes_address(op)) {
		sub->no_throw = true;
		sub->maybe_outside |= uses_async(p, op);
	}
	if (op->kind == OP_PASS) {
		p->subs[op->user].referenced = true;
		p->subs[op->user].maybe_outside |= p->subs[from].maybe_outside;
		p->subs[op->user].no_throw |= p->subs[from].no_throw;
	}
}

/* A subprogram of this kind behind @after, or -1 */
static int pick_sub(struct prog *p, enum sub_kind kind, int after)
{
	int i, n = 0, found = -1;

	for (i = after + 1; i < p->nr_subs; i++) {
		if (p->subs[i].kind == kind && one_in(p, ++n))
			found = i;
	}
	return found;
}

static bool answer_is_fine(const struct prog *p, int s, int kfunc)
{
	const struct sub *sub = &p->subs[s];
	int a;

	if (others_own(p->ops, kfunc))
		return false;
	if (p->ext)
		return answer(p->ops, ANYWHERE, kfunc) >= 0;
	a = answer(p->ops, p->member, kfunc);
	return a >= 0 && (!sub->maybe_outside || answer(p->ops, OUTSIDE, kfunc) == a);
}

static bool in_table(enum ops_idx ops, int kfunc)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].ops == ops && rows[i].kfunc == kfunc)
			return true;
	}
	return funcs[kfunc].owner == ops;
}

static int pick_kfunc(struct prog *p, int s)
{
	bool fine = p->careful || !one_in(p, 3);
	bool mine = !one_in(p, 3);
	int i, tries;

	for (tries = 0; tries < 100; tries++) {
		i = rnd(p, NR_FUNCS);
		if (funcs[i].shape == TARGET || funcs[i].shape == INTERNAL || funcs[i].id <= 0)
			continue;
		if (tries < 50 && mine && !in_table(p->ops, i))
			continue;
		if (fine ? answer_is_fine(p, s, i) : !others_own(p->ops, i) || one_in(p, 8))
			return i;
	}
	return UNNAMED;
}

static void gen_block(struct prog *p, int s, int *first, int *last, int depth, bool sure);

static void gen_kfunc(struct prog *p, int s, int *first, int *last)
{
	int kfunc = pick_kfunc(p, s);

	p->pool[add_op(p, last, first, OP_KFUNC)].kfunc = kfunc;
}

/* Refer to subprogram @to, which is behind @s; one that is a callback can also be
 * made asynchronous from behind it.
 */
static bool gen_ref(struct prog *p, int s, int to, int *first, int *last)
{
	static const enum op_kind how[] = {
		OP_CALL, OP_CALL, OP_LOOP, OP_LOOP, OP_LOOP0, OP_EACH, OP_TIMER, OP_WQ,
		OP_TAKE,
	};
	enum op_kind kind = OP_CALL;
	int user = -1;
	struct op *op;

	if (p->subs[to].kind == SUB_USER) {
		user = to;
		to = pick_sub(p, SUB_STATIC, user);
		if (to < 0)
			return false;
		kind = OP_PASS;
	} else if (p->subs[to].kind == SUB_STATIC) {
		kind = how[rnd(p, ARRAY_SIZE(how))];
		if (to <= s)
			kind = one_in(p, 2) ? OP_TIMER : OP_WQ;
		/* a replacement of a struct_ops program's function has no helpers */
		if (p->ext && kind >= OP_LOOP && kind <= OP_TIMER)
			kind = OP_WQ;
	}
	op = &p->pool[add_op(p, last, first, kind)];
	op->sub = to;
	op->user = user;
	op->val = rnd(p, 2);
	note_ref(p, s, op);
	return true;
}

static enum cond pick_cond(struct prog *p, int s)
{
	enum cond cond = rnd(p, NR_CONDS);

	if (p->subs[s].kind == SUB_FLAG && one_in(p, 2))
		return IF_FLAG;
	if ((cond == IF_FLAG && p->subs[s].kind != SUB_FLAG) ||
	    (cond == IF_ARG && (s || p->ext || !all_ops[p->ops].scalar_arg)) ||
	    (cond == IF_RANDOM && p->ext))
		return IF_MEMORY;
	return cond;
}

static bool decidable(enum cond cond)
{
	return cond > IF_ARG;
}

static int gen_branch(struct prog *p, int s, int depth, bool sure)
{
	int first = -1, last = -1;

	gen_block(p, s, &first, &last, depth, sure);
	return first;
}

static void gen_if(struct prog *p, int s, int *first, int *last, int depth, bool sure)
{
	struct op *op = &p->pool[add_op(p, last, first, OP_IF)];

	op->cond = pick_cond(p, s);
	op->body = gen_branch(p, s, depth + 1, sure && decidable(op->cond));
	if (one_in(p, 2))
		op->other = gen_branch(p, s, depth + 1, sure);
}

/* @sure: with all that is before it, this runs whenever the subprogram does. A static
 * subprogram does not always throw, so that what is behind its calls lives.
 */
static void gen_block(struct prog *p, int s, int *first, int *last, int depth, bool sure)
{
	int n = 1 + rnd(p, depth ? 2 : 3), to;
	struct sub *sub = &p->subs[s];

	while (n-- && p->nr_ops < MAX_OPS - 32) {
		switch (rnd(p, 12)) {
		case 0 ... 4:
			gen_kfunc(p, s, first, last);
			break;
		case 5 ... 8:
			to = s + 1 + rnd(p, MAX_SUBS);
			if (to >= p->nr_subs && one_in(p, 4))
				to = 1 + rnd(p, MAX_SUBS);
			if (to >= p->nr_subs || p->subs[to].kind == SUB_EXC ||
			    (to <= s && p->subs[to].kind != SUB_STATIC) ||
			    !gen_ref(p, s, to, first, last))
				gen_kfunc(p, s, first, last);
			break;
		case 9:
			if (p->ext || sub->no_throw || !one_in(p, 2) ||
			    (sure && sub->kind != SUB_MAIN && sub->kind != SUB_GLOBAL))
				break;
			add_op(p, last, first, OP_THROW);
			break;
		default:
			if (depth < 2)
				gen_if(p, s, first, last, depth, sure);
			else
				gen_kfunc(p, s, first, last);
		}
	}
}

static void gen_subs(struct prog *p)
{
	static const enum op_kind uses[] = { OP_LOOP, OP_EACH, OP_TIMER, OP_WQ };
	bool statics = false;
	struct sub *sub;
	int i;

	p->nr_subs = 1 + rnd(p, MAX_SUBS);
	for (i = p->nr_subs - 1; i >= 0; i--) {
		sub = &p->subs[i];
		sub->first = -1;
		sub->last = -1;
		switch (rnd(p, 10)) {
		case 0 ... 4:
			sub->kind = SUB_STATIC;
			break;
		case 5:
			sub->kind = SUB_FLAG;
			break;
		case 6 ... 7:
			sub->kind = SUB_GLOBAL;
			break;
		default:
			sub->kind = statics ? SUB_USER : SUB_STATIC;
		}
		statics |= sub->kind == SUB_STATIC;
		sub->by_stack = one_in(p, 3);
		sub->use = p->ext ? OP_WQ : uses[rnd(p, ARRAY_SIZE(uses))];
	}
	p->subs[0].kind = SUB_MAIN;
	p->exc = !p->ext && p->nr_subs > 1 && one_in(p, 5);
	if (p->exc) {
		p->subs[1].kind = SUB_EXC;
		p->subs[1].referenced = true;
		p->subs[1].no_throw = true;
	}
}

/* The verifier wants every subprogram to be referred to, be it from dead code. */
static void gen_missing_ref(struct prog *p, int to)
{
	int s = rnd(p, to), i, from = -1, last = -1;
	struct sub *sub = &p->subs[s];

	if (one_in(p, 2)) {
		gen_ref(p, s, to, &sub->first, &sub->last);
		return;
	}
	i = add_op(p, &sub->last, &sub->first, OP_IF);
	p->pool[i].cond = pick_cond(p, s);
	gen_ref(p, s, to, &from, &last);
	if (one_in(p, 2))
		p->pool[i].body = from;
	else
		p->pool[i].other = from;
}

static void note_refs(struct prog *p, int s, int i)
{
	const struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		if (op->kind >= OP_CALL && op->kind <= OP_PASS)
			note_ref(p, s, op);
		note_refs(p, s, op->body);
		note_refs(p, s, op->other);
	}
}

static bool refers_to(const struct prog *p, int i, int to, int *seen)
{
	const struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		if (refers_to(p, op->body, to, seen) || refers_to(p, op->other, to, seen))
			return true;
		if (op->kind < OP_CALL || op->kind > OP_PASS)
			continue;
		if (op->sub == to || (op->kind == OP_PASS && op->user == to))
			return true;
		if (!(*seen & (1 << op->sub))) {
			*seen |= 1 << op->sub;
			if (refers_to(p, p->subs[op->sub].first, to, seen))
				return true;
		}
		if (op->kind == OP_PASS && refers_to(p, p->subs[op->user].first, to, seen))
			return true;
	}
	return false;
}

static bool enters_frame(const struct prog *p, int i)
{
	const struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		if (op->kind == OP_LOOP || op->kind == OP_EACH || op->kind == OP_PASS ||
		    (op->kind == OP_CALL && p->subs[op->sub].kind != SUB_GLOBAL) ||
		    enters_frame(p, op->body) || enters_frame(p, op->other))
			return true;
	}
	return false;
}

/* May subprogram @s arm this callback, which is not behind it? The verifier follows a
 * callback that arms itself, once, if it is no more than that. It sees an infinite loop
 * if such a callback enters another frame.
 */
static bool may_go_back(struct prog *p, int s, const struct op *op)
{
	struct sub *cb = &p->subs[op->sub];
	int seen = 0;

	if (!cb->async_used)
		return false;
	if (op->sub != s)
		return !refers_to(p, cb->first, s, &seen);
	if (cb->sync_used || cb->called || enters_frame(p, cb->first))
		return false;
	if (!cb->rearm)
		cb->rearm = op;
	return cb->rearm == op;
}

/* Replace what the verifier does not take, whatever the struct_ops says to it */
static bool mend_block(struct prog *p, int s, int i)
{
	bool mended = false;
	const struct sub *cb;
	struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		cb = &p->subs[op->sub];
		if ((op->kind == OP_THROW && p->subs[s].no_throw) ||
		    (takes_address(op) && op->sub <= s && !may_go_back(p, s, op))) {
			op->kind = OP_KFUNC;
			op->kfunc = UNNAMED;
			mended = true;
		} else if (takes_address(op) && op->live && !cb->live[0]) {
			op->kind = OP_CALL;
			p->subs[op->sub].called = true;
			mended = true;
		}
		mended |= mend_block(p, s, op->body);
		mended |= mend_block(p, s, op->other);
	}
	return mended;
}

static void find_live(struct prog *p);

/* Some of it is only known in the end: which subprograms are called from callbacks,
 * and must not throw; that a callback which is armed by what is behind it would be
 * taken for a recursion if that is dead, or for a loop if it leads there; and that
 * the verifier loses its way (-EFAULT, and a warning) if it removes a dead subprogram
 * whose address is taken by what is not dead.
 */
static void mend(struct prog *p)
{
	bool mended = true;
	int i, s;

	for (i = 0; i < MAX_SUBS; i++) {
		for (s = 0; s < p->nr_subs; s++)
			note_refs(p, s, p->subs[s].first);
	}
	while (mended) {
		find_live(p);
		mended = false;
		for (s = 0; s < p->nr_subs; s++)
			mended |= mend_block(p, s, p->subs[s].first);
	}
}

static void gen_prog(struct prog *p, u64 seed)
{
	int i, j, tmp;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->rng = seed;
	do {
		p->ops = rnd(p, NR_OPS + 2);
		if (p->ops >= NR_OPS)
			p->ops = TABLE_OPS;
	} while (all_ops[p->ops].id <= 0);
	p->member = rnd(p, all_ops[p->ops].nr_members);
	p->ext = one_in(p, 10);
	p->careful = one_in(p, 3);
	gen_subs(p);
	for (i = 0; i < p->nr_subs; i++) {
		if (i && !p->subs[i].referenced)
			gen_missing_ref(p, i);
		gen_block(p, i, &p->subs[i].first, &p->subs[i].last, 0, true);
	}
	mend(p);
	for (i = 0; i < p->nr_subs; i++)
		p->layout[i] = i;
	for (i = p->nr_subs - 1; i > 1; i--) {
		j = 1 + rnd(p, i);
		tmp = p->layout[i];
		p->layout[i] = p->layout[j];
		p->layout[j] = tmp;
	}
}

/* The kfuncs that an op calls, in the order of its instructions */
static int op_sites(const struct op *op, int *kfuncs)
{
	switch (op->kind) {
	case OP_WQ:
		kfuncs[0] = WQ_SET_CALLBACK;
		return 1;
	case OP_THROW:
		kfuncs[0] = THROW;
		return 1;
	case OP_KFUNC:
		break;
	default:
		return 0;
	}

	kfuncs[0] = op->kfunc;
	switch (funcs[op->kfunc].shape) {
	case FROM_PID:
		kfuncs[1] = TASK_RELEASE;
		return 2;
	case ACQUIRE:
		kfuncs[0] = TASK_FROM_PID;
		kfuncs[1] = op->kfunc;
		kfuncs[2] = TASK_RELEASE;
		kfuncs[3] = TASK_RELEASE;
		return 4;
	case TASK4:
	case TASK5:
		kfuncs[0] = TASK_FROM_PID;
		kfuncs[1] = op->kfunc;
		kfuncs[2] = TASK_RELEASE;
		return 3;
	default:
		return 1;
	}
}

/* The instructions: r6 is the context of main, r7 a task, r8 the flag, r9 the callback
 * that was passed.
 */

static void emit(struct prog *p, struct bpf_insn insn)
{
	if (p->cnt < MAX_INSNS)
		p->insns[p->cnt++] = insn;
}

static void emit2(struct prog *p, const struct bpf_insn *insn)
{
	emit(p, insn[0]);
	emit(p, insn[1]);
}

#define EMIT2(p, ...) emit2(p, (struct bpf_insn[]){ __VA_ARGS__ })

static int emit_kfunc(struct prog *p, int kfunc)
{
	emit(p, BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL,
			     funcs[kfunc].btf, funcs[kfunc].id));
	return p->cnt - 1;
}

static void emit_ref(struct prog *p, int sub)
{
	p->refs[p->nr_refs].insn = p->cnt;
	p->refs[p->nr_refs++].sub = sub;
}

static void emit_func_ptr(struct prog *p, int reg, int sub)
{
	emit_ref(p, sub);
	EMIT2(p, BPF_LD_IMM64_RAW_FULL(reg, BPF_PSEUDO_FUNC, 0, 0, 0, 0));
}

/* A jump to what comes next at emit_here() */
static int emit_jump(struct prog *p, struct bpf_insn insn)
{
	emit(p, insn);
	return p->cnt - 1;
}

static void emit_here(struct prog *p, int jump)
{
	p->insns[jump].off = p->cnt - jump - 1;
}

/* r2 = the callback: that of a subprogram, or, for -1, the one that was passed */
static void emit_callback(struct prog *p, int sub)
{
	if (sub < 0)
		emit(p, BPF_MOV64_REG(BPF_REG_2, BPF_REG_9));
	else
		emit_func_ptr(p, BPF_REG_2, sub);
}

/* What takes a callback; the instruction of its kfunc call, if it has one */
static int emit_use(struct prog *p, enum op_kind kind, int sub, int val)
{
	int jump;

	switch (kind) {
	case OP_LOOP:
	case OP_LOOP0:
		if (kind == OP_LOOP && val) {
			emit(p, BPF_EMIT_CALL(BPF_FUNC_get_prandom_u32));
			emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_0));
			emit(p, BPF_ALU64_IMM(BPF_AND, BPF_REG_1, 7));
		} else {
			emit(p, BPF_MOV64_IMM(BPF_REG_1, kind == OP_LOOP ? 2 : 0));
		}
		emit_callback(p, sub);
		emit(p, BPF_MOV64_IMM(BPF_REG_3, 0));
		emit(p, BPF_MOV64_IMM(BPF_REG_4, 0));
		emit(p, BPF_EMIT_CALL(BPF_FUNC_loop));
		break;
	case OP_EACH:
		EMIT2(p, BPF_LD_MAP_FD(BPF_REG_1, map_fd));
		emit_callback(p, sub);
		emit(p, BPF_MOV64_IMM(BPF_REG_3, 0));
		emit(p, BPF_MOV64_IMM(BPF_REG_4, 0));
		emit(p, BPF_EMIT_CALL(BPF_FUNC_for_each_map_elem));
		break;
	case OP_WQ:
		EMIT2(p, BPF_LD_MAP_VALUE(BPF_REG_1, map_fd, 16));
		emit_callback(p, sub);
		emit(p, BPF_MOV64_IMM(BPF_REG_3, 0));
		emit(p, BPF_MOV64_IMM(BPF_REG_4, 0));
		return emit_kfunc(p, WQ_SET_CALLBACK);
	default: /* OP_TIMER */
		emit(p, BPF_ST_MEM(BPF_W, BPF_REG_10, -4, 0));
		emit(p, BPF_MOV64_REG(BPF_REG_2, BPF_REG_10));
		emit(p, BPF_ALU64_IMM(BPF_ADD, BPF_REG_2, -4));
		EMIT2(p, BPF_LD_MAP_FD(BPF_REG_1, map_fd));
		emit(p, BPF_EMIT_CALL(BPF_FUNC_map_lookup_elem));
		jump = emit_jump(p, BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 0));
		emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_0));
		emit_callback(p, sub);
		emit(p, BPF_EMIT_CALL(BPF_FUNC_timer_set_callback));
		emit_here(p, jump);
	}
	return -1;
}

static void emit_kfunc_op(struct prog *p, struct op *op)
{
	enum shape shape = funcs[op->kfunc].shape;
	int n = 0, i, jump, jump2;

	if (shape <= ARGS2) {
		for (i = 1; i <= (int)shape - ARGS0; i++)
			emit(p, BPF_MOV64_IMM(i, i));
		op->insn[0] = emit_kfunc(p, op->kfunc);
		return;
	}

	emit(p, BPF_MOV64_IMM(BPF_REG_1, 1));
	op->insn[n++] = emit_kfunc(p, TASK_FROM_PID);
	jump = emit_jump(p, BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 0));
	emit(p, BPF_MOV64_REG(BPF_REG_7, BPF_REG_0));
	if (shape == ACQUIRE) {
		emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_7));
		op->insn[n++] = emit_kfunc(p, op->kfunc);
		jump2 = emit_jump(p, BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 0));
		emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_0));
		op->insn[n++] = emit_kfunc(p, TASK_RELEASE);
		emit_here(p, jump2);
	} else if (shape != FROM_PID) {
		emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_7));
		for (i = 2; i <= (shape == TASK4 ? 4 : 5); i++)
			emit(p, BPF_MOV64_IMM(i, 0));
		op->insn[n++] = emit_kfunc(p, op->kfunc);
	}
	emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_7));
	op->insn[n++] = emit_kfunc(p, TASK_RELEASE);
	emit_here(p, jump);
}

/* r0 = what the verifier cannot know */
static void emit_memory(struct prog *p)
{
	EMIT2(p, BPF_LD_MAP_VALUE(BPF_REG_1, data_fd, 0));
	emit(p, BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, 0));
}

/* The jump to what is done if the condition does not hold */
static int emit_cond(struct prog *p, enum cond cond)
{
	switch (cond) {
	case IF_RANDOM:
		emit(p, BPF_EMIT_CALL(BPF_FUNC_get_prandom_u32));
		break;
	case IF_ARG:
		emit(p, BPF_LDX_MEM(BPF_DW, BPF_REG_0, BPF_REG_6, 0));
		break;
	case IF_MEMORY:
		emit_memory(p);
		break;
	case IF_CONST0:
	case IF_CONST1:
		emit(p, BPF_MOV64_IMM(BPF_REG_0, cond == IF_CONST1));
		break;
	case IF_RODATA0:
	case IF_RODATA1:
		EMIT2(p, BPF_LD_MAP_VALUE(BPF_REG_1, rodata_fd, cond == IF_RODATA1 ? 4 : 0));
		emit(p, BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, 0));
		break;
	case IF_RANGE0:
	case IF_RANGE1:
		emit_memory(p);
		emit(p, BPF_ALU64_IMM(BPF_AND, BPF_REG_0, 7));
		return emit_jump(p, BPF_JMP_IMM(cond == IF_RANGE0 ? BPF_JLE : BPF_JGT,
						BPF_REG_0, 7, 0));
	default: /* IF_FLAG */
		emit(p, BPF_MOV64_REG(BPF_REG_0, BPF_REG_8));
	}
	return emit_jump(p, BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 0, 0));
}

static void emit_call(struct prog *p, int sub)
{
	emit_ref(p, sub);
	emit(p, BPF_CALL_REL(0));
}

static void emit_block(struct prog *p, int i)
{
	int no, end;
	struct op *op;

	for (; i >= 0; i = p->pool[i].next) {
		op = &p->pool[i];
		switch (op->kind) {
		case OP_KFUNC:
			emit_kfunc_op(p, op);
			break;
		case OP_CALL:
			if (p->subs[op->sub].kind == SUB_FLAG)
				emit(p, BPF_MOV64_IMM(BPF_REG_1, op->val));
			emit_call(p, op->sub);
			break;
		case OP_TAKE:
			emit_func_ptr(p, BPF_REG_1, op->sub);
			break;
		case OP_PASS:
			emit_func_ptr(p, BPF_REG_1, op->sub);
			if (p->subs[op->user].by_stack) {
				emit(p, BPF_STX_MEM(BPF_DW, BPF_REG_10, BPF_REG_1, -16));
				emit(p, BPF_MOV64_REG(BPF_REG_1, BPF_REG_10));
				emit(p, BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -16));
			}
			emit_call(p, op->user);
			break;
		case OP_THROW:
			emit(p, BPF_MOV64_IMM(BPF_REG_1, 0));
			op->insn[0] = emit_kfunc(p, THROW);
			break;
		case OP_IF:
			no = emit_cond(p, op->cond);
			emit_block(p, op->body);
			end = emit_jump(p, BPF_JMP_A(0));
			emit_here(p, no);
			emit_block(p, op->other);
			emit_here(p, end);
			break;
		default:
			op->insn[0] = emit_use(p, op->kind, op->sub, op->val);
		}
	}
}

static void emit_prog(struct prog *p)
{
	struct bpf_insn *insn;
	struct sub *sub;
	int i;

	for (i = 0; i < p->nr_subs; i++) {
		sub = &p->subs[p->layout[i]];
		sub->start = p->cnt;
		if (sub->kind == SUB_MAIN && !p->ext)
			emit(p, BPF_MOV64_REG(BPF_REG_6, BPF_REG_1));
		if (sub->kind == SUB_FLAG)
			emit(p, BPF_MOV64_REG(BPF_REG_8, BPF_REG_1));
		if (sub->kind == SUB_USER) {
			if (sub->by_stack)
				emit(p, BPF_LDX_MEM(BPF_DW, BPF_REG_9, BPF_REG_1, 0));
			else
				emit(p, BPF_MOV64_REG(BPF_REG_9, BPF_REG_1));
			sub->use_insn = emit_use(p, sub->use, -1, 0);
		}
		emit_block(p, sub->first);
		emit(p, BPF_MOV64_IMM(BPF_REG_0, 0));
		emit(p, BPF_EXIT_INSN());
	}
	for (i = 0; i < p->nr_refs; i++) {
		insn = &p->insns[p->refs[i].insn];
		insn->imm = p->subs[p->refs[i].sub].start - p->refs[i].insn - 1;
	}
}

/* The model, part two: what is live. Execution is followed from where the kernel
 * enters the program; a condition that the verifier can decide leads one way.
 */

static void live_sub(struct prog *p, int s, int flag);

/* Does execution go on behind it? */
static bool live_block(struct prog *p, int i, int flag)
{
	bool yes, no;
	struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		op->live = true;
		switch (op->kind) {
		case OP_CALL:
			live_sub(p, op->sub, p->subs[op->sub].kind == SUB_FLAG ? op->val : 0);
			break;
		case OP_PASS:
			live_sub(p, op->user, 0);
			break;
		case OP_THROW:
			return false;
		case OP_IF:
			yes = op->cond == IF_CONST1 || op->cond == IF_RODATA1 ||
			      op->cond == IF_RANGE1 || (op->cond == IF_FLAG && flag);
			no = !yes;
			yes = (yes || !decidable(op->cond)) && live_block(p, op->body, flag);
			no = (no || !decidable(op->cond)) && live_block(p, op->other, flag);
			if (!yes && !no)
				return false;
			break;
		default:
			break;
		}
		if (uses_sync(p, op)) {
			p->subs[op->sub].sync_used = true;
			live_sub(p, op->sub, 0);
		}
		if (uses_async(p, op)) {
			p->subs[op->sub].async_used = true;
			live_sub(p, op->sub, 0);
		}
	}
	return true;
}

static void live_sub(struct prog *p, int s, int flag)
{
	if (p->subs[s].live[flag])
		return;
	p->subs[s].live[flag] = true;
	live_block(p, p->subs[s].first, flag);
}

static void find_live(struct prog *p)
{
	struct sub *sub;
	int i;

	for (i = 0; i < p->nr_ops; i++)
		p->pool[i].live = false;
	for (sub = p->subs; sub < p->subs + p->nr_subs; sub++) {
		sub->live[0] = false;
		sub->live[1] = false;
		sub->sync_used = false;
		sub->async_used = false;
	}
	live_sub(p, 0, 0);
	if (p->exc)
		live_sub(p, 1, 0);
}

/* Part three: what a subprogram runs for. To take the address of a callback counts as
 * calling it if anything calls it synchronously, unless this is to be @exact.
 */

static void reach_sub(struct prog *p, int s, bool outside, bool exact);

static void reach_block(struct prog *p, int i, bool outside, bool exact)
{
	const struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		if (!op->live)
			continue;
		if (op->kind == OP_IF) {
			reach_block(p, op->body, outside, exact);
			reach_block(p, op->other, outside, exact);
		}
		if (op->kind == OP_CALL)
			reach_sub(p, op->sub, outside, exact);
		if (op->kind == OP_PASS)
			reach_sub(p, op->user, outside, exact);
		if (uses_sync(p, op) ||
		    (!exact && takes_address(op) && p->subs[op->sub].sync_used))
			reach_sub(p, op->sub, outside, exact);
		if (uses_async(p, op))
			reach_sub(p, op->sub, true, exact);
	}
}

static void reach_sub(struct prog *p, int s, bool outside, bool exact)
{
	bool *reached = outside ? &p->subs[s].outside : &p->subs[s].member;

	if (*reached)
		return;
	*reached = true;
	reach_block(p, p->subs[s].first, outside, exact);
}

/* Part four: the verdict is that of the first call that is refused. */

static const char *sub_name(int s, char *buf)
{
	sprintf(buf, "sub%d", s);
	return s ? buf : "entry";
}

static void allowed_in(const struct prog *p, int kfunc, char *buf, size_t size)
{
	const char *sep = "; allowed in: ";
	int i, n = 0;

	buf[0] = '\0';
	if (all_ops[p->ops].how != BY_TABLE || funcs[kfunc].owner != p->ops)
		return;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].ops != p->ops || rows[i].kfunc != kfunc || rows[i].answer < 0)
			continue;
		n += snprintf(buf + n, size - n, "%s%s", sep,
			      rows[i].where ?: "outside any member");
		sep = ", ";
	}
	if (!n)
		snprintf(buf, size, "; allowed nowhere");
}

static void refuse(const struct prog *p, struct verdict *v, enum reason reason, int s,
		   int kfunc, int insn, const char *fmt, ...)
{
	char allowed[128];
	va_list ap;

	v->reason = reason;
	v->err = reason == BY_BOTH ? -EINVAL : -EACCES;
	v->sub = s;
	va_start(ap, fmt);
	vsnprintf(v->head, sizeof(v->head), fmt, ap);
	va_end(ap);
	allowed[0] = '\0';
	if (reason == BY_MEMBER || reason == BY_OUTSIDE || reason == BY_EXT)
		allowed_in(p, kfunc, allowed, sizeof(allowed));
	snprintf(v->tail, sizeof(v->tail), "%s (insn %d)", allowed, insn);
}

static void judge_site(const struct prog *p, struct verdict *v, int s, int kfunc, int insn)
{
	const struct ops *ops = &all_ops[p->ops];
	const struct func *f = &funcs[kfunc];
	const struct sub *sub = &p->subs[s];
	int bound = kfunc, outside;
	char name[16];

	sub_name(s, name);
	if (others_own(p->ops, kfunc)) {
		refuse(p, v, BY_OWNER, s, kfunc, insn,
		       "%s() cannot be called from a %s program; only those of %s may",
		       f->name, ops->name, all_ops[f->owner].name);
		return;
	}
	if (p->ext) {
		bound = answer(p->ops, ANYWHERE, kfunc);
		if (bound < 0) {
			refuse(p, v, BY_EXT, s, kfunc, insn,
			       "%s() cannot be called from " EXT_MSG "%s program",
			       f->name, ops->name);
			return;
		}
		goto out;
	}

	if (sub->member) {
		bound = answer(p->ops, p->member, kfunc);
		if (bound < 0) {
			refuse(p, v, BY_MEMBER, s, kfunc, insn, "%s() cannot be called from %s.%s",
			       f->name, ops->name, ops->members[p->member]);
			return;
		}
	}
	if (sub->outside) {
		outside = answer(p->ops, OUTSIDE, kfunc);
		if (outside < 0) {
			refuse(p, v, BY_OUTSIDE, s, kfunc, insn,
			       "%s() cannot be called from " ASYNC_MSG "%s program, %s()",
			       f->name, ops->name, name);
			return;
		}
		if (sub->member && outside != bound) {
			refuse(p, v, BY_BOTH, s, kfunc, insn,
			       "%s() means %s() in %s.%s, but %s() in " ASYNC_MSG
			       "%s program, %s()",
			       f->name, funcs[bound].name, ops->name, ops->members[p->member],
			       funcs[outside].name, ops->name, name);
			return;
		}
		bound = outside;
	}
out:
	v->len += snprintf(v->calls + v->len, sizeof(v->calls) - v->len, "%s ",
			   funcs[bound].name);
	if (bound != kfunc)
		v->bound++;
	else
		v->plain++;
}

static void judge_block(const struct prog *p, struct verdict *v, int s, int i)
{
	int kfuncs[MAX_SITES], n, j;
	const struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		n = op_sites(op, kfuncs);
		for (j = 0; j < n && op->live && !v->reason; j++)
			judge_site(p, v, s, kfuncs[j], op->insn[j]);
		judge_block(p, v, s, op->body);
		judge_block(p, v, s, op->other);
	}
}

static void judge(struct prog *p, struct verdict *v, bool exact)
{
	int i, s;

	memset(v, 0, offsetof(struct verdict, calls));
	v->calls[0] = '\0';
	for (s = 0; s < p->nr_subs; s++) {
		p->subs[s].member = false;
		p->subs[s].outside = false;
	}
	reach_sub(p, 0, false, exact);
	if (p->exc)
		reach_sub(p, 1, false, exact);
	for (i = 0; i < p->nr_subs; i++) {
		s = p->layout[i];
		if (p->subs[s].kind == SUB_USER && p->subs[s].use == OP_WQ &&
		    p->subs[s].live[0] && !v->reason)
			judge_site(p, v, s, WQ_SET_CALLBACK, p->subs[s].use_insn);
		judge_block(p, v, s, p->subs[s].first);
	}
}

static void model(struct prog *p, struct verdict *v)
{
	static struct verdict exact;

	find_live(p);
	judge(p, &exact, true);
	judge(p, v, false);
	stats.cautious += v->reason && !exact.reason;
}

/* In words */

static void print_block(const struct prog *p, int i, int indent)
{
	static const char * const uses[NR_KINDS] = {
		[OP_LOOP] = "bpf_loop(%s, sub%d)",
		[OP_LOOP0] = "bpf_loop(%s, sub%d)",
		[OP_EACH] = "bpf_for_each_map_elem(%s, sub%d)",
		[OP_TIMER] = "bpf_timer_set_callback(%s, sub%d)",
		[OP_WQ] = "bpf_wq_set_callback(%s, sub%d)",
		[OP_TAKE] = "%s = sub%d",
	};
	int kfuncs[MAX_SITES], n, j;
	const struct op *op;
	const char *arg;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		printf("%*s%s", indent, "", op->live ? "" : "/* dead */ ");
		switch (op->kind) {
		case OP_KFUNC:
		case OP_THROW:
			n = op_sites(op, kfuncs);
			for (j = 0; j < n; j++)
				printf("%s();%s", funcs[kfuncs[j]].name, j < n - 1 ? " " : "");
			break;
		case OP_CALL:
			printf("sub%d(", op->sub);
			if (p->subs[op->sub].kind == SUB_FLAG)
				printf("%d", op->val);
			printf(");");
			break;
		case OP_PASS:
			printf("sub%d(%ssub%d);", op->user,
			       p->subs[op->user].by_stack ? "&" : "", op->sub);
			break;
		case OP_IF:
			printf("if (%s) {\n", cond_names[op->cond]);
			print_block(p, op->body, indent + 8);
			printf("%*s} else {\n", indent, "");
			print_block(p, op->other, indent + 8);
			printf("%*s}", indent, "");
			break;
		default:
			arg = op->kind == OP_LOOP0 ? "0" : op->kind != OP_LOOP ? "map" :
			      op->val ? "random" : "2";
			printf(uses[op->kind], arg, op->sub);
			printf(";");
		}
		n = op_sites(op, kfuncs);
		for (j = 0; j < n; j++)
			printf(" /* insn %d */", op->insn[j]);
		printf("\n");
	}
}

static void print_prog(const struct prog *p)
{
	static const char * const kinds[] = {
		"", "static ", "static ", "", "static ", "/* exception callback */ ",
	};
	const struct ops *ops = &all_ops[p->ops];
	const struct sub *sub;
	char name[16];
	int i, s;

	printf("\n/* KFUNC_FUZZ_SEED=0x%llx KFUNC_FUZZ_COUNT=1: ", (unsigned long long)p->seed);
	if (p->ext)
		printf("replaces a function of %s.%s */\n", ops->name, ops->members[0]);
	else
		printf("%s.%s */\n", ops->name, ops->members[p->member]);
	for (i = 0; i < p->nr_subs; i++) {
		s = p->layout[i];
		sub = &p->subs[s];
		printf("%s%s(%s) /* insn %d%s%s%s */\n{\n", kinds[sub->kind], sub_name(s, name),
		       sub->kind == SUB_FLAG ? "flag" :
		       sub->kind != SUB_USER ? "" : sub->by_stack ? "*cb" : "cb",
		       sub->start, sub->member ? ", member" : "", sub->outside ? ", outside" : "",
		       !sub->live[0] && !sub->live[1] ? ", dead" : "");
		if (sub->kind == SUB_USER)
			printf("        %s;\n", sub->use == OP_LOOP ? "bpf_loop(2, cb)" :
			       sub->use == OP_EACH ? "bpf_for_each_map_elem(map, cb)" :
			       sub->use == OP_TIMER ? "bpf_timer_set_callback(map, cb)" :
			       "bpf_wq_set_callback(map, cb)");
		print_block(p, sub->first, 8);
		printf("}\n");
	}
}

/* The kernel */

static int load_prog(struct prog *p)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd_array[NR_BTFS] = { 0, btf_fds[TESTMOD], btf_fds[TABLEMOD] };
	const struct ops *ops = &all_ops[p->ops];
	struct bpf_func_info info[MAX_SUBS];
	enum bpf_prog_type type = BPF_PROG_TYPE_STRUCT_OPS;
	int i, s;

	for (i = 0; i < p->nr_subs; i++) {
		s = p->layout[i];
		info[i].insn_off = p->subs[s].start;
		switch (p->subs[s].kind) {
		case SUB_MAIN:
			info[i].type_id = p->exc ? main_exc_id : main_id;
			break;
		case SUB_EXC:
			info[i].type_id = exc_id;
			break;
		case SUB_GLOBAL:
			info[i].type_id = global_ids[s];
			break;
		default:
			info[i].type_id = static_ids[s];
		}
	}
	if (p->ext) {
		type = BPF_PROG_TYPE_EXT;
		opts.attach_prog_fd = ops->target_fd;
		opts.attach_btf_id = global_ids[1];
	} else {
		opts.attach_btf_id = ops->id;
		opts.attach_btf_obj_fd = btf_fds[ops->btf];
		opts.expected_attach_type = ops->idx[p->member];
	}
	opts.prog_btf_fd = btf__fd(prog_btf);
	opts.func_info = info;
	opts.func_info_cnt = p->nr_subs;
	opts.func_info_rec_size = sizeof(*info);
	opts.fd_array = fd_array;
	opts.log_level = 4; /* no more than what is wrong */
	opts.log_buf = log_buf;
	opts.log_size = sizeof(log_buf);
	log_buf[0] = '\0';
	return bpf_prog_load(type, "kfunc_fuzz", "GPL", p->insns, p->cnt, &opts);
}

/* Does a live op of @s lead to @to? */
static bool block_leads_to(const struct prog *p, int i, int to)
{
	const struct op *op;

	for (; i >= 0; i = op->next) {
		op = &p->pool[i];
		if (!op->live)
			continue;
		if (op->kind == OP_IF &&
		    (block_leads_to(p, op->body, to) || block_leads_to(p, op->other, to)))
			return true;
		if ((op->kind == OP_CALL && op->sub == to) ||
		    (op->kind == OP_PASS && op->user == to) ||
		    (takes_address(op) && op->sub == to && p->subs[to].sync_used))
			return true;
	}
	return false;
}

/* From the subprogram with the call to an asynchronous callback, each called by the next */
static const char *check_chain(const struct prog *p, int s, const char *line)
{
	int caller, n;

	while (sscanf(line, " called by sub%d()%n", &caller, &n) == 1) {
		if (caller < 1 || caller >= p->nr_subs || !p->subs[caller].outside ||
		    !block_leads_to(p, p->subs[caller].first, s))
			return NULL;
		line += n;
		s = caller;
	}
	return p->subs[s].async_used ? line : NULL;
}

static bool log_is_fine(const struct prog *p, const struct verdict *v)
{
	size_t len = strlen(v->tail);
	const char *line;

	line = strstr(log_buf, v->head);
	if (!line || (line != log_buf && line[-1] != '\n'))
		return false;
	line += strlen(v->head);
	if (v->reason == BY_OUTSIDE || v->reason == BY_BOTH)
		line = check_chain(p, v->sub, line);
	return line && !strncmp(line, v->tail, len) && line[len] == '\n';
}

static void count(const struct prog *p, const struct verdict *v)
{
	const struct sub *sub;
	int i, s, kfuncs[MAX_SITES];

	stats.programs++;
	stats.ext += p->ext;
	stats.exc += p->exc;
	stats.reasons[v->reason]++;
	stats.bound += v->reason ? 0 : v->bound;
	stats.plain += v->reason ? 0 : v->plain;
	for (s = 1; s < p->nr_subs; s++) {
		sub = &p->subs[s];
		stats.subs++;
		stats.dead_subs += !sub->live[0] && !sub->live[1];
		stats.globals += sub->kind == SUB_GLOBAL;
		stats.sync_cbs += sub->sync_used;
		stats.async_cbs += sub->async_used;
		stats.both_cbs += sub->sync_used && sub->async_used;
		stats.both_subs += sub->member && sub->outside;
	}
	for (i = 0; i < p->nr_ops; i++) {
		stats.throws += p->pool[i].kind == OP_THROW && p->pool[i].live;
		if (!p->pool[i].live)
			stats.dead += op_sites(&p->pool[i], kfuncs);
	}
}

static bool wanted(const char *name)
{
	int i;

	for (i = 0; i < NR_FUNCS; i++) {
		if (!strcmp(funcs[i].name, name))
			return true;
	}
	return false;
}

/* Whether the kernel and the model are of one mind */
static bool try_prog(struct prog *p, u64 seed)
{
	static char xlated[MAX_CALLS], jited[MAX_CALLS];
	static struct verdict v;
	bool fine;
	int fd;

	xlated[0] = '\0';
	jited[0] = '\0';
	gen_prog(p, seed);
	emit_prog(p);
	model(p, &v);
	count(p, &v);
	if (show)
		print_prog(p);
	fd = load_prog(p);
	if (fd < 0) {
		fine = fd == v.err && log_is_fine(p, &v);
	} else {
		fine = !v.reason;
		/* where the JIT has far calls, BTF IDs of several modules */
		if (!kfunc_calls.far)
			fine = fine &&
			       !kfunc_calls_xlated(&kfunc_calls, fd, xlated, sizeof(xlated)) &&
			       !strcmp(xlated, v.calls);
#if defined(__x86_64__)
		fine = fine && !kfunc_calls_jited(&kfunc_calls, fd, jited, sizeof(jited)) &&
		       !strcmp(jited, v.calls);
#endif
		close(fd);
	}
	if (fine)
		return true;

	if (!show)
		print_prog(p);
	printf("/*\n * expected: ");
	if (v.reason)
		printf("%d, %s%s\n", v.err, v.head, v.tail);
	else
		printf("loaded, %s\n", v.calls);
	if (fd < 0)
		printf(" * got: %d, and this log:\n%s", fd, log_buf);
	else
		printf(" * got: loaded, %s\n * jited: %s\n", xlated, jited);
	printf(" */\n");
	return false;
}

/* What all programs share */

static int make_btf(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int int_id, u64_id, void_proto, cookie_proto, timer_id, wq_id, i;
	int map_value_id;
	char name[16];

	prog_btf = btf__new_empty();
	if (!ASSERT_OK_PTR(prog_btf, "btf__new_empty"))
		return -1;
	int_id = btf__add_int(prog_btf, "int", 4, BTF_INT_SIGNED);
	u64_id = btf__add_int(prog_btf, "unsigned long long", 8, 0);
	void_proto = btf__add_func_proto(prog_btf, int_id);
	cookie_proto = btf__add_func_proto(prog_btf, int_id);
	btf__add_func_param(prog_btf, "cookie", u64_id);
	main_id = btf__add_func(prog_btf, "entry", BTF_FUNC_GLOBAL, void_proto);
	main_exc_id = btf__add_func(prog_btf, "entry", BTF_FUNC_GLOBAL, void_proto);
	/* the exception callback is the first subprogram */
	exc_id = btf__add_func(prog_btf, "sub1", BTF_FUNC_GLOBAL, cookie_proto);
	btf__add_decl_tag(prog_btf, "exception_callback:sub1", main_exc_id, -1);
	for (i = 1; i < MAX_SUBS; i++) {
		sub_name(i, name);
		static_ids[i] = btf__add_func(prog_btf, name, BTF_FUNC_STATIC, void_proto);
		global_ids[i] = btf__add_func(prog_btf, name, BTF_FUNC_GLOBAL, void_proto);
	}
	timer_id = btf__add_struct(prog_btf, "bpf_timer", 16);
	btf__add_field(prog_btf, "a", u64_id, 0, 0);
	btf__add_field(prog_btf, "b", u64_id, 64, 0);
	wq_id = btf__add_struct(prog_btf, "bpf_wq", 16);
	btf__add_field(prog_btf, "a", u64_id, 0, 0);
	btf__add_field(prog_btf, "b", u64_id, 64, 0);
	map_value_id = btf__add_struct(prog_btf, "value", 32);
	btf__add_field(prog_btf, "timer", timer_id, 0, 0);
	btf__add_field(prog_btf, "wq", wq_id, 128, 0);
	if (!ASSERT_GT(map_value_id, 0, "btf__add") ||
	    !ASSERT_OK(btf__load_into_kernel(prog_btf), "btf__load"))
		return -1;

	opts.btf_fd = btf__fd(prog_btf);
	opts.btf_key_type_id = int_id;
	opts.btf_value_type_id = map_value_id;
	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fuzz", 4, 32, 1, &opts);
	return ASSERT_GE(map_fd, 0, "map") ? 0 : -1;
}

static int make_data(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	u32 key = 0, value[2] = { 0, 1 };

	data_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "data", 4, 8, 1, NULL);
	rodata_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rodata", 4, 8, 1, &opts);
	if (!ASSERT_GE(data_fd, 0, "data") ||
	    !ASSERT_GE(rodata_fd, 0, "rodata") ||
	    !ASSERT_OK(bpf_map_update_elem(rodata_fd, &key, value, 0), "update") ||
	    !ASSERT_OK(bpf_map_freeze(rodata_fd), "freeze"))
		return -1;
	return 0;
}

static int resolve(void)
{
	const struct btf_type *t;
	struct ops *ops;
	int i, j, m;

	for (i = 0; i < NR_FUNCS; i++) {
		funcs[i].id = btf__find_by_name_kind(btfs[funcs[i].btf], funcs[i].name,
						     BTF_KIND_FUNC);
		/* a kernel without sched_ext has fewer */
		if (strncmp(funcs[i].name, "scx_", 4) && !ASSERT_GT(funcs[i].id, 0, funcs[i].name))
			return -1;
	}
	for (i = 0; i < NR_OPS; i++) {
		ops = &all_ops[i];
		ops->target_fd = -1;
		ops->id = btf__find_by_name_kind(btfs[ops->btf], ops->name, BTF_KIND_STRUCT);
		if (i == SCX_OPS && ops->id < 0)
			continue;
		if (!ASSERT_GT(ops->id, 0, ops->name))
			return -1;
		t = btf__type_by_id(btfs[ops->btf], ops->id);
		for (m = 0; m < ARRAY_SIZE(ops->members) && ops->members[m]; m++) {
			ops->idx[m] = -1;
			for (j = 0; j < btf_vlen(t); j++) {
				if (!strcmp(btf__name_by_offset(btfs[ops->btf],
								btf_members(t)[j].name_off),
					    ops->members[m]))
					ops->idx[m] = j;
			}
			if (!ASSERT_GE(ops->idx[m], 0, ops->members[m]))
				return -1;
		}
		ops->nr_members = m;
	}
	return 0;
}

/* A program for each struct_ops, with a global subprogram that can be replaced */
static int load_targets(struct prog *p)
{
	int i;

	for (i = 0; i < NR_OPS; i++) {
		if (all_ops[i].id <= 0)
			continue;
		memset(p, 0, sizeof(*p));
		p->ops = i;
		p->nr_subs = 2;
		p->subs[0].kind = SUB_MAIN;
		p->subs[1].kind = SUB_GLOBAL;
		p->subs[0].first = -1;
		p->subs[0].last = -1;
		p->subs[1].first = -1;
		p->layout[1] = 1;
		p->pool[add_op(p, &p->subs[0].last, &p->subs[0].first, OP_CALL)].sub = 1;
		emit_prog(p);
		all_ops[i].target_fd = load_prog(p);
		if (!ASSERT_GE(all_ops[i].target_fd, 0, all_ops[i].name))
			return -1;
	}
	return 0;
}

/* bpf_testmod_reloc_ops says what it is told. */
static int write_rules(void)
{
	struct bpf_testmod_reloc_rule {
		u32 kfunc;
		s32 member;
		s32 answer;
	} rules[ARRAY_SIZE(rows)];
	const struct ops *ops = &all_ops[RELOC_OPS];
	int i, j, n = 0, fd, err;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].ops != RELOC_OPS)
			continue;
		rules[n].kfunc = funcs[rows[i].kfunc].id;
		rules[n].member = -1;
		for (j = 0; j < ops->nr_members; j++) {
			if (rows[i].where && !strcmp(ops->members[j], rows[i].where))
				rules[n].member = ops->idx[j];
		}
		rules[n].answer = rows[i].answer < 0 ? rows[i].answer : funcs[rows[i].answer].id;
		n++;
	}
	fd = open("/sys/kernel/bpf_testmod_reloc", O_WRONLY);
	if (!ASSERT_GE(fd, 0, "open_rules"))
		return -1;
	err = write(fd, rules, n * sizeof(*rules)) != n * sizeof(*rules);
	close(fd);
	return ASSERT_OK(err, "write_rules") ? 0 : -1;
}

static bool get_number(const char *name, u64 *value)
{
	const char *s = getenv(name);
	char *end;

	if (!s)
		return true;
	errno = 0;
	*value = strtoull(s, &end, 0);
	if (*s && !*end && !errno)
		return true;
	PRINT_FAIL("%s=%s is no number\n", name, s);
	return false;
}

static void run(struct prog *p, u64 seed, u64 cnt)
{
	int failures = 0;
	u64 i;

	for (i = 0; i < cnt && failures < MAX_FAILURES; i++)
		failures += !try_prog(p, seed + i);
	ASSERT_EQ(failures, 0, "failures");

	printf("kfunc_fuzz: SEED=0x%llx COUNT=%llu: %lu programs, %d wrong\n",
	       (unsigned long long)seed, (unsigned long long)cnt, stats.programs, failures);
	printf("kfunc_fuzz: %lu loaded, %lu refused, %lu of these out of caution\n",
	       stats.reasons[LOADED], stats.programs - stats.reasons[LOADED], stats.cautious);
	printf("kfunc_fuzz: refused: %lu member, %lu outside, %lu both, %lu replacing, %lu owned\n",
	       stats.reasons[BY_MEMBER], stats.reasons[BY_OUTSIDE], stats.reasons[BY_BOTH],
	       stats.reasons[BY_EXT], stats.reasons[BY_OWNER]);
	printf("kfunc_fuzz: calls: %lu relocated, %lu as they are; %lu dead\n",
	       stats.bound, stats.plain, stats.dead);
	printf("kfunc_fuzz: %lu subprograms: %lu dead, %lu global, %lu reached both ways\n",
	       stats.subs, stats.dead_subs, stats.globals, stats.both_subs);
	printf("kfunc_fuzz: callbacks: %lu sync, %lu async, %lu both, %lu for exceptions\n",
	       stats.sync_cbs, stats.async_cbs, stats.both_cbs, stats.exc);
	printf("kfunc_fuzz: %lu throws, %lu replacements\n", stats.throws, stats.ext);
}

static void unload_table_module(void)
{
	int i;

	/* programs that are gone hold it until they are freed */
	for (i = 0; i < 1000; i++) {
		if (!unload_module("bpf_test_kfunc_table", false))
			return;
		usleep(10000);
	}
	ASSERT_FAIL("bpf_test_kfunc_table is still in use");
}

void serial_test_kfunc_fuzz(void)
{
	u64 seed = 0x6b66756e63, cnt = 500;
	struct prog *p;
	int i;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	if (!get_number("KFUNC_FUZZ_SEED", &seed) || !get_number("KFUNC_FUZZ_COUNT", &cnt))
		return;
	show = getenv("KFUNC_FUZZ_SHOW");
	memset(&stats, 0, sizeof(stats));
	map_fd = -1;
	data_fd = -1;
	rodata_fd = -1;
	for (i = 0; i < NR_BTFS; i++)
		btf_fds[i] = -1;

	p = malloc(sizeof(*p));
	if (!ASSERT_OK_PTR(p, "malloc"))
		return;
	if (!ASSERT_OK(load_module("bpf_test_kfunc_table.ko", false), "load_module"))
		goto free;
	btfs[VMLINUX] = btf__load_vmlinux_btf();
	if (!ASSERT_OK_PTR(btfs[VMLINUX], "vmlinux_btf"))
		goto unload;
	btfs[TESTMOD] = btf__load_module_btf("bpf_testmod", btfs[VMLINUX]);
	btfs[TABLEMOD] = btf__load_module_btf("bpf_test_kfunc_table", btfs[VMLINUX]);
	btf_fds[VMLINUX] = module_btf_fd("vmlinux");
	btf_fds[TESTMOD] = module_btf_fd("bpf_testmod");
	btf_fds[TABLEMOD] = module_btf_fd("bpf_test_kfunc_table");
	if (!ASSERT_OK_PTR(btfs[TESTMOD], "testmod_btf") ||
	    !ASSERT_OK_PTR(btfs[TABLEMOD], "tablemod_btf") ||
	    !ASSERT_GE(btf_fds[VMLINUX], 0, "vmlinux_btf_fd") ||
	    !ASSERT_GE(btf_fds[TESTMOD], 0, "testmod_btf_fd") ||
	    !ASSERT_GE(btf_fds[TABLEMOD], 0, "tablemod_btf_fd") ||
	    make_btf() || make_data() || resolve() || write_rules() || load_targets(p))
		goto close;
	if (kfunc_calls_open(&kfunc_calls, btfs[VMLINUX], wanted))
		goto close;
	run(p, seed, cnt);
	kfunc_calls_close(&kfunc_calls);
close:
	for (i = 0; i < NR_OPS; i++) {
		if (all_ops[i].target_fd > 0)
			close(all_ops[i].target_fd);
	}
	if (map_fd >= 0)
		close(map_fd);
	if (data_fd >= 0)
		close(data_fd);
	if (rodata_fd >= 0)
		close(rodata_fd);
	btf__free(prog_btf);
	for (i = NR_BTFS - 1; i >= 0; i--) {
		if (btf_fds[i] >= 0)
			close(btf_fds[i]);
		btf__free(btfs[i]);
	}
unload:
	unload_table_module();
free:
	free(p);
}
