// SPDX-License-Identifier: GPL-2.0
/* anyip6 check: what is wrong on this host, and what to do. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../explain/advice.h"
#include "../explain/ask.h"
#include "../lib/anyip6.h"
#include "../lib/json.h"
#include "../lib/text.h"
#include "check.h"

static struct problem {
	const char *id, *fix;
	char *text;
} *problems;
static size_t n_problems;

void report(const char *id, const char *fix, const char *fmt, ...)
{
	struct problem *p;
	va_list args;

	problems = need(realloc(problems, (n_problems + 1) * sizeof(*problems)));
	p = &problems[n_problems++];
	*p = (struct problem){ .id = id, .fix = fix };
	va_start(args, fmt);
	if (vasprintf(&p->text, fmt, args) < 0)
		p->text = NULL;
	va_end(args);
	need(p->text);
}

const char *command_line(const char *command)
{
	static char line[512];
	FILE *f = popen(command, "re");

	*line = '\0';
	if (!f)
		return line;
	if (!fgets(line, sizeof(line), f))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	pclose(f);
	return line;
}

static void print(void)
{
	if (want_json) {
		json_open(NULL, '{');
		json_open("problems", '[');
	}
	for (size_t i = 0; i < n_problems; i++) {
		const struct problem *p = &problems[i];
		char fix[512];

		if (!want_json) {
			printf("%s: %s", p->id, plain(p->text));
			snprintf(fix, sizeof(fix), "%s", p->fix);
			printf("; to do: %s\n", plain(fix));
			continue;
		}
		json_open(NULL, '{');
		json_string("id", p->id);
		json_string("problem", p->text);
		json_string("fix", p->fix);
		json_close();
	}
	if (want_json) {
		json_close();
		json_close();
	}
}

/* Of the first part of a prefix, or NULL. */
static const struct answer *first_refused(const struct explained *x)
{
	for (size_t i = 0; i < x->parts.n; i++)
		if (!x->parts.list[i].empty && x->of[i].answer.verdict != ALLOWED)
			return &x->of[i].answer;
	return NULL;
}

/* Cannot a socket be bound to it? explain says why. */
static void check_address(const struct address *address)
{
	const struct question q = {
		.address = *address, .dev = *address->dev ? address->dev : NULL,
		.proto = proto_by_name("tcp"),
	};
	struct explained x = {};
	struct advice advice;
	const struct answer *a;

	if (q.dev && !if_nametoindex(q.dev)) {
		report("address", "ip link", "%s: there is no device %s", address->text, q.dev);
		return;
	}
	ask(&q, &x);
	advice = advise(&q, &x);
	a = first_refused(&x);
	if (a)
		report("address", fmt_text("anyip6 explain %s%s%s says more", address->text,
					   q.dev ? "%" : "", q.dev ?: ""),
		       "%s: %s", address->text, a->reason);
	for (int i = 0; i < advice.warnings.n; i++)
		report("address", "see anyip6 explain", "%s", advice.warnings.of[i]);
	advice_free(&advice);
	ask_free(&x);
}

int cmd_check(int argc, char **argv)
{
	struct addresses all = {};
	struct utsname uts;
	struct host host;

	for (int i = 1; i < argc; i++)
		addresses_take(&all, argv[i]);
	uname(&uts);
	host = (struct host){
		.release = uts.release, .module = module_state(uts.release),
		.booted = !access("/run/systemd/system", F_OK),
	};
	if (host.module.is == CANNOT_SEE)
		die(EXIT_CANNOT, "/proc/sys and /sys are hidden here");
	check_host(&host);
	check_netns(&host);
	for (size_t i = 0; i < all.n; i++)
		check_address(&all.list[i]);
	free(all.list);
	print();
	return n_problems ? EXIT_REFUSED : 0;
}
