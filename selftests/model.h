/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel and anyip6 are to answer, as a program that one can read
 * beside the README's "How it decides". For fuzz.c.
 *
 * The universe is small, so that everything often meets everything else. Each
 * namespace has the devices lo, d0, d1 and vrf0, of which d1 is a port now and
 * then. d0 and d1 do duplicate address detection that never ends.
 */
#ifndef ANYIP6_MODEL_H
#define ANYIP6_MODEL_H

#include <netinet/in.h>
#include <stdbool.h>

#define NR_NETS		3
#define NR_METRICS	3

enum model_dev { DEV_NONE, DEV_LO, DEV_D0, DEV_D1, DEV_VRF, NR_DEVS };

enum model_table { TABLE_LOCAL, TABLE_MAIN, TABLE_100, TABLE_VRF, NR_TABLES };

enum model_type {
	TYPE_NONE,	/* no such route */
	TYPE_LOCAL,
	TYPE_UNICAST,
	TYPE_ANYCAST,
	TYPE_UNREACHABLE,	/* from here on with no device, which means lo */
	TYPE_BLACKHOLE,
	TYPE_PROHIBIT,
	TYPE_THROW,
	NR_TYPES,
};

enum model_state {
	STATE_NONE,	/* not configured there */
	STATE_USABLE,
	STATE_OPTIMISTIC,
	STATE_TENTATIVE,
	NR_STATES,
};

enum model_sock { SOCK_TCP, SOCK_UDP, SOCK_RAW6, SOCK_PING, SOCK_SCTP, NR_SOCKS };

/* Those up to the last that IPv4 has too come first. */
#define MODEL_ADDRS(X)							\
	X(NET,		"2001:db8:a::",		"198.51.100.0")		\
	X(ONE,		"2001:db8:a::1",	"198.51.100.1")		\
	X(TWO,		"2001:db8:a::2",	"198.51.100.2")		\
	X(THREE,	"2001:db8:a::3",	"198.51.100.3")		\
	X(HIGH,		"2001:db8:a:0:8000::1",	"198.51.100.129")	\
	X(NEXT,		"2001:db8:a:1::1",	"198.51.101.1")		\
	X(FAR,		"2001:db8:b::1",	"198.52.0.1")		\
	X(OTHER,	"3fff::1",		"203.0.113.1")		\
	X(LINK_ONE,	"fe80::1",		NULL)			\
	X(LINK_TWO,	"fe80::2",		NULL)			\
	X(LINK_OTHER,	"fe80:0:0:1::1",	NULL)			\
	X(LOOP,		"::1",			NULL)			\
	X(MULTICAST,	"ff0e::1",		NULL)

enum model_addr {
#define X(name, v6, v4) MADDR_##name,
	MODEL_ADDRS(X)
#undef X
	NR_MADDRS,
};

#define MODEL_PREFIXES(X)						\
	X(ALL,		"::", 0,		"0.0.0.0", 0)		\
	X(GLOBAL,	"2000::", 3,		"192.0.0.0", 3)		\
	X(DOC,		"2001:db8::", 32,	"198.0.0.0", 8)		\
	X(SITE,		"2001:db8:a::", 48,	"198.51.0.0", 16)	\
	X(SUBNET,	"2001:db8:a::", 64,	"198.51.100.0", 24)	\
	X(UPPER,	"2001:db8:a:0:8000::", 65, "198.51.100.128", 25) \
	X(FOUR,		"2001:db8:a::", 126,	"198.51.100.0", 30)	\
	X(PAIR,		"2001:db8:a::2", 127,	"198.51.100.2", 31)	\
	X(HOST_ONE,	"2001:db8:a::1", 128,	"198.51.100.1", 32)	\
	X(HOST_TWO,	"2001:db8:a::2", 128,	"198.51.100.2", 32)	\
	X(HOST_OTHER,	"3fff::1", 128,		"203.0.113.1", 32)	\
	X(LINK,		"fe80::", 10,		NULL, 0)		\
	X(LINK_NET,	"fe80::", 64,		NULL, 0)		\
	X(LINK_HOST,	"fe80::1", 128,		NULL, 0)

enum model_prefix {
#define X(name, v6, len6, v4, len4) PREFIX_##name,
	MODEL_PREFIXES(X)
#undef X
	NR_PREFIXES,
};

/* In network order, as sockets and rtnetlink want it; an IPv4 one may lack. */
struct model_bytes {
	unsigned char v6[16], v4[4];
	unsigned char len6, len4;	/* of a prefix */
	bool has_v4;
};

extern struct model_bytes model_addrs[NR_MADDRS], model_prefixes[NR_PREFIXES];

enum op_type {
	OP_ROUTE_ADD, OP_ROUTE_DEL, OP_ADDR_ADD, OP_ADDR_DAD, OP_ADDR_DEL,
	OP_LINK, OP_PORT, OP_RULE_ADD, OP_RULE_DEL, OP_TOGGLE, OP_NONLOCAL,
	OP_NETNS,
	/* from here on nothing changes */
	OP_BIND, OP_BIND_SCTP, OP_BIND4, OP_PKTINFO, OP_PREFSRC,
	NR_OPS,
};

/* Everything about an operation; what its kind does not use is 0. */
struct op {
	unsigned char type;	/* op_type */
	unsigned char net;
	unsigned char dev;	/* of the route or address, or bound to; 0: none */
	unsigned char scope;	/* sin6_scope_id or ipi6_ifindex; 0: none */
	unsigned char addr, state;
	unsigned char prefix, table, metric, route;
	unsigned char sock, freebind;
	unsigned char value;	/* to write, as number; link, port: 1 is up, in */
};

/* What decided. The names are printed, and fuzz.sh wants to see each. */
#define MODEL_STEPS(X)							\
	X(ASKED_NOTHING, "no-check")	/* freebind, or it ended earlier */ \
	X(STOCK,	"configured")					\
	X(ABSENT,	"module-absent")				\
	X(OFF,		"toggle-off")					\
	X(NOT_UNICAST,	"not-unicast")					\
	X(CONFIGURED,	"configured-but-refused")			\
	X(NO_ROUTE,	"no-route")					\
	X(CARVED_OUT,	"carved-out")					\
	X(WRONG_DEVICE,	"wrong-device")					\
	X(ALLOWED,	"allowed")

enum model_step {
#define X(name, text) STEP_##name,
	MODEL_STEPS(X)
#undef X
	NR_STEPS,
};

struct model_route {
	unsigned char type, dev;
};

struct model_net {
	bool toggle, nonlocal, rule, port, up[NR_DEVS];
	unsigned char addr[NR_DEVS][NR_MADDRS];	/* model_state */
	struct model_route route[NR_TABLES][NR_PREFIXES][NR_METRICS];
};

struct model {
	bool loaded;
	bool strict;		/* as ../patches: link-local asks only routes of the device */
	bool wrong;		/* on purpose: does not see prohibit routes */
	enum model_step step;	/* of the last answer */
	struct model_net net[NR_NETS];
};

#define MODEL_UNJUDGED	1

extern struct model model;

void model_init(void);
void model_reset(void);
int model_answer(const struct op *op);

#endif
