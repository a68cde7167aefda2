#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything, in a VM, as one KTAP stream: module absent, loaded, load.sh, storm.sh. Last line: N passed, N failed, N skipped.
#
# Usage: run.sh [PART...]; the parts are absent, loaded, load and storm. See load.sh and storm.sh for the environment.

# shellcheck source=common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

# Not all load on demand: Debian keeps DCCP from it.
modules=(dummy veth vrf ip6_tunnel dccp_ipv4 dccp_ipv6)
programs=(bind traffic route asis toggle)
# What not every kernel has: DCCP went with 6.16, UDP-Lite with 7.1. Any other skip is a failure.
may_skip='^bind\.(dccp|udplite)_'
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT

# Renumbers, judges skips, leaves out what only says that all is well, and keeps "PASSED FAILED SKIPPED" in the file.
merge() {
	awk -v part="$1" -v may_skip="$may_skip" -v file="$counts" '
		BEGIN { getline < file; close(file); pass = $1; fail = $2; skip = $3; n = pass + fail + skip }
		function result(word, name) { printf "%s %d %s\n", word, ++n, name; fflush() }
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; next }
		/^(ok|not ok) / {
			seen++
			sub(/^ok [0-9]+ (- )?/, "ok ") || sub(/^not ok [0-9]+ (- )?/, "not ")
			word = $1; name = substr($0, length($1) + 2)
			if (word == "ok" && name ~ /# SKIP/ && name ~ may_skip) { skip++; result("ok", name) }
			else if (word == "ok" && name ~ /# SKIP/) { fail++; sub(/# SKIP/, "# unexpected skip:", name); result("not ok", name) }
			else if (word == "ok") { pass++; result("ok", name) }
			else { fail++; result("not ok", name) }
			next
		}
		/^TAP version/ || /^# (Starting|Totals:|PASSED:|FAILED:)/ || /^#  (RUN|      *OK) / { next }
		/^# [0-9]+ skipped test/ || /^# *SKIP/ { next }
		{ print (/^#/ ? "" : "# ") $0; fflush() }
		END {
			if (!plan || seen != plan) { fail++; result("not ok", part ": died, " seen + 0 " of " plan + 0 " tests done") }
			print pass, fail, skip > file
		}'
}

run_part() {
	local name=$1 start=$SECONDS
	shift
	"$@" 2>&1 | merge "$name"
	ktap_print_msg "$name took $((SECONDS - start)) s"
}

run_programs() {
	local p
	for p in "${programs[@]}"; do
		run_part "$p, module $1" env ANYIP6_EXPECT="$1" "$here/$p"
	done
}

part_absent() { run_programs absent; }

part_loaded() {
	load || ktap_print_msg "insmod failed"
	run_programs loaded
	! loaded || unload
}

part_load() { run_part load.sh "$here/load.sh"; }

part_storm() { run_part storm.sh "$here/storm.sh"; }

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(absent loaded load storm)
echo "0 0 0" >"$counts"
ktap_print_header
ktap_print_msg "kernel $(uname -r)"
modprobe -qa "${modules[@]}" || true
for part in "${parts[@]}"; do
	"part_$part"
done
read -r pass fail skip <"$counts"
echo "1..$((pass + fail + skip))"
echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" -eq 0 ] && [ "$pass" -gt 0 ]
