// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "anyip6.h"
#include "text.h"

#define MAX_TEXT	128	/* the longest way to write one is shorter */

__attribute__((format(printf, 1, 2)))
static const char *wrong(const char *fmt, ...)
{
	static char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return plain(text);
}

/* Digits alone, and not more than @max. */
static bool number(const char *text, unsigned int max, unsigned int *value)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 5 || text[digits])
		return false;
	*value = atoi(text);
	return *value <= max;
}

static bool port(const char *text, unsigned int *value)
{
	return number(text, 65535, value) && *value;
}

void address_mask(struct in6_addr *ip, unsigned int len)
{
	for (unsigned int i = 0; i < 16; i++, len -= len < 8 ? len : 8)
		ip->s6_addr[i] &= len < 8 ? 0xff00 >> len : 0xff;
}

/* IPv4, also with a port or a length. */
static bool is_ipv4(const char *text)
{
	char host[MAX_TEXT];
	struct in_addr ip;

	snprintf(host, sizeof(host), "%s", text + (*text == '['));
	host[strcspn(host, ":/@]%")] = '\0';
	return inet_pton(AF_INET, host, &ip) == 1;
}

/* Splits ADDR:PORT without brackets at the last colon. Are both valid? */
static bool split(const char *text, char *host, size_t size, unsigned int *value)
{
	struct in6_addr ip;
	char *colon;

	snprintf(host, size, "%s", text);
	colon = strrchr(host, ':');
	if (!colon || !port(colon + 1, value))
		return false;
	*colon = '\0';
	return inet_pton(AF_INET6, host, &ip) == 1;
}

static const char *no_address(const char *text, const char *host)
{
	unsigned int value;
	char rest[MAX_TEXT];

	if (is_ipv4(text))
		return wrong("%s: IPv4 needs no module: it binds to every address of a local route",
			     text);
	if (split(host, rest, sizeof(rest), &value))
		return wrong("%s: not an IPv6 address; with a port it is [%s]:%u", text,
			     rest, value);
	return wrong("%s: not an IPv6 address", text);
}

/* [ADDR] or [ADDR]:PORT: cuts it down to ADDR. */
static const char *take_brackets(char **host, struct address *a)
{
	char *end = strrchr(*host, ']');

	if (!end)
		return "a bracket is missing";
	*end++ = '\0';
	++*host;
	if (*end && (*end != ':' || !port(end + 1, &a->port)))
		return "what follows the bracket is no port";
	return NULL;
}

/* ADDR@PORT, as NSD and unbound write it, or PREFIX/LENGTH: cuts it down to ADDR. */
static const char *take_suffix(char *host, struct address *a)
{
	char *slash = strchr(host, '/'), *at = strchr(host, '@');

	if (slash) {
		*slash++ = '\0';
		return number(slash, 128, &a->len) ? NULL :
			"a prefix length is a number from 0 to 128";
	}
	/* behind %, it is a part of the device's name */
	if (!at || memchr(host, '%', at - host))
		return NULL;
	*at++ = '\0';
	return port(at, &a->port) ? NULL : "what follows the @ is no port";
}

static const char *take_device(char *host, struct address *a)
{
	char *percent = strchr(host, '%');

	if (!percent)
		return NULL;
	*percent++ = '\0';
	if (!*percent || strlen(percent) >= sizeof(a->dev))
		return "what follows the % is no device";
	snprintf(a->dev, sizeof(a->dev), "%s", percent);
	return NULL;
}

static void write_text(struct address *a)
{
	size_t len;

	inet_ntop(AF_INET6, &a->ip, a->text, sizeof(a->text));
	len = strlen(a->text);
	if (IS_PREFIX(a))
		snprintf(a->text + len, sizeof(a->text) - len, "/%u", a->len);
}

const char *address_parse(const char *text, struct address *a)
{
	char copy[MAX_TEXT], *host = copy;
	const char *why;

	*a = (struct address){ .len = 128 };
	if (strlen(text) >= sizeof(copy))
		return wrong("%.40s...: not an IPv6 address", text);
	strcpy(copy, text);
	why = *host == '[' ? take_brackets(&host, a) : take_suffix(host, a);
	why = why ?: take_device(host, a);
	if (inet_pton(AF_INET6, host, &a->ip) != 1)
		return no_address(text, host);
	if (why)
		return wrong("%s: %s", text, why);
	address_mask(&a->ip, a->len);
	write_text(a);
	if (!strpbrk(text, "[@/%") &&
	    !split(text, a->meant, sizeof(a->meant), &a->meant_port))
		*a->meant = '\0';
	return NULL;
}

/* @where: of which line of stdin, or empty */
static void take(struct addresses *all, const char *text, const char *where)
{
	const char *complaint;

	all->list = need(realloc(all->list, (all->n + 1) * sizeof(*all->list)));
	complaint = address_parse(text, &all->list[all->n++]);
	if (complaint)
		die(EXIT_USAGE, "%s%s", where, complaint);
}

/* Leaves out empty lines, and the space around an address. */
static void take_stdin(struct addresses *all)
{
	char *line = NULL, where[32];
	size_t size = 0, n = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) >= 0) {
		char *text = line + strspn(line, " \t");

		while (len && isspace((unsigned char)line[len - 1]))
			line[--len] = '\0';
		snprintf(where, sizeof(where), "line %zu: ", ++n);
		if (*text)
			take(all, text, where);
	}
	if (ferror(stdin))
		die(EXIT_CANNOT, "stdin: %s", strerror(errno));
	if (!all->n)
		die(EXIT_USAGE, "no address on stdin");
	free(line);
}

void addresses_take(struct addresses *all, const char *word)
{
	if (!strcmp(word, "-"))
		take_stdin(all);
	else if (*word == '-')
		die(EXIT_USAGE, "%s: not understood; see anyip6 --help", word);
	else
		take(all, word, "");
}
