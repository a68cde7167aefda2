// SPDX-License-Identifier: GPL-2.0
/*
 * A live patch for coexist.sh. It patches a function that anyip6 redirects, or
 * a function whose calls anyip6 redirects. Its bind only asks for the address,
 * like a fix of another part of bind.
 */
#include <linux/in6.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <net/addrconf.h>
#include <net/sock.h>

static char *function = "ipv6_chk_addr";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "what to replace: one of the table");

static int patcher_chk_addr(struct net *net, const struct in6_addr *addr,
			    const struct net_device *dev, int strict)
{
	return ipv6_chk_addr_and_flags(net, addr, dev, !dev, strict,
				       IFA_F_TENTATIVE);
}

static bool patcher_chk_acast(struct net *net, struct net_device *dev,
			      const struct in6_addr *addr)
{
	return false;
}

static int patcher_bind(struct sock *sk, struct sockaddr_in6 *addr, int len,
			u32 flags)
{
	return ipv6_chk_addr(sock_net(sk), &addr->sin6_addr, NULL, 0) ?
		0 : -EADDRNOTAVAIL;
}

static int patcher_raw(struct sock *sk, struct sockaddr_in6 *addr, int len)
{
	return patcher_bind(sk, addr, len, 0);
}

static int patcher_pktinfo(struct net *net, struct sock *sk, struct msghdr *msg,
			   struct flowi6 *fl6, void *ipc6)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	const struct in6_pktinfo *info = CMSG_DATA(cmsg);

	if (cmsg->cmsg_type != IPV6_PKTINFO ||
	    !ipv6_chk_addr(net, &info->ipi6_addr, NULL, 0))
		return -EINVAL;
	fl6->saddr = info->ipi6_addr;
	return 0;
}

static int patcher_sctp(void *addr, void *sp)
{
	return 0;
}

static const struct {
	const char *module;
	const char *name;
	void *new_func;
} patcher_table[] = {
	{ NULL, "ipv6_chk_addr", patcher_chk_addr },
	{ NULL, "ipv6_chk_acast_addr_src", patcher_chk_acast },
	{ NULL, "__inet6_bind", patcher_bind },
	{ NULL, "rawv6_bind", patcher_raw },
	{ NULL, "ping_bind", patcher_raw },
	{ NULL, "ip6_datagram_send_ctl", patcher_pktinfo },
	{ "sctp", "sctp_v6_available", patcher_sctp },
};

static struct klp_func patcher_funcs[2];

static struct klp_object patcher_objs[] = {
	{ .funcs = patcher_funcs },
	{}
};

static struct klp_patch patcher_patch = {
	.mod	= THIS_MODULE,
	.objs	= patcher_objs,
};

static int __init patcher_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(patcher_table); i++) {
		if (strcmp(function, patcher_table[i].name))
			continue;
		patcher_objs[0].name = patcher_table[i].module;
		patcher_funcs[0].old_name = function;
		patcher_funcs[0].new_func = patcher_table[i].new_func;
		return klp_enable_patch(&patcher_patch);
	}
	return -EINVAL;
}

static void __exit patcher_exit(void)
{
}

module_init(patcher_init);
module_exit(patcher_exit);

MODULE_DESCRIPTION("Live-patches a kernel function, for the anyip6 selftests");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
