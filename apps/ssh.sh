# shellcheck shell=bash
# packages: openssh-server openssh-client
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
ListenAddress | openssh-server | Bind to port 22 on 2001:db8:123::22 failed: Cannot assign requested address |
BindAddress | openssh-client | bind 2001:db8:5::22: Cannot assign requested address |
END
}

# sshd_on NS OPTION...: starts sshd. root of this machine may log in.
sshd_on() {
    mkdir -p /run/sshd /root/.ssh
    [[ -e $work/key ]] || ssh-keygen -q -t ed25519 -N '' -f "$work/key"
    cp "$work/key.pub" /root/.ssh/authorized_keys
    start "$1" sshd /usr/sbin/sshd -D -e "${@:2}"
}

# logs_in NS ADDRESS OPTION...: logs in from NS. $work/answer gets the connection's addresses, as the server sees them.
logs_in() {
    # shellcheck disable=SC2016 # the server's
    in_ns "$1" ssh -i "$work/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=20 "${@:3}" \
        "root@$2" 'echo $SSH_CONNECTION' >"$work/answer"
}

ListenAddress() {
    sshd_on host -f ssh/sshd_config && serves logs_in client 2001:db8:123::22 &&
        expect "address asked" 2001:db8:123::22 "$(cut -d' ' -f 3 "$work/answer")"
}

BindAddress() {
    sshd_on client && serves logs_in host 2001:db8:c::2 -o BindAddress=2001:db8:5::22 &&
        expect "address that asks" 2001:db8:5::22 "$(cut -d' ' -f 1 "$work/answer")"
}
