// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtnl.h"
#include "sys.h"

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
		die("rtnetlink: %s", strerror(errno));
	if (answer->hdr.nlmsg_type == NLMSG_ERROR)
		return answer->err.error;
	if (r->hdr.nlmsg_flags & NLM_F_ACK)
		die("rtnetlink: an answer of type %u to a change",
		    answer->hdr.nlmsg_type);
	return 0;
}

bool fib_says_local(const struct in6_addr *addr, unsigned int table)
{
	const struct rtmsg rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 128 };
	struct rtnl_request r = rtnl_new(RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	struct rtnl_answer answer = {};
	int fd = rtnl_open(), err;

	rtnl_put(&r, RTA_DST, addr, sizeof(*addr));
	rtnl_put_u32(&r, RTA_MARK, table);
	err = rtnl_ask(fd, &r, &answer);
	if (fd < 0 || !answer.hdr.nlmsg_len)
		die("rtnetlink: %s", strerror(-err));
	close(fd);
	/* The error belongs to a route that must not be used. */
	return !err && answer.route.rtm_type == RTN_LOCAL;
}
