# shellcheck shell=bash
# packages: haproxy nginx-light curl python3 socat
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
listen_on_100_addresses | haproxy | cannot bind socket .Cannot assign requested address. for \[2001:db8:123::1:80\] | reload upgrade reload_in_between death all_answered
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
    start client load "$here/apps/load.py" "$progress" && load=$pid
    within 60 test -s "$progress" && more_answered
}

connect_from_the_prefix() {
    backends && haproxy_on source.cfg && expect "source that the server sees" 2001:db8:5::1 "$(head -n 1 "$work/answer")"
}

# --- While requests go on ---

progress=$work/logs/progress

answers() { cut -d' ' -f 1 "$progress"; }

beyond() { (($(answers) > $1)); }

more_answered() { within 60 beyond $(($(answers) + 100)); }

none_failed() { more_answered && expect "requests that failed" 0 "$(cut -d' ' -f 2 "$progress")"; }

# The new worker serves as soon as the main process has sent the old one off.
new_worker() { [[ $(pgrep -n -P "$main") -gt $1 ]]; }

reload_haproxy() {
    local old
    old=$(pgrep -n -P "$main") && kill -USR2 "$main" && within 60 new_worker "$old"
}

reload() {
    local download size=3000000
    truncate -s "$size" "$work/big"
    in_ns client curl -sS -f -g --limit-rate 100K -o "$work/got" 'http://[2001:db8:123::7]/big' & download=$!
    within 60 test -s "$work/got" && reload_haproxy && kill -0 "$download" && none_failed && wait "$download" &&
        expect "size of what was downloaded" "$size" "$(stat -c %s "$work/got")" && note "reload: 0 failed, a download goes on"
}

upgrade() {
    local begin=${EPOCHREALTIME/./}
    unload && load || return
    note "unload and load: 0 failed, $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
    none_failed
}

# The new process takes over the sockets that are bound.
reload_in_between() { unload && reload_haproxy && none_failed && load && none_failed && note "reload without the module: 0 failed"; }

server_is() { socat - /run/haproxy/admin.sock <<<'show stat' | grep -q "^web,web2,.*,$1,"; }

death() {
    local server
    server=$(<"$work/backend2.pid")
    # shellcheck disable=SC2046 # several
    kill -9 "$server" $(pgrep -P "$server") && within 60 server_is DOWN && none_failed && backend 2 && within 60 server_is UP && none_failed &&
        note "death of a server: 0 failed"
}

all_answered() {
    local answers failed least sources
    within 1200 beyond "$requests" && kill "$load" && within 60 ended "$load" || return
    cat "$work/logs/load"
    read -r answers failed <"$progress"
    read -r _ least _ sources < <(tail -n 1 "$work/logs/load")
    expect "requests that failed" 0 "$failed" && ((least > 0)) &&
        expect sources "2001:db8:5::1 2001:db8:5::2 2001:db8:5::3" "$sources" &&
        note "$answers requests, $failed failed, at least $least to each address"
}
