// SPDX-License-Identifier: GPL-2.0
/*
 * An instance has its own buffer, events and filters, so we disturb no other tracer. It
 * is named after our process. If we are killed, the next one removes it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anyip6.h"
#include "tracer.h"

#define NAME	"anyip6-"
#define EVENT	"events/anyip6/anyip6_decision"

/* Then signals and the output have their turn. */
#define MAX_READS	16

static const char *instance;	/* its folder, or NULL */
static int trace_pipe = -1;

static const char *in_instance(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	return path;
}

/* `ip netns exec` hides tracefs, but not from process 1. */
static const char *find_instances(void)
{
	static const char *const folders[] = {
		"/sys/kernel/tracing/instances",
		"/proc/1/root/sys/kernel/tracing/instances",
	};

	for (size_t i = 0; i < 2; i++)
		if (!access(folders[i], W_OK) || errno != ENOENT)
			return folders[i];
	return folders[0];
}

/* The kernel does not let us remove the instance of a process in another PID namespace. */
static void remove_stale(const char *instances)
{
	DIR *dir = opendir(instances);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int pid, end;

		if (sscanf(entry->d_name, NAME "%d%n", &pid, &end) != 1 ||
		    entry->d_name[end] || pid <= 0)
			continue;
		if (pid == getpid() || (kill(pid, 0) && errno == ESRCH))
			rmdir(fmt_text("%s/%s", instances, entry->d_name));
	}
	if (dir)
		closedir(dir);
}

struct setting {
	const char *file, *text;
};

/* A new instance has the options of the host's own trace. */
static const struct setting settings[] = {
	{ "trace_clock", "mono" },
	{ "trace_options", "context-info" },
	{ "trace_options", "overwrite" },
	{ "trace_options", "noraw" },
	{ "trace_options", "nohex" },
	{ "trace_options", "nobin" },
	{ "trace_options", "noblock" },
	{ "trace_options", "nolatency-format" },
};

/* Not every kernel has these. */
static const struct setting more_settings[] = {
	{ "trace_options", "nostacktrace" },
	{ "trace_options", "nouserstacktrace" },
	{ "trace_options", "norecord-tgid" },
	{ "trace_options", "nofields" },
	{ "buffer_percent", "0" },	/* wakes us for each event */
};

#define N(list)	(sizeof(list) / sizeof(*(list)))

static bool set(const char *file, const char *text)
{
	return !file_write(in_instance(file), text);
}

static bool set_up(const char *filter)
{
	for (size_t i = 0; i < N(settings); i++)
		if (!set(settings[i].file, settings[i].text))
			return false;
	for (size_t i = 0; i < N(more_settings); i++)
		set(more_settings[i].file, more_settings[i].text);
	if (*filter && !set(EVENT "/filter", filter))
		return false;
	trace_pipe = open(in_instance("trace_pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return trace_pipe >= 0 && set(EVENT "/enable", "1");
}

const char *tracer_open(const char *filter)
{
	const char *instances = find_instances(), *path;
	int err;

	remove_stale(instances);
	path = fmt_text("%s/" NAME "%d", instances, getpid());
	if (mkdir(path, 0700))
		return errno == ENOENT ? "tracefs is not mounted" :
			fmt_text("tracefs: %s", strerror(errno));
	instance = path;
	atexit(tracer_close);
	if (set_up(filter))
		return NULL;
	err = errno;
	tracer_close();
	return fmt_text("tracefs: %s", strerror(err));
}

int tracer_fd(void)
{
	return trace_pipe;
}

bool tracer_take(const struct reader *reader)
{
	char bytes[16384];
	ssize_t n = 1;

	for (int i = 0; n > 0 && i < MAX_READS; i++) {
		n = read(trace_pipe, bytes, sizeof(bytes));
		if (n > 0)
			record_take(reader, bytes, n);
	}
	return n > 0;
}

bool tracer_lives(void)
{
	return !access(in_instance(EVENT), F_OK);
}

void tracer_stop(void)
{
	set(EVENT "/enable", "0");
}

void tracer_close(void)
{
	if (trace_pipe >= 0)
		close(trace_pipe);
	trace_pipe = -1;
	if (instance && rmdir(instance))
		complain("watch: %s: %s", instance, strerror(errno));
	instance = NULL;
}
