// SPDX-License-Identifier: GPL-2.0
#include <test_progs.h>
#include "kfunc_specialize.skel.h"

/* the calls of func, where the JIT has the address of a kfunc in the instruction */
static int count_calls(int prog_fd, const char *func)
{
	struct bpf_prog_info info = {};
	struct bpf_insn insns[64];
	__u32 i, len = sizeof(info);
	long base, addr;
	int cnt = 0;

	base = ksym_get_addr("__bpf_call_base");
	addr = ksym_get_addr(func);
	if (!ASSERT_NEQ(base, 0, "__bpf_call_base") || !ASSERT_NEQ(addr, 0, func))
		return -1;
	info.xlated_prog_insns = ptr_to_u64(insns);
	info.xlated_prog_len = sizeof(insns);
	if (!ASSERT_OK(bpf_prog_get_info_by_fd(prog_fd, &info, &len), "prog_info") ||
	    !ASSERT_LE(info.xlated_prog_len, sizeof(insns), "xlated_prog_len"))
		return -1;
	for (i = 0; i < info.xlated_prog_len / sizeof(*insns); i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL && base + insns[i].imm == addr)
			cnt++;
	return cnt;
}

static void check(const char *name, const char *func)
{
	struct kfunc_specialize *skel;
	struct bpf_program *prog;

	skel = kfunc_specialize__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	if (!ASSERT_OK(kfunc_specialize__load(skel), "load"))
		goto out;
#if defined(__x86_64__) || defined(__aarch64__)
	prog = bpf_object__find_program_by_name(skel->obj, name);
	ASSERT_EQ(count_calls(bpf_program__fd(prog), func), 2, func);
#endif
out:
	kfunc_specialize__destroy(skel);
}

void test_kfunc_specialize(void)
{
	if (!ASSERT_OK(load_kallsyms(), "load_kallsyms"))
		return;
	if (test__start_subtest("all_sleepable"))
		check("all_sleepable", "bpf_dynptr_from_file_sleepable");
	if (test__start_subtest("sleepable_first"))
		check("sleepable_first", "bpf_dynptr_from_file");
	if (test__start_subtest("atomic_first"))
		check("atomic_first", "bpf_dynptr_from_file");
}
