// SPDX-License-Identifier: GPL-2.0
/*
 * A struct_ops, and kfuncs with empty bodies, to count what a call costs and what it
 * costs to load many of them. On a kernel without the series it has no table, and all
 * its kfuncs are what they say.
 *
 * Writing "MEMBER N" to /sys/kernel/debug/bench_kfr calls the member with N; reading
 * gives the time-stamp counter's ticks that took, which are instructions under
 * "qemu -icount shift=0".
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#if __has_include(<linux/kfunc_reloc.h>)
#include <linux/kfunc_reloc.h>
#define HAVE_TABLE
#endif

struct bench_ops {
	int (*plain)(u64 n);
	int (*reloc)(u64 n);
	int (*percpu)(u64 n);
	int (*arg)(u64 n);
	int (*many)(u64 n);
	int (*allowed)(u64 n);
};

#define CAT_(a, b)	a##b
#define CAT(a, b)	CAT_(a, b)
#define TIMES16(m, p)							\
	m(CAT(p, 0)) m(CAT(p, 1)) m(CAT(p, 2)) m(CAT(p, 3))		\
	m(CAT(p, 4)) m(CAT(p, 5)) m(CAT(p, 6)) m(CAT(p, 7))		\
	m(CAT(p, 8)) m(CAT(p, 9)) m(CAT(p, a)) m(CAT(p, b))		\
	m(CAT(p, c)) m(CAT(p, d)) m(CAT(p, e)) m(CAT(p, f))
#define TIMES128(m)							\
	TIMES16(m, 0) TIMES16(m, 1) TIMES16(m, 2) TIMES16(m, 3)		\
	TIMES16(m, 4) TIMES16(m, 5) TIMES16(m, 6) TIMES16(m, 7)
#define TIMES124(m)							\
	TIMES16(m, 8) TIMES16(m, 9) TIMES16(m, a) TIMES16(m, b)		\
	TIMES16(m, c) TIMES16(m, d) TIMES16(m, e)			\
	m(f0) m(f1) m(f2) m(f3) m(f4) m(f5) m(f6) m(f7) m(f8) m(f9) m(fa) m(fb)
/* with four more, 256: the limit of a kfunc set */
#define TIMES252(m)	TIMES128(m) TIMES124(m)

static DEFINE_PER_CPU(struct task_struct *, bench_where);

__bpf_kfunc_start_defs();

__bpf_kfunc noinline void bench_target(void)
{
	barrier();
}

/* bench_target(), where the program is "reloc" */
__bpf_kfunc noinline void bench_named(void)
{
	barrier();
}

/* It finds out itself, as scx_bpf_dispatch() of 6.12 does. */
__bpf_kfunc noinline void bench_percpu(void)
{
	if (__this_cpu_read(bench_where))
		bench_target();
	else
		bench_named();
}

/* It is told by its caller. */
__bpf_kfunc noinline void bench_arg(u32 where)
{
	if (where)
		bench_target();
	else
		bench_named();
}

#define KFUNC(i)	__bpf_kfunc noinline void CAT(bench_k, i)(void) { barrier(); }
#define TARGET(i)	__bpf_kfunc noinline void CAT(bench_t, i)(void) { barrier(); }
TIMES252(KFUNC)
TIMES128(TARGET)

__bpf_kfunc_end_defs();

#define ID_(i)		BTF_ID_FLAGS(func, bench_k##i)
#define ID(i)		ID_(i)
BTF_KFUNCS_START(bench_kfuncs)
BTF_ID_FLAGS(func, bench_target)
BTF_ID_FLAGS(func, bench_named)
BTF_ID_FLAGS(func, bench_percpu)
BTF_ID_FLAGS(func, bench_arg)
TIMES252(ID)
BTF_KFUNCS_END(bench_kfuncs)

static const struct btf_kfunc_id_set bench_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &bench_kfuncs,
};

#ifdef HAVE_TABLE
enum {
	IN_RELOC	= 1 << 0,
	IN_MANY		= 1 << 1,
	IN_ALLOWED	= 1 << 2,
};

/* what BPF_KFUNC_RELOCS() makes: a list macro cannot count */
#define IDS_MANY_(i)	BTF_ID(func, bench_k##i) BTF_ID(func, bench_t##i)	\
			BTF_ID(func, bench_k##i) BTF_ID(func, bench_k##i)
#define IDS_ALLOWED_(i)	BTF_ID(func, bench_k##i) BTF_ID(func, bench_k##i)
#define IDS_MANY(i)	IDS_MANY_(i)
#define IDS_ALLOWED(i)	IDS_ALLOWED_(i)
#define CTXS_MANY(i)	IN_MANY, IN_ALLOWED,
#define CTXS_ALLOWED(i)	IN_ALLOWED,

BTF_ID_LIST(bench_relocs_ids)
BTF_ID(func, bench_named)
BTF_ID(func, bench_target)
TIMES128(IDS_MANY)
TIMES124(IDS_ALLOWED)

static const u32 bench_relocs_ctxs[] = {
	IN_RELOC, TIMES128(CTXS_MANY) TIMES124(CTXS_ALLOWED)
};

static s32 bench_validate_reloc(const struct btf_type *t, const struct btf_member *member,
				struct bpf_prog *prog, u32 kfunc_id)
{
	u32 off = member ? __btf_member_bit_offset(t, member) / 8 : -1;
	u32 ctx = off == offsetof(struct bench_ops, reloc) ? IN_RELOC :
		  off == offsetof(struct bench_ops, many) ? IN_MANY :
		  off == offsetof(struct bench_ops, allowed) ? IN_ALLOWED : 0;

	return bpf_kfunc_reloc_table(bench_relocs, prog, kfunc_id, ctx);
}
#endif

static int bench_stub(u64 n)
{
	return 0;
}

static struct bench_ops bench_stubs = {
	.plain		= bench_stub,
	.reloc		= bench_stub,
	.percpu		= bench_stub,
	.arg		= bench_stub,
	.many		= bench_stub,
	.allowed	= bench_stub,
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

static struct bench_ops *bench_ops;

static int bench_reg(void *kdata, struct bpf_link *link)
{
	return cmpxchg(&bench_ops, NULL, kdata) ? -EBUSY : 0;
}

static void bench_unreg(void *kdata, struct bpf_link *link)
{
	WRITE_ONCE(bench_ops, NULL);
}

static const struct bpf_verifier_ops bench_verifier_ops = {
	.is_valid_access	= bpf_tracing_btf_ctx_access,
	.get_func_proto		= bpf_base_func_proto,
};

static struct bpf_struct_ops bpf_bench_ops = {
	.verifier_ops	= &bench_verifier_ops,
	.init		= bench_init,
	.init_member	= bench_init_member,
	.reg		= bench_reg,
	.unreg		= bench_unreg,
#ifdef HAVE_TABLE
	.kfunc_validate_reloc = bench_validate_reloc,
#endif
	.cfi_stubs	= &bench_stubs,
	.name		= "bench_ops",
	.owner		= THIS_MODULE,
};

static u64 bench_ticks;

static ssize_t bench_write(struct file *file, const char __user *ubuf, size_t count, loff_t *pos)
{
	struct bench_ops *ops = READ_ONCE(bench_ops);
	char buf[32] = {}, member[16];
	int (*func)(u64 n) = NULL;
	u64 n, start;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sscanf(buf, "%15s %llu", member, &n) != 2 || !ops)
		return -EINVAL;

	if (!strcmp(member, "plain"))
		func = ops->plain;
	else if (!strcmp(member, "reloc"))
		func = ops->reloc;
	else if (!strcmp(member, "percpu"))
		func = ops->percpu;
	else if (!strcmp(member, "arg"))
		func = ops->arg;
	if (!func)
		return -ENOENT;

	local_irq_disable();
	this_cpu_write(bench_where, current);
	start = rdtsc();
	func(n);
	bench_ticks = rdtsc() - start;
	this_cpu_write(bench_where, NULL);
	local_irq_enable();
	return count;
}

static int bench_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%llu\n", bench_ticks);
	return 0;
}

static int bench_open(struct inode *inode, struct file *file)
{
	return single_open(file, bench_show, NULL);
}

static const struct file_operations bench_fops = {
	.owner		= THIS_MODULE,
	.open		= bench_open,
	.read		= seq_read,
	.write		= bench_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static struct dentry *bench_file;

static int __init bench_kfr_init(void)
{
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &bench_kfunc_set);
	err = err ?: register_bpf_struct_ops(&bpf_bench_ops, bench_ops);
	if (err)
		return err;
	bench_file = debugfs_create_file("bench_kfr", 0600, NULL, NULL, &bench_fops);
	return PTR_ERR_OR_ZERO(bench_file);
}

static void __exit bench_kfr_exit(void)
{
	debugfs_remove(bench_file);
}

module_init(bench_kfr_init);
module_exit(bench_kfr_exit);
MODULE_DESCRIPTION("What a relocated kfunc call costs");
MODULE_LICENSE("GPL");
