// SPDX-License-Identifier: GPL-2.0-only
/*
 * Specialise the calls of context-sensitive kfuncs in struct_ops programs.
 *
 * A struct_ops that sets bpf_struct_ops.kfunc_validate_reloc decides for each
 * live call site of its programs which function a kfunc call is made to, or
 * refuses the call. The program has been proven against the kfunc that it
 * names by then, so the function must have the kfunc's prototype, and the
 * decision must hold wherever the instruction can run: in an invocation of
 * the member that the program implements, in an asynchronous callback, which
 * runs at any time, or in both.
 *
 * The walk of do_check() knows where an instruction runs, as it starts in the
 * entry or in an asynchronous callback, and follows static subprograms. It
 * marks insn_aux_data with where it started. That is not enough for what it
 * reached from a global subprogram, which is verified without its callers:
 *
 *   ctx(insn)   = asynchronous		if the walk came from such a callback
 *		 | ctx(main)		if it came from the entry
 *		 | ctx(subprogram)	if it came from a global subprogram
 *   ctx(global) = ctx(insn)		of all calls of it
 *   ctx(static) = ctx(caller)		of all calls reached from global ones
 *   ctx(main)   = member | the one of these two that it is
 *
 * The last three are a forward dataflow over the call graph, whose least
 * solution is found by iteration.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/kfunc_reloc.h>
#include <linux/module.h>

/* bpf_subprog_info.kfunc_ctx */
enum kfunc_ctx {
	KFUNC_CTX_MEMBER	= BIT(0),
	KFUNC_CTX_ASYNC		= BIT(1),
};

struct kfunc_site {
	struct bpf_verifier_env *env;
	const struct bpf_struct_ops *st_ops;
	struct btf *btf;		/* of the struct_ops */
	const struct btf_type *type;
	const struct btf_member *member;
	int insn_idx;
	u32 kfunc_id;
	const char *kfunc_name;
};

/* Contexts that the callers of global subprograms bring to the instruction */
static u8 global_ctx(struct bpf_verifier_env *env, int insn_idx)
{
	if (!env->insn_aux_data[insn_idx].seen_global)
		return 0;
	return bpf_find_containing_subprog(env, insn_idx)->kfunc_ctx;
}

static u8 insn_ctx(struct bpf_verifier_env *env, int insn_idx)
{
	const struct bpf_insn_aux_data *aux = &env->insn_aux_data[insn_idx];
	u8 ctx = global_ctx(env, insn_idx);

	if (aux->seen_async)
		ctx |= KFUNC_CTX_ASYNC;
	if (aux->seen_main)
		ctx |= env->subprog_info[0].kfunc_ctx;
	return ctx;
}

/*
 * Merge the contexts of calls into the callees until nothing changes. A pointer
 * to a subprogram is only ever passed to a helper or kfunc that calls it back, so
 * loading one counts as a call.
 */
static void compute_kfunc_ctx(struct bpf_verifier_env *env)
{
	struct bpf_subprog_info *si = env->subprog_info, *callee;
	struct bpf_insn *insn;
	bool changed;
	u8 ctx;
	int i;

	/* an extension program replaces a function that may be reached in either way */
	si->kfunc_ctx = env->prog->type == BPF_PROG_TYPE_EXT ?
			KFUNC_CTX_MEMBER | KFUNC_CTX_ASYNC : KFUNC_CTX_MEMBER;
	do {
		cond_resched();
		changed = false;
		for (i = 0, insn = env->prog->insnsi; i < env->prog->len; i++, insn++) {
			if (!bpf_pseudo_call(insn) && !bpf_pseudo_func(insn))
				continue;
			callee = bpf_find_containing_subprog(env, i + insn->imm + 1);
			if (bpf_subprog_is_global(env, callee - si))
				ctx = insn_ctx(env, i);
			else
				ctx = global_ctx(env, i);
			changed |= ctx & ~callee->kfunc_ctx;
			callee->kfunc_ctx |= ctx;
		}
	} while (changed);
}

/* Ask the struct_ops. The kfunc itself is as 0: the call stays as it is. */
static s32 ask(const struct kfunc_site *s, const struct btf_member *member)
{
	s32 id = s->st_ops->kfunc_validate_reloc(s->type, member, s->env->prog, s->kfunc_id);

	return id == s->kfunc_id ? 0 : id;
}

static void log_site(const struct kfunc_site *s)
{
	s->env->prev_linfo = NULL;
	if (s->env->prog->aux->nr_linfo)
		verbose_linfo(s->env, s->insn_idx, " (insn %d): ", s->insn_idx);
	else
		bpf_log(&s->env->log, " (insn %d)\n", s->insn_idx);
}

static const char *name_at(struct bpf_verifier_env *env, int insn_idx)
{
	return bpf_subprog_name(env, bpf_find_containing_subprog(env, insn_idx) -
				     env->subprog_info);
}

/* Name the subprogram, and its callers up to the callback */
static void log_async(const struct kfunc_site *s)
{
	struct bpf_verifier_env *env = s->env;
	struct bpf_subprog_info *callee = bpf_find_containing_subprog(env, s->insn_idx);
	struct bpf_insn *insns = env->prog->insnsi;
	int i;

	bpf_log(&env->log, "an asynchronous callback of a %s program, %s()",
		s->st_ops->name, name_at(env, s->insn_idx));
	for (i = 0; i < env->prog->len && !callee->is_async_cb; i++) {
		if (!bpf_pseudo_call(&insns[i]) || i + insns[i].imm + 1 != callee->start ||
		    !(insn_ctx(env, i) & KFUNC_CTX_ASYNC))
			continue;
		bpf_log(&env->log, " called by %s()", name_at(env, i));
		callee = bpf_find_containing_subprog(env, i);
		i = -1;
		cond_resched();
	}
}

/*
 * Refuse the call, for which the struct_ops gives these answers: log what is
 * wrong, where the call is allowed, where it is. Not inlined, to keep it out of
 * the loop over the calls.
 */
static noinline int refuse(const struct kfunc_site *s, s32 in_member, s32 in_async)
{
	const char *name = btf_name_by_offset(s->btf, s->member->name_off);
	bool differ = in_member >= 0 && in_async >= 0;
	struct bpf_verifier_log *log = &s->env->log;
	const char *sep = "; allowed in: ";
	const struct btf_member *member;
	u32 i;

	bpf_log(log, "%s() %s ", s->kfunc_name,
		differ ? "has different meanings in" : "cannot be called from");
	if (in_member < 0 || in_async >= 0)
		bpf_log(log, "%s.%s%s", s->st_ops->name, name, differ ? " and in " : "");
	if (in_member >= 0) {
		log_async(s);
		if (s->env->prog->type == BPF_PROG_TYPE_EXT)
			bpf_log(log, " in an extension of %s.%s", s->st_ops->name, name);
	}

	for_each_member(i, s->type, member) {
		if (!btf_type_resolve_func_ptr(s->btf, member->type, NULL) || ask(s, member) < 0)
			continue;
		bpf_log(log, "%s%s", sep, btf_name_by_offset(s->btf, member->name_off));
		sep = ", ";
	}
	if (ask(s, NULL) >= 0)
		bpf_log(log, "%sasynchronous callbacks", sep);
	log_site(s);

	if (differ)
		return -EACCES;
	return in_member < 0 ? in_member : in_async;
}

/* Return what the struct_ops makes of the call: as kfunc_validate_reloc() */
static s32 decide(const struct kfunc_site *s)
{
	u8 ctx = insn_ctx(s->env, s->insn_idx);
	s32 in_member = 0, in_async = 0;

	if (verifier_bug_if(!ctx, s->env, "live kfunc call without a context (insn %d)",
			    s->insn_idx))
		return -EFAULT;
	if (ctx & KFUNC_CTX_MEMBER)
		in_member = ask(s, s->member);
	if (ctx & KFUNC_CTX_ASYNC)
		in_async = ask(s, NULL);
	if (in_member < 0 || in_async < 0 ||
	    (ctx == (KFUNC_CTX_MEMBER | KFUNC_CTX_ASYNC) && in_member != in_async))
		return refuse(s, in_member, in_async);
	return in_member ?: in_async;
}

/*
 * Make the call one of @target_id. It was verified as one of the kfunc, so
 * @target_id must have the same prototype, including the names of parameters,
 * whose suffixes the verifier reads. Neither function may be one that the
 * verifier knows by its BTF ID.
 */
static int bind(const struct kfunc_site *s, struct bpf_insn *insn, u32 target_id)
{
	const struct btf *btf = bpf_kfunc_btf(s->env, insn->off);
	const struct btf *base = btf_base_btf(btf);	/* NULL for that of vmlinux */
	const struct btf_type *target = btf_type_by_id(btf, target_id);
	const char *why = NULL;
	int err;

	if (!target || (base && btf_type_by_id(base, target_id)))
		why = "they are not of one BTF";
	else if (!btf_type_is_func(target))
		why = "that is no function";
	else if (btf_type_by_id(btf, target->type) != bpf_kfunc_proto(s->env, insn->imm, insn->off))
		why = "their prototypes differ";
	else if (bpf_kfunc_is_special(insn->imm) || bpf_kfunc_is_special(target_id))
		why = "the verifier knows one of them by its ID";
	else if (btf_kfunc_check_flag(btf, target_id, 0) != -ENOENT)
		why = "that is a kfunc";
	if (why) {
		target = btf_type_by_id(s->btf, target_id);
		bpf_log(&s->env->log, "kernel bug: %s relocates %s() to %s (btf_id %u), but %s",
			s->st_ops->name, s->kfunc_name,
			target ? btf_name_by_offset(s->btf, target->name_off) : "?",
			target_id, why);
		log_site(s);
		return -EFAULT;
	}

	err = bpf_add_kfunc_call(s->env, target_id, insn->off);
	if (err)
		return err;
	if (s->env->log.level & BPF_LOG_LEVEL2) {
		bpf_log(&s->env->log, "%s() relocated to %s() in %s()", s->kfunc_name,
			btf_name_by_offset(s->btf, target->name_off),
			name_at(s->env, s->insn_idx));
		log_site(s);
	}
	insn->imm = target_id;
	return 0;
}

/**
 * bpf_kfunc_reloc_prog - specialise the kfunc calls of a struct_ops program
 * @env: state of the verifier, after the walk and before any rewrite
 *
 * Ask the struct_ops of a program, or of the program that an extension program
 * replaces a function of, about each live call of a kfunc. Make the call
 * instruction name the function that it is to call, and add a descriptor of
 * that function. A kfunc of a module that is not the struct_ops' is not asked
 * about.
 *
 * Context: Process context, may sleep. The module of the struct_ops is held,
 * until bpf_check() ends.
 * Return: 0, or a negative error after a line in the verifier's log.
 */
int bpf_kfunc_reloc_prog(struct bpf_verifier_env *env)
{
	struct bpf_prog *prog = env->prog, *st_prog = prog;
	struct bpf_insn *insn = prog->insnsi;
	struct kfunc_site s = { .env = env };
	s32 target_id;
	int i, err;

	if (!prog->aux->kfunc_tab || resolve_prog_type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
		return 0;
	if (prog->type == BPF_PROG_TYPE_EXT)
		st_prog = prog->aux->dst_prog;
	s.btf = st_prog->aux->attach_btf;
	/* a program does not hold the module of its struct_ops */
	if (btf_is_module(s.btf) && !env->attach_btf_mod) {
		env->attach_btf_mod = btf_try_get_module(s.btf);
		if (!env->attach_btf_mod) {
			bpf_log(&env->log, "struct_ops module %s is not found\n",
				btf_get_name(s.btf));
			return -ENOENT;
		}
	}
	s.st_ops = st_prog->aux->st_ops;
	if (!s.st_ops->kfunc_validate_reloc)
		return 0;
	s.type = btf_type_by_id(s.btf, st_prog->aux->attach_btf_id);
	s.member = &btf_type_member(s.type)[st_prog->expected_attach_type];

	compute_kfunc_ctx(env);
	for (i = 0; i < prog->len; i++, insn++) {
		/* a kfunc that the kernel lacks has no ID, and is refused by its fix-up */
		if (!bpf_pseudo_kfunc_call(insn) || !insn->imm || !env->insn_aux_data[i].seen)
			continue;
		/* do_check() found the BTF of each live call */
		if (insn->off && bpf_kfunc_btf(env, insn->off) != s.btf)
			continue;
		s.insn_idx = i;
		s.kfunc_id = insn->imm;
		s.kfunc_name = btf_name_by_offset(s.btf,
						  btf_type_by_id(s.btf, insn->imm)->name_off);
		target_id = decide(&s);
		if (target_id < 0)
			return target_id;
		if (!target_id)
			continue;
		err = bind(&s, insn, target_id);
		if (err)
			return err;
	}
	return 0;
}

/**
 * bpf_kfunc_reloc_find - look a kfunc up in a table
 * @ids: BTF IDs of the rows, in pairs of kfunc and function, if it has one
 * @ctxs: contexts of the rows
 * @cnt: number of rows
 * @prog: program with the call
 * @kfunc_id: BTF ID of the kfunc
 * @ctx: context of the call, one bit; 0 if no row has it
 *
 * For bpf_struct_ops.kfunc_validate_reloc(), see BPF_KFUNC_RELOCS().
 *
 * Context: Any. @ids of a module must not be used after it is gone.
 * Return: BTF ID of the function that the call is to be made to, which can be
 * @kfunc_id; 0 if the table has no row for the kfunc; -EACCES if none of them
 * is for the context; -EINVAL if two are, or if the function is not in BTF.
 */
s32 bpf_kfunc_reloc_find(const u32 *ids, const u32 *ctxs, u32 cnt,
			 const struct bpf_prog *prog, u32 kfunc_id, u32 ctx)
{
	const struct btf *btf = (prog->aux->dst_prog ?: prog)->aux->attach_btf;
	s32 ret = 0;
	u32 i;

	for (i = 0; i < cnt; i++, ids += 2) {
		if (btf_relocate_id(btf, ids[0]) != kfunc_id)
			continue;
		if (!(ctxs[i] & ctx)) {
			ret = ret ?: -EACCES;
			continue;
		}
		if (ret > 0)
			return -EINVAL;
		if (!(ctxs[i] & BPF_KFUNC_BIND))
			ret = kfunc_id;
		else if (ids[1])
			ret = btf_relocate_id(btf, ids[1]);
		else
			return -EINVAL;
	}
	return ret;
}
EXPORT_SYMBOL_GPL(bpf_kfunc_reloc_find);
