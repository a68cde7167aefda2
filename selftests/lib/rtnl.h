/* SPDX-License-Identifier: GPL-2.0 */
/* rtnetlink: a request, its attributes, and the answer. */
#ifndef ANYIP6_RTNL_H
#define ANYIP6_RTNL_H

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>

struct rtnl_request {
	struct nlmsghdr hdr;
	char rest[512];
};

/* What the kernel answers: an error, 0 if all is well, or a route. */
struct rtnl_answer {
	struct nlmsghdr hdr;
	union {
		struct nlmsgerr err;
		struct rtmsg route;
		char rest[1024];
	};
};

/* A socket, or -errno. */
int rtnl_open(void);

/* A request to change something is acknowledged, and a new thing is created. */
struct rtnl_request rtnl_new(int type, int flags, const void *header, size_t len);
struct rtattr *rtnl_put(struct rtnl_request *r, int type, const void *data, size_t len);
void rtnl_put_u32(struct rtnl_request *r, int type, unsigned int value);
void rtnl_put_text(struct rtnl_request *r, int type, const char *text);
void rtnl_put_addr(struct rtnl_request *r, int type, int family, const char *text);
/* What was put since is inside of it. */
void rtnl_put_end(struct rtnl_request *r, struct rtattr *nest);

/* 0 or -errno, the kernel's or the socket's; @answer may be NULL. */
int rtnl_ask(int fd, const struct rtnl_request *r, struct rtnl_answer *answer);

/* Whether the kernel's own lookup in that one table finds a local route (world.h). */
bool fib_says_local(const struct in6_addr *addr, unsigned int table);

#endif
