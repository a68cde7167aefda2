// SPDX-License-Identifier: GPL-2.0
/* The rule: which addresses that are not configured are local for sockets. */

#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>

#include "anyip6.h"
#include "compat.h"

/* The one table that counts: the VRF's for a socket in a VRF, else local. */
static struct fib6_table *anyip6_table(struct net *net,
				       const struct net_device *dev)
{
	return fib6_get_table(net, l3mdev_fib_table_rcu(dev) ?: RT6_TABLE_LOCAL);
}

static bool anyip6_fib_is_local(struct net *net, const struct in6_addr *addr,
				const struct net_device *dev, bool scoped)
{
	struct fib6_table *table = anyip6_table(net, dev);
	struct flowi6 fl6 = { .daddr = *addr };
	const struct net_device *nh_dev;

	if (!table || (scoped && !dev))
		return false;

	/*
	 * With an oif, the route of that device is preferred among equals, but
	 * a carve-out on another device is still found.
	 */
	if (scoped)
		fl6.flowi6_oif = dev->ifindex;
	if (anyip6_table_lookup(net, table, fl6.flowi6_oif, &fl6,
				&nh_dev) != RTN_LOCAL)
		return false;

	return !scoped || nh_dev == dev;
}

/**
 * anyip6_is_local() - whether an Any-IP route makes an address local
 * @net:  netns of the socket
 * @addr: address that the kernel's own check has just refused
 * @dev:  device that the socket is bound to, or NULL; it names the L3 domain
 *
 * The IPv6 counterpart of inet_addr_type_table() == RTN_LOCAL.
 *
 * Context: any; takes no lock but rcu_read_lock(), does not sleep.
 * Return: true if the toggle of @net is on, @addr is not configured in the
 * L3 domain of @dev in any state, and the longest match in the domain's table
 * is an RTN_LOCAL route (on @dev itself where @addr is link-local).
 */
bool anyip6_is_local(struct net *net, const struct in6_addr *addr,
		     const struct net_device *dev)
{
	int type = __ipv6_addr_type(addr);
	bool local;

	if (unlikely(READ_ONCE(anyip6_prover) == current))
		return anyip6_proof_answer(addr);

	if (!anyip6_enabled(net))
		return false;

	/* Never the source of an IPv6 packet, whatever a route covers. */
	if (type & (IPV6_ADDR_MULTICAST | IPV6_ADDR_MAPPED))
		return false;

	/* Configured, yet refused: tentative, dadfailed, or on the wrong device. */
	if (ipv6_chk_addr_and_flags(net, addr, dev, true, 0, 0))
		return false;

	rcu_read_lock();
	local = anyip6_fib_is_local(net, addr, dev,
				    __ipv6_addr_needs_scope_id(type));
	rcu_read_unlock();
	return local;
}
