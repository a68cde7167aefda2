// SPDX-License-Identifier: GPL-2.0
/*
 * Binds a second, by one process on each processor, all at once. A line for 1,
 * 2, 4 and so on of them: smp-WAY, how many, 0, and twice the binds.
 *
 * Usage: smp WAY
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define SECONDS	3
#define PORT	5555

static const struct way {
	const char *name;
	enum anyip6_mode mode;
	enum anyip6_addr addr;
	bool freebind;
} ways[] = {
	{ .name = "stock", .mode = MODE_ABSENT, .addr = ADDR_LOOPBACK },
	{ .name = "freebind", .mode = MODE_ABSENT, .addr = ADDR_ANY, .freebind = true },
	{ .name = "configured", .mode = MODE_ON, .addr = ADDR_LOOPBACK },
	{ .name = "anyip", .mode = MODE_ON, .addr = ADDR_ANY },
};

static struct {
	bool go, stop;
	unsigned long binds[CPU_SETSIZE];
} *shared;

static void bind_once(const struct way *way, int port)
{
	const int one = 1;
	union sockaddr_any sa;
	socklen_t len = addr_fill(&sa, AF_INET6, way->addr, port);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0 || (way->freebind &&
		       setsockopt(fd, SOL_IP, IP_FREEBIND, &one, sizeof(one))) ||
	    bind(fd, &sa.sa, len))
		must(-errno, way->name);
	close(fd);
}

/* Each on a port of its own, so that they have no socket's lock in common. */
static void child(const struct way *way, int cpu)
{
	unsigned long binds = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set) ? -errno : 0, "affinity");
	while (!__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE))
		sched_yield();
	for (; !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED); binds++)
		bind_once(way, PORT + cpu);
	shared->binds[cpu] = binds;
	_exit(0);
}

static unsigned long run(const struct way *way, int cpus)
{
	unsigned long sum = 0;
	int status;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	for (int cpu = 0; cpu < cpus; cpu++)
		if (!fork())
			child(way, cpu);
	__atomic_store_n(&shared->go, true, __ATOMIC_RELEASE);
	sleep(SECONDS);
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	while (wait(&status) > 0)
		must(status ? -ECHILD : 0, "a process");
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += shared->binds[cpu];
	return sum / SECONDS;
}

int main(int argc, char **argv)
{
	unsigned long binds;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		new_host(ways[i].mode, "link set lo up\n"
			 "route add local 2001:db8:a::/64 dev lo\n");
		for (int cpus = 1; cpus <= sysconf(_SC_NPROCESSORS_ONLN); cpus *= 2) {
			binds = run(&ways[i], cpus);
			printf("smp-%s\t%d\t0\t%lu\t%lu\n", ways[i].name, cpus,
			       binds, binds);
		}
		return 0;
	}
	return 2;
}
