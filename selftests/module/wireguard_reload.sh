#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# WireGuard is a module. It loads and unloads before and after anyip6, and its server is asked at an Any-IP address. For a VM.
#
# ANYIP6_RELOADS (5): the number of cycles. ANYIP6_KO names the module, if it is not where common.sh looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

cycles=${ANYIP6_RELOADS:-5}
pings=1000
out=$(mktemp)
pid=

clean() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	pid=
	! loaded || unload
}

end() {
	clean
	rm -f "$out"
}

trap end EXIT

remove() { ! there wireguard || modprobe -r wireguard; }

# answers_from WHERE: the address that the client asked, or another one.
answers_from() { is "$1" "$("$base/module/wgask" once)" "answers"; }

# is_hooked found|absent
is_hooked() { is "send6 ipv6_chk_addr $1" "$(grep '^send6 ' "$hooks")" "hook"; }

wireguard_first() {
	modprobe wireguard && answers_from other && load && is_hooked found && answers_from asked &&
		remove && is_hooked absent && modprobe wireguard && is_hooked found && answers_from asked &&
		unload && answers_from other
}

anyip6_first() {
	remove && load && is_hooked absent && modprobe wireguard && is_hooked found && answers_from asked &&
		unload && answers_from other && load default_on=0 && answers_from other
}

# The device makes the kernel load the module.
loaded_on_demand() { remove && load && answers_from asked && there wireguard; }

firewalled() {
	load && is "ok $pings other 0 lost 0" "$("$base/module/wgask" count "$pings" | paste -sd ' ')" "pings"
}

firewalled_without() { is "ok 0 other 1 lost 0" "$("$base/module/wgask" count 1 | paste -sd ' ')" "pings"; }

# start_pings: pings go on beside the test. The first one has been answered when this returns. A kernel with KASAN takes half a minute
# to make the network.
start_pings() {
	"$base/module/wgask" until >"$out" &
	pid=$!
	busywait "$((BUSYWAIT_TIMEOUT * 10))" grep -q '^answered' "$out" >/dev/null || say_why "no ping was answered"
}

stop_pings() { kill "$pid" && wait "$pid" && pid=; }

# A tunnel goes on while anyip6 comes and goes. WireGuard asks for a new route on the first packet from a processor, and a handshake,
# every two minutes, can be one. If anyip6 is away then, the answers come from another address, until anyip6 is back and the client
# asks again. A new tunnel gets the current answer.
reload_beside_tunnel() {
	local i
	load && start_pings || return
	for ((i = 0; i < cycles; i++)); do
		answers_from asked && unload && answers_from other && load || return
	done
	stop_pings && sed 's/^/# /' "$out"
	grep -q '^ok [1-9]' "$out" && is "lost 0 last ok" "$(grep -E '^(lost|last)' "$out" | paste -sd ' ')" "pings"
}

# wireguard goes while a tunnel is in use and anyip6 is there.
wireguard_goes_beside_tunnel() {
	local i
	load || return
	for ((i = 0; i < cycles; i++)); do
		start_pings && answers_from asked && remove && is_hooked absent && modprobe wireguard && is_hooked found &&
			stop_pings || return
	done
	answers_from asked
}

need_machine
modprobe -q wireguard || { ktap_skip_all "no wireguard in this kernel"; exit "$KSFT_SKIP"; }
needs=([no_splat]=reload_beside_tunnel)
run_tests wireguard_reload wireguard_first anyip6_first loaded_on_demand firewalled_without firewalled \
	reload_beside_tunnel wireguard_goes_beside_tunnel no_splat all_gone
