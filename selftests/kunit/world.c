// SPDX-License-Identifier: GPL-2.0-only
/*
 * A namespace with devices, nexthop objects and routes, and the kernel's own
 * lookup in it. rtnetlink messages as `ip` sends them make the devices and
 * objects. For routes we call what such a message calls, because a message would
 * cost more than the change.
 */

#include <linux/delay.h>
#include <linux/if_link.h>
#include <linux/inet.h>
#include <linux/nexthop.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/user_namespace.h>
#include <net/addrconf.h>
#include <net/ip6_route.h>
#include <net/netlink.h>

#include "suite.h"

#define MESSAGE_SIZE 512

/* Sends @skb and frees it. The kernel answers before sendmsg() returns. */
static int rtnl_talk(struct world *w, struct sk_buff *skb)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char room[MESSAGE_SIZE];
	} answer;
	struct kvec out = { skb->data, skb->len };
	struct kvec in = { &answer, sizeof(answer) };
	/* With an address the sender needs the rights, not who opened the socket. */
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr msg = { .msg_name = &kernel, .msg_namelen = sizeof(kernel) };
	int err;

	err = kernel_sendmsg(w->rtnl, &msg, &out, 1, out.iov_len);
	kfree_skb(skb);
	if (err < 0)
		return err;
	memset(&msg, 0, sizeof(msg));
	err = kernel_recvmsg(w->rtnl, &msg, &in, 1, in.iov_len, MSG_DONTWAIT);
	if (err < 0)
		return err;
	return answer.nlh.nlmsg_type == NLMSG_ERROR ? answer.err.error : -EPROTO;
}

static struct sk_buff *rtnl_message(int type, u16 flags, void *header, int len)
{
	struct sk_buff *skb = alloc_skb(MESSAGE_SIZE, GFP_KERNEL);
	struct nlmsghdr *nlh;

	if (!skb)
		return NULL;
	nlh = nlmsg_put(skb, 0, 1, type, len, NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(nlmsg_data(nlh), header, len);
	return skb;
}

static int rtnl_send(struct world *w, struct sk_buff *skb)
{
	nlmsg_end(skb, nlmsg_hdr(skb));
	return rtnl_talk(w, skb);
}

static int add_link(struct world *w, const char *name, const char *kind,
		    struct net_device **dev)
{
	struct ifinfomsg ifm = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct sk_buff *skb = rtnl_message(RTM_NEWLINK, NLM_F_CREATE, &ifm, sizeof(ifm));
	struct nlattr *info, *data;
	int err;

	if (!skb)
		return -ENOMEM;
	nla_put_string(skb, IFLA_IFNAME, name);
	info = nla_nest_start(skb, IFLA_LINKINFO);
	nla_put_string(skb, IFLA_INFO_KIND, kind);
	if (!strcmp(kind, "vrf")) {
		data = nla_nest_start(skb, IFLA_INFO_DATA);
		nla_put_u32(skb, IFLA_VRF_TABLE, VRF_TABLE);
		nla_nest_end(skb, data);
	}
	nla_nest_end(skb, info);
	err = rtnl_send(w, skb);
	if (err)
		return err;
	/* The device goes with the namespace, after its last user. */
	rcu_read_lock();
	*dev = dev_get_by_name_rcu(w->net, name);
	rcu_read_unlock();
	return *dev ? 0 : -ENODEV;
}

/* world_link() - set a device up or down */
int world_link(struct world *w, struct net_device *dev, bool up)
{
	struct ifinfomsg ifm = {
		.ifi_index = dev->ifindex,
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = IFF_UP,
	};
	struct sk_buff *skb = rtnl_message(RTM_NEWLINK, 0, &ifm, sizeof(ifm));

	return skb ? rtnl_send(w, skb) : -ENOMEM;
}

static void put_group(struct sk_buff *skb, u32 group)
{
	struct nlattr *nla = nla_reserve(skb, NHA_GROUP,
					 hweight32(group) * sizeof(struct nexthop_grp));
	struct nexthop_grp *member = nla_data(nla);
	u32 id;

	memset(member, 0, nla_len(nla));
	for (id = 0; id < 32; id++)
		if (group & BIT(id))
			(member++)->id = id;
}

/* world_nexthop() - add or, with NLM_F_REPLACE in @flags, replace a nexthop object */
int world_nexthop(struct world *w, const struct nexthop_row *row, u16 flags)
{
	struct nhmsg nhm = {
		.nh_family = row->group ? AF_UNSPEC : AF_INET6,
		.nh_protocol = RTPROT_STATIC,
	};
	struct sk_buff *skb = rtnl_message(RTM_NEWNEXTHOP, NLM_F_CREATE | flags,
					   &nhm, sizeof(nhm));
	struct net_device *dev;

	if (!skb)
		return -ENOMEM;
	nla_put_u32(skb, NHA_ID, row->id);
	if (row->group) {
		put_group(skb, row->group);
	} else if (row->dev) {
		dev = !strcmp(row->dev, "d0") ? w->d0 : w->d1;
		nla_put_u32(skb, NHA_OIF, dev->ifindex);
	} else {
		nla_put_flag(skb, NHA_BLACKHOLE);
	}
	return rtnl_send(w, skb);
}

/* The kernel takes dead namespaces apart in its own time, and they count until then. */
static struct net *new_netns(void)
{
	struct net *net = ERR_PTR(-ENOSPC);
	int tries;

	for (tries = 0; tries < 1500 && net == ERR_PTR(-ENOSPC); tries++) {
		if (tries)
			msleep(20);
		net = copy_net_ns(CLONE_NEWNET, &init_user_ns, &init_net);
	}
	return net;
}

int world_init(struct world *w)
{
	int err;

	memset(w, 0, sizeof(*w));
	w->net = new_netns();
	if (IS_ERR(w->net)) {
		err = PTR_ERR(w->net);
		w->net = NULL;
		return err;
	}
	err = sock_create_kern(w->net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &w->rtnl);
	err = err ?: world_link(w, w->net->loopback_dev, true);
	err = err ?: add_link(w, "d0", "dummy", &w->d0);
	err = err ?: add_link(w, "d1", "dummy", &w->d1);
	err = err ?: add_link(w, "vrf", "vrf", &w->vrf);
	if (err)
		world_exit(w);
	return err;
}

void world_exit(struct world *w)
{
	if (w->rtnl)
		sock_release(w->rtnl);
	if (w->net)
		put_net(w->net);
	memset(w, 0, sizeof(*w));
}

/* prefix_of() - read "ADDR/LEN" into @addr and return LEN, or 128 without it */
int prefix_of(const char *text, struct in6_addr *addr)
{
	const char *end;
	int len = 128;

	if (!in6_pton(text, -1, addr->s6_addr, '/', &end))
		return -EINVAL;
	if (*end == '/' && kstrtoint(end + 1, 10, &len))
		return -EINVAL;
	return len;
}

struct in6_addr addr_of(const char *text)
{
	struct in6_addr addr = {};

	prefix_of(text, &addr);
	return addr;
}

static struct net_device *device_of(struct world *w, const char *name)
{
	if (!name)
		return w->net->loopback_dev;
	if (!strcmp(name, "d0"))
		return w->d0;
	return !strcmp(name, "d1") ? w->d1 : w->vrf;
}

/* Sets what rtm_to_fib6_config() sets. */
static u32 flags_of(const struct route *route)
{
	u32 flags = RTF_UP;

	switch (route->type) {
	case RTN_UNREACHABLE:
	case RTN_BLACKHOLE:
	case RTN_PROHIBIT:
	case RTN_THROW:
		flags |= RTF_REJECT;
		break;
	case RTN_LOCAL:
		flags |= RTF_LOCAL;
		break;
	}
	if (route->pref)
		flags |= RTF_PREF(route->pref);
	if (route->via)
		flags |= RTF_GATEWAY;
	if (route->expires)
		flags |= RTF_EXPIRES;
	return flags;
}

/* route_config() - describe a route for the kernel */
int route_config(struct world *w, const struct route *route, u32 table,
		 struct fib6_config *cfg)
{
	*cfg = (struct fib6_config) {
		.fc_table = table,
		.fc_metric = route->metric ?: IP6_RT_PRIO_USER,
		.fc_type = route->type,
		.fc_flags = flags_of(route),
		.fc_protocol = RTPROT_STATIC,
		.fc_nh_id = route->nhid,
		.fc_expires = jiffies_to_clock_t(route->expires * HZ),
		.fc_nlinfo.nl_net = w->net,
	};
	if (!route->nhid)
		cfg->fc_ifindex = device_of(w, route->dev)->ifindex;
	if (route->via)
		cfg->fc_gateway = addr_of(route->via);
	if (route->from)
		cfg->fc_src_len = prefix_of(route->from, &cfg->fc_src);
	cfg->fc_dst_len = prefix_of(route->to, &cfg->fc_dst);
	return min(cfg->fc_dst_len, 0) ?: min(cfg->fc_src_len, 0);
}

/* route_add() - add a route; @flags may be NLM_F_REPLACE or NLM_F_APPEND */
int route_add(struct fib6_config *cfg, u16 flags)
{
	struct nlmsghdr nlh = { .nlmsg_flags = NLM_F_CREATE | flags };
	int err;

	if (!(flags & (NLM_F_APPEND | NLM_F_REPLACE)))
		nlh.nlmsg_flags |= NLM_F_APPEND;
	cfg->fc_nlinfo.nlh = &nlh;
	err = ip6_route_add(cfg, GFP_KERNEL, NULL);
	cfg->fc_nlinfo.nlh = NULL;
	return err;
}

static bool is_route(const struct fib6_info *f6i, const struct fib6_config *cfg)
{
	u32 pref = RTF_PREF(3);

	if (f6i->fib6_metric != cfg->fc_metric ||
	    f6i->fib6_type != cfg->fc_type)
		return false;
	if (f6i->nh || cfg->fc_nh_id)
		return f6i->nh && f6i->nh->id == cfg->fc_nh_id;
	/* For a reject route the kernel forgets the preference. */
	if (f6i->fib6_flags & RTF_REJECT)
		return true;
	return f6i->fib6_nh->fib_nh_dev->ifindex == cfg->fc_ifindex &&
	       (f6i->fib6_flags & pref) == (cfg->fc_flags & pref);
}

/* route_del() - delete one; ip6_route_del() is static, and compares less */
int route_del(const struct fib6_config *cfg)
{
	struct net *net = cfg->fc_nlinfo.nl_net;
	struct fib6_table *table = fib6_get_table(net, cfg->fc_table);
	struct fib6_node *fn;
	struct fib6_info *rt;
	int err = -ESRCH;

	rcu_read_lock();
	fn = fib6_locate(&table->tb6_root, &cfg->fc_dst, cfg->fc_dst_len,
			 &cfg->fc_src, cfg->fc_src_len, true);
	rt = fn ? rcu_dereference(fn->leaf) : NULL;
	for (; rt; rt = rcu_dereference(rt->fib6_next)) {
		if (!is_route(rt, cfg) || !fib6_info_hold_safe(rt))
			continue;
		err = ip6_del_rt(net, rt, false);
		break;
	}
	rcu_read_unlock();
	return err;
}

/* routes_add() - add all routes up to an empty row */
int routes_add(struct world *w, const struct route *routes, u32 table)
{
	struct fib6_config cfg;
	int err = 0;

	for (; routes->to && !err; routes++) {
		err = route_config(w, routes, table, &cfg);
		err = err ?: route_add(&cfg, routes->flags);
	}
	return err;
}

/* The kernel's own lookup in one table, without source, device and flags. */
bool kernel_is_local(struct net *net, u32 table, const struct in6_addr *addr)
{
	struct flowi6 fl6 = { .daddr = *addr };
	struct fib6_result res = {};
	struct fib6_table *t;

	rcu_read_lock();
	t = fib6_get_table(net, table);
	if (t)
		fib6_table_lookup(net, t, 0, &fl6, &res, 0);
	rcu_read_unlock();
	return t && res.fib6_type == RTN_LOCAL;
}
