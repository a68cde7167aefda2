# shellcheck shell=bash
# packages: nginx-light ssl-cert curl ipvsadm
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
listen_with_TLS | nginx-light | bind\(\) to \[2001:db8:123::1\]:443 failed \(99: Cannot assign requested address\) | sources reload
proxy_bind | nginx-light | bind\(2001:db8:5::1\) failed \(99: Cannot assign requested address\) while connecting to upstream |
IPVS_direct_routing | ipvsadm | bind\(\) to \[2001:db8:124::80\]:80 failed \(99: Cannot assign requested address\) | both_servers
END
}

nginx_on() { start host nginx nginx -c "$PWD/nginx/$1" -g 'daemon off; error_log stderr;' && main=$pid; }

# ask_all: asks four addresses, and prints the source that the servers see for each request.
ask_all() {
    local n
    for n in 1 2 3 4; do answered "https://[2001:db8:123::$n]/" -k && grep -a '^2001:db8:5::' "$work/answer" || return; done
}

listen_with_TLS() { backends && nginx_on nginx.conf && serves ask_all; }

proxy_bind() {
    backend 1 && nginx_on proxy_bind.conf && serves answered 'http://[2001:db8:123::80]/' &&
        expect "source that the server sees" 2001:db8:5::1 "$(head -n 1 "$work/answer")"
}

# 40 requests miss one of the four sources in less than one of 20,000 runs.
sources() {
    local n
    for n in {1..10}; do ask_all || return; done | sort -u >"$work/sources"
    expect "sources that the servers see" "2001:db8:5::1 2001:db8:5::2 2001:db8:5::3 2001:db8:5::4" "$(paste -sd' ' "$work/sources")" &&
        note "4 sources"
}

new_worker() { [[ $(pgrep -n -P "$main") -gt $1 ]]; }

# The old worker stays until the download has ended.
reload() {
    local old
    old=$(pgrep -n -P "$main")
    download 'https://[2001:db8:123::2]/big' && kill -HUP "$main" && until new_worker "$old"; do ask_all || return; done
    ask_all && downloaded && note "reload: a download goes on"
}

# --- Behind IPVS, the router is the director. All three have the address as a part of their routes ---

IPVS_direct_routing() {
    local ns
    ip -n router link set lo up
    for ns in router host host2; do ip -n "$ns" -6 route replace local 2001:db8:124::/64 dev lo || return; done
    in_ns router ipvsadm -R <ipvs/ipvsadm.rules && behind_director host2 && behind_director host && serves directed
}

behind_director() {
    start "$1" "nginx.$1" nginx -c "$PWD/ipvs/nginx.conf" -g "daemon off; error_log stderr; pid $work/nginx.$1.pid;"
}

directed() { answered 'http://[2001:db8:124::80]/' && expect answer "$(hostname) 2001:db8:124::80" "$(<"$work/answer")"; }

# The director counts the connections that it sends to each host, and some seconds later it shows them.
both_servers() {
    local n
    for n in {1..10}; do directed || return; done
    within 20 counted && note "10 requests to two hosts"
}

counted() { [[ $(in_ns router ipvsadm -Ln --stats --exact | tee "$work/stats" | awk '$1 == "->" && $3 >= 5' | wc -l) == 2 ]]; }
