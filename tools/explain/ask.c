// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anyip6.h"
#include "ask.h"

/*
 * We read the state, then bind. If the state changes in between, bind and the
 * rule differ, and we try again. With a route that comes and goes, every second
 * try differs. With this many tries, one run in a million still does.
 */
#define TRIES	20

/* Whether the kernel answered about the address, and not about something else. */
static bool about_address(const struct outcome *o)
{
	bool asked = o->stage && (!strcmp(o->stage, "bind") || !strcmp(o->stage, "sendmsg"));

	if (o->not_loaded)
		return false;
	return !o->err || (asked && (o->err == EADDRNOTAVAIL || o->err == EINVAL));
}

static bool agrees(const struct answer *a, const struct outcome *o)
{
	return a->verdict == UNKNOWN || a->verdict == (o->err ? REFUSED : ALLOWED);
}

/* The device was there when we read it. */
static bool lost_device(const struct outcome *o)
{
	return o->err == ENODEV && strcmp(o->stage, "socket");
}

/* Puts the kernel's answer in place of the rule's, where there is one. */
static void settle(struct answer *a, const struct outcome *o)
{
	char rule[sizeof(a->reason)];

	if (o->not_loaded)
		return;
	if (!about_address(o)) {
		a->verdict = UNKNOWN;
		return;
	}
	if (!agrees(a, o)) {
		memcpy(rule, a->reason, sizeof(rule));
		a->step = STEP_UNKNOWN;
		snprintf(a->reason, sizeof(a->reason),
			 "not as the rule has it (%.1000s); did a BPF program or a change meanwhile decide?",
			 rule);
	}
	a->verdict = o->err ? REFUSED : ALLOWED;
}

/*
 * L2TP does not tell the kernel its device, nor does older SCTP. The answer of
 * bind shows which SCTP this is. If it is not loaded, nobody can be asked.
 */
enum tells { TELLS_DEVICE, HIDES_DEVICE, MAY_HIDE_DEVICE };

static enum tells tells(const struct question *q, const struct explanation *e)
{
	if (IN6_IS_ADDR_LINKLOCAL(&q->address.ip))
		return TELLS_DEVICE;
	if (q->proto->number == 115)
		return HIDES_DEVICE;
	if (q->proto->number != IPPROTO_SCTP)
		return TELLS_DEVICE;
	if (e->outcome.not_loaded)
		return MAY_HIDE_DEVICE;
	return agrees(&e->answer, &e->outcome) ? TELLS_DEVICE : HIDES_DEVICE;
}

static void unless_same(struct answer *a, const struct answer *other)
{
	if (!a->step || a->verdict == other->verdict)
		return;
	*a = (struct answer){ .verdict = UNKNOWN, .step = STEP_UNKNOWN };
	snprintf(a->reason, sizeof(a->reason),
		 "older kernels' SCTP does not tell its device; load sctp and ask again");
}

static void decide_on(const struct explained *x, const struct in6_addr *ip,
		      const struct link *dev, struct explanation *e)
{
	struct answer *a = &e->answer;

	rule_kernel(&x->fib, ip, dev, &x->state, a);
	e->would.step = STEP_NONE;
	if (a->step == STEP_OFF || a->step == STEP_NOT_LOADED ||
	    a->step == STEP_NONLOCAL)
		rule_any_ip(&x->fib, ip, dev, &e->would);
}

static void decide(const struct question *q, const struct explained *x,
		   const struct in6_addr *ip, const struct link *dev,
		   struct explanation *e)
{
	struct explanation other = {};

	decide_on(x, ip, dev, e);
	if (!dev)
		return;
	switch (tells(q, e)) {
	case TELLS_DEVICE:
		break;
	case HIDES_DEVICE:
		decide_on(x, ip, NULL, e);
		break;
	case MAY_HIDE_DEVICE:
		decide_on(x, ip, NULL, &other);
		unless_same(&e->answer, &other.answer);
		unless_same(&e->would, &other.would);
	}
}

/* Returns false if the state must have changed between the rule and bind. */
static bool ask_part(const struct question *q, const struct explained *x,
		     const struct part *p, const struct link *dev,
		     struct explanation *e)
{
	int fd = socket_open(q->proto, &e->outcome);

	if (fd >= 0) {
		socket_ask(fd, q->proto, &p->sample, dev, q->pktinfo, &e->outcome);
		close(fd);
	}
	decide(q, x, &p->sample, dev, e);
	if (about_address(&e->outcome))
		return agrees(&e->answer, &e->outcome);
	return !lost_device(&e->outcome);
}

/* The device of the question, or the one that every new socket here gets. */
static void take_device(const struct question *q, struct explained *x)
{
	struct outcome o;
	int fd;

	*x->dev = '\0';
	x->imposed = false;
	if (q->dev) {
		snprintf(x->dev, sizeof(x->dev), "%s", q->dev);
		return;
	}
	fd = socket_open(proto_by_name("udp"), &o);
	if (fd < 0)
		return;
	socket_device(fd, x->dev);
	x->imposed = *x->dev;
	close(fd);
}

static struct state read_state(const struct question *q)
{
	return (struct state){
		.loaded		= file_number(TOGGLE) >= 0,
		.on		= file_number(TOGGLE) == 1,
		.nonlocal	= file_number(NONLOCAL) == 1 &&
				  q->proto->asks_nonlocal,
	};
}

/* Returns false if something changed meanwhile. */
static bool ask_once(const struct question *q, struct explained *x)
{
	const struct link *dev = NULL;
	bool steady = true;
	int err;

	take_device(q, x);
	err = fib_read(&x->fib, FIB_TABLES, *x->dev ? x->dev : NULL);
	if (err)
		die(EXIT_CANNOT, "netlink: %s", fib_error(err));
	if (*x->dev) {
		dev = fib_link_by_name(&x->fib, x->dev);
		if (!dev)
			die(EXIT_USAGE, "%s: no such device", x->dev);
	}
	x->state = read_state(q);
	x->parts = parts_of(&x->fib, &q->address);
	x->of = need(calloc(x->parts.n, sizeof(*x->of)));
	for (size_t i = 0; i < x->parts.n; i++)
		if (!x->parts.list[i].empty)
			steady &= ask_part(q, x, &x->parts.list[i], dev, &x->of[i]);
	return steady;
}

void ask(const struct question *q, struct explained *x)
{
	bool steady = false;

	for (int i = 0; i < TRIES && !steady; i++) {
		if (i)
			ask_free(x);
		steady = ask_once(q, x);
	}
	for (size_t i = 0; i < x->parts.n; i++)
		if (!x->parts.list[i].empty)
			settle(&x->of[i].answer, &x->of[i].outcome);
}

void ask_free(struct explained *x)
{
	fib_free(&x->fib);
	free(x->parts.list);
	free(x->of);
	memset(x, 0, sizeof(*x));
}

const struct answer *answer_of(const struct explanation *e, bool would)
{
	return would && e->would.step ? &e->would : &e->answer;
}

const struct explanation *first_explanation(const struct explained *x)
{
	size_t i = 0;

	while (x->parts.list[i].empty)
		i++;
	return &x->of[i];
}

enum verdict overall(const struct explained *x, bool would)
{
	enum verdict all = UNKNOWN;
	bool first = true;

	for (size_t i = 0; i < x->parts.n; i++) {
		enum verdict v = answer_of(&x->of[i], would)->verdict;

		if (x->parts.list[i].empty)
			continue;
		if (!first && v != all)
			return PARTLY;
		all = v;
		first = false;
	}
	return all;
}
