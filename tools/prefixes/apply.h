/* SPDX-License-Identifier: GPL-2.0 */
#ifndef APPLY_H
#define APPLY_H

#include "config.h"

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
