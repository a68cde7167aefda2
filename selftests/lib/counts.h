/* SPDX-License-Identifier: GPL-2.0 */
/* The module's counters of this network namespace. */
#ifndef ANYIP6_COUNTS_H
#define ANYIP6_COUNTS_H

#include <stdbool.h>

#include "decision.h"

extern const char *const counter_names[NR_COUNTERS];

struct counts {
	unsigned long of[NR_COUNTERS];
};

/* False unless the text has the counters' names, in their order, and nothing else. */
bool counts_parse(const char *text, struct counts *c);
bool counts_read(struct counts *c);
struct counts counts_must(void);

#endif
