/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespaces that have a name. */
#ifndef NETNS_H
#define NETNS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Calls @each inside each of them, and leaves this process in the last one.
 * Returns whether it could enter all, and @each returned true in all.
 */
bool each_netns(bool (*each)(const char *name));

/* The name of the one with this inode. False if none has a name. */
bool netns_name(unsigned int inode, char *name, size_t size);

#endif
