/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RULE_H
#define RULE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "fib.h"

enum verdict {
	REFUSED,
	ALLOWED,
	UNKNOWN,	/* left to whoever really binds */
};

/* The step's name is the tracepoint's, where the module decides. */
struct answer {
	enum verdict verdict;
	const char *step;
	char reason[1200];	/* two routes' texts at most */
};

/* Of this netns, and the kind of socket. */
struct state {
	bool loaded, on;
	bool nonlocal;	/* net.ipv6.ip_nonlocal_bind, of sockets that ask it */
};

/* @fib: with the tables that bind may read for @dev. */
void rule_kernel(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, const struct state *state,
		 struct answer *a);
void rule_any_ip(const struct fib *fib, const struct in6_addr *ip,
		 const struct link *dev, struct answer *a);

#endif
