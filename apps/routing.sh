# shellcheck shell=bash
# packages: keepalived frr
# packages of bookworm: bird2
# packages of trixie: bird2
# packages of forky: bird3
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    echo "unicast_src_ip | keepalived | $(keepalived_says) | takeover"
    echo "update-source | frr | |"
}

# --- keepalived ---

keepalived_on() {
    start "$1" "keepalived.$1" keepalived -n -l -D -P -f "$PWD/keepalived/$1.conf" -p "$work/keepalived.$1" -r "$work/vrrp.$1" \
        -b "$work/bfd.$1"
}

# Newer versions bind with IP_FREEBIND. Then they cannot send, and both hosts take the address.
keepalived_says() {
    if keepalived --version 2>&1 | grep -q 'v2\.2\.'; then
        echo 'bind unicast_src 2001:db8:6::112 failed 99 - Cannot assign requested address'
    else
        echo 'Cant send advert to 2001:db8:6::112 .Invalid argument.'
    fi
}

has_address() { ip -n "$1" -6 addr show dev net0 | grep -w fe80::51; }

# The second host takes the address, and gives way once it hears the first.
unicast_src_ip() {
    any_ip host2 2001:db8:6::/64 2 && keepalived_on host2 && serves has_address host2 && keepalived_on host && serves gives_way
}

gives_way() { has_address host && ! has_address host2; }

takeover() { kill -9 "$(<"$work/vrrp.host")" "$(<"$work/keepalived.host")" && within 60 has_address host2 && note "the second host takes over"; }

# --- FRR ---

# bgpd takes any address while it has no connection to zebra.
frr_on() {
    rm -rf /run/frr && install -d -o frr -g frr /run/frr && start "$1" zebra /usr/lib/frr/zebra -f /dev/null &&
        serves test -S /run/frr/zserv.api &&
        start "$1" bgpd /usr/lib/frr/bgpd -f "$PWD/frr/frr.conf"
}

learned() { ip -n router -6 route show 2001:db8:123::/64 | grep -w bird; }

# With the module the session comes up, and bgpd ends it.
update-source() {
    ip -n router -6 route del 2001:db8:123::/64 &&
        start router bird bird -f -c "$PWD/bird/router.conf" -s "$work/bird" -P "$work/bird.pid" && frr_on host &&
        answers "can't bind socket for .*" 'nexthop_set failed, .*resetting connection' && needs_address 2001:db8:5::179 learned
}
