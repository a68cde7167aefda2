// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "anyip6.h"

/* The question can be read in another way. */
static void advise_reading(const struct question *q, const struct explained *x,
			   struct lines *hints)
{
	const struct address *a = &q->address;

	if (*a->meant)
		lines_add(hints, "read as the address %s; port %u of %s is [%s]:%u",
			  a->text, a->meant_port, a->meant, a->meant, a->meant_port);
	if (a->port)
		lines_add(hints, "only the address is tried, not port %u", a->port);
	if (x->imposed)
		lines_add(hints, "every new socket here is bound to %s, as in `ip vrf exec`",
			  x->dev);
}

/* Where the local route of an address belongs: the end of the command. */
static const char *local_place(const struct explained *x, const struct in6_addr *ip)
{
	const struct link *dev = fib_link_by_name(&x->fib, x->dev);
	const struct link *vrf = fib_vrf(&x->fib, dev);
	static char text[64];

	if (vrf)
		snprintf(text, sizeof(text), "dev %s table %u",
			 IN6_IS_ADDR_LINKLOCAL(ip) ? dev->name : vrf->name, vrf->vrf_table);
	else
		snprintf(text, sizeof(text), "dev %s",
			 dev && IN6_IS_ADDR_LINKLOCAL(ip) ? dev->name : "lo");
	return text;
}

static bool has_gateway(const struct fib *fib, const struct in6_addr *ip, unsigned int len)
{
	for (size_t i = 0; i < fib->n_gateways; i++)
		if (prefix_covers(ip, len, &fib->gateways[i].ip))
			return true;
	return false;
}

/*
 * Whether a route looks as if only its word "local" was forgotten. The prefix of
 * the link itself stays as it is, and so does one that has a gateway.
 */
static bool lacks_local(const struct fib *fib, const struct route *r)
{
	return r->type == RTN_UNICAST && r->len && !r->via &&
		r->protocol != RTPROT_KERNEL && r->protocol != RTPROT_RA &&
		!has_gateway(fib, &r->dst, r->len);
}

static void advise_route(const struct question *q, const struct explained *x,
			 struct lines *hints)
{
	const struct in6_addr *ip = &q->address.ip;
	const char *place = local_place(x, ip);
	const struct link *vrf = fib_vrf(&x->fib, fib_link_by_name(&x->fib, x->dev));
	struct route r;

	if (has_gateway(&x->fib, ip, q->address.len))
		lines_add(hints, "%s a gateway of this host",
			  IS_PREFIX(&q->address) ? "it has" : "it is");
	else if (fib_match(ip, vrf, &r) && r.len <= q->address.len &&
		 lacks_local(&x->fib, &r))
		lines_add(hints,
			  "%s is not local; if it is of this host: ip -6 route add local %s %s",
			  route_text(&x->fib, &r), route_prefix(&r), place);
	else
		lines_add(hints, "if it is of this host: ip -6 route add local %s%s %s",
			  q->address.text, IS_PREFIX(&q->address) ? "" : "/128", place);
}

/* What the operator can do so that the address can be bound. */
static void advise_remedy(const struct question *q, const struct explained *x,
			  const struct explanation *e, struct lines *hints)
{
	const struct answer *a = e->would.step ? &e->would : &e->answer;
	bool would = e->would.step && e->would.verdict == ALLOWED;

	if (e->answer.step == STEP_NOT_LOADED && would)
		lines_add(hints, "to load the module: modprobe anyip6");
	else if (e->answer.step == STEP_OFF && would)
		lines_add(hints, "to turn it on here: anyip6 on");
	else if (e->answer.step == STEP_NONLOCAL && x->state.loaded)
		lines_add(hints,
			  "the module is not asked until: sysctl net.ipv6.ip_nonlocal_bind=0");
	if (a->lack == LACK_ROUTE && overall(x, true) != PARTLY && q->address.len)
		advise_route(q, x, hints);
	else if (a->lack == LACK_VRF && strcmp(a->vrf, x->dev))
		lines_add(hints, "to ask in the VRF: anyip6 explain %s --dev %s",
			  q->address.text, a->vrf);
}

/* Is the gateway local by the same route? Returns its answer in @a. */
static bool is_swallowed(const struct explained *x, const struct gateway *gateway,
			 const struct answer *by)
{
	const struct link *dev = fib_link_by_name(&x->fib, x->dev);
	struct answer a = {};

	if (IN6_IS_ADDR_LINKLOCAL(&gateway->ip))
		return false;
	rule_any_ip(&x->fib, &gateway->ip, dev, &a);
	return a.step == STEP_ALLOWED && !memcmp(&a.route, &by->route, sizeof(a.route));
}

/* A host that takes packets to its own gateway does not reach the gateway. */
static void advise_gateway(const struct explained *x, const struct answer *by,
			   struct lines *warnings)
{
	char ip[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < x->fib.n_gateways; i++) {
		const struct gateway *gateway = &x->fib.gateways[i];

		if (!is_swallowed(x, gateway, by))
			continue;
		inet_ntop(AF_INET6, &gateway->ip, ip, sizeof(ip));
		lines_add(warnings,
			  "%s is a gateway of this host, and in %s too: packets to it stay in this host; to carve it out: ip -6 route replace %s/128 dev %s table %s",
			  ip, by->route.prefix, ip, fib_link_name(&x->fib, gateway->link),
			  by->route.table);
		return;
	}
}

/* The answer of the first part that a local route makes bindable, or NULL. */
static const struct answer *first_routed(const struct explained *x)
{
	for (size_t i = 0; i < x->parts.n; i++)
		if (answer_of(&x->of[i], true)->step == STEP_ALLOWED)
			return answer_of(&x->of[i], true);
	return NULL;
}

struct advice advise(const struct question *q, struct explained *x)
{
	const struct explanation *first = first_explanation(x);
	const struct answer *routed = first_routed(x);
	struct advice advice = {};

	/* A router has many routes, so this takes a moment. */
	if (routed || answer_of(first, true)->lack == LACK_ROUTE)
		fib_read_gateways(&x->fib, *x->dev ? x->dev : NULL);
	advise_reading(q, x, &advice.hints);
	advise_remedy(q, x, first, &advice.hints);
	if (routed)
		advise_gateway(x, routed, &advice.warnings);
	return advice;
}

void advice_free(struct advice *advice)
{
	lines_free(&advice->hints);
	lines_free(&advice->warnings);
}
