// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks a function the way other users do. The tests check that anyip6 and this
 * module notice each other. It changes nothing.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <net/net_namespace.h>

#include "probe.h"

static char *function = "ipv6_chk_addr";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "what to hold");

static char *flavour = "ipmodify";
module_param(flavour, charp, 0444);
MODULE_PARM_DESC(flavour, "ipmodify (as a live patch does), kprobe (with a post handler), trace (a plain one); not a function: netns (each new one fails, after anyip6 made its part)");

#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
#define HOLDER_REGS	0
#else
#define HOLDER_REGS	FTRACE_OPS_FL_SAVE_REGS
#endif

/*
 * Since 5.11 the callback's last argument has another type. This callback
 * ignores it.
 */
#ifdef trace_recursion_set
#define holder_regs	ftrace_regs
#else
#define holder_regs	pt_regs
#endif

static void notrace holder_trace(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct holder_regs *regs)
{
}

static struct ftrace_ops holder_ops = {
	.func	= holder_trace,
	.flags	= HOLDER_REGS,
};

static int holder_pre(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

/* A kprobe with a post handler does not share its function. */
static void holder_post(struct kprobe *p, struct pt_regs *regs,
			unsigned long flags)
{
}

static struct kprobe holder_kprobe = {
	.pre_handler	= holder_pre,
};

static bool holder_is(const char *name)
{
	return !strcmp(flavour, name);
}

static bool holder_refuses;

static int holder_net_init(struct net *net)
{
	return holder_refuses ? -ENOMEM : 0;
}

static struct pernet_operations holder_net_ops = {
	.init	= holder_net_init,
};

static int __init holder_hold_netns(void)
{
	int err = register_pernet_subsys(&holder_net_ops);

	holder_refuses = true;
	return err;
}

/* This module has to free the filter. */
static void holder_forget(void)
{
	ftrace_set_filter(&holder_ops, NULL, 0, 1);
}

static int __init holder_hold_ftrace(void)
{
	int err;

	if (holder_is("ipmodify"))
		holder_ops.flags |= FTRACE_OPS_FL_IPMODIFY;
	err = ftrace_set_filter(&holder_ops, (unsigned char *)function,
				strlen(function), 1);
	if (!err)
		err = register_ftrace_function(&holder_ops);
	if (err)
		holder_forget();
	return err;
}

static int __init holder_init(void)
{
	if (holder_is("ipmodify") || holder_is("trace"))
		return holder_hold_ftrace();
	if (holder_is("netns"))
		return holder_hold_netns();
	if (!holder_is("kprobe"))
		return -EINVAL;
	holder_kprobe.symbol_name = function;
	holder_kprobe.post_handler = holder_post;
	return probe_start(&holder_kprobe);
}

static void __exit holder_exit(void)
{
	if (holder_is("kprobe")) {
		unregister_kprobe(&holder_kprobe);
	} else if (holder_is("netns")) {
		unregister_pernet_subsys(&holder_net_ops);
	} else {
		unregister_ftrace_function(&holder_ops);
		holder_forget();
	}
}

module_init(holder_init);
module_exit(holder_exit);

MODULE_DESCRIPTION("Holds a kernel function, for the anyip6 selftests");
MODULE_LICENSE("GPL");
