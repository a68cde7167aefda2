#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sockets ask for addresses while the routes of the same tables change. churn.c judges each answer. For a VM whose processors run
# in parallel (scripts/vm --parallel). If they take turns, the races do not happen.
#
# ANYIP6_CHURN_SECONDS (20): the duration in seconds.
# ANYIP6_KO names the module, if it is not where common.sh looks.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

out=$(mktemp)
trap 'clean; rm -f "$out"' EXIT

churn() {
	local code=0
	load || return
	"$base/random/churn" "${ANYIP6_CHURN_SECONDS:-20}" >"$out" || code=$?
	sed 's/^/# /' "$out"
	is 0 "$code" "exit code"
}

no_answer_wrong() {
	grep -q '^in all: [1-9]' "$out" && is "" "$(grep -E '^(bind|pktinfo).* [1-9][0-9]* wrong' "$out")" "answers"
}

# Checks that the test exercised everything: each route changed, each target was asked, and each changing target gave both
# answers.
all_seen() {
	is "" "$(grep -E '^changed .*: 0$' "$out")" "routes that never changed" || return
	is "" "$(grep -E '^(bind|pktinfo)[^:]*allowed[^:]*: 0 yes' "$out")" "never allowed" || return
	is "" "$(grep -E '^(bind|pktinfo)[^:]*(outside|carved-out)[^:]*: 0 yes, 0 no' "$out")" "never refused" || return
	is "" "$(grep -E '^(bind|pktinfo)[^:]*flips[^:]*: (0 yes|[0-9]+ yes, 0 no)' "$out")" "never both"
}

need_machine
needs=([no_answer_wrong]=churn [all_seen]=churn [no_splat]=churn)
run_tests churn churn no_answer_wrong all_seen no_splat all_gone
