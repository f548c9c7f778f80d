// SPDX-License-Identifier: GPL-2.0
/*
 * In the VM: load each program of the BPF objects in files by itself. Says, in fields
 * separated by tabs,
 *
 *   prog FILE N PROGRAM MEMBER ERROR	what came of it, in the Nth object in FILE
 *   call LINE				of the log, for each call that is bound
 *   log LINE				of the log, the last one, when there is an ERROR
 *   bad FILE N REASON			not an object
 *
 * veristat does not do: that of 6.12 loads all programs of a struct_ops for each of them,
 * and none sets SCX_ENQ_WAKEUP and its like, so that code that depends on them is dead.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

static const struct { const char *name; __u64 value; } vars[] = {
#include "vars.h"
};
static char vlog[UINT_MAX >> 2];	/* the longest that the kernel takes */
static char warning[1024];		/* the first of libbpf that is of use */

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN && !*warning && !strstr(fmt, "Retrying without BTF"))
		vsnprintf(warning, sizeof(warning), fmt, args);
	return 0;
}

/* What the user space of a scheduler does, in SCX_OPS_OPEN() and by itself */
static void set_vars(struct bpf_map *rodata, const struct btf *btf)
{
	const struct btf_type *sec = btf__type_by_id(btf, bpf_map__btf_value_type_id(rodata));
	size_t size, i, j;
	char *data = bpf_map__initial_value(rodata, &size);

	for (i = 0; data && i < btf_vlen(sec); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(sec) + i;
		const char *name = btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off);

		for (j = 0; j < sizeof(vars) / sizeof(*vars); j++)
			if (v->size <= sizeof(__u64) && !strcmp(name, vars[j].name))
				memcpy(data + v->offset, &vars[j].value, v->size);
	}
}

/* Leave in a struct_ops what names @prog, for libbpf loads all that it names. Returns the member. */
static const char *only_member(struct bpf_map *map, const struct btf *btf, struct bpf_program *prog)
{
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	char *data = bpf_map__initial_value(map, NULL);
	const struct btf_member *m = btf_members(t);
	const char *name = NULL;
	int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		void **slot = (void **)(data + m->offset / 8);

		if (!btf_is_ptr(btf__type_by_id(btf, m->type)))
			continue;
		if (*slot == prog)
			name = btf__name_by_offset(btf, m->name_off);
		else
			*slot = NULL;
	}
	bpf_map__set_autocreate(map, name);
	return name;
}

static void load(struct bpf_object *obj, struct bpf_program *prog, const char *file, int image)
{
	const struct btf *btf = bpf_object__btf(obj);
	char *line, *last = NULL, *rest = vlog;
	const char *member;
	struct bpf_map *map;
	char where[512];
	int err;

	snprintf(where, sizeof(where), "%s", bpf_program__section_name(prog));
	bpf_object__for_each_map(map, obj) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS) {
			member = only_member(map, btf, prog);
			if (member)
				snprintf(where, sizeof(where), "%s.%s", bpf_map__name(map), member);
		} else if (strstr(bpf_map__name(map), ".rodata")) {
			set_vars(map, btf);
		} else if (!bpf_map__max_entries(map) && !(bpf_map__map_flags(map) & BPF_F_NO_PREALLOC)) {
			/* not a local storage: a scheduler sets it, and a ring buffer takes whole pages */
			bpf_map__set_max_entries(map, 4096);
		}
	}
	*warning = *vlog = 0;
	bpf_program__set_log_buf(prog, vlog, sizeof(vlog));
	bpf_program__set_log_level(prog, 2);
	err = bpf_object__load(obj);
	printf("prog\t%s\t%d\t%s\t%s\t%d\n", file, image, bpf_program__name(prog), where, err);
	while ((line = strsep(&rest, "\n"))) {
		if (!err && strstr(line, "() relocated to "))
			printf("call\t%s\n", line);
		else if (*line && strncmp(line, "processed ", 10))
			last = line;
	}
	if (err)
		printf("log\t%s\n", last ?: strtok(warning, "\n") ?: strerror(-err));
}

/* Load the program of that number in an object. Returns whether there is one. */
static bool load_nth(const char *p, size_t size, int number, const char *file, int image)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "try");
	struct bpf_program *it, *prog = NULL;
	struct bpf_object *obj;

	*warning = 0;
	obj = bpf_object__open_mem(p, size, &opts);
	if (!obj) {
		printf("bad\t%s\t%d\t%s\n", file, image, strtok(warning, "\n") ?: "?");
		return false;
	}
	bpf_object__for_each_program(it, obj) {
		bpf_program__set_autoload(it, !number);
		if (!number--)
			prog = it;
	}
	if (prog)
		load(obj, prog, file, image);
	bpf_object__close(obj);
	return prog;
}

int main(int argc, char **argv)
{
	static const char magic[] = ELFMAG "\2\1\1\0\0\0\0\0\0\0\0\0\1\0\367";	/* up to EM_BPF */
	char *p, *end, *copy;
	int i, image, number;
	struct stat st;

	libbpf_set_print(keep_warning);
	for (i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0 || fstat(fd, &st) ||
		    (p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
			perror(argv[i]);
			return 1;
		}
		end = p + st.st_size;
		for (image = 1; (p = memmem(p, end - p, magic, sizeof(magic))); image++, p++) {
			/* libelf wants it aligned, and does not mind what comes behind it */
			copy = memcpy(malloc(end - p), p, end - p);
			for (number = 0; load_nth(copy, end - p, number, argv[i], image); number++)
				;
			free(copy);
		}
	}
	return 0;
}
