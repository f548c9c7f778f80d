# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here needs: where things are, and how to say and to fail.
# Sourced, never run. The variables below are for the scripts that source it.
# shellcheck disable=SC2034

# Whoever ends a script ends what it runs, too: each asks for a signal when its parent dies.
# In the toolbox a script is process 1, which no SIGTERM ends; unshare has asked for SIGKILL.
if [ -z "${PK_INSIDE-}" ] && [ "${PK_TIED-}" != $$ ]; then
	PK_TIED=$$ exec setpriv --pdeathsig TERM -- "$0" "$@"
fi

# usage: what --help says: the comment at the top of the script. wrong: to other arguments.
usage() { sed -n '3,/^[^#]/s/^# \?//p' "$0"; }
wrong() { usage >&2; exit 2; }
case ${1-} in -h|--help) usage; exit 0 ;; esac

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ME=$(basename "$0")
# The series that is offered: its files are in the folders at the top.
MAIN=v7.3
export SERIES=${SERIES:-$MAIN}
PATCHES=$TOP/patches/$SERIES
# The toolbox shows build/SERIES as /src/build, so that a compiler sees the same paths
# for each series and in each clone.
OUT=build/$SERIES
BUILD=$TOP/$OUT
[ -z "${PK_INSIDE-}" ] || BUILD=$TOP/build
ROOT=$TOP/build/toolbox
LINUX=$BUILD/linux
# TREE=base: work on build/SERIES/base, which the toolbox shows as build/linux.
TREE=${TREE:-linux}
LOGS=$BUILD/logs
CACHE=${PK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/polymorphic-kfuncs}
JOBS=${JOBS:-$(nproc)}
MIRROR=${PK_MIRROR:-http://deb.debian.org/debian}
SECURITY_MIRROR=${PK_SECURITY_MIRROR:-http://deb.debian.org/debian-security}

SUDO=()
[ "$(id -u)" = 0 ] || SUDO=(sudo)

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: error: %s\n' "$ME" "$*" >&2; exit 1; }

[ -e "$PATCHES/base" ] ||
	die "SERIES=$SERIES: there is no patches/$SERIES, but $(cd "$TOP/patches" && echo v*)"

# time_of SECONDS, took START: for people.
time_of() {
	if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}
took() { time_of $((SECONDS - $1)); }

# need_space DIR MIB: stop before a long step that cannot finish.
need_space() {
	local free
	mkdir -p "$1"
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "$1 has $free MiB free, this needs $2: free some, or set PK_CACHE or clone elsewhere"
}

# tie PID: until untie, a signal that ends this script ends this child, too. For "wait" alone:
# bash keeps a trap waiting for as long as a child in the foreground runs.
tie() {
	# shellcheck disable=SC2064
	trap "kill $1 2>/dev/null; exit 143" TERM HUP
	# shellcheck disable=SC2064
	trap "kill $1 2>/dev/null; exit 130" INT
}
untie() { trap - TERM HUP INT; }

# step NAME TEXT COMMAND...: one line that says what is done and how long it took; on a
# terminal also how long it has run, and the last line of its log, where a download shows
# its progress. The log is NAME.log; the end of it is shown, and the script ends, when
# COMMAND fails. ABOUT=MINUTES: what it takes on two idle cores, when that is long.
step() {
	local name=$1 log=$LOGS/$1.log start=$SECONDS rc=0 pid text=$2${ABOUT:+ (about $ABOUT min)}
	shift 2
	# not the function: the shell that ran it would outlive this one
	[ "$1" != inside ] || set -- "$TOP/scripts/in-toolbox" "${INSIDE_OPTS[@]}" "/src/scripts/$ME" --inside "${@:2}"
	mkdir -p "$LOGS"
	printf '==> %s: %s ... ' "$name" "$text"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	tie $pid
	while [ -t 1 ] && kill -0 $pid 2>/dev/null; do
		printf '\r\e[K==> %s: %s ... %s  %.40s' "$name" "$text" "$(took "$start")" \
			"$(tail -c 200 "$log" | tr '\r\t' '\n ' | tail -n 1)"
		sleep 0.5
	done
	wait $pid || rc=$?
	untie
	[ ! -t 1 ] || printf '\r\e[K==> %s: %s ... ' "$name" "$text"
	if [ "$rc" = 0 ]; then
		printf '%s\n' "$(took "$start")"
		return
	fi
	printf 'FAILED after %s\n' "$(took "$start")"
	if tail -n 1 "$log" | grep '^[a-z-]*: error: ' >&2; then exit 1; fi
	tail -n 20 "$log" | sed 's/^/    /' >&2
	die "$name failed, the whole log is ${log#"$TOP"/}"
}

# inside FUNCTION ARG...: a function of this same script, in the toolbox.
inside() {
	if [ -n "${PK_INSIDE-}" ]; then "$@"; return; fi
	"$TOP/scripts/in-toolbox" "${INSIDE_OPTS[@]}" "/src/scripts/$ME" --inside "$@"
}
INSIDE_OPTS=()

# args MAX "$@": runs the function that inside names; refuses more than MAX arguments, and
# options: a script that has some takes them first.
args() {
	if [ "${2-}" = --inside ]; then
		"${@:3}"
		exit
	fi
	if [ $# -gt $(($1 + 1)) ] || [[ ${2-} == -* ]]; then wrong; fi
}

# hash_of DIR: names the content of the patches there; "none" when there is none.
hash_of() {
	local list=("$1"/[0-9]*.patch)
	[ -e "${list[0]}" ] || { echo none; return; }
	cat "${list[@]}" | sha256sum | cut -c1-16
}

# touched PATCH...: the files that they touch. /dev/null, which has nothing before its first
# slash, is none.
touched() {
	sed -n -E -e 's,^(---|\+\+\+) [^/ ]+/([^ \t]*).*,\2,p' -e 's,^rename (from|to) ,,p' "$@" | sort -u
}

# fetch FILE SHA256 URL...: 0 it is there, now or since earlier, and right, 1 no URL has it;
# else ends.
fetch() {
	local file=$1 sum=$2 url rc err=/tmp/curl.$$
	shift 2
	if [ -e "$file" ]; then
		echo "$sum  $file" | sha256sum --quiet -c >/dev/null 2>&1 && return
		rm -f "$file"
		die "the cached ${file##*/} had not the sha256 $sum: removed, run this again"
	fi
	rm -f "$file.part"
	for url; do
		rc=0
		curl -fL --progress-bar --connect-timeout 20 --speed-limit 1000 --speed-time 60 --retry 2 \
			-o "$file.part" "$url" 2> >(tee "$err" >&2) || rc=$?
		case $rc in
		0)	if ! echo "$sum  $file.part" | sha256sum --quiet -c >/dev/null 2>&1; then
				rm -f "$file.part"
				die "$url has not the sha256 $sum: not used"
			fi
			mv "$file.part" "$file"
			return 0 ;;
		22)	;; # it is not there, or no longer
		*)	rm -f "$file.part"
			die "cannot download $url: $(tr '\r' '\n' <"$err" | sed -n 's/^curl: ([0-9]*) //p' | tail -n 1)" ;;
		esac
	done
	rm -f "$file.part"
	return 1
}

# index_of "TYPE MIRROR SUITE"...: in the array apt, the options with which apt has the signed
# index of these.
index_of() {
	local dir=/tmp/apt by='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
	mkdir -p $dir/lists/partial $dir/cache
	printf '%s main\n' "${@/ / $by }" >$dir/sources.list
	apt=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root)
	apt-get -qq "${apt[@]}" -o APT::Update::Error-Mode=any update >&2 ||
		die "cannot reach Debian's archive, $MIRROR"
}

# source_tar FILE: the tar of the kernel in what scripts/base fetches, on standard output.
source_tar() {
	case $1 in
	*.deb)	dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' ;;
	*)	cat "$1" ;;
	esac | xz -dcT0
}

# value FILE KEY: the value in a file of key=value lines, empty when missing.
value() { [ ! -e "$1" ] || sed -n "s/^$2=//p" "$1" | head -n 1; }

# The kernel tree of the user's own that is the base, empty when it is the archive's.
KERNEL=${KERNEL:-$(value "$BUILD/tree.stamp" kernel)}
