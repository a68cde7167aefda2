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
	bool all_groups;	/* it takes packets to all groups */
	bool loopback, up;
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
	bool via;		/* a gateway */
	unsigned int protocol;	/* RTPROT_*: who made it */
	struct nexthop nexthops[MAX_NEXTHOPS];
	int n_nexthops;
};

/* In the order in which the kernel compares them. The wire has another. */
enum pref { PREF_INVALID, PREF_LOW, PREF_MEDIUM, PREF_HIGH };

struct gateway {
	struct in6_addr ip;
	unsigned int link;
	bool is_default;	/* of a default route */
};

struct fib {
	struct link *links;
	struct addr *addrs;
	struct route *routes;	/* in the kernel's order within a prefix */
	struct object *objects;	/* read only if a route has one */
	struct gateway *gateways;
	size_t n_links, n_addrs, n_routes, n_objects, n_gateways;
};

/* Each includes those before it. */
enum fib_part {
	FIB_LOCAL,	/* devices, addresses, and the local routes of all tables */
	/*
	 * All routes of the tables that bind may read for a socket bound to @dev,
	 * or to none if that is NULL.
	 */
	FIB_TABLES,
	FIB_GATEWAYS,	/* gateways, in main or the VRF's table */
};

/*
 * Returns 0 or -errno, fib_error() has the text. Call fib_free() in any case.
 */
int fib_read(struct fib *fib, enum fib_part parts, const char *dev);
/* The same for the devices, and the routes of all tables that a protocol (RTPROT_*) made. */
int fib_read_proto(struct fib *fib, unsigned int protocol);
const char *fib_error(int err);
/* Adds the gateways that it finds, without reading again if something changes. */
void fib_read_gateways(struct fib *fib, const char *dev);
/*
 * The other hosts that have answered, or been heard, each as the gateway to itself.
 * Returns how many. The caller frees the list.
 */
size_t fib_neighbours(struct gateway **list);
/*
 * The route that the kernel has for packets to @ip, by its policy rules and in
 * the VRF @vrf if that is not NULL. False if there is none.
 */
bool fib_match(const struct in6_addr *ip, const struct link *vrf, struct route *found);
void fib_free(struct fib *fib);

const struct link *fib_link(const struct fib *fib, unsigned int index);
const struct link *fib_link_by_name(const struct fib *fib, const char *name);
const struct link *fib_vrf(const struct fib *fib, const struct link *link);
const char *fib_link_name(const struct fib *fib, unsigned int index);
/* Whether some device has the address, in whatever state it is. */
bool fib_has_addr(const struct fib *fib, const struct in6_addr *ip);
bool route_covers(const struct route *r, const struct in6_addr *ip);
bool route_for_any_source(const struct route *r);
/* The text is valid until the call after the next. */
const char *route_text(const struct fib *fib, const struct route *r);
const char *route_prefix(const struct route *r);
bool prefix_covers(const struct in6_addr *prefix, unsigned int len,
		   const struct in6_addr *ip);
const char *route_type(const struct route *r);
const char *table_text(uint32_t table);

#endif
