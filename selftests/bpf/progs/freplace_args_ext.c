// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct mem {
	__u64 a;
};

/* larger than that of the target */
struct buf {
	__u64 a[64];
};

SEC("?freplace/takes_mem")
int mem_same(struct mem *m)
{
	return m ? m->a : 1;
}

SEC("?freplace/takes_nonnull")
int mem_or_null(struct mem *m)
{
	return m ? m->a : 1;
}

SEC("?freplace/takes_mem")
int mem_nonnull(struct mem *m __arg_nonnull)
{
	return m->a;
}

SEC("?freplace/takes_buf")
int buf_larger(struct buf *b)
{
	return b ? b->a[63] : 0;
}

SEC("?freplace/takes_task")
int task_trusted(struct task_struct *p __arg_trusted)
{
	return p->pid;
}

SEC("?freplace/takes_trusted")
int task_or_null(struct task_struct *p __arg_trusted __arg_nullable)
{
	return p ? p->pid : 0;
}

SEC("?freplace/takes_task_or_null")
int task_not_null(struct task_struct *p __arg_trusted)
{
	return p->pid;
}

SEC("?freplace/takes_ctx")
int ctx_tag(struct __sk_buff *skb __arg_ctx)
{
	return skb->len;
}
