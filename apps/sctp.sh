# shellcheck shell=bash
# packages: lksctp-tools
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
SCTP_sctp_darn | lksctp-tools | bind.*Cannot assign requested address |
END
}

SCTP_sctp_darn() {
    start host darn stdbuf -oL sctp_darn -H 2001:db8:123::1 -P 5000 -l && serves listens || return
    echo "hello from the client" | in_ns client sctp_darn -H 2001:db8:c::2 -P 5001 -h 2001:db8:123::1 -p 5000 -s
    within 60 grep -a 'hello from the client' "$work/logs/darn"
}

listens() { [[ $(in_ns host cat /proc/net/sctp/eps) == *"2001:0db8:0123:0000:0000:0000:0000:0001"* ]]; }
