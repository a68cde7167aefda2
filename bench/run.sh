#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM of scripts/bench. What is measured comes out, a line each: column, row, errno, min, median.
#
# Usage: run.sh STEP...; the steps are stock (all columns without the module), load, rule (those with it), smp, and
# PROGRAM,ARGUMENT,... for the other programs here.

set -euo pipefail
cd "$(dirname "$0")"

stock() {
	./bench stock freebind nonlocal ipv4 stock stock
	LD_PRELOAD=./shim.so ./bench shim
}

# Several times: now and then all of a column is dearer by a handful, for the memory that it got.
rule() { ./bench off on off on off on; }

load() { insmod ./anyip6.ko; }

smp() { ./smp; }

modprobe -qa dummy || true
for step; do
	case $step in
		*,*) IFS=, read -ra words <<<"$step" && "./${words[0]}" "${words[@]:1}" ;;
		*) "$step" ;;
	esac
done
