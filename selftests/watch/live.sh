#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# anyip6 watch: it shows what is decided while it runs, and leaves nothing behind. For a VM.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=../lib/answers.sh source-path=SCRIPTDIR
. "$base/lib/answers.sh"

export PATH=$base/watch:$PATH
instances=$tracefs/instances
event=events/anyip6/anyip6_decision
out=$(mktemp) err=$(mktemp)
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
gone=4194303 # no process has this ID

clean() {
	local odd
	[ -z "$watcher" ] || { kill -KILL "$watcher"; wait "$watcher"; } 2>/dev/null
	watcher=''
	for odd in "$instances"/*; do [ ! -d "$odd" ] || rmdir "$odd"; done
	for odd in "${odd_options[@]}"; do echo "no$odd" >"$tracefs/trace_options" 2>/dev/null; done
	! loaded || unload
	cleanup_all_ns
}

end() {
	clean
	rm "$out" "$err"
}

# enter COMMAND...: how to begin it in $ns. The shell makes it ignore SIGINT otherwise.
enter=(env --default-signal=INT ip netns exec)

watches() { grep -q ^1 "$instance/$event/enable" 2>/dev/null; }

# begin COMMAND...: in the background, in $ns. Its output goes to files.
begin() {
	: >"$err"
	"${enter[@]}" "$ns" "$@" >"$out" 2>"$err" &
	watcher=$!
	instance=$instances/anyip6-$watcher
}

# start [ARG...]: watches, and waits until it does.
start() {
	begin anyip6 watch "$@"
	busywait "$BUSYWAIT_TIMEOUT" watches || say_why "it does not watch: $(cat "$err")"
}

no_instance() { [ ! -e "$instance" ] || say_why "$instance is still there"; }

# ended CODE: waits until it has ended. $said gets what it printed.
ended() {
	local rc=0
	wait "$watcher" || rc=$?
	watcher=''
	said=$(cat "$out")
	is "$1" "$rc" "exit code, with '$(cat "$err")'" && no_instance
}

# finish [SIGNAL]: ends it. It then prints all that has been decided.
finish() {
	kill -"${1:-TERM}" "$watcher" && ended 0 && is "" "$(cat "$err")" "on stderr"
}

# Each line without what nobody can foretell: the time and the process ID.
lines() { sed -E 's/^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} //; s/\[[0-9]+\] / /' <<<"$said"; }

# shows LINE...: just these, in this order. A line twice is for the TCP and the UDP bind of the binder.
shows() { is "$(printf '%s\n' "$@")" "$(lines)" "what it shows"; }

pktinfo() { in_ns "$base/lib/binder" --pktinfo "$@" >/dev/null; }

# named NAME ADDRESS: a bind of a program of that name
named() { in_ns "$base/lib/labbind" "$@" >/dev/null; }

no_route="no local route to it in table local"
yes="bind allowed: $any by a local route in table local"
no="bind refused: $outside: $no_route"

# --- What it shows ---

binds_and_sources() {
	load && ns_any_ip && start && binds ok "$any" && binds EADDRNOTAVAIL "$outside" && pktinfo "$any" "$outside" && finish &&
		shows "binder $yes" "binder $yes" "binder $no" "binder $no" "binder pktinfo allowed: $any by a local route in table local" \
			"binder pktinfo refused: $outside: $no_route"
}

each_reason() {
	load && ns_any_ip && ip -n "$ns" -6 route add unreachable 2001:db8:a:0:bad::/80 table local &&
		ip -n "$ns" link add vrf0 up type vrf table 10 && ip -n "$ns" -6 route add local 2001:db8:f::/64 dev vrf0 table 10 &&
		start && named a 2001:db8:a:0:bad::1 && in_ns ip vrf exec vrf0 "$base/lib/labbind" b 2001:db8:f::1 >/dev/null &&
		in_ns ip vrf exec vrf0 "$base/lib/labbind" c "$any" >/dev/null && in_ns anyip6 off >/dev/null && named d "$any" && finish &&
		shows "a bind refused: 2001:db8:a:0:bad::1: a route in table local that is not local decides" \
			"b bind allowed: 2001:db8:f::1%vrf0 by a local route in table 10" \
			"c bind refused: $any%vrf0: no local route to it in table 10" "d bind refused: $any: net.ipv6.anyip_bind is 0 here"
}

# The kernel's own word for who asks, where there is no better one.
each_path_has_a_word() {
	local caller check asked=0
	load || return
	while read -r caller check _; do
		asked=$((asked + 1))
		[ "$check" = ipv6_chk_mcast_addr ] || grep -qaF "$caller" "$base/watch/anyip6" || say_why "no word for $caller" || return
	done <"$hooks"
	[ "$asked" -gt 0 ]
}

# A name may have any bytes, also those that end a record.
strange_names() {
	load && ns_any_ip && start && named $'a\nb caller=x' "$any" && named ' x(1) [y] "' "$any" && named $'\e[1m\xff' "$any" && finish &&
		shows "a?b caller=x $yes" " x(1) [y] \" $yes" "?[1m? $yes"
}

# What the host's own trace is told does not count for ours.
options_of_the_host() {
	local o
	load && ns_any_ip || return
	for o in "${odd_options[@]}"; do echo "$o" >"$tracefs/trace_options" || return; done
	start && named a "$any" && finish && shows "a $yes"
}

# Where tracefs is not hidden by `ip netns exec`.
on_the_host() {
	load && ns_any_ip || return
	local enter=(env --default-signal=INT nsenter) ns=--net=/run/netns/$ns
	start && nsenter "$ns" "$base/lib/labbind" a "$any" >/dev/null && finish && shows "a $yes"
}

# --- What is chosen ---

refused_only() {
	load && ns_any_ip && start --refused && named a "$any" && named b "$outside" && pktinfo "$any" "$outside" && finish &&
		shows "b $no" "binder pktinfo refused: $outside: $no_route"
}

# by_name NAME OTHER: only a program of that name is shown.
by_name() {
	start --prog "$1" && named "$1" "$any" && named "$2" "$any" && finish && shows "${1:0:15} $yes"
}

of_a_program() {
	load && ns_any_ip && by_name nginx nginx2 && by_name systemd-resolved systemd-resol && by_name "it's \"q\"" it && by_name 'a*' ab &&
		start --prog=nginx --refused && named nginx "$any" && named nginx "$outside" && finish && shows "nginx $no"
}

of_an_address() {
	load && ns_any_ip && start "[$any]:443" && named a "$any" && named a 2001:db8:a::2 && named a "$outside" && finish && shows "a $yes" &&
		start 2001:db8:99::/64 2001:db8:a::2 && named a "$any" && named a 2001:db8:a::2 && named a "$outside" && finish &&
		shows "a bind allowed: 2001:db8:a::2 by a local route in table local" "a $no"
}

of_a_device() {
	load && ns_any_ip && ip -n "$ns" link add vrf0 up type vrf table 10 && start "$any%vrf0" && named a "$any" &&
		in_ns ip vrf exec vrf0 "$base/lib/labbind" b "$any" >/dev/null && finish && shows "b bind refused: $any%vrf0: no local route to it in table 10"
}

# two_netns [ARG...]: watches one of two, while in each of them and on the host a program binds.
two_netns() {
	other_netns=
	load && ns_any_ip && setup_ns other_netns && start "$@" && named a "$any" &&
		ip netns exec "$other_netns" "$base/lib/labbind" b "$any" >/dev/null && "$base/lib/labbind" c "$any" >/dev/null && finish
}

this_netns() { two_netns && shows "a $yes"; }

all_netns() {
	two_netns --all && shows "netns (this one) a $yes" "netns $other_netns b bind refused: $any: $no_route" \
		"netns $(stat -L -c %i /proc/self/ns/net) c bind refused: $any: $no_route"
}

json() {
	local seen
	load && ns_any_ip && start --json && named $'a"\\\n' "$any" && in_ns anyip6 off >/dev/null && named b "$any" && finish || return
	seen=$said
	is 2 "$(grep -c '^{"time":"20[0-9-]*T[0-9:.]*Z","netns":.*}$' <<<"$said")" "lines that are an object" && says '"program":"a\"\\\u000a","pid":' &&
		says '"step":"allowed","reason":"a local route in table local"' && says "\"netns_name\":\"$ns\"" && says '"table":null' || return
	start --json --all && "$base/lib/labbind" c "$any" >/dev/null && finish && says '"netns_name":null' || return
	seen+=$'\n'$said
	start_slow --json && burst && kill -CONT "$watcher" && finish && seen+=$'\n'$said && start_counters --json &&
		named d "$outside" && kill "$watcher" && ended 0 && says '"counters":{"Anyip6RefusedOff":1}}' &&
		same_members "$seen"$'\n'"$said" 'Cm watch :$' '^\.Ss Steps'
}

# --- Too many for it ---

# burst: 10,000 decisions, in as few processes as possible
burst() { "$base/watch/asker" list 5000 | in_ns xargs "$base/lib/binder" >/dev/null; }

# start_slow [ARG...]: starts, with a small buffer, and stops it for now.
start_slow() { start "$@" && kill -STOP "$watcher" && echo 64 >"$instance/buffer_size_kb"; }

lost() { sed -n 's/^lost: \([0-9]*\) decisions came faster than they could be read$/\1/p' <<<"$said" | awk '{ n += $1 } END { print n + 0 }'; }

# adds_up: the counters are the judge.
adds_up() {
	is 10000 "$(in_ns sed -n 's/^Anyip6Allowed[[:space:]]*//p' "$counters")" Anyip6Allowed &&
		is 10000 $(($(grep -c ' binder\[[0-9]*\] bind allowed: ' <<<"$said") + $(lost))) "shown and lost, $(lost) of them" &&
		is 0 "$(grep -cvE ' binder\[[0-9]+\] bind allowed: |^lost: ' <<<"$said")" "other lines"
}

burst_adds_up() { load && ns_any_ip && start && burst && finish && adds_up; }

burst_is_lost() {
	load && ns_any_ip && start_slow && burst && kill -CONT "$watcher" && finish && adds_up || return
	[ "$(lost)" -gt 5000 ] || say_why "only $(lost) are lost"
}

# --- What it leaves ---

ends_at() { load && ns_any_ip && start && named a "$any" && finish "$1" && shows "a $yes"; }
ends_at_term() { ends_at TERM; }
ends_at_int() { ends_at INT; }
ends_at_hup() { ends_at HUP; }

dead() { ! kill -0 "$watcher" 2>/dev/null; }

# The reader ends after one line. Nothing more is decided, so nothing more is written.
ends_with_its_reader() {
	load && ns_any_ip || return
	"${enter[@]}" "$ns" anyip6 watch > >(head -n 1 >"$out") 2>"$err" &
	watcher=$!
	instance=$instances/anyip6-$watcher
	busywait "$BUSYWAIT_TIMEOUT" watches && named a "$any" && busywait "$BUSYWAIT_TIMEOUT" dead || say_why "it goes on" || return
	ended 141 && is "" "$(cat "$err")" "on stderr" && shows "a $yes"
}

full_disk() {
	load && ns_any_ip || return
	"${enter[@]}" "$ns" anyip6 watch >/dev/full 2>"$err" &
	watcher=$!
	instance=$instances/anyip6-$watcher
	busywait "$BUSYWAIT_TIMEOUT" watches && named a "$any" && ended 4 &&
		is "anyip6: cannot write: No space left on device" "$(cat "$err")" "what it says"
}

# What was killed cannot tidy up. The next one does, but leaves what belongs to others.
stale_instance() {
	load && ns_any_ip && start && kill -KILL "$watcher" || return
	wait "$watcher" 2>/dev/null
	[ -d "$instance" ] && mkdir "$instances/anyip6-$gone" "$instances/anyip6-$$" "$instances/mine" || say_why "no instance is left" || return
	start && finish && is "anyip6-$$ mine" "$(cd "$instances" && echo *)" "instances"
}

other_tracer() {
	load && ns_any_ip && mkdir "$instances/mine" && echo 'allowed == 0' >"$instances/mine/$event/filter" && echo 1 >"$instances/mine/$event/enable" &&
		echo global >"$instances/mine/trace_clock" && named before "$outside" && start --prog nobody && named while "$outside" && named while "$any" &&
		finish && named after "$outside" || return
	is "before while after" "$(sed -nE 's/.* comm=([a-z]+) .*/\1/p' "$instances/mine/trace" | xargs)" "what the other one has" &&
		is 1 "$(cat "$instances/mine/$event/enable")" "its event" && is "allowed == 0" "$(cat "$instances/mine/$event/filter")" "its filter" &&
		is 0 "$(cat "$tracefs/$event/enable")" "the host's event" && is "" "$said" "what ours shows"
}

unloaded_meanwhile() {
	load && ns_any_ip && start && named a "$any" && unload && ended 3 &&
		is "anyip6: watch: the module was unloaded" "$(cat "$err")" "what it says"
}

# --- Without privileges ---

says_why() { [ -s "$err" ]; }

# start_counters [ARG...]: watches as an ordinary user, and waits until it has read the counters.
start_counters() {
	begin "${nobody[@]}" anyip6 watch "$@"
	busywait "$BUSYWAIT_TIMEOUT" says_why
}

# moved COUNTER: how far, in all lines
moved() { grep -oE " $1 \+[0-9]+" <<<"$said" | awk -F + '{ n += $2 } END { print n + 0 }'; }

counters_for_users() {
	load && ns_any_ip && start_counters && binds ok "$any" && binds EADDRNOTAVAIL "$outside" && pktinfo "$outside" &&
		busywait "$BUSYWAIT_TIMEOUT" test -s "$out" && named a "$outside" && kill "$watcher" && ended 0 && is 2 "$(moved Anyip6Allowed)" allowed && is 4 "$(moved Anyip6RefusedNoRoute)" refused &&
		is "anyip6: watch: tracefs: Permission denied; these are the counters, each second that they change" "$(cat "$err")" "what it says" || return
	start_counters --refused && binds ok "$any" && binds EADDRNOTAVAIL "$outside" && kill "$watcher" && ended 0 &&
		is 0 "$(moved Anyip6Allowed)" allowed && is 2 "$(moved Anyip6RefusedNoRoute)" refused
}

counters_until_unloaded() {
	load && ns_any_ip && start_counters && unload && ended 3 && is "anyip6: watch: the module was unloaded" "$(tail -n 1 "$err")" "what it says"
}

users_cannot_choose() {
	local arg
	load && ns_any_ip || return
	for arg in --all --prog=nginx "$any"; do
		answers 4 "${nobody[@]}" anyip6 watch "$arg" && is 1 "$(wc -l <<<"$said")" lines && says "tracefs: Permission denied; without it there are only" || return
	done
}

# In a container, tracefs is often missing, for root too.
no_tracefs() {
	load && ns_any_ip && answers 4 unshare -m bash -c '
		mount -t tmpfs none /sys/kernel && exec unshare --pid --fork --mount-proc anyip6 watch --all' &&
		says "anyip6: watch: tracefs is not mounted; without it there are only the counters of this netns"
}

# --- The command line ---

not_loaded() {
	setup_ns ns && answers 3 anyip6 watch && says "anyip6: watch: the module is not loaded"
}

arguments() {
	load && setup_ns ns && answers 2 anyip6 watch --prog && says "--prog: which?" && answers 2 anyip6 watch --nosuch && says "--nosuch: not understood" &&
		answers 2 anyip6 watch 192.0.2.1 && answers 4 bash -c 'exec anyip6 watch >&-' && says "stdout is closed"
}

need_machine
if [ -z "$man" ] || ! type -P anyip6 >/dev/null; then
	ktap_skip_all "no tool or man"
	exit "$KSFT_SKIP"
fi
ns='' said='' watcher='' instance='' other_netns=''
odd_options=(stacktrace latency-format raw)
trap end EXIT
run_tests live binds_and_sources each_reason each_path_has_a_word strange_names options_of_the_host on_the_host refused_only of_a_program \
	of_an_address of_a_device this_netns all_netns json burst_adds_up burst_is_lost ends_at_term ends_at_int ends_at_hup ends_with_its_reader \
	full_disk stale_instance other_tracer unloaded_meanwhile counters_for_users counters_until_unloaded users_cannot_choose no_tracefs \
	not_loaded arguments
