#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs everything, in a VM, as one KTAP stream. The last line is: N passed, N failed, N skipped.
#
# Usage: run.sh [PART...]. The parts are:
#   absent    the module is not loaded
#   loaded    the cases of bind and more, with the module
#   bind      only the cases of bind
#   load, security, faults
#   storm, churn, fuzz (random operations)
#   parity    IPv6 compared with IPv4, and other callers of the checks
#   tool      anyip6(8), and the examples of the manual
#   coexist   other users of the same functions
#   reload    wireguard, sctp and l2tp_ip6
#   table     on its own; prints what docs/reference/parity.md shows
# FOLDER/PROGRAM is a part too, such as rule/bind or module/load. It runs that program alone, without the module and with it.
# kmemleak.sh runs after any parts if the kernel has kmemleak. On a kernel with ../patches and without a module, the parts loaded,
# parity, fuzz and bind test the built-in rule.
#
# ANYIP6_CASE=TEXT: run only the tests whose names contain TEXT, and the tests that they depend on. No match is a failure.
# ANYIP6_MAY_SKIP: a pattern of tests that this kernel may skip because of its configuration, in addition to may_skip() below.
# load.sh, storm.sh, fuzz.sh, sctp_reload.sh, wireguard_reload.sh and unsteady.c describe the other variables.

# shellcheck source=lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib/common.sh"

# Some modules do not load on demand: Debian disables that for DCCP.
modules=(ipv6 dummy veth vrf dccp_ipv4 dccp_ipv6 sctp l2tp_ip l2tp_ip6 l2tp_eth)
modules+=(vxlan geneve wireguard ip_gre ip6_gre ipip ip6_tunnel fou fou6)
cases=(rule/bind rule/traffic rule/route rule/source rule/toggle rule/ndisc)
matrix=(parity/parity parity/callers parity/echo)
tool=(watch/explain)
loaded_only=watch/unsteady
with_ndisc=(rule/ndisc watch/explain) # have tests for a module that is loaded with ndisc=1

# Prints a pattern of what this kernel may lack. Any other skip is a failure.
may_skip() {
	! older 5.11 || echo 'MPTCP|mptcp_' # Debian's 5.10 has it for IPv4 only
	! older 5.16 || echo 'has no MPTCP_SUBFLOW_ADDRS'
	! older 5.18 || echo 'has no PKTINFO on ping sockets'
	! older 6.5 || echo 'coexist[.]fprobe_'
	[ "$(uname -m)" = x86_64 ] || echo 'coexist[.]klp_' # no live patches in Debian's
	! livepatch_warns || echo 'coexist[.]klp_'
	[ "$(uname -m)" = x86_64 ] || echo 'coexist[.]perf_' # no perf in a guest of another architecture
	[ "$(uname -m)" != aarch64 ] || ! older 6.4 || echo 'coexist[.]f(entry|exit)_' # no BPF on ftrace's sites
	! older 6.11 || echo 'io_uring bind'
	older 6.16 || echo 'DCCP|dccp_'
	older 7.1 || echo 'UDP-Lite|udplite_'
	older 7.3 || echo '(load[.]ftrace_off|check[.]found[.]ftrace) #' # kernel.ftrace_enabled=0 is EOPNOTSUPP
	[ -e /proc/self/fail-nth ] || echo 'faults[.]allocations_' # no CONFIG_FAULT_INJECTION
	[ -z "${ANYIP6_MAY_SKIP:-}" ] || echo "$ANYIP6_MAY_SKIP"
}

may_skip=$(may_skip | paste -sd '|')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
counts=$tmp/counts
if ! built_in; then
	# The counters and the tracepoint belong to the module. So do the results from before it was loaded.
	cases+=(watch/watch)
	# A comparison with these results needs all cases.
	[ -n "${ANYIP6_CASE:-}" ] || export ANYIP6_RESULTS=$tmp
fi

# Renumbers tests, judges skips, and drops lines that only report success. Keeps "PASSED FAILED SKIPPED" in the file.
merge() {
	awk -v part="$1" -v may_skip="$may_skip" -v file="$counts" '
		BEGIN { getline < file; close(file); pass = $1; fail = $2; skip = $3; n = pass + fail + skip }
		function result(word, name) { printf "%s %d %s\n", word, ++n, name; fflush() }
		/^1\.\.0/ && ENVIRON["ANYIP6_CASE"] != "" { none = 1; next }
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; next }
		/^(ok|not ok) / {
			seen++
			sub(/^ok [0-9]+ (- )?/, "ok ") || sub(/^not ok [0-9]+ (- )?/, "not ")
			word = $1; name = substr($0, length($1) + 2)
			if (word == "ok" && name ~ /# SKIP/ && may_skip != "" && name ~ may_skip) { skip++; result("ok", name) }
			else if (word == "ok" && name ~ /# SKIP/) { fail++; sub(/# SKIP/, "# unexpected skip:", name); result("not ok", name) }
			else if (word == "ok") { pass++; result("ok", name) }
			else { fail++; result("not ok", name) }
			next
		}
		/^TAP version/ || /^# (Starting|Totals:|PASSED:|FAILED:)/ || /^#  (RUN|      *OK) / { next }
		/^# [0-9]+ skipped test/ || /^# *SKIP/ { next }
		{ print (/^#/ ? "" : "# ") $0; fflush() }
		END {
			if (!none && (!plan || seen != plan)) { fail++; result("not ok", part ": died, " seen + 0 " of " plan + 0 " tests done") }
			print pass, fail, skip > file
		}'
}

# Prints the kernel's coverage data of the module, for ../scripts/lib/coverage.
gcov_data() {
	local file
	find /sys/kernel/debug/gcov -path '*/src/*.gcda' 2>/dev/null | while read -r file; do
		ktap_print_msg "gcda ${file#/sys/kernel/debug/gcov} $(base64 -w 0 "$file")"
	done
}

# The number of tests in all parts so far.
tests_seen() { awk '{ print $1 + $2 + $3 }' "$counts"; }

matched=0

run_part() {
	local name=$1 start=$SECONDS before
	shift
	before=$(tests_seen)
	"$@" 2>&1 | merge "$name"
	matched=$((matched + $(tests_seen) - before))
	ktap_print_msg "$name took $((SECONDS - start)) s"
}

run_script() { run_part "$1" "$base/$1"; }

# programs_absent PROGRAM..., programs_loaded PROGRAM...
programs_absent() {
	local p
	! built_in || return 0
	for p in "$@"; do
		run_part "$p, module absent" env ANYIP6_EXPECT=absent "$base/$p"
	done
}

programs_loaded() {
	local p
	load || ktap_print_msg "insmod failed"
	for p in "$@"; do
		run_part "$p, module loaded" env ANYIP6_EXPECT=loaded "$base/$p"
	done
	! loaded || unload
	for p in "${with_ndisc[@]}"; do
		[[ " $* " != *" $p "* ]] || program_ndisc "$p"
	done
}

# A built-in rule has no parameter.
program_ndisc() {
	! built_in || return 0
	load ndisc=1 || ktap_print_msg "insmod failed"
	run_part "$1, module loaded with ndisc=1" env ANYIP6_EXPECT=ndisc "$base/$1"
	! loaded || unload
}

part_absent() { programs_absent "${cases[@]}"; }

part_loaded() { programs_loaded "${cases[@]}"; }

part_bind() {
	programs_absent rule/bind
	programs_loaded rule/bind
}

part_parity() {
	programs_absent "${matrix[@]}"
	programs_loaded "${matrix[@]}"
}

part_tool() {
	programs_absent "${tool[@]}"
	programs_loaded "${tool[@]}" "$loaded_only"
	run_script watch/examples.sh
	run_script watch/tool.sh
	run_script watch/prefixes.sh
	run_script watch/check.sh
	run_script watch/live.sh
}

# Not a test: prints what docs/reference/parity.md shows.
part_table() {
	load && "$base/parity/parity" --table
	exit
}

part_reload() {
	run_script module/wireguard_reload.sh
	run_script module/sctp_reload.sh
}

part_coexist() { run_script module/coexist.sh; }

part_load() { run_script module/load.sh; }

part_security() { run_script module/security.sh; }

part_faults() { run_script module/faults.sh; }

part_storm() { run_script random/storm.sh; }

part_churn() { run_script random/churn.sh; }

part_fuzz() { run_script random/fuzz.sh; }

# run_one FOLDER/PROGRAM: runs a script, or a program. A program runs without and with the module, or only with it.
run_one() {
	if [ -e "$base/$1.sh" ]; then
		run_script "$1.sh"
		return
	fi
	[ "$1" = "$loaded_only" ] || programs_absent "$1"
	programs_loaded "$1"
}

run_named() {
	case $1 in
		*/*) run_one "${1%.sh}" ;;
		*) "part_$1" ;;
	esac
}

# Is there such a part?
known() { declare -F "part_$1" >/dev/null || [ -x "$base/$1" ] || [ -x "$base/$1.sh" ]; }

# If tests were chosen by name, at least one must exist.
some_matched() {
	[ "$matched" -gt 0 ] ||
		printf "1..1\nnot ok 1 no test's name contains %s\n" "$ANYIP6_CASE" | ANYIP6_CASE='' merge choice
}

# lockdep_on WHEN: if the kernel has lockdep, it must still be active. It stops at its first finding, and when a module is removed
# by force.
lockdep_on() {
	local word="not ok"
	[ -e /proc/lockdep_stats ] || return 0
	! grep -q ' debug_locks: *1$' /proc/lockdep_stats || word=ok
	printf '1..1\n%s 1 lockdep.on_%s\n' "$word" "$1" | merge lockdep
}

parts=("$@")
# coexist comes after faults. Once a kernel has seen a live patch, the module makes more calls at load, which faults must not
# refuse.
# reload comes last, because it ends lockdep.
[ ${#parts[@]} -gt 0 ] || parts=(absent loaded load storm churn fuzz parity tool security faults coexist reload)
for part in "${parts[@]}"; do
	known "$part" || { echo "run.sh: no part $part" >&2 && exit 2; }
done
echo "0 0 0" >"$counts"
modprobe -qa "${modules[@]}" || true
[ "${parts[*]}" != table ] || part_table
ktap_print_header
ktap_print_msg "kernel $(uname -r)"
for part in "${parts[@]}"; do
	lockdep_on "before_$part"
	run_named "$part"
done
[ -z "${ANYIP6_CASE:-}" ] || some_matched
[ "${parts[-1]}" = reload ] || lockdep_on at_the_end
[ ! -e /sys/kernel/debug/kmemleak ] || ANYIP6_CASE='' run_script module/kmemleak.sh
gcov_data
read -r pass fail skip <"$counts"
echo "1..$((pass + fail + skip))"
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" -eq 0 ] && [ "$pass" -gt 0 ]
