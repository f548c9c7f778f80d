// SPDX-License-Identifier: GPL-2.0-only
/*
 * Relocation of kfunc calls in struct_ops programs.
 *
 * A kfunc is called by its BTF ID, and one ID means one function. A struct_ops
 * that sets bpf_struct_ops.kfunc_validate_reloc says, for each call site of its
 * programs, which kernel function the call means there, or that it may not be
 * made. bpf_kfunc_reloc_prog() asks it, after the program was proven against
 * the kfunc that it names, and makes the call instruction name the answer.
 *
 * What was proven of the kfunc has to hold for the function that is called in
 * its place, so the two must agree in prototype and flags, and the answer has
 * to hold wherever the instruction can run. The latter is a property of the
 * call graph: a global subprogram is verified on its own, without its callers.
 */
#include <linux/bitmap.h>
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/bsearch.h>
#include <linux/btf.h>
#include <linux/hash.h>
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
	u32 target_id;
	s32 where;
	u32 kind;
	/* of the target, and whether that was found to agree with the kfunc */
	unsigned long addr;
	bool checked;
};

/* What a call became at an earlier site. It becomes the same in equal contexts. */
struct kfunc_reloc_memo {
	u32 kfunc_id;
	s16 off;
	s16 target_off;
	u32 target_id;
	u8 ctx;
};

struct kfunc_reloc {
	struct bpf_verifier_env *env;
	const struct bpf_struct_ops_desc *desc;
	/* the struct_ops' callback, or its table; NULL if it has neither */
	s32 (*validate)(const struct btf_type *t, const struct btf_member *member,
			struct bpf_prog *prog, u32 kfunc_id);
	/* NULL if the program replaces a function of a struct_ops program */
	const struct btf_member *member;
	/* the struct_ops' own BTF, in whose ID space the callback speaks */
	struct btf *btf;
	/* the module of that BTF, NULL for vmlinux */
	struct module *mod;
	/* by subprogram: enum kfunc_reloc_ctx */
	u8 ctx[BPF_MAX_SUBPROGS + 2];
	/* by subprogram: the one that brought KFUNC_CTX_OUTSIDE, or itself */
	u16 from[BPF_MAX_SUBPROGS + 2];
	/* the call site in question, and the kfunc that it names */
	int insn_idx;
	u32 kfunc_id;
	/* a hash table with room for each kfunc in each combination of contexts */
	u32 memo_bits;
	struct kfunc_reloc_memo memos[];
};

static int kfunc_relocs_cmp(const void *a, const void *b)
{
	const struct btf_kfunc_reloc *ra = a, *rb = b;

	if (ra->kfunc_id != rb->kfunc_id)
		return ra->kfunc_id < rb->kfunc_id ? -1 : 1;
	if (ra->where != rb->where)
		return ra->where < rb->where ? -1 : 1;
	return 0;
}

static struct btf_kfunc_reloc *
kfunc_relocs_find(const struct bpf_struct_ops_desc *desc, u32 kfunc_id, s32 where)
{
	struct btf_kfunc_reloc key = { .kfunc_id = kfunc_id, .where = where };

	return bsearch(&key, desc->relocs, desc->nr_relocs, sizeof(key),
		       kfunc_relocs_cmp);
}

/* The first row that makes calls of the kfunc calls of the target, or NULL */
static struct btf_kfunc_reloc *
kfunc_relocs_find_target(const struct bpf_struct_ops_desc *desc, u32 kfunc_id,
			 u32 target_id)
{
	struct btf_kfunc_reloc *row, *end = desc->relocs + desc->nr_relocs;

	row = kfunc_relocs_find(desc, kfunc_id, BTF_KFUNC_AT_DECL);
	if (!row)
		return NULL;
	for (row++; row < end && row->kfunc_id == kfunc_id; row++) {
		if (row->kind == BTF_KFUNC_KIND_RELOC &&
		    row->target_id == target_id)
			return row;
	}
	return NULL;
}

/* Does the struct_ops have the kfunc for its own? */
bool bpf_kfunc_relocs_own(const struct bpf_struct_ops_desc *desc, u32 kfunc_id)
{
	const struct btf_kfunc_reloc *decl;

	decl = kfunc_relocs_find(desc, kfunc_id, BTF_KFUNC_AT_DECL);
	return decl && decl->kind == BTF_KFUNC_KIND_OWN;
}

/* The member that is a function pointer at offset @where, or NULL */
static const struct btf_member *
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
static const char *kfunc_relocs_check(const struct bpf_struct_ops_desc *desc,
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

	if (!kfunc_relocs_find(desc, row->kfunc_id, BTF_KFUNC_AT_DECL))
		return "the table does not name its kfunc";
	if (row->where != BTF_KFUNC_AT_OUTSIDE &&
	    !kfunc_relocs_member(btf, desc->type, row->where))
		return "there is no such member";
	return NULL;
}

static const char *kfunc_relocs_func_name(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);

	return id && t ? btf_name_by_offset(btf, t->name_off) : "?";
}

static const char *kfunc_relocs_where_name(const struct btf *btf,
					   const struct btf_type *t, s32 where)
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
int bpf_kfunc_relocs_init(struct bpf_struct_ops_desc *desc, struct btf *btf)
{
	const struct btf_kfunc_reloc_table *table = desc->st_ops->kfunc_relocs;
	const struct btf_kfunc_reloc_row *src;
	struct btf_kfunc_reloc *row;
	const char *why;
	u32 i, nr;

	desc->relocs = NULL;
	desc->nr_relocs = 0;
	if (!table)
		return 0;

	nr = table->end - table->start;
	desc->relocs = kcalloc(nr, sizeof(*row), GFP_KERNEL);
	if (!desc->relocs)
		return -ENOMEM;
	desc->nr_relocs = nr;

	for (i = 0; i < nr; i++) {
		src = &table->start[i];
		row = &desc->relocs[i];
		row->kfunc_id = btf_relocate_id(btf, src->kfunc_id);
		row->target_id = btf_relocate_id(btf, src->target_id);
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
void bpf_kfunc_relocs_release(struct bpf_struct_ops_desc *desc)
{
	kfree(desc->relocs);
	desc->relocs = NULL;
	desc->nr_relocs = 0;
}

/* The answer of a table, as that of bpf_struct_ops.kfunc_validate_reloc() */
static s32 kfunc_relocs_answer(const struct bpf_struct_ops_desc *desc,
			       u32 kfunc_id, s32 where)
{
	const struct btf_kfunc_reloc *row;

	row = kfunc_relocs_find(desc, kfunc_id, where);
	if (!row)
		return bpf_kfunc_relocs_own(desc, kfunc_id) ? -EACCES : 0;
	if (row->kind == BTF_KFUNC_KIND_DENY)
		return -EACCES;
	return row->kind == BTF_KFUNC_KIND_RELOC ? row->target_id : 0;
}

/* The answer for a program that can run anywhere: one that holds everywhere */
static s32 kfunc_relocs_answer_anywhere(const struct bpf_struct_ops_desc *desc,
					const struct btf *btf, u32 kfunc_id)
{
	const struct btf_type *t = desc->type;
	const struct btf_member *member;
	s32 answer;
	u32 i;

	answer = kfunc_relocs_answer(desc, kfunc_id, BTF_KFUNC_AT_OUTSIDE);
	for_each_member(i, t, member) {
		if (!btf_type_resolve_func_ptr(btf, member->type, NULL))
			continue;
		if (kfunc_relocs_answer(desc, kfunc_id,
					__btf_member_bit_offset(t, member) / 8) != answer)
			return -EACCES;
	}
	return answer;
}

/* The struct_ops program whose struct_ops decides on the calls of @prog */
static const struct bpf_prog *kfunc_reloc_prog(const struct bpf_prog *prog)
{
	return prog->type == BPF_PROG_TYPE_EXT ? prog->aux->dst_prog : prog;
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
	const struct btf *btf = kfunc_reloc_prog(prog)->aux->attach_btf;
	const struct bpf_struct_ops_desc *desc;

	desc = kfunc_reloc_desc(prog);
	if (!desc)
		return -EINVAL;
	if (prog->type == BPF_PROG_TYPE_EXT)
		return kfunc_relocs_answer_anywhere(desc, btf, kfunc_id);
	if (!member)
		return kfunc_relocs_answer(desc, kfunc_id,
					   BTF_KFUNC_AT_OUTSIDE);
	return kfunc_relocs_answer(desc, kfunc_id,
				   __btf_member_bit_offset(t, member) / 8);
}
EXPORT_SYMBOL_GPL(bpf_kfunc_reloc_table);

static const char *kfunc_reloc_func_name(const struct kfunc_reloc *r, u32 id)
{
	return kfunc_relocs_func_name(r->btf, id);
}

static void kfunc_reloc_log_ctx(const struct kfunc_reloc *r, int subprog,
				enum kfunc_reloc_ctx ctx)
{
	struct bpf_verifier_log *log = &r->env->log;
	const char *name = r->desc->st_ops->name;

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
	for (; r->from[subprog] != subprog; subprog = r->from[subprog])
		bpf_log(log, " called by %s()",
			subprog_name(r->env, r->from[subprog]));
}

/* Ends a line about the call site: where that is. */
static void kfunc_reloc_log_insn(const struct kfunc_reloc *r)
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

/* Where a kfunc that the struct_ops has for its own may be called. */
static void kfunc_reloc_log_allowed(const struct kfunc_reloc *r, u32 kfunc_id)
{
	const struct btf_kfunc_reloc *row, *end;
	const char *sep = "; allowed in: ";

	if (r->validate != bpf_kfunc_reloc_table ||
	    !bpf_kfunc_relocs_own(r->desc, kfunc_id))
		return;

	end = r->desc->relocs + r->desc->nr_relocs;
	row = kfunc_relocs_find(r->desc, kfunc_id, BTF_KFUNC_AT_DECL);
	for (row++; row < end && row->kfunc_id == kfunc_id; row++) {
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
static void kfunc_reloc_reach(struct kfunc_reloc *r, unsigned long *pending,
			      int caller, int callee, u8 ctx)
{
	u8 gained = ctx & ~r->ctx[callee];

	if (!gained)
		return;
	if (gained & KFUNC_CTX_OUTSIDE)
		r->from[callee] = caller;
	r->ctx[callee] |= gained;
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
static void kfunc_reloc_find_ctx(struct kfunc_reloc *r)
{
	struct bpf_subprog_info *info = r->env->subprog_info;
	DECLARE_BITMAP(pending, BPF_MAX_SUBPROGS + 2) = {};
	struct bpf_verifier_env *env = r->env;
	struct bpf_insn *insns = env->prog->insnsi;
	int cnt = env->subprog_cnt;
	int i, subprog, callee;
	u8 entry;

	entry = r->member ? KFUNC_CTX_MEMBER : KFUNC_CTX_OUTSIDE;
	for (subprog = 0; subprog < cnt; subprog++) {
		if (info[subprog].is_async_cb)
			break;
	}
	if (subprog == cnt) {
		memset(r->ctx, entry, cnt);
		return;
	}

	kfunc_reloc_reach(r, pending, 0, 0, entry);
	/* bpf_throw() may not be called from a callback */
	callee = env->exception_callback_subprog;
	if (callee)
		kfunc_reloc_reach(r, pending, callee, callee, entry);

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
				kfunc_reloc_reach(r, pending, subprog, callee,
						  r->ctx[subprog]);
			if (info[callee].is_async_cb)
				kfunc_reloc_reach(r, pending, callee, callee,
						  KFUNC_CTX_OUTSIDE);
		}
	}
}

/* Are @a and @b the same type? Deduplication gives equal types equal IDs, within
 * vmlinux and within a module. Between the two it can fail, so look closer.
 */
static bool kfunc_reloc_same_type(const struct btf *btf, u32 a, u32 b)
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

/* Do two parameters of these names mean the same to the verifier? It looks at
 * suffixes, and at the whole name of those that size a returned buffer.
 */
static bool kfunc_reloc_same_meaning(const char *a, const char *b)
{
	const char *suffix_a = strstr(a, "__");
	const char *suffix_b = strstr(b, "__");

	if (!strcmp(a, b))
		return true;
	if (strcmp(suffix_a ?: "", suffix_b ?: ""))
		return false;
	return strcmp(a, "rdonly_buf_size") && strcmp(a, "rdwr_buf_size") &&
	       strcmp(b, "rdonly_buf_size") && strcmp(b, "rdwr_buf_size");
}

/* The function is none that can be called in the place of the kfunc. */
static __printf(3, 4) int kfunc_reloc_mismatch(const struct kfunc_reloc *r,
					       u32 target_id,
					       const char *fmt, ...)
{
	struct bpf_verifier_log *log = &r->env->log;
	va_list args;

	bpf_log(log, "kernel bug: %s relocates %s() to %s() (btf_id %u), but ",
		r->desc->st_ops->name, kfunc_reloc_func_name(r, r->kfunc_id),
		kfunc_reloc_func_name(r, target_id), target_id);
	if (bpf_verifier_log_needed(log)) {
		va_start(args, fmt);
		bpf_verifier_vlog(log, fmt, args);
		va_end(args);
	}
	kfunc_reloc_log_insn(r);
	return -EFAULT;
}

/* Does all that was proven of the call of the kfunc hold for the target? */
static int kfunc_reloc_check_target(const struct kfunc_reloc *r,
				    const struct btf *kfunc_btf,
				    const struct btf *target_btf, u32 target_id)
{
	const struct btf_type *kfunc, *target;
	const struct btf_param *args, *targs;
	const char *name, *tname;
	const u32 *flags;
	u32 i, nr, other;

	target = btf_type_by_id(r->btf, target_id);
	if (!target || !btf_type_is_func(target))
		return kfunc_reloc_mismatch(r, target_id, "that is no function");

	if (bpf_kfunc_is_special(r->kfunc_id))
		return kfunc_reloc_mismatch(r, target_id, "the former is special");
	if (bpf_kfunc_is_special(target_id))
		return kfunc_reloc_mismatch(r, target_id, "the latter is special");

	kfunc = btf_type_by_id(r->btf, r->kfunc_id);
	kfunc = btf_type_by_id(r->btf, kfunc->type);
	target = btf_type_by_id(r->btf, target->type);
	nr = btf_type_vlen(kfunc);
	if (btf_type_vlen(target) != nr)
		return kfunc_reloc_mismatch(r, target_id, "they have %u and %u parameters",
					    nr, btf_type_vlen(target));
	if (!kfunc_reloc_same_type(r->btf, kfunc->type, target->type))
		return kfunc_reloc_mismatch(r, target_id, "their return types differ");

	args = btf_params(kfunc);
	targs = btf_params(target);
	for (i = 0; i < nr; i++) {
		name = btf_name_by_offset(r->btf, args[i].name_off);
		tname = btf_name_by_offset(r->btf, targs[i].name_off);
		if (!kfunc_reloc_same_type(r->btf, args[i].type, targs[i].type))
			return kfunc_reloc_mismatch(r, target_id,
						    "the types of parameter %u differ (%s, %s)",
						    i + 1, name, tname);
		if (!kfunc_reloc_same_meaning(name, tname))
			return kfunc_reloc_mismatch(r, target_id,
						    "the names of parameter %u mean different things (%s, %s)",
						    i + 1, name, tname);
	}

	flags = btf_kfunc_id_set_contains(kfunc_btf, r->kfunc_id, r->env->prog);
	if (!flags)
		return kfunc_reloc_mismatch(r, target_id, "the former is none of its kfuncs");
	if (btf_kfunc_flags_differ(target_btf, target_id, *flags, &other))
		return kfunc_reloc_mismatch(r, target_id, "their flags differ (0x%x, 0x%x)",
					    *flags, other);
	return 0;
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
static int kfunc_reloc_addr(const struct kfunc_reloc *r, const struct btf *btf,
			    u32 target_id, unsigned long *addr)
{
	const char *name = kfunc_reloc_func_name(r, target_id);
	struct kfunc_reloc_sym sym = { .name = name };

	if (btf_is_module(btf))
		module_kallsyms_on_each_symbol(btf_get_name(btf),
					       kfunc_reloc_match_mod_sym, &sym);
	else
		kallsyms_on_each_match_symbol(kfunc_reloc_match_sym, name, &sym);
	if (sym.cnt != 1)
		return kfunc_reloc_mismatch(r, target_id, "there are %u functions of that name",
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
	if (btf_is_module(btf))
		return within_module_core(addr, r->mod);
	return is_kernel_text(addr);
}

/* Give the target a descriptor of its own. All that comes later in the verifier,
 * and the JIT, then see an ordinary kfunc call.
 */
static int kfunc_reloc_add_target(struct kfunc_reloc *r, struct btf *kfunc_btf,
				  u32 target_id, s16 *target_off)
{
	struct btf *btf_vmlinux = bpf_get_btf_vmlinux();
	struct btf *target_btf = r->btf;
	struct btf_kfunc_reloc *row;
	unsigned long addr;
	int err = 0;

	if (target_id < btf_nr_types(btf_vmlinux))
		target_btf = btf_vmlinux;

	/* kfunc sets are complete when programs can be loaded: once is enough */
	row = kfunc_relocs_find_target(r->desc, r->kfunc_id, target_id);
	if (row && READ_ONCE(row->checked))
		return bpf_add_kfunc_target(r->env, target_btf, target_id,
					    row->addr, target_off);

	err = kfunc_reloc_check_target(r, kfunc_btf, target_btf, target_id);
	if (err)
		return err;
	if (row)
		addr = row->addr;
	else
		err = kfunc_reloc_addr(r, target_btf, target_id, &addr);
	if (err)
		return err;
	if (!kfunc_reloc_stays(r, target_btf, addr))
		return kfunc_reloc_mismatch(r, target_id, "the latter is not there after init");
	if (row)
		WRITE_ONCE(row->checked, true);
	return bpf_add_kfunc_target(r->env, target_btf, target_id, addr,
				    target_off);
}

/* What the call becomes in one context, as the callback or the table says. */
static s32 kfunc_reloc_ask_ctx(const struct kfunc_reloc *r, int subprog,
			       enum kfunc_reloc_ctx ctx)
{
	const struct btf_member *member = NULL;
	s32 ret;

	if (ctx == KFUNC_CTX_MEMBER)
		member = r->member;
	ret = r->validate(r->desc->type, member, r->env->prog, r->kfunc_id);
	if (ret >= 0)
		return ret ?: r->kfunc_id;

	bpf_log(&r->env->log, "%s() cannot be called from ",
		kfunc_reloc_func_name(r, r->kfunc_id));
	kfunc_reloc_log_ctx(r, subprog, ctx);
	kfunc_reloc_log_allowed(r, r->kfunc_id);
	kfunc_reloc_log_insn(r);
	return ret;
}

/* What the call becomes in all contexts of its subprogram. */
static s32 kfunc_reloc_ask(const struct kfunc_reloc *r, int subprog)
{
	struct bpf_verifier_log *log = &r->env->log;
	s32 target = 0, outside;

	if (r->ctx[subprog] & KFUNC_CTX_MEMBER) {
		target = kfunc_reloc_ask_ctx(r, subprog, KFUNC_CTX_MEMBER);
		if (target < 0)
			return target;
	}
	if (!(r->ctx[subprog] & KFUNC_CTX_OUTSIDE))
		return target;

	outside = kfunc_reloc_ask_ctx(r, subprog, KFUNC_CTX_OUTSIDE);
	if (outside < 0 || !target || target == outside)
		return outside;

	bpf_log(log, "%s() means %s() in ",
		kfunc_reloc_func_name(r, r->kfunc_id),
		kfunc_reloc_func_name(r, target));
	kfunc_reloc_log_ctx(r, subprog, KFUNC_CTX_MEMBER);
	bpf_log(log, ", but %s() in ", kfunc_reloc_func_name(r, outside));
	kfunc_reloc_log_ctx(r, subprog, KFUNC_CTX_OUTSIDE);
	kfunc_reloc_log_insn(r);
	return -EINVAL;
}

/* Fill in what the call becomes. */
static int kfunc_reloc_decide(struct kfunc_reloc *r, int subprog, s16 off,
			      struct kfunc_reloc_memo *memo)
{
	struct bpf_verifier_env *env = r->env;
	const struct bpf_struct_ops_desc *owner;
	u8 ctx = r->ctx[subprog];
	s16 target_off = off;
	struct btf *btf;
	s32 target;
	int err;

	btf = find_kfunc_desc_btf(env, off);
	if (IS_ERR(btf))
		return PTR_ERR(btf);
	/* the IDs of a module's BTF continue those of vmlinux, and name them, too */
	if (r->kfunc_id < btf_nr_types(bpf_get_btf_vmlinux()))
		btf = bpf_get_btf_vmlinux();

	owner = bpf_struct_ops_find_owner(btf, r->kfunc_id);
	if (owner && owner != r->desc) {
		bpf_log(&env->log, "%s() cannot be called from a %s program; only those of %s may",
			kfunc_relocs_func_name(btf, r->kfunc_id),
			r->desc->st_ops->name, owner->st_ops->name);
		kfunc_reloc_log_insn(r);
		return -EACCES;
	}

	/* a kfunc of some other module has no ID in the struct_ops' BTF */
	if (!r->validate || (btf_is_module(btf) && btf != r->btf))
		target = r->kfunc_id;
	else
		target = kfunc_reloc_ask(r, subprog);
	if (target < 0)
		return target;

	if (memo->kfunc_id && memo->target_id == target)
		return 0;

	if (target != r->kfunc_id) {
		err = kfunc_reloc_add_target(r, btf, target, &target_off);
		if (err)
			return err;
	}
	*memo = (struct kfunc_reloc_memo) {
		.kfunc_id = r->kfunc_id,
		.off = off,
		.ctx = ctx,
		.target_id = target,
		.target_off = target_off,
	};
	return 0;
}

/* Where it is, or is to be, remembered what the call became. */
static struct kfunc_reloc_memo *kfunc_reloc_memo(struct kfunc_reloc *r, s16 off,
						 u8 ctx)
{
	u32 i = hash_32(r->kfunc_id, r->memo_bits);
	struct kfunc_reloc_memo *memo;

	for (;; i++) {
		memo = &r->memos[i & (BIT(r->memo_bits) - 1)];
		if (!memo->kfunc_id ||
		    (memo->kfunc_id == r->kfunc_id && memo->off == off &&
		     memo->ctx == ctx))
			return memo;
	}
}

static int kfunc_reloc_call(struct kfunc_reloc *r, int subprog)
{
	struct bpf_verifier_env *env = r->env;
	struct bpf_insn *insn = &env->prog->insnsi[r->insn_idx];
	struct kfunc_reloc_memo *memo;
	int err;

	/* see the end of add_kfunc_call(): fixup_kfunc_call() rejects it */
	r->kfunc_id = insn->imm;
	if (!r->kfunc_id)
		return 0;
	if (r->validate && !r->ctx[subprog]) {
		bpf_log(&env->log, "verifier internal error: no live call of %s()",
			subprog_name(env, subprog));
		kfunc_reloc_log_insn(r);
		return -EFAULT;
	}

	/* a table says the same again, a callback is asked */
	memo = kfunc_reloc_memo(r, insn->off, r->ctx[subprog]);
	if (!memo->kfunc_id || r->desc->st_ops->kfunc_validate_reloc) {
		err = kfunc_reloc_decide(r, subprog, insn->off, memo);
		if (err)
			return err;
	}
	if (memo->target_id == r->kfunc_id)
		return 0;

	insn->imm = memo->target_id;
	insn->off = memo->target_off;
	if (!(env->log.level & BPF_LOG_LEVEL2))
		return 0;

	bpf_log(&env->log, "%s() relocated to %s() in %s()",
		kfunc_reloc_func_name(r, r->kfunc_id),
		kfunc_reloc_func_name(r, memo->target_id),
		subprog_name(env, subprog));
	kfunc_reloc_log_insn(r);
	return 0;
}

static int kfunc_reloc_calls(struct kfunc_reloc *r)
{
	struct bpf_verifier_env *env = r->env;
	struct bpf_insn *insns = env->prog->insnsi;
	int i = 0, subprog, end, err;

	if (r->validate)
		kfunc_reloc_find_ctx(r);

	for (subprog = 0; subprog < env->subprog_cnt; subprog++) {
		end = env->subprog_info[subprog + 1].start;
		for (; i < end; i++) {
			if (!bpf_pseudo_kfunc_call(&insns[i]) ||
			    !env->insn_aux_data[i].seen)
				continue;
			r->insn_idx = i;
			err = kfunc_reloc_call(r, subprog);
			if (err)
				return err;
		}
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
	struct bpf_prog *prog = env->prog;
	const struct bpf_struct_ops *st_ops;
	struct kfunc_reloc *r;
	int err = 0;
	u32 bits;

	if (!bpf_prog_has_kfunc_call(prog) ||
	    resolve_prog_type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
		return 0;

	/* a call can be in three combinations of contexts: one more stays free */
	bits = order_base_2(4 * (bpf_kfunc_desc_cnt(prog) ?: 1));
	r = kvzalloc(struct_size(r, memos, BIT(bits)), GFP_KERNEL);
	if (!r)
		return -ENOMEM;

	r->env = env;
	r->memo_bits = bits;
	r->btf = kfunc_reloc_prog(prog)->aux->attach_btf;
	if (btf_is_module(r->btf)) {
		r->mod = btf_try_get_module(r->btf);
		if (!r->mod) {
			bpf_log(&env->log, "struct_ops module %s is not found\n",
				btf_get_name(r->btf));
			err = -ENXIO;
			goto out;
		}
	}
	/* not before: a module that is not live can still be adding to its own */
	r->desc = kfunc_reloc_desc(prog);
	if (!r->desc) {
		err = -EOPNOTSUPP;
		goto out;
	}

	st_ops = r->desc->st_ops;
	if (st_ops->kfunc_validate_reloc)
		r->validate = st_ops->kfunc_validate_reloc;
	else if (r->desc->nr_relocs)
		r->validate = bpf_kfunc_reloc_table;
	if (prog->type == BPF_PROG_TYPE_STRUCT_OPS)
		r->member = btf_type_member(r->desc->type) +
			    prog->expected_attach_type;
	err = kfunc_reloc_calls(r);
out:
	module_put(r->mod);
	kvfree(r);
	return err;
}
