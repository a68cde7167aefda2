// SPDX-License-Identifier: GPL-2.0
/*
 * A UDP server for a whole prefix. It answers each datagram from the address
 * that the client asked, and with that address as text.
 *
 *	ip -6 route add local 2001:db8:123::/64 dev lo
 *	subnet-udp 7000				all addresses, on one socket
 *	subnet-udp 7000 2001:db8:123::1 ...	these, one socket each
 *
 * Both need anyip6: the first to answer from the asked address, the second to bind.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void serve(int fd)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct in6_pktinfo *info = (void *)CMSG_DATA(&control.hdr);
	char text[INET6_ADDRSTRLEN];
	struct iovec iov = { .iov_base = text };
	struct sockaddr_in6 client;
	struct msghdr msg = {
		.msg_name = &client, .msg_namelen = sizeof(client),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	if (recvmsg(fd, &msg, 0) < 0) {
		warn("recvmsg");
		return;
	}
	inet_ntop(AF_INET6, &info->ipi6_addr, text, sizeof(text));
	iov.iov_len = strlen(text);
	/*
	 * The control message said where the datagram went. Now it says where the
	 * answer comes from, which may leave through any device.
	 */
	info->ipi6_ifindex = 0;
	if (sendmsg(fd, &msg, 0) < 0)
		warn("answer from %s", text);
}

/* NULL: all addresses. */
static int bound(const char *port, const char *address)
{
	struct sockaddr_in6 here = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(atoi(port)),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), one = 1;

	if (address && inet_pton(AF_INET6, address, &here.sin6_addr) != 1)
		errx(2, "%s is no IPv6 address", address);
	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)))
		err(1, "IPV6_RECVPKTINFO");
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
		err(1, "bind %s", address ?: "::");
	return fd;
}

int main(int argc, char **argv)
{
	const int n = argc > 2 ? argc - 2 : 1;
	struct pollfd fds[n];

	if (argc < 2)
		errx(2, "usage: subnet-udp PORT [ADDRESS...]");
	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd) {
			.fd = bound(argv[1], argv[i + 2]), .events = POLLIN
		};
	while (poll(fds, n, -1) > 0) {
		for (int i = 0; i < n; i++) {
			if (fds[i].revents)
				serve(fds[i].fd);
		}
	}
	err(1, "poll");
}
