// SPDX-License-Identifier: GPL-2.0
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "../lib/anyip6.h"
#include "networkd.h"

#define LINKS		"/run/systemd/netif/links/"
#define FILE_OF_LINK	"NETWORK_FILE="

static bool is_true(const char *value)
{
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return false;
}

/* The last setting in a file, or what it was. */
static bool manages(const char *path, bool before)
{
	char line[512], value[16];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " ManageForeignRoutes = %15s", value) == 1)
			before = is_true(value);
	if (f)
		fclose(f);
	return before;
}

static bool manages_foreign_routes(void)
{
	bool is = manages("/etc/systemd/networkd.conf", true);
	glob_t found = {};

	glob("/usr/lib/systemd/networkd.conf.d/*.conf", 0, NULL, &found);
	glob("/run/systemd/networkd.conf.d/*.conf", GLOB_APPEND, NULL, &found);
	glob("/etc/systemd/networkd.conf.d/*.conf", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		is = manages(found.gl_pathv[i], is);
	globfree(&found);
	return is;
}

static const char *file_of(const char *path)
{
	const char *text = file_read(path);
	const char *file = text ? strstr(text, FILE_OF_LINK) : NULL;

	if (!file)
		return NULL;
	file += strlen(FILE_OF_LINK);
	return fmt_text("%.*s", (int)strcspn(file, "\n"), file);
}

bool networkd_deletes_routes(void)
{
	bool managed = false;
	glob_t found = {};

	glob(LINKS "*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && !managed; i++)
		managed = file_of(found.gl_pathv[i]);
	globfree(&found);
	return managed && manages_foreign_routes();
}

/* Its index is 1 in the host's netns. */
const char *networkd_file_of_lo(void)
{
	return file_of(LINKS "1");
}
