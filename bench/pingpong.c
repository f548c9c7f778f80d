// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes on one CPU wake each other through two pipes. Prints, for each of 200
 * batches, the ticks of the time-stamp counter that 64 round trips took: instructions,
 * under "qemu -icount shift=0".
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define BATCHES	200
#define ROUNDS	64

static int to[2], from[2];

static void rounds(int n)
{
	char c = 0;

	while (n--)
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			exit(1);
}

int main(void)
{
	static unsigned long long ticks[BATCHES];
	unsigned long long start;
	char c;
	int i;

	if (pipe(to) || pipe(from))
		return 1;
	if (!fork()) {
		close(to[1]);
		while (read(to[0], &c, 1) == 1)
			if (write(from[1], &c, 1) != 1)
				return 1;
		return 0;
	}
	rounds(1000);
	for (i = 0; i < BATCHES; i++) {
		start = __rdtsc();
		rounds(ROUNDS);
		ticks[i] = __rdtsc() - start;
	}
	close(to[1]);
	wait(NULL);
	for (i = 0; i < BATCHES; i++)
		printf("%.2f\n", (double)ticks[i] / ROUNDS);
	return 0;
}
