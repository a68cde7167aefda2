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

#include "sock.h"

int main(int argc, char **argv)
{
	struct bind_spec spec = { .proto = PROTO_tcp };
	union sockaddr_any sa;
	socklen_t len;
	int fd, err;

	if (argc < 3 || argc > 4)
		return 2;
	if (argc == 4)
		spec.opts = strcmp(argv[3], "freebind") ? OPT_TRANSPARENT : OPT_FREEBIND;
	len = addr_parse(&sa, AF_INET, argv[2], TEST_PORT) ?:
	      addr_parse(&sa, AF_INET6, argv[2], TEST_PORT);
	prctl(PR_SET_NAME, argv[1]);
	fd = sock_open(sa.sa.sa_family, &spec);
	err = fd < 0 ? -fd : bind(fd, &sa.sa, len) ? errno : 0;
	puts(result_name(err));
	return 0;
}
