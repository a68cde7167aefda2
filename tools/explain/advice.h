/* SPDX-License-Identifier: GPL-2.0 */
/* What to do about an answer, and what to beware of. */
#ifndef ADVICE_H
#define ADVICE_H

#include "answer.h"
#include "ask.h"

struct advice {
	struct lines hints, warnings;
};

struct advice advise(const struct question *q, struct explained *x);
void advice_free(struct advice *advice);

#endif
