# shellcheck shell=bash
# The functions that the scenarios use. scripts/guest/apps sources this file after guest.sh. It is not a program.
#
# A scenario is a file NAME.sh. Its comment "# packages: ..." names the packages that it needs. Its function `rows` prints a line
#     FUNCTION | PACKAGE | MESSAGE | MORE...
# for each use of a program:
#     - FUNCTION sets the program up, and checks from the client that it serves.
#     - Without the module FUNCTION must fail. Its output, or a log of the programs that it started, must match MESSAGE.
#       MESSAGE is an extended regular expression. It is empty for a program that does not need the module.
#     - With the module FUNCTION must succeed. Then each function of MORE must succeed, while the programs still run.
#     - PACKAGE contains the program. The table shows its version.
# shellcheck disable=SC2154 # by guest and guest.sh

# The networks. The host has two Any-IP routes. No address of these two prefixes is configured anywhere.
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

# link NS SUBNET: connects NS with the router. The router is NS's default route.
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

# any_ip NS PREFIX SUBNET: gives NS an Any-IP route for PREFIX, and the router a route to it.
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

# start NS NAME CMD...: starts a program in the background. Its output goes to $work/logs/NAME, its process ID to $pid.
start() {
    local ns=$1 log=$work/logs/$2
    shift 2
    nsenter "--net=/run/netns/$ns" "$@" </dev/null >"$log" 2>&1 &
    pid=$!
    disown # so that bash does not report its end
}

# serves CMD...: repeats CMD until it succeeds, for up to a minute. The program that was started last must stay alive meanwhile.
# Once it has said $refusal, only five seconds are left.
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

# backend N: starts a web server on host2, at 2001:db8:2::1N. It answers with the address of the client.
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

# answered URL [OPTION...]: gets URL with these options of curl. The answer goes to $work/answer.
answered() { in_ns client curl -sS -f -g -m 20 -o "$work/answer" "${@:2}" "$1"; }

# download URL: starts a download in the background and pauses the client after the first bytes. The rest does not fit into the
# buffers on the way.
download() {
    rm -f "$work/got"
    truncate -s 24M "$work/big"
    nsenter --net=/run/netns/client curl -sS -f -g -k -o "$work/got" "$1" &
    download=$!
    within 60 test -s "$work/got" && kill -STOP "$download" && (($(stat -c %s "$work/got") < $(stat -c %s "$work/big")))
}

# downloaded: lets the download go on, and checks that the whole file arrives.
downloaded() { kill -CONT "$download" && wait "$download" && cmp "$work/big" "$work/got"; }

# sshd_on NS OPTION...: starts sshd. root of this machine may log in.
sshd_on() {
    mkdir -p /run/sshd /root/.ssh
    [[ -e $work/key ]] || ssh-keygen -q -t ed25519 -N '' -f "$work/key"
    cp "$work/key.pub" /root/.ssh/authorized_keys
    start "$1" sshd /usr/sbin/sshd -D -e "${@:2}"
}

# logs_in NS ADDRESS OPTION...: logs in from NS. $work/answer gets the connection's addresses, as the server sees them.
logs_in() {
    # shellcheck disable=SC2016 # the server's
    in_ns "$1" ssh -i "$work/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=20 "${@:3}" \
        "root@$2" 'echo $SSH_CONNECTION' >"$work/answer"
}

# --- Programs that also need a configured address ---

# answers WITHOUT WITH: a program must say WITHOUT if the module is not loaded, and WITH if it is. Both are extended regular
# expressions.
answers() {
    local message=$1
    ! module_loaded || message=$2
    within 60 is_said "$message" && note "$(said "$message")"
}

is_said() { [[ -n $(said "$1") ]]; }

# needs_address ADDRESS CMD...: CMD must fail while ADDRESS is only a part of the route. It must succeed once lo has it too.
needs_address() {
    local address=$1
    shift
    ! "$@" || { echo "this works without a configured address" && return 1; }
    ip -n host addr add "$address/128" dev lo && within 180 "$@" && note "with $address on lo: works"
}

ended() { ! kill -0 "$1" 2>/dev/null; }

note() { echo "$*" >>"$work/note"; }

# --- Rows ---

trim() { sed 's/^ *//; s/ *$//' <<<"${1:-}"; }

# said MESSAGE: prints the first match in the output of the programs and of the test.
said() { cat "$work"/logs/* "$work/log" 2>/dev/null | grep -aoE -m 1 "$1" | head -n 1; }

# try FUNCTION: runs it on new networks.
try() {
    clean_up
    networks && "$1"
}

succeeds() {
    if try "$1"; then return; fi
    tail -n 20 "$work"/logs/*
    return 1
}

# without_module FUNCTION MESSAGE: expects FUNCTION to fail with MESSAGE. The table shows the text that matches.
without_module() {
    [[ -n $2 ]] || { succeeds "$1"; return; }
    ! refusal=$2 try "$1" || { echo "this succeeds without the module" && return 1; }
    tail -n 20 "$work"/logs/* 2>/dev/null
    said "$2" >"$work/note"
    [[ -s $work/note ]] || { echo "nothing says: $2" && return 1; }
}

# more FUNCTION: runs one more function, while the programs of the scenario still run.
more() {
    "$1" && return
    tail -n 20 "$work"/logs/*
    return 1
}

# notes WORD: prints the notes of the last test, or WORD if there are none.
notes() { if [[ -s $work/note ]]; then cat "$work/note"; else echo "$1"; fi; }

# joined: joins the lines of a cell with semicolons.
joined() { sed ':a; N; $!ba; s/\n/; /g'; }

module_loaded() { [[ -e /proc/sys/net/ipv6/anyip_bind ]]; }

load() { insmod "$here/anyip6.ko" && module_loaded; }

unload() { rmmod anyip6 && ! module_loaded; }

# with_module FUNCTION MORE...: prints the results. The cell of the table goes to $work/cell.
with_module() {
    local first=$1 each
    shift
    echo FAILED >"$work/cell"
    # A test that failed may have left the module unloaded.
    module_loaded || load || return
    run_test "$scenario.$first.with" succeeds "$first" || return
    notes works >"$work/cell"
    for each; do
        run_test "$scenario.$first.$each" more "$each" || { echo "FAILED: $each" >"$work/cell" && return 1; }
        notes "$each" >>"$work/cell"
    done
}

# version_of PATTERN: prints a package's name and version as two cells. dpkg also lists packages that are not installed. Programs
# that Debian does not have are linked statically, for all suites.
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

# run_rows: runs all rows without the module, then all rows with it.
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
