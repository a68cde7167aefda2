// SPDX-License-Identifier: GPL-2.0
/*
 * For faults.sh. It has told the kernel within which function memory may run
 * out. Here the first allocation fails, then the second, and so on until every
 * allocation has failed once.
 *
 * failnth load FILE	load the module, and unload it if that worked
 * failnth netns		make a network namespace while the module is loaded
 *
 * The program prints each allocation whose failure made the operation fail, and
 * the operation's error. It then prints how many allocations there were and how
 * many of them were needed, and what went wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"

static int home, module = -1, nth;

/* Allocations fail only for the task that asked for it. */
static void fail_nth(int n)
{
	char text[16];
	int fd = open(FAIL_NTH, O_WRONLY);
	int len = snprintf(text, sizeof(text), "%d", n);

	if (write(fd, text, len) != len)
		exit(2);
	close(fd);
}

/* How many allocations were still missing to reach that one. */
static int not_reached(void)
{
	char text[16] = "";
	int fd = open(FAIL_NTH, O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) <= 0)
		exit(2);
	close(fd);
	return atoi(text);
}

static bool wrong(const char *what)
{
	printf("allocation %d: %s\n", nth, what);
	return false;
}

/* This netns has everything the module adds, or nothing of it. */
static bool is_there(bool there)
{
	if (anyip6_loaded() != there)
		return wrong(there ? "no toggle" : "a toggle is left");
	if (!access(COUNTERS, F_OK) != there)
		return wrong(there ? "no counters" : "counters are left");
	return true;
}

static bool answers(int any)
{
	if (udp_try(ADDR_ANY) != -any)
		return wrong("bind to an Any-IP address");
	if (udp_try(ADDR_OUTSIDE) != -EADDRNOTAVAIL)
		return wrong("bind to an address outside");
	if (udp_try(ADDR_LOOPBACK))
		return wrong("bind to ::1");
	return is_there(!any);
}

/* How often the module reported a failed load since the last call. */
static int told(void)
{
	static int fd = -1;
	char record[1024];
	ssize_t len;
	int n = 0;

	if (fd < 0) {
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
		lseek(fd, 0, SEEK_END);
	}
	while ((len = read(fd, record, sizeof(record) - 1)) >= 0 || errno == EPIPE) {
		record[len < 0 ? 0 : len] = '\0';
		n += !!strstr(record, ";anyip6: not loaded: ");
	}
	return n;
}

static bool is_hooked(void)
{
	FILE *f = fopen("/sys/kernel/tracing/enabled_functions", "r");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "ipv6_chk_a");
	if (f)
		fclose(f);
	return found;
}

static int load_try(void)
{
	return syscall(SYS_finit_module, module, "", 0) ? errno : 0;
}

static bool load_failed(int err)
{
	(void)err;	/* socket() and ftrace have errors of their own */
	if (told() != 1)
		return wrong("not one line in the log");
	if (is_hooked())
		return wrong("a function is still hooked");
	return answers(EADDRNOTAVAIL);
}

static bool load_worked(void)
{
	if (told() || !is_hooked() || !answers(0))
		return wrong("loaded, and does not work");
	if (syscall(SYS_delete_module, "anyip6", O_NONBLOCK))
		return wrong("cannot be unloaded");
	return !is_hooked() && answers(EADDRNOTAVAIL);
}

static int netns_try(void)
{
	return unshare(CLONE_NEWNET) ? errno : 0;
}

static bool netns_failed(int err)
{
	if (err != ENOMEM)
		return wrong("another error than ENOMEM");
	return answers(0);
}

static bool netns_worked(void)
{
	bool there = is_there(true);

	netns_enter(home);
	return there && answers(0);
}

static const struct operation {
	const char *name;
	int (*try)(void);
	bool (*failed)(int err);
	bool (*worked)(void);
} operations[] = {
	{ "load", load_try, load_failed, load_worked },
	{ "netns", netns_try, netns_failed, netns_worked },
};

static int each(const struct operation *op)
{
	int left, err, failed = 0;

	told();
	/*
	 * At 0 no allocation fails. This makes the allocations that happen only
	 * once.
	 */
	for (nth = 0, left = 0; !left; nth++) {
		fail_nth(nth);
		err = op->try();
		left = not_reached();
		fail_nth(0);
		if (err && left)
			return !wrong("failed by itself");
		if (err ? !op->failed(err) : !op->worked())
			return 1;
		if (err)
			printf("allocation %d: %s\n", nth, result_name(err));
		failed += !!err;
	}
	printf("allocations: %d\nneeded: %d\n", nth - 2, failed);
	return 0;
}

int main(int argc, char **argv)
{
	home = netns_any_ip();
	if (argc == 3)
		module = open(argv[2], O_RDONLY);
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (argc > 1 && !strcmp(argv[1], operations[i].name))
			return each(&operations[i]);
	fprintf(stderr, "usage: failnth load FILE | netns\n");
	return 2;
}
