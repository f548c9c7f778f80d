// SPDX-License-Identifier: GPL-2.0
/*
 * Compare the native code of two loaded programs:
 *
 *   jited NAME NAME
 *
 * Equal but for the distance of calls, which lead to the same addresses: says so, and
 * how long they are. Else says where they differ and fails.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>

struct code {
	unsigned char insns[16384];
	unsigned long long addr;
	unsigned int len;
};

static int get(const char *name, struct code *code)
{
	unsigned int id = 0, len;
	int fd;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};

		fd = bpf_prog_get_fd_by_id(id);
		len = sizeof(info);
		if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
			return -1;
		if (strcmp(info.name, name)) {
			close(fd);
			continue;
		}
		memset(&info, 0, sizeof(info));
		info.jited_prog_insns = (unsigned long)code->insns;
		info.jited_prog_len = sizeof(code->insns);
		info.jited_ksyms = (unsigned long)&code->addr;
		info.nr_jited_ksyms = 1;
		len = sizeof(info);
		if (bpf_prog_get_info_by_fd(fd, &info, &len) || !code->addr ||
		    info.jited_prog_len > sizeof(code->insns))
			return -1;
		code->len = info.jited_prog_len;
		return 0;
	}
	return -1;
}

static unsigned long long target(const struct code *code, unsigned int at)
{
	int rel;

	memcpy(&rel, code->insns + at, sizeof(rel));
	return code->addr + at + sizeof(rel) + rel;
}

int main(int argc, char **argv)
{
	static struct code a, b;
	unsigned int i, calls = 0;

	if (argc != 3) {
		fprintf(stderr, "Usage: jited NAME NAME\n");
		return 2;
	}
	if (get(argv[1], &a) || get(argv[2], &b)) {
		fprintf(stderr, "jited: error: no program %s, or none %s\n", argv[1], argv[2]);
		return 2;
	}
	if (a.len != b.len) {
		printf("%s has %u bytes, %s has %u\n", argv[1], a.len, argv[2], b.len);
		return 1;
	}
	for (i = 0; i < a.len; i++) {
		/* call rel32 */
		if (a.insns[i] == 0xe8 && b.insns[i] == 0xe8 && i + 5 <= a.len &&
		    target(&a, i + 1) == target(&b, i + 1)) {
			calls++;
			i += 4;
			continue;
		}
		if (a.insns[i] != b.insns[i]) {
			printf("%s and %s differ at byte %u\n", argv[1], argv[2], i);
			return 1;
		}
	}
	printf("%u bytes, equal; %u calls, to the same addresses\n", a.len, calls);
	return 0;
}
