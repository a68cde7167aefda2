#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads and unloads the module in a loop while processes bind without pause. For a VM.
#
# ANYIP6_CYCLES (100): how often. ANYIP6_KO names the module, if it is not where common.sh looks.

# shellcheck source=common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

wanted_cycles=${ANYIP6_CYCLES:-100}
configured=2001:db8:1::1
processes=4
out=$(mktemp -d)
pids=()

clean() { :; }

stop_binders() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}"
	wait "${pids[@]}"
	pids=()
}

end() {
	stop_binders 2>/dev/null
	! loaded || unload
	cleanup_all_ns
	rm -rf "$out"
}

trap end EXIT

# Without pause, but nice: on few processors the loop would otherwise wait for them, not they for the loop.
start_binders() {
	local i
	ns_any_ip && ip -n "$ns" addr add "$configured/128" dev lo nodad || return
	for ((i = 0; i < processes; i++)); do
		# Not in_ns: the shell's own process would get the signal.
		ip netns exec "$ns" nice -n 10 "$here/binder" storm "$any" "$configured" >"$out/$i" &
		pids+=($!)
	done
}

# count WHAT RESULT: over all processes; RESULT is an extended regular expression.
count() { awk -v what="$1" -v re="^($2)\$" '$1 == what && $2 ~ re { n += $3 } END { print n + 0 }' "$out"/*; }

cycles() {
	local i
	start_binders || return
	for ((i = 0; i < wanted_cycles; i++)); do
		load && unload || say_why "cycle $i" || return
	done
	stop_binders
	is 0 "$(find "$out" -type f -empty | wc -l)" "processes that died" || return
	awk '{ n[$1 " " $2] += $3 } END { for (k in n) print "#", k, n[k] }' "$out"/* | sort
}

both_answers_seen() {
	[ "$(count any ok)" -gt 0 ] && [ "$(count any EADDRNOTAVAIL)" -gt 0 ]
}

any_ip_no_other_errno() {
	is "$(count any '.*')" "$(count any 'ok|EADDRNOTAVAIL|EADDRINUSE')" binds
}

configured_never_refused() {
	[ "$(count configured ok)" -gt 0 ] && is "$(count configured '.*')" "$(count configured 'ok|EADDRINUSE')" binds
}

# The log of the storm itself is the cycles' work: log_mark is the first test's.
no_splat() {
	local lines
	lines=$(dmesg | grep -E 'BUG|WARNING|Oops|Call Trace|general protection|soft lockup|stall')
	is "" "$lines" "in the log"
}

need_machine
run_tests storm cycles both_answers_seen any_ip_no_other_errno configured_never_refused no_splat all_gone
