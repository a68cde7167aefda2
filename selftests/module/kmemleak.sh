#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# After all other tests, and without the module, no memory is leaked. For a VM with a kernel that has CONFIG_DEBUG_KMEMLEAK.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

kmemleak=/sys/kernel/debug/kmemleak

clean() { :; }

# kmemleak does not report young objects, or objects that changed since the last scan. So there are two scans with a pause
# between.
nothing_leaked() {
	all_gone && echo scan >"$kmemleak" || return
	sleep 6 # more than the kernel's MSECS_MIN_AGE
	echo scan >"$kmemleak" || return
	is 0 "$(grep -c '^unreferenced object' "$kmemleak")" leaks || { sed 's/^/# /' "$kmemleak" && return 1; }
}

need_machine
[ -e "$kmemleak" ] || { ktap_skip_all "no kmemleak in this kernel"; exit "$KSFT_SKIP"; }
run_tests kmemleak nothing_leaked
