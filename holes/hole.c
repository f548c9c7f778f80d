// SPDX-License-Identifier: GPL-2.0
/*
 * hole NAME: load this scheduler of hole.bpf.c, say whether it loads and, if it does,
 * run it until something has happened, or for a minute.
 */
#include <bpf/bpf.h>
#include <scx/common.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "hole.bpf.skel.h"

#define CGROUP	"/sys/fs/cgroup/hole"

static const char *name;
static char kernel_log[16 << 20];

/* To the kernel's log: it is on the console even if the kernel dies of what follows. */
static void say(const char *fmt, ...)
{
	FILE *kmsg = fopen("/dev/kmsg", "w");
	va_list args;

	SCX_BUG_ON(!kmsg, "no /dev/kmsg");
	fprintf(kmsg, "<1>hole: %s: ", name);
	va_start(args, fmt);
	vfprintf(kmsg, fmt, args);
	va_end(args);
	fclose(kmsg);
}

static struct hole *open_hole(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .kernel_log_buf = kernel_log,
		    .kernel_log_size = sizeof(kernel_log));
	struct hole *skel = hole__open_opts(&opts);
	struct bpf_map *map;

	SCX_BUG_ON(!skel, "cannot open the object");
	SCX_ENUM_INIT(skel);
	bpf_object__for_each_map(map, skel->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, false);
	return skel;
}

static void load(struct hole *skel)
{
	int err = hole__load(skel);
	char *line;

	if (!err)
		return;
	line = strstr(kernel_log, "() cannot be called from ");
	while (line && line > kernel_log && line[-1] != '\n')
		line--;
	if (line)
		line[strcspn(line, "\n")] = '\0';
	say("refused: %s\n", line ?: strerror(-err));
	if (!line)
		fprintf(stderr, "%s\n", kernel_log);
	exit(!line);
}

static bool has(const char *file, const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(file, "r");

	SCX_BUG_ON(!f, "no %s", file);
	fgets(buf, sizeof(buf), f);
	fclose(f);
	return strstr(buf, text);
}

/* A child that sleeps and works, in turns; the first preempts the others. */
static void worker(int i)
{
	struct sched_param param = { .sched_priority = 1 };
	volatile int j;

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!i)
		sched_setscheduler(0, SCHED_FIFO, &param);
	for (;;) {
		usleep(1000);
		for (j = 0; j < 200000 && i; j++)
			;
	}
}

int main(int argc, char **argv)
{
	struct hole *skel = open_hole(), *ext;
	struct bpf_link *link;
	struct bpf_map *map;
	struct stat st;
	bool sub;
	int i;

	SCX_BUG_ON(argc != 2, "usage: hole NAME");
	name = argv[1];
	map = bpf_object__find_map_by_name(skel->obj, name);
	SCX_BUG_ON(!map, "no %s", name);
	bpf_map__set_autocreate(map, true);
	skel->bss->pid = getpid();
	sub = map == skel->maps.sub_dispatch;
	if (sub) {
		mkdir(CGROUP, 0755);
		SCX_BUG_ON(stat(CGROUP, &st), "no " CGROUP);
		bpf_map__set_autocreate(skel->maps.child, true);
		skel->struct_ops.child->sub_cgroup_id = st.st_ino;
	}
	libbpf_set_print(NULL);
	load(skel);
	if (map == skel->maps.replace) {
		ext = open_hole();
		bpf_program__set_autoload(ext->progs.replacement, true);
		bpf_program__set_attach_target(ext->progs.replacement,
					       bpf_program__fd(skel->progs.replace_tick),
					       "replaced");
		load(ext);
		link = bpf_program__attach_trace(ext->progs.replacement);
		SCX_BUG_ON(!link, "cannot attach the replacement");
	}

	say("loads\n");
	link = bpf_map__attach_struct_ops(map);
	SCX_BUG_ON(!link, "cannot attach %s", name);
	for (i = 0; i < 8; i++)
		worker(i);
	if (sub) {
		link = bpf_map__attach_struct_ops(skel->maps.child);
		SCX_BUG_ON(!link, "cannot attach the child");
		skel->bss->cgroup = st.st_ino;
	}
	/* The dots tell scripts/vm that the guest is alive. */
	for (i = 0; i < 60; i++) {
		sleep(1);
		write(1, ".", 1);
		if (has("/sys/kernel/sched_ext/state", "disabled") ||
		    !has("/proc/sys/kernel/tainted", "0\n"))
			break;
	}
	say("ends\n");
	return 0;
}
