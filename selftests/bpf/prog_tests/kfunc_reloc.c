// SPDX-License-Identifier: GPL-2.0
#include <test_progs.h>
#include <bpf/btf.h>
#include "testing_helpers.h"
#include "trace_helpers.h"
#include "verifier_kfunc_reloc.skel.h"
#include "kfunc_reloc_ext.skel.h"
#include "kfunc_reloc_run.skel.h"
#include "kfunc_reloc_target.skel.h"

static char log_buf[65536];

/* Load only @name of @obj, and return what comes of it. */
static int load_one(struct bpf_object *obj, const char *name, int log_level)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	prog = bpf_object__find_program_by_name(obj, name);
	bpf_program__set_autoload(prog, true);
	log_buf[0] = '\0';
	bpf_program__set_log_buf(prog, log_buf, sizeof(log_buf));
	bpf_program__set_log_level(prog, log_level);
	return bpf_object__load(obj);
}

/* What the callback returns is the error of the program. */
static void test_errno(void)
{
	static const struct {
		const char *prog;
		int err;
	} tests[] = {
		{ "none", -EACCES },
		{ "both_cb", -EACCES },
		{ "bad_proto", -EFAULT },
		{ "bad_zero", -EINVAL },
		{ "bad_twice", -EINVAL },
		{ "bad_errno", -EPERM },
	};
	struct verifier_kfunc_reloc *skel;
	struct bpf_map *map;
	char ops[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		skel = verifier_kfunc_reloc__open();
		if (!ASSERT_OK_PTR(skel, "open"))
			return;
		snprintf(ops, sizeof(ops), "ops_%s", tests[i].prog);
		bpf_object__for_each_map(map, skel->obj) {
			if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
				bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map), ops));
		}
		ASSERT_EQ(load_one(skel->obj, tests[i].prog, 1), tests[i].err, tests[i].prog);
		verifier_kfunc_reloc__destroy(skel);
	}
}

/* One program calls two functions where it names one kfunc, another type that kfunc. */
static void test_run(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct kfunc_reloc_run *skel;
	struct bpf_link *link;
	int i, fd;

	skel = kfunc_reloc_run__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open_and_load"))
		return;
	link = bpf_map__attach_struct_ops(skel->maps.run_ops);
	if (ASSERT_OK_PTR(link, "attach")) {
		for (i = 0; i < 10000 && !READ_ONCE(skel->bss->in_timer); i++)
			usleep(1000);
		ASSERT_EQ(skel->bss->in_member, 11, "in_member");
		ASSERT_EQ(skel->bss->in_timer, 13, "in_timer");
	}
	bpf_link__destroy(link);
	fd = bpf_program__fd(skel->progs.run_syscall);
	ASSERT_OK(bpf_prog_test_run_opts(fd, &opts), "test_run");
	ASSERT_EQ(opts.retval, 10, "in_syscall");
	kfunc_reloc_run__destroy(skel);
}

static bool is_btf_id(const struct ksym *sym)
{
	return !strncmp(sym->name, "__BTF_ID__", strlen("__BTF_ID__"));
}

/* Read all BTF IDs of a table, which is followed by another symbol. */
static void check_ids(struct kfunc_reloc_run *skel, struct ksyms *ksyms, const struct ksym *table)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	const struct ksym *sym, *last = ksyms->syms + ksyms->sym_cnt;
	int prog_fd, cnt = 0;

	prog_fd = bpf_program__fd(skel->progs.read_id);
	for (sym = ksyms->syms; sym < last; sym++) {
		if (sym->addr < table->addr)
			continue;
		if (!is_btf_id(sym)) {
			if (sym->addr > table->addr)
				break;
			continue;
		}
		skel->bss->id = 0;
		skel->bss->id_addr = sym->addr;
		ASSERT_OK(bpf_prog_test_run_opts(prog_fd, &opts), "test_run");
		ASSERT_NEQ(skel->bss->id, 0, sym->name);
		cnt++;
	}
	ASSERT_GT(cnt, 0, table->name);
}

/* resolve_btfids leaves 0 where BTF lacks a name, and no call is of such a kfunc. */
static void test_ids(void)
{
	struct kfunc_reloc_run *skel;
	struct ksyms *ksyms;
	char ctxs[128];
	int i, len, tables = 0;

	skel = kfunc_reloc_run__open_and_load();
	ksyms = load_kallsyms_local();
	if (!ASSERT_OK_PTR(skel, "open_and_load") || !ASSERT_OK_PTR(ksyms, "kallsyms"))
		goto out;
	for (i = 0; i < ksyms->sym_cnt; i++) {
		/* as BPF_KFUNC_RELOCS() names them */
		len = strlen(ksyms->syms[i].name) - strlen("_ids");
		if (len <= 0 || strcmp(ksyms->syms[i].name + len, "_ids"))
			continue;
		snprintf(ctxs, sizeof(ctxs), "%.*s_ctxs", len, ksyms->syms[i].name);
		if (!ksym_get_addr_local(ksyms, ctxs))
			continue;
		check_ids(skel, ksyms, &ksyms->syms[i]);
		tables++;
	}
	/* two tables are bpf_testmod's */
	ASSERT_GE(tables, 2, "tables");
out:
	free_kallsyms_local(ksyms);
	kfunc_reloc_run__destroy(skel);
}

#define MAX_KFUNCS	256

/* What calls are made to does not count against the kfuncs that a program may name. */
static void test_max_kfuncs(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_insn insns[MAX_KFUNCS + 5], *insn = insns;
	struct btf *vmlinux_btf = NULL, *btf = NULL;
	struct bpf_prog_info info = {};
	struct kfunc_reloc_run *skel;
	int i, fd, id, cnt, nr_types, fds[2];
	__u32 len = sizeof(info);
	const struct btf_type *t;
	struct ksyms *ksyms;
	const char *name;

	skel = kfunc_reloc_run__open_and_load();
	ksyms = load_kallsyms_local();
	vmlinux_btf = btf__load_vmlinux_btf();
	btf = btf__load_module_btf("bpf_testmod", vmlinux_btf);
	if (!ASSERT_OK_PTR(skel, "open_and_load") || !ASSERT_OK_PTR(ksyms, "kallsyms") ||
	    !ASSERT_OK_PTR(btf, "btf"))
		goto out;
	fd = bpf_program__fd(skel->progs.run_first);
	ASSERT_OK(bpf_prog_get_info_by_fd(fd, &info, &len), "prog_info");
	fds[1] = bpf_btf_get_fd_by_id(info.attach_btf_obj_id);
	if (!ASSERT_GE(fds[1], 0, "btf_fd"))
		goto out;
	opts.fd_array = fds;
	opts.attach_btf_obj_fd = fds[1];
	opts.attach_btf_id = info.attach_btf_id;

	/* dead calls of all but one: void f(void) of vmlinux, which need not be kfuncs */
	*insn++ = BPF_MOV64_IMM(BPF_REG_1, 0);
	*insn++ = BPF_JMP_IMM(BPF_JEQ, BPF_REG_1, 0, MAX_KFUNCS - 1);
	id = btf__find_by_name_kind(btf, "synchronize_rcu", BTF_KIND_FUNC);
	t = btf__type_by_id(btf, id);
	id = t->type;
	nr_types = btf__type_cnt(vmlinux_btf);
	for (i = 1, cnt = 1; cnt < MAX_KFUNCS && i < nr_types; i++) {
		t = btf__type_by_id(vmlinux_btf, i);
		if (!btf_is_func(t) || t->type != id)
			continue;
		name = btf__name_by_offset(vmlinux_btf, t->name_off);
		if (!ksym_get_addr_local(ksyms, name))
			continue;
		*insn++ = BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, i);
		cnt++;
	}
	ASSERT_EQ(cnt, MAX_KFUNCS, "kfuncs");
	id = btf__find_by_name_kind(btf, "bpf_kfunc_reloc_test", BTF_KIND_FUNC);
	*insn++ = BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 1, id);
	*insn++ = BPF_MOV64_IMM(BPF_REG_0, 0);
	*insn++ = BPF_EXIT_INSN();

	log_buf[0] = '\0';
	opts.log_buf = log_buf;
	opts.log_size = sizeof(log_buf);
	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, NULL, "GPL", insns, insn - insns, &opts);
	if (!ASSERT_GE(fd, 0, "load"))
		fprintf(stderr, "%s\n", log_buf);
	close(fd);
	close(fds[1]);
out:
	btf__free(btf);
	btf__free(vmlinux_btf);
	free_kallsyms_local(ksyms);
	kfunc_reloc_run__destroy(skel);
}

#define FIRST	"bpf_testmod_reloc_ops.test_first"
#define ASYNC	"an asynchronous callback of a bpf_testmod_reloc_ops program, ext_"

/* The function that is replaced can be called by the member and by callbacks. */
static void test_ext(void)
{
	static const struct {
		const char *target;
		const char *ext;
		int err;
		const char *msg;
	} tests[] = {
		{ "same", "ext_test", 0, "relocated to bpf_kfunc_reloc_test_async()" },
		{ "same", "ext_async", 0, "" },
		{ "first", "ext_test", -EACCES, "different meanings in " FIRST " and in " ASYNC },
		{ "same", "ext_sync", -EACCES, "cannot be called from " ASYNC
		  "sync() in an extension of bpf_testmod_reloc_ops.test_same; allowed in: " },
		{ "first", "ext_async", -EACCES, "cannot be called from " FIRST },
	};
	struct kfunc_reloc_target *target;
	struct kfunc_reloc_ext *skel;
	struct bpf_program *prog;
	struct bpf_link *link;
	int i, fd;

	target = kfunc_reloc_target__open_and_load();
	if (!ASSERT_OK_PTR(target, "target"))
		return;
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		skel = kfunc_reloc_ext__open();
		if (!ASSERT_OK_PTR(skel, "open"))
			break;
		prog = bpf_object__find_program_by_name(target->obj, tests[i].target);
		fd = bpf_program__fd(prog);
		prog = bpf_object__find_program_by_name(skel->obj, tests[i].ext);
		ASSERT_OK(bpf_program__set_attach_target(prog, fd, "target_sub"), "set_target");
		ASSERT_EQ(load_one(skel->obj, tests[i].ext, 2), tests[i].err, tests[i].ext);
		ASSERT_HAS_SUBSTR(log_buf, tests[i].msg, tests[i].target);
		kfunc_reloc_ext__destroy(skel);
	}

	/* what was answered for one member is nothing to another */
	skel = kfunc_reloc_ext__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		goto out;
	prog = skel->progs.ext_test;
	fd = bpf_program__fd(target->progs.same);
	ASSERT_OK(bpf_program__set_attach_target(prog, fd, "target_sub"), "set_target");
	if (ASSERT_OK(load_one(skel->obj, "ext_test", 1), "load")) {
		fd = bpf_program__fd(target->progs.first);
		link = bpf_program__attach_freplace(prog, fd, "target_sub");
		if (!ASSERT_ERR_PTR(link, "other member"))
			bpf_link__destroy(link);
	}
	kfunc_reloc_ext__destroy(skel);
out:
	kfunc_reloc_target__destroy(target);
}

/* A program, unlike its map, does not hold the module of its struct_ops. */
static void test_ext_no_module(void)
{
	struct kfunc_reloc_target *target;
	struct kfunc_reloc_ext *skel;
	int fd;

	target = kfunc_reloc_target__open_and_load();
	if (!ASSERT_OK_PTR(target, "target"))
		return;
	fd = dup(bpf_program__fd(target->progs.same));
	kfunc_reloc_target__destroy(target);
	skel = kfunc_reloc_ext__open();
	if (!ASSERT_GE(fd, 0, "dup") || !ASSERT_OK_PTR(skel, "open"))
		goto out;
	ASSERT_OK(bpf_program__set_attach_target(skel->progs.ext_vmlinux, fd, "target_sub"),
		  "set_target");
	if (ASSERT_OK(unload_bpf_testmod(false), "unload")) {
		ASSERT_ERR(load_one(skel->obj, "ext_vmlinux", 1), "load");
		ASSERT_HAS_SUBSTR(log_buf, "struct_ops module bpf_testmod is not found", "log");
		ASSERT_OK(load_bpf_testmod(false), "load_module");
	}
out:
	kfunc_reloc_ext__destroy(skel);
	close(fd);
}

void serial_test_kfunc_reloc(void)
{
	if (!env.has_testmod) {
		test__skip();
		return;
	}
	/* the programs call a kfunc of a third module, too */
	if (!ASSERT_OK(load_module("bpf_test_modorder_x.ko", false), "load_module"))
		return;
	RUN_TESTS(verifier_kfunc_reloc);
	if (test__start_subtest("errno"))
		test_errno();
	unload_module("bpf_test_modorder_x", false);

	if (test__start_subtest("run"))
		test_run();
	if (test__start_subtest("ids"))
		test_ids();
	if (test__start_subtest("max_kfuncs"))
		test_max_kfuncs();
	if (test__start_subtest("ext"))
		test_ext();
	if (test__start_subtest("ext_no_module"))
		test_ext_no_module();
}
