# shellcheck shell=bash
# packages: chrony lksctp-tools postfix freeradius freeradius-utils snmpd snmp tftpd-hpa tftp-hpa tcpdump kamailio sip-tester coturn
# packages of trixie: python3-aiocoap
# packages of forky: python3-aiocoap
# shellcheck disable=SC2154 # by common.sh and who sources it

rows() {
    cat <<'END'
bindaddress | chrony | |
SCTP_sctp_darn | lksctp-tools | bind.*Cannot assign requested address |
SCTP_on_all_addresses | lksctp-tools | |
FreeRADIUS_on_all_addresses | freeradius | Failed sending reply: sendto failed: Invalid argument |
agentaddress | snmpd | Error opening specified endpoint .udp6:\[2001:db8:123::a1\]:161.* |
snmpd_on_all_addresses | snmpd | |
tftpd_on_all_addresses | tftpd-hpa | |
kamailio_listen | kamailio | bind\(.*: Cannot assign requested address |
sipp_-i | sip-tester | Unable to bind main socket.*|
coturn_listening-ip | coturn | [Cc]annot bind .*2001:db8:123::34.* |
smtp_bind_address6 | postfix | smtp_connect_addr: bind 2001:db8:5::25: Cannot assign requested address |
smtp_bind_address6_not_enforced | postfix | saw '2001:db8:1::2' |
END
    # Debian 12 does not have it.
    ! type -P aiocoap-fileserver >/dev/null || echo 'aiocoap_on_all_addresses | python3-aiocoap | no answer from 2001:db8:123::56 |'
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

# The kernel offers a client the addresses of the interfaces, in IPv4 too.
SCTP_on_all_addresses() {
    start host darn sctp_darn -H :: -P 5000 -l && serves in_ns host grep -w 5000 /proc/net/sctp/eps && listen_to 'sctp and src port 5000' &&
        { in_ns client timeout 10 sctp_darn -H 2001:db8:c::2 -P 5001 -h 2001:db8:123::1 -p 5000 -s <<<hello || true; } && answers_from 2001:db8:1::2
}

sctp_listens() { [[ $(in_ns host cat /proc/net/sctp/eps) == *"2001:0db8:0123:0000:0000:0000:0000:0001"* ]]; }

# --- RADIUS ---

radius=/etc/freeradius/3.0

FreeRADIUS_on_all_addresses() {
    install -m 644 radius/clients.conf "$radius/" && echo 'bob Cleartext-Password := "hello"' >"$radius/mods-config/files/authorize" &&
        start host radius freeradius -X && serves accepted 2001:db8:123::18
}

# accepted ADDRESS: logs in at ADDRESS. The answer must come from there.
accepted() {
    in_ns client radclient -x -r 1 -t 5 "[$1]:1812" auth testing123 <<<'User-Name = bob, User-Password = hello' >"$work/answer"
    cat "$work/answer"
    grep Access-Accept "$work/answer" | grep -F " from [$1]:1812 "
}

# --- CoAP ---

aiocoap_on_all_addresses() {
    mkdir -p "$work/coap" && echo hello >"$work/coap/hello" && start host coap aiocoap-fileserver "$work/coap" && serves coap_asked 2001:db8:123::56
}

# The server says nothing when it cannot send.
coap_asked() { in_ns client timeout 20 aiocoap-client "coap://[$1]/hello" | grep -x hello || { echo "no answer from $1" && return 1; }; }

# --- SNMP and TFTP: on all IPv6 addresses these answer from the address that the kernel chooses. So does tftpd in IPv4 ---

agentaddress() { start host snmpd snmpd -f -Lo -C -c "$PWD/snmp/snmpd.conf" && serves snmp_asked 2001:db8:123::a1; }

snmpd_on_all_addresses() {
    start host snmpd snmpd -f -Lo -C -c "$PWD/snmp/snmpd-all.conf" && listen_to 'udp and src port 161' && serves snmp_asked 2001:db8:123::a1 &&
        answers_from 2001:db8:1::2
}

snmp_asked() { in_ns client snmpget -v 2c -c public -r 1 -t 10 "udp6:[$1]" .1.3.6.1.2.1.1.5.0 2>&1 | grep -w host; }

tftpd_on_all_addresses() {
    mkdir -p "$work/tftp" && echo hello >"$work/tftp/hello" && start host tftpd in.tftpd -6 -L -s "$work/tftp" && listen_to 'udp and src net 2001:db8::/32' &&
        serves loads 2001:db8:123::69 && answers_from 2001:db8:1::2
}

loads() { rm -f "$work/got" && in_ns client tftp -6 -m binary "$1" -c get hello "$work/got" && cmp "$work/tftp/hello" "$work/got"; }

# listen_to FILTER: keeps the addresses of packets that come to the client.
listen_to() {
    local server=$pid
    start client tcpdump tcpdump -n -l -Q in -i net0 "$1" && serves grep -q 'listening on' "$work/logs/tcpdump" && pid=$server
}

# answers_from ADDRESS: the client must have seen this address, and no other. Clients that are connected, and firewalls, drop
# answers from an address that was not asked.
answers_from() {
    within 20 grep -q ' IP6 ' "$work/logs/tcpdump" && expect "addresses that answer" "$1" \
        "$(sed -nE 's/.* IP6 ([0-9a-f:]+)[.][0-9]+ > .*/\1/p' "$work/logs/tcpdump" | sort -u)" &&
        note "answers from $1"
}

# --- SIP ---

kamailio_listen() {
    start host kamailio kamailio -DD -E -f "$PWD/sip/kamailio.cfg" -Y "$work" && serves options 2001:db8:123::60
}

# options ADDRESS: asks a SIP server what it can do. The answer must come from ADDRESS, because the socket is connected.
options() {
    in_ns client timeout 20 socat -t 5 - "UDP6:[$1]:5060" <<END | tee "$work/answer" | grep -a '^SIP/2.0 200'
OPTIONS sip:test@[$1] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:c::2]:5060;branch=z9hG4bK$RANDOM;rport
From: <sip:test@[2001:db8:c::2]>;tag=$RANDOM
To: <sip:test@[$1]>
Call-ID: $RANDOM@[2001:db8:c::2]
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

END
}

sipp_-i() { start host sipp sipp -sn uas -i 2001:db8:123::61 -nostdin && serves calls 2001:db8:123::61; }

calls() { in_ns client sipp -sn uac -i 2001:db8:c::2 -m 3 -timeout 20 -timeout_error -nostdin "[$1]:5060"; }

# --- STUN ---

coturn_listening-ip() {
    start host turnserver turnserver -n --no-cli --no-tls --no-dtls --log-file stdout --simple-log -L 2001:db8:123::34 -E 2001:db8:123::34 &&
        serves reflected 2001:db8:123::34
}

# reflected ADDRESS: the server at ADDRESS must say from where it is asked.
reflected() {
    in_ns client timeout 10 turnutils_stunclient -p 3478 "$1" >"$work/answer" 2>&1
    cat "$work/answer"
    grep 'reflexive addr: .*2001:db8:c::2' "$work/answer"
}

# --- Mail ---

smtp_bind_address6() { mails && leaves_from 2001:db8:5::25; }

# This is postfix' default.
smtp_bind_address6_not_enforced() { mails smtp_bind_address_enforce=no && leaves_from 2001:db8:5::25; }

# mails [SETTING...]: sends a mail to a server on host2. The server keeps it, with the address of its client.
mails() {
    rm -rf "$work/mail" && mkdir -p "$work/mail" && start host2 sink smtp-sink -u root -d "$work/mail/" '[2001:db8:2::2]:25' 10 &&
        serves sink_listens && install -m 644 mail/main.cf /etc/postfix/ && cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf &&
        postconf -e maillog_file=/dev/stdout "$@" && rm -f "$pickup" && start host postfix postfix start-fg && serves test -S "$pickup" &&
        serves sends && serves arrived
}

pickup=/var/spool/postfix/public/pickup

sink_listens() { [[ -n $(in_ns host2 ss -Hltn 'sport = :25') ]]; }

sends() { printf 'Subject: test\n\nhello\n' | in_ns host sendmail root@example.org; }

arrived() { grep -h . "$work"/mail/*; }

leaves_from() { expect "address that the server sees" "$1" "$(sed -n 's/^X-Client-Addr: ipv6://p' "$work"/mail/*)"; }
