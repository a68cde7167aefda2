/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells of devices, IPv6 addresses and IPv6 routes. */
#ifndef FIB_H
#define FIB_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_NEXTHOPS	16

struct link {
	unsigned int index;	/* first, as fib.c searches by it */
	unsigned int master;
	char name[IFNAMSIZ];
	uint32_t vrf_table;	/* of a VRF, else 0 */
};

struct addr {
	struct in6_addr ip;
	unsigned int link;
	unsigned int flags;	/* IFA_F_* */
	unsigned int scope;
};

struct nexthop {
	unsigned int link;
	unsigned int flags;	/* RTNH_F_* */
};

/* A nexthop object, or a group of them. */
struct object {
	unsigned int id;	/* first, as fib.c searches by it */
	unsigned int link;	/* 0 of a group, and of a blackhole */
	bool blackhole;
	unsigned int members[MAX_NEXTHOPS];
	int n_members;
};

struct route {
	struct in6_addr dst, src;
	unsigned int len, src_len;	/* src_len: not 0 if only for some sources */
	unsigned int type;
	uint32_t table;
	uint32_t metric;
	unsigned int pref;	/* PREF_*; all medium if the kernel knows none */
	bool expired;
	unsigned int object;	/* its nexthop object, or 0 */
	bool blackhole;		/* and that is one */
	struct nexthop nexthops[MAX_NEXTHOPS];
	int n_nexthops;
};

/* As the kernel compares them, not as they are on the wire. */
enum pref { PREF_INVALID, PREF_LOW, PREF_MEDIUM, PREF_HIGH };

struct fib {
	struct link *links;
	struct addr *addrs;
	struct route *routes;	/* in the kernel's order within a prefix */
	struct object *objects;	/* if a route has one */
	size_t n_links, n_addrs, n_routes, n_objects;
};

/*
 * Devices, addresses and the local routes of all tables; with @tables, all the
 * routes of those that bind may read for a socket bound to @dev, or NULL.
 * Returns 0 or -errno, which fib_error() has a text for. fib_free() it anyway.
 */
int fib_read(struct fib *fib, bool tables, const char *dev);
const char *fib_error(int err);
void fib_free(struct fib *fib);

const struct link *fib_link(const struct fib *fib, unsigned int index);
const struct link *fib_link_by_name(const struct fib *fib, const char *name);
const struct link *fib_vrf(const struct fib *fib, const struct link *link);
const char *fib_link_name(const struct fib *fib, unsigned int index);
bool route_covers(const struct route *r, const struct in6_addr *ip);
bool route_for_any_source(const struct route *r);
/* Stays until the call after the next. */
const char *route_text(const struct fib *fib, const struct route *r);
const char *route_prefix(const struct route *r);
const char *route_type(const struct route *r);
const char *table_text(uint32_t table);

#endif
