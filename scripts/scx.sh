# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Inside the VM: start and stop schedulers of sched_ext. Sourced after lib.sh, never run.
# shellcheck disable=SC2034

scx=/sys/kernel/sched_ext
tmp=$(mktemp -d)
name='' pid='' failed=0

fail() { echo "$ME: error: $*" >&2; failed=$((failed + 1)); }

# await SECONDS COMMAND...: until it succeeds
await() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.1
	done
}
state_is() { [ "$(<$scx/state)" = "$1" ]; }
ended() { ! kill -0 "$pid" 2>/dev/null; }
enabled() { state_is enabled || ended; }

# stop SIGNAL: the scheduler $pid, until it and its operations are gone.
stop() {
	kill -"$1" "$pid" 2>/dev/null || true
	await 300 ended || { fail "$name does not end after SIG$1"; kill -KILL "$pid"; }
	wait "$pid" 2>/dev/null || true
	pid=
	await 300 state_is disabled || die "$name is not disabled after its end: cannot go on"
}

# cpus 1|0: all but the first go on or off. scx_flatcg puts a cgroup aside when its DSQ is
# empty, and does not see a task that another CPU has dispatched but not yet put there: the
# task stalls. A matter of luck on a machine, sure to happen in a slow VM, with or without
# the series: it runs on one CPU.
cpus() {
	local cpu
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ ! -e "$cpu" ] || [ "$(<"$cpu")" = "$1" ] || echo "$1" >"$cpu"
	done
}

# pin_enabler: scx_central refuses to start when its init runs on another than its central
# CPU, 0. Init runs in a kernel thread, which exists from the first scheduler on.
pin_enabler() {
	pgrep '^scx_(ops_)?enable_' >/dev/null 2>&1 || timeout -s INT 5 scx_simple >/dev/null 2>&1 || true
	taskset -p 1 "$(pgrep '^scx_(ops_)?enable_')" >/dev/null
	await 300 state_is disabled || die "scx_simple is not disabled after its end"
}

[ -e $scx/state ] || die "this kernel has no sched_ext"
state_is disabled || die "a scheduler is loaded already: $(cat $scx/root/ops)"
