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

#define MAX_ERRNO	256

static const struct sort {
	const char *name;
	struct proto proto;
} sorts[] = {
	{ "sctp", PROTO_sctp_1_1 },
	{ "sctp", PROTO_sctp_1_n },
	{ "l2tp", PROTO_l2tp },
};

static bool is_sctp(const struct sort *sort)
{
	return sort->proto.number == IPPROTO_SCTP;
}

static int try_bind(const struct sort *sort, const char *text)
{
	union sockaddr_any a;
	socklen_t len = addr_parse(&a, AF_INET6, text, 0);
	int fd = socket(AF_INET6, sort->proto.type, sort->proto.number);
	int err = 0;

	if (fd < 0)
		return errno;
	if (!is_sctp(sort))
		len = l2tp_connection(&a, getpid());
	if (bind(fd, &a.sa, len))
		err = errno;
	close(fd);
	return err;
}

static int once(const char *name, const char *text)
{
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++)
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
		for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
			err = is_sctp(&sorts[i]) ?
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
