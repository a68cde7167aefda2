// SPDX-License-Identifier: GPL-2.0
/* anyip6 add, del and apply: the prefixes of a host, now and after a reboot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/anyip6.h"
#include "apply.h"

#define WAIT	30	/* seconds, with --wait */

/* Applies what the files have. */
static int apply_files(unsigned int seconds)
{
	struct config config;
	int code = EXIT_USAGE;

	if (config_read(&config, complain))
		code = apply(&config, seconds);
	config_free(&config);
	return code;
}

/* One at a time reads the routes and changes them. The end of the process unlocks. */
static void take_lock(void)
{
	int fd;

	mkdir("/run/anyip6", 0755);
	fd = open("/run/anyip6/lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX))
		die(EXIT_CANNOT, "/run/anyip6/lock: %s", strerror(errno));
}

int cmd_apply(int argc, char **argv)
{
	const bool wait = take_word(&argc, argv, "--wait");

	if (argc > 1)
		die(EXIT_USAGE, "apply: --wait is all it takes");
	take_lock();
	return apply_files(wait ? WAIT : 0);
}

/* --- saved.conf --- */

static void write_line(FILE *f, const struct prefix *p)
{
	const char *const words[] = { "dev", p->dev, "vrf", p->vrf, "neigh", p->neigh };

	fprintf(f, "%s %s", p->type, p->address.text);
	for (int i = 0; i < 6; i += 2)
		if (*words[i + 1])
			fprintf(f, " %s %s", words[i], words[i + 1]);
	putc('\n', f);
}

static bool is_saved(const struct prefix *p)
{
	return !strncmp(p->where, SAVED ":", strlen(SAVED ":"));
}

/*
 * Writes what --save had saved, without @gone and with @more, each of which can
 * be NULL. Whoever reads the file meanwhile sees the old one or the new one.
 */
static int save(const struct config *config, const struct prefix *gone,
		const struct prefix *more)
{
	FILE *f;

	mkdir("/etc/anyip6", 0755);
	mkdir(CONFIG_DIR, 0755);
	f = fopen(SAVED ".new", "we");
	if (!f)
		die(EXIT_CANNOT, SAVED ".new: %s", strerror(errno));
	fputs("# `anyip6 add --save` and `del --save` write this file anew.\n", f);
	for (size_t i = 0; i < config->n; i++)
		if (is_saved(&config->prefixes[i]) && &config->prefixes[i] != gone)
			write_line(f, &config->prefixes[i]);
	if (more)
		write_line(f, more);
	if (fflush(f) || fsync(fileno(f)) || fclose(f) || rename(SAVED ".new", SAVED))
		die(EXIT_CANNOT, SAVED ": %s", strerror(errno));
	return 0;
}

/* --- add and del --- */

static struct prefix parse(const char *command, char **words, int n)
{
	struct prefix p;
	const char *why = prefix_parse(words, n, &p);

	if (why)
		die(EXIT_USAGE, "%s: %s", command, why);
	return p;
}

/* What the files have of @p. Ends the program if they have a bad line. */
static const struct prefix *configured(struct config *config, const struct prefix *p)
{
	if (!config_read(config, complain))
		die(EXIT_USAGE, "nothing was changed");
	return config_find(config, p);
}

static bool same_line(const struct prefix *a, const struct prefix *b)
{
	return !strcmp(a->type, b->type) && !strcmp(a->dev, b->dev) &&
		!strcmp(a->neigh, b->neigh);
}

/* The routes come first: what cannot be applied is not saved. */
static int add_saved(struct prefix *p)
{
	const struct prefix *there;
	struct config config;
	int code;

	there = configured(&config, p);
	if (there && !same_line(there, p))
		die(EXIT_USAGE, "add: %s is in %s", p->address.text, there->where);
	if (there)
		return apply(&config, 0);
	config_add(&config, p);
	code = apply(&config, 0);
	config.n--;
	if (!code)
		code = save(&config, NULL, p);
	config_free(&config);
	return code;
}

/* The words of a line. The type can be missing. */
static struct prefix take_words(const char *command, int argc, char **argv)
{
	char *words[16] = { "local" };
	int n;

	if (argc < 2 || argc > 12)
		die(EXIT_USAGE, "%s: the prefix is missing, or there are too many words",
		    command);
	/* an address has a colon or, of IPv4, a dot; a type has neither */
	n = strpbrk(argv[1], ":.") ? 1 : 0;
	memcpy(words + n, argv + 1, (argc - 1) * sizeof(*argv));
	return parse(command, words, n + argc - 1);
}

int cmd_add(int argc, char **argv)
{
	const bool keep = take_word(&argc, argv, "--save");
	const struct prefix *there;
	struct config config;
	struct prefix p = take_words("add", argc, argv);

	if (prefix_lacks(&p))
		die(EXIT_USAGE, "add: %s", prefix_lacks(&p));
	take_lock();
	if (keep)
		return add_saved(&p);
	there = configured(&config, &p);
	if (there)
		die(EXIT_USAGE, "add: %s is in %s; to apply that: anyip6 apply",
		    p.address.text, there->where);
	config_free(&config);
	if (*p.neigh)
		die(EXIT_USAGE, "add: neigh needs --save");
	return apply_once(&p);
}

/* As with add, the routes come first. */
static int del_saved(const struct prefix *p)
{
	const struct prefix *there;
	struct config config, rest = {};
	int code;

	there = configured(&config, p);
	if (!there)
		die(EXIT_USAGE, "del: no file of " CONFIG_DIR " has %s", p->address.text);
	if (!is_saved(there))
		die(EXIT_USAGE, "del: %s is in %s; take the line away, then: anyip6 apply",
		    p->address.text, there->where);
	for (size_t i = 0; i < config.n; i++)
		if (&config.prefixes[i] != there)
			config_add(&rest, &config.prefixes[i]);
	code = apply(&rest, 0) ?: save(&config, there, NULL);
	config_free(&rest);
	config_free(&config);
	return code;
}

int cmd_del(int argc, char **argv)
{
	const bool keep = take_word(&argc, argv, "--save");
	const struct prefix *there;
	struct config config;
	struct prefix p = take_words("del", argc, argv);

	if (*p.neigh)
		die(EXIT_USAGE, "del: a prefix and its VRF are enough");
	take_lock();
	if (keep)
		return del_saved(&p);
	there = configured(&config, &p);
	if (there)
		complain("%s has it, so it comes back; --save takes it away for good",
			 there->where);
	config_free(&config);
	return apply_delete(&p);
}
