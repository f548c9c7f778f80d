/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DISPATCH_RELOC_H__
#define __DISPATCH_RELOC_H__

/* Where a task was dispatched from ... */
enum dispatch_reloc_member {
	FROM_SELECT_CPU,
	FROM_ENQUEUE,
	FROM_DISPATCH,
	NR_FROM,
};

/* ... and how */
enum dispatch_reloc_flags {
	BY_VTIME	= 1 << 0,	/* scx_bpf_dispatch_vtime() */
	BY_SUBPROG	= 1 << 1,	/* in a subprogram that all three share */
	NR_BY		= 1 << 2,
};

struct dispatch_reloc_stat {
	__u64 nr_dispatched;
	__u64 nr_ran;
	__u64 nr_wrong;
};

#endif /* __DISPATCH_RELOC_H__ */
