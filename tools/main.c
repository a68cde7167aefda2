// SPDX-License-Identifier: GPL-2.0
/* anyip6: shows what the module anyip6 does, and why. See anyip6(8). */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "anyip6.h"

static const char usage_text[] =
	"anyip6 status [--all] [--json]\n"
	"anyip6 explain ADDR... [--dev DEV] [--proto PROTO | --pkt] [--json]\n"
	"anyip6 explain ADDR... --dev DEV --ndisc [--json]\n"
	"anyip6 check [ADDR...] [--json]\n"
	"anyip6 watch [ADDR...] [--refused] [--prog NAME] [--all] [--json]\n"
	"anyip6 on [--all] [--save]\n"
	"anyip6 off [--all] [--save]\n"
	"anyip6 add [TYPE] PREFIX [dev DEV] [vrf VRF] [neigh DEV] [--save]\n"
	"anyip6 del [TYPE] PREFIX [vrf VRF] [--save]\n"
	"anyip6 apply [--wait]\n"
	"anyip6 --help | --version\n"
	"\n"
	"ADDR: an address, also as [ADDR], [ADDR]:PORT or ADDR%DEV; a prefix; or -, to\n"
	"read addresses from stdin, one a line\n"
	"--pkt: as the source of a datagram (IPV6_PKTINFO), not for a bind\n"
	"TYPE: local (default), unreachable, unicast\n"
	"PROTO: tcp (default), udp, udplite, raw, ping, sctp, mptcp, dccp, l2tp\n"
	"Exit: 0 ok, allowed or answered, 1 refused or ignored, 2 usage,\n"
	"3 module not loaded, 4 cannot tell\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "status", cmd_status },
	{ "explain", cmd_explain },
	{ "check", cmd_check },
	{ "watch", cmd_watch },
	{ "on", cmd_on },
	{ "off", cmd_off },
	{ "add", cmd_add },
	{ "del", cmd_del },
	{ "apply", cmd_apply },
};

static bool want_help, want_version;

/* These may stand anywhere. Leaves the command's own words in @argv. */
static int take_options(int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			want_json = true;
		else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			want_help = true;
		else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V"))
			want_version = true;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

/* People forget the word explain. */
static int unknown_command(const char *name)
{
	struct address address;

	if (!address_parse(name, &address)) {
		complain("%s: unknown command; did you mean: anyip6 explain %s", name, name);
		return EXIT_USAGE;
	}
	complain("%s: unknown command; the commands are:", name);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(stderr, "  %s\n", commands[i].name);
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	if (want_help || (argc == 2 && !strcmp(argv[1], "help"))) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (want_version) {
		puts("anyip6 " ANYIP6_VERSION);
		return 0;
	}
	if (argc < 2) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}

/* A closed stdout is no error if there is nothing to write. */
static bool all_written(void)
{
	return !ferror(stdout) && !fflush(stdout) &&
	       (!fclose(stdout) || errno == EBADF);
}

int main(int argc, char **argv)
{
	int code = run(take_options(argc, argv), argv);

	if (all_written())
		return code;
	fprintf(stderr, "anyip6: cannot write: %s\n", strerror(errno));
	return EXIT_CANNOT;
}
