/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_KFUNC_RELOC_H
#define _LINUX_KFUNC_RELOC_H

#include <linux/btf_ids.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/kconfig.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct bpf_prog;
struct btf_member;
struct btf_type;

/*
 * A table of what kfunc calls mean in the programs of a struct_ops, resolved
 * when the kernel is built, for bpf_struct_ops.kfunc_relocs:
 *
 *	BTF_KFUNC_RELOC_TABLE(foo_relocs, struct foo_ops)
 *	{
 *		BTF_KFUNC_RELOC_START(foo_relocs);
 *
 *		BTF_KFUNC_OWN(foo_send);
 *		BTF_KFUNC_RELOC(foo_send, open, foo_send_first);
 *		BTF_KFUNC_RELOC(foo_send, data, foo_send_next);
 *
 *		BTF_KFUNC_OWN(foo_close);
 *		BTF_KFUNC_ALLOW(foo_close, data);
 *		BTF_KFUNC_ALLOW_OUTSIDE(foo_close);
 *
 *		BTF_KFUNC_SHARED(bpf_task_acquire);
 *		BTF_KFUNC_DENY(bpf_task_acquire, open);
 *
 *		BTF_KFUNC_RELOC_END(foo_relocs);
 *	}
 *
 * A kfunc is named once. One that is the struct_ops' OWN is of the same vmlinux
 * or module. It is denied where no row allows it, and to the programs of every
 * other struct_ops. A SHARED one stays as it is where there is no row, and for
 * everybody else. A kfunc that the table does not name is left alone.
 *
 * A row is for a member, or, if it is _OUTSIDE, for the call sites that can run
 * outside any member's invocation: in asynchronous callbacks. A program that
 * replaces a function of a struct_ops program can run anywhere, and may make a
 * call only if it means the same everywhere.
 *
 * The compiler refuses a row whose member, kfunc or function does not exist, and
 * one whose function has another prototype than the kfunc. All of them have to
 * be declared where the table is.
 */

/* Where a row is for: the offset of a member in the struct, or one of these */
enum btf_kfunc_reloc_where {
	BTF_KFUNC_AT_DECL	= -2,
	BTF_KFUNC_AT_OUTSIDE	= -1,
};

enum btf_kfunc_reloc_kind {
	BTF_KFUNC_KIND_OWN,
	BTF_KFUNC_KIND_SHARED,
	BTF_KFUNC_KIND_RELOC,
	BTF_KFUNC_KIND_ALLOW,
	BTF_KFUNC_KIND_DENY,
};

/* The BTF IDs of a row, in .BTF_ids. Nothing else can be there: all of it is swapped
 * when the kernel is built on a machine of the other byte order.
 */
struct btf_kfunc_reloc_ids {
	u32 kfunc_id;
	u32 target_id;	/* BTF_KFUNC_KIND_RELOC only */
};

/* The rest of a row, in .rodata */
struct btf_kfunc_reloc_row {
	s32 where;
	u32 kind;
	s32 target_off;	/* BTF_KFUNC_KIND_RELOC only: from here to the function */
};

struct btf_kfunc_reloc_table {
	const struct btf_kfunc_reloc_ids *ids;	/* in the order of the rows */
	const struct btf_kfunc_reloc_row *start;
	const struct btf_kfunc_reloc_row *end;
};

s32 bpf_kfunc_reloc_table(const struct btf_type *t,
			  const struct btf_member *member,
			  struct bpf_prog *prog, u32 kfunc_id);

/* The rows are statements of a function that is never called: there, offsetof()
 * can go into an asm statement, and the compiler points at a bad row.
 */
#define BTF_KFUNC_RELOC_TABLE(name, ops)				\
	extern const struct btf_kfunc_reloc_ids name##_ids[];		\
	extern const struct btf_kfunc_reloc_row name##_start[];		\
	extern const struct btf_kfunc_reloc_row name##_end[];		\
	static const struct btf_kfunc_reloc_table name = {		\
		.ids = IS_ENABLED(CONFIG_DEBUG_INFO_BTF) ? name##_ids : NULL, \
		.start = IS_ENABLED(CONFIG_DEBUG_INFO_BTF) ? name##_start : NULL, \
		.end = IS_ENABLED(CONFIG_DEBUG_INFO_BTF) ? name##_end : NULL, \
	};								\
	static noinline void __init __used __noclone name##_rows(typeof(ops) *__ops)

#define __BTF_KFUNC_RELOC_ROWS		".rodata.kfunc_relocs"

#define BTF_KFUNC_RELOC_START(name)					\
	do {								\
		__BTF_KFUNC_RELOC_LABEL(".BTF_ids", name##_ids);	\
		__BTF_KFUNC_RELOC_LABEL(__BTF_KFUNC_RELOC_ROWS, name##_start);	\
	} while (0)
#define BTF_KFUNC_RELOC_END(name)					\
	__BTF_KFUNC_RELOC_LABEL(__BTF_KFUNC_RELOC_ROWS, name##_end)

#define __BTF_KFUNC_RELOC_LABEL(section, label)				\
	do {								\
		if (IS_ENABLED(CONFIG_DEBUG_INFO_BTF))			\
			asm volatile(".pushsection " section ", \"a\"\n" \
				     ".balign 4\n"			\
				     ".local " #label "\n"		\
				     #label ":\n"			\
				     ".popsection\n");			\
	} while (0)

/* A row without its BTF IDs. @off: an expression for the assembler. %n negates; %c would
 * do without, but on s390 gcc takes it for "as a signed byte".
 */
#define __BTF_KFUNC_RELOC_REST(where, kind, off)			\
	do {								\
		if (IS_ENABLED(CONFIG_DEBUG_INFO_BTF))			\
			asm volatile(".pushsection " __BTF_KFUNC_RELOC_ROWS ", \"a\"\n" \
				     ".long -(%n0)\n"			\
				     ".long -(%n1)\n"			\
				     ".long " off "\n"			\
				     ".popsection\n"			\
				     : : "i" (where), "i" (kind));	\
	} while (0)

#define __BTF_KFUNC_RELOC_ROW(kfunc, where, kind)			\
	do {								\
		static_assert(sizeof(typeof(kfunc) *));			\
		BTF_ID(func, kfunc)					\
		BTF_ID_UNUSED						\
		__BTF_KFUNC_RELOC_REST(where, kind, "0");		\
	} while (0)

/* A function that is declared, but is not there, does not link. Its name stands in the
 * statement, as in BTF_ID(): an address is no "i" operand where the kernel is -fPIC.
 */
#define __BTF_KFUNC_RELOC_ROW_TO(kfunc, where, target)			\
	do {								\
		static_assert(__same_type(kfunc, target),		\
			      #target "() has not the prototype of " #kfunc "()"); \
		BTF_ID(func, kfunc)					\
		BTF_ID(func, target)					\
		__BTF_KFUNC_RELOC_REST(where, BTF_KFUNC_KIND_RELOC,	\
				       #target " - .");			\
	} while (0)

#define __BTF_KFUNC_AT(member)		offsetof(typeof(*__ops), member)

/* Name a kfunc */
#define BTF_KFUNC_OWN(kfunc) \
	__BTF_KFUNC_RELOC_ROW(kfunc, BTF_KFUNC_AT_DECL, BTF_KFUNC_KIND_OWN)
#define BTF_KFUNC_SHARED(kfunc) \
	__BTF_KFUNC_RELOC_ROW(kfunc, BTF_KFUNC_AT_DECL, BTF_KFUNC_KIND_SHARED)

/* A call of @kfunc is one of @target */
#define BTF_KFUNC_RELOC(kfunc, member, target) \
	__BTF_KFUNC_RELOC_ROW_TO(kfunc, __BTF_KFUNC_AT(member), target)
#define BTF_KFUNC_RELOC_OUTSIDE(kfunc, target) \
	__BTF_KFUNC_RELOC_ROW_TO(kfunc, BTF_KFUNC_AT_OUTSIDE, target)

/* A call of @kfunc is just that */
#define BTF_KFUNC_ALLOW(kfunc, member) \
	__BTF_KFUNC_RELOC_ROW(kfunc, __BTF_KFUNC_AT(member), BTF_KFUNC_KIND_ALLOW)
#define BTF_KFUNC_ALLOW_OUTSIDE(kfunc) \
	__BTF_KFUNC_RELOC_ROW(kfunc, BTF_KFUNC_AT_OUTSIDE, BTF_KFUNC_KIND_ALLOW)

/* A program with a call of @kfunc is not loaded */
#define BTF_KFUNC_DENY(kfunc, member) \
	__BTF_KFUNC_RELOC_ROW(kfunc, __BTF_KFUNC_AT(member), BTF_KFUNC_KIND_DENY)
#define BTF_KFUNC_DENY_OUTSIDE(kfunc) \
	__BTF_KFUNC_RELOC_ROW(kfunc, BTF_KFUNC_AT_OUTSIDE, BTF_KFUNC_KIND_DENY)

#endif /* _LINUX_KFUNC_RELOC_H */
