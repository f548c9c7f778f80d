// SPDX-License-Identifier: GPL-2.0
/* mark TAG: a section of insns.c */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	syscall(SYS_getpgid, atoi(argv[1]));
	return 0;
}
