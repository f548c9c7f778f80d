// SPDX-License-Identifier: GPL-2.0-only
/*
 * Relocation of kfunc calls in struct_ops programs.
 *
 * A kfunc is called by its BTF ID, and one ID means one function. A struct_ops
 * that sets bpf_struct_ops.kfunc_validate_reloc says, for each call site of its
 * programs, which kernel function the call means there, or that it may not be
 * made. bpf_kfunc_reloc_prog() asks it, after the program was proven against
 * the kfunc that it names, and makes the call instruction name the answer. A
 * struct_ops that sets bpf_struct_ops.kfunc_relocs says the same in a table.
 *
 * What was proven of the kfunc has to hold for the function that is called in
 * its place, so the two must agree in prototype and flags, and the answer has
 * to hold wherever the instruction can run. The latter is a property of the
 * call graph: a global subprogram is verified on its own, without its callers.
 */
#include <linux/bitmap.h>
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/kallsyms.h>
#include <linux/kfunc_reloc.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

/* What a subprogram can be running for. */
enum kfunc_reloc_ctx {
	KFUNC_CTX_MEMBER	= BIT(0), /* an invocation of the member */
	KFUNC_CTX_OUTSIDE	= BIT(1), /* not, or not known to be, one */
};

/* A row of a table, as it is looked up */
struct btf_kfunc_reloc {
	u32 kfunc_id;
	s32 where;
	u32 target_id;
	u32 kind;
	/* the target was found to agree with the kfunc */
	bool checked;
	/* of the target */
	unsigned long addr;
};

/* What a call became at an earlier site. It becomes the same in equal contexts. */
struct kfunc_reloc_memo {
	u32 kfunc_id;
	s16 off;
	s16 target_off;
	u32 target_id;
	u8 ctx;
};

/* For each kfunc: one for each combination of contexts, and one that stays free */
#define KFUNC_RELOC_MEMOS	4

/* By subprogram */
struct kfunc_reloc_graph {
	/* enum kfunc_reloc_ctx */
	u8 ctx[BPF_MAX_SUBPROGS + 2];
	/* the one that brought KFUNC_CTX_OUTSIDE, or itself */
	u16 from[BPF_MAX_SUBPROGS + 2];
};

/* What a program that names one kfunc, and has no asynchronous callback, does without */
struct kfunc_reloc_room {
	struct kfunc_reloc_graph graph;
	struct kfunc_reloc_memo memos[];
};

struct kfunc_reloc {
	struct bpf_verifier_env *env;
	const struct bpf_struct_ops_desc *desc;
	/* the struct_ops' callback; NULL if it has a table only, or neither */
	s32 (*validate)(const struct btf_type *t, const struct btf_member *member,
			struct bpf_prog *prog, u32 kfunc_id);
	/* NULL if the program replaces a function of a struct_ops program */
	const struct btf_member *member;
	/* the struct_ops' own BTF, in whose ID space the callback speaks */
	struct btf *btf;
	/* NULL if every subprogram has the context of the main program */
	struct kfunc_reloc_graph *graph;
	/* enum kfunc_reloc_ctx, of the main program */
	u8 entry;
	/* the call site in question, its subprogram, and the kfunc that it names */
	int insn_idx;
	int subprog;
	u32 kfunc_id;
	/* that kfunc's rows in the table of @desc, or NULL */
	struct btf_kfunc_reloc *rows;
	/* the function that is to be called */
	u32 target_id;
	/* a hash table with KFUNC_RELOC_MEMOS for each kfunc */
	struct kfunc_reloc_memo *memos;
	u32 memo_mask;
	/* where these and @graph are, or NULL */
	struct kfunc_reloc_room *room;
};

static __cold int kfunc_relocs_cmp(const void *a, const void *b)
{
	const struct btf_kfunc_reloc *ra = a, *rb = b;

	if (ra->kfunc_id != rb->kfunc_id)
		return ra->kfunc_id < rb->kfunc_id ? -1 : 1;
	if (ra->where != rb->where)
		return ra->where < rb->where ? -1 : 1;
	return 0;
}

/* The row that names the kfunc, or NULL. Those for it follow. Not inline, for it
 * is called in four places.
 */
static noinline struct btf_kfunc_reloc *
kfunc_relocs_find(const struct bpf_struct_ops_desc *desc, u32 kfunc_id)
{
	struct btf_kfunc_reloc *rows = desc->relocs;
	u32 mid, start = 0, end = desc->nr_relocs;

	while (start < end) {
		mid = (start + end) / 2;
		if (rows[mid].kfunc_id < kfunc_id)
			start = mid + 1;
		else
			end = mid;
	}
	if (start == desc->nr_relocs || rows[start].kfunc_id != kfunc_id)
		return NULL;
	return &rows[start];
}

/* The rows for a kfunc, from behind the row that names it. The table ends with
 * one for none.
 */
#define for_each_kfunc_reloc(row, rows) \
	for (row = (rows) + 1; row->kfunc_id == (rows)->kfunc_id; row++)

/* Does the struct_ops have the kfunc for its own? */
bool bpf_kfunc_relocs_own(const struct bpf_struct_ops_desc *desc, u32 kfunc_id)
{
	const struct btf_kfunc_reloc *rows = kfunc_relocs_find(desc, kfunc_id);

	return rows && rows->kind == BTF_KFUNC_KIND_OWN;
}

/* The member that is a function pointer at offset @where, or NULL */
static __cold const struct btf_member *
kfunc_relocs_member(const struct btf *btf, const struct btf_type *t, s32 where)
{
	const struct btf_member *member;
	u32 i;

	for_each_member(i, t, member) {
		if (__btf_member_bit_offset(t, member) / 8 == (u32)where &&
		    btf_type_resolve_func_ptr(btf, member->type, NULL))
			return member;
	}
	return NULL;
}

static bool kfunc_relocs_is_func(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);

	return t && btf_type_is_func(t);
}

/* What is wrong with a row of a sorted table, or NULL */
static __cold const char *kfunc_relocs_check(const struct bpf_struct_ops_desc *desc,
					     const struct btf *btf,
					     const struct btf_kfunc_reloc *row)
{
	const struct bpf_struct_ops_desc *owner;
	bool names, at_decl;

	names = row->kind <= BTF_KFUNC_KIND_SHARED;
	at_decl = row->where == BTF_KFUNC_AT_DECL;
	if (row->kind > BTF_KFUNC_KIND_DENY || names != at_decl)
		return "its kind is unknown";
	if (!kfunc_relocs_is_func(btf, row->kfunc_id))
		return "its kfunc is unknown";
	if (row->kind == BTF_KFUNC_KIND_RELOC &&
	    !kfunc_relocs_is_func(btf, row->target_id))
		return "its function is unknown";
	if (row != desc->relocs && !kfunc_relocs_cmp(row - 1, row))
		return "it is there twice";

	if (row->kind == BTF_KFUNC_KIND_OWN) {
		if (btf_is_module(btf) &&
		    row->kfunc_id < btf_nr_types(bpf_get_btf_vmlinux()))
			return "a kfunc of vmlinux can only be shared";
		owner = bpf_struct_ops_find_owner(btf, row->kfunc_id);
		if (owner && owner != desc)
			return "another struct_ops has its kfunc for its own";
	}
	if (row->where == BTF_KFUNC_AT_DECL)
		return NULL;

	if (kfunc_relocs_find(desc, row->kfunc_id)->where != BTF_KFUNC_AT_DECL)
		return "the table does not name its kfunc";
	if (row->where != BTF_KFUNC_AT_OUTSIDE &&
	    !kfunc_relocs_member(btf, desc->type, row->where))
		return "there is no such member";
	return NULL;
}

static __cold const char *kfunc_relocs_func_name(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);

	return id && t ? btf_name_by_offset(btf, t->name_off) : "?";
}

static __cold const char *kfunc_relocs_where_name(const struct btf *btf,
						  const struct btf_type *t,
						  s32 where)
{
	const struct btf_member *member;

	if (where == BTF_KFUNC_AT_DECL)
		return "named";
	if (where == BTF_KFUNC_AT_OUTSIDE)
		return "outside any member";
	member = kfunc_relocs_member(btf, t, where);
	return member ? btf_name_by_offset(btf, member->name_off) : "?";
}

/**
 * bpf_kfunc_relocs_init - take over the table of a struct_ops
 * @desc: descriptor of the struct_ops that is being registered
 * @btf: BTF of the struct_ops
 *
 * Copy the rows with the BTF IDs of the running kernel, as it is done for kfunc
 * sets, and with addresses, and sort them. bpf_kfunc_relocs_release() frees the
 * copy.
 *
 * Context: Process context, may sleep. Initcalls and module init functions.
 * Return: 0, or a negative error. A line in the kernel log names a bad row.
 */
__cold int bpf_kfunc_relocs_init(struct bpf_struct_ops_desc *desc, struct btf *btf)
{
	const struct btf_kfunc_reloc_table *table = desc->st_ops->kfunc_relocs;
	const struct btf_kfunc_reloc_ids *ids;
	const struct btf_kfunc_reloc_row *src;
	struct btf_kfunc_reloc *row;
	const char *why;
	u32 i, nr;

	desc->relocs = NULL;
	desc->nr_relocs = 0;
	if (!table)
		return 0;

	nr = table->end - table->start;
	desc->relocs = kcalloc(nr + 1, sizeof(*row), GFP_KERNEL);
	if (!desc->relocs)
		return -ENOMEM;
	desc->nr_relocs = nr;

	for (i = 0; i < nr; i++) {
		ids = &table->ids[i];
		src = &table->start[i];
		row = &desc->relocs[i];
		row->kfunc_id = btf_relocate_id(btf, ids->kfunc_id);
		row->target_id = btf_relocate_id(btf, ids->target_id);
		row->where = src->where;
		row->kind = src->kind;
		row->addr = (unsigned long)offset_to_ptr(&src->target_off);
	}
	sort(desc->relocs, nr, sizeof(*row), kfunc_relocs_cmp, NULL);

	for (i = 0; i < nr; i++) {
		row = &desc->relocs[i];
		why = kfunc_relocs_check(desc, btf, row);
		if (!why)
			continue;
		pr_err("struct_ops %s: bad kfunc row (%s, %s, %s): %s\n",
		       desc->st_ops->name,
		       kfunc_relocs_func_name(btf, row->kfunc_id),
		       kfunc_relocs_where_name(btf, desc->type, row->where),
		       kfunc_relocs_func_name(btf, row->target_id), why);
		return -EINVAL;
	}
	return 0;
}

/**
 * bpf_kfunc_relocs_release - free what bpf_kfunc_relocs_init() allocated
 * @desc: descriptor of a struct_ops, whether that succeeded or not
 *
 * Context: Any but hard interrupt.
 */
__cold void bpf_kfunc_relocs_release(struct bpf_struct_ops_desc *desc)
{
	kfree(desc->relocs);
	desc->relocs = NULL;
	desc->nr_relocs = 0;
}

/* The answer of a kfunc's rows, as that of bpf_struct_ops.kfunc_validate_reloc() */
static s32 kfunc_relocs_answer(const struct btf_kfunc_reloc *rows, s32 where)
{
	const struct btf_kfunc_reloc *row;

	for_each_kfunc_reloc(row, rows) {
		if (row->where != where)
			continue;
		if (row->kind == BTF_KFUNC_KIND_DENY)
			return -EACCES;
		return row->kind == BTF_KFUNC_KIND_RELOC ? row->target_id : 0;
	}
	return rows->kind == BTF_KFUNC_KIND_OWN ? -EACCES : 0;
}

/* The answer for a program that can run anywhere: one that holds everywhere */
static s32 kfunc_relocs_answer_anywhere(const struct bpf_struct_ops_desc *desc,
					const struct btf_kfunc_reloc *rows,
					const struct btf *btf)
{
	const struct btf_type *t = desc->type;
	const struct btf_member *member;
	s32 answer;
	u32 i;

	answer = kfunc_relocs_answer(rows, BTF_KFUNC_AT_OUTSIDE);
	for_each_member(i, t, member) {
		if (!btf_type_resolve_func_ptr(btf, member->type, NULL))
			continue;
		if (kfunc_relocs_answer(rows, __btf_member_bit_offset(t, member) / 8) != answer)
			return -EACCES;
	}
	return answer;
}

/* The struct_ops program whose struct_ops decides on the calls of @prog */
static const struct bpf_prog *kfunc_reloc_prog(const struct bpf_prog *prog)
{
	return prog->type == BPF_PROG_TYPE_EXT ? prog->aux->dst_prog : prog;
}

/* The answer of a table for a call in @prog; @rows is NULL if it does not name the kfunc */
static s32 kfunc_relocs_answer_prog(const struct bpf_struct_ops_desc *desc,
				    const struct btf_kfunc_reloc *rows,
				    const struct btf_member *member,
				    const struct bpf_prog *prog)
{
	s32 where = BTF_KFUNC_AT_OUTSIDE;

	if (!rows)
		return 0;
	if (prog->type == BPF_PROG_TYPE_EXT)
		return kfunc_relocs_answer_anywhere(desc, rows,
						    kfunc_reloc_prog(prog)->aux->attach_btf);
	if (member)
		where = __btf_member_bit_offset(desc->type, member) / 8;
	return kfunc_relocs_answer(rows, where);
}

static const struct bpf_struct_ops_desc *
kfunc_reloc_desc(const struct bpf_prog *prog)
{
	prog = kfunc_reloc_prog(prog);
	return bpf_struct_ops_find(prog->aux->attach_btf,
				   prog->aux->attach_btf_id);
}

/**
 * bpf_kfunc_reloc_table - answer of a struct_ops' table
 * @t: the struct_ops type
 * @member: the member that the program implements, or NULL
 * @prog: the program
 * @kfunc_id: BTF ID of the kfunc that is called
 *
 * For a struct_ops that has both a table and a callback, to call from the
 * latter with its own arguments.
 *
 * Context: That of bpf_struct_ops.kfunc_validate_reloc().
 * Return: As bpf_struct_ops.kfunc_validate_reloc().
 */
s32 bpf_kfunc_reloc_table(const struct btf_type *t,
			  const struct btf_member *member,
			  struct bpf_prog *prog, u32 kfunc_id)
{
	const struct bpf_struct_ops_desc *desc = kfunc_reloc_desc(prog);

	if (!desc)
		return -EINVAL;
	return kfunc_relocs_answer_prog(desc, kfunc_relocs_find(desc, kfunc_id),
					member, prog);
}
EXPORT_SYMBOL_GPL(bpf_kfunc_reloc_table);

static const char *kfunc_reloc_func_name(const struct kfunc_reloc *r, u32 id)
{
	return kfunc_relocs_func_name(r->btf, id);
}

static __cold void kfunc_reloc_log_ctx(const struct kfunc_reloc *r,
				       enum kfunc_reloc_ctx ctx)
{
	struct bpf_verifier_log *log = &r->env->log;
	const char *name = r->desc->st_ops->name;
	int subprog = r->subprog;
	const u16 *from;

	if (ctx == KFUNC_CTX_MEMBER) {
		bpf_log(log, "%s.%s", name,
			btf_name_by_offset(r->btf, r->member->name_off));
		return;
	}
	if (r->env->prog->type == BPF_PROG_TYPE_EXT) {
		bpf_log(log, "a program that replaces a function of a %s program",
			name);
		return;
	}
	bpf_log(log, "an asynchronous callback of a %s program, %s()", name,
		subprog_name(r->env, subprog));
	for (from = r->graph->from; from[subprog] != subprog; subprog = from[subprog])
		bpf_log(log, " called by %s()",
			subprog_name(r->env, from[subprog]));
}

/* Ends a line about the call site: where that is. */
static __cold void kfunc_reloc_log_insn(const struct kfunc_reloc *r)
{
	struct bpf_verifier_env *env = r->env;

	bpf_log(&env->log, " (insn %d)", r->insn_idx);
	if (!env->prog->aux->nr_linfo) {
		bpf_log(&env->log, "\n");
		return;
	}
	env->prev_linfo = NULL;
	verbose_linfo(env, r->insn_idx, ": ");
}

/* The kfunc is that of another struct_ops. */
static __cold void kfunc_reloc_log_owner(const struct kfunc_reloc *r,
					 const struct btf *btf,
					 const struct bpf_struct_ops_desc *owner)
{
	bpf_log(&r->env->log, "%s() cannot be called from a %s program; only those of %s may",
		kfunc_relocs_func_name(btf, r->kfunc_id),
		r->desc->st_ops->name, owner->st_ops->name);
	kfunc_reloc_log_insn(r);
}

/* Where a kfunc that the struct_ops has for its own may be called. */
static __cold void kfunc_reloc_log_allowed(const struct kfunc_reloc *r)
{
	const char *sep = "; allowed in: ";
	const struct btf_kfunc_reloc *row;

	if (r->validate || !r->rows ||
	    r->rows->kind != BTF_KFUNC_KIND_OWN)
		return;

	for_each_kfunc_reloc(row, r->rows) {
		if (row->kind == BTF_KFUNC_KIND_DENY)
			continue;
		bpf_log(&r->env->log, "%s%s", sep,
			kfunc_relocs_where_name(r->btf, r->desc->type, row->where));
		sep = ", ";
	}
	if (*sep == ';')
		bpf_log(&r->env->log, "; allowed nowhere");
}

/* The contexts of the caller are contexts of the callee. */
static void kfunc_reloc_reach(struct kfunc_reloc_graph *graph,
			      unsigned long *pending, int caller, int callee,
			      u8 ctx)
{
	u8 gained = ctx & ~graph->ctx[callee];

	if (!gained)
		return;
	if (gained & KFUNC_CTX_OUTSIDE)
		graph->from[callee] = caller;
	graph->ctx[callee] |= gained;
	__set_bit(callee, pending);
}

/* Find the contexts of every subprogram.
 *
 * A callback that the program hands to a helper or kfunc runs before that
 * returns, for whatever the program itself is running for, unless it is an
 * asynchronous one. A pointer to a subprogram never leaves the invocation that
 * loaded it: what is read back from anywhere but the stack is no such pointer.
 *
 * A subprogram is looked at again only when it gains a context, twice at most:
 * this is linear in the number of instructions. Without an asynchronous callback
 * there is nothing to find.
 */
static void kfunc_reloc_find_ctx(const struct kfunc_reloc *r)
{
	struct bpf_subprog_info *info = r->env->subprog_info;
	DECLARE_BITMAP(pending, BPF_MAX_SUBPROGS + 2) = {};
	struct kfunc_reloc_graph *graph = r->graph;
	struct bpf_verifier_env *env = r->env;
	struct bpf_insn *insns = env->prog->insnsi;
	int cnt = env->subprog_cnt;
	int i, subprog, callee;

	kfunc_reloc_reach(graph, pending, 0, 0, r->entry);
	/* bpf_throw() may not be called from a callback */
	callee = env->exception_callback_subprog;
	if (callee)
		kfunc_reloc_reach(graph, pending, callee, callee, r->entry);

	while ((subprog = find_first_bit(pending, cnt)) < cnt) {
		__clear_bit(subprog, pending);
		for (i = info[subprog].start; i < info[subprog + 1].start; i++) {
			if (!bpf_pseudo_call(&insns[i]) &&
			    !bpf_pseudo_func(&insns[i]))
				continue;
			if (!env->insn_aux_data[i].seen)
				continue;
			callee = find_subprog(env, i + insns[i].imm + 1);
			if (bpf_pseudo_call(&insns[i]) ||
			    info[callee].is_sync_cb)
				kfunc_reloc_reach(graph, pending, subprog, callee,
						  graph->ctx[subprog]);
			if (info[callee].is_async_cb)
				kfunc_reloc_reach(graph, pending, callee, callee,
						  KFUNC_CTX_OUTSIDE);
		}
	}
}

/* Are @a and @b the same type? Deduplication gives equal types equal IDs, within
 * vmlinux and within a module. Between the two it can fail, so look closer.
 */
static __cold bool kfunc_reloc_same_type(const struct btf *btf, u32 a, u32 b)
{
	u32 nr_vmlinux = btf_nr_types(bpf_get_btf_vmlinux());
	bool a_in_vmlinux, b_in_vmlinux;
	const struct btf_type *ta, *tb;

	while (a != b) {
		a_in_vmlinux = a < nr_vmlinux;
		b_in_vmlinux = b < nr_vmlinux;
		if (a_in_vmlinux == b_in_vmlinux)
			return false;
		ta = btf_type_by_id(btf, a);
		tb = btf_type_by_id(btf, b);
		if (!ta || !tb || ta->info != tb->info ||
		    strcmp(btf_name_by_offset(btf, ta->name_off),
			   btf_name_by_offset(btf, tb->name_off)))
			return false;

		switch (BTF_INFO_KIND(ta->info)) {
		case BTF_KIND_PTR:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_TYPE_TAG:
			a = ta->type;
			b = tb->type;
			break;
		case BTF_KIND_INT:
			return ta->size == tb->size &&
			       *(u32 *)(ta + 1) == *(u32 *)(tb + 1);
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return ta->name_off && ta->size == tb->size;
		case BTF_KIND_FWD:
			return true;
		default:
			return false;
		}
	}
	return true;
}

/* What a parameter's name means to the verifier. It looks at suffixes, and at the
 * whole name of those that size a returned buffer.
 */
static __cold const char *kfunc_reloc_meaning(const char *name)
{
	if (!strcmp(name, "rdonly_buf_size") || !strcmp(name, "rdwr_buf_size"))
		return name;
	return strstr(name, "__") ?: "";
}

/* The function is none that can be called in the place of the kfunc. */
static __cold __printf(2, 3) int
kfunc_reloc_mismatch(const struct kfunc_reloc *r, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	bpf_log(&r->env->log, "kernel bug: %s relocates %s() to %s() (btf_id %u), but %pV",
		r->desc->st_ops->name, kfunc_reloc_func_name(r, r->kfunc_id),
		kfunc_reloc_func_name(r, r->target_id), r->target_id, &vaf);
	va_end(args);
	kfunc_reloc_log_insn(r);
	return -EFAULT;
}

struct kfunc_reloc_sym {
	const char *name;
	unsigned long addr;
	u32 cnt;
};

static int kfunc_reloc_match_sym(void *data, unsigned long addr)
{
	struct kfunc_reloc_sym *sym = data;

	sym->addr = addr;
	sym->cnt++;
	return 0;
}

static int kfunc_reloc_match_mod_sym(void *data, const char *name,
				     unsigned long addr)
{
	struct kfunc_reloc_sym *sym = data;

	return strcmp(name, sym->name) ? 0 : kfunc_reloc_match_sym(data, addr);
}

/* The address of a function by its name, which has to be the only one of that
 * name: BTF does not tell static functions apart. A symbol of a module must not
 * be looked for in vmlinux.
 */
static __cold int kfunc_reloc_addr(const struct kfunc_reloc *r,
				   const struct btf *btf, unsigned long *addr)
{
	const char *name = kfunc_reloc_func_name(r, r->target_id);
	struct kfunc_reloc_sym sym = { .name = name };

	if (btf != bpf_get_btf_vmlinux())
		module_kallsyms_on_each_symbol(btf_get_name(btf),
					       kfunc_reloc_match_mod_sym, &sym);
	else
		kallsyms_on_each_match_symbol(kfunc_reloc_match_sym, name, &sym);
	if (sym.cnt != 1)
		return kfunc_reloc_mismatch(r, "there are %u functions of that name",
					    sym.cnt);
	*addr = sym.addr;
	return 0;
}

/* Does the function stay where it is, as long as its module does? BTF has
 * functions that are gone after init, too.
 */
static bool kfunc_reloc_stays(const struct kfunc_reloc *r, const struct btf *btf,
			      unsigned long addr)
{
	if (btf != bpf_get_btf_vmlinux())
		return within_module_core(addr, r->env->attach_btf_mod);
	return is_kernel_text(addr);
}

/* Does all that was proven of the call of the kfunc hold for the target? Find its
 * address, unless that is known.
 */
static __cold int kfunc_reloc_check_target(const struct kfunc_reloc *r,
					   const struct btf *kfunc_btf,
					   const struct btf *target_btf,
					   unsigned long *addr)
{
	const struct btf_type *kfunc, *target;
	const struct btf_param *args, *targs;
	const char *name, *tname;
	const u32 *flags;
	u32 i, nr, other;
	int err;

	target = btf_type_by_id(r->btf, r->target_id);
	if (!target || !btf_type_is_func(target))
		return kfunc_reloc_mismatch(r, "that is no function");

	if (bpf_kfunc_is_special(r->kfunc_id))
		return kfunc_reloc_mismatch(r, "the former is special");
	if (bpf_kfunc_is_special(r->target_id))
		return kfunc_reloc_mismatch(r, "the latter is special");

	kfunc = btf_type_by_id(r->btf, r->kfunc_id);
	kfunc = btf_type_by_id(r->btf, kfunc->type);
	target = btf_type_by_id(r->btf, target->type);
	nr = btf_type_vlen(kfunc);
	if (btf_type_vlen(target) != nr)
		return kfunc_reloc_mismatch(r, "they have %u and %u parameters",
					    nr, btf_type_vlen(target));
	if (!kfunc_reloc_same_type(r->btf, kfunc->type, target->type))
		return kfunc_reloc_mismatch(r, "their return types differ");

	args = btf_params(kfunc);
	targs = btf_params(target);
	for (i = 0; i < nr; i++) {
		name = btf_name_by_offset(r->btf, args[i].name_off);
		tname = btf_name_by_offset(r->btf, targs[i].name_off);
		if (!kfunc_reloc_same_type(r->btf, args[i].type, targs[i].type))
			return kfunc_reloc_mismatch(r,
						    "the types of parameter %u differ (%s, %s)",
						    i + 1, name, tname);
		if (strcmp(kfunc_reloc_meaning(name), kfunc_reloc_meaning(tname)))
			return kfunc_reloc_mismatch(r,
						    "the names of parameter %u mean different things (%s, %s)",
						    i + 1, name, tname);
	}

	flags = btf_kfunc_id_set_contains(kfunc_btf, r->kfunc_id, r->env->prog);
	if (!flags)
		return kfunc_reloc_mismatch(r, "the former is none of its kfuncs");
	if (btf_kfunc_flags_differ(target_btf, r->target_id, *flags, &other))
		return kfunc_reloc_mismatch(r, "their flags differ (0x%x, 0x%x)",
					    *flags, other);

	if (!*addr) {
		err = kfunc_reloc_addr(r, target_btf, addr);
		if (err)
			return err;
	}
	if (!kfunc_reloc_stays(r, target_btf, *addr))
		return kfunc_reloc_mismatch(r, "the latter is not there after init");
	return 0;
}

/* The first row that makes calls of the kfunc calls of the target, or NULL */
static struct btf_kfunc_reloc *kfunc_reloc_target_row(const struct kfunc_reloc *r)
{
	struct btf_kfunc_reloc *row;

	if (!r->rows)
		return NULL;
	for_each_kfunc_reloc(row, r->rows) {
		if (row->kind == BTF_KFUNC_KIND_RELOC &&
		    row->target_id == r->target_id)
			return row;
	}
	return NULL;
}

/* Give the target a descriptor of its own. All that comes later in the verifier,
 * and the JIT, then see an ordinary kfunc call.
 */
static int kfunc_reloc_add_target(const struct kfunc_reloc *r,
				  const struct btf *kfunc_btf, s16 *target_off)
{
	const struct bpf_insn *insn = &r->env->prog->insnsi[r->insn_idx];
	struct btf_kfunc_reloc *row = kfunc_reloc_target_row(r);
	struct btf *btf_vmlinux = bpf_get_btf_vmlinux();
	unsigned long addr = row ? row->addr : 0;
	struct btf *target_btf = r->btf;
	int err;

	if (r->target_id < btf_nr_types(btf_vmlinux))
		target_btf = btf_vmlinux;

	/* kfunc sets are complete when programs can be loaded: once is enough */
	if (!row || !READ_ONCE(row->checked)) {
		err = kfunc_reloc_check_target(r, kfunc_btf, target_btf, &addr);
		if (err)
			return err;
		if (row)
			WRITE_ONCE(row->checked, true);
	}
	return bpf_add_kfunc_target(r->env, insn, target_btf, r->target_id,
				    addr, target_off);
}

/* What the call becomes in one context, as the callback or the table says. */
static s32 kfunc_reloc_ask_ctx(const struct kfunc_reloc *r,
			       enum kfunc_reloc_ctx ctx)
{
	const struct btf_member *member = NULL;
	struct bpf_prog *prog = r->env->prog;
	s32 ret;

	if (ctx == KFUNC_CTX_MEMBER)
		member = r->member;
	if (r->validate)
		ret = r->validate(r->desc->type, member, prog, r->kfunc_id);
	else
		ret = kfunc_relocs_answer_prog(r->desc, r->rows, member, prog);
	if (ret >= 0)
		return ret ?: r->kfunc_id;

	bpf_log(&r->env->log, "%s() cannot be called from ",
		kfunc_reloc_func_name(r, r->kfunc_id));
	kfunc_reloc_log_ctx(r, ctx);
	kfunc_reloc_log_allowed(r);
	kfunc_reloc_log_insn(r);
	return ret;
}

/* What the call becomes in all contexts of its subprogram. */
static s32 kfunc_reloc_ask(const struct kfunc_reloc *r, u8 ctx)
{
	struct bpf_verifier_log *log = &r->env->log;
	s32 target = 0, outside;

	if (ctx & KFUNC_CTX_MEMBER) {
		target = kfunc_reloc_ask_ctx(r, KFUNC_CTX_MEMBER);
		if (target < 0)
			return target;
	}
	if (!(ctx & KFUNC_CTX_OUTSIDE))
		return target;

	outside = kfunc_reloc_ask_ctx(r, KFUNC_CTX_OUTSIDE);
	if (outside < 0 || !target || target == outside)
		return outside;

	bpf_log(log, "%s() means %s() in ",
		kfunc_reloc_func_name(r, r->kfunc_id),
		kfunc_reloc_func_name(r, target));
	kfunc_reloc_log_ctx(r, KFUNC_CTX_MEMBER);
	bpf_log(log, ", but %s() in ", kfunc_reloc_func_name(r, outside));
	kfunc_reloc_log_ctx(r, KFUNC_CTX_OUTSIDE);
	kfunc_reloc_log_insn(r);
	return -EINVAL;
}

/* The BTF of a kfunc that the program names */
static struct btf *kfunc_reloc_btf(struct bpf_verifier_env *env, u32 kfunc_id,
				   s16 off)
{
	struct btf *btf_vmlinux = bpf_get_btf_vmlinux();

	/* the IDs of a module's BTF continue those of vmlinux, and name them, too */
	if (!off || kfunc_id < btf_nr_types(btf_vmlinux))
		return btf_vmlinux;
	return find_kfunc_desc_btf(env, off);
}

/* Where to begin with looking for the memo of kfunc 0. kfuncs are side by side in BTF,
 * so their IDs do for a hash; contexts are kept apart.
 */
static u32 kfunc_reloc_home(const struct kfunc_reloc *r, u8 ctx)
{
	return (r->memo_mask + 1) / KFUNC_RELOC_MEMOS * ctx;
}

/* Where it is, or is to be, remembered what a call becomes. */
static struct kfunc_reloc_memo *kfunc_reloc_memo(const struct kfunc_reloc *r,
						 const struct bpf_insn *insn,
						 u8 ctx)
{
	struct kfunc_reloc_memo *memo;
	u32 i;

	for (i = kfunc_reloc_home(r, ctx) + insn->imm;; i++) {
		memo = &r->memos[i & r->memo_mask];
		if (!memo->kfunc_id ||
		    (memo->kfunc_id == insn->imm && memo->off == insn->off &&
		     memo->ctx == ctx))
			return memo;
	}
}

/* Decide what a call becomes, or say what was decided for an earlier one like it. */
static noinline int kfunc_reloc_decide(struct kfunc_reloc *r, int insn_idx, u8 ctx,
				       const struct kfunc_reloc_memo **memop)
{
	const struct bpf_insn *insn = &r->env->prog->insnsi[insn_idx];
	const struct bpf_struct_ops_desc *owner;
	struct kfunc_reloc_memo *memo;
	s16 target_off = insn->off;
	s32 target = insn->imm;
	struct btf *btf;
	bool has_id;
	int err;

	memo = kfunc_reloc_memo(r, insn, ctx);
	*memop = memo;
	/* see the end of add_kfunc_call(): fixup_kfunc_call() rejects it */
	if (!insn->imm)
		return 0;
	/* a table says the same again, a callback is asked */
	if (memo->kfunc_id && !r->validate)
		return 0;

	r->insn_idx = insn_idx;
	r->kfunc_id = insn->imm;
	if (!ctx) {
		bpf_log(&r->env->log, "verifier internal error: no live call of %s()",
			subprog_name(r->env, r->subprog));
		kfunc_reloc_log_insn(r);
		return -EFAULT;
	}

	btf = kfunc_reloc_btf(r->env, insn->imm, insn->off);
	if (IS_ERR(btf))
		return PTR_ERR(btf);

	/* a kfunc of some other module has no ID in the struct_ops' BTF */
	has_id = btf == r->btf || btf == bpf_get_btf_vmlinux();
	r->rows = has_id ? kfunc_relocs_find(r->desc, insn->imm) : NULL;

	owner = r->desc;
	if (!r->rows || r->rows->kind != BTF_KFUNC_KIND_OWN)
		owner = bpf_struct_ops_find_owner(btf, insn->imm);
	if (owner && owner != r->desc) {
		kfunc_reloc_log_owner(r, btf, owner);
		return -EACCES;
	}

	if (r->rows || (r->validate && has_id))
		target = kfunc_reloc_ask(r, ctx);
	if (target < 0)
		return target;

	if (memo->kfunc_id && memo->target_id == target)
		return 0;

	if (target != insn->imm) {
		r->target_id = target;
		err = kfunc_reloc_add_target(r, btf, &target_off);
		if (err)
			return err;
	}
	*memo = (struct kfunc_reloc_memo) {
		.kfunc_id = insn->imm,
		.off = insn->off,
		.ctx = ctx,
		.target_id = target,
		.target_off = target_off,
	};
	return 0;
}

static __cold void kfunc_reloc_log_call(struct kfunc_reloc *r, int insn_idx,
					const struct kfunc_reloc_memo *memo)
{
	r->insn_idx = insn_idx;
	bpf_log(&r->env->log, "%s() relocated to %s() in %s()",
		kfunc_reloc_func_name(r, memo->kfunc_id),
		kfunc_reloc_func_name(r, memo->target_id),
		subprog_name(r->env, r->subprog));
	kfunc_reloc_log_insn(r);
}

static int kfunc_reloc_calls(struct kfunc_reloc *r)
{
	const struct bpf_insn_aux_data *aux = r->env->insn_aux_data;
	const struct bpf_subprog_info *info = r->env->subprog_info;
	struct bpf_insn *insn, *insns = r->env->prog->insnsi;
	const struct kfunc_reloc_memo *memo;
	int i = 0, end, err;
	u8 ctx = r->entry;
	u32 home;

	for (r->subprog = 0; r->subprog < r->env->subprog_cnt; r->subprog++) {
		if (r->graph)
			ctx = r->graph->ctx[r->subprog];
		home = kfunc_reloc_home(r, ctx);
		end = info[r->subprog + 1].start;
		for (; i < end; i++) {
			insn = &insns[i];
			if (!bpf_pseudo_kfunc_call(insn) || !aux[i].seen)
				continue;

			/* mostly that of an earlier call */
			memo = &r->memos[(home + insn->imm) & r->memo_mask];
			if (memo->kfunc_id != insn->imm || memo->off != insn->off ||
			    memo->ctx != ctx || r->validate) {
				err = kfunc_reloc_decide(r, i, ctx, &memo);
				if (err)
					return err;
			}
			if (memo->target_id == insn->imm)
				continue;

			insn->imm = memo->target_id;
			insn->off = memo->target_off;
			if (r->env->log.level & BPF_LOG_LEVEL2)
				kfunc_reloc_log_call(r, i, memo);
		}
	}
	return 0;
}

static bool kfunc_reloc_has_async_cb(const struct bpf_verifier_env *env)
{
	u32 i;

	for (i = 0; i < env->subprog_cnt; i++) {
		if (env->subprog_info[i].is_async_cb)
			return true;
	}
	return false;
}

/* Does the program name, dead or alive, a kfunc that a struct_ops has for its own? */
static bool kfunc_reloc_names_owned(struct bpf_verifier_env *env)
{
	u32 i, id, cnt = bpf_kfunc_desc_cnt(env->prog);
	struct btf *btf;
	s16 off;

	for (i = 0; i < cnt; i++) {
		id = bpf_kfunc_desc_id(env->prog, i, &off);
		btf = kfunc_reloc_btf(env, id, off);
		if (IS_ERR(btf) || bpf_struct_ops_find_owner(btf, id))
			return true;
	}
	return false;
}

/* What is to be known before the first call is looked at. @few is for the memos of
 * one kfunc in one context.
 */
static int kfunc_reloc_prepare(struct kfunc_reloc *r, struct bpf_verifier_env *env,
			       struct btf *btf,
			       const struct bpf_struct_ops_desc *desc,
			       struct kfunc_reloc_memo *few)
{
	bool has_async_cb = kfunc_reloc_has_async_cb(env);
	u32 cnt = bpf_kfunc_desc_cnt(env->prog);
	struct bpf_prog *prog = env->prog;

	*r = (struct kfunc_reloc) {
		.env = env,
		.desc = desc,
		.validate = desc->st_ops->kfunc_validate_reloc,
		.btf = btf,
		.entry = KFUNC_CTX_OUTSIDE,
		.memos = few,
		.memo_mask = KFUNC_RELOC_MEMOS - 1,
	};
	memset(few, 0, KFUNC_RELOC_MEMOS * sizeof(*few));

	if (prog->type == BPF_PROG_TYPE_STRUCT_OPS) {
		r->entry = KFUNC_CTX_MEMBER;
		r->member = btf_type_member(desc->type) +
			    prog->expected_attach_type;
	}

	if (cnt > 1 || has_async_cb) {
		cnt = KFUNC_RELOC_MEMOS * roundup_pow_of_two(cnt ?: 1);
		r->room = kvzalloc(struct_size(r->room, memos, cnt), GFP_KERNEL);
		if (!r->room)
			return -ENOMEM;
		r->memos = r->room->memos;
		r->memo_mask = cnt - 1;
	}
	if (has_async_cb) {
		r->graph = &r->room->graph;
		kfunc_reloc_find_ctx(r);
	}
	return 0;
}

/**
 * bpf_kfunc_reloc_prog - relocate the kfunc calls of a struct_ops program
 * @env: the verifier's state, after the program was walked and before
 *	 instructions are rewritten
 *
 * Ask the program's struct_ops about each live kfunc call site, and make the
 * call instruction name the function that the site is bound to. Refuse calls of
 * kfuncs that another struct_ops has for its own. Programs of other types and
 * programs without kfunc calls are left alone.
 *
 * A BPF_PROG_TYPE_EXT program that replaces a function of a struct_ops program
 * can be attached to another one later: all of it can run outside the member.
 *
 * Context: Process context, may sleep.
 * Return: 0, or the error to reject the program with. The log says why.
 */
int bpf_kfunc_reloc_prog(struct bpf_verifier_env *env)
{
	struct kfunc_reloc_memo few[KFUNC_RELOC_MEMOS];
	const struct bpf_struct_ops_desc *desc;
	struct bpf_prog *prog = env->prog;
	struct kfunc_reloc r;
	struct btf *btf;
	int err;

	if (!bpf_prog_has_kfunc_call(prog) ||
	    resolve_prog_type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
		return 0;

	btf = kfunc_reloc_prog(prog)->aux->attach_btf;
	/* held by check_struct_ops_btf_id() unless the program replaces a function */
	if (btf != bpf_get_btf_vmlinux() && !env->attach_btf_mod) {
		env->attach_btf_mod = btf_try_get_module(btf);
		if (!env->attach_btf_mod) {
			bpf_log(&env->log, "struct_ops module %s is not found\n",
				btf_get_name(btf));
			return -ENXIO;
		}
	}
	/* not before: a module that is not live can still be adding to its own */
	desc = kfunc_reloc_desc(prog);
	if (!desc)
		return -EOPNOTSUPP;

	if (!desc->st_ops->kfunc_validate_reloc && !desc->relocs &&
	    !kfunc_reloc_names_owned(env))
		return 0;
	err = kfunc_reloc_prepare(&r, env, btf, desc, few);
	if (!err)
		err = kfunc_reloc_calls(&r);
	kvfree(r.room);
	return err;
}
