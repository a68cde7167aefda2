// SPDX-License-Identifier: GPL-2.0
/* Load and unload. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/path.h>

#include "anyip6.h"

static bool default_on = true;
module_param(default_on, bool, 0444);
MODULE_PARM_DESC(default_on, "net.ipv6.anyip_bind of each netns starts at this (default: 1)");

static bool ndisc;
module_param(ndisc, bool, 0444);
MODULE_PARM_DESC(ndisc, "allow net.ipv6.anyip_ndisc, with which a host answers neighbour solicitations for its Any-IP prefixes (default: 0)");

static const char *anyip6_path_state(const struct anyip6_path *path)
{
	if (!path->check->wanted)
		return "off";
	if (!READ_ONCE(path->check->armed) || READ_ONCE(path->unproven))
		return "unproven";
	if (!READ_ONCE(path->size))
		return "absent";
	return path->prove ? "proven" : "found";
}

/* One line per path: caller, check, state. */
static int anyip6_hooks_get(char *buf, const struct kernel_param *kp)
{
	const struct anyip6_path *path;
	int len = 0;

	for (path = anyip6_paths; path < anyip6_paths + ANYIP6_N_PATHS; path++)
		len += scnprintf(buf + len, PAGE_SIZE - len, "%s %s %s\n",
				 path->caller, path->check->name,
				 anyip6_path_state(path));
	return len;
}

static int anyip6_hooks_set(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops anyip6_hooks_ops = {
	.get	= anyip6_hooks_get,
	.set	= anyip6_hooks_set,
};

module_param_cb(hooks, &anyip6_hooks_ops, NULL, 0444);
MODULE_PARM_DESC(hooks, "the paths, to be read: caller, check, and whether proven, found, absent, unproven or off");

static void __init anyip6_log_loaded(void)
{
	const struct anyip6_path *path;
	char hooks[768];
	int len = 0;

	for (path = anyip6_paths; path < anyip6_paths + ANYIP6_N_PATHS; path++)
		if (READ_ONCE(path->size))
			len += scnprintf(hooks + len, sizeof(hooks) - len,
					 " %s>%s", path->caller,
					 path->check->name);
	pr_info("version %s loaded, default_on=%d, ndisc=%d, hooks%s\n",
		ANYIP6_VERSION, default_on, ndisc, hooks);
}

/*
 * A kernel with a built-in rule has this toggle already. A second one of that
 * name would destroy the first: insert_header() drops both (seen on 6.1).
 */
static int __init anyip6_toggle_is_free(void)
{
	struct path path;
	int err;

	/* If we cannot look there, the name may be taken. */
	err = kern_path("/proc/sys/net/ipv6", LOOKUP_DIRECTORY, &path);
	if (err)
		return err;
	path_put(&path);

	err = kern_path("/proc/sys/net/ipv6/anyip_bind", 0, &path);
	if (err)
		return err == -ENOENT ? 0 : err;
	path_put(&path);
	return -EEXIST;
}

static int __init anyip6_init(void)
{
	int err;

	if (!ipv6_mod_enabled()) {
		pr_err("not loaded: IPv6 is off (ipv6.disable=1)\n");
		return -EAFNOSUPPORT;
	}

	err = anyip6_toggle_is_free();
	if (err == -EEXIST) {
		pr_err("not loaded: net.ipv6.anyip_bind is there already; a kernel that has it needs no module\n");
		/* modprobe reads EEXIST as a module that is loaded already. */
		return -EBUSY;
	}
	if (err) {
		pr_err("not loaded: /proc/sys/net/ipv6 cannot be seen from here (%d)\n",
		       err);
		/* modprobe reads ENOENT as a missing symbol. */
		return err == -ENOENT ? -EOPNOTSUPP : err;
	}

	err = anyip6_netns_init(default_on, ndisc);
	if (err) {
		pr_err("not loaded: net.ipv6.anyip_bind cannot be registered (%d)\n",
		       err);
		return err;
	}

	err = anyip6_hook_init(ndisc);
	if (err)
		goto err_netns;

	anyip6_log_loaded();
	return 0;

err_netns:
	anyip6_netns_exit();
	return err;
}

/* Bound sockets stay bound. Only the hooks lead into this module. */
static void __exit anyip6_exit(void)
{
	anyip6_hook_exit();
	anyip6_netns_exit();
	pr_info("unloaded\n");
}

module_init(anyip6_init);
module_exit(anyip6_exit);

MODULE_AUTHOR("The anyip6 developers");
MODULE_DESCRIPTION("IPv6 Any-IP: bind() to every address of a local route");
MODULE_VERSION(ANYIP6_VERSION);
MODULE_LICENSE("GPL");
