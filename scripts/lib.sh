# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here needs: where things are, and how to say and to fail.
# Sourced, never run. The variables below are for the scripts that source it.
# shellcheck disable=SC2034

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ME=$(basename "$0")
BUILD=$TOP/build
ROOT=$BUILD/toolbox
LINUX=$BUILD/linux
# TREE=base: work on build/base, which the toolbox shows as build/linux.
TREE=${TREE:-linux}
LOGS=$BUILD/logs
CACHE=${PK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/polymorphic-kfuncs}
SERIES=${SERIES:-v6.12}
PATCHES=$TOP/patches/$SERIES
JOBS=${JOBS:-$(nproc)}

SUDO=()
[ "$(id -u)" = 0 ] || SUDO=(sudo)

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: error: %s\n' "$ME" "$*" >&2; exit 1; }

# took START: the time since $SECONDS was START, for people.
took() {
	local t=$((SECONDS - $1))
	if [ "$t" -lt 60 ]; then printf '%d s' "$t"; else printf '%d min %02d s' $((t / 60)) $((t % 60)); fi
}

# need_space DIR MIB: stop before a long step that cannot finish.
need_space() {
	local free
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "$1 has $free MiB free, this needs $2: free some, or set PK_CACHE or clone elsewhere"
}

# step NAME TEXT COMMAND...: one line that says what is done and how long it
# took. What COMMAND prints goes to build/logs/NAME.log; the end of it is shown,
# and the script ends, when COMMAND fails.
step() {
	local name=$1 text=$2 start=$SECONDS rc=0
	shift 2
	mkdir -p "$LOGS"
	printf '==> %s: %s ... ' "$name" "$text"
	"$@" >"$LOGS/$name.log" 2>&1 </dev/null || rc=$?
	if [ "$rc" = 0 ]; then
		printf '%s\n' "$(took "$start")"
		return
	fi
	printf 'FAILED after %s\n' "$(took "$start")"
	if tail -n 1 "$LOGS/$name.log" | grep -q '^[a-z-]*: error: '; then
		tail -n 1 "$LOGS/$name.log" >&2
		exit 1
	fi
	tail -n 20 "$LOGS/$name.log" | sed 's/^/    /' >&2
	die "$name failed, the whole log is ${LOGS#"$TOP"/}/$name.log"
}

# inside ARG...: this same script, in the toolbox, with these arguments.
inside() { "$TOP/scripts/in-toolbox" "${INSIDE_OPTS[@]}" "/src/scripts/$ME" "$@"; }
INSIDE_OPTS=()

# patches_hash: names the content of the series; "none" when there is none.
patches_hash() {
	local list=("$PATCHES"/[0-9]*.patch)
	[ -e "${list[0]}" ] || { echo none; return; }
	cat "${list[@]}" | sha256sum | cut -c1-16
}

# fetch FILE SHA256 URL...: 0 it is there and right, 1 no URL has it; else ends.
fetch() {
	local file=$1 sum=$2 url rc
	shift 2
	rm -f "$file.part"
	for url; do
		rc=0
		curl -sSfL --connect-timeout 20 --speed-limit 1000 --speed-time 60 --retry 2 \
			-o "$file.part" "$url" 2>/tmp/curl || rc=$?
		case $rc in
		0)	if ! echo "$sum  $file.part" | sha256sum --quiet -c >/dev/null 2>&1; then
				rm -f "$file.part"
				die "$url has not the sha256 $sum: not used"
			fi
			mv "$file.part" "$file"
			return 0 ;;
		22)	;; # it is not there, or no longer
		*)	rm -f "$file.part"
			die "cannot download $url: $(tail -n 1 /tmp/curl)" ;;
		esac
	done
	rm -f "$file.part"
	return 1
}

# value FILE KEY: the value in a file of key=value lines, empty when missing.
value() { [ ! -e "$1" ] || sed -n "s/^$2=//p" "$1" | head -n 1; }

# The kernel tree of the user's own that is the base, empty when it is the tarball.
KERNEL=${KERNEL:-$(value "$BUILD/tree.stamp" kernel)}
