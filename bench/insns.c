// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU plugin (TCG, one CPU online) that counts the instructions of a kernel function,
 * from its first to its return, callees and all, without changing anything in the guest:
 *
 *   -plugin insns.so,out=FILE,mark=ADDR,probe=NAME:ADDR,probe=NAME:ADDR...
 *
 * The guest says what it is about to do by getpgid(TAG): mark is the address of
 * __x64_sys_getpgid. TAG opens a section and ends the one before; nothing is counted in
 * section 0. FILE gets, for each section, what was counted in it:
 *
 *   section TAG
 *   NAME INSNS TIMES	   TIMES calls of probe NAME took INSNS instructions
 *   at ADDR INSNS TIMES   if TAG has bit 20 set: the block at ADDR, of INSNS, ran TIMES;
 *			   if it has bit 21 set, while a probe was running
 *
 * Debian has no package with QEMU's header for plugins; what is used of it is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT		__attribute__((visibility("default")))
#define PROFILE		(1u << 20)
#define PROFILE_PROBES	(1u << 21)
#define MAX_PROBES	32
#define MAX_ACTIVE	64

struct qemu_plugin_tb;
struct qemu_plugin_register;
struct qemu_plugin_scoreboard;
struct qemu_info;
struct bytes { uint8_t *data; unsigned int len; };
struct array { char *data; unsigned int len; };
struct reg { struct qemu_plugin_register *handle; const char *name, *feature; };
typedef struct { struct qemu_plugin_scoreboard *score; size_t offset; } u64_entry;
typedef void (*exec_cb)(unsigned int cpu, void *data);
enum { CB_NO_REGS, CB_R_REGS };
enum { COND_NE = 3 };
enum { INLINE_ADD };

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void qemu_plugin_u64_set(u64_entry entry, unsigned int cpu, uint64_t val);
uint64_t qemu_plugin_u64_get(u64_entry entry, unsigned int cpu);
void qemu_plugin_register_vcpu_init_cb(uint64_t id, void (*cb)(uint64_t id, unsigned int cpu));
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t id, void *data), void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags,
					  void *data);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags,
					       int cond, u64_entry entry, uint64_t imm, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, int op,
						       u64_entry entry, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *handle, struct bytes *buf);
bool qemu_plugin_read_memory_vaddr(uint64_t addr, struct bytes *data, size_t len);
struct bytes *g_byte_array_new(void);
struct bytes *g_byte_array_set_size(struct bytes *array, unsigned int len);

struct count { uint64_t insns, times; };

struct probe {
	char name[64];
	uint64_t addr;
	struct count *counts;
	size_t nr, room;
};

struct block {
	struct block *next;
	uint64_t addr, insns, times;
	struct probe *probe;
};

struct active { struct probe *probe; uint64_t ret, start; };

EXPORT int qemu_plugin_version = 4;

static struct probe probes[MAX_PROBES], mark;
static struct active active[MAX_ACTIVE];
static unsigned int nr_probes, nr_active, section;
static struct block *blocks;
static struct qemu_plugin_register *rsp, *rdi;
static struct bytes *buf;
static u64_entry insns, watch;
static FILE *out;

static uint64_t reg(struct qemu_plugin_register *handle)
{
	uint64_t val;

	g_byte_array_set_size(buf, 0);
	if (!handle || qemu_plugin_read_register(handle, buf) != sizeof(val))
		abort();
	memcpy(&val, buf->data, sizeof(val));
	return val;
}

static uint64_t mem(uint64_t addr)
{
	uint64_t val;

	g_byte_array_set_size(buf, 0);
	if (!qemu_plugin_read_memory_vaddr(addr, buf, sizeof(val)))
		abort();
	memcpy(&val, buf->data, sizeof(val));
	return val;
}

static void set_watch(unsigned int cpu)
{
	qemu_plugin_u64_set(watch, cpu, nr_active || (section & PROFILE));
}

static void add(struct probe *p, uint64_t val)
{
	size_t i;

	for (i = 0; i < p->nr; i++) {
		if (p->counts[i].insns == val) {
			p->counts[i].times++;
			return;
		}
	}
	if (p->nr == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->counts = realloc(p->counts, p->room * sizeof(*p->counts));
		if (!p->counts)
			abort();
	}
	p->counts[p->nr++] = (struct count){ .insns = val, .times = 1 };
}

static void end_section(void)
{
	struct block *b;
	struct probe *p;
	size_t i;

	if (section) {
		fprintf(out, "section %u\n", section);
		for (p = probes; p < probes + nr_probes; p++) {
			for (i = 0; i < p->nr; i++)
				fprintf(out, "%s %" PRIu64 " %" PRIu64 "\n", p->name,
					p->counts[i].insns, p->counts[i].times);
			p->nr = 0;
		}
	}
	for (b = blocks; b; b = b->next) {
		if (b->times)
			fprintf(out, "at %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
				b->addr, b->insns, b->times);
		b->times = 0;
	}
	fflush(out);
}

static void on_mark(unsigned int cpu, void *data)
{
	/* struct pt_regs: di is the 15th of its registers */
	uint64_t tag = mem(reg(rdi) + 14 * 8);

	(void)data;
	end_section();
	section = tag;
	nr_active = 0;
	set_watch(cpu);
}

static void on_probe(unsigned int cpu, void *data)
{
	struct block *b = data;

	if (!section || nr_active == MAX_ACTIVE)
		return;
	active[nr_active++] = (struct active){
		.probe = b->probe,
		.ret = mem(reg(rsp)),
		.start = qemu_plugin_u64_get(insns, cpu),
	};
	set_watch(cpu);
}

static void on_block(unsigned int cpu, void *data)
{
	struct block *b = data;
	unsigned int i;

	if (section & PROFILE || (section & PROFILE_PROBES && nr_active))
		b->times++;
	for (i = nr_active; i-- > 0;) {
		if (active[i].ret != b->addr)
			continue;
		add(active[i].probe, qemu_plugin_u64_get(insns, cpu) - active[i].start);
		nr_active--;
		memmove(&active[i], &active[i + 1], (nr_active - i) * sizeof(active[0]));
		set_watch(cpu);
		break;
	}
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));
	struct probe *p;

	(void)id;
	if (!b)
		abort();
	b->addr = qemu_plugin_tb_vaddr(tb);
	b->insns = qemu_plugin_tb_n_insns(tb);
	b->next = blocks;
	blocks = b;

	/* first the return of one, then the entry of another, then this block's own */
	qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, on_block, CB_NO_REGS, COND_NE, watch, 0, b);
	if (b->addr == mark.addr)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_mark, CB_R_REGS, b);
	for (p = probes; p < probes + nr_probes; p++) {
		if (b->addr != p->addr)
			continue;
		b->probe = p;
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_probe, CB_R_REGS, b);
	}
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, INLINE_ADD, insns, b->insns);
}

static void on_cpu(uint64_t id, unsigned int cpu)
{
	struct array *regs = qemu_plugin_get_registers();
	struct reg *r = (struct reg *)regs->data;
	unsigned int i;

	(void)id;
	if (cpu)
		return;
	for (i = 0; i < regs->len; i++) {
		if (!strcmp(r[i].name, "rsp"))
			rsp = r[i].handle;
		if (!strcmp(r[i].name, "rdi"))
			rdi = r[i].handle;
	}
}

static void on_exit_(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	end_section();
	fclose(out);
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	struct qemu_plugin_scoreboard *score;
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		struct probe *p = &probes[nr_probes];

		if (!strncmp(argv[i], "out=", 4)) {
			out = fopen(argv[i] + 4, "w");
		} else if (sscanf(argv[i], "mark=%" SCNx64, &mark.addr) == 1) {
			continue;
		} else if (nr_probes < MAX_PROBES &&
			   sscanf(argv[i], "probe=%63[^:]:%" SCNx64, p->name, &p->addr) == 2) {
			nr_probes++;
		} else {
			fprintf(stderr, "insns.so: what is %s?\n", argv[i]);
			return -1;
		}
	}
	if (!out || !mark.addr) {
		fprintf(stderr, "insns.so: needs out= and mark=\n");
		return -1;
	}
	buf = g_byte_array_new();
	score = qemu_plugin_scoreboard_new(2 * sizeof(uint64_t));
	insns = (u64_entry){ score, 0 };
	watch = (u64_entry){ score, sizeof(uint64_t) };
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
	return 0;
}
