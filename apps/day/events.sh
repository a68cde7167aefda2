# shellcheck shell=bash
# The events of the day, functions that apps/day/events names. Each must succeed, which includes that it sees that the event has
# happened. scripts/guest/day sources this file. It is not a program.
# shellcheck disable=SC2154 # by world.sh and guest/day

# birdc_on HOST COMMAND...
birdc_on() { birdc -s "$work/$1/bird.ctl" "${@:2}"; }

# moved WAYS: the router has these ways to the anycast prefix.
moved() { within 60 ways "$anycast" "$1" && note "the router knows $1"; }

withdrawn() {
    [[ $fault != route ]] || { lost; return; }
    weight 2001:db8:1::2 0 && birdc_on host disable anycast && moved "$second"
}

returned() {
    [[ $fault != route ]] || { found; return; }
    birdc_on host enable anycast && weight 2001:db8:1::2 1 && moved "$both"
}

# What FAULT=route does instead.
lost() { ip -6 route del local "$anycast" dev lo table local; }

found() { ip -6 route add local "$anycast" dev lo; }

# --- One more prefix ---

prefix=2001:db8:125::/64 address=2001:db8:125::1

# new_workers HOST: lets nginx read its configuration.
# shellcheck disable=SC2016 # the inner shell's own
new_workers() { on "$1" bash -c 'kill -HUP "$(</run/nginx-web.pid)"'; }

listens_on() { in_ns "$1" ss -Hltn | grep -qF "[$2]"; }

add_on() {
    ip -n "$1" -6 route add local "$prefix" dev lo && on "$1" bash -c "echo 'listen [$address]:80;' >/run/day/added.listen" &&
        new_workers "$1" && within 60 listens_on "$1" "$address" &&
        echo "route $prefix unreachable;" >"$work/$1/bird/added.conf" && birdc_on "$1" configure
}

added() { add_on host && add_on host2 && within 60 ways "$prefix" "$both" && allow prefix && note "the router knows $both"; }

silent_on() { ! listens_on "$1" "$address"; }

take_on() {
    : >"$work/$1/bird/added.conf" && birdc_on "$1" configure && within 60 not_announced_by "$1" || return
    on "$1" rm /run/day/added.listen && new_workers "$1" && within 60 silent_on "$1" &&
        ip -n "$1" -6 route del local "$prefix" dev lo table local
}

not_announced_by() { ! birdc_on "$1" show route | grep -F "$prefix"; }

refused_on() { # NS ADDRESS
    ! timeout 20 nsenter "--net=/run/netns/$1" socat -u "TCP6-LISTEN:81,bind=[$2]" - 2>"$work/error" &&
        grep 'Cannot assign requested address' "$work/error"
}

taken() {
    forbid prefix && take_on host && take_on host2 && within 60 ways "$prefix" '' && refused_on host "$address" &&
        refused_on host2 "$address" && note "no route, and a bind is refused"
}

# --- The module ---

# As docs/operate.md says under "Reload after an upgrade", in all namespaces whose programs bind for each connection.
upgraded() {
    install -m 644 "$here/anyip6.ko" "$(modinfo -n anyip6)" && on_all net.ipv6.ip_nonlocal_bind=1 && ip netns add anyip6-reload &&
        modprobe -r anyip6 && modprobe anyip6 && on_all net.ipv6.anyip_bind="$toggle" && on_all net.ipv6.ip_nonlocal_bind=0 &&
        ip netns del anyip6-reload && expect "loaded version" "$(argument next)" "$(loaded_version)" &&
        note "version $version became $(loaded_version)"
}

# --- A VRF ---

# The VRF has a wire of its own to the router.
vrf() {
    make_vrf && vrf_routes && refused_on host 2001:db8:126::7 && vrf_server && allow vrf &&
        note "only in the VRF its prefix can be bound"
}

make_vrf() {
    ip link add red type vrf table 100 && ip link set red up && ip link add red0 type veth peer name red netns router &&
        ip link set red0 master red && ip link set red0 up && ip -n router link set red up
}

vrf_routes() {
    ip addr add 2001:db8:3::2/64 dev red0 && ip -n router addr add 2001:db8:3::1/64 dev red &&
        ip -6 route add default via 2001:db8:3::1 vrf red && ip -6 route add local 2001:db8:126::/64 dev red table 100 &&
        ip -n router -6 route add 2001:db8:126::/64 via 2001:db8:3::2
}

vrf_server() {
    run_on host vrf "exec ip vrf exec red socat 'TCP6-LISTEN:7,bind=[2001:db8:126::7],fork,reuseaddr' PIPE"
    within 60 listens_on host 2001:db8:126::7
}

# --- networkd ---

main_process() { systemctl show -P MainPID systemd-networkd; }

all_routes() { ip -6 route show table all | sed 's/ expires [0-9]*sec//' | sort; }

has_routes() { expect routes "$1" "$(all_routes)"; }

restarted() { [[ $(main_process) != "$1" && $(main_process) != 0 ]] && networkctl --no-pager list net0 | grep -w configured; }

networkd() {
    local old before
    old=$(main_process) before=$(all_routes)
    systemctl restart systemd-networkd && within 60 restarted "$old" && within 20 has_routes "$before" &&
        note "process $old became $(main_process), $(wc -l <<<"$before") routes stay"
}
