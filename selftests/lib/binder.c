// SPDX-License-Identifier: GPL-2.0
/*
 * bind() and PKTINFO for the shell tests.
 *
 * binder ADDR...		print "ADDR tcp|udp: RESULT" for each; a result
 *				is ok or the name of an errno
 * binder --pktinfo ADDR...	send a datagram to loopback from each ADDR, and
 *				print "ADDR pktinfo: RESULT"
 *
 * ANYIP6_PORT=N: use this port instead of 4242.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sock.h"

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

static int try_pktinfo(const struct sockaddr_in6 *sin6)
{
	const union sockaddr_any from = { .in6 = *sin6 }, to = { .in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = sin6->sin6_port,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	} };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	int err;

	if (fd < 0)
		return errno;
	err = -send_from(fd, &from, &to, "", 0);
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

static void print(const char *addr, const char *what, int err)
{
	printf("%s %s: %s\n", addr, what, result_name(err));
}

int main(int argc, char **argv)
{
	bool pktinfo = argc > 1 && !strcmp(argv[1], "--pktinfo");

	if (argc < 2 + pktinfo) {
		fprintf(stderr, "usage: binder [--pktinfo] ADDR...\n");
		return 2;
	}
	for (char **addr = argv + 1 + pktinfo; *addr; addr++) {
		struct sockaddr_in6 sin6 = parse(*addr);

		if (pktinfo) {
			print(*addr, "pktinfo", try_pktinfo(&sin6));
			continue;
		}
		print(*addr, "tcp", try_bind(&sin6, SOCK_STREAM));
		print(*addr, "udp", try_bind(&sin6, SOCK_DGRAM));
	}
	return 0;
}
