/* SPDX-License-Identifier: GPL-2.0 */
/* What can decide about an address that a socket asks for. */
#ifndef ANYIP6_DECISION_H
#define ANYIP6_DECISION_H

#include <errno.h>

/* The module's own list; in a kernel tree a copy of it is in lib/. */
#if __has_include("../../src/steps.h")
#include "../../src/steps.h"
#else
#include "steps.h"
#endif

/* The kernel's own answer: then the rule takes no step. */
#define KERNEL_ANSWERS(X)						\
	/* name		step of explain	errno */			\
	X(USABLE,	"configured",	0)				\
	X(WILDCARD,	"wildcard",	0)				\
	X(IPV4,		"ipv4",		0)	/* v4-mapped */		\
	X(IPV4_REFUSED,	"ipv4",		EADDRNOTAVAIL)			\
	X(NO_SCOPE,	"scope",	EINVAL)	/* link-local */

enum step {
#define STEP(name, counter, word) name,
	ANYIP6_STEPS(STEP, STEP)
#undef STEP
	NR_STEPS,
#define ANSWER(name, word, err) name,
	KERNEL_ANSWERS(ANSWER)
#undef ANSWER
	NR_DECISIONS,
};

/* bind()'s errno where the rule is absent or off, and where it is on. */
enum {
#define STEP(name, counter, word)					\
	STOCK_##name = EADDRNOTAVAIL,					\
	ON_##name = (name) == ALLOWED ? 0 : EADDRNOTAVAIL,
	ANYIP6_STEPS(STEP, STEP)
#undef STEP
#define ANSWER(name, word, err) STOCK_##name = err, ON_##name = err,
	KERNEL_ANSWERS(ANSWER)
#undef ANSWER
};

struct decision {
	const char *counter;	/* NULL if it is the kernel's own answer */
	const char *word;	/* of the trace and of explain */
	int stock, on;
};

static const struct decision decisions[NR_DECISIONS] = {
#define STEP(name, counter, word)					\
	[name] = { counter, word, STOCK_##name, ON_##name },
	ANYIP6_STEPS(STEP, STEP)
#undef STEP
#define ANSWER(name, word, err)	[name] = { NULL, word, err, err },
	KERNEL_ANSWERS(ANSWER)
#undef ANSWER
};

#endif
