// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anyip6.h"
#include "json.h"
#include "text.h"

#define MAX_DEPTH	16

static char closing[MAX_DEPTH];
static int depth;
static bool first;

/* Collects all that is written until the outermost bracket closes. */
static FILE *object;
static char *written;
static size_t length;

static void text(const char *s)
{
	int n;

	fputc('"', object);
	for (; *s; s += n ?: 1) {
		n = utf8_length(s);
		if (!n)
			fputs("\\ufffd", object);
		else if (*s == '"' || *s == '\\')
			fprintf(object, "\\%c", *s);
		else if (n == 1 && (*s < ' ' || *s == 0x7f))
			fprintf(object, "\\u%04x", *s);
		else
			fwrite(s, n, 1, object);
	}
	fputc('"', object);
}

static void begin(const char *name)
{
	if (!first)
		fputc(',', object);
	first = false;
	if (name) {
		text(name);
		fputc(':', object);
	}
}

static void start(void)
{
	object = need(open_memstream(&written, &length));
	first = true;
}

static void finish(void)
{
	fputc('\n', object);
	if (fclose(object))
		die(EXIT_CANNOT, "%s", strerror(errno));
	fwrite(written, length, 1, stdout);
	free(written);
}

void json_open(const char *name, char bracket)
{
	if (!depth)
		start();
	begin(name);
	fputc(bracket, object);
	closing[depth++] = bracket == '{' ? '}' : ']';
	first = true;
}

void json_close(void)
{
	fputc(closing[--depth], object);
	first = false;
	if (!depth)
		finish();
}

/* Writes null for NULL. */
void json_string(const char *name, const char *value)
{
	begin(name);
	if (value)
		text(value);
	else
		fputs("null", object);
}

void json_number(const char *name, unsigned long value)
{
	begin(name);
	fprintf(object, "%lu", value);
}

void json_bool(const char *name, bool value)
{
	begin(name);
	fputs(value ? "true" : "false", object);
}
