/* SPDX-License-Identifier: GPL-2.0 */
/* All but arm64 and riscv: a struct without members hides the pt_regs. */
struct ftrace_regs {
};

struct hidden_ftrace_regs {
	struct pt_regs regs;
};

#define hidden(fregs)	(&((struct hidden_ftrace_regs *)(fregs))->regs)
#define ftrace_regs_set_instruction_pointer(fregs, to)	(hidden(fregs)->next = (to))
#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(hidden(fregs), n)
