// SPDX-License-Identifier: GPL-2.0
/*
 * The module proves its own hook before it stays: it takes each socket path as
 * a program would and sees its redirect run, with the caller recognised. An
 * inlined check, a renamed clone or a patched caller shows up here.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ipv6.h>
#include <linux/l2tp.h>
#include <linux/module.h>
#include <linux/random.h>
#include <net/sock.h>
#include <net/transp_v6.h>

#include "anyip6.h"

DEFINE_STATIC_KEY_FALSE(anyip6_proving);

static struct task_struct *anyip6_prover;
static bool anyip6_ran;

/**
 * anyip6_proof_saw() - note that a path's caller was recognised
 * @path: the path
 *
 * Context: ftrace callback; only while anyip6_proving.
 * Return: true if it is the prover that calls.
 */
bool notrace anyip6_proof_saw(struct anyip6_path *path)
{
	if (current != READ_ONCE(anyip6_prover))
		return false;
	path->proven = true;
	return true;
}

/**
 * anyip6_proof_ran() - note that a redirected call arrived
 *
 * Context: any; only while anyip6_proving.
 * Return: true if it is the prover that calls. The answer to it must be no, so
 * that nothing is bound or sent.
 */
bool anyip6_proof_ran(void)
{
	if (current != READ_ONCE(anyip6_prover))
		return false;
	anyip6_ran = true;
	return true;
}

/*
 * An address of the discard-only prefix (RFC 6666) that nobody has. The layout
 * of sockaddr_in6 begins that of L2TP, which wants its own length.
 */
static void anyip6_proof_addr(struct sockaddr_l2tpip6 *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->l2tp_family = AF_INET6;
	addr->l2tp_addr.s6_addr[0] = 0x01;
	get_random_bytes(addr->l2tp_addr.s6_addr + 8, 8);
}

/**
 * anyip6_prove_bind() - bind a socket
 * @path: names the type and protocol of the socket
 * @net:  netns, its ip_nonlocal_bind off: on, it hides the check
 *
 * Context: process; may sleep.
 * Return: 0 if bind answered for the address, else what stopped it earlier.
 */
int anyip6_prove_bind(const struct anyip6_path *path, struct net *net)
{
	struct sockaddr_l2tpip6 addr;
	struct socket *sock;
	int err;

	anyip6_proof_addr(&addr);
	err = sock_create_kern(net, AF_INET6, path->type, path->protocol, &sock);
	if (err)
		return err;
	err = kernel_bind(sock, (void *)&addr, sizeof(addr));
	sock_release(sock);
	return err == -EADDRNOTAVAIL ? 0 : err;
}

/**
 * anyip6_prove_ping() - call the bind of ping sockets
 * @path: names the type and protocol of the socket
 * @net:  netns, its ip_nonlocal_bind off
 *
 * Nobody may make a ping socket unless ping_group_range says so, so another
 * datagram socket stands in. That is safe as its address is refused, which is
 * before ping_bind() touches what a ping socket has more.
 *
 * Context: process; may sleep.
 * Return: 0 if bind answered for the address, else what stopped it earlier.
 */
int anyip6_prove_ping(const struct anyip6_path *path, struct net *net)
{
	struct sockaddr_l2tpip6 addr;
	struct socket *sock;
	int err;

	anyip6_proof_addr(&addr);
	err = sock_create_kern(net, AF_INET6, path->type, path->protocol, &sock);
	if (err)
		return err;
	err = pingv6_prot.bind(sock->sk, (void *)&addr, sizeof(addr));
	sock_release(sock);
	return err == -EADDRNOTAVAIL ? 0 : err;
}

/**
 * anyip6_prove_pktinfo() - send with an IPV6_PKTINFO source
 * @path: names the type and protocol of the socket
 * @net:  netns, its ip_nonlocal_bind off
 *
 * Context: process; may sleep.
 * Return: 0 if sendmsg answered for the address, else what stopped it earlier.
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
	};
	struct sockaddr_l2tpip6 from;
	struct kvec none = {};
	struct socket *sock;
	int err;

	anyip6_proof_addr(&from);
	info->ipi6_addr = from.l2tp_addr;
	err = sock_create_kern(net, AF_INET6, path->type, path->protocol, &sock);
	if (err)
		return err;
	err = kernel_sendmsg(sock, &msg, &none, 1, 0);
	sock_release(sock);
	return err == -EINVAL ? 0 : err;
}

/* Any netns in which bind() reaches the check. The caller puts it. */
static struct net *anyip6_proving_ground(void)
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

/* Take the path while every redirected call of ours is answered no. */
static int anyip6_try(struct anyip6_path *path, struct net *net)
{
	int err;

	path->proven = false;
	anyip6_ran = false;
	WRITE_ONCE(anyip6_prover, current);
	static_branch_enable(&anyip6_proving);
	err = path->prove(path, net);
	static_branch_disable(&anyip6_proving);
	WRITE_ONCE(anyip6_prover, NULL);
	return err;
}

/**
 * anyip6_prove() - take a path and see that our answer is the one that counts
 * @path:   a path whose caller is there, its check redirected
 * @effect: what a failure means, for the log
 *
 * Context: process; may sleep. One at a time.
 * Return: 0 or an errno, with the reason logged.
 */
int anyip6_prove(struct anyip6_path *path, const char *effect)
{
	struct net *net = anyip6_proving_ground();
	int err;

	if (!net) {
		pr_err("%s: net.ipv6.ip_nonlocal_bind=1 in every netns hides the check; load while a netns has it 0 ('ip netns add' makes one)\n",
		       effect);
		return -EBUSY;
	}

	err = anyip6_try(path, net);
	put_net(net);
	if (!err && path->proven && anyip6_ran)
		return 0;
	if (err)
		pr_err("%s: the test of %s ended before %s was called (%d)\n",
		       effect, path->caller, path->check->name, err);
	else
		pr_err("%s: %s does not call %s in this kernel (inlined, or live-patched)\n",
		       effect, path->caller, path->check->name);
	return err ?: -EOPNOTSUPP;
}
