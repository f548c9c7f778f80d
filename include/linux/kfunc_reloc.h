/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KFUNC_RELOC_H
#define _LINUX_KFUNC_RELOC_H

#include <linux/bits.h>
#include <linux/btf_ids.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct bpf_prog;

/* The last bit of a row's contexts: it is a K row */
#define BPF_KFUNC_BIND	BIT(31)

/**
 * BPF_KFUNC_RELOCS - define a table of what kfunc calls mean in which context
 * @name: name of the table
 * @rows: macro with the rows, which takes the names of two macros
 *
 * A context is a bit, not the last of the 32, and a place that a call is made
 * from has one: each member of a struct_ops, and asynchronous callbacks. With
 *
 *	#define FOO_KFUNCS(A, K)					\
 *		A(foo_close,	FOO_IN_DATA | FOO_IN_ASYNC)		\
 *		K(foo_send,	FOO_IN_OPEN,	foo_send_first)		\
 *		K(foo_send,	FOO_IN_DATA,	foo_send_next)
 *	BPF_KFUNC_RELOCS(foo_kfuncs, FOO_KFUNCS)
 *
 * foo_close() may be called in two contexts (A), and a call of foo_send() is one
 * of another function in each of two (K). A kfunc has one row for a context at
 * most, and is refused where it has none. A kfunc without any row is left alone.
 *
 * The compiler refuses a K row if the types of the two functions differ or one is
 * not declared.
 */
#define BPF_KFUNC_RELOCS(name, rows)					\
	BTF_ID_LIST(name##_ids)						\
	rows(__BPF_KFUNC_ALLOW_IDS, __BPF_KFUNC_BIND_IDS)		\
	static const u32 name##_ctxs[] = {				\
		rows(__BPF_KFUNC_ALLOW_CTX, __BPF_KFUNC_BIND_CTX)	\
	};

#define __BPF_KFUNC_ALLOW_IDS(kfunc, ctx)				\
	BTF_ID(func, kfunc)						\
	BTF_ID_UNUSED
#define __BPF_KFUNC_BIND_IDS(kfunc, ctx, target)			\
	BTF_ID(func, kfunc)						\
	BTF_ID(func, target)
#define __BPF_KFUNC_ALLOW_CTX(kfunc, ctx)	(ctx),
#define __BPF_KFUNC_BIND_CTX(kfunc, ctx, target)			\
	((ctx) | BPF_KFUNC_BIND) + BUILD_BUG_ON_ZERO(!__same_type(kfunc, target)),

s32 bpf_kfunc_reloc_find(const u32 *ids, const u32 *ctxs, u32 cnt,
			 const struct bpf_prog *prog, u32 kfunc_id, u32 ctx);

/* Return the answer of table @name for bpf_struct_ops.kfunc_validate_reloc() */
#define bpf_kfunc_reloc_table(name, prog, kfunc_id, ctx)		\
	bpf_kfunc_reloc_find(name##_ids, name##_ctxs, ARRAY_SIZE(name##_ctxs), \
			     prog, kfunc_id, ctx)

#endif /* _LINUX_KFUNC_RELOC_H */
