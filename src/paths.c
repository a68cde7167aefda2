// SPDX-License-Identifier: GPL-2.0
/*
 * The socket paths: which kernel functions they are, and where these are while
 * modules come and go.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "anyip6.h"

/* The socket paths. Every other caller of a check gets the kernel's answer. */
struct anyip6_path anyip6_paths[] = {
	{
		/* TCP, UDP, UDP-Lite, DCCP, MPTCP, kernel_bind(), bpf_bind() */
		.caller		= "__inet6_bind",
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
		.prove		= anyip6_prove_bind,
		.type		= SOCK_DGRAM,
		.protocol	= IPPROTO_UDP,
	}, {
		.caller		= "rawv6_bind",
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
		.prove		= anyip6_prove_bind,
		.type		= SOCK_RAW,
		.protocol	= IPPROTO_NONE,
	}, {
		.caller		= "ping_bind",
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
		.prove		= anyip6_prove_ping,
		.type		= SOCK_RAW,
		.protocol	= IPPROTO_NONE,
	}, {
		/* part of ping_bind() unless the compiler leaves it apart */
		.caller		= "ping_check_bind_addr",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* IPV6_PKTINFO and IPV6_2292PKTINFO of UDP, raw, ping, L2TP */
		.caller		= "ip6_datagram_send_ctl",
		.check		= &anyip6_checks[ANYIP6_CHK_ACAST],
		.prove		= anyip6_prove_pktinfo,
		.type		= SOCK_DGRAM,
		.protocol	= IPPROTO_UDP,
	}, {
		/* bind and sctp_bindx(), one-to-one and one-to-many */
		.caller		= "sctp_v6_available",
		.module		= "sctp",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		.caller		= "l2tp_ip6_bind",
		.module		= "l2tp_ip6",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	},
};

static_assert(ARRAY_SIZE(anyip6_paths) == ANYIP6_N_PATHS);

/* How often a path in a module is looked for that comes and goes meanwhile. */
#define ANYIP6_TRIES 3

/*
 * Against a module going while its path is being found. No module is loaded or
 * waited for under it: it is taken inside the loading of modules.
 */
static DEFINE_MUTEX(anyip6_paths_mutex);

/*
 * kallsyms_lookup_name() is not exported. A kprobe that is registered as
 * disabled finds the address and touches no code; with IBT it lies behind
 * endbr, so the symbol's own offset is taken off again.
 */
static int anyip6_resolve(struct anyip6_path *path)
{
	struct kprobe kp = {
		.symbol_name	= path->caller,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	char sym[KSYM_SYMBOL_LEN];
	unsigned long off, size;
	char *plus;
	int err;

	err = register_kprobe(&kp);
	if (err)
		return err;
	sprint_symbol(sym, (unsigned long)kp.addr);
	unregister_kprobe(&kp);

	plus = strchr(sym, '+');
	if (!plus || sscanf(plus, "+%lx/%lx", &off, &size) != 2)
		return -ENOENT;
	*plus = '\0';
	/* Its module may have made way for another while the probe waited. */
	if (path->module && strcmp(sym, path->caller))
		return -ESTALE;
	WRITE_ONCE(path->start, (unsigned long)kp.addr - off);
	/* pairs with the acquire in anyip6_is_in() */
	smp_store_release(&path->size, size);
	return 0;
}

/*
 * Paths that are not proven: a live patch has the function elsewhere, where its
 * calls are not known as the path's. The try waits for grace periods, so it is
 * for kernels that have ever seen a live patch. Under anyip6_paths_mutex.
 */
static void anyip6_say_if_held(const struct anyip6_path *path)
{
	if (test_taint(TAINT_LIVEPATCH) && anyip6_is_held(path->caller))
		pr_warn("%s may keep the kernel's answers: %s is held by a live patch or the like\n",
			path->module, path->caller);
}

/*
 * While a module goes, or makes way for another, the address that its symbol
 * just had may be no text, or in the middle of an instruction. Asked again, the
 * kernel says that there is no such symbol, or where it is now.
 */
static bool __init anyip6_is_stale(int err)
{
	return err == -EINVAL || err == -EILSEQ || err == -ESTALE;
}

static int __init anyip6_find_path(struct anyip6_path *path)
{
	int tries = path->module ? ANYIP6_TRIES : 1;
	int err;

	do {
		mutex_lock(&anyip6_paths_mutex);
		err = anyip6_resolve(path);
		if (!err && path->module)
			anyip6_say_if_held(path);
		mutex_unlock(&anyip6_paths_mutex);
	} while (anyip6_is_stale(err) && --tries);
	if (err == -ENOENT && path->optional)
		return 0;
	if (err)
		pr_err("not loaded: %s not found in this kernel (%d)\n",
		       path->caller, err);
	/* Of a module ENOENT says that it lacks a symbol. */
	return err == -ENOENT ? -EOPNOTSUPP : err;
}

/**
 * anyip6_paths_take() - find the socket paths and prove them
 *
 * The checks must be redirected and modules followed. All paths are found
 * first: what is optional may be part of what is proven.
 *
 * Context: process, module load; may sleep.
 * Return: 0 or an errno, with the reason logged.
 */
int __init anyip6_paths_take(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ANYIP6_N_PATHS; i++)
		err = anyip6_find_path(&anyip6_paths[i]);
	for (i = 0; !err && i < ANYIP6_N_PATHS; i++)
		if (anyip6_paths[i].prove)
			err = anyip6_prove(&anyip6_paths[i]);
	return err;
}

/*
 * COMING is before the module's init opens the path to programs, GOING after
 * its exit has closed it. Such a path is not proven: the check is, and a caller
 * that is not found by its name keeps the kernel's answers.
 */
static void anyip6_follow(struct anyip6_path *path, unsigned long event)
{
	int err = 0;

	mutex_lock(&anyip6_paths_mutex);
	if (event == MODULE_STATE_COMING)
		err = anyip6_resolve(path);
	else if (event == MODULE_STATE_GOING)
		WRITE_ONCE(path->size, 0);
	if (event == MODULE_STATE_COMING && !err)
		anyip6_say_if_held(path);
	mutex_unlock(&anyip6_paths_mutex);
	if (err)
		pr_err("%s keeps the kernel's answers: %s not found (%d)\n",
		       path->module, path->caller, err);
}

static int anyip6_module_event(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	struct module *mod = data;
	unsigned int i;

	/* Its functions are elsewhere, so nothing there is known as a path. */
	if (event == MODULE_STATE_COMING && is_livepatch_module(mod))
		pr_warn("live patch %s is here: socket paths that it replaces keep the kernel's answers\n",
			mod->name);

	for (i = 0; i < ANYIP6_N_PATHS; i++)
		if (anyip6_paths[i].module &&
		    !strcmp(anyip6_paths[i].module, mod->name))
			anyip6_follow(&anyip6_paths[i], event);
	return NOTIFY_DONE;
}

static struct notifier_block anyip6_module_nb = {
	.notifier_call = anyip6_module_event,
};

/**
 * anyip6_paths_follow() - follow the modules that have socket paths
 *
 * Context: process; may sleep.
 * Return: 0 or an errno, with the reason logged.
 */
int __init anyip6_paths_follow(void)
{
	int err = register_module_notifier(&anyip6_module_nb);

	if (err)
		pr_err("not loaded: modules cannot be followed (%d)\n", err);
	return err;
}

/**
 * anyip6_paths_unfollow() - follow modules no longer
 *
 * Context: process; may sleep. No check may be redirected any more: a path
 * whose module goes from here on stays in the table.
 */
void anyip6_paths_unfollow(void)
{
	unregister_module_notifier(&anyip6_module_nb);
}
