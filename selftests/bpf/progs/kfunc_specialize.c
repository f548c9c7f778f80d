// SPDX-License-Identifier: GPL-2.0
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

static __always_inline void file_dynptr(struct file *file, bool atomic)
{
	struct bpf_dynptr dynptr;

	if (atomic)
		bpf_rcu_read_lock();
	bpf_dynptr_from_file(file, 0, &dynptr);
	bpf_dynptr_file_discard(&dynptr);
	if (atomic)
		bpf_rcu_read_unlock();
}

static __always_inline int file_dynptrs(bool atomic1, bool atomic2)
{
	struct bpf_iter_task_vma it;
	struct vm_area_struct *vma;
	struct file *file;

	bpf_iter_task_vma_new(&it, bpf_get_current_task_btf(), 0);
	vma = bpf_iter_task_vma_next(&it);
	file = vma ? vma->vm_file : NULL;
	if (file) {
		file_dynptr(file, atomic1);
		file_dynptr(file, atomic2);
	}
	bpf_iter_task_vma_destroy(&it);
	return 0;
}

SEC("syscall")
int all_sleepable(void *ctx)
{
	return file_dynptrs(false, false);
}

SEC("syscall")
int sleepable_first(void *ctx)
{
	return file_dynptrs(false, true);
}

SEC("syscall")
int atomic_first(void *ctx)
{
	return file_dynptrs(true, false);
}
