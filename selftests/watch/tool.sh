#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tool anyip6(8) on a host: in a VRF, where protocols are not loaded, where files are hidden, and what status says. For a VM.
#
# MAN and COMPLETION name the manual pages and the completion, if they are not where this script looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=../lib/answers.sh source-path=SCRIPTDIR
. "$base/lib/answers.sh"

completion=${COMPLETION:-$(first_file "$base/watch/bash-completion" "$base/../packaging/bash-completion")}
export PATH=$base/watch:$PATH

clean() {
	! loaded || unload
	! held || rmmod holder
	cleanup_all_ns
}

# hiding FOLDER... -- COMMAND...: runs the command where the folders are empty, as in some containers.
hiding() {
	local folders=()
	while [ "$1" != -- ]; do folders+=("$1") && shift; done
	shift
	# shellcheck disable=SC2016 # the inner shell expands
	in_ns unshare -m bash -c 'n=$1; shift
		for f in "${@:1:n}"; do mount -t tmpfs none "$f" || exit; done
		shift "$n"; exec "$@"' bash "${#folders[@]}" "${folders[@]}" "$@"
}

# without_sctp COMMAND...: runs the command where the kernel's list of protocols lacks SCTP. The kernel drops mounts in /proc/net, so
# /proc is another one.
without_sctp() {
	local old rc=0
	old=$(mktemp -d)
	# shellcheck disable=SC2016 # the inner shell expands
	in_ns unshare -m bash -c 'mount --bind /proc "$0" && mount -t tmpfs none /proc && mkdir /proc/net /proc/sys &&
		mount --bind "$0/sys" /proc/sys && grep -v "^SCTP" "$0/$$/net/protocols" >/proc/net/protocols || exit
		exec "$@"' "$old" "$@" || rc=$?
	rmdir "$old"
	return "$rc"
}

# --- explain ---

vrf_exec() {
	load && ns_any_ip && ip -n "$ns" link add vrf0 up type vrf table 10 &&
		ip -n "$ns" -6 route add local 2001:db8:f::/64 dev vrf0 table 10 || return
	answers 0 ip vrf exec vrf0 anyip6 explain 2001:db8:f::1 &&
		is "allowed: 2001:db8:f::1%vrf0 by local 2001:db8:f::/64 dev vrf0 table 10" "$(line 1)" "in the VRF" &&
		is "hint: every new socket here is bound to vrf0, as in \`ip vrf exec\`" "$(line 2)" hint &&
		answers 1 ip vrf exec vrf0 anyip6 explain "$any" --pkt && says "$any%vrf0: local 2001:db8:a::/64 dev lo table local is not of VRF vrf0" &&
		answers 0 ip vrf exec vrf0 anyip6 explain 2001:db8:f::1 --json && says '"device":"vrf0"' &&
		answers 1 anyip6 explain 2001:db8:f::1
}

# not_loaded_module PROTO MODULE: the kernel loads MODULE for a socket, but not for the tool.
not_loaded_module() {
	local rc=0
	load && ns_any_ip && modprobe -r "$2" && ! there "$2" || say_why "$2 is loaded" || return
	answers 0 anyip6 explain "$any" --proto "$1" &&
		is "allowed: $any by local 2001:db8:a::/64 dev lo table local; by the rule alone, as $1 is not loaded" "$said" verdict &&
		answers 1 anyip6 explain "$outside" --proto "$1" && says "$outside: no local route to it in table local; by the rule alone" &&
		answers 0 anyip6 explain "$any" --proto "$1" --json && says '"protocol_loaded":false' && says '"error":null' &&
		{ ! there "$2" || say_why "the tool loaded $2"; } || rc=1
	modprobe -q "$2"
	answers 0 anyip6 explain "$any" --proto "$1" && says_nothing_of "not loaded" && return "$rc"
}

l2tp_not_loaded() { not_loaded_module l2tp l2tp_ip6; }

# Whether SCTP tells the kernel its device is not known before it is loaded. Here the kernel's list of protocols lacks it.
sctp_may_hide_device() {
	local without=(without_sctp anyip6 explain --proto sctp)
	load && ns_any_ip && ip -n "$ns" link add vrf0 up type vrf table 10 &&
		ip -n "$ns" -6 route add local 2001:db8:f::/64 dev vrf0 table 10 || return
	answers 4 "${without[@]}" 2001:db8:f::1 --dev vrf0 &&
		is "unknown: 2001:db8:f::1%vrf0: older kernels' SCTP does not tell its device; load sctp and ask again; by the rule alone, as \
sctp is not loaded" "$(line 1)" "in the VRF" &&
		answers 1 "${without[@]}" "$outside" --dev vrf0 && answers 0 "${without[@]}" "$any" &&
		answers 1 anyip6 explain --proto l2tp 2001:db8:f::1 --dev vrf0 && says_nothing_of hint
}

# --- status ---

on_and_off() {
	load && ns_any_ip && answers 0 anyip6 status && is "on: addresses of local routes can be bound here" "$(line 1)" on &&
		answers 0 anyip6 off && answers 0 anyip6 status &&
		is "off: net.ipv6.anyip_bind is 0 here; to turn it on: anyip6 on" "$(line 1)" off &&
		answers 0 anyip6 status --json && says '{"verdict":"off"'
}

not_asked() {
	load && ns_any_ip && in_ns sysctl -qw net.ipv6.ip_nonlocal_bind=1 && answers 0 anyip6 status &&
		is "not asked: net.ipv6.ip_nonlocal_bind is 1 here, so every address can be bound, mistyped ones too" "$(line 1)" verdict &&
		says "net.ipv6.anyip_bind is 1, net.ipv6.ip_nonlocal_bind is 1" &&
		answers 0 anyip6 status --json && says '"ip_nonlocal_bind":true'
}

# The words for what is not hooked do not look like faults.
hooks_without_alarm() {
	load && ns_any_ip && answers 0 anyip6 status && says_nothing_of absent &&
		says "  not asked for with ndisc=1: ip6_mc_input" && says "  __inet6_bind             ipv6_chk_addr           proven" || return
	! grep -q ' absent$' "$hooks" || says "  not needed, as the kernel does not have them now: "
}

# Somebody holds the check that two paths ask.
unproven_paths() {
	insmod "$holder_ko" function=ipv6_chk_acast_addr_src && load && ns_any_ip && answers 0 anyip6 status &&
		is 2 "$(grep -c ' unproven$' <<<"$said")" "paths that are unproven" &&
		says "warning: what is unproven keeps the kernel's answers; see the kernel log"
}

# The counters come before the prefixes. Of these it shows 20.
many_prefixes() {
	load && ns_any_ip || return
	for n in {1..24}; do ip -n "$ns" -6 route add local "2001:db8:b$n::/64" dev lo || return; done
	answers 0 anyip6 status && is 20 "$(grep -c ' local 2001:' <<<"$said")" "prefixes that are shown" &&
		is "  and 5 more (--all or --json)" "$(tail -n 1 <<<"$said")" "last line" &&
		is "decisions" "$(grep -oE '^ (decisions|Any-IP prefixes)' <<<"$said" | head -n 1 | tr -d ' ')" "what comes first" &&
		answers 0 anyip6 status --json && is 25 "$(grep -o '"prefix":' <<<"$said" | wc -l)" "prefixes in JSON" || return
	said=$(in_ns anyip6 status --all | sed -n '/^netns (this one)/,/^netns [^(]/p')
	is 25 "$(grep -c ' local 2001:' <<<"$said")" "prefixes with --all" && says_nothing_of more
}

no_prefix() {
	load && setup_ns ns && answers 0 anyip6 status && is "  none" "$(tail -n 1 <<<"$said")" "last line"
}

# Where /sys is hidden, the sysctl says that the module is there.
sys_hidden() {
	load && ns_any_ip && answers 0 hiding /sys -- anyip6 status && is "on: addresses of local routes can be bound here" "$(line 1)" verdict &&
		says_nothing_of "not loaded" && says "whose version is in /sys, which is hidden here" &&
		answers 0 hiding /sys -- anyip6 status --json && says '"loaded":true,"version":null'
}

sys_hidden_not_loaded() {
	ns_any_ip && answers 3 hiding /sys -- anyip6 status && says "not loaded: "
}

all_hidden() {
	load && ns_any_ip && answers 4 hiding /sys /proc/sys -- anyip6 status &&
		is "unknown: /proc/sys and /sys are hidden here" "$(line 1)" verdict &&
		answers 4 hiding /proc/sys -- anyip6 status &&
		is "unknown: the module is loaded, but net.ipv6.anyip_bind cannot be seen here" "$(line 1)" "verdict where /sys can be seen"
}

other_version() {
	load && ns_any_ip && answers 0 anyip6 status && says_nothing_of hint &&
		answers 0 with_file /sys/module/anyip6/version '0.0.7\n' anyip6 status && says "anyip6 0.0.7, kernel" &&
		is "hint: this tool is of version $(modinfo -F version "$anyip6_ko"); to load the installed module: modprobe -r anyip6 && modprobe anyip6" \
			"$(line 3)" hint
}

# The kernel log has the reason of the last refusal, until the module has been loaded and unloaded.
refused_at_load() {
	setup_ns ns && sysctl -qw net.ipv6.ip_nonlocal_bind=1 && in_ns sysctl -qw net.ipv6.ip_nonlocal_bind=1 || return
	load 2>/dev/null && say_why "it loaded"
	sysctl -qw net.ipv6.ip_nonlocal_bind=0
	! loaded && answers 3 anyip6 status &&
		is "not loaded: net.ipv6.ip_nonlocal_bind=1 in every netns hides the check; load while a netns has it 0 ('ip netns add' makes one)" \
			"$(line 1)" "verdict" && answers 3 anyip6 status --json && says '"reason":"net.ipv6.ip_nonlocal_bind=1 in every' || return
	load && unload && dep 'updates/anyip6.ko:' && is "not loaded: it was unloaded" "$(line 1)" "verdict after that"
}

# dep TEXT: asks for the status where modules.dep has this text.
dep() { answers 3 with_file "/lib/modules/$(uname -r)/modules.dep" "kernel/net/ipv6/sit.ko: x\n$1\n" anyip6 status; }

no_module_file() {
	setup_ns ns && dmesg -c >/dev/null && dep 'updates/not-anyip6.ko:' &&
		is "not loaded: there is no module file for kernel $(uname -r); \`anyip6 check\` says more" "$(line 1)" "without a file" &&
		dep 'updates/dkms/anyip6.ko.xz:' && is "not loaded: to load it: modprobe anyip6" "$(line 1)" "with a file"
}

# --- the command line ---

version() {
	setup_ns ns && answers 0 anyip6 --version && is "anyip6 $(modinfo -F version "$anyip6_ko")" "$said" version
}

unknown_command() {
	setup_ns ns && answers 2 anyip6 nosuch && is "anyip6: nosuch: unknown command; the commands are: status explain check watch on off add del apply" "$(xargs <<<"$said")" "what it says" &&
		answers 2 anyip6 2001:db8::1 && is "anyip6: 2001:db8::1: unknown command; did you mean: anyip6 explain 2001:db8::1" "$said" hint
}

# completes WANT WORD...: after these words, the last of which is unfinished.
completes() {
	local want=$1
	shift
	# shellcheck disable=SC2016 # the inner shell expands
	is "$want" "$(in_ns bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _anyip6; echo "${COMPREPLY[*]}"' \
		bash "$completion" "$@")" "after $*"
}

bash_completion() {
	setup_ns ns && ip -n "$ns" link add dummy7 type dummy && completes "status" anyip6 st && completes "--dev --dev" anyip6 explain ::1 --d &&
		completes "lo" anyip6 explain ::1 --dev l && completes "dummy7" anyip6 explain ::1 --dev du &&
		completes "udp udplite" anyip6 explain --proto u && completes "--all" anyip6 status --a && completes "on off" anyip6 o &&
		completes "--all --save" anyip6 on -- && completes "--wait" anyip6 apply -- &&
		completes "watch" anyip6 w && completes "--refused --prog --all --json" anyip6 watch -- && completes "bash" anyip6 watch --prog bas && completes "" anyip6 explain x
}

# --- JSON ---

# All kinds of answers together print each member in each of its types.
json_of_explain() {
	local json
	load && ns_any_ip && ip -n "$ns" link add eth7 up type dummy && in_ns sysctl -qw net.ipv6.anyip_bind=1 || return
	json=$(in_ns anyip6 explain --json "$any" "$outside" ::1 ::/0 "$any%lo"
		in_ns anyip6 explain --json "$any" --dev eth7 --ndisc
		in_ns anyip6 off >/dev/null
		in_ns anyip6 explain --json "$any" 2001:db8:a::/64)
	said=$json
	is "" "$(grep -v '^{.*}$' <<<"$json")" "lines that are no object" &&
		says '"route":{"type":"local","prefix":"2001:db8:a::/64","device":"lo","table":"local"}' && says '"route":null' &&
		same_members "$json" 'Cm explain :$' 'Cm status :$'
}

json_of_status() {
	local json
	load ndisc=1 && ns_any_ip || return
	json=$(in_ns anyip6 status --json && ip netns list >/dev/null && in_ns anyip6 status --all --json)
	unload
	json+=$(in_ns anyip6 status --json)
	same_members "$json" 'Cm status :$' 'Cm check :$'
}

need_machine
if [ -z "$man" ] || [ -z "$completion" ] || ! type -P anyip6 >/dev/null; then
	ktap_skip_all "no tool, man or completion"
	exit "$KSFT_SKIP"
fi
ns='' said=''
trap clean EXIT
run_tests tool vrf_exec l2tp_not_loaded sctp_may_hide_device on_and_off not_asked hooks_without_alarm unproven_paths many_prefixes no_prefix \
	sys_hidden sys_hidden_not_loaded all_hidden other_version refused_at_load no_module_file version unknown_command \
	bash_completion json_of_explain json_of_status
