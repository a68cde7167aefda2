// SPDX-License-Identifier: GPL-2.0
/* What the counters have that nobody may trace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/steps.h"
#include "anyip6.h"
#include "json.h"
#include "watch.h"

#define MAX_COUNTERS	32

static struct counter {
	char name[64];
	unsigned long value, more;
} counters[MAX_COUNTERS];
static size_t n_counters, n_read;

/* The module may have been loaded again meanwhile, and begun at 0. */
static void take(char (*words)[64])
{
	struct counter *c = &counters[n_read];
	const unsigned long value = strtoul(words[1], NULL, 10);

	if (n_read == MAX_COUNTERS)
		return;
	if (n_read++ == n_counters) {
		snprintf(c->name, sizeof(c->name), "%s", words[0]);
		c->value = value;
		n_counters++;
	}
	c->more = value < c->value ? value : value - c->value;
	c->value = value;
}

static bool read_counters(void)
{
	n_read = 0;
	file_each_line(COUNTERS, 2, take);
	return n_read;
}

static bool is_yes(const char *name)
{
#define YES(asker, yes, no) yes,
	static const char *const all[] = { "Anyip6Allowed", ANYIP6_REPLIES(YES) };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(name, all[i]))
			return true;
	return false;
}

static bool is_news(const struct counter *c, const struct wanted *wanted)
{
	return c->more && !(wanted->refused && is_yes(c->name));
}

static const char *now(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return time_text(wall.tv_sec, wall.tv_nsec / 1000);
}

static void print_json(const struct wanted *wanted)
{
	json_open(NULL, '{');
	json_string("time", now());
	json_open("counters", '{');
	for (size_t i = 0; i < n_counters; i++)
		if (is_news(&counters[i], wanted))
			json_number(counters[i].name, counters[i].more);
	json_close();
	json_close();
}

static void print_text(const struct wanted *wanted)
{
	fputs(now(), stdout);
	for (size_t i = 0; i < n_counters; i++)
		if (is_news(&counters[i], wanted))
			printf(" %s +%lu", counters[i].name, counters[i].more);
	putchar('\n');
}

static void print_news(const struct wanted *wanted)
{
	bool news = false;

	for (size_t i = 0; i < n_counters; i++)
		news |= is_news(&counters[i], wanted);
	if (!news)
		return;
	if (want_json)
		print_json(wanted);
	else
		print_text(wanted);
}

int watch_counters(const struct wanted *wanted, const char *why)
{
	bool more = true;

	if (!read_counters())
		die(EXIT_CANNOT, "watch: %s, and " COUNTERS " cannot be read", why);
	complain("watch: %s; these are the counters, each second that they change", why);
	while (read_counters()) {
		print_news(wanted);
		if (!more)
			return 0;
		more = watch_wait(-1, 1000);
	}
	complain("watch: the module was unloaded");
	return EXIT_NOT_LOADED;
}
