# shellcheck shell=bash
# The networks of the day, and the programs on them. scripts/guest/day sources this file, and works in
# examples/. It is not a program.
# shellcheck disable=SC2154 # by guest/day, and by apps/common.sh
#
#     clients 2001:db8:c::{2,3,4,5} ---- router 2001:db8:{c,1,2}::1 --+-- host 2001:db8:1::2, Any-IP 2001:db8:5::/64
#                                                                     +-- host2 2001:db8:2::2, Any-IP 2001:db8:6::/64
#                                                                     +-- director 2001:db8:1::3
#                                                                     `-- servers 2001:db8:2::{11,12,13}
#
# Both hosts have the Any-IP prefixes 2001:db8:123::/64 and 2001:db8:124::/64. The router sends packets for 123 to both, and packets
# for 124 to the director. The first host is the machine itself, because systemd-networkd runs there.
clients=(client1 client2 client3 client4)
hosts=(host host2)
any_ip_hosts=(host host2 director)
anycast=2001:db8:123::/64 balanced=2001:db8:124::/64
others=(router "${clients[@]}" host2 director servers)

# on NS CMD...: host2 has a /run and a name of its own, so that both hosts can run the same programs.
on() {
    local ns=$1 more=()
    shift
    [[ $ns != host2 ]] || more=("--target=$own_run" --mount --uts "--wdns=$PWD")
    nsenter "--net=/run/netns/$ns" "${more[@]}" "$@"
}

# on_all SYSCTL: in each namespace with Any-IP prefixes.
on_all() {
    local ns
    for ns in "${any_ip_hosts[@]}"; do in_ns "$ns" sysctl -q -w "$1" || return; done
}

# networks: makes all that the machines of the picture need to reach each other.
networks() {
    local ns n=1
    sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.ip_nonlocal_bind=0 && ip netns attach host $$ || return
    for ns in "${others[@]}"; do
        ip netns add "$ns" && in_ns "$ns" sysctl -q -w net.ipv6.ip_nonlocal_bind=0 net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.auto_flowlabels=0 && ip -n "$ns" link set lo up || return
    done
    # A router with two ways takes the same one for all packets of a client to an address.
    in_ns router sysctl -q -w net.ipv6.conf.all.forwarding=1 net.ipv6.fib_multipath_hash_policy=0 &&
        segment lan 2001:db8:1::1/64 2001:db8:2::1/64 && segment wan 2001:db8:c::1/64 || return
    for ns in "${clients[@]}"; do plug "$ns" wan "2001:db8:c::$((++n))/64" 2001:db8:c::1 || return; done
    plug host2 lan 2001:db8:2::2/64 2001:db8:2::1 && plug director lan 2001:db8:1::3/64 2001:db8:1::1 &&
        plug servers lan 2001:db8:2::11/64 2001:db8:2::1 && own_run && host_network && routes
}

# segment NAME ADDRESS...: makes a bridge of the router, with addresses.
segment() {
    local address
    ip -n router link add "$1" type bridge && ip -n router link set "$1" up || return
    for address in "${@:2}"; do ip -n router addr add "$address" dev "$1" || return; done
}

# wire NS SEGMENT: connects net0 of NS with a segment.
wire() {
    ip link add net0 netns "$1" type veth peer name "$1" netns router && ip -n router link set "$1" master "$2" up
}

plug() { # NS SEGMENT ADDRESS ROUTER
    wire "$1" "$2" && ip -n "$1" addr add "$3" dev net0 && ip -n "$1" link set net0 up && ip -n "$1" -6 route add default via "$4"
}

# own_run: a process holds the namespaces of host2.
own_run() {
    hostname host
    unshare --mount --propagation private --uts \
        bash -c 'hostname host2 && mount -t tmpfs tmpfs /run && mkdir /run/day && exec sleep infinity' &
    own_run=$!
    disown
    within 20 test -d "/proc/$own_run/root/run/day" && mkdir -p /run/day
}

# host_network: the first host's network is that of docs/networks.md.
host_network() {
    install -D -m 644 networks/networkd.conf /etc/systemd/networkd.conf.d/anyip6.conf &&
        install -D -m 644 networks/lo.network /etc/systemd/network/50-anyip6.network &&
        install -D -m 644 "$here/apps/day/net0.network" /etc/systemd/network/60-net0.network &&
        wire host lan && systemctl restart systemd-networkd && within 60 host_is_up
}

host_is_up() { ip -6 route show default dev net0 | grep -q via && ip -6 route show table local | grep -q "^local $anycast "; }

# What networkd does not make. The hosts and the director are neighbours, as direct routing needs it. The router discards what is
# for a service that nobody announces.
routes() {
    local ns n
    for n in 2 3; do ip -n servers addr add "2001:db8:2::1$n/64" dev net0 || return; done
    ip -n host2 -6 route add 2001:db8:1::/64 dev net0 && ip -n servers -6 route add 2001:db8:1::/64 dev net0 &&
        ip -n director -6 route add 2001:db8:2::/64 dev net0 && any_ip host 2001:db8:5::/64 1 && any_ip host2 2001:db8:6::/64 2 &&
        ip -n host2 -6 route add local "$anycast" dev lo && ip -n router -6 route add blackhole 2001:db8:120::/44 || return
    for ns in "${any_ip_hosts[@]}"; do ip -n "$ns" -6 route add local "$balanced" dev lo || return; done
}

# --- Programs ---

# run_on NS NAME COMMAND: starts a command of bash in the folder of the host's configurations.
run_on() {
    (cd "$work/$1" && on "$1" bash -c "$3" </dev/null >"$work/logs/$1.$2" 2>&1) &
    disown
}

# configure HOST: puts the files of examples/ into the host's folder. The web server gets a large file that it sends slowly, and a
# place for a prefix that comes later.
configure() {
    local own=$work/$1 big="location /big { alias $work/big; limit_rate 128k; }"
    cp -r . "$own" && sed -i "s,location / ,include /run/day/*.listen;\n $big\n &," "$own/ipvs/nginx.conf" || return
    [[ $1 == host ]] || grep -rlF 2001:db8:5:: "$own" | xargs sed -i 's/2001:db8:5::/2001:db8:6::/' || return
    bird_conf "$1" >"$own/bird/day.conf" && : >"$own/bird/added.conf"
}

# bird_conf HOST: makes the host announce both prefixes and what is added. Both hosts announce the first as well as each other, and
# the second less well than the director.
bird_conf() {
    local filter="if proto != \"anycast\" then reject; if net = $balanced then bgp_path.prepend(65001); accept;"
    sed "s,^    route .*,&\n    route $balanced unreachable;\n    include \"added.conf\";,
        s,export .*,export filter { $filter };," "bird/$1.conf"
}

director_conf() {
    sed "s,192.0.2.1,192.0.2.3,; s,multihop 2,direct,; s,2001:db8:5::179 as 65001,2001:db8:1::3 as 65002,
        s,^    route .*,    route $balanced unreachable;," bird/host.conf
}

router_conf() {
    sed 's/learn;/&\n    merge paths yes;/' bird/router.conf
    echo 'protocol bgp director from hosts { direct; neighbor 2001:db8:1::3 as 65002; }'
}

servers() {
    local name command host radius=/etc/freeradius/3.0
    install -D -m 644 -t /etc/dns dns/example.org.zone && install -m 644 radius/clients.conf "$radius/" &&
        echo 'bob Cleartext-Password := "hello"' >"$radius/mods-config/files/authorize" && ssh_key || return
    for host in "${hosts[@]}"; do
        configure "$host" || return
        while read -r name command; do
            [[ $host == host ]] || command=${command//2001:db8:5::/2001:db8:6::}
            [[ -z $name || $name == '#'* ]] || run_on "$host" "$name" "$command"
        done <"$here/apps/day/servers"
    done
    echo_server
    backends && router && director && mail
}

ssh_key() {
    mkdir -p /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f "$work/key" && cp "$work/key.pub" /root/.ssh/authorized_keys
}

# The first host has a unit of systemd for it. Requests show whether it serves.
echo_server() {
    run_on host2 echo "exec socat 'TCP6-LISTEN:7,bind=[2001:db8:123::7],fork,reuseaddr' PIPE"
    install -m 644 -t /etc/systemd/system systemd/* && systemctl daemon-reload && systemctl start anyip6-echo.socket
}

# The servers answer with the address of their client.
backends() {
    mkdir -p "$work/servers"
    truncate -s 4M "$work/big"
    cat >"$work/servers/nginx.conf" <<END
pid /run/nginx-servers.pid;
error_log stderr;
events { }
http {
    access_log off;
    server {
        listen [::]:80;
        listen [::]:8080;
        location / { return 200 "\$remote_addr\n"; }
        location /big { alias $work/big; limit_rate 128k; }
    }
}
END
    run_on servers nginx "exec nginx -c \$PWD/nginx.conf -g 'daemon off;'"
}

router() {
    mkdir -p "$work/router" && router_conf >"$work/router/bird.conf" &&
        run_on router bird "exec bird -f -c bird.conf -s bird.ctl -P bird.pid"
}

director() {
    mkdir -p "$work/director" && director_conf >"$work/director/bird.conf" &&
        run_on director bird "exec bird -f -c bird.conf -s bird.ctl -P bird.pid" && ipvs
}

# ipvs: the director spreads the connections to some addresses over both hosts, by direct routing.
ipvs() { modprobe -a ip_vs ip_vs_rr && in_ns director ipvsadm -R <ipvs/ipvsadm.rules; }

# weight HOST N: how many connections a host gets, relative to the other.
weight() {
    sed -n "s/^-a\(.* -r \[$1\].* -w\) .*/-e\1 $2/p" ipvs/ipvsadm.rules >"$work/rules" && test -s "$work/rules" &&
        in_ns director ipvsadm -R <"$work/rules"
}

# Mail leaves the first host. The relay is host2, which keeps each mail with the address of its client.
mail() {
    mkdir -p "$work/mail"
    run_on host2 sink "exec smtp-sink -u root -d $work/mail/ '[2001:db8:2::2]:25' 10"
    install -m 644 mail/main.cf /etc/postfix/ && cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf &&
        postconf -e maillog_file=/dev/stdout && run_on host postfix "exec postfix start-fg"
}

# shellcheck disable=SC2034 # by guest/day and events.sh
both='via 2001:db8:1::2 via 2001:db8:2::2' second='via 2001:db8:2::2' front='via 2001:db8:1::3'

# nexthops PREFIX: prints the router's ways to a prefix, in order.
nexthops() { ip -n router -6 route show "$1" | grep -oE 'via [0-9a-f:]+' | sort | paste -sd' '; }

ways() { [[ $(nexthops "$1") == "$2" ]]; }
