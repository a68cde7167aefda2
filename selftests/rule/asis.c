// SPDX-License-Identifier: GPL-2.0
/*
 * Other callers of the address check. A yes would mean something else to them,
 * so they get stock's answers in every mode.
 */
#include <time.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <sys/socket.h>

#include "harness.h"

#define OK		NULL
#define CLOSED_PORT	4244

#define TEST_IN_EVERY_MODE(fixture)					\
	TEST_F(fixture, absent)						\
	{								\
		fixture##_check(_metadata, &variant->c);		\
	}								\
	TEST_F(fixture, off)						\
	{								\
		fixture##_check(_metadata, &variant->c);		\
	}								\
	TEST_F(fixture, on)						\
	{								\
		fixture##_check(_metadata, &variant->c);		\
	}

/* Routes that name an Any-IP address as gateway or source */

struct ip_case {
	const char *cmd;
	const char *error;	/* in ip's message; OK: accepted */
	const char *undo;
};

FIXTURE(ip) {
	bool accepted;
};

FIXTURE_VARIANT(ip) { struct ip_case c; };

FIXTURE_SETUP(ip)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(ip)
{
	/* Undo a command that should have failed too, or the next test suffers. */
	if (self->accepted)
		ip_run("%s", variant->c.undo);
}

static bool ip_check(struct __test_metadata *_metadata, const struct ip_case *c)
{
	int status = ip_run("%s", c->cmd);

	if (c->error) {
		EXPECT_NE(0, status);
		EXPECT_NE(NULL, strstr(ip_message(), c->error)) {
			TH_LOG("%s: \"%s\"", c->cmd, ip_message());
		}
		return !status;
	}
	EXPECT_EQ(0, status) {
		TH_LOG("%s: \"%s\"", c->cmd, ip_message());
	}
	return !status;
}

TEST_F(ip, absent)
{
	self->accepted = ip_check(_metadata, &variant->c);
}

TEST_F(ip, off)
{
	self->accepted = ip_check(_metadata, &variant->c);
}

TEST_F(ip, on)
{
	self->accepted = ip_check(_metadata, &variant->c);
}

#define IP(name, _cmd, _error, _undo)					\
	FIXTURE_VARIANT_ADD(ip, name)					\
	{								\
		.c = { .cmd = _cmd, .error = _error, .undo = _undo },	\
	}
#define ROUTE(name, args, error)					\
	IP(name, "route add 2001:db8:77::/64 " args, error,		\
	   "route del 2001:db8:77::/64")
#define NEXTHOP(name, args, error)					\
	IP(name, "nexthop add id 77 " args, error, "nexthop del id 77")

ROUTE(gateway, "via 2001:db8:a::5", "Egress device can not be loopback device");
ROUTE(gateway_dev, "via 2001:db8:a::5 dev veth0", "No route to host");
ROUTE(gateway_dummy0, "via 2001:db8:d::5 dev dummy0", OK);
ROUTE(gateway_onlink, "via 2001:db8:a::5 dev veth0 onlink", OK);
ROUTE(gateway_link_local, "via fe80::1234 dev veth0", OK);
ROUTE(gateway_configured, "via 2001:db8:1::1 dev veth0", "Gateway can not be a local address");
ROUTE(gateway_vrf, "via 2001:db8:f::5 dev veth1 table 10", "No route to host");
ROUTE(source, "dev veth0 src 2001:db8:a::5", "Invalid source address");
ROUTE(source_tentative, "dev veth0 src 2001:db8:a:0:7::1", "Invalid source address");
ROUTE(source_configured, "dev veth0 src 2001:db8:1::1", OK);
NEXTHOP(nexthop, "via 2001:db8:a::5 dev veth0", "No route to host");
NEXTHOP(nexthop_dummy0, "via 2001:db8:d::5 dev dummy0", OK);
NEXTHOP(nexthop_configured, "via 2001:db8:1::1 dev veth0", "Gateway can not be a local address");

/* Anycast groups are for addresses that are not the host's own */

struct join_case {
	enum anyip6_addr addr;
	const char *dev;
	int err;
};

FIXTURE(join) {};

FIXTURE_VARIANT(join) { struct join_case c; };

FIXTURE_SETUP(join)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(join) {}

static void join_check(struct __test_metadata *_metadata,
		       const struct join_case *c)
{
	struct ipv6_mreq mreq = {
		.ipv6mr_interface = c->dev ? if_nametoindex(c->dev) : 0,
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	int err;

	inet_pton(AF_INET6, addr_text(c->addr, AF_INET6),
		  &mreq.ipv6mr_multiaddr);
	err = setsockopt(fd, SOL_IPV6, IPV6_JOIN_ANYCAST, &mreq, sizeof(mreq));
	EXPECT_EQ(c->err, err ? errno : 0);
	close(fd);
}

TEST_IN_EVERY_MODE(join)

#define JOIN(name, _addr, _dev, _err)					\
	FIXTURE_VARIANT_ADD(join, name)					\
	{								\
		.c = { .addr = ADDR_##_addr, .dev = _dev, .err = _err }, \
	}

JOIN(any_ip, ANY, NULL, EADDRNOTAVAIL);
JOIN(any_ip_veth0, ANY, "veth0", EADDRNOTAVAIL);
JOIN(any_ip_dummy0, DUMMY, "dummy0", EADDRNOTAVAIL);
JOIN(configured, HOST, "veth0", EINVAL);

/* A tunnel's ends: the local end must be configured, the remote end must not */

struct tunnel_case {
	enum anyip6_addr local;
	enum anyip6_addr remote;
	bool sends;
};

FIXTURE(tunnel) {};

FIXTURE_VARIANT(tunnel) { struct tunnel_case c; };

FIXTURE_SETUP(tunnel)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(tunnel)
{
	ip_run("link del tun6");
}

static void tunnel_check(struct __test_metadata *_metadata,
			 const struct tunnel_case *c)
{
	struct sockaddr_in6 far = {
		.sin6_family = AF_INET6, .sin6_port = htons(CLOSED_PORT),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	unsigned long before;

	inet_pton(AF_INET6, "2001:db8:78::1", &far.sin6_addr);
	ASSERT_EQ(0, ip_run("link add tun6 up type ip6tnl local %s remote %s",
			    addr_text(c->local, AF_INET6),
			    addr_text(c->remote, AF_INET6))) {
		TH_LOG("%s", ip_message());
	}
	ASSERT_EQ(0, ip_run("route add 2001:db8:78::/64 dev tun6")) {
		TH_LOG("%s", ip_message());
	}
	before = dev_counts("tun6").sent;
	sendto(fd, "x", 1, 0, (struct sockaddr *)&far, sizeof(far));
	EXPECT_EQ(c->sends, dev_counts("tun6").sent > before);
	close(fd);
}

TEST_IN_EVERY_MODE(tunnel)

#define TUNNEL(name, _local, _remote, _sends)				\
	FIXTURE_VARIANT_ADD(tunnel, name)				\
	{								\
		.c = {							\
			.local = ADDR_##_local,				\
			.remote = ADDR_##_remote,			\
			.sends = _sends,				\
		},							\
	}

TUNNEL(configured, HOST, PEER, true);
TUNNEL(local_any_ip, ANY, PEER, false);
TUNNEL(remote_any_ip, HOST, ANY, true);
TUNNEL(remote_configured, HOST, ANY_AND_HOST, false);

/* The kernel's own choice of a source */

struct source_case {
	enum anyip6_addr to;
	enum anyip6_addr source;
};

FIXTURE(source) {};

FIXTURE_VARIANT(source) { struct source_case c; };

FIXTURE_SETUP(source)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(source) {}

static void source_check(struct __test_metadata *_metadata,
			 const struct source_case *c)
{
	union sockaddr_any to, got = {}, want;
	socklen_t len = addr_fill(&to, AF_INET6, c->to, CLOSED_PORT);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	addr_fill(&want, AF_INET6, c->source, 0);
	ASSERT_EQ(0, connect(fd, &to.sa, len));
	ASSERT_EQ(0, getsockname(fd, &got.sa, &len));
	EXPECT_TRUE(addr_same(&want, &got)) {
		TH_LOG("source %s", sockaddr_text(&got));
	}
	close(fd);
}

TEST_IN_EVERY_MODE(source)

#define SOURCE(name, _to, _source)					\
	FIXTURE_VARIANT_ADD(source, name)				\
	{								\
		.c = { .to = ADDR_##_to, .source = ADDR_##_source },	\
	}

SOURCE(to_peer, PEER, HOST);

/* The source of an ICMPv6 error */

struct icmp_case {
	enum anyip6_addr to;
	enum anyip6_addr offender;
};

FIXTURE(icmp) {};

FIXTURE_VARIANT(icmp) { struct icmp_case c; };

FIXTURE_SETUP(icmp)
{
	enter_peer(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(icmp) {}

/* Returns who answered that the port is closed, or -errno if nobody did. */
static int icmp_offender(int fd, union sockaddr_any *offender)
{
	struct pollfd poll_error = { .fd = fd };
	char control[512];
	struct msghdr msg = {
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (poll(&poll_error, 1, 5000) != 1)
		return -ETIMEDOUT;
	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		struct sock_extended_err *ee = (void *)CMSG_DATA(cmsg);

		if (cmsg->cmsg_level != SOL_IPV6 ||
		    cmsg->cmsg_type != IPV6_RECVERR)
			continue;
		memcpy(offender, SO_EE_OFFENDER(ee), sizeof(offender->in6));
		return 0;
	}
	return -ENOMSG;
}

static void icmp_check(struct __test_metadata *_metadata,
		       const struct icmp_case *c)
{
	const struct bind_spec peer = { .proto = PROTO_udp, .addr = ADDR_PEER };
	union sockaddr_any to, got = {}, want;
	socklen_t len = addr_fill(&to, AF_INET6, c->to, CLOSED_PORT);
	int fd = sock_bound(AF_INET6, &peer);
	const int one = 1;

	addr_fill(&want, AF_INET6, c->offender, 0);
	ASSERT_EQ(0, setsockopt(fd, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one)));
	ASSERT_EQ(0, connect(fd, &to.sa, len));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_EQ(0, icmp_offender(fd, &got));
	EXPECT_TRUE(addr_same(&want, &got)) {
		TH_LOG("source %s", sockaddr_text(&got));
	}
	close(fd);
}

TEST_IN_EVERY_MODE(icmp)

#define ICMP(name, _to, _offender)					\
	FIXTURE_VARIANT_ADD(icmp, name)					\
	{								\
		.c = { .to = ADDR_##_to, .offender = ADDR_##_offender },	\
	}

ICMP(configured, HOST, HOST);
ICMP(any_ip, ANY, HOST);
ICMP(any_ip_dummy0, DUMMY, HOST);

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
