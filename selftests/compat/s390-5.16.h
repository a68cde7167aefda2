/* SPDX-License-Identifier: GPL-2.0 */
/* s390 up to 6.1 and in RHEL 9: the setter is a function. */
struct ftrace_regs {
	struct pt_regs regs;
};

static inline void ftrace_instruction_pointer_set(struct ftrace_regs *fregs,
						  unsigned long to)
{
	fregs->regs.next = to;
}
