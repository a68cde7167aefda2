# shellcheck shell=bash
# packages: iperf3 iputils-ping traceroute nginx-light
# packages of trixie: xh trippy
# packages of forky: xh trippy
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
iperf3_server | iperf3 | unable to start listener for connections: Cannot assign requested address |
iperf3_client | iperf3 | unable to connect to server.*Cannot assign requested address |
ping_-I | iputils-ping | ping: .*Cannot assign requested address |
traceroute_-s | traceroute | bind: Cannot assign requested address |
END
    # Debian 12 has neither of these two, which are written in Rust.
    ! type -P xh >/dev/null || echo 'xh_--interface | xh | Cannot assign requested address |'
    ! type -P trip >/dev/null || echo 'trip_--source-address | trippy | source IP address 2001:db8:123::1 could not be bound |'
}

peer=2001:db8:c::2 from=2001:db8:123::1

# both_ways NS ADDRESS OPTION...: sends some data from NS to ADDRESS, and some back.
both_ways() { in_ns "$1" iperf3 -c "${@:2}" -n 1M && in_ns "$1" iperf3 -c "${@:2}" -n 1M -R && in_ns "$1" iperf3 -c "${@:2}" -n 100K -u; }

iperf3_server() { start host iperf3 iperf3 -s -B 2001:db8:123::5 && serves both_ways client 2001:db8:123::5; }

iperf3_client() {
    start client iperf3 iperf3 -s && serves both_ways host "$peer" -B 2001:db8:5::5 &&
        expect "connections from another address" "" "$(grep 'Accepted connection' "$work/logs/iperf3" | grep -v 'from 2001:db8:5::5,')"
}

ping_-I() { in_ns host ping -c 3 -i 0.2 -W 30 -I "$from" "$peer"; }

traceroute_-s() {
    in_ns host traceroute -6 -n -q 1 -w 30 -s "$from" "$peer" >"$work/answer" && cat "$work/answer" &&
        expect hops "2001:db8:1::1 $peer" "$(awk 'NR > 1 { print $2 }' "$work/answer" | paste -sd' ')"
}

xh_--interface() {
    backend 1 && in_ns host xh --ignore-stdin --timeout 20 --interface 2001:db8:5::7 -b 'http://[2001:db8:2::11]:8080/' >"$work/answer" &&
        expect "source that the server sees" 2001:db8:5::7 "$(head -n 1 "$work/answer")"
}

trip_--source-address() {
    in_ns host trip -6 --udp -m json -C 3 --source-address "$from" "$peer" >"$work/answer" && cat "$work/answer" &&
        sed '1,/"hops"/d' "$work/answer" | grep -F "\"$peer\""
}
