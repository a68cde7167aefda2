// SPDX-License-Identifier: GPL-2.0
/*
 * peer ADDRESS: a web server for sources.sh. It answers each request with the
 * number of different client addresses so far.
 */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define SLOTS	65536

static struct in6_addr seen[SLOTS];
static unsigned int nr_seen;

/* A hash table with open addressing. "::" marks a free slot. */
static void see(const struct in6_addr *addr)
{
	unsigned int slot = ntohl(addr->s6_addr32[3]) % SLOTS;

	while (!IN6_IS_ADDR_UNSPECIFIED(&seen[slot])) {
		if (IN6_ARE_ADDR_EQUAL(&seen[slot], addr))
			return;
		slot = (slot + 1) % SLOTS;
	}
	if (++nr_seen == SLOTS)
		errx(1, "too many addresses");
	seen[slot] = *addr;
}

static void answer(int fd)
{
	const struct timeval deadline = { .tv_sec = 60 };
	char request[4096];
	ssize_t len = 0, more;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	do {
		more = read(fd, request + len, sizeof(request) - 1 - len);
		if (more <= 0)
			return;
		len += more;
		request[len] = '\0';
	} while (!strstr(request, "\r\n\r\n"));
	dprintf(fd, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n%u\n", nr_seen);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	int listener = socket(AF_INET6, SOCK_STREAM, 0), fd, one = 1;
	socklen_t len = sizeof(sin6);

	if (argc != 2 || inet_pton(AF_INET6, argv[1], &sin6.sin6_addr) != 1)
		errx(2, "usage: peer ADDRESS");
	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&sin6, len) || listen(listener, SOMAXCONN))
		err(1, "listen");
	while ((fd = accept(listener, (struct sockaddr *)&sin6, &len)) >= 0) {
		see(&sin6.sin6_addr);
		answer(fd);
		close(fd);
	}
	err(1, "accept");
}
