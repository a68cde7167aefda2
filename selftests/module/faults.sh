#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each step of the module's load fails, and each step of its part of making a network namespace. The failure is reported, nothing
# is left behind, and the next try works. For a VM. kmemleak.sh checks for leaked memory.
#
# ANYIP6_KO and HOLDER_KO name the module and modules/holder.ko, if they are not where common.sh looks. refuser.ko is beside
# holder.ko.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

refuser_ko=${holder_ko:+$(first_file "${holder_ko%/*}/refuser.ko")}
refused=/sys/module/refuser/parameters/refused
injectors=(/sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc)
tmp=$(mktemp -d)

# Kernel functions that the module calls and that can fail: operation, function, return value of the failure, text in the log.
calls() {
	cat <<-END
		load   kern_path                 -12  /proc/sys/net/ipv6 cannot be seen from here (-12)
		load   register_pernet_subsys    -12  net.ipv6.anyip_bind cannot be registered (-12)
		load   alloc_percpu                0  net.ipv6.anyip_bind cannot be registered (-12)
		load   proc_create_net_single      0  net.ipv6.anyip_bind cannot be registered (-12)
		load   register_net_sysctl         0  net.ipv6.anyip_bind cannot be registered (-12)
		load   ftrace_set_filter         -12  ftrace cannot redirect ipv6_chk_[a-z_]* in this kernel (-12)
		load   register_ftrace_function  -16  ipv6_chk_[a-z_]* is held by
		load   register_ftrace_function  -11  ftrace cannot redirect ipv6_chk_[a-z_]* in this kernel (-11)
		load   register_module_notifier  -12  modules cannot be followed (-12)
		load   register_kprobe           -12  [a-z0-9_]* not found in this kernel (-12)
		load   sock_create_kern          -12  the test of [a-z0-9_]* ended with error -12
		load   kernel_bind               -12  the test of [a-z0-9_]* ended with error -12
		load   kernel_sendmsg            -12  the test of [a-z0-9_]* ended with error -12
		netns  alloc_percpu                0
		netns  proc_create_net_single      0
		netns  register_net_sysctl         0
	END
}

# kernel_name FUNCTION: this kernel's name for it.
kernel_name() {
	local names=$1
	case $1 in
		alloc_percpu) names="pcpu_alloc_noprof __alloc_percpu" ;;
		register_net_sysctl) names="register_net_sysctl_sz register_net_sysctl" ;;
	esac
	awk -v names="$names" '
		BEGIN { n = split(names, name, " ") }
		{ there[$3] = 1 }
		END { for (i = 1; i <= n; i++) if (name[i] in there) { print name[i]; exit } }' /proc/kallsyms
}

# Cleans up injectors too: their range becomes empty.
clean() {
	! loaded || unload
	! there refuser || rmmod refuser
	! held || rmmod holder
	[ ! -e /proc/self/fail-nth ] || inject_within 0 0
}

end() {
	clean
	cleanup_all_ns
	rm -rf "$tmp"
}

answers() {
	is "$any tcp: $1 $any udp: $1 $outside tcp: EADDRNOTAVAIL $outside udp: EADDRNOTAVAIL ::1 tcp: ok ::1 udp: ok" \
		"$(in_ns "$base/lib/binder" "$any" "$outside" ::1 | paste -sd' ')" bind
}

# --- The operations: what fails or works, and the state of the machine afterwards ---

op_load=(insmod "$anyip6_ko")
op_netns=(unshare --net cat "$toggle" "$counters")

# load_failed PATTERN: the module reported it in one line.
load_failed() {
	local lines
	lines=$(log_since | grep 'anyip6: ' | grep -v taint)
	is 1 "$(grep -c . <<<"$lines")" "lines in the log" || return
	grep -q "anyip6: not loaded: $1" <<<"$lines" || say_why "no '$1' in: $lines" || return
	all_gone && answers EADDRNOTAVAIL && is "" "$(in_ns ls "$toggle" "$counters" 2>/dev/null)" "left in a namespace"
}

# load_left: the module loaded, and reported in one line what it leaves to the kernel.
load_left() {
	is "anyip6: no Any-IP for IPV6_PKTINFO and ICMPv6 errors: ipv6_chk_acast_addr_src is held by a live patch, a kprobe with a post \
handler or the like" "$(log_since | grep -o 'anyip6: no Any-IP.*')" "in the log" || return
	is 2 "$(grep -c ' ipv6_chk_acast_addr_src unproven$' "$hooks")" "paths" && answers ok && unload && all_gone
}

load_worked() { answers ok && unload && all_gone; }

# A netns that could not be made leaves no line in the log. All other namespaces keep their files.
netns_failed() { is "" "$(log_since | grep anyip6)" "in the log" && netns_worked; }

netns_worked() { answers ok && in_ns cat "$toggle" "$counters" >/dev/null; }

# told ANSWER: the failed program printed the error.
told() {
	local error="Cannot allocate memory"
	[ "$1" != -16 ] || error="busy"
	[ "$1" != -11 ] || error="temporarily unavailable"
	grep -q "$error" "$tmp/err" || say_why "expected '$error', got: $(paste -sd' ' "$tmp/err")"
}

# --- Failures of the kernel's functions, on any kernel ---

# each_call OPERATION FUNCTION ANSWER PATTERN: the first call fails, then the second, and so on until there are no more calls.
each_call() {
	local -n op=op_$1
	local name nth
	name=$(kernel_name "$2")
	[ -n "$refuser_ko" ] && [ -n "$name" ] || say_why "no refuser.ko, or no $2 in this kernel" || return
	[ "$1" = load ] || load || return
	for ((nth = 1; ; nth++)); do
		insmod "$refuser_ko" "function=$name" "answer=$3" "nth=$nth" || return
		log_mark
		if ! "${op[@]}" >"$tmp/out" 2>"$tmp/err"; then
			is 1 "$(cat "$refused")" "calls of $name refused" && told "$3" && "$1_failed" "$4"
		elif [ "$(cat "$refused")" -eq 0 ]; then
			break
		else
			[ "$1.$3" = load.-16 ] && load_left
		fi || say_why "call $nth of $name" || return
		rmmod refuser
	done
	is 0 "$(cat "$refused")" "calls of $name refused, and the $1 works" && rmmod refuser && "$1_worked" || return
	[ "$nth" -gt 1 ] || say_why "$name is not called"
}

# A pernet user that registered after the module fails. The kernel then makes the module undo its part of the netns.
netns_undone() {
	load && insmod "$holder_ko" flavour=netns || return
	log_mark
	! "${op_netns[@]}" >"$tmp/out" 2>"$tmp/err" || say_why "a netns was made" || return
	told -12 && netns_failed && rmmod holder && "${op_netns[@]}" >"$tmp/out" && netns_worked
}

# l2tp_is ANSWER: the result of an L2TP bind to an Any-IP address.
l2tp_is() { is "$1" "$(in_ns "$base/module/modbind" once l2tp "$any")" "l2tp_ip6 bind"; }

# The module cannot hook a path when the protocol's module loads, and reports this. The next load of that module works.
path_is_not_found() {
	modprobe -q -r l2tp_ip6
	load && insmod "$refuser_ko" function=register_kprobe answer=-12 && modprobe l2tp_ip6 || return
	is 1 "$(cat "$refused")" "calls of register_kprobe refused" && l2tp_is EADDRNOTAVAIL && answers ok &&
		log_since | grep -q "anyip6: no Any-IP for L2TP sockets: l2tp_ip6_bind not found in this kernel (-12)" &&
		grep -qx 'l2tp_ip6_bind ipv6_chk_addr unproven' "$hooks" && rmmod refuser && modprobe -r l2tp_ip6 &&
		grep -qx 'l2tp_ip6_bind ipv6_chk_addr absent' "$hooks" && modprobe l2tp_ip6 && l2tp_is ok
}

each_hook_is_held() {
	insmod "$holder_ko" function=ipv6_chk_addr && log_mark && ! "${op_load[@]}" 2>"$tmp/err" && told -16 &&
		load_failed "ipv6_chk_addr is held by" && rmmod holder && all_gone || say_why ipv6_chk_addr || return
	insmod "$holder_ko" function=ipv6_chk_acast_addr_src && log_mark && "${op_load[@]}" && load_left && rmmod holder &&
		all_gone || say_why ipv6_chk_acast_addr_src || return
	"${op_load[@]}" && load_worked
}

# --- Memory failures, where the kernel can inject them ---

inject() { printf '%s\n' "$2" | tee "${injectors[@]/%//$1}" >/dev/null; }

# inject_within START END: allocations fail only while a function in that range runs. 0 0 means nowhere. The kernel does not log
# these failures.
inject_within() {
	inject require-start "$1" && inject require-end "$2" &&
		inject verbose 0 && inject ignore-gfp-wait N && echo 0 >"${injectors[1]}/min-order" &&
		echo N >"${injectors[1]}/ignore-gfp-highmem"
}

# range FUNCTION: its address and the address of the next symbol.
range() { sort /proc/kallsyms | awk -v name="$1" '$3 == name { print "0x" $1 } found { print "0x" $1; exit } { found = $3 == name }'; }

# each_allocation FUNCTION OPERATION...: see failnth.c.
each_allocation() {
	local range
	mapfile -t range < <(range "$1")
	inject_within "${range[@]}" && "$base/module/failnth" "${@:2}" >"$tmp/out"
	local result=$?
	sed "s/^/# $2: /" "$tmp/out"
	[ "$result" -eq 0 ] && [ "$(sed -n 's/^needed: //p' "$tmp/out")" -gt 0 ]
}

allocations_of_load() {
	[ -e /proc/self/fail-nth ] || return "$KSFT_SKIP"
	each_allocation do_one_initcall load "$anyip6_ko" && all_gone
}

allocations_of_netns() {
	[ -e /proc/self/fail-nth ] || return "$KSFT_SKIP"
	load && each_allocation anyip6_net_init netns
}

need_machine
trap end EXIT
ns_any_ip || exit
tests=(each_hook_is_held netns_undone path_is_not_found)
while read -r operation function answer pattern; do
	eval "$operation.$function$answer() { each_call $operation $function $answer '$pattern'; }"
	tests+=("$operation.$function$answer")
done < <(calls)
run_tests faults "${tests[@]}" allocations_of_load allocations_of_netns
