// SPDX-License-Identifier: GPL-2.0
/*
 * anyip6 explain --ndisc: says whether a neighbour solicitation is answered, and
 * which switch or step decides. Nobody can be asked without the link, so this is
 * the rule alone.
 */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "anyip6.h"
#include "ask.h"
#include "json.h"
#include "text.h"

static const char *const verdicts[] = {
	[REFUSED] = "ignored", [ALLOWED] = "answered",
};

static bool proxy_ndp_is_on(const char *dev)
{
	char path[128];

	snprintf(path, sizeof(path), PROXY_NDP, dev);
	return file_number(path) > 0;
}

static struct state read_state(const char *dev)
{
	return (struct state){
		.loaded		= file_number(TOGGLE) >= 0,
		.on		= file_number(TOGGLE) == 1,
		.has_ndisc	= file_number(NDISC) >= 0,
		.ndisc		= file_number(NDISC) == 1,
		.proxy_ndp	= proxy_ndp_is_on("all") || proxy_ndp_is_on(dev),
	};
}

static bool is_switch(enum step step)
{
	return step == STEP_NOT_LOADED || step == STEP_PARAMETER ||
	       step == STEP_NDISC_OFF || step == STEP_PROXY_NDP || step == STEP_OFF;
}

static bool is_gateway(const struct fib *fib, const struct in6_addr *ip)
{
	for (size_t i = 0; i < fib->n_gateways; i++)
		if (fib->gateways[i].is_default &&
		    !memcmp(&fib->gateways[i].ip, ip, sizeof(*ip)))
			return true;
	return false;
}

/* What the operator should look at if the module answers. */
static void warn(const struct fib *fib, const struct question *q,
		 const struct link *dev, struct lines *warnings)
{
	if (!dev->all_groups)
		lines_add(warnings,
			  "%s does not take all groups, so a real device drops most solicitations; see allmulticast in ip-link(8)",
			  dev->name);
	if (is_gateway(fib, &q->address.ip))
		lines_add(warnings,
			  "it is the gateway of a default route; this host answers in its place");
}

static void print_text(const struct question *q, struct answer *a,
		       struct answer *would, const struct lines *warnings)
{
	char subject[128];

	snprintf(subject, sizeof(subject), "%s%%%s", q->address.text, q->dev);
	printf("%s: ", verdicts[a->verdict]);
	answer_print(subject, a);
	putchar('\n');
	if (would->step)
		printf("with all switches on, it would be %s: %s\n",
		       verdicts[would->verdict], plain(would->reason));
	lines_print(warnings, "warning");
}

static void print_json(const struct question *q, const struct answer *a,
		       const struct answer *would, const struct lines *warnings)
{
	json_open(NULL, '{');
	json_string("address", q->address.text);
	json_string("device", q->dev);
	json_string("asked", "ndisc");
	answer_json(verdicts[a->verdict], a);
	if (would->step) {
		json_open("would", '{');
		answer_json(verdicts[would->verdict], would);
		json_close();
	}
	lines_json(warnings, "warnings");
	json_close();
}

int explain_ndisc(const struct question *q)
{
	struct answer a = {}, would = { .step = STEP_NONE };
	struct lines warnings = {};
	const struct link *dev;
	struct state state;
	struct fib fib;
	int err = fib_read(&fib, FIB_GATEWAYS, q->dev);

	if (err)
		die(EXIT_CANNOT, "netlink: %s", fib_error(err));
	dev = fib_link_by_name(&fib, q->dev);
	if (!dev)
		die(EXIT_USAGE, "%s: no such device", q->dev);
	state = read_state(q->dev);
	rule_ndisc(&fib, &q->address.ip, dev, &state, &a);
	if (is_switch(a.step))
		rule_ndisc_any_ip(&fib, &q->address.ip, dev, &would);
	if (a.step == STEP_ALLOWED || would.step == STEP_ALLOWED)
		warn(&fib, q, dev, &warnings);
	fib_free(&fib);
	if (want_json)
		print_json(q, &a, &would, &warnings);
	else
		print_text(q, &a, &would, &warnings);
	lines_free(&warnings);
	return a.verdict == ALLOWED ? EXIT_ALLOWED : EXIT_REFUSED;
}
