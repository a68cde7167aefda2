// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "anyip6.h"
#include "json.h"
#include "text.h"

void lines_add(struct lines *lines, const char *fmt, ...)
{
	va_list args;

	if (lines->n == MAX_LINES)
		return;
	va_start(args, fmt);
	if (vasprintf(&lines->of[lines->n], fmt, args) < 0)
		lines->of[lines->n] = NULL;
	va_end(args);
	need(lines->of[lines->n++]);
}

void lines_print(const struct lines *lines, const char *word)
{
	for (int i = 0; i < lines->n; i++)
		printf("%s: %s\n", word, plain(lines->of[i]));
}

void lines_json(const struct lines *lines, const char *name)
{
	json_open(name, '[');
	for (int i = 0; i < lines->n; i++)
		json_string(NULL, lines->of[i]);
	json_close();
}

void lines_free(struct lines *lines)
{
	while (lines->n)
		free(lines->of[--lines->n]);
}

void answer_print(const char *subject, const struct answer *a)
{
	char line[sizeof(a->reason) + 128];

	snprintf(line, sizeof(line), "%s%s%s", subject,
		 a->step == STEP_ALLOWED ? " by " : ": ", a->reason);
	fputs(plain(line), stdout);
}

static void json_text(const char *name, const char *text)
{
	json_string(name, *text ? text : NULL);
}

void answer_json(const char *verdict, const struct answer *a)
{
	json_string("verdict", verdict);
	json_string("step", step_word(a->step));
	json_string("reason", a->reason);
	if (!*a->route.type) {
		json_string("route", NULL);
		return;
	}
	json_open("route", '{');
	json_string("type", a->route.type);
	json_string("prefix", a->route.prefix);
	json_text("device", a->route.device);
	json_string("table", a->route.table);
	json_close();
}
