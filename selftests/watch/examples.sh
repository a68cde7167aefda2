#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The examples of the manual pages, and the examples in examples/ that need only a shell or a compiler. For a VM.
#
# MAN and EXAMPLES name these folders, if they are not where this script looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

man=${MAN:-$(first_file "$base/watch/man" "$base/../man")}
examples=${EXAMPLES:-$(first_file "$base/watch/examples" "$base/../examples")}
export PATH=$base/watch:$PATH

clean() {
	[ -z "$server" ] || { kill "$server"; wait "$server"; } 2>/dev/null
	server=
	! loaded || unload
	! held || rmmod holder
}

end() {
	clean
	cleanup_all_ns
	rm "$said"
}

# expect STATUS [TEXT]: the command on stdin exits with STATUS and prints TEXT. 124 means that it still runs after a second.
expect() {
	local rc=0 out limit=60
	[ "$1" != 124 ] || limit=1
	out=$(timeout "$limit" bash -c "$(cat)" </dev/null 2>&1) || rc=$?
	[ "$rc" = "$1" ] && [[ $out == *"${2:-}"* ]] && return
	echo "ended with $rc, not $1, or did not say '${2:-}': $out"
	return 1
}

# Prints the blocks of a page's section EXAMPLES. Each becomes a script that ends at the first failure. (set -e has no effect on
# the left of ||.)
# A remark `expect STATUS [TEXT]` applies to the next line.
blocks() {
	awk '
		/^\.Sh / { examples = /EXAMPLES/ }
		examples && /^\.Bd -literal/ { inside = 1; print "( set -e"; next }
		inside && /^\.Ed/ { inside = 0; print ")\n[ $? = 0 ] || { echo \"failed: block " ++n "\"; exit 1; }"; next }
		inside && sub(/^\.\\" expect /, "") { status = $1; text = substr($0, length($1) + 2); next }
		inside && status != "" {
			printf "expect %s \"%s\" <<\"COMMAND\"\n%s\nCOMMAND\n", status, text, $0
			status = ""
			next
		}
		inside
	' "$1"
}

# Each page starts in a new netns. A block finds what earlier blocks have set up.
run_page() {
	local script out
	script=$(blocks "$man/$1")
	[ -n "$script" ] || say_why "$1 has no examples" || return
	out=$(unshare -n bash -uc "$(declare -f expect)"$'\n'"ip link set lo up"$'\n'"$script" 2>&1) && return
	say_why "$(paste -sd'|' <<<"$out")"
}

module_page() { load && run_page anyip6.4; }

tool_page() { load && run_page anyip6.8; }

# The output that a page shows is what the tool prints.
tool_page_output() {
	load && ns_any_ip || return
	is "allowed: $any by local 2001:db8:a::/64 dev lo table local" "$(in_ns anyip6 explain "$any" --proto udp)" explain
}

# The output that the README and docs/monitoring.md show.
readme_output() {
	load && ns_any_ip && ip -n "$ns" -6 route add local 2001:db8:123::/64 dev lo &&
		ip -n "$ns" -6 route add unreachable 2001:db8:123:0:bad::/80 table local || return
	is "refused: 2001:db8:123:0:bad::1: unreachable 2001:db8:123:0:bad::/80 dev lo table local is more specific" \
		"$(in_ns anyip6 explain 2001:db8:123:0:bad::1)" explain &&
		is 1 "$(in_ns sed -n 's/^Anyip6RefusedCarvedOut[[:space:]]*//p' "$counters")" Anyip6RefusedCarvedOut
}

# metric NETNS STEP: its value in the exporter's output.
metric() { sed -n "s/^anyip6_decisions_total{netns=\"$1\",step=\"$2\"} //p" <<<"$metrics"; }

shape='^(#.*|anyip6_(loaded|unproven_paths) [01]|anyip6_info\{version="[^"]+",kernel="[^"]+"\} 1|anyip6_problems\{id="[a-z-]+"\} [0-9]+'
shape+='|anyip6_(enabled|nonlocal_bind|prefixes)\{netns="[^"]*"\} [0-9]+|anyip6_decisions_total\{netns="[^"]*",step="[a-z-]+"\} [0-9]+)$'

says_metric() { grep -qxF "$1" <<<"$metrics" || say_why "no $1 in: $metrics"; }

node_exporter() {
	local metrics
	load && ns_any_ip && binds ok "$any" && binds EADDRNOTAVAIL "$outside" || return
	metrics=$("$examples/anyip6-node-exporter.sh") || return
	is 2 "$(metric "$ns" allowed)" "allowed in $ns" && is 2 "$(metric "$ns" no-route)" "refused in $ns" &&
		is 0 "$(metric '' allowed)" "allowed here" || return
	is 0 "$(grep -cvE "$shape" <<<"$metrics")" "lines out of shape" && says_metric "anyip6_enabled{netns=\"$ns\"} 1" &&
		says_metric "anyip6_nonlocal_bind{netns=\"$ns\"} 0" && says_metric "anyip6_prefixes{netns=\"$ns\"} 1" && says_metric 'anyip6_prefixes{netns=""} 0' &&
		says_metric "anyip6_info{version=\"$(modinfo -F version "$anyip6_ko")\",kernel=\"$(uname -r)\"} 1" && says_metric 'anyip6_problems{id="no-prefix"} 1' &&
		is 1 "$(grep -c '^anyip6_loaded ' <<<"$metrics")" "lines of anyip6_loaded" &&
		is 0 "$(metric "$ns" error-from-other)" "errors in $ns" &&
		is "" "$(grep -v '^#' <<<"$metrics" | cut -d' ' -f 1 | sort | uniq -d)" "metrics that come twice" &&
		"$examples/anyip6-node-exporter.sh" /tmp/anyip6.prom && is "$metrics" "$(cat /tmp/anyip6.prom)" "the file"
}

# Somebody holds the check that two paths ask.
node_exporter_unproven() {
	insmod "$holder_ko" function=ipv6_chk_acast_addr_src && load &&
		is "anyip6_unproven_paths 2" "$("$examples/anyip6-node-exporter.sh" | grep '^anyip6_unproven')" "metric"
}

node_exporter_not_loaded() {
	local metrics
	metrics=$("$examples/anyip6-node-exporter.sh") || return
	is "" "$(grep -vE "$shape" <<<"$metrics")" "lines out of shape" && says_metric "anyip6_loaded 0" && says_metric 'anyip6_problems{id="module-file"} 1' &&
		is 0 "$(grep -cE '^anyip6_(info|enabled|decisions_total|unproven)' <<<"$metrics")" "metrics of a module that is not there"
}

# Without awk, it fails and leaves no file behind.
node_exporter_fails() {
	local dir left rc=0
	dir=$(mktemp -d) && mkdir "$dir/bin" "$dir/out" && ln -s "$(type -P rm)" "$dir/bin" && load || return
	PATH=$dir/bin "$examples/anyip6-node-exporter.sh" "$dir/out/anyip6.prom" 2>/dev/null || rc=$?
	left=$(ls "$dir/out")
	rm -r "$dir"
	is 127 "$rc" "exit code" && is "" "$left" "what is left"
}

# --- The servers for a prefix, each with a client in another netns ---

addresses=1000

# Set links up before adding addresses. Otherwise an address is not ready at once.
host_and_client() {
	setup_ns ns client && ip -n "$ns" link add veth0 type veth peer name veth0 netns "$client" &&
		ip -n "$ns" link set veth0 up && ip -n "$client" link set veth0 up &&
		ip -n "$ns" addr add 2001:db8:1::1/64 dev veth0 nodad &&
		ip -n "$client" addr add 2001:db8:1::2/64 dev veth0 nodad &&
		ip -n "$client" -6 route add 2001:db8:a::/64 via 2001:db8:1::1 &&
		ip -n "$ns" -6 route add local 2001:db8:a::/64 dev lo
}

ask() { ip netns exec "$client" "$base/watch/asker" "$1" "${2:-$addresses}"; }

# start tcp|udp [ADDRESS...]: starts the server in the background. Its messages go to $said.
start() {
	in_ns "$base/watch/subnet-$1" 4242 "${@:2}" 2>"$said" &
	server=$!
}

listens() { is "$1" "$(in_ns ss -Hlntu "sport = :4242" | wc -l)" sockets >/dev/null; }

# serve tcp|udp [ADDRESS...]: starts the server and waits until it listens.
serve() {
	host_and_client && start "$@" || return
	shift
	busywait "$BUSYWAIT_TIMEOUT" listens $(($# ? $# : 1)) || say_why "the server does not listen: $(cat "$said")"
}

# serves tcp|udp [ADDRESS...]: no answer is wrong or missing.
serves() {
	local out
	serve "$@" || return
	out=$(ask "$1") || say_why "$out; $(cat "$said")" || return
	is "" "$(cat "$said")" "what the server says"
}

# shellcheck disable=SC2046 # words
serves_addresses() { serves "$1" $("$base/watch/asker" list "$addresses"); }

refuses_address() {
	host_and_client && start "$1" "$any" || return
	! wait "$server" || say_why "it ended well" || return
	is "subnet-$1: bind $any: Cannot assign requested address" "$(cat "$said")" "what the server says"
}

tcp_prefix_not_loaded() { serves tcp; }
tcp_prefix() { load && serves tcp; }
tcp_address_not_loaded() { refuses_address tcp; }
tcp_addresses() { load && serves_addresses tcp; }
udp_address_not_loaded() { refuses_address udp; }
udp_prefix() { load && serves udp; }
udp_addresses() { load && serves_addresses udp; }

udp_prefix_not_loaded() {
	serve udp || return
	! ask udp 1 >/dev/null || say_why "it answered" || return
	is "subnet-udp: answer from $("$base/watch/asker" list 1): Invalid argument" "$(cat "$said")" "what the server says"
}

need_machine
if [ -z "$man" ] || [ -z "$examples" ]; then
	ktap_skip_all "no man or examples folder"
	exit "$KSFT_SKIP"
fi
server='' client=''
said=$(mktemp)
trap end EXIT
run_tests examples module_page tool_page tool_page_output readme_output node_exporter node_exporter_unproven \
	node_exporter_not_loaded node_exporter_fails tcp_prefix_not_loaded tcp_prefix \
	tcp_address_not_loaded tcp_addresses udp_prefix_not_loaded udp_prefix \
	udp_address_not_loaded udp_addresses
