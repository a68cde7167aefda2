// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/anyip6.h"
#include "config.h"

#define MAX_WORDS	8
#define MAX_LINE	1024

/* No blank and no word of ip(8)'s batches. The kernel takes more. */
#define NAME	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@-"

/* The types that a line can have. */
static const struct type {
	const char *name;
	bool needs_dev, has_dev, has_neigh;
} types[] = {
	{ .name = "local", .has_dev = true, .has_neigh = true },
	{ .name = "unreachable" },
	{ .name = "unicast", .has_dev = true, .needs_dev = true },
};

static const struct type *type_of(const char *word)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(word, types[i].name))
			return &types[i];
	return NULL;
}

/* 2001:db8::1/64 is a mistake of one kind or the other. */
static bool has_host_bits(const char *word, const struct address *a)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	snprintf(host, sizeof(host), "%.*s", (int)strcspn(word, "/"), word);
	return inet_pton(AF_INET6, host, &ip) == 1 && memcmp(&ip, &a->ip, sizeof(ip));
}

static const char *take_prefix(const char *word, struct prefix *p)
{
	const char *why = address_parse(word, &p->address);

	if (why)
		return why;
	if (has_host_bits(word, &p->address))
		return "the prefix has bits behind its length; is the length right?";
	if (p->address.port || *p->address.dev)
		return "a prefix has no port and no %device";
	if (!p->address.len)
		return "::/0 is every address there is";
	if (IN6_IS_ADDR_MULTICAST(&p->address.ip))
		return "a multicast address cannot be local";
	return NULL;
}

/* Where the device of a word such as "dev" goes, or NULL. */
static char *place_of(const char *word, const struct type *type, struct prefix *p)
{
	if (!strcmp(word, "dev") && type->has_dev)
		return p->dev;
	if (!strcmp(word, "neigh") && type->has_neigh)
		return p->neigh;
	return strcmp(word, "vrf") ? NULL : p->vrf;
}

static const char *take_device(char **words, const struct type *type, struct prefix *p)
{
	char *place = place_of(words[0], type, p);

	if (!place)
		return strstr("dev vrf neigh", words[0]) ?
			"unreachable takes only vrf, and unicast no neigh" :
			"after the prefix come dev, vrf and neigh, each with a device";
	if (!words[1])
		return "a device is missing at the end";
	if (*place)
		return "a word comes twice";
	if (strlen(words[1]) >= IFNAMSIZ || strspn(words[1], NAME) != strlen(words[1]))
		return "the name of a device has 15 characters at most, of A-Z a-z 0-9 _ . : @ -";
	strcpy(place, words[1]);
	return NULL;
}

const char *prefix_parse(char **words, int n, struct prefix *p)
{
	const struct type *type = n ? type_of(words[0]) : NULL;
	const char *why;

	*p = (struct prefix){};
	if (!type)
		return "a line begins with local, unreachable or unicast";
	if (n < 2)
		return "the prefix is missing";
	p->type = type->name;
	why = take_prefix(words[1], p);
	for (int i = 2; !why && i < n; i += 2)
		why = take_device(words + i, type, p);
	return why;
}

const char *prefix_lacks(const struct prefix *p)
{
	return type_of(p->type)->needs_dev && !*p->dev ?
		"unicast needs dev, the device towards that prefix" : NULL;
}

void prefix_complain(const struct prefix *p, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (*p->where)
		complain("%s: %s", p->where, text);
	else
		complain("%s", text);
}

bool prefix_same(const struct prefix *a, const struct prefix *b)
{
	return a->address.len == b->address.len && !strcmp(a->vrf, b->vrf) &&
		!memcmp(&a->address.ip, &b->address.ip, sizeof(a->address.ip));
}

const struct prefix *config_find(const struct config *config, const struct prefix *p)
{
	for (size_t i = 0; i < config->n; i++)
		if (prefix_same(&config->prefixes[i], p))
			return &config->prefixes[i];
	return NULL;
}

void config_add(struct config *config, const struct prefix *p)
{
	config->prefixes = need(realloc(config->prefixes,
					(config->n + 1) * sizeof(*config->prefixes)));
	config->prefixes[config->n++] = *p;
}

void config_free(struct config *config)
{
	free(config->prefixes);
	*config = (struct config){};
}

/* Splits a line at its blanks, and without its comment. */
static int split(char *line, char **words)
{
	char *word;
	int n = 0;

	line[strcspn(line, "#\n")] = '\0';
	while (n < MAX_WORDS && (word = strsep(&line, " \t\r")))
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	return n;
}

/* Adds the line's prefix, if there is one. Returns NULL, or what is wrong. */
static const char *take_line(struct config *config, char *line, const char *where)
{
	static char twice[600];
	const struct prefix *other;
	char *words[MAX_WORDS + 1];
	const char *why;
	struct prefix p;
	int n = split(line, words);

	if (!n)
		return NULL;
	why = prefix_parse(words, n, &p) ?: prefix_lacks(&p);
	if (why)
		return why;
	other = config_find(config, &p);
	if (other) {
		snprintf(twice, sizeof(twice), "%s is in %s too", p.address.text,
			 other->where);
		return twice;
	}
	snprintf(p.where, sizeof(p.where), "%s", where);
	config_add(config, &p);
	return NULL;
}

static bool read_file(struct config *config, const char *name,
		      void (*wrong)(const char *fmt, ...))
{
	char path[400], where[512], line[MAX_LINE];
	const char *why;
	bool good = true;
	FILE *f;

	snprintf(path, sizeof(path), CONFIG_DIR "/%s", name);
	f = fopen(path, "re");
	if (!f) {
		wrong("%s: %s", path, strerror(errno));
		return false;
	}
	for (int n = 1; fgets(line, sizeof(line), f); n++) {
		snprintf(where, sizeof(where), "%s:%d", path, n);
		why = strlen(line) == sizeof(line) - 1 ? "the line is too long" :
			take_line(config, line, where);
		if (why)
			wrong("%s: %s", where, why);
		good &= !why;
	}
	if (ferror(f))
		wrong("%s: %s", path, strerror(errno));
	good &= !ferror(f);
	fclose(f);
	return good;
}

static int is_config(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return *entry->d_name != '.' && dot && !strcmp(dot, ".conf");
}

bool config_read(struct config *config, void (*wrong)(const char *fmt, ...))
{
	struct dirent **names;
	int n = scandir(CONFIG_DIR, &names, is_config, alphasort);
	bool good = n >= 0 || errno == ENOENT;

	*config = (struct config){};
	if (!good)
		wrong(CONFIG_DIR ": %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		good &= read_file(config, names[i]->d_name, wrong);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return good;
}
