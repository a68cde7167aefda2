# shellcheck shell=bash
# packages: squid caddy ssl-cert nginx-light curl slirp4netns
# shellcheck disable=SC2154 # by common.sh and who sources it

namespaces+=(container)

rows() {
    cat <<'END'
squid_http_port | squid | commBind Cannot bind socket FD [0-9]+ to \[2001:db8:123::31\]:3128: \(99\) Cannot assign requested address |
squid_tcp_outgoing_address | squid | commBind Cannot bind socket FD [0-9]+ to \[2001:db8:5::31\]: \(99\) Cannot assign requested address |
caddy_on_all_addresses | caddy | |
slirp4netns_outbound-addr6 | slirp4netns | curl: \(7\) Failed to connect to 2001:db8:2::11 |
END
    echo "caddy_bind | caddy | listen tcp \[2001:db8:123::44\]:[0-9]+: bind: cannot assign requested address | $(http3)"
}

# http3: prints the test of HTTP/3, if the suite's curl speaks it.
http3() { ! curl -V | grep -qw HTTP3 || echo HTTP3; }

squid_on() { backend 1 && start host squid squid -N -d 1 -f "$PWD/proxies/$1"; }

# through PROXY: asks a server on host2 through the proxy. The server answers with the address that it sees.
through() { answered 'http://[2001:db8:2::11]:8080/' -x "http://[$1]:3128"; }

squid_http_port() { squid_on squid.conf && serves through 2001:db8:123::31; }

squid_tcp_outgoing_address() {
    squid_on squid-source.conf && serves through 2001:db8:1::2 &&
        expect "source that the server sees" 2001:db8:5::31 "$(head -n 1 "$work/answer")"
}

caddy_asked() { answered 'https://[2001:db8:123::44]/' -k "$@"; }

caddy_bind() { start host caddy caddy run --adapter caddyfile --config proxies/Caddyfile && serves caddy_asked; }

HTTP3() { caddy_asked --http3-only && expect protocol HTTP/3.0 "$(<"$work/answer")" && note "HTTP/3 too"; }

# In HTTP/3 caddy does not ask for the address that a client asked.
caddy_on_all_addresses() {
    grep -v '^[[:space:]]*bind ' proxies/Caddyfile >"$work/Caddyfile" && start host caddy caddy run --adapter caddyfile --config "$work/Caddyfile" &&
        serves caddy_asked || return
    [[ -z $(http3) ]] || { answered 'https://[2001:db8:1::2]/' -k --http3-only && ! caddy_asked --http3-only -m 10 && note "works; HTTP/3 does not"; }
}

# slirp4netns connects a container that has no other network. It says nothing when it cannot bind.
slirp4netns_outbound-addr6() {
    backend 1 && in_ns container sysctl -q -w net.ipv6.conf.all.forwarding=0 &&
        start host slirp slirp4netns --configure --enable-ipv6 --outbound-addr6=2001:db8:5::6 --netns-type=path \
            /run/netns/container tap0 && serves has_tap && serves container_asks &&
        expect "source that the server sees" 2001:db8:5::6 "$(head -n 1 "$work/answer")"
}

has_tap() { ip -n container -6 addr show dev tap0 scope global -tentative | grep inet6; }

container_asks() { in_ns container curl -sS -f -g -m 20 -o "$work/answer" 'http://[2001:db8:2::11]:8080/'; }
