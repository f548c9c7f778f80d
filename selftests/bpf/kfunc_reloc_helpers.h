/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KFUNC_RELOC_HELPERS_H
#define __KFUNC_RELOC_HELPERS_H

#include <test_progs.h>
#include <bpf/btf.h>
#include <linux/filter.h>
#include "testing_helpers.h"
#include "trace_helpers.h"

/* Reads back which kernel functions a loaded program calls. */
struct kfunc_calls {
	struct ksyms *ksyms;		/* by address */
	unsigned long long call_base;
	struct btf *btf;		/* the program's struct_ops' */
	bool (*wanted)(const char *name);
};

static int kfunc_calls_cmp_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int kfunc_calls_cmp_key(const void *key, const struct ksym *sym)
{
	long addr = *(long *)key;

	return addr < sym->addr ? -1 : addr > sym->addr;
}

static void kfunc_calls_close(struct kfunc_calls *kc)
{
	free_kallsyms_local(kc->ksyms);
	kc->ksyms = NULL;
}

/* The symbols are those of the modules that are loaded now. @wanted says which
 * functions to tell of.
 */
static int kfunc_calls_open(struct kfunc_calls *kc, struct btf *btf,
			    bool (*wanted)(const char *name))
{
	kc->btf = btf;
	kc->wanted = wanted;
	kc->ksyms = load_kallsyms_custom_local(kfunc_calls_cmp_addr);
	if (!ASSERT_OK_PTR(kc->ksyms, "load_kallsyms"))
		return -1;
	if (ASSERT_OK(kallsyms_find("__bpf_call_base", &kc->call_base), "__bpf_call_base"))
		return 0;
	kfunc_calls_close(kc);
	return -1;
}

static void kfunc_calls_add(const struct kfunc_calls *kc, char *calls, size_t size,
			    const char *name)
{
	size_t len = strlen(calls);

	if (name && kc->wanted(name))
		snprintf(calls + len, size - len, "%s ", name);
}

static void __maybe_unused
kfunc_calls_add_addr(const struct kfunc_calls *kc, char *calls, size_t size, long addr)
{
	struct ksym *sym;

	sym = search_kallsyms_custom_local(kc->ksyms, &addr, kfunc_calls_cmp_key);
	kfunc_calls_add(kc, calls, size, sym ? sym->name : NULL);
}

/* The names of the kernel functions that a translated program calls, each followed
 * by a space, in the order of the instructions
 */
static int kfunc_calls_xlated(const struct kfunc_calls *kc, int prog_fd,
			      char *calls, size_t size)
{
	struct bpf_insn *insns;
	u32 cnt, i;

	calls[0] = '\0';
	if (!ASSERT_OK(get_xlated_program(prog_fd, &insns, &cnt), "get_xlated_program"))
		return -1;
	for (i = 0; i < cnt; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) ||
		    insns[i].src_reg != BPF_PSEUDO_KFUNC_CALL)
			continue;
#if defined(__x86_64__)
		kfunc_calls_add_addr(kc, calls, size, kc->call_base + insns[i].imm);
#else
		/* a JIT with far kfunc calls finds the function by its BTF ID */
		const struct btf_type *t = btf__type_by_id(kc->btf, insns[i].imm);

		kfunc_calls_add(kc, calls, size,
				t ? btf__name_by_offset(kc->btf, t->name_off) : NULL);
#endif
	}
	free(insns);
	return 0;
}

#if defined(__x86_64__)
/* The same of a JITed program: any five bytes that would be a call of the very
 * start of a wanted function are one.
 */
static int kfunc_calls_jited(const struct kfunc_calls *kc, int prog_fd,
			     char *calls, size_t size)
{
	struct bpf_prog_info info = {};
	u32 i, j, off, nr, len = sizeof(info);
	static u8 code[16384];
	u32 func_lens[64];
	u64 ksym_addrs[64];
	s32 rel;

	calls[0] = '\0';
	info.jited_prog_insns = ptr_to_u64(code);
	info.jited_prog_len = sizeof(code);
	info.jited_ksyms = ptr_to_u64(ksym_addrs);
	info.nr_jited_ksyms = ARRAY_SIZE(ksym_addrs);
	info.jited_func_lens = ptr_to_u64(func_lens);
	info.nr_jited_func_lens = ARRAY_SIZE(func_lens);
	if (!ASSERT_OK(bpf_prog_get_info_by_fd(prog_fd, &info, &len), "prog_info") ||
	    !ASSERT_LE(info.jited_prog_len, sizeof(code), "jited_prog_len") ||
	    !ASSERT_LE(info.nr_jited_func_lens, ARRAY_SIZE(func_lens), "nr_jited_func_lens"))
		return -1;

	nr = info.nr_jited_func_lens;
	for (i = 0, off = 0; i < nr; off += func_lens[i++]) {
		for (j = 0; j + 5 <= func_lens[i]; j++) {
			if (code[off + j] != 0xe8)
				continue;
			memcpy(&rel, &code[off + j + 1], sizeof(rel));
			kfunc_calls_add_addr(kc, calls, size, ksym_addrs[i] + j + 5 + rel);
		}
	}
	return 0;
}
#endif

static void kfunc_calls_check(const struct kfunc_calls *kc, int prog_fd, const char *expected)
{
	char calls[512];

	if (!kfunc_calls_xlated(kc, prog_fd, calls, sizeof(calls)))
		ASSERT_STREQ(calls, expected, "xlated_calls");
#if defined(__x86_64__)
	if (!kfunc_calls_jited(kc, prog_fd, calls, sizeof(calls)))
		ASSERT_STREQ(calls, expected, "jited_calls");
#endif
}

#endif /* __KFUNC_RELOC_HELPERS_H */
