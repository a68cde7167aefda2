/* SPDX-License-Identifier: GPL-2.0-only */
/* local.c rests only where it looks again; so it tells how often it does. */
#ifndef ANYIP6_KUNIT_LOOKS_H
#define ANYIP6_KUNIT_LOOKS_H

#include <linux/percpu.h>
#include <asm/processor.h>

DECLARE_PER_CPU(unsigned long, anyip6_looks);

static __always_inline void anyip6_kunit_relax(void)
{
	cpu_relax();
	this_cpu_inc(anyip6_looks);
}

#define cpu_relax anyip6_kunit_relax

#endif
