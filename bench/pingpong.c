// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes on one CPU wake each other through two pipes:
 *
 *   pingpong BATCHES ROUNDS [TAG]
 *
 * Prints, for each of BATCHES, the ticks of the time-stamp counter that ROUNDS round
 * trips took: instructions, under "qemu -icount shift=0". With TAG, the batches are a
 * section of insns.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

static void one(int in, int out)
{
	char c = 0;

	if (read(in, &c, 1) != 1)
		exit(0);
	if (write(out, &c, 1) != 1)
		exit(1);
}

int main(int argc, char **argv)
{
	int batches, rounds, tag, to[2], from[2], i, j;
	unsigned long long start, *ticks;
	char c = 0;

	if (argc < 3) {
		fprintf(stderr, "Usage: pingpong BATCHES ROUNDS [TAG]\n");
		return 2;
	}
	batches = atoi(argv[1]);
	rounds = atoi(argv[2]);
	tag = argc > 3 ? atoi(argv[3]) : 0;
	ticks = calloc(batches, sizeof(*ticks));
	if (!ticks || pipe(to) || pipe(from)) {
		perror("pingpong");
		return 1;
	}
	if (!fork()) {
		close(to[1]);
		for (;;)
			one(to[0], from[1]);
	}
	for (i = 0; i < 1000; i++) {
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			return 1;
	}
	if (tag)
		syscall(SYS_getpgid, tag);
	for (i = 0; i < batches; i++) {
		start = __rdtsc();
		for (j = 0; j < rounds; j++) {
			if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
				return 1;
		}
		ticks[i] = __rdtsc() - start;
	}
	if (tag)
		syscall(SYS_getpgid, 0);
	close(to[1]);
	wait(NULL);
	for (i = 0; i < batches; i++)
		printf("%llu\n", ticks[i]);
	return 0;
}
