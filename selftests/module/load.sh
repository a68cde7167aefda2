#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading anyip6.ko: its messages, when it refuses to load, and what it leaves behind. For a VM, because it changes
# the whole machine.
#
# ANYIP6_KO and HOLDER_KO name the module and modules/holder.ko, if they are not where common.sh looks. On a kernel that the
# module refuses, ANYIP6_REFUSES is its message without "anyip6: ". Nothing else can be tested there. ANYIP6_FOUND names paths
# that the kernel must have, because it was configured to have them.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

ftrace=/proc/sys/kernel/ftrace_enabled
nonlocal=/proc/sys/net/ipv6/ip_nonlocal_bind

clean() {
	! loaded || unload
	! held || rmmod holder
	echo 1 >"$ftrace"
	echo 0 >"$nonlocal"
	# A test that made a namespace has changed $ns. Making one is slow, so keep the first.
	[ "$ns" = "$first_ns" ] || cleanup_ns "$ns"
	ns=$first_ns
}

end() {
	clean
	cleanup_all_ns
}

# Leaves out the kernel's own message about the first unsigned module.
module_says() { log_since | grep 'anyip6: ' | grep -v 'taint'; }

# The command that runs insmod.
within=()

# refused WORD... -- ARG...: insmod with ARGs fails, one line of the log contains each WORD, and nothing is left behind. insmod's
# error must not be one that modprobe misreads: modprobe ignores EEXIST, and reports ENOENT as missing symbols.
refused() {
	local words=() line said
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	! said=$("${within[@]}" insmod "$anyip6_ko" "$@" 2>&1) || say_why "insmod succeeded" || return
	! grep -E 'File exists|Unknown symbol|No such file' <<<"$said" || return
	line=$(module_says)
	is 1 "$(grep -c . <<<"$line")" "lines in the log" || return
	for word in "${words[@]}"; do
		grep -q -- "$word" <<<"$line" || say_why "no '$word' in: $line" || return
	done
	all_gone
}

hold() {
	[ -n "$holder_ko" ] || say_why "no holder.ko: set HOLDER_KO" || return
	insmod "$holder_ko" function=ipv6_chk_addr flavour="$1" 2>/dev/null
}

default_on() {
	load &&
		is 1 "$(cat "$toggle")" "init's toggle" &&
		is 1 "$(in_ns cat "$toggle")" "toggle of a netns that was there" &&
		binds ok "$any" && binds EADDRNOTAVAIL "$outside" &&
		ns_any_ip && is 1 "$(in_ns cat "$toggle")" "toggle of a new netns" &&
		binds ok "$any"
}

default_on_0() {
	load default_on=0 &&
		is 0 "$(cat "$toggle")" "init's toggle" &&
		is 0 "$(in_ns cat "$toggle")" "toggle of a netns that was there" &&
		binds EADDRNOTAVAIL "$any" &&
		in_ns sysctl -qw net.ipv6.anyip_bind=1 && binds ok "$any" &&
		ns_any_ip && is 0 "$(in_ns cat "$toggle")" "toggle of a new netns" &&
		binds EADDRNOTAVAIL "$any"
}

default_on_1() {
	load default_on=1 && ns_any_ip && is 1 "$(in_ns cat "$toggle")" toggle
}

bad_parameter() {
	! load default_on=2 2>/dev/null || say_why "default_on=2 was taken" || return
	! load default_on=x 2>/dev/null || say_why "default_on=x was taken" || return
	! load ndisc=2 2>/dev/null || say_why "ndisc=2 was taken" || return
	! load hooks=x 2>/dev/null || say_why "hooks=x was taken" || return
	all_gone
}

default_on_is_read_only() {
	load && is 444 "$(stat -c %a /sys/module/anyip6/parameters/default_on)" mode
}

# Without the parameter ndisc the checks of neighbour solicitations are the kernel's, and no sysctl claims otherwise.
ndisc_off() {
	load &&
		is "" "$(grep -E '^(ip6_mc_input|ip6_protocol_deliver_rcu|ndisc_[a-z_]*) ' "$hooks" | grep -v ' off$')" "hooks" &&
		is "" "$(grep -E 'ipv6_chk_(mcast|acast)_addr ' "$tracefs/enabled_functions")" "functions of ftrace" &&
		! [ -e "${toggle%anyip_bind}anyip_ndisc" ]
}

ndisc_on() {
	load ndisc=1 &&
		is 3 "$(grep -cE '^(ip6_mc_input|ip6_protocol_deliver_rcu|ndisc_rcv) .* found$' "$hooks")" "hooks" &&
		is 2 "$(grep -cE '^ipv6_chk_(mcast|acast)_addr ' "$tracefs/enabled_functions")" "functions of ftrace" &&
		is 0 "$(cat "${toggle%anyip_bind}anyip_ndisc")" "init's sysctl" &&
		is 0 "$(in_ns cat "${toggle%anyip_bind}anyip_ndisc")" "sysctl of a netns that was there" &&
		in_ns sysctl -qw net.ipv6.anyip_ndisc=1 &&
		! in_ns sysctl -qw net.ipv6.anyip_ndisc=2 2>/dev/null &&
		ns_any_ip && is 0 "$(in_ns cat "${toggle%anyip_bind}anyip_ndisc")" "sysctl of a new netns" &&
		unload && all_gone
}

log_line() {
	local line
	load || return
	line=$(module_says)
	is 1 "$(grep -c . <<<"$line")" "lines in the log" &&
		grep -q "$(modinfo -F version "$anyip6_ko")" <<<"$line" &&
		grep -q 'ipv6_chk_addr.*__inet6_bind\|__inet6_bind.*ipv6_chk_addr' <<<"$line" && return
	say_why "not enough in: $line"
}

# The file of hooks shows each path with its check and how the module recognises it. It shows no kernel address.
hooks_are_told() {
	load || return
	is 444 "$(stat -c %a "$hooks")" mode || return
	is "__inet6_bind ipv6_chk_addr proven" "$(head -n 1 "$hooks")" "first line" || return
	is "$(grep -c . "$hooks")" "$(grep -cE '^[a-z0-9_]+ ipv6_chk_[a-z_]+ (proven|found|absent|off)$' "$hooks")" "lines in shape" || return
	is "$(module_says | grep -o '[^ ]*>[^ ]*')" "$(sed -n '/ \(absent\|off\)$/!s/^\([^ ]*\) \([^ ]*\) .*/\1>\2/p' "$hooks")" "hooks in the log"
}

# The module finds the paths that this kernel was configured for.
promised_paths() {
	local name
	load || return
	for name in $ANYIP6_FOUND; do
		is found "$(sed -n "s/^$name ipv6_[a-z_]* //p" "$hooks")" "$name" || return
	done
}

# all_0 WHOSE: the input has counters, and each is 0.
all_0() {
	is "" "$(awk '!/^Anyip6[A-Za-z]+[ \t]+0$/; END { if (!NR) print "none" }')" "$1 counters that are not 0"
}

# The self-test at load does not count as a decision.
proof_is_not_counted() {
	load && all_0 "init's" <"$counters" && in_ns cat "$counters" | all_0 "another netns's"
}

double_load() {
	load && ! load 2>/dev/null && binds ok "$any"
}

unload_leaves_nothing() {
	load && binds ok "$any" && unload && all_gone &&
		binds EADDRNOTAVAIL "$any" && ! in_ns test -e "$toggle"
}

load_again() {
	load && unload && load && binds ok "$any" && unload && all_gone
}

ftrace_off() {
	local err
	err=$({ echo 0 >"$ftrace"; } 2>&1) || case $err in
		*"not supported"*) return "$KSFT_SKIP" ;; # nobody can turn it off
		*) say_why "$err" || return ;;
	esac
	refused "not loaded" ftrace_enabled -- &&
		echo 1 >"$ftrace" && load
}

ftrace_off_refused_while_loaded() {
	load || return
	! { echo 0 >"$ftrace"; } 2>/dev/null || say_why "ftrace could be turned off" || return
	binds ok "$any"
}

# A file takes the place of the kernel's own toggle.
toggle_taken() {
	# shellcheck disable=SC2016 # the inner shell's own
	local within=(unshare --mount bash -c 'mount -t tmpfs none "${0%/*}" && touch "$0" && "$@"' "$toggle")
	refused "not loaded" "is there already" -- && load
}

proc_hidden() {
	# shellcheck disable=SC2016 # the inner shell's own
	local within=(unshare --mount bash -c 'mount -t tmpfs none /proc/sys && "$@"' bash)
	refused "not loaded" "/proc/sys/net/ipv6" -- && load
}

held_by_ipmodify() {
	hold ipmodify && refused "not loaded" ipv6_chk_addr -- && rmmod holder && load
}

# Only a kprobe that uses ftrace is a rival. On arm64 no kprobe does.
held_by_kprobe() {
	hold kprobe || return
	if grep -qw ipv6_chk_addr "$tracefs/enabled_functions"; then
		refused "not loaded" ipv6_chk_addr -- && rmmod holder && load
	else
		load && binds ok "$any" && rmmod holder && binds ok "$any"
	fi
}

holds_against_ipmodify() {
	load || return
	! hold ipmodify || say_why "a second IPMODIFY user was let in" || return
	binds ok "$any"
}

# A kprobe that does not change the control flow is not a rival.
shares_with_tracing() {
	hold trace && load && binds ok "$any" && rmmod holder && binds ok "$any"
}

nonlocal_in_init() {
	echo 1 >"$nonlocal" && load && binds ok "$any" && binds EADDRNOTAVAIL "$outside"
}

nonlocal_everywhere() {
	echo 1 >"$nonlocal" && in_ns sysctl -qw net.ipv6.ip_nonlocal_bind=1 || return
	refused "not loaded" ip_nonlocal_bind --
	local result=$?
	in_ns sysctl -qw net.ipv6.ip_nonlocal_bind=0
	return "$result"
}

# An echo server bound to an Any-IP address still accepts connections after the module is gone.
listener_outlives_module() {
	local server answer
	load || return
	in_ns socat "TCP6-LISTEN:4242,bind=[$any],fork" EXEC:cat &
	server=$!
	busywait "$BUSYWAIT_TIMEOUT" listening >/dev/null && unload &&
		answer=$(echo hello | in_ns socat -t 60 - "TCP6:[$any]:4242")
	kill_process "$server"
	is hello "$answer" answer && all_gone
}

listening() { in_ns grep -q ':1092 .* 0A ' /proc/net/tcp6; }

open_file_outlives_module() {
	local fd counts
	load && exec {fd}<>"$toggle" {counts}<"$counters" && unload || return
	! cat <&"$fd" 2>/dev/null || say_why "the file of a module that is gone can be read" || return
	! { echo 0 >&"$fd"; } 2>/dev/null || say_why "and written" || return
	! cat <&"$counts" 2>/dev/null || say_why "the counters of a module that is gone can be read" || return
	exec {fd}>&- {counts}<&-
	all_gone
}

# Unloading works while the tracepoint is enabled.
tracing_outlives_module() {
	local event=$tracefs/events/anyip6/anyip6_decision/enable
	load && echo 1 >"$event" && binds ok "$any" && unload && all_gone && load &&
		is 0 "$(cat "$event")" "$event" && binds ok "$any"
}

# Every netns gets a toggle, even while namespaces come and go.
netns_come_and_go() {
	local before=$ns
	load && ns_any_ip && in_ns test -e "$toggle" && cleanup_ns "$ns" && ns=$before && unload && all_gone
}

# The kernel was booted with ipv6.disable=1. Nothing else can be tested there.
without_ipv6() {
	refused "not loaded" IPv6 --
}

# Without IPv6, the kernel dumps IPv4 addresses and routes instead.
tool_without_ipv6() {
	local out rc=0
	[ -x "$base/watch/anyip6" ] || return "$KSFT_SKIP"
	out=$("$base/watch/anyip6" status) || rc=$?
	is 3 "$rc" "exit code" && is 0 "$(grep -c local <<<"$out")" "prefixes"
}

# The kernel was booted with lockdown=integrity, and nobody signed the module. Nothing else can be tested there.
under_lockdown() {
	local said
	said=$(LC_ALL=C insmod "$anyip6_ko" 2>&1)
	! loaded || { unload && say_why "it loaded"; } || return
	is "insmod: ERROR: could not insert module $anyip6_ko: Operation not permitted" "$said" insmod || return
	dmesg | grep -q "Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7" ||
		say_why "nothing in the log"
}

# The kernel was built without an option that the module needs.
refused_as_told() {
	refused "anyip6: $ANYIP6_REFUSES\$" --
}

need_machine
if [ -n "${ANYIP6_REFUSES:-}" ]; then
	clean() { :; }
	run_tests load refused_as_told
fi
if grep -q 'lockdown=' /proc/cmdline; then
	clean() { :; }
	run_tests load under_lockdown
fi
if [ ! -e /proc/net/if_inet6 ]; then
	clean() { :; }
	run_tests load without_ipv6 tool_without_ipv6
fi
trap end EXIT
ns_any_ip || exit
first_ns=$ns
of_kernel=()
[ -z "${ANYIP6_FOUND:-}" ] || of_kernel+=(promised_paths)
run_tests load \
	default_on default_on_0 default_on_1 ndisc_off ndisc_on bad_parameter default_on_is_read_only log_line hooks_are_told \
	proof_is_not_counted double_load \
	unload_leaves_nothing load_again \
	ftrace_off ftrace_off_refused_while_loaded \
	toggle_taken proc_hidden held_by_ipmodify held_by_kprobe holds_against_ipmodify shares_with_tracing \
	nonlocal_in_init nonlocal_everywhere "${of_kernel[@]}" \
	tracing_outlives_module listener_outlives_module open_file_outlives_module netns_come_and_go
