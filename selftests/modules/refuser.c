// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one call of a kernel function fail, so that faults.sh can test a
 * failure at each step of the module's load and of its part of a netns. Only
 * calls by anyip6 fail.
 */
#include <linux/atomic.h>
#include <linux/kallsyms.h>
#include <linux/module.h>

#include "probe.h"

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "what fails");

static long answer;
module_param(answer, long, 0444);
MODULE_PARM_DESC(answer, "what it returns instead");

static int nth = 1;
module_param(nth, int, 0444);
MODULE_PARM_DESC(nth, "which of anyip6's calls fails, from 1 on");

static atomic_t calls;

static int refuser_refused_get(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%d\n", atomic_read(&calls) >= nth);
}

static const struct kernel_param_ops refuser_refused_ops = {
	.get	= refuser_refused_get,
};

module_param_cb(refused, &refuser_refused_ops, NULL, 0444);
MODULE_PARM_DESC(refused, "to be read: 1 if that call came");

/* Returns the caller, at a function's entry. */
static unsigned long refuser_caller(struct pt_regs *regs)
{
#ifdef CONFIG_X86
	return regs_get_kernel_stack_nth(regs, 0);
#elif defined(CONFIG_RISCV)
	return regs->ra;
#elif defined(CONFIG_S390)
	return regs->gprs[14];
#elif defined(CONFIG_LOONGARCH)
	return regs->regs[1];
#elif defined(CONFIG_PPC)
	return regs->link;
#else
	return procedure_link_pointer(regs);
#endif
}

static bool refuser_from_anyip6(struct pt_regs *regs)
{
	char sym[KSYM_SYMBOL_LEN];

	sprint_symbol(sym, refuser_caller(regs));
	return strstr(sym, " [anyip6]");
}

static noinline long refuser_answer(void)
{
	return answer;
}

static int refuser_pre(struct kprobe *p, struct pt_regs *regs)
{
	if (!refuser_from_anyip6(regs) || atomic_inc_return(&calls) != nth)
		return 0;
	instruction_pointer_set(regs, (unsigned long)refuser_answer);
	return 1;
}

/*
 * A kprobe with a post handler is never optimised to a jump. A jump could not
 * change where execution continues.
 */
static void refuser_post(struct kprobe *p, struct pt_regs *regs,
			 unsigned long flags)
{
}

static struct kprobe refuser_kprobe = {
	.pre_handler	= refuser_pre,
	.post_handler	= refuser_post,
};

static int __init refuser_init(void)
{
	refuser_kprobe.symbol_name = function;
	return probe_start(&refuser_kprobe);
}

static void __exit refuser_exit(void)
{
	unregister_kprobe(&refuser_kprobe);
}

module_init(refuser_init);
module_exit(refuser_exit);

MODULE_DESCRIPTION("Lets a kernel function fail, for the anyip6 selftests");
MODULE_LICENSE("GPL");
