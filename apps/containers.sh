# shellcheck shell=bash
# packages: socat busybox-static curl nftables iptables systemd-container podman netavark crun docker.io
# packages of bookworm: apparmor
# packages of trixie: docker-cli passt
# packages of forky: docker-cli passt
# shellcheck disable=SC2154 # by common.sh and who sources it

# Programs that give another program its sockets or its network.
rows() {
    cat <<'END'
socket_unit | systemd | Failed to create listening socket .*Cannot assign requested address |
nspawn_on_the_hosts_network | systemd-container | httpd: bind: Cannot assign requested address |
podman_published_port | podman | listen tcp6? \[2001:db8:123::86\]:80: bind: cannot assign requested address |
docker_published_port | docker.io | \[2001:db8:123::84\]:80.*: cannot assign requested address |
nft_fib_daddr_type_local | nftables | httpd: bind: Cannot assign requested address |
END
    # Debian 12's ends at once: "Couldn't install signal handlers".
    ! type -P pasta >/dev/null || echo 'pasta_-t | passt | Failed to bind .* |'
}

# --- systemd ---

unit=anyip6-echo.socket

echoes() { [[ $(in_ns client timeout 20 socat -t 20 - 'TCP6:[2001:db8:123::7]:7' <<<hello) == hello ]]; }

# systemd runs in the first namespace, so that namespace becomes one more host.
socket_unit() {
    systemctl stop "$unit" 2>/dev/null
    ip netns attach first $$ && link first 3 && any_ip first 2001:db8:123::/64 3 && ip netns del first || return
    install -D -m 644 -t /run/systemd/system systemd/* && systemctl daemon-reload || return
    # Without -u, because the process that tries to bind is systemd's and not the unit's.
    systemctl start "$unit" || { journalctl -o cat -n 10 && return 1; }
    within 60 echoes
}

# --- Containers. Each runs a web server from the same folder ---

# Nothing in /run can be executed.
container=$here/container

# a_container: makes the folder of a container.
a_container() {
    mkdir -p "$container"/{bin,usr,etc,dev,proc,sys,tmp,run,var} && cp --remove-destination "$(type -P busybox)" "$container/bin/" &&
        ln -sf busybox "$container/bin/httpd" && echo 'ID=test' >"$container/etc/os-release" && echo hello >"$container/hello"
}

# hello ADDRESS: the container's server must answer there.
hello() { answered "http://[$1]/hello" && expect answer hello "$(<"$work/answer")"; }

# The container has no network of its own.
nspawn_on_the_hosts_network() {
    a_container && start host nspawn systemd-nspawn -q --register=no --keep-unit -D "$container" \
        httpd -f -p '[2001:db8:123::87]:80' && serves hello 2001:db8:123::87
}

podman_on() { in_ns host podman --cgroup-manager=cgroupfs --events-backend=none "$@"; }

# Podman binds to the published port, so that nobody else takes it. The packets go to the container by a rule of netfilter that
# asks whether their address is local.
podman_published_port() {
    a_container && { podman_on network exists published || podman_on network create --ipv6 --disable-dns published; } &&
        podman_on run --rm --replace -d --name web --network published --log-driver none -p '[2001:db8:123::86]:80:8000' \
            --rootfs "$container" httpd -f -p 8000 && within 60 hello 2001:db8:123::86
}

docker_on() { docker -H "unix://$work/docker.sock" "$@"; }

docker_published_port() {
    a_container && start host containerd containerd && serves test -S /run/containerd/containerd.sock &&
        start host dockerd dockerd -H "unix://$work/docker.sock" --containerd /run/containerd/containerd.sock --data-root "$here/docker" \
            --exec-root "$work/docker" --pidfile "$work/docker.pid" --storage-driver vfs && serves docker_on info &&
        tar -C "$container" -c . | docker_on import - web &&
        docker_on run --rm -d --name web -p '[2001:db8:123::84]:80:8000' web httpd -f -p 8000 && serves hello 2001:db8:123::84
}

# A user starts it, who is not root.
pasta_-t() {
    start host pasta setpriv --reuid nobody --regid nogroup --clear-groups pasta -f --config-net -t '2001:db8:123::88/8000' -- busybox httpd -f -p 8000 -h "$PWD" &&
        serves answered 'http://[2001:db8:123::88]:8000/Makefile' && cmp Makefile "$work/answer"
}

# --- A firewall that asks the FIB ---

nft_fib_daddr_type_local() {
    a_container && in_ns host nft -f - <<'END' && start host httpd busybox httpd -f -h "$container" -p '[2001:db8:123::89]:80' && serves hello 2001:db8:123::89
table inet firewall {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        fib daddr type local tcp dport 80 accept
    }
}
END
}
