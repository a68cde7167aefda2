/* SPDX-License-Identifier: GPL-2.0 */
/* x86 up to 6.12: the setter has its new name, and there is a getter. */
struct ftrace_regs {
	struct pt_regs regs;
};

#define ftrace_regs_set_instruction_pointer(fregs, to)	((fregs)->regs.next = (to))
#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
