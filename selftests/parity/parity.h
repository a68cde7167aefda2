/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parity matrix: every way that a socket takes a local address, on IPv4 and
 * on IPv6. A case is a tuple. Running it gives an outcome.
 *
 * Each file calls only the files above it:
 *
 *   tuple.c    names for the parts of a case
 *   topo.c     the namespaces
 *   uring.c    io_uring
 *   sock.c     operations of sockets
 *   kernel.c   operations where the kernel or a BPF program takes the address
 *   speak.c    what the host says without a socket that names the address
 *   cases.c    the list of cases, and the expected results
 *   table.c    --table
 *   parity.c   runs the cases and judges
 */
#ifndef PARITY_H
#define PARITY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <linux/types.h>
#include <sys/socket.h>

#include "run.h"

#define BIT(n)		(1ULL << (n))

/* Kinds of socket */

#define KINDS(X)							\
	/*  name     text           type            protocol */		\
	X(TCP,      "TCP",          SOCK_STREAM,    IPPROTO_TCP)	\
	X(MPTCP,    "MPTCP",        SOCK_STREAM,    262)		\
	X(SCTP,     "SCTP 1-1",     SOCK_STREAM,    IPPROTO_SCTP)	\
	X(SCTP_N,   "SCTP 1-n",     SOCK_SEQPACKET, IPPROTO_SCTP)	\
	X(UDP,      "UDP",          SOCK_DGRAM,     IPPROTO_UDP)	\
	X(RAW,      "raw",          SOCK_RAW,       253)		\
	X(PING,     "ping",         SOCK_DGRAM,     IPPROTO_ICMP)	\
	X(L2TP,     "L2TP/IP",      SOCK_DGRAM,     115)		\
	X(UDPLITE,  "UDP-Lite",     SOCK_DGRAM,     IPPROTO_UDPLITE)	\
	X(DCCP,     "DCCP",         6,              IPPROTO_DCCP)	\
	X(TUNNEL,   "device",       0,              0)

enum kind {
#define X(name, text, type, protocol) K_##name,
	KINDS(X)
#undef X
	NR_KINDS,
};

/* Address classes */

#define CLASSES(X)							\
	/* name (of world/world.h), text */				\
	X(HOST, "configured")						\
	X(ANY, "Any-IP")						\
	X(DUMMY, "Any-IP, dev dummy0")					\
	X(VETH, "Any-IP, dev veth0")					\
	X(ANY_AND_HOST, "Any-IP and configured")			\
	X(NHID, "Any-IP, nexthop object")				\
	X(TWO_DEVS, "Any-IP, on two devices")				\
	X(METRIC_WON, "Any-IP, beside unreachable of a higher metric")	\
	X(ORDER_WON, "Any-IP, before unreachable of the same metric")	\
	X(MAIN_UNREACHABLE, "Any-IP, unreachable in table main")	\
	X(IN_HOLE, "one address inside unreachable")			\
	X(RULE_UNREACHABLE, "Any-IP, unreachable by policy rule")	\
	X(UNREACHABLE, "unreachable in Any-IP")				\
	X(BLACKHOLE, "blackhole in Any-IP")				\
	X(PROHIBIT, "prohibit in Any-IP")				\
	X(THROW, "throw in Any-IP")					\
	X(UNICAST, "unicast in Any-IP")					\
	X(ANYCAST, "anycast in Any-IP")					\
	X(NHID_BLACKHOLE, "local, blackhole nexthop object")		\
	X(NHID_REJECT, "blackhole nexthop object in Any-IP")		\
	X(METRIC_LOST, "local, beside unreachable of a lower metric")	\
	X(ORDER_LOST, "local, after unreachable of the same metric")	\
	X(NHID_BESIDE, "local, before a blackhole nexthop object")	\
	X(HOLE, "unreachable")						\
	X(FWMARK_TABLE, "local in fwmark's table")			\
	X(RULE_TABLE, "local in another table")				\
	X(MAIN_TABLE, "local in table main")				\
	X(OUTSIDE, "outside")						\
	X(OTHER_NETNS, "Any-IP of another netns")			\
	X(PEER, "configured on the peer")				\
	X(VRF_ANY, "Any-IP of the VRF")					\
	X(VRF_HOLE, "unreachable in Any-IP of the VRF")			\
	X(VRF_PORT, "configured in the VRF")				\
	X(DOWN, "Any-IP, device down")					\
	X(LOOPBACK, "loopback")						\
	X(WILDCARD, "wildcard")						\
	X(GROUP, "multicast")						\
	/* an IPv6 socket and a mapped address, beside an IPv4 socket */	\
	X(MAPPED_HOST, "v4-mapped configured")				\
	X(MAPPED_ANY, "v4-mapped Any-IP")				\
	X(MAPPED_OUTSIDE, "v4-mapped outside")				\
	/* no IPv4 counterpart: cases.c has the expected result */		\
	X(TENTATIVE, "Any-IP, tentative")				\
	X(DADFAILED, "Any-IP, DAD failed")				\
	X(GROUP_ROUTED, "multicast, local route")			\
	X(MAPPED_ROUTED, "v4-mapped, local IPv6 route")			\
	X(MULTIPATH, "Any-IP, multipath")				\
	X(PREF_WON, "local of pref high, beside unicast")		\
	X(PREF_LOST, "local of pref low, beside unreachable")		\
	X(FROM_ANY, "local from ::/1")					\
	X(FROM_OTHER, "local from another prefix")			\
	X(FROM_BESIDE, "local, beside local from another prefix")	\
	X(LL_HOST, "link-local configured")				\
	X(LL_ANY, "link-local Any-IP")					\
	X(LL_OUTSIDE, "link-local outside")

enum class_id {
#define X(name, text) C_##name,
	CLASSES(X)
#undef X
	NR_CLASSES,
};

/* Operations. "refused" is the outcome for an address that is not local. */

#define OPS(X)								\
	X(BIND, "bind", EADDRNOTAVAIL)					\
	X(BINDX, "bindx", EADDRNOTAVAIL)				\
	X(BINDX_ADD, "bind, then bindx", EADDRNOTAVAIL)			\
	X(URING_BIND, "io_uring bind", EADDRNOTAVAIL)			\
	X(SERVE, "serve", EADDRNOTAVAIL)				\
	X(SERVE_GROUP, "serve, SO_REUSEPORT group", EADDRNOTAVAIL)	\
	X(SERVE_TFO, "serve, Fast Open", EADDRNOTAVAIL)			\
	X(SERVE_STEERED, "serve, chosen by BPF sk_lookup", EADDRNOTAVAIL) \
	X(CONNECT, "bind and connect", EADDRNOTAVAIL)			\
	X(CONNECT_LATE, "connect, IP_BIND_ADDRESS_NO_PORT", EADDRNOTAVAIL) \
	X(CONNECT_TFO, "connect, Fast Open", EADDRNOTAVAIL)		\
	X(MULTICAST_BOUND, "bind and send to a group", EADDRNOTAVAIL)	\
	X(BPF_BIND, "bind, address by BPF", EADDRNOTAVAIL)		\
	X(BPF_CONNECT, "connect, bpf_bind()", EPERM)			\
	X(SUBFLOW, "MPTCP subflow", EHOSTUNREACH)			\
	X(PKTINFO, "PKTINFO", EINVAL)					\
	X(PKTINFO_2292, "2292PKTINFO", EINVAL)				\
	X(PKTINFO_CONNECTED, "PKTINFO, connected", EINVAL)		\
	X(PKTINFO_GSO, "PKTINFO, GSO", EINVAL)				\
	X(STICKY, "PKTINFO by setsockopt (Linux ignores it)", 0)	\
	X(PKTINFO_URING, "PKTINFO, io_uring sendmsg", EINVAL)		\
	X(PKTINFO_MULTICAST, "PKTINFO, to a group", EINVAL)		\
	X(ECHO, "RECVPKTINFO and answer", EINVAL)			\
	X(RECVPKTINFO, "RECVPKTINFO", 0)				\
	X(RECVORIGDSTADDR, "RECVORIGDSTADDR", 0)			\
	X(TO_SELF, "connect to it, unbound", 0)				\
	X(BPF_SENDMSG, "source by BPF sendmsg", 0)			\
	X(L2TP_UDP, "l2tp, encap udp", EADDRNOTAVAIL)			\
	X(L2TP_IP, "l2tp, encap ip", EADDRNOTAVAIL)			\
	X(FOU, "fou", EADDRNOTAVAIL)					\
	X(VXLAN, "vxlan", 0)						\
	X(GRE, "gretap", 0)						\
	X(ERROR_PORT, "ICMP error of a closed port", E_OTHER_SOURCE)	\
	X(ERROR_PROTOCOL, "ICMP error of an unknown protocol", E_OTHER_SOURCE) \
	X(ERROR_HOPS, "ICMP error of the last hop", E_OTHER_SOURCE)		\
	X(ROUTE_SRC, "route add ... src", EINVAL)			\
	X(ROUTE_SRC_REPLACE, "route replace ... src", EINVAL)		\
	X(ROUTE_SRC_GONE, "route ... src without its local route", EINVAL) \
	X(WG, "WireGuard server", E_OTHER_SOURCE)			\
	X(WG_FIREWALL, "WireGuard server behind a firewall", E_OTHER_SOURCE)

enum op {
#define X(name, text, refused) OP_##name,
	OPS(X)
#undef X
	NR_OPS,
};

/* The device that the socket is bound to. For link-local addresses, the scope. */

#define BINDINGS(X)							\
	X(NONE, NULL) X(VETH0, "veth0") X(DUMMY0, "dummy0") X(LO, "lo")	\
	X(VRF0, "vrf0") X(VETH1, "veth1")

enum binding {
#define X(name, dev) B_##name,
	BINDINGS(X)
#undef X
	NR_BINDINGS,
};

enum option {
	O_NONE,
	O_REUSEADDR,
	O_MARK,		/* SO_MARK 1, the mark of the fwmark rule */
	O_FREEBIND,
	O_TRANSPARENT,
	O_NONLOCAL,	/* the sysctl */
	O_MERGED,	/* no policy rule in IPv4: its tables local and main are one */
	NR_OPTIONS,
};

struct tuple {
	__u8 kind, op, class, binding, option;
};

/* 0, or an errno or one of these values, at a stage of the operation. */
enum { E_OTHER_SOURCE = 900, E_LOST, E_GARBLED };
enum stage { S_FIRST, S_CONNECT, S_SEND, S_RECV, S_ANSWER, NR_STAGES };
#define OUTCOME(stage, err)	((stage) * 1000 + (err))
#define OUTCOME_STAGE(o)	((o) / 1000)
#define OUTCOME_ERR(o)		((o) % 1000)

/* Each run has its own ports, below the kernel's ephemeral ports. */
#define FIRST_PORT	2000
#define LAST_PORT	57999

/* Sets, as bit masks */

#define K(name)		BIT(K_##name)
#define C(name)		BIT(C_##name)
#define O(name)		BIT(OP_##name)
#define B(name)		BIT(B_##name)
#define ANY_OP		(~0ULL)
#define ANY_OPTION	(~0ULL)

#define K_PORTS		(K(TCP) | K(MPTCP) | K(SCTP) | K(SCTP_N) | K(UDP) | \
			 K(UDPLITE) | K(DCCP))
#define K_ALL		(K_PORTS | K(RAW) | K(PING) | K(L2TP))
/* Kinds of socket that stay inside their VRF, on all kernels */
#define K_VRF		(K(TCP) | K(MPTCP) | K(UDP) | K(UDPLITE) | K(RAW) | \
			 K(PING))
#define K_PKTINFO	(K(UDP) | K(UDPLITE) | K(RAW) | K(PING) | K(L2TP))

#define C_CARVED	(C(UNREACHABLE) | C(BLACKHOLE) | C(PROHIBIT) |	\
			 C(THROW) | C(UNICAST) | C(ANYCAST) |		\
			 C(NHID_BLACKHOLE) | C(NHID_REJECT) |		\
			 C(METRIC_LOST) | C(ORDER_LOST) | C(HOLE))
#define C_ELSEWHERE	(C(FWMARK_TABLE) | C(RULE_TABLE) | C(MAIN_TABLE) | \
			 C(OUTSIDE) | C(OTHER_NETNS) | C(PEER))
#define C_ANYIP		(C(ANY) | C(DUMMY) | C(VETH) | C(NHID) | \
			 C(TWO_DEVS) | C(METRIC_WON) | C(ORDER_WON) |	\
			 C(MAIN_UNREACHABLE) | C(IN_HOLE))
#define C_VRF		(C(VRF_ANY) | C(VRF_HOLE) | C(VRF_PORT))
#define C_PAIRED	(C(HOST) | C(ANY_AND_HOST) | C_ANYIP |	\
			 C(RULE_UNREACHABLE) | C_CARVED | C_ELSEWHERE |	\
			 C(NHID_BESIDE) | C_VRF | C(DOWN))
/* A few classes that show: a bind()'s answer does not depend on the next step */
#define C_SAMPLE	(C(HOST) | C(ANY_AND_HOST) | C_ANYIP |	\
			 C(UNREACHABLE) | C(UNICAST) | C(FWMARK_TABLE) | \
			 C(OUTSIDE))
#define C_FEW		(C(HOST) | C(ANY) | C(DUMMY) |		\
			 C(UNREACHABLE) | C(FWMARK_TABLE) | C(OUTSIDE))
#define C_IN_VRF	(C(VRF_ANY) | C(VRF_PORT) | C(VRF_HOLE) |	\
			 C(ANY) | C(HOST) | C(OUTSIDE))
#define C_MAPPED	(C(MAPPED_HOST) | C(MAPPED_ANY) | C(MAPPED_OUTSIDE))
#define C_PREFERRED	(C(PREF_WON) | C(PREF_LOST) | C(FROM_ANY) |	\
			 C(FROM_OTHER) | C(FROM_BESIDE))
#define C_LL		(C(LL_HOST) | C(LL_ANY) | C(LL_OUTSIDE))
#define C_ALONE		(C(TENTATIVE) | C(DADFAILED) | C(MULTIPATH) | C_LL)

#define B_ALL		(BIT(NR_BINDINGS) - 1)
#define B_PATH		(B(NONE) | B(VETH0))
#define B_VRF		(B(VRF0) | B(VETH1))

enum note {
	NOTE_LOOPBACK,
	NOTE_DOWN,
	NOTE_MULTICAST,
	NOTE_TRANSPARENT,
	NOTE_ERRNO,
	NOTE_VRF,
	NOTE_NONLOCAL,
	NOTE_PING,
	NOTE_L2TP,
	NOTE_CHOICE,
	NOTE_BPF,
	NOTE_TUNNEL,
	NOTE_RAW,
	NOTE_MERGED,
	NOTE_BLACKHOLE,
	NOTE_SILENT,
	NOTE_ROUTE,
	NOTE_GONE,
	NOTE_WIREGUARD,
	NR_NOTES,
};

/* Behaviour of only some kernels. */
enum condition {
	ALWAYS,
	SCTP_IN_VRF,		/* SCTP's bind knows the domain of its device */
	NO_SCTP_IN_VRF,
	NO_RAW_FREEBIND,	/* before 5.17 */
};

/* An allowed difference, for all cases that the masks cover. */
struct difference {
	__u64 ops, kinds, classes, bindings, options;
	int v4, v6;
	enum note note;
	enum condition when;
};

#define UNKNOWN		(-1)

struct parity_case {
	struct tuple t;
	const struct difference *diff;
	int v4, v6;	/* outcomes of the last run */
};

static inline bool in(__u64 set, unsigned int member)
{
	return set & BIT(member);
}

/* tuple.c */
struct op_desc {
	const char *text;
	int refused;
};

extern const char *const class_names[NR_CLASSES];
extern const char *const binding_dev[NR_BINDINGS];
extern const char *const kind_names[NR_KINDS];
extern const char *const option_names[NR_OPTIONS];
extern const struct op_desc ops[NR_OPS];
const char *class_text(enum class_id class, int family);
bool is_alone(const struct tuple *t);
const char *outcome_text(int outcome);
const char *tuple_text(const struct tuple *t);

/* topo.c */
void topo_setup(void);
void topo_choose(bool merged);
void topo_enter_host(void);
void topo_enter_peer(void);
int topo_host(void);
int topo_peer(void);
void topo_nonlocal(bool on);

/* uring.c */
bool uring_can(enum op op);
int uring_bind(int fd, const struct sockaddr *sa, socklen_t len);
int uring_sendmsg(int fd, const struct msghdr *msg);

/* sock.c */
struct run {
	const struct tuple *t;
	int family;
	int port;	/* of this run; an L2TP connection, a ping identifier */
};

bool kind_exists(enum kind kind);
bool sock_does(enum op op);
int sock_run(const struct run *r);	/* the outcome of a case in one family */
bool run_mapped(const struct run *r);
int sock_new(int family, enum kind kind);
void set_int(int fd, int level, int name, int value);
int sock_new_in(const struct run *r);
int fail_at(enum stage stage);
socklen_t addr_make(union sockaddr_any *a, int family, enum kind kind, const char *text,
		    int port);
socklen_t addr_subject(const struct run *r, union sockaddr_any *a, int port);
socklen_t addr_of_peer(const struct run *r, union sockaddr_any *a, int port);
socklen_t addr_from_peer(const struct run *r, union sockaddr_any *a, int port);
int send_to(const struct run *r, int fd, const union sockaddr_any *to, socklen_t len);
int connect_to_peer(const struct run *r, int fd, int peer);
int peer_new(const struct run *r);
int peer_listen(const struct run *r, int *fd);
int peer_sees(const struct run *r, int fd);
int source_is_subject(const struct run *r, const union sockaddr_any *from);
int send_pktinfo(const struct run *r, int fd,
		 int (*send)(int fd, const struct msghdr *msg));
int bind_subject(const struct run *r, int fd, int port);
const char *token(const struct run *r);
int exchange(const struct run *r, int server, int client);

/* kernel.c */
int kernel_run(const struct run *r);
bool kernel_shows_subflows(void);

/* speak.c */
bool speak_does(enum op op);
int speak_run(const struct run *r);

/* cases.c */
extern const char *const note_text[NR_NOTES];
extern struct parity_case *cases;
extern size_t n_cases;
void generate(void);
const struct difference *unused_difference(void);
const char *is_missing(const struct tuple *t);
int expect_on(const struct parity_case *c);
int expect_stock(const struct parity_case *c);
unsigned int table_asked(const struct tuple *t);

/* table.c */
void table_print(void);

#endif
