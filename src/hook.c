// SPDX-License-Identifier: GPL-2.0
/*
 * The redirect: when a known path calls a check, our function runs
 * instead. All other calls run the kernel's check as if we were not here.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <net/addrconf.h>

#include "anyip6.h"
#include "compat.h"

static void anyip6_on_chk_addr(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops,
			       struct anyip6_fregs *fregs);
static void anyip6_on_chk_acast(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct anyip6_fregs *fregs);
static void anyip6_on_chk_group(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct anyip6_fregs *fregs);

/*
 * PERMANENT: the kernel refuses kernel.ftrace_enabled=0 while we hold the
 * function, instead of disarming us. IPMODIFY: only one user of a function may
 * redirect it.
 */
#define ANYIP6_CHECK(function, callback, lacks, only_ndisc) {		\
	.name = function,						\
	.what = lacks,							\
	.ndisc = only_ndisc,						\
	.ops = {							\
		.func	= callback,					\
		.flags	= FTRACE_OPS_FL_IPMODIFY |			\
			  FTRACE_OPS_FL_PERMANENT |			\
			  ANYIP6_FTRACE_REGS | ANYIP6_FTRACE_NO_GUARD,	\
	},								\
	.told = RATELIMIT_STATE_INIT(told, 3600 * HZ, 1),		\
}

struct anyip6_check anyip6_checks[ANYIP6_N_CHECKS] = {
	[ANYIP6_CHK_ADDR] = ANYIP6_CHECK("ipv6_chk_addr", anyip6_on_chk_addr,
					 NULL, false),
	/*
	 * The kernel asks this one last about a PKTINFO source or about that of
	 * an ICMPv6 error, when the check for configured addresses has said no.
	 * So a configured address costs nothing more.
	 */
	[ANYIP6_CHK_ACAST] = ANYIP6_CHECK("ipv6_chk_acast_addr_src",
					  anyip6_on_chk_acast,
					  "IPV6_PKTINFO and ICMPv6 errors", false),
	[ANYIP6_CHK_GROUP] = ANYIP6_CHECK("ipv6_chk_mcast_addr",
					  anyip6_on_chk_group,
					  "neighbour solicitations", true),
	[ANYIP6_CHK_TARGET] = ANYIP6_CHECK("ipv6_chk_acast_addr",
					   anyip6_on_chk_acast,
					   "neighbour solicitations", true),
};

/*
 * Runs in place of ipv6_chk_addr(), whose body is the first call here.
 *
 * It never sleeps and takes no lock that sleeps on PREEMPT_RT. So no task is in
 * here after the grace periods inside unregister_ftrace_function().
 */
static noinline notrace int anyip6_chk_addr(struct net *net,
					    const struct in6_addr *addr,
					    const struct net_device *dev, int strict)
{
	int yes;

	static_assert(__same_type(&anyip6_chk_addr, &ipv6_chk_addr));

	/*
	 * This puts them on the stack. Registers that survive a call would have
	 * to be saved first, which makes a configured address cost more.
	 */
	asm volatile("" : : "m" (net), "m" (addr), "m" (dev));
	yes = ipv6_chk_addr_and_flags(net, addr, dev, !dev, strict,
				      IFA_F_TENTATIVE);
	if (likely(yes))
		return yes;
	return anyip6_is_local(net, addr, dev, _RET_IP_, ANYIP6_ASKER_SOCKET);
}

/*
 * Runs in place of ipv6_chk_acast_addr_src() and ipv6_chk_acast_addr() when the
 * answer is yes.
 */
static noinline bool anyip6_chk_acast(struct net *net, struct net_device *dev,
				      const struct in6_addr *addr)
{
	static_assert(__same_type(&anyip6_chk_acast, &ipv6_chk_acast_addr_src));
	static_assert(__same_type(&anyip6_chk_acast, &ipv6_chk_acast_addr));

	return true;
}

/* Runs in place of ipv6_chk_mcast_addr() when the answer is yes. */
static noinline bool anyip6_chk_group(struct net_device *dev,
				      const struct in6_addr *group,
				      const struct in6_addr *src_addr)
{
	static_assert(__same_type(&anyip6_chk_group, &ipv6_chk_mcast_addr));

	return true;
}

/*
 * An absent caller has size 0. Whoever sees a size sees the start that belongs
 * to it, or a newer one.
 */
static __always_inline bool anyip6_is_in(const struct anyip6_path *path,
					 unsigned long ip)
{
	/* pairs with the release in anyip6_resolve() */
	unsigned long size = smp_load_acquire(&path->size);

	/*
	 * An aligned long, read once. READ_ONCE() would make gcc spend another
	 * instruction on it.
	 */
	return ip - data_race(path->start) < size;
}

/*
 * This and anyip6_path_at() share no loop: one that returns the path costs each
 * call two more instructions. The first path is that of bind(): `likely` lays it
 * out so that a bind takes no jump.
 */
static __always_inline bool anyip6_from_path(const struct anyip6_check *check,
					     unsigned long parent_ip)
{
	const struct anyip6_path *path;

	for (path = anyip6_paths; path < anyip6_paths + ANYIP6_N_PATHS;
	     path++)
		if (likely(anyip6_is_in(path, parent_ip)))
			return path->check == check;
	return false;
}

/**
 * anyip6_path_at() - which of the paths an address is in
 * @ip: return address
 *
 * Context: any.
 * Return: the path, or NULL: @ip is in none of them, or a tracer that follows
 * functions to their end has replaced the return address.
 */
const struct anyip6_path *anyip6_path_at(unsigned long ip)
{
	const struct anyip6_path *path;

	for (path = anyip6_paths; path < anyip6_paths + ANYIP6_N_PATHS;
	     path++)
		if (anyip6_is_in(path, ip))
			return path;
	return NULL;
}

/* The address that kretprobes make functions return to. 0 if we cannot see it. */
static unsigned long anyip6_trampoline __ro_after_init;

/* At most once an hour, because any program can make us come here often. */
static __always_inline void anyip6_say_hidden(struct anyip6_check *check,
					      unsigned long parent_ip)
{
	if (!ANYIP6_KRETPROBE_HIDES || likely(parent_ip != anyip6_trampoline))
		return;
	if (__ratelimit(&check->told))
		pr_warn("a kretprobe hides who calls %s: Any-IP addresses are refused while it is there\n",
			check->name);
}

static void notrace anyip6_on_chk_addr(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops,
				       struct anyip6_fregs *fregs)
{
	struct anyip6_check *check = &anyip6_checks[ANYIP6_CHK_ADDR];

	if (anyip6_from_path(check, parent_ip))
		anyip6_set_ip(fregs, (unsigned long)anyip6_chk_addr);
	else
		anyip6_say_hidden(check, parent_ip);
}

static bool anyip6_path_says(const struct anyip6_path *path, struct net *net,
			     const struct net_device *dev,
			     const struct in6_addr *addr, unsigned long caller)
{
	if (path->asker == ANYIP6_ASKER_NDISC &&
	    !anyip6_ndisc_asks(net, dev, addr))
		return false;
	return anyip6_is_local(net, addr, dev, caller, path->asker);
}

/*
 * Serves ipv6_chk_acast_addr_src() and ipv6_chk_acast_addr(). The kernel does
 * not export them, so we cannot call them for their own answer. We ask the rule
 * here and redirect only a yes. After a no the kernel's function runs. The caller
 * keeps the device.
 */
static void notrace anyip6_on_chk_acast(unsigned long ip,
					unsigned long parent_ip,
					struct ftrace_ops *ops,
					struct anyip6_fregs *fregs)
{
	struct anyip6_check *check = container_of(ops, struct anyip6_check, ops);
	const struct anyip6_path *path = anyip6_path_at(parent_ip);

	if (!path || path->check != check)
		anyip6_say_hidden(check, parent_ip);
	else if (anyip6_path_says(path, (struct net *)anyip6_arg(fregs, 0),
				  (const struct net_device *)anyip6_arg(fregs, 1),
				  (const struct in6_addr *)anyip6_arg(fregs, 2),
				  parent_ip))
		anyip6_set_ip(fregs, (unsigned long)anyip6_chk_acast);
}

/* Receives a packet to a group, under rcu_read_lock(). */
static void notrace anyip6_on_chk_group(unsigned long ip,
					unsigned long parent_ip,
					struct ftrace_ops *ops,
					struct anyip6_fregs *fregs)
{
	struct anyip6_check *check = &anyip6_checks[ANYIP6_CHK_GROUP];

	if (!anyip6_from_path(check, parent_ip))
		anyip6_say_hidden(check, parent_ip);
	else if (anyip6_ndisc_hears((const struct net_device *)anyip6_arg(fregs, 0),
				    (const struct in6_addr *)anyip6_arg(fregs, 1)))
		anyip6_set_ip(fregs, (unsigned long)anyip6_chk_group);
}

/*
 * The kernel lets nobody probe the trampoline: register_kprobe() finds its
 * address, then refuses.
 */
static void __init anyip6_find_trampoline(void)
{
	static const char * const names[] = { ANYIP6_KRETPROBE_TRAMPOLINES };
	unsigned int i;

	for (i = 0; !anyip6_trampoline && i < ARRAY_SIZE(names); i++) {
		struct kprobe kp = {
			.symbol_name	= names[i],
			.flags		= KPROBE_FLAG_DISABLED,
		};

		if (!register_kprobe(&kp))
			unregister_kprobe(&kp);
		anyip6_trampoline = (unsigned long)kp.addr;
	}
}

static int anyip6_register(const char *function, struct ftrace_ops *ops)
{
	int err;

	err = ftrace_set_filter(ops, (unsigned char *)function, strlen(function), 1);
	if (err)
		return err;
	err = register_ftrace_function(ops);
	if (err)
		ftrace_set_filter(ops, NULL, 0, 1);
	return err;
}

/*
 * The filter goes last, because an empty filter on registered ops traces every
 * function.
 *
 * unregister_ftrace_function() waits for a grace period. It covers tasks in the
 * callback and in the function that it redirects to, preempted or not. It fails
 * only if ftrace has shut itself down after a bug and left our calls where they
 * are. Then this module's text must stay.
 */
static void anyip6_unregister(struct ftrace_ops *ops)
{
	while (unregister_ftrace_function(ops)) {
		pr_err_once("cannot be unloaded: ftrace has shut itself down\n");
		ssleep(60);
	}
	ftrace_set_filter(ops, NULL, 0, 1);
}

static void notrace anyip6_nothing(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct anyip6_fregs *fregs)
{
}

/* Takes the function and gives it back at once. */
static bool anyip6_is_busy(const char *function, struct ftrace_ops *trial)
{
	int err = anyip6_register(function, trial);

	if (!err)
		anyip6_unregister(trial);
	return err == -EBUSY;
}

/*
 * ftrace returns EBUSY both when it is off and when somebody holds the function.
 * Ops that are permanent but redirect nothing get EBUSY only if it is off.
 */
static bool anyip6_ftrace_is_off(const char *function)
{
	static struct ftrace_ops trial = {
		.func	= anyip6_nothing,
		.flags	= FTRACE_OPS_FL_PERMANENT | ANYIP6_FTRACE_NO_GUARD,
	};

	return anyip6_is_busy(function, &trial);
}

/**
 * anyip6_is_held() - whether somebody else redirects a function
 * @function: name of the function
 *
 * Context: process; sleeps for grace periods. One call at a time.
 * Return: true if a live patch or the like redirects it.
 */
bool anyip6_is_held(const char *function)
{
	static struct ftrace_ops trial = {
		.func	= anyip6_nothing,
		.flags	= FTRACE_OPS_FL_IPMODIFY | ANYIP6_FTRACE_REGS |
			  ANYIP6_FTRACE_NO_GUARD,
	};

	return anyip6_is_busy(function, &trial);
}

/* ftrace can be off only at the first check. We keep it on from there. */
static int anyip6_arm(struct anyip6_check *check)
{
	int err = anyip6_register(check->name, &check->ops);

	WRITE_ONCE(check->armed, !err);
	if (err == -EBUSY && !check->what && anyip6_ftrace_is_off(check->name))
		return anyip6_lack(NULL, err,
				   "ftrace is off; set kernel.ftrace_enabled=1 and load again");
	if (err == -EBUSY)
		return anyip6_lack(check->what, err,
				   "%s is held by a live patch, a kprobe with a post handler or the like",
				   check->name);
	if (err)
		return anyip6_lack(check->what, err,
				   "ftrace cannot redirect %s in this kernel (%d)",
				   check->name, err);
	return 0;
}

/**
 * anyip6_arm_wanted() - redirect the checks that this load wants and does not have
 *
 * Context: process; sleeps for grace periods. One call at a time.
 * Return: 0, or the errno that ends the load, with the reason logged.
 */
int anyip6_arm_wanted(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(anyip6_checks); i++)
		if (anyip6_checks[i].wanted && !anyip6_checks[i].armed)
			err = anyip6_arm(&anyip6_checks[i]);
	return err;
}

static void anyip6_disarm_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(anyip6_checks); i++) {
		if (anyip6_checks[i].armed)
			anyip6_unregister(&anyip6_checks[i].ops);
		WRITE_ONCE(anyip6_checks[i].armed, false);
	}
}

/**
 * anyip6_hook_init() - redirect the checks, find the paths and prove them
 * @ndisc: redirect the checks of received neighbour solicitations too
 *
 * The netns data must exist: we answer calls before this returns.
 *
 * Context: process, module load; may sleep.
 * Return: 0 or an errno, with the reason logged and nothing left behind.
 */
int __init anyip6_hook_init(bool ndisc)
{
	unsigned int i;
	int err;

	if (ANYIP6_KRETPROBE_HIDES)
		anyip6_find_trampoline();
	for (i = 0; i < ARRAY_SIZE(anyip6_checks); i++)
		anyip6_checks[i].wanted = ndisc || !anyip6_checks[i].ndisc;
	err = anyip6_arm_wanted();
	if (err)
		goto err_disarm;

	/* Before the search, so that no module slips in between. */
	err = anyip6_paths_follow();
	if (err)
		goto err_disarm;

	err = anyip6_paths_take();
	if (!err)
		return 0;

	anyip6_hook_exit();
	return err;

err_disarm:
	anyip6_disarm_all();
	return err;
}

/**
 * anyip6_hook_exit() - give every check back to the kernel
 *
 * Context: process; sleeps for tasks-RCU grace periods. On return no task runs
 * in this module's part of a check, and none will.
 */
void anyip6_hook_exit(void)
{
	/* A live patch that goes must not bring a check back. */
	anyip6_paths_close();
	anyip6_disarm_all();
	/* Last: until here a module that goes must take its path along. */
	anyip6_paths_unfollow();
}
