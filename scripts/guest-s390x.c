// SPDX-License-Identifier: GPL-2.0
/* The first process of the guest of scripts/s390x: test_progs with the arguments of
 * the kernel's command line, its exit status on the console, power off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *type, *dir;
} mounts[] = {
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
	{ "devtmpfs", "/dev" },
	{ "tmpfs", "/tmp" },
	{ "bpf", "/sys/fs/bpf" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "tracefs", "/sys/kernel/tracing" },
};

static int run(char **argv)
{
	struct rlimit lock = { RLIM_INFINITY, RLIM_INFINITY };
	int status;
	size_t i;
	pid_t pid;

	for (i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL)) {
			printf("mount %s: %s\n", mounts[i].dir, strerror(errno));
			return 1;
		}
	}
	setrlimit(RLIMIT_MEMLOCK, &lock);

	argv[0] = "./test_progs";
	pid = fork();
	if (!pid) {
		if (!chdir("/bpf"))
			execv(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("test_progs");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		puts("Usage: guest-s390x ARG...   (scripts/s390x makes it the guest's init)");
		return 0;
	}
	if (getpid() != 1) {
		fputs("guest-s390x: error: not the first process of a guest\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = run(argv);
	printf("guest: test_progs exits with %d\n", status);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
