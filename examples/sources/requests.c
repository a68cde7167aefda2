// SPDX-License-Identifier: GPL-2.0
/*
 * Requests over HTTP, each from another address of a prefix:
 *
 *	ip -6 route add local 2001:db8:5::/64 dev lo
 *	requests 2001:db8:c::2 2001:db8:5:: 10000
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void request(const struct sockaddr_in6 *from, const struct sockaddr_in6 *to)
{
	FILE *file;
	int status = 0, fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket");
	if (bind(fd, (const struct sockaddr *)from, sizeof(*from)))
		err(1, "bind");
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		err(1, "connect");
	dprintf(fd, "GET / HTTP/1.0\r\n\r\n");
	file = fdopen(fd, "r");
	if (fscanf(file, "HTTP/%*s %d", &status) != 1 || status != 200)
		errx(1, "status %d", status);
	fclose(file);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(80) };

	if (argc != 4 || inet_pton(AF_INET6, argv[1], &to.sin6_addr) != 1 ||
	    inet_pton(AF_INET6, argv[2], &from.sin6_addr) != 1)
		errx(2, "usage: requests SERVER PREFIX COUNT");
	for (int n = 1; n <= atoi(argv[3]); n++) {
		from.sin6_addr.s6_addr32[3] = htonl(n);
		request(&from, &to);
	}
	return 0;
}
