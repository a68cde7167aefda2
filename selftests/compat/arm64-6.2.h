/* SPDX-License-Identifier: GPL-2.0 */
/* arm64 and riscv: registers of their own, and functions. */
struct ftrace_regs {
	unsigned long x[6];
	unsigned long pc;
};

static inline void ftrace_regs_set_instruction_pointer(struct ftrace_regs *fregs,
						       unsigned long to)
{
	fregs->pc = to;
}

static inline unsigned long ftrace_regs_get_argument(struct ftrace_regs *fregs,
						     unsigned int n)
{
	return fregs->x[n];
}
