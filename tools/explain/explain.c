// SPDX-License-Identifier: GPL-2.0
/* anyip6 explain: binds a socket and says which step of the rule decided. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "anyip6.h"
#include "ask.h"
#include "json.h"
#include "text.h"

/* All questions: each address with the same options. */
struct questions {
	struct question common;
	struct addresses all;
};

static const struct proto *take_proto(const char *name)
{
	const struct proto *p = proto_by_name(name);

	if (!p)
		die(EXIT_USAGE, "%s: no such protocol; see anyip6 --help", name);
	return p;
}

static void take_argument(struct questions *qs, char **argv, int *i)
{
	struct question *q = &qs->common;
	const char *proto;

	if (take_value(argv, i, "--dev", &q->dev))
		return;
	if (take_value(argv, i, "--proto", &proto))
		q->proto = take_proto(proto);
	else if (!strcmp(argv[*i], "--ndisc"))
		q->ndisc = true;
	else if (!strcmp(argv[*i], "--pkt"))
		q->pktinfo = true;
	else
		addresses_take(&qs->all, argv[*i]);
}

static void check_address(const struct question *q, const struct address *a)
{
	if (*a->dev && q->dev && strcmp(a->dev, q->dev))
		die(EXIT_USAGE, "%s: either %%%s or --dev %s", a->text, a->dev, q->dev);
	if (q->ndisc && !*a->dev && !q->dev)
		die(EXIT_USAGE, "explain --ndisc: on which device? (--dev)");
	if (q->ndisc && IS_PREFIX(a))
		die(EXIT_USAGE, "%s: --ndisc is for addresses, not for prefixes", a->text);
}

/* Checks all before it asks the first, so that a mistake changes nothing. */
static struct questions take_arguments(int argc, char **argv)
{
	struct questions qs = {};
	struct question *q = &qs.common;

	for (int i = 1; i < argc; i++)
		take_argument(&qs, argv, &i);
	if (!qs.all.n)
		die(EXIT_USAGE, "explain: which address?");
	if (q->ndisc && (q->proto || q->pktinfo))
		die(EXIT_USAGE, "explain: --ndisc goes without --proto and --pkt");
	q->proto = q->proto ?: proto_by_name(q->pktinfo ? "udp" : "tcp");
	if (q->pktinfo && strcmp(q->proto->name, "udp"))
		die(EXIT_USAGE, "explain: --pkt asks with UDP");
	for (size_t i = 0; i < qs.all.n; i++)
		check_address(q, &qs.all.list[i]);
	return qs;
}

static const char *const verdicts[] = {
	[REFUSED] = "refused", [ALLOWED] = "allowed", [UNKNOWN] = "unknown",
	[PARTLY] = "partly",
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

/* The device is a part of the question: the answer is for sockets on it. */
static const char *subject(const struct explained *x, const char *address)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s%s%s", address, *x->dev ? "%" : "", x->dev);
	return text;
}

/* The line without its verdict */
static void print_answer(const struct question *q, const char *subject,
			 const struct explanation *e, bool would)
{
	struct answer a = *answer_of(e, would);
	const struct answer rule = a;
	const struct outcome *o = &e->outcome;

	if (!would && a.verdict == UNKNOWN && o->err) {
		a.step = STEP_UNKNOWN;
		snprintf(a.reason, sizeof(a.reason), "%s: %s; by the rule: %s: %.1000s",
			 o->stage, strerror(o->err), step_word(rule.step), rule.reason);
	}
	answer_print(subject, &a);
	if (o->not_loaded && !would)
		printf("; by the rule alone, as %s is not loaded", q->proto->name);
	putchar('\n');
}

static const char *part_text(const struct part *p)
{
	static char text[INET6_ADDRSTRLEN + 4];
	char ip[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &p->ip, ip, sizeof(ip));
	if (p->len == 128)
		return strcpy(text, ip);
	snprintf(text, sizeof(text), "%s/%u", ip, p->len);
	return text;
}

/*
 * The verdict of the nearest prefix around a part that is no empty part. A part
 * with that verdict goes without saying.
 */
static bool goes_without_saying(const struct explained *x, size_t at, bool would)
{
	const struct part *list = x->parts.list;

	for (size_t i = at; i-- > 0;)
		if (!list[i].empty && prefix_covers(&list[i].ip, list[i].len, &list[at].ip))
			return answer_of(&x->of[i], would)->verdict ==
			       answer_of(&x->of[at], would)->verdict;
	return false;
}

static void print_parts(const struct question *q, const struct explained *x, bool would)
{
	printf("partly: %s; for an address, its longest prefix below counts:\n",
	       subject(x, q->address.text));
	for (size_t i = 0; i < x->parts.n; i++) {
		if (x->parts.list[i].empty || goes_without_saying(x, i, would))
			continue;
		printf("  %s: ", verdicts[answer_of(&x->of[i], would)->verdict]);
		print_answer(q, part_text(&x->parts.list[i]), &x->of[i], would);
	}
}

static void print_verdict(const struct question *q, const struct explained *x, bool would)
{
	enum verdict v = overall(x, would);
	char text[160];

	if (v == PARTLY) {
		print_parts(q, x, would);
		return;
	}
	snprintf(text, sizeof(text), "%s%s", IS_PREFIX(&q->address) ? "all of " : "",
		 subject(x, q->address.text));
	printf("%s: ", verdicts[v]);
	print_answer(q, text, first_explanation(x), would);
}

/* A short second line for an address, and all parts again for a prefix. */
static void print_would(const struct question *q, const struct explained *x)
{
	const struct explanation *e = first_explanation(x);
	const char *with = if_asked(&x->state, &e->answer);
	struct answer would = e->would;

	if (!would.step)
		return;
	if (IS_PREFIX(&q->address)) {
		printf("%s, it would be ", with);
		print_verdict(q, x, true);
	} else {
		printf("%s, this %s would be %s: %s\n", with, q->pktinfo ? "source" : "bind",
		       verdicts[would.verdict], plain(would.reason));
	}
}

static void print_text(const struct question *q, const struct explained *x,
		       const struct advice *advice)
{
	print_verdict(q, x, false);
	print_would(q, x);
	lines_print(&advice->hints, "hint");
	lines_print(&advice->warnings, "warning");
}

static void json_explanation(const struct explanation *e)
{
	const struct outcome *o = &e->outcome;

	answer_json(verdicts[e->answer.verdict], &e->answer);
	json_string("failed", o->stage);
	json_string("error", o->err ? strerror(o->err) : NULL);
	if (e->would.step) {
		json_open("would", '{');
		answer_json(verdicts[e->would.verdict], &e->would);
		json_close();
	}
}

static void json_parts(const struct explained *x)
{
	json_string("verdict", verdicts[overall(x, false)]);
	json_open("parts", '[');
	for (size_t i = 0; i < x->parts.n; i++) {
		if (x->parts.list[i].empty)
			continue;
		json_open(NULL, '{');
		json_string("address", part_text(&x->parts.list[i]));
		json_explanation(&x->of[i]);
		json_close();
	}
	json_close();
}

static void print_json(const struct question *q, const struct explained *x,
		       const struct advice *advice)
{
	const struct explanation *e = first_explanation(x);

	json_open(NULL, '{');
	json_string("address", q->address.text);
	json_string("device", *x->dev ? x->dev : NULL);
	json_string("protocol", q->proto->name);
	json_bool("protocol_loaded", !e->outcome.not_loaded);
	json_string("asked", q->pktinfo ? "pktinfo" : "bind");
	if (IS_PREFIX(&q->address))
		json_parts(x);
	else
		json_explanation(e);
	lines_json(&advice->hints, "hints");
	lines_json(&advice->warnings, "warnings");
	json_close();
}

static int explain_bind(const struct question *q)
{
	static const int codes[] = {
		[REFUSED] = EXIT_REFUSED, [ALLOWED] = EXIT_ALLOWED,
		[UNKNOWN] = EXIT_CANNOT, [PARTLY] = EXIT_REFUSED,
	};
	struct explained x = {};
	struct advice advice;
	enum verdict v;

	ask(q, &x);
	v = overall(&x, false);
	advice = advise(q, &x);
	if (want_json)
		print_json(q, &x, &advice);
	else
		print_text(q, &x, &advice);
	advice_free(&advice);
	ask_free(&x);
	return codes[v];
}

/* The exit code is that of the worst answer. */
int cmd_explain(int argc, char **argv)
{
	struct questions qs = take_arguments(argc, argv);
	int worst = EXIT_ALLOWED, code;

	for (size_t i = 0; i < qs.all.n; i++) {
		struct question q = qs.common;

		q.address = qs.all.list[i];
		if (*q.address.dev)
			q.dev = q.address.dev;
		code = q.ndisc ? explain_ndisc(&q) : explain_bind(&q);
		if (code > worst)
			worst = code;
	}
	free(qs.all.list);
	return worst;
}
