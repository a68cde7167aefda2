#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Records the decisions of anyip6 while a command runs, and prints them.
# Usage: anyip6-perf.sh COMMAND [ARG...]
set -eu
data=$(mktemp)
trap 'rm -f "$data"' EXIT
perf record -q -a -e anyip6:anyip6_decision -o "$data" -- "$@" || true
perf script -i "$data" -F trace:comm,pid,time,event,trace
