// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "counts.h"
#include "run.h"

const char *const counter_names[NR_COUNTERS] = {
#define STEP(name, counter, word) counter,
	ANYIP6_STEPS(STEP, STEP)
#undef STEP
#define REPLY(name, yes, no) yes, no,
	ANYIP6_REPLIES(REPLY)
#undef REPLY
};

bool counts_parse(const char *text, struct counts *c)
{
	char name[64];
	int used;

	for (int i = 0; i < NR_COUNTERS; i++, text += used) {
		if (sscanf(text, "%63s %lu\n%n", name, &c->of[i], &used) != 2 ||
		    strcmp(name, counter_names[i]))
			return false;
	}
	return !*text;
}

bool counts_read(struct counts *c)
{
	char text[1024];

	return file_read(COUNTERS, text, sizeof(text)) && counts_parse(text, c);
}

struct counts counts_must(void)
{
	struct counts c;

	if (!counts_read(&c))
		die(COUNTERS " cannot be read");
	return c;
}
