// SPDX-License-Identifier: GPL-2.0
/* Reads devices, addresses and routes by netlink, with libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "anyip6.h"
#include "fib.h"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK	12
#endif
#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS	0x08
#endif

/* Only a kernel that weighs router preference has this file. */
#define HAS_PREF	"/proc/sys/net/ipv6/conf/all/accept_ra_rtr_pref"

/*
 * If something changes while we read it, we read again, at least this often and
 * at least this long. While links came and went as fast as they could, 9 of 10
 * tries failed, so one run in 30,000 fails 100 times. A slow machine makes its
 * 100 tries, a fast one thousands. Every start of a service can wait this long.
 */
#define MIN_TRIES	100
#define MIN_SECONDS	2

/* Adds a zeroed element at the end of an array. */
static void *grow(void *array, size_t *n, size_t size)
{
	char *bigger = need(realloc(array, (*n + 1) * size));

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
	link->loopback = msg->ifi_flags & IFF_LOOPBACK;
	link->up = msg->ifi_flags & IFF_UP;
	link->all_groups = msg->ifi_flags & (IFF_ALLMULTI | IFF_PROMISC | IFF_LOOPBACK);
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

	/* With ipv6.disable=1 the kernel dumps the other families. */
	if (msg->ifa_family != AF_INET6)
		return MNL_CB_OK;
	addr = APPEND(fib->addrs, fib->n_addrs);
	addr->link = msg->ifa_index;
	addr->flags = msg->ifa_flags;
	addr->scope = msg->ifa_scope;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:	/* point-to-point: the other one is the peer */
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

static void add_nexthop(struct route *r, unsigned int link, unsigned int flags)
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
	case RTA_SRC:
		memcpy(&r->src, mnl_attr_get_payload(attr), sizeof(r->src));
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
	case RTA_GATEWAY:
	case RTA_VIA:
		r->via = true;
		break;
	case RTA_MULTIPATH:
		add_nexthops(r, attr);
		break;
	case RTA_CACHEINFO:
		cache = mnl_attr_get_payload(attr);
		r->expired = cache->rta_expires < 0;
		break;
	case RTA_PREF:	/* IPV6_DECODE_PREF() */
		r->pref = mnl_attr_get_u8(attr) ^ 2;
		break;
	case RTA_NH_ID:
		r->object = mnl_attr_get_u32(attr);
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
	r->protocol = msg->rtm_protocol;
	r->src_len = msg->rtm_src_len;
	r->pref = PREF_MEDIUM;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
		route_attr(r, msg, attr);
	return MNL_CB_OK;
}

/* The gateways of a route often come again in the next one. */
static void add_gateway(struct fib *fib, const struct gateway *gateway)
{
	const size_t n = fib->n_gateways;

	if (!n || memcmp(&fib->gateways[n - 1], gateway, sizeof(*gateway)))
		*APPEND(fib->gateways, fib->n_gateways) = *gateway;
}

static void take_gateway(struct gateway *gateway, const struct nlattr *attr)
{
	memcpy(&gateway->ip, mnl_attr_get_payload(attr), sizeof(gateway->ip));
}

static void add_gateways(struct fib *fib, const struct nlattr *multipath,
			 struct gateway *gateway)
{
	struct rtnexthop *nh = mnl_attr_get_payload(multipath);
	int len = mnl_attr_get_payload_len(multipath);
	const struct nlattr *attr;

	for (; RTNH_OK(nh, len); len -= RTNH_ALIGN(nh->rtnh_len), nh = RTNH_NEXT(nh))
		for (attr = (void *)RTNH_DATA(nh);
		     mnl_attr_ok(attr, (char *)nh + nh->rtnh_len - (char *)attr);
		     attr = mnl_attr_next(attr)) {
			if (mnl_attr_get_type(attr) != RTA_GATEWAY)
				continue;
			gateway->link = nh->rtnh_ifindex;
			take_gateway(gateway, attr);
			add_gateway(fib, gateway);
		}
}

static int on_gateway(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct gateway gateway;
	struct fib *fib = data;
	const struct nlattr *attr;
	bool one = false;

	if (msg->rtm_family != AF_INET6)
		return MNL_CB_OK;
	memset(&gateway, 0, sizeof(gateway));	/* add_gateway() compares all bytes */
	gateway.is_default = !msg->rtm_dst_len;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			gateway.link = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			add_gateways(fib, attr, &gateway);
		if (mnl_attr_get_type(attr) == RTA_GATEWAY) {
			take_gateway(&gateway, attr);
			one = true;
		}
	}
	if (one)
		add_gateway(fib, &gateway);
	return MNL_CB_OK;
}

static void add_members(struct object *o, const struct nlattr *attr)
{
	const struct nexthop_grp *entry = mnl_attr_get_payload(attr);
	size_t n = mnl_attr_get_payload_len(attr) / sizeof(*entry);

	for (; n-- && o->n_members < MAX_NEXTHOPS; entry++)
		o->members[o->n_members++] = entry->id;
}

static int on_object(const struct nlmsghdr *nlh, void *data)
{
	struct fib *fib = data;
	struct object *o = APPEND(fib->objects, fib->n_objects);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nhmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NHA_ID:
			o->id = mnl_attr_get_u32(attr);
			break;
		case NHA_OIF:
			o->link = mnl_attr_get_u32(attr);
			break;
		case NHA_BLACKHOLE:
			o->blackhole = true;
			break;
		case NHA_GROUP:
			add_members(o, attr);
			break;
		}
	}
	return MNL_CB_OK;
}

/* Dumps */

/*
 * Whether the kernel marked a part of the dump as interrupted. This clears the
 * mark, because libmnl would stop there and leave the rest in the socket.
 */
static bool take_mark(void *buf, int len)
{
	struct nlmsghdr *nlh = buf;
	bool marked = false;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		marked |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		nlh->nlmsg_flags &= ~NLM_F_DUMP_INTR;
	}
	return marked;
}

static int receive(struct mnl_socket *nl, unsigned int seq, mnl_cb_t cb,
		   struct fib *fib)
{
	bool interrupted = false;
	char buf[32768];
	ssize_t len;
	int ret;

	do {
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		interrupted |= take_mark(buf, len);
		ret = mnl_cb_run(buf, len, seq, mnl_socket_get_portid(nl), cb, fib);
	} while (ret > MNL_CB_STOP);
	if (ret < 0)
		return -errno;
	return interrupted ? -EINTR : 0;
}

static int dump(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t cb,
		struct fib *fib)
{
	static unsigned int seq;

	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++seq;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	return receive(nl, nlh->nlmsg_seq, cb, fib);
}

/* The family is the first byte of each kind of message. */
static struct nlmsghdr *request(char *buf, int type, size_t size, unsigned char family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	*(unsigned char *)mnl_nlmsg_put_extra_header(nlh, size) = family;
	return nlh;
}

/* Without their counters: a shorter dump is interrupted less often. */
static int dump_links(struct mnl_socket *nl, struct fib *fib)
{
	char buf[256];
	struct nlmsghdr *nlh = request(buf, RTM_GETLINK, sizeof(struct ifinfomsg),
				       AF_UNSPEC);

	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return dump(nl, nlh, on_link, fib);
}

static int dump_addrs(struct mnl_socket *nl, struct fib *fib)
{
	char buf[256];

	return dump(nl, request(buf, RTM_GETADDR, sizeof(struct ifaddrmsg), AF_INET6),
		    on_addr, fib);
}

static int dump_objects(struct mnl_socket *nl, struct fib *fib)
{
	char buf[256];

	return dump(nl, request(buf, RTM_GETNEXTHOP, sizeof(struct nhmsg), AF_UNSPEC),
		    on_object, fib);
}

/* Kernels that cannot filter send more. */
static int dump_routes(struct mnl_socket *nl, struct fib *fib, unsigned int type,
		       unsigned int protocol, uint32_t table, mnl_cb_t cb)
{
	char buf[256];
	struct nlmsghdr *nlh = request(buf, RTM_GETROUTE, sizeof(struct rtmsg),
				       AF_INET6);
	struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	int err;

	msg->rtm_type = type;
	msg->rtm_protocol = protocol;
	if (table)
		mnl_attr_put_u32(nlh, RTA_TABLE, table);
	err = dump(nl, nlh, cb, fib);
	return err == -ENOENT ? 0 : err;	/* no table, no routes */
}

/* Replaces the routes of a table by all that it has. */
static int read_table(struct mnl_socket *nl, struct fib *fib, uint32_t table)
{
	size_t kept = 0;

	for (size_t i = 0; i < fib->n_routes; i++)
		if (fib->routes[i].table != table)
			fib->routes[kept++] = fib->routes[i];
	fib->n_routes = kept;
	return dump_routes(nl, fib, RTN_UNSPEC, RTPROT_UNSPEC, table, on_route);
}

static int read_gateways(struct mnl_socket *nl, struct fib *fib, const char *dev)
{
	const struct link *vrf = fib_vrf(fib, dev ? fib_link_by_name(fib, dev) : NULL);

	return dump_routes(nl, fib, RTN_UNICAST, RTPROT_UNSPEC,
			   vrf ? vrf->vrf_table : RT_TABLE_MAIN, on_gateway);
}

static int read_tables(struct mnl_socket *nl, struct fib *fib, const char *dev)
{
	const struct link *vrf = fib_vrf(fib, dev ? fib_link_by_name(fib, dev) : NULL);
	int err = read_table(nl, fib, RT_TABLE_LOCAL);

	if (!err && vrf)
		err = read_table(nl, fib, vrf->vrf_table);
	return err;
}

/* Compares links or objects. */
static int by_number(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

static bool uses_objects(const struct fib *fib)
{
	for (size_t i = 0; i < fib->n_routes; i++)
		if (fib->routes[i].object)
			return true;
	return false;
}

/* Adds what the dump does not spell out. False if the object is unknown. */
static bool take_object(const struct fib *fib, struct route *r, unsigned int id,
			bool spelled_out)
{
	const struct object *o;

	o = fib->objects ? bsearch(&id, fib->objects, fib->n_objects, sizeof(*o),
				   by_number) : NULL;
	if (!o)
		return false;
	r->blackhole |= o->blackhole;
	if (o->link && !spelled_out)
		add_nexthop(r, o->link, 0);
	for (int i = 0; i < o->n_members; i++)
		if (!take_object(fib, r, o->members[i], spelled_out))
			return false;
	return true;
}

static bool take_objects(struct fib *fib)
{
	for (size_t i = 0; i < fib->n_routes; i++) {
		struct route *r = &fib->routes[i];

		if (r->object && !take_object(fib, r, r->object, r->n_nexthops))
			return false;
	}
	return true;
}

static bool knows_links(const struct fib *fib)
{
	for (size_t i = 0; i < fib->n_addrs; i++)
		if (!fib_link(fib, fib->addrs[i].link))
			return false;
	for (size_t i = 0; i < fib->n_routes; i++)
		for (int n = 0; n < fib->routes[i].n_nexthops; n++)
			if (!fib_link(fib, fib->routes[i].nexthops[n].link))
				return false;
	return true;
}

static void ignore_pref(struct fib *fib)
{
	for (size_t i = 0; i < fib->n_routes; i++)
		fib->routes[i].pref = PREF_MEDIUM;
}

/* What to read. */
struct want {
	enum fib_part parts;
	const char *dev;
	unsigned int protocol;	/* for read_proto_once() */
};

/* @whole: each dump has all that another one names. */
static int read_once(struct mnl_socket *nl, struct fib *fib, const struct want *want,
		     bool *whole)
{
	int err = dump_links(nl, fib);

	if (err)
		return err;
	qsort(fib->links, fib->n_links, sizeof(*fib->links), by_number);
	err = dump_addrs(nl, fib);
	if (!err)
		err = dump_routes(nl, fib, RTN_LOCAL, RTPROT_UNSPEC, 0, on_route);
	if (!err && want->parts >= FIB_TABLES)
		err = read_tables(nl, fib, want->dev);
	if (!err && want->parts >= FIB_GATEWAYS)
		err = read_gateways(nl, fib, want->dev);
	if (!err && uses_objects(fib))
		err = dump_objects(nl, fib);
	if (err)
		return err;
	if (access(HAS_PREF, F_OK))
		ignore_pref(fib);
	if (fib->objects)
		qsort(fib->objects, fib->n_objects, sizeof(*fib->objects), by_number);
	*whole = take_objects(fib) && knows_links(fib);
	return 0;
}

/* One socket for all: the kernel sends larger pieces once it has seen us take one. */
static struct mnl_socket *netlink_new(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int one = 1, err;

	if (!nl)
		return NULL;
	mnl_socket_setsockopt(nl, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (!mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return nl;
	err = errno;
	mnl_socket_close(nl);
	errno = err;
	return NULL;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int read_proto_once(struct mnl_socket *nl, struct fib *fib,
			   const struct want *want, bool *whole)
{
	int err = dump_links(nl, fib);

	if (err)
		return err;
	qsort(fib->links, fib->n_links, sizeof(*fib->links), by_number);
	*whole = true;
	return dump_routes(nl, fib, RTN_UNSPEC, want->protocol, 0, on_route);
}

static int read_steadily(struct fib *fib, const struct want *want,
			 int (*once)(struct mnl_socket *nl, struct fib *fib,
				     const struct want *want, bool *whole))
{
	struct mnl_socket *nl = netlink_new();
	time_t until = now() + MIN_SECONDS;
	bool whole;
	int err;

	memset(fib, 0, sizeof(*fib));
	if (!nl)
		return -errno;
	for (int tries = 1;; tries++) {
		whole = false;
		err = once(nl, fib, want, &whole);
		if ((whole && !err) || (err && err != -EINTR) ||
		    (tries >= MIN_TRIES && now() > until))
			break;
		fib_free(fib);
	}
	mnl_socket_close(nl);
	return err;
}

int fib_read(struct fib *fib, enum fib_part parts, const char *dev)
{
	return read_steadily(fib, &(struct want){ .parts = parts, .dev = dev }, read_once);
}

int fib_read_proto(struct fib *fib, unsigned int protocol)
{
	return read_steadily(fib, &(struct want){ .protocol = protocol }, read_proto_once);
}

void fib_read_gateways(struct fib *fib, const char *dev)
{
	struct mnl_socket *nl = netlink_new();

	if (!nl)
		return;
	read_gateways(nl, fib, dev);
	mnl_socket_close(nl);
}

static int on_neighbour(const struct nlmsghdr *nlh, void *data)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *ip = NULL, *lladdr = NULL;
	struct gateway gateway = { .link = msg->ndm_ifindex };

	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			ip = attr;
		if (mnl_attr_get_type(attr) == NDA_LLADDR)
			lladdr = attr;
	}
	if (msg->ndm_family != AF_INET6 || (msg->ndm_flags & NTF_PROXY) || !ip ||
	    !lladdr || (msg->ndm_state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP)))
		return MNL_CB_OK;
	take_gateway(&gateway, ip);
	add_gateway(data, &gateway);
	return MNL_CB_OK;
}

size_t fib_neighbours(struct gateway **list)
{
	struct mnl_socket *nl = netlink_new();
	struct fib fib = {};
	char buf[256];

	*list = NULL;
	if (!nl)
		return 0;
	dump(nl, request(buf, RTM_GETNEIGH, sizeof(struct ndmsg), AF_INET6), on_neighbour,
	     &fib);
	mnl_socket_close(nl);
	*list = fib.gateways;
	return fib.n_gateways;
}

static bool match_once(struct mnl_socket *nl, struct nlmsghdr *nlh, struct fib *fib)
{
	char buf[8192];
	ssize_t len;

	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = 1;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return false;
	len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	return len > 0 &&
		mnl_cb_run(buf, len, 1, mnl_socket_get_portid(nl), on_route, fib) >= 0 &&
		fib->n_routes;
}

bool fib_match(const struct in6_addr *ip, const struct link *vrf, struct route *found)
{
	char buf[256];
	struct nlmsghdr *nlh = request(buf, RTM_GETROUTE, sizeof(struct rtmsg), AF_INET6);
	struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct mnl_socket *nl = netlink_new();
	struct fib fib = {};
	bool matched;

	if (!nl)
		return false;
	msg->rtm_dst_len = 128;
	msg->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(nlh, RTA_DST, sizeof(*ip), ip);
	if (vrf)
		mnl_attr_put_u32(nlh, RTA_OIF, vrf->index);
	matched = match_once(nl, nlh, &fib);
	if (matched)
		*found = fib.routes[0];
	fib_free(&fib);
	mnl_socket_close(nl);
	return matched;
}

const char *fib_error(int err)
{
	return err == -EINTR ? "devices or addresses keep changing" : strerror(-err);
}

void fib_free(struct fib *fib)
{
	free(fib->links);
	free(fib->addrs);
	free(fib->routes);
	free(fib->objects);
	free(fib->gateways);
	memset(fib, 0, sizeof(*fib));
}

const struct link *fib_link(const struct fib *fib, unsigned int index)
{
	if (!fib->links)
		return NULL;
	return bsearch(&index, fib->links, fib->n_links, sizeof(*fib->links), by_number);
}

const struct link *fib_link_by_name(const struct fib *fib, const char *name)
{
	for (size_t i = 0; i < fib->n_links; i++)
		if (!strcmp(fib->links[i].name, name))
			return &fib->links[i];
	return NULL;
}

/* The VRF that the device is, or is a port of, or NULL. */
const struct link *fib_vrf(const struct fib *fib, const struct link *link)
{
	const struct link *master;

	if (!link || link->vrf_table)
		return link;
	master = fib_link(fib, link->master);
	return master && master->vrf_table ? master : NULL;
}

const char *fib_link_name(const struct fib *fib, unsigned int index)
{
	const struct link *link = fib_link(fib, index);

	return link ? link->name : "?";
}

bool fib_has_addr(const struct fib *fib, const struct in6_addr *ip)
{
	for (size_t i = 0; i < fib->n_addrs; i++)
		if (!memcmp(&fib->addrs[i].ip, ip, sizeof(*ip)))
			return true;
	return false;
}

bool prefix_covers(const struct in6_addr *prefix, unsigned int len,
		   const struct in6_addr *ip)
{
	unsigned int whole = len / 8, rest = len % 8;

	if (memcmp(prefix, ip, whole))
		return false;
	return !rest || !((prefix->s6_addr[whole] ^ ip->s6_addr[whole]) >> (8 - rest));
}

bool route_covers(const struct route *r, const struct in6_addr *ip)
{
	return prefix_covers(&r->dst, r->len, ip);
}

/* A lookup without a source has the source ::. */
bool route_for_any_source(const struct route *r)
{
	return IN6_IS_ADDR_UNSPECIFIED(&r->src);
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
	static char text[16];

	if (table == RT_TABLE_LOCAL)
		return "local";
	if (table == RT_TABLE_MAIN)
		return "main";
	snprintf(text, sizeof(text), "%u", table);
	return text;
}

__attribute__((format(printf, 3, 4)))
static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

/* Writes the route as ip(8) does. */
const char *route_text(const struct fib *fib, const struct route *r)
{
	static const char *const prefs[] = {
		[PREF_INVALID] = " pref invalid", [PREF_LOW] = " pref low",
		[PREF_MEDIUM] = "", [PREF_HIGH] = " pref high",
	};
	static char texts[2][512];
	static int turn;
	char *text = texts[turn++ % 2], ip[INET6_ADDRSTRLEN];
	const size_t size = sizeof(texts[0]);

	*text = '\0';
	add(text, size, "%s %s", route_type(r), route_prefix(r));
	if (r->src_len)
		add(text, size, " from %s/%u",
		    inet_ntop(AF_INET6, &r->src, ip, sizeof(ip)), r->src_len);
	if (r->object)
		add(text, size, " nhid %u", r->object);
	for (int i = 0; i < r->n_nexthops && strlen(text) < size - 64; i++)
		add(text, size, " dev %s", fib_link_name(fib, r->nexthops[i].link));
	add(text, size, " table %s%s", table_text(r->table), prefs[r->pref & 3]);
	return text;
}
