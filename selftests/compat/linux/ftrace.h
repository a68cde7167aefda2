/* SPDX-License-Identifier: GPL-2.0 */
/* With CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS, ARCH names the architecture's part. */
#include "../kernel.h"

#if KERNEL >= 511
enum { FTRACE_OPS_FL_SAVE_REGS = 1, FTRACE_OPS_FL_RECURSION = 2 };
#define trace_recursion_set(bit)	((void)(bit))
#define CALLBACK_REGS	ftrace_regs
#else
enum { FTRACE_OPS_FL_SAVE_REGS = 1, FTRACE_OPS_FL_RECURSION_SAFE = 2 };
#define CALLBACK_REGS	pt_regs
#endif

#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
#include ARCH

/* There are no others than what the architecture's part gives. */
static inline struct pt_regs *ftrace_get_regs(struct ftrace_regs *fregs)
{
	return NULL;
}
#elif KERNEL >= 511
struct ftrace_regs {
	struct pt_regs regs;
};

static inline struct pt_regs *ftrace_get_regs(struct ftrace_regs *fregs)
{
	return fregs ? &fregs->regs : NULL;
}

/* The setter is there and does nothing. */
#if KERNEL >= 602
#define ftrace_regs_set_instruction_pointer(fregs, to)	((void)(fregs), (void)(to))
#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(ftrace_get_regs(fregs), n)
#else
#define ftrace_instruction_pointer_set(fregs, to)	((void)(fregs), (void)(to))
#endif
#endif

struct ftrace_ops;
typedef void (*ftrace_func_t)(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct CALLBACK_REGS *regs);
