/* SPDX-License-Identifier: GPL-2.0 */
#include "../kernel.h"

struct net;
struct ctl_table {
	const char *procname;
};

#if KERNEL >= 611
typedef int proc_handler(const struct ctl_table *ctl, int write, void *buffer,
			 size_t *lenp, loff_t *ppos);
#else
typedef int proc_handler(struct ctl_table *ctl, int write, void *buffer,
			 size_t *lenp, loff_t *ppos);
#endif

/* They return the number of entries that the kernel sees. */
#if KERNEL >= 606
static inline size_t register_net_sysctl_sz(struct net *net, const char *path,
					    struct ctl_table *table, size_t n)
{
	return n;
}

/* The kernel's macro measures an array. A pointer, which we have, is none. */
#define register_net_sysctl(net, path, table) \
	register_net_sysctl_sz(net, path, table, 0)
#else
static inline size_t register_net_sysctl(struct net *net, const char *path,
					 struct ctl_table *table)
{
	size_t n = 0;

	while (table[n].procname)
		n++;
	return n;
}
#endif
