// SPDX-License-Identifier: GPL-2.0
/* anyip6 status: the module, and its state in each network namespace. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "anyip6.h"
#include "fib.h"
#include "json.h"
#include "text.h"
#include "util.h"

#define NETNS_DIR	"/run/netns"

static const char *version(void)
{
	char *text = file_read(MODULE "version");

	if (!text)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Calls @each with the words of each line of a file. */
static void each_line(const char *path, int fields,
		      void (*each)(char (*words)[64]))
{
	const char *line = file_read(path);
	char words[3][64];

	for (; line && *line; line = strchr(line, '\n') + 1)
		if (sscanf(line, "%63s %63s %63s", words[0], words[1], words[2]) >= fields)
			each(words);
}

static void print_hook(char (*w)[64])
{
	if (!want_json) {
		printf("  %-22s %-24s %s\n", w[0], w[1], w[2]);
		return;
	}
	json_open(NULL, '{');
	json_string("caller", w[0]);
	json_string("check", w[1]);
	json_string("state", w[2]);
	json_close();
}

static void print_counter(char (*w)[64])
{
	if (want_json)
		json_number(w[0], strtoul(w[1], NULL, 10));
	else
		printf("  %-32s %s\n", w[0], w[1]);
}

/* The host route of a configured address is no Any-IP prefix. */
static bool is_address(const struct fib *fib, const struct route *r)
{
	for (size_t i = 0; r->len == 128 && i < fib->n_addrs; i++)
		if (!memcmp(&fib->addrs[i].ip, &r->dst, sizeof(r->dst)))
			return true;
	return false;
}

static bool is_read(const struct fib *fib, uint32_t table)
{
	for (size_t i = 0; i < fib->n_links; i++)
		if (fib->links[i].vrf_table == table)
			return true;
	return table == RT_TABLE_LOCAL;
}

static void print_prefix(const struct fib *fib, const struct route *r)
{
	char text[512];

	if (!want_json) {
		snprintf(text, sizeof(text), "%s", route_text(fib, r));
		printf("  %s\n", plain(text));
		return;
	}
	json_open(NULL, '{');
	json_string("prefix", route_prefix(r));
	json_string("device", r->n_nexthops ?
		    fib_link_name(fib, r->nexthops[0].link) : NULL);
	json_string("table", table_text(r->table));
	json_close();
}

static void print_prefixes(const struct fib *fib)
{
	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->type == RTN_LOCAL && route_for_any_source(r) &&
		    is_read(fib, r->table) && !is_address(fib, r))
			print_prefix(fib, r);
	}
}

static void print_text(const char *name, const struct fib *fib, int on)
{
	char text[512];

	snprintf(text, sizeof(text), "%s", name ?: "(this one)");
	printf("netns %s: net.ipv6.anyip_bind %s\n", plain(text),
	       on < 0 ? "is not there" : on ? "is 1" : "is 0");
	printf(" Any-IP prefixes:\n");
	print_prefixes(fib);
	if (on >= 0)
		printf(" decisions:\n");
	each_line(COUNTERS, 2, print_counter);
}

static void print_json(const char *name, const struct fib *fib, int on)
{
	json_open(NULL, '{');
	json_string("name", name);
	if (on >= 0)
		json_bool("anyip_bind", on);
	json_open("prefixes", '[');
	print_prefixes(fib);
	json_close();
	json_open("counters", '{');
	each_line(COUNTERS, 2, print_counter);
	json_close();
	json_close();
}

/* Prints the netns of this process, or complains. */
static bool print_netns(const char *name)
{
	struct fib fib;
	int err = fib_read(&fib, false, NULL);

	if (err)
		complain("netns %s: netlink: %s", name ?: "(this one)", fib_error(err));
	else if (want_json)
		print_json(name, &fib, file_number(TOGGLE));
	else
		print_text(name, &fib, file_number(TOGGLE));
	fib_free(&fib);
	return !err;
}

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

/* Returns whether it could read each. Not every file there is a netns. */
static bool print_all_netns(void)
{
	struct dirent **names;
	int n = scandir(NETNS_DIR, &names, by_name, alphasort);
	bool all = true, gone;

	for (int i = 0; i < n; i++) {
		if (enter_netns(names[i]->d_name, &gone))
			all &= print_netns(names[i]->d_name);
		else
			all &= gone;
	}
	return all;
}

static void print_module(const char *release)
{
	const char *v = version();

	if (want_json) {
		json_bool("loaded", v);
		json_string("version", v);
		json_string("kernel", release);
		/* It loads only if its self-test has passed. */
		json_string("self_test", v ? "passed" : NULL);
		json_open("hooks", '[');
		each_line(MODULE "parameters/hooks", 3, print_hook);
		json_close();
		return;
	}
	if (!v) {
		printf("anyip6 is not loaded, kernel %s\n", release);
		return;
	}
	printf("anyip6 %s, kernel %s, self-test passed at load\n", v, release);
	printf("hooks (caller, check, how it is known):\n");
	each_line(MODULE "parameters/hooks", 3, print_hook);
}

int cmd_status(int argc, char **argv)
{
	bool all = argc == 2 && !strcmp(argv[1], "--all");
	bool loaded = version(), complete;
	struct utsname uts;

	if (argc > 1 + all)
		die(EXIT_USAGE, "status: --all and --json are all it takes");
	if (all && geteuid())
		die(EXIT_CANNOT, "status --all: only root may enter other namespaces");
	uname(&uts);
	if (want_json)
		json_open(NULL, '{');
	print_module(uts.release);
	if (want_json)
		json_open("netns", '[');
	complete = print_netns(NULL);
	if (all)
		complete &= print_all_netns();
	if (want_json) {
		json_close();
		json_close();
	}
	if (!complete)
		return EXIT_CANNOT;
	return loaded ? 0 : EXIT_NOT_LOADED;
}
