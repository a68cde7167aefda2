/* SPDX-License-Identifier: GPL-2.0 */
/* How explain writes an answer, for a bind and for a solicitation. */
#ifndef ANSWER_H
#define ANSWER_H

#include "rule.h"

#define MAX_LINES	8

/* Lines behind the verdict: what to do, and what to beware of. */
struct lines {
	char *of[MAX_LINES];
	int n;
};

__attribute__((format(printf, 2, 3)))
void lines_add(struct lines *lines, const char *fmt, ...);
void lines_print(const struct lines *lines, const char *word);
void lines_json(const struct lines *lines, const char *name);
void lines_free(struct lines *lines);

/* ADDRESS by ROUTE, or ADDRESS: REASON. @subject is the address. */
void answer_print(const char *subject, const struct answer *a);
/* The members verdict, step, reason and route. */
void answer_json(const char *verdict, const struct answer *a);

#endif
