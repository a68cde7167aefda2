# shellcheck shell=bash
# packages: curl python3 nodejs tinyproxy
# packages of bookworm: openjdk-17-jdk-headless
# packages of trixie: openjdk-21-jdk-headless
# packages of forky: openjdk-25-jdk-headless
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
c_bind | C | requests-c: bind: Cannot assign requested address |
go_LocalAddr | Go | dial tcp .*: bind: cannot assign requested address |
python_source_address | python3 | OSError: \[Errno 99\] Cannot assign requested address |
asyncio_local_addr | python3 | OSError: .*2001:db8:5::1.* cannot assign requested address |
java_bind | openjdk-*-jdk-headless | java.net.BindException: Cannot assign requested address |
java_getByInetAddress | openjdk-*-jdk-headless | |
node_localAddress | nodejs | Error: bind EADDRNOTAVAIL 2001:db8:5::1 |
curl_interface | curl | curl: \(45\).* |
tinyproxy_BindSame | tinyproxy | opensock: Could not establish a connection.* |
END
}

sources=$(argument sources)
peer=2001:db8:c::2 prefix=2001:db8:5::

c_bind() { asks "$here/programs/requests-c"; }

go_LocalAddr() { asks "$here/programs/requests-go"; }

python_source_address() { asks python3 sources/requests.py; }

asyncio_local_addr() { asks python3 sources/requests-asyncio.py; }

java_bind() { asks java sources/Requests.java; }

# Java knows the addresses of interfaces only.
java_getByInetAddress() {
    cat >"$work/Ask.java" <<'END'
class Ask {
    public static void main(String[] names) throws Exception {
        System.out.println(java.net.NetworkInterface.getByInetAddress(java.net.InetAddress.getByName(names[0])));
    }
}
END
    expect interface null "$(in_ns host java "$work/Ask.java" 2001:db8:5::1)" && note "null"
}

node_localAddress() { asks node sources/requests.js; }

curl_interface() { peer && urls 'interface = "2001:db8:5::%x"' | curls host && saw "$sources"; }

tinyproxy_BindSame() {
    peer && start host tinyproxy tinyproxy -d -c sources/tinyproxy.conf && serves listens host 8888 &&
        urls 'proxy = "http://[2001:db8:5::%x]:8888"' | curls host2 && saw "$sources"
}

# --- ---

peer() { start client peer "$here/programs/peer" "$peer" && serves listens client 80; }

listens() { [[ -n $(in_ns "$1" ss -Hltn "sport = :$2") ]]; }

# asks CMD...: runs one of the examples. All of them take the same arguments.
asks() { peer && in_ns host "$@" "$peer" "$prefix" "$sources" && saw "$sources"; }

# urls OPTION: prints a configuration for curl, with a request for each source.
urls() {
    local n
    echo fail-early
    for ((n = 1; n <= sources; n++)); do
        ((n == 1)) || echo next
        # shellcheck disable=SC2059 # the caller's
        printf "$1\nurl = \"http://[$peer]/\"\nfail\n" "$n"
    done
}

curls() { in_ns "$1" curl -sS -K - >"$work/answer"; }

# saw N: the peer must have seen N addresses and the client's own, which asks it for the number.
saw() {
    expect "addresses that the peer was asked from" $(($1 + 1)) "$(in_ns client curl -s -g "http://[$peer]/")" && note "$1 sources"
}
