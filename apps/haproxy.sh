# shellcheck shell=bash
# packages: haproxy nginx-light curl python3 socat
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
listen_on_100_addresses | haproxy | cannot bind socket .Cannot assign requested address. for \[2001:db8:123::1:80\] | reload upgrade death all_answered gap
connect_from_the_prefix | haproxy | Cannot bind to source address before connect\(\) for backend web.* |
END
}

haproxy_on() {
    mkdir -p /run/haproxy
    start host haproxy haproxy -W -f "haproxy/$1" && main=$pid
    serves answered 'http://[2001:db8:123::64]/'
}

listen_on_100_addresses() {
    backends && haproxy_on haproxy.cfg && expect "source that a server sees" 2001:db8:5:: "$(sed -n '1s/::.*/::/p' "$work/answer")" || return
    start client load "$here/apps/programs/load.py" "$progress" && load=$pid
    within 60 test -s "$progress" && more_answered
}

connect_from_the_prefix() {
    backend 1 && haproxy_on source.cfg && expect "source that the server sees" 2001:db8:5::1 "$(head -n 1 "$work/answer")"
}

# --- While requests go on ---

progress=$work/logs/progress

answers() { cut -d' ' -f 1 "$progress"; }

beyond() { (($(answers) > $1)); }

# A share of the requests follows each event.
more_answered() { within $((60 + requests / 8)) beyond $(($(answers) + requests / 8)); }

none_failed() { more_answered && expect "requests that failed" 0 "$(cut -d' ' -f 2 "$progress")"; }

# The new worker serves as soon as the main process has told the old one to stop.
new_worker() { [[ $(pgrep -n -P "$main") -gt $1 ]]; }

reload_haproxy() {
    local old
    old=$(pgrep -n -P "$main") && kill -USR2 "$main" && within 60 new_worker "$old"
}

reload() {
    download 'http://[2001:db8:123::7]/big' && reload_haproxy && downloaded && none_failed &&
        note "reload: 0 failed, a download goes on"
}

# As docs/operate.md says: ip_nonlocal_bind lets outgoing connections bind while the module is not loaded.
upgrade() {
    in_ns host sysctl -q -w net.ipv6.ip_nonlocal_bind=1 && unload && load && in_ns host sysctl -q -w net.ipv6.ip_nonlocal_bind=0 &&
        none_failed && note "upgrade of the module: 0 failed"
}

server_is() { socat -t 20 - /run/haproxy/admin.sock <<<'show stat' | grep -q "^web,web2,.*,$1,"; }

death() {
    local server
    server=$(<"$work/backend2.pid")
    # shellcheck disable=SC2046 # several
    kill -9 "$server" $(pgrep -P "$server") && within 60 server_is DOWN && none_failed && backend 2 && within 60 server_is UP && none_failed &&
        note "death of a server: 0 failed"
}

all_answered() {
    local answers failed least sources
    within $((60 + requests)) beyond "$requests" && kill "$load" && within 60 ended "$load" || return
    cat "$work/logs/load"
    read -r answers failed <"$progress"
    read -r _ least _ sources < <(tail -n 1 "$work/logs/load")
    expect "requests that failed" 0 "$failed" && ((least > 0)) &&
        expect sources "2001:db8:5::1 2001:db8:5::2 2001:db8:5::3" "$sources" &&
        note "$answers requests, $failed failed, at least $least to each address"
}

unavailable() { ! answered 'http://[2001:db8:123::9]/' 2>"$work/error" && grep -w 503 "$work/error"; }

# Without the module and without ip_nonlocal_bind, bound sockets accept connections, but HAProxy cannot connect to the servers.
gap() {
    unload && within 60 unavailable && load && within 60 answered 'http://[2001:db8:123::9]/' &&
        note "unload and load without ip_nonlocal_bind: requests get 503 in between"
}
