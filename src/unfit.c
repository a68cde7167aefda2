// SPDX-License-Identifier: GPL-2.0
/* Built instead of all other files if the kernel lacks what the hook needs. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

static int __init anyip6_init(void)
{
	pr_err("not loaded: " ANYIP6_UNFIT "\n");
	return -EOPNOTSUPP;
}

module_init(anyip6_init);

MODULE_AUTHOR("The anyip6 developers");
MODULE_DESCRIPTION("IPv6 Any-IP, for a kernel that cannot have it");
MODULE_VERSION(ANYIP6_VERSION);
MODULE_INFO(unfit, ANYIP6_UNFIT);
MODULE_LICENSE("GPL");
