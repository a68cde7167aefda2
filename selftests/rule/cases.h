/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cases of the rule. Each row is an address that a socket asks for. bind.c
 * binds TCP and UDP sockets to it. watch.c compares the counters and the trace.
 * explain.c compares the tool's output. The file that includes this defines
 * CASE and CASE_V6.
 *
 * CASE:	IPv4 has such an address too, and must give the same answer
 * CASE_V6:	only IPv6 has such an address
 * address:	a name of world/world.h
 * decided by:	a step of the rule, or an answer of the kernel (decision.h)
 * because of:	text that the tool's output contains
 * socket:	DEV() it is bound to, or SCOPE() of its address; none if missing
 * V4():	IPv4's errno where it may differ
 */

#define IN_ANY		"local 2001:db8:a::/64 dev lo table local"
#define IN_100		"route is in table 100, which bind does not read"
#define OF_VRF		"is of VRF vrf0, to which the socket is not bound"
#define NOT_OF_VRF	"is not of VRF vrf0, to which the socket is bound"
#define LL_ROUTE	"local fe80::1234/128 dev veth0 table local"
#define ON_VETH0	"configured on veth0"
#define BUT_DUMMY0	", and the socket is bound to dummy0"

/*   name		address		decided by	because of, socket */
CASE(any_ip,		ANY,		ALLOWED,	IN_ANY);
CASE(any_ip_dummy0,	DUMMY,		ALLOWED,
     "local 2001:db8:d::/64 dev dummy0 table local");
CASE(outside,		OUTSIDE,	NO_ROUTE,	IN_100);
CASE(configured,	HOST,		USABLE,		ON_VETH0);
CASE(configured_peer,	PEER,		NO_ROUTE,	IN_100);
CASE(loopback,		LOOPBACK,	USABLE,		"configured on lo");
CASE(wildcard,		WILDCARD,	WILDCARD,	"every address");

/* the longest match counts, whatever its type */
CASE(unreachable,	UNREACHABLE,	CARVED_OUT,	"unreachable 2001:db8:a:0:1::/80 dev ");
CASE(blackhole,		BLACKHOLE,	CARVED_OUT,	"blackhole 2001:db8:a:0:2::/80 dev ");
CASE(prohibit,		PROHIBIT,	CARVED_OUT,	"prohibit 2001:db8:a:0:3::/80 dev ");
CASE(throw,		THROW,		CARVED_OUT,	"throw 2001:db8:a:0:4::/80 dev ");
CASE(unicast,		UNICAST,	CARVED_OUT,	"unicast 2001:db8:a:0:5::/80 dev ");
CASE(anycast,		ANYCAST,	CARVED_OUT,	"anycast 2001:db8:a:0:6::/80 dev ");
CASE(hole,		HOLE,		CARVED_OUT,
     "unreachable 2001:db8:c::/64 dev lo table local decides");
CASE(local_in_hole,	IN_HOLE,	ALLOWED,
     "local 2001:db8:c::1/128 dev lo table local");

/* only the local table counts, whatever the policy rules say */
CASE(unreachable_in_main, MAIN_UNREACHABLE, ALLOWED,	IN_ANY);
CASE(unreachable_rule,	RULE_UNREACHABLE, ALLOWED,	IN_ANY);
CASE(fwmark_table,	FWMARK_TABLE,	NO_ROUTE,	IN_100);
CASE(rule_table,	RULE_TABLE,	NO_ROUTE,
     "route is in table 101, which bind does not read");
CASE(main_table,	MAIN_TABLE,	NO_ROUTE,
     "route is in table main, which bind does not read");
CASE(other_netns,	OTHER_NETNS,	NO_ROUTE,	IN_100);

/* for a socket in a VRF, only the VRF's table counts */
CASE(vrf_unbound,	VRF_ANY,	NO_ROUTE,	OF_VRF);
CASE(vrf_bound,		VRF_ANY,	ALLOWED,
     "local 2001:db8:f::/64 dev vrf0 table 10", DEV("vrf0"));
CASE(vrf_port_bound,	VRF_ANY,	ALLOWED,
     "local 2001:db8:f::/64 dev vrf0 table 10", DEV("veth1"));
CASE(vrf_other_dev,	VRF_ANY,	NO_ROUTE,	OF_VRF, DEV("veth0"));
CASE(vrf_hole,		VRF_HOLE,	CARVED_OUT,
     "unreachable 2001:db8:f:0:1::/80 dev lo table 10 is more specific", DEV("vrf0"));
CASE(vrf_default_any_ip, ANY,		NO_ROUTE,	NOT_OF_VRF, DEV("vrf0"));
CASE(vrf_port_default_any_ip, ANY,	NO_ROUTE,	NOT_OF_VRF, DEV("veth1"));
CASE(vrf_configured,	VRF_PORT,	USABLE,		"configured on veth1", DEV("vrf0"));
CASE(vrf_configured_port, VRF_PORT,	USABLE,		"configured on veth1", DEV("veth1"));
CASE(vrf_configured_unbound, VRF_PORT,	NO_ROUTE,
     "configured on veth1, of another L3 domain");
CASE(any_ip_configured_in_vrf, ANY_AND_VRF_PORT, ALLOWED, IN_ANY);

/* a device of the same domain changes nothing */
CASE(any_ip_bound_veth0, ANY,		ALLOWED,	IN_ANY, DEV("veth0"));
CASE(any_ip_bound_dummy0, ANY,		ALLOWED,	IN_ANY, DEV("dummy0"));
CASE(any_ip_bound_lo,	ANY,		ALLOWED,	IN_ANY, DEV("lo"));
CASE(any_ip_dummy0_bound_veth0, DUMMY,	ALLOWED,
     "local 2001:db8:d::/64 dev dummy0 table local", DEV("veth0"));
CASE(outside_bound_veth0, OUTSIDE,	NO_ROUTE,	IN_100, DEV("veth0"));
CASE(configured_other_dev, HOST,	USABLE,		ON_VETH0, DEV("dummy0"));
CASE(loopback_other_dev, LOOPBACK,	CONFIGURED,
     "configured on lo, and the socket is bound to veth0", DEV("veth0"), V4(0));

/* configured addresses keep the kernel's answer, yes or no */
CASE(any_ip_and_configured, ANY_AND_HOST, USABLE,	"configured on dummy0");
CASE_V6(tentative,	TENTATIVE,	CONFIGURED,	ON_VETH0 " but tentative");
CASE_V6(tentative_bound, TENTATIVE,	CONFIGURED,	ON_VETH0 " but tentative", DEV("veth0"));
CASE_V6(tentative_bound_dummy0, TENTATIVE, CONFIGURED,	ON_VETH0, DEV("dummy0"));
CASE_V6(dadfailed,	DADFAILED,	CONFIGURED,	ON_VETH0 " but dadfailed");
CASE_V6(dadfailed_bound, DADFAILED,	CONFIGURED,	ON_VETH0 " but dadfailed", DEV("veth0"));
CASE_V6(optimistic,	OPTIMISTIC,	USABLE,		ON_VETH0);
CASE_V6(link_local_configured, LL_HOST,	USABLE,		ON_VETH0, SCOPE("veth0"));
CASE_V6(link_local_configured_other, LL_HOST, CONFIGURED, ON_VETH0 BUT_DUMMY0, SCOPE("dummy0"));
CASE_V6(link_local_configured_bound, LL_HOST, CONFIGURED, ON_VETH0 BUT_DUMMY0, DEV("dummy0"));

/* a link-local route counts on its own device */
CASE_V6(link_local,	LL_ANY,		ALLOWED,	LL_ROUTE, SCOPE("veth0"));
CASE_V6(link_local_bound, LL_ANY,	ALLOWED,	LL_ROUTE, DEV("veth0"));
CASE_V6(link_local_other_scope, LL_ANY,	WRONG_DEVICE,	LL_ROUTE BUT_DUMMY0, SCOPE("dummy0"));
CASE_V6(link_local_other_dev, LL_ANY,	WRONG_DEVICE,	LL_ROUTE BUT_DUMMY0, DEV("dummy0"));
CASE_V6(link_local_two_first, LL_TWO,	ALLOWED,
	"local fe80::2345/128 dev dummy0", SCOPE("dummy0"));
CASE_V6(link_local_two_second, LL_TWO,	ALLOWED,
	"local fe80::2345/128 dev veth0", SCOPE("veth0"));
CASE_V6(link_local_no_scope, LL_ANY,	NO_SCOPE,	"--dev");
CASE_V6(link_local_dev_lo, LL_LO,	WRONG_DEVICE,
	"local fe80:0:0:1::/64 dev lo table local", SCOPE("veth0"));
CASE_V6(link_local_vrf_port, LL_VRF,	ALLOWED,
	"local fe80::4321/128 dev veth1 table 10", SCOPE("veth1"));
CASE_V6(link_local_vrf,	LL_VRF,		WRONG_DEVICE,
	"local fe80::4321/128 dev veth1 table 10", SCOPE("vrf0"));
CASE_V6(link_local_vrf_outside, LL_VRF,	NO_ROUTE,	OF_VRF, SCOPE("veth0"));
CASE_V6(link_local_outside, LL_OUTSIDE,	NO_ROUTE,	IN_100, SCOPE("veth0"));

/* v4-mapped addresses follow IPv4's rule, with or without the module */
CASE_V6(mapped_any_ip,	MAPPED_ANY,	IPV4,		"IPv4");
CASE_V6(mapped_configured, MAPPED_HOST,	IPV4,		"IPv4");
CASE_V6(mapped_outside,	MAPPED_OUTSIDE,	IPV4_REFUSED,	"IPv4");
