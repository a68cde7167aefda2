// SPDX-License-Identifier: GPL-2.0
/*
 * Uses src/compat.h as the module does, in an imitated kernel. Prints what is
 * wrong.
 */
#include <stdio.h>
#include <string.h>

#include "../../src/compat.h"

static unsigned long seen[3];

static void callback(unsigned long ip, unsigned long parent_ip,
		     struct ftrace_ops *ops, struct anyip6_fregs *fregs)
{
	unsigned int n;

	for (n = 0; n < 3; n++)
		seen[n] = anyip6_arg(fregs, n);
	anyip6_set_ip(fregs, 77);
}

/* Without WITH_ARGS a callback gets registers only if it asks for them. */
static void *registers(struct pt_regs *regs)
{
#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
	return regs;
#else
	return ANYIP6_FTRACE_REGS & FTRACE_OPS_FL_SAVE_REGS ? regs : NULL;
#endif
}

static int handler(anyip6_ctl ctl, int write, void *buffer, size_t *lenp,
		   loff_t *ppos)
{
	return 0;
}

static int wrong;

static void expect(const char *what, unsigned long is, unsigned long wanted)
{
	if (is == wanted)
		return;
	printf("%s: %lu instead of %lu\n", what, is, wanted);
	wrong = 1;
}

int main(void)
{
	struct ctl_table table[3] = { { "first" }, { "second" } };
	struct pt_regs regs = {};
	union {
		u64 cookie;
		struct net net;
	} has = { .cookie = 42 };
	ftrace_func_t call = callback;
	proc_handler *handle = handler;

	memcpy(&regs.FIRST_ARGUMENT, (unsigned long[]){ 10, 20, 30 }, 3 * sizeof(long));
	call(0, 0, NULL, registers(&regs));
	expect("first argument", seen[0], 10);
	expect("second argument", seen[1], 20);
	expect("third argument", seen[2], 30);
	expect("instruction pointer", regs.next, 77);
#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
	expect("asks for registers", ANYIP6_FTRACE_REGS, 0);
#endif
#if KERNEL >= 511
	expect("asks for no guard", ANYIP6_FTRACE_NO_GUARD, 0);
#else
	expect("asks for no guard", ANYIP6_FTRACE_NO_GUARD, FTRACE_OPS_FL_RECURSION_SAFE);
#endif
	expect("handler", handle(NULL, 0, NULL, NULL, NULL), 0);
	expect("entries", anyip6_register_sysctl(&has.net, "net/ipv6", table, 2), 2);
	expect("cookie", anyip6_net_cookie(&has.net), 42);
	return wrong;
}
