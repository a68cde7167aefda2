# shellcheck shell=bash
# packages: socat
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
socket_unit | systemd | Failed to create listening socket .*Cannot assign requested address |
END
}

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
