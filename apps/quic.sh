# shellcheck shell=bash
# packages: nginx-light ssl-cert curl
# packages of bookworm: ngtcp2-client ngtcp2-server
# packages of trixie: ngtcp2-client ngtcp2-server
# shellcheck disable=SC2154 # by common.sh and who sources it

# Tests the servers that the suite has: nginx speaks QUIC since Debian 13, ngtcp2 comes with Debian 12 and 13. One socket serves
# all addresses.
rows() {
    ! nginx -V 2>&1 | grep -q http_v3_module ||
        echo 'nginx_quic | nginx-light | sendmsg\(\) failed \(22: Invalid argument\) | nginx_addresses'
    ! type -P gtlsserver >/dev/null || echo 'gtlsserver | ngtcp2-server | sendmsg: Invalid argument | gtlsserver_addresses'
}

nginx_quic() {
    start host quic nginx -c "$PWD/quic/nginx.conf" -g 'daemon off; error_log stderr;' && serves nginx_asked 2001:db8:123::1
}

nginx_asked() {
    answered "https://[$1]/" -k --http3-only && expect "address that was asked" "$1" "$(<"$work/answer")"
}

nginx_addresses() { addresses nginx_asked; }

gtlsserver() {
    mkdir -p "$work/www" "$work/download" && echo hello >"$work/www/hello" || return
    start host quic gtlsserver -q -d "$work/www" '*' 443 /etc/ssl/private/ssl-cert-snakeoil.key \
        /etc/ssl/certs/ssl-cert-snakeoil.pem && serves gtlsserver_asked 2001:db8:123::1
}

# The client's socket is connected, so it takes no answer from another address.
gtlsserver_asked() {
    rm -f "$work/download/hello"
    in_ns client timeout 20 gtlsclient -q --exit-on-all-streams-close --download="$work/download" "$1" 443 https://prefix/hello &&
        cmp "$work/www/hello" "$work/download/hello"
}

gtlsserver_addresses() { addresses gtlsserver_asked; }

# addresses FUNCTION: FUNCTION must succeed with more addresses of the prefix.
addresses() {
    local n
    for n in {2..20}; do "$1" "2001:db8:123::$n:1" || return; done
    note "20 addresses asked"
}
