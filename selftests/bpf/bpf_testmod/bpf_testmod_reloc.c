// SPDX-License-Identifier: GPL-2.0
/* Polymorphic kfuncs: bpf_testmod_reloc_ops relocates calls as it is told to.
 *
 * What a kfunc means in a member is a table that user space writes into
 * /sys/kernel/bpf_testmod_reloc. What the callback was asked since then can be
 * read from there. See prog_tests/kfunc_reloc.c.
 *
 * Included by bpf_testmod.c: the module is built from one object.
 */
#define RELOC_MAX_RULES	64
#define RELOC_MAX_ASKED	256
#define RELOC_ARG	7

static DEFINE_MUTEX(reloc_mutex);
static struct bpf_testmod_reloc_rule reloc_rules[RELOC_MAX_RULES];
static struct bpf_testmod_reloc_rule reloc_asked[RELOC_MAX_ASKED];
static u32 reloc_nr_rules, reloc_nr_asked;

__bpf_kfunc_start_defs();

/* The kfuncs that programs name. */

__bpf_kfunc int bpf_kfunc_reloc_test(int a)
{
	return a + 1000;
}

__bpf_kfunc int bpf_kfunc_reloc_inside(int a)
{
	return a + 2000;
}

__bpf_kfunc int bpf_kfunc_reloc_sleepable(int a)
{
	might_sleep();
	return a + 3000;
}

/* What they can become. These are in no kfunc set. */

__bpf_kfunc int bpf_kfunc_reloc_test_a(int a)
{
	return a + 10;
}

__bpf_kfunc int bpf_kfunc_reloc_test_b(int a)
{
	return a + 20;
}

__bpf_kfunc int bpf_kfunc_reloc_test_outside(int a)
{
	return a + 30;
}

/* The verifier would have to know the value of a parameter named so. */
__bpf_kfunc int bpf_kfunc_reloc_test_const(int a__k)
{
	return a__k + 40;
}

/* In the place of vmlinux' bpf_task_from_pid(), for bpf_task_release() to undo */
__bpf_kfunc struct task_struct *bpf_kfunc_reloc_task_from_pid(s32 pid)
{
	return refcount_inc_not_zero(&current->rcu_users) ? current : NULL;
}

/* vmlinux has a static function of the same name. */
__bpf_kfunc int bpf_dummy_ops__test_1(int a)
{
	return a + 50;
}

/* This one is gone when the module is loaded. */
__bpf_kfunc __init int bpf_kfunc_reloc_test_init(int a)
{
	return a + 60;
}

__bpf_kfunc_end_defs();

static s32 bpf_testmod_reloc(const struct btf_type *t,
			     const struct btf_member *member,
			     struct bpf_prog *prog, u32 kfunc_id)
{
	struct bpf_testmod_reloc_rule rule = {
		.kfunc = kfunc_id,
		.member = member ? member - btf_type_member(t) : -1,
	};
	u32 i;

	mutex_lock(&reloc_mutex);
	for (i = 0; i < reloc_nr_rules; i++) {
		if (reloc_rules[i].kfunc == rule.kfunc &&
		    reloc_rules[i].member == rule.member)
			rule.answer = reloc_rules[i].answer;
	}
	if (reloc_nr_asked < RELOC_MAX_ASKED)
		reloc_asked[reloc_nr_asked++] = rule;
	mutex_unlock(&reloc_mutex);
	return rule.answer;
}

static ssize_t bpf_testmod_reloc_read(struct file *file, struct kobject *kobj,
				      struct bin_attribute *bin_attr,
				      char *buf, loff_t off, size_t len)
{
	ssize_t ret;

	mutex_lock(&reloc_mutex);
	ret = memory_read_from_buffer(buf, len, &off, reloc_asked,
				      reloc_nr_asked * sizeof(*reloc_asked));
	mutex_unlock(&reloc_mutex);
	return ret;
}

static ssize_t bpf_testmod_reloc_write(struct file *file, struct kobject *kobj,
				       struct bin_attribute *bin_attr,
				       char *buf, loff_t off, size_t len)
{
	if (off || len > sizeof(reloc_rules) || len % sizeof(*reloc_rules))
		return -EINVAL;

	mutex_lock(&reloc_mutex);
	memcpy(reloc_rules, buf, len);
	reloc_nr_rules = len / sizeof(*reloc_rules);
	reloc_nr_asked = 0;
	mutex_unlock(&reloc_mutex);
	return len;
}

static struct bin_attribute bin_attr_bpf_testmod_reloc_file __ro_after_init = {
	.attr = { .name = "bpf_testmod_reloc", .mode = 0600, },
	.read = bpf_testmod_reloc_read,
	.write = bpf_testmod_reloc_write,
};

static const struct bpf_verifier_ops reloc_verifier_ops = {
	.is_valid_access = bpf_testmod_ops_is_valid_access,
	.get_func_proto = bpf_base_func_proto,
};

/* Attaching runs the members that are there. */
static int reloc_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_testmod_reloc_ops *ops = kdata;

	if (ops->test_a)
		ops->test_a(RELOC_ARG);
	if (ops->test_b)
		ops->test_b(RELOC_ARG);
	if (ops->test_async)
		ops->test_async(RELOC_ARG);
	if (ops->test_plain)
		ops->test_plain(RELOC_ARG);
	if (ops->test_vmlinux)
		ops->test_vmlinux(RELOC_ARG);
	if (ops->test_deny)
		ops->test_deny(RELOC_ARG);
	if (ops->test_sleepable)
		ops->test_sleepable(RELOC_ARG);
	return 0;
}

static int reloc_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return reloc_reg(kdata, link);
}

static int noreloc_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_testmod_noreloc_ops *ops = kdata;

	ops->test_a(RELOC_ARG);
	return 0;
}

static int noreloc_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return noreloc_reg(kdata, link);
}

static int reloc_stub(int arg)
{
	return 0;
}

static struct bpf_testmod_reloc_ops reloc_cfi_stubs = {
	.test_a = reloc_stub,
	.test_b = reloc_stub,
	.test_async = reloc_stub,
	.test_plain = reloc_stub,
	.test_vmlinux = reloc_stub,
	.test_deny = reloc_stub,
	.test_sleepable = reloc_stub,
};

static struct bpf_struct_ops testmod_reloc_ops = {
	.verifier_ops = &reloc_verifier_ops,
	.init = bpf_testmod_ops_init,
	.init_member = st_ops_init_member,
	.kfunc_validate_reloc = bpf_testmod_reloc,
	.reg = reloc_reg,
	.unreg = bpf_dummy_unreg,
	.update = reloc_update,
	.cfi_stubs = &reloc_cfi_stubs,
	.name = "bpf_testmod_reloc_ops",
	.owner = THIS_MODULE,
};

static struct bpf_testmod_noreloc_ops noreloc_cfi_stubs = {
	.test_a = reloc_stub,
};

static struct bpf_struct_ops testmod_noreloc_ops = {
	.verifier_ops = &reloc_verifier_ops,
	.init = bpf_testmod_ops_init,
	.init_member = st_ops_init_member,
	.reg = noreloc_reg,
	.unreg = bpf_dummy_unreg,
	.update = noreloc_update,
	.cfi_stubs = &noreloc_cfi_stubs,
	.name = "bpf_testmod_noreloc_ops",
	.owner = THIS_MODULE,
};

static int register_bpf_testmod_reloc(void)
{
	int ret;

	ret = register_bpf_struct_ops(&testmod_reloc_ops, bpf_testmod_reloc_ops);
	ret = ret ?: register_bpf_struct_ops(&testmod_noreloc_ops,
					     bpf_testmod_noreloc_ops);
	return ret ?: sysfs_create_bin_file(kernel_kobj,
					    &bin_attr_bpf_testmod_reloc_file);
}

static void unregister_bpf_testmod_reloc(void)
{
	sysfs_remove_bin_file(kernel_kobj, &bin_attr_bpf_testmod_reloc_file);
}
