# shellcheck shell=bash
# packages: curl python3 nodejs tinyproxy
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
curl_interface | curl | curl: \(45\).* |
tinyproxy_BindSame | tinyproxy | opensock: Could not establish a connection.* |
python_source_address | python3 | OSError: \[Errno 99\] Cannot assign requested address |
node_localAddress | nodejs | Error: bind EADDRNOTAVAIL 2001:db8:5::1 |
go_LocalAddr | go | dial tcp .*: bind: cannot assign requested address |
c_bind | libc6 | requests-c: bind: Cannot assign requested address |
END
}

sources=$(argument sources) peer=2001:db8:c::2 prefix=2001:db8:5::

curl_interface() { peer && urls 'interface = "2001:db8:5::%x"' | asks host curl -K - && all_seen; }

tinyproxy_BindSame() {
    peer && start host tinyproxy tinyproxy -d -c sources/tinyproxy.conf && serves listens host 8888 &&
        urls 'proxy = "http://[2001:db8:5::%x]:8888"' | asks host2 curl -K - && all_seen
}

python_source_address() { peer && asks host sources/requests.py "$peer" "$prefix" "$sources" && all_seen; }

node_localAddress() { peer && asks host node sources/requests.js "$peer" "$prefix" "$sources" && all_seen; }

go_LocalAddr() { peer && asks host "$here/programs/requests-go" "$peer" "$prefix" "$sources" && all_seen; }

c_bind() { peer && asks host "$here/programs/requests-c" "$peer" "$prefix" "$sources" && all_seen; }

# --- ---

peer() { start client peer "$here/programs/peer" "$peer" && serves listens client 80; }

listens() { [[ -n $(in_ns "$1" ss -Hltn "sport = :$2") ]]; }

# urls OPTION: a file for curl, of as many requests as there are to be sources.
urls() {
    local n
    for ((n = 1; n <= sources; n++)); do
        # shellcheck disable=SC2059 # the caller's
        printf "$1\nurl = \"http://[$peer]/\"\nfail\n" "$n"
        ((n == sources)) || echo next
    done
}

asks() { in_ns "$@" >"$work/answer"; }

# The peer itself asks last, to read the number: so it is one of them.
all_seen() {
    expect "addresses that the peer was asked from" $((sources + 1)) "$(in_ns client curl -s -g "http://[$peer]/")" &&
        note "$sources sources"
}
