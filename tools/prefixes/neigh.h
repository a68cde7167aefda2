/* SPDX-License-Identifier: GPL-2.0 */
/* The word neigh: this host answers neighbour solicitations for Any-IP on a device. */
#ifndef NEIGH_H
#define NEIGH_H

#include <stdio.h>

#include "config.h"

/* Complains if a prefix asks for it and the module cannot. */
bool neigh_possible(const struct config *config);
/* Writes what ip must do: a device that answers takes packets to all groups. */
void neigh_batch(FILE *ip, const struct config *config);
/* Sets the sysctls, and back what an earlier call set. Returns the exit code. */
int neigh_apply(const struct config *config);

#endif
