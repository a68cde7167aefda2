#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# After all that the other tests did, and with the module gone, no memory is left that nobody points to. For a VM, and a kernel
# that has CONFIG_DEBUG_KMEMLEAK.

# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

kmemleak=/sys/kernel/debug/kmemleak

clean() { :; }

# What is young, or has changed since the scan before, is not reported: so two scans, and some time between.
nothing_leaked() {
	all_gone && echo scan >"$kmemleak" || return
	sleep 6 # more than the kernel's MSECS_MIN_AGE
	echo scan >"$kmemleak" || return
	is 0 "$(grep -c '^unreferenced object' "$kmemleak")" leaks || { sed 's/^/# /' "$kmemleak" && return 1; }
}

need_machine
[ -e "$kmemleak" ] || { ktap_skip_all "no kmemleak in this kernel"; exit "$KSFT_SKIP"; }
run_tests kmemleak nothing_leaked
