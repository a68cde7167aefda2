// SPDX-License-Identifier: GPL-2.0
/*
 * Each netns has its own toggle, net.ipv6.anyip_bind, and its own counters,
 * /proc/net/anyip6. With the module parameter ndisc it also has
 * net.ipv6.anyip_ndisc.
 */

#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file_net.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "anyip6.h"
#include "compat.h"

/* Of sockets each step has a counter, of others yes and no. */
#define ANYIP6_YES(asker)	(ANYIP6_N_STEPS + 2 * ((asker) - 1))
#define ANYIP6_N_COUNTERS	ANYIP6_YES(ANYIP6_N_ASKERS)

struct anyip6_counts {
	unsigned long decided[ANYIP6_N_COUNTERS];
};

struct anyip6_net {
	int enabled;
	int ndisc;
	bool counting;			/* from init to pre_exit */
	struct anyip6_counts __percpu *counts;
	struct ctl_table table[3];	/* an empty entry ends it before 6.11 */
	struct ctl_table_header *header;
};

static unsigned int anyip6_net_id __read_mostly;
static bool anyip6_default_on __read_mostly;
static bool anyip6_has_ndisc __read_mostly;

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
 * anyip6_ndisc_enabled() - read the sysctl for neighbour solicitations
 * @net: netns in any state, as for anyip6_enabled()
 *
 * Context: any.
 * Return: net.ipv6.anyip_ndisc of @net.
 */
bool anyip6_ndisc_enabled(const struct net *net)
{
	const struct anyip6_net *an = net_generic(net, anyip6_net_id);

	return an && READ_ONCE(an->ndisc);
}

static unsigned int anyip6_counter(enum anyip6_asker asker,
				   enum anyip6_step step)
{
	if (asker == ANYIP6_ASKER_SOCKET)
		return step;
	return ANYIP6_YES(asker) + (step != ANYIP6_ALLOWED);
}

/**
 * anyip6_count() - count the step that decided
 * @net:   netns in any state, as for anyip6_enabled()
 * @asker: who asked
 * @step:  the step
 *
 * Writes to memory of this CPU alone.
 *
 * Context: any; under rcu_read_lock(), which keeps the counts.
 */
void anyip6_count(const struct net *net, enum anyip6_asker asker,
		  enum anyip6_step step)
{
	const struct anyip6_net *an = net_generic(net, anyip6_net_id);

	/* pairs with the release in anyip6_net_init() */
	if (an && smp_load_acquire(&an->counting))
		this_cpu_inc(an->counts->decided[anyip6_counter(asker, step)]);
}

#define ANYIP6_COUNTER(step, counter, ...)				\
	[ANYIP6_##step] = counter,
#define ANYIP6_COUNTER_PAIR(asker, yes, no)				\
	[ANYIP6_YES(ANYIP6_ASKER_##asker)] = yes,			\
	[ANYIP6_YES(ANYIP6_ASKER_##asker) + 1] = no,

static const char *const anyip6_count_names[ANYIP6_N_COUNTERS] = {
	ANYIP6_STEPS(ANYIP6_COUNTER, ANYIP6_COUNTER)
	ANYIP6_REPLIES(ANYIP6_COUNTER_PAIR)
};

/* The file exists as long as the counts. */
static int anyip6_counts_show(struct seq_file *seq, void *v)
{
	const struct anyip6_net *an = net_generic(seq_file_single_net(seq),
						  anyip6_net_id);
	unsigned long sum;
	int i, cpu;

	for (i = 0; i < ANYIP6_N_COUNTERS; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(an->counts, cpu)->decided[i]);
		seq_printf(seq, "%-32s\t%lu\n", anyip6_count_names[i], sum);
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
	int *value = ctl->data;
	int val = READ_ONCE(*value);
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
	WRITE_ONCE(*value, val);
	return 0;
}

static struct ctl_table __net_init anyip6_toggle(const char *name, int *value)
{
	return (struct ctl_table) {
		.procname	= name,
		.data		= value,
		.maxlen		= sizeof(*value),
		.mode		= 0644,
		.proc_handler	= anyip6_toggle_handler,
	};
}

static int __net_init anyip6_toggle_init(struct net *net, struct anyip6_net *an)
{
	an->enabled = anyip6_default_on;
	an->table[0] = anyip6_toggle("anyip_bind", &an->enabled);
	if (anyip6_has_ndisc)
		an->table[1] = anyip6_toggle("anyip_ndisc", &an->ndisc);
	an->header = anyip6_register_sysctl(net, "net/ipv6", an->table,
					    1 + anyip6_has_ndisc);
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
 * @ndisc: give them the sysctl for neighbour solicitations, at 0
 *
 * Context: process; may sleep.
 * Return: 0 or an errno, with nothing left behind.
 */
int anyip6_netns_init(bool default_on, bool ndisc)
{
	anyip6_default_on = default_on;
	anyip6_has_ndisc = ndisc;
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
