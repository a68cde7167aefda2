// SPDX-License-Identifier: GPL-2.0
/*
 * Neighbour solicitations for the addresses of an Any-IP prefix that is on the
 * link and not routed to this host. IPv4 answers ARP for such a prefix. Here it
 * must be asked for three times, because a host that answers for a prefix of
 * others takes their addresses from them: by the module parameter ndisc, by the
 * sysctl anyip_ndisc, and by proxy_ndp of the device. The toggle must be on too.
 *
 * The kernel then treats these addresses as it treats anycast ones: it answers
 * without the override flag, and after a random delay if asked by multicast.
 */

#include <net/addrconf.h>
#include <net/ipv6.h>

#include "anyip6.h"

/* proxy_ndp is that of the device or of all, as for the kernel's own proxy. */
static bool anyip6_ndisc_is_on(const struct net *net,
			       const struct net_device *dev)
{
	const struct inet6_dev *idev;

	if (!anyip6_enabled(net) || !anyip6_ndisc_enabled(net))
		return false;
	idev = __in6_dev_get(dev);
	return idev && (READ_ONCE(net->ipv6.devconf_all->proxy_ndp) ||
			READ_ONCE(idev->cnf.proxy_ndp));
}

/**
 * anyip6_ndisc_hears() - whether a group may bring a neighbour solicitation
 * @dev:   device that received the packet
 * @group: destination, in the IPv6 header of the packet
 *
 * A host has joined the groups of its configured addresses alone. So that
 * programs hear as little as possible of the others, only what can be a
 * solicitation (RFC 4861, 7.1.1) comes in. The ICMPv6 type is not at hand here:
 * the kernel has pulled the IPv6 header alone. So raw ICMPv6 sockets hear the
 * solicitations of the link, and the kernel answers a ping to such a group.
 *
 * Context: softirq, an ftrace callback; under rcu_read_lock().
 * Return: true if the switches are on, @group is a solicited-node group, and the
 * packet is ICMPv6 and has crossed no router.
 */
bool anyip6_ndisc_hears(const struct net_device *dev,
			const struct in6_addr *group)
{
	const struct ipv6hdr *hdr = container_of(group, struct ipv6hdr, daddr);

	return ipv6_addr_is_solict_mult(group) &&
	       anyip6_ndisc_is_on(dev_net(dev), dev) &&
	       hdr->nexthdr == NEXTHDR_ICMP && hdr->hop_limit == 255;
}

/**
 * anyip6_ndisc_asks() - whether the rule decides about a solicitation
 * @net:    netns that received it
 * @dev:    device that received it
 * @target: address that it asks for
 *
 * This includes a solicitation of duplicate address detection: the address is in
 * use here (RFC 4862, 5.4.3), and IPv4 answers an ARP probe likewise.
 *
 * Context: softirq, an ftrace callback; under rcu_read_lock().
 * Return: false if a switch is off or @target is link-local.
 */
bool anyip6_ndisc_asks(const struct net *net, const struct net_device *dev,
		       const struct in6_addr *target)
{
	return anyip6_ndisc_is_on(net, dev) &&
	       !(ipv6_addr_type(target) & IPV6_ADDR_LINKLOCAL);
}
