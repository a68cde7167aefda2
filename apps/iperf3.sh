# shellcheck shell=bash
# packages: iperf3
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
server | iperf3 | unable to start listener for connections: Cannot assign requested address |
client | iperf3 | unable to connect to server.*Cannot assign requested address |
END
}

# both_ways NS ADDRESS OPTION...: sends some data from NS to ADDRESS, and some back.
both_ways() { in_ns "$1" iperf3 -c "${@:2}" -n 1M && in_ns "$1" iperf3 -c "${@:2}" -n 1M -R && in_ns "$1" iperf3 -c "${@:2}" -n 100K -u; }

server() { start host iperf3 iperf3 -s -B 2001:db8:123::5 && serves both_ways client 2001:db8:123::5; }

client() {
    start client iperf3 iperf3 -s && serves both_ways host 2001:db8:c::2 -B 2001:db8:5::5 &&
        expect "connections from another address" "" "$(grep 'Accepted connection' "$work/logs/iperf3" | grep -v 'from 2001:db8:5::5,')"
}
