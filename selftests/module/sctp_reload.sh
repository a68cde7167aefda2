#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SCTP and L2TP over IPv6 are modules. They load and unload before and after anyip6 while sockets bind. For a VM.
#
# SCTP holds references to itself: each netns has a control socket, which counts. So "modprobe -r sctp" says "in use" on every
# kernel, with or without anyip6. Forced removal works while no other socket is open, so the binders close theirs.
# Forced removal leaves a pointer to freed text. Only SCTP packets would follow it, and this test sends none. It also disables
# lockdep until the next boot. So L2TP comes first, and run.sh runs this script last.
#
# ANYIP6_RELOADS (20): the number of cycles. ANYIP6_KO names the module, if it is not where common.sh looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

cycles=${ANYIP6_RELOADS:-20}
deadline=20 # seconds
no=EADDRNOTAVAIL
storms=2
out=$(mktemp -d)
gate=$out.gate
pids=()

stop_storms() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	[ ${#pids[@]} -eq 0 ] || wait "${pids[@]}"
	pids=()
}

clean() {
	stop_storms
	! loaded || unload
}

end() {
	clean
	cleanup_all_ns
	rm -rf "$out" "$gate" "$gate.lock"
}

trap end EXIT

start_storms() {
	local i
	for ((i = 0; i < storms; i++)); do
		ip netns exec "$ns" nice -n 10 "$base/module/modbind" storm "$any" "$gate" >"$out/$i" &
		pids+=($!)
	done
}

sctp_refs() { cat /sys/module/sctp/refcnt; }

# The references that SCTP's control sockets hold while no other socket is open.
learn_own_refs() {
	modprobe sctp && own_refs=$(sctp_refs)
}

remove_sctp() {
	local until=$((SECONDS + deadline)) rc
	: >"$gate"
	flock -x "$gate.lock" true
	# The kernel may free a closed socket a little later.
	while there sctp && [ "$(sctp_refs)" != "$own_refs" ]; do
		[ "$SECONDS" -lt "$until" ] || say_why "$(sctp_refs) references to sctp" || break
	done
	! there sctp || rmmod -f sctp
	rc=$?
	rm "$gate"
	return "$rc"
}

# A socket of the storm may hold the module for a moment, and the next socket loads it again. One successful removal is enough.
remove_l2tp() {
	local until=$((SECONDS + deadline))
	while there l2tp_ip6 && ! modprobe -q -r l2tp_ip6; do
		[ "$SECONDS" -lt "$until" ] || say_why "l2tp_ip6 cannot be removed" || return
	done
}

remove() { "remove_${1%_ip6}"; }

# binds_to MODULE RESULT: every socket type of sctp or l2tp_ip6 gets RESULT for the Any-IP address.
binds_to() {
	local want=$2
	[ "$1" != sctp ] || want="$2 $2"
	is "$want" "$(in_ns "$base/module/modbind" once "${1%_ip6}" "$any")" "$1 bind" &&
		is "${want//ok/$no}" "$(in_ns "$base/module/modbind" once "${1%_ip6}" "$outside")" "$1 bind outside"
}

# anyip6 unloads right after a bind, and the protocol unloads while anyip6 is loaded. Neither pins the other.
protocol_first() {
	modprobe "$1" && binds_to "$1" "$no" && load && binds_to "$1" ok &&
		remove "$1" && modprobe "$1" && binds_to "$1" ok &&
		unload && binds_to "$1" "$no" && remove "$1"
}

anyip6_first() {
	remove "$1" && load && modprobe "$1" && binds_to "$1" ok &&
		remove "$1" && modprobe "$1" && binds_to "$1" ok &&
		echo 0 | in_ns tee "$toggle" >/dev/null && binds_to "$1" "$no" &&
		echo 1 | in_ns tee "$toggle" >/dev/null && binds_to "$1" ok &&
		remove "$1" && unload && modprobe "$1" && binds_to "$1" "$no" && remove "$1"
}

sctp_first() { protocol_first sctp; }
anyip6_before_sctp() { anyip6_first sctp; }
l2tp_first() { protocol_first l2tp_ip6; }
anyip6_before_l2tp() { anyip6_first l2tp_ip6; }

# socket() loads the protocol on demand. Even the first bind must get the right answer.
loaded_on_demand() {
	remove sctp && remove l2tp_ip6 && load &&
		binds_to sctp ok && binds_to l2tp_ip6 ok && unload
}

# Cycles alternate. Either anyip6 goes first and the protocols reload under it, or they go first and reload while it loads.
cycle_beside_binds() {
	if (($1 % 2)); then
		load && binds_to sctp ok && remove sctp && remove l2tp_ip6
	else
		remove sctp && remove l2tp_ip6 && load
	fi && binds_to sctp ok && binds_to l2tp_ip6 ok &&
		unload && binds_to sctp "$no" && binds_to l2tp_ip6 "$no"
}

reload_beside_binds() {
	local i
	start_storms
	for ((i = 0; i < cycles; i++)); do
		cycle_beside_binds "$i" || say_why "cycle $i" || return
	done
	stop_storms
	awk '{ n[$1] += $2 } END { for (k in n) print "#", k, n[k] }' "$out"/* | sort
}

# A socket gets an error of its own if the protocol is being unloaded.
both_answers_and_no_others() {
	local others
	others=$(awk '{ print $1 }' "$out"/* | grep -vxE "ok|$no|EPROTONOSUPPORT|ESOCKTNOSUPPORT|EADDRINUSE|ENOBUFS")
	is "" "$others" "other results" && grep -q '^ok ' "$out"/* && grep -q "^$no " "$out"/*
}

need_machine
ns_any_ip
learn_own_refs
needs=([both_answers_and_no_others]=reload_beside_binds [no_splat]=reload_beside_binds)
run_tests sctp_reload l2tp_first anyip6_before_l2tp sctp_first anyip6_before_sctp loaded_on_demand \
	reload_beside_binds both_answers_and_no_others no_splat all_gone
