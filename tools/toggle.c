// SPDX-License-Identifier: GPL-2.0
/* anyip6 on, anyip6 off: the toggle of this network namespace, of all, and after the next boot. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "anyip6.h"
#include "netns.h"

/* Behind 50-anyip6.conf, which the package has, and the administrator may edit. */
#define SAVED	"/etc/sysctl.d/60-anyip6-saved.conf"

static const char *value;

static bool set(const char *name)
{
	if (!file_write(TOGGLE, value))
		return true;
	if (errno == ENOENT && !name)
		die(EXIT_NOT_LOADED, "the module is not loaded");
	complain("%s%s" TOGGLE ": %s", name ?: "", name ? ": " : "", strerror(errno));
	return false;
}

/* Only root of the host may enter all namespaces, and its file is for the host alone. */
static bool save(void)
{
	FILE *f = fopen(SAVED, "we");

	if (f) {
		fprintf(f, "# Written by `anyip6 %s --save`.\nnet.ipv6.anyip_bind = %s\n",
			*value == '1' ? "on" : "off", value);
		if (!fclose(f))
			return true;
	}
	complain(SAVED ": %s", strerror(errno));
	return false;
}

static int toggle(const char *word, int argc, char **argv)
{
	const bool all = take_word(&argc, argv, "--all");
	const bool keep = take_word(&argc, argv, "--save");

	if (argc > 1)
		die(EXIT_USAGE, "%s: --all and --save are all it takes", word);
	if (!set(NULL) || (keep && !save()) || (all && !each_netns(set)))
		return EXIT_CANNOT;
	printf("%s, %s%s\n", word,
	       all ? "here and in all network namespaces that have a name" :
	       "in this network namespace",
	       keep ? "; also after a reboot, on the host" :
	       ", until the module is loaded again; --save keeps it on the host");
	return 0;
}

int cmd_on(int argc, char **argv)
{
	value = "1";
	return toggle("on", argc, argv);
}

int cmd_off(int argc, char **argv)
{
	value = "0";
	return toggle("off", argc, argv);
}
