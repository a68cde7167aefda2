// SPDX-License-Identifier: GPL-2.0
/*
 * The rule: which addresses that are not configured are local.
 *
 * The kernel exports no lookup in one table that only looks: ip6_pol_route()
 * sends neighbour solicitations and allocates. So we walk the tree here, as
 * IPv4's check walks its own. Each function does what one of the kernel's does
 * for a lookup without source, device and flags. Both give the same answers in
 * 5.10, 6.1, 6.12 and 7.3:
 *
 *	here			the kernel's
 *	anyip6_first()		fib6_node_lookup_1()
 *	anyip6_next()		fib6_backtrack()
 *	anyip6_leaf()		rt6_select()
 *	anyip6_select()		find_rr_leaf(), __find_rr_leaf()
 *	anyip6_fit_nh()		find_match(), rt6_score_route()
 *	anyip6_lookup()		fib6_table_lookup()
 *
 * They differ from the kernel's in this:
 * - They find a branch that a writer hides for a moment.
 * - A gateway need not answer.
 * - They do not read rr_ptr.
 * - The first path of a multipath route gives the type.
 * - For a link-local address they prefer the routes of its device. The kernel
 *   sees no others.
 */

#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/l3mdev.h>
#include <net/nexthop.h>

#include "anyip6.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* How well a route fits. One through the wanted device is the best. */
enum anyip6_fit { ANYIP6_UNUSABLE, ANYIP6_OTHER_DEVICE, ANYIP6_FITS };

/* The fit counts first, then the router preference, which is at most 3. */
#define ANYIP6_SCORE(fit, pref) ((fit) << 2 | (pref))

struct anyip6_match {
	const struct net_device *dev;	/* wanted, or NULL */
	u8 type;			/* of the best route so far, or 0 */
	unsigned int score;		/* its ANYIP6_SCORE() */
	enum anyip6_fit fit;		/* of the route that is being looked at */
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

/* Weighs one nexthop, of a route or of its nexthop object. Mirrors find_match(). */
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

/*
 * On a host that does not forward, the kernel also asks whether a gateway
 * answers. That matters for sending. Here it would make an address come and go
 * with a neighbour.
 */
static void anyip6_weigh(struct fib6_info *f6i, struct anyip6_match *m)
{
	unsigned int score, pref = 0;

	m->fit = ANYIP6_UNUSABLE;
	if (f6i->nh)
		nexthop_for_each_fib6_nh(f6i->nh, anyip6_fit_nh, m);
	else
		anyip6_fit_nh(f6i->fib6_nh, m);
	if (m->fit == ANYIP6_UNUSABLE)
		return;
	if (IS_ENABLED(CONFIG_IPV6_ROUTER_PREF))
		pref = IPV6_DECODE_PREF(IPV6_EXTRACT_PREF(f6i->fib6_flags));
	score = ANYIP6_SCORE(m->fit, pref);
	/* The first of equals wins. */
	if (score <= m->score)
		return;
	m->score = score;
	m->type = f6i->fib6_type;
}

/* While fib6_clean_expires() removes a lifetime, it is 0 for a moment. */
static bool anyip6_is_expired(const struct fib6_info *f6i)
{
	return fib6_check_expired(f6i) && READ_ONCE(f6i->expires);
}

/* Asked once per route, because the object can be replaced at any time. */
static bool anyip6_is_blackhole(const struct fib6_info *f6i)
{
	return f6i->nh && nexthop_is_blackhole(f6i->nh);
}

static bool anyip6_fits(const struct anyip6_match *m)
{
	return m->score >= ANYIP6_SCORE(ANYIP6_FITS, 0);
}

/*
 * Finds the best route to one prefix among those of the lowest metric. If none
 * of them fits, it takes the best of all others, whatever their metric. A
 * nexthop object that is a blackhole ends the search. Mirrors find_rr_leaf(),
 * except that this starts elsewhere after a gateway that did not answer.
 */
static bool anyip6_select(struct fib6_info *leaf, struct anyip6_match *m)
{
	struct fib6_info *f6i;
	bool others = false;

	for (f6i = leaf; f6i; f6i = rcu_dereference(f6i->fib6_next)) {
		if (!others && f6i->fib6_metric != leaf->fib6_metric) {
			if (anyip6_fits(m))
				break;
			others = true;
		}
		if (anyip6_is_expired(f6i))
			continue;
		if (anyip6_is_blackhole(f6i)) {
			m->type = RTN_BLACKHOLE;
			break;
		}
		anyip6_weigh(f6i, m);
	}
	return m->type;
}

static bool anyip6_bit(const struct in6_addr *addr, unsigned int bit)
{
	return addr->s6_addr[bit / 8] & (0x80 >> bit % 8);
}

/* Flags change under the table's lock, which we do not take. */
static bool anyip6_has(const struct fib6_node *fn, unsigned int flag)
{
	return READ_ONCE(fn->fn_flags) & flag;
}

/* The table is sorted by destination, a subtree by source. */
static const struct rt6key *anyip6_key(const struct fib6_info *leaf, bool source)
{
	return source ? &leaf->fib6_src : &leaf->fib6_dst;
}

#ifdef CONFIG_IPV6_SUBTREES
/* Routes that are for some sources only. FIB6_SUBTREE() is for writers. */
static struct fib6_node *anyip6_subtree(const struct fib6_node *fn)
{
	return rcu_dereference(fn->subtree);
}
#else
static struct fib6_node *anyip6_subtree(const struct fib6_node *fn)
{
	return NULL;
}
#endif

static __always_inline struct fib6_node *
anyip6_child(const struct fib6_node *fn, const struct in6_addr *addr)
{
	if (fn->fn_bit >= 128)
		return NULL;
	return anyip6_bit(addr, fn->fn_bit) ? rcu_dereference(fn->right) :
					      rcu_dereference(fn->left);
}

static struct fib6_node *anyip6_deepest(struct fib6_node *fn,
					const struct in6_addr *addr)
{
	struct fib6_node *next = fn;

	while (next) {
		fn = next;
		next = anyip6_child(fn, addr);
	}
	return fn;
}

/* The node of the walked tree that has @leaf itself or in its subtree. */
static struct fib6_node *anyip6_owner(const struct fib6_info *leaf, bool source)
{
	struct fib6_node *fn = rcu_dereference(leaf->fib6_node);

	if (source || !leaf->fib6_src.plen)
		return fn;
	while (fn && !anyip6_has(fn, RTN_ROOT))
		fn = rcu_dereference(fn->parent);
	return fn ? rcu_dereference(fn->parent) : NULL;
}

/*
 * A middle node has no routes, two children, and the leaf of one of them. No
 * way down ends there, with one exception: fib6_add_1() puts the node in place
 * and a moment later gives it the branch that was there. Until then readers
 * cannot see the branch. It has the leaf, so we find it on the way up from the
 * leaf's own node. NULL: no branch is hidden, or it is in its place by now.
 */
static __always_inline struct fib6_node *
anyip6_hidden(const struct fib6_node *fn, const struct in6_addr *addr,
	      bool source)
{
	struct fib6_node *branch, *parent;
	const struct fib6_info *leaf;
	const struct rt6key *key;

	if (likely(anyip6_has(fn, RTN_RTINFO | RTN_ROOT)) || anyip6_subtree(fn))
		return NULL;
	leaf = rcu_dereference(fn->leaf);
	if (!leaf)
		return NULL;
	key = anyip6_key(leaf, source);
	if (key->plen <= fn->fn_bit ||
	    anyip6_bit(&key->addr, fn->fn_bit) != anyip6_bit(addr, fn->fn_bit))
		return NULL;
	branch = anyip6_owner(leaf, source);
	parent = branch ? rcu_dereference(branch->parent) : NULL;
	while (parent && parent->fn_bit > fn->fn_bit) {
		branch = parent;
		parent = rcu_dereference(branch->parent);
	}
	return branch;
}

/* The node where the way down for @addr ends. Each step has a longer prefix. */
static __always_inline struct fib6_node *
anyip6_bottom(struct fib6_node *root, const struct in6_addr *addr, bool source)
{
	struct fib6_node *fn, *next = root;

	do {
		fn = anyip6_deepest(next, addr);
		next = anyip6_hidden(fn, addr, source);
		if (likely(!next)) {
			/*
			 * If we see what a later writer did to the node, we see
			 * the branch too. Pairs with the lock of writers.
			 */
			smp_rmb();
			next = anyip6_child(fn, addr);
		}
	} while (unlikely(next));
	return fn;
}

/* Whether the prefix of the routes of @fn covers @addr. */
static bool anyip6_covers(const struct fib6_node *fn,
			  const struct in6_addr *addr, bool source)
{
	const struct fib6_info *leaf = rcu_dereference(fn->leaf);
	const struct rt6key *key;

	if (!leaf)
		return false;
	key = anyip6_key(leaf, source);
	return ipv6_prefix_equal(&key->addr, addr, key->plen);
}

static noinline struct fib6_node *anyip6_source_node(struct fib6_node *subtree);

/*
 * Finds the node with routes whose prefix covers @addr and is the longest.
 * Returns NULL if that is the root.
 *
 * If a node has routes for some sources, the kernel sees only those for the
 * source of the flow. Ours is ::. A subtree has no subtrees. This is inline
 * because @source is a constant. Mirrors fib6_node_lookup_1().
 */
static __always_inline struct fib6_node *
anyip6_first(struct fib6_node *root, const struct in6_addr *addr, bool source)
{
	struct fib6_node *fn = anyip6_bottom(root, addr, source);
	struct fib6_node *subtree, *found;
	unsigned int flags;

	for (;;) {
		flags = READ_ONCE(fn->fn_flags);
		if (flags & RTN_ROOT)
			break;
		subtree = source ? NULL : anyip6_subtree(fn);
		if ((flags & RTN_RTINFO || subtree) &&
		    anyip6_covers(fn, addr, source)) {
			found = subtree ? anyip6_source_node(subtree) : fn;
			if (found)
				return found;
		}
		fn = rcu_dereference(fn->parent);
	}
	/* The root covers every address. The caller asks its own routes. */
	subtree = source ? NULL : anyip6_subtree(fn);
	return subtree ? anyip6_source_node(subtree) : NULL;
}

/* The same in a subtree, for the source ::. Most tables have no subtree. */
static noinline struct fib6_node *anyip6_source_node(struct fib6_node *subtree)
{
	return anyip6_first(subtree, &in6addr_any, true);
}

/* Goes up to the next node with routes, or NULL. Mirrors fib6_backtrack(). */
static struct fib6_node *anyip6_next(struct fib6_node *fn)
{
	struct fib6_node *parent, *subtree;

	do {
		if (anyip6_has(fn, RTN_TL_ROOT))
			return NULL;
		parent = rcu_dereference(fn->parent);
		subtree = anyip6_subtree(parent);
		if (subtree && subtree != fn)
			fn = anyip6_source_node(subtree) ?: subtree;
		else
			fn = parent;
	} while (!anyip6_has(fn, RTN_RTINFO));
	return fn;
}

/*
 * The routes of @fn. A node whose last route has just gone has the leaf of a
 * child, which has a longer prefix. Mirrors rt6_select().
 */
static struct fib6_info *anyip6_leaf(const struct net *net,
				     const struct fib6_node *fn)
{
	struct fib6_info *leaf = rcu_dereference(fn->leaf);

	if (!leaf || leaf == net->ipv6.fib6_null_entry)
		return NULL;
	if (anyip6_key(leaf, leaf->fib6_src.plen)->plen != fn->fn_bit)
		return NULL;
	return leaf;
}

/*
 * Longest match. Goes up from a prefix that has no usable route. Mirrors
 * fib6_table_lookup().
 */
static bool anyip6_lookup(const struct net *net, struct fib6_table *table,
			  const struct in6_addr *addr, struct anyip6_match *m)
{
	struct fib6_node *root = &table->tb6_root;
	struct fib6_node *fn = anyip6_first(root, addr, false) ?: root;
	struct fib6_info *leaf;

	for (; fn; fn = anyip6_next(fn)) {
		leaf = anyip6_leaf(net, fn);
		if (leaf && anyip6_select(leaf, m))
			return true;
	}
	return false;
}

/* What the table says of @addr. @scoped: it is link-local, so only on @dev. */
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
	if (m.type != RTN_LOCAL)
		return ANYIP6_CARVED_OUT;
	return anyip6_fits(&m) ? ANYIP6_ALLOWED : ANYIP6_WRONG_DEVICE;
}

/* The rule, step by step. Stores in @id which table it asked. */
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

	/* Configured, but tentative, dadfailed or on the wrong device. */
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
 * @net:    netns that asks
 * @addr:   address that the kernel's own check refuses
 * @dev:    device that the caller of the check names, or NULL. It selects the
 *	    L3 domain and stays while the caller uses it
 * @caller: return address in the caller, only to name the caller
 * @asker:  who asks, only to count
 *
 * The IPv6 counterpart of inet_addr_type_table() == RTN_LOCAL.
 *
 * While a route changes, the answer is that of a lookup before the change or
 * after it. While several change, a lookup may see a later change and miss an
 * earlier one, as the kernel's own lookup may.
 *
 * Context: any, an ftrace callback included. Takes no lock but rcu_read_lock(),
 * waits for nobody, does not sleep or allocate. Writes the counters of this CPU
 * and the trace.
 * Return: true if the toggle of @net is on, @addr is unicast and not configured
 * in the L3 domain of @dev in any state, and a lookup in the domain's table finds
 * an RTN_LOCAL route (on @dev itself where @addr is link-local).
 */
bool anyip6_is_local(struct net *net, const struct in6_addr *addr,
		     const struct net_device *dev, unsigned long caller,
		     enum anyip6_asker asker)
{
	enum anyip6_step step;
	u32 table = RT6_TABLE_UNSPEC;

	if (unlikely(READ_ONCE(anyip6_prover) == current) &&
	    anyip6_proof_asks(addr))
		return anyip6_proof_answer();

	rcu_read_lock();
	step = anyip6_decide(net, addr, dev, &table);
	anyip6_count(net, asker, step);
	trace_anyip6_decision(net, caller, addr, dev, table, step);
	rcu_read_unlock();
	return step == ANYIP6_ALLOWED;
}
