/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KFUNC_RELOC_HELPERS_H
#define __KFUNC_RELOC_HELPERS_H

#include <test_progs.h>
#include <bpf/btf.h>
#include <linux/filter.h>
#include "testing_helpers.h"
#include "trace_helpers.h"

#define CALL_KFUNC(slot, id)	\
	BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, slot, id)

/* Reads back which kernel functions a loaded program calls. */
struct kfunc_calls {
	struct ksyms *ksyms;		/* by address */
	unsigned long long call_base;
	bool far;			/* the JIT has far kfunc calls */
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

/* A call of a translated program has the BTF ID of the kfunc where the JIT has far
 * kfunc calls, elsewhere how far away it is. Nothing says which, apart from a call.
 */
static int kfunc_calls_probe_far(struct kfunc_calls *kc)
{
	s32 lock = btf__find_by_name_kind(kc->btf, "bpf_rcu_read_lock", BTF_KIND_FUNC);
	s32 unlock = btf__find_by_name_kind(kc->btf, "bpf_rcu_read_unlock", BTF_KIND_FUNC);
	struct bpf_insn insns[] = {
		CALL_KFUNC(0, lock),
		CALL_KFUNC(0, unlock),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	}, *xlated;
	int fd, err;
	u32 cnt;

	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "kfunc_calls", "GPL", insns,
			   ARRAY_SIZE(insns), NULL);
	if (!ASSERT_GE(fd, 0, "load_probe"))
		return -1;
	err = get_xlated_program(fd, &xlated, &cnt);
	close(fd);
	if (!ASSERT_OK(err, "get_xlated_probe"))
		return -1;
	kc->far = xlated[0].imm == lock;
	free(xlated);
	return 0;
}

/* The symbols are those of the modules that are loaded now. @wanted says which
 * functions to tell of.
 */
static int __maybe_unused
kfunc_calls_open(struct kfunc_calls *kc, struct btf *btf, bool (*wanted)(const char *name))
{
	kc->btf = btf;
	kc->wanted = wanted;
	kc->ksyms = load_kallsyms_custom_local(kfunc_calls_cmp_addr);
	if (!ASSERT_OK_PTR(kc->ksyms, "load_kallsyms"))
		return -1;
	if (ASSERT_OK(kallsyms_find("__bpf_call_base", &kc->call_base), "__bpf_call_base") &&
	    !kfunc_calls_probe_far(kc))
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
	const struct btf_type *t;
	struct bpf_insn *insns;
	u32 cnt, i;

	calls[0] = '\0';
	if (!ASSERT_OK(get_xlated_program(prog_fd, &insns, &cnt), "get_xlated_program"))
		return -1;
	for (i = 0; i < cnt; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) ||
		    insns[i].src_reg != BPF_PSEUDO_KFUNC_CALL)
			continue;
		if (!kc->far) {
			kfunc_calls_add_addr(kc, calls, size, kc->call_base + insns[i].imm);
			continue;
		}
		t = btf__type_by_id(kc->btf, insns[i].imm);
		kfunc_calls_add(kc, calls, size,
				t ? btf__name_by_offset(kc->btf, t->name_off) : NULL);
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

static void __maybe_unused
kfunc_calls_check(const struct kfunc_calls *kc, int prog_fd, const char *expected)
{
	char calls[512];

	if (!kfunc_calls_xlated(kc, prog_fd, calls, sizeof(calls)))
		ASSERT_STREQ(calls, expected, "xlated_calls");
#if defined(__x86_64__)
	if (!kfunc_calls_jited(kc, prog_fd, calls, sizeof(calls)))
		ASSERT_STREQ(calls, expected, "jited_calls");
#endif
}

static int __maybe_unused find_prog_fd(struct bpf_object *obj, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, name));
}

/* Attach ops_<prog>, which runs it, and wait for the result. */
static void __maybe_unused
kfunc_calls_check_result(struct bpf_object *obj, const char *prog, int *result, int expected)
{
	struct bpf_link *link;
	struct bpf_map *map;
	char name[64];
	int i;

	snprintf(name, sizeof(name), "ops_%s", prog);
	map = bpf_object__find_map_by_name(obj, name);
	if (!ASSERT_OK_PTR(map, name))
		return;
	*result = 0;
	link = bpf_map__attach_struct_ops(map);
	if (!ASSERT_OK_PTR(link, "attach_struct_ops"))
		return;
	/* asynchronous callbacks may take a while */
	for (i = 0; i < 500 && READ_ONCE(*result) != expected; i++)
		usleep(10000);
	ASSERT_EQ(*result, expected, "result");
	bpf_link__destroy(link);
}

/* Have one program loaded, and no other, nor a struct_ops map that would have it so */
static void __maybe_unused load_only(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	char map_name[64];

	snprintf(map_name, sizeof(map_name), "ops_%s", name);
	bpf_object__for_each_map(map, obj) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map), map_name));
	}
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
}

static int __maybe_unused module_btf_fd(const char *module)
{
	struct bpf_btf_info info;
	u32 len, id = 0;
	char name[64];
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		len = sizeof(info);
		memset(&info, 0, len);
		info.name = ptr_to_u64(name);
		info.name_len = sizeof(name);
		if (!bpf_btf_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
		    !strcmp(name, module))
			return fd;
		close(fd);
	}
	return -1;
}

/* -1: it is not loaded */
static int __maybe_unused module_refcnt(const char *module)
{
	char path[128];
	int cnt = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	f = fopen(path, "r");
	if (f) {
		if (fscanf(f, "%d", &cnt) != 1)
			cnt = -1;
		fclose(f);
	}
	return cnt;
}

/* Programs and maps that are gone hold it until they are freed. */
static int __maybe_unused module_refcnt_down_to(const char *module, int refcnt)
{
	int i;

	for (i = 0; i < 1000 && module_refcnt(module) > refcnt; i++)
		usleep(10000);
	return module_refcnt(module);
}

static int __maybe_unused load_module_params(const char *file, const char *params)
{
	int fd, err;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (!ASSERT_GE(fd, 0, "open_module"))
		return -ENOENT;
	err = finit_module(fd, params, 0) ? -errno : 0;
	close(fd);
	return err;
}

static void __maybe_unused unload_idle_module(const char *module)
{
	module_refcnt_down_to(module, 0);
	ASSERT_OK(unload_module(module, env_verbosity > VERBOSE_NONE), "unload_module");
}

#endif /* __KFUNC_RELOC_HELPERS_H */
