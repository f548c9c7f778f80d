/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KFUNC_TRACE_H__
#define __KFUNC_TRACE_H__

enum call_from {
	FROM_SELECT_CPU,
	FROM_ENQUEUE,
	FROM_DISPATCH,
	NR_FROM,
};

enum call_order {
	FIFO,
	VTIME,
	NR_ORDERS,
};

enum probe_kind {
	KPROBE,
	FENTRY,
	FEXIT,
	NR_PROBES,
};

#endif /* __KFUNC_TRACE_H__ */
