#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Records what anyip6 refuses while a command runs, and prints it.
# Usage: anyip6-trace-cmd.sh COMMAND [ARG...]
set -eu
data=$(mktemp)
trap 'rm -f "$data"' EXIT
trace-cmd record -q -e anyip6:anyip6_decision -f 'allowed == 0' -o "$data" "$@" || true
trace-cmd report -i "$data"
