// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "anyip6.h"
#include "module.h"

#define READ_ALL	3	/* klogctl(2) */
#define BUFFER_SIZE	10
#define REFUSAL		"not loaded: "

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* A line of the kernel log is of the module if its text begins with the name. */
static char *text_of(char *line)
{
	char *text = strstr(line, "] anyip6: ") ?: strstr(line, ">anyip6: ");

	return text ? strchr(text, ':') + 2 : NULL;
}

bool module_logged(const char *needle, char *last, size_t size)
{
	int room = klogctl(BUFFER_SIZE, NULL, 0), len;
	char *log, *line, *rest, *text;

	*last = '\0';
	if (room <= 0)
		return false;
	log = need(malloc(room + 1));
	len = klogctl(READ_ALL, log, room);
	log[len > 0 ? len : 0] = '\0';
	rest = log;
	while ((line = strsep(&rest, "\n"))) {
		text = text_of(line);
		if (text && strstr(text, needle))
			snprintf(last, size, "%s", text);
		else if (text && !strcmp(text, "unloaded"))
			*last = '\0';
	}
	free(log);
	return *last;
}

bool module_file_missing(const char *release)
{
	char path[512], line[4096];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/anyip6.ko") || !strncmp(line, "anyip6.ko", 9);
	}
	fclose(f);
	return !found;
}

static void say_why_not(struct module *m, const char *release)
{
	char last[480];
	bool logged = module_logged("", last, sizeof(last));

	if (logged && !strncmp(last, REFUSAL, strlen(REFUSAL)))
		snprintf(m->why, sizeof(m->why), "%s", last + strlen(REFUSAL));
	else if (module_file_missing(release))
		snprintf(m->why, sizeof(m->why),
			 "there is no module file for kernel %s; `anyip6 check` says more",
			 release);
	else if (logged && !strcmp(last, "unloaded"))
		snprintf(m->why, sizeof(m->why), "it was unloaded");
}

/*
 * The sysctl says that the rule is there, also in a container that does not see
 * /sys. Without it, we believe only what we can see.
 */
static enum presence presence(void)
{
	bool sees_modules = exists("/sys/module/kernel");

	if (exists(MODULE))
		return LOADED;
	if (exists(TOGGLE))
		return sees_modules ? BUILT_IN : LOADED;
	return sees_modules || exists(NONLOCAL) ? NOT_LOADED : CANNOT_SEE;
}

struct module module_state(const char *release)
{
	struct module m = { .is = presence() };
	const char *text;

	if (m.is == NOT_LOADED)
		say_why_not(&m, release);
	text = m.is == LOADED ? file_read(MODULE "version") : NULL;
	if (text)
		snprintf(m.version, sizeof(m.version), "%.*s",
			 (int)strcspn(text, "\n"), text);
	return m;
}
