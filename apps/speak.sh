# shellcheck shell=bash
# packages: traceroute mtr-tiny curl nginx-light openssh-server openssh-client dnsmasq bind9-dnsutils iputils-ping tcpdump
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
traceroute_to_an_address | traceroute | saw '2001:db8:c::1 2001:db8:1::2'|
traceroute_to_a_host_without_another_address | traceroute | saw '2001:db8:c::1 \* \*'|
mtr_-u | mtr-tiny | saw '2001:db8:c::1 2001:db8:1::2.*|
curl_without_a_bind | curl | Invalid source address | ssh_too dig_too ping_too
END
}

asked=2001:db8:123::9 service=2001:db8:123::25

traceroute_to_an_address() { traces && arrives; }

# The host keeps its link-local address and the prefix. A router does not pass on what comes from a link-local address.
traceroute_to_a_host_without_another_address() { only_any_ip && traces -m 3 && arrives; }

# Without the module mtr does not see that it has arrived, and asks on. Three hops show it.
mtr_-u() {
    in_ns client mtr -6 -n -u -r -c 3 -m 3 "$asked" >"$work/answer" && cat "$work/answer" || return
    hops=$(awk '$1 ~ /--$/ { print $2 }' "$work/answer" | paste -sd' ')
    arrives
}

curl_without_a_bind() {
    backend 1 && ip -n host -6 route replace default via 2001:db8:1::1 dev net0 metric 512 src "$service" &&
        in_ns host curl -sS -f -g -m 20 -o "$work/answer" 'http://[2001:db8:2::11]:8080/' && leaves curl "$(head -n 1 "$work/answer")"
}

ssh_too() { sshd_on client && serves logs_in host 2001:db8:c::2 && leaves ssh "$(cut -d' ' -f 1 "$work/answer")"; }

dig_too() {
    start host2 dnsmasq dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-interfaces --listen-address=2001:db8:2::2 \
        --address=/www.example.org/2001:db8:2::11 --log-queries --log-facility=- && serves asks_dns &&
        leaves dig "$(sed -nE 's/.*query\[AAAA\] www\.example\.org from ([0-9a-f:]+).*/\1/p' "$work/logs/dnsmasq" | sort -u)"
}

ping_too() {
    start host2 tcpdump tcpdump -n -l -i net0 'icmp6 and ip6[40] == 128' && serves grep -q 'listening on' "$work/logs/tcpdump" &&
        in_ns host ping -c 3 -i 0.2 -W 30 2001:db8:2::2 && within 20 grep -q 'echo request' "$work/logs/tcpdump" &&
        leaves ping "$(sed -nE 's/.* IP6 ([0-9a-f:]+) > .*echo request.*/\1/p' "$work/logs/tcpdump" | sort -u)"
}

# --- ---

# traces OPTION...: runs traceroute from the client, one probe at a time. $hops gets the addresses that answered.
traces() {
    in_ns client traceroute -6 -n -q 1 -N 1 -w 5 "$@" "$asked" >"$work/answer"
    cat "$work/answer"
    hops=$(awk 'NR > 1 { print $2 }' "$work/answer" | paste -sd' ')
}

arrives() { expect hops "2001:db8:c::1 $asked" "$hops" && note "ends at the address asked"; }

# only_any_ip: takes the host's global address. Router and host then reach each other by link-local addresses.
only_any_ip() {
    ip -n router addr add fe80::a/64 dev host && ip -n host addr add fe80::b/64 dev net0 && ip -n host addr del 2001:db8:1::2/64 dev net0 &&
        ip -n host -6 route replace default via fe80::a dev net0 &&
        ip -n router -6 route replace 2001:db8:123::/64 via fe80::b dev host
}

asks_dns() { [[ $(in_ns host dig +short +tries=1 +timeout=5 @2001:db8:2::2 www.example.org AAAA) == 2001:db8:2::11 ]]; }

# leaves PROGRAM SEEN: the peer must have seen the service address, and no other.
leaves() { expect "address that the peer sees of $1" "$service" "$2" && note "$1 from $2"; }
