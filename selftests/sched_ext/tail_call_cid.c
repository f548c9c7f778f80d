// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>
#include <scx/common.h>
#include "tail_call_cid.bpf.skel.h"
#include "scx_test.h"

static int load(bool cid, bool cpu)
{
	struct tail_call_cid *skel;
	int err;

	skel = tail_call_cid__open();
	if (!skel)
		return -ENOENT;
	bpf_map__set_autocreate(skel->maps.cid_ops, cid);
	bpf_program__set_autoload(skel->progs.tail_call_cid_enqueue, cid);
	bpf_map__set_autocreate(skel->maps.cpu_ops, cpu);
	bpf_program__set_autoload(skel->progs.tail_call_cpu_enqueue, cpu);
	err = tail_call_cid__load(skel);
	tail_call_cid__destroy(skel);
	return err;
}

static enum scx_test_status run(void *ctx)
{
	SCX_EQ(load(true, false), 0);
	SCX_EQ(load(false, true), 0);
	SCX_EQ(load(true, true), -EINVAL);

	return SCX_TEST_PASS;
}

struct scx_test tail_call_cid = {
	.name = "tail_call_cid",
	.description = "Verify that a cid-form program cannot tail call a cpu-form one",
	.run = run,
};

REGISTER_SCX_TEST(&tail_call_cid)
