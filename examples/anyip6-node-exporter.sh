#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For node_exporter's textfile collector: whether anyip6 is loaded and which one, what
# `anyip6 check` finds, and for the namespace that this runs in, as netns="", and each
# that has a name: the switches, the number of prefixes, and the counters. As root:
#   anyip6-node-exporter.sh /var/lib/prometheus/node-exporter/anyip6.prom
set -eu

# in_netns NAME COMMAND...: no name stands for this namespace.
in_netns() {
	netns=$1
	shift
	if [ -n "$netns" ]; then ip netns exec "$netns" "$@"; else "$@"; fi
}

# each_netns FUNCTION: calls it with each name, first with the empty one.
each_netns() {
	"$1" ''
	for path in /run/netns/*; do
		[ ! -e "$path" ] || "$1" "${path##*/}"
	done
}

# metric NAME TYPE HELP
metric() {
	echo "# HELP $1 $3"
	echo "# TYPE $1 $2"
}

info() {
	read -r version </sys/module/anyip6/version
	echo "anyip6_info{version=\"$version\",kernel=\"$(uname -r)\"} 1"
}

unproven() {
	awk '/ unproven$/ { n++ } END { print "anyip6_unproven_paths", n + 0 }' /sys/module/anyip6/parameters/hooks
}

# Each line of check begins with the kind of the problem.
problems() {
	{ anyip6 check || true; } | sed -n 's/^\([a-z0-9-]*\): .*/\1/p' | sort | uniq -c |
		awk '{ printf "anyip6_problems{id=\"%s\"} %s\n", $2, $1 }'
}

# A name that leads to no namespace, or whose namespace goes away meanwhile, has no metrics.

sysctl_of() { # NAME METRIC SYSCTL
	value=$(in_netns "$1" cat "/proc/sys/net/ipv6/$3" 2>/dev/null) || return 0
	echo "$2{netns=\"$1\"} $value"
}

enabled() { sysctl_of "$1" anyip6_enabled anyip_bind; }

nonlocal() { sysctl_of "$1" anyip6_nonlocal_bind ip_nonlocal_bind; }

# The local routes that are no addresses.
prefixes() {
	routes=$(in_netns "$1" ip -6 route show table all type local 2>/dev/null) || return 0
	echo "$routes" | awk -v netns="$1" '
		/^local / && !/ proto kernel / { n++ }
		END { printf "anyip6_prefixes{netns=\"%s\"} %d\n", netns, n }'
}

# Anyip6RefusedNoRoute becomes no-route, Anyip6ErrorFromAsked becomes error-from-asked.
decisions() {
	counters=$(in_netns "$1" cat /proc/net/anyip6 2>/dev/null) || return 0
	echo "$counters" | awk -v netns="$1" '
		{ step = $1; sub(/^Anyip6(Refused)?/, "", step); gsub(/[A-Z]/, "-&", step) }
		{ printf "anyip6_decisions_total{netns=\"%s\",step=\"%s\"} %s\n", netns, tolower(substr(step, 2)), $NF }'
}

all() {
	loaded=0
	[ ! -e /proc/net/anyip6 ] || loaded=1
	metric anyip6_loaded gauge 'Whether the module anyip6 is loaded.'
	echo "anyip6_loaded $loaded"
	if command -v anyip6 >/dev/null; then
		metric anyip6_problems gauge 'Problems that anyip6 check finds, by their kind.'
		problems
	fi
	metric anyip6_nonlocal_bind gauge 'Whether every address can be bound, and the kernel does not ask anyip6.'
	each_netns nonlocal
	metric anyip6_prefixes gauge 'Local routes that are no configured addresses.'
	each_netns prefixes
	[ "$loaded" = 1 ] || return 0
	metric anyip6_info gauge 'The version of the module, and the kernel.'
	info
	metric anyip6_unproven_paths gauge 'Paths that anyip6 left to the kernel. Its log says why.'
	unproven
	metric anyip6_enabled gauge 'net.ipv6.anyip_bind.'
	each_netns enabled
	metric anyip6_decisions_total counter 'Decisions of anyip6, by the step that decided.'
	each_netns decisions
}

# The collector must never see half a file.
out=${1:--}
if [ "$out" = - ]; then
	all
else
	trap 'rm -f "$out.$$"' EXIT
	trap 'exit 1' HUP INT TERM
	all >"$out.$$"
	mv "$out.$$" "$out"
fi
