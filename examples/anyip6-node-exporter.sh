#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For node_exporter's textfile collector: whether anyip6 is loaded, how many paths it
# had to leave to the kernel, and its counters of the namespace that this runs in, as
# netns="", and of each that has a name. As root, from a timer:
#   anyip6-node-exporter.sh /var/lib/prometheus/node-exporter/anyip6.prom
set -eu

# metrics NETNS: what is in the file on stdin, as lines of Prometheus. Anyip6RefusedNoRoute
# becomes no-route, Anyip6ErrorFromAsked becomes error-from-asked.
metrics() {
	awk -v netns="$1" '
		{ step = $1; sub(/^Anyip6(Refused)?/, "", step); gsub(/[A-Z]/, "-&", step) }
		{ printf "anyip6_decisions_total{netns=\"%s\",step=\"%s\"} %s\n", netns, tolower(substr(step, 2)), $NF }'
}

all() {
	loaded=0
	[ ! -e /proc/net/anyip6 ] || loaded=1
	echo '# HELP anyip6_loaded Whether the module anyip6 is loaded.'
	echo '# TYPE anyip6_loaded gauge'
	echo "anyip6_loaded $loaded"
	[ "$loaded" = 1 ] || return 0
	echo '# HELP anyip6_unproven_paths Paths that anyip6 left to the kernel. Its log says why.'
	echo '# TYPE anyip6_unproven_paths gauge'
	awk '/ unproven$/ { n++ } END { print "anyip6_unproven_paths", n + 0 }' /sys/module/anyip6/parameters/hooks
	echo '# HELP anyip6_decisions_total Decisions of anyip6, by the step that decided.'
	echo '# TYPE anyip6_decisions_total counter'
	metrics '' </proc/net/anyip6
	for path in /run/netns/*; do
		[ -e "$path" ] || continue
		name=${path##*/}
		ip netns exec "$name" cat /proc/net/anyip6 | metrics "$name"
	done
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
