// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtnl.h"

int rtnl_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

struct rtnl_request rtnl_new(int type, int flags, const void *header, size_t len)
{
	const bool get = (type - RTM_BASE) % 4 == 2, new = (type - RTM_BASE) % 4 == 0;
	struct rtnl_request r = { .hdr = {
		.nlmsg_type = type, .nlmsg_len = NLMSG_LENGTH(len),
		.nlmsg_flags = NLM_F_REQUEST | (get ? 0 : NLM_F_ACK) |
			       (new ? NLM_F_CREATE : 0) | flags,
	} };

	memcpy(r.rest, header, len);
	return r;
}

struct rtattr *rtnl_put(struct rtnl_request *r, int type, const void *data, size_t len)
{
	struct rtattr *rta = (void *)((char *)r + NLMSG_ALIGN(r->hdr.nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(rta), data, len);
	r->hdr.nlmsg_len = NLMSG_ALIGN(r->hdr.nlmsg_len) + RTA_ALIGN(rta->rta_len);
	return rta;
}

void rtnl_put_u32(struct rtnl_request *r, int type, unsigned int value)
{
	rtnl_put(r, type, &value, sizeof(value));
}

void rtnl_put_text(struct rtnl_request *r, int type, const char *text)
{
	rtnl_put(r, type, text, strlen(text) + 1);
}

void rtnl_put_addr(struct rtnl_request *r, int type, int family, const char *text)
{
	unsigned char addr[16];

	if (inet_pton(family, text, addr) != 1)
		die("%s is no address", text);
	rtnl_put(r, type, addr, family == AF_INET ? 4 : 16);
}

void rtnl_put_end(struct rtnl_request *r, struct rtattr *nest)
{
	nest->rta_len = (char *)r + r->hdr.nlmsg_len - (char *)nest;
}

int rtnl_ask(int fd, const struct rtnl_request *r, struct rtnl_answer *answer)
{
	struct rtnl_answer unwanted;

	answer = answer ?: &unwanted;
	/* A socket failure is not an answer of the kernel. */
	if (send(fd, r, r->hdr.nlmsg_len, 0) < 0 ||
	    recv(fd, answer, sizeof(*answer), 0) < 0)
		die_errno("rtnetlink");
	if (answer->hdr.nlmsg_type == NLMSG_ERROR)
		return answer->err.error;
	if (r->hdr.nlmsg_flags & NLM_F_ACK)
		die("rtnetlink: an answer of type %u to a change",
		    answer->hdr.nlmsg_type);
	return 0;
}

/* The first @plen bits of the address, and then zeroes */
static void rtnl_put_prefix(struct rtnl_request *r, int type, const union sockaddr_any *sa,
			    int plen)
{
	const bool v4 = sa->sa.sa_family == AF_INET;
	unsigned char prefix[sizeof(struct in6_addr)] = {};

	memcpy(prefix, v4 ? (void *)&sa->in.sin_addr : (void *)&sa->in6.sin6_addr, plen / 8);
	rtnl_put(r, type, prefix, v4 ? sizeof(struct in_addr) : sizeof(prefix));
}

int route_change(const struct route *route, int command, int flags)
{
	const struct rtmsg rtm = {
		.rtm_family = route->to.sa.sa_family, .rtm_type = route->type,
		.rtm_dst_len = route->plen, .rtm_table = route->table,
		.rtm_protocol = RTPROT_BOOT, .rtm_scope = route->scope,
	};
	struct rtnl_request r = rtnl_new(command, flags, &rtm, sizeof(rtm));
	int fd = rtnl_open(), err;

	rtnl_put_prefix(&r, RTA_DST, &route->to, route->plen);
	rtnl_put_u32(&r, RTA_OIF, if_nametoindex(route->dev));
	if (route->source)
		rtnl_put_addr(&r, RTA_PREFSRC, rtm.rtm_family, sockaddr_text(route->source));
	err = rtnl_ask(fd, &r, NULL);
	close(fd);
	return err;
}

int route_try(const char *dev, enum anyip6_addr source)
{
	union sockaddr_any from;
	struct route route = {
		.type = RTN_UNICAST, .table = dev_in_vrf(dev) ? VRF_TABLE : RT_TABLE_MAIN,
		.plen = 64, .dev = dev, .source = &from,
	};
	int err;

	addr_parse(&route.to, AF_INET6, "2001:db8:77::", 0);
	addr_fill(&from, AF_INET6, source, 0);
	err = route_change(&route, RTM_NEWROUTE, NLM_F_EXCL);
	route.source = NULL;
	return err ?: route_change(&route, RTM_DELROUTE, 0);
}

bool fib_ask(int fd, const struct in6_addr *addr, unsigned int table)
{
	const struct rtmsg rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 128 };
	struct rtnl_request r = rtnl_new(RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	struct rtnl_answer answer;

	rtnl_put(&r, RTA_DST, addr, sizeof(*addr));
	rtnl_put_u32(&r, RTA_MARK, table);
	/* The error belongs to a route that must not be used. */
	return !rtnl_ask(fd, &r, &answer) && answer.route.rtm_type == RTN_LOCAL;
}

bool fib_says_local(const struct in6_addr *addr, unsigned int table)
{
	int fd = rtnl_open();
	bool local = fib_ask(fd, addr, table);

	close(fd);
	return local;
}
