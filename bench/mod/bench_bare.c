// SPDX-License-Identifier: GPL-2.0
/*
 * A struct_ops without a table, and a kfunc, to count what loading its programs costs. In
 * a module of its own, which is the same on a kernel without the series: the symbols that
 * a table brings make every look-up of a kfunc of its module longer.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/init.h>
#include <linux/module.h>

struct bench_bare_ops {
	int (*any)(u64 n);
};

__bpf_kfunc_start_defs();

__bpf_kfunc noinline void bench_bare(void)
{
	barrier();
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(bench_bare_kfuncs)
BTF_ID_FLAGS(func, bench_bare)
BTF_KFUNCS_END(bench_bare_kfuncs)

static const struct btf_kfunc_id_set bench_bare_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &bench_bare_kfuncs,
};

static int bench_stub(u64 n)
{
	return 0;
}

static struct bench_bare_ops bench_bare_stubs = {
	.any = bench_stub,
};

static int bench_init(struct btf *btf)
{
	return 0;
}

static int bench_init_member(const struct btf_type *t, const struct btf_member *member,
			     void *kdata, const void *udata)
{
	return 0;
}

static int bench_reg(void *kdata, struct bpf_link *link)
{
	return -EOPNOTSUPP;
}

static void bench_unreg(void *kdata, struct bpf_link *link)
{
}

static const struct bpf_verifier_ops bench_verifier_ops = {
	.is_valid_access	= bpf_tracing_btf_ctx_access,
	.get_func_proto		= bpf_base_func_proto,
};

static struct bpf_struct_ops bpf_bench_bare_ops = {
	.verifier_ops	= &bench_verifier_ops,
	.init		= bench_init,
	.init_member	= bench_init_member,
	.reg		= bench_reg,
	.unreg		= bench_unreg,
	.cfi_stubs	= &bench_bare_stubs,
	.name		= "bench_bare_ops",
	.owner		= THIS_MODULE,
};

static int __init bench_bare_init(void)
{
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &bench_bare_kfunc_set);
	return err ?: register_bpf_struct_ops(&bpf_bench_bare_ops, bench_bare_ops);
}

static void __exit bench_bare_exit(void)
{
}

module_init(bench_bare_init);
module_exit(bench_bare_exit);
MODULE_DESCRIPTION("What loading costs a struct_ops without a table");
MODULE_LICENSE("GPL");
