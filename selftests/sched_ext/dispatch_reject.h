/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DISPATCH_REJECT_H__
#define __DISPATCH_REJECT_H__

/* The kfunc that the programs call */
enum dispatch_reject_kfunc {
	CALL_NOTHING,
	CALL_DISPATCH,
	CALL_DISPATCH_VTIME,
	NR_CALLS,

	/* what the two become */
	CALL_DIRECT = NR_CALLS,
	CALL_BUFFERED,
	CALL_VTIME_DIRECT,
	CALL_VTIME_BUFFERED,
	NR_ALL_CALLS,
};

#endif /* __DISPATCH_REJECT_H__ */
