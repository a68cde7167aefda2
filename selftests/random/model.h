/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The answers that the kernel and anyip6 must give. Read this program next to
 * docs/how-it-works.md. For fuzz.c.
 *
 * The universe is small, so that its parts often meet. Each namespace has the
 * devices lo, d0, d1 and vrf0. d1 is a port of vrf0 at times. Duplicate address
 * detection on d0 and d1 never ends.
 */
#ifndef ANYIP6_MODEL_H
#define ANYIP6_MODEL_H

#include <netinet/in.h>
#include <stdbool.h>

#include "decision.h"

#define NR_NETS		3
#define NR_METRICS	3
#define MAX_ROUTES	1024	/* of a namespace */

enum model_dev { DEV_NONE, DEV_LO, DEV_D0, DEV_D1, DEV_VRF, NR_DEVS };

enum model_table { TABLE_LOCAL, TABLE_MAIN, TABLE_100, TABLE_VRF, NR_TABLES };

enum model_type {
	TYPE_NONE,	/* no such route */
	TYPE_LOCAL,
	TYPE_UNICAST,
	TYPE_ANYCAST,
	TYPE_UNREACHABLE,	/* this and the next types have no device, which means lo */
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

/* Addresses with an IPv4 counterpart come first. */
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

/* In network order, as sockets and rtnetlink need it. The IPv4 address is optional. */
struct model_bytes {
	unsigned char v6[16], v4[4];
	unsigned char len6, len4;	/* of a prefix */
	bool has_v4;
};

extern struct model_bytes model_addrs[NR_MADDRS], model_prefixes[NR_PREFIXES];

enum model_via { VIA_DEV, VIA_GATEWAY, VIA_MULTIPATH, VIA_OBJECT, NR_VIAS };

/* NLM_F_EXCL, none, NLM_F_APPEND, NLM_F_REPLACE */
enum model_how { HOW_ADD, HOW_PREPEND, HOW_APPEND, HOW_REPLACE, NR_HOWS };

enum model_from { FROM_NONE, FROM_HALF, FROM_DOC, NR_FROMS };

enum model_pref { PREF_MEDIUM, PREF_LOW, PREF_HIGH, NR_PREFS };

enum model_expires { EXPIRES_NEVER, EXPIRES_LATER, EXPIRES_NOW, NR_EXPIRES };

enum model_object { OBJECT_DEV, OBJECT_GATEWAY, OBJECT_BLACKHOLE, NR_OBJECTS };

enum op_type {
	OP_ROUTE, OP_ROUTE_DEL, OP_NEXTHOP, OP_GROUP, OP_NEXTHOP_DEL,
	OP_ADDR_ADD, OP_ADDR_DAD, OP_ADDR_DEL,
	OP_LINK, OP_PORT, OP_DORMANT, OP_LINKDOWN, OP_RULE_ADD, OP_RULE_DEL,
	OP_TOGGLE, OP_NONLOCAL, OP_NETNS,
	/* the operations from here on change nothing */
	OP_BIND, OP_BIND_SCTP, OP_BIND4, OP_PKTINFO, OP_PREFSRC,
	NR_OPS,
};

/* Everything about an operation. Members that its type does not use are 0. */
struct op {
	unsigned char type;	/* op_type */
	unsigned char net;
	unsigned char dev;	/* of the route or address, or bound to; 0: none */
	unsigned char scope;	/* sin6_scope_id or ipi6_ifindex; 0: none */
	unsigned char addr, state;
	unsigned char prefix, table, metric, route;
	unsigned char via, how, from, pref, expires;
	unsigned char nexthop, object;	/* an object's id and its kind, */
	unsigned char first, second;	/* or the members if it is a group; 0: none */
	unsigned char sock, freebind;
	unsigned char value;	/* the number to write; link: 1 is up; port: 1 is in the VRF */
};

/* What else decides, besides the rule's steps. fuzz.sh must see each of them. */
#define MODEL_STEPS(X)							\
	X(ASKED_NOTHING, "no-check")	/* freebind, or it ended earlier */	\
	X(STOCK,	"kernel-says-yes")				\
	X(ABSENT,	"module-absent")				\
	X(UNSURE,	"kernel-alone")	/* see model.c */

enum model_step {
#define STEP(name, counter, word) STEP_##name,
	ANYIP6_STEPS(STEP, STEP)
#undef STEP
#define X(name, text) STEP_##name,
	MODEL_STEPS(X)
#undef X
	NR_MODEL_STEPS,
};

/* Properties of routes that decided or were skipped. fuzz.sh must see each of them. */
#define MODEL_KINDS(X)							\
	X(SAME_METRIC,	"same-metric")	/* same metric as another to that prefix */ \
	X(HIGHER_METRIC, "higher-metric") /* none of the lowest metric is usable */ \
	X(PREF_LOW,	"pref-low")					\
	X(PREF_HIGH,	"pref-high")					\
	X(GATEWAY,	"gateway")					\
	X(MULTIPATH,	"multipath")					\
	X(OBJECT,	"nexthop-object")				\
	X(GROUP,	"nexthop-group")				\
	X(BLACKHOLE,	"nexthop-blackhole")				\
	X(FROM,		"from")						\
	X(EXPIRES,	"expires")					\
	X(EXPIRED,	"expired-passed")				\
	X(LINKDOWN,	"linkdown-passed")				\
	X(FROM_PASSED,	"from-passed")	/* with all routes to that prefix */

enum model_kind {
#define X(name, text) KIND_##name,
	MODEL_KINDS(X)
#undef X
	NR_KINDS,
};

#define KIND(name)	(1U << KIND_##name)

/* A route as a dump shows it. */
struct model_route {
	unsigned char table, type, dst[16], len, src[16], src_len;
	unsigned char pref;	/* larger is better */
	unsigned char devs;	/* a bit for each device that can be used */
	bool own;		/* not the kernel's */
	bool plain;		/* IPv4 can have such a route */
	unsigned int metric;
	unsigned int kinds;	/* of the route itself */
};

struct model_net {
	bool toggle, nonlocal, rule, port, up[NR_DEVS];
	unsigned char addr[NR_DEVS][NR_MADDRS];	/* model_state */
	unsigned int nr_routes;
	struct model_route route[MAX_ROUTES];
};

struct model {
	bool loaded;
	bool strict;		/* as ../../patches: link-local uses only the device's routes */
	bool wrong;		/* on purpose: ignores plain prohibit routes */
	/* About the last answer: */
	enum model_step step;
	enum model_dev dev;	/* the device that was asked for */
	bool other_device;	/* routes of another device decide */
	unsigned int kinds;	/* what was seen on the way */
	struct model_net net[NR_NETS];
};

#define MODEL_UNJUDGED	1

extern struct model model;

void model_init(void);
void model_reset(void);
int model_answer(const struct op *op);
bool model_asked_table(void);
bool model_is_link_local(int addr);
int model_domain(const struct model_net *n, int dev);
bool model_same_bits(const unsigned char *a, const unsigned char *b, int bits);

#endif
