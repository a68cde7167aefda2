/* SPDX-License-Identifier: GPL-2.0 */
/* rtnetlink: a request, its attributes, and the answer. */
#ifndef ANYIP6_RTNL_H
#define ANYIP6_RTNL_H

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>

#include "sock.h"

struct rtnl_request {
	struct nlmsghdr hdr;
	char rest[512];
};

/* The kernel's answer: an error (0 if all is well) or a route. */
struct rtnl_answer {
	struct nlmsghdr hdr;
	union {
		struct nlmsgerr err;
		struct rtmsg route;
		char rest[1024];
	};
};

/* Returns a socket, or -errno. */
int rtnl_open(void);

/* The kernel acknowledges a request that changes something. New things are created. */
struct rtnl_request rtnl_new(int type, int flags, const void *header, size_t len);
struct rtattr *rtnl_put(struct rtnl_request *r, int type, const void *data, size_t len);
void rtnl_put_u32(struct rtnl_request *r, int type, unsigned int value);
void rtnl_put_text(struct rtnl_request *r, int type, const char *text);
void rtnl_put_addr(struct rtnl_request *r, int type, int family, const char *text);
/* Everything put since @nest was opened is inside it. */
void rtnl_put_end(struct rtnl_request *r, struct rtattr *nest);

/* Returns 0, or the kernel's -errno. @answer may be NULL. */
int rtnl_ask(int fd, const struct rtnl_request *r, struct rtnl_answer *answer);

/* @to is any address in the prefix, whose length is in whole bytes. @source may be NULL. */
struct route {
	unsigned char type, table, scope, plen;
	const char *dev;
	union sockaddr_any to;
	const union sockaddr_any *source;
};

/* @command is RTM_NEWROUTE or RTM_DELROUTE. Returns 0, or the kernel's -errno. */
int route_change(const struct route *route, int command, int flags);

/*
 * Add "2001:db8:77::/64 dev @dev src @source" in the domain of the device, and
 * delete it again.
 */
int route_try(const char *dev, enum anyip6_addr source);

/*
 * Does the kernel's own lookup find a local route in this one table? Needs
 * ONE_TABLE_RULES (world.h). fib_ask() uses an open socket.
 */
bool fib_ask(int fd, const struct in6_addr *addr, unsigned int table);
bool fib_says_local(const struct in6_addr *addr, unsigned int table);

#endif
