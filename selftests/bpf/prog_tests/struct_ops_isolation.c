// SPDX-License-Identifier: GPL-2.0
#include <test_progs.h>
#include <bpf/btf.h>
#include "struct_ops_isolation.skel.h"
#include "struct_ops_isolation_ext.skel.h"

/* Set test_1() of a struct_ops map to a program. */
static int set_test_1(struct bpf_map *map, int prog_fd)
{
	struct btf *vmlinux_btf = NULL, *btf = NULL;
	struct bpf_map_info info = {};
	const struct btf_type *t;
	__u32 len = sizeof(info);
	__u64 value[128] = {};
	int err, zero = 0;

	err = bpf_map_get_info_by_fd(bpf_map__fd(map), &info, &len);
	if (!ASSERT_OK(err, "map_info"))
		return err;
	vmlinux_btf = btf__load_vmlinux_btf();
	btf = btf__load_from_kernel_by_id_split(info.btf_vmlinux_id, vmlinux_btf);
	if (!ASSERT_OK_PTR(btf, "btf") ||
	    !ASSERT_LE(info.value_size, sizeof(value), "value_size")) {
		err = -ENOENT;
		goto out;
	}

	/* the struct_ops is the second member of the value, and starts with test_1() */
	t = btf__type_by_id(btf, info.btf_vmlinux_value_type_id);
	value[btf_member_bit_offset(t, 1) / 64] = prog_fd;
	err = bpf_map_update_elem(bpf_map__fd(map), &zero, value, 0);
out:
	btf__free(btf);
	btf__free(vmlinux_btf);
	return err;
}

/* A module that was unloaded and loaded again has the BTF IDs that it had, in another BTF
 * object: the IDs of two modules collide anyway.
 */
static void test_map_btf(void)
{
	struct struct_ops_isolation *skel;
	int fd;

	skel = struct_ops_isolation__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;
	fd = dup(bpf_program__fd(skel->progs.ops_test_1));
	struct_ops_isolation__destroy(skel);
	if (!ASSERT_GE(fd, 0, "dup"))
		return;

	if (!ASSERT_OK(unload_bpf_testmod(false), "unload_bpf_testmod") ||
	    !ASSERT_OK(load_bpf_testmod(false), "load_bpf_testmod"))
		goto out;

	skel = struct_ops_isolation__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		goto out;
	ASSERT_EQ(set_test_1(skel->maps.ops, fd), -EINVAL, "program of the former module");
	ASSERT_OK(set_test_1(skel->maps.ops, bpf_program__fd(skel->progs.ops_test_1)),
		  "program of the module");
	struct_ops_isolation__destroy(skel);
out:
	close(fd);
}

static void test_prog_array(void)
{
	struct struct_ops_isolation *skel;
	int jmp, fd, key = 0;

	skel = struct_ops_isolation__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;
	jmp = bpf_map__fd(skel->maps.jmp_table);

	fd = bpf_program__fd(skel->progs.ops_test_1);
	ASSERT_OK(bpf_map_update_elem(jmp, &key, &fd, 0), "owner");
	key = 1;
	fd = bpf_program__fd(skel->progs.ops_test_1_too);
	ASSERT_OK(bpf_map_update_elem(jmp, &key, &fd, 0), "same struct_ops");
	fd = bpf_program__fd(skel->progs.ops2_test_1);
	ASSERT_EQ(bpf_map_update_elem(jmp, &key, &fd, 0), -EINVAL, "other struct_ops");

	struct_ops_isolation__destroy(skel);
}

static void test_freplace(void)
{
	struct struct_ops_isolation_ext *ext = NULL;
	struct struct_ops_isolation *skel;
	struct bpf_program *prog;
	struct bpf_link *link;
	int err, fd;

	skel = struct_ops_isolation__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;
	ext = struct_ops_isolation_ext__open();
	if (!ASSERT_OK_PTR(ext, "ext_open"))
		goto out;
	prog = ext->progs.replacement;
	fd = bpf_program__fd(skel->progs.ops_test_1);
	err = bpf_program__set_attach_target(prog, fd, "replaced");
	err = err ?: struct_ops_isolation_ext__load(ext);
	if (!ASSERT_OK(err, "ext_load"))
		goto out;

	fd = bpf_program__fd(skel->progs.ops2_test_1);
	link = bpf_program__attach_freplace(prog, fd, "replaced");
	ASSERT_ERR_PTR(link, "other struct_ops");
	bpf_link__destroy(link);

	fd = bpf_program__fd(skel->progs.ops_test_1_too);
	link = bpf_program__attach_freplace(prog, fd, "replaced");
	ASSERT_OK_PTR(link, "same struct_ops");
	bpf_link__destroy(link);
out:
	struct_ops_isolation_ext__destroy(ext);
	struct_ops_isolation__destroy(skel);
}

/* An extension program must not take the index of the member for an attach type. */
static void test_freplace_index(void)
{
	struct struct_ops_isolation_ext *ext;
	struct struct_ops_isolation *skel;
	struct bpf_link *link;
	int i, err, fd;

	skel = struct_ops_isolation__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;
	const struct {
		const struct bpf_program *prog;
		enum bpf_attach_type type;
	} targets[] = {
		{ skel->progs.ops_raw_tp, BPF_TRACE_RAW_TP },
		{ skel->progs.ops_iter, BPF_TRACE_ITER },
	};

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		ASSERT_EQ(bpf_program__expected_attach_type(targets[i].prog), targets[i].type,
			  "index");
		ext = struct_ops_isolation_ext__open();
		if (!ASSERT_OK_PTR(ext, "ext_open"))
			break;
		fd = bpf_program__fd(targets[i].prog);
		err = bpf_program__set_attach_target(ext->progs.replacement, fd, "replaced");
		err = err ?: struct_ops_isolation_ext__load(ext);
		if (ASSERT_OK(err, "ext_load")) {
			link = bpf_program__attach_trace(ext->progs.replacement);
			ASSERT_OK_PTR(link, "attach");
			bpf_link__destroy(link);
		}
		struct_ops_isolation_ext__destroy(ext);
	}
	struct_ops_isolation__destroy(skel);
}

void serial_test_struct_ops_isolation(void)
{
	if (!env.has_testmod) {
		test__skip();
		return;
	}

	if (test__start_subtest("map_btf"))
		test_map_btf();
	if (test__start_subtest("prog_array"))
		test_prog_array();
	if (test__start_subtest("freplace"))
		test_freplace();
	if (test__start_subtest("freplace_index"))
		test_freplace_index();
}
