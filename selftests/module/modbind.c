// SPDX-License-Identifier: GPL-2.0
/*
 * bind() of the protocols that are modules, for sctp_reload.sh.
 *
 * modbind once sctp|l2tp ADDR	print "ok" or the errno's name, for each of the
 *				protocol's types of socket
 * modbind storm ADDR GATE	bind both without pause until SIGTERM; then print
 *				"RESULT COUNT" for each result. No SCTP socket is
 *				open while GATE exists and GATE.lock is locked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

#define IPPROTO_L2TPIP	115
#define MAX_ERRNO	256

static const struct sort {
	const char *name;
	int type, protocol;
} sorts[] = {
	{ "sctp", SOCK_STREAM, IPPROTO_SCTP },
	{ "sctp", SOCK_SEQPACKET, IPPROTO_SCTP },
	{ "l2tp", SOCK_DGRAM, IPPROTO_L2TPIP },
};

#define NR_SORTS	(sizeof(sorts) / sizeof(*sorts))

static int try_bind(const struct sort *sort, const char *text)
{
	union sockaddr_any a = { .in6.sin6_family = AF_INET6 };
	socklen_t len = sizeof(a.in6);
	int fd = socket(AF_INET6, sort->type, sort->protocol);
	int err = 0;

	if (fd < 0)
		return errno;
	inet_pton(AF_INET6, text, &a.in6.sin6_addr);
	if (sort->protocol == IPPROTO_L2TPIP)
		len = l2tp_connection(&a, getpid());
	if (bind(fd, &a.sa, len))
		err = errno;
	close(fd);
	return err;
}

static const char *result_name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

static int once(const char *name, const char *text)
{
	const char *separator = "";

	for (size_t i = 0; i < NR_SORTS; i++)
		if (!strcmp(sorts[i].name, name)) {
			printf("%s%s", separator, result_name(try_bind(&sorts[i], text)));
			separator = " ";
		}
	printf("\n");
	return 0;
}

/* SIGTERM is blocked and polled, so the counts are complete. */
static bool terminated(void)
{
	sigset_t pending;

	return !sigpending(&pending) && sigismember(&pending, SIGTERM);
}

/* Closing the gate and then taking the lock guarantees that no socket is open. */
static int gated_bind(const struct sort *sort, const char *text,
		      const char *gate, int lock)
{
	int err = -1;

	if (!access(gate, F_OK) || flock(lock, LOCK_SH))
		return -1;
	if (access(gate, F_OK))
		err = try_bind(sort, text);
	flock(lock, LOCK_UN);
	return err;
}

static int storm(const char *text, const char *gate)
{
	static unsigned long counts[MAX_ERRNO];
	char name[256];
	sigset_t term;
	int lock, err;

	snprintf(name, sizeof(name), "%s.lock", gate);
	lock = open(name, O_RDWR | O_CREAT, 0600);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	for (; !terminated(); let_others_run())
		for (size_t i = 0; i < NR_SORTS; i++) {
			err = sorts[i].protocol == IPPROTO_SCTP ?
				gated_bind(&sorts[i], text, gate, lock) :
				try_bind(&sorts[i], text);
			if (err >= 0)
				counts[err % MAX_ERRNO]++;
		}
	for (err = 0; err < MAX_ERRNO; err++)
		if (counts[err])
			printf("%s %lu\n", result_name(err), counts[err]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "once"))
		return once(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "storm"))
		return storm(argv[2], argv[3]);
	fprintf(stderr, "usage: modbind once sctp|l2tp ADDR, or modbind storm ADDR GATE\n");
	return 2;
}
