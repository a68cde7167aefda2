// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"
#include "tool.h"

#define MAX_WORDS	16

int tool_stdin = -1;

const char *tool(void)
{
	static char path[PATH_MAX];
	char self[PATH_MAX] = "";

	if (getenv("ANYIP6_TOOL"))
		return getenv("ANYIP6_TOOL");
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		snprintf(path, sizeof(path), "%.4000s/anyip6", dirname(self));
	return path;
}

/* Runs in the child, without a shell. A shell would take a third of the time. */
static void exec_tool(char *args, int out, int err)
{
	char *argv[MAX_WORDS + 1] = { "anyip6" };
	int n = 1;

	for (char *arg = strtok(args, " "); arg && n < MAX_WORDS; arg = strtok(NULL, " "))
		argv[n++] = arg;
	if (tool_stdin >= 0)
		dup2(tool_stdin, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (err >= 0)
		dup2(err, STDERR_FILENO);
	execv(tool(), argv);
	_exit(127);
}

static void read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += n;
	out[len] = '\0';
}

int run_tool_to(enum tool_out to, char *out, size_t size, const char *fmt, ...)
{
	int full = to == TOOL_FULL ? open("/dev/full", O_WRONLY | O_CLOEXEC) : -1;
	int fds[2], status;
	char args[256];
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	fflush(stdout);
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid)
		exec_tool(args, to == TOOL_FULL ? full : fds[1],
			  to == TOOL_STDOUT ? -1 : fds[1]);
	close(full);
	close(fds[1]);
	read_all(fds[0], out, size);
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

bool has(const char *json, const char *name, const char *value)
{
	char want[512];

	snprintf(want, sizeof(want), "\"%s\":\"%s\"", name, value);
	return strstr(json, want);
}

/*
 * JSON. Each function is named after a part of JSON. It says whether the text
 * begins with that part, and moves past it.
 */

static bool value(const char **s);

static bool escape(const char **s)
{
	if (**s != 'u')
		return **s && strchr("\"\\/bfnrt", *(*s)++);
	++*s;
	/* the tool prints no surrogates, so they are invalid here */
	if (strspn(*s, "0123456789abcdefABCDEF") < 4 ||
	    (strchr("dD", (*s)[0]) && !strchr("01234567", (*s)[1])))
		return false;
	*s += 4;
	return true;
}

/* A character is decoded from UTF-8. The tool itself works on bytes. */
static bool character(const char **s)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = *(*s)++;
	unsigned int code;
	int n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 :
		first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;

	if (n == 1)
		return first >= ' ';
	code = first & (0xff >> (n + 1));
	for (int i = 1; i < n; i++, ++*s) {
		if ((**s & 0xc0) != 0x80)
			return false;
		code = code << 6 | (**s & 0x3f);
	}
	return n && code >= least[n] && code <= 0x10ffff &&
		(code < 0xd800 || code > 0xdfff);
}

static bool text(const char **s)
{
	if (*(*s)++ != '"')
		return false;
	while (**s != '"') {
		if (**s == '\\' ? (++*s, !escape(s)) : !character(s))
			return false;
	}
	++*s;
	return true;
}

/* A list between brackets. It takes both brackets. */
static bool list(const char **s, bool named)
{
	char end = named ? '}' : ']';

	if (*++*s == end)
		return (*s)++;
	for (;; (*s)++) {
		if (named && (!text(s) || *(*s)++ != ':'))
			return false;
		if (!value(s))
			return false;
		if (**s != ',')
			return *(*s)++ == end;
	}
}

static bool number(const char **s)
{
	size_t digits = strspn(*s, "0123456789");
	bool valid = digits == 1 || (digits && **s != '0');

	*s += digits;
	return valid;
}

static bool word(const char **s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(*s, words[i], strlen(words[i])))
			continue;
		*s += strlen(words[i]);
		return true;
	}
	return false;
}

static bool value(const char **s)
{
	if (**s == '"')
		return text(s);
	if (**s == '{' || **s == '[')
		return list(s, **s == '{');
	return word(s) || number(s);
}

bool json_valid(const char *s)
{
	return value(&s) && !strcmp(s, "\n");
}
