/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of a prefix that the rule may answer differently. */
#ifndef PARTS_H
#define PARTS_H

#include "address.h"
#include "fib.h"

/*
 * The addresses of a prefix that are in no longer prefix of the list. The rule
 * has one answer for all of them, that of @sample.
 */
struct part {
	struct in6_addr ip;
	unsigned int len;
	bool empty;	/* the longer prefixes take up the whole */
	struct in6_addr sample;
};

struct parts {
	struct part *list;	/* each is followed by the longer prefixes in it */
	size_t n;
};

/* An address has one part. Free the list. */
struct parts parts_of(const struct fib *fib, const struct address *a);

#endif
