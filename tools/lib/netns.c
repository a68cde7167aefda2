// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anyip6.h"
#include "netns.h"

#define NETNS_DIR	"/run/netns"

/* Complains if it cannot, unless the netns was deleted meanwhile. */
static bool enter_netns(const char *name, bool *gone)
{
	char path[512];
	int fd, err;

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*gone = fd < 0 && errno == ENOENT;
	err = fd < 0 || setns(fd, CLONE_NEWNET) ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (err && !*gone)
		complain("netns %s: %s", name, strerror(err));
	return !err;
}

static int by_name(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* Not every file there is a netns. */
bool each_netns(bool (*each)(const char *name))
{
	struct dirent **names;
	int n = scandir(NETNS_DIR, &names, by_name, alphasort);
	bool all = true, gone;

	for (int i = 0; i < n; i++) {
		if (enter_netns(names[i]->d_name, &gone))
			all &= each(names[i]->d_name);
		else
			all &= gone;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return all;
}

bool netns_name(unsigned int inode, char *name, size_t size)
{
	DIR *dir = opendir(NETNS_DIR);
	struct dirent *entry;
	bool found = false;
	struct stat st;

	while (dir && !found && (entry = readdir(dir))) {
		found = *entry->d_name != '.' &&
			!fstatat(dirfd(dir), entry->d_name, &st, 0) && st.st_ino == inode;
		if (found)
			snprintf(name, size, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}
