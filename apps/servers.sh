# shellcheck shell=bash
# packages: chrony lksctp-tools
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
bindaddress | chrony | |
SCTP_sctp_darn | lksctp-tools | bind.*Cannot assign requested address |
END
}

# --- chrony ---

bindaddress() {
    start host chronyd chronyd -d -x -f "$PWD/chrony/chrony.conf"
    serves in_ns client chronyd -Q -t 10 'cmdport 0' 'server 2001:db8:123::123 iburst maxsamples 1' &&
        in_ns host ss -Hulnp --inet-sockopt src '[2001:db8:123::123]' | grep -w freebind && note "works, with IP_FREEBIND of its own"
}

# --- SCTP ---

SCTP_sctp_darn() {
    start host darn stdbuf -oL sctp_darn -H 2001:db8:123::1 -P 5000 -l && serves sctp_listens || return
    echo "hello from the client" | in_ns client sctp_darn -H 2001:db8:c::2 -P 5001 -h 2001:db8:123::1 -p 5000 -s
    within 60 grep -a 'hello from the client' "$work/logs/darn"
}

sctp_listens() { [[ $(in_ns host cat /proc/net/sctp/eps) == *"2001:0db8:0123:0000:0000:0000:0000:0001"* ]]; }
