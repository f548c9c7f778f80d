// SPDX-License-Identifier: GPL-2.0

#include <bpftool_helpers.h>
#include <test_progs.h>
#include "bpftool_kfuncs.skel.h"

static char plain[4096], json[4096];

/* Return the index of the one kfunc call of a program. */
static __u32 find_kfunc_call(int prog_fd)
{
	struct bpf_insn *insns;
	__u32 i, cnt;

	if (!ASSERT_OK(get_xlated_program(prog_fd, &insns, &cnt), "xlated"))
		return 0;
	for (i = 0; i < cnt; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL)
			break;
	}
	free(insns);
	return i;
}

static void check_call(__u32 map_id, const char *member, const struct bpf_program *prog,
		       const char *subprog, const char *func, __u32 line)
{
	int prog_fd = bpf_program__fd(prog);
	struct bpf_prog_info info = {};
	__u32 insn, len = sizeof(info);
	char buf[512];

	if (!ASSERT_OK(bpf_prog_get_info_by_fd(prog_fd, &info, &len), "prog info"))
		return;
	insn = find_kfunc_call(prog_fd);

	snprintf(buf, sizeof(buf),
		 "%u: kfuncs_ca.%s  prog_id %u  insn %u  subprog %s  func %s  ; return %s(sk); [file:",
		 map_id, member, info.id, insn, subprog, func, func);
	ASSERT_HAS_SUBSTR(plain, buf, "call");
	snprintf(buf, sizeof(buf), "progs/bpftool_kfuncs.c line_num:%u ", line);
	ASSERT_HAS_SUBSTR(plain, buf, "source line");

	snprintf(buf, sizeof(buf),
		 "{\"map_id\":%u,\"map_name\":\"kfuncs_ca\",\"member\":\"%s\",\"prog_id\":%u,\"insn\":%u,\"subprog\":\"%s\",\"func\":\"%s\",\"src\":\"return %s(sk);\",\"file\":\"",
		 map_id, member, info.id, insn, subprog, func, func);
	ASSERT_HAS_SUBSTR(json, buf, "json call");
	snprintf(buf, sizeof(buf), "progs/bpftool_kfuncs.c\",\"line_num\":%u,", line);
	ASSERT_HAS_SUBSTR(json, buf, "json source line");
}

void test_bpftool_kfuncs(void)
{
	__u32 len = sizeof(struct bpf_map_info);
	struct bpf_map_info map = {};
	char cmd[MAX_BPFTOOL_CMD_LEN];
	struct bpftool_kfuncs *skel;

	skel = bpftool_kfuncs__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;
	if (!ASSERT_OK(bpftool_kfuncs__attach(skel), "attach") ||
	    !ASSERT_OK(bpf_map_get_info_by_fd(bpf_map__fd(skel->maps.kfuncs_ca),
					      &map, &len), "map info"))
		goto out;

	snprintf(cmd, sizeof(cmd), "struct_ops kfuncs id %u", map.id);
	if (!ASSERT_OK(get_bpftool_command_output(cmd, plain, sizeof(plain) - 1), cmd))
		goto out;
	snprintf(cmd, sizeof(cmd), "-j struct_ops kfuncs id %u", map.id);
	if (!ASSERT_OK(get_bpftool_command_output(cmd, json, sizeof(json) - 1), cmd))
		goto out;

	check_call(map.id, "ssthresh", skel->progs.call_in_subprog, "ssthresh_sub",
		   "tcp_reno_ssthresh", skel->data->subprog_line);
	check_call(map.id, "undo_cwnd", skel->progs.call_in_main, "call_in_main",
		   "tcp_reno_undo_cwnd", skel->data->main_line);
	ASSERT_NULL(strstr(plain, "kfuncs_ca.cong_avoid"), "member without calls");
out:
	bpftool_kfuncs__destroy(skel);
}
