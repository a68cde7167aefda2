#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The prefixes of a host: anyip6 apply, add and del, and what --save keeps. For a VM, whose /etc/anyip6 it writes.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=../lib/answers.sh source-path=SCRIPTDIR
. "$base/lib/answers.sh"

export PATH=$base/watch:$PATH
folder=/etc/anyip6/prefixes.d
peer=''

clean() {
	! loaded || unload
	rm -rf "${folder%/*}" /run/anyip6 /run/systemd /etc/systemd/networkd.conf.d /etc/sysctl.d/60-anyip6-saved.conf
	cleanup_all_ns
}

# config LINE...: the only file has these lines.
config() {
	rm -rf "$folder" && mkdir -p "$folder" && printf '%s\n' "$@" >"$folder/10-test.conf"
}

# routes: prints what is ours, as ip shows it, without what every route has.
routes() {
	in_ns ip -6 route show table all proto 106 | sed -E 's/ (proto|metric|pref|error) [^ ]+//g; s/ table local//' | sort | paste -sd,
}

has_routes() { is "$1" "$(routes)" "routes"; }

# fresh [PARAMETER...]: the module, and a namespace with a dummy0 that is up.
fresh() {
	load "$@" && ns='' && setup_ns ns && ip -n "$ns" link add dummy0 up type dummy &&
		ip -n "$ns" addr add 2001:db8:1::1/64 dev dummy0 nodad
}

# --- apply ---

applies() {
	fresh && config '# the VIPs' '' 'local 2001:db8:a::/64  # all of them' '  unreachable	2001:db8:a:0:bad::/80 ' 'local 2001:db8:b::1 dev dummy0' &&
		answers 0 anyip6 apply && is "" "$said" "what it says" &&
		has_routes "local 2001:db8:a::/64 dev lo,local 2001:db8:b::1 dev dummy0,unreachable 2001:db8:a:0:bad::/80 dev lo" &&
		binds ok 2001:db8:a::1 && binds ok 2001:db8:b::1 && binds EADDRNOTAVAIL 2001:db8:a:0:bad::1 && binds EADDRNOTAVAIL 2001:db8:b::2
}

# The second time changes nothing.
applies_again() {
	local before
	fresh && config 'local 2001:db8:a::/64' 'unreachable 2001:db8:a:0:bad::/80' && answers 0 anyip6 apply || return
	before=$(routes)
	answers 0 anyip6 apply && has_routes "$before" && is 1 "$(in_ns ip -6 route show table all 2001:db8:a::/64 | wc -l)" "routes of the prefix"
}

# What others made stays. What is ours goes with its line, and a changed line replaces it.
takes_back() {
	fresh && ip -n "$ns" -6 route add local 2001:db8:f::/64 dev lo && ip -n "$ns" -6 route add unreachable 2001:db8:f:0:1::/80 table local &&
		config 'local 2001:db8:a::/64' 'local 2001:db8:b::/64' 'unreachable 2001:db8:a:0:bad::/80' && answers 0 anyip6 apply &&
		config 'unreachable 2001:db8:a::/64' 'local 2001:db8:b::/64 dev dummy0' && answers 0 anyip6 apply &&
		has_routes "local 2001:db8:b::/64 dev dummy0,unreachable 2001:db8:a::/64 dev lo" &&
		rm -r "$folder" && answers 0 anyip6 apply && has_routes "" && binds ok 2001:db8:f::1 && binds EADDRNOTAVAIL 2001:db8:f:0:1::1
}

in_vrf() {
	fresh && ip -n "$ns" link add vrf0 up type vrf table 10 && config 'local 2001:db8:a::/64 vrf vrf0' 'unreachable 2001:db8:a:0:bad::/80 vrf vrf0' &&
		answers 0 anyip6 apply && has_routes "local 2001:db8:a::/64 dev vrf0 table 10,unreachable 2001:db8:a:0:bad::/80 dev lo table 10" &&
		answers 0 anyip6 explain 2001:db8:a::1%vrf0 && answers 1 anyip6 explain 2001:db8:a:0:bad::1%vrf0 && answers 1 anyip6 explain 2001:db8:a::1 &&
		config 'local 2001:db8:a::/64 vrf dummy0' && answers 2 anyip6 apply && says "$folder/10-test.conf:1: dummy0 is no VRF" &&
		config && answers 0 anyip6 apply && has_routes ""
}

# WHAT IT SAYS|LINE. A bad line of any file keeps all as it is.
bad_lines=(
	'a line begins with local, unreachable or unicast|2001:db8:c::/64'
	'a line begins with local, unreachable or unicast|blackhole 2001:db8:c::/64'
	'the prefix is missing|local'
	'a prefix length is a number from 0 to 128|local 2001:db8:c::/64/64'
	'not an IPv6 address|local nonsense'
	'IPv4 needs no module|local 192.0.2.0/24'
	'a prefix length is a number from 0 to 128|local 2001:db8:c::/129'
	'a prefix has no port and no %device|local [2001:db8:c::1]:443'
	'a prefix has no port and no %device|local fe80::1%dummy0'
	'::/0 is every address there is|local ::/0'
	'a multicast address cannot be local|local ff02::/16'
	'a device is missing at the end|local 2001:db8:c::/64 dev'
	'a word comes twice|local 2001:db8:c::/64 dev lo dev dummy0'
	'after the prefix come dev, vrf and neigh|local 2001:db8:c::/64 table 10'
	'unreachable takes only vrf|unreachable 2001:db8:c::/64 dev lo'
	'unicast needs dev|unicast 2001:db8:c::1'
	'has 15 characters at most|local 2001:db8:c::/64 dev sixteencharacter'
	'has 15 characters at most|local 2001:db8:c::/64 dev a;b'
	'the prefix has bits behind its length|local 2001:db8:c::1/64'
	'2001:db8:a::/64 is in /etc/anyip6/prefixes.d/10-test.conf:1 too|local 2001:db8:a::/64 dev dummy0'
	'nosuch: no such device|local 2001:db8:c::/64 dev nosuch'
)

bad_line() {
	local row
	fresh && config 'local 2001:db8:a::/64' && answers 0 anyip6 apply || return
	for row in "${bad_lines[@]}"; do
		config 'local 2001:db8:a::/64' 'local 2001:db8:b::/64' "${row#*|}" && answers 2 anyip6 apply &&
			says "$folder/10-test.conf:3: " && says "${row%%|*}" && has_routes "local 2001:db8:a::/64 dev lo" || return
	done
}

# The host would take packets to its own gateway.
gateway() {
	local carve='unicast 2001:db8:1::ff/128 dev dummy0'
	fresh && ip -n "$ns" -6 route add default via 2001:db8:1::ff dev dummy0 && config 'local 2001:db8:1::/64' && answers 2 anyip6 apply &&
		is "anyip6: $folder/10-test.conf:1: 2001:db8:1::ff is a gateway of this host and in 2001:db8:1::/64; carve it out first: $carve" "$said" refusal &&
		has_routes "" && answers 2 anyip6 add 2001:db8:1::/64 && config 'local 2001:db8:1::/64' "$carve" && answers 0 anyip6 apply &&
		is "2001:db8:1::ff dev dummy0" "$(in_ns ip -6 route get 2001:db8:1::ff | grep -oE '2001:db8:1::ff .*dummy0' | sed 's/from :: //')" "way to the gateway" &&
		binds EADDRNOTAVAIL 2001:db8:1::ff && binds ok 2001:db8:1::42 && answers 0 anyip6 apply &&
		config 'local 2001:db8:1::/64' && answers 2 anyip6 apply && binds EADDRNOTAVAIL 2001:db8:1::ff &&
		ip -n "$ns" -6 route replace 2001:db8:1::ff/128 dev dummy0 table local metric 512 &&
		answers 0 anyip6 apply && has_routes "local 2001:db8:1::/64 dev lo" && binds EADDRNOTAVAIL 2001:db8:1::ff &&
		answers 2 anyip6 del unicast 2001:db8:1::ff && says "carved out for a gateway of this host, which would become local" &&
		is "dev dummy0" "$(to_gateway)" "way to the gateway"
}

to_gateway() { in_ns ip -6 route get 2001:db8:1::ff | grep -oE 'dev [a-z0-9]+'; }

# The kernel deletes the routes of a device that goes down.
device_flaps() {
	fresh && ip -n "$ns" -6 route add default via 2001:db8:1::ff dev dummy0 &&
		config 'unicast 2001:db8:1::ff dev dummy0' 'local 2001:db8:1::/64' && answers 0 anyip6 apply && is "dev dummy0" "$(to_gateway)" "way to the gateway" &&
		ip -n "$ns" link set dummy0 down && ip -n "$ns" link set dummy0 up && ip -n "$ns" addr add 2001:db8:1::1/64 dev dummy0 nodad &&
		is "dev dummy0" "$(to_gateway)" "way to the gateway after that" && binds EADDRNOTAVAIL 2001:db8:1::ff && binds ok 2001:db8:1::42 &&
		answers 0 anyip6 apply && answers 0 anyip6 apply && rm -r "$folder" && answers 0 anyip6 apply && has_routes ""
}

# What cannot be carved out must not become local.
device_down() {
	fresh && ip -n "$ns" link set dummy0 down && config 'unicast 2001:db8:1::ff dev dummy0' 'local 2001:db8:1::/64' &&
		answers 2 anyip6 apply && says "10-test.conf:1: dummy0 is down" && has_routes ""
}

# At boot, the lines that lack nothing count.
device_never_comes() {
	fresh && config 'local 2001:db8:a::/64' 'local 2001:db8:b::/64 dev gone0' 'unicast 2001:db8:c::1 dev gone1' 'local 2001:db8:c::/64' &&
		answers 4 anyip6 apply --wait && says ":2: gone0: no such device" && says ":4: 2001:db8:c::/64 is left out too" &&
		has_routes "local 2001:db8:a::/64 dev lo"
}

# networkd deletes what is carved out, and leaves the local route.
beside_networkd() {
	fresh && mkdir -p /run/systemd/netif/links /etc/systemd/networkd.conf.d && echo 'NETWORK_FILE=/etc/systemd/network/eth0.network' >/run/systemd/netif/links/2 &&
		config 'local 2001:db8:a::/64' && answers 0 anyip6 apply && config 'local 2001:db8:a::/64' 'unreachable 2001:db8:a:0:bad::/80' &&
		answers 2 anyip6 apply && says "10-test.conf:2: systemd-networkd would delete" && has_routes "local 2001:db8:a::/64 dev lo" &&
		printf '[Network]\n ManageForeignRoutes = no\n' >/etc/systemd/networkd.conf.d/x.conf && answers 0 anyip6 apply && binds EADDRNOTAVAIL 2001:db8:a:0:bad::1
}

module_not_loaded() {
	ns='' && setup_ns ns && config 'local 2001:db8:a::/64' && answers 3 anyip6 apply && says "anyip6: the module is not loaded: " && has_routes ""
}

waits_for_device() {
	fresh && config 'local 2001:db8:a::/64 dev late0' && answers 2 anyip6 apply && says "10-test.conf:1: late0: no such device" || return
	{ sleep 2 && ip -n "$ns" link add late0 up type dummy; } &
	answers 0 anyip6 apply --wait && has_routes "local 2001:db8:a::/64 dev late0"
}

# --- neigh ---

pinged() { ip netns exec "$peer" ping -6 -c 1 -W "$2" "$1" >/dev/null; }

neigh() {
	fresh ndisc=1 && peer='' && setup_ns peer && ip -n "$ns" link add eth7 up type veth peer name eth0 netns "$peer" &&
		ip -n "$peer" link set eth0 up && ip -n "$peer" addr add 2001:db8:7::1/64 dev eth0 nodad && slowwait 10 no_tentative || return
	config 'local 2001:db8:7::/64' && answers 0 anyip6 apply && ! pinged 2001:db8:7::42 1 || say_why "answers without neigh" || return
	config 'unicast 2001:db8:7::1 dev eth7' 'local 2001:db8:7::/64 neigh eth7' && answers 0 anyip6 apply && answers 0 anyip6 apply &&
		pinged 2001:db8:7::43 20 && is 1 "$(in_ns sysctl -n net.ipv6.conf.eth7.proxy_ndp)" proxy_ndp &&
		in_ns ip link show eth7 | grep -q ALLMULTI || say_why "no answer with neigh" || return
	config 'unicast 2001:db8:7::1 dev eth7' 'local 2001:db8:7::/64' && answers 0 anyip6 apply && ! pinged 2001:db8:7::44 1 &&
		is "0 0" "$(in_ns sysctl -n net.ipv6.conf.eth7.proxy_ndp net.ipv6.anyip_ndisc | xargs)" "switches without neigh" &&
		! in_ns ip link show eth7 | grep ALLMULTI
}

no_tentative() { ! ip -n "$ns" addr show tentative | grep -q inet6 && ! ip -n "$peer" addr show tentative | grep -q inet6; }

neigh_without_ndisc() {
	fresh && config 'local 2001:db8:a::/64 neigh dummy0' && answers 4 anyip6 apply && has_routes "" &&
		is "anyip6: neigh needs the module loaded with ndisc=1; see anyip6(4)" "$said" "what it says"
}

# --- add, del ---

add_and_del() {
	fresh && answers 0 anyip6 add 2001:db8:a::/64 && binds ok 2001:db8:a::1 && answers 0 anyip6 add unreachable 2001:db8:a:0:bad::/80 &&
		binds EADDRNOTAVAIL 2001:db8:a:0:bad::1 && [ ! -e "$folder" ] && has_routes "" && answers 0 anyip6 apply && binds ok 2001:db8:a::1 &&
		answers 2 anyip6 del 2001:db8:a:0:bad::/80 && says "there is no local route to" &&
		answers 0 anyip6 del unreachable 2001:db8:a:0:bad::/80 && binds ok 2001:db8:a:0:bad::1 && answers 0 anyip6 del 2001:db8:a::/64 &&
		binds EADDRNOTAVAIL 2001:db8:a::1 && answers 2 anyip6 del 2001:db8:a::/64 && answers 2 anyip6 add 2001:db8:a::/64 neigh dummy0 &&
		answers 2 anyip6 add 10.0.0.0/8 && says "IPv4 needs no module"
}

# What is not ours to delete.
spared() {
	local before
	fresh && before=$(in_ns ip -6 route show table all) || return
	answers 2 anyip6 del 2001:db8:1::/64 vrf nosuch && answers 2 anyip6 del 2001:db8:1::/64 vrf dummy0 && answers 2 anyip6 del ::1 &&
		answers 2 anyip6 del 2001:db8:1::1 && answers 2 anyip6 add 2001:db8:a::/64 vrf nosuch && answers 2 anyip6 add 2001:db8:a::/64 vrf dummy0 &&
		is "$before" "$(in_ns ip -6 route show table all)" "routes"
}

at_the_same_time() {
	local n
	fresh || return
	for n in {1..9}; do in_ns anyip6 add "2001:db8:a$n::/64" --save & done
	wait
	is 9 "$(grep -c '^local' "$folder/saved.conf")" "lines" && is 9 "$(in_ns ip -6 route show table local proto 106 | wc -l)" "routes"
}

saved() {
	fresh && config 'local 2001:db8:a::/64' && answers 0 anyip6 add 2001:db8:b::/64 dev dummy0 --save && answers 0 anyip6 add --save unreachable 2001:db8:b:0:1::/80 &&
		has_routes "local 2001:db8:a::/64 dev lo,local 2001:db8:b::/64 dev dummy0,unreachable 2001:db8:b:0:1::/80 dev lo" &&
		is "local 2001:db8:b::/64 dev dummy0,unreachable 2001:db8:b:0:1::/80" "$(grep -v '^#' "$folder/saved.conf" | paste -sd,)" "saved.conf" &&
		answers 0 anyip6 add 2001:db8:b::/64 dev dummy0 --save && answers 2 anyip6 add 2001:db8:b::/64 --save && says "is in $folder/saved.conf:2" &&
		answers 2 anyip6 add 2001:db8:b::/64 dev dummy0 && says "to apply that: anyip6 apply" &&
		answers 2 anyip6 del 2001:db8:a::/64 --save && says "is in $folder/10-test.conf:1; take the line away, then: anyip6 apply" &&
		answers 2 anyip6 del 2001:db8:c::/64 --save && answers 0 anyip6 del 2001:db8:b::/64 --save &&
		has_routes "local 2001:db8:a::/64 dev lo,unreachable 2001:db8:b:0:1::/80 dev lo" &&
		answers 0 anyip6 del 2001:db8:a::/64 && says "$folder/10-test.conf:1 has it, so it comes back" && answers 0 anyip6 apply && binds ok 2001:db8:a::1 &&
		answers 2 anyip6 add 2001:db8:d::/64 dev nosuch --save && ! grep 2001:db8:d "$folder/saved.conf"
}

# Nothing is taken out of the file that cannot be taken back.
saved_carve_out() {
	fresh && ip -n "$ns" -6 route add default via 2001:db8:1::ff dev dummy0 && answers 0 anyip6 add unicast 2001:db8:1::ff dev dummy0 --save &&
		answers 0 anyip6 add 2001:db8:1::/64 --save && answers 2 anyip6 del unicast 2001:db8:1::ff dev dummy0 --save &&
		grep -q '^unicast' "$folder/saved.conf" && is "dev dummy0" "$(to_gateway)" "way to the gateway" && answers 0 anyip6 del 2001:db8:1::/64 --save &&
		answers 0 anyip6 del unicast 2001:db8:1::ff dev dummy0 --save && has_routes ""
}

folder_for_file() {
	fresh && mkdir -p "$folder/x.conf" && answers 2 anyip6 apply && says "$folder/x.conf: Is a directory"
}

# --- on, off ---

toggle_saved() {
	local other=
	mkdir -p /etc/sysctl.d && fresh && answers 0 anyip6 off --save && is "off, in this network namespace; also after a reboot, on the host" "$said" off &&
		binds EADDRNOTAVAIL 2001:db8:a::1 && answers 0 anyip6 on && in_ns sysctl -qp /etc/sysctl.d/60-anyip6-saved.conf &&
		is 0 "$(in_ns sysctl -n net.ipv6.anyip_bind)" "what the file sets" && answers 0 anyip6 on --save &&
		in_ns sysctl -qp /etc/sysctl.d/60-anyip6-saved.conf && is 1 "$(in_ns sysctl -n net.ipv6.anyip_bind)" "what the file sets" || return
	setup_ns other && in_ns anyip6 off --all >/dev/null && is "0 0" "$(in_ns sysctl -n net.ipv6.anyip_bind) $(ip netns exec "$other" sysctl -n net.ipv6.anyip_bind)" \
		"toggles after off --all"
}

need_machine
if ! type -P anyip6 >/dev/null; then
	ktap_skip_all "no tool"
	exit "$KSFT_SKIP"
fi
ns='' said=''
trap clean EXIT
run_tests prefixes applies applies_again takes_back in_vrf bad_line gateway module_not_loaded waits_for_device device_flaps device_down device_never_comes \
	beside_networkd neigh neigh_without_ndisc add_and_del spared at_the_same_time saved saved_carve_out folder_for_file toggle_saved
