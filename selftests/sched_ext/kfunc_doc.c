// SPDX-License-Identifier: GPL-2.0
/*
 * Does the table of Documentation/scheduler/sched-ext.rst, which kfunc can be
 * called from where and what it is there, say what kfunc_matrix.h says? That in
 * turn is what kfunc_matrix compares the kernel with.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/kernel.h>
#include <scx/common.h>
#include <string.h>
#include <unistd.h>
#include "kfunc_matrix.h"
#include "scx_test.h"

/* From the directory of the runner, if that is in the kernel's tree */
#define DOC		"../../../../Documentation/scheduler/sched-ext.rst"
#define HEADING		"Where Kfuncs Can Be Called\n"

#define MAX_ROWS	64
#define MAX_LITERALS	64

enum column {
	KFUNCS,
	PLACES,
	FUNCTION,
	NR_COLUMNS,
};

static char rows[MAX_ROWS][NR_COLUMNS][1024];
static int nr_rows, nr_wrong;

/* By member, the last is for outside any member: what the table says */
static const char *said[ARRAY_SIZE(kfuncs)][ARRAY_SIZE(members) + 1];

#define wrong(fmt, ...)								\
	do {									\
		fprintf(stderr, "sched-ext.rst: " fmt "\n", ##__VA_ARGS__);	\
		nr_wrong++;							\
	} while (0)

static bool read_rows(FILE *file)
{
	bool in_section = false, in_table = false;
	size_t size = 0, len;
	char *line = NULL;
	int column = 0;

	while (getline(&line, &size, file) >= 0) {
		char *text = line + strspn(line, " ");

		if (!in_table) {
			in_section |= !strcmp(line, HEADING);
			in_table = in_section && !strncmp(line, ".. list-table::", 15);
			continue;
		}
		if (*text == '\n')
			continue;
		if (text == line)
			break;

		if (!strncmp(text, "* - ", 4)) {
			nr_rows++;
			column = 0;
			text += 4;
		} else if (!strncmp(text, "- ", 2)) {
			column++;
			text += 2;
		} else if (!nr_rows) {
			continue;	/* an option of the table */
		}
		if (nr_rows > MAX_ROWS || column >= NR_COLUMNS) {
			wrong("more than %d rows or %d columns", MAX_ROWS, NR_COLUMNS);
			break;
		}
		len = strlen(rows[nr_rows - 1][column]);
		if (len + strlen(text) >= sizeof(rows[0][0]))
			wrong("too long: %s", text);
		else
			memcpy(rows[nr_rows - 1][column] + len, text, strlen(text) + 1);
	}
	free(line);
	return in_table && nr_rows > 1 && !nr_wrong;
}

/* Find what the text has in ``literal`` text, with "()" or without. */
static int find_literals(char *text, char **literals, bool is_func)
{
	char *end;
	int nr = 0;

	while ((text = strstr(text, "``"))) {
		text += 2;
		end = strstr(text, "``");
		if (!end || nr == MAX_LITERALS) {
			wrong("cannot read: %s", text);
			break;
		}
		*end = '\0';
		if (is_func) {
			if (end - text < 3 || strcmp(end - 2, "()"))
				wrong("is no function: %s", text);
			end[-2] = '\0';
		}
		literals[nr++] = text;
		text = end + 2;
	}
	return nr;
}

static void say(const char *kfunc, const char *place, const char *func)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(kfuncs); i++)
		if (!strcmp(kfuncs[i].name, kfunc))
			break;
	if (i == ARRAY_SIZE(kfuncs) || kfuncs[i].any || kfuncs[i].types & IN_NONE) {
		wrong("%s() is no kfunc that depends on the operation", kfunc);
		return;
	}
	for (j = 0; j < ARRAY_SIZE(members); j++)
		if (!strcmp(members[j].name, place))
			break;
	if (j == ARRAY_SIZE(members) && strcmp(place, "outside"))
		wrong("there is no ops.%s()", place);
	else if (said[i][j])
		wrong("%s() in %s is there twice", kfunc, place);
	else
		said[i][j] = func ?: kfunc;
}

static void read_row(char (*row)[1024])
{
	char *kfunc[MAX_LITERALS], *place[MAX_LITERALS], *func[MAX_LITERALS];
	int nr_kfuncs, nr_places, nr_funcs, i, j;

	nr_kfuncs = find_literals(row[KFUNCS], kfunc, true);
	nr_places = find_literals(row[PLACES], place, false);
	nr_funcs = 0;
	if (strncmp(row[FUNCTION], "itself", 6))
		nr_funcs = find_literals(row[FUNCTION], func, true);
	else
		func[nr_funcs++] = NULL;
	if (!nr_kfuncs || !nr_places || nr_funcs != 1) {
		wrong("a row lacks something: %s", nr_kfuncs ? kfunc[0] : row[KFUNCS]);
		return;
	}
	for (i = 0; i < nr_kfuncs; i++)
		for (j = 0; j < nr_places; j++)
			say(kfunc[i], place[j], func[0]);
}

static void compare(void)
{
	const struct member *m;
	const char *is, *want;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(kfuncs); i++) {
		if (kfuncs[i].any || kfuncs[i].types & IN_NONE)
			continue;
		for (j = 0; j <= ARRAY_SIZE(members); j++) {
			m = j < ARRAY_SIZE(members) ? &members[j] : &outside;
			want = bound_to(&kfuncs[i], m) ?: "refused";
			is = said[i][j] ?: "refused";
			if (strcmp(is, want))
				wrong("%s() in %s is %s, it says %s", kfuncs[i].name,
				      m->name, want, is);
		}
	}
}

static enum scx_test_status run(void *ctx)
{
	char path[PATH_MAX] = {}, *dir;
	FILE *file;
	bool found;
	int i;

	nr_rows = 0;
	nr_wrong = 0;
	memset(rows, 0, sizeof(rows));
	memset(said, 0, sizeof(said));

	SCX_FAIL_IF(readlink("/proc/self/exe", path, sizeof(path) - sizeof(DOC) - 1) < 0,
		    "No /proc/self/exe: %d", errno);
	dir = dirname(path);
	strcat(strcat(dir, "/"), DOC);
	file = fopen(dir, "r");
	if (!file) {
		fprintf(stderr, "No %s, the runner is not in the kernel's tree\n", dir);
		return SCX_TEST_SKIP;
	}
	found = read_rows(file);
	fclose(file);
	SCX_FAIL_IF(!found, "No table below \"%.*s\"", (int)strlen(HEADING) - 1, HEADING);

	for (i = 1; i < nr_rows; i++)	/* without the header */
		read_row(rows[i]);
	compare();
	SCX_EQ(nr_wrong, 0);
	return SCX_TEST_PASS;
}

struct scx_test kfunc_doc = {
	.name = "kfunc_doc",
	.description = "Verify that the documentation says which kfuncs can be called from where",
	.run = run,
};

REGISTER_SCX_TEST(&kfunc_doc)
