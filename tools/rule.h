/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RULE_H
#define RULE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "../src/steps.h"
#include "fib.h"

enum verdict {
	REFUSED,
	ALLOWED,
	UNKNOWN,	/* only a real bind can tell */
};

/* The steps that decide without the module. */
#define OTHER_STEPS(STEP)			\
	STEP(WILDCARD,	 NULL, "wildcard")	\
	STEP(IPV4,	 NULL, "ipv4")		\
	STEP(MULTICAST,	 NULL, "multicast")	\
	STEP(SCOPE,	 NULL, "scope")		\
	STEP(NONLOCAL,	 NULL, "nonlocal")	\
	STEP(NOT_LOADED, NULL, "not-loaded")	\
	STEP(UNKNOWN,	 NULL, "unknown")

#define STEP_NAME(name, ...) STEP_##name,

enum step {
	STEP_NONE,
	ANYIP6_STEPS(STEP_NAME, STEP_NAME)
	OTHER_STEPS(STEP_NAME)
};

struct answer {
	enum verdict verdict;
	enum step step;
	char reason[1200];	/* room for two routes */
};

/* The state of this netns, for this kind of socket. */
struct state {
	bool loaded, on;
	bool nonlocal;	/* ip_nonlocal_bind is 1, and such sockets ask it */
};

/* The word for it, as in the tracepoint if the module decides. */
const char *step_word(enum step step);

/* @fib has the tables that bind may read for @dev. */
void rule_kernel(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, const struct state *state,
		 struct answer *a);
void rule_any_ip(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, struct answer *a);

#endif
