// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: a table about kfuncs of vmlinux, and tables that are refused
 * when their struct_ops is registered. See prog_tests/kfunc_table.c.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/init.h>
#include <linux/kfunc_reloc.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include "bpf_test_kfunc_table.h"

#define TABLE_ARG	7

/* Not declared in any header: programs call them, not the kernel. */
struct task_struct *bpf_task_acquire(struct task_struct *p);
struct task_struct *bpf_task_from_pid(s32 pid);

static char *bad;
module_param(bad, charp, 0);
MODULE_PARM_DESC(bad, "Also register a struct_ops with this one of bad_tables");

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_test_kfunc_table_own(int a)
{
	return a + 1000;
}

__bpf_kfunc int bpf_test_kfunc_table_bad(int a)
{
	return a + 2000;
}

/* In the place of bpf_task_from_pid() */
__bpf_kfunc struct task_struct *bpf_test_kfunc_table_current(s32 pid)
{
	/* what bpf_task_release() drops */
	refcount_inc(&current->rcu_users);
	return current;
}

__bpf_kfunc_end_defs();

BTF_KFUNC_RELOC_TABLE(table_relocs, struct bpf_test_kfunc_table_ops)
{
	BTF_KFUNC_RELOC_START(table_relocs);

	BTF_KFUNC_SHARED(bpf_task_acquire);
	BTF_KFUNC_DENY(bpf_task_acquire, first);

	BTF_KFUNC_SHARED(bpf_task_from_pid);
	BTF_KFUNC_RELOC(bpf_task_from_pid, second, bpf_test_kfunc_table_current);

	BTF_KFUNC_OWN(bpf_test_kfunc_table_own);
	BTF_KFUNC_ALLOW(bpf_test_kfunc_table_own, first);

	BTF_KFUNC_RELOC_END(table_relocs);
}

BTF_KFUNCS_START(bpf_test_kfunc_table_ids)
BTF_ID_FLAGS(func, bpf_test_kfunc_table_own)
BTF_ID_FLAGS(func, bpf_test_kfunc_table_bad)
BTF_KFUNCS_END(bpf_test_kfunc_table_ids)

static const struct btf_kfunc_id_set bpf_test_kfunc_table_set = {
	.owner = THIS_MODULE,
	.set = &bpf_test_kfunc_table_ids,
};

/* What no BTF_KFUNC_RELOC_TABLE() can say, or nobody should. IDs are indices of
 * bad_ids.
 */
enum bad_id {
	ID_NONE,
	ID_BAD,
	ID_OWN,
	ID_VMLINUX,
	ID_STRUCT,
};

BTF_ID_LIST(bad_ids)
BTF_ID_UNUSED
BTF_ID(func, bpf_test_kfunc_table_bad)
BTF_ID(func, bpf_test_kfunc_table_own)
BTF_ID(func, bpf_task_acquire)
BTF_ID(struct, bpf_test_kfunc_bad_ops)

#define AT(member)		offsetof(struct bpf_test_kfunc_bad_ops, member)
#define ROW(id, where, kind)	{ { id, ID_NONE }, { where, kind } }
#define OWN(id)			ROW(id, BTF_KFUNC_AT_DECL, BTF_KFUNC_KIND_OWN)
#define SHARED(id)		ROW(id, BTF_KFUNC_AT_DECL, BTF_KFUNC_KIND_SHARED)
#define ALLOW(id, where)	ROW(id, where, BTF_KFUNC_KIND_ALLOW)
#define DENY(id, where)		ROW(id, where, BTF_KFUNC_KIND_DENY)
#define RELOC(id, where, to)	{ { id, to }, { where, BTF_KFUNC_KIND_RELOC } }

#define MAX_BAD_ROWS		4

static const struct bad_table {
	const char *name;
	u32 nr;
	struct {
		struct btf_kfunc_reloc_ids ids;
		struct btf_kfunc_reloc_row row;
	} rows[MAX_BAD_ROWS];
} bad_tables[] = {
	{ "unknown_kfunc", 3, { OWN(ID_BAD), SHARED(ID_NONE), ALLOW(ID_BAD, AT(first)) } },
	{ "kfunc_is_struct", 1, { SHARED(ID_STRUCT) } },
	/* a third module's functions have no ID either */
	{ "unknown_function", 2, { OWN(ID_BAD), RELOC(ID_BAD, AT(second), ID_NONE) } },
	{ "function_is_struct", 2, { OWN(ID_BAD), RELOC(ID_BAD, AT(second), ID_STRUCT) } },
	{ "row_twice", 4, { ALLOW(ID_BAD, AT(first)), OWN(ID_BAD), ALLOW(ID_BAD, AT(second)),
			    DENY(ID_BAD, AT(first)) } },
	{ "outside_twice", 3, { SHARED(ID_VMLINUX), DENY(ID_VMLINUX, BTF_KFUNC_AT_OUTSIDE),
				ALLOW(ID_VMLINUX, BTF_KFUNC_AT_OUTSIDE) } },
	{ "named_twice", 2, { OWN(ID_BAD), SHARED(ID_BAD) } },
	{ "not_named", 2, { SHARED(ID_VMLINUX), RELOC(ID_BAD, AT(second), ID_OWN) } },
	{ "no_member", 2, { OWN(ID_BAD), ALLOW(ID_BAD, 4096) } },
	{ "far_member", 2, { OWN(ID_BAD), ALLOW(ID_BAD, 1 << 29) } },
	{ "data_member", 2, { OWN(ID_BAD), ALLOW(ID_BAD, AT(data)) } },
	{ "within_member", 2, { OWN(ID_BAD), ALLOW(ID_BAD, AT(second) + 1) } },
	{ "name_of_kind_row", 1, { ROW(ID_BAD, BTF_KFUNC_AT_DECL, BTF_KFUNC_KIND_ALLOW) } },
	{ "row_of_kind_name", 2, { OWN(ID_BAD), ROW(ID_BAD, AT(first), BTF_KFUNC_KIND_SHARED) } },
	{ "unknown_kind", 2, { OWN(ID_BAD), ROW(ID_BAD, AT(first), BTF_KFUNC_KIND_DENY + 1) } },
	{ "own_vmlinux", 1, { OWN(ID_VMLINUX) } },
	{ "own_others", 1, { OWN(ID_OWN) } },
};

static struct btf_kfunc_reloc_ids bad_row_ids[MAX_BAD_ROWS];
static struct btf_kfunc_reloc_row bad_rows[MAX_BAD_ROWS];

static struct btf_kfunc_reloc_table bad_relocs = {
	.ids = bad_row_ids,
	.start = bad_rows,
};

static int kfunc_table_init(struct btf *btf)
{
	return 0;
}

static int kfunc_table_init_member(const struct btf_type *t,
				   const struct btf_member *member,
				   void *kdata, const void *udata)
{
	return 0;
}

static int kfunc_table_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_test_kfunc_table_ops *ops = kdata;

	if (ops->first)
		ops->first(TABLE_ARG);
	if (ops->second)
		ops->second(TABLE_ARG);
	return 0;
}

static int kfunc_plain_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_test_kfunc_plain_ops *ops = kdata;

	ops->first(TABLE_ARG);
	return 0;
}

static void kfunc_table_unreg(void *kdata, struct bpf_link *link)
{
}

static int kfunc_table_stub(int arg)
{
	return 0;
}

static const struct bpf_verifier_ops kfunc_table_verifier_ops = {
	.is_valid_access = bpf_tracing_btf_ctx_access,
	.get_func_proto = bpf_base_func_proto,
};

static struct bpf_test_kfunc_table_ops kfunc_table_stubs = {
	.first = kfunc_table_stub,
	.second = kfunc_table_stub,
};

static struct bpf_struct_ops kfunc_table_ops = {
	.verifier_ops = &kfunc_table_verifier_ops,
	.init = kfunc_table_init,
	.init_member = kfunc_table_init_member,
	.kfunc_relocs = &table_relocs,
	.reg = kfunc_table_reg,
	.unreg = kfunc_table_unreg,
	.cfi_stubs = &kfunc_table_stubs,
	.name = "bpf_test_kfunc_table_ops",
	.owner = THIS_MODULE,
};

static struct bpf_test_kfunc_plain_ops kfunc_plain_stubs = {
	.first = kfunc_table_stub,
};

static struct bpf_struct_ops kfunc_plain_ops = {
	.verifier_ops = &kfunc_table_verifier_ops,
	.init = kfunc_table_init,
	.init_member = kfunc_table_init_member,
	.reg = kfunc_plain_reg,
	.unreg = kfunc_table_unreg,
	.cfi_stubs = &kfunc_plain_stubs,
	.name = "bpf_test_kfunc_plain_ops",
	.owner = THIS_MODULE,
};

static struct bpf_test_kfunc_bad_ops kfunc_bad_stubs = {
	.first = kfunc_table_stub,
	.second = kfunc_table_stub,
};

static struct bpf_struct_ops kfunc_bad_ops = {
	.verifier_ops = &kfunc_table_verifier_ops,
	.init = kfunc_table_init,
	.init_member = kfunc_table_init_member,
	.kfunc_relocs = &bad_relocs,
	.reg = kfunc_table_reg,
	.unreg = kfunc_table_unreg,
	.cfi_stubs = &kfunc_bad_stubs,
	.name = "bpf_test_kfunc_bad_ops",
	.owner = THIS_MODULE,
};

static int __init register_bad(void)
{
	const struct bad_table *table;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(bad_tables); i++) {
		table = &bad_tables[i];
		if (strcmp(table->name, bad))
			continue;
		for (j = 0; j < table->nr; j++) {
			bad_row_ids[j].kfunc_id = bad_ids[table->rows[j].ids.kfunc_id];
			bad_row_ids[j].target_id = bad_ids[table->rows[j].ids.target_id];
			bad_rows[j] = table->rows[j].row;
		}
		bad_relocs.end = bad_rows + table->nr;
		return register_bpf_struct_ops(&kfunc_bad_ops, bpf_test_kfunc_bad_ops);
	}
	return -ENOENT;
}

/* A bad table fails the load half-way. The error is another one if that is not
 * all: before and after it, good ones register.
 */
static int __init bpf_test_kfunc_table_init(void)
{
	int ret, err = 0;

	ret = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &bpf_test_kfunc_table_set);
	ret = ret ?: register_bpf_struct_ops(&kfunc_table_ops, bpf_test_kfunc_table_ops);
	if (ret)
		return -ENOTRECOVERABLE;
	if (bad)
		err = register_bad();
	ret = register_bpf_struct_ops(&kfunc_plain_ops, bpf_test_kfunc_plain_ops);
	return ret ? -ENOTRECOVERABLE : err;
}

static void __exit bpf_test_kfunc_table_exit(void)
{
}

module_init(bpf_test_kfunc_table_init);
module_exit(bpf_test_kfunc_table_exit);

MODULE_DESCRIPTION("BPF selftest module for tables of kfunc relocations");
MODULE_LICENSE("GPL");
