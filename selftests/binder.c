// SPDX-License-Identifier: GPL-2.0
/*
 * bind() for the shell tests.
 *
 * binder once ADDR...	print "ADDR tcp|udp: RESULT" for each; a result is ok
 *			or the name of an errno
 * binder storm ANY CONFIGURED
 *			bind both, TCP and UDP, without pause until SIGTERM;
 *			then print "any|configured RESULT COUNT" for each
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anyip6.h"

#define MAX_ERRNO	256

/* SIGTERM is blocked and asked for, so that the counts are whole. */
static bool terminated(void)
{
	sigset_t pending;

	return !sigpending(&pending) && sigismember(&pending, SIGTERM);
}

static const char *result_name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

static int try_bind(const struct sockaddr_in6 *sin6, int type)
{
	int fd = socket(AF_INET6, type, 0);
	int err = 0;

	if (fd < 0)
		return errno;
	if (bind(fd, (const struct sockaddr *)sin6, sizeof(*sin6)))
		err = errno;
	close(fd);
	return err;
}

static struct sockaddr_in6 parse(const char *text)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(TEST_PORT),
	};

	if (inet_pton(AF_INET6, text, &sin6.sin6_addr) != 1) {
		fprintf(stderr, "binder: %s is not an IPv6 address\n", text);
		exit(2);
	}
	return sin6;
}

static int once(char **addrs)
{
	for (; *addrs; addrs++) {
		struct sockaddr_in6 sin6 = parse(*addrs);

		printf("%s tcp: %s\n", *addrs,
		       result_name(try_bind(&sin6, SOCK_STREAM)));
		printf("%s udp: %s\n", *addrs,
		       result_name(try_bind(&sin6, SOCK_DGRAM)));
	}
	return 0;
}

static void print_counts(const char *what, const unsigned long *counts)
{
	for (int err = 0; err < MAX_ERRNO; err++)
		if (counts[err])
			printf("%s %s %lu\n", what, result_name(err), counts[err]);
}

static int storm(const char *any, const char *configured)
{
	const struct sockaddr_in6 to[2] = { parse(any), parse(configured) };
	static unsigned long counts[2][MAX_ERRNO];

	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	while (!terminated())
		for (int i = 0; i < 4; i++)
			counts[i / 2][try_bind(&to[i / 2], i % 2 ? SOCK_DGRAM :
							       SOCK_STREAM)]++;
	print_counts("any", counts[0]);
	print_counts("configured", counts[1]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "once"))
		return once(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "storm"))
		return storm(argv[2], argv[3]);
	fprintf(stderr, "usage: binder once ADDR... | storm ANY CONFIGURED\n");
	return 2;
}
