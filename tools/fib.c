// SPDX-License-Identifier: GPL-2.0
/* Dumps by netlink, with libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fib.h"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK	12
#endif

/* One more element, zeroed, at the end of an array. */
static void *grow(void *array, size_t *n, size_t size)
{
	char *bigger = realloc(array, (*n + 1) * size);

	if (!bigger) {
		perror("anyip6");
		exit(4);
	}
	memset(bigger + *n * size, 0, size);
	++*n;
	return bigger;
}

#define APPEND(array, n) (&((array) = grow(array, &(n), sizeof(*(array))))[(n) - 1])

static uint32_t vrf_table(const struct nlattr *linkinfo)
{
	const struct nlattr *attr, *inner, *data = NULL;
	bool vrf = false;

	mnl_attr_for_each_nested(attr, linkinfo) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			vrf = !strcmp(mnl_attr_get_str(attr), "vrf");
		if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!vrf || !data)
		return 0;
	mnl_attr_for_each_nested(inner, data)
		if (mnl_attr_get_type(inner) == IFLA_VRF_TABLE)
			return mnl_attr_get_u32(inner);
	return 0;
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(nlh);
	struct fib *fib = data;
	struct link *link = APPEND(fib->links, fib->n_links);
	const struct nlattr *attr;

	link->index = msg->ifi_index;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(link->name, sizeof(link->name), "%s",
				 mnl_attr_get_str(attr));
			break;
		case IFLA_MASTER:
			link->master = mnl_attr_get_u32(attr);
			break;
		case IFLA_LINKINFO:
			link->vrf_table = vrf_table(attr);
			break;
		}
	}
	return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct fib *fib = data;
	const struct nlattr *attr;
	struct addr *addr;
	bool local = false;

	/* With ipv6.disable=1 the kernel answers for the other families. */
	if (msg->ifa_family != AF_INET6)
		return MNL_CB_OK;
	addr = APPEND(fib->addrs, fib->n_addrs);
	addr->link = msg->ifa_index;
	addr->flags = msg->ifa_flags;
	addr->scope = msg->ifa_scope;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:	/* of a point-to-point link; the other is the peer */
			memcpy(&addr->ip, mnl_attr_get_payload(attr), sizeof(addr->ip));
			local = true;
			break;
		case IFA_ADDRESS:
			if (!local)
				memcpy(&addr->ip, mnl_attr_get_payload(attr),
				       sizeof(addr->ip));
			break;
		case IFA_FLAGS:
			addr->flags = mnl_attr_get_u32(attr);
			break;
		}
	}
	return MNL_CB_OK;
}

static void add_nexthop(struct route *r, int link, unsigned int flags)
{
	if (r->n_nexthops < MAX_NEXTHOPS)
		r->nexthops[r->n_nexthops++] = (struct nexthop){ link, flags };
}

static void add_nexthops(struct route *r, const struct nlattr *attr)
{
	struct rtnexthop *nh = mnl_attr_get_payload(attr);
	int len = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(nh, len); len -= RTNH_ALIGN(nh->rtnh_len), nh = RTNH_NEXT(nh))
		add_nexthop(r, nh->rtnh_ifindex, nh->rtnh_flags);
}

static void route_attr(struct route *r, const struct rtmsg *msg,
		       const struct nlattr *attr)
{
	const struct rta_cacheinfo *cache;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		memcpy(&r->dst, mnl_attr_get_payload(attr), sizeof(r->dst));
		break;
	case RTA_TABLE:
		r->table = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		r->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_OIF:
		add_nexthop(r, mnl_attr_get_u32(attr), msg->rtm_flags);
		break;
	case RTA_MULTIPATH:
		add_nexthops(r, attr);
		break;
	case RTA_CACHEINFO:
		cache = mnl_attr_get_payload(attr);
		r->expired = cache->rta_expires < 0;
		break;
	}
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct fib *fib = data;
	const struct nlattr *attr;
	struct route *r;

	if (msg->rtm_family != AF_INET6 || (msg->rtm_flags & RTM_F_CLONED))
		return MNL_CB_OK;
	r = APPEND(fib->routes, fib->n_routes);
	r->len = msg->rtm_dst_len;
	r->type = msg->rtm_type;
	r->table = msg->rtm_table;
	r->from = msg->rtm_src_len;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
		route_attr(r, msg, attr);
	return MNL_CB_OK;
}

static int receive(struct mnl_socket *nl, unsigned int seq, mnl_cb_t cb,
		   struct fib *fib)
{
	char buf[32768];
	ssize_t len;
	int ret;

	do {
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		ret = mnl_cb_run(buf, len, seq, mnl_socket_get_portid(nl), cb, fib);
	} while (ret > MNL_CB_STOP);
	return ret < 0 ? -errno : 0;
}

/* The kernel filters if it knows how; those that do not send more. */
static int dump(struct nlmsghdr *nlh, mnl_cb_t cb, struct fib *fib)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int one = 1, err = 0;

	if (!nl)
		return -errno;
	mnl_socket_setsockopt(nl, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = time(NULL);
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err = -errno;
	if (!err)
		err = receive(nl, nlh->nlmsg_seq, cb, fib);
	mnl_socket_close(nl);
	return err;
}

static struct nlmsghdr *request(char *buf, int type, size_t size)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	/* Of each kind of message, the family is the first byte. */
	*(unsigned char *)mnl_nlmsg_put_extra_header(nlh, size) =
		type == RTM_GETLINK ? AF_UNSPEC : AF_INET6;
	return nlh;
}

static int dump_routes(struct fib *fib, unsigned int type, uint32_t table)
{
	char buf[256];
	struct nlmsghdr *nlh = request(buf, RTM_GETROUTE, sizeof(struct rtmsg));
	struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	int err;

	msg->rtm_type = type;
	if (table)
		mnl_attr_put_u32(nlh, RTA_TABLE, table);
	err = dump(nlh, on_route, fib);
	return err == -ENOENT ? 0 : err;	/* no such table: no routes */
}

/* Devices, addresses, and the local routes of all tables. */
int fib_read(struct fib *fib)
{
	char buf[256];
	int err;

	memset(fib, 0, sizeof(*fib));
	err = dump(request(buf, RTM_GETLINK, sizeof(struct ifinfomsg)), on_link, fib);
	if (!err)
		err = dump(request(buf, RTM_GETADDR, sizeof(struct ifaddrmsg)),
			   on_addr, fib);
	if (!err)
		err = dump_routes(fib, RTN_LOCAL, 0);
	return err;
}

/* Adds the routes of one table, those that are not local too. */
int fib_read_table(struct fib *fib, uint32_t table)
{
	size_t kept = 0;

	for (size_t i = 0; i < fib->n_routes; i++)
		if (fib->routes[i].table != table)
			fib->routes[kept++] = fib->routes[i];
	fib->n_routes = kept;
	return dump_routes(fib, RTN_UNSPEC, table);
}

void fib_free(struct fib *fib)
{
	free(fib->links);
	free(fib->addrs);
	free(fib->routes);
	memset(fib, 0, sizeof(*fib));
}

const struct link *fib_link(const struct fib *fib, int index)
{
	for (size_t i = 0; i < fib->n_links; i++)
		if (fib->links[i].index == index)
			return &fib->links[i];
	return NULL;
}

const struct link *fib_link_by_name(const struct fib *fib, const char *name)
{
	for (size_t i = 0; i < fib->n_links; i++)
		if (!strcmp(fib->links[i].name, name))
			return &fib->links[i];
	return NULL;
}

/* The VRF that a device is, or is a port of; else NULL. */
const struct link *fib_vrf(const struct fib *fib, const struct link *link)
{
	const struct link *master;

	if (!link || link->vrf_table)
		return link;
	master = fib_link(fib, link->master);
	return master && master->vrf_table ? master : NULL;
}

const char *fib_link_name(const struct fib *fib, int index)
{
	const struct link *link = fib_link(fib, index);

	return link ? link->name : "?";
}

bool route_covers(const struct route *r, const struct in6_addr *ip)
{
	unsigned int whole = r->len / 8, rest = r->len % 8;

	if (memcmp(&r->dst, ip, whole))
		return false;
	return !rest || !((r->dst.s6_addr[whole] ^ ip->s6_addr[whole]) >> (8 - rest));
}

const char *route_type(const struct route *r)
{
	static const char *const names[] = {
		[RTN_UNICAST] = "unicast", [RTN_LOCAL] = "local",
		[RTN_BROADCAST] = "broadcast", [RTN_ANYCAST] = "anycast",
		[RTN_MULTICAST] = "multicast", [RTN_BLACKHOLE] = "blackhole",
		[RTN_UNREACHABLE] = "unreachable", [RTN_PROHIBIT] = "prohibit",
		[RTN_THROW] = "throw",
	};

	if (r->type >= sizeof(names) / sizeof(*names) || !names[r->type])
		return "?";
	return names[r->type];
}

const char *route_prefix(const struct route *r)
{
	static char text[INET6_ADDRSTRLEN + 4];
	char ip[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text), "%s/%u",
		 inet_ntop(AF_INET6, &r->dst, ip, sizeof(ip)), r->len);
	return text;
}

const char *table_text(uint32_t table)
{
	static char text[12];

	if (table == RT_TABLE_LOCAL)
		return "local";
	if (table == RT_TABLE_MAIN)
		return "main";
	snprintf(text, sizeof(text), "%u", table);
	return text;
}

/* As ip(8) writes it. */
const char *route_text(const struct fib *fib, const struct route *r)
{
	static char text[512];
	int len;

	len = snprintf(text, sizeof(text), "%s %s", route_type(r), route_prefix(r));
	for (int i = 0; i < r->n_nexthops && len < (int)sizeof(text) - 64; i++)
		len += snprintf(text + len, sizeof(text) - len, " dev %s",
				fib_link_name(fib, r->nexthops[i].link));
	snprintf(text + len, sizeof(text) - len, " table %s", table_text(r->table));
	return text;
}
