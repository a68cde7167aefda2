// SPDX-License-Identifier: GPL-2.0
/*
 * The rule once more, from what the kernel tells of its state: src/local.c and
 * the kernel's own check, but with reasons.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "anyip6.h"
#include "rule.h"

enum fit { UNUSABLE, OTHER_DEVICE, FITS };

__attribute__((format(printf, 4, 5)))
static void say(struct answer *a, enum verdict is, const char *step,
		const char *fmt, ...)
{
	va_list args;

	a->verdict = is;
	a->step = step;
	va_start(args, fmt);
	vsnprintf(a->reason, sizeof(a->reason), fmt, args);
	va_end(args);
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

/* ipv6_chk_addr(): the address, if it is configured and counts for @dev. */
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

/* In any state, on any device of the domain, or of any domain. */
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
		say(a, REFUSED, "configured",
		    "configured on %s but dadfailed: another host has it", name);
	else if (tentative(addr))
		say(a, REFUSED, "configured", "configured on %s but tentative", name);
	else
		say(a, REFUSED, "configured",
		    "configured on %s, and the socket is bound to %s", name,
		    dev ? dev->name : "no device");
}

/* The table */

static enum fit fit(const struct route *r, const struct link *dev)
{
	enum fit best = UNUSABLE;

	if (r->expired)
		return UNUSABLE;
	/* A nexthop object that the kernel does not spell out */
	if (!r->n_nexthops)
		return FITS;
	for (int i = 0; i < r->n_nexthops; i++) {
		enum fit f = dev && dev->index != r->nexthops[i].link ?
			OTHER_DEVICE : FITS;

		/* the kernel says so of linkdown too, where that matters */
		if (!(r->nexthops[i].flags & RTNH_F_DEAD) && f > best)
			best = f;
	}
	return best;
}

static bool is_candidate(const struct route *r, const struct in6_addr *ip,
			 uint32_t table, unsigned int len)
{
	return r->table == table && r->len == len && !r->from && route_covers(r, ip);
}

/*
 * The kernel's order within a prefix is by metric, and the dump keeps it. A route
 * through the device that is wanted may have a higher one than another.
 */
static const struct route *select_route(const struct fib *fib,
					const struct in6_addr *ip, uint32_t table,
					unsigned int len, const struct link *dev,
					enum fit *best)
{
	const struct route *chosen = NULL;

	*best = UNUSABLE;
	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];
		enum fit f;

		if (!is_candidate(r, ip, table, len))
			continue;
		if (*best == FITS && chosen->metric != r->metric)
			break;
		f = fit(r, dev);
		if (f <= *best)
			continue;
		*best = f;
		chosen = r;
	}
	return chosen;
}

static const struct route *lookup(const struct fib *fib, const struct in6_addr *ip,
				  uint32_t table, const struct link *dev,
				  enum fit *best)
{
	const struct route *r = NULL;

	for (int len = 128; !r && len >= 0; len--)
		r = select_route(fib, ip, table, len, dev, best);
	return r;
}

/* The more telling of two: of the table that is asked, else the longer. */
static bool tells_more(const struct route *r, const struct route *than, uint32_t table)
{
	bool ours = r->table == table, theirs;

	if (!than)
		return true;
	theirs = than->table == table;
	return ours == theirs ? r->len > than->len : ours;
}

/* A local route to it that is in another table, or is not usable in this. */
static const struct route *near_miss(const struct fib *fib,
				     const struct in6_addr *ip, uint32_t table)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->type != RTN_LOCAL || !route_covers(r, ip) ||
		    (r->table == table && fit(r, NULL) != UNUSABLE))
			continue;
		if (tells_more(r, best, table))
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
		say(a, REFUSED, "no-route",
		    "%s is of VRF %s, to which the socket is not bound",
		    route_text(fib, r), theirs->name);
	else if (ours && r->table == RT_TABLE_LOCAL)
		say(a, REFUSED, "no-route",
		    "%s is not of VRF %s, to which the socket is bound",
		    route_text(fib, r), ours->name);
	else
		say(a, REFUSED, "no-route",
		    "route is in table %s, which bind does not read: %s %s",
		    table_text(r->table), route_type(r), route_prefix(r));
}

static void say_no_route(const struct fib *fib, const struct in6_addr *ip,
			 const struct link *dev, uint32_t table, struct answer *a)
{
	const struct addr *addr = configured(fib, ip, dev, true);
	const struct route *r = near_miss(fib, ip, table);

	if (addr)
		say(a, REFUSED, "no-route",
		    "configured on %s, of another L3 domain (VRF) than the socket",
		    fib_link_name(fib, addr->link));
	else if (r && r->table == table)
		say(a, REFUSED, "no-route", "%s is %s", route_text(fib, r),
		    r->expired ? "expired" : "dead or linkdown");
	else if (r)
		say_elsewhere(fib, r, dev, a);
	else
		say(a, REFUSED, "no-route", "no local route to it in table %s",
		    table_text(table));
}

/* What the table says. */
static void ask_table(const struct fib *fib, const struct in6_addr *ip,
		      const struct link *dev, uint32_t table, struct answer *a)
{
	bool scoped = IN6_IS_ADDR_LINKLOCAL(ip);
	const struct route *r;
	enum fit best;

	r = lookup(fib, ip, table, scoped ? dev : NULL, &best);
	if (!r)
		say_no_route(fib, ip, dev, table, a);
	else if (r->type != RTN_LOCAL)
		say(a, REFUSED, "carved-out", "%s is more specific",
		    route_text(fib, r));
	else if (best != FITS)
		say(a, REFUSED, "wrong-device", "%s, and the socket is bound to %s",
		    route_text(fib, r), dev->name);
	else
		say(a, ALLOWED, "allowed", "%s", route_text(fib, r));
}

/* With the module loaded and on, where the kernel's own check says no. */
void rule_any_ip(struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, struct answer *a)
{
	const struct link *vrf = fib_vrf(fib, dev);
	const struct addr *addr = configured(fib, ip, dev, false);
	uint32_t table = vrf ? vrf->vrf_table : RT_TABLE_LOCAL;
	int err;

	if (addr) {
		say_configured(fib, addr, dev, a);
		return;
	}
	err = fib_read_table(fib, table);
	if (err)
		die(EXIT_CANNOT, "cannot read table %s: %s", table_text(table),
		    strerror(-err));
	ask_table(fib, ip, dev, table, a);
}

/* As the module and its toggle are now. */
void rule_kernel(struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, const struct state *state,
		 struct answer *a)
{
	const struct addr *addr = usable(fib, ip, dev);

	if (IN6_IS_ADDR_UNSPECIFIED(ip))
		say(a, ALLOWED, "wildcard", "every address of the host");
	else if (IN6_IS_ADDR_V4MAPPED(ip))
		say(a, UNKNOWN, "ipv4", "IPv4-mapped, so IPv4's own rule decides");
	else if (IN6_IS_ADDR_MULTICAST(ip))
		say(a, UNKNOWN, "multicast",
		    "multicast, so the kernel's own answer for this protocol");
	else if (IN6_IS_ADDR_LINKLOCAL(ip) && !dev)
		say(a, REFUSED, "scope", "link-local: a device is needed (--dev)");
	else if (addr)
		say(a, ALLOWED, "configured", "configured on %s",
		    fib_link_name(fib, addr->link));
	else if (state->nonlocal)
		say(a, ALLOWED, "nonlocal", "net.ipv6.ip_nonlocal_bind=1");
	else if (!state->loaded)
		say(a, REFUSED, "not-loaded", "not configured, and anyip6 is not loaded");
	else if (!state->on)
		say(a, REFUSED, "off", "net.ipv6.anyip_bind is 0 here");
	else
		rule_any_ip(fib, ip, dev, a);
}
