// SPDX-License-Identifier: GPL-2.0
/* Calls of kfuncs that depend on where they are made, see RELOC_KFUNCS() in
 * test_kmods/bpf_testmod.c.
 */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "bpf_experimental.h"
#include "../test_kmods/bpf_testmod.h"
#include "../test_kmods/bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

/* A program of a member, and a map for libbpf to find the member's type */
#define PROG(type, member, prog, ...)					\
	int prog(unsigned long long *ctx);				\
	SEC(".struct_ops.link")						\
	struct type ops_##prog = { .member = (void *)prog };		\
	SEC("struct_ops/" #member)					\
	int BPF_PROG(prog, ##__VA_ARGS__)
#define RELOC_PROG(member, prog)	PROG(bpf_testmod_reloc_ops, member, prog, int arg)
#define BAD_PROG(member, prog)		PROG(bpf_testmod_bad_reloc_ops, member, prog, int arg)

#define __calls(kfunc)	__xlated("...") __xlated("call " kfunc "{{$}}")

#define SRC		"(insn {{[0-9]+}}): return bpf_kfunc_reloc_test(arg); @ verifier_kfunc_reloc.c:"
#define IN(member)	"bpf_testmod_reloc_ops." member
#define IN_ASYNC	"an asynchronous callback of a bpf_testmod_reloc_ops program, "
#define TEST_IN		"; allowed in: test_first, test_next, test_same, asynchronous callbacks (insn "
#define SYNC_IN		"; allowed in: test_first, test_next, test_same (insn "
#define ASYNC_IN	"; allowed in: test_same, asynchronous callbacks (insn "
#define REFUSED(kfunc, where)	kfunc "() cannot be called from " where
#define NO_TEST		REFUSED("bpf_kfunc_reloc_test", IN("test_none") TEST_IN)
#define NO_SYNC(func)	REFUSED("bpf_kfunc_reloc_sync", IN_ASYNC func SYNC_IN)
#define DIFFERS(func)	"bpf_kfunc_reloc_test() has different meanings in "	\
			IN("test_first") " and in " IN_ASYNC func TEST_IN

int bpf_test_modorder_retx(void) __ksym;
void bpf_kfunc_reloc_missing(int arg) __ksym __weak;

const volatile bool never;

struct elem {
	struct bpf_timer timer;
	struct bpf_wq wq;
	struct bpf_task_work tw;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

typedef int (elem_cb)(void *map, int *key, struct elem *elem);

/* A callback of map elements and asynchronous, which does one thing */
#define ELEM_CB(name, expr)					\
	static int name(void *map, int *key, struct elem *elem)	\
	{							\
		expr;						\
		return 0;					\
	}

static __always_inline int start_timer(elem_cb cb)
{
	struct elem *elem = bpf_map_lookup_elem(&elems, &(int){0});

	if (elem)
		bpf_timer_set_callback(&elem->timer, cb);
	return 0;
}

static __always_inline int start_wq(elem_cb cb)
{
	struct elem *elem = bpf_map_lookup_elem(&elems, &(int){0});

	if (elem)
		bpf_wq_set_callback(&elem->wq, (void *)cb, 0);
	return 0;
}

static __noinline int static_test(int arg)
{
	return bpf_kfunc_reloc_test(arg);
}

__noinline int global_test(int arg)
{
	return static_test(arg);
}

static int loop_test_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_reloc_test(*arg);
	return 0;
}

ELEM_CB(test_cb, bpf_kfunc_reloc_test(1))
ELEM_CB(static_test_cb, static_test(1))
ELEM_CB(global_test_cb, global_test(1))

static __noinline int static_sync(int arg)
{
	return bpf_kfunc_reloc_sync(arg);
}

__noinline int global_sync(int arg)
{
	return static_sync(arg);
}

static int loop_sync_cb(u32 i, int *arg)
{
	*arg = bpf_kfunc_reloc_sync(*arg);
	return 0;
}

ELEM_CB(sync_cb, bpf_kfunc_reloc_sync(1))
ELEM_CB(static_sync_cb, static_sync(1))
ELEM_CB(global_sync_cb, global_sync(1))

/* In each member another function is called. */

__success __calls("bpf_kfunc_reloc_test_first")
__calls("bpf_kfunc_reloc_sync")
RELOC_PROG(test_first, first)
{
	return bpf_kfunc_reloc_test(arg) + bpf_kfunc_reloc_sync(arg);
}

__success __calls("bpf_kfunc_reloc_test_next")
RELOC_PROG(test_next, next)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(REFUSED("bpf_kfunc_reloc_test", IN("test_none")))
__msg("; allowed in: test_first, test_next, test_same, asynchronous callbacks ") __msg(SRC)
RELOC_PROG(test_none, none)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(REFUSED("bpf_kfunc_reloc_async", IN("test_first") ASYNC_IN))
RELOC_PROG(test_first, first_async)
{
	return bpf_kfunc_reloc_async(arg);
}

__success __calls("bpf_kfunc_reloc_implicit_first")
RELOC_PROG(test_first, first_implicit)
{
	return bpf_kfunc_reloc_implicit(arg);
}

/* Each call site is logged with its source line, also if another one has the same. */
#define LOG	"bpf_kfunc_reloc_test() relocated to bpf_kfunc_reloc_test_first() in first_log() "
#define LOG_SRC	"(insn {{[0-9]+}}): return bpf_kfunc_reloc_test(arg) + bpf_kfunc_reloc_test(1); @ "

__success __log_level(2)
__msg(LOG) __msg(LOG_SRC) __msg(LOG) __msg(LOG_SRC)
RELOC_PROG(test_first, first_log)
{
	return bpf_kfunc_reloc_test(arg) + bpf_kfunc_reloc_test(1);
}

/* Other kfuncs and other struct_ops are left alone. */

__success __calls("bpf_kfunc_common_test")
RELOC_PROG(test_none, none_other_kfunc)
{
	bpf_kfunc_common_test();
	return 0;
}

__success
BAD_PROG(test_errno, other_module)
{
	return bpf_test_modorder_retx();
}

__success __calls("bpf_kfunc_reloc_test")
PROG(bpf_testmod_ops2, test_1, other_struct_ops)
{
	return bpf_kfunc_reloc_test(1);
}

/* Functions that a kfunc is bound to cannot be called by their names. */

int bpf_kfunc_reloc_test_first(int arg) __ksym;

__failure __msg("calling kernel function bpf_kfunc_reloc_test_first is not allowed")
RELOC_PROG(test_first, by_name)
{
	return bpf_kfunc_reloc_test(arg) + bpf_kfunc_reloc_test_first(arg);
}

/* All that runs before the program returns runs in the member. */

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, first_static)
{
	return static_test(arg);
}

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, first_global)
{
	return global_test(arg);
}

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, first_loop)
{
	bpf_loop(2, loop_test_cb, &arg, 0);
	return arg;
}

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, first_each)
{
	bpf_for_each_map_elem(&elems, test_cb, NULL, 0);
	return 0;
}

__noinline int exception_cb(u64 cookie)
{
	return bpf_kfunc_reloc_test(cookie);
}

__exception_cb(exception_cb)
__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, first_throw)
{
	bpf_throw(arg);
	return 0;
}

/* Asynchronous callbacks run in no member, nor does anything that they call. */

__success __calls("bpf_kfunc_reloc_test_first")
__calls("bpf_kfunc_reloc_test_async")
RELOC_PROG(test_first, timer)
{
	bpf_kfunc_reloc_test(arg);
	return start_timer(test_cb);
}

__success __calls("bpf_kfunc_reloc_test_async")
RELOC_PROG(test_none, wq_global)
{
	return start_wq(global_test_cb);
}

__failure __msg(NO_SYNC("sync_cb()"))
RELOC_PROG(test_first, timer_sync)
{
	return start_timer(sync_cb);
}

__failure __msg(NO_SYNC("sync_cb()"))
RELOC_PROG(test_first, task_work_sync)
{
	struct elem *elem = bpf_map_lookup_elem(&elems, &(int){0});

	if (elem)
		bpf_task_work_schedule_signal(bpf_get_current_task_btf(), &elem->tw, &elems,
					      (void *)sync_cb);
	return 0;
}

__failure __msg(NO_SYNC("static_sync() called by static_sync_cb()"))
RELOC_PROG(test_first, timer_static_sync)
{
	static_sync(arg);
	return start_timer(static_sync_cb);
}

__failure __msg(NO_SYNC("static_sync() called by global_sync() called by global_sync_cb()"))
RELOC_PROG(test_first, wq_global_sync)
{
	static_sync(arg);
	return start_wq(global_sync_cb);
}

static int loop_cb(void *map, int *key, struct elem *elem)
{
	int arg = 1;

	bpf_loop(1, loop_sync_cb, &arg, 0);
	return 0;
}

__failure __msg(NO_SYNC("loop_sync_cb()"))
RELOC_PROG(test_first, timer_loop_sync)
{
	return start_timer(loop_cb);
}

/* ... a callback of a global subprogram as well */
__noinline int global_loop(int arg)
{
	bpf_loop(1, loop_sync_cb, &arg, 0);
	return arg;
}

ELEM_CB(global_loop_cb, global_loop(1))

__failure __msg(NO_SYNC("loop_sync_cb()"))
RELOC_PROG(test_first, timer_global_loop_sync)
{
	return start_timer(global_loop_cb);
}

ELEM_CB(arm_wq_cb, start_wq(sync_cb))

__failure __msg(NO_SYNC("sync_cb()"))
RELOC_PROG(test_first, timer_wq_sync)
{
	return start_timer(arm_wq_cb);
}

/* ... and one that a global subprogram arms */
__noinline int global_arm(void)
{
	return start_timer(sync_cb);
}

__failure __msg(NO_SYNC("sync_cb()"))
RELOC_PROG(test_first, global_timer_sync)
{
	return global_arm();
}

/* An instruction that runs in the member and in a callback means one thing. */

__failure __msg(DIFFERS("test_cb()"))
RELOC_PROG(test_first, both_cb)
{
	bpf_for_each_map_elem(&elems, test_cb, NULL, 0);
	return start_timer(test_cb);
}

__failure __msg(DIFFERS("static_test() called by static_test_cb()"))
RELOC_PROG(test_first, both_static)
{
	static_test(arg);
	return start_timer(static_test_cb);
}

__failure __msg(DIFFERS("static_test() called by global_test() called by global_test_cb()"))
RELOC_PROG(test_first, both_global)
{
	global_test(arg);
	return start_timer(global_test_cb);
}

__success __calls("bpf_kfunc_reloc_test_async")
RELOC_PROG(test_same, same_static)
{
	static_test(arg);
	return start_timer(static_test_cb);
}

static __noinline int static_async(int arg)
{
	return bpf_kfunc_reloc_async(arg);
}

ELEM_CB(static_async_cb, static_async(1))

__success __calls("bpf_kfunc_reloc_async")
RELOC_PROG(test_same, same_kfunc)
{
	static_async(arg);
	return start_timer(static_async_cb);
}

/* The walk of the callback is not pruned at a state of the walk of the member:
 * with BPF_F_TEST_STATE_FREQ there is a state at each jump and its target.
 */
static __noinline int static_jump(int arg)
{
	asm volatile ("if %[arg] == 0 goto +1; %[arg] = 0;" : [arg] "+r"(arg));
	return bpf_kfunc_reloc_test(0);
}

static int static_jump_cb(void *map, int *key, struct elem *elem)
{
	int arg = bpf_get_prandom_u32();

	static_jump(arg);
	return 0;
}

__flag(BPF_F_TEST_STATE_FREQ)
__failure __msg(DIFFERS("static_jump() called by static_jump_cb()"))
RELOC_PROG(test_first, both_pruned)
{
	start_timer(static_jump_cb);
	static_jump(bpf_get_prandom_u32());
	return 0;
}

/* A static subprogram is walked for each call, so constants guard a call in it. */

static __noinline int guarded(int arg, bool call)
{
	if (call)
		return bpf_kfunc_reloc_test(arg);
	return 0;
}

static __always_inline int call_guarded(bool call)
{
	barrier_var(call);	/* not a constant to the compiler */
	return guarded(1, call);
}

ELEM_CB(guard_off_cb, call_guarded(false))

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, guard_off)
{
	call_guarded(true);
	return start_timer(guard_off_cb);
}

ELEM_CB(guard_on_cb, call_guarded(true))

__failure __msg(DIFFERS("guarded() called by guard_on_cb()"))
RELOC_PROG(test_first, guard_on)
{
	call_guarded(true);
	return start_timer(guard_on_cb);
}

/* A global one is walked once for all calls. */
__noinline int global_guarded(int arg, int call)
{
	if (call)
		return bpf_kfunc_reloc_test(arg);
	return 0;
}

ELEM_CB(global_guard_off_cb, global_guarded(1, 0))

__failure __msg(DIFFERS("global_guarded() called by global_guard_off_cb()"))
RELOC_PROG(test_first, global_guard_off)
{
	global_guarded(arg, 1);
	return start_timer(global_guard_off_cb);
}

/* What is static and called by global ones has the contexts of all of these... */

__noinline int global_guard_on(void)
{
	return call_guarded(true);
}

__noinline int global_guard_off_too(void)
{
	return call_guarded(false);
}

ELEM_CB(two_globals_cb, global_guard_off_too())

__failure __msg(DIFFERS("guarded() called by global_guard_off_too() called by two_globals_cb()"))
RELOC_PROG(test_first, two_globals)
{
	global_guard_on();
	return start_timer(two_globals_cb);
}

/* ... but not those of other calls of it. */

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, global_and_static)
{
	global_guard_on();
	return start_timer(guard_off_cb);
}

ELEM_CB(global_guard_on_cb, global_guard_on())

__success __calls("bpf_kfunc_reloc_test_async")
RELOC_PROG(test_first, static_and_global)
{
	call_guarded(false);
	return start_timer(global_guard_on_cb);
}

/* Dead code is never asked about. */

__success
RELOC_PROG(test_none, dead_rodata)
{
	if (never)
		return bpf_kfunc_reloc_test(arg);
	return 0;
}

__success
RELOC_PROG(test_none, dead_ksym)
{
	if (bpf_ksym_exists(bpf_kfunc_reloc_missing)) {
		bpf_kfunc_reloc_missing(arg);
		return bpf_kfunc_reloc_test(arg);
	}
	return 0;
}

/* A live call of a kfunc that the kernel lacks is refused after that. */
__failure __msg("kfunc 'bpf_kfunc_reloc_missing' is referenced but wasn't resolved")
BAD_PROG(test_errno, live_missing)
{
	bpf_kfunc_reloc_missing(arg);
	return 0;
}

static int dead_call_cb(void *map, int *key, struct elem *elem)
{
	if (never)
		global_test(1);
	return 0;
}

__success __calls("bpf_kfunc_reloc_test_first")
RELOC_PROG(test_first, dead_call)
{
	global_test(arg);
	return start_timer(dead_call_cb);
}

/* The kernel does not believe wrong answers. */

#define WRONG(kfunc, func, why)						\
	"kernel bug: bpf_testmod_bad_reloc_ops relocates " kfunc "() to "	\
	func " (btf_id {{[0-9]+}}), but " why
#define WRONG_TEST(func, why)	WRONG("bpf_kfunc_reloc_test", func, why)

__failure __msg(WRONG_TEST("bpf_kfunc_reloc_test_long", "their prototypes differ"))
BAD_PROG(test_proto, bad_proto)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(WRONG_TEST("bpf_kfunc_reloc_test_renamed", "their prototypes differ"))
BAD_PROG(test_param_name, bad_param_name)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(WRONG_TEST("bpf_kfunc_reloc_sync", "that is a kfunc"))
BAD_PROG(test_kfunc, bad_kfunc)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(WRONG_TEST("bpf_testmod_reloc_ops", "that is no function"))
BAD_PROG(test_struct, bad_struct)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(WRONG_TEST("{{.*}}", "they are not of one BTF"))
BAD_PROG(test_vmlinux, bad_vmlinux)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg(WRONG_TEST("?", "they are not of one BTF"))
BAD_PROG(test_no_type, bad_no_type)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure
__msg(WRONG("bpf_rcu_read_lock", "{{.*}}", "the verifier knows one of them by its ID"))
BAD_PROG(test_special, bad_special)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

/* Errors of the table or the callback are those of the program. */

__failure __msg("bpf_kfunc_reloc_test() cannot be called from bpf_testmod_bad_reloc_ops.test_zero")
BAD_PROG(test_zero, bad_zero)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg("bpf_kfunc_reloc_test() cannot be called from bpf_testmod_bad_reloc_ops.test_twice")
BAD_PROG(test_twice, bad_twice)
{
	return bpf_kfunc_reloc_test(arg);
}

__failure __msg("bpf_kfunc_reloc_test() cannot be called from bpf_testmod_bad_reloc_ops.test_errno")
BAD_PROG(test_errno, bad_errno)
{
	return bpf_kfunc_reloc_test(arg);
}
