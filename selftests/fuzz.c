// SPDX-License-Identifier: GPL-2.0
/*
 * Random routes, addresses, links, VRF ports, rules, sysctls and namespaces,
 * and sockets that ask between all of it; model.c says what each is to answer.
 *
 * fuzz [--seed N] [--seeds COUNT] [--ops N] [--wrong 1]
 *	COUNT sequences of N operations each, of the seeds from N on. The first
 *	answer that is not the model's ends it: the sequence is shrunk as far as
 *	it still ends in a wrong answer, and printed. --wrong has the model err,
 *	which tests just that. The exit code is 1 for a wrong answer.
 *
 * A sequence depends on its seed alone and starts in namespaces of its own.
 * After each change IPv4 gets the same routes and addresses that IPv6 has, for
 * OP_BIND4 to ask. Left out: L2TP, SCTP bound to a device (before 6.2 it ignores
 * that), nexthop objects, routes that expire, addresses whose duplicate address
 * detection has failed.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "anyip6.h"
#include "model.h"

#define NR_MEMBERS	10	/* of an operation, at most */
#define SCOPED		NR_DEVS	/* what binds with a scope has changed its device */
#define PROGRESS	20	/* seconds */
#define PER_LOOK	4096	/* operations until the next look at the clock */
#define RULE_PRIORITY	50
#define SEND_PORT	9
#define RAW_PROTOCOL	253	/* for experiments (RFC 3692) */
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

static const char *const dev_names[] = { "none", "lo", "d0", "d1", "vrf0" };
static const unsigned int dev_index[] = { 0, 1, 102, 103, 104 };
static const int table_id[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, 100, 10 };
static const int route_type[] = {
	RTN_UNSPEC, RTN_LOCAL, RTN_UNICAST, RTN_ANYCAST, RTN_UNREACHABLE,
	RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW,
};

static const unsigned int metrics[NR_METRICS] = { 10, 20, 1024 };
static const int addr_flags[] = {
	0, IFA_F_NODAD, IFA_F_OPTIMISTIC, 0 /* tentative */
};

/* Sockets are kept and bound again and again; one that sends is never bound. */
static const struct role {
	int family, type, protocol;
	bool without_port;	/* or it could be bound but once; raw has none */
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
	int socket[ARRAY_LEN(roles)][NR_DEVS + 1][2];
} nets[NR_NETS];

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

static struct {
	struct nlmsghdr hdr;
	char rest[512];
} request;

static void request_new(int type, const void *header, size_t len)
{
	bool new = (type - RTM_BASE) % 4 == 0;

	memset(&request, 0, sizeof(request));
	request.hdr.nlmsg_type = type;
	request.hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
		(new ? NLM_F_CREATE | NLM_F_EXCL : 0);
	request.hdr.nlmsg_len = NLMSG_LENGTH(len);
	memcpy(request.rest, header, len);
}

static struct rtattr *put(int type, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(request.hdr.nlmsg_len);
	struct rtattr *rta = (struct rtattr *)((char *)&request + at);

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(rta), data, len);
	request.hdr.nlmsg_len = at + RTA_ALIGN(rta->rta_len);
	return rta;
}

static void put_u32(int type, unsigned int value)
{
	put(type, &value, sizeof(value));
}

/* What was put since is inside of it. */
static void put_end(struct rtattr *nest)
{
	nest->rta_len = (char *)&request + request.hdr.nlmsg_len - (char *)nest;
}

static int request_send(const struct netns *net)
{
	struct {
		struct nlmsghdr hdr;
		struct nlmsgerr err;
		char request[sizeof(request)];
	} ack;

	if (send(net->netlink, &request, request.hdr.nlmsg_len, 0) < 0 ||
	    recv(net->netlink, &ack, sizeof(ack), 0) < 0 ||
	    ack.hdr.nlmsg_type != NLMSG_ERROR)
		fail("rtnetlink");
	return ack.err.error;
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

static const void *bytes_of(const struct model_bytes *b, int family)
{
	return family == AF_INET ? b->v4 : b->v6;
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

static int route_change(const struct netns *net, int type, int family,
			const struct op *op)
{
	const struct model_bytes *p = &model_prefixes[op->prefix];
	const struct rtmsg rtm = {
		.rtm_family = family,
		.rtm_dst_len = family == AF_INET ? p->len4 : p->len6,
		.rtm_table = table_id[op->table],
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = rtm_scope(op->route),
		.rtm_type = route_type[op->route],
	};

	request_new(type, &rtm, sizeof(rtm));
	put(RTA_DST, bytes_of(p, family), size_of(family));
	put_u32(RTA_PRIORITY, metrics[op->metric]);
	if (op->dev && op->route < TYPE_UNREACHABLE)
		put_u32(RTA_OIF, dev_index[op->dev]);
	return request_send(net);
}

/* /128, and no route but the address's own. */
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
	/* With ARP, as duplicate address detection is not done without. */
	must(link_new(net, DEV_D0, "dummy", IFF_UP | IFF_NOARP), "d0");
	must(link_new(net, DEV_D1, "dummy", IFF_UP | IFF_NOARP), "d1");
	must(link_new(net, DEV_VRF, "vrf", IFF_UP), "vrf0");
	/* IPv4 forgets the routes of a device whose last address goes. */
	for (int dev = DEV_LO; dev < NR_DEVS; dev++) {
		v4[3] = dev;
		must(addr_change(net, RTM_NEWADDR, AF_INET, dev, v4, 0), "IPv4");
	}
}

/* No addresses but ours, and those that are tentative stay it for four minutes. */
static const char *const settings[][2] = {
	{ "net/ipv6/conf/default/addr_gen_mode", "1" },
	{ "net/ipv6/conf/default/dad_transmits", "255" },
	{ "net/ipv6/conf/default/optimistic_dad", "1" },
	{ "net/ipv6/conf/all/accept_dad", "1" },
	{ "net/ipv4/ping_group_range", "0 0" },
};

static void netns_make(struct netns *net)
{
	net->fd = netns_new();
	net->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (net->netlink < 0)
		fail("NETLINK_ROUTE");
	for (size_t s = 0; s < ARRAY_LEN(settings); s++)
		must(sysctl_write(settings[s][0], settings[s][1]), settings[s][0]);
	/* As the model has it, not as a parameter or the kernel's own rule does. */
	toggle_set(model.loaded ? MODE_ON : MODE_ABSENT);
	devices_new(net);
}

static const struct netns *netns_of(const struct op *op)
{
	return &nets[op->net];
}

/* Sockets */

/* Not kept, for perform_pktinfo(). */
static void may_raw(bool may)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		fail("capget");
	data[0].effective &= ~(1U << CAP_NET_RAW);
	data[0].effective |= (unsigned int)may << CAP_NET_RAW;
	if (syscall(SYS_capset, &header, data))
		fail("capset");
}

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

/*
 * What comes of a source that was taken would depend on the route to the
 * destination, so it must not come to that: the next control message is one
 * that needs CAP_NET_RAW.
 */
static int perform_pktinfo(const struct op *op)
{
	static const unsigned char options[8] = { 0, 0, 1, 4 }; /* PadN */
	struct sockaddr_in6 to = sockaddr6(MADDR_LOOP, DEV_NONE);
	struct in6_pktinfo info = {
		.ipi6_addr = sockaddr6(op->addr, DEV_NONE).sin6_addr,
		.ipi6_ifindex = dev_index[op->scope],
	};
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(info)) + CMSG_SPACE(sizeof(options))];
	} control = {};
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	*cmsg = (struct cmsghdr) {
		.cmsg_len = CMSG_LEN(sizeof(info)),
		.cmsg_level = SOL_IPV6, .cmsg_type = IPV6_PKTINFO,
	};
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	*cmsg = (struct cmsghdr) {
		.cmsg_len = CMSG_LEN(sizeof(options)),
		.cmsg_level = SOL_IPV6, .cmsg_type = IPV6_HOPOPTS,
	};
	memcpy(CMSG_DATA(cmsg), options, sizeof(options));
	if (op->sock == SOCK_UDP)
		to.sin6_port = htons(SEND_PORT);
	return sendmsg(*socket_of(op, ROLE_SEND + (op->sock == SOCK_RAW6), op->dev),
		       &msg, 0) < 0 ? -errno : 0;
}

/* A route that is not of the universe. */
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

static int perform_route_add(const struct op *op)
{
	return route_change(netns_of(op), RTM_NEWROUTE, AF_INET6, op);
}

static int perform_route_del(const struct op *op)
{
	return route_change(netns_of(op), RTM_DELROUTE, AF_INET6, op);
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

static int perform_link(const struct op *op)
{
	return link_change(netns_of(op), op->dev, op->value ? IFF_UP : 0, IFF_UP);
}

static int perform_port(const struct op *op)
{
	const struct ifinfomsg ifi = { .ifi_index = dev_index[DEV_D1] };

	request_new(RTM_SETLINK, &ifi, sizeof(ifi));
	put_u32(IFLA_MASTER, dev_index[op->value ? DEV_VRF : DEV_NONE]);
	return request_send(netns_of(op));
}

static int rule_change(const struct op *op, int type, int family)
{
	const struct fib_rule_hdr rule = {
		.family = family, .table = table_id[TABLE_100],
		.action = FR_ACT_TO_TBL,
	};

	request_new(type, &rule, sizeof(rule));
	put_u32(FRA_PRIORITY, RULE_PRIORITY);
	return request_send(netns_of(op));
}

static int perform_rule_add(const struct op *op)
{
	int err = rule_change(op, RTM_NEWRULE, AF_INET6);

	return err ?: rule_change(op, RTM_NEWRULE, AF_INET);
}

static int perform_rule_del(const struct op *op)
{
	int err = rule_change(op, RTM_DELRULE, AF_INET6);

	return err ?: rule_change(op, RTM_DELRULE, AF_INET);
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

static int perform_netns(const struct op *op)
{
	netns_end(&nets[op->net]);
	netns_make(&nets[op->net]);
	return 0;
}

/* What operations are made of: each member has values to choose from. */

struct member {
	const char *label;
	size_t offset;
	const char *const *names;	/* of values, or NULL */
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

static const char *const metric_names[] = { "10", "20", "1024" };
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
       (TABLE_LOCAL, TABLE_LOCAL, TABLE_VRF, TABLE_VRF, TABLE_MAIN, TABLE_100));
MEMBER(metric, "metric", metric, metric_names, (0, 1, 2));
MEMBER(route, "type", route, type_names,
       (TYPE_LOCAL, TYPE_LOCAL, TYPE_LOCAL, TYPE_LOCAL, TYPE_UNICAST, TYPE_ANYCAST,
	TYPE_UNREACHABLE, TYPE_BLACKHOLE, TYPE_PROHIBIT, TYPE_THROW));
/* A ping socket can be bound but once, so each costs as much as ten others. */
MEMBER(sock, "socket", sock, sock_names,
       (SOCK_TCP, SOCK_TCP, SOCK_TCP, SOCK_UDP, SOCK_UDP, SOCK_UDP,
	SOCK_RAW6, SOCK_RAW6, SOCK_RAW6, SOCK_PING));
MEMBER(sctp, "socket", sock, sock_names, (SOCK_SCTP));
MEMBER(sctp_addr, "addr", addr, addr_names, (GLOBAL_ADDRS, MADDR_LOOP));
MEMBER(sender, "socket", sock, sock_names, (SOCK_UDP, SOCK_RAW6));
MEMBER(freebind, "freebind", freebind, NULL, (0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
MEMBER(up, "link", value, up_names, (0, 1, 1));
MEMBER(port, "d1", value, port_names, (0, 1));
MEMBER(toggle, "value", value, NULL, (0, 1, 1, 1, 2));
MEMBER(nonlocal, "value", value, NULL, (0, 0, 0, 0, 0, 0, 0, 1));

static const struct row {
	const char *name;
	unsigned int weight;
	int (*perform)(const struct op *op);
	const struct member *members[NR_MEMBERS];
} rows[NR_OPS] = {
	[OP_ROUTE_ADD] = { "route add", 200, perform_route_add,
		{ &m_net, &m_route, &m_prefix, &m_dev, &m_table, &m_metric } },
	[OP_ROUTE_DEL] = { "route del", 100, perform_route_del,
		{ &m_net, &m_prefix, &m_table, &m_metric } },
	[OP_ADDR_ADD] = { "addr add", 20, perform_addr_add,
		{ &m_net, &m_own_addr, &m_dev, &m_usable } },
	[OP_ADDR_DAD] = { "addr add", 20, perform_addr_add,
		{ &m_net, &m_own_addr, &m_dad_dev, &m_dad_state } },
	[OP_ADDR_DEL] = { "addr del", 30, perform_addr_del,
		{ &m_net, &m_own_addr, &m_dev } },
	[OP_LINK] = { "link", 6, perform_link, { &m_net, &m_up_dev, &m_up } },
	[OP_PORT] = { "port", 6, perform_port, { &m_net, &m_port } },
	[OP_RULE_ADD] = { "rule add", 4, perform_rule_add, { &m_net } },
	[OP_RULE_DEL] = { "rule del", 4, perform_rule_del, { &m_net } },
	[OP_TOGGLE] = { "toggle", 20, perform_toggle, { &m_net, &m_toggle } },
	[OP_NONLOCAL] = { "ip_nonlocal_bind", 10, perform_nonlocal, { &m_net, &m_nonlocal } },
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

/* xorshift64*, by Marsaglia and Vigna; a sequence is the seed's alone. */
static unsigned long seed;
static __u64 random_state;

static unsigned int random_below(unsigned int n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((random_state * 0x2545F4914F6CDD1DULL) >> 32) % n;
}

/* Seeds that follow each other have to differ in more than their last bits. */
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

static struct op op_random(unsigned int weights)
{
	unsigned int at = random_below(weights);
	struct op op = {};

	while (at >= rows[op.type].weight)
		at -= rows[op.type++].weight;
	for (const struct member *const *m = rows[op.type].members; *m; m++)
		*member_of(&op, *m) = (*m)->values[random_below((*m)->n)];
	if (op.route >= TYPE_UNREACHABLE)
		op.dev = DEV_LO;
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

/* IPv4 as IPv6 */

static void mirror_routes(const struct netns *net, int type,
			  const struct model_net *has, const struct model_net *lacks)
{
	const size_t n = NR_TABLES * NR_PREFIXES * NR_METRICS;
	const struct model_route *r = &has->route[0][0][0];
	const struct model_route *other = &lacks->route[0][0][0];

	for (size_t i = 0; i < n; i++) {
		const struct op op = {
			.route = r[i].type, .dev = r[i].dev,
			.metric = i % NR_METRICS,
			.prefix = i / NR_METRICS % NR_PREFIXES,
			.table = i / NR_METRICS / NR_PREFIXES,
		};

		if (r[i].type && memcmp(&r[i], &other[i], sizeof(*r)) &&
		    model_prefixes[op.prefix].has_v4)
			must(route_change(net, type, AF_INET, &op), "an IPv4 route");
	}
}

static bool has_addr4(const struct model_net *n, int dev, int addr)
{
	return n->addr[dev][addr] && n->addr[dev][addr] != STATE_TENTATIVE &&
		model_addrs[addr].has_v4;
}

static void mirror_addrs(const struct netns *net, int type,
			 const struct model_net *has, const struct model_net *lacks)
{
	for (int dev = DEV_LO; dev < NR_DEVS; dev++)
		for (int a = 0; a < NR_MADDRS; a++)
			if (has_addr4(has, dev, a) && !has_addr4(lacks, dev, a))
				must(addr_change(net, type, AF_INET, dev,
						 model_addrs[a].v4, 0),
				     "an IPv4 address");
}

/* What one has and the other lacks is added or deleted. */
static void mirror(const struct op *op, bool add, const struct model_net *has,
		   const struct model_net *lacks)
{
	const struct netns *net = netns_of(op);

	if (op->type == OP_NETNS || op->type >= OP_BIND)
		return;
	mirror_addrs(net, add ? RTM_NEWADDR : RTM_DELADDR, has, lacks);
	mirror_routes(net, add ? RTM_NEWROUTE : RTM_DELROUTE, has, lacks);
}

/* Sequences */

struct wrong {
	size_t at;
	int expected, got;
};

static unsigned long judged, decided[NR_STEPS], answers[NR_OPS][2];
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

static void count(const struct op *op, int answer)
{
	if (!counting || answer == MODEL_UNJUDGED)
		return;
	if (!(++judged % PER_LOOK))
		progress();
	decided[model.step]++;
	/* EPERM: see perform_pktinfo(). */
	answers[op->type][answer && answer != -EPERM]++;
}

/* False: *@wrong tells which answer. */
static bool replay(const struct op *ops, size_t n, struct wrong *wrong)
{
	struct model_net before;
	const struct model_net *after;

	for (int i = 0; i < NR_NETS; i++)
		netns_end(&nets[i]);
	model_reset();
	for (size_t i = 0; i < n; i++) {
		const struct op *op = &ops[i];
		int expected, got;

		if (nets[op->net].fd < 0)
			netns_make(&nets[op->net]);
		after = &model.net[op->net];
		before = *after;
		expected = model_answer(op);
		/* Before the kernel may forget it by itself. */
		mirror(op, false, &before, after);
		got = rows[op->type].perform(op);
		if (got != expected && expected != MODEL_UNJUDGED) {
			*wrong = (struct wrong) { i, expected, got };
			return false;
		}
		mirror(op, true, after, &before);
		count(op, expected);
	}
	return true;
}

/* Delta debugging: leave out ever smaller parts; each may bring its own error. */
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

static const char *answer_text(int answer)
{
	return answer ? strerrorname_np(-answer) : "ok";
}

static void report(struct op *ops, struct wrong *wrong)
{
	size_t n = wrong->at + 1;

	printf("wrong: seed %lu, operation %zu: expected %s, got %s\n",
	       seed, wrong->at, answer_text(wrong->expected),
	       answer_text(wrong->got));
	printf("found after %ld s\n", (long)(time(NULL) - start));
	printf("again: fuzz --seed %lu --seeds 1 --ops %zu%s\n",
	       seed, n, model.wrong ? " --wrong 1" : "");
	counting = false;
	n = shrink(ops, n, wrong);
	printf("shrunk to %zu operations:\n", n);
	for (size_t i = 0; i < n; i++)
		op_print(&ops[i]);
	printf("  expected %s, got %s\n", answer_text(wrong->expected),
	       answer_text(wrong->got));
}

static void print_sums(unsigned long seeds)
{
	static const char *const step_names[] = {
#define X(name, text) [STEP_##name] = text,
		MODEL_STEPS(X)
#undef X
	};

	for (size_t i = 0; i < NR_OPS; i++)
		printf("asked: %s: %lu yes, %lu no\n", rows[i].name,
		       answers[i][0], answers[i][1]);
	for (size_t i = 0; i < NR_STEPS; i++)
		printf("decided: %s %lu\n", step_names[i], decided[i]);
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

		while (i < ARRAY_LEN(options) && strcmp(argv[0], options[i].name))
			i++;
		if (i == ARRAY_LEN(options) || !argv[1])
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
		fprintf(stderr, "usage: fuzz [--seed N] [--seeds N] [--ops N] [--wrong 1]\n");
		return 2;
	}
	start = time(NULL);
	last_progress = start;
	model.loaded = anyip6_loaded();
	model.strict = model.loaded && access("/sys/module/anyip6", F_OK);
	model.wrong = options[WRONG].value;
	model_init();
	memset(nets, -1, sizeof(nets));
	/* Another choice of operations would make another sequence of a seed. */
	if (!sctp_exists())
		fail("this kernel has no SCTP");
	may_raw(false);
	return fuzz(options[SEED].value, options[SEEDS].value, options[OPS].value) ? 0 : 1;
}
