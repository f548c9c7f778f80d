// SPDX-License-Identifier: GPL-2.0
/*
 * Load generated struct_ops programs, a section of insns.c for each kind:
 *
 *   load TAG REPEAT STRUCT MEMBER KFUNC CALLS KFUNCS SUBPROGS
 *
 * A program for STRUCT.MEMBER with CALLS call sites, in SUBPROGS subprograms that the
 * main one calls, of KFUNCS kfuncs in turn. KFUNC is a kfunc, or one with %02x in it if
 * KFUNCS is more than 1. Kfuncs of vmlinux are called with the member's first argument,
 * loaded before, and zeroes. "-" instead of KFUNC: CALLS are moves.
 *
 * With TAG 0 all programs are kept, and the bytes that each of them takes are printed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>

#define MAX_KFUNCS	256

static struct bpf_insn *insns;
static size_t nr_insns, room;

static void die(const char *what)
{
	fprintf(stderr, "load: error: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void emit(__u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	if (nr_insns == room) {
		room = room ? 2 * room : 1024;
		insns = realloc(insns, room * sizeof(*insns));
		if (!insns)
			die("realloc");
	}
	insns[nr_insns++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
}

static void emit_exit(void)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int kfunc_ids[MAX_KFUNCS];

/* The call sites from @from to @to; in the main program the context is in r1. */
static void emit_calls(int from, int to, int nr_kfuncs, bool module, bool moves)
{
	int i;

	if (!module && !moves)
		emit(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_1, 0, 0);
	for (i = from; i < to; i++) {
		if (moves) {
			emit(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, i);
			continue;
		}
		if (!module) {
			emit(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
			emit(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 0);
			emit(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0);
			emit(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, 0);
		}
		emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, module, kfunc_ids[i % nr_kfuncs]);
	}
}

static int member_index(const struct btf *btf, int id, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), name))
			return i;
	}
	errno = ENOENT;
	die(name);
	return -1;
}

/* The BTF of the module as a file descriptor */
static int module_btf_fd(const char *module)
{
	__u32 id = 0, len;
	char name[64];
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		struct bpf_btf_info info = {
			.name = (unsigned long)name, .name_len = sizeof(name),
		};

		fd = bpf_btf_get_fd_by_id(id);
		len = sizeof(info);
		if (fd < 0 || bpf_btf_get_info_by_fd(fd, &info, &len))
			die("BTF");
		if (!strcmp(name, module))
			return fd;
		close(fd);
	}
	errno = ENOENT;
	die(module);
	return -1;
}

/* What the kernel has in slabs, in vmalloc areas and for CPUs, in KiB */
static long memory(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long sum = 0, val;
	char line[128];

	if (!f)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Slab: %ld", &val) == 1 ||
		    sscanf(line, "VmallocUsed: %ld", &val) == 1 ||
		    sscanf(line, "Percpu: %ld", &val) == 1)
			sum += val;
	}
	fclose(f);
	return sum;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int tag, repeat, calls, nr_kfuncs, subprogs, fds[2], i, fd, id;
	const char *ops, *member, *kfunc, *module;
	struct btf *btf;
	static char log[65536];
	long before = 0;
	bool in_module, moves;
	char name[64];

	if (argc != 9) {
		fprintf(stderr, "Usage: load TAG REPEAT STRUCT MEMBER KFUNC CALLS KFUNCS SUBPROGS\n");
		return 2;
	}
	tag = atoi(argv[1]);
	repeat = atoi(argv[2]);
	ops = argv[3];
	member = argv[4];
	kfunc = argv[5];
	calls = atoi(argv[6]);
	nr_kfuncs = atoi(argv[7]);
	subprogs = atoi(argv[8]);
	moves = !strcmp(kfunc, "-");
	if (nr_kfuncs < 1 || nr_kfuncs > MAX_KFUNCS || subprogs < 1 || repeat < 1) {
		fprintf(stderr, "load: error: out of range\n");
		return 2;
	}

	btf = btf__load_vmlinux_btf();
	if (!btf)
		die("the BTF of vmlinux");
	in_module = !strncmp(ops, "bench", 5);
	if (in_module) {
		module = strcmp(ops, "bench_ops") ? "bench_bare" : "bench_kfr";
		btf = btf__load_module_btf(module, btf);
		if (!btf)
			die(module);
		fds[0] = fds[1] = module_btf_fd(module);
		opts.fd_array = fds;
	}

	for (i = 0; !moves && i < nr_kfuncs; i++) {
		snprintf(name, sizeof(name), kfunc, i);
		kfunc_ids[i] = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
		if (kfunc_ids[i] < 0)
			die(name);
	}
	if (subprogs == 1) {
		emit_calls(0, calls, nr_kfuncs, in_module, moves);
		emit_exit();
	} else {
		int each = calls / (subprogs - 1), start;

		/* r1, in which a subprogram may want the context, is kept in r6 */
		emit(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
		for (i = 0; i < subprogs - 1; i++) {
			emit(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
			emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
		}
		emit_exit();
		for (i = 0; i < subprogs - 1; i++) {
			start = nr_insns;
			insns[2 + 2 * i].imm = start - (2 + 2 * i) - 1;
			emit_calls(i * each, i == subprogs - 2 ? calls : (i + 1) * each, nr_kfuncs,
				   in_module, moves);
			emit_exit();
		}
	}

	id = btf__find_by_name_kind(btf, ops, BTF_KIND_STRUCT);
	if (id < 0)
		die(ops);
	opts.attach_btf_id = id;
	opts.attach_btf_obj_fd = in_module ? fds[0] : 0;
	opts.expected_attach_type = member_index(btf, id, member);
	/* the first does what is done once: libbpf's own, page faults */
	for (i = 0; i <= repeat; i++) {
		if (i == 1)
			before = memory();
		syscall(SYS_getpgid, i ? tag : 0);
		fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "bench", "GPL", insns, nr_insns, &opts);
		syscall(SYS_getpgid, 0);
		if (fd < 0) {
			opts.log_level = 1;
			opts.log_buf = log;
			opts.log_size = sizeof(log);
			bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "bench", "GPL", insns, nr_insns, &opts);
			fprintf(stderr, "%s\n", log);
			die("not loaded");
		}
		if (tag)
			close(fd);
	}
	if (!tag)
		printf("%ld\n", (memory() - before) * 1024 / repeat);
	return 0;
}
