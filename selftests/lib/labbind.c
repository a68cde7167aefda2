// SPDX-License-Identifier: GPL-2.0
/*
 * One TCP bind() for ../../scripts/guest/lab.
 *
 * labbind NAME ADDRESS [freebind|transparent]	print ok, or the errno's name.
 *						Tracers see the process as NAME.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "run.h"

/* Set the option of that name for IPv4 or IPv6. */
static int set_option(int fd, int family, const char *name)
{
	const bool free = !strcmp(name, "freebind");
	const int v4 = free ? IP_FREEBIND : IP_TRANSPARENT;
	const int v6 = free ? IPV6_FREEBIND : IPV6_TRANSPARENT;
	const int one = 1;

	if (family == AF_INET)
		return setsockopt(fd, SOL_IP, v4, &one, sizeof(one));
	return setsockopt(fd, SOL_IPV6, v6, &one, sizeof(one));
}

int main(int argc, char **argv)
{
	union sockaddr_any sa = { 0 };
	int fd;

	if (argc < 3 || argc > 4)
		return 2;
	if (inet_pton(AF_INET, argv[2], &sa.in.sin_addr) == 1)
		sa.sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, argv[2], &sa.in6.sin6_addr) == 1)
		sa.sa.sa_family = AF_INET6;
	sa.in.sin_port = htons(TEST_PORT);
	prctl(PR_SET_NAME, argv[1]);
	errno = 0;
	fd = socket(sa.sa.sa_family, SOCK_STREAM, 0);
	if (fd >= 0 && (argc < 4 || !set_option(fd, sa.sa.sa_family, argv[3])))
		bind(fd, &sa.sa, sizeof(sa));
	puts(errno ? strerrorname_np(errno) : "ok");
	return 0;
}
