# shellcheck shell=bash
# packages: nginx-light curl
# packages of bookworm: bird2
# packages of trixie: bird2
# packages of forky: bird3
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
anycast | bird[23] | [^ ]*: Socket error: bind: Cannot assign requested address | withdrawal failover
anycast_with_a_password | bird[23] | [^ ]*: Socket error: bind: Cannot assign requested address | withdrawal
END
}

bird_on() { start "$1" "bird.$1" bird -f -c "$configured/$1.conf" -s "$work/bird.$1" -P "$work/bird.$1.pid"; }

# Each host answers with its name. nginx listens on all addresses, so only BIRD needs the module.
web_on() {
    sed "s/NAME/$1/; s,WORK,$work," >"$work/web.$1.conf" <<'END'
pid WORK/web.NAME.pid;
error_log stderr;
events { }
http {
    access_log off;
    server { listen [::]:80; return 200 "NAME\n"; }
}
END
    start "$1" "web.$1" nginx -c "$work/web.$1.conf" -g 'daemon off;'
}

is_served_by() { answered 'http://[2001:db8:123::1]/' -m 5 && [[ $(<"$work/answer") == "$1" ]]; }

configured=$PWD/bird

# The files have the line with the password as a comment.
anycast_with_a_password() {
    configured=$work/bird
    rm -rf "$configured" && mkdir "$configured" && cp bird/*.conf "$configured/" && sed -i 's/# password/password/' "$configured"/*.conf && anycast
}

anycast() {
    any_ip host2 2001:db8:123::/64 2 && any_ip host2 2001:db8:6::/64 2 && ip -n router -6 route del 2001:db8:123::/64 || return
    web_on host && web_on host2 && bird_on router && bird_on host2 && bird_on host && serves is_served_by host &&
        ip -n router -6 route show 2001:db8:123::/64 | grep -w bird
}

control() { birdc -s "$work/bird.host" "$@"; }

withdrawal() {
    control disable anycast && within 60 is_served_by host2 && control enable anycast && within 60 is_served_by host && note "withdrawal"
}

failover() { kill -9 "$(<"$work/bird.host.pid")" && within 60 is_served_by host2 && note "failover to the second host"; }
