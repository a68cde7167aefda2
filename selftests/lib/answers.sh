# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that ask the tool anyip6(8) in $ns: what it says, in $said, and its exit code.

# answers CODE COMMAND...: runs the command in $ns. It ends with CODE. $said gets what it prints.
answers() {
	local code=$1 rc=0 command=(in_ns)
	shift
	# These enter the namespace themselves.
	[[ ! $1 =~ ^(hiding|with_file|without_sctp)$ ]] || command=()
	said=$("${command[@]}" "$@" 2>&1) || rc=$?
	is "$code" "$rc" "exit code of $*, which says: $said"
}

# line N: of what it said
line() { sed -n "$1p" <<<"$said"; }

# says TEXT: it has said that in some line.
says() { [[ $said == *"$1"* ]] || say_why "no '$1' in: $said"; }

says_nothing_of() { [[ $said != *"$1"* ]] || say_why "'$1' in: $said"; }
