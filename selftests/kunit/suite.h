/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the suite share: a world, its routes, and the judge. */
#ifndef ANYIP6_KUNIT_SUITE_H
#define ANYIP6_KUNIT_SUITE_H

#include <kunit/test.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <net/ip6_fib.h>
#include <net/net_namespace.h>

#include "anyip6.h"

#define VRF_TABLE	100
#define PREF_LOW	ICMPV6_ROUTER_PREF_LOW
#define PREF_HIGH	ICMPV6_ROUTER_PREF_HIGH

/* A new namespace, with devices that are up. */
struct world {
	struct net *net;
	struct socket *rtnl;
	struct net_device *d0;
	struct net_device *d1;
	struct net_device *vrf;
};

/* A route as for `ip -6 route`, with the defaults of that tool. */
struct route {
	const char *to;		/* "2001:db8::/64" */
	u8 type;
	u8 pref;
	u32 metric;
	u32 nhid;
	const char *from;
	const char *dev;	/* lo by default */
	const char *via;
	int expires;		/* in seconds; negative: it has expired */
	u16 flags;		/* NLM_F_APPEND or NLM_F_REPLACE */
};

/* A nexthop object. @group has a bit for each member of a group. */
struct nexthop_row {
	u32 id;
	const char *dev;	/* NULL: a blackhole */
	u32 group;
};

/*
 * For threads that never sleep. With CONFIG_PREEMPT cond_resched() does nothing,
 * and a processor of User Mode Linux can miss its tick. What has to run there,
 * such as the work that takes a namespace apart under the rtnl, would wait.
 */
static inline void let_others_run(void)
{
	schedule();
}

int world_init(struct world *w);
void world_exit(struct world *w);
int world_nexthop(struct world *w, const struct nexthop_row *row, u16 flags);
int world_link(struct world *w, struct net_device *dev, bool up);

struct in6_addr addr_of(const char *text);
int prefix_of(const char *text, struct in6_addr *addr);

int route_config(struct world *w, const struct route *route, u32 table,
		 struct fib6_config *cfg);
int route_add(struct fib6_config *cfg, u16 flags);
int route_del(const struct fib6_config *cfg);
int routes_add(struct world *w, const struct route *routes, u32 table);

bool kernel_is_local(struct net *net, u32 table, const struct in6_addr *addr);

extern int suite_seconds;
extern ulong suite_answers;
extern ulong suite_changes;
extern int suite_rounds;
extern int suite_seeds;

static inline bool suite_ask(struct net *net, const struct in6_addr *addr,
			     const struct net_device *dev)
{
	return anyip6_is_local(net, addr, dev, 0, ANYIP6_ASKER_SOCKET);
}

void quiet_table(struct kunit *test);
void quiet_link_local(struct kunit *test);
void quiet_random(struct kunit *test);
void latency(struct kunit *test);

extern struct kunit_case race_cases[];

#endif
