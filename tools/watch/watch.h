/* SPDX-License-Identifier: GPL-2.0 */
/* What the ways to watch share: when to end, and what is wanted. */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <time.h>

#include "address.h"

struct wanted {
	bool refused;		/* nothing that is allowed */
	bool all_netns;
	unsigned int own_netns;	/* an inode */
	const char *program;	/* NULL: of all */
	struct addresses addresses;	/* none: all */
};

/*
 * Writes what was printed, and waits until @fd can be read, but no longer than @ms. -1
 * waits for nothing. False if it is time to end: after a signal, or if nobody reads.
 */
bool watch_wait(int fd, int ms);

/* As HH:MM:SS of this place, or as RFC 3339 has it for JSON. @us is behind the second. */
const char *time_text(time_t second, unsigned long us);

/*
 * Prints the differences of the counters each second. @why: nothing better can be had.
 * Returns the exit code.
 */
int watch_counters(const struct wanted *wanted, const char *why);

#endif
