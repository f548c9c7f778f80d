// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The kfunc call sites of loaded programs: the kfunc that the source names, and
 * the kernel function that the call is bound to. The two differ where the kernel
 * has relocated the call.
 *
 * The bound function is the symbol at the address that the translated program
 * calls. The kfunc is gone from the translated program. It is one of the kernel
 * functions that the program's BTF names, has the prototype of the bound function,
 * and is looked for in the source line. When that leaves a choice it is unknown.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "kfuncs.h"
#include "main.h"
#include "xlated_dumper.h"

struct kernel_btf {
	struct btf *btf;
	char module[MODULE_MAX_NAME];	/* empty: vmlinux */
};

struct kernel_func {
	const char *name;
	const struct kernel_btf *kbtf;
	__u32 id;
};

struct kfunc_call {
	const char *member;
	__u32 prog_id;
	__u32 insn;
	const char *subprog;
	const char *kfunc;
	const char *bound;
	const char *module;
	const char *file;
	const char *line;
	__u32 line_num;
	__u32 line_col;
};

/* A kernel function that a program names */
struct candidate {
	const char *name;	/* in the source, where it can have a ___flavor */
	const struct kernel_func *func;
};

struct prog_btf {
	__u32 id;
	struct btf *btf;
};

/* Source lines and names are pointers into the BTF objects and symbols. */
struct kfuncs {
	struct btf *btf_vmlinux;
	bool loaded;
	bool calls_by_id;
	bool said_restricted;
	struct dump_data dd;
	struct kernel_btf *kbtfs;
	size_t nr_kbtfs;
	struct kernel_func *funcs;
	size_t nr_funcs;
	struct prog_btf *prog_btfs;
	size_t nr_prog_btfs;
	struct kfunc_call *calls;
	size_t nr_calls;
};

/* A program and what is needed to look at its calls */
struct prog {
	struct bpf_prog_info info;
	void *data;
	struct btf *btf;
	struct bpf_prog_linfo *linfo;
	struct candidate *candidates;
	size_t nr_candidates;
};

/* Make room for one more element. */
static void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = libbpf_reallocarray(array, nr ? 2 * nr : 1, size);
	if (!array)
		p_err("mem alloc failed");
	return array;
}

static int kernel_func_cmp(const void *a, const void *b)
{
	const struct kernel_func *fa = a, *fb = b;
	int cmp = strcmp(fa->name, fb->name);

	/* vmlinux is the first */
	return cmp ?: (fa->kbtf > fb->kbtf) - (fa->kbtf < fb->kbtf);
}

/* @module: NULL for the first of vmlinux and all modules that has it */
static const struct kernel_func *
find_kernel_func(const struct kfuncs *k, const char *name, size_t len,
		 const char *module)
{
	const struct kernel_func *end = k->funcs + k->nr_funcs;
	size_t lo = 0, hi = k->nr_funcs, mid;
	const struct kernel_func *func;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (strncmp(k->funcs[mid].name, name, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (func = k->funcs + lo; func < end; func++) {
		if (strncmp(func->name, name, len) || func->name[len])
			break;
		if (!module || !strcmp(func->kbtf->module, module))
			return func;
	}
	return NULL;
}

static int add_kernel_btf(struct kfuncs *k, struct btf *btf, const char *module)
{
	struct kernel_btf *kbtf;
	void *tmp;

	tmp = grow(k->kbtfs, k->nr_kbtfs, sizeof(*k->kbtfs));
	if (!tmp)
		return -1;
	k->kbtfs = tmp;
	kbtf = &k->kbtfs[k->nr_kbtfs++];
	kbtf->btf = btf;
	snprintf(kbtf->module, sizeof(kbtf->module), "%s", module);
	return 0;
}

static int add_module_btfs(struct kfuncs *k)
{
	struct bpf_btf_info info;
	char name[MODULE_MAX_NAME];
	struct btf *btf;
	__u32 len, id = 0;
	int fd, err;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0) {
			if (errno == ENOENT)
				continue;
			p_err("can't get BTF object by id (%u): %s", id, strerror(errno));
			return -1;
		}
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		info.name = ptr_to_u64(name);
		info.name_len = sizeof(name);
		err = bpf_btf_get_info_by_fd(fd, &info, &len);
		close(fd);
		if (err) {
			p_err("can't get BTF object info: %s", strerror(errno));
			return -1;
		}
		if (!info.kernel_btf || !strcmp(name, "vmlinux"))
			continue;

		btf = btf__load_from_kernel_by_id_split(id, k->btf_vmlinux);
		if (!btf) {
			if (errno == ENOENT)
				continue;
			p_err("can't load the BTF of module %s: %s", name, strerror(errno));
			return -1;
		}
		if (add_kernel_btf(k, btf, name)) {
			btf__free(btf);
			return -1;
		}
	}
	if (errno != ENOENT) {
		p_err("can't get next BTF object: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static int add_kernel_funcs(struct kfuncs *k, const struct kernel_btf *kbtf)
{
	const struct btf *base = btf__base_btf(kbtf->btf);
	const struct btf_type *t;
	void *tmp;
	__u32 id;

	for (id = base ? btf__type_cnt(base) : 1; id < btf__type_cnt(kbtf->btf); id++) {
		t = btf__type_by_id(kbtf->btf, id);
		if (!btf_is_func(t))
			continue;
		tmp = grow(k->funcs, k->nr_funcs, sizeof(*k->funcs));
		if (!tmp)
			return -1;
		k->funcs = tmp;
		k->funcs[k->nr_funcs++] = (struct kernel_func) {
			.name = btf__name_by_offset(kbtf->btf, t->name_off),
			.kbtf = kbtf,
			.id = id,
		};
	}
	return 0;
}

/* Of kernels with bpf_jit_supports_far_kfunc_call() a call has the BTF ID of its
 * function, and not its distance from __bpf_call_base.
 */
static bool kernel_calls_by_id(void)
{
	static const char * const machines[] = { "loongarch64", "ppc64", "s390x" };
	struct utsname uts;
	size_t i;

	uname(&uts);
	for (i = 0; i < ARRAY_SIZE(machines); i++) {
		if (is_prefix(machines[i], uts.machine))
			return true;
	}
	return false;
}

/* Symbols and functions of the kernel, once there is a call to look at */
static int load_kernel(struct kfuncs *k)
{
	size_t i;

	if (k->loaded)
		return 0;
	k->loaded = true;

	k->calls_by_id = kernel_calls_by_id();
	if (!k->calls_by_id)
		kernel_syms_load(&k->dd);

	if (add_kernel_btf(k, k->btf_vmlinux, "") || add_module_btfs(k))
		return -1;
	for (i = 0; i < k->nr_kbtfs; i++) {
		if (add_kernel_funcs(k, &k->kbtfs[i]))
			return -1;
	}
	qsort(k->funcs, k->nr_funcs, sizeof(*k->funcs), kernel_func_cmp);
	return 0;
}

struct kfuncs *kfuncs_new(struct btf *btf_vmlinux)
{
	struct kfuncs *k;

	k = calloc(1, sizeof(*k));
	if (!k) {
		p_err("mem alloc failed");
		return NULL;
	}
	k->btf_vmlinux = btf_vmlinux;
	return k;
}

void kfuncs_free(struct kfuncs *k)
{
	size_t i;

	if (!k)
		return;
	for (i = 0; i < k->nr_prog_btfs; i++)
		btf__free(k->prog_btfs[i].btf);
	for (i = 1; i < k->nr_kbtfs; i++)
		btf__free(k->kbtfs[i].btf);
	kernel_syms_destroy(&k->dd);
	free(k->prog_btfs);
	free(k->kbtfs);
	free(k->funcs);
	free(k->calls);
	free(k);
}

void kfuncs_clear(struct kfuncs *k)
{
	k->nr_calls = 0;
}

/* The programs of a struct_ops share one BTF, as a rule. */
static struct btf *get_prog_btf(struct kfuncs *k, __u32 id)
{
	struct btf *btf;
	void *tmp;
	size_t i;

	for (i = 0; i < k->nr_prog_btfs; i++) {
		if (k->prog_btfs[i].id == id)
			return k->prog_btfs[i].btf;
	}
	tmp = grow(k->prog_btfs, k->nr_prog_btfs, sizeof(*k->prog_btfs));
	if (!tmp)
		return NULL;
	k->prog_btfs = tmp;
	btf = btf__load_from_kernel_by_id(id);
	if (!btf) {
		p_err("failed to get btf");
		return NULL;
	}
	k->prog_btfs[k->nr_prog_btfs++] = (struct prog_btf) { id, btf };
	return btf;
}

static int prog_get_info(struct prog *p, int fd)
{
	struct bpf_prog_info *info = &p->info, sizes = {};
	__u32 len = sizeof(sizes);
	void *ptr;

	if (bpf_prog_get_info_by_fd(fd, &sizes, &len)) {
		p_err("can't get prog info: %s", strerror(errno));
		return -1;
	}
	if (!sizes.xlated_prog_len) {
		p_err("can't read the instructions of program %u: no permission?", sizes.id);
		return -1;
	}

	p->data = malloc(sizes.xlated_prog_len +
			 sizes.nr_func_info * sizes.func_info_rec_size +
			 sizes.nr_line_info * sizes.line_info_rec_size);
	if (!p->data) {
		p_err("mem alloc failed");
		return -1;
	}
	ptr = p->data;
	info->xlated_prog_len = sizes.xlated_prog_len;
	info->xlated_prog_insns = ptr_to_u64(ptr);
	ptr += sizes.xlated_prog_len;
	info->nr_func_info = sizes.nr_func_info;
	info->func_info_rec_size = sizes.func_info_rec_size;
	info->func_info = ptr_to_u64(ptr);
	ptr += sizes.nr_func_info * sizes.func_info_rec_size;
	info->nr_line_info = sizes.nr_line_info;
	info->line_info_rec_size = sizes.line_info_rec_size;
	info->line_info = ptr_to_u64(ptr);

	len = sizeof(*info);
	if (bpf_prog_get_info_by_fd(fd, info, &len)) {
		p_err("can't get prog info: %s", strerror(errno));
		return -1;
	}
	if (!info->xlated_prog_insns) {
		p_err("error retrieving insn dump: kernel.kptr_restrict set?");
		return -1;
	}
	return 0;
}

static const struct bpf_func_info *prog_func_info(const struct prog *p, __u32 i)
{
	return u64_to_ptr(p->info.func_info) + i * p->info.func_info_rec_size;
}

static const char *prog_subprog_name(const struct prog *p, __u32 insn)
{
	const struct bpf_func_info *func;
	const struct btf_type *t = NULL;
	__u32 i;

	for (i = 0; p->btf && i < p->info.nr_func_info; i++) {
		func = prog_func_info(p, i);
		if (func->insn_off > insn)
			break;
		t = btf__type_by_id(p->btf, func->type_id);
	}
	return t ? btf__name_by_offset(p->btf, t->name_off) : NULL;
}

static bool prog_has_subprog(const struct prog *p, __u32 type_id)
{
	__u32 i;

	for (i = 0; i < p->info.nr_func_info; i++) {
		if (prog_func_info(p, i)->type_id == type_id)
			return true;
	}
	return false;
}

/* The BTF of a program has the functions that its object file defines, and those
 * that it declares. The latter are in the kernel, if they are anywhere.
 */
static int prog_find_candidates(struct kfuncs *k, struct prog *p)
{
	const struct kernel_func *func;
	const struct btf_type *t;
	const char *name;
	void *tmp;
	__u32 id;

	for (id = 1; p->btf && id < btf__type_cnt(p->btf); id++) {
		t = btf__type_by_id(p->btf, id);
		if (!btf_is_func(t) || prog_has_subprog(p, id))
			continue;
		name = btf__name_by_offset(p->btf, t->name_off);
		func = find_kernel_func(k, name, bpf_core_essential_name_len(name), NULL);
		if (!func)
			continue;
		tmp = grow(p->candidates, p->nr_candidates, sizeof(*p->candidates));
		if (!tmp)
			return -1;
		p->candidates = tmp;
		p->candidates[p->nr_candidates++] = (struct candidate) { name, func };
	}
	return 0;
}

/* Within vmlinux, or one module, equal types have equal IDs. Between the two this
 * can fail. To take different types for equal makes one more kfunc possible, which
 * does no harm.
 */
static bool same_type(const struct btf *btf_a, __u32 a, const struct btf *btf_b, __u32 b)
{
	const struct btf_type *ta, *tb;

	while (a != b) {
		ta = btf__type_by_id(btf_a, a);
		tb = btf__type_by_id(btf_b, b);
		if (btf_kind(ta) != btf_kind(tb) ||
		    strcmp(btf__name_by_offset(btf_a, ta->name_off),
			   btf__name_by_offset(btf_b, tb->name_off)))
			return false;
		if (!btf_is_ptr(ta) && !btf_is_mod(ta) && !btf_is_typedef(ta))
			return true;
		a = ta->type;
		b = tb->type;
	}
	return true;
}

static bool same_prototype(const struct kernel_func *a, const struct kernel_func *b)
{
	const struct btf *btf_a = a->kbtf->btf, *btf_b = b->kbtf->btf;
	const struct btf_param *param_a, *param_b;
	const struct btf_type *ta, *tb;
	int i;

	if (a == b)
		return true;
	/* A call is not relocated from one module to another. */
	if (a->kbtf != b->kbtf && a->kbtf->module[0] && b->kbtf->module[0])
		return false;

	ta = btf__type_by_id(btf_a, btf__type_by_id(btf_a, a->id)->type);
	tb = btf__type_by_id(btf_b, btf__type_by_id(btf_b, b->id)->type);
	if (btf_vlen(ta) != btf_vlen(tb) || !same_type(btf_a, ta->type, btf_b, tb->type))
		return false;
	param_a = btf_params(ta);
	param_b = btf_params(tb);
	for (i = 0; i < btf_vlen(ta); i++) {
		if (!same_type(btf_a, param_a[i].type, btf_b, param_b[i].type))
			return false;
	}
	return true;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool has_word_at(const char *line, size_t pos, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line + pos, word, len) && !is_word_char(line[pos + len]) &&
	       (!pos || !is_word_char(line[pos - 1]));
}

static bool has_word(const char *line, const char *word)
{
	const char *at;

	for (at = strstr(line, word); at; at = strstr(at + 1, word)) {
		if (has_word_at(line, at - line, word))
			return true;
	}
	return false;
}

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL);
}

static bool is_kfunc_call(const struct bpf_insn *insn)
{
	return is_call(insn) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL;
}

/* A call has a record of its own. If it shares one with a call before it, it is of
 * the same macro, or has lost its own when the compiler merged code.
 */
static bool shares_line_info(const struct prog *p, const struct bpf_line_info *linfo,
			     __u32 insn)
{
	const struct bpf_insn *insns = u64_to_ptr(p->info.xlated_prog_insns);
	__u32 i;

	for (i = linfo->insn_off; i < insn; i++) {
		if (is_call(&insns[i]))
			return true;
	}
	return false;
}

/* Which kfunc does the source name? @bound: NULL if unknown. @line: the source line,
 * and @col: where the call is in it, from 1, if they are known.
 */
static const char *named_kfunc(const struct prog *p, const struct kernel_func *bound,
			       const char *line, __u32 col)
{
	const struct kernel_func *only = NULL, *at_col = NULL, *in_line = NULL;
	const struct kernel_func *self = NULL, *pick;
	size_t i, nr = 0, nr_in_line = 0;
	const struct candidate *c;

	for (i = 0; i < p->nr_candidates; i++) {
		c = &p->candidates[i];
		if (bound && !same_prototype(c->func, bound))
			continue;
		/* one function can have several flavors */
		nr += c->func != only;
		only = c->func;
		if (c->func == bound)
			self = c->func;
		if (!has_word(line, c->name))
			continue;
		nr_in_line += c->func != in_line;
		in_line = c->func;
		if (col && col <= strlen(line) && has_word_at(line, col - 1, c->name))
			at_col = c->func;
	}
	if (nr == 1)
		return only->name;
	pick = at_col ?: nr_in_line == 1 ? in_line : NULL;
	if (!self)
		return pick ? pick->name : NULL;
	/* Programs cannot name what calls are relocated to, as a rule. So if this one
	 * names the bound function, the call is not relocated, and if the line names
	 * no kfunc at all, it is in a macro.
	 */
	return pick == self || !nr_in_line ? self->name : NULL;
}

static const struct kernel_func *find_symbol_func(const struct kfuncs *k,
						  const struct kernel_sym *sym)
{
	return find_kernel_func(k, sym->name, strlen(sym->name), sym->module);
}

/* Several symbols can have the same address: find the one that BTF knows. */
static const struct kernel_func *find_bound_by_address(struct kfuncs *k,
						       unsigned long address,
						       struct kernel_sym **res)
{
	struct kernel_sym *sym, *end = k->dd.sym_mapping + k->dd.sym_count;
	const struct kernel_func *func;

	*res = kernel_syms_search(&k->dd, address);
	if (!*res)
		return NULL;
	sym = *res;
	while (sym > k->dd.sym_mapping && sym[-1].address == address)
		sym--;
	for (; sym < end && sym->address == address; sym++) {
		func = find_symbol_func(k, sym);
		if (func) {
			*res = sym;
			return func;
		}
	}
	return NULL;
}

/* The instruction does not say of which module the ID is. */
static const struct kernel_func *find_bound_by_id(const struct kfuncs *k,
						  const struct bpf_insn *insn)
{
	const struct kernel_func *found = NULL;
	size_t i;

	for (i = 0; i < k->nr_funcs; i++) {
		if (k->funcs[i].id != (__u32)insn->imm ||
		    !k->funcs[i].kbtf->module[0] != !insn->off)
			continue;
		if (found)
			return NULL;
		found = &k->funcs[i];
	}
	return found;
}

static const struct kernel_func *find_bound(struct kfuncs *k, struct kfunc_call *call,
					    const struct bpf_insn *insn)
{
	const struct kernel_func *func;
	struct kernel_sym *sym = NULL;

	/* the kernel clears it if kallsyms is restricted */
	if (!insn->imm || (!k->calls_by_id && !k->dd.sym_mapping)) {
		if (!k->said_restricted)
			p_info("kallsyms is restricted (see kernel.kptr_restrict): what calls are bound to is unknown");
		k->said_restricted = true;
		return NULL;
	}
	if (k->calls_by_id)
		func = find_bound_by_id(k, insn);
	else
		func = find_bound_by_address(k, k->dd.address_call_base + insn->imm, &sym);

	if (func) {
		call->bound = func->name;
		call->module = func->kbtf->module;
	} else if (sym) {
		call->bound = sym->name;
		call->module = sym->module;
	}
	return func;
}

static int prog_add_call(struct kfuncs *k, const struct prog *p, __u32 i,
			 const char *member)
{
	const struct bpf_insn *insns = u64_to_ptr(p->info.xlated_prog_insns);
	const struct bpf_line_info *linfo = NULL;
	const struct kernel_func *bound;
	const char *line = NULL;
	struct kfunc_call *call;
	void *tmp;

	tmp = grow(k->calls, k->nr_calls, sizeof(*k->calls));
	if (!tmp)
		return -1;
	k->calls = tmp;
	call = &k->calls[k->nr_calls++];
	memset(call, 0, sizeof(*call));

	call->member = member;
	call->prog_id = p->info.id;
	call->insn = i;
	call->subprog = prog_subprog_name(p, i);
	if (p->linfo)
		linfo = bpf_prog_linfo__lfind(p->linfo, i, 0);
	if (linfo && p->btf) {
		call->file = btf__name_by_offset(p->btf, linfo->file_name_off);
		call->line = btf__name_by_offset(p->btf, linfo->line_off);
		call->line_num = BPF_LINE_INFO_LINE_NUM(linfo->line_col);
		call->line_col = BPF_LINE_INFO_LINE_COL(linfo->line_col);
		if (!shares_line_info(p, linfo, i))
			line = call->line;
	}
	bound = find_bound(k, call, &insns[i]);
	call->kfunc = named_kfunc(p, bound, line ?: "", call->line_col);
	return 0;
}

int kfuncs_add_prog(struct kfuncs *k, int prog_fd, const char *member)
{
	const struct bpf_insn *insns;
	bool prepared = false;
	struct prog p = {};
	__u32 i, cnt;
	int err = -1;

	if (prog_get_info(&p, prog_fd))
		goto out;
	if (p.info.btf_id) {
		p.btf = get_prog_btf(k, p.info.btf_id);
		if (!p.btf)
			goto out;
	}
	if (p.info.nr_line_info)
		p.linfo = bpf_prog_linfo__new(&p.info);

	insns = u64_to_ptr(p.info.xlated_prog_insns);
	cnt = p.info.xlated_prog_len / sizeof(*insns);
	for (i = 0; i < cnt; i++) {
		if (!is_kfunc_call(&insns[i]))
			continue;
		if (!prepared && (load_kernel(k) || prog_find_candidates(k, &p)))
			goto out;
		prepared = true;
		if (prog_add_call(k, &p, i, member))
			goto out;
	}
	err = 0;
out:
	bpf_prog_linfo__free(p.linfo);
	free(p.candidates);
	free(p.data);
	return err;
}

static void string_or_null(const char *name, const char *value)
{
	if (value)
		jsonw_string_field(json_wtr, name, value);
	else
		jsonw_null_field(json_wtr, name);
}

static void show_json(const struct kfuncs *k, bool struct_ops)
{
	const struct kfunc_call *call;

	jsonw_start_array(json_wtr);
	for (call = k->calls; call < k->calls + k->nr_calls; call++) {
		jsonw_start_object(json_wtr);
		if (call->member)
			jsonw_string_field(json_wtr, "member", call->member);
		if (struct_ops)
			jsonw_uint_field(json_wtr, "prog_id", call->prog_id);
		jsonw_uint_field(json_wtr, "insn", call->insn);
		string_or_null("subprog", call->subprog);
		string_or_null("kfunc", call->kfunc);
		string_or_null("bound", call->bound);
		if (call->module && *call->module)
			jsonw_string_field(json_wtr, "module", call->module);
		if (call->line) {
			jsonw_string_field(json_wtr, "src",
					   call->line + strspn(call->line, " \t"));
			string_or_null("file", call->file);
			jsonw_uint_field(json_wtr, "line_num", call->line_num);
			jsonw_uint_field(json_wtr, "line_col", call->line_col);
		}
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
}

enum column {
	COL_MEMBER,
	COL_PROG,
	COL_INSN,
	COL_SUBPROG,
	COL_KFUNC,
	COL_BOUND,
	COL_SOURCE,
	NR_COLS,
};

static const char * const col_names[NR_COLS] = {
	[COL_MEMBER]	= "Member",
	[COL_PROG]	= "Prog",
	[COL_INSN]	= "Insn",
	[COL_SUBPROG]	= "Subprog",
	[COL_KFUNC]	= "Kfunc",
	[COL_BOUND]	= "Bound to",
	[COL_SOURCE]	= "Source",
};

static void format_cell(const struct kfunc_call *call, enum column col,
			char *buf, size_t size)
{
	const char *slash;

	switch (col) {
	case COL_MEMBER:
		snprintf(buf, size, "%s", call->member ?: "-");
		break;
	case COL_PROG:
		snprintf(buf, size, "%u", call->prog_id);
		break;
	case COL_INSN:
		snprintf(buf, size, "%u", call->insn);
		break;
	case COL_SUBPROG:
		snprintf(buf, size, "%s", call->subprog ?: "-");
		break;
	case COL_KFUNC:
		snprintf(buf, size, "%s", call->kfunc ?: "?");
		break;
	case COL_BOUND:
		if (call->module && *call->module)
			snprintf(buf, size, "%s [%s]", call->bound, call->module);
		else
			snprintf(buf, size, "%s", call->bound ?: "?");
		break;
	case COL_SOURCE:
		slash = call->file ? strrchr(call->file, '/') : NULL;
		if (call->file)
			snprintf(buf, size, "%s:%u", slash ? slash + 1 : call->file,
				 call->line_num);
		else
			snprintf(buf, size, "-");
		break;
	default:
		break;
	}
}

static void show_plain(const struct kfuncs *k, bool struct_ops)
{
	char cell[SYM_MAX_NAME + MODULE_MAX_NAME];
	int col, len, width[NR_COLS] = {};
	bool shown[NR_COLS];
	size_t i;

	if (!k->nr_calls) {
		printf("\tno kfunc calls\n");
		return;
	}

	memset(shown, true, sizeof(shown));
	shown[COL_MEMBER] = k->calls[0].member;
	shown[COL_PROG] = struct_ops;

	for (col = 0; col < COL_SOURCE; col++) {
		width[col] = strlen(col_names[col]);
		for (i = 0; i < k->nr_calls; i++) {
			format_cell(&k->calls[i], col, cell, sizeof(cell));
			len = strlen(cell);
			width[col] = len > width[col] ? len : width[col];
		}
	}

	for (i = 0; i <= k->nr_calls; i++) {
		printf("\t");
		for (col = 0; col < NR_COLS; col++) {
			if (!shown[col])
				continue;
			if (i)
				format_cell(&k->calls[i - 1], col, cell, sizeof(cell));
			else
				snprintf(cell, sizeof(cell), "%s", col_names[col]);
			if (col == COL_SOURCE)
				printf("%s\n", cell);
			else
				printf("%-*s  ", width[col], cell);
		}
	}
}

void kfuncs_show(const struct kfuncs *k, bool struct_ops)
{
	if (json_output)
		show_json(k, struct_ops);
	else
		show_plain(k, struct_ops);
}
