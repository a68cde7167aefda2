// SPDX-License-Identifier: GPL-2.0
/*
 * The module proves its own hook before it stays: it takes paths as a
 * program would and checks that they ask it. This finds an inlined check,
 * a renamed clone and a patched caller.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/random.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/transp_v6.h>

#include "anyip6.h"

/*
 * The task that proves a path now, one at a time. We test it before each lookup.
 * It is not a static key, because a load shall patch no more code than it must.
 */
struct task_struct *anyip6_prover;

static struct in6_addr anyip6_proof_addr;
static bool anyip6_proof_yes;
static bool anyip6_proof_asked;

/**
 * anyip6_proof_asks() - whether it is the proof that asks
 * @addr: the address that the path asks for
 *
 * A packet may arrive while the prover runs, and interrupt it.
 *
 * Context: any, while anyip6_prover is the current task.
 * Return: true if @addr is the address of the proof.
 */
bool anyip6_proof_asks(const struct in6_addr *addr)
{
	return ipv6_addr_equal(addr, &anyip6_proof_addr);
}

/**
 * anyip6_proof_answer() - answer the prover
 *
 * Context: called by the prover itself, on one of the paths.
 * Return: the answer that the proof of this path needs.
 */
bool anyip6_proof_answer(void)
{
	anyip6_proof_asked = true;
	return anyip6_proof_yes;
}

/* From the discard-only prefix (RFC 6666), and random, so nobody has it. */
static void anyip6_new_proof_addr(void)
{
	memset(&anyip6_proof_addr, 0, sizeof(anyip6_proof_addr));
	anyip6_proof_addr.s6_addr[0] = 0x01;
	get_random_bytes(anyip6_proof_addr.s6_addr + 8, 8);
}

/* Binds, and expects the answer no. */
static int anyip6_refused_bind(const struct anyip6_path *path, struct net *net,
			       int (*bind)(struct socket *sock, void *addr, int len))
{
	struct sockaddr_in6 addr = {
		.sin6_family	= AF_INET6,
		.sin6_addr	= anyip6_proof_addr,
	};
	struct socket *sock;
	int err;

	err = sock_create_kern(net, AF_INET6, path->type, path->protocol, &sock);
	if (err)
		return err;
	err = bind(sock, &addr, sizeof(addr));
	sock_release(sock);
	return err == -EADDRNOTAVAIL ? 0 : err;
}

static int anyip6_kernel_bind(struct socket *sock, void *addr, int len)
{
	return kernel_bind(sock, addr, len);
}

static int anyip6_ping_bind(struct socket *sock, void *addr, int len)
{
	return pingv6_prot.bind(sock->sk, addr, len);
}

/**
 * anyip6_prove_bind() - bind a socket
 * @path: names the type and protocol of the socket
 * @net:  netns with ip_nonlocal_bind off, as that hides the check when on
 *
 * Context: process; may sleep.
 * Return: 0 if bind got as far as the address, else the error that stopped it.
 */
int anyip6_prove_bind(const struct anyip6_path *path, struct net *net)
{
	return anyip6_refused_bind(path, net, anyip6_kernel_bind);
}

/**
 * anyip6_prove_ping() - call the bind of ping sockets
 * @path: names the type and protocol of the socket
 * @net:  netns with ip_nonlocal_bind off
 *
 * ping_group_range may forbid ping sockets, so a raw socket stands in. A raw
 * socket has its number from the start. ping_bind() refuses that right after the
 * check, before it touches what only a ping socket has.
 *
 * Context: process; may sleep.
 * Return: 0 if bind got as far as the address, else the error that stopped it.
 */
int anyip6_prove_ping(const struct anyip6_path *path, struct net *net)
{
	return anyip6_refused_bind(path, net, anyip6_ping_bind);
}

/**
 * anyip6_prove_pktinfo() - send with an IPV6_PKTINFO source
 * @path: names the type and protocol of the socket
 * @net:  netns with ip_nonlocal_bind off
 *
 * The answer is yes, because a no looks like the kernel's own. With MSG_PROBE
 * the kernel sends nothing.
 *
 * Context: process; may sleep.
 * Return: 0 if the kernel took the source, else the error that stopped it.
 */
int anyip6_prove_pktinfo(const struct anyip6_path *path, struct net *net)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} cmsg = {
		.hdr.cmsg_len	= CMSG_LEN(sizeof(struct in6_pktinfo)),
		.hdr.cmsg_level	= SOL_IPV6,
		.hdr.cmsg_type	= IPV6_PKTINFO,
	};
	struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(&cmsg.hdr);
	struct sockaddr_in6 to = {
		.sin6_family	= AF_INET6,
		.sin6_port	= htons(9),
		.sin6_addr	= IN6ADDR_LOOPBACK_INIT,
	};
	struct msghdr msg = {
		.msg_name	= &to,
		.msg_namelen	= sizeof(to),
		.msg_control	= &cmsg,
		.msg_controllen	= sizeof(cmsg),
		.msg_flags	= MSG_CONFIRM | MSG_PROBE,
	};
	struct kvec none = {};
	struct socket *sock;
	int err;

	info->ipi6_addr = anyip6_proof_addr;
	err = sock_create_kern(net, AF_INET6, path->type, path->protocol, &sock);
	if (err)
		return err;
	anyip6_proof_yes = true;
	err = kernel_sendmsg(sock, &msg, &none, 1, 0);
	anyip6_proof_yes = false;
	sock_release(sock);
	/*
	 * EINVAL is the no of the check. If nobody asked us, it is the kernel's
	 * own. After the check, routes, rules and BPF give other errors.
	 */
	return anyip6_proof_asked == (err == -EINVAL) ? err : 0;
}

/**
 * anyip6_prove_error() - ask for an ICMPv6 error
 * @path: unused
 * @net:  any netns
 *
 * The packet has no source. icmp6_send() sees that right after the check, and
 * sends nothing.
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int anyip6_prove_error(const struct anyip6_path *path, struct net *net)
{
	struct ipv6hdr *hdr;
	struct sk_buff *skb;

	skb = alloc_skb(sizeof(*hdr), GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	skb_reset_network_header(skb);
	hdr = skb_put_zero(skb, sizeof(*hdr));
	hdr->version = 6;
	hdr->daddr = anyip6_proof_addr;
	skb->dev = net->loopback_dev;
	icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
	consume_skb(skb);
	return 0;
}

/* Any netns in which bind() reaches the check. The caller must put it. */
static struct net *__cold anyip6_proving_ground(void)
{
	struct net *net, *found = NULL;

	rcu_read_lock();
	for_each_net_rcu(net) {
		if (READ_ONCE(net->ipv6.sysctl.ip_nonlocal_bind))
			continue;
		found = maybe_get_net(net);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

static int anyip6_take(const struct anyip6_path *path, struct net *net)
{
	int err;

	anyip6_new_proof_addr();
	anyip6_proof_asked = false;
	WRITE_ONCE(anyip6_prover, current);
	err = path->prove(path, net);
	WRITE_ONCE(anyip6_prover, NULL);
	return err;
}

/* Whether the path asked, or the errno that stopped it. */
static int anyip6_asks(const struct anyip6_path *path, struct net *net)
{
	int err = anyip6_take(path, net);

	return err ?: anyip6_proof_asked;
}

/**
 * anyip6_prove() - take a path and check that it asks the rule
 * @path: a path whose caller was found and whose check is redirected
 *
 * A path that does not ask is left to the kernel, unless the module needs it.
 *
 * Context: process; may sleep, and opens sockets of @path's protocol. One at a
 * time.
 * Return: 0, or the errno that ends the load, with the reason logged.
 */
int __cold anyip6_prove(struct anyip6_path *path)
{
	struct net *net = anyip6_proving_ground();
	bool hidden;
	int asks;

	if (!net) {
		anyip6_leave(path);
		return anyip6_lack(path->what, -EAGAIN,
				   "net.ipv6.ip_nonlocal_bind=1 in every netns hides the check; load while a netns has it 0 ('ip netns add' makes one)");
	}

	asks = anyip6_asks(path, net);
	hidden = READ_ONCE(net->ipv6.sysctl.ip_nonlocal_bind);
	put_net(net);
	if (asks > 0) {
		WRITE_ONCE(path->unproven, false);
		return 0;
	}

	anyip6_leave(path);
	if (hidden)
		return anyip6_lack(path->what, -EAGAIN,
				   "net.ipv6.ip_nonlocal_bind was set to 1 meanwhile; load again");
	if (asks < 0)
		return anyip6_lack(path->what, asks,
				   "the test of %s ended with error %d",
				   path->caller, asks);
	return anyip6_lack(path->what, -EOPNOTSUPP,
			   "%s does not call %s in this kernel (inlined, or live-patched)",
			   path->caller, path->check->name);
}
