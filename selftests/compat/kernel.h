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

#ifdef CONFIG_S390
struct pt_regs {
	unsigned long next;
	unsigned long gprs[16];
};

#define FIRST_ARGUMENT	gprs[2]
/* Not exported: a call of it does not link. */
unsigned long regs_get_register(struct pt_regs *regs, unsigned int offset);
#define register_of(regs, n)	regs_get_register(regs, 2 + (n))
#else
struct pt_regs {
	unsigned long in[6];
	unsigned long next;
};

#define FIRST_ARGUMENT	in[0]
#define register_of(regs, n)	((regs)->in[n])
#endif

#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
static inline unsigned long regs_get_kernel_argument(struct pt_regs *regs,
						     unsigned int n)
{
	return register_of(regs, n);
}
#endif

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long to)
{
	regs->next = to;
}

#endif
