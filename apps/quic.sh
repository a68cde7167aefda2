# shellcheck shell=bash
# packages: nginx-light curl openssl
# shellcheck disable=SC2154 # by common.sh and who sources it

# Only with a server that has QUIC: not in Debian 12.
rows() {
    nginx -V 2>&1 | grep -q http_v3_module || return
    cat <<'END'
QUIC_on_a_prefix | nginx | sendmsg\(\) failed \(22: Invalid argument\) | many_addresses
END
}

QUIC_on_a_prefix() {
    mkdir -p "$work/quic" && cp quic/nginx.conf "$work/quic/" &&
        openssl req -quiet -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=prefix \
            -keyout "$work/quic/key.pem" -out "$work/quic/cert.pem" &&
        start host quic nginx -c "$work/quic/nginx.conf" -g 'daemon off; error_log stderr;' && serves asked 2001:db8:123::1
}

# asked ADDRESS: in QUIC; it says that it was.
asked() {
    answered "https://[$1]/" -k --http3-only && expect "address that was asked" "$1" "$(<"$work/answer")"
}

many_addresses() {
    local n
    for n in {2..20}; do asked "2001:db8:123::$n:1" || return; done
    note "20 addresses asked"
}
