/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BPF_TESTMOD_TABLE_H
#define _BPF_TESTMOD_TABLE_H

#include "bpf_testmod_kfunc.h"

/* With a table, and no callback. A program for a member is run when the struct_ops
 * is attached.
 */
struct bpf_testmod_table_ops {
	int (*first)(int arg);
	int (*second)(int arg);
	int (*third)(int arg);
	int (*fourth)(int arg);
};

/* With a callback that falls back on a table */
struct bpf_testmod_fallback_ops {
	int (*first)(int arg);
	int (*second)(int arg);
};

/* Those of bpf_testmod_table_ops, in the order of its table */
int bpf_kfunc_table_own(int a) __ksym;
int bpf_kfunc_table_inside(int a) __ksym;
int bpf_kfunc_table_same(int a) __ksym;
int bpf_kfunc_table_never(int a) __ksym;
int bpf_kfunc_table_shared(int a) __ksym;
int bpf_kfunc_table_shared_outside(int a) __ksym;

/* That of bpf_testmod_fallback_ops */
int bpf_kfunc_table_fallback(int a) __ksym;

/* Nobody's */
int bpf_kfunc_table_unnamed(int a) __ksym;

#endif /* _BPF_TESTMOD_TABLE_H */
