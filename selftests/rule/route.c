// SPDX-License-Identifier: GPL-2.0
/* Routes come, go and change. Each bind gets the answer of that moment. */
#include <sys/socket.h>

#include "harness.h"

#define MAX_STEPS	4
#define SAME		-1

/*
 * An ip command and bind()'s errno after it. PREFIX is replaced by the family's
 * prefix.
 */
struct step {
	const char *ip;
	int on;
	int v4;		/* SAME: equals .on; otherwise IPv4 may differ */
};

struct route_case {
	struct step steps[MAX_STEPS];
	const char *undo;
};

/* One ip process serves both families. A line with PREFIX runs once for each family. */
static int route_ip(const char *cmd)
{
	static const char *const prefix[] = { "2001:db8:20::/64", "198.18.32.0/24" };
	const char *at = strstr(cmd, "PREFIX");
	char lines[256];
	int len = 0;

	if (!at)
		return ip_batch(AF_UNSPEC, cmd);
	for (size_t i = 0; i < ARRAY_SIZE(prefix); i++)
		len += snprintf(lines + len, sizeof(lines) - len, "%.*s%s%s\n",
				(int)(at - cmd), cmd, prefix[i],
				at + strlen("PREFIX"));
	return ip_batch(AF_UNSPEC, lines);
}

static int free_addr_bind(int family, struct proto proto)
{
	const struct bind_spec spec = { .proto = proto, .addr = ADDR_FREE };

	return -sock_try(family, &spec);
}

static const struct proto protos[] = { PROTO_tcp, PROTO_udp };

static int step_want(const struct step *s, int family, enum anyip6_mode mode)
{
	if (family == AF_INET)
		return s->v4 == SAME ? s->on : s->v4;
	return mode == MODE_ON ? s->on : EADDRNOTAVAIL;
}

static void step_check(struct __test_metadata *_metadata, const struct step *s,
		       int family)
{
	int want = step_want(s, family, mode_by_name(_metadata->name));

	for (size_t p = 0; p < ARRAY_SIZE(protos); p++)
		EXPECT_EQ(want, free_addr_bind(family, protos[p])) {
			TH_LOG("%s after ip %s",
			       addr_text(ADDR_FREE, family), s->ip);
		}
}

static void route_check(struct __test_metadata *_metadata,
			const struct route_case *c)
{
	for (int i = 0; i < MAX_STEPS && c->steps[i].ip; i++) {
		ASSERT_EQ(0, route_ip(c->steps[i].ip)) {
			TH_LOG("ip %s: %s", c->steps[i].ip, ip_message());
		}
		step_check(_metadata, &c->steps[i], AF_INET6);
		step_check(_metadata, &c->steps[i], AF_INET);
	}
}

FIXTURE(route) {};

FIXTURE_VARIANT(route) { struct route_case c; };

FIXTURE_SETUP(route)
{
	enter_host(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(route)
{
	route_ip("route flush root PREFIX table all");
	if (variant->c.undo)
		ip_batch(AF_UNSPEC, variant->c.undo);
}

TEST_EVERY_MODE(route, route_check(_metadata, &variant->c))

#define NO	EADDRNOTAVAIL

FIXTURE_VARIANT_ADD(route, added_removed)
{
	.c.steps = {
		{ "route add local PREFIX dev lo", 0, SAME },
		{ "route del local PREFIX dev lo", NO, SAME },
		{ "route add local PREFIX dev dummy0", 0, SAME },
	},
};

FIXTURE_VARIANT_ADD(route, replaced)
{
	.c.steps = {
		{ "route add local PREFIX dev lo", 0, SAME },
		{ "route replace unreachable PREFIX table local", NO, SAME },
		{ "route replace local PREFIX dev lo", 0, SAME },
	},
};

FIXTURE_VARIANT_ADD(route, only_in_other_table)
{
	.c.steps = {
		{ "route add local PREFIX dev lo table 100", NO, SAME },
		{ "route add local PREFIX dev lo", 0, SAME },
		{ "route del local PREFIX dev lo table local", NO, SAME },
	},
};

FIXTURE_VARIANT_ADD(route, device_removed)
{
	.c.steps = {
		{ "link add any0 up type dummy", NO, SAME },
		{ "route add local PREFIX dev any0", 0, SAME },
		{ "link del any0", NO, SAME },
	},
	.c.undo = "link del any0",
};

FIXTURE_VARIANT_ADD(route, device_down)
{
	.c.steps = {
		{ "link add any0 up type dummy", NO, SAME },
		{ "route add local PREFIX dev any0", 0, SAME },
		{ "link set any0 down", NO, 0 },
	},
	.c.undo = "link del any0",
};

/* Here the prefixes are holes in a wider prefix. */
FIXTURE_VARIANT_ADD(route, hole)
{
	.c.steps = {
		{ "route add local 2001:db8::/32 dev lo", 0, NO },
		{ "route add local 198.0.0.0/8 dev lo", 0, 0 },
		{ "route add blackhole PREFIX table local", NO, SAME },
		{ "route del blackhole PREFIX table local", 0, SAME },
	},
	.c.undo = "route del local 2001:db8::/32 dev lo table local\n"
		  "route del local 198.0.0.0/8 dev lo table local\n",
};

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
