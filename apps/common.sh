# shellcheck shell=bash
# What the scenarios are made of. Sourced by guest, after guest.sh, never run.
#
# A scenario is a file NAME.sh that says with "# packages: ..." what it needs, and has a function `rows` that prints a line
#     FUNCTION | PACKAGE | MESSAGE | MORE...
# for each use of a program. FUNCTION sets it up and sees from the client that it serves. Without the module it has to fail, and
# its output or the logs of what it started to match MESSAGE, an extended regular expression; no MESSAGE is for a program that does
# not need the module. With the module it has to succeed, and after it each function of MORE, with all that still runs. PACKAGE has
# the version of the program.
# shellcheck disable=SC2154 # by guest and guest.sh

# The networks, and what Any-IP routes the host has. None of the addresses in the latter is configured anywhere.
#
#     client 2001:db8:c::2 ---- router 2001:db8:{c,1,2}::1 ---- host 2001:db8:1::2, Any-IP 2001:db8:123::/64, 2001:db8:5::/64
#                                                         `---- host2 2001:db8:2::2
namespaces=(client router host host2)

networks() {
    local ns
    for ns in "${namespaces[@]}"; do
        ip netns add "$ns" && in_ns "$ns" sysctl -q -w net.ipv6.ip_nonlocal_bind=0 net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.all.forwarding=1 || return
    done
    link client c && link host 1 && link host2 2 && any_ip host 2001:db8:123::/64 1 && any_ip host 2001:db8:5::/64 1
}

# link NS SUBNET: NS and the router. Their default route is through it.
link() {
    ip link add net0 netns "$1" type veth peer name "$1" netns router && ip -n "$1" -6 -batch - <<END && ip -n router -6 -batch - <<END2
addr add 2001:db8:$2::2/64 dev net0
link set lo up
link set net0 up
route add default via 2001:db8:$2::1
END
addr add 2001:db8:$2::1/64 dev $1
link set $1 up
END2
}

# any_ip NS PREFIX SUBNET: NS has PREFIX, and the router knows the way.
any_ip() {
    ip -n "$1" -6 route replace local "$2" dev lo && ip -n router -6 route replace "$2" via "2001:db8:$3::2"
}

in_ns() {
    local ns=$1
    shift
    nsenter "--net=/run/netns/$ns" "$@"
}

pids() { for ns in "${namespaces[@]}"; do ip netns pids "$ns" 2>/dev/null; done; }

gone() { [[ -z $(pids) ]]; }

clean_up() {
    local ns
    pids | xargs -r kill 2>/dev/null
    within 10 gone >/dev/null || { pids | xargs -r kill -9 && within 10 gone; }
    for ns in "${namespaces[@]}"; do ip netns del "$ns" 2>/dev/null; done
    rm -rf "$work/logs"
    mkdir -p "$work/logs"
}

# start NS NAME CMD...: a program that stays; what it says is in $work/logs/NAME, its process in $pid.
start() {
    local ns=$1 log=$work/logs/$2
    shift 2
    nsenter "--net=/run/netns/$ns" "$@" </dev/null >"$log" 2>&1 &
    pid=$!
    disown # bash is not to report its end
}

# serves CMD...: in a minute it succeeds; the program started last has to live till then. One that has said $refusal gets five
# seconds more.
refusal=''
serves() {
    local end=$((SECONDS + 60))
    until "$@"; do
        ! ended "$pid" || { echo "the program has ended" && return 1; }
        if [[ -n $refusal && -n $(said "$refusal") ]]; then
            refusal='' end=$((end < SECONDS + 5 ? end : SECONDS + 5))
        fi
        ((SECONDS < end)) || { echo "not within the time: $*" && return 1; }
        sleep 0.2
    done
}

# backend N: a web server on host2, at 2001:db8:2::1N, that answers with the address it is asked from.
backend() {
    ip -n host2 addr replace "2001:db8:2::1$1/64" dev net0
    cat >"$work/backend$1.conf" <<END
worker_processes 1;
pid $work/backend$1.pid;
error_log stderr;
events { }
http {
    access_log off;
    server {
        listen [2001:db8:2::1$1]:8080;
        location / { return 200 "\$remote_addr\n.\n"; }
        location /big { alias $work/big; }
    }
}
END
    start host2 "backend$1" nginx -c "$work/backend$1.conf" -g 'daemon off;' && serves answered "http://[2001:db8:2::1$1]:8080/"
}

backends() { backend 1 && backend 2 && backend 3; }

# answered URL [OPTION...]: of curl. What comes is in $work/answer.
answered() { in_ns client curl -sS -f -g -m 20 -o "$work/answer" "${@:2}" "$1"; }

# download URL: in the background. The client stops after the beginning; more is to come than all buffers on the way take.
download() {
    rm -f "$work/got"
    truncate -s 24M "$work/big"
    nsenter --net=/run/netns/client curl -sS -f -g -k -o "$work/got" "$1" &
    download=$!
    within 60 test -s "$work/got" && kill -STOP "$download" && (($(stat -c %s "$work/got") < $(stat -c %s "$work/big")))
}

# downloaded: the rest comes, and all is there.
downloaded() { kill -CONT "$download" && wait "$download" && cmp "$work/big" "$work/got"; }

ended() { ! kill -0 "$1" 2>/dev/null; }

note() { echo "$*" >>"$work/note"; }

# --- Rows ---

trim() { sed 's/^ *//; s/ *$//' <<<"${1:-}"; }

# said MESSAGE: the first line that matches, of what the programs and the test say.
said() { cat "$work"/logs/* "$work/log" 2>/dev/null | grep -aoE -m 1 "$1" | head -n 1; }

# try FUNCTION
try() {
    clean_up
    networks && "$1"
}

succeeds() {
    if try "$1"; then return; fi
    tail -n 20 "$work"/logs/*
    return 1
}

# without_module FUNCTION MESSAGE: the line that matches is kept for the table.
without_module() {
    [[ -n $2 ]] || { succeeds "$1"; return; }
    ! refusal=$2 try "$1" || { echo "this succeeds without the module" && return 1; }
    tail -n 20 "$work"/logs/* 2>/dev/null
    said "$2" >"$work/note"
    [[ -s $work/note ]] || { echo "nothing says: $2" && return 1; }
}

# more FUNCTION: of a scenario that goes on.
more() {
    "$1" && return
    tail -n 20 "$work"/logs/*
    return 1
}

# notes WORD: of the last test, or WORD if there are none.
notes() { if [[ -s $work/note ]]; then cat "$work/note"; else echo "$1"; fi; }

# joined: the lines of a cell.
joined() { sed ':a; N; $!ba; s/\n/; /g'; }

module_loaded() { [[ -e /proc/sys/net/ipv6/anyip_bind ]]; }

load() { insmod "$here/anyip6.ko" && module_loaded; }

unload() { rmmod anyip6 && ! module_loaded; }

# with_module FUNCTION MORE...: prints the results; what is for the table goes to $work/cell.
with_module() {
    local first=$1 each
    shift
    echo FAILED >"$work/cell"
    # A test that failed may have left it so.
    module_loaded || load || return
    run_test "$scenario.$first.with" succeeds "$first" || return
    notes works >"$work/cell"
    for each; do
        run_test "$scenario.$first.$each" more "$each" || { echo "FAILED: $each" >"$work/cell" && return 1; }
        notes "$each" >>"$work/cell"
    done
}

# version_of PATTERN: of a package, its name and version, two cells. dpkg also lists those that are only known. What is not Debian's
# is linked statically, for all suites.
version_of() {
    dpkg-query -W -f '${db:Status-Abbrev}${Package} | ${Version}\n' "$1" 2>/dev/null | sed -n 's/^ii *//p' | grep . || echo "$1 | static"
}

# parse ROW: sets function package message more.
parse() {
    local fields
    IFS='|' read -ra fields <<<"$1"
    function=$(trim "${fields[0]}") package=$(trim "${fields[1]}") message=$(trim "${fields[2]}")
    read -ra more <<<"${fields[3]:-}"
}

# run_rows: all without the module, then all with it.
run_rows() {
    local function package message more without=() n=0 row rows
    mapfile -t rows < <(rows)
    ((${#rows[@]})) || { echo "not ok $scenario.rows" && return; }
    for row in "${rows[@]}"; do
        parse "$row"
        if run_test "$scenario.$function.without" without_module "$function" "$message"; then
            without+=("$(notes works | joined)")
        else
            without+=(FAILED)
        fi
    done
    clean_up
    load || { echo "not ok $scenario.load" && return; }
    for row in "${rows[@]}"; do
        parse "$row"
        with_module "$function" "${more[@]}"
        echo "# table $scenario | $(version_of "$package") | ${function//_/ } | ${without[n++]} |" \
            "$(joined <"$work/cell") |"
    done
    clean_up
    ! module_loaded || unload || echo "not ok $scenario.unload"
}
