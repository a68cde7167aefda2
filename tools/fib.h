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
	int index;
	int master;
	char name[IFNAMSIZ];
	uint32_t vrf_table;	/* of a VRF, else 0 */
};

struct addr {
	struct in6_addr ip;
	int link;
	unsigned int flags;	/* IFA_F_* */
	unsigned int scope;
};

struct nexthop {
	int link;
	unsigned int flags;	/* RTNH_F_* */
};

struct route {
	struct in6_addr dst;
	unsigned int len;
	unsigned int type;
	uint32_t table;
	uint32_t metric;
	bool expired;
	bool from;		/* only for some sources */
	struct nexthop nexthops[MAX_NEXTHOPS];
	int n_nexthops;
};

struct fib {
	struct link *links;
	struct addr *addrs;
	struct route *routes;	/* local ones of all tables, and all of one */
	size_t n_links, n_addrs, n_routes;
};

/* All return 0 or -errno. fib_free() whatever they returned. */
int fib_read(struct fib *fib);
int fib_read_table(struct fib *fib, uint32_t table);
void fib_free(struct fib *fib);

const struct link *fib_link(const struct fib *fib, int index);
const struct link *fib_link_by_name(const struct fib *fib, const char *name);
const struct link *fib_vrf(const struct fib *fib, const struct link *link);
const char *fib_link_name(const struct fib *fib, int index);
bool route_covers(const struct route *r, const struct in6_addr *ip);
const char *route_text(const struct fib *fib, const struct route *r);
const char *route_prefix(const struct route *r);
const char *route_type(const struct route *r);
const char *table_text(uint32_t table);

#endif
