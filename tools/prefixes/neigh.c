// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/anyip6.h"
#include "neigh.h"

#define RUN_DIR		"/run/anyip6"
#define MAX_DEVS	64

/* The devices that we have switched on in this netns, a line each. */
struct devs {
	char names[MAX_DEVS][IFNAMSIZ];
	size_t n;
};

static const char *devs_path(void)
{
	static char path[64];
	struct stat netns = {};

	stat("/proc/thread-self/ns/net", &netns);
	snprintf(path, sizeof(path), RUN_DIR "/neigh-%lu", (unsigned long)netns.st_ino);
	return path;
}

static bool has_dev(const struct devs *devs, const char *name)
{
	for (size_t i = 0; i < devs->n; i++)
		if (!strcmp(devs->names[i], name))
			return true;
	return false;
}

static void add_dev(struct devs *devs, const char *name)
{
	if (!*name || has_dev(devs, name))
		return;
	if (devs->n == MAX_DEVS)
		die(EXIT_CANNOT, "neigh: at most %d devices", MAX_DEVS);
	strcpy(devs->names[devs->n++], name);
}

static struct devs devs_read(void)
{
	FILE *f = fopen(devs_path(), "re");
	struct devs devs = {};
	char name[IFNAMSIZ];

	while (f && fscanf(f, "%15s", name) == 1)
		add_dev(&devs, name);
	if (f)
		fclose(f);
	return devs;
}

static bool devs_write(const struct devs *devs)
{
	FILE *f;

	if (!devs->n)
		return !unlink(devs_path()) || errno == ENOENT;
	mkdir(RUN_DIR, 0755);
	f = fopen(devs_path(), "we");
	for (size_t i = 0; f && i < devs->n; i++)
		fprintf(f, "%s\n", devs->names[i]);
	return f && !fclose(f);
}

static struct devs devs_wanted(const struct config *config)
{
	struct devs devs = {};

	for (size_t i = 0; i < config->n; i++)
		add_dev(&devs, config->prefixes[i].neigh);
	return devs;
}

bool neigh_possible(const struct config *config)
{
	if (!devs_wanted(config).n || !access(NDISC, F_OK))
		return true;
	complain("neigh needs the module loaded with ndisc=1; see anyip6(4)");
	return false;
}

void neigh_batch(FILE *ip, const struct config *config)
{
	const struct devs wanted = devs_wanted(config), old = devs_read();

	for (size_t i = 0; i < wanted.n; i++)
		fprintf(ip, "link set dev %s allmulticast on\n", wanted.names[i]);
	for (size_t i = 0; i < old.n; i++)
		if (!has_dev(&wanted, old.names[i]) && if_nametoindex(old.names[i]))
			fprintf(ip, "link set dev %s allmulticast off\n", old.names[i]);
}

/* What has the value already is another one's. */
static bool is_set(const char *dev)
{
	return file_number(fmt_text(PROXY_NDP, dev)) == 1;
}

static bool set_proxy(const char *dev, const char *value)
{
	const char *path = fmt_text(PROXY_NDP, dev);

	if (!file_write(path, value))
		return true;
	complain("%s: %s", path, strerror(errno));
	return false;
}

int neigh_apply(const struct config *config)
{
	const struct devs wanted = devs_wanted(config), old = devs_read();
	struct devs ours = {};
	bool good = true;

	if (!wanted.n && !old.n)
		return 0;
	for (size_t i = 0; i < wanted.n; i++) {
		if (has_dev(&old, wanted.names[i]) || !is_set(wanted.names[i]))
			add_dev(&ours, wanted.names[i]);
		good &= set_proxy(wanted.names[i], "1");
	}
	for (size_t i = 0; i < old.n; i++)
		if (!has_dev(&wanted, old.names[i]) && if_nametoindex(old.names[i]))
			good &= set_proxy(old.names[i], "0");
	if (file_write(NDISC, wanted.n ? "1" : "0") && (wanted.n || errno != ENOENT)) {
		complain(NDISC ": %s", strerror(errno));
		good = false;
	}
	if (!devs_write(&ours)) {
		complain("%s: %s", devs_path(), strerror(errno));
		good = false;
	}
	return good ? 0 : EXIT_CANNOT;
}
