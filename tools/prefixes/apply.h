/* SPDX-License-Identifier: GPL-2.0 */
#ifndef APPLY_H
#define APPLY_H

#include "../lib/fib.h"
#include "config.h"

/*
 * The route of a line, whoever but the kernel made it, or NULL. @fib has the
 * routes of its table.
 */
struct route *prefix_route(const struct fib *fib, const struct prefix *p);
/*
 * Makes the routes those of @config, and takes back what an earlier call made
 * and @config lacks. Waits for devices, for @seconds at most. Returns the exit
 * code.
 */
int apply(const struct config *config, unsigned int seconds);
/* Makes one route that apply() leaves alone. */
int apply_once(const struct prefix *p);
/* Deletes the route of a prefix, whoever made it. */
int apply_delete(const struct prefix *p);

#endif
