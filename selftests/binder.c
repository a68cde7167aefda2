// SPDX-License-Identifier: GPL-2.0
/*
 * bind() for the shell tests.
 *
 * binder ADDR...	print "ADDR tcp|udp: RESULT" for each; a result is ok
 *			or the name of an errno
 *
 * ANYIP6_PORT=N: another port than 4242.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anyip6.h"

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
	const char *port = getenv("ANYIP6_PORT");
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port ? atoi(port) : TEST_PORT),
	};

	if (inet_pton(AF_INET6, text, &sin6.sin6_addr) != 1) {
		fprintf(stderr, "binder: %s is not an IPv6 address\n", text);
		exit(2);
	}
	return sin6;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: binder ADDR...\n");
		return 2;
	}
	for (char **addr = argv + 1; *addr; addr++) {
		struct sockaddr_in6 sin6 = parse(*addr);

		printf("%s tcp: %s\n", *addr,
		       result_name(try_bind(&sin6, SOCK_STREAM)));
		printf("%s udp: %s\n", *addr,
		       result_name(try_bind(&sin6, SOCK_DGRAM)));
	}
	return 0;
}
