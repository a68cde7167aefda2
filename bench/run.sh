#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the VM of scripts/bench. Prints a line for each measurement: column, row, errno, min, median.
#
# Usage: run.sh STEP...
# The steps are stock (all columns without the module), load, load_ndisc, rule (the columns with the module), smp, and
# PROGRAM,ARGUMENT,... for the other programs in this folder.

set -euo pipefail
cd "$(dirname "$0")"

stock() {
	./bench stock freebind nonlocal ipv4 stock stock
	LD_PRELOAD=./shim.so ./bench shim
}

# Measures each column several times. Now and then a whole column costs a few instructions more because of the memory that it got.
rule() { ./bench off on off on off on; }

load() { insmod ./anyip6.ko; }

load_ndisc() { insmod ./anyip6.ko ndisc=1; }

smp() { ./smp; }

modprobe -qa dummy || true
for step; do
	case $step in
		*,*) IFS=, read -ra words <<<"$step" && "./${words[0]}" "${words[@]:1}" ;;
		*) "$step" ;;
	esac
done
