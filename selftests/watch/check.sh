#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# anyip6 check says nothing on a host that is in order, and finds each thing that is broken here on purpose. For a VM, whose files it
# changes.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=../lib/answers.sh source-path=SCRIPTDIR
. "$base/lib/answers.sh"

release=$(uname -r)
folder=/etc/anyip6/prefixes.d
programs=$(mktemp -d)
export PATH=$programs:$base/watch:$PATH
units=/lib/systemd/system
nm=/etc/NetworkManager/system-connections
fake_mounts=(/sys/kernel/security /sys/kernel/livepatch /sys/firmware)

clean() {
	local dir
	[ -n "$kept" ] || ! loaded || unload
	! held || rmmod holder
	for dir in "${fake_mounts[@]}"; do ! grep -q "^none $dir tmpfs" /proc/mounts || umount "$dir"; done
	rm -rf "${folder%/*}" /run/anyip6 /run/systemd /run/NetworkManager "${nm%/*}" "$units" /etc/modprobe.d/check.conf /etc/systemd/networkd.conf.d \
		/lib/modules/99.0.0 /boot/vmlinuz-99.0.0 /var/lib/dkms "${programs:?}"/*
	[ -z "$dep" ] || echo "$dep" >"/lib/modules/$release/modules.dep"
	sysctl -qw kernel.ftrace_enabled=1 2>/dev/null
	cleanup_all_ns
}

# `ip netns exec` would hide what is mounted in /sys.
in_ns() { nsenter "--net=/run/netns/$ns" "$@"; }

# fake PROGRAM TEXT: puts a program into the path that prints the text.
fake() { printf '#!/bin/sh\necho "%s"\n' "$2" >"$programs/$1" && chmod +x "$programs/$1"; }

# file_in DIR FILE TEXT: hides a folder of /sys behind one that has only this file.
file_in() {
	[ -d "$1" ] || return "$KSFT_SKIP"
	mount -t tmpfs none "$1" && mkdir -p "$(dirname "$1/$2")" && printf '%b' "$3" >"$1/$2"
}

config() { mkdir -p "$folder" && printf '%s\n' "$@" >"$folder/test.conf"; }

# with_systemd STATE: units of ours are there and enabled. systemctl says that they are in this state.
with_systemd() {
	mkdir -p /run/systemd/system "$units" &&
		touch "$units/anyip6.service" && fake systemctl "$1"
}

# load_other [PARAMETER...]: loads the module in a way that only this test wants.
load_other() { kept='' && load "$@"; }

# A host that is in order, with everything that check can look at. The module stays for the next test, because loading takes a while.
healthy() {
	loaded || load || return
	kept=1 ns='' && setup_ns ns && ip -n "$ns" link add eth7 up type dummy && ip -n "$ns" addr add 2001:db8:1::1/64 dev eth7 nodad &&
		ip -n "$ns" -6 route add default via 2001:db8:1::ff dev eth7 && config 'local 2001:db8:a::/64' 'unreachable 2001:db8:a:0:bad::/80' &&
		in_ns anyip6 apply && with_systemd active
}

# --- How things break. `healthy` came before. ---

break_module-file() { mkdir -p /var/lib/dkms && break_module-file_no-dkms; }
break_module-file_no-dkms() { sed -i '/anyip6/d' "/lib/modules/$release/modules.dep"; }
break_module-file-next() {
	mkdir -p /lib/modules/99.0.0 /boot /var/lib/dkms && touch /boot/vmlinuz-99.0.0 && echo "kernel/a.ko:" >/lib/modules/99.0.0/modules.dep
}
break_not-loaded() { unload; }
break_not-loaded_why() {
	unload && insmod "$holder_ko" function=ipv6_chk_addr && ! load 2>/dev/null && rmmod holder
}
break_held() { unload && insmod "$holder_ko" function=ipv6_chk_addr; }
break_ftrace() { unload && sysctl -qw kernel.ftrace_enabled=0 2>/dev/null || return "$KSFT_SKIP"; }
break_signature() { unload && file_in /sys/kernel/security lockdown 'none [integrity] confidentiality\n'; }
break_key() {
	unload && file_in /sys/firmware efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c '\006\000\000\000\001' &&
		mkdir -p /var/lib/dkms && touch /var/lib/dkms/mok.pub && fake mokutil "/var/lib/dkms/mok.pub is not enrolled"
}
break_key_prebuilt() {
	break_key && fake mokutil "[key 1] CN=DKMS" && fake modinfo "/lib/modules/$release/anyip6/anyip6.ko"
}
break_version() { ask=(with_file /sys/module/anyip6/version '0.0.7\n'); }
break_unproven() { unload && insmod "$holder_ko" function=ipv6_chk_acast_addr_src && load_other; }
break_live-patch() { file_in /sys/kernel/livepatch fix/vmlinux/rawv6_bind,1 ''; }
break_parameter() { mkdir -p /etc/modprobe.d && echo 'options anyip6 ndisc=0 defaulton=0' >/etc/modprobe.d/check.conf; }
break_parameter_loaded() { unload && load_other defaulton=0; }
break_unit() { with_systemd disabled; }
break_unit-failed() { with_systemd failed; }
break_networkd() {
	mkdir -p /run/systemd/netif/links && printf 'ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/lo.network\n' >/run/systemd/netif/links/1
}
break_networkd_lo() { config 'local 2001:db8:a::/64' && in_ns anyip6 apply && break_networkd; }
break_networkmanager() {
	mkdir -p /run/NetworkManager "$nm" && printf '[connection]\nid=x\ntype=loopback\n' >"$nm/x.nmconnection"
}
break_neigh() {
	unload && load_other ndisc=1 && config 'local 2001:db8:a::/64 neigh eth7' && in_ns anyip6 apply && in_ns sysctl -qw net.ipv6.anyip_ndisc=0
}
break_ipv6() { in_ns sysctl -qw net.ipv6.conf.lo.disable_ipv6=1; }
break_lo() { ip -n "$ns" link set lo down; }
break_nonlocal() { in_ns sysctl -qw net.ipv6.ip_nonlocal_bind=1; }
break_off() { in_ns anyip6 off >/dev/null; }
break_prefixes() { config 'local 2001:db8:a::/64' 'local 2001:db8:b::/200'; }
break_not-applied() { ip -n "$ns" -6 route del unreachable 2001:db8:a:0:bad::/80 table local; }
break_no-prefix() { config && in_ns anyip6 apply; }
break_gateway() { ip -n "$ns" -6 route add local 2001:db8:1::/64 dev lo; }
break_neighbour() {
	ip -n "$ns" -6 route add local 2001:db8:1::/120 dev lo && ip -n "$ns" -6 route add unreachable 2001:db8:1::ff table local &&
		ip -n "$ns" neigh add 2001:db8:1::42 lladdr 02:00:00:00:00:42 dev eth7
}
break_proxy-ndp() { unload && load_other ndisc=1 && in_ns sysctl -qw net.ipv6.anyip_ndisc=1; }
break_allmulticast() { break_proxy-ndp && in_ns sysctl -qw net.ipv6.conf.eth7.proxy_ndp=1; }
break_address() { ask+=("$any" "$outside"); }

# WHAT|TEXT|FIX: what is broken by break_WHAT. Check says a line that begins with WHAT, without what follows _, and has both.
breaks=(
	"module-file|no module file for the running kernel $release|linux-headers-$release"
	"module-file_no-dkms|no module file for the running kernel $release|apt install anyip6-modules-$release, or"
	'module-file-next|no module file for kernel 99.0.0|linux-headers-99.0.0'
	'not-loaded|the module is not loaded|systemctl restart anyip6-load'
	'not-loaded_why|the module is not loaded: ipv6_chk_addr is held by|systemctl restart anyip6-load'
	'held|redirects the kernel'"'"'s function ipv6_chk_addr|systemctl restart anyip6-load'
	'ftrace|ftrace is off|kernel.ftrace_enabled=1'
	'signature|no signature|#secure-boot'
	'key|does not know the key|mokutil --import'
	'key_prebuilt|, who signed the module|mokutil --import its certificate'
	'version|version 0.0.7 is loaded|modprobe -r anyip6 &&'
	'unproven|keeps the kernel'"'"'s own answers|journalctl -k -g anyip6'
	'live-patch|a live patch replaces rawv6_bind|live-patches'
	'parameter|/etc/modprobe.d/check.conf: the module ignores defaulton=0|default_on and ndisc'
	"parameter_loaded|unknown parameter 'defaulton' ignored|default_on and ndisc"
	'unit|anyip6-load.service is not enabled|systemctl enable anyip6-load.service'
	'unit-failed|anyip6.service has failed|systemctl status anyip6.service'
	'networkd|deletes what is carved out|ManageForeignRoutes=no'
	'networkd_lo|owns lo by /etc/systemd/network/lo.network|ManageForeignRoutes=no'
	'networkmanager|has a profile of lo, /etc/NetworkManager/system-connections/x.nmconnection|nmcli connection delete NAME'
	'neigh|solicitations on eth7 are not answered|ndisc=1'
	'ipv6|IPv6 is off on lo|disable_ipv6=0'
	'lo|lo is down|ip link set lo up'
	'nonlocal|every address can be bound|ip_nonlocal_bind=0'
	'off|anyip_bind is 0|anyip6 on'
	'prefixes|test.conf:2: 2001:db8:b::/200: a prefix length|systemctl reload-or-restart anyip6'
	'not-applied|test.conf:2: 2001:db8:a:0:bad::/80 has no route that anyip6 apply made|systemctl reload-or-restart anyip6'
	'no-prefix|nothing to bind to|anyip6 add PREFIX'
	'gateway|2001:db8:1::ff is a gateway on eth7, and in 2001:db8:1::/64|anyip6 add unicast 2001:db8:1::ff dev eth7'
	'neighbour|2001:db8:1::42 is another host on eth7, and in 2001:db8:1::/120|anyip6 add unicast 2001:db8:1::42 dev eth7'
	'proxy-ndp|no device answers|proxy_ndp=1'
	'allmulticast|eth7 takes packets to its own groups only|ip link set dev eth7 allmulticast on'
	"address|$outside: no local route|anyip6 explain $outside"
)

# broken WHAT TEXT FIX
broken() {
	local what=$1 rc=0
	ask=(anyip6 check)
	healthy || return
	"break_$what" || rc=$?
	[ "$rc" -eq 0 ] || return "$rc"
	[ "${ask[0]}" = anyip6 ] || ask+=(anyip6 check)
	answers 1 "${ask[@]}" && grep -q "^${what%_*}: " <<<"$said" || say_why "no line ${what%_*}: $said" || return
	says "$2" && says "; to do: " && says "$3" && answers 1 "${ask[@]}" --json && says "{\"id\":\"${what%_*}\",\"problem\":\""
}

# run_tests wants a function for each test.
define_breaks() {
	local row what text fix
	for row in "${breaks[@]}"; do
		IFS='|' read -r what text fix <<<"$row"
		eval "found.$what() { broken $(printf '%q %q %q' "$what" "$text" "$fix"); }"
		tests+=("found.$what")
	done
}

# --- No false alarms ---

silent() { answers 0 "$@" && is "" "$said" "what it says"; }

quiet() { healthy && silent anyip6 check; }

quiet_in_vrf() {
	healthy && ip -n "$ns" link add vrf0 up type vrf table 10 && ip -n "$ns" link set eth7 master vrf0 &&
		ip -n "$ns" -6 route add local 2001:db8:f::/64 dev vrf0 table 10 && silent ip vrf exec vrf0 anyip6 check
}

# As in a container: no /sys, no /lib/modules, no /boot.
quiet_where_hidden() {
	healthy && rm -r /run/systemd && silent unshare -m bash -c 'mount -t tmpfs none /sys && mount -t tmpfs none /lib/modules && exec anyip6 check'
}

quiet_with_ndisc() {
	! loaded || unload && load_other ndisc=1 && ns='' && setup_ns ns && ip -n "$ns" link add eth7 up type dummy && config 'local 2001:db8:a::/64 neigh eth7' && in_ns anyip6 apply && silent anyip6 check
}

quiet_without_managing() {
	healthy && break_networkd && mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\nManageForeignRoutes=no\n' >/etc/systemd/networkd.conf.d/anyip6.conf &&
		silent anyip6 check
}

# NetworkManager leaves such a profile of what it does not manage.
quiet_without_a_profile() {
	healthy && break_networkmanager && printf '[.nmmeta]\nnm-generated=true\n' >>"$nm/x.nmconnection" && silent anyip6 check
}

no_such_device() {
	healthy && answers 1 anyip6 check fe80::1%gone0 && says "address: fe80::1: there is no device gone0"
}

addresses_on_stdin() {
	healthy && printf '%s\n' "$any" '[2001:db8:a::2]:443' >"$programs/addresses" && silent bash -c "anyip6 check - <$programs/addresses" &&
		echo "$outside" >>"$programs/addresses" && answers 1 bash -c "anyip6 check - <$programs/addresses" && is 1 "$(wc -l <<<"$said")" "lines" &&
		answers 2 anyip6 check nonsense
}

json_members() {
	healthy && answers 1 anyip6 check --json "$outside" && same_members "$said" 'Cm check :$' 'Cm watch :$'
}

need_machine
if ! type -P anyip6 >/dev/null; then
	ktap_skip_all "no tool"
	exit "$KSFT_SKIP"
fi
ns='' said='' dep='' kept='' tests=()
define_breaks
# The module's file, as DKMS would install it.
mkdir -p "/lib/modules/$release/updates" && cp "$anyip6_ko" "/lib/modules/$release/updates/anyip6.ko" && depmod
dep=$(<"/lib/modules/$release/modules.dep")
mkdir -p /boot && touch "/boot/vmlinuz-$release"
trap 'kept=; clean; rm -rf "$programs"' EXIT
run_tests check quiet "${tests[@]}" quiet_in_vrf quiet_where_hidden quiet_with_ndisc quiet_without_managing quiet_without_a_profile no_such_device addresses_on_stdin json_members
