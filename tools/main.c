// SPDX-License-Identifier: GPL-2.0
/* anyip6: shows what the module anyip6 does, and why. See anyip6(8). */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "anyip6.h"
#include "util.h"

static const char usage_text[] =
	"anyip6 status [--all] [--json]\n"
	"anyip6 explain ADDR [--dev DEV] [--proto PROTO] [--json]\n"
	"anyip6 on | off\n"
	"\n"
	"PROTO: tcp (default), udp, udplite, raw, ping, sctp, mptcp, dccp, l2tp\n"
	"Exit: 0 ok or allowed, 1 refused, 2 usage, 3 module not loaded, 4 cannot tell\n";

static int toggle(const char *value, int argc)
{
	int fd;

	if (argc > 1)
		die(EXIT_USAGE, "on and off take no arguments");
	fd = open(TOGGLE, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		die(EXIT_NOT_LOADED, "the module is not loaded");
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(EXIT_CANNOT, TOGGLE ": %s", strerror(errno));
	close(fd);
	return 0;
}

static int cmd_on(int argc, char **argv)
{
	(void)argv;
	return toggle("1", argc);
}

static int cmd_off(int argc, char **argv)
{
	(void)argv;
	return toggle("0", argc);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "status", cmd_status },
	{ "explain", cmd_explain },
	{ "on", cmd_on },
	{ "off", cmd_off },
};

/* --json may stand anywhere. Leaves the command's own words in @argv. */
static int take_json(int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			want_json = true;
		else
			argv[kept++] = argv[i];
	}
	return kept;
}

static int run(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage_text, stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

/* A closed stdout is no error if there is nothing to write. */
static bool all_written(void)
{
	return !ferror(stdout) && !fflush(stdout) &&
	       (!fclose(stdout) || errno == EBADF);
}

int main(int argc, char **argv)
{
	int code = run(take_json(argc, argv), argv);

	if (all_written())
		return code;
	fprintf(stderr, "anyip6: cannot write: %s\n", strerror(errno));
	return EXIT_CANNOT;
}
