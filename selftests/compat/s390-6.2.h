/* SPDX-License-Identifier: GPL-2.0 */
/* s390, loongarch and powerpc up to 6.12: a function and a macro. */
struct ftrace_regs {
	struct pt_regs regs;
};

static inline void ftrace_regs_set_instruction_pointer(struct ftrace_regs *fregs,
						       unsigned long to)
{
	fregs->regs.next = to;
}

#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
