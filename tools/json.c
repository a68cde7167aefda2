// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "json.h"

#define MAX_DEPTH	16

static char closing[MAX_DEPTH];
static int depth;
static bool first = true;

static void text(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void begin(const char *name)
{
	if (!first)
		putchar(',');
	first = false;
	if (name) {
		text(name);
		putchar(':');
	}
}

void json_open(const char *name, char bracket)
{
	begin(name);
	putchar(bracket);
	closing[depth++] = bracket == '{' ? '}' : ']';
	first = true;
}

void json_close(void)
{
	putchar(closing[--depth]);
	first = false;
	if (!depth)
		putchar('\n');
}

/* NULL is null. */
void json_string(const char *name, const char *value)
{
	begin(name);
	if (value)
		text(value);
	else
		printf("null");
}

void json_number(const char *name, unsigned long value)
{
	begin(name);
	printf("%lu", value);
}

void json_bool(const char *name, bool value)
{
	begin(name);
	printf(value ? "true" : "false");
}
