# shellcheck shell=bash
# packages: wireguard-tools nftables iputils-ping charon-systemd strongswan-swanctl
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
endpoint_stays | wireguard-tools | saw '\[2001:db8:1::2\]:51820'| wireguard_loaded_after_anyip6
client_with_a_stateful_firewall | wireguard-tools | 100% packet loss |
strongSwan_initiates | charon-systemd | error writing to socket: Invalid argument |
strongSwan_responds | charon-systemd | error writing to socket: Invalid argument |
END
}

server=2001:db8:77::1 endpoint='[2001:db8:123::52]:51820' pings=1000

endpoint_stays() { tunnel && asks_server && stays && note "the endpoint stays"; }

# The run without anyip6 has loaded WireGuard. Here it comes after anyip6.
wireguard_loaded_after_anyip6() {
    ip -n host link del wg0 && ip -n client link del wg0 && within 20 modprobe -r wireguard && tunnel && asks_server && stays &&
        note "also if WireGuard is loaded after anyip6"
}

# The firewall lets in only answers from where the client has sent to. The first ping waits for the handshake.
client_with_a_stateful_firewall() {
    tunnel && firewall && asks_server && in_ns client ping -q -c "$pings" -i 0.01 -W 10 "$server" >"$work/answer" || return
    cat "$work/answer"
    expect "answers to $pings pings" "$pings" "$(sed -nE 's/.* ([0-9]+) received.*/\1/p' "$work/answer")" && stays &&
        note "$pings of $pings pings answered"
}

# --- ---

tunnel() { keys && tunnel_end host server && tunnel_end client client; }

keys() {
    local end
    for end in server client; do
        (umask 077 && wg genkey >"$work/$end.key") && wg pubkey <"$work/$end.key" >"$work/$end.pub" || return
    done
}

# tunnel_end NS NAME: sets up the end that examples/wireguard/NAME.conf describes, with keys put in.
tunnel_end() {
    local conf=$work/wireguard/$2.conf
    (umask 077 && mkdir -p "${conf%/*}" && sed "s,SERVER_PRIVATE_KEY,$(<"$work/server.key"),; s,CLIENT_PRIVATE_KEY,$(<"$work/client.key"),
        s,SERVER_PUBLIC_KEY,$(<"$work/server.pub"),; s,CLIENT_PUBLIC_KEY,$(<"$work/client.pub")," "wireguard/$2.conf" >"$conf" &&
        wg-quick strip "$conf" >"$conf.stripped") &&
        ip -n "$1" link add wg0 type wireguard && in_ns "$1" wg setconf wg0 "$conf.stripped" &&
        ip -n "$1" addr add "$(sed -n 's/^Address = //p' "$conf")" dev wg0 && ip -n "$1" link set wg0 up
}

firewall() {
    in_ns client nft -f - <<'END'
table inet firewall {
    chain input {
        type filter hook input priority 0; policy drop;
        iifname { "lo", "wg0" } accept
        ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    }
}
END
}

asks_server() { in_ns client ping -c 3 -i 0.2 -W 20 "$server"; }

# The client must still know the server by the address that it asked.
stays() { expect endpoint "$endpoint" "$(in_ns client wg show wg0 endpoints | cut -f 2)"; }

# --- strongSwan ---

strongSwan_initiates() { charons && serves initiates host client && client_sees; }

strongSwan_responds() { charons && serves initiates client host && client_sees; }

charons() { charon_on client && charon_on host; }

# charon_on NS: starts charon with examples/strongswan/NS.conf. Two of them need sockets of their own.
charon_on() {
    cat >"$work/strongswan.$1" <<END
charon-systemd {
    load_modular = yes
    plugins {
        include /etc/strongswan.d/charon/*.conf
        vici {
            socket = unix://$work/vici.$1
        }
    }
    filelog {
        log {
            path = $work/logs/charon.$1.log
            default = 1
            flush_line = yes
        }
    }
}
swanctl {
    load = random nonce sha1 sha2 aes hmac
}
END
    start "$1" "charon.$1" env STRONGSWAN_CONF="$work/strongswan.$1" charon-systemd && serves swanctl_on "$1" --load-all --file "strongswan/$1.conf"
}

swanctl_on() { env STRONGSWAN_CONF="$work/strongswan.$1" swanctl "$2" --uri "unix://$work/vici.$1" "${@:3}"; }

initiates() { swanctl_on "$1" --initiate --ike "$2" --timeout 10; }

client_sees() { swanctl_on client --list-sas | tee "$work/sas" && grep -F "remote 'host.example.org' @ 2001:db8:123::50[" "$work/sas"; }
