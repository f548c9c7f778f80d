// SPDX-License-Identifier: GPL-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct mem {
	__u64 a;
};

struct buf {
	__u64 a;
};

/* memory of that name and size, which is all that this program says */
struct task_struct {
	__u64 a;
};

__noinline int takes_nonnull(struct mem *m __arg_nonnull)
{
	barrier_var(m);
	return m->a;
}

__noinline int takes_mem(struct mem *m)
{
	barrier_var(m);
	return m ? takes_nonnull(m) : 0;
}

__noinline int takes_buf(struct buf *b)
{
	barrier_var(b);
	return b ? b->a : 0;
}

__noinline int takes_task(struct task_struct *p)
{
	barrier_var(p);
	return p ? p->a : 0;
}

__noinline int takes_trusted(struct task_struct *p __arg_trusted)
{
	barrier_var(p);
	return p ? 1 : 0;
}

__noinline int takes_task_or_null(struct task_struct *p __arg_trusted __arg_nullable)
{
	barrier_var(p);
	return p ? 1 : 0;
}

__noinline int takes_ctx(struct __sk_buff *skb)
{
	barrier_var(skb);
	return skb->len;
}

SEC("tc")
int target(struct __sk_buff *skb)
{
	struct task_struct task = {};
	struct mem mem = {};
	struct buf buf = {};

	return takes_mem(&mem) + takes_mem(NULL) + takes_task(&task) + takes_ctx(skb) +
	       takes_trusted(bpf_get_current_task_btf()) + takes_task_or_null(NULL) +
	       takes_buf(&buf);
}
