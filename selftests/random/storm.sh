#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads and unloads the module in a loop while processes bind, listen, connect and send. Meanwhile routes, the toggle, namespaces
# and sctp (l2tp_ip6 if the kernel has lockdep) come and go. storm.c judges each answer by what was possible at that moment. For a
# VM, best with four processors.
#
# ANYIP6_CYCLES (100): the minimum number of cycles. ANYIP6_SECONDS (0): the minimum duration.
# ANYIP6_REST (0): how many ms each asking process rests between two operations. A rest allows many cycles in a short time on slow
# processors.
# ANYIP6_KO names the module, if it is not where common.sh looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

out=$(mktemp)
trap 'clean; rm -f "$out"' EXIT

# Keeps the program's lines: "OPERATION TARGET EXPECTED RESULT COUNT [WRONG]".
cycles() {
	local code=0
	"$base/random/storm" "$anyip6_ko" "${ANYIP6_CYCLES:-100}" "${ANYIP6_SECONDS:-0}" "${ANYIP6_REST:-0}" >"$out" || code=$?
	sed 's/^/# /' "$out"
	is 0 "$code" "exit code"
}

# judged TARGET EXPECTED RESULT: prints how often this happened. Each argument is an extended regular expression.
judged() {
	awk -v target="^($1)\$" -v expected="^($2)\$" -v result="^($3)\$" '
		$2 ~ target && $3 ~ expected && $4 ~ result && $5 ~ /^[0-9]+$/ { n += $5 } END { print n + 0 }' "$out"
}

no_answer_wrong() {
	grep -q '^in all: ' "$out" && is "" "$(grep ' WRONG$' "$out")" answers
}

never_local_never_bound() {
	[ "$(judged 'carved-out' no EADDRNOTAVAIL)" -gt 0 ] && [ "$(judged 'never-local.*' no EADDRNOTAVAIL)" -gt 0 ] &&
		is 0 "$(judged '(carved-out|never-local).*' '.*' ok)" binds
}

configured_never_refused() {
	[ "$(judged configured yes ok)" -gt 0 ] && is 0 "$(judged configured '.*' 'EADDRNOTAVAIL|EINVAL')" refusals
}

# The targets and expectations that the storm must have seen.
facts() {
	cat <<-END
		any-ip yes
		any-ip no
		any-ip no,toggle-0
		any-ip,route-comes-and-goes yes
		any-ip,route-comes-and-goes no
		any-ip,route-comes-and-goes no,toggle-0
		any-ip,route-comes-and-goes no,route-gone
		any-ip,new-netns yes
		any-ip,new-netns no
		any-ip at-rest,local
		any-ip,route-comes-and-goes at-rest,local
		any-ip,route-comes-and-goes at-rest,not-local
		carved-out at-rest,not-local
	END
}

# Checks that the storm exercised every fact.
all_facts_seen() {
	local target expected
	while read -r target expected; do
		[ "$(judged "$target" "$expected" '.*')" -gt 0 ] || say_why "$target was never to be $expected" || return
	done < <(facts)
}

# Some kernels lack sctp or l2tp_ip6.
all_moved() {
	local line
	line=$(grep '^beside it: ' "$out")
	! grep -q '^no module ' "$out" || line=${line%,*}
	is "" "$(grep -oE '\b0 [a-z0-9_ ]+' <<<"$line")" "what did not come and go: $line"
}

need_machine
for judge in no_answer_wrong never_local_never_bound configured_never_refused all_facts_seen all_moved no_splat; do
	needs[$judge]=cycles
done
run_tests storm cycles no_answer_wrong never_local_never_bound configured_never_refused all_facts_seen all_moved no_splat all_gone
