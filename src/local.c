// SPDX-License-Identifier: GPL-2.0
/*
 * The rule: which addresses that are not configured are local for sockets.
 *
 * The kernel exports no lookup in one table that only looks: ip6_pol_route()
 * skips routes whose gateway does not answer, sends neighbour solicitations
 * and allocates. So the tree is walked here, as IPv4's check reads its own.
 */

#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/l3mdev.h>
#include <net/nexthop.h>

#include "anyip6.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* How often the tree is looked at while it is being changed. */
#define ANYIP6_LOOKS 1000

/* How well a route suits: one through the device that is wanted is preferred. */
enum anyip6_fit { ANYIP6_UNUSABLE, ANYIP6_OTHER_DEVICE, ANYIP6_FITS };

struct anyip6_match {
	const struct net_device *dev;	/* wanted, or NULL */
	const struct fib6_info *f6i;
	enum anyip6_fit fit;
};

#ifdef CONFIG_IPV6_MULTIPLE_TABLES
/* The one table that counts: the VRF's for a socket in a VRF, else local. */
static struct fib6_table *anyip6_table(struct net *net,
				       const struct net_device *dev)
{
	return fib6_get_table(net, l3mdev_fib_table_rcu(dev) ?: RT6_TABLE_LOCAL);
}
#else
/* All routes are in one table, and fib6_get_table() is not exported. */
static struct fib6_table *anyip6_table(struct net *net,
				       const struct net_device *dev)
{
	return net->ipv6.fib6_main_tbl;
}
#endif

/* Of one nexthop; called for each of a nexthop object. Mirrors find_match(). */
static int anyip6_fit_nh(struct fib6_nh *nh, void *arg)
{
	unsigned int flags = READ_ONCE(nh->fib_nh_flags);
	struct anyip6_match *m = arg;
	enum anyip6_fit fit = ANYIP6_FITS;

	if (flags & RTNH_F_DEAD)
		return 0;
	if (flags & RTNH_F_LINKDOWN &&
	    ip6_ignore_linkdown(nh->fib_nh_dev))
		return 0;
	if (m->dev && m->dev != nh->fib_nh_dev)
		fit = ANYIP6_OTHER_DEVICE;
	m->fit = max(m->fit, fit);
	return 0;
}

static bool anyip6_is_blackhole(const struct fib6_info *f6i)
{
	return f6i->nh && nexthop_is_blackhole(f6i->nh);
}

static enum anyip6_fit anyip6_fit(struct fib6_info *f6i,
				  const struct net_device *dev)
{
	struct anyip6_match m = { .dev = dev };

	if (fib6_check_expired(f6i))
		return ANYIP6_UNUSABLE;
	if (anyip6_is_blackhole(f6i))
		return ANYIP6_FITS;
	if (f6i->nh)
		nexthop_for_each_fib6_nh(f6i->nh, anyip6_fit_nh, &m);
	else
		anyip6_fit_nh(f6i->fib6_nh, &m);
	return m.fit;
}

/*
 * The best of the routes of lowest metric to one prefix; a route through the
 * device that is wanted may have a higher one. Mirrors rt6_select().
 */
static bool anyip6_select(struct fib6_info *leaf, struct anyip6_match *m)
{
	struct fib6_info *f6i;
	enum anyip6_fit fit;

	m->f6i = NULL;
	m->fit = ANYIP6_UNUSABLE;
	for (f6i = leaf; f6i; f6i = rcu_dereference(f6i->fib6_next)) {
		if (m->fit == ANYIP6_FITS && m->f6i->fib6_metric != f6i->fib6_metric)
			break;
		fit = anyip6_fit(f6i, m->dev);
		if (fit <= m->fit)
			continue;
		m->f6i = f6i;
		m->fit = fit;
	}
	return m->f6i;
}

static bool anyip6_bit(const struct in6_addr *addr, unsigned int bit)
{
	return addr->s6_addr[bit / 8] & (0x80 >> bit % 8);
}

static struct fib6_node *anyip6_deepest(struct fib6_node *root,
					const struct in6_addr *addr)
{
	struct fib6_node *fn = root, *next = root;

	while (next) {
		fn = next;
		if (fn->fn_bit >= 128)
			break;
		next = anyip6_bit(addr, fn->fn_bit) ?
			rcu_dereference(fn->right) : rcu_dereference(fn->left);
	}
	return fn;
}

/*
 * A node that has no routes has two children, and no way down ends there. But
 * fib6_add_1() puts one in place before it gives it the branch that was there,
 * and until then all routes below are out of sight.
 */
static bool anyip6_is_half_done(const struct fib6_node *fn)
{
	return !(READ_ONCE(fn->fn_flags) & (RTN_RTINFO | RTN_ROOT)) &&
	       !FIB6_SUBTREE(fn);
}

/*
 * Some instructions of a writer's, unless it is preempted or a hypervisor's
 * guest; it cannot be waited for in a callback of ftrace's. NULL: no answer
 * that could be relied on.
 */
static struct fib6_node *anyip6_node(struct fib6_node *root,
				     const struct in6_addr *addr)
{
	struct fib6_node *fn;
	unsigned int i;

	for (i = 0; i < ANYIP6_LOOKS; i++) {
		fn = anyip6_deepest(root, addr);
		if (likely(!anyip6_is_half_done(fn)))
			return fn;
		cpu_relax();
	}
	return NULL;
}

/*
 * The routes to the prefix at @fn, if it has any and @addr is in it. Flags
 * change under the table's lock, which is not taken here.
 */
static struct fib6_info *anyip6_leaf(const struct net *net,
				     const struct fib6_node *fn,
				     const struct in6_addr *addr)
{
	struct fib6_info *leaf = rcu_dereference(fn->leaf);

	if (!(READ_ONCE(fn->fn_flags) & RTN_RTINFO) || !leaf ||
	    leaf == net->ipv6.fib6_null_entry)
		return NULL;
	/* The leaf of a node whose last route has just gone is a child's. */
	if (leaf->fib6_dst.plen != fn->fn_bit ||
	    !ipv6_prefix_equal(&leaf->fib6_dst.addr, addr, fn->fn_bit))
		return NULL;
	return leaf;
}

/*
 * Longest match by destination, as fib6_table_lookup() has it for a flow
 * without a source: up again from a prefix without a usable route.
 */
static bool anyip6_lookup(const struct net *net, struct fib6_table *table,
			  const struct in6_addr *addr, struct anyip6_match *m)
{
	struct fib6_node *fn = anyip6_node(&table->tb6_root, addr);
	struct fib6_info *leaf;

	while (fn) {
		leaf = anyip6_leaf(net, fn, addr);
		if (leaf && anyip6_select(leaf, m))
			return true;
		if (READ_ONCE(fn->fn_flags) & RTN_ROOT)
			break;
		fn = rcu_dereference(fn->parent);
	}
	return false;
}

/* What the table says of @addr. @scoped: a link-local address, of @dev alone. */
static enum anyip6_step anyip6_ask_table(const struct net *net,
					 struct fib6_table *table,
					 const struct in6_addr *addr,
					 const struct net_device *dev, bool scoped)
{
	struct anyip6_match m = { .dev = scoped ? dev : NULL };

	if (scoped && !dev)
		return ANYIP6_WRONG_DEVICE;
	if (!anyip6_lookup(net, table, addr, &m))
		return ANYIP6_NO_ROUTE;
	if (m.f6i->fib6_type != RTN_LOCAL || anyip6_is_blackhole(m.f6i))
		return ANYIP6_CARVED_OUT;
	return m.fit == ANYIP6_FITS ? ANYIP6_ALLOWED : ANYIP6_WRONG_DEVICE;
}

/* The rule, step by step. @id becomes that of the table that it asked. */
static enum anyip6_step anyip6_decide(struct net *net,
				      const struct in6_addr *addr,
				      const struct net_device *dev, u32 *id)
{
	int type = __ipv6_addr_type(addr);
	struct fib6_table *table;

	if (!anyip6_enabled(net))
		return ANYIP6_OFF;
	if (!(type & IPV6_ADDR_UNICAST))
		return ANYIP6_NOT_UNICAST;

	/* Configured, yet refused: tentative, dadfailed, or on the wrong device. */
	if (ipv6_chk_addr_and_flags(net, addr, dev, true, 0, 0))
		return ANYIP6_CONFIGURED;

	table = anyip6_table(net, dev);
	if (!table)
		return ANYIP6_NO_ROUTE;
	*id = table->tb6_id;
	return anyip6_ask_table(net, table, addr, dev,
				__ipv6_addr_needs_scope_id(type));
}

/**
 * anyip6_is_local() - whether an Any-IP route makes an address local
 * @net:    netns of the socket
 * @addr:   address that the kernel's own check refuses
 * @dev:    device that the caller of that check names, or NULL; it says which
 *	    L3 domain is meant, and stays while the caller uses it
 * @caller: where in the caller; only to name it
 *
 * The IPv6 counterpart of inet_addr_type_table() == RTN_LOCAL.
 *
 * Context: any, an ftrace callback included; takes no lock but rcu_read_lock(),
 * does not sleep or allocate; writes counters of this CPU and the trace.
 * Return: true if the toggle of @net is on, @addr is unicast and not configured
 * in the L3 domain of @dev in any state, and the longest match in the domain's
 * table is an RTN_LOCAL route (on @dev itself where @addr is link-local).
 */
bool anyip6_is_local(struct net *net, const struct in6_addr *addr,
		     const struct net_device *dev, unsigned long caller)
{
	enum anyip6_step step;
	u32 table = RT6_TABLE_UNSPEC;

	if (unlikely(READ_ONCE(anyip6_prover) == current))
		return anyip6_proof_answer(addr);

	rcu_read_lock();
	step = anyip6_decide(net, addr, dev, &table);
	anyip6_count(net, step);
	trace_anyip6_decision(net, caller, addr, dev, table, step);
	rcu_read_unlock();
	return step == ANYIP6_ALLOWED;
}
