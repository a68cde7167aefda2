// SPDX-License-Identifier: GPL-2.0
/*
 * What a bind costs while several processors bind at once. Prints a line for
 * each: smp-WAY, processors, 0, the smallest and the median cost. The cost is
 * the instructions of all processors that bind, divided by the number of binds.
 *
 * The emulator lets the processors run in turn, some milliseconds each. A round
 * takes many turns. When a loop that waits pauses, the emulator goes on to the
 * next processor, so the cost of a lock does not show.
 *
 * The sockets are raw sockets, which can be bound again and again. No other
 * part of the kernel adds locks of its own.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define BINDS		20000	/* of each worker in a round */
#define ROUNDS		5
#define MAX_WORKERS	4

static const struct way {
	const char *name;
	enum anyip6_mode mode;
	enum anyip6_addr addr;
} ways[] = {
	{ "stock", MODE_ABSENT, ADDR_HOST },
	{ "off", MODE_OFF, ADDR_HOST },
	{ "on", MODE_ON, ADDR_HOST },
	{ "anyip", MODE_ON, ADDR_ANY },
};

static struct {
	int order[2], answer[2];
} pipes[MAX_WORKERS];

static void bind_again(int fd, enum anyip6_addr addr)
{
	union sockaddr_any sa;
	socklen_t len = addr_fill(&sa, AF_INET6, addr, 0);

	for (unsigned int i = 0; i < BINDS; i++)
		if (bind(fd, &sa.sa, len))
			must(-errno, "bind");
}

/* Binds as it is told until the program ends, on a processor of its own. */
static void work(unsigned int worker)
{
	const struct bind_spec raw = { .proto = { SOCK_RAW, 253 } };
	int fd = sock_open(AF_INET6, &raw);
	enum anyip6_addr addr;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(worker, &cpu);
	if (fd < 0 || sched_setaffinity(0, sizeof(cpu), &cpu))
		must(-errno, "worker");
	close(pipes[worker].order[1]);
	while (read(pipes[worker].order[0], &addr, sizeof(addr)) == sizeof(addr)) {
		bind_again(fd, addr);
		if (write(pipes[worker].answer[1], "", 1) != 1)
			break;
	}
	_exit(0);
}

static void start_workers(void)
{
	for (unsigned int i = 0; i < MAX_WORKERS; i++) {
		if (pipe(pipes[i].order) || pipe(pipes[i].answer))
			must(-errno, "pipe");
		if (!fork())
			work(i);
		close(pipes[i].order[0]);
		close(pipes[i].answer[1]);
	}
}

static unsigned long run_round(const struct way *way, unsigned int n)
{
	unsigned long begin = now();
	char done;

	for (unsigned int i = 0; i < n; i++)
		if (write(pipes[i].order[1], &way->addr, sizeof(way->addr)) < 0)
			must(-errno, "worker");
	for (unsigned int i = 0; i < n; i++)
		if (read(pipes[i].answer[0], &done, 1) != 1)
			must(-EPIPE, "worker");
	return (now() - begin) / n / BINDS;
}

static void run_way(const struct way *way)
{
	unsigned long cost[ROUNDS];

	toggle_set(way->mode);
	run_round(way, MAX_WORKERS); /* finishes the last step's work */
	for (unsigned int n = 1; n <= MAX_WORKERS; n *= 2) {
		for (unsigned int round = 0; round < ROUNDS; round++)
			cost[round] = run_round(way, n);
		qsort(cost, ROUNDS, sizeof(*cost), compare_costs);
		printf("smp-%s\t%u\t0\t%lu\t%lu\n", way->name, n, cost[0],
		       cost[ROUNDS / 2]);
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	new_host(MODE_ABSENT, "link set lo up\n"
			      "addr add 2001:db8:1::1/128 dev lo nodad\n"
			      "route add local 2001:db8:a::/64 dev lo\n");
	start_workers();
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (i == 1)
			must(system("insmod ./anyip6.ko") ? -EINVAL : 0, "insmod");
		run_way(&ways[i]);
	}
	return 0;
}
