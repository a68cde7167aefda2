/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world of the tests: namespaces, devices, addresses and routes. They have
 * no names, so they go when the program ends.
 *
 *    host                                    peer
 *    lo      Any-IP prefixes                 lo     Any-IP of another netns
 *    dummy0  Any-IP prefix
 *    veth0   2001:db8:1::1  192.0.2.1 ------ veth0  2001:db8:1::2  192.0.2.2
 *    vrf0    table 10, its port:
 *    veth1   2001:db8:2::1  192.0.3.1 ------ veth1  2001:db8:2::2  192.0.3.2
 *    dummy1  Any-IP prefix, then set down (WORLD_MATRIX)
 */
#ifndef ANYIP6_WORLD_H
#define ANYIP6_WORLD_H

#include "sys.h"

#define VRF_TABLE	10

/* All addresses that sockets ask for, each with its IPv4 counterpart. */
#define ADDRS(X)							\
	/* what an operator configures: Any-IP on lo and on another device */ \
	X(ANY,			"2001:db8:a::1",	"198.18.0.1")	\
	X(ANY2,			"2001:db8:a::2",	"198.18.0.2")	\
	X(DUMMY,		"2001:db8:d::1",	"198.18.13.1")	\
	/* Any-IP inside the prefix of veth0 */				\
	X(ON_LINK,		"2001:db8:1:0:a::1",	"192.0.2.17")	\
	X(HOST,			"2001:db8:1::1",	"192.0.2.1")	\
	X(PEER,			"2001:db8:1::2",	"192.0.2.2")	\
	X(OUTSIDE,		"2001:db8:99::1",	"198.18.99.1")	\
	X(LOOPBACK,		"::1",			"127.0.0.1")	\
	X(WILDCARD,		"::",			"0.0.0.0")	\
	X(MULTICAST,		"ff02::1",		"224.0.0.1")	\
	/* more specific routes of another type, inside the prefix */	\
	X(UNREACHABLE,		"2001:db8:a:0:1::1",	"198.18.0.17")	\
	X(BLACKHOLE,		"2001:db8:a:0:2::1",	"198.18.0.33")	\
	X(PROHIBIT,		"2001:db8:a:0:3::1",	"198.18.0.49")	\
	X(THROW,		"2001:db8:a:0:4::1",	"198.18.0.65")	\
	X(UNICAST,		"2001:db8:a:0:5::1",	"198.18.0.81")	\
	X(ANYCAST,		"2001:db8:a:0:6::1",	"198.18.0.97")	\
	X(MAIN_UNREACHABLE,	"2001:db8:a:0:8::1",	"198.18.0.129")	\
	X(RULE_UNREACHABLE,	"2001:db8:a:0:9::1",	"198.18.0.145")	\
	X(HOLE,			"2001:db8:c::2",	"198.18.12.2")	\
	X(IN_HOLE,		"2001:db8:c::1",	"198.18.12.1")	\
	/* local routes outside the table that the rule reads */	\
	X(FWMARK_TABLE,		"2001:db8:100::1",	"198.18.100.1")	\
	X(RULE_TABLE,		"2001:db8:101::1",	"198.18.101.1")	\
	X(MAIN_TABLE,		"2001:db8:b::1",	"198.18.11.1")	\
	X(OTHER_NETNS,		"2001:db8:e::1",	"198.19.14.1")	\
	X(VRF_ANY,		"2001:db8:f::1",	"198.19.15.1")	\
	X(VRF_HOLE,		"2001:db8:f:0:1::1",	"198.19.15.17")	\
	X(VRF_PORT,		"2001:db8:2::1",	"192.0.3.1")	\
	X(VRF_PEER,		"2001:db8:2::2",	"192.0.3.2")	\
	X(ANY_AND_VRF_PORT,	"2001:db8:a:0:a::1",	"198.18.0.161")	\
	/* configured, and also covered by the prefix */		\
	X(ANY_AND_HOST,		"2001:db8:a:0:b::1",	"198.18.0.177")	\
	X(TENTATIVE,		"2001:db8:a:0:7::1",	NULL)		\
	X(DADFAILED,		"2001:db8:a:0:7::2",	NULL)		\
	X(OPTIMISTIC,		"2001:db8:a:0:7::3",	NULL)		\
	/* link-local: a route on veth0, one on lo, configured on veth0 */ \
	X(LL_ANY,		"fe80::1234",		NULL)		\
	X(LL_TWO,		"fe80::2345",		NULL)		\
	X(LL_LO,		"fe80:0:0:1::1",	NULL)		\
	X(LL_VRF,		"fe80::4321",		NULL)		\
	X(LL_HOST,		"fe80::1",		NULL)		\
	X(LL_OUTSIDE,		"fe80::99",		NULL)		\
	/* next to an IPv4 socket that asks for the same address */	\
	X(MAPPED_ANY,		"::ffff:198.18.0.1",	"198.18.0.1")	\
	X(MAPPED_HOST,		"::ffff:192.0.2.1",	"192.0.2.1")	\
	X(MAPPED_OUTSIDE,	"::ffff:198.18.99.1",	"198.18.99.1")	\
	/* no route at first: for tests that add one */			\
	X(FREE,			"2001:db8:20::1",	"198.18.32.1")	\
	/* from here on only with WORLD_MATRIX: more routes to one prefix */	\
	X(VETH,			"2001:db8:14::1",	"198.18.14.1")	\
	X(DOWN,			"2001:db8:18::1",	"198.18.18.1")	\
	X(TWO_DEVS,		"2001:db8:1a::1",	"198.18.26.1")	\
	X(METRIC_WON,		"2001:db8:1b::1",	"198.18.27.1")	\
	X(METRIC_LOST,		"2001:db8:1d::1",	"198.18.29.1")	\
	X(ORDER_WON,		"2001:db8:1c::1",	"198.18.28.1")	\
	X(ORDER_LOST,		"2001:db8:1e::1",	"198.18.30.1")	\
	X(NHID,			"2001:db8:15::1",	"198.18.15.1")	\
	X(NHID_BLACKHOLE,	"2001:db8:16::1",	"198.18.16.1")	\
	X(NHID_REJECT,		"2001:db8:a:0:c::1",	"198.18.0.193")	\
	X(NHID_BESIDE,		"2001:db8:1f::1",	"198.18.31.1")	\
	X(GROUP,		"ff05::4242",		"239.0.66.66")	\
	X(FAR,			"2001:db8:d0::1",	"198.51.100.1")	\
	/* IPv4 has no counterpart */					\
	X(GROUP_ROUTED,		"ff05::4244",		NULL)		\
	X(MAPPED_ROUTED,	"::ffff:203.0.113.9",	NULL)		\
	X(MULTIPATH,		"2001:db8:19::1",	NULL)		\
	X(PREF_WON,		"2001:db8:25::1",	NULL)		\
	X(PREF_LOST,		"2001:db8:21::1",	NULL)		\
	X(FROM_ANY,		"2001:db8:22::1",	NULL)		\
	X(FROM_OTHER,		"2001:db8:23::1",	NULL)		\
	X(FROM_BESIDE,		"2001:db8:24::1",	NULL)

enum anyip6_addr {
#define X(name, v6, v4) ADDR_##name,
	ADDRS(X)
#undef X
	NR_ADDRS,
};

struct world {
	int host, peer;		/* namespaces */
};

enum world_part {
	WORLD_MATRIX	= 1 << 0,	/* more routes than every kernel can have */
	WORLD_MERGED	= 1 << 1,	/* no policy rule: IPv4 has one table for local and main */
};

/* Make a world and enter its host namespace. */
struct world world_new(unsigned int parts);

/* What this kernel lacks for a socket that asks for @addr on @dev, or NULL. */
const char *world_lacks(enum anyip6_addr addr, const char *dev);
bool world_is_whole(void);
bool dev_in_vrf(const char *dev);

/* A separate namespace for tests that change more than routes. */
int netns_any_ip(void);

const char *addr_text(enum anyip6_addr addr, int family);

/*
 * Make the kernel's own lookup judge one table alone. A packet whose mark is
 * the table's number is looked up in that table only. The lines are for ip -6,
 * because rules of IPv4 would separate its table local from main.
 */
#define ONE_TABLE_RULES(number)						\
	"rule add pref 1 fwmark " number " lookup " number "\n"		\
	"rule add pref 2 fwmark " number " prohibit\n"

#endif
