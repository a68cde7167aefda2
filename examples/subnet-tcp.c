// SPDX-License-Identifier: GPL-2.0
/*
 * A TCP server for a whole prefix. It tells each client which of the addresses
 * the client asked.
 *
 *	ip -6 route add local 2001:db8:123::/64 dev lo
 *	subnet-tcp 7000				all addresses, on one socket
 *	subnet-tcp 7000 2001:db8:123::1 ...	these, one socket each: needs anyip6
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void serve(int listener)
{
	int fd = accept(listener, NULL, NULL);
	struct sockaddr_in6 asked;
	socklen_t len = sizeof(asked);
	char text[INET6_ADDRSTRLEN];

	if (fd < 0) {
		warn("accept");
		return;
	}
	/* A connection has one address, even if the listener has all of them. */
	if (getsockname(fd, (struct sockaddr *)&asked, &len))
		err(1, "getsockname");
	inet_ntop(AF_INET6, &asked.sin6_addr, text, sizeof(text));
	if (dprintf(fd, "%s\n", text) < 0)
		warn("write");
	close(fd);
}

/* NULL: all addresses. */
static int listener(const char *port, const char *address)
{
	struct sockaddr_in6 here = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(atoi(port)),
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1;

	if (address && inet_pton(AF_INET6, address, &here.sin6_addr) != 1)
		errx(2, "%s is no IPv6 address", address);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
		err(1, "bind %s", address ?: "::");
	if (listen(fd, SOMAXCONN))
		err(1, "listen");
	return fd;
}

int main(int argc, char **argv)
{
	const int n = argc > 2 ? argc - 2 : 1;
	struct pollfd fds[n];

	if (argc < 2)
		errx(2, "usage: subnet-tcp PORT [ADDRESS...]");
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd) {
			.fd = listener(argv[1], argv[i + 2]), .events = POLLIN
		};
	while (poll(fds, n, -1) > 0) {
		for (int i = 0; i < n; i++) {
			if (fds[i].revents)
				serve(fds[i].fd);
		}
	}
	err(1, "poll");
}
