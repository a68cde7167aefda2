// SPDX-License-Identifier: GPL-2.0
/* One bind(), or two in a row, in every mode, and IPv4 beside it as oracle. */
#include <sched.h>
#include <sys/socket.h>

#include "harness.h"

#define NOBODY	65534

/* What a case needs besides its socket. */
enum setting {
	SET_NONLOCAL	= 1 << 0,	/* ip_nonlocal_bind=1 */
	SET_UNPRIVILEGED = 1 << 1,
	SET_TWICE	= 1 << 2,	/* bind the same socket again */
	SET_DIFFERS	= 1 << 3,	/* IPv4 rightly differs: see .v4 */
};

struct bind_case {
	struct bind_spec first;
	struct bind_spec second;
	bool two;
	unsigned int set;
	int stock;	/* errno of the case without the rule */
	int on;		/* and with it */
	int v4;		/* IPv4's, if SET_DIFFERS: otherwise the same as .on */
};

static int missing_protocol(int err)
{
	return err == -EPROTONOSUPPORT || err == -ESOCKTNOSUPPORT ||
	       err == -ENOPROTOOPT;
}

static int case_run(int family, const struct bind_case *c)
{
	int first = sock_open(family, &c->first);
	int second, err;

	if (first < 0)
		return first;
	err = sock_bind(first, family, &c->first);
	if (!err && c->set & SET_TWICE)
		err = sock_bind(first, family, &c->first);
	if (!err && c->two) {
		second = sock_bound(family, &c->second);
		err = second < 0 ? second : close(second);
	}
	close(first);
	return err;
}

static void set_nonlocal(const char *value)
{
	sysctl_write("net/ipv6/ip_nonlocal_bind", value);
	sysctl_write("net/ipv4/ip_nonlocal_bind", value);
}

static void case_enter(const struct bind_case *c, enum anyip6_mode mode)
{
	enter_host(mode);
	if (c->set & SET_NONLOCAL)
		set_nonlocal("1");
	if (c->set & SET_UNPRIVILEGED && setresuid(-1, NOBODY, -1))
		_exit(KSFT_FAIL);
}

static void case_leave(const struct bind_case *c)
{
	if (c->set & SET_NONLOCAL)
		set_nonlocal("0");
}

static void case_check(struct __test_metadata *_metadata, int family,
		       const struct bind_case *c, int want)
{
	const char *lack = topology_lacks(&c->first);
	int err;

	if (lack)
		SKIP(return, "%s", lack);
	err = case_run(family, c);
	if (missing_protocol(err))
		SKIP(return, "no such protocol in this kernel");
	EXPECT_EQ(want, -err) {
		TH_LOG("%s: %s, expected %s", addr_text(c->first.addr, family),
		       strerror(-err), strerror(want));
	}
}

FIXTURE(bind) {};

FIXTURE_VARIANT(bind) { struct bind_case c; };

FIXTURE_SETUP(bind)
{
	case_enter(&variant->c, mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(bind)
{
	case_leave(&variant->c);
}

FIXTURE(bind4) {};

FIXTURE_VARIANT(bind4) { struct bind_case c; };

FIXTURE_SETUP(bind4)
{
	case_enter(&variant->c, mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(bind4)
{
	case_leave(&variant->c);
}

static int oracle_want(const struct bind_case *c)
{
	return c->set & SET_DIFFERS ? c->v4 : c->on;
}

#define TEST_IN_MODE(mode, want)					\
	TEST_F(bind, mode)						\
	{								\
		case_check(_metadata, AF_INET6, &variant->c, want);	\
	}								\
	/* The oracle: the module must neither touch IPv4 nor differ. */ \
	TEST_F(bind4, mode)						\
	{								\
		case_check(_metadata, AF_INET, &variant->c,		\
			   oracle_want(&variant->c));			\
	}

TEST_IN_MODE(absent, variant->c.stock)
TEST_IN_MODE(off, variant->c.stock)
TEST_IN_MODE(on, variant->c.on)

/* The tables. V6: one case, IPv6 only. BOTH: the oracle's beside it. */

#define ADD(fixture, protocol, name, _stock, _on, ...)			\
	FIXTURE_VARIANT_ADD(fixture, protocol##_##name)			\
	{								\
		.c = {							\
			.first.proto = PROTO_##protocol,		\
			.second.proto = PROTO_##protocol,		\
			.stock = _stock,				\
			.on = _on,					\
			__VA_ARGS__					\
		},							\
	}

#define V6(name, addr, stock, on, ...)					\
	ADD(bind, tcp, name, stock, on, AT(addr), ##__VA_ARGS__);	\
	ADD(bind, udp, name, stock, on, AT(addr), ##__VA_ARGS__)
#define BOTH(name, addr, stock, on, ...)				\
	V6(name, addr, stock, on, ##__VA_ARGS__);			\
	ADD(bind4, tcp, name, stock, on, AT(addr), ##__VA_ARGS__);	\
	ADD(bind4, udp, name, stock, on, AT(addr), ##__VA_ARGS__)

#define AT(a)		.first.addr = ADDR_##a
#define DEV(name)	.first.dev = name
#define OPTS(o)		.first.opts = o
#define SCOPE(name)	.first.dev = name, .first.opts = OPT_SCOPE
#define SET(s)		.set = s
#define THEN(a)		.two = true, .second.addr = ADDR_##a
#define THEN_V4(a)	THEN(a), .second.opts = OPT_FAMILY_4
#define THEN_OPTS(o)	.second.opts = o
#define EACH_OPTS(o)	OPTS(o), THEN_OPTS(o)
/* Where IPv4 rightly differs. */
#define V4(err)		.set = SET_DIFFERS, .v4 = err

#define NO		EADDRNOTAVAIL

/*   name		address		stock	on */
BOTH(any_ip,		ANY,		NO,	0);
BOTH(any_ip_dummy0,	DUMMY,		NO,	0);
BOTH(any_ip_port_0,	ANY,		NO,	0, OPTS(OPT_ANY_PORT));
BOTH(any_ip_listen,	ANY,		NO,	0, OPTS(OPT_LISTEN));
BOTH(outside,		OUTSIDE,	NO,	NO);
BOTH(outside_port_0,	OUTSIDE,	NO,	NO, OPTS(OPT_ANY_PORT));
BOTH(configured,	HOST,		0,	0);
BOTH(configured_peer,	PEER,		NO,	NO);
BOTH(loopback,		LOOPBACK,	0,	0);
BOTH(wildcard,		WILDCARD,	0,	0);

/* the longest match counts, whatever its type */
BOTH(unreachable,	UNREACHABLE,	NO,	NO);
BOTH(blackhole,		BLACKHOLE,	NO,	NO);
BOTH(prohibit,		PROHIBIT,	NO,	NO);
BOTH(throw,		THROW,		NO,	NO);
BOTH(unicast,		UNICAST,	NO,	NO);
BOTH(anycast,		ANYCAST,	NO,	NO);
BOTH(hole,		HOLE,		NO,	NO);
BOTH(local_in_hole,	IN_HOLE,	NO,	0);

/* of the local table only, whatever the policy rules say */
BOTH(unreachable_in_main, MAIN_UNREACHABLE, NO,	0);
BOTH(unreachable_rule,	RULE_UNREACHABLE, NO,	0);
BOTH(fwmark_table,	FWMARK_TABLE,	NO,	NO);
BOTH(fwmark_table_mark,	FWMARK_TABLE,	NO,	NO, OPTS(OPT_MARK));
BOTH(rule_table,	RULE_TABLE,	NO,	NO);
BOTH(main_table,	MAIN_TABLE,	NO,	NO);
BOTH(other_netns,	OTHER_NETNS,	NO,	NO);

/* of the VRF's table for a socket inside it */
BOTH(vrf_unbound,	VRF_ANY,	NO,	NO);
BOTH(vrf_bound,		VRF_ANY,	NO,	0,  DEV("vrf0"));
BOTH(vrf_port_bound,	VRF_ANY,	NO,	0,  DEV("dummy1"));
BOTH(vrf_other_dev,	VRF_ANY,	NO,	NO, DEV("veth0"));
BOTH(vrf_hole,		VRF_HOLE,	NO,	NO, DEV("vrf0"));
BOTH(vrf_default_any_ip, ANY,		NO,	NO, DEV("vrf0"));
BOTH(vrf_port_default_any_ip, ANY,	NO,	NO, DEV("dummy1"));
BOTH(vrf_configured,	VRF_PORT,	0,	0,  DEV("vrf0"));
BOTH(vrf_configured_port, VRF_PORT,	0,	0,  DEV("dummy1"));
BOTH(vrf_configured_unbound, VRF_PORT,	NO,	NO);
BOTH(any_ip_configured_in_vrf, ANY_AND_VRF_PORT, NO, 0);

/* a device of the same domain changes nothing */
BOTH(any_ip_bound_veth0, ANY,		NO,	0,  DEV("veth0"));
BOTH(any_ip_bound_dummy0, ANY,		NO,	0,  DEV("dummy0"));
BOTH(any_ip_bound_lo,	ANY,		NO,	0,  DEV("lo"));
BOTH(any_ip_dummy0_bound_veth0, DUMMY,	NO,	0,  DEV("veth0"));
BOTH(outside_bound_veth0, OUTSIDE,	NO,	NO, DEV("veth0"));
BOTH(configured_other_dev, HOST,	0,	0,  DEV("dummy0"));
BOTH(loopback_other_dev, LOOPBACK,	NO,	NO, DEV("veth0"), V4(0));

/* configured addresses keep the kernel's answer, be it yes or no */
BOTH(any_ip_and_configured, ANY_AND_HOST, 0,	0);
V6(tentative,		TENTATIVE,	NO,	NO);
V6(tentative_bound,	TENTATIVE,	NO,	NO, DEV("veth0"));
V6(tentative_bound_dummy0, TENTATIVE,	NO,	NO, DEV("dummy0"));
V6(dadfailed,		DADFAILED,	NO,	NO);
V6(dadfailed_bound,	DADFAILED,	NO,	NO, DEV("veth0"));
V6(optimistic,		OPTIMISTIC,	0,	0);
V6(link_local_configured, LL_HOST,	0,	0,  SCOPE("veth0"));
V6(link_local_configured_other, LL_HOST, NO,	NO, SCOPE("dummy0"));

/* a link-local route counts on its own device */
V6(link_local,		LL_ANY,		NO,	0,  SCOPE("veth0"));
V6(link_local_bound,	LL_ANY,		NO,	0,  DEV("veth0"));
V6(link_local_other_scope, LL_ANY,	NO,	NO, SCOPE("dummy0"));
V6(link_local_other_dev, LL_ANY,	NO,	NO, DEV("dummy0"));
V6(link_local_two_first, LL_TWO,	NO,	0,  SCOPE("dummy0"));
V6(link_local_two_second, LL_TWO,	NO,	0,  SCOPE("veth0"));
V6(link_local_no_scope,	LL_ANY,		EINVAL,	EINVAL);
V6(link_local_dev_lo,	LL_LO,		NO,	NO, SCOPE("veth0"));
V6(link_local_vrf_port,	LL_VRF,		NO,	0,  SCOPE("dummy1"));
V6(link_local_vrf,	LL_VRF,		NO,	NO, SCOPE("vrf0"));
V6(link_local_vrf_outside, LL_VRF,	NO,	NO, SCOPE("veth0"));
V6(link_local_outside,	LL_OUTSIDE,	NO,	NO, SCOPE("veth0"));

/* v4-mapped goes by IPv4's rule, and always did */
V6(mapped_any_ip,	MAPPED_ANY,	0,	0);
V6(mapped_configured,	MAPPED_HOST,	0,	0);
V6(mapped_outside,	MAPPED_OUTSIDE,	NO,	NO);
V6(mapped_v6only,	MAPPED_ANY,	EINVAL,	EINVAL, OPTS(OPT_V6ONLY));

/* the ways round the check stay as wide as they were */
BOTH(freebind,		ANY,		0,	0,  OPTS(OPT_FREEBIND));
BOTH(freebind_outside,	OUTSIDE,	0,	0,  OPTS(OPT_FREEBIND));
BOTH(freebind_hole,	UNREACHABLE,	0,	0,  OPTS(OPT_FREEBIND));
BOTH(ip_freebind,	ANY,		0,	0,  OPTS(OPT_FREEBIND_IP));
BOTH(transparent,	ANY,		0,	0,  OPTS(OPT_TRANSPARENT));
BOTH(transparent_outside, OUTSIDE,	0,	0,  OPTS(OPT_TRANSPARENT));
BOTH(nonlocal,		ANY,		0,	0,  SET(SET_NONLOCAL));
BOTH(nonlocal_outside,	OUTSIDE,	0,	0,  SET(SET_NONLOCAL));
V6(nonlocal_tentative,	TENTATIVE,	0,	0,  SET(SET_NONLOCAL));
V6(freebind_dadfailed,	DADFAILED,	0,	0,  OPTS(OPT_FREEBIND));

ADD(bind,  udp, multicast, 0, 0, AT(MULTICAST), SCOPE("veth0"));
ADD(bind4, udp, multicast, 0, 0, AT(MULTICAST));
ADD(bind,  tcp, multicast, EINVAL, EINVAL, AT(MULTICAST), SCOPE("veth0"));

/* all errors but "not available" come as they did */
BOTH(any_ip_unprivileged, ANY,		NO,	0,  SET(SET_UNPRIVILEGED));
V6(any_ip_low_port_unprivileged, ANY,	EACCES,	EACCES, OPTS(OPT_LOW_PORT), SET(SET_UNPRIVILEGED));
BOTH(any_ip_low_port,	ANY,		NO,	0,  OPTS(OPT_LOW_PORT));
BOTH(any_ip_twice,	ANY,		NO,	EINVAL, SET(SET_TWICE));

/* two sockets: ports conflict as between configured addresses */
BOTH(same,		ANY,		NO,	EADDRINUSE, THEN(ANY));
BOTH(same_configured,	HOST,		EADDRINUSE, EADDRINUSE, THEN(HOST));
BOTH(same_port_0,	ANY,		NO,	0,  THEN(ANY), EACH_OPTS(OPT_ANY_PORT));
BOTH(same_reuseaddr,	ANY,		NO,	0,  THEN(ANY), EACH_OPTS(OPT_REUSEADDR));
BOTH(same_reuseaddr_one, ANY,		NO,	EADDRINUSE, OPTS(OPT_REUSEADDR), THEN(ANY));
BOTH(same_reuseport,	ANY,		NO,	0,  THEN(ANY), EACH_OPTS(OPT_REUSEPORT));
BOTH(same_reuseport_one, ANY,		NO,	EADDRINUSE, OPTS(OPT_REUSEPORT), THEN(ANY));
BOTH(two_any_ip,	ANY,		NO,	0,  THEN(ANY2));
BOTH(any_ip_configured,	ANY,		NO,	0,  THEN(HOST));
BOTH(any_ip_then_wildcard, ANY,		NO,	EADDRINUSE, THEN(WILDCARD));
BOTH(wildcard_then_any_ip, WILDCARD,	NO,	EADDRINUSE, THEN(ANY));
BOTH(wildcard_reuseport, WILDCARD,	NO,	0,  THEN(ANY), EACH_OPTS(OPT_REUSEPORT));
BOTH(any_ip_two_devs,	ANY,	NO,	0,  DEV("veth0"), THEN(ANY), .second.dev = "dummy0");
BOTH(vrf_then_unbound,	VRF_ANY,	NO,	NO, DEV("vrf0"), THEN(VRF_ANY));

#define LISTENERS(o)	AT(ANY), THEN(ANY), EACH_OPTS(OPT_LISTEN | (o))
ADD(bind,  tcp, listen_reuseaddr, NO, EADDRINUSE, LISTENERS(OPT_REUSEADDR));
ADD(bind4, tcp, listen_reuseaddr, NO, EADDRINUSE, LISTENERS(OPT_REUSEADDR));
ADD(bind,  tcp, listen_reuseport, NO, 0, LISTENERS(OPT_REUSEPORT));
ADD(bind4, tcp, listen_reuseport, NO, 0, LISTENERS(OPT_REUSEPORT));

/* an IPv4 wildcard is in the way of an IPv6 wildcard, never of one address */
V6(any_ip_then_wildcard_v4, ANY,	NO,	0, THEN_V4(WILDCARD));
V6(any_ip_v6only_then_wildcard_v4, ANY, NO,	0, OPTS(OPT_V6ONLY), THEN_V4(WILDCARD));
V6(any_ip_then_any_ip_v4, ANY,		NO,	0, THEN_V4(ANY));
V6(wildcard_then_any_ip_v4, WILDCARD,	EADDRINUSE, EADDRINUSE, THEN_V4(ANY));
V6(wildcard_v6only_then_any_ip_v4, WILDCARD, 0,	0, OPTS(OPT_V6ONLY), THEN_V4(ANY));
V6(wildcard_v6only_then_any_ip, WILDCARD, NO,	EADDRINUSE, OPTS(OPT_V6ONLY), THEN(ANY));

/* the other protocols that bind on the same path */
ADD(bind, udplite, any_ip, NO, 0, AT(ANY));
ADD(bind, udplite, outside, NO, NO, AT(OUTSIDE));
ADD(bind, dccp, any_ip, NO, 0, AT(ANY));
ADD(bind, dccp, outside, NO, NO, AT(OUTSIDE));
ADD(bind, mptcp, any_ip, NO, 0, AT(ANY));
ADD(bind, mptcp, outside, NO, NO, AT(OUTSIDE));

ANYIP6_HARNESS_MAIN(TOPOLOGY_PARTS)
