// SPDX-License-Identifier: GPL-2.0
/* anyip6 explain: binds a socket and says which step of the rule decided. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "anyip6.h"
#include "json.h"
#include "rule.h"
#include "text.h"
#include "util.h"

/*
 * We read the state, then bind. If the state changes in between, bind and the
 * rule differ, and we try again. With a route that comes and goes, every second
 * try differs. With this many tries, one run in a million still does.
 */
#define TRIES	20

static const struct proto {
	const char *name;
	int type, number;
	bool asks_nonlocal;
} protos[] = {
	{ "tcp",	SOCK_STREAM,	IPPROTO_TCP,	true },
	{ "udp",	SOCK_DGRAM,	IPPROTO_UDP,	true },
	{ "udplite",	SOCK_DGRAM,	136,		true },
	{ "raw",	SOCK_RAW,	253,		true },
	{ "ping",	SOCK_DGRAM,	IPPROTO_ICMPV6,	true },
	{ "sctp",	SOCK_STREAM,	IPPROTO_SCTP,	true },
	{ "mptcp",	SOCK_STREAM,	262,		true },
	{ "dccp",	6,		33,		true },
	{ "l2tp",	SOCK_DGRAM,	115,		false },
};

struct question {
	const char *text, *dev;
	struct in6_addr ip;
	const struct proto *proto;
};

/* What a real socket got. @stage names the call that failed. */
struct outcome {
	int err;
	const char *stage;
};

static const struct proto *proto_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++)
		if (!strcmp(protos[i].name, name))
			return &protos[i];
	die(EXIT_USAGE, "%s: no such protocol; see anyip6 --help", name);
}

/* ADDR or ADDR%DEV */
static void take_address(struct question *q, char *text)
{
	char *percent = strchr(text, '%');

	if (q->text)
		die(EXIT_USAGE, "one address only");
	if (percent) {
		*percent = '\0';
		q->dev = percent + 1;
	}
	q->text = text;
	if (inet_pton(AF_INET6, text, &q->ip) != 1)
		die(EXIT_USAGE, "%s: not an IPv6 address", text);
}

static void take_arguments(struct question *q, int argc, char **argv)
{
	*q = (struct question){ .proto = &protos[0] };
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--dev") && more)
			q->dev = argv[++i];
		else if (!strcmp(argv[i], "--proto") && more)
			q->proto = proto_by_name(argv[++i]);
		else if (*argv[i] == '-')
			die(EXIT_USAGE, "%s: not understood; see anyip6 --help", argv[i]);
		else
			take_address(q, argv[i]);
	}
	if (!q->text)
		die(EXIT_USAGE, "explain: which address?");
}

static struct outcome bind_really(const struct question *q, const struct link *dev)
{
	union {
		struct sockaddr_in6 in6;
		char room[32];	/* L2TP adds a connection, 0 here */
	} sa = {
		.in6 = { .sin6_family = AF_INET6, .sin6_addr = q->ip },
	};
	struct outcome o = { 0, NULL };
	int fd = socket(AF_INET6, q->proto->type | SOCK_CLOEXEC, q->proto->number);

	if (fd < 0)
		return (struct outcome){ errno, "socket" };
	if (dev && IN6_IS_ADDR_LINKLOCAL(&q->ip))
		sa.in6.sin6_scope_id = dev->index;
	if (dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev->name,
			      strlen(dev->name) + 1))
		o = (struct outcome){ errno, "SO_BINDTODEVICE" };
	else if (bind(fd, (struct sockaddr *)&sa, q->proto->number == 115 ?
		      sizeof(sa) : sizeof(sa.in6)))
		o = (struct outcome){ errno, "bind" };
	close(fd);
	return o;
}

/* Whether bind answered about the address, and not about something else. */
static bool about_address(const struct outcome *o)
{
	return !o->err || (!strcmp(o->stage, "bind") &&
			   (o->err == EADDRNOTAVAIL || o->err == EINVAL));
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

static void settle(struct answer *a, const struct outcome *o)
{
	char rule[sizeof(a->reason)];

	if (!about_address(o)) {
		a->verdict = UNKNOWN;
	} else if (agrees(a, o)) {
		a->verdict = o->err ? REFUSED : ALLOWED;
	} else {
		memcpy(rule, a->reason, sizeof(rule));
		a->verdict = o->err ? REFUSED : ALLOWED;
		a->step = STEP_UNKNOWN;
		snprintf(a->reason, sizeof(a->reason),
			 "not as the rule has it (%.1000s); did a BPF program or a change meanwhile decide?",
			 rule);
	}
}

/* All that one try found. */
struct explanation {
	struct state state;
	struct outcome outcome;
	struct answer answer;
	struct answer would;	/* STEP_NONE: the module was asked */
};

/*
 * L2TP and older SCTP do not tell the kernel their device. The answer of bind
 * shows which SCTP this is.
 */
static void decide(const struct fib *fib, const struct question *q,
		   const struct link *dev, struct explanation *e)
{
	bool l2tp = q->proto->number == 115;
	const struct link *named = dev;
	struct answer *a = &e->answer;

	e->state = (struct state){
		.loaded		= file_number(TOGGLE) >= 0,
		.on		= file_number(TOGGLE) == 1,
		.nonlocal	= file_number(NONLOCAL) == 1 &&
				  q->proto->asks_nonlocal,
	};
	rule_kernel(fib, &q->ip, dev, &e->state, a);
	if (dev && (l2tp || q->proto->number == IPPROTO_SCTP) &&
	    !IN6_IS_ADDR_LINKLOCAL(&q->ip) && (l2tp || !agrees(a, &e->outcome))) {
		named = NULL;
		rule_kernel(fib, &q->ip, NULL, &e->state, a);
	}
	e->would.step = STEP_NONE;
	if (a->step == STEP_OFF || a->step == STEP_NOT_LOADED ||
	    a->step == STEP_NONLOCAL)
		rule_any_ip(fib, &q->ip, named, &e->would);
}

/* Returns false if the state must have changed between the rule and bind. */
static bool explain_once(const struct question *q, struct explanation *e)
{
	const struct link *dev = NULL;
	struct fib fib;
	int err = fib_read(&fib, true, q->dev);

	if (err)
		die(EXIT_CANNOT, "netlink: %s", fib_error(err));
	if (q->dev) {
		dev = fib_link_by_name(&fib, q->dev);
		if (!dev)
			die(EXIT_USAGE, "%s: no such device", q->dev);
	}
	e->outcome = bind_really(q, dev);
	decide(&fib, q, dev, e);
	fib_free(&fib);
	if (about_address(&e->outcome))
		return agrees(&e->answer, &e->outcome);
	return !lost_device(&e->outcome);
}

static const char *const verdicts[] = {
	[REFUSED] = "refused", [ALLOWED] = "allowed", [UNKNOWN] = "unknown",
};

/* What has to change before the kernel asks the module. */
static const char *if_asked(const struct state *state, const struct answer *a)
{
	bool nonlocal = a->step == STEP_NONLOCAL;

	if (!state->loaded)
		return nonlocal ? "with 0, and anyip6 loaded" : "not loaded; with it";
	if (!state->on)
		return nonlocal ? "with 0, and net.ipv6.anyip_bind=1" : "with 1";
	return "with 0";
}

static void print_text(struct explanation *e)
{
	const struct outcome *o = &e->outcome;
	struct answer *a = &e->answer;

	if (a->verdict == UNKNOWN)
		printf("unknown: %s: %s; by the rule: %s: %s\n", o->stage,
		       strerror(o->err), step_word(a->step), plain(a->reason));
	else
		printf("%s: %s\n", verdicts[a->verdict], plain(a->reason));
	if (e->would.step)
		printf("%s, this bind would be %s: %s\n", if_asked(&e->state, a),
		       verdicts[e->would.verdict], plain(e->would.reason));
}

static void json_answer(const struct answer *a)
{
	json_string("verdict", verdicts[a->verdict]);
	json_string("step", step_word(a->step));
	json_string("reason", a->reason);
}

static void print_json(const struct question *q, const struct explanation *e)
{
	const struct outcome *o = &e->outcome;

	json_open(NULL, '{');
	json_string("address", q->text);
	json_string("device", q->dev);
	json_string("protocol", q->proto->name);
	json_answer(&e->answer);
	json_string("failed", o->stage);
	json_string("error", o->err ? strerror(o->err) : NULL);
	if (e->would.step) {
		json_open("would", '{');
		json_answer(&e->would);
		json_close();
	}
	json_close();
}

int cmd_explain(int argc, char **argv)
{
	static const int codes[] = {
		[REFUSED] = EXIT_REFUSED, [ALLOWED] = EXIT_ALLOWED,
		[UNKNOWN] = EXIT_CANNOT,
	};
	struct explanation e = {};
	struct question q;

	take_arguments(&q, argc, argv);
	for (int i = 0; i < TRIES && !explain_once(&q, &e); i++)
		;
	settle(&e.answer, &e.outcome);
	if (want_json)
		print_json(&q, &e);
	else
		print_text(&e);
	return codes[e.answer.verdict];
}
