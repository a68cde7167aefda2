/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets that ask for an address of the world. All functions return -errno on
 * failure.
 */
#ifndef ANYIP6_SOCK_H
#define ANYIP6_SOCK_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include "world.h"

/* The libc of older suites does not define it. */
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT	75
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND		78
#endif

struct proto {
	int type;
	int number;
};

#define PROTO_tcp	{ SOCK_STREAM, IPPROTO_TCP }
#define PROTO_udp	{ SOCK_DGRAM, IPPROTO_UDP }
#define PROTO_udplite	{ SOCK_DGRAM, 136 }
#define PROTO_dccp	{ 6 /* SOCK_DCCP */, 33 }
#define PROTO_mptcp	{ SOCK_STREAM, 262 }
#define PROTO_raw	{ SOCK_RAW, 253 /* for experiments (RFC 3692) */ }
#define PROTO_sctp_1_1	{ SOCK_STREAM, IPPROTO_SCTP }
#define PROTO_sctp_1_n	{ SOCK_SEQPACKET, IPPROTO_SCTP }
#define PROTO_l2tp	{ SOCK_DGRAM, 115 /* L2TP over IP */ }

enum sock_opt {
	OPT_REUSEADDR	= 1 << 0,
	OPT_REUSEPORT	= 1 << 1,
	OPT_V6ONLY	= 1 << 2,
	OPT_FREEBIND	= 1 << 3,
	OPT_TRANSPARENT	= 1 << 4,
	OPT_MARK	= 1 << 5,	/* SO_MARK 1, the mark of the fwmark rule */
	OPT_LISTEN	= 1 << 6,
	OPT_ANY_PORT	= 1 << 7,
	OPT_LOW_PORT	= 1 << 8,
	OPT_SCOPE	= 1 << 9,	/* dev goes into sin6_scope_id */
	OPT_FAMILY_4	= 1 << 10,	/* an IPv4 socket, whatever the test's family */
	OPT_FREEBIND_IP	= 1 << 11,	/* IP_FREEBIND, also on an IPv6 socket */
};

#define TEST_PORT	4242
#define LOW_PORT	81

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	char room[32];	/* L2TP's IPv6 address is longer */
};

/* Everything that decides one bind(), except the family. */
struct bind_spec {
	struct proto proto;
	enum anyip6_addr addr;
	unsigned int opts;
	const char *dev;
};

/* Returns the length, or 0 if @text is no address of that family. */
socklen_t addr_parse(union sockaddr_any *sa, int family, const char *text, int port);
socklen_t addr_fill(union sockaddr_any *sa, int family, enum anyip6_addr addr,
		    int port);
socklen_t sockaddr_len(const union sockaddr_any *sa);
/*
 * L2TP's address has a connection after the IP address, and no port. Returns
 * its length.
 */
socklen_t l2tp_connection(union sockaddr_any *sa, unsigned int connection);
bool addr_same(const union sockaddr_any *a, const union sockaddr_any *b);
const char *sockaddr_text(const union sockaddr_any *sa);
/* The @n-th of addresses that lie scattered over 2001:db8:a::/64, or 198.18.0.0/15. */
void addr_scattered(union sockaddr_any *sa, int family, unsigned int n);

int sock_set_options(int fd, int family, unsigned int opts);
int sock_open(int family, const struct bind_spec *spec);
int sock_bind(int fd, int family, const struct bind_spec *spec);
int sock_bound(int family, const struct bind_spec *spec);
/* Bind a socket, and close it again. */
int sock_try(int family, const struct bind_spec *spec);
int udp_try(enum anyip6_addr addr);

/* Control messages, placed one after another in the buffer at msg_control. */
union control {
	struct cmsghdr hdr;
	char room[256];
};

void *control_add(struct msghdr *msg, int level, int type, size_t len);
/* Add the source: an address, and its scope as the device. */
void control_source(struct msghdr *msg, const union sockaddr_any *from);

/* Send one message from @from, with as much of @text as @from has. @to may be NULL. */
int send_from(int fd, const union sockaddr_any *from, const union sockaddr_any *to,
	      const char *text, int flags);
/*
 * Ask the kernel about a source without sending anything. After the source
 * comes a control message that needs CAP_NET_RAW. A process without it gets
 * -EPERM if the kernel accepted the source.
 */
int probe_source(int fd, const union sockaddr_any *from, const union sockaddr_any *to);

#define ERROR_DEADLINE	5000	/* ms, for an ICMP error to arrive */

/* Read an ICMP error: who sends it, and the destination of what caused it. */
int error_read(int fd, union sockaddr_any *offender, union sockaddr_any *asked);

/* Take or drop CAP_NET_RAW. */
void may_raw(bool may);

#endif
