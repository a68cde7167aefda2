/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All differences between kernels that anyip6 must know. Each one is a feature
 * probe, because vendors backport, and names the kernel change behind it.
 */
#ifndef ANYIP6_COMPAT_H
#define ANYIP6_COMPAT_H

#include <linux/ftrace.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>

/*
 * 5.11, d19ad0775dcd ("ftrace: Have the callbacks receive a struct ftrace_regs
 * instead of pt_regs"), and a25d036d939a in the same series, which turned
 * FTRACE_OPS_FL_RECURSION_SAFE ("I need no guard") into the default.
 * trace_recursion_set() became public with that series.
 */
#ifdef trace_recursion_set
#define anyip6_fregs		ftrace_regs
#define ANYIP6_FTRACE_NO_GUARD	0
#define anyip6_pt_regs(fregs)	ftrace_get_regs(fregs)
#else
#define anyip6_fregs		pt_regs
#define ANYIP6_FTRACE_NO_GUARD	FTRACE_OPS_FL_RECURSION_SAFE
#define anyip6_pt_regs(fregs)	(fregs)
#endif

/*
 * Some architectures hand the callback only the arguments and the instruction
 * pointer. That is enough, and all registers would make each call more
 * expensive.
 *
 * 6.2 renamed the setter in 0ef86097f127 and added the getter in 94d095ffa0e1
 * ("ftrace: abstract DYNAMIC_FTRACE_WITH_ARGS accesses"). The getter is a macro
 * where ftrace_regs contains a pt_regs. arm64, in the same series, and riscv have
 * registers of their own since then: there it is a function, and WITH_REGS is
 * gone. The old setter is no sign: it is a macro on x86, a function on s390.
 */
#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
#define ANYIP6_FTRACE_REGS	0
#if defined(ftrace_regs_get_argument) || !defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#define anyip6_set_ip(fregs, ip)	ftrace_regs_set_instruction_pointer(fregs, ip)
#define anyip6_arg(fregs, n)	ftrace_regs_get_argument(fregs, n)
#else
#define anyip6_set_ip(fregs, ip)	ftrace_instruction_pointer_set(fregs, ip)
#define anyip6_arg(fregs, n)	regs_get_kernel_argument(&(fregs)->regs, n)
#endif
#else
#define ANYIP6_FTRACE_REGS	FTRACE_OPS_FL_SAVE_REGS
#define anyip6_set_ip(fregs, ip)	instruction_pointer_set(anyip6_pt_regs(fregs), ip)
#define anyip6_arg(fregs, n)	regs_get_kernel_argument(anyip6_pt_regs(fregs), n)
#endif

/*
 * On s390 the getters call regs_get_register(). It is not exported in 6.12 and
 * inline in 7.2. An ftrace_regs is a pt_regs there, with the arguments in
 * registers 2 to 6.
 */
#ifdef CONFIG_S390
#undef anyip6_arg
#define anyip6_arg(fregs, n)	(((struct pt_regs *)(fregs))->gprs[2 + (n)])
#endif

/*
 * 6.11, 78eb4ea25cd5 ("sysctl: treewide: constify the ctl_table argument of
 * proc_handlers").
 */
#define anyip6_ctl typeof(__builtin_choose_expr(			\
	__builtin_types_compatible_p(proc_handler,			\
		int(const struct ctl_table *, int, void *, size_t *, loff_t *)), \
	(const struct ctl_table *)NULL, (struct ctl_table *)NULL))

/*
 * 6.6, 95d4977876b8 ("sysctl: Add size to register_net_sysctl function"),
 * made register_net_sysctl() a macro that measures an array. Before 6.11 an
 * empty entry ends a table.
 */
#ifdef register_net_sysctl
#define anyip6_register_sysctl(net, path, table, n) \
	register_net_sysctl_sz(net, path, table, n)
#else
#define anyip6_register_sysctl(net, path, table, n) \
	((void)(n), register_net_sysctl(net, path, table))
#endif

/*
 * 5.12, 3d368ab87cf6 ("net: initialize net->net_cookie at netns setup"), made
 * it a u64. Before, it was an atomic64_t and 0 until a BPF program asked for it.
 */
#define anyip6_net_cookie(net)	READ_ONCE(*(const u64 *)&(net)->net_cookie)

/*
 * A kprobe at the start of a function uses ftrace. Where it cannot, it is a
 * breakpoint, and the kernel refuses one on ftrace's own instruction. That is
 * the first one of a function on riscv. On arm64 it is the second.
 */
#define ANYIP6_PROBE_REFUSED(err) \
	(!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE) && (err) == -EINVAL)

/*
 * A kretprobe replaces the return address by that of its trampoline. Where it
 * cannot use ftrace, as on arm64, it is a breakpoint at the function's start and
 * does this before ftrace looks. On x86 it uses ftrace or comes after it.
 *
 * The names of the trampoline, newest first. Architectures got rethooks one by
 * one since 5.18, f3a112c0c40d ("x86,rethook,kprobes: Replace kretprobe with
 * rethook on x86"). 5.16 added the underscores, adf8a61a940c ("kprobes:
 * treewide: Make it harder to refer kretprobe_trampoline directly").
 */
#define ANYIP6_KRETPROBE_HIDES	(!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
#define ANYIP6_KRETPROBE_TRAMPOLINES \
	"arch_rethook_trampoline", "__kretprobe_trampoline", "kretprobe_trampoline"

#endif
