/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BPF_TEST_KFUNC_TABLE_H
#define _BPF_TEST_KFUNC_TABLE_H

/* With a table about kfuncs of vmlinux */
struct bpf_test_kfunc_table_ops {
	int (*first)(int arg);
	int (*second)(int arg);
};

/* Without one */
struct bpf_test_kfunc_plain_ops {
	int (*first)(int arg);
};

/* With a table that is refused */
struct bpf_test_kfunc_bad_ops {
	int (*first)(int arg);
	int (*second)(int arg);
	int data;
};

#endif /* _BPF_TEST_KFUNC_TABLE_H */
