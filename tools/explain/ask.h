/* SPDX-License-Identifier: GPL-2.0 */
/* Asks the kernel and the rule about an address or a prefix. */
#ifndef ASK_H
#define ASK_H

#include "address.h"
#include "parts.h"
#include "rule.h"
#include "socket.h"

struct question {
	struct address address;
	const char *dev;	/* NULL if none is named */
	const struct proto *proto;
	bool ndisc;	/* whether a solicitation is answered, not a bind */
	bool pktinfo;	/* whether it can be the source of a datagram */
};

/* The answer for one part of the prefix, or for the address. */
struct explanation {
	struct outcome outcome;
	struct answer answer;
	struct answer would;	/* STEP_NONE: the module was asked */
};

struct explained {
	struct fib fib;
	struct state state;
	char dev[IFNAMSIZ];	/* of the socket, empty if none */
	bool imposed;		/* nobody named it, as in `ip vrf exec` */
	struct parts parts;
	struct explanation *of;	/* for each part that is not empty */
};

/* Ends the program if it cannot be done. */
void ask(const struct question *q, struct explained *x);
void ask_free(struct explained *x);

/* The verdict for the whole: of what the module @would decide, or as it is. */
enum verdict overall(const struct explained *x, bool would);
const struct answer *answer_of(const struct explanation *e, bool would);
/* Of the first part that is not empty. There always is one. */
const struct explanation *first_explanation(const struct explained *x);

#endif
