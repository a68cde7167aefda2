#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What an ordinary user, root of a user namespace and a container with CAP_NET_ADMIN can do, cannot do, and can see. For a VM,
# because it loads and unloads the module.
#
# ANYIP6_KO names the module, if it is not where common.sh looks. Six kinds of attempt must not write to the log. ANYIP6_FLOOD
# (17000) is how often each is repeated.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

flood=${ANYIP6_FLOOD:-17000}
default_on=/sys/module/anyip6/parameters/default_on
event=$tracefs/events/anyip6/anyip6_decision
tmp=$(mktemp -d)

# Command prefixes that in_ns can run too.
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
net_admin=("${nobody[@]}" --inh-caps +net_admin --ambient-caps +net_admin)
net_bind_service=("${nobody[@]}" --inh-caps +net_bind_service --ambient-caps +net_bind_service)
userns=("${nobody[@]}" unshare --user --map-root-user)
# shellcheck disable=SC2016 # the inner shell's own
write=(bash -c 'echo "$0" >"$1"')

# A test that changed $ns made its own namespace.
clean() {
	[ -z "$helper" ] || kill_process "$helper"
	helper=''
	! loaded || unload
	[ "$ns" = "$first_ns" ] || cleanup_ns "$ns"
	ns=$first_ns
	ip -6 route flush table local 2001:db8:5::/64
}

end() {
	clean
	cleanup_all_ns
	rm -rf "$tmp"
}

# denied REASON COMMAND...: the command fails for that reason.
denied() {
	! "${@:2}" >"$tmp/out" 2>&1 || say_why "not denied: ${*:2}" || return
	grep -q "$1" "$tmp/out" || say_why "${*:2}: expected '$1', got: $(paste -sd' ' "$tmp/out")"
}

# bind_is RESULT ADDR PORT [COMMAND...]: TCP and UDP binds give RESULT. COMMAND runs the binder.
bind_is() {
	is "$2 tcp: $1 $2 udp: $1" "$("${@:4}" env "ANYIP6_PORT=$3" "$base/lib/binder" "$2" | paste -sd' ')" "${*:4} bind"
}

# --- Who can do what ---

user_reads() {
	load &&
		is 1 "$("${nobody[@]}" cat "$toggle")" toggle &&
		is "$(cat "$counters")" "$("${nobody[@]}" cat "$counters")" counters &&
		is "$(cat "$hooks")" "$("${nobody[@]}" cat "$hooks")" hooks
}

user_writes_nothing() {
	local file
	load || return
	for file in "$toggle" "$counters" "$hooks" "$default_on"; do
		denied "Permission denied" "${nobody[@]}" "${write[@]}" 0 "$file" &&
			denied "Permission denied" "${userns[@]}" "${write[@]}" 0 "$file" || return
	done
	is 1 "$(cat "$toggle")" toggle
}

# all_denied COMMAND...
all_denied() {
	denied "not permitted" "${nobody[@]}" "$@" && denied "not permitted" "${userns[@]}" "$@" &&
		denied "not permitted" "${net_admin[@]}" "$@"
}

user_loads_nothing() { all_denied insmod "$anyip6_ko" && all_gone && load && all_denied rmmod anyip6 && loaded; }

# As in IPv4, every user can bind local addresses.
user_binds_what_is_local() {
	load && bind_is ok "$any" 4242 in_ns "${nobody[@]}" && bind_is EADDRNOTAVAIL "$outside" 4242 in_ns "${nobody[@]}"
}

low_ports_need_their_capability() {
	load &&
		bind_is EACCES "$any" 81 in_ns "${nobody[@]}" && bind_is EACCES "$any" 81 in_ns "${net_admin[@]}" &&
		bind_is ok "$any" 81 in_ns "${net_bind_service[@]}" &&
		bind_is EADDRNOTAVAIL "$outside" 81 in_ns "${net_bind_service[@]}"
}

# shellcheck disable=SC2016 # the inner shell's own
userns_root_has_a_toggle() {
	load &&
		is "1 0" "$("${userns[@]}" --net bash -c 'cat "$0" && echo 0 >"$0" && cat "$0"' "$toggle" | paste -sd' ')" "its toggle" &&
		is 1 "$(cat "$toggle")" "init's toggle"
}

# start_helper COMMAND...: runs beside the test.
start_helper() {
	"$@" &
	helper=$!
}

# It cannot write another toggle: not through another process, not through an open file it was given, not from its old namespace.
userns_root_has_no_other() {
	local fd netns
	load && start_helper "${nobody[@]}" sleep 1000 && exec {fd}<>"$toggle" {netns}</proc/self/ns/net || return
	denied "Permission denied" "${userns[@]}" --net "${write[@]}" 0 "/proc/$$/root$toggle" &&
		denied "Permission denied" "${userns[@]}" --net "${write[@]}" 0 "/proc/$helper/root$toggle" &&
		denied "Permission denied" "${userns[@]}" --net "${write[@]}" 0 "/proc/self/fd/$fd" &&
		denied "not permitted" "${userns[@]}" --net bash -c "echo 0 >&$fd" &&
		denied "not permitted" "${nobody[@]}" bash -c "echo 0 >&$fd" &&
		denied "not permitted" "${userns[@]}" --net nsenter "--net=/proc/self/fd/$netns" true &&
		is 1 "$(cat "$toggle")" "init's toggle"
	local result=$?
	exec {fd}>&- {netns}<&-
	return "$result"
}

# Its local routes count in its own namespace only. The host's local routes do not count there.
container_has_its_own_routes() {
	local netns
	load && setup_ns ns && ip -6 route add local 2001:db8:5::/64 dev lo && exec {netns}</proc/self/ns/net || return
	denied "not permitted" in_ns "${nobody[@]}" ip -6 route add local 2001:db8:a::/64 dev lo &&
		in_ns "${net_admin[@]}" ip -6 route add local 2001:db8:a::/64 dev lo &&
		bind_is ok "$any" 4242 in_ns "${nobody[@]}" && bind_is EADDRNOTAVAIL "$any" 4242 &&
		bind_is ok 2001:db8:5::1 4242 && bind_is EADDRNOTAVAIL 2001:db8:5::1 4242 in_ns "${net_admin[@]}" &&
		in_ns "${net_admin[@]}" "${write[@]}" 0 "$toggle" &&
		bind_is EADDRNOTAVAIL "$any" 4242 in_ns "${nobody[@]}" && bind_is ok 2001:db8:5::1 4242 &&
		denied "not permitted" in_ns "${net_admin[@]}" nsenter "--net=/proc/self/fd/$netns" true
	local result=$?
	exec {netns}<&-
	return "$result"
}

# --- What is seen ---

# no_address WHAT: the input is not empty, and contains nothing that looks like a kernel address, hashed or not.
no_address() {
	cat >"$tmp/seen" && [ -s "$tmp/seen" ] || say_why "$1: nothing to see" || return
	! grep -aE '\b(0x)?[0-9a-f]{12,}\b' "$tmp/seen" || say_why "that is in $1"
}

files_tell_no_address() {
	load && in_ns "$base/lib/binder" "$any" "$outside" >"$tmp/out" || return
	cat "$counters" "$toggle" | no_address "the files in /proc" &&
		in_ns cat "$counters" | no_address "counters that count" &&
		"${nobody[@]}" find /sys/module/anyip6 -type f -readable -exec cat {} + | no_address /sys/module/anyip6 &&
		modinfo "$anyip6_ko" | no_address modinfo
}

tracepoint_tells_no_address() {
	load && echo 1 >"$event/enable" && in_ns "$base/lib/binder" "$any" "$outside" >"$tmp/out" || return
	grep anyip6_decision: "$tracefs/trace" | no_address "the trace" && no_address "the format" <"$event/format"
}

# Load the module, try a load that fails, use the toggle, and unload.
log_tells_no_address() {
	load && ! load 2>/dev/null && echo 0 >"$toggle" && ! "${write[@]}" 2 "$toggle" 2>/dev/null && unload &&
		! load default_on=2 2>/dev/null && log_since | grep anyip6 | no_address "the log"
}

# Leaves out messages about the emulated machine's clock. No user causes them.
log_lines() { log_since | grep -cvE 'clocksource|hrtimer|perf: interrupt|random: ' || true; }

# floods RESULT COMMAND...: writing the toggle fails with RESULT.
floods() {
	is "any: ok outside: EADDRNOTAVAIL toggle: $1" "$("${@:2}" "$base/module/intruder" flood "$flood" | paste -sd' ')" "each time"
}

# shellcheck disable=SC2016 # the inner shell's own
log_does_not_grow() {
	load && log_mark && is 0 "$(log_lines)" "lines after a mark" || return
	floods EACCES in_ns "${nobody[@]}" &&
		floods EINVAL "${userns[@]}" --net bash -c 'ip link set lo up; ip -6 route add local 2001:db8:a::/64 dev lo; "$@"' bash &&
		is 0 "$(log_lines)" "new lines in the log"
}

# --- While namespaces and the module come and go ---

# much WHAT: the count is not 0.
much() { [ "$(sed -n "s/^$1: //p" "$tmp/storm")" -gt 0 ] || say_why "$1: none"; }

# all_read CODE: the exit code of the readers.
all_read() {
	sed 's/^/# /' "$tmp/storm"
	is 0 "$1" "exit code of the readers" && much counters && much toggles && much gone && unload && all_gone
}

# The module stays loaded, so a missing file means that its namespace is gone.
files_survive_their_namespace() {
	local code=0
	load || return
	"$base/module/intruder" read 6 >"$tmp/storm" || code=$?
	all_read "$code"
}

files_survive_the_module() {
	local code=0
	load || return
	start_helper "$base/module/intruder" read 6 >"$tmp/storm"
	while kill -0 "$helper" 2>/dev/null; do
		unload && load || return
	done
	wait "$helper" || code=$?
	helper=''
	all_read "$code"
}

need_machine
helper='' ns=''
trap end EXIT
ns_any_ip || exit
first_ns=$ns
run_tests security \
	user_reads user_writes_nothing user_loads_nothing user_binds_what_is_local low_ports_need_their_capability \
	userns_root_has_a_toggle userns_root_has_no_other container_has_its_own_routes \
	files_tell_no_address tracepoint_tells_no_address log_tells_no_address log_does_not_grow \
	files_survive_their_namespace files_survive_the_module
