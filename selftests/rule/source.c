// SPDX-License-Identifier: GPL-2.0
/*
 * The source that a route names, "ip -6 route ... src". The rule asks the domain
 * of the route's device. Without the rule, only a configured address will do.
 */
#include "decision.h"
#include "harness.h"
#include "rtnl.h"

struct source_case {
	enum anyip6_addr addr;
	enum step decided;	/* by a socket that is bound to the device */
	const char *dev;
};

/* A route has a device, veth0 if nothing else is said. It is the scope too. */
static const char *route_dev(const struct source_case *c)
{
	return c->dev ?: "veth0";
}

/* Where a route is unlike a socket that is not bound to a device */
static enum step route_decided(const struct source_case *c)
{
	if (c->decided == NO_SCOPE)
		return ALLOWED;
	if (c->decided == IPV4)
		return NOT_UNICAST;
	return c->addr == ADDR_LOOPBACK ? CONFIGURED : c->decided;
}

static int source_want(const struct source_case *c, enum anyip6_mode mode)
{
	const struct decision *d = &decisions[route_decided(c)];

	return (mode == MODE_ON ? d->on : d->stock) ? EINVAL : 0;
}

FIXTURE(source) {};

FIXTURE_VARIANT(source) { struct source_case c; };

FIXTURE_SETUP(source)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(source) {}

static void source_check(struct __test_metadata *_metadata, const struct source_case *c)
{
	const enum anyip6_mode mode = mode_by_name(_metadata->name);

	EXPECT_EQ(source_want(c, mode), -route_try(route_dev(c), c->addr)) {
		TH_LOG("dev %s src %s", route_dev(c), addr_text(c->addr, AF_INET6));
	}
}

TEST_EVERY_MODE(source, source_check(_metadata, &variant->c))

#define DEV(name)	.c.dev = name
#define SCOPE		DEV
#define V4(err)
#define CASE(name, _addr, _decided, reason, ...)			\
	FIXTURE_VARIANT_ADD(source, name)				\
	{								\
		.c = { .addr = ADDR_##_addr, .decided = _decided, },	\
		__VA_ARGS__						\
	}
#define CASE_V6		CASE

#include "cases.h"

/* Routes that change, and routes of other forms */

#define PREFIX		"2001:db8:77::/64"
#define MAX_STEPS	5

/* A command of ip, whether it works with the rule and without it, and the route then. */
struct step_of_route {
	const char *ip;
	bool on, stock;
	const char *shows;
};

FIXTURE(changed) {};

FIXTURE_VARIANT(changed)
{
	struct step_of_route steps[MAX_STEPS];
	const char *undo;
};

FIXTURE_SETUP(changed)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(changed)
{
	ip_run("-6 route flush root " PREFIX " table all");
	if (variant->undo)
		ip_run("%s", variant->undo);
}

static void changed_check(struct __test_metadata *_metadata, const struct step_of_route *s)
{
	const bool on = mode_by_name(_metadata->name) == MODE_ON;

	for (int i = 0; i < MAX_STEPS && s[i].ip; i++) {
		EXPECT_EQ(on ? s[i].on : s[i].stock, !ip_run("%s", s[i].ip)) {
			TH_LOG("ip %s: %s", s[i].ip, ip_message());
		}
		if (!on || !s[i].shows)
			continue;
		ip_run("-6 -o route show " PREFIX " table all");
		EXPECT_NE(NULL, strstr(ip_message(), s[i].shows)) {
			TH_LOG("after ip %s: %s", s[i].ip, ip_message());
		}
	}
}

TEST_EVERY_MODE(changed, changed_check(_metadata, variant->steps))

#define ADD		"-6 route add " PREFIX " "
#define REPLACE		"-6 route replace " PREFIX " "
#define NEXTHOP(dev)	"nexthop via fe80::2 dev " dev " "

/* A refused change leaves the route as it is. */
FIXTURE_VARIANT_ADD(changed, replaced)
{
	.steps = {
		{ ADD "dev veth0 src 2001:db8:1::1", true, true, "src 2001:db8:1::1 " },
		{ REPLACE "dev veth0 src 2001:db8:a::1", true, false, "src 2001:db8:a::1 " },
		{ REPLACE "dev veth0 src 2001:db8:a:0:1::1", false, false, "src 2001:db8:a::1 " },
		{ REPLACE "dev veth1 src 2001:db8:a::1", false, false, "src 2001:db8:a::1 " },
		{ REPLACE "dev veth0 src 2001:db8:a::2", true, false, "src 2001:db8:a::2 " },
	},
};

/* The route that makes the source local comes and goes. */
FIXTURE_VARIANT_ADD(changed, local_route)
{
	.steps = {
		{ ADD "dev veth0 src 2001:db8:20::1", false, false },
		{ "-6 route add local 2001:db8:20::/64 dev lo", true, true },
		{ ADD "dev veth0 src 2001:db8:20::1", true, false, "src 2001:db8:20::1 " },
		{ "-6 route del local 2001:db8:20::/64 dev lo table local", true, true,
		  "src 2001:db8:20::1 " },
		{ REPLACE "dev dummy0 src 2001:db8:20::1", false, false, "src 2001:db8:20::1 " },
	},
};

FIXTURE_VARIANT_ADD(changed, gateway)
{
	.steps = {
		{ ADD "via 2001:db8:1::2 src 2001:db8:a::1", true, false, "src 2001:db8:a::1 " },
		{ REPLACE "via 2001:db8:a::1 dev veth0 src 2001:db8:a::1", false, false,
		  "via 2001:db8:1::2 " },
	},
};

FIXTURE_VARIANT_ADD(changed, nexthop_object)
{
	.steps = {
		{ "-6 nexthop add id 77 dev veth0", true, true },
		{ ADD "nhid 77 src 2001:db8:a::1", true, false, "src 2001:db8:a::1 " },
		{ REPLACE "nhid 77 src 2001:db8:f::1", false, false, "src 2001:db8:a::1 " },
	},
	.undo = "nexthop del id 77",
};

FIXTURE_VARIANT_ADD(changed, multipath)
{
	.steps = {
		{ ADD "src 2001:db8:a::1 " NEXTHOP("veth0") NEXTHOP("dummy0"), true, false,
		  "src 2001:db8:a::1 " },
		/* the domain of each device is asked */
		{ REPLACE "src 2001:db8:a::2 " NEXTHOP("dummy0") NEXTHOP("veth1"), false, false,
		  "src 2001:db8:a::1 " },
	},
};

/*
 * A configured address is the source of a route, and goes. A local route still
 * covers it. Newer kernels ask then whether the address is here. Older ones take
 * it out of the routes of its device.
 */

#define GOES		"2001:db8:a:0:d::1"

FIXTURE(deconfigured) {};

FIXTURE_SETUP(deconfigured)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(deconfigured)
{
	ip_run("-6 route flush root " PREFIX " table all");
	ip_run("-6 addr del " GOES "/128 dev veth0");
}

static bool source_stays(struct __test_metadata *_metadata)
{
	bool stays;

	ASSERT_EQ(0, ip_run("-6 addr add " GOES "/128 dev dummy0 nodad"));
	ASSERT_EQ(0, ip_run("-6 route add " PREFIX " dev dummy0 src " GOES));
	ASSERT_EQ(0, ip_run("-6 addr del " GOES "/128 dev dummy0"));
	ASSERT_EQ(0, ip_run("-6 -o route show " PREFIX " table all"));
	stays = strstr(ip_message(), "src " GOES);
	ip_run("-6 route flush root " PREFIX " table all");
	return stays;
}

static void deconfigured_check(struct __test_metadata *_metadata)
{
	const bool on = mode_by_name(_metadata->name) == MODE_ON;
	bool stays = source_stays(_metadata), asks;

	/* The kernel's own judgement: the address is also on another device. */
	ASSERT_EQ(0, ip_run("-6 addr add " GOES "/128 dev veth0 nodad"));
	asks = source_stays(_metadata);
	EXPECT_EQ(on && asks, stays);
}

TEST_EVERY_MODE(deconfigured, deconfigured_check(_metadata))

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
