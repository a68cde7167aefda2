// SPDX-License-Identifier: GPL-2.0
/*
 * Does what src/local.c and the kernel's own check do, with the state that the
 * kernel tells by netlink, and gives a reason for each answer.
 */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anyip6.h"
#include "rule.h"

enum fit { UNUSABLE, OTHER_DEVICE, FITS };

/* The fit counts first, then the router preference. */
#define SCORE(fit, pref)	((fit) << 2 | (pref))

const char *step_word(enum step step)
{
#define STEP_WORD(name, counter, word) [STEP_##name] = word,
	static const char *const words[] = {
		ANYIP6_STEPS(STEP_WORD, STEP_WORD)
		OTHER_STEPS(STEP_WORD)
	};

	return words[step];
}

const char *step_reason(enum step step, uint32_t table)
{
	static const char *const formats[] = {
		[STEP_ALLOWED] = "a local route in table %s",
		[STEP_OFF] = "net.ipv6.anyip_bind is 0 here",
		[STEP_NOT_UNICAST] = "not a unicast address",
		[STEP_CONFIGURED] = "configured, but tentative, dadfailed or of another device",
		[STEP_NO_ROUTE] = "no local route to it in table %s",
		[STEP_CARVED_OUT] = "a route in table %s that is not local decides",
		[STEP_WRONG_DEVICE] = "its local route in table %s has another device",
	};
	static char text[96];

	snprintf(text, sizeof(text), formats[step], table_text(table));
	return text;
}

__attribute__((format(printf, 4, 5)))
static void say(struct answer *a, enum verdict is, enum step step,
		const char *fmt, ...)
{
	va_list args;

	a->verdict = is;
	a->step = step;
	a->route = (struct route_words){};
	a->lack = LACK_NOTHING;
	va_start(args, fmt);
	vsnprintf(a->reason, sizeof(a->reason), fmt, args);
	va_end(args);
}

/* The answer is about this route. */
static void name_route(const struct fib *fib, const struct route *r, struct answer *a)
{
	struct route_words *w = &a->route;

	snprintf(w->type, sizeof(w->type), "%s", route_type(r));
	snprintf(w->prefix, sizeof(w->prefix), "%s", route_prefix(r));
	snprintf(w->table, sizeof(w->table), "%s", table_text(r->table));
	snprintf(w->device, sizeof(w->device), "%s", r->n_nexthops ?
		 fib_link_name(fib, r->nexthops[0].link) : "");
}

static bool tentative(const struct addr *addr)
{
	return (addr->flags & IFA_F_TENTATIVE) && !(addr->flags & IFA_F_OPTIMISTIC);
}

static bool counts_on(const struct addr *addr, const struct link *dev)
{
	return !dev || addr->link == dev->index ||
	       (addr->scope != RT_SCOPE_LINK && addr->scope != RT_SCOPE_HOST);
}

static bool in_domain(const struct fib *fib, const struct addr *addr,
		      const struct link *dev)
{
	return fib_vrf(fib, fib_link(fib, addr->link)) == fib_vrf(fib, dev);
}

/* As ipv6_chk_addr(): the address if it is configured and counts for @dev. */
static const struct addr *usable(const struct fib *fib, const struct in6_addr *ip,
				 const struct link *dev)
{
	for (size_t i = 0; i < fib->n_addrs; i++) {
		const struct addr *addr = &fib->addrs[i];

		if (!memcmp(&addr->ip, ip, sizeof(*ip)) && !tentative(addr) &&
		    counts_on(addr, dev) && in_domain(fib, addr, dev))
			return addr;
	}
	return NULL;
}

/* The address in any state, on any device of the domain or of all domains. */
static const struct addr *configured(const struct fib *fib,
				     const struct in6_addr *ip,
				     const struct link *dev, bool any_domain)
{
	for (size_t i = 0; i < fib->n_addrs; i++) {
		const struct addr *addr = &fib->addrs[i];

		if (!memcmp(&addr->ip, ip, sizeof(*ip)) &&
		    (any_domain || in_domain(fib, addr, dev)))
			return addr;
	}
	return NULL;
}

static void say_configured(const struct fib *fib, const struct addr *addr,
			   const struct link *dev, struct answer *a)
{
	const char *name = fib_link_name(fib, addr->link);

	if (addr->flags & IFA_F_DADFAILED)
		say(a, REFUSED, STEP_CONFIGURED,
		    "configured on %s but dadfailed: another host has it", name);
	else if (tentative(addr))
		say(a, REFUSED, STEP_CONFIGURED, "configured on %s but tentative", name);
	else if (a->ndisc)
		say(a, REFUSED, STEP_CONFIGURED,
		    "configured on %s, and the solicitation arrives at %s", name, dev->name);
	else
		say(a, REFUSED, STEP_CONFIGURED,
		    "configured on %s, and the socket is bound to %s", name,
		    dev ? dev->name : "no device");
}

/* The table */

static enum fit fit(const struct route *r, const struct link *dev)
{
	enum fit best = UNUSABLE;

	if (r->expired)
		return UNUSABLE;
	/* Neither the route nor the dump of objects spells the nexthop out. */
	if (!r->n_nexthops)
		return FITS;
	for (int i = 0; i < r->n_nexthops; i++) {
		enum fit f = dev && dev->index != r->nexthops[i].link ?
			OTHER_DEVICE : FITS;

		/* the kernel sets DEAD for linkdown too, if that matters */
		if (!(r->nexthops[i].flags & RTNH_F_DEAD) && f > best)
			best = f;
	}
	return best;
}

static unsigned int score(const struct route *r, const struct link *dev)
{
	enum fit f = fit(r, dev);

	return f == UNUSABLE ? 0 : SCORE(f, r->pref);
}

/*
 * Finds the best of @n routes to one prefix for the same sources, among those of
 * the lowest metric. If none of them fits, it takes the best of all others. A
 * nexthop object that is a blackhole ends the search. See anyip6_select().
 */
static const struct route *select_route(const struct route *const *routes, size_t n,
					const struct link *dev, unsigned int *best)
{
	const struct route *chosen = NULL;
	bool others = false;

	*best = 0;
	for (size_t i = 0; i < n; i++) {
		const struct route *r = routes[i];

		if (!others && r->metric != routes[0]->metric) {
			if (*best >= SCORE(FITS, 0))
				break;
			others = true;
		}
		if (r->blackhole && !r->expired)
			return r;
		if (score(r, dev) <= *best)
			continue;
		*best = score(r, dev);
		chosen = r;
	}
	return chosen;
}

/* Routes in the order in which the kernel meets them on its way up. */
struct way {
	const struct route **routes;
	size_t n;
};

/* The longer prefix comes first, then the longer prefix of sources. */
static unsigned int rank(const struct route *r)
{
	return r->len << 8 | r->src_len;
}

/* Inserts it behind its equals, as the dump is in the kernel's order. */
static void insert(struct way *way, const struct route *r)
{
	size_t at = way->n++;

	for (; at && rank(way->routes[at - 1]) < rank(r); at--)
		way->routes[at] = way->routes[at - 1];
	way->routes[at] = r;
}

static struct way way_from(const struct fib *fib, const struct in6_addr *ip,
			   uint32_t table)
{
	struct way way = {
		need(calloc(fib->n_routes + 1, sizeof(*way.routes))), 0
	};

	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->table == table && route_covers(r, ip) && route_for_any_source(r))
			insert(&way, r);
	}
	return way;
}

/*
 * Whether the kernel's search for the first prefix skips a route for all
 * sources. It skips a prefix that also has routes for some sources, unless one
 * of these is for ours. It never skips the root. From the first prefix it goes
 * up, and there it skips none. See fib6_node_lookup_1() and fib6_backtrack().
 */
static bool hidden(const struct fib *fib, const struct route *r)
{
	for (size_t i = 0; r->len && !r->src_len && i < fib->n_routes; i++) {
		const struct route *other = &fib->routes[i];

		if (other->src_len && other->table == r->table &&
		    other->len == r->len && route_covers(other, &r->dst))
			return true;
	}
	return false;
}

static const struct route *lookup(const struct fib *fib, const struct in6_addr *ip,
				  uint32_t table, const struct link *dev,
				  unsigned int *best)
{
	struct way way = way_from(fib, ip, table);
	const struct route *const *at = way.routes, *const *end = at + way.n;
	const struct route *chosen = NULL;
	bool started = false;
	size_t n;

	for (; !chosen && at < end; at += n) {
		for (n = 1; at + n < end && rank(at[n]) == rank(at[0]); n++)
			;
		if (!started && hidden(fib, at[0]))
			continue;
		started = true;
		chosen = select_route(at, n, dev, best);
	}
	free(way.routes);
	return chosen;
}

/* Prefers a route of the asked table, then the longer one, then one for any source. */
static bool tells_more(const struct route *r, const struct route *than, uint32_t table)
{
	bool ours = r->table == table;

	if (!than)
		return true;
	if (r->table != than->table && (ours || than->table == table))
		return ours;
	if (r->len != than->len)
		return r->len > than->len;
	return route_for_any_source(r) && !route_for_any_source(than);
}

/* After no route was found: a local one in another table, or an unusable one. */
static const struct route *near_miss(const struct fib *fib,
				     const struct in6_addr *ip, uint32_t table)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->type == RTN_LOCAL && route_covers(r, ip) &&
		    tells_more(r, best, table))
			best = r;
	}
	return best;
}

static const struct link *vrf_of_table(const struct fib *fib, uint32_t table)
{
	for (size_t i = 0; i < fib->n_links; i++)
		if (fib->links[i].vrf_table == table)
			return &fib->links[i];
	return NULL;
}

static void say_elsewhere(const struct fib *fib, const struct route *r,
			  const struct link *dev, struct answer *a)
{
	const struct link *theirs = vrf_of_table(fib, r->table);
	const struct link *ours = fib_vrf(fib, dev);

	if (theirs)
		say(a, REFUSED, STEP_NO_ROUTE, "%s is of VRF %s, to which %s",
		    route_text(fib, r), theirs->name,
		    a->ndisc ? "the device does not belong" : "the socket is not bound");
	else if (ours && r->table == RT_TABLE_LOCAL)
		say(a, REFUSED, STEP_NO_ROUTE, "%s is not of VRF %s, to which %s",
		    route_text(fib, r), ours->name,
		    a->ndisc ? "the device belongs" : "the socket is bound");
	else
		say(a, REFUSED, STEP_NO_ROUTE, "route is in table %s, which %s: %s %s",
		    table_text(r->table),
		    a->ndisc ? "does not count" : "bind does not read",
		    route_type(r), route_prefix(r));
	name_route(fib, r, a);
	a->lack = theirs ? LACK_VRF : LACK_ROUTE;
	snprintf(a->vrf, sizeof(a->vrf), "%s", theirs ? theirs->name : "");
}

static const char *not_usable(const struct route *r)
{
	if (r->expired)
		return "is expired";
	if (!route_for_any_source(r))
		return "is only for these sources";
	if (fit(r, NULL) == UNUSABLE)
		return "is dead or linkdown";
	return "is hidden by routes of its prefix that are only for some sources";
}

static void say_no_route(const struct fib *fib, const struct in6_addr *ip,
			 const struct link *dev, uint32_t table, struct answer *a)
{
	const struct addr *addr = configured(fib, ip, dev, true);
	const struct route *r = near_miss(fib, ip, table);

	if (addr) {
		say(a, REFUSED, STEP_NO_ROUTE,
		    "configured on %s, of another L3 domain (VRF) than the %s",
		    fib_link_name(fib, addr->link), a->ndisc ? "device" : "socket");
	} else if (r && r->table == table) {
		say(a, REFUSED, STEP_NO_ROUTE, "%s %s", route_text(fib, r),
		    not_usable(r));
		name_route(fib, r, a);
	} else if (r) {
		say_elsewhere(fib, r, dev, a);
	} else {
		say(a, REFUSED, STEP_NO_ROUTE, "%s", step_reason(STEP_NO_ROUTE, table));
		a->lack = LACK_ROUTE;
	}
}

/* The local route that would have decided without a better one. */
static const struct route *rival(const struct fib *fib, const struct in6_addr *ip,
				 uint32_t table)
{
	struct way way = way_from(fib, ip, table);
	const struct route *r = NULL;

	for (size_t i = 0; !r && i < way.n; i++)
		if (way.routes[i]->type == RTN_LOCAL &&
		    fit(way.routes[i], NULL) != UNUSABLE)
			r = way.routes[i];
	free(way.routes);
	return r;
}

static void say_carved_out(const struct fib *fib, const struct in6_addr *ip,
			   const struct route *r, struct answer *a)
{
	const struct route *local = rival(fib, ip, r->table);

	if (r->blackhole)
		say(a, REFUSED, STEP_CARVED_OUT, "%s decides: nexthop %u is a blackhole",
		    route_text(fib, r), r->object);
	else if (local && local->len < r->len)
		say(a, REFUSED, STEP_CARVED_OUT, "%s is more specific", route_text(fib, r));
	else if (!local || rank(local) != rank(r))
		say(a, REFUSED, STEP_CARVED_OUT, "%s decides", route_text(fib, r));
	else if (r->metric < local->metric)
		say(a, REFUSED, STEP_CARVED_OUT, "%s has a lower metric than %s",
		    route_text(fib, r), route_text(fib, local));
	else if (r->pref > local->pref)
		say(a, REFUSED, STEP_CARVED_OUT, "%s is preferred to %s",
		    route_text(fib, r), route_text(fib, local));
	else
		say(a, REFUSED, STEP_CARVED_OUT, "%s decides", route_text(fib, r));
	name_route(fib, r, a);
}

/* What the table says. */
static void ask_table(const struct fib *fib, const struct in6_addr *ip,
		      const struct link *dev, uint32_t table, struct answer *a)
{
	bool scoped = IN6_IS_ADDR_LINKLOCAL(ip);
	const struct route *r;
	unsigned int best;

	r = lookup(fib, ip, table, scoped ? dev : NULL, &best);
	if (!r) {
		say_no_route(fib, ip, dev, table, a);
		return;
	}
	if (r->type != RTN_LOCAL || r->blackhole)
		say_carved_out(fib, ip, r, a);
	else if (best < SCORE(FITS, 0))
		say(a, REFUSED, STEP_WRONG_DEVICE, "%s, and the socket is bound to %s",
		    route_text(fib, r), dev->name);
	else
		say(a, ALLOWED, STEP_ALLOWED, "%s", route_text(fib, r));
	name_route(fib, r, a);
}

/* The module's answer when it is loaded and on and the kernel's check said no. */
void rule_any_ip(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, struct answer *a)
{
	const struct link *vrf = fib_vrf(fib, dev);
	const struct addr *addr = configured(fib, ip, dev, false);

	if (addr)
		say_configured(fib, addr, dev, a);
	else
		ask_table(fib, ip, dev, vrf ? vrf->vrf_table : RT_TABLE_LOCAL, a);
}

/* The answer with the module and its toggle as they are now. */
void rule_kernel(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, const struct state *state,
		 struct answer *a)
{
	const struct addr *addr = usable(fib, ip, dev);

	if (IN6_IS_ADDR_UNSPECIFIED(ip))
		say(a, ALLOWED, STEP_WILDCARD, "every address of the host");
	else if (IN6_IS_ADDR_V4MAPPED(ip))
		say(a, UNKNOWN, STEP_IPV4, "IPv4-mapped, so IPv4's own rule decides");
	else if (IN6_IS_ADDR_MULTICAST(ip))
		say(a, UNKNOWN, STEP_MULTICAST,
		    "multicast, so the kernel's own answer for this protocol");
	else if (IN6_IS_ADDR_LINKLOCAL(ip) && !dev)
		say(a, REFUSED, STEP_SCOPE, "link-local: a device is needed (--dev)");
	else if (addr)
		say(a, ALLOWED, STEP_CONFIGURED, "configured on %s",
		    fib_link_name(fib, addr->link));
	else if (state->nonlocal)
		say(a, ALLOWED, STEP_NONLOCAL, "net.ipv6.ip_nonlocal_bind=1");
	else if (!state->loaded)
		say(a, REFUSED, STEP_NOT_LOADED, "not configured, and anyip6 is not loaded");
	else if (!state->on)
		say(a, REFUSED, STEP_OFF, "%s", step_reason(STEP_OFF, 0));
	else
		rule_any_ip(fib, ip, dev, a);
}

/* As ndisc_recv_ns(): the address in any state, on the device or on its VRF. */
static const struct addr *of_device(const struct fib *fib, const struct in6_addr *ip,
				    const struct link *dev)
{
	const struct link *vrf = fib_vrf(fib, dev);

	for (size_t i = 0; i < fib->n_addrs; i++) {
		const struct addr *addr = &fib->addrs[i];

		if (!memcmp(&addr->ip, ip, sizeof(*ip)) &&
		    (addr->link == dev->index || (vrf && addr->link == vrf->index)))
			return addr;
	}
	return NULL;
}

/* The module's answer when all switches are on. */
void rule_ndisc_any_ip(const struct fib *fib, const struct in6_addr *ip,
		       const struct link *dev, struct answer *a)
{
	a->ndisc = true;
	if (IN6_IS_ADDR_LINKLOCAL(ip))
		say(a, REFUSED, STEP_LINK_LOCAL, "link-local, and not configured on %s",
		    dev->name);
	else if (IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_V4MAPPED(ip))
		say(a, REFUSED, STEP_NOT_UNICAST, "%s", step_reason(STEP_NOT_UNICAST, 0));
	else
		rule_any_ip(fib, ip, dev, a);
}

/*
 * The answer with the module and its switches as they are now. Anycast addresses
 * and the kernel's own proxy are left out: no prefix brings them.
 */
void rule_ndisc(const struct fib *fib, const struct in6_addr *ip,
		const struct link *dev, const struct state *state,
		struct answer *a)
{
	const struct addr *addr = of_device(fib, ip, dev);

	a->ndisc = true;
	if (IN6_IS_ADDR_MULTICAST(ip))
		say(a, REFUSED, STEP_MULTICAST, "multicast");
	else if (addr && tentative(addr))
		say_configured(fib, addr, dev, a);
	else if (addr)
		say(a, ALLOWED, STEP_CONFIGURED, "configured on %s",
		    fib_link_name(fib, addr->link));
	else if (!state->loaded)
		say(a, REFUSED, STEP_NOT_LOADED,
		    "not configured on %s, and anyip6 is not loaded", dev->name);
	else if (!state->has_ndisc)
		say(a, REFUSED, STEP_PARAMETER, "anyip6 was loaded without ndisc=1");
	else if (!state->ndisc)
		say(a, REFUSED, STEP_NDISC_OFF, "net.ipv6.anyip_ndisc is 0 here");
	else if (!state->proxy_ndp)
		say(a, REFUSED, STEP_PROXY_NDP, "net.ipv6.conf.%s.proxy_ndp is 0",
		    dev->name);
	else if (!state->on)
		say(a, REFUSED, STEP_OFF, "%s", step_reason(STEP_OFF, 0));
	else
		rule_ndisc_any_ip(fib, ip, dev, a);
}
