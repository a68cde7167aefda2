# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# run.sh and the scripts of all folders source this file.

# busybox has no readlink -e, which net/lib.sh uses.
readlink -e / >/dev/null 2>&1 || readlink() { command readlink -f "${@:2}"; }

# The folder that holds run.sh and the other folders.
base=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
ksft=${KSFT:-$base/../..}
# shellcheck source=/dev/null
. "$ksft/net/lib.sh"
# shellcheck source=/dev/null
. "$ksft/kselftest/ktap_helpers.sh"

first_file() {
	local f
	for f in "$@"; do
		[ ! -e "$f" ] || { realpath "$f"; return; }
	done
}

# Most of these variables are for the scripts that source this file.
# shellcheck disable=SC2034
{
toggle=/proc/sys/net/ipv6/anyip_bind
counters=/proc/net/anyip6
hooks=/sys/module/anyip6/parameters/hooks
tracefs=/sys/kernel/tracing
any=2001:db8:a::1
outside=2001:db8:99::1
holder_ko=${HOLDER_KO:-$(first_file "$base/modules/holder.ko" /holder.ko)}
patcher_ko=${holder_ko:+$(first_file "${holder_ko%/*}/patcher.ko")}
anyip6_ko=${ANYIP6_KO:-$(first_file "$base/../anyip6.ko" /anyip6.ko)}
}

# These tests load and unload the module, which affects the whole machine.
need_machine() {
	[ "$(id -u)" -eq 0 ] || { ktap_skip_all "needs root"; exit "$KSFT_SKIP"; }
	[ -n "$anyip6_ko" ] || built_in || { ktap_skip_all "no anyip6.ko: set ANYIP6_KO"; exit "$KSFT_SKIP"; }
	! loaded || { ktap_skip_all "anyip6 is loaded, and this test unloads it"; exit "$KSFT_SKIP"; }
	[ -e "$tracefs/enabled_functions" ] || mount -t tracefs tracefs "$tracefs" || true
}

# there MODULE: it is loaded.
there() { grep -q "^$1 " /proc/modules; }

loaded() { there anyip6; }
held() { there holder; }

# livepatch_warns: with PREEMPT_RT, live patching reads its own stack while it is preemptible. lockdep warns about that.
livepatch_warns() { [ -e /proc/lockdep_stats ] && uname -v | grep -q PREEMPT_RT; }

# The kernel has the rule built in (../patches). A run with a module tests that module instead.
built_in() { [ ! -e "$anyip6_ko" ] && [ -e "$toggle" ]; }

# shellcheck disable=SC2120 # called without arguments where the defaults are wanted
load() { built_in || insmod "$anyip6_ko" "$@"; }

unload() { rmmod anyip6; }

# older RELEASE: this kernel is older.
older() { [ "$(printf '%s\n' "$(uname -r)" "$1" | sort -V | head -n 1)" != "$1" ]; }

# ns_any_ip: sets $ns to a new namespace with an Any-IP prefix.
ns_any_ip() {
	ns=
	setup_ns ns && ip -n "$ns" -6 route add local 2001:db8:a::/64 dev lo
}

in_ns() { ip netns exec "$ns" "$@"; }

# say_why WHAT...: prints a diagnostic and fails, so a test can end with it.
say_why() {
	ktap_print_msg "$*"
	return 1
}

# is WANT GOT WHAT
is() {
	[ "$1" = "$2" ] || say_why "$3: expected '$1', got '$2'"
}

# binds RESULT ADDR: checks the result of a TCP and a UDP bind in $ns.
binds() {
	is "$2 tcp: $1 $2 udp: $1" "$(in_ns "$base/lib/binder" "$2" | paste -sd' ')" "bind"
}

# No trace of the module is left.
all_gone() {
	! loaded || say_why "still in /proc/modules" || return
	[ ! -e "$toggle" ] || say_why "$toggle is still there" || return
	[ ! -e "$counters" ] || say_why "$counters is still there" || return
	[ ! -e "$tracefs/events/anyip6" ] || say_why "the tracepoint is still there" || return
	! grep -w anyip6 "$tracefs/enabled_functions" || say_why "a hook of anyip6 is left" || return
	held || ! grep -w ipv6_chk_addr "$tracefs/enabled_functions" || say_why "ipv6_chk_addr is still hooked"
}

marks=0

log_mark() {
	mark="anyip6-selftest-$$-$((++marks))."
	echo "$mark" >/dev/kmsg
}

# The kernel's log since the last mark. If the log was overwritten, it says so, as the old lines are unknown.
log_since() {
	local log
	log=$(dmesg)
	grep -qF "$mark" <<<"$log" || echo "the log was overwritten"
	sed -n "/${mark//./\\.}/,\$p" <<<"$log" | sed 1d
}

# Runs after each test. A script with more to clean up defines its own.
clean() { ! loaded || unload; }

# A test: the whole log has no warning.
no_splat() {
	local lines
	lines=$(dmesg | grep -E 'BUG|WARNING|Oops|Call [Tt]race|general protection|soft lockup|stall')
	is "" "$lines" "in the log"
}

# Which other test a test needs: it checks what that test left behind.
declare -A needs=()

# wanted NAME: the name contains ANYIP6_CASE.
wanted() { [[ $1 == *"${ANYIP6_CASE:-}"* ]]; }

# wanted_tests PREFIX TEST...: prints the wanted tests and those that they need.
wanted_tests() {
	local prefix=$1 t
	local -A chosen=()
	shift
	for t in "$@"; do
		! wanted "$prefix.$t" || chosen[$t]=1 chosen[${needs[$t]:-$t}]=1
	done
	for t in "$@"; do
		[ -z "${chosen[$t]:-}" ] || echo "$t"
	done
}

# run_tests PREFIX TEST...: each test is a function, which may return KSFT_SKIP. Cleanup follows every test, whatever its result.
run_tests() {
	local prefix=$1 tests t rc
	mapfile -t tests < <(wanted_tests "$@")
	[ ${#tests[@]} -gt 0 ] || { ktap_skip_all "no name contains $ANYIP6_CASE"; exit "$KSFT_FAIL"; }
	ktap_print_header
	ktap_set_plan ${#tests[@]}
	for t in "${tests[@]}"; do
		log_mark
		rc=0
		"$t" || rc=$?
		if [ "$rc" -eq 0 ]; then
			ktap_test_pass "$prefix.$t"
		elif [ "$rc" -eq "$KSFT_SKIP" ]; then
			ktap_test_skip "$prefix.$t"
		else
			ktap_test_fail "$prefix.$t"
			log_since | tail -n 20 | sed 's/^/# log: /'
		fi
		clean
	done
	ktap_finished
}
