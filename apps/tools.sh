# shellcheck shell=bash
# packages: iputils-ping traceroute
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
ping_-I | iputils-ping | ping: .*Cannot assign requested address |
traceroute_-s | traceroute | bind: Cannot assign requested address |
END
}

peer=2001:db8:c::2 from=2001:db8:123::1

ping_-I() { in_ns host ping -c 3 -i 0.2 -W 30 -I "$from" "$peer"; }

traceroute_-s() {
    in_ns host traceroute -6 -n -q 1 -w 30 -s "$from" "$peer" >"$work/answer" && cat "$work/answer" &&
        expect hops "2001:db8:1::1 $peer" "$(awk 'NR > 1 { print $2 }' "$work/answer" | paste -sd' ')"
}
