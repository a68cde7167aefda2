// SPDX-License-Identifier: GPL-2.0
/* The clock: what an act costs, without the cost of reading the clock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define LOOP	1000

static unsigned long samples[ITERATIONS];

/* Ends the program on an error: later numbers would measure something else. */
void must(int err, const char *what)
{
	if (!err)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-err));
	exit(1);
}

/* Makes a namespace with these lines of ip. @mode is the module's state. */
void new_host(enum anyip6_mode mode, const char *lines)
{
	bool absent = mode == MODE_ABSENT;

	netns_new();
	must(ip_batch(AF_UNSPEC, lines) ? -EINVAL : 0, ip_message());
	if (absent == anyip6_loaded())
		must(-EBADE, "the module, or that there is none");
	toggle_set(mode);
}

int compare_costs(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

static struct cost run(const struct act *act, void *ctx)
{
	struct cost cost = {};
	unsigned long begin;
	int err;

	for (int i = 0; i < ITERATIONS; i++) {
		if (act->prepare)
			must(act->prepare(ctx), "preparing");
		begin = now();
		err = act->act(ctx);
		samples[i] = now() - begin;
		if (act->tidy)
			act->tidy(ctx);
		if (i && err != cost.err)
			must(err ?: -EBADE, "not what it was before");
		cost.err = err;
	}
	qsort(samples, ITERATIONS, sizeof(*samples), compare_costs);
	cost.min = samples[0];
	cost.median = samples[ITERATIONS / 2];
	return cost;
}

static int nothing(void *ctx)
{
	(void)ctx;
	return 0;
}

struct cost measure(const struct act *act, void *ctx)
{
	static const struct act empty = { .act = nothing };
	unsigned long base = run(&empty, NULL).min;
	struct cost cost = run(act, ctx);

	cost.min -= base;
	cost.median -= base;
	return cost;
}

/* Two instructions, LOOP times. */
static int loop(void *ctx)
{
	unsigned long n = LOOP;

	(void)ctx;
#if defined(__x86_64__)
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
#elif defined(__aarch64__)
	__asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (n) : : "cc");
#endif
	return 0;
}

/* What the clock counts for 1000 instructions. */
unsigned long clock_check(void)
{
	static const struct act act = { .act = loop };

	return measure(&act, NULL).median / 2;
}
