// SPDX-License-Identifier: GPL-2.0
/*
 * Socket operations of the parity matrix. The subject is the address of the
 * case's class. The host's socket takes it, and the peer's socket sees it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "parity.h"

#ifndef IPV6_2292PKTINFO
#define IPV6_2292PKTINFO	2
#endif
#ifndef IPV6_RECVORIGDSTADDR
#define IPV6_RECVORIGDSTADDR	74
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT	24
#endif
#ifndef IP_RECVORIGDSTADDR
#define IP_RECVORIGDSTADDR	20
#endif
#define SOL_SCTP		132
#define SCTP_BINDX_ADD		100
#define SOL_DCCP		269
#define DCCP_SERVICE		2
#define SOL_UDP			17
#define UDP_SEGMENT		103

#define SEGMENT			32
#define GROUP_SIZE		8	/* datagrams to a SO_REUSEPORT group */
#define TOKEN_LEN		8
#define MAX_PAYLOAD		128

static const struct timeval deadline = { .tv_sec = 2 };

static const struct {
	const char *text;
	int type, protocol;
} kinds[NR_KINDS] = {
#define X(name, text, type, protocol) [K_##name] = { text, type, protocol },
	KINDS(X)
#undef X
};

int fail_at(enum stage stage)
{
	int err = errno;

	/* The errno of a missed deadline depends on the call. */
	if (err == EAGAIN || err == EINPROGRESS || err == ETIMEDOUT)
		err = E_LOST;
	return OUTCOME(stage, err);
}

static bool is_stream(const struct run *r)
{
	return kinds[r->t->kind].type == SOCK_STREAM || r->t->kind == K_DCCP;
}

bool run_mapped(const struct run *r)
{
	return r->family == AF_INET6 && in(C_MAPPED, r->t->class);
}

static bool run_link_local(const struct run *r)
{
	return in(C_LL, r->t->class);
}

static bool run_in_vrf(const struct run *r)
{
	return in(B_VRF, r->t->binding);
}

/* The address family of the peer's socket. */
static int peer_family(const struct run *r)
{
	return run_mapped(r) ? AF_INET : r->family;
}

/* Sockets */

int sock_new(int family, enum kind kind)
{
	const struct linger none = { .l_onoff = 1 };
	int protocol = kinds[kind].protocol;
	int fd;

	if (kind == K_PING && family == AF_INET6)
		protocol = IPPROTO_ICMPV6;
	fd = socket(family, kinds[kind].type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline));
	/* A reset at close leaves no port in TIME_WAIT. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (kind == K_DCCP)
		setsockopt(fd, SOL_DCCP, DCCP_SERVICE, &(int){ 1 }, sizeof(int));
	return fd;
}

/* Ask only once, because the kernel looks for a module each time. */
bool kind_exists(enum kind kind)
{
	static enum { UNASKED, THERE, MISSING } known[NR_KINDS];
	int v6, v4;

	if (known[kind] == UNASKED) {
		v6 = sock_new(AF_INET6, kind);
		v4 = sock_new(AF_INET, kind);
		known[kind] = v6 >= 0 && v4 >= 0 ? THERE : MISSING;
		close(v6);
		close(v4);
	}
	return known[kind] == THERE;
}

void set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die("setsockopt(%d, %d): %s", level, name, strerror(errno));
}

static void set_option(const struct run *r, int fd)
{
	static const unsigned int opts[NR_OPTIONS] = {
		[O_REUSEADDR]	= OPT_REUSEADDR,
		[O_MARK]	= OPT_MARK,
		[O_FREEBIND]	= OPT_FREEBIND,
		[O_TRANSPARENT]	= OPT_TRANSPARENT,
	};

	if (sock_set_options(fd, r->family, opts[r->t->option]))
		die_errno(option_names[r->t->option]);
}

/*
 * A socket in the host, bound to the case's device. For link-local addresses
 * the device is the scope.
 */
int sock_new_in(const struct run *r)
{
	const char *dev = binding_dev[r->t->binding];
	int fd;

	topo_enter_host();
	fd = sock_new(r->family, r->t->kind);
	if (fd < 0)
		die_errno("socket");
	set_option(r, fd);
	if (dev && !run_link_local(r) &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev) + 1))
		die("SO_BINDTODEVICE %s: %s", dev, strerror(errno));
	return fd;
}

/* Addresses */

socklen_t addr_make(union sockaddr_any *a, int family, enum kind kind, const char *text,
		    int port)
{
	/* L2TP has no ports, and a raw socket would take the port for a protocol. */
	const bool has_port = kind != K_L2TP && kind != K_RAW;
	socklen_t len = addr_parse(a, family, text, has_port ? port : 0);

	return kind == K_L2TP ? l2tp_connection(a, port) : len;
}

socklen_t addr_subject(const struct run *r, union sockaddr_any *a, int port)
{
	const char *text = class_text(r->t->class, r->family);
	socklen_t len = addr_make(a, r->family, r->t->kind, text, port);

	if (run_link_local(r) && r->t->binding != B_NONE)
		a->in6.sin6_scope_id = if_nametoindex(binding_dev[r->t->binding]);
	return len;
}

/*
 * The peer's address as the host sees it, through the device that the socket is
 * bound to.
 */
socklen_t addr_of_peer(const struct run *r, union sockaddr_any *a, int port)
{
	static const char *const texts[][2] = {
		{ "2001:db8:1::2", "192.0.2.2" },
		{ "2001:db8:2::2", "192.0.3.2" },
		{ "2001:db8:d0::2", "198.51.100.2" },	/* nobody there */
	};
	int which = run_in_vrf(r) ? 1 : r->t->binding == B_DUMMY0 ? 2 : 0;
	socklen_t len;

	if (run_mapped(r))
		return addr_make(a, AF_INET6, r->t->kind, "::ffff:192.0.2.2", port);
	if (!run_link_local(r))
		return addr_make(a, r->family, r->t->kind,
				 texts[which][r->family == AF_INET], port);
	len = addr_make(a, AF_INET6, r->t->kind, "fe80::2", port);
	a->in6.sin6_scope_id = if_nametoindex("veth0");
	return len;
}

/* The subject's address as the peer sees it. Call this in the peer. */
socklen_t addr_from_peer(const struct run *r, union sockaddr_any *a, int port)
{
	int family = peer_family(r);
	socklen_t len = addr_make(a, family, r->t->kind,
				  class_text(r->t->class, family), port);

	if (run_link_local(r))
		a->in6.sin6_scope_id = if_nametoindex("veth0");
	return len;
}

int source_is_subject(const struct run *r, const union sockaddr_any *from)
{
	union sockaddr_any want;

	addr_from_peer(r, &want, 0);
	return addr_same(&want, from) ? 0 : OUTCOME(S_RECV, E_OTHER_SOURCE);
}

/* Payloads: the protocol's own data first, then a token at the end. */

const char *token(const struct run *r)
{
	static char text[TOKEN_LEN + 1];

	snprintf(text, sizeof(text), "%c%07d", r->family == AF_INET ? '4' : '6',
		 r->port);
	return text;
}

static size_t payload(const struct run *r, char *buf)
{
	size_t head = 0;

	memset(buf, 0, MAX_PAYLOAD);
	if (r->t->kind == K_PING) {
		buf[0] = (char)(r->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
		head = sizeof(struct icmphdr);
	} else if (r->t->kind == K_L2TP) {
		/* a control message's flags, version, length and connection */
		buf[0] = 0xc8;
		buf[1] = 3;
		buf[3] = 12 + TOKEN_LEN;
		buf[6] = r->port >> 8;
		buf[7] = r->port;
		head = 12;
	}
	memcpy(buf + head, token(r), TOKEN_LEN);
	return head + TOKEN_LEN;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Ignore anything else: it belongs to an earlier case. */
static int recv_token(const struct run *r, int fd, union sockaddr_any *from)
{
	time_t end = now() + deadline.tv_sec;
	char buf[512];
	ssize_t len;

	do {
		socklen_t size = sizeof(*from);

		if (now() > end)
			return OUTCOME(S_RECV, E_LOST);
		len = recvfrom(fd, buf, sizeof(buf), 0, from ? &from->sa : NULL,
			       from ? &size : NULL);
		if (len < 0)
			return fail_at(S_RECV);
		if (!len)
			return OUTCOME(S_RECV, E_LOST);
	} while (len < TOKEN_LEN ||
		 memcmp(buf + len - TOKEN_LEN, token(r), TOKEN_LEN));
	return 0;
}

int send_to(const struct run *r, int fd, const union sockaddr_any *to, socklen_t len)
{
	char buf[MAX_PAYLOAD];
	size_t size = payload(r, buf);

	return sendto(fd, buf, size, 0, to ? &to->sa : NULL, len) < 0 ?
		fail_at(S_SEND) : 0;
}

/* The peer */

/* Of all ICMPv6, the raw socket receives only echo requests. */
static int peer_icmp(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC,
			family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REQUEST, &filter);
	if (family == AF_INET6)
		setsockopt(fd, SOL_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	return fd;
}

/* A socket on which the peer receives datagrams, associations or connections. */
int peer_new(const struct run *r)
{
	int family = peer_family(r);
	union sockaddr_any any;
	socklen_t len = addr_make(&any, family, r->t->kind, addr_text(ADDR_WILDCARD, family),
				  r->port);
	int fd;

	topo_enter_peer();
	if (r->t->kind == K_PING)
		return peer_icmp(family);
	fd = sock_new(family, r->t->kind);
	if (fd < 0 || bind(fd, &any.sa, len))
		die_errno("peer");
	return fd;
}

int peer_listen(const struct run *r, int *fd)
{
	*fd = peer_new(r);
	if ((is_stream(r) || r->t->kind == K_SCTP_N) && listen(*fd, 8))
		die_errno("peer listens");
	return 0;
}

int peer_sees(const struct run *r, int fd)
{
	union sockaddr_any from = {};
	int out;

	/* Nobody is behind dummy0. The test can only see that the packet was sent. */
	if (r->t->binding == B_DUMMY0 && !run_link_local(r))
		return 0;
	topo_enter_peer();
	out = recv_token(r, fd, &from);
	return out ?: source_is_subject(r, &from);
}

/* Binding */

int bind_subject(const struct run *r, int fd, int port)
{
	union sockaddr_any sa;
	socklen_t len = addr_subject(r, &sa, port);

	return bind(fd, &sa.sa, len) ? fail_at(S_FIRST) : 0;
}

static int bindx(const struct run *r, int fd)
{
	union sockaddr_any sa;
	socklen_t len = addr_subject(r, &sa, r->port);

	return setsockopt(fd, SOL_SCTP, SCTP_BINDX_ADD, &sa, len) ?
		fail_at(S_FIRST) : 0;
}

static int bindx_add(const struct run *r, int fd)
{
	const char *first = class_text(C_HOST, r->family);
	union sockaddr_any sa;
	socklen_t len = addr_make(&sa, r->family, r->t->kind, first, r->port);

	if (bind(fd, &sa.sa, len))
		return fail_at(S_CONNECT);
	return bindx(r, fd);
}

static int op_bind(const struct run *r, int fd)
{
	union sockaddr_any sa;
	socklen_t len = addr_subject(r, &sa, r->port);

	switch (r->t->op) {
	case OP_BINDX:
		return bindx(r, fd);
	case OP_BINDX_ADD:
		return bindx_add(r, fd);
	case OP_URING_BIND:
		return uring_bind(fd, &sa.sa, len) ? fail_at(S_FIRST) : 0;
	}
	return bind_subject(r, fd, r->port);
}

/* Serving: the peer speaks first, to the subject. */

/* Returns the accepted socket, or the server itself for datagrams. */
static int accepted(const struct run *r, int server)
{
	return is_stream(r) ? accept(server, NULL, NULL) : server;
}

/* One sends, and then the other. */
static int both_ways(const struct run *r, int first, int second)
{
	int out = send_to(r, first, NULL, 0);

	if (!out)
		out = recv_token(r, second, NULL);
	if (!out)
		out = send_to(r, second, NULL, 0);
	return out ?: recv_token(r, first, NULL);
}

static int exchange_stream(const struct run *r, int server, int client)
{
	int fd = accepted(r, server);
	union sockaddr_any from = {};
	socklen_t len = sizeof(from);
	int out;

	if (fd < 0)
		return fail_at(S_CONNECT);
	out = both_ways(r, client, fd);
	if (!out && getpeername(client, &from.sa, &len))
		out = fail_at(S_RECV);
	close(fd);
	return out;
}

static int answer(const struct run *r, int server)
{
	union sockaddr_any from;
	int out = recv_token(r, server, &from);
	socklen_t len = sockaddr_len(&from);

	if (out)
		return out;
	/* A raw sender's protocol is not a port, and L2TP has no ports. */
	if (r->t->kind == K_RAW || r->t->kind == K_L2TP)
		from.in.sin_port = 0;
	if (r->t->kind == K_L2TP)
		len = l2tp_connection(&from, r->port);
	return send_to(r, server, &from, len);
}

static int exchange_datagrams(const struct run *r, int server, int client)
{
	union sockaddr_any to;
	socklen_t len = addr_from_peer(r, &to, r->port);
	int out = send_to(r, client, &to, len);

	if (!out)
		out = answer(r, server);
	return out ?: peer_sees(r, client);
}

/* Data both ways. The peer connects to the subject. This leaves us in the peer. */
int exchange(const struct run *r, int server, int client)
{
	union sockaddr_any to;
	socklen_t len;

	topo_enter_peer();
	if (!is_stream(r))
		return exchange_datagrams(r, server, client);
	len = addr_from_peer(r, &to, r->port);
	if (connect(client, &to.sa, len))
		return fail_at(S_CONNECT);
	return exchange_stream(r, server, client);
}

/* The client may have any port. L2TP has no ports and needs its connection again. */
static int peer_client(const struct run *r)
{
	topo_enter_peer();
	if (r->t->kind == K_L2TP)
		return peer_new(r);
	return sock_new(peer_family(r), r->t->kind);
}

static int serve(const struct run *r, int server)
{
	int out = bind_subject(r, server, r->port);
	int client;

	if (out)
		return out;
	if ((is_stream(r) || r->t->kind == K_SCTP_N) && listen(server, 8))
		return fail_at(S_CONNECT);
	client = peer_client(r);
	out = exchange(r, server, client);
	close(client);
	return out;
}

/* Exactly one socket of the group receives each datagram. */
static bool one_hears(const int *fds)
{
	struct pollfd polls[] = {
		{ .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN },
	};
	char buf[MAX_PAYLOAD];

	if (poll(polls, 2, deadline.tv_sec * 1000) != 1)
		return false;
	return recv(fds[polls[1].revents ? 1 : 0], buf, sizeof(buf), 0) > 0;
}

static int serve_group(const struct run *r, int first)
{
	int second = sock_new_in(r);
	const int fds[] = { first, second };
	union sockaddr_any to;
	int out = 0, client;
	socklen_t len;

	for (int i = 0; !out && i < 2; i++) {
		set_int(fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
		out = bind_subject(r, fds[i], r->port);
	}
	for (int i = 0; !out && i < GROUP_SIZE; i++) {
		client = peer_client(r);
		len = addr_from_peer(r, &to, r->port);
		out = send_to(r, client, &to, len);
		if (!out && !one_hears(fds))
			out = OUTCOME(S_RECV, E_LOST);
		close(client);
	}
	close(second);
	return out;
}

/* The first data arrives with the SYN. */
static int check_fast_open(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
		return fail_at(S_RECV);
	return info.tcpi_options & TCPI_OPT_SYN_DATA ? 0 :
		OUTCOME(S_RECV, E_GARBLED);
}

static int fast_open(const struct run *r, int listener, int client,
		     const union sockaddr_any *to, socklen_t len)
{
	union sockaddr_any from = {};
	socklen_t size = sizeof(from);
	int out = 0, fd;

	if (sendto(client, token(r), TOKEN_LEN, MSG_FASTOPEN, &to->sa, len) < 0)
		return fail_at(S_CONNECT);
	fd = accept(listener, &from.sa, &size);
	if (fd < 0)
		return fail_at(S_CONNECT);
	out = recv_token(r, fd, NULL);
	if (!out)
		out = check_fast_open(client);
	if (!out && r->t->op == OP_CONNECT_TFO)
		out = source_is_subject(r, &from);
	close(fd);
	return out;
}

static int serve_fast_open(const struct run *r, int server)
{
	int out = bind_subject(r, server, r->port);
	union sockaddr_any to;
	socklen_t len;
	int client;

	if (out)
		return out;
	set_int(server, SOL_TCP, TCP_FASTOPEN, 8);
	if (listen(server, 8))
		return fail_at(S_CONNECT);
	client = peer_client(r);
	len = addr_from_peer(r, &to, r->port);
	out = fast_open(r, server, client, &to, len);
	close(client);
	return out;
}

/* Connecting: the host speaks first, from the subject. */

static int connect_fast_open(const struct run *r, int fd)
{
	union sockaddr_any to;
	socklen_t len = addr_of_peer(r, &to, r->port);
	int out = bind_subject(r, fd, 0);
	int peer;

	if (out)
		return out;
	peer = peer_new(r);
	set_int(peer, SOL_TCP, TCP_FASTOPEN, 8);
	if (listen(peer, 8))
		die_errno("listen");
	out = fast_open(r, peer, fd, &to, len);
	close(peer);
	return out;
}

static int accept_and_check(const struct run *r, int peer, int fd)
{
	union sockaddr_any from = {};
	socklen_t len = sizeof(from);
	int conn = accept(peer, &from.sa, &len);
	int out;

	if (conn < 0)
		return fail_at(S_CONNECT);
	topo_enter_peer();
	out = source_is_subject(r, &from) ?: both_ways(r, fd, conn);
	close(conn);
	return out;
}

/* The peer's kernel answers a ping. The peer answers everything else. */
static int answered(const struct run *r, int peer, int fd)
{
	union sockaddr_any from = {};
	int out;

	topo_enter_peer();
	out = recv_token(r, peer, &from) ?: source_is_subject(r, &from);
	if (out)
		return out;
	if (r->t->kind != K_PING) {
		socklen_t len = addr_from_peer(r, &from, r->t->kind == K_L2TP ?
					       r->port : ntohs(from.in.sin_port));

		out = send_to(r, peer, &from, len);
	}
	return out ?: recv_token(r, fd, NULL);
}

int connect_to_peer(const struct run *r, int fd, int peer)
{
	union sockaddr_any to;
	socklen_t len = addr_of_peer(r, &to, r->port);
	/* A one-to-many socket has associations, so it cannot connect. */
	bool many = r->t->kind == K_SCTP_N;
	int out;

	if (!many && connect(fd, &to.sa, len))
		return fail_at(S_CONNECT);
	if (is_stream(r))
		return accept_and_check(r, peer, fd);
	out = send_to(r, fd, many ? &to : NULL, many ? len : 0);
	return out ?: answered(r, peer, fd);
}

static int bind_and_connect(const struct run *r, int fd)
{
	int out, peer;

	if (r->t->op == OP_CONNECT_LATE)
		set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	out = bind_subject(r, fd, r->t->kind == K_L2TP ? r->port : 0);
	if (out)
		return out;
	peer_listen(r, &peer);
	topo_enter_host();
	out = connect_to_peer(r, fd, peer);
	close(peer);
	return out;
}

/* Groups */

static socklen_t addr_group(const struct run *r, union sockaddr_any *a)
{
	return addr_make(a, r->family, r->t->kind,
			 r->family == AF_INET ? "239.0.66.67" : "ff05::4343",
			 r->port);
}

static const char *group_dev(const struct run *r)
{
	return run_in_vrf(r) ? "veth1" : "veth0";
}

static void group_join(const struct run *r, int fd)
{
	union sockaddr_any a;
	struct ipv6_mreq m6 = { .ipv6mr_interface = if_nametoindex(group_dev(r)) };
	struct ip_mreqn m4 = { .imr_ifindex = m6.ipv6mr_interface };
	int err;

	addr_group(r, &a);
	m6.ipv6mr_multiaddr = a.in6.sin6_addr;
	m4.imr_multiaddr = a.in.sin_addr;
	err = r->family == AF_INET ?
		setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4)) :
		setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6));
	if (err)
		die_errno("joining the group");
}

static void group_out_dev(const struct run *r, int fd)
{
	int index = if_nametoindex(group_dev(r));
	struct ip_mreqn m4 = { .imr_ifindex = index };
	int err = r->family == AF_INET ?
		setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &m4, sizeof(m4)) :
		setsockopt(fd, SOL_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));

	if (err)
		die_errno("MULTICAST_IF");
}

static int group_peer(const struct run *r)
{
	int peer = peer_new(r);

	group_join(r, peer);
	topo_enter_host();
	return peer;
}

static int bind_and_send_to_group(const struct run *r, int fd)
{
	int out = bind_subject(r, fd, 0);
	union sockaddr_any to;
	socklen_t len = addr_group(r, &to);
	int peer;

	if (out)
		return out;
	peer = group_peer(r);
	group_out_dev(r, fd);
	out = send_to(r, fd, &to, len) ?: peer_sees(r, peer);
	close(peer);
	return out;
}

/* A source by control message */

/* If @to is NULL, the socket is connected. */
static int send_source(const struct run *r, int fd, const union sockaddr_any *source,
		       const union sockaddr_any *to, socklen_t len,
		       int (*send)(int fd, const struct msghdr *msg))
{
	union control control = {};
	char buf[MAX_PAYLOAD];
	struct iovec iov = { .iov_base = buf, .iov_len = payload(r, buf) };
	struct msghdr msg = {
		.msg_name = to ? (void *)&to->sa : NULL, .msg_namelen = len,
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control,
	};
	__u16 segment = SEGMENT;

	control_source(&msg, source);
	if (r->t->op == OP_PKTINFO_2292 && r->family == AF_INET6)
		control.hdr.cmsg_type = IPV6_2292PKTINFO;
	if (r->t->op == OP_PKTINFO_GSO) {
		memcpy(control_add(&msg, SOL_UDP, UDP_SEGMENT, sizeof(segment)),
		       &segment, sizeof(segment));
		/* two segments, each with the token at its end */
		memset(buf, '.', sizeof(buf));
		memcpy(buf + SEGMENT - TOKEN_LEN, token(r), TOKEN_LEN);
		memcpy(buf + SEGMENT, buf, SEGMENT);
		iov.iov_len = 2 * SEGMENT;
	}
	return send(fd, &msg) < 0 ? fail_at(S_FIRST) : 0;
}

static int plain_sendmsg(int fd, const struct msghdr *msg)
{
	return sendmsg(fd, msg, 0);
}

static int pktinfo(const struct run *r, int fd)
{
	bool connected = r->t->op == OP_PKTINFO_CONNECTED;
	bool group = r->t->op == OP_PKTINFO_MULTICAST;
	union sockaddr_any source, to;
	socklen_t len = group ? addr_group(r, &to) : addr_of_peer(r, &to, r->port);
	int peer, out;

	addr_subject(r, &source, 0);
	peer = group ? group_peer(r) : peer_new(r);
	topo_enter_host();
	if (group)
		group_out_dev(r, fd);
	/* Only a bound L2TP socket has a connection, which the peer needs to answer. */
	if (connected && connect(fd, &to.sa, len))
		return fail_at(S_CONNECT);
	out = send_source(r, fd, &source, connected ? NULL : &to,
			  connected ? 0 : len, r->t->op == OP_PKTINFO_URING ?
			  uring_sendmsg : plain_sendmsg);
	if (!out)
		out = peer_sees(r, peer);
	if (!out && r->t->op == OP_PKTINFO_GSO)
		out = peer_sees(r, peer);
	close(peer);
	return out;
}

/* IPv4 has no sticky source. It accepts the option, which asks for reports. */
static int sticky(const struct run *r, int fd)
{
	union sockaddr_any subject, to;
	socklen_t len = addr_of_peer(r, &to, r->port);
	struct in6_pktinfo p6 = {};
	struct in_pktinfo p4 = { .ipi_ifindex = 1 };
	int peer, out;

	addr_subject(r, &subject, 0);
	p6.ipi6_addr = subject.in6.sin6_addr;
	p4.ipi_spec_dst = subject.in.sin_addr;
	if (r->family == AF_INET ?
	    setsockopt(fd, SOL_IP, IP_PKTINFO, &p4, sizeof(p4)) :
	    setsockopt(fd, SOL_IPV6, IPV6_PKTINFO, &p6, sizeof(p6)))
		return fail_at(S_FIRST);
	peer = peer_new(r);
	topo_enter_host();
	out = send_to(r, fd, &to, len) ?: peer_sees(r, peer);
	close(peer);
	return out;
}

/* The destination that the receiver is told */

static const struct {
	enum op op;
	int level[2], option[2], type[2];	/* IPv6, IPv4 */
} reports[] = {
	{ OP_ECHO, { SOL_IPV6, SOL_IP }, { IPV6_RECVPKTINFO, IP_PKTINFO },
	  { IPV6_PKTINFO, IP_PKTINFO } },
	{ OP_RECVPKTINFO, { SOL_IPV6, SOL_IP }, { IPV6_RECVPKTINFO, IP_PKTINFO },
	  { IPV6_PKTINFO, IP_PKTINFO } },
	{ OP_RECVORIGDSTADDR, { SOL_IPV6, SOL_IP },
	  { IPV6_RECVORIGDSTADDR, IP_RECVORIGDSTADDR },
	  { IPV6_RECVORIGDSTADDR, IP_RECVORIGDSTADDR } },
};

static size_t report_of(enum op op)
{
	size_t i = 0;

	while (reports[i].op != op)
		i++;
	return i;
}

static int control_dest(const struct run *r, struct msghdr *msg, union sockaddr_any *dest)
{
	size_t i = report_of(r->t->op);
	bool v4 = r->family == AF_INET;
	struct cmsghdr *c;

	memset(dest, 0, sizeof(*dest));
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == reports[i].level[v4] &&
		    c->cmsg_type == reports[i].type[v4])
			break;
	if (!c)
		return OUTCOME(S_RECV, E_GARBLED);
	dest->sa.sa_family = r->family;
	if (r->t->op == OP_RECVORIGDSTADDR)
		memcpy(dest, CMSG_DATA(c), v4 ? sizeof(dest->in) : sizeof(dest->in6));
	else if (v4)
		dest->in.sin_addr = ((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr;
	else
		dest->in6.sin6_addr = ((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_addr;
	return 0;
}

static int recv_reported(const struct run *r, int fd, union sockaddr_any *from,
			 union sockaddr_any *dest)
{
	union control control = {};
	char buf[MAX_PAYLOAD];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = from, .msg_namelen = sizeof(*from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	union sockaddr_any want;
	int out;

	if (recvmsg(fd, &msg, 0) < 0)
		return fail_at(S_RECV);
	out = control_dest(r, &msg, dest);
	addr_subject(r, &want, 0);
	if (!out && !addr_same(dest, &want))
		out = OUTCOME(S_RECV, E_GARBLED);
	return out;
}

static int told_and_answer(const struct run *r, int server, int client)
{
	union sockaddr_any to, from, dest;
	socklen_t len;
	int out;

	topo_enter_peer();
	len = addr_from_peer(r, &to, r->port);
	out = send_to(r, client, &to, len) ?: recv_reported(r, server, &from, &dest);
	if (out || r->t->op != OP_ECHO)
		return out;
	if (r->t->kind == K_RAW)
		from.in.sin_port = 0;
	dest.in6.sin6_scope_id = 0;
	out = send_source(r, server, &dest, &from, sockaddr_len(&from), plain_sendmsg);
	return out ?: peer_sees(r, client);
}

static int report(const struct run *r, int server)
{
	size_t i = report_of(r->t->op);
	bool v4 = r->family == AF_INET;
	union sockaddr_any any;
	socklen_t len = addr_make(&any, r->family, r->t->kind,
				  addr_text(ADDR_WILDCARD, r->family), r->port);
	int client, out;

	set_int(server, reports[i].level[v4], reports[i].option[v4], 1);
	if (bind(server, &any.sa, len))
		return fail_at(S_CONNECT);
	client = peer_client(r);
	out = told_and_answer(r, server, client);
	close(client);
	return out;
}

/* The kernel chooses the source. It must be the subject if that is the destination. */
static int to_self(const struct run *r, int server)
{
	union sockaddr_any any, to, from = {};
	socklen_t len = addr_make(&any, r->family, r->t->kind,
				  addr_text(ADDR_WILDCARD, r->family), r->port);
	socklen_t size = sizeof(from);
	int client = sock_new_in(r);
	int out = 0;

	if (bind(server, &any.sa, len) || (is_stream(r) && listen(server, 8)))
		die_errno("wildcard");
	len = addr_subject(r, &to, r->port);
	if (connect(client, &to.sa, len) || getsockname(client, &from.sa, &size))
		out = fail_at(S_CONNECT);
	if (!out && !addr_same(&from, &to))
		out = OUTCOME(S_CONNECT, E_OTHER_SOURCE);
	close(client);
	return out;
}

static int (*const sock_ops[NR_OPS])(const struct run *r, int fd) = {
	[OP_BIND]		= op_bind,
	[OP_BINDX]		= op_bind,
	[OP_BINDX_ADD]		= op_bind,
	[OP_URING_BIND]		= op_bind,
	[OP_SERVE]		= serve,
	[OP_SERVE_GROUP]	= serve_group,
	[OP_SERVE_TFO]		= serve_fast_open,
	[OP_CONNECT]		= bind_and_connect,
	[OP_CONNECT_LATE]	= bind_and_connect,
	[OP_CONNECT_TFO]	= connect_fast_open,
	[OP_MULTICAST_BOUND]	= bind_and_send_to_group,
	[OP_PKTINFO]		= pktinfo,
	[OP_PKTINFO_2292]	= pktinfo,
	[OP_PKTINFO_CONNECTED]	= pktinfo,
	[OP_PKTINFO_GSO]	= pktinfo,
	[OP_STICKY]		= sticky,
	[OP_PKTINFO_URING]	= pktinfo,
	[OP_PKTINFO_MULTICAST]	= pktinfo,
	[OP_ECHO]		= report,
	[OP_RECVPKTINFO]	= report,
	[OP_RECVORIGDSTADDR]	= report,
	[OP_TO_SELF]		= to_self,
};

bool sock_does(enum op op)
{
	return sock_ops[op];
}

int sock_run(const struct run *r)
{
	int fd = sock_new_in(r);
	int out = sock_ops[r->t->op](r, fd);

	close(fd);
	return out;
}
