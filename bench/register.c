// SPDX-License-Identifier: GPL-2.0
/* register [-n] OBJECT: load and attach its struct_ops, until SIGINT; -n: only load. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

static void stop(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_link *link;
	struct bpf_map *map;
	bool load_only;

	load_only = argc == 3 && !strcmp(argv[1], "-n");
	if (argc != 2 && !load_only) {
		fprintf(stderr, "Usage: register [-n] OBJECT\n");
		return 2;
	}
	signal(SIGINT, stop);
	obj = bpf_object__open_file(argv[argc - 1], NULL);
	if (!obj || bpf_object__load(obj)) {
		fprintf(stderr, "register: error: %s cannot be loaded\n", argv[argc - 1]);
		return 1;
	}
	if (load_only)
		return 0;
	bpf_object__for_each_map(map, obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		link = bpf_map__attach_struct_ops(map);
		if (!link) {
			fprintf(stderr, "register: error: %s cannot be attached\n", argv[argc - 1]);
			return 1;
		}
		pause();
		bpf_link__destroy(link);
	}
	return 0;
}
