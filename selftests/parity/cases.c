// SPDX-License-Identifier: GPL-2.0
/*
 * The parity matrix as data: which combinations are cases, where the families
 * may differ and why, and the expected result of each.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define K_UNBOUND	(K(TCP) | K(UDP) | K(PING))
/* What a peer outside can ask. */
#define C_ASKED		(C_PAIRED & ~(C_VRF | C(OTHER_NETNS) | C(PEER)))
#define B_DEFAULT	(B(NONE) | B(VETH0) | B(DUMMY0) | B(LO))
#define C_MERGED	(C_PAIRED & ~C_VRF)

/* Every combination within one entry is a case. */
static const struct family_of_cases {
	__u64 ops, kinds, classes, bindings, options;
} generators[] = {
	{ O(BIND), K_ALL, C_PAIRED | C(LOOPBACK) | C(WILDCARD), B_ALL,
	  BIT(O_NONE) },
	{ O(BIND), K_ALL & ~K(DCCP), C(GROUP), B_ALL, BIT(O_NONE) },
	{ O(BIND), K_ALL, C_FEW | C(VRF_ANY), B(NONE), BIT(O_REUSEADDR) |
	  BIT(O_MARK) | BIT(O_FREEBIND) | BIT(O_TRANSPARENT) | BIT(O_NONLOCAL) },
	{ O(BIND), K_VRF, C_FEW | C(VRF_ANY), B(VRF0), BIT(O_REUSEADDR) |
	  BIT(O_MARK) | BIT(O_FREEBIND) | BIT(O_TRANSPARENT) | BIT(O_NONLOCAL) },
	{ O(BIND), K_PORTS, C_MAPPED, B_PATH, BIT(O_NONE) | BIT(O_FREEBIND) },
	{ O(BINDX), K(SCTP) | K(SCTP_N), C_PAIRED | C(LOOPBACK), B(NONE) | B(VRF0),
	  BIT(O_NONE) },
	{ O(BINDX_ADD), K(SCTP) | K(SCTP_N), C_PAIRED & ~C(HOST), B(NONE),
	  BIT(O_NONE) },
	{ O(URING_BIND), K(TCP) | K(UDP), C_PAIRED, B(NONE) | B(VRF0),
	  BIT(O_NONE) },
	{ O(SERVE), K_ALL & ~K(PING), C_SAMPLE, B_PATH, BIT(O_NONE) },
	{ O(CONNECT), K_ALL, C_SAMPLE, B_PATH, BIT(O_NONE) },
	{ O(SERVE), K_VRF & ~(K(PING) | K(MPTCP)), C(VRF_ANY) | C(VRF_PORT), B(VRF0),
	  BIT(O_NONE) },
	{ O(CONNECT), K_VRF, C(VRF_ANY) | C(VRF_PORT), B_VRF,
	  BIT(O_NONE) },
	{ O(SERVE) | O(CONNECT), K(TCP) | K(UDP), C(MAPPED_HOST) |
	  C(MAPPED_ANY), B(NONE), BIT(O_NONE) },
	{ O(SERVE_GROUP), K(UDP) | K(UDPLITE), C_SAMPLE, B_PATH, BIT(O_NONE) },
	{ O(SERVE_TFO) | O(CONNECT_TFO), K(TCP), C_SAMPLE, B_PATH, BIT(O_NONE) },
	{ O(CONNECT_LATE), K(TCP) | K(UDP), C_SAMPLE, B_PATH, BIT(O_NONE) },
	{ O(MULTICAST_BOUND), K(UDP) | K(UDPLITE), C_SAMPLE, B_PATH, BIT(O_NONE) },
	{ O(PKTINFO) | O(PKTINFO_2292), K_PKTINFO, C_PAIRED, B_PATH, BIT(O_NONE) },
	{ O(PKTINFO) | O(PKTINFO_2292), K_PKTINFO & ~K(L2TP), C_PAIRED,
	  B(DUMMY0), BIT(O_NONE) },
	{ O(PKTINFO), K_PKTINFO, C_IN_VRF, B_VRF, BIT(O_NONE) },
	{ O(PKTINFO), K_PKTINFO & ~K(L2TP), C_FEW, B(NONE), BIT(O_FREEBIND) |
	  BIT(O_TRANSPARENT) | BIT(O_NONLOCAL) },
	{ O(PKTINFO), K(UDP), C_MAPPED, B(NONE), BIT(O_NONE) },
	{ O(PKTINFO_CONNECTED), K(UDP) | K(UDPLITE) | K(RAW) | K(PING),
	  C_PAIRED, B(NONE), BIT(O_NONE) },
	{ O(STICKY), K(UDP), C(HOST) | C(ANY) | C(UNREACHABLE) | C(OUTSIDE),
	  B(NONE), BIT(O_NONE) },
	{ O(PKTINFO_GSO), K(UDP), C_PAIRED, B_PATH, BIT(O_NONE) },
	{ O(PKTINFO_URING), K(UDP) | K(UDPLITE) | K(RAW) | K(PING), C_PAIRED,
	  B(NONE), BIT(O_NONE) },
	{ O(PKTINFO_MULTICAST), K(UDP) | K(UDPLITE), C_SAMPLE, B_PATH,
	  BIT(O_NONE) },
	{ O(ECHO) | O(RECVPKTINFO), K(UDP) | K(UDPLITE) | K(RAW),
	  C(HOST) | C(ANY_AND_HOST) | C_ANYIP, B_PATH, BIT(O_NONE) },
	{ O(RECVORIGDSTADDR), K(UDP) | K(UDPLITE),
	  C(HOST) | C(ANY_AND_HOST) | C_ANYIP, B_PATH, BIT(O_NONE) },
	{ O(TO_SELF), K(TCP) | K(UDP), C(HOST) | C(ANY_AND_HOST) |
	  C_ANYIP, B(NONE), BIT(O_NONE) },
	{ O(BPF_BIND), K(TCP) | K(UDP), C_SAMPLE, B(NONE), BIT(O_NONE) },
	{ O(SERVE_STEERED), K(TCP), C_SAMPLE, B(NONE), BIT(O_NONE) },
	{ O(BPF_CONNECT), K(TCP) | K(UDP), C_SAMPLE, B(NONE), BIT(O_NONE) },
	{ O(BPF_SENDMSG), K(UDP), C_SAMPLE, B(NONE), BIT(O_NONE) },
	{ O(SUBFLOW), K(MPTCP), C(ANY) | C(ANY_AND_HOST) | C(OUTSIDE),
	  B(NONE), BIT(O_NONE) },
	{ O(L2TP_UDP) | O(L2TP_IP) | O(FOU) | O(VXLAN) | O(GRE),
	  K(TUNNEL), C(HOST) | C(ANY) | C(OUTSIDE), B(NONE), BIT(O_NONE) },
	{ O(ERROR_PORT), K(UDP), C_ASKED, B(NONE), BIT(O_NONE) },
	{ O(ERROR_PROTOCOL), K(RAW), C_ASKED, B(NONE), BIT(O_NONE) },
	{ O(ERROR_HOPS), K(UDP), C_SAMPLE, B(NONE), BIT(O_NONE) },
	{ O(ERROR_PORT) | O(ERROR_HOPS), K(UDP), C_VRF, B(VRF0), BIT(O_NONE) },
	{ O(ERROR_PROTOCOL), K(RAW), C_VRF, B(VRF0), BIT(O_NONE) },
	{ O(ROUTE_SRC), K(UDP), C_PAIRED & ~C(RULE_UNREACHABLE), B(NONE), BIT(O_NONE) },
	{ O(ROUTE_SRC), K(TCP) | K(PING), C_FEW, B(NONE), BIT(O_NONE) },
	{ O(ROUTE_SRC_REPLACE), K_UNBOUND, C_FEW, B(NONE), BIT(O_NONE) },
	{ O(ROUTE_SRC) | O(ROUTE_SRC_REPLACE), K_UNBOUND, C_IN_VRF, B(VRF0), BIT(O_NONE) },
	{ O(ROUTE_SRC_GONE), K_UNBOUND, C(ANY), B(NONE), BIT(O_NONE) },
	{ O(ROUTE_SRC_GONE), K_UNBOUND, C(VRF_ANY), B(VRF0), BIT(O_NONE) },
	{ O(WG) | O(WG_FIREWALL), K(TUNNEL), C(HOST) | C(ANY_AND_HOST) | C(ANY) |
	  C(DUMMY) | C(IN_HOLE), B(NONE), BIT(O_NONE) },
	/* IPv4 without policy rules: its tables local and main are one */
	{ O(BIND), K_ALL, C_MERGED, B_DEFAULT, BIT(O_MERGED) },
	{ O(BINDX), K(SCTP) | K(SCTP_N), C_MERGED, B(NONE), BIT(O_MERGED) },
	{ O(SERVE) | O(CONNECT), K_ALL & ~K(PING), C(ANY) | C(MAIN_UNREACHABLE) |
	  C(MAIN_TABLE) | C(OUTSIDE), B_PATH, BIT(O_MERGED) },
	{ O(PKTINFO), K_PKTINFO, C_MERGED, B_PATH, BIT(O_MERGED) },
	/* IPv6 only */
	{ O(BIND), K_ALL, C_PREFERRED, B_PATH, BIT(O_NONE) },
	{ O(PKTINFO), K(UDP) | K(RAW), C_PREFERRED, B_PATH, BIT(O_NONE) },
	{ O(BIND), K_ALL, C(TENTATIVE) | C(DADFAILED) | C(MULTIPATH),
	  B_PATH | B(DUMMY0), BIT(O_NONE) },
	{ O(BIND), K_ALL & ~(K(SCTP) | K(SCTP_N)), C_LL, B_PATH | B(DUMMY0), BIT(O_NONE) },
	{ O(PKTINFO), K_PKTINFO & ~K(PING), C_ALONE, B_PATH, BIT(O_NONE) },
	{ O(PKTINFO), K(UDP) | K(RAW), C(GROUP_ROUTED) | C(MAPPED_ROUTED), B(NONE),
	  BIT(O_NONE) },
	{ O(BIND), K(TCP) | K(UDP), C(MAPPED_ROUTED), B(NONE), BIT(O_NONE) },
	{ O(PKTINFO), K(PING), C(TENTATIVE) | C(DADFAILED) | C(LL_OUTSIDE),
	  B_PATH, BIT(O_NONE) },
	{ O(SERVE) | O(CONNECT), K(TCP) | K(UDP), C(MULTIPATH), B_PATH,
	  BIT(O_NONE) },
	{ O(SERVE) | O(CONNECT), K(TCP) | K(UDP), C(LL_HOST) | C(LL_ANY),
	  B(VETH0), BIT(O_NONE) },
	{ O(ERROR_PORT), K(UDP), C(TENTATIVE) | C(MULTIPATH) | C(PREF_WON) | C(FROM_ANY),
	  B(VETH0), BIT(O_NONE) },
	{ O(ROUTE_SRC), K(UDP), C(TENTATIVE) | C(DADFAILED) | C(MULTIPATH) | C_PREFERRED | C_LL,
	  B(VETH0), BIT(O_NONE) },
};

/* The allowed differences: IPv4's result, IPv6's result, and the reason. */

const char *const note_text[NR_NOTES] = {
	[NOTE_LOOPBACK] =
	"127.0.0.1 binds on a socket bound to any device of the domain, ::1 only on lo: a configured address keeps the kernel's answer.",
	[NOTE_DOWN] =
	"IPv4 keeps the local routes of a device that is down, IPv6 removes them: there is nothing left that says the address is local.",
	[NOTE_MULTICAST] =
	"Not an address of the host: stock IPv6 has its own answers to binding a group.",
	[NOTE_TRANSPARENT] =
	"SCTP's IPv4 part does not know IP_TRANSPARENT.",
	[NOTE_ERRNO] =
	"A source that is not local is refused by both. IPv4 finds out when it looks for a route, IPv6 when it reads the message.",
	[NOTE_VRF] =
	"IPv4 asks table local about the source of a packet whatever the socket is bound to; IPv6 asks the socket's own domain, of bind() and of PKTINFO alike.",
	[NOTE_NONLOCAL] =
	"IP_FREEBIND and ip_nonlocal_bind let IPv4 bind to the address but not send from it; IPv6 does both.",
	[NOTE_PING] =
	"The kernel's ICMPv6 sockets check the source of a message and then forget it (ping_v6_sendmsg); configured addresses fare no better.",
	[NOTE_L2TP] =
	"L2TP/IP over IPv4 ignores control messages.",
	[NOTE_CHOICE] =
	"An unbound socket: IPv4 takes the destination for its source where that is local, IPv6 takes a configured address. Both reach it.",
	[NOTE_BPF] =
	"IPv6 does not check the source that a BPF program sets, whether local or not; IPv4 does.",
	[NOTE_TUNNEL] =
	"The end of a tunnel is no socket's address. IPv6 asks that ip6gre and ip6tnl have a configured one, and does not ask anything of vxlan.",
	[NOTE_RAW] =
	"Before Linux 5.17 IPv4's raw sockets know neither IP_FREEBIND nor its like.",
	[NOTE_MERGED] =
	"Until a network namespace has its first IPv4 policy rule (a VRF brings some), IPv4's tables local and main are one: local routes in main count, and other routes in main carve out. IPv6's tables are always apart, and a packet asks table local first.",
	[NOTE_BLACKHOLE] =
	"Of several routes with the same prefix and metric IPv4 takes the first. IPv6 takes one with a blackhole nexthop object before all others.",
	[NOTE_SILENT] =
	"A host that does not forward: IPv4 is silent about a packet that is not for it, or not by table local. IPv6 reports the error, from a configured address unless the rule calls the address local.",
	[NOTE_ROUTE] =
	"IPv4 takes a source that is local in the table of the route or in table local; IPv6 asks the domain of the route's device. IPv4's answers then arrive in the other domain.",
	[NOTE_GONE] =
	"In both, a route keeps its source when the source is no longer local. IPv4 then refuses to send from it. IPv6 sends, and the answers do not arrive.",
	[NOTE_WIREGUARD] =
	"IPv4's WireGuard answers from the address that it was asked at only if that is configured.",
};

#define O_BINDS		(O(BIND) | O(BINDX) | O(BINDX_ADD) | O(URING_BIND))
#define O_PKTINFO	(O(PKTINFO) | O(PKTINFO_2292) |			\
			 O(PKTINFO_CONNECTED) | O(PKTINFO_GSO) |	\
			 O(PKTINFO_URING) | O(PKTINFO_MULTICAST))
#define O_ROUTES	(O(ROUTE_SRC) | O(ROUTE_SRC_REPLACE))
#define O_ERRORS	(O(ERROR_PORT) | O(ERROR_PROTOCOL) | O(ERROR_HOPS))
/* IPv6 reports a packet to them. It is silent about a packet to the others. */
#define C_REPORTED	((C_CARVED | C_ELSEWHERE) & ~(C(BLACKHOLE) | C(UNICAST) | \
			 C(NHID_BLACKHOLE) | C(NHID_REJECT) | C(OTHER_NETNS) | C(PEER)))
#define C_NOT_LOCAL	(C_CARVED | C_ELSEWHERE)
#define K_BIND_IN_VRF	(K_ALL & ~(K(SCTP) | K(SCTP_N) | K(L2TP)))
#define K_SCTPS		(K(SCTP) | K(SCTP_N))
#define PLAIN		(BIT(O_NONE) | BIT(O_MARK) | BIT(O_MERGED))
#define MERGED		BIT(O_MERGED)
#define NONLOCAL	(BIT(O_FREEBIND) | BIT(O_TRANSPARENT) | BIT(O_NONLOCAL))
#define FIRST(e)	OUTCOME(S_FIRST, e)

static const struct difference differences[] = {
	{ O_BINDS | O(SERVE) | O(CONNECT), K_ALL, C(MAIN_TABLE), B_DEFAULT, MERGED,
	  0, FIRST(EADDRNOTAVAIL), NOTE_MERGED, ALWAYS },
	{ O_BINDS | O(SERVE) | O(CONNECT), K_ALL, C(MAIN_UNREACHABLE), B_DEFAULT, MERGED,
	  FIRST(EADDRNOTAVAIL), 0, NOTE_MERGED, ALWAYS },
	{ O(PKTINFO), K_PKTINFO & ~K(L2TP), C(MAIN_TABLE), B_PATH, MERGED,
	  0, FIRST(EINVAL), NOTE_MERGED, ALWAYS },
	{ O(PKTINFO), K_PKTINFO & ~(K(L2TP) | K(PING)), C(MAIN_UNREACHABLE), B_PATH,
	  MERGED, FIRST(ENETUNREACH), 0, NOTE_MERGED, ALWAYS },
	{ O(PKTINFO), K(PING), C(MAIN_UNREACHABLE), B_PATH, MERGED, FIRST(ENETUNREACH),
	  OUTCOME(S_RECV, E_OTHER_SOURCE), NOTE_MERGED, ALWAYS },

	{ O_BINDS, K_ALL, C(NHID_BESIDE), B_DEFAULT, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_BLACKHOLE, ALWAYS },
	{ O(BIND), K(L2TP), C(NHID_BESIDE), B_VRF, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_BLACKHOLE, ALWAYS },
	{ O(BIND) | O(BINDX), K_SCTPS, C(NHID_BESIDE), B_VRF, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_BLACKHOLE, NO_SCTP_IN_VRF },
	{ O_PKTINFO, K_PKTINFO & ~K(L2TP), C(NHID_BESIDE), B_DEFAULT, PLAIN,
	  0, FIRST(EINVAL), NOTE_BLACKHOLE, ALWAYS },

	{ O(BIND), K_BIND_IN_VRF, C(LOOPBACK), B(VETH0) | B(DUMMY0), PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_LOOPBACK, ALWAYS },
	{ O(BIND), K_SCTPS, C(LOOPBACK), B(VETH0) | B(DUMMY0), PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_LOOPBACK, SCTP_IN_VRF },

	{ O_BINDS, K_ALL, C(DOWN), B_DEFAULT, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_DOWN, ALWAYS },
	{ O(BIND), K(L2TP), C(DOWN), B_VRF, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_DOWN, ALWAYS },
	{ O(BIND) | O(BINDX), K_SCTPS, C(DOWN), B_VRF, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_DOWN, NO_SCTP_IN_VRF },
	{ O_PKTINFO, K_PKTINFO & ~K(L2TP), C(DOWN), B_DEFAULT, PLAIN,
	  0, FIRST(EINVAL), NOTE_DOWN, ALWAYS },

	{ O(BIND), K(TCP) | K(MPTCP), C(GROUP), B_ALL, PLAIN,
	  0, FIRST(EINVAL), NOTE_MULTICAST, ALWAYS },
	{ O(BIND), K(L2TP), C(GROUP), B_ALL, PLAIN,
	  0, FIRST(EADDRNOTAVAIL), NOTE_MULTICAST, ALWAYS },
	{ O(BIND), K(PING), C(GROUP), B_ALL, PLAIN,
	  FIRST(EADDRNOTAVAIL), FIRST(EINVAL), NOTE_MULTICAST, ALWAYS },

	{ O(BIND), K_SCTPS, C_NOT_LOCAL | C(VRF_ANY), B(NONE), BIT(O_TRANSPARENT),
	  FIRST(EADDRNOTAVAIL), 0, NOTE_TRANSPARENT, ALWAYS },

	{ O(BIND), K(RAW), C_NOT_LOCAL | C(VRF_ANY), B(NONE), NONLOCAL,
	  FIRST(EADDRNOTAVAIL), 0, NOTE_RAW, NO_RAW_FREEBIND },
	{ O(BIND), K(RAW), C_FEW, B(VRF0), NONLOCAL,
	  FIRST(EADDRNOTAVAIL), 0, NOTE_RAW, NO_RAW_FREEBIND },

	{ O(SERVE), K(TCP), C(VRF_ANY), B_VRF, PLAIN,
	  OUTCOME(S_CONNECT, E_LOST), 0, NOTE_VRF, ALWAYS },
	{ O(SERVE), K_ALL, C(VRF_ANY), B_VRF, PLAIN,
	  OUTCOME(S_SEND, ENETUNREACH), 0, NOTE_VRF, ALWAYS },
	{ O(CONNECT), K_ALL, C(VRF_ANY), B_VRF, PLAIN,
	  OUTCOME(S_CONNECT, ENETUNREACH), 0, NOTE_VRF, ALWAYS },

	/* IPv4 L2TP and IPv6 ping ignore PKTINFO, so these entries come first */
	{ O_PKTINFO, K(L2TP), C_ANYIP | C(ANY_AND_HOST) | C(RULE_UNREACHABLE),
	  B_PATH, PLAIN, OUTCOME(S_RECV, E_OTHER_SOURCE), 0, NOTE_L2TP, ALWAYS },
	{ O_PKTINFO, K(L2TP), C_NOT_LOCAL | C(NHID_BESIDE) | C_VRF | C(DOWN), B_PATH, PLAIN,
	  OUTCOME(S_RECV, E_OTHER_SOURCE), FIRST(EINVAL), NOTE_L2TP, ALWAYS },
	{ O_PKTINFO, K(L2TP), C(VRF_ANY), B_VRF, PLAIN,
	  OUTCOME(S_RECV, E_OTHER_SOURCE), 0, NOTE_L2TP, ALWAYS },
	{ O_PKTINFO, K(L2TP), C(HOST) | C(ANY) | C(OUTSIDE) | C(VRF_HOLE),
	  B_VRF, PLAIN, OUTCOME(S_RECV, E_OTHER_SOURCE), FIRST(EINVAL),
	  NOTE_L2TP, ALWAYS },
	{ O_PKTINFO, K(PING), C_ANYIP | C(ANY_AND_HOST) | C(RULE_UNREACHABLE),
	  B_PATH, ANY_OPTION, 0, OUTCOME(S_RECV, E_OTHER_SOURCE), NOTE_PING, ALWAYS },
	{ O_PKTINFO, K(PING), C(VRF_ANY), B_VRF, PLAIN,
	  FIRST(ENETUNREACH), OUTCOME(S_RECV, E_OTHER_SOURCE), NOTE_PING, ALWAYS },
	{ O_PKTINFO, K(PING), C_NOT_LOCAL, B(NONE), BIT(O_TRANSPARENT),
	  0, OUTCOME(S_RECV, E_OTHER_SOURCE), NOTE_PING, ALWAYS },
	{ O_PKTINFO, K(PING), C_NOT_LOCAL, B(NONE),
	  BIT(O_FREEBIND) | BIT(O_NONLOCAL), FIRST(ENETUNREACH),
	  OUTCOME(S_RECV, E_OTHER_SOURCE), NOTE_PING, ALWAYS },

	{ O_PKTINFO, K_PKTINFO, C_NOT_LOCAL | C(VRF_ANY) | C(VRF_HOLE),
	  B_DEFAULT, PLAIN, FIRST(ENETUNREACH), FIRST(EINVAL), NOTE_ERRNO, ALWAYS },
	{ O_PKTINFO, K_PKTINFO, C_NOT_LOCAL | C(VRF_HOLE), B_VRF, PLAIN,
	  FIRST(ENETUNREACH), FIRST(EINVAL), NOTE_ERRNO, ALWAYS },
	{ O_PKTINFO, K_PKTINFO, C(VRF_PORT), B_DEFAULT, PLAIN,
	  0, FIRST(EINVAL), NOTE_VRF, ALWAYS },
	{ O_PKTINFO, K_PKTINFO, C(HOST) | C(ANY), B_VRF, PLAIN,
	  0, FIRST(EINVAL), NOTE_VRF, ALWAYS },
	{ O_PKTINFO, K_PKTINFO, C(VRF_ANY), B_VRF, PLAIN,
	  FIRST(ENETUNREACH), 0, NOTE_VRF, ALWAYS },
	{ O_PKTINFO, K_PKTINFO, C_NOT_LOCAL, B(NONE),
	  BIT(O_FREEBIND) | BIT(O_NONLOCAL), FIRST(ENETUNREACH), 0,
	  NOTE_NONLOCAL, ALWAYS },

	{ O_ERRORS, K_ALL, C(RULE_UNREACHABLE), B(NONE), PLAIN,
	  FIRST(E_LOST), 0, NOTE_SILENT, ALWAYS },
	{ O_ERRORS, K_ALL, C_REPORTED, B(NONE), PLAIN,
	  FIRST(E_LOST), FIRST(E_OTHER_SOURCE), NOTE_SILENT, ALWAYS },
	{ O_ERRORS, K_ALL, C(VRF_HOLE), B_VRF, PLAIN,
	  FIRST(E_LOST), FIRST(E_OTHER_SOURCE), NOTE_SILENT, ALWAYS },
	{ O_ERRORS, K_ALL, C(VRF_ANY), B_VRF, PLAIN,
	  FIRST(E_LOST), 0, NOTE_VRF, ALWAYS },
	{ O_ERRORS, K_ALL, C(DOWN), B(NONE), PLAIN,
	  0, FIRST(E_OTHER_SOURCE), NOTE_DOWN, ALWAYS },
	{ O_ERRORS, K_ALL, C(NHID_BESIDE), B(NONE), PLAIN,
	  0, FIRST(E_LOST), NOTE_BLACKHOLE, ALWAYS },

	{ O_ROUTES, K_ALL, C(NHID_BESIDE), B(NONE), PLAIN,
	  0, FIRST(EINVAL), NOTE_BLACKHOLE, ALWAYS },
	{ O_ROUTES, K_ALL, C(DOWN), B(NONE), PLAIN,
	  0, FIRST(EINVAL), NOTE_DOWN, ALWAYS },
	{ O_ROUTES, K(TCP), C(HOST) | C(ANY), B_VRF, PLAIN,
	  OUTCOME(S_CONNECT, E_LOST), FIRST(EINVAL), NOTE_ROUTE, ALWAYS },
	{ O_ROUTES, K_ALL, C(HOST) | C(ANY), B_VRF, PLAIN,
	  OUTCOME(S_RECV, E_LOST), FIRST(EINVAL), NOTE_ROUTE, ALWAYS },
	{ O_ROUTES, K_ALL, C(VRF_ANY), B_VRF, PLAIN,
	  OUTCOME(S_CONNECT, ENETUNREACH), 0, NOTE_VRF, ALWAYS },
	{ O(ROUTE_SRC_GONE), K(TCP), C(ANY) | C(VRF_ANY), B_ALL, PLAIN,
	  OUTCOME(S_CONNECT, ENETUNREACH), OUTCOME(S_CONNECT, E_LOST), NOTE_GONE, ALWAYS },
	{ O(ROUTE_SRC_GONE), K_ALL, C(ANY) | C(VRF_ANY), B_ALL, PLAIN,
	  OUTCOME(S_CONNECT, ENETUNREACH), OUTCOME(S_RECV, E_LOST), NOTE_GONE, ALWAYS },

	{ O(WG) | O(WG_FIREWALL), K(TUNNEL), C_ANYIP, B(NONE), PLAIN,
	  FIRST(E_OTHER_SOURCE), 0, NOTE_WIREGUARD, ALWAYS },

	{ O(TO_SELF), K_ALL, C_ANYIP, B(NONE), PLAIN,
	  0, OUTCOME(S_CONNECT, E_OTHER_SOURCE), NOTE_CHOICE, ALWAYS },
	{ O(BPF_SENDMSG), K_ALL, C_NOT_LOCAL, B(NONE), PLAIN,
	  FIRST(ENETUNREACH), 0, NOTE_BPF, ALWAYS },
	{ O(GRE), K(TUNNEL), C_ANYIP, B(NONE), PLAIN,
	  0, FIRST(E_LOST), NOTE_TUNNEL, ALWAYS },
	{ O(VXLAN), K(TUNNEL), C_NOT_LOCAL, B(NONE), PLAIN,
	  FIRST(E_LOST), 0, NOTE_TUNNEL, ALWAYS },
};

/* Addresses without an IPv4 counterpart. */
static const struct alone {
	__u64 ops, classes, bindings;
	enum { YES, NO, INVALID } answer;
} alone[] = {
	{ ANY_OP, C(TENTATIVE) | C(DADFAILED), B_ALL, NO },
	/* Never the source of an IPv6 packet, even if a route covers it. */
	{ ANY_OP, C(GROUP_ROUTED) | C(MAPPED_ROUTED), B_ALL, NO },
	{ ANY_OP, C(MULTIPATH), B_ALL, YES },
	{ ANY_OP, C(PREF_WON) | C(FROM_ANY), B_ALL, YES },
	/* Routes with a source hide the routes of their prefix without one. */
	{ ANY_OP, C(PREF_LOST) | C(FROM_OTHER) | C(FROM_BESIDE), B_ALL, NO },
	{ ANY_OP, C(LL_HOST) | C(LL_ANY), B(VETH0), YES },
	{ ANY_OP, C(LL_HOST) | C(LL_ANY), B(DUMMY0), NO },
	/* A message gets its scope from its destination. */
	{ O(PKTINFO), C(LL_HOST) | C(LL_ANY), B(NONE), YES },
	{ ANY_OP, C(LL_OUTSIDE), B_ALL & ~B(NONE), NO },
	{ ANY_OP, C_ALONE, B(NONE), INVALID },
};

/* Cases */

struct parity_case *cases;
size_t n_cases;

/* Runs one case to find out how this kernel behaves. Returns the outcome. */
static int asked(const struct tuple *t, int family)
{
	const struct run r = { .t = t, .family = family, .port = 1999 };

	return kind_exists(t->kind) ? sock_run(&r) : OUTCOME(S_FIRST, ENOPROTOOPT);
}

static bool sctp_in_vrf(void)
{
	static const struct tuple t = {
		.kind = K_SCTP, .op = OP_BIND, .class = C_VRF_ANY,
		.binding = B_VRF0,
	};

	return !asked(&t, AF_INET);
}

static bool raw_freebind(void)
{
	static const struct tuple t = {
		.kind = K_RAW, .op = OP_BIND, .class = C_OUTSIDE,
		.binding = B_NONE, .option = O_FREEBIND,
	};

	return !asked(&t, AF_INET);
}

/* Before 5.18, ICMPv6 sockets do not read control messages. */
static bool ping_pktinfo(void)
{
	static const struct tuple t = {
		.kind = K_PING, .op = OP_PKTINFO, .class = C_OUTSIDE,
		.binding = B_NONE,
	};

	return asked(&t, AF_INET6) == OUTCOME(S_FIRST, EINVAL);
}

/* Call find_out() once. Its answer never changes. */
static bool known(int *answer, bool (*find_out)(void))
{
	if (*answer < 0)
		*answer = find_out();
	return *answer;
}

static bool holds(enum condition when)
{
	static int in_vrf = -1, freebind = -1;

	switch (when) {
	case SCTP_IN_VRF:
		return known(&in_vrf, sctp_in_vrf);
	case NO_SCTP_IN_VRF:
		return !known(&in_vrf, sctp_in_vrf);
	case NO_RAW_FREEBIND:
		return !known(&freebind, raw_freebind);
	default:
		return true;
	}
}

/* Returns what this kernel lacks, in words, or NULL. */
const char *is_missing(const struct tuple *t)
{
	static int pktinfo = -1, subflows = -1;

	if (t->kind != K_TUNNEL && !kind_exists(t->kind))
		return kind_names[t->kind];
	if ((t->op == OP_URING_BIND || t->op == OP_PKTINFO_URING) && !uring_can(t->op))
		return ops[t->op].text;
	if (t->op == OP_SUBFLOW && !known(&subflows, kernel_shows_subflows))
		return "MPTCP_SUBFLOW_ADDRS";
	if (t->kind == K_PING && in(O_PKTINFO, t->op) &&
	    !known(&pktinfo, ping_pktinfo))
		return "PKTINFO on ping sockets";
	return NULL;
}

static const struct difference *find_difference(const struct tuple *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++)
		if (in(differences[i].ops, t->op) &&
		    in(differences[i].kinds, t->kind) &&
		    in(differences[i].classes, t->class) &&
		    in(differences[i].bindings, t->binding) &&
		    in(differences[i].options, t->option) &&
		    holds(differences[i].when))
			return &differences[i];
	return NULL;
}

static void case_add(const struct tuple *t)
{
	if (!(n_cases & (n_cases + 1)) || !cases)
		cases = realloc(cases, 2 * (n_cases + 1) * sizeof(*cases));
	if (!cases)
		die("out of memory");
	cases[n_cases++] = (struct parity_case) {
		.t = *t, .diff = find_difference(t), .v4 = UNKNOWN,
	};
}

static void generate_options(__u64 options, struct tuple *t)
{
	for (t->option = 0; t->option < NR_OPTIONS; t->option++)
		if (in(options, t->option))
			case_add(t);
}

static void generate_one(const struct family_of_cases *g, struct tuple *t)
{
	for (t->class = 0; t->class < NR_CLASSES; t->class++)
		for (t->binding = 0; t->binding < NR_BINDINGS; t->binding++)
			if (in(g->classes, t->class) && in(g->bindings, t->binding))
				generate_options(g->options, t);
}

/* Ordered by operation, then by kind. Each pair is a line of the result. */
void generate(void)
{
	struct tuple t;

	for (t.op = 0; t.op < NR_OPS; t.op++)
		for (t.kind = 0; t.kind < NR_KINDS; t.kind++)
			for (size_t i = 0; i < ARRAY_SIZE(generators); i++)
				if (in(generators[i].ops, t.op) &&
				    in(generators[i].kinds, t.kind))
					generate_one(&generators[i], &t);
}

/* Returns a listed difference that no case uses any more, or NULL. */
const struct difference *unused_difference(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		size_t j = 0;

		while (j < n_cases && cases[j].diff != &differences[i])
			j++;
		if (j == n_cases && holds(differences[i].when))
			return &differences[i];
	}
	return NULL;
}

/* Expectations */

static int expect_alone(const struct tuple *t)
{
	size_t i = 0;

	while (!in(alone[i].ops, t->op) || !in(alone[i].classes, t->class) ||
	       !in(alone[i].bindings, t->binding))
		i++;
	if (alone[i].answer == YES)
		return 0;
	if (alone[i].answer == NO)
		return OUTCOME(S_FIRST, ops[t->op].refused);
	return OUTCOME(S_FIRST, EINVAL);
}

/* With the rule, IPv6 gives IPv4's result, except for a listed difference. */
int expect_on(const struct parity_case *c)
{
	if (is_alone(&c->t))
		return expect_alone(&c->t);
	return c->diff ? c->diff->v6 : c->v4;
}

/*
 * What the rule changes. Without it, IP_FREEBIND and the like work, but not for
 * L2TP.
 */
static bool stock_refuses(const struct tuple *t)
{
	const __u64 rule = C_ANYIP | C(RULE_UNREACHABLE) | C(VRF_ANY) |
		C(MULTIPATH) | C(PREF_WON) | C(FROM_ANY) | C(LL_ANY);

	return in(rule, t->class) && ops[t->op].refused &&
		(t->kind == K_L2TP || !in(NONLOCAL, t->option));
}

int expect_stock(const struct parity_case *c)
{
	int on = expect_on(c);
	int refused = OUTCOME(S_FIRST, ops[c->t.op].refused);
	bool yes = !on || OUTCOME_STAGE(on) != S_FIRST;

	return yes && stock_refuses(&c->t) ? refused : on;
}

/* Does the kernel know the socket's VRF? Not every kind of socket tells it. */
static bool asks_vrf(const struct tuple *t)
{
	if (!in(B_VRF, t->binding))
		return false;
	if (t->kind == K_L2TP)
		return in(O_PKTINFO, t->op);
	return !in(K_SCTPS, t->kind) || holds(SCTP_IN_VRF);
}

/*
 * Returns the table that decides. IPv6 must let the socket have the address
 * exactly if the kernel's own lookup finds a local route in that table. Returns
 * 0 if something else decides: the address is configured there, or not unicast,
 * or link-local, or the socket may have any address.
 */
unsigned int table_asked(const struct tuple *t)
{
	const __u64 asking = O_BINDS | O(SERVE) | O(SERVE_GROUP) | O(SERVE_TFO) |
		O(SERVE_STEERED) | O(CONNECT) | O(CONNECT_LATE) | O(CONNECT_TFO) |
		O(MULTICAST_BOUND) | O(BPF_BIND) | O_PKTINFO | O_ERRORS |
		O_ROUTES | O(WG) | O(WG_FIREWALL);
	const bool vrf = asks_vrf(t);
	const __u64 configured = vrf ? C(VRF_PORT) :
		C(HOST) | C(ANY_AND_HOST);

	if (!in(asking, t->op) || in(NONLOCAL, t->option) ||
	    in(configured, t->class) ||
	    !in(C_PAIRED | C(MULTIPATH) | C_PREFERRED, t->class))
		return 0;
	return vrf ? VRF_TABLE : RT_TABLE_LOCAL;
}
