// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing changes while we ask the module. Its answer must be that of the
 * kernel's own lookup in the same table.
 */

#include <linux/prandom.h>
#include <net/addrconf.h>

#include "suite.h"

#define P "2001:db8:1::/48"
#define Q "2001:db8:1:2::/64"
#define IN_P "2001:db8:1::7"
#define IN_Q "2001:db8:1:2::7"

struct quiet {
	const char *name;
	struct route routes[6];
	const char *addr;
	bool local;		/* what the kernel must answer, too */
};

static const struct nexthop_row nexthops[] = {
	{ 1, "d0" },
	{ 2, "d1" },
	{ 3 },
	{ 4, .group = BIT(1) | BIT(2) },
	{}
};

static const struct quiet quiet_rows[] = {
	{ "nothing", {}, IN_P, false },
	{ "local", { { P, RTN_LOCAL } }, IN_P, true },
	{ "local elsewhere", { { P, RTN_LOCAL } }, "2001:db8:2::7", false },
	{ "local on a device", { { P, RTN_LOCAL, .dev = "d0" } }, IN_P, true },
	{ "unicast", { { P, RTN_UNICAST, .dev = "d0" } }, IN_P, false },
	{ "unicast through lo", { { P, RTN_UNICAST } }, IN_P, false },
	{ "anycast", { { P, RTN_ANYCAST, .dev = "d0" } }, IN_P, false },
	{ "unreachable", { { P, RTN_UNREACHABLE } }, IN_P, false },
	{ "everything is local", { { "::/0", RTN_LOCAL } }, IN_P, true },
	{ "unreachable inside", { { P, RTN_LOCAL }, { Q, RTN_UNREACHABLE } }, IN_Q, false },
	{ "blackhole inside", { { P, RTN_LOCAL }, { Q, RTN_BLACKHOLE } }, IN_Q, false },
	{ "prohibit inside", { { P, RTN_LOCAL }, { Q, RTN_PROHIBIT } }, IN_Q, false },
	{ "throw inside", { { P, RTN_LOCAL }, { Q, RTN_THROW } }, IN_Q, false },
	{ "unicast inside", { { P, RTN_LOCAL }, { Q, RTN_UNICAST, .dev = "d1" } }, IN_Q, false },
	{ "anycast inside", { { P, RTN_LOCAL }, { Q, RTN_ANYCAST, .dev = "d1" } }, IN_Q, false },
	{ "beside what is inside", { { P, RTN_LOCAL }, { Q, RTN_UNREACHABLE } }, IN_P, true },
	{ "local inside", { { P, RTN_UNREACHABLE }, { Q, RTN_LOCAL } }, IN_Q, true },
	{ "one address", { { IN_Q, RTN_LOCAL } }, IN_Q, true },
	{ "lower metric decides: no",
	  { { P, RTN_LOCAL, .metric = 9 }, { P, RTN_UNREACHABLE, .metric = 8 } }, IN_P, false },
	{ "lower metric decides: yes",
	  { { P, RTN_LOCAL, .metric = 8 }, { P, RTN_UNREACHABLE, .metric = 9 } }, IN_P, true },
	{ "first of equals: no",
	  { { P, RTN_UNREACHABLE }, { P, RTN_LOCAL, .dev = "d0" } }, IN_P, false },
	{ "first of equals: yes",
	  { { P, RTN_LOCAL, .dev = "d0" }, { P, RTN_UNREACHABLE } }, IN_P, true },
	{ "low preference loses",
	  { { P, RTN_LOCAL, PREF_LOW, .dev = "d0" }, { P, RTN_UNREACHABLE } }, IN_P, false },
	{ "high preference of another wins",
	  { { P, RTN_LOCAL, .dev = "d0" }, { P, RTN_UNICAST, PREF_HIGH, .dev = "d1" } },
	  IN_P, false },
	{ "high preference wins",
	  { { P, RTN_UNICAST, .dev = "d1" }, { P, RTN_LOCAL, PREF_HIGH, .dev = "d0" } },
	  IN_P, true },
	{ "metric before preference",
	  { { P, RTN_LOCAL, PREF_LOW, 8, .dev = "d0" },
	    { P, RTN_UNICAST, PREF_HIGH, 9, .dev = "d1" } }, IN_P, true },
	{ "higher metrics by preference alone",
	  { { P, RTN_UNICAST, PREF_HIGH, 7, .dev = "d0", .expires = -5 },
	    { P, RTN_LOCAL, PREF_LOW, 8, .dev = "d0" },
	    { P, RTN_UNICAST, PREF_HIGH, 9, .dev = "d1" } }, IN_P, false },
	{ "nexthop object", { { P, RTN_LOCAL, .nhid = 1 } }, IN_P, true },
	{ "nexthop group", { { P, RTN_LOCAL, .nhid = 4 } }, IN_P, true },
	{ "nexthop group in between",
	  { { P, RTN_LOCAL }, { Q, RTN_UNICAST, .nhid = 4 } }, IN_Q, false },
	{ "blackhole object", { { P, RTN_LOCAL, .nhid = 3 } }, IN_P, false },
	{ "blackhole object after",
	  { { P, RTN_LOCAL, .dev = "d0" }, { P, RTN_UNICAST, .nhid = 3 } }, IN_P, false },
	{ "blackhole object after a better one",
	  { { P, RTN_LOCAL, PREF_HIGH, .dev = "d0" }, { P, RTN_LOCAL, .nhid = 3 } },
	  IN_P, false },
	{ "blackhole object of higher metric",
	  { { P, RTN_LOCAL, .metric = 8 }, { P, RTN_UNICAST, .metric = 9, .nhid = 3 } },
	  IN_P, true },
	{ "several gateways",
	  { { P, RTN_LOCAL, .dev = "d0", .via = "fe80::1" },
	    { P, RTN_LOCAL, .dev = "d1", .via = "fe80::2" } }, IN_P, true },
	{ "several gateways inside",
	  { { P, RTN_LOCAL }, { Q, RTN_UNICAST, .dev = "d0", .via = "fe80::1" },
	    { Q, RTN_UNICAST, .dev = "d1", .via = "fe80::2" } }, IN_Q, false },
	{ "expired", { { P, RTN_LOCAL, .expires = -5 } }, IN_P, false },
	{ "will expire", { { P, RTN_LOCAL, .expires = 500 } }, IN_P, true },
	{ "expired inside", { { P, RTN_LOCAL }, { Q, RTN_UNREACHABLE, .expires = -5 },
	    { Q, RTN_UNICAST, .dev = "d0", .expires = -5 } }, IN_P, true },
	{ "all inside expired",
	  { { P, RTN_LOCAL }, { Q, RTN_UNICAST, .dev = "d0", .expires = -5 } }, IN_Q, true },
	{ "from what covers no source", { { P, RTN_LOCAL, .from = "::/1" } }, IN_P, true },
	{ "from others", { { P, RTN_LOCAL, .from = "2001:db8:9::/48" } }, IN_P, false },
	{ "from others, and the plain one",
	  { { P, RTN_LOCAL }, { P, RTN_UNREACHABLE, .from = "2001:db8:9::/48" } }, IN_P, false },
	{ "from others, and a shorter one",
	  { { "2001:db8::/32", RTN_LOCAL }, { P, RTN_UNREACHABLE, .from = "2001:db8:9::/48" } },
	  IN_P, true },
	{ "from no source, refused",
	  { { P, RTN_LOCAL }, { P, RTN_UNREACHABLE, .from = "::/64" } }, IN_P, false },
	{ "from inside",
	  { { P, RTN_LOCAL }, { Q, RTN_UNREACHABLE, .from = "::/64" } }, IN_Q, false },
	{ "from others inside",
	  { { P, RTN_LOCAL }, { Q, RTN_UNREACHABLE, .from = "2001:db8:9::/48" } }, IN_Q, true },
	{ "replaced in place",
	  { { P, RTN_LOCAL }, { P, RTN_UNREACHABLE, .flags = NLM_F_REPLACE } }, IN_P, false },
};

static int nexthops_add(struct world *w)
{
	const struct nexthop_row *row;
	int err = 0;

	for (row = nexthops; row->id && !err; row++)
		err = world_nexthop(w, row, 0);
	return err;
}

static void judge_row(struct kunit *test, struct world *w, const struct quiet *row,
		      u32 table, const struct net_device *dev)
{
	struct in6_addr addr = addr_of(row->addr);

	KUNIT_ASSERT_EQ_MSG(test, routes_add(w, row->routes, table), 0, "%s", row->name);
	KUNIT_EXPECT_EQ_MSG(test, kernel_is_local(w->net, table, &addr), row->local,
			    "%s, table %u: the kernel", row->name, table);
	KUNIT_EXPECT_EQ_MSG(test, suite_ask(w->net, &addr, dev), row->local,
			    "%s, table %u", row->name, table);
}

/* Each row has its own world, so that none leaves routes for the next. */
void quiet_table(struct kunit *test)
{
	struct world w;
	int i;

	for (i = 0; i < ARRAY_SIZE(quiet_rows); i++) {
		KUNIT_ASSERT_EQ(test, world_init(&w), 0);
		KUNIT_ASSERT_EQ(test, nexthops_add(&w), 0);
		judge_row(test, &w, &quiet_rows[i], RT6_TABLE_LOCAL, NULL);
		judge_row(test, &w, &quiet_rows[i], VRF_TABLE, w.vrf);
		world_exit(&w);
	}
	kunit_info(test, "%zu sets of routes, in two tables", ARRAY_SIZE(quiet_rows));
}

/* Here the rule is stricter than the kernel: the device must be the socket's. */
static const struct quiet link_local_rows[] = {
	{ "its device", { { "fe80:1::/64", RTN_LOCAL, .dev = "d0" } }, "fe80:1::7", true },
	{ "another device", { { "fe80:1::/64", RTN_LOCAL, .dev = "d1" } }, "fe80:1::7", false },
	{ "its device after another",
	  { { "fe80:1::/64", RTN_UNICAST, PREF_HIGH, .dev = "d1" },
	    { "fe80:1::/64", RTN_LOCAL, .dev = "d0" } }, "fe80:1::7", true },
	{ "its device at a higher metric",
	  { { "fe80:1::/64", RTN_UNICAST, .metric = 8, .dev = "d1" },
	    { "fe80:1::/64", RTN_LOCAL, .metric = 9, .dev = "d0" } }, "fe80:1::7", true },
	{ "its device refuses",
	  { { "fe80:1::/64", RTN_LOCAL, .metric = 8, .dev = "d1" },
	    { "fe80:1::/64", RTN_UNICAST, .metric = 9, .dev = "d0" } }, "fe80:1::7", false },
};

void quiet_link_local(struct kunit *test)
{
	const struct quiet *row;
	struct in6_addr addr;
	struct world w;
	int i;

	for (i = 0; i < ARRAY_SIZE(link_local_rows); i++) {
		row = &link_local_rows[i];
		addr = addr_of(row->addr);
		KUNIT_ASSERT_EQ(test, world_init(&w), 0);
		KUNIT_ASSERT_EQ(test, routes_add(&w, row->routes, RT6_TABLE_LOCAL), 0);
		KUNIT_EXPECT_EQ_MSG(test, suite_ask(w.net, &addr, w.d0), row->local,
				    "%s", row->name);
		KUNIT_EXPECT_FALSE_MSG(test, suite_ask(w.net, &addr, NULL),
				       "%s, no device", row->name);
		world_exit(&w);
	}
}

#define OPS		40	/* changes in a sequence */
#define PLACES		24	/* different routes in it */

/* Nested and neighbouring prefixes, few enough to meet each other. */
static const u8 lengths[] = { 0, 16, 32, 47, 48, 49, 63, 64, 65, 96, 127, 128 };
static const u8 types[] = {
	RTN_LOCAL, RTN_LOCAL, RTN_LOCAL, RTN_UNICAST, RTN_UNREACHABLE, RTN_BLACKHOLE,
	RTN_PROHIBIT, RTN_THROW, RTN_ANYCAST,
};

static const char * const sources[] = { "::/1", "::/64", "2001:db8:9::/48", "8000::/1" };
static const char * const devices[] = { NULL, "d0", "d1" };

static struct in6_addr random_addr(struct rnd_state *rnd)
{
	struct in6_addr addr = addr_of("2001:db8:1:2::");

	/* One bit of each part, so that prefixes of all lengths differ and cover. */
	addr.s6_addr[5] ^= prandom_u32_state(rnd) & 1;
	addr.s6_addr[7] ^= prandom_u32_state(rnd) & 1;
	addr.s6_addr[8] = prandom_u32_state(rnd) & 0x80;
	addr.s6_addr[15] = prandom_u32_state(rnd) & 3;
	return addr;
}

/* A random route, to the prefix of @rival if that is given. */
static void random_config(struct world *w, struct rnd_state *rnd, u32 table,
			  const struct fib6_config *rival, struct fib6_config *cfg)
{
	u32 r = prandom_u32_state(rnd);
	struct route route = {
		.to = "::/0",
		.type = types[r % ARRAY_SIZE(types)],
		.metric = 8 + (r >> 8) % 3,
		.dev = devices[(r >> 12) % ARRAY_SIZE(devices)],
	};

	switch ((r >> 16) % 8) {
	case 0:
		route.pref = PREF_LOW;
		break;
	case 1:
		route.pref = PREF_HIGH;
		break;
	case 2:
		route.from = sources[(r >> 20) % ARRAY_SIZE(sources)];
		break;
	case 3:
		route.nhid = 1 + (r >> 20) % 4;
		break;
	case 4:
		route.expires = (r >> 20) % 2 ? -5 : 500;
		break;
	}
	route_config(w, &route, table, cfg);
	if (rival) {
		cfg->fc_dst_len = rival->fc_dst_len;
		cfg->fc_dst = rival->fc_dst;
		cfg->fc_metric = r & BIT(31) ? rival->fc_metric : cfg->fc_metric;
		return;
	}
	cfg->fc_dst_len = lengths[prandom_u32_state(rnd) % ARRAY_SIZE(lengths)];
	cfg->fc_dst = random_addr(rnd);
}

/* Adds, replaces or deletes. Some changes fail, as they should. */
static void random_change(struct rnd_state *rnd, struct fib6_config *cfg)
{
	switch (prandom_u32_state(rnd) % 8) {
	case 0 ... 1:
		route_del(cfg);
		break;
	case 2:
		route_add(cfg, NLM_F_REPLACE);
		break;
	default:
		route_add(cfg, 0);
	}
}

struct tally {
	unsigned long answers;
	unsigned long wrong;
	unsigned long allowed;
};

static void random_judge(struct kunit *test, struct world *w, struct rnd_state *rnd,
			 u32 seed, struct tally *tally)
{
	struct in6_addr addr = random_addr(rnd);
	bool vrf = prandom_u32_state(rnd) & 1;
	bool want, got;

	want = kernel_is_local(w->net, vrf ? VRF_TABLE : RT6_TABLE_LOCAL, &addr);
	got = suite_ask(w->net, &addr, vrf ? w->vrf : NULL);
	tally->answers++;
	tally->allowed += got;
	if (got == want)
		return;
	if (!tally->wrong++)
		kunit_info(test, "seed %u: %pI6c, table %s: %s, and the kernel: %s", seed, &addr,
			   vrf ? "of the VRF" : "local", got ? "allowed" : "refused",
			   want ? "local" : "not local");
}

static void random_sequence(struct kunit *test, u32 seed, struct tally *tally)
{
	static struct fib6_config places[PLACES];
	struct rnd_state rnd;
	struct world w;
	int i, ask;

	prandom_seed_state(&rnd, seed);
	KUNIT_ASSERT_EQ(test, world_init(&w), 0);
	KUNIT_ASSERT_EQ(test, nexthops_add(&w), 0);
	for (i = 0; i < PLACES; i++)
		random_config(&w, &rnd, i % 2 ? VRF_TABLE : RT6_TABLE_LOCAL,
			      i < PLACES / 2 ? NULL : &places[i - PLACES / 2], &places[i]);
	for (i = 0; i < OPS; i++) {
		random_change(&rnd, &places[prandom_u32_state(&rnd) % PLACES]);
		for (ask = 0; ask < 32; ask++)
			random_judge(test, &w, &rnd, seed, tally);
	}
	world_exit(&w);
}

void quiet_random(struct kunit *test)
{
	struct tally tally = {};
	int seed;

	for (seed = 1; seed <= suite_seeds; seed++) {
		random_sequence(test, seed, &tally);
		cond_resched();
	}
	kunit_info(test, "%d seeds, %lu answers, %lu of them yes, %lu wrong", suite_seeds,
		   tally.answers, tally.allowed, tally.wrong);
	KUNIT_EXPECT_EQ(test, tally.wrong, 0);
	KUNIT_EXPECT_GT(test, tally.allowed, tally.answers / 10);
	KUNIT_EXPECT_LT(test, tally.allowed, tally.answers * 9 / 10);
}
