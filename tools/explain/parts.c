// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "anyip6.h"
#include "parts.h"

/* The kernel treats these in another way, whatever the routes. */
static const struct special {
	const char *text;
	unsigned int len;
} specials[] = {
	{ "::", 128 }, { "::ffff:0:0", 96 }, { "fe80::", 10 }, { "ff00::", 8 },
};

static void add(struct parts *parts, const struct address *a,
		const struct in6_addr *ip, unsigned int len)
{
	if (len <= a->len || !prefix_covers(&a->ip, a->len, ip))
		return;
	parts->list[parts->n++] = (struct part){ .ip = *ip, .len = len };
}

static void add_all(struct parts *parts, const struct fib *fib, const struct address *a)
{
	const size_t n_specials = sizeof(specials) / sizeof(*specials);
	struct in6_addr ip;

	parts->list = need(calloc(1 + n_specials + fib->n_routes + fib->n_addrs,
				  sizeof(*parts->list)));
	parts->list[parts->n++] = (struct part){ .ip = a->ip, .len = a->len };
	for (size_t i = 0; i < n_specials; i++) {
		inet_pton(AF_INET6, specials[i].text, &ip);
		add(parts, a, &ip, specials[i].len);
	}
	for (size_t i = 0; i < fib->n_routes; i++)
		add(parts, a, &fib->routes[i].dst, fib->routes[i].len);
	for (size_t i = 0; i < fib->n_addrs; i++)
		add(parts, a, &fib->addrs[i].ip, 128);
}

/* A prefix comes before the longer ones in it. */
static int by_prefix(const void *one, const void *other)
{
	const struct part *a = one, *b = other;
	int order = memcmp(&a->ip, &b->ip, sizeof(a->ip));

	return order ?: (int)a->len - (int)b->len;
}

static void sort(struct parts *parts)
{
	size_t kept = 1;

	qsort(parts->list, parts->n, sizeof(*parts->list), by_prefix);
	for (size_t i = 1; i < parts->n; i++)
		if (by_prefix(&parts->list[i], &parts->list[kept - 1]))
			parts->list[kept++] = parts->list[i];
	parts->n = kept;
}

/* Moves @ip behind the prefix. False if nothing is behind it. */
static bool step_over(struct in6_addr *ip, const struct part *p)
{
	int i = (p->len + 7) / 8 - 1;
	unsigned int carry = p->len % 8 ? 1U << (8 - p->len % 8) : 1;

	if (i < 0)
		return false;
	*ip = p->ip;
	for (; i >= 0 && carry; i--) {
		carry += ip->s6_addr[i];
		ip->s6_addr[i] = carry;
		carry >>= 8;
	}
	return !carry;
}

/* Finds the first address that is in none of the longer prefixes. */
static void take_sample(const struct parts *parts, size_t at)
{
	struct part *p = &parts->list[at];
	struct in6_addr next = p->ip;
	bool more = true;

	for (size_t i = at + 1; more && i < parts->n; i++) {
		const struct part *inner = &parts->list[i];

		if (!prefix_covers(&p->ip, p->len, &next) ||
		    memcmp(&inner->ip, &next, sizeof(next)) > 0)
			break;
		if (prefix_covers(&inner->ip, inner->len, &next))
			more = step_over(&next, inner);
	}
	p->empty = !more || !prefix_covers(&p->ip, p->len, &next);
	p->sample = next;
}

struct parts parts_of(const struct fib *fib, const struct address *a)
{
	struct parts parts = {};

	add_all(&parts, fib, a);
	sort(&parts);
	for (size_t i = 0; i < parts.n; i++)
		take_sample(&parts, i);
	return parts;
}
