/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RULE_H
#define RULE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "../../src/steps.h"
#include "fib.h"

enum verdict {
	REFUSED,
	ALLOWED,
	UNKNOWN,	/* only a real bind can tell */
	PARTLY,		/* of a prefix: its parts differ */
};

/* The steps that decide without the module. */
#define OTHER_STEPS(STEP)			\
	STEP(WILDCARD,	 NULL, "wildcard")	\
	STEP(IPV4,	 NULL, "ipv4")		\
	STEP(MULTICAST,	 NULL, "multicast")	\
	STEP(SCOPE,	 NULL, "scope")		\
	STEP(NONLOCAL,	 NULL, "nonlocal")	\
	STEP(NOT_LOADED, NULL, "not-loaded")	\
	/* for neighbour solicitations only */	\
	STEP(PARAMETER,	 NULL, "parameter")	\
	STEP(NDISC_OFF,	 NULL, "ndisc-off")	\
	STEP(PROXY_NDP,	 NULL, "proxy-ndp")	\
	STEP(LINK_LOCAL, NULL, "link-local")	\
	STEP(UNKNOWN,	 NULL, "unknown")

#define STEP_NAME(name, ...) STEP_##name,

enum step {
	STEP_NONE,
	ANYIP6_STEPS(STEP_NAME, STEP_NAME)
	OTHER_STEPS(STEP_NAME)
};

/* A route in words. The fib that it is from may be gone. */
struct route_words {
	char type[16];	/* empty: there is none */
	char prefix[INET6_ADDRSTRLEN + 4];
	char device[IFNAMSIZ];	/* empty: not known */
	char table[16];
};

/* What an address that no route makes local can lack. */
enum lack {
	LACK_NOTHING,	/* or not a route */
	LACK_ROUTE,	/* a local route in the table that bind reads */
	LACK_VRF,	/* the socket is not bound to the VRF that has the route */
};

struct answer {
	bool ndisc;		/* asked for by a solicitation, not by a socket */
	enum verdict verdict;
	enum step step;
	char reason[1200];	/* room for two routes */
	struct route_words route;	/* which decides, or is named in the reason */
	enum lack lack;
	char vrf[IFNAMSIZ];	/* of LACK_VRF */
};

/* The state of this netns, for this kind of socket. */
struct state {
	bool loaded, on;
	bool nonlocal;	/* ip_nonlocal_bind is 1, and such sockets ask it */
	/* for neighbour solicitations */
	bool has_ndisc, ndisc;	/* anyip_ndisc is there, and 1 */
	bool proxy_ndp;		/* of the device, or of all */
};

/* The word for it, as in the tracepoint if the module decides. */
const char *step_word(enum step step);
/*
 * What can be said of a step of the module without the routes. @table is the one that
 * was asked. The next call reuses the memory.
 */
const char *step_reason(enum step step, uint32_t table);

/* @fib has the tables that bind may read for @dev. */
void rule_kernel(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, const struct state *state,
		 struct answer *a);
void rule_any_ip(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, struct answer *a);
/* The same for a neighbour solicitation that arrives at @dev. */
void rule_ndisc(const struct fib *fib, const struct in6_addr *ip,
		const struct link *dev, const struct state *state,
		struct answer *a);
void rule_ndisc_any_ip(const struct fib *fib, const struct in6_addr *ip,
		       const struct link *dev, struct answer *a);

#endif
