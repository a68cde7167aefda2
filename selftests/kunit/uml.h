/* SPDX-License-Identifier: GPL-2.0-only */
/* What src/anyip6.h needs on an architecture without a function tracer. */
#ifndef ANYIP6_KUNIT_UML_H
#define ANYIP6_KUNIT_UML_H

#include <linux/ftrace.h>

#ifndef CONFIG_FUNCTION_TRACER
struct ftrace_ops {
	void *func;
};
#endif

#endif
