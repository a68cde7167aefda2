# shellcheck shell=bash
# packages: unbound nsd pdns-server pdns-backend-bind dnsmasq bind9-dnsutils pdns-recursor dnsdist bind9
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
unbound_on_three_addresses | unbound | can't bind socket: Cannot assign requested address for 2001:db8:123::53.* |
unbound_on_all_addresses | unbound | sendmsg failed: Invalid argument.* |
nsd_on_three_addresses | nsd | can't bind udp socket.*: Cannot assign requested address |
pdns_on_three_addresses | pdns-server | Unable to bind.*Cannot assign requested address |
dnsmasq_on_three_addresses | dnsmasq | failed to create listening socket for 2001:db8:123::[0-9]*: Cannot assign requested address |
dnsmasq_on_all_addresses_over_UDP | dnsmasq | communications error to 2001:db8:123::1#53: timed out |
pdns_recursor | pdns-recursor | Resolver binding to local query client socket on 2001:db8:5::.: Cannot assign requested address | all_addresses
dnsdist | dnsdist | binding socket to \[2001:db8:5::53\]:0: Cannot assign requested address | all_addresses
named_query-source-v6 | bind9 | could not get query source dispatcher \(2001:db8:5::53#0\) |
named_listen-on-v6 | bind9 | |
END
}

three=(2001:db8:123::53 2001:db8:123::153 2001:db8:123::253)
many=(2001:db8:123::{1..12})

# asked AWK ADDRESS... -- QUERY...: dig asks each address. AWK must select one line of dig's output for each. dig drops answers
# that come from another address than it asked.
asked() {
    local awk=$1 addresses=() address queries=()
    shift
    while [[ $1 != -- ]]; do addresses+=("$1") && shift; done
    shift
    for address in "${addresses[@]}"; do queries+=("@$address" +noall "$@"); done
    in_ns client dig +tries=1 +timeout=10 "${queries[@]}" >"$work/dig"
    cat "$work/dig"
    expect "good answers" "${#addresses[@]}" "$(awk "$awk" "$work/dig" | wc -l)"
}

# www ADDRESS...: asks each address over UDP.
www() { asked '/2001:db8:123::80/' "$@" -- +answer www.example.org AAAA; }

www_tcp() { asked '/2001:db8:123::80/' "$@" -- +answer +tcp www.example.org AAAA; }

# large ADDRESS...: asks each address over UDP for an answer that needs more than one packet.
# shellcheck disable=SC2016 # awk's
large() { asked '/SERVER:/ && !/UDP/ { exit 1 } /MSG SIZE/ && $NF > 2000' "$@" -- +stats +bufsize=4096 +ignore large.example.org TXT; }

serve_dns() { # CMD... -- ADDRESS...
    local command=()
    while [[ $1 != -- ]]; do command+=("$1") && shift; done
    shift
    install -D -m 644 -t /etc/dns dns/example.org.zone dns/named.conf
    start host dns "${command[@]}"
    serves www "$1" && www "$@" && large "$@" && note "$# addresses, large answers"
}

tcp_too() { www_tcp "$@" && note "TCP too"; }

unbound_on_three_addresses() { serve_dns unbound -d -c dns/unbound.conf -- "${three[@]}" && tcp_too "${three[@]}"; }
unbound_on_all_addresses() { serve_dns unbound -d -c dns/unbound-all.conf -- "${many[@]}" && tcp_too "${many[@]}"; }
nsd_on_three_addresses() { serve_dns nsd -d -c dns/nsd.conf -- "${three[@]}" && tcp_too "${three[@]}"; }
pdns_on_three_addresses() { serve_dns pdns_server --config-dir=dns -- "${three[@]}" && tcp_too "${three[@]}"; }
dnsmasq_on_three_addresses() { serve_dns dnsmasq -k -C dns/dnsmasq.conf --log-facility=- -- "${three[@]}" && tcp_too "${three[@]}"; }
# In this mode dnsmasq closes TCP connections to addresses that no interface has.
dnsmasq_on_all_addresses_over_UDP() { serve_dns dnsmasq -k -C dns/dnsmasq-all.conf --log-facility=- -- "${many[@]}"; }

# --- Resolvers ---

# upstream: starts a server on host2. It answers for all names in example.org, and logs who asks.
upstream() {
    start host2 upstream dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-interfaces --listen-address=2001:db8:2::2 \
        --address=/example.org/2001:db8:123::80 --log-queries --log-facility=-
}

resolver() { # CMD...
    mkdir -p /run/pdns-recursor /run/named /var/cache/bind
    install -D -m 644 -t /etc/dns dns/example.org.zone
    upstream && start host resolver "$@"
}

# new_names ADDRESS: asks for 40 names that no cache has. With four sources, all are used but once in 20,000 runs.
new_names() {
    local names=() n
    for n in {1..40}; do names+=("$SECONDS-$n.example.org" AAAA); done
    in_ns client dig +tries=1 +timeout=10 +noall +answer "@$1" "${names[@]}" >"$work/dig"
    cat "$work/dig"
    expect "good answers" 40 "$(grep -c '2001:db8:123::80$' "$work/dig")"
}

# asks_from ADDRESS...: the server must have seen these addresses, and no other. The host's own address serves without the module
# too, so only the way on to the server needs it.
asks_from() {
    new_names 2001:db8:1::2 && expect "addresses that ask the server" "$*" "$(asking | sort -u | paste -sd' ')" && note "asks from $*"
}

asking() { sed -nE 's/.*query\[AAAA\] .* from ([0-9a-f:]+).*/\1/p' "$work/logs/upstream"; }

all_addresses() { www "${many[@]}" && note "${#many[@]} addresses" && tcp_too "${many[@]}"; }

pdns_recursor() { resolver pdns_recursor --config-dir=dns --daemon=no && serves www 2001:db8:1::2 && asks_from 2001:db8:5::{1..4}; }

dnsdist() { resolver dnsdist --supervised --disable-syslog -C dns/dnsdist.conf && serves www 2001:db8:1::2 && asks_from 2001:db8:5::53; }

named_query-source-v6() { named_on source.conf && serves www 2001:db8:1::2 && asks_from 2001:db8:5::53; }

# named reads the list of the interfaces' addresses, with the module and without it. It says nothing about one that is not there.
named_listen-on-v6() {
    named_on listen.conf && within 60 is_said ' running$' && expect "what named says" "" "$(said '.*2001:db8:123::53.*')" &&
        note "no listener, no message" && needs_address 2001:db8:123::53 www 2001:db8:123::53 && tcp_too 2001:db8:123::53
}

named_on() { resolver named -g -c "$PWD/named/$1"; }
