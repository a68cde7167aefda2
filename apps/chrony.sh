# shellcheck shell=bash
# packages: chrony
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
bindaddress | chrony | |
END
}

bindaddress() {
    start host chronyd chronyd -d -x -f "$PWD/chrony/chrony.conf"
    serves in_ns client chronyd -Q -t 10 'cmdport 0' 'server 2001:db8:123::123 iburst maxsamples 1' &&
        in_ns host ss -Hulnp --inet-sockopt src '[2001:db8:123::123]' | grep -w freebind && note "works, with IP_FREEBIND of its own"
}
