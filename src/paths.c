// SPDX-License-Identifier: GPL-2.0
/*
 * The paths: which kernel functions may ask for an Any-IP address, and where
 * they are while modules come and go.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "anyip6.h"
#include "compat.h"

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
		.what		= "raw sockets",
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
		.prove		= anyip6_prove_bind,
		.type		= SOCK_RAW,
		.protocol	= IPPROTO_NONE,
	}, {
		.caller		= "ping_bind",
		.what		= "ping sockets",
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
		.prove		= anyip6_prove_ping,
		.type		= SOCK_RAW,
		.protocol	= IPPROTO_NONE,
	}, {
		/* the compiler may inline it into ping_bind() */
		.caller		= "ping_check_bind_addr",
		.what		= "ping sockets",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* IPV6_PKTINFO and IPV6_2292PKTINFO of UDP, raw, ping, L2TP */
		.caller		= "ip6_datagram_send_ctl",
		.what		= "IPV6_PKTINFO",
		.check		= &anyip6_checks[ANYIP6_CHK_ACAST],
		.prove		= anyip6_prove_pktinfo,
		.type		= SOCK_DGRAM,
		.protocol	= IPPROTO_UDP,
	}, {
		/* bind and sctp_bindx(), one-to-one and one-to-many */
		.caller		= "sctp_v6_available",
		.what		= "SCTP sockets",
		.module		= "sctp",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		.caller		= "l2tp_ip6_bind",
		.what		= "L2TP sockets",
		.module		= "l2tp_ip6",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* the source of an ICMPv6 error, after a no for configured ones */
		.caller		= "icmp6_send",
		.what		= "ICMPv6 errors",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ACAST],
		.asker		= ANYIP6_ASKER_ERROR,
		.prove		= anyip6_prove_error,
	}, {
		/*
		 * "ip -6 route ... src". A gateway is asked for elsewhere, with
		 * another check. The proof would need a route of the host.
		 */
		.caller		= "ip6_route_info_create",
		.what		= "src of routes",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* its part that asks, on newer kernels */
		.caller		= "ip6_route_info_create_nh",
		.what		= "src of routes",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* a configured source of routes goes; older kernels do not ask */
		.caller		= "fib6_remove_prefsrc",
		.what		= "src of routes",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* the address that a peer asked, before each new route to it */
		.caller		= "send6",
		.what		= "WireGuard",
		.module		= "wireguard",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* the same in OpenVPN's data channel */
		.caller		= "ovpn_udp6_output",
		.what		= "OpenVPN",
		.module		= "ovpn",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_ADDR],
	}, {
		/* whether a packet to a group is for this host */
		.caller		= "ip6_mc_input",
		.what		= "neighbour solicitations",
		.check		= &anyip6_checks[ANYIP6_CHK_GROUP],
	}, {
		/* the same, with the source of the packet */
		.caller		= "ip6_protocol_deliver_rcu",
		.what		= "neighbour solicitations",
		.check		= &anyip6_checks[ANYIP6_CHK_GROUP],
	}, {
		/* whether a neighbour solicitation is for this host */
		.caller		= "ndisc_recv_ns",
		.what		= "neighbour solicitations",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_TARGET],
		.asker		= ANYIP6_ASKER_NDISC,
	}, {
		/* the compiler may inline ndisc_recv_ns() into it */
		.caller		= "ndisc_rcv",
		.what		= "neighbour solicitations",
		.check		= &anyip6_checks[ANYIP6_CHK_TARGET],
		.asker		= ANYIP6_ASKER_NDISC,
	}, {
		/* the same; it asks again after the delay of an answer */
		.caller		= "pndisc_redo",
		.what		= "neighbour solicitations",
		.optional	= true,
		.check		= &anyip6_checks[ANYIP6_CHK_TARGET],
		.asker		= ANYIP6_ASKER_NDISC,
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

/* From the end of the load to the start of the unload. Under the mutex. */
static bool anyip6_running;

/**
 * anyip6_lack() - log what we leave to the kernel, and why
 * @what: who keeps the kernel's answers, or NULL if the module needs it
 * @err:  why. After ENOMEM and EAGAIN the next load may succeed, so this one ends
 * @fmt:  the reason
 *
 * Context: process; at load, or with @what.
 * Return: 0 if the module does without it, else @err.
 */
int anyip6_lack(const char *what, int err, const char *fmt, ...)
{
	const bool passes = err == -ENOMEM || err == -EAGAIN;
	const bool fails = !what || (passes && !anyip6_running);
	struct va_format reason = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	reason.va = &args;
	if (fails)
		pr_err("not loaded: %pV\n", &reason);
	else
		pr_warn("no Any-IP for %s: %pV\n", what, &reason);
	va_end(args);
	return fails ? err : 0;
}

/**
 * anyip6_leave() - leave a path to the kernel
 * @path: no call from it is answered any more
 *
 * Context: any; one caller for each path at a time.
 */
void anyip6_leave(struct anyip6_path *path)
{
	WRITE_ONCE(path->size, 0);
	WRITE_ONCE(path->unproven, true);
}

/*
 * The kernel does not export kallsyms_lookup_name(). Registering a disabled
 * kprobe finds the address and touches no code. Stores in @sym what the kernel
 * calls that address: "function+0x4/0x123 [module]". The kernel may refuse the
 * probe when it has found the address already: see compat.h.
 */
static int anyip6_probe(const char *name, unsigned long *addr, char *sym)
{
	struct kprobe kp = {
		.symbol_name	= name,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	int err;

	err = register_kprobe(&kp);
	if (err && !(ANYIP6_PROBE_REFUSED(err) && kp.addr))
		return err;
	*addr = (unsigned long)kp.addr;
	sprint_symbol(sym, *addr);
	if (!err)
		unregister_kprobe(&kp);
	return 0;
}

/* Looks in the path's module, and in the kernel that may have it built in. */
static int anyip6_locate(const struct anyip6_path *path, unsigned long *addr,
			 char *sym)
{
	char name[MODULE_NAME_LEN + KSYM_NAME_LEN];
	int err = -ENOENT;

	if (path->module) {
		snprintf(name, sizeof(name), "%s:%s", path->module, path->caller);
		err = anyip6_probe(name, addr, sym);
	}
	if (err == -ENOENT)
		err = anyip6_probe(path->caller, addr, sym);
	return err;
}

/* A function of the same name in another module is none of our paths. */
static bool anyip6_is_foreign(const struct anyip6_path *path, const char *sym)
{
	const char *module = strchr(sym, '[');
	size_t len;

	if (!module || !path->module)
		return false;
	len = strlen(path->module);
	return strncmp(module + 1, path->module, len) || module[1 + len] != ']';
}

/* With IBT the probe lies behind endbr, so we subtract its offset. */
static int anyip6_resolve(struct anyip6_path *path)
{
	unsigned long addr, off, size;
	char sym[KSYM_SYMBOL_LEN];
	char *plus;
	int err;

	err = anyip6_locate(path, &addr, sym);
	if (err)
		return err;
	plus = strchr(sym, '+');
	if (!plus || sscanf(plus, "+%lx/%lx", &off, &size) != 2 ||
	    anyip6_is_foreign(path, plus))
		return -ENOENT;
	*plus = '\0';
	/* Another module may have taken the place while the probe waited. */
	if (path->module && strcmp(sym, path->caller))
		return -ESTALE;
	WRITE_ONCE(path->start, addr - off);
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
		pr_warn("perhaps no Any-IP for %s: %s is held by a live patch or the like\n",
			path->what, path->caller);
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
		if (!err && !path->prove)
			anyip6_say_if_held(path);
		mutex_unlock(&anyip6_paths_mutex);
	} while (anyip6_is_stale(err) && --tries);
	if (!err || (err == -ENOENT && path->optional))
		return 0;
	anyip6_leave(path);
	/* modprobe reads ENOENT as a missing symbol. */
	return anyip6_lack(path->what, err == -ENOENT ? -EOPNOTSUPP : err,
			   "%s not found in this kernel (%d)",
			   path->caller, err);
}

/**
 * anyip6_paths_take() - find the paths and prove them
 *
 * We must redirect the checks and follow modules already. This finds all paths
 * before it proves any, because an optional path may be part of a proven one.
 *
 * Context: process, module load; may sleep.
 * Return: 0, or the errno that ends the load, with the reason logged.
 */
int __init anyip6_paths_take(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ANYIP6_N_PATHS; i++)
		if (anyip6_paths[i].check->armed)
			err = anyip6_find_path(&anyip6_paths[i]);
	for (i = 0; !err && i < ANYIP6_N_PATHS; i++)
		if (anyip6_paths[i].prove && anyip6_paths[i].size)
			err = anyip6_prove(&anyip6_paths[i]);
	mutex_lock(&anyip6_paths_mutex);
	anyip6_running = !err;
	mutex_unlock(&anyip6_paths_mutex);
	return err;
}

/**
 * anyip6_paths_close() - try no path again
 *
 * Context: process; may sleep for as long as a trial that is under way.
 */
void anyip6_paths_close(void)
{
	mutex_lock(&anyip6_paths_mutex);
	anyip6_running = false;
	mutex_unlock(&anyip6_paths_mutex);
}

/*
 * Until the proof is over, the path is answered as one that is found: only for
 * calls that come from the function of that name.
 */
static void anyip6_try_path(struct anyip6_path *path)
{
	if (!path->check->armed || anyip6_resolve(path))
		return;
	if (path->prove)
		anyip6_prove(path);
	else
		WRITE_ONCE(path->unproven, false);
	if (!path->unproven)
		pr_info("Any-IP for %s from now on: %s\n", path->what,
			path->caller);
}

/*
 * A live patch has gone, and may have held or replaced a function that we need.
 * The proof opens sockets of protocols that are built in, so that it loads no
 * module.
 */
static void anyip6_try_again(void)
{
	struct anyip6_path *path;

	mutex_lock(&anyip6_paths_mutex);
	if (anyip6_running && !anyip6_arm_wanted())
		for (path = anyip6_paths; path < anyip6_paths + ANYIP6_N_PATHS;
		     path++)
			if (!path->size)
				anyip6_try_path(path);
	mutex_unlock(&anyip6_paths_mutex);
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
	if (event != MODULE_STATE_LIVE)
		WRITE_ONCE(path->unproven, err);
	if (event == MODULE_STATE_COMING && !err)
		anyip6_say_if_held(path);
	mutex_unlock(&anyip6_paths_mutex);
	/* 0: a load that is under way goes on. */
	if (err)
		anyip6_lack(path->what, 0, "%s not found in this kernel (%d)",
			    path->caller, err);
}

static int anyip6_module_event(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	struct module *mod = data;
	unsigned int i;

	/* Its functions are elsewhere, so we know none of them as a path. */
	if (event == MODULE_STATE_COMING && is_livepatch_module(mod))
		pr_warn("live patch %s is here: paths that it replaces keep the kernel's answers\n",
			mod->name);

	for (i = 0; i < ANYIP6_N_PATHS; i++)
		if (anyip6_paths[i].module &&
		    !strcmp(anyip6_paths[i].module, mod->name))
			anyip6_follow(&anyip6_paths[i], event);
	if (event == MODULE_STATE_GOING && is_livepatch_module(mod))
		anyip6_try_again();
	return NOTIFY_DONE;
}

static struct notifier_block anyip6_module_nb = {
	.notifier_call = anyip6_module_event,
};

/**
 * anyip6_paths_follow() - follow the modules that have paths
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
