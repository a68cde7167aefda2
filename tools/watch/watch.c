// SPDX-License-Identifier: GPL-2.0
/* anyip6 watch: the decisions as they come. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "anyip6.h"
#include "fib.h"
#include "module.h"
#include "print.h"
#include "tracer.h"
#include "watch.h"

#define OWN_NETNS	"/proc/thread-self/ns/net"

static volatile sig_atomic_t stopped;
static bool unread;	/* who reads our output has gone */

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* As under nohup, what is ignored stays so. */
static void end_at(int signal)
{
	const struct sigaction end = { .sa_handler = stop };
	struct sigaction old;

	sigaction(signal, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(signal, &end, NULL);
}

/* We have to put things in order before we end. Then SIGPIPE may end us. */
static void catch_signals(void)
{
	end_at(SIGINT);
	end_at(SIGTERM);
	end_at(SIGHUP);
	signal(SIGPIPE, SIG_IGN);
}

static bool written(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	if (errno != EPIPE)
		die(EXIT_CANNOT, "cannot write: %s", strerror(errno));
	unread = true;
	return false;
}

bool watch_wait(int fd, int ms)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO },
	};

	if (!written())
		return false;
	poll(fds, 2, ms);
	unread = fds[1].revents & (POLLERR | POLLHUP);
	return !stopped && !unread;
}

const char *time_text(time_t second, unsigned long us)
{
	static char text[40];
	struct tm tm;
	size_t len;

	if (want_json)
		len = strftime(text, sizeof(text), "%FT%T", gmtime_r(&second, &tm));
	else
		len = strftime(text, sizeof(text), "%T", localtime_r(&second, &tm));
	snprintf(text + len, sizeof(text) - len, ".%06lu%s", us, want_json ? "Z" : "");
	return text;
}

/* --- What is wanted --- */

static unsigned int own_netns(void)
{
	struct stat st;

	if (stat(OWN_NETNS, &st))
		die(EXIT_CANNOT, "watch: " OWN_NETNS ": %s", strerror(errno));
	return st.st_ino;
}

static struct wanted take_arguments(int argc, char **argv)
{
	struct wanted w = {
		.refused = take_word(&argc, argv, "--refused"),
		.all_netns = take_word(&argc, argv, "--all"),
		.own_netns = own_netns(),
	};

	for (int i = 1; i < argc; i++)
		if (!take_value(argv, &i, "--prog", &w.program))
			addresses_take(&w.addresses, argv[i]);
	return w;
}

/* A name that the kernel's filter can quote, and that it does not cut. */
static bool is_plain_name(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		strlen(name) && *name && strlen(name) <= PROGRAM_LEN;
}

/* What the kernel can leave out takes no room in the buffer. It cannot compare addresses. */
static const char *kernel_filter(const struct wanted *w)
{
	const char *netns = "", *refused = "", *program = "";

	if (!w->all_netns)
		netns = fmt_text(" && netns == %u", w->own_netns);
	if (w->refused)
		refused = " && allowed == 0";
	if (w->program && is_plain_name(w->program))
		program = fmt_text(" && comm == \"%s\"", w->program);
	if (!*netns && !*refused && !*program)
		return "";
	return fmt_text("%s%s%s", netns, refused, program) + strlen(" && ");
}

static bool is_in(const struct address *a, const struct decision *d)
{
	return prefix_covers(&a->ip, a->len, &d->address) &&
		(!*a->dev || !strcmp(a->dev, d->device));
}

static bool is_wanted(const struct wanted *w, const struct decision *d)
{
	if (w->program && strncmp(w->program, d->program, PROGRAM_LEN))
		return false;
	for (size_t i = 0; i < w->addresses.n; i++)
		if (is_in(&w->addresses.list[i], d))
			return true;
	return !w->addresses.n;
}

/* --- Watching --- */

static void decided(const struct decision *d, void *data)
{
	const struct wanted *w = data;

	if (is_wanted(w, d))
		print_decision(d, w->all_netns ? w->own_netns : 0);
}

static void lost(unsigned long decisions, void *data)
{
	(void)data;
	print_lost(decisions);
}

static int watch_trace(struct wanted *w)
{
	const struct reader reader = { decided, lost, w };

	while (watch_wait(tracer_fd(), 250)) {
		tracer_take(&reader);
		if (!tracer_lives()) {
			complain("watch: the module was unloaded");
			return EXIT_NOT_LOADED;
		}
	}
	tracer_stop();
	while (!unread && tracer_take(&reader))
		written();
	written();
	return 0;
}

/* The counters have no programs, no addresses, and those of this netns only. */
static int watch_without_trace(const struct wanted *w, const char *why)
{
	if (w->program || w->addresses.n || w->all_netns)
		die(EXIT_CANNOT,
		    "watch: %s; without it there are only the counters of this netns", why);
	return watch_counters(w, why);
}

static void need_module(void)
{
	struct utsname uts;
	struct module m;

	uname(&uts);
	m = module_state(uts.release);
	if (m.is == NOT_LOADED)
		die(EXIT_NOT_LOADED, "watch: the module is not loaded%s%s",
		    *m.why ? ": " : "", m.why);
	if (m.is == BUILT_IN)
		die(EXIT_CANNOT, "watch: the rule is built into the kernel, without a tracepoint");
	if (m.is == CANNOT_SEE)
		die(EXIT_CANNOT, "watch: /proc/sys and /sys are hidden here");
}

int cmd_watch(int argc, char **argv)
{
	struct wanted w = take_arguments(argc, argv);
	const char *why;
	int code;

	need_module();
	/* A file that we open must not become stdout. */
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		die(EXIT_CANNOT, "watch: stdout is closed");
	catch_signals();
	why = tracer_open(kernel_filter(&w));
	code = why ? watch_without_trace(&w, why) : watch_trace(&w);
	tracer_close();
	free(w.addresses.list);
	if (unread) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return code;
}
