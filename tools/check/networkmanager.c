// SPDX-License-Identifier: GPL-2.0
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/anyip6.h"
#include "check.h"

/* NetworkManager itself writes a profile of what it leaves alone. */
static bool is_profile_of_lo(const char *path)
{
	char line[512], value[16];
	bool of_lo = false, generated = false;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " type = %15s", value) == 1)
			of_lo = of_lo || !strcmp(value, "loopback");
		if (sscanf(line, " nm-generated = %15s", value) == 1)
			generated = !strcmp(value, "true");
	}
	if (f)
		fclose(f);
	return of_lo && !generated;
}

void check_networkmanager(void)
{
	glob_t found = {};

	if (access("/run/NetworkManager", F_OK))
		return;
	glob("/usr/lib/NetworkManager/system-connections/*.nmconnection", 0, NULL, &found);
	glob("/run/NetworkManager/system-connections/*.nmconnection", GLOB_APPEND, NULL, &found);
	glob("/etc/NetworkManager/system-connections/*.nmconnection", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (is_profile_of_lo(found.gl_pathv[i]))
			report("networkmanager",
			       "find it with nmcli connection show, then: nmcli connection delete NAME",
			       "NetworkManager has a profile of lo, %s, and deletes other routes of lo when it comes up",
			       found.gl_pathv[i]);
	globfree(&found);
}
