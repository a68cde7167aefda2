// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "anyip6.h"
#include "socket.h"

#define PROTOCOLS	"/proc/net/protocols"

#ifndef MSG_PROBE
#define MSG_PROBE	0x10
#endif

static const struct proto protos[] = {
	{ "tcp",	SOCK_STREAM,	IPPROTO_TCP,	true,	"TCPv6" },
	{ "udp",	SOCK_DGRAM,	IPPROTO_UDP,	true,	"UDPv6" },
	{ "udplite",	SOCK_DGRAM,	136,		true,	"UDPLITEv6" },
	{ "raw",	SOCK_RAW,	253,		true,	"RAWv6" },
	{ "ping",	SOCK_DGRAM,	IPPROTO_ICMPV6,	true,	"PINGv6" },
	{ "sctp",	SOCK_STREAM,	IPPROTO_SCTP,	true,	"SCTPv6" },
	{ "mptcp",	SOCK_STREAM,	262,		true,	"MPTCPv6" },
	{ "dccp",	6,		33,		true,	"DCCPv6" },
	{ "l2tp",	SOCK_DGRAM,	115,		false,	"L2TP/IPv6" },
};

const struct proto *proto_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++)
		if (!strcasecmp(protos[i].name, name))
			return &protos[i];
	return NULL;
}

/* Whether the kernel has these protocols now. False if it does not say. */
static bool read_protocols(const char *name, bool *has_it, bool *has_ipv6)
{
	FILE *f = fopen(PROTOCOLS, "re");
	char line[512], first[64];

	*has_it = *has_ipv6 = false;
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s", first) != 1)
			continue;
		*has_it |= !strcmp(first, name);
		*has_ipv6 |= !strcmp(first, "TCPv6");
	}
	fclose(f);
	return true;
}

/*
 * socket() makes the kernel load the module of a protocol, which then stays. So
 * we ask for no socket of a protocol that the kernel does not list.
 */
int socket_open(const struct proto *p, struct outcome *o)
{
	bool has_it, has_ipv6;
	int fd = -1;

	*o = (struct outcome){};
	if (!read_protocols(p->kernel_name, &has_it, &has_ipv6))
		*o = (struct outcome){ .err = errno, .stage = PROTOCOLS };
	else if (!has_ipv6)
		*o = (struct outcome){ .err = EAFNOSUPPORT, .stage = "socket" };
	else if (!has_it)
		o->not_loaded = true;
	else
		fd = socket(AF_INET6, p->type | SOCK_CLOEXEC, p->number);
	if (has_it && fd < 0)
		*o = (struct outcome){ .err = errno, .stage = "socket" };
	return fd;
}

void socket_device(int fd, char *name)
{
	socklen_t len = IFNAMSIZ;

	*name = '\0';
	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len) || !len)
		*name = '\0';
}

/* Returns 0 or an errno. */
static int bind_to(int fd, const struct proto *p, const struct in6_addr *ip,
		   const struct link *dev)
{
	union {
		struct sockaddr_in6 in6;
		char room[32];	/* L2TP adds a connection, 0 here */
	} sa = {
		.in6 = { .sin6_family = AF_INET6, .sin6_addr = *ip },
	};

	if (dev && IN6_IS_ADDR_LINKLOCAL(ip))
		sa.in6.sin6_scope_id = dev->index;
	return bind(fd, (struct sockaddr *)&sa, p->number == 115 ? sizeof(sa) :
		    sizeof(sa.in6)) ? errno : 0;
}

/*
 * With MSG_PROBE and no data, the kernel looks at the source and at the route,
 * and sends nothing. It refuses a source with EINVAL. If the host has no route,
 * it has taken the source already.
 */
static int send_from(int fd, const struct in6_addr *ip, const struct link *dev)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = 9,
	};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { .room = {} };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct in6_pktinfo *info = (void *)CMSG_DATA(&control.head);

	control.head.cmsg_level = IPPROTO_IPV6;
	control.head.cmsg_type = IPV6_PKTINFO;
	control.head.cmsg_len = CMSG_LEN(sizeof(*info));
	info->ipi6_addr = *ip;
	info->ipi6_ifindex = dev ? dev->index : 0;
	if (sendmsg(fd, &msg, MSG_CONFIRM | MSG_PROBE) < 0 &&
	    errno != ENETUNREACH && errno != EHOSTUNREACH)
		return errno;
	return 0;
}

void socket_ask(int fd, const struct proto *p, const struct in6_addr *ip,
		const struct link *dev, bool pktinfo, struct outcome *o)
{
	if (dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev->name,
			      strlen(dev->name) + 1)) {
		*o = (struct outcome){ .err = errno, .stage = "SO_BINDTODEVICE" };
		return;
	}
	o->err = pktinfo ? send_from(fd, ip, dev) : bind_to(fd, p, ip, dev);
	if (o->err)
		o->stage = pktinfo ? "sendmsg" : "bind";
}
