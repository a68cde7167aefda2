// SPDX-License-Identifier: GPL-2.0
/* What each netns has of its own: the toggle net.ipv6.anyip_bind. */

#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "anyip6.h"
#include "compat.h"

struct anyip6_net {
	int enabled;
	struct ctl_table table[2];	/* the second, empty, ends it before 6.11 */
	struct ctl_table_header *header;
};

static unsigned int anyip6_net_id __read_mostly;
static bool anyip6_default_on __read_mostly;

/**
 * anyip6_enabled() - read the toggle
 * @net: netns in any state: before our part of its setup there is no data, and
 *	 that is freed after the last exit call
 *
 * Context: any.
 * Return: net.ipv6.anyip_bind of @net.
 */
bool anyip6_enabled(const struct net *net)
{
	const struct anyip6_net *an = net_generic(net, anyip6_net_id);

	return an && READ_ONCE(an->enabled);
}

/*
 * proc_dointvec_minmax() takes "1 2" for a 1 and stores before it has read to
 * the end; here either all that was written is a 0 or a 1, or nothing changes.
 */
static int anyip6_toggle_handler(anyip6_ctl ctl, int write, void *buffer,
				 size_t *lenp, loff_t *ppos)
{
	int *enabled = ctl->data;
	int val = READ_ONCE(*enabled);
	const struct ctl_table one = {
		.data	= &val,
		.maxlen	= sizeof(val),
		.mode	= ctl->mode,
		.extra1	= SYSCTL_ZERO,
		.extra2	= SYSCTL_ONE,
	};
	size_t len = *lenp;
	int err;

	/* What follows a first write, "1" of "12" say, is not a value either. */
	if (write && *ppos)
		return -EINVAL;
	err = proc_dointvec_minmax((anyip6_ctl)&one, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (*lenp != len)
		return -EINVAL;
	WRITE_ONCE(*enabled, val);
	return 0;
}

static int __net_init anyip6_net_init(struct net *net)
{
	struct anyip6_net *an = net_generic(net, anyip6_net_id);

	an->enabled = anyip6_default_on;
	an->table[0] = (struct ctl_table) {
		.procname	= "anyip_bind",
		.data		= &an->enabled,
		.maxlen		= sizeof(an->enabled),
		.mode		= 0644,
		.proc_handler	= anyip6_toggle_handler,
	};
	an->header = anyip6_register_sysctl(net, "net/ipv6", an->table);
	return an->header ? 0 : -ENOMEM;
}

static void __net_exit anyip6_net_exit(struct net *net)
{
	struct anyip6_net *an = net_generic(net, anyip6_net_id);

	unregister_net_sysctl_table(an->header);
}

static struct pernet_operations anyip6_net_ops = {
	.init	= anyip6_net_init,
	.exit	= anyip6_net_exit,
	.id	= &anyip6_net_id,
	.size	= sizeof(struct anyip6_net),
};

/**
 * anyip6_netns_init() - give every netns, now and to come, its toggle
 * @default_on: what the toggle starts at
 *
 * Context: process; may sleep.
 * Return: 0 or an errno, with nothing left behind.
 */
int anyip6_netns_init(bool default_on)
{
	anyip6_default_on = default_on;
	return register_pernet_subsys(&anyip6_net_ops);
}

/**
 * anyip6_netns_exit() - take the toggles away
 *
 * Context: process; may sleep. No call of anyip6_enabled() may be under way.
 */
void anyip6_netns_exit(void)
{
	unregister_pernet_subsys(&anyip6_net_ops);
}
