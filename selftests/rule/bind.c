// SPDX-License-Identifier: GPL-2.0
/* One bind(), or two in a row, in every mode. The same on IPv4 is the oracle. */
#include <sched.h>
#include <sys/socket.h>

#include "decision.h"
#include "harness.h"

/* What a case needs in addition to its socket. */
enum setting {
	SET_NONLOCAL	= 1 << 0,	/* ip_nonlocal_bind=1 */
	SET_UNPRIVILEGED = 1 << 1,
	SET_TWICE	= 1 << 2,	/* bind the same socket again */
	SET_DIFFERS	= 1 << 3,	/* IPv4 may differ here: see .v4 */
};

struct bind_case {
	struct bind_spec sock;
	struct bind_spec second;
	bool two;
	unsigned int set;
	int stock;	/* errno of the case without the rule */
	int on;		/* errno with the rule */
	int v4;		/* errno of IPv4 with SET_DIFFERS; otherwise it equals .on */
};

static int missing_protocol(int err)
{
	return err == -EPROTONOSUPPORT || err == -ESOCKTNOSUPPORT ||
	       err == -ENOPROTOOPT;
}

static int case_run(int family, const struct bind_case *c)
{
	int first = sock_open(family, &c->sock);
	int err;

	if (first < 0)
		return first;
	err = sock_bind(first, family, &c->sock);
	if (!err && c->set & SET_TWICE)
		err = sock_bind(first, family, &c->sock);
	if (!err && c->two)
		err = sock_try(family, &c->second);
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
	const char *lack = world_lacks(c->sock.addr, c->sock.dev);
	int err;

	if (lack)
		SKIP(return, "%s", lack);
	err = case_run(family, c);
	if (missing_protocol(err))
		SKIP(return, "no such protocol in this kernel");
	EXPECT_EQ(want, -err) {
		TH_LOG("%s: %s, expected %s", addr_text(c->sock.addr, family),
		       strerror(-err), strerror(want));
	}
}

#define BIND_FIXTURE(fixture)						\
	FIXTURE(fixture) {};						\
	FIXTURE_VARIANT(fixture) { struct bind_case c; };		\
	FIXTURE_SETUP(fixture)						\
	{								\
		case_enter(&variant->c, mode_by_name(_metadata->name));	\
	}								\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		case_leave(&variant->c);				\
	}

BIND_FIXTURE(bind)
BIND_FIXTURE(bind4)

static int oracle_want(const struct bind_case *c)
{
	return c->set & SET_DIFFERS ? c->v4 : c->on;
}

#define TEST_IN_MODE(mode, want)					\
	TEST_F(bind, mode)						\
	{								\
		case_check(_metadata, AF_INET6, &variant->c, want);	\
	}								\
	/* The oracle: the module must not change IPv4, and must match it. */ \
	TEST_F(bind4, mode)						\
	{								\
		case_check(_metadata, AF_INET, &variant->c,		\
			   oracle_want(&variant->c));			\
	}

TEST_IN_MODE(absent, variant->c.stock)
TEST_IN_MODE(off, variant->c.stock)
TEST_IN_MODE(on, variant->c.on)

/* The tables. V6 adds a case for IPv6 only. BOTH also adds it to the oracle. */

#define ADD(fixture, protocol, name, _stock, _on, ...)			\
	FIXTURE_VARIANT_ADD(fixture, protocol##_##name)			\
	{								\
		.c = {							\
			.sock.proto = PROTO_##protocol,		\
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

#define AT(a)		.sock.addr = ADDR_##a
#define DEV(name)	.sock.dev = name
#define OPTS(o)		.sock.opts = o
#define SCOPE(name)	.sock.dev = name, .sock.opts = OPT_SCOPE
#define SET(s)		.set = s
#define THEN(a)		.two = true, .second.addr = ADDR_##a
#define THEN_V4(a)	THEN(a), .second.opts = OPT_FAMILY_4
#define THEN_OPTS(o)	.second.opts = o
#define EACH_OPTS(o)	OPTS(o), THEN_OPTS(o)
/* A case where IPv4 may differ. */
#define V4(err)		.set = SET_DIFFERS, .v4 = err

#define NO		EADDRNOTAVAIL

/* The cases that watch.c and explain.c use too */

#define CASE_V6(name, addr, decided, reason, ...)			\
	V6(name, addr, STOCK_##decided, ON_##decided, ##__VA_ARGS__)
#define CASE(name, addr, decided, reason, ...)				\
	BOTH(name, addr, STOCK_##decided, ON_##decided, ##__VA_ARGS__)

#include "cases.h"

/* Cases that depend on the port, on options, or on another socket. */

/*   name		address		stock	on */
BOTH(any_ip_port_0,	ANY,		NO,	0, OPTS(OPT_ANY_PORT));
BOTH(any_ip_listen,	ANY,		NO,	0, OPTS(OPT_LISTEN));
BOTH(outside_port_0,	OUTSIDE,	NO,	NO, OPTS(OPT_ANY_PORT));
BOTH(fwmark_table_mark,	FWMARK_TABLE,	NO,	NO, OPTS(OPT_MARK));
V6(mapped_v6only,	MAPPED_ANY,	EINVAL,	EINVAL, OPTS(OPT_V6ONLY));

/* options that bypass the check still work for every address */
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

/* all errors except "not available" stay the same */
BOTH(any_ip_unprivileged, ANY,		NO,	0,  SET(SET_UNPRIVILEGED));
V6(any_ip_low_port_unprivileged, ANY,	EACCES,	EACCES, OPTS(OPT_LOW_PORT), SET(SET_UNPRIVILEGED));
BOTH(any_ip_low_port,	ANY,		NO,	0,  OPTS(OPT_LOW_PORT));
BOTH(any_ip_twice,	ANY,		NO,	EINVAL, SET(SET_TWICE));

/* two sockets: ports conflict as they do for configured addresses */
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

/* an IPv4 wildcard conflicts with an IPv6 wildcard, never with one address */
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

ANYIP6_HARNESS_MAIN(WORLD_PARTS)
