# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that ask the tool anyip6(8) in $ns: what it says, in $said, and its exit code. MAN names the folder of the manual pages,
# if it is not beside this folder.

man=${MAN:-$(first_file "$base/watch/man" "$base/../man")}

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

# with_file PATH TEXT COMMAND...: runs the command where the file has that text.
with_file() {
	local file rc=0
	file=$(mktemp)
	printf '%b' "$2" >"$file"
	# shellcheck disable=SC2016 # the inner shell expands
	in_ns unshare -m bash -c 'mount --bind "$1" "$2" || exit; shift 2; exec "$@"' bash "$file" "$1" "${@:3}" || rc=$?
	rm "$file"
	return "$rc"
}

# The members of JSON on stdin, each with its type. Those of counters begin with a capital letter.
members() {
	grep -oE '"[a-z_]+":.' | sed -E 's/^"([a-z_]+)":(.)/\1 \2/; s/ "$/ string/; s/ [tf]$/ boolean/; s/ n$/ null/; s/ \[$/ array/; s/ \{$/ object/; s/ [0-9]$/ number/' | sort -u
}

# documented FIRST LAST: the members that anyip6(8) has between these lines, each with its types.
documented() {
	sed -n "/$1/,/$2/p" "$man/anyip6.8" | sed -nE '/^\.It Va/{s/^\.It //; s/ , Va/\nVa/g; p}' |
		sed -nE 's/^Va ([a-z_]+) No \(([a-z]+)( or ([a-z]+))?\) *$/\1 \2 \4/p' | awk '{ for (i = 2; i <= NF; i++) print $1, $i }' | sort -u
}

# A member that anyip6(8) names in passing, inside another one, is a string or in the list too.
inner='(caller|check|state|prefix|table|type|device) (string|null)'

# same_members JSON FIRST LAST: what it has is in the page between these lines, and the other way round.
same_members() {
	local page seen
	page=$(documented "$2" "$3")
	seen=$(members <<<"$1" | grep -vxE "$inner")
	[ -n "$page" ] && [ -n "$seen" ] && is "" "$(grep -vxFf <(echo "$page") <<<"$seen")" "members that the page lacks" &&
		is "" "$(grep -vxE "$inner" <<<"$page" | grep -vxFf <(echo "$seen"))" "members that were not printed"
}
