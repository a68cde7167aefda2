// SPDX-License-Identifier: GPL-2.0
/*
 * Repeated and parallel operations for security.sh.
 *
 * intruder flood N	bind to an Any-IP address and to one outside, and write
 *			an invalid value to the toggle, N times each; print
 *			"WHAT: RESULT" for each, and fail if a result changed
 * intruder read SEC	processes read the files of network namespaces while
 *			these are destroyed; print the results, and fail if one
 *			is wrong; run longer if a result is still missing
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counts.h"
#include "run.h"

#define MAKERS	2
#define READERS	4
#define DEADLINE	300	/* seconds, on a kernel with debug checks */

static int bind_any(void)
{
	return -udp_try(ADDR_ANY);
}

static int bind_outside(void)
{
	return -udp_try(ADDR_OUTSIDE);
}

static int write_toggle(void)
{
	return -sysctl_write(TOGGLE, "2\n");
}

static const struct {
	const char *what;
	int (*try)(void);
} attempts[] = {
	{ "any", bind_any },
	{ "outside", bind_outside },
	{ "toggle", write_toggle },
};

static int flood(unsigned long times)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int first = attempts[i].try();

		for (unsigned long n = 1; n < times; n++)
			if (attempts[i].try() != first)
				return 1;
		printf("%s: %s\n", attempts[i].what, result_name(first));
	}
	return 0;
}

/* Counters that all processes add to. A file that is gone is not a wrong answer. */
static struct {
	unsigned long counters, toggles, gone, wrong;
} *seen;

static void note(unsigned long *what)
{
	__atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

static int open_of(pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void read_counters(pid_t maker)
{
	int fd = open_of(maker, "net/anyip6");
	char text[1024] = "";
	struct counts c;
	ssize_t len;

	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		note(&seen->gone);
	else
		note(counts_parse(text, &c) ? &seen->counters : &seen->wrong);
	close(fd);
}

static bool same_file(int a, int b)
{
	struct stat st[2];

	return !fstat(a, &st[0]) && !fstat(b, &st[1]) &&
	       st[0].st_ino == st[1].st_ino;
}

/*
 * An open toggle does not keep its namespace alive. Read it until the namespace
 * is dead. At the start, the maker is in its home namespace, which stays.
 */
static void read_toggle(pid_t maker, int home)
{
	int ns = open_of(maker, "ns/net");
	bool was_there = false;
	char text[8];
	ssize_t len;
	int fd;

	if (same_file(ns, home)) {
		close(ns);
		return;
	}
	netns_enter(ns);
	close(ns);
	fd = open("/proc/sys/" TOGGLE, O_RDONLY | O_CLOEXEC);
	netns_enter(home);
	while ((len = pread(fd, text, sizeof(text), 0)) >= 0) {
		note(len == 2 && !memcmp(text, "1\n", 2) ? &seen->toggles : &seen->wrong);
		was_there = true;
		read_counters(maker);
	}
	if (was_there)
		note(&seen->gone);
	close(fd);
}

static void read_files(unsigned int maker)
{
	int home = open_of(getpid(), "ns/net");

	for (;;)
		read_toggle(maker, home);
}

/*
 * Wait until the namespace is dead or the module gone. Many at once would take
 * minutes.
 */
static void wait_for_end(int toggle)
{
	struct poll_until until = poll_begin();
	char text[8];

	while (pread(toggle, text, sizeof(text), 0) >= 0 && poll_again(&until))
		;
	close(toggle);
}

/* Each namespace goes when the next one is made. */
static void make_namespaces(unsigned int unused)
{
	int toggle = -1;

	(void)unused;
	for (;;) {
		close(netns_new());
		wait_for_end(toggle);
		toggle = open("/proc/sys/" TOGGLE, O_RDONLY | O_CLOEXEC);
	}
}

static bool is_seen(const unsigned long *what)
{
	return __atomic_load_n(what, __ATOMIC_RELAXED);
}

static bool all_seen(void)
{
	return is_seen(&seen->counters) && is_seen(&seen->toggles) && is_seen(&seen->gone);
}

static int read_storm(unsigned int seconds)
{
	pid_t pids[MAKERS + READERS];

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < MAKERS + READERS; i++)
		pids[i] = i < MAKERS ? process_start(make_namespaces, 0) :
				       process_start(read_files, pids[i % MAKERS]);
	for (unsigned int s = 0; s < seconds || (s < DEADLINE && !all_seen()); s++)
		sleep(1);
	/* A process that ended by itself could not continue. That is a failure too. */
	for (int i = 0; i < MAKERS + READERS; i++)
		if (waitpid(pids[i], NULL, WNOHANG))
			note(&seen->wrong);
	/* Stop readers first: they follow their maker. */
	for (int i = MAKERS + READERS; i--; ) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	printf("counters: %lu\ntoggles: %lu\ngone: %lu\nwrong: %lu\n",
	       seen->counters, seen->toggles, seen->gone, seen->wrong);
	return seen->wrong != 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "flood"))
		return flood(strtoul(argv[2], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "read"))
		return read_storm(strtoul(argv[2], NULL, 10));
	fprintf(stderr, "usage: intruder flood N | read SEC\n");
	return 2;
}
