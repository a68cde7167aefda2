// SPDX-License-Identifier: GPL-2.0
/* Data both ways between an Any-IP address and another namespace. */
#include <sys/socket.h>

#include "harness.h"

enum side {
	HOST,
	PEER,
};

/* An event between bind() and the first packet. */
enum meanwhile {
	NOTHING,
	TOGGLE_OFF,
	ROUTE_BACK,	/* the route goes and comes again */
};

struct traffic_case {
	struct proto proto;
	enum side server_side;
	enum anyip6_addr server;
	enum side client_side;
	enum anyip6_addr client;
	enum meanwhile meanwhile;
	int stock;
	int on;
};

struct link {
	const struct traffic_case *c;
	enum anyip6_mode mode;
	int family;
	int listener;	/* UDP: the server itself */
	int server;
	int client;
};

static void enter_side(const struct link *l, enum side side)
{
	if (side == HOST)
		enter_host(l->mode);
	else
		enter_peer(l->mode);
}

static bool stream(const struct link *l)
{
	return l->c->proto.type == SOCK_STREAM;
}

static int link_bind(struct link *l)
{
	const struct bind_spec server = {
		.proto = l->c->proto, .addr = l->c->server,
		/* REUSEADDR, because connections of the last test linger. */
		.opts = OPT_LISTEN | (stream(l) ? OPT_REUSEADDR : 0),
	};
	const struct bind_spec client = {
		.proto = l->c->proto, .addr = l->c->client, .opts = OPT_ANY_PORT,
	};

	enter_side(l, l->c->server_side);
	l->listener = sock_bound(l->family, &server);
	if (l->listener < 0)
		return l->listener;
	enter_side(l, l->c->client_side);
	l->client = sock_bound(l->family, &client);
	return l->client < 0 ? l->client : 0;
}

static int link_meanwhile(const struct link *l)
{
	const char *route = l->family == AF_INET ?
		"-4 route %s local 198.18.13.0/24 dev dummy0" :
		"-6 route %s local 2001:db8:d::/64 dev dummy0";
	char line[80];

	enter_host(l->mode);
	if (l->c->meanwhile == TOGGLE_OFF)
		toggle_set(l->mode == MODE_ON ? MODE_OFF : l->mode);
	if (l->c->meanwhile != ROUTE_BACK)
		return 0;
	snprintf(line, sizeof(line), route, "del");
	if (ip_run("%s", line))
		return -EIO;
	snprintf(line, sizeof(line), route, "add");
	return ip_run("%s", line) ? -EIO : 0;
}

static int link_connect(struct link *l)
{
	union sockaddr_any sa;
	socklen_t len;

	enter_side(l, l->c->client_side);
	len = addr_fill(&sa, l->family, l->c->server, TEST_PORT);
	if (connect(l->client, &sa.sa, len))
		return -errno;
	if (!stream(l)) {
		l->server = l->listener;
		return 0;
	}
	l->server = accept(l->listener, NULL, NULL);
	return l->server < 0 ? -errno : 0;
}

static int check_text(const char *buf, ssize_t len, const char *text)
{
	if (len < 0)
		return -errno;
	return len == (ssize_t)strlen(text) && !memcmp(buf, text, len) ?
		0 : -EBADMSG;
}

/* In each direction, the receiver sees the address that the other side has bound. */
static int link_exchange(const struct link *l)
{
	static const char there[] = "there", back[] = "and back";
	union sockaddr_any want, from = {};
	socklen_t len = sizeof(from);
	char buf[64];
	int err;

	addr_fill(&want, l->family, l->c->client, 0);
	if (send(l->client, there, strlen(there), 0) < 0)
		return -errno;
	err = check_text(buf, recvfrom(l->server, buf, sizeof(buf), 0,
				       stream(l) ? NULL : &from.sa, &len),
			 there);
	if (!err && stream(l) && getpeername(l->server, &from.sa, &len))
		err = -errno;
	if (err)
		return err;
	if (!addr_same(&from, &want))
		return -EBADE;
	if (sendto(l->server, back, strlen(back), 0,
		   stream(l) ? NULL : &from.sa, stream(l) ? 0 : len) < 0)
		return -errno;
	return check_text(buf, recv(l->client, buf, sizeof(buf), 0), back);
}

static int link_run(struct link *l)
{
	int err = link_bind(l);

	if (!err)
		err = link_meanwhile(l);
	if (!err)
		err = link_connect(l);
	return err ?: link_exchange(l);
}

static void traffic_check(struct __test_metadata *_metadata, int family,
			  const struct traffic_case *c, int want)
{
	struct link l = {
		.c = c, .mode = mode_by_name(_metadata->name), .family = family,
	};
	int err = link_run(&l);

	EXPECT_EQ(want, -err) {
		TH_LOG("%s", strerror(-err));
	}
}

#define TRAFFIC_FIXTURE(fixture)					\
	FIXTURE(fixture) {};						\
	FIXTURE_VARIANT(fixture) { struct traffic_case c; };		\
	FIXTURE_SETUP(fixture) {}					\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		enter_host(mode_by_name(_metadata->name));		\
		toggle_set(mode_by_name(_metadata->name));		\
	}

TRAFFIC_FIXTURE(traffic)
TRAFFIC_FIXTURE(traffic4)

#define TEST_IN_MODE(mode, want)					\
	TEST_F(traffic, mode)						\
	{								\
		traffic_check(_metadata, AF_INET6, &variant->c, want);	\
	}								\
	TEST_F(traffic4, mode)						\
	{								\
		traffic_check(_metadata, AF_INET, &variant->c,		\
			      variant->c.on);				\
	}

TEST_IN_MODE(absent, variant->c.stock)
TEST_IN_MODE(off, variant->c.stock)
TEST_IN_MODE(on, variant->c.on)

#define ADD(fixture, protocol, name, s_side, s_addr, c_side, c_addr, ...) \
	FIXTURE_VARIANT_ADD(fixture, protocol##_##name)			\
	{								\
		.c = {							\
			.proto = PROTO_##protocol,			\
			.server_side = s_side,				\
			.server = ADDR_##s_addr,			\
			.client_side = c_side,				\
			.client = ADDR_##c_addr,			\
			__VA_ARGS__					\
		},							\
	}
#define CASE(...)							\
	ADD(traffic, tcp, __VA_ARGS__);					\
	ADD(traffic, udp, __VA_ARGS__);					\
	ADD(traffic4, tcp, __VA_ARGS__);				\
	ADD(traffic4, udp, __VA_ARGS__)

#define NEEDS_RULE	.stock = EADDRNOTAVAIL, .on = 0

/*   name		server		client */
CASE(configured,	HOST, HOST,	PEER, PEER);
CASE(server,		HOST, ANY,	PEER, PEER,	NEEDS_RULE);
CASE(server_dummy0,	HOST, DUMMY,	PEER, PEER,	NEEDS_RULE);
CASE(client,		PEER, PEER,	HOST, ANY,	NEEDS_RULE);
CASE(client_dummy0,	PEER, PEER,	HOST, DUMMY,	NEEDS_RULE);
CASE(both_any_ip,	HOST, ANY,	HOST, ANY2,	NEEDS_RULE);
CASE(itself,		HOST, ANY,	HOST, ANY,	NEEDS_RULE);

/* a bound socket stays bound */
CASE(server_then_off,	HOST, ANY,	PEER, PEER,	NEEDS_RULE, .meanwhile = TOGGLE_OFF);
CASE(client_then_off,	PEER, PEER,	HOST, ANY,	NEEDS_RULE, .meanwhile = TOGGLE_OFF);
CASE(server_route_back,	HOST, DUMMY,	PEER, PEER,	NEEDS_RULE, .meanwhile = ROUTE_BACK);
CASE(client_route_back,	PEER, PEER,	HOST, DUMMY,	NEEDS_RULE, .meanwhile = ROUTE_BACK);

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
