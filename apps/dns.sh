# shellcheck shell=bash
# packages: unbound nsd pdns-server pdns-backend-bind dnsmasq bind9-dnsutils
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
unbound_on_three_addresses | unbound | can't bind socket: Cannot assign requested address for 2001:db8:123::53.* |
unbound_on_all_addresses | unbound | sendmsg failed: Invalid argument.* |
nsd_on_three_addresses | nsd | can't bind udp socket.*: Cannot assign requested address |
pdns_on_three_addresses | pdns-server | Unable to bind.*Cannot assign requested address |
dnsmasq_on_three_addresses | dnsmasq | failed to create listening socket for 2001:db8:123::[0-9]*: Cannot assign requested address |
dnsmasq_on_all_addresses_over_UDP | dnsmasq | communications error to 2001:db8:123::1#53: timed out |
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
