/* SPDX-License-Identifier: GPL-2.0 */
/* What can decide whether a socket may have an address. */
#ifndef ANYIP6_DECISION_H
#define ANYIP6_DECISION_H

#include <errno.h>
#include <stddef.h>

/* The module's own list. In a kernel tree, this folder has a copy of it. */
#if __has_include("../../src/steps.h")
#include "../../src/steps.h"
#else
#include "steps.h"
#endif

/* The kernel's own answers. The rule takes no step then. */
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

/* The counters: one for each step of the rule, then two for each of ANYIP6_REPLIES. */
enum {
	NR_STEP_COUNTERS = NR_STEPS - 1,	/* the next one is NR_STEPS */
#define REPLY(name, yes, no) COUNT_##name##_YES, COUNT_##name##_NO,
	ANYIP6_REPLIES(REPLY)
#undef REPLY
	NR_COUNTERS,
};

/* bind()'s errno without the rule (absent or off), and with it. */
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
	const char *word;	/* in the trace and in explain's output */
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
