// SPDX-License-Identifier: GPL-2.0
/*
 * Random changes of routes, nexthop objects, addresses, links, VRF ports,
 * rules, sysctls and namespaces. Between the changes, sockets ask for
 * addresses. Two judges say what each answer must be:
 *
 * The model (model.c) is an independent implementation of the rule. It has a
 * reason for each answer. It reads the routes from a dump and tracks everything
 * else itself.
 *
 * The kernel's own lookup (RTM_GETROUTE) judges every answer that depends on a
 * table. Rules on a mark keep the lookup to that one table, and no socket here
 * has the mark. bind and PKTINFO must say yes exactly where the lookup finds
 * type local. The lookup is the only judge of what a dump does not show, see
 * model.c.
 *
 * The lookup and the rule differ as documented:
 * - An address that is configured, or not unicast, never reaches a table.
 * - For a link-local address the kernel looks only at routes through the
 *   device, but the rule looks at all routes. If the model says that a route
 *   through another device decides, only a yes is compared.
 * - The kernel answers nothing about a link-local address on a VRF device.
 * - Gateways that do not answer do not occur, because nothing is sent to them.
 *
 * fuzz [--seed N] [--seeds COUNT] [--ops N] [--wrong 1|2]
 *	Run COUNT sequences of N operations each, with seeds from N on. The
 *	first answer that a judge disagrees with ends the run. The sequence is
 *	then shrunk as far as it still gives a wrong answer, and printed. To
 *	test this itself, --wrong 1 makes the model err, and --wrong 2 asks the
 *	kernel without the mark. The exit code is 1 for a wrong answer.
 *
 * The flow decides which sibling of a multipath route a lookup gets. So all
 * siblings have the same type here.
 *
 * A sequence depends only on its seed and starts in new namespaces. After each
 * change, IPv4 gets the same routes and addresses as IPv6, for OP_BIND4. Some
 * routes have a feature that IPv4 does not have (a preference, a source, a
 * nexthop object, ...). Questions about these are not judged. A dormant device
 * marks its routes like a device without a carrier, but at once.
 *
 * Left out: L2TP, SCTP bound to a device (before 6.2 it ignores that), and
 * addresses that failed duplicate address detection.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/icmpv6.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtnl.h"
#include "run.h"
#include "model.h"

#define NR_MEMBERS	13	/* the most members that an operation has */
#define SCOPED		NR_DEVS	/* a bind with a scope has changed its socket's device */
#define PROGRESS	20	/* seconds */
#define PER_LOOK	4096	/* operations until the next look at the clock */
#define RULE_PRIORITY	50
#define MARK		0x616e79	/* + the table's number; its rules come first */
#define LOCAL_PRIORITY	20
#define DUMP_SIZE	32768
#define EXPIRES_LONG	86400
#define EXPIRED_MS	30	/* until a dump shows it; dumps count hundredths of a second */
#define MODEL_ERRS	1
#define NO_MARK		2
#define SEND_PORT	9
#define RAW_PROTOCOL	253	/* for experiments (RFC 3692) */

static const char *const dev_names[] = { "none", "lo", "d0", "d1", "vrf0" };
static const unsigned int dev_index[] = { 0, 1, 102, 103, 104 };
static const int table_id[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, 100, 10 };
static const int route_type[] = {
	RTN_UNSPEC, RTN_LOCAL, RTN_UNICAST, RTN_ANYCAST, RTN_UNREACHABLE,
	RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW,
};

static const unsigned int metrics[NR_METRICS + 1] = { 10, 20, 1024, 0 /* any */ };
static const unsigned char prefs[NR_PREFS] = {
	ICMPV6_ROUTER_PREF_MEDIUM, ICMPV6_ROUTER_PREF_LOW, ICMPV6_ROUTER_PREF_HIGH,
};

/* The source prefix: the first len bits of an address. */
static const struct {
	unsigned char addr, len;
} froms[NR_FROMS] = { [FROM_HALF] = { MADDR_LOOP, 1 }, [FROM_DOC] = { MADDR_ONE, 32 } };

/* Link-local, so the kernel does not check other routes to reach the gateway. */
static const unsigned char gateways[2][16] = {
	{ 0xfe, 0x80, [15] = 0x99 }, { 0xfe, 0x80, [15] = 0x98 },
};

static const int how_flags[NR_HOWS] = { NLM_F_EXCL, 0, NLM_F_APPEND, NLM_F_REPLACE };
static const int addr_flags[] = {
	0, IFA_F_NODAD, IFA_F_OPTIMISTIC, 0 /* tentative */
};

/* Sockets are kept and bound again and again. A socket that sends is never bound. */
static const struct role {
	int family, type, protocol;
	bool without_port;	/* takes no port, so it can bind again; raw has no ports */
} roles[] = {
	[SOCK_TCP]	= { AF_INET6, SOCK_STREAM, 0, true },
	[SOCK_UDP]	= { AF_INET6, SOCK_DGRAM, 0, true },
	[SOCK_RAW6]	= { AF_INET6, SOCK_RAW, RAW_PROTOCOL, false },
	[SOCK_PING]	= { AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, false },
	[SOCK_SCTP]	= { AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP, false },
#define ROLE_UDP4	NR_SOCKS
	[ROLE_UDP4]	= { AF_INET, SOCK_DGRAM, 0, true },
#define ROLE_SEND	(NR_SOCKS + 1)
	[ROLE_SEND + 0]	= { AF_INET6, SOCK_DGRAM, 0, false },
	[ROLE_SEND + 1]	= { AF_INET6, SOCK_RAW, RAW_PROTOCOL, false },
};

static struct netns {
	int fd, netlink;	/* -1: not made yet */
	int socket[ARRAY_SIZE(roles)][NR_DEVS + 1][2];
} nets[NR_NETS];

/* The results of the kernel's lookup since the last change, by address and device. */
enum verdict { NOT_ASKED, NOT_LOCAL, IS_LOCAL };

static unsigned char verdicts[NR_NETS][NR_MADDRS][NR_DEVS];
static bool no_mark;

static void fail(const char *what)
{
	printf("fuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void must(int err, const char *what)
{
	errno = -err;
	if (err)
		fail(what);
}

/* rtnetlink */

static struct rtnl_request request;

static void request_new(int type, const void *header, size_t len)
{
	const bool new = type % 4 == RTM_NEWLINK % 4;

	request = rtnl_new(type, new ? NLM_F_EXCL : 0, header, len);
}

static struct rtattr *put(int type, const void *data, size_t len)
{
	return rtnl_put(&request, type, data, len);
}

static void put_u32(int type, unsigned int value)
{
	rtnl_put_u32(&request, type, value);
}

static void put_end(struct rtattr *nest)
{
	rtnl_put_end(&request, nest);
}

static int request_send(const struct netns *net)
{
	return rtnl_ask(net->netlink, &request, NULL);
}

static int link_change(const struct netns *net, int dev, int flags, int change)
{
	const struct ifinfomsg ifi = {
		.ifi_index = dev_index[dev], .ifi_flags = flags, .ifi_change = change,
	};

	request_new(RTM_SETLINK, &ifi, sizeof(ifi));
	return request_send(net);
}

static int link_new(const struct netns *net, int dev, const char *kind, int change)
{
	const struct ifinfomsg ifi = {
		.ifi_index = dev_index[dev], .ifi_flags = IFF_UP, .ifi_change = change,
	};
	struct rtattr *info, *data;

	request_new(RTM_NEWLINK, &ifi, sizeof(ifi));
	put(IFLA_IFNAME, dev_names[dev], strlen(dev_names[dev]) + 1);
	info = put(IFLA_LINKINFO, NULL, 0);
	put(IFLA_INFO_KIND, kind, strlen(kind));
	data = put(IFLA_INFO_DATA, NULL, 0);
	if (dev == DEV_VRF)
		put_u32(IFLA_VRF_TABLE, table_id[TABLE_VRF]);
	put_end(data);
	put_end(info);
	return request_send(net);
}

static size_t size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

static int rtm_scope(int route)
{
	switch (route) {
	case TYPE_LOCAL:
		return RT_SCOPE_HOST;
	case TYPE_UNICAST:
	case TYPE_ANYCAST:
		return RT_SCOPE_LINK;
	default:
		return RT_SCOPE_UNIVERSE;
	}
}

static int route4_change(const struct netns *net, int type, const struct op *op)
{
	const struct model_bytes *p = &model_prefixes[op->prefix];
	const struct rtmsg rtm = {
		.rtm_family = AF_INET,
		.rtm_dst_len = p->len4,
		.rtm_table = table_id[op->table],
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = rtm_scope(op->route),
		.rtm_type = route_type[op->route],
	};

	request_new(type, &rtm, sizeof(rtm));
	put(RTA_DST, p->v4, sizeof(p->v4));
	put_u32(RTA_PRIORITY, metrics[op->metric]);
	if (op->route < TYPE_UNREACHABLE)
		put_u32(RTA_OIF, dev_index[op->dev]);
	return request_send(net);
}

static void route6_new(int type, const struct op *op)
{
	const struct model_bytes *p = &model_prefixes[op->prefix];
	const struct rtmsg rtm = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = p->len6,
		.rtm_src_len = froms[op->from].len,
		.rtm_table = table_id[op->table],
		.rtm_protocol = RTPROT_BOOT,
		.rtm_type = route_type[op->route],
	};

	request_new(type, &rtm, sizeof(rtm));
	put(RTA_DST, p->v6, sizeof(p->v6));
	put_u32(RTA_PRIORITY, metrics[op->metric]);
	if (op->from)
		put(RTA_SRC, model_addrs[froms[op->from].addr].v6, 16);
}

/* A multipath route leaves through both dummies, with one gateway on each. */
static void put_paths(void)
{
	struct rtattr *paths = put(RTA_MULTIPATH, NULL, 0);

	for (int i = 0; i < 2; i++) {
		struct {
			struct rtnexthop hop;
			struct rtattr rta;
			unsigned char gateway[16];
		} path = {
			.hop = { sizeof(path), 0, 0, dev_index[DEV_D0 + i] },
			.rta = { sizeof(path.rta) + sizeof(path.gateway), RTA_GATEWAY },
		};

		memcpy(path.gateway, gateways[i], sizeof(path.gateway));
		memcpy((char *)&request + request.hdr.nlmsg_len, &path, sizeof(path));
		request.hdr.nlmsg_len += sizeof(path);
	}
	put_end(paths);
}

static void put_via(const struct op *op)
{
	if (op->via == VIA_GATEWAY)
		put(RTA_GATEWAY, gateways[op->dev % 2], sizeof(gateways[0]));
	if (op->via == VIA_MULTIPATH)
		put_paths();
	else if (op->via == VIA_OBJECT)
		put_u32(RTA_NH_ID, op->nexthop);
	else if (op->route < TYPE_UNREACHABLE)
		put_u32(RTA_OIF, dev_index[op->dev]);
}

/* A /128, which brings no route except its own. */
static int addr_change(const struct netns *net, int type, int family, int dev,
		       const void *addr, int flags)
{
	const struct ifaddrmsg ifa = {
		.ifa_family = family,
		.ifa_prefixlen = 8 * size_of(family),
		.ifa_index = dev_index[dev],
	};

	request_new(type, &ifa, sizeof(ifa));
	put(IFA_LOCAL, addr, size_of(family));
	put_u32(IFA_FLAGS, flags | IFA_F_NOPREFIXROUTE);
	return request_send(net);
}

/* Namespaces */

static void netns_end(struct netns *net)
{
	int *fd = (int *)net;

	for (size_t i = 0; i < sizeof(*net) / sizeof(*fd); i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
}

static void devices_new(const struct netns *net)
{
	unsigned char v4[4] = { 10 };

	must(link_change(net, DEV_LO, IFF_UP, IFF_UP), "lo");
	/* Needs ARP: without it there is no duplicate address detection. */
	must(link_new(net, DEV_D0, "dummy", IFF_UP | IFF_NOARP), "d0");
	must(link_new(net, DEV_D1, "dummy", IFF_UP | IFF_NOARP), "d1");
	must(link_new(net, DEV_VRF, "vrf", IFF_UP), "vrf0");
	/* IPv4 deletes the routes of a device when its last address goes. */
	for (int dev = DEV_LO; dev < NR_DEVS; dev++) {
		v4[3] = dev;
		must(addr_change(net, RTM_NEWADDR, AF_INET, dev, v4, 0), "IPv4");
	}
}

static int rule_change(const struct netns *net, int type, int family,
		       unsigned int priority, unsigned int mark, int action, int table)
{
	const struct fib_rule_hdr rule = {
		.family = family, .table = table, .action = action,
	};

	request_new(type, &rule, sizeof(rule));
	put_u32(FRA_PRIORITY, priority);
	if (mark)
		put_u32(FRA_FWMARK, mark);
	return request_send(net);
}

/*
 * A packet with a table's mark is looked up in that table only. These rules
 * must come before the rule for local, so that rule moves back.
 */
static void rules_new(const struct netns *net)
{
	static const int tables[] = { TABLE_LOCAL, TABLE_VRF };
	unsigned int at = 1;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		must(rule_change(net, RTM_NEWRULE, AF_INET6, at++, MARK + tables[i],
				 FR_ACT_TO_TBL, table_id[tables[i]]), "a rule");
		must(rule_change(net, RTM_NEWRULE, AF_INET6, at++, MARK + tables[i],
				 FR_ACT_PROHIBIT, 0), "a rule");
	}
	must(rule_change(net, RTM_NEWRULE, AF_INET6, LOCAL_PRIORITY, 0,
			 FR_ACT_TO_TBL, RT_TABLE_LOCAL), "the rule for local");
	must(rule_change(net, RTM_DELRULE, AF_INET6, 0, 0,
			 FR_ACT_TO_TBL, RT_TABLE_LOCAL), "the first rule");
}

/*
 * Only our addresses exist, and tentative ones stay tentative for four minutes.
 * Expired routes stay until a link goes down.
 */
static const char *const settings[][2] = {
	{ "net/ipv6/conf/default/addr_gen_mode", "1" },
	{ "net/ipv6/conf/default/dad_transmits", "255" },
	{ "net/ipv6/conf/default/optimistic_dad", "1" },
	{ "net/ipv6/conf/all/accept_dad", "1" },
	{ "net/ipv6/conf/default/ignore_routes_with_linkdown", "1" },
	{ "net/ipv6/route/gc_interval", "86400" },
	{ "net/ipv4/ping_group_range", "0 0" },
};

static void netns_make(struct netns *net)
{
	net->fd = netns_new();
	net->netlink = rtnl_open();
	if (net->netlink < 0)
		fail("NETLINK_ROUTE");
	for (size_t s = 0; s < ARRAY_SIZE(settings); s++)
		must(sysctl_write(settings[s][0], settings[s][1]), settings[s][0]);
	/* The model's state counts, not a parameter or the built-in default. */
	toggle_set(model.loaded ? MODE_ON : MODE_ABSENT);
	devices_new(net);
	rules_new(net);
}

static const struct netns *netns_of(const struct op *op)
{
	return &nets[op->net];
}

/* Sockets */

/* Only this may use CAP_NET_RAW. See perform_pktinfo(). */
static int socket_new(const struct role *role, int dev, bool freebind)
{
	const int one = 1;
	int fd;

	may_raw(true);
	fd = socket(role->family, role->type | SOCK_CLOEXEC, role->protocol);
	may_raw(false);
	if (fd < 0 ||
	    (role->without_port &&
	     setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one))) ||
	    (freebind &&
	     setsockopt(fd, SOL_IPV6, IPV6_FREEBIND, &one, sizeof(one))) ||
	    (dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev_names[dev],
			       strlen(dev_names[dev]) + 1)))
		fail("a socket");
	return fd;
}

static int *socket_of(const struct op *op, int role, int dev)
{
	int *fd = &nets[op->net].socket[role][dev][op->freebind];

	if (*fd < 0) {
		netns_enter(netns_of(op)->fd);
		*fd = socket_new(&roles[role], dev % SCOPED, op->freebind);
	}
	return fd;
}

static struct sockaddr_in6 sockaddr6(int addr, int scope)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_scope_id = dev_index[scope],
	};

	memcpy(&sa.sin6_addr, model_addrs[addr].v6, sizeof(sa.sin6_addr));
	return sa;
}

/* Operations: each returns 0 or -errno. */

static int perform_bind(const struct op *op)
{
	struct sockaddr_in6 sa = sockaddr6(op->addr, op->scope);
	bool scoped = op->scope && IN6_IS_ADDR_LINKLOCAL(&sa.sin6_addr);
	int *fd = socket_of(op, op->sock, scoped ? SCOPED : op->dev);

	if (bind(*fd, (struct sockaddr *)&sa, sizeof(sa)))
		return -errno;
	if (op->sock == SOCK_PING || op->sock == SOCK_SCTP) {
		close(*fd);
		*fd = -1;
	}
	return 0;
}

static int perform_bind4(const struct op *op)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd = *socket_of(op, ROLE_UDP4, op->dev);

	memcpy(&sa.sin_addr, model_addrs[op->addr].v4, sizeof(sa.sin_addr));
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
}

/* Only asks: the result of really sending would depend on the route to the target. */
static int perform_pktinfo(const struct op *op)
{
	const int *fd = socket_of(op, ROLE_SEND + (op->sock == SOCK_RAW6), op->dev);
	union sockaddr_any from = { .in6 = sockaddr6(op->addr, op->scope) };
	union sockaddr_any to = { .in6 = sockaddr6(MADDR_LOOP, DEV_NONE) };

	if (op->sock == SOCK_UDP)
		to.in6.sin6_port = htons(SEND_PORT);
	return probe_source(*fd, &from, &to);
}

/* A route outside the universe of the model. */
static int prefsrc_change(const struct op *op, int type)
{
	static const unsigned char dst[16] = { 0x3f, 0xff, 0x77 };
	const struct rtmsg rtm = {
		.rtm_family = AF_INET6, .rtm_dst_len = 64,
		.rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
		.rtm_type = RTN_UNICAST,
	};

	request_new(type, &rtm, sizeof(rtm));
	put(RTA_DST, dst, sizeof(dst));
	put_u32(RTA_OIF, dev_index[op->dev]);
	put(RTA_PREFSRC, model_addrs[op->addr].v6, 16);
	return request_send(netns_of(op));
}

static int perform_prefsrc(const struct op *op)
{
	int err = prefsrc_change(op, RTM_NEWROUTE);

	if (!err)
		must(prefsrc_change(op, RTM_DELROUTE), "a route with a source");
	return err;
}

/* After this, the time is past the clock that routes expire by. */
static void wait_expired(void)
{
	struct timespec t;
	long now, until = 0;

	do {
		clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
		now = t.tv_sec * 1000 + t.tv_nsec / 1000000;
		until = until ?: now + EXPIRED_MS;
		let_others_run();
	} while (now < until);
}

static int perform_route(const struct op *op)
{
	int err;

	route6_new(RTM_NEWROUTE, op);
	request.hdr.nlmsg_flags &= ~NLM_F_EXCL;
	request.hdr.nlmsg_flags |= how_flags[op->how];
	put_via(op);
	if (op->pref)
		put(RTA_PREF, &prefs[op->pref], 1);
	if (op->expires)
		put_u32(RTA_EXPIRES, op->expires == EXPIRES_LATER ? EXPIRES_LONG : 0);
	err = request_send(netns_of(op));
	if (op->expires == EXPIRES_NOW)
		wait_expired();
	return err;
}

static int perform_route_del(const struct op *op)
{
	route6_new(RTM_DELROUTE, op);
	return request_send(netns_of(op));
}

static void nexthop_new(int type, const struct op *op)
{
	const struct nhmsg nhm = {
		.nh_family = op->type == OP_NEXTHOP ? AF_INET6 : AF_UNSPEC,
		.nh_protocol = type == RTM_NEWNEXTHOP ? RTPROT_BOOT : 0,
	};

	request_new(type, &nhm, sizeof(nhm));
	request.hdr.nlmsg_flags &= ~NLM_F_EXCL;
	if (type == RTM_NEWNEXTHOP)
		request.hdr.nlmsg_flags |= NLM_F_REPLACE;
	put_u32(NHA_ID, op->nexthop);
}

/* Add a nexthop, or replace it. */
static int perform_nexthop(const struct op *op)
{
	nexthop_new(RTM_NEWNEXTHOP, op);
	if (op->object == OBJECT_BLACKHOLE)
		put(NHA_BLACKHOLE, NULL, 0);
	else
		put_u32(NHA_OIF, dev_index[op->dev]);
	if (op->object == OBJECT_GATEWAY)
		put(NHA_GATEWAY, gateways[0], sizeof(gateways[0]));
	return request_send(netns_of(op));
}

static int perform_group(const struct op *op)
{
	const struct nexthop_grp group[2] = {
		{ .id = op->first }, { .id = op->second },
	};

	nexthop_new(RTM_NEWNEXTHOP, op);
	put(NHA_GROUP, group, sizeof(group[0]) * (op->second ? 2 : 1));
	return request_send(netns_of(op));
}

static int perform_nexthop_del(const struct op *op)
{
	nexthop_new(RTM_DELNEXTHOP, op);
	return request_send(netns_of(op));
}

static int perform_addr_add(const struct op *op)
{
	return addr_change(netns_of(op), RTM_NEWADDR, AF_INET6, op->dev,
			   model_addrs[op->addr].v6, addr_flags[op->state]);
}

static int perform_addr_del(const struct op *op)
{
	return addr_change(netns_of(op), RTM_DELADDR, AF_INET6, op->dev,
			   model_addrs[op->addr].v6, 0);
}

static int operstate_change(const struct op *op, unsigned char state)
{
	const struct ifinfomsg ifi = { .ifi_index = dev_index[op->dev] };

	request_new(RTM_SETLINK, &ifi, sizeof(ifi));
	put(IFLA_OPERSTATE, &state, 1);
	return request_send(netns_of(op));
}

/* A device that comes up dormant is a different case, and is not tested here. */
static int perform_link(const struct op *op)
{
	must(operstate_change(op, IF_OPER_UP), "a link's state");
	return link_change(netns_of(op), op->dev, op->value ? IFF_UP : 0, IFF_UP);
}

static int perform_dormant(const struct op *op)
{
	if (!model.net[op->net].up[op->dev])
		return -ENETDOWN;
	return operstate_change(op, op->value ? IF_OPER_DORMANT : IF_OPER_UP);
}

static int perform_port(const struct op *op)
{
	const struct ifinfomsg ifi = { .ifi_index = dev_index[DEV_D1] };
	const struct op d1 = { .net = op->net, .dev = DEV_D1 };

	must(operstate_change(&d1, IF_OPER_UP), "d1's state");
	request_new(RTM_SETLINK, &ifi, sizeof(ifi));
	put_u32(IFLA_MASTER, dev_index[op->value ? DEV_VRF : DEV_NONE]);
	return request_send(netns_of(op));
}

static int rules_change(const struct op *op, int type)
{
	const int table = table_id[TABLE_100];
	int err;

	err = rule_change(netns_of(op), type, AF_INET6, RULE_PRIORITY, 0,
			  FR_ACT_TO_TBL, table);
	return err ?: rule_change(netns_of(op), type, AF_INET, RULE_PRIORITY, 0,
				  FR_ACT_TO_TBL, table);
}

static int perform_rule_add(const struct op *op)
{
	return rules_change(op, RTM_NEWRULE);
}

static int perform_rule_del(const struct op *op)
{
	return rules_change(op, RTM_DELRULE);
}

static int sysctl_change(const struct op *op, const char *name)
{
	const char value[] = { '0' + op->value, '\0' };

	netns_enter(netns_of(op)->fd);
	return sysctl_write(name, value);
}

static int perform_toggle(const struct op *op)
{
	return sysctl_change(op, TOGGLE);
}

static int perform_nonlocal(const struct op *op)
{
	return sysctl_change(op, "net/ipv6/ip_nonlocal_bind");
}

static int perform_linkdown(const struct op *op)
{
	char name[64];

	snprintf(name, sizeof(name), "net/ipv6/conf/%s/ignore_routes_with_linkdown",
		 dev_names[op->dev]);
	return sysctl_change(op, name);
}

static int perform_netns(const struct op *op)
{
	netns_end(&nets[op->net]);
	netns_make(&nets[op->net]);
	return 0;
}

/* Operations consist of members. Each member has values to choose from. */

struct member {
	const char *label;
	size_t offset;
	const char *const *names;	/* of the values, or NULL */
	const unsigned char *values;
	size_t n;
};

#define LIST(...)	__VA_ARGS__
#define MEMBER(id, text, name, texts, list)				\
static const unsigned char values_##id[] = { LIST list };		\
static const struct member m_##id = {					\
	.label = text, .offset = offsetof(struct op, name), .names = texts, \
	.values = values_##id, .n = sizeof(values_##id),		\
}

static const char *const addr_names[] = {
#define X(name, v6, v4) [MADDR_##name] = v6,
	MODEL_ADDRS(X)
#undef X
};

static const char *const prefix_names[] = {
#define X(name, v6, len6, v4, len4) [PREFIX_##name] = v6 "/" #len6,
	MODEL_PREFIXES(X)
#undef X
};

static const char *const table_names[] = { "local", "main", "100", "vrf0's" };
static const char *const type_names[] = {
	"", "local", "unicast", "anycast", "unreachable", "blackhole", "prohibit",
	"throw",
};

static const char *const metric_names[] = { "10", "20", "1024", "any" };
static const char *const via_names[] = {
	"the device", "a gateway", "two gateways", "an object",
};

static const char *const how_names[] = { "add", "prepend", "append", "replace" };
static const char *const from_names[] = { "any", "::/1", "2001:db8::/32" };
static const char *const pref_names[] = { "medium", "low", "high" };
static const char *const expires_names[] = { "never", "later", "at once" };
static const char *const object_names[] = { "device", "gateway", "blackhole" };
static const char *const dormant_names[] = { "awake", "dormant" };
static const char *const state_names[] = {
	"", "usable", "optimistic", "tentative",
};

static const char *const sock_names[] = { "tcp", "udp", "raw", "ping", "sctp" };
static const char *const up_names[] = { "down", "up" };
static const char *const port_names[] = { "released", "enslaved" };

#define GLOBAL_ADDRS	MADDR_NET, MADDR_ONE, MADDR_TWO, MADDR_THREE, MADDR_HIGH, \
			MADDR_NEXT, MADDR_FAR, MADDR_OTHER
#define UNICAST_ADDRS	GLOBAL_ADDRS, MADDR_LINK_ONE, MADDR_LINK_TWO, \
			MADDR_LINK_OTHER

MEMBER(net, "netns", net, NULL, (0, 1, 2));
MEMBER(bound, "bound-to", dev, dev_names,
       (DEV_NONE, DEV_NONE, DEV_LO, DEV_D0, DEV_D1, DEV_VRF));
MEMBER(dev, "dev", dev, dev_names, (DEV_LO, DEV_D0, DEV_D1, DEV_VRF));
MEMBER(dad_dev, "dev", dev, dev_names, (DEV_D0, DEV_D1));
MEMBER(up_dev, "dev", dev, dev_names, (DEV_D0, DEV_D1, DEV_VRF));
MEMBER(scope, "scope", scope, dev_names,
       (DEV_NONE, DEV_NONE, DEV_NONE, DEV_NONE, DEV_LO, DEV_D0, DEV_D1, DEV_VRF));
MEMBER(addr, "addr", addr, addr_names,
       (UNICAST_ADDRS, MADDR_LOOP, MADDR_MULTICAST));
MEMBER(own_addr, "addr", addr, addr_names, (UNICAST_ADDRS));
MEMBER(addr4, "like", addr, addr_names, (GLOBAL_ADDRS));
MEMBER(usable, "state", state, state_names, (STATE_USABLE));
MEMBER(dad_state, "state", state, state_names,
       (STATE_TENTATIVE, STATE_TENTATIVE, STATE_OPTIMISTIC));
#define X(name, v6, len6, v4, len4) PREFIX_##name,
MEMBER(prefix, "prefix", prefix, prefix_names, (MODEL_PREFIXES(X)));
#undef X
MEMBER(table, "table", table, table_names,
       (TABLE_LOCAL, TABLE_LOCAL, TABLE_LOCAL, TABLE_VRF, TABLE_VRF, TABLE_VRF,
	TABLE_MAIN, TABLE_100));
MEMBER(metric, "metric", metric, metric_names, (0, 1, 2, 2, 2, 2, 2));
MEMBER(any_metric, "metric", metric, metric_names, (0, 1, 2, 2, 3, 3, 3));
MEMBER(via, "via", via, via_names,
       (VIA_DEV, VIA_DEV, VIA_DEV, VIA_DEV, VIA_DEV, VIA_DEV, VIA_GATEWAY,
	VIA_MULTIPATH, VIA_OBJECT, VIA_OBJECT, VIA_OBJECT));
MEMBER(how, "how", how, how_names,
       (HOW_ADD, HOW_PREPEND, HOW_APPEND, HOW_REPLACE));
MEMBER(from, "from", from, from_names,
       (FROM_NONE, FROM_NONE, FROM_NONE, FROM_NONE, FROM_NONE, FROM_NONE,
	FROM_NONE, FROM_NONE, FROM_HALF, FROM_DOC));
MEMBER(pref, "pref", pref, pref_names,
       (PREF_MEDIUM, PREF_MEDIUM, PREF_MEDIUM, PREF_LOW, PREF_HIGH));
MEMBER(expires, "expires", expires, expires_names,
       (EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER,
	EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER,
	EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER,
	EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_LATER, EXPIRES_LATER, EXPIRES_NOW));
MEMBER(any_nexthop, "object", nexthop, NULL, (1, 2, 3, 4, 5, 6));
MEMBER(nexthop, "object", nexthop, NULL, (1, 2, 3, 4));
MEMBER(group, "object", nexthop, NULL, (5, 6));
MEMBER(first, "of", first, NULL, (1, 2, 3, 4));
MEMBER(second, "and", second, NULL, (0, 0, 1, 2, 3, 4));
MEMBER(object, "is", object, object_names,
       (OBJECT_DEV, OBJECT_DEV, OBJECT_GATEWAY, OBJECT_BLACKHOLE, OBJECT_BLACKHOLE));
MEMBER(dormant, "is", value, dormant_names, (0, 1));
MEMBER(ignore, "value", value, NULL, (0, 1, 1));
MEMBER(route, "type", route, type_names,
       (TYPE_LOCAL, TYPE_LOCAL, TYPE_LOCAL, TYPE_LOCAL, TYPE_UNICAST, TYPE_ANYCAST,
	TYPE_UNREACHABLE, TYPE_BLACKHOLE, TYPE_PROHIBIT, TYPE_THROW));
/* A ping socket can bind only once, so each bind costs as much as ten others. */
MEMBER(sock, "socket", sock, sock_names,
       (SOCK_TCP, SOCK_TCP, SOCK_TCP, SOCK_UDP, SOCK_UDP, SOCK_UDP,
	SOCK_RAW6, SOCK_RAW6, SOCK_RAW6, SOCK_PING));
MEMBER(sctp, "socket", sock, sock_names, (SOCK_SCTP));
MEMBER(sctp_addr, "addr", addr, addr_names, (GLOBAL_ADDRS, MADDR_LOOP));
MEMBER(sender, "socket", sock, sock_names, (SOCK_UDP, SOCK_RAW6));
MEMBER(freebind, "freebind", freebind, NULL,
       (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
MEMBER(up, "link", value, up_names, (0, 1, 1));
MEMBER(port, "d1", value, port_names, (0, 1));
MEMBER(toggle, "value", value, NULL, (0, 1, 1, 1, 1, 1, 1, 2));
MEMBER(nonlocal, "value", value, NULL,
       (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));

static const struct row {
	const char *name;
	unsigned int weight;
	int (*perform)(const struct op *op);
	const struct member *members[NR_MEMBERS];
} rows[NR_OPS] = {
	[OP_ROUTE] = { "route add", 400, perform_route,
		{ &m_net, &m_route, &m_prefix, &m_dev, &m_table, &m_metric, &m_how,
		  &m_via, &m_any_nexthop, &m_from, &m_pref, &m_expires } },
	[OP_ROUTE_DEL] = { "route del", 400, perform_route_del,
		{ &m_net, &m_prefix, &m_table, &m_any_metric, &m_from } },
	[OP_NEXTHOP] = { "nexthop", 80, perform_nexthop,
		{ &m_net, &m_nexthop, &m_object, &m_dev } },
	[OP_GROUP] = { "nexthop group", 60, perform_group,
		{ &m_net, &m_group, &m_first, &m_second } },
	[OP_NEXTHOP_DEL] = { "nexthop del", 10, perform_nexthop_del,
		{ &m_net, &m_any_nexthop } },
	[OP_ADDR_ADD] = { "addr add", 20, perform_addr_add,
		{ &m_net, &m_own_addr, &m_dev, &m_usable } },
	[OP_ADDR_DAD] = { "addr add", 20, perform_addr_add,
		{ &m_net, &m_own_addr, &m_dad_dev, &m_dad_state } },
	[OP_ADDR_DEL] = { "addr del", 60, perform_addr_del,
		{ &m_net, &m_own_addr, &m_dev } },
	[OP_LINK] = { "link", 6, perform_link, { &m_net, &m_up_dev, &m_up } },
	[OP_PORT] = { "port", 6, perform_port, { &m_net, &m_port } },
	[OP_DORMANT] = { "link state", 60, perform_dormant,
		{ &m_net, &m_dad_dev, &m_dormant } },
	[OP_LINKDOWN] = { "ignore_routes_with_linkdown", 10, perform_linkdown,
		{ &m_net, &m_dad_dev, &m_ignore } },
	[OP_RULE_ADD] = { "rule add", 4, perform_rule_add, { &m_net } },
	[OP_RULE_DEL] = { "rule del", 4, perform_rule_del, { &m_net } },
	[OP_TOGGLE] = { "toggle", 30, perform_toggle, { &m_net, &m_toggle } },
	[OP_NONLOCAL] = { "ip_nonlocal_bind", 30, perform_nonlocal, { &m_net, &m_nonlocal } },
	[OP_NETNS] = { "netns renewed", 1, perform_netns, { &m_net } },
	[OP_PREFSRC] = { "route with source", 100, perform_prefsrc,
		{ &m_net, &m_own_addr, &m_dev } },
	[OP_BIND] = { "bind", 9000, perform_bind,
		{ &m_net, &m_sock, &m_addr, &m_scope, &m_bound, &m_freebind } },
	[OP_BIND_SCTP] = { "bind SCTP", 200, perform_bind,
		{ &m_net, &m_sctp, &m_sctp_addr, &m_freebind } },
	[OP_BIND4] = { "bind IPv4", 2000, perform_bind4, { &m_net, &m_addr4, &m_bound } },
	[OP_PKTINFO] = { "PKTINFO", 4000, perform_pktinfo,
		{ &m_net, &m_sender, &m_addr, &m_scope, &m_bound, &m_freebind } },
};

static unsigned char *member_of(struct op *op, const struct member *member)
{
	return (unsigned char *)op + member->offset;
}

/* xorshift64*, by Marsaglia and Vigna. A sequence depends only on the seed. */
static unsigned long seed;
static __u64 random_state;

static unsigned int random_below(unsigned int n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((random_state * 0x2545F4914F6CDD1DULL) >> 32) % n;
}

/* Consecutive seeds must differ in more than their last bits. */
static void random_seed(void)
{
	random_state = (seed + 1) * 0x9E3779B97F4A7C15ULL;
}

static bool sctp_exists(void)
{
	int fd = socket(AF_INET6, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Questions follow a change, most of them in the same namespace. */
static struct op op_random(unsigned int weights)
{
	unsigned int at = random_below(weights);
	static unsigned char changed;
	struct op op = {};

	while (at >= rows[op.type].weight)
		at -= rows[op.type++].weight;
	for (const struct member *const *m = rows[op.type].members; *m; m++)
		*member_of(&op, *m) = (*m)->values[random_below((*m)->n)];
	if (op.route >= TYPE_UNREACHABLE && op.via == VIA_DEV)
		op.dev = DEV_LO;
	/* See the top: all routes that may become siblings have one type. */
	if (op.via == VIA_GATEWAY || op.via == VIA_MULTIPATH)
		op.route = op.prefix % 2 ? TYPE_LOCAL : TYPE_UNICAST;
	/* In a dump, every route through a blackhole object has type blackhole. */
	if (op.via == VIA_OBJECT && op.route == TYPE_BLACKHOLE)
		op.route = TYPE_UNREACHABLE;
	/* Clear values without effect, so that they are not printed. */
	if (op.via >= VIA_MULTIPATH)
		op.dev = DEV_NONE;
	if (op.type == OP_ROUTE && op.via != VIA_OBJECT)
		op.nexthop = 0;
	if (op.type < OP_BIND)
		changed = op.net;
	else if (random_below(4))
		op.net = changed;
	return op;
}

static void op_print(const struct op *op)
{
	const struct row *row = &rows[op->type];
	struct op copy = *op;

	printf("  %s", row->name);
	for (const struct member *const *m = row->members; *m; m++) {
		unsigned int value = *member_of(&copy, *m);

		if ((*m)->names)
			printf(", %s %s", (*m)->label, (*m)->names[value]);
		else
			printf(", %s %u", (*m)->label, value);
	}
	printf("\n");
}

/* The current routes, for the model */

static int index_of(unsigned int value, const int *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (values[i] == (int)value)
			return i;
	return -1;
}

static unsigned char dev_bit(unsigned int index)
{
	for (int dev = DEV_LO; dev < NR_DEVS; dev++)
		if (dev_index[dev] == index)
			return 1 << dev;
	return 0;
}

static unsigned int u32_of(const struct rtattr *rta)
{
	unsigned int value;

	memcpy(&value, RTA_DATA(rta), sizeof(value));
	return value;
}

/*
 * A dead path is unusable. The kernel marks ignored paths without a carrier as
 * dead too.
 */
static void read_path(struct model_route *r, unsigned int flags, unsigned int index)
{
	if (!(flags & RTNH_F_DEAD))
		r->devs |= dev_bit(index);
	else if (flags & RTNH_F_LINKDOWN)
		r->kinds |= KIND(LINKDOWN);
}

static void read_paths(struct model_route *r, struct rtattr *paths)
{
	int len = RTA_PAYLOAD(paths);

	for (struct rtnexthop *hop = RTA_DATA(paths); RTNH_OK(hop, len);
	     len -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		read_path(r, hop->rtnh_flags, hop->rtnh_ifindex);
	r->kinds |= r->kinds & KIND(OBJECT) ? KIND(GROUP) : KIND(MULTIPATH);
}

/* A larger value is better, as in IPV6_DECODE_PREF(). */
static void read_pref(struct model_route *r, unsigned char pref)
{
	r->pref = pref ^ 2;
	if (pref == ICMPV6_ROUTER_PREF_LOW)
		r->kinds |= KIND(PREF_LOW);
	if (pref == ICMPV6_ROUTER_PREF_HIGH)
		r->kinds |= KIND(PREF_HIGH);
}

static void read_expires(struct model_route *r, int expires)
{
	if (expires)
		r->kinds |= expires < 0 ? KIND(EXPIRED) : KIND(EXPIRES);
}

static void read_attr(struct model_route *r, const struct rtmsg *rtm, struct rtattr *rta)
{
	switch (rta->rta_type) {
	case RTA_DST:
		memcpy(r->dst, RTA_DATA(rta), sizeof(r->dst));
		break;
	case RTA_SRC:
		memcpy(r->src, RTA_DATA(rta), sizeof(r->src));
		r->kinds |= KIND(FROM);
		break;
	case RTA_PRIORITY:
		r->metric = u32_of(rta);
		break;
	case RTA_OIF:
		read_path(r, rtm->rtm_flags, u32_of(rta));
		break;
	case RTA_GATEWAY:
		r->kinds |= KIND(GATEWAY);
		break;
	case RTA_NH_ID:
		r->kinds |= KIND(OBJECT);
		if (rtm->rtm_type == RTN_BLACKHOLE)
			r->kinds |= KIND(BLACKHOLE);
		break;
	case RTA_MULTIPATH:
		read_paths(r, rta);
		break;
	case RTA_PREF:
		read_pref(r, *(unsigned char *)RTA_DATA(rta));
		break;
	case RTA_CACHEINFO:
		read_expires(r, ((struct rta_cacheinfo *)RTA_DATA(rta))->rta_expires);
		break;
	}
}

/* Finds the route's place in the IPv4 copy. Returns false if IPv4 cannot have it. */
static bool place_of(const struct model_route *r, struct op *place)
{
	*place = (struct op) { .table = r->table, .route = r->type };
	if (r->kinds || !r->devs)
		return false;
	while (!(r->devs & 1 << place->dev))
		place->dev++;
	while (place->metric < NR_METRICS && metrics[place->metric] != r->metric)
		place->metric++;
	while (place->prefix < NR_PREFIXES &&
	       (model_prefixes[place->prefix].len6 != r->len ||
		memcmp(model_prefixes[place->prefix].v6, r->dst, sizeof(r->dst))))
		place->prefix++;
	return place->metric < NR_METRICS && place->prefix < NR_PREFIXES;
}

static void read_route(struct model_net *n, struct nlmsghdr *hdr)
{
	const struct rtmsg *rtm = NLMSG_DATA(hdr);
	struct model_route *r = &n->route[n->nr_routes];
	int table = index_of(rtm->rtm_table, table_id, ARRAY_SIZE(table_id));
	int type = index_of(rtm->rtm_type, route_type, ARRAY_SIZE(route_type));
	int len = RTM_PAYLOAD(hdr);
	struct op place;

	/* Other types, such as multicast, do not matter here. */
	if (table < 0 || type < 0 || rtm->rtm_flags & RTM_F_CLONED)
		return;
	*r = (struct model_route) {
		.table = table, .type = type, .len = rtm->rtm_dst_len,
		.src_len = rtm->rtm_src_len,
		.own = rtm->rtm_protocol == RTPROT_BOOT,
	};
	for (struct rtattr *rta = RTM_RTA(rtm); RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		read_attr(r, rtm, rta);
	r->plain = r->own && place_of(r, &place);
	if (++n->nr_routes == MAX_ROUTES)
		fail("too many routes");
}

/* Returns true at the end of the dump. */
static bool read_messages(struct model_net *n, void *messages, int len, bool *torn)
{
	for (struct nlmsghdr *hdr = messages; NLMSG_OK(hdr, len);
	     hdr = NLMSG_NEXT(hdr, len)) {
		*torn |= hdr->nlmsg_flags & NLM_F_DUMP_INTR;
		if (hdr->nlmsg_type == NLMSG_DONE)
			return true;
		if (hdr->nlmsg_type != RTM_NEWROUTE)
			fail("a dump of the routes");
		read_route(n, hdr);
	}
	return false;
}

static void read_routes(const struct netns *net, struct model_net *n)
{
	static char buffer[DUMP_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct rtmsg rtm = { .rtm_family = AF_INET6 };
	bool torn;
	ssize_t len;

	do {
		torn = false;
		n->nr_routes = 0;
		request_new(RTM_GETROUTE, &rtm, sizeof(rtm));
		request.hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		if (send(net->netlink, &request, request.hdr.nlmsg_len, 0) < 0)
			fail("a dump of the routes");
		do {
			len = recv(net->netlink, buffer, sizeof(buffer), 0);
			if (len < 0)
				fail("a dump of the routes");
		} while (!read_messages(n, buffer, len, &torn));
	} while (torn);
}

/* IPv4 gets the routes of IPv6 */

/* route[] has type and device by place. addr[] is by device and address. */
struct copy4 {
	struct {
		unsigned char type, dev;
	} route[NR_TABLES][NR_PREFIXES][NR_METRICS];
	bool addr[NR_DEVS][NR_MADDRS];
};

static struct copy4 copies[NR_NETS];

/* Of routes with the same metric, the first one decides. */
static void copy_wanted(const struct model_net *n, struct copy4 *want)
{
	struct op at;

	memset(want, 0, sizeof(*want));
	for (unsigned int i = 0; i < n->nr_routes; i++)
		if (n->route[i].plain && place_of(&n->route[i], &at) &&
		    model_prefixes[at.prefix].has_v4 &&
		    !want->route[at.table][at.prefix][at.metric].type) {
			want->route[at.table][at.prefix][at.metric].type = at.route;
			want->route[at.table][at.prefix][at.metric].dev = at.dev;
		}
	for (int dev = DEV_LO; dev < NR_DEVS; dev++)
		for (int a = 0; a < NR_MADDRS; a++)
			want->addr[dev][a] = model_addrs[a].has_v4 && n->addr[dev][a] &&
				n->addr[dev][a] != STATE_TENTATIVE;
}

/* The kernel may have deleted some routes itself. */
static void change4(const struct netns *net, int type, const struct op *op)
{
	int err = route4_change(net, type, op);

	if (type != RTM_DELROUTE || err != -ESRCH)
		must(err, "an IPv4 route");
}

/* Add or delete the routes that @has has and @lacks does not have. */
static void copy_routes(const struct netns *net, int type, const struct copy4 *has,
			const struct copy4 *lacks)
{
	struct op op = {};

	for (op.table = 0; op.table < NR_TABLES; op.table++)
		for (op.prefix = 0; op.prefix < NR_PREFIXES; op.prefix++)
			for (op.metric = 0; op.metric < NR_METRICS; op.metric++) {
				op.route = has->route[op.table][op.prefix][op.metric].type;
				op.dev = has->route[op.table][op.prefix][op.metric].dev;
				if (op.route &&
				    memcmp(&has->route[op.table][op.prefix][op.metric],
					   &lacks->route[op.table][op.prefix][op.metric],
					   sizeof(has->route[0][0][0])))
					change4(net, type, &op);
			}
}

static void copy_addrs(const struct netns *net, int type, const struct copy4 *has,
		       const struct copy4 *lacks)
{
	for (int dev = DEV_LO; dev < NR_DEVS; dev++)
		for (int a = 0; a < NR_MADDRS; a++)
			if (has->addr[dev][a] && !lacks->addr[dev][a])
				must(addr_change(net, type, AF_INET, dev,
						 model_addrs[a].v4, 0),
				     "an IPv4 address");
}

static void copy_update(const struct netns *net, const struct model_net *n,
			struct copy4 *copy)
{
	struct copy4 want;

	copy_wanted(n, &want);
	copy_addrs(net, RTM_DELADDR, copy, &want);
	copy_routes(net, RTM_DELROUTE, copy, &want);
	copy_addrs(net, RTM_NEWADDR, &want, copy);
	copy_routes(net, RTM_NEWROUTE, &want, copy);
	*copy = want;
}

/* The kernel's lookup */

static unsigned long lookups;

/*
 * Routes that share a nexthop object also share the kernel's cached result,
 * even its type. The lookup would return the result of the first route that was
 * looked up. Any new route clears the whole cache.
 */
static void forget_cached(const struct op *op)
{
	static const unsigned char dst[16] = { 0x3f, 0xff, 0x78 };
	const struct rtmsg rtm = {
		.rtm_family = AF_INET6, .rtm_dst_len = 64,
		.rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNREACHABLE,
	};

	request_new(RTM_NEWROUTE, &rtm, sizeof(rtm));
	request.hdr.nlmsg_flags &= ~NLM_F_EXCL;
	request.hdr.nlmsg_flags |= NLM_F_REPLACE;
	put(RTA_DST, dst, sizeof(dst));
	must(request_send(netns_of(op)), "a route anew");
}

/*
 * Looks up the deciding route of a packet to the address. A route that refuses
 * gives only an error.
 */
static enum verdict lookup(const struct op *op, enum model_table table, int only)
{
	const struct rtmsg rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 128 };
	struct rtnl_answer answer;

	if (model.kinds & KIND(OBJECT))
		forget_cached(op);
	lookups++;
	request_new(RTM_GETROUTE, &rtm, sizeof(rtm));
	put(RTA_DST, model_addrs[op->addr].v6, 16);
	if (!no_mark)
		put_u32(RTA_MARK, MARK + table);
	if (only)
		put_u32(RTA_OIF, dev_index[only]);
	if (rtnl_ask(netns_of(op)->netlink, &request, &answer))
		return NOT_LOCAL;
	return answer.route.rtm_type == RTN_LOCAL ? IS_LOCAL : NOT_LOCAL;
}

/* Results are kept by what decides the answer: the device, or only its L3 domain. */
static enum verdict kernel_says(const struct op *op)
{
	int domain = model_domain(&model.net[op->net], model.dev);
	int only = model_is_link_local(op->addr) ? model.dev : DEV_NONE;
	unsigned char *v = &verdicts[op->net][op->addr][only ?: domain];

	if (only == DEV_VRF || !model_asked_table() || op->type == OP_BIND4)
		return NOT_ASKED;
	if (!*v)
		*v = lookup(op, domain ? TABLE_VRF : TABLE_LOCAL, only);
	return *v;
}
/* Sequences */

struct wrong {
	size_t at;
	const char *judge;
	enum verdict kernel;
	int expected, got;
};

static unsigned long judged, decided[NR_MODEL_STEPS], answers[NR_OPS][2];
static unsigned long kinds_seen[NR_KINDS][2], by_kernel[2];
static bool counting = true;
static time_t start, last_progress;

static void progress(void)
{
	time_t now = time(NULL);

	if (now < last_progress + PROGRESS)
		return;
	last_progress = now;
	printf("%lu operations after %ld s, seed %lu\n", judged,
	       (long)(now - start), seed);
}

/* EPERM: see perform_pktinfo(). */
static bool is_yes(int answer)
{
	return !answer || answer == -EPERM;
}

static void count(const struct op *op, int expected, enum verdict verdict, int got)
{
	if (!counting)
		return;
	answers[op->type][!is_yes(got)]++;
	if (expected == MODEL_UNJUDGED && !verdict)
		return;
	if (!(++judged % PER_LOOK))
		progress();
	decided[model.step]++;
	if (!verdict)
		return;
	by_kernel[verdict == IS_LOCAL]++;
	for (int kind = 0; kind < NR_KINDS; kind++)
		kinds_seen[kind][is_yes(got)] += model.kinds >> kind & 1;
}

/* After a change or in a new namespace, all earlier results are outdated. */
static void look_again(const struct op *op)
{
	memset(verdicts[op->net], NOT_ASKED, sizeof(verdicts[0]));
	if (op->type == OP_NETNS)
		memset(&copies[op->net], 0, sizeof(copies[0]));
	read_routes(netns_of(op), &model.net[op->net]);
	copy_update(netns_of(op), &model.net[op->net], &copies[op->net]);
}

/* Returns true if the answers agree where they must agree. */
static bool kernel_agrees(enum verdict verdict, int got)
{
	const bool local = verdict == IS_LOCAL;

	if (!verdict || is_yes(got) == local)
		return true;
	return model.other_device && !is_yes(got);
}

static bool right(const struct op *op, int expected, enum verdict verdict, int got,
		  struct wrong *wrong)
{
	*wrong = (struct wrong) {
		.judge = "model", .kernel = verdict, .expected = expected, .got = got,
	};
	if (expected != MODEL_UNJUDGED && got != expected)
		return false;
	if (kernel_agrees(verdict, got))
		return true;
	wrong->judge = "kernel";
	wrong->expected = 0;
	if (is_yes(got))
		wrong->expected = op->type == OP_PKTINFO ? -EINVAL : -EADDRNOTAVAIL;
	return false;
}

/* Returns false for a wrong answer, and describes it in *@wrong. */
static bool perform(const struct op *op, struct wrong *wrong)
{
	const struct op new = { .type = OP_NETNS, .net = op->net };
	enum verdict verdict;
	int expected, got;

	if (nets[op->net].fd < 0) {
		netns_make(&nets[op->net]);
		look_again(&new);
	}
	expected = model_answer(op);
	verdict = kernel_says(op);
	got = rows[op->type].perform(op);
	if (!right(op, expected, verdict, got, wrong))
		return false;
	if (op->type < OP_BIND)
		look_again(op);
	count(op, expected, verdict, got);
	return true;
}

static bool replay(const struct op *ops, size_t n, struct wrong *wrong)
{
	for (int i = 0; i < NR_NETS; i++)
		netns_end(&nets[i]);
	model_reset();
	for (size_t i = 0; i < n; i++)
		if (!perform(&ops[i], wrong)) {
			wrong->at = i;
			return false;
		}
	return true;
}

/* Delta debugging: leave out ever smaller parts. Each try may find its own error. */
static size_t shrink(struct op *ops, size_t n, struct wrong *wrong)
{
	struct op *try = malloc(n * sizeof(*ops));
	struct wrong now;
	bool again;

	if (!try)
		fail("shrink");
	for (size_t part = n / 2 ?: 1; part; part = again ? 1 : part / 2) {
		again = false;
		for (size_t at = 0; at < n;) {
			size_t end = at + part < n ? at + part : n;

			memcpy(try, ops, at * sizeof(*ops));
			memcpy(try + at, ops + end, (n - end) * sizeof(*ops));
			if (replay(try, n - (end - at), &now)) {
				at = end;
				continue;
			}
			n = now.at + 1;
			*wrong = now;
			memcpy(ops, try, n * sizeof(*ops));
			again = part == 1;
		}
	}
	free(try);
	return n;
}

static const char *const verdict_names[] = { "not asked", "not local", "local" };

static void report(struct op *ops, struct wrong *wrong)
{
	size_t n = wrong->at + 1;

	printf("wrong: seed %lu, operation %zu: %s says %s, got %s\n",
	       seed, wrong->at, wrong->judge, result_name(-wrong->expected),
	       result_name(-wrong->got));
	printf("found after %ld s\n", (long)(time(NULL) - start));
	printf("again: fuzz --seed %lu --seeds 1 --ops %zu%s\n", seed, n,
	       model.wrong ? " --wrong 1" : no_mark ? " --wrong 2" : "");
	counting = false;
	n = shrink(ops, n, wrong);
	printf("shrunk to %zu operations:\n", n);
	for (size_t i = 0; i < n; i++)
		op_print(&ops[i]);
	printf("  %s says %s, got %s; the kernel's lookup: %s\n", wrong->judge,
	       result_name(-wrong->expected), result_name(-wrong->got),
	       verdict_names[wrong->kernel]);
}

static void print_sums(unsigned long seeds)
{
	static const char *const step_names[] = {
#define STEP(name, counter, word) [STEP_##name] = word,
		ANYIP6_STEPS(STEP, STEP)
#undef STEP
#define X(name, text) [STEP_##name] = text,
		MODEL_STEPS(X)
#undef X
	};
	static const char *const kind_names[] = {
#define X(name, text) [KIND_##name] = text,
		MODEL_KINDS(X)
#undef X
	};

	for (size_t i = 0; i < NR_OPS; i++)
		printf("asked: %s: %lu yes, %lu no\n", rows[i].name,
		       answers[i][0], answers[i][1]);
	for (size_t i = 0; i < NR_MODEL_STEPS; i++)
		printf("decided: %s %lu\n", step_names[i], decided[i]);
	for (size_t i = 0; i < NR_KINDS; i++)
		printf("seen: %s: %lu yes, %lu no\n", kind_names[i],
		       kinds_seen[i][1], kinds_seen[i][0]);
	printf("kernel's lookup: %lu answers, %lu yes, %lu no, %lu lookups\n",
	       by_kernel[0] + by_kernel[1], by_kernel[1], by_kernel[0], lookups);
	printf("in all: %lu operations, %lu seeds, %ld s\n", judged, seeds,
	       (long)(time(NULL) - start));
}

static struct {
	const char *name;
	unsigned long value;
} options[] = { { "--seed", 1 }, { "--seeds", 1 }, { "--ops", 10000 }, { "--wrong", 0 } };

enum { SEED, SEEDS, OPS, WRONG };

static bool options_read(char **argv)
{
	for (; argv[0]; argv += 2) {
		size_t i = 0;

		while (i < ARRAY_SIZE(options) && strcmp(argv[0], options[i].name))
			i++;
		if (i == ARRAY_SIZE(options) || !argv[1])
			return false;
		options[i].value = strtoul(argv[1], NULL, 0);
	}
	return true;
}

static bool fuzz(unsigned long first, unsigned long seeds, size_t n)
{
	struct op *ops = malloc(n * sizeof(*ops));
	unsigned int weights = 0;
	struct wrong wrong;

	if (!ops)
		fail("memory");
	for (size_t i = 0; i < NR_OPS; i++)
		weights += rows[i].weight;
	for (seed = first; seed < first + seeds; seed++) {
		random_seed();
		for (size_t i = 0; i < n; i++)
			ops[i] = op_random(weights);
		if (!replay(ops, n, &wrong)) {
			report(ops, &wrong);
			return false;
		}
	}
	free(ops);
	print_sums(seeds);
	return true;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!argc || !options_read(argv + 1)) {
		fprintf(stderr, "usage: fuzz [--seed N] [--seeds N] [--ops N] [--wrong 1|2]\n");
		return 2;
	}
	start = time(NULL);
	last_progress = start;
	model.loaded = anyip6_loaded();
	model.strict = model.loaded && access("/sys/module/anyip6", F_OK);
	model.wrong = options[WRONG].value == MODEL_ERRS;
	no_mark = options[WRONG].value == NO_MARK;
	model_init();
	memset(nets, -1, sizeof(nets));
	/* Other operations would give another sequence for the same seed. */
	if (!sctp_exists())
		fail("this kernel has no SCTP");
	may_raw(false);
	return fuzz(options[SEED].value, options[SEEDS].value, options[OPS].value) ? 0 : 1;
}
