/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROBE_H
#define PROBE_H

#include <linux/kprobes.h>

/*
 * A function of riscv begins with two instructions of ftrace, and the kernel
 * lets nobody probe them. No register has changed behind them.
 */
#define PROBE_BEHIND_FTRACE	8

/* Registers a kprobe on kp->symbol_name, at its start or right behind it. */
static inline int probe_start(struct kprobe *kp)
{
	int err = register_kprobe(kp);

	if (err == -EINVAL && IS_ENABLED(CONFIG_RISCV)) {
		kp->addr = NULL;
		kp->offset = PROBE_BEHIND_FTRACE;
		err = register_kprobe(kp);
	}
	return err;
}

#endif
