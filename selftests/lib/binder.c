// SPDX-License-Identifier: GPL-2.0
/*
 * bind() and PKTINFO for the shell tests.
 *
 * binder ADDR...		print "ADDR tcp|udp: RESULT" for each; a result
 *				is ok or the name of an errno
 * binder --raw ADDR...		the same for raw and ping sockets
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

struct kind {
	const char *name;
	int type;
	int protocol;
};

static const struct kind usual[] = {
	{ "tcp", SOCK_STREAM, 0 },
	{ "udp", SOCK_DGRAM, 0 },
};

static const struct kind raw[] = {
	{ "raw", SOCK_RAW, IPPROTO_ICMPV6 },
	{ "ping", SOCK_DGRAM, IPPROTO_ICMPV6 },
};

static int try_bind(const union sockaddr_any *sa, const struct kind *kind)
{
	int fd = socket(AF_INET6, kind->type, kind->protocol);
	int err = 0;

	if (fd < 0)
		return errno;
	if (bind(fd, &sa->sa, sizeof(sa->in6)))
		err = errno;
	close(fd);
	return err;
}

static int try_pktinfo(const union sockaddr_any *from)
{
	union sockaddr_any to;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	int err;

	if (fd < 0)
		return errno;
	addr_fill(&to, AF_INET6, ADDR_LOOPBACK, ntohs(from->in6.sin6_port));
	err = -send_from(fd, from, &to, "", 0);
	close(fd);
	return err;
}

static union sockaddr_any parse(const char *text)
{
	const char *port = getenv("ANYIP6_PORT");
	union sockaddr_any sa;

	if (addr_parse(&sa, AF_INET6, text, port ? atoi(port) : TEST_PORT))
		return sa;
	fprintf(stderr, "binder: %s is not an IPv6 address\n", text);
	exit(2);
}

static void print(const char *addr, const char *what, int err)
{
	printf("%s %s: %s\n", addr, what, result_name(err));
}

int main(int argc, char **argv)
{
	bool pktinfo = argc > 1 && !strcmp(argv[1], "--pktinfo");
	bool is_raw = argc > 1 && !strcmp(argv[1], "--raw");
	const struct kind *kinds = is_raw ? raw : usual;
	int options = pktinfo || is_raw;

	if (argc < 2 + options) {
		fprintf(stderr, "usage: binder [--raw|--pktinfo] ADDR...\n");
		return 2;
	}
	for (char **addr = argv + 1 + options; *addr; addr++) {
		const union sockaddr_any sa = parse(*addr);

		if (pktinfo) {
			print(*addr, "pktinfo", try_pktinfo(&sa));
			continue;
		}
		for (int i = 0; i < 2; i++)
			print(*addr, kinds[i].name, try_bind(&sa, &kinds[i]));
	}
	return 0;
}
