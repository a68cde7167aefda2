#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Other users of the same kernel functions. Each of these neighbours comes before and after the module, and goes before and after
# it. For a VM.
#
# ANYIP6_KO and HOLDER_KO name the module and modules/holder.ko, if they are not where common.sh looks. patcher.ko is beside
# holder.ko.
# ANYIP6_NEIGHBOURS is a pattern that chooses neighbours. By default all run.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

# A line is a neighbour: its name, how it comes, its function, and what happens to an Any-IP address while both are there.
#   works     binds work, and the neighbour sees them
#   unseen    binds work, but the neighbour does not see them
#   hidden    the neighbour hides the caller
#   rivals    the kernel lets only one of the two in. If the module comes second and needs the function, it does not load. If not, it
#             leaves those who ask there to the kernel
#   replaced  the caller is no longer the one that the module knows, and the module needs it
#   left      the same, and the module does without it
#   noticed   these binds do not take the patched path, and the module cannot prove it
neighbours() {
	local hides_caller=works bpf_with_us=works graph=works
	# A kretprobe on arm64 changes the return address before ftrace reads it.
	[ "$(uname -m)" != aarch64 ] || hides_caller=hidden
	# Before 6.0, every BPF trampoline is a rival of IPMODIFY.
	! older 6.0 || bpf_with_us=rivals
	# Before 5.17, function_graph does not show a redirected call.
	! older 5.17 || graph=unseen
	cat <<-END
		kprobe_check     probe     p  ipv6_chk_addr            works
		kprobe_path      probe     p  __inet6_bind             works
		kretprobe_check  probe     r  ipv6_chk_addr            $hides_caller
		kretprobe_path   probe     r  __inet6_bind             works
		fprobe_check     probe     f  ipv6_chk_addr            works
		fprobe_exit      exit      f  ipv6_chk_addr            works
		function         tracer    function        ipv6_chk_addr  works
		function_graph   tracer    function_graph  ipv6_chk_addr  $graph
		graph_path       tracer    function_graph  __inet6_bind   works
		fentry_check     bpf       fentry  ipv6_chk_addr  $bpf_with_us
		fexit_check      bpf       fexit   ipv6_chk_addr  $bpf_with_us
		fentry_path      bpf       fentry  __inet6_bind   works
		fexit_path       bpf       fexit   __inet6_bind   works
		perf_trace       perf      ipv6_chk_addr   works
		kprobe_acast     probe     p  ipv6_chk_acast_addr_src  works
		kretprobe_acast  probe     r  ipv6_chk_acast_addr_src  $hides_caller
		function_acast   tracer    function  ipv6_chk_acast_addr_src  works
		fentry_acast     bpf       fentry  ipv6_chk_acast_addr_src  $bpf_with_us
		klp_acast        klp       ipv6_chk_acast_addr_src  rivals
		klp_check        klp       ipv6_chk_addr   rivals
		klp_path         klp       __inet6_bind    replaced
		klp_raw          klp       rawv6_bind      left
		klp_ping         klp       ping_bind       left
		klp_pktinfo      klp       ip6_datagram_send_ctl  left
		klp_sctp         klp       sctp_v6_available  noticed
	END
}

# --- How neighbours come and go ---
# A neighbour must see the next bind. The module's self-test at load is a bind too, so *_forget leaves it out.

probe_come() { echo "$1:anyip6_test/neighbour $2" >>"$tracefs/dynamic_events" 2>/dev/null && probe_on; }
exit_come() { echo "$1:anyip6_test/neighbour $2%return" >>"$tracefs/dynamic_events" 2>/dev/null && probe_on; }
probe_on() { forget_trace && echo 1 >"$tracefs/events/anyip6_test/neighbour/enable"; }
probe_go() {
	echo 0 >"$tracefs/events/anyip6_test/neighbour/enable"
	echo '-:anyip6_test/neighbour' >>"$tracefs/dynamic_events"
}
exit_go() { probe_go; }
forget_trace() { echo >"$tracefs/trace"; }
probe_forget() { forget_trace; }
exit_forget() { forget_trace; }
probe_sees() { grep -q neighbour: "$tracefs/trace"; }
exit_sees() { probe_sees; }

tracer_come() {
	local filter=set_ftrace_filter
	[ "$1" = function ] || filter=set_graph_function
	echo "$2" >"$tracefs/$filter" && forget_trace && echo "$1" >"$tracefs/current_tracer"
}
tracer_go() {
	echo nop >"$tracefs/current_tracer"
	echo >"$tracefs/set_ftrace_filter"
	echo >"$tracefs/set_graph_function"
}
tracer_forget() { forget_trace; }
tracer_sees() { grep -v '^#' "$tracefs/trace" | grep -q .; }

bpf_come() {
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in"
	"$base/module/fentry" "$1" "$2" <"$tmp/in" >"$tmp/out" 2>/dev/null &
	bpf=$!
	exec {bpf_fd}>"$tmp/in"
	while kill -0 "$bpf" 2>/dev/null && ! grep -qs . "$tmp/out"; do :; done
	grep -q attached "$tmp/out" || { cat "$tmp/out" >&2 && return 1; }
}
# The program ends when its input ends.
bpf_go() {
	exec {bpf_fd}>&-
	wait "$bpf"
}
# For each input line the program prints how often it was called.
bpf_answered() { [ "$(grep -c '^called' "$tmp/out")" -gt "$1" ]; }
bpf_calls() {
	local answers
	answers=$(grep -c '^called' "$tmp/out")
	echo >&"$bpf_fd"
	busywait "$BUSYWAIT_TIMEOUT" bpf_answered "$answers" >/dev/null && sed -n '$s/called //p' "$tmp/out"
}
bpf_forget() { bpf_before=$(bpf_calls); }
bpf_sees() { [ "$(bpf_calls)" -gt "$bpf_before" ]; }

# perf trace writes to its standard error, so its file is always up to date. It sees nothing until it has attached.
perf_come() {
	command -v perf >/dev/null && echo "p:anyip6_test/neighbour $1" >>"$tracefs/dynamic_events" || return
	perf trace -a -e bind -e anyip6_test:neighbour 2>>"$tmp/perf" &
	perf=$!
	busywait "$((BUSYWAIT_TIMEOUT * 10))" perf_attached >/dev/null || { tail -n 5 "$tmp/perf" >&2 && return 1; }
	perf_forget
}
perf_forget() { : >"$tmp/perf"; }
perf_attached() { in_ns "$base/lib/binder" ::1 >/dev/null && perf_sees; }
perf_go() {
	kill -INT "$perf" && wait "$perf"
	echo '-:anyip6_test/neighbour' >>"$tracefs/dynamic_events"
}
perf_sees() { grep -q 'bind(' "$tmp/perf" && grep -q anyip6_test:neighbour "$tmp/perf"; }

# A live patch waits for each task. It signals idle tasks after 15 s.
klp_timeout=$((BUSYWAIT_TIMEOUT * 10))
klp_come() {
	! livepatch_warns || { echo "livepatch and lockdep of PREEMPT_RT" >&2 && return 1; }
	insmod "${patcher_ko:-none}" "function=$1" && busywait "$klp_timeout" grep -qx 0 /sys/kernel/livepatch/patcher/transition
}
klp_forget() { :; }
klp_go() {
	echo 0 >/sys/kernel/livepatch/patcher/enabled && busywait "$klp_timeout" rmmod patcher 2>/dev/null
}

# --- The orders of coming and going ---

come() { here_now=1 && "${kind}_come" "${what[@]}" 2>"$tmp/said"; }
go() { here_now='' && "${kind}_go"; }

# Datagrams go to this port. Without a listener, ICMPv6 would call ipv6_chk_addr(), which would look like a call by a socket.
sink_port=4243
sink_is_there() { in_ns grep -q "$(printf ':%04X ' "$sink_port")" /proc/net/udp6; }

# The module does not load without this function.
needed() { [[ ${what[-1]} =~ ^(ipv6_chk_addr|__inet6_bind)$ ]]; }

# answered WORD: checks the result for an Any-IP address: "works" if all works, "refused" if all is refused, or the word of a
# neighbour. A neighbour affects only the callers of its own function.
answered() {
	local bind=ok pktinfo=ok raw=ok ping=ok no=EADDRNOTAVAIL none=EINVAL addrs=("$any" "$outside" ::1)
	case $1.${what[-1]} in
		refused.*) bind=$no pktinfo=$none raw=$no ping=$no ;;
		hidden.ipv6_chk_acast_addr_src | left.ip*) pktinfo=$none ;;
		hidden.*) bind=$no raw=$no ping=$no ;;
		replaced.*) bind=$no ;;
		left.rawv6_bind) raw=$no ;;
		left.ping_bind) ping=$no ;;
	esac
	is "$any tcp: $bind $any udp: $bind $outside tcp: $no $outside udp: $no ::1 tcp: ok ::1 udp: ok" \
		"$(in_ns "$base/lib/binder" "${addrs[@]}" | paste -sd' ')" "with $name, bind" &&
		is "$any raw: $raw $any ping: $ping $outside raw: $no $outside ping: $no ::1 raw: ok ::1 ping: ok" \
			"$(in_ns "$base/lib/binder" --raw "${addrs[@]}" | paste -sd' ')" "with $name, raw and ping" &&
		is "$any pktinfo: $pktinfo $outside pktinfo: $none ::1 pktinfo: ok" \
			"$(ANYIP6_PORT=$sink_port in_ns "$base/lib/binder" --pktinfo "${addrs[@]}" | paste -sd' ')" "with $name, PKTINFO"
}

both() { "${kind}_forget" && answered "$answer" && watched && told; }

watched() {
	case $answer in
		noticed | left) ;; # a live patch
		unseen) ! "${kind}_sees" || say_why "$name saw it" ;;
		*) "${kind}_sees" || say_why "$name saw nothing" ;;
	esac
}

# A neighbour that hides callers says nothing, and nobody tells the module. So the module has to report it when the check is
# called.
told() {
	local line
	case $answer in
		hidden) line="a kretprobe hides who calls ${what[-1]}: " ;;
		noticed) line="(live patch patcher is here|perhaps no Any-IP for SCTP sockets: ${what[-1]} is held)" ;;
		left) line="(live patch patcher is here|no Any-IP for .*: ${what[-1]} does not call)" ;;
		*) return 0 ;;
	esac
	log_since | grep -qE "anyip6: $line" || say_why "nothing in the log" || return
	! log_since | grep -q 'anyip6: no Any-IP for' || is_unproven
}

first_first() { come && load && both && go && answered works && unload && all_gone; }
first_last() { come && load && both && unload && answered refused && go && all_gone; }
last_first() { load && come && both && go && answered works && unload && all_gone; }
last_last() { load && come && both && unload && answered refused && go && all_gone; }

# is_unproven: the file of hooks has it for the paths that need the neighbour's function, and for no others.
is_unproven() { is "$(grep -E "(^| )${what[-1]} " "$hooks")" "$(grep ' unproven$' "$hooks")" "unproven"; }

# loads_without REASON: the module loads and says that it leaves those who ask the neighbour's function to the kernel. When a live
# patch goes, the module sees it. When another neighbour goes, it has to be loaded again.
loads_without() {
	come && load && log_since | grep -q "anyip6: no Any-IP for IPV6_PKTINFO.*: $1" && answered left && is_unproven && go || return
	[ "$kind" = klp ] || { answered left && unload && load; } || return
	answered works
}

# refused_beside REASON: the module does not load.
refused_beside() {
	come && ! load 2>/dev/null && log_since | grep -q "anyip6: not loaded: .* $1" && answered refused && go && load && answered works
}

# The second of two rivals gets an error. The first keeps working.
rivals_first() { if needed; then refused_beside 'is held by'; else loads_without '.* is held by'; fi; }
rivals_last() {
	load && ! come && grep -q 'Device or resource busy' "$tmp/said" && answered works || say_why "$(cat "$tmp/said")" || return
	[ "$kind" != klp ] ||
		log_since | grep -q "livepatch: failed to register ftrace handler for function '${what[-1]}' (-16)"
}

# The module reports the live patch, when either of the two loads. Configured addresses always work.
replaced_first() { refused_beside live-patched; }
replaced_last() {
	load && come && log_since | grep -q 'anyip6: live patch patcher is here' && answered replaced && go && answered works
}

# The module does not load again under a live patch. Binds on the other paths then fail too.
replaced_last_last() {
	load && come && answered replaced && unload && answered refused && ! load 2>/dev/null && answered refused && go && all_gone
}

# The self-test at load finds that the caller is hidden.
hidden_first() { if needed; then refused_beside 'does not call'; else loads_without '.* does not call'; fi; }

# try NAME ORDER
try() {
	read -r name kind line < <(neighbours | grep "^$1 ")
	read -ra what <<<"${line% *}"
	answer=${line##* }
	if ! come; then
		sed 's/^/# /' "$tmp/said"
		return "$KSFT_SKIP"
	fi
	go
	case $answer.$2 in
		replaced.last_last) replaced_last_last ;;
		rivals.* | replaced.* | hidden.first_*) "${answer}_${2%_*}" ;;
		*) "$2" ;;
	esac
}

clean() {
	[ -z "$here_now" ] || go 2>/dev/null
	! loaded || unload
	forget_trace
}

need_machine
tmp=$(mktemp -d)
trap 'clean; kill_process "$sink"; cleanup_all_ns; rm -rf "$tmp"' EXIT
here_now='' sink=''
# function_graph changes every function of the kernel. On a busy machine this takes longer than a processor may run without a task
# switch.
for limit in /proc/sys/kernel/watchdog_thresh /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout; do
	[ ! -w "$limit" ] || echo 60 >"$limit"
done
ns_any_ip && in_ns sysctl -qw net.ipv4.ping_group_range='0 2147483647' || exit
in_ns socat -u "UDP6-RECV:$sink_port" OPEN:/dev/null &
sink=$!
busywait "$BUSYWAIT_TIMEOUT" sink_is_there >/dev/null || exit
tests=()
while read -r neighbour line; do
	for order in first_first first_last last_first last_last; do
		name=$neighbour.${line##* }.$order
		eval "$name() { try $neighbour $order; }"
		tests+=("$name")
	done
done < <(neighbours | grep -E "${ANYIP6_NEIGHBOURS:-.}")
run_tests coexist "${tests[@]}"
