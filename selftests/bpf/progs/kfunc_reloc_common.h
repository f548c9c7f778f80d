/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KFUNC_RELOC_COMMON_H
#define __KFUNC_RELOC_COMMON_H

#include "bpf_experimental.h"

/* Attaching the map ops_<prog> runs the program. */
#define OPS(type, member, prog)				\
	SEC(".struct_ops.link")				\
	struct type ops_##prog = {			\
		.member = (void *)prog,			\
	}

#define RELOC_OPS(member, prog)	OPS(bpf_testmod_reloc_ops, member, prog)
#define TABLE_OPS(member, prog)	OPS(bpf_testmod_table_ops, member, prog)

/* For callbacks that run later */
struct elem {
	struct bpf_timer timer;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

typedef int (elem_cb)(void *map, int *key, struct elem *elem);

static __always_inline int start_timer(elem_cb cb)
{
	struct elem *elem;
	int key = 0;

	elem = bpf_map_lookup_elem(&elems, &key);
	if (!elem)
		return 1;
	bpf_timer_init(&elem->timer, &elems, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&elem->timer, cb);
	bpf_timer_start(&elem->timer, 0, 0);
	return 0;
}

static __always_inline int start_wq(elem_cb cb)
{
	struct elem *elem;
	int key = 0;

	elem = bpf_map_lookup_elem(&elems, &key);
	if (!elem)
		return 1;
	bpf_wq_init(&elem->wq, &elems, 0);
	bpf_wq_set_callback_impl(&elem->wq, (void *)cb, 0, NULL);
	bpf_wq_start(&elem->wq, 0);
	return 0;
}

#endif /* __KFUNC_RELOC_COMMON_H */
