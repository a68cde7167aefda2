// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static const char *const mode_names[NR_MODES] = {
	[MODE_ABSENT]	= "absent",
	[MODE_OFF]	= "off",
	[MODE_ON]	= "on",
	[MODE_NDISC]	= "ndisc",
};

static struct world worlds[NR_MODES];

bool anyip6_loaded(void)
{
	return !access("/proc/sys/" TOGGLE, F_OK);
}

static bool has_ndisc(void)
{
	return !access("/proc/sys/" NDISC_TOGGLE, F_OK);
}

void toggle_set(enum anyip6_mode mode)
{
	if (mode == MODE_ABSENT)
		return;
	sysctl_must(TOGGLE, mode == MODE_OFF ? "0" : "1");
	if (has_ndisc())
		sysctl_must(NDISC_TOGGLE, mode == MODE_NDISC ? "1" : "0");
}

const char *mode_name(enum anyip6_mode mode)
{
	return mode_names[mode];
}

enum anyip6_mode mode_by_name(const char *name)
{
	for (int i = 0; i < NR_MODES; i++)
		if (!strcmp(mode_names[i], name))
			return i;
	die("%s is no mode", name);
}

struct world world_of(enum anyip6_mode mode)
{
	return worlds[mode];
}

void enter_host(enum anyip6_mode mode)
{
	netns_enter(worlds[mode].host);
}

void enter_peer(enum anyip6_mode mode)
{
	netns_enter(worlds[mode].peer);
}

void check_expectation(void)
{
	const char *expect = getenv("ANYIP6_EXPECT");
	const char *is = has_ndisc() ? "ndisc" : anyip6_loaded() ? "loaded" : "absent";

	if (!expect || !strcmp(expect, is))
		return;
	printf("TAP version 13\n1..1\n"
	       "not ok 1 ANYIP6_EXPECT=%s: the module is %s\n",
	       expect, is);
	exit(1);
}

static const char *wanted_part(void)
{
	return getenv("ANYIP6_CASE") ?: "";
}

bool case_chosen(void)
{
	return *wanted_part();
}

bool case_wanted(const char *name)
{
	return strstr(name, wanted_part());
}

int no_case(void)
{
	printf("TAP version 13\n1..0 # SKIP no name contains %s\n", wanted_part());
	return KSFT_FAIL;
}

static FILE *written, *compared;

void results_open(const char *name, bool loaded)
{
	const char *folder = getenv("ANYIP6_RESULTS");
	char path[PATH_MAX];
	FILE *f;

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, loaded ? "r" : "w");
	if (!f)
		die_errno(path);
	*(loaded ? &compared : &written) = f;
}

bool result_same(const char *result)
{
	char absent[512] = "nothing";

	if (written)
		fprintf(written, "%s\n", result);
	if (!compared)
		return true;
	if (fgets(absent, sizeof(absent), compared))
		absent[strcspn(absent, "\n")] = '\0';
	if (!strcmp(absent, result))
		return true;
	ksft_print_msg("off: %s; absent: %s\n", result, absent);
	return false;
}

/* A module that was loaded with ndisc=1 is for the tests of that mode only. */
static bool can_be(enum anyip6_mode mode, bool loaded)
{
	if (mode == MODE_NDISC || has_ndisc())
		return mode == MODE_NDISC && has_ndisc();
	return mode == MODE_ABSENT ? !loaded : loaded;
}

static void worlds_new(bool loaded)
{
	for (int mode = 0; mode < NR_MODES; mode++) {
		if (!can_be(mode, loaded))
			continue;
		worlds[mode] = world_new(0);
		toggle_set(mode);
	}
}

/* If the kernel is not in a mode, none of that mode's tests run. */
int anyip6_main(int argc, char **argv, enum world_need need,
		int (*harness)(int argc, char **argv))
{
	bool loaded = anyip6_loaded();
	char **args = calloc(argc + 2 * NR_MODES + 1, sizeof(*args));
	int n = 1;

	if (geteuid())
		skip_all("needs root");
	check_expectation();
	if (need != WORLD_NONE)
		worlds_new(loaded);
	if (need == WORLD_WHOLE && !world_is_whole())
		skip_all("the kernel lacks VRFs or has only one IPv6 table");
	args[0] = argv[0];
	for (int mode = 0; mode < NR_MODES; mode++) {
		if (can_be(mode, loaded))
			continue;
		args[n++] = "-T";
		args[n++] = (char *)mode_names[mode];
	}
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	return harness(n, args);
}
