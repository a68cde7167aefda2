// SPDX-License-Identifier: GPL-2.0
/*
 * Each netns has its own toggle, net.ipv6.anyip_bind, and its own counters of
 * which step of the rule decided, /proc/net/anyip6.
 */

#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file_net.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "anyip6.h"
#include "compat.h"

struct anyip6_counts {
	unsigned long decided[ANYIP6_N_STEPS];
};

struct anyip6_net {
	int enabled;
	bool counting;			/* from init to pre_exit */
	struct anyip6_counts __percpu *counts;
	struct ctl_table table[2];	/* an empty entry ends it before 6.11 */
	struct ctl_table_header *header;
};

static unsigned int anyip6_net_id __read_mostly;
static bool anyip6_default_on __read_mostly;

/**
 * anyip6_enabled() - read the toggle
 * @net: netns in any state. It has no data before our part of its setup, and
 *	 keeps the data until the last exit call is over
 *
 * Context: any.
 * Return: net.ipv6.anyip_bind of @net.
 */
bool anyip6_enabled(const struct net *net)
{
	const struct anyip6_net *an = net_generic(net, anyip6_net_id);

	return an && READ_ONCE(an->enabled);
}

/**
 * anyip6_count() - count the step that decided
 * @net:  netns in any state, as for anyip6_enabled()
 * @step: the step
 *
 * Writes to memory of this CPU alone.
 *
 * Context: any; under rcu_read_lock(), which keeps the counts.
 */
void anyip6_count(const struct net *net, enum anyip6_step step)
{
	const struct anyip6_net *an = net_generic(net, anyip6_net_id);

	/* pairs with the release in anyip6_net_init() */
	if (an && smp_load_acquire(&an->counting))
		this_cpu_inc(an->counts->decided[step]);
}

#define ANYIP6_COUNTER(step, counter, ...)				\
	[ANYIP6_##step] = counter,

static const char *const anyip6_count_names[ANYIP6_N_STEPS] = {
	ANYIP6_STEPS(ANYIP6_COUNTER, ANYIP6_COUNTER)
};

/* The file exists as long as the counts. */
static int anyip6_counts_show(struct seq_file *seq, void *v)
{
	const struct anyip6_net *an = net_generic(seq_file_single_net(seq),
						  anyip6_net_id);
	unsigned long sum;
	int step, cpu;

	for (step = 0; step < ANYIP6_N_STEPS; step++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(an->counts, cpu)->decided[step]);
		seq_printf(seq, "%-32s\t%lu\n", anyip6_count_names[step], sum);
	}
	return 0;
}

/*
 * proc_dointvec_minmax() takes "1 2" for a 1, and stores before it has read to
 * the end. Here the whole text must be 0 or 1, or nothing changes.
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

	/* A second write, such as the "2" of "12", is not a value either. */
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

static int __net_init anyip6_toggle_init(struct net *net, struct anyip6_net *an)
{
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

static int __net_init anyip6_net_init(struct net *net)
{
	struct anyip6_net *an = net_generic(net, anyip6_net_id);

	an->counts = alloc_percpu(struct anyip6_counts);
	if (!an->counts)
		return -ENOMEM;
	if (!proc_create_net_single("anyip6", 0444, net->proc_net,
				    anyip6_counts_show, NULL))
		goto err_counts;
	if (anyip6_toggle_init(net, an))
		goto err_proc;
	/* pairs with the acquire in anyip6_count() */
	smp_store_release(&an->counting, true);
	return 0;

err_proc:
	remove_proc_entry("anyip6", net->proc_net);
err_counts:
	free_percpu(an->counts);
	return -ENOMEM;
}

/* A grace period follows, so nobody counts any more at exit. */
static void __net_exit anyip6_net_pre_exit(struct net *net)
{
	struct anyip6_net *an = net_generic(net, anyip6_net_id);

	WRITE_ONCE(an->counting, false);
}

static void __net_exit anyip6_net_exit(struct net *net)
{
	struct anyip6_net *an = net_generic(net, anyip6_net_id);

	unregister_net_sysctl_table(an->header);
	remove_proc_entry("anyip6", net->proc_net);
	free_percpu(an->counts);
}

static struct pernet_operations anyip6_net_ops = {
	.init		= anyip6_net_init,
	.pre_exit	= anyip6_net_pre_exit,
	.exit		= anyip6_net_exit,
	.id		= &anyip6_net_id,
	.size		= sizeof(struct anyip6_net),
};

/**
 * anyip6_netns_init() - give each present and future netns its toggle and counts
 * @default_on: start value of the toggle
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
 * anyip6_netns_exit() - take the toggles and counts away
 *
 * Context: process; may sleep. No call of anyip6_enabled() may be under way.
 */
void anyip6_netns_exit(void)
{
	unregister_pernet_subsys(&anyip6_net_ops);
}
