// SPDX-License-Identifier: GPL-2.0
/*
 * The socket paths: which kernel functions may ask for an Any-IP address, and
 * where they are while modules come and go.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "anyip6.h"

/* Every caller of a check that is not here gets the kernel's answer. */
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
		/* the compiler may inline it into ping_bind() */
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

/* How often we look for a path whose module comes and goes meanwhile. */
#define ANYIP6_TRIES 3

/*
 * Keeps a module from going while we find its path. The loading of modules
 * takes this mutex, so its holder must not load a module or wait for one.
 */
static DEFINE_MUTEX(anyip6_paths_mutex);

/*
 * The kernel does not export kallsyms_lookup_name(). Registering a disabled
 * kprobe finds the address and touches no code. With IBT that address lies
 * behind endbr, so we subtract its offset from the symbol.
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
	/* Another module may have taken the place while the probe waited. */
	if (path->module && strcmp(sym, path->caller))
		return -ESTALE;
	WRITE_ONCE(path->start, (unsigned long)kp.addr - off);
	/* pairs with the acquire in anyip6_is_in() */
	smp_store_release(&path->size, size);
	return 0;
}

/*
 * For paths that are not proven. A live patch moves the function elsewhere, and
 * there we do not know its calls as the path's. The trial waits for grace
 * periods, so we make it only on kernels that have ever seen a live patch. The
 * caller holds anyip6_paths_mutex.
 */
static void anyip6_say_if_held(const struct anyip6_path *path)
{
	if (test_taint(TAINT_LIVEPATCH) && anyip6_is_held(path->caller))
		pr_warn("%s may keep the kernel's answers: %s is held by a live patch or the like\n",
			path->module, path->caller);
}

/*
 * When a module goes, or another one takes its place, the address of its symbol
 * may no longer be text, or be in the middle of an instruction. The next try
 * finds that the symbol is gone, or where it is now.
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
	/* modprobe reads ENOENT as a missing symbol. */
	return err == -ENOENT ? -EOPNOTSUPP : err;
}

/**
 * anyip6_paths_take() - find the socket paths and prove them
 *
 * We must redirect the checks and follow modules already. This finds all paths
 * before it proves any, because an optional path may be part of a proven one.
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
 * COMING arrives before the module's init opens the path to programs, GOING
 * after its exit has closed it. We do not prove such a path: the other paths
 * prove its check, and a caller that we cannot find by name keeps the kernel's
 * answers.
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

	/* Its functions are elsewhere, so we know none of them as a path. */
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
 * anyip6_paths_unfollow() - stop following modules
 *
 * The checks must be back with the kernel: if a module goes after this, its
 * path stays in the table.
 *
 * Context: process; may sleep.
 */
void anyip6_paths_unfollow(void)
{
	unregister_module_notifier(&anyip6_module_nb);
}
