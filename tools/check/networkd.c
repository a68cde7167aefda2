// SPDX-License-Identifier: GPL-2.0
/* Does systemd-networkd own lo? Then it deletes the routes of others when it starts. */
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../lib/anyip6.h"
#include "check.h"

/* networkd's state of lo, whose index is 1 in the host's netns. */
#define LO_STATE	"/run/systemd/netif/links/1"
#define SETTING		"ManageForeignRoutes="

/* The last setting in a file, or what it was. */
static bool manages(const char *path, bool before)
{
	char line[512];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		const char *value = line + strlen(SETTING);

		if (!strncmp(line, SETTING, strlen(SETTING)))
			before = !strncasecmp(value, "y", 1) || !strncasecmp(value, "t", 1) ||
				!strncasecmp(value, "on", 2) || *value == '1';
	}
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

void check_networkd(void)
{
	const char *text = file_read(LO_STATE);
	const char *file = text ? strstr(text, "NETWORK_FILE=") : NULL;
	char name[256];

	if (!file)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(file + 13, "\n"), file + 13);
	if (*name && manages_foreign_routes())
		report("networkd", "ManageForeignRoutes=no; see docs/install.md#the-route-at-boot",
		       "systemd-networkd owns lo by %s, so its next start deletes the routes of lo that others made",
		       name);
}
