/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoint of the module, in a tracing instance of our own. */
#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>

#include "record.h"

/*
 * Begins to trace what @filter lets pass. Returns NULL, or why it cannot. If the
 * program ends without tracer_close(), exit() calls it.
 */
const char *tracer_open(const char *filter);
/* A file that can be read when there is something to take. */
int tracer_fd(void);
/* Hands over what is there. True if there may be more. */
bool tracer_take(const struct reader *reader);
/* Whether the tracepoint is still there. */
bool tracer_lives(void);
/* Traces nothing more. What is there can still be taken. */
void tracer_stop(void);
void tracer_close(void);

#endif
