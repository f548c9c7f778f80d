// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: struct_ops that say in a table what a kfunc call becomes.
 * See prog_tests/kfunc_table.c.
 *
 * Included by bpf_testmod.c: the module is built from one object.
 */
#include <linux/kfunc_reloc.h>
#include "bpf_testmod_table.h"

#define TABLE_ARG	7

__bpf_kfunc_start_defs();

/* The kfuncs that programs name. */

__bpf_kfunc int bpf_kfunc_table_own(int a)
{
	return a + 1000;
}

__bpf_kfunc int bpf_kfunc_table_inside(int a)
{
	return a + 2000;
}

__bpf_kfunc int bpf_kfunc_table_same(int a)
{
	return a + 3000;
}

__bpf_kfunc int bpf_kfunc_table_never(int a)
{
	return a + 4000;
}

__bpf_kfunc int bpf_kfunc_table_shared(int a)
{
	return a + 5000;
}

__bpf_kfunc int bpf_kfunc_table_shared_outside(int a)
{
	return a + 6000;
}

__bpf_kfunc int bpf_kfunc_table_fallback(int a)
{
	return a + 7000;
}

__bpf_kfunc int bpf_kfunc_table_unnamed(int a)
{
	return a + 8000;
}

/* What they can become. These are in no kfunc set. */

__bpf_kfunc int bpf_kfunc_table_to_first(int a)
{
	return a + 10;
}

__bpf_kfunc int bpf_kfunc_table_to_second(int a)
{
	return a + 20;
}

__bpf_kfunc int bpf_kfunc_table_to_outside(int a)
{
	return a + 30;
}

__bpf_kfunc int bpf_kfunc_table_to_same(int a)
{
	return a + 40;
}

__bpf_kfunc_end_defs();

/* prog_tests/kfunc_table.c has the same, as what programs get to see of it. */
BTF_KFUNC_RELOC_TABLE(table_relocs, struct bpf_testmod_table_ops)
{
	BTF_KFUNC_RELOC_START(table_relocs);

	/* everything there is: nothing for fourth */
	BTF_KFUNC_OWN(bpf_kfunc_table_own);
	BTF_KFUNC_RELOC(bpf_kfunc_table_own, first, bpf_kfunc_table_to_first);
	BTF_KFUNC_RELOC(bpf_kfunc_table_own, second, bpf_kfunc_table_to_second);
	BTF_KFUNC_ALLOW(bpf_kfunc_table_own, third);
	BTF_KFUNC_RELOC_OUTSIDE(bpf_kfunc_table_own, bpf_kfunc_table_to_outside);

	/* not outside, as there is no row, and not in second, in so many words */
	BTF_KFUNC_OWN(bpf_kfunc_table_inside);
	BTF_KFUNC_ALLOW(bpf_kfunc_table_inside, first);
	BTF_KFUNC_DENY(bpf_kfunc_table_inside, second);
	BTF_KFUNC_RELOC(bpf_kfunc_table_inside, third, bpf_kfunc_table_to_first);

	BTF_KFUNC_OWN(bpf_kfunc_table_same);
	BTF_KFUNC_RELOC(bpf_kfunc_table_same, first, bpf_kfunc_table_to_same);
	BTF_KFUNC_RELOC(bpf_kfunc_table_same, second, bpf_kfunc_table_to_same);
	BTF_KFUNC_RELOC(bpf_kfunc_table_same, third, bpf_kfunc_table_to_same);
	BTF_KFUNC_RELOC(bpf_kfunc_table_same, fourth, bpf_kfunc_table_to_same);
	BTF_KFUNC_RELOC_OUTSIDE(bpf_kfunc_table_same, bpf_kfunc_table_to_same);

	BTF_KFUNC_OWN(bpf_kfunc_table_never);

	/* third and outside: as it is */
	BTF_KFUNC_SHARED(bpf_kfunc_table_shared);
	BTF_KFUNC_DENY(bpf_kfunc_table_shared, first);
	BTF_KFUNC_RELOC(bpf_kfunc_table_shared, second, bpf_kfunc_table_to_second);
	BTF_KFUNC_ALLOW(bpf_kfunc_table_shared, fourth);

	BTF_KFUNC_SHARED(bpf_kfunc_table_shared_outside);
	BTF_KFUNC_DENY_OUTSIDE(bpf_kfunc_table_shared_outside);

	BTF_KFUNC_RELOC_END(table_relocs);
}

BTF_KFUNC_RELOC_TABLE(fallback_relocs, struct bpf_testmod_fallback_ops)
{
	BTF_KFUNC_RELOC_START(fallback_relocs);

	BTF_KFUNC_OWN(bpf_kfunc_table_fallback);
	BTF_KFUNC_RELOC(bpf_kfunc_table_fallback, first, bpf_kfunc_table_to_first);
	BTF_KFUNC_RELOC(bpf_kfunc_table_fallback, second, bpf_kfunc_table_to_second);

	BTF_KFUNC_RELOC_END(fallback_relocs);
}

/* Adds to the table that sleepable programs may not call what is relocated. */
static s32 fallback_reloc(const struct btf_type *t, const struct btf_member *member,
			  struct bpf_prog *prog, u32 kfunc_id)
{
	s32 ret;

	ret = bpf_kfunc_reloc_table(t, member, prog, kfunc_id);
	if (ret > 0 && prog->sleepable)
		return -EPERM;
	return ret;
}

static const struct bpf_verifier_ops table_verifier_ops = {
	.is_valid_access = bpf_testmod_ops_is_valid_access,
	.get_func_proto = bpf_base_func_proto,
};

static int table_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_testmod_table_ops *ops = kdata;

	if (ops->first)
		ops->first(TABLE_ARG);
	if (ops->second)
		ops->second(TABLE_ARG);
	if (ops->third)
		ops->third(TABLE_ARG);
	if (ops->fourth)
		ops->fourth(TABLE_ARG);
	return 0;
}

static int fallback_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_testmod_fallback_ops *ops = kdata;

	if (ops->first)
		ops->first(TABLE_ARG);
	if (ops->second)
		ops->second(TABLE_ARG);
	return 0;
}

static int table_stub(int arg)
{
	return 0;
}

static struct bpf_testmod_table_ops table_cfi_stubs = {
	.first = table_stub,
	.second = table_stub,
	.third = table_stub,
	.fourth = table_stub,
};

static struct bpf_struct_ops testmod_table_ops = {
	.verifier_ops = &table_verifier_ops,
	.init = bpf_testmod_ops_init,
	.init_member = st_ops_init_member,
	.kfunc_relocs = &table_relocs,
	.reg = table_reg,
	.unreg = bpf_dummy_unreg,
	.cfi_stubs = &table_cfi_stubs,
	.name = "bpf_testmod_table_ops",
	.owner = THIS_MODULE,
};

static struct bpf_testmod_fallback_ops fallback_cfi_stubs = {
	.first = table_stub,
	.second = table_stub,
};

static struct bpf_struct_ops testmod_fallback_ops = {
	.verifier_ops = &table_verifier_ops,
	.init = bpf_testmod_ops_init,
	.init_member = st_ops_init_member,
	.kfunc_validate_reloc = fallback_reloc,
	.kfunc_relocs = &fallback_relocs,
	.reg = fallback_reg,
	.unreg = bpf_dummy_unreg,
	.cfi_stubs = &fallback_cfi_stubs,
	.name = "bpf_testmod_fallback_ops",
	.owner = THIS_MODULE,
};

static int register_bpf_testmod_table(void)
{
	int ret;

	ret = register_bpf_struct_ops(&testmod_table_ops, bpf_testmod_table_ops);
	return ret ?: register_bpf_struct_ops(&testmod_fallback_ops, bpf_testmod_fallback_ops);
}
