// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"

#define POLL_DEADLINE	20	/* seconds */
#define MAX_WORDS	24

static char last_message[256];

void die(const char *fmt, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(KSFT_FAIL);
}

void die_errno(const char *what)
{
	die("%s: %s", what, strerror(errno));
}

void skip_all(const char *why)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	exit(KSFT_SKIP);
}

const char *result_name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

struct poll_until poll_begin(void)
{
	return (struct poll_until) { .deadline = time(NULL) + POLL_DEADLINE };
}

bool poll_again(const struct poll_until *until)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	errno = ETIMEDOUT;
	return !nanosleep(&pause, NULL) && time(NULL) <= until->deadline;
}

pid_t process_start(void (*process)(unsigned int), unsigned int arg)
{
	pid_t pid = fork();

	if (pid < 0)
		die_errno("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process(arg);
	exit(0);
}

int netns_new(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		die_errno("unshare(CLONE_NEWNET)");
	fd = open("/proc/thread-self/ns/net", O_RDONLY);
	if (fd < 0)
		die_errno("/proc/thread-self/ns/net");
	return fd;
}

void netns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		die_errno("setns");
}

/*
 * Runs ip without a shell, because an initramfs's shell may have an ip of its
 * own. The words of a command are split at blanks. Its output goes to
 * last_message.
 */
static int ip_spawn(char *cmd, int in, int out)
{
	char *argv[MAX_WORDS + 1] = { "ip" };
	int n = 1, status;
	pid_t pid;

	for (cmd = strtok(cmd, " "); cmd && n < MAX_WORDS; cmd = strtok(NULL, " "))
		argv[n++] = cmd;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		die_errno("waitpid");
	return status;
}

static int ip_spawn_quietly(char *cmd, int in)
{
	int out = memfd_create("ip", 0);
	int status = ip_spawn(cmd, in, out);
	ssize_t len;

	len = pread(out, last_message, sizeof(last_message) - 1, 0);
	last_message[len < 0 ? 0 : len] = '\0';
	last_message[strcspn(last_message, "\n")] = '\0';
	close(out);
	return status;
}

/*
 * Run several commands, all of one family or (AF_UNSPEC) each of its addresses'
 * family.
 */
int ip_batch(int family, const char *lines)
{
	char cmd[] = "-0 -batch -";
	int in = memfd_create("batch", 0);
	int status;

	if (write(in, lines, strlen(lines)) < 0 || lseek(in, 0, SEEK_SET))
		die_errno("memfd");
	cmd[1] = family == AF_INET6 ? '6' : '4';
	status = ip_spawn_quietly(family == AF_UNSPEC ? cmd + 3 : cmd, in);
	close(in);
	return status;
}

void ip_must(int family, const char *lines)
{
	if (!ip_batch(family, lines))
		return;
	if (strstr(last_message, "Unknown device type"))
		skip_all("the kernel lacks dummy or veth");
	die("ip: %s", last_message);
}

int ip_run(const char *fmt, ...)
{
	char cmd[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);
	return ip_spawn_quietly(cmd, STDIN_FILENO);
}

const char *ip_message(void)
{
	return last_message;
}

struct dev_counts dev_counts(const char *dev)
{
	static const char columns[] =
		" %31[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu %lu %lu %*u %*u %lu";
	FILE *f = fopen("/proc/thread-self/net/dev", "r");
	unsigned long sent = 0, errs = 0, drop = 0, carrier = 0;
	char line[256], name[32];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, columns, name, &sent, &errs, &drop, &carrier) == 5 &&
			!strcmp(name, dev);
	if (!found)
		die("/proc/net/dev: no device %s", dev);
	fclose(f);
	return (struct dev_counts) { .sent = sent, .failed = errs + drop + carrier };
}

char *file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, buf + len, size - 1 - len)) > 0)
		len += got;
	buf[len] = '\0';
	if (fd >= 0)
		close(fd);
	return fd < 0 ? NULL : buf;
}

static int sysctl_open(const char *path, int flags)
{
	char name[128];

	snprintf(name, sizeof(name), "/proc/sys/%s", path);
	return open(name, flags | O_CLOEXEC);
}

int sysctl_write(const char *path, const char *value)
{
	int fd = sysctl_open(path, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int sysctl_read(const char *path)
{
	int fd = sysctl_open(path, O_RDONLY);
	char value[32] = "";
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, value, sizeof(value) - 1);
	close(fd);
	return len < 0 ? -errno : atoi(value);
}

void sysctl_must(const char *path, const char *value)
{
	errno = -sysctl_write(path, value);
	if (errno)
		die_errno(path);
}
