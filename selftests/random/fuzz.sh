#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Random operations. Each answer is compared with a model's and with the kernel's own lookup; see fuzz.c and model.c. This runs
# without the module and with it, or on a kernel with ../../patches. For a VM.
#
# ANYIP6_FUZZ_SEEDS (20): the number of sequences with the module. A tenth of it runs without the module.
# ANYIP6_FUZZ_OPS (5000): the length of each sequence. ANYIP6_FUZZ_SEED (1): the seed of the first one.
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

# fuzz NAME OPTION...: prints the program's lines, and keeps them as NAME.
fuzz() {
	"$base/random/fuzz" "${@:2}" | tee "$out/$1" | awk '{ print "# " $0; fflush() }'
	return "${PIPESTATUS[0]}"
}

absent() { fuzz absent "${sequences[@]}" --seeds $(((seeds + 9) / 10)); }

loaded_and_on_and_off() { load && fuzz loaded "${sequences[@]}" --seeds "$seeds"; }

# Checks that the run covered every kind of answer.
all_answers_seen() {
	local never=module-absent
	# A kernel with the built-in rule does not look at routes of another device.
	! built_in || never+='|wrong-device'
	is "" "$(awk -v never="^($never)\$" '/^decided:/ && $2 !~ never && !$3
		/^asked: (bind|bind SCTP|bind IPv4|PKTINFO|route.*|nexthop.*):/ && / 0 (yes|no)/' "$out/loaded")" "never seen" &&
		[ "$(grep -cE '^(asked|decided):' "$out/loaded")" -gt 20 ]
}

# Each kind of route decided both ways, and the kernel was asked. There are fewer lookups than answers, because none is repeated
# without a change between. But there must be some.
kernel_judged() {
	is "" "$(awk '/^seen: nexthop-blackhole:/ { sub(/ 0 yes/, "") }
		(/^seen:/ || /^kernel.s lookup:/) && / 0 (answers|yes|no|lookups)/' "$out/loaded")" "never judged" &&
		is "14 1" "$(grep -c '^seen:' "$out/loaded") $(grep -c "^kernel's lookup:" "$out/loaded")" "lines"
}

# Without the mark, the kernel's lookup reads other tables than the rule. One route in such a table and one socket show it.
kernel_contradicts() {
	load || return
	fuzz contradicted --wrong 2 --ops 2000 --seeds 100
	is 1 $? "exit code" && is 2 "$(sed -n 's/^shrunk to \([0-9]*\) operations:$/\1/p' "$out/contradicted")" "operations left" &&
		grep -q '^wrong: .*: kernel says ok, got E' "$out/contradicted" && grep -q '^  route add, ' "$out/contradicted"
}

# The model errs about routes of one type. Two routes (a prefix and a hole in it) and one socket show it.
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
# This makes devices and namespaces come and go faster.
echo 1 >"$expedited"
tests=(loaded_and_on_and_off all_answers_seen kernel_judged kernel_contradicts wrong_answer_shrunk wrong_answer_replayed)
built_in || tests=(absent "${tests[@]}" all_gone)
run_tests fuzz "${tests[@]}"
