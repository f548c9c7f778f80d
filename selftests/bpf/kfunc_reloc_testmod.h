/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KFUNC_RELOC_TESTMOD_H
#define __KFUNC_RELOC_TESTMOD_H

#include "kfunc_reloc_helpers.h"
#include "bpf_testmod/bpf_testmod.h"

#define OUTSIDE	NULL	/* no member */

/* What bpf_testmod_reloc_ops answers. Whatever is in no rule: 0, no relocation. */
struct rule {
	const char *kfunc;
	const char *member;
	const char *becomes;
	int err;
};

static struct btf *vmlinux_btf, *testmod_btf;

static int __maybe_unused open_btfs(void)
{
	vmlinux_btf = btf__load_vmlinux_btf();
	if (!ASSERT_OK_PTR(vmlinux_btf, "vmlinux_btf"))
		return -1;
	testmod_btf = btf__load_module_btf("bpf_testmod", vmlinux_btf);
	if (ASSERT_OK_PTR(testmod_btf, "testmod_btf"))
		return 0;
	btf__free(vmlinux_btf);
	return -1;
}

static void __maybe_unused close_btfs(void)
{
	btf__free(testmod_btf);
	btf__free(vmlinux_btf);
}

/* The ID of a function or type in the ID space of bpf_testmod's BTF */
static int btf_id(const char *name, u32 kind)
{
	int id;

	id = btf__find_by_name_kind(testmod_btf, name, kind);
	ASSERT_GT(id, 0, name);
	return id;
}

static int __maybe_unused func_id(const char *name)
{
	return btf_id(name, BTF_KIND_FUNC);
}

static int member_idx(const char *name)
{
	const struct btf_type *t;
	int i;

	if (name == OUTSIDE)
		return -1;
	t = btf__type_by_id(testmod_btf, btf_id("bpf_testmod_reloc_ops", BTF_KIND_STRUCT));
	for (i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(testmod_btf, btf_members(t)[i].name_off), name))
			return i;
	}
	PRINT_FAIL("no member %s\n", name);
	return -1;
}

static int write_rules(const struct bpf_testmod_reloc_rule *r, int cnt)
{
	int fd, n;

	fd = open("/sys/kernel/bpf_testmod_reloc", O_WRONLY);
	if (!ASSERT_GE(fd, 0, "open_rules"))
		return -1;
	n = write(fd, r, cnt * sizeof(*r));
	close(fd);
	return ASSERT_EQ(n, cnt * sizeof(*r), "write_rules") ? 0 : -1;
}

static int __maybe_unused set_rules(const struct rule *rules, int cnt)
{
	struct bpf_testmod_reloc_rule r[64];
	int i;

	if (!ASSERT_LE(cnt, ARRAY_SIZE(r), "cnt_rules"))
		return -1;
	for (i = 0; i < cnt; i++) {
		r[i].kfunc = func_id(rules[i].kfunc);
		r[i].member = member_idx(rules[i].member);
		r[i].answer = rules[i].becomes ? func_id(rules[i].becomes) : rules[i].err;
	}
	return write_rules(r, cnt);
}

/* A program without libbpf, for a member of bpf_testmod_reloc_ops. Slot 1 of the
 * fd_array is bpf_testmod.
 */
static int __maybe_unused load_raw(const char *member, const struct bpf_insn *insns, size_t cnt,
				   struct bpf_prog_load_opts *opts)
{
	int fds[2] = {}, fd;

	fds[1] = module_btf_fd("bpf_testmod");
	if (!ASSERT_GE(fds[1], 0, "btf_fd"))
		return -1;
	opts->fd_array = fds;
	opts->attach_btf_obj_fd = fds[1];
	opts->attach_btf_id = btf_id("bpf_testmod_reloc_ops", BTF_KIND_STRUCT);
	opts->expected_attach_type = member_idx(member);
	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns, cnt, opts);
	close(fds[1]);
	return fd;
}

static int cmp_name(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int cmp_name_key(const void *key, const struct ksym *sym)
{
	return strcmp(key, sym->name);
}

/* The ID of a function of vmlinux, without parameters and a value, that is wanted;
 * or 0. @wanted gets a symbol of the name, and whether there are several.
 */
static int __maybe_unused find_void_func(bool (*wanted)(const struct ksym *sym, bool twice))
{
	struct ksyms *syms = load_kallsyms_custom_local(cmp_name);
	const struct btf_type *t, *proto;
	int id, cnt = btf__type_cnt(vmlinux_btf);
	const char *name;
	struct ksym *sym;

	if (!ASSERT_OK_PTR(syms, "load_kallsyms"))
		return 0;
	for (id = 1; id < cnt; id++) {
		t = btf__type_by_id(vmlinux_btf, id);
		if (!btf_is_func(t))
			continue;
		proto = btf__type_by_id(vmlinux_btf, t->type);
		if (proto->type || btf_vlen(proto))
			continue;
		name = btf__name_by_offset(vmlinux_btf, t->name_off);
		sym = search_kallsyms_custom_local(syms, name, cmp_name_key);
		/* twice in vmlinux, which is what comes first in kallsyms */
		if (sym && wanted(sym, !strcmp(sym[1].name, name) || !strcmp(sym[-1].name, name)))
			break;
	}
	free_kallsyms_local(syms);
	return id < cnt ? id : 0;
}

#endif /* __KFUNC_RELOC_TESTMOD_H */
