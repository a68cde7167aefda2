/* SPDX-License-Identifier: GPL-2.0 */
/* The devices, IPv6 addresses and IPv6 routes of the kernel. */
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
	uint32_t vrf_table;	/* 0 if it is no VRF */
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
	unsigned int link;	/* 0: a group or a blackhole */
	bool blackhole;
	unsigned int members[MAX_NEXTHOPS];
	int n_members;
};

struct route {
	struct in6_addr dst, src;
	unsigned int len, src_len;	/* src_len: 0 if it is for all sources */
	unsigned int type;
	uint32_t table;
	uint32_t metric;
	unsigned int pref;	/* PREF_*, medium if the kernel has none */
	bool expired;
	unsigned int object;	/* its nexthop object, or 0 */
	bool blackhole;		/* its nexthop object is one */
	struct nexthop nexthops[MAX_NEXTHOPS];
	int n_nexthops;
};

/* In the order in which the kernel compares them. The wire has another. */
enum pref { PREF_INVALID, PREF_LOW, PREF_MEDIUM, PREF_HIGH };

struct fib {
	struct link *links;
	struct addr *addrs;
	struct route *routes;	/* in the kernel's order within a prefix */
	struct object *objects;	/* read only if a route has one */
	size_t n_links, n_addrs, n_routes, n_objects;
};

/*
 * Reads devices, addresses and the local routes of all tables. With @tables, it
 * reads all routes of the tables that bind may read for a socket bound to @dev,
 * or to none if that is NULL. Returns 0 or -errno, fib_error() has the text. Call
 * fib_free() in any case.
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
/* The text is valid until the call after the next. */
const char *route_text(const struct fib *fib, const struct route *r);
const char *route_prefix(const struct route *r);
const char *route_type(const struct route *r);
const char *table_text(uint32_t table);

#endif
