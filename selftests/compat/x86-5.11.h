/* SPDX-License-Identifier: GPL-2.0 */
/* x86 up to 6.1 and in RHEL 9: the setter is a macro. */
struct ftrace_regs {
	struct pt_regs regs;
};

#define ftrace_instruction_pointer_set(fregs, to)	((fregs)->regs.next = (to))
