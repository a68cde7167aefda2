# shellcheck shell=bash
# packages: openssh-server openssh-client mosh
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
ListenAddress | openssh-server | Bind to port 22 on 2001:db8:123::22 failed: Cannot assign requested address |
BindAddress | openssh-client | bind 2001:db8:5::22: Cannot assign requested address |
mosh_server | mosh | Error binding to IP 2001:db8:123::22: bind: Cannot assign requested address |
END
}

ListenAddress() {
    sshd_on host -f ssh/sshd_config && serves logs_in client 2001:db8:123::22 &&
        expect "address asked" 2001:db8:123::22 "$(cut -d' ' -f 3 "$work/answer")"
}

BindAddress() {
    sshd_on client && serves logs_in host 2001:db8:c::2 -o BindAddress=2001:db8:5::22 &&
        expect "address that asks" 2001:db8:5::22 "$(cut -d' ' -f 1 "$work/answer")"
}

# mosh logs in with ssh, and asks mosh-server to take the address at which ssh came in.
mosh_server() {
    sshd_on host && serves logs_in client 2001:db8:123::22 && serves moshes 2001:db8:123::22
}

# moshes ADDRESS: mosh needs a terminal. It ends when the command ends.
moshes() {
    in_ns client env TERM=xterm script -qec "stty rows 24 cols 80; mosh --ssh='ssh -i $work/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null' root@$1 \
        -- sh -c 'ss -Hulnp src [$1] >$work/mosh'" /dev/null >"$work/logs/mosh"
    cat "$work/mosh"
}
