/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespaces that have a name. */
#ifndef NETNS_H
#define NETNS_H

#include <stdbool.h>

/*
 * Calls @each inside each of them, and leaves this process in the last one.
 * Returns whether it could enter all, and @each returned true in all.
 */
bool each_netns(bool (*each)(const char *name));

#endif
