// SPDX-License-Identifier: GPL-2.0
/* What people put in LD_PRELOAD today: IP_FREEBIND on each IPv6 socket. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
	const int one = 1;
	int fd = syscall(SYS_socket, domain, type, protocol);

	if (fd >= 0 && domain == AF_INET6)
		setsockopt(fd, SOL_IP, IP_FREEBIND, &one, sizeof(one));
	return fd;
}
