// SPDX-License-Identifier: GPL-2.0
/*
 * A client of ../../examples/subnet-tcp and subnet-udp.
 *
 * asker tcp|udp COUNT	ask COUNT addresses, all over 2001:db8:a::/64; each
 *			must answer with its own name
 * asker list COUNT	print these addresses
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sock.h"

/*
 * A connected socket accepts no answer from another address. The TCP client
 * sends nothing: the server does not read, and closing with unread data would
 * reset the connection.
 */
static int ask(const union sockaddr_any *to, int type, const char *want)
{
	char answer[INET6_ADDRSTRLEN + 1] = "";
	int fd = socket(AF_INET6, type, 0);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int err = 0;

	if (connect(fd, &to->sa, sizeof(to->in6)) ||
	    (type == SOCK_DGRAM && send(fd, "?", 1, 0) != 1))
		err = errno;
	else if (poll(&ready, 1, 5000) != 1)
		err = ETIMEDOUT;
	else if (recv(fd, answer, sizeof(answer) - 1, 0) < 0)
		err = errno;
	else if (strncmp(answer, want, strlen(want)) ||
		 answer[strlen(want) + strspn(answer + strlen(want), "\n")])
		err = EBADMSG;
	close(fd);
	return err;
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	const int type = strcmp(what, "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	const bool list = !strcmp(what, "list");
	const int count = argc == 3 ? atoi(argv[2]) : 0;

	if (count <= 0) {
		fprintf(stderr, "usage: asker tcp|udp|list COUNT\n");
		return 2;
	}
	for (int n = 0; n < count; n++) {
		union sockaddr_any to;
		const char *text;
		int err = 0;

		addr_scattered(&to, AF_INET6, n);
		text = sockaddr_text(&to);
		if (list)
			puts(text);
		else
			err = ask(&to, type, text);
		if (err) {
			printf("asker: %s: %s, after %d answers\n", text,
			       strerror(err), n);
			return 1;
		}
	}
	return 0;
}
