/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all imitated kernels have. The compiler gets KERNEL, 601 for Linux 6.1,
 * and the options of the configuration.
 */
#ifndef COMPAT_KERNEL_H
#define COMPAT_KERNEL_H

#include <stddef.h>
#include <sys/types.h>

typedef unsigned long long u64;
#define READ_ONCE(x)	(x)

struct pt_regs {
	unsigned long in[6];
	unsigned long next;
};

#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
static inline unsigned long regs_get_kernel_argument(struct pt_regs *regs,
						     unsigned int n)
{
	return regs->in[n];
}
#endif

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long to)
{
	regs->next = to;
}

#endif
