/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets that explain asks with: what the kernel really answers. */
#ifndef SOCKET_H
#define SOCKET_H

#include <stdbool.h>

#include "fib.h"

struct proto {
	const char *name;
	int type, number;
	bool asks_nonlocal;	/* ip_nonlocal_bind applies to it */
	const char *kernel_name;	/* in /proc/net/protocols */
};

/* What a real socket got. @stage names the call that failed. */
struct outcome {
	int err;
	const char *stage;
	bool not_loaded;	/* the protocol, so there was no socket */
};

/* In any case. NULL if there is none. */
const struct proto *proto_by_name(const char *name);

/* Does not load the protocol's module. Returns -1 if there is no socket. */
int socket_open(const struct proto *p, struct outcome *o);
/* The device that it is bound to already, as in `ip vrf exec`; empty if none. */
void socket_device(int fd, char *name);
/*
 * Binds it to the device, or to none if that is NULL, and to the address. Or
 * names the address as the source of a datagram, and sends nothing.
 */
void socket_ask(int fd, const struct proto *p, const struct in6_addr *ip,
		const struct link *dev, bool pktinfo, struct outcome *o);

#endif
