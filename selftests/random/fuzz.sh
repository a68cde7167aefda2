#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Random operations, each answer compared with a model's and with the kernel's own lookup, without the module and with it, or of a
# kernel with ../../patches; see fuzz.c and model.c. For a VM.
#
# ANYIP6_FUZZ_SEEDS (20): so many sequences with the module, a tenth of it without. ANYIP6_FUZZ_OPS (5000): so long is each.
# ANYIP6_FUZZ_SEED (1): the first one's.
# ANYIP6_KO names the module, if it is not where common.sh looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

seeds=${ANYIP6_FUZZ_SEEDS:-20}
sequences=(--seed "${ANYIP6_FUZZ_SEED:-1}" --ops "${ANYIP6_FUZZ_OPS:-5000}")
out=$(mktemp -d)
expedited=/sys/kernel/rcu_expedited
was_expedited=$(<"$expedited")

end() {
	clean
	echo "$was_expedited" >"$expedited"
	rm -rf "$out"
}

trap end EXIT

# fuzz NAME OPTION...: its lines are shown, and kept as NAME.
fuzz() {
	"$base/random/fuzz" "${@:2}" | tee "$out/$1" | awk '{ print "# " $0; fflush() }'
	return "${PIPESTATUS[0]}"
}

absent() { fuzz absent "${sequences[@]}" --seeds $(((seeds + 9) / 10)); }

loaded_and_on_and_off() { load && fuzz loaded "${sequences[@]}" --seeds "$seeds"; }

# Nothing is proven of what did not happen.
all_answers_seen() {
	local never=module-absent
	# Nor does that kernel see a route of another device.
	! built_in || never+='|wrong-device'
	is "" "$(awk -v never="^($never)\$" '/^decided:/ && $2 !~ never && !$3
		/^asked: (bind|bind SCTP|bind IPv4|PKTINFO|route.*|nexthop.*):/ && / 0 (yes|no)/' "$out/loaded")" "never seen" &&
		[ "$(grep -cE '^(asked|decided):' "$out/loaded")" -gt 20 ]
}

# Each kind of route decided both ways, and the kernel was asked. Its lookups are fewer than its answers, as none is asked twice in a
# state, but not none.
kernel_judged() {
	is "" "$(awk '/^seen: nexthop-blackhole:/ { sub(/ 0 yes/, "") }
		(/^seen:/ || /^kernel.s lookup:/) && / 0 (answers|yes|no|lookups)/' "$out/loaded")" "never judged" &&
		is "14 1" "$(grep -c '^seen:' "$out/loaded") $(grep -c "^kernel's lookup:" "$out/loaded")" "lines"
}

# Without the mark the kernel's lookup asks other tables than the rule does: a route in one and a socket.
kernel_contradicts() {
	load || return
	fuzz contradicted --wrong 2 --ops 2000 --seeds 100
	is 1 $? "exit code" && is 2 "$(sed -n 's/^shrunk to \([0-9]*\) operations:$/\1/p' "$out/contradicted")" "operations left" &&
		grep -q '^wrong: .*: kernel says ok, got E' "$out/contradicted" && grep -q '^  route add, ' "$out/contradicted"
}

# The model errs about routes of one type. It takes two routes to see, a prefix and the hole in it, and a socket.
wrong_answer_shrunk() {
	local from to
	load || return
	fuzz wrong --wrong 1 --ops 2000 --seeds 100
	is 1 $? "exit code" || return
	from=$(sed -n 's/^wrong: .* operation \([0-9]*\): .*/\1/p' "$out/wrong")
	to=$(sed -n 's/^shrunk to \([0-9]*\) operations:$/\1/p' "$out/wrong")
	[ "$from" -gt 50 ] && is 3 "$to" "operations left" && grep -q '^  route add, .*type prohibit' "$out/wrong" &&
		[ "$(grep -c '^  [a-zA-Z0-9 ]*, netns ' "$out/wrong")" -eq 3 ]
}

wrong_answer_replayed() {
	local again
	read -ra again < <(sed -n 's/^again: fuzz //p' "$out/wrong")
	load || return
	fuzz again "${again[@]}"
	is 1 $? "exit code" && is "$(grep '^wrong:' "$out/wrong")" "$(grep '^wrong:' "$out/again")" "the replay"
}

need_machine
needs=([all_answers_seen]=loaded_and_on_and_off [kernel_judged]=loaded_and_on_and_off [wrong_answer_replayed]=wrong_answer_shrunk)
# Devices and namespaces come and go faster so.
echo 1 >"$expedited"
tests=(loaded_and_on_and_off all_answers_seen kernel_judged kernel_contradicts wrong_answer_shrunk wrong_answer_replayed)
built_in || tests=(absent "${tests[@]}" all_gone)
run_tests fuzz "${tests[@]}"
