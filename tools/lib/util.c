// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anyip6.h"

bool want_json;

static void complain_args(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "anyip6: ");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain_args(fmt, args);
	va_end(args);
}

void die(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain_args(fmt, args);
	va_end(args);
	exit(code);
}

void *need(void *memory)
{
	if (!memory)
		die(EXIT_CANNOT, "%s", strerror(errno));
	return memory;
}

char *file_read(const char *path)
{
	static char text[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	while (len < sizeof(text) - 1 &&
	       (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	close(fd);
	text[len] = '\0';
	return got < 0 ? NULL : text;
}

void file_each_line(const char *path, int words, void (*each)(char (*words)[64]))
{
	char of[3][64], *rest = file_read(path), *line;

	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%63s %63s %63s", of[0], of[1], of[2]) >= words)
			each(of);
}

int file_number(const char *path)
{
	const char *text = file_read(path);

	return text ? atoi(text) : -1;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -1;
	err = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

bool take_word(int *argc, char **argv, const char *word)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], word))
			continue;
		memmove(argv + i, argv + i + 1, (*argc - i) * sizeof(*argv));
		--*argc;
		return true;
	}
	return false;
}

bool take_value(char **argv, int *i, const char *name, const char **value)
{
	size_t len = strlen(name);

	if (!strncmp(argv[*i], name, len) && argv[*i][len] == '=') {
		*value = argv[*i] + len + 1;
		return true;
	}
	if (strcmp(argv[*i], name))
		return false;
	*value = argv[++*i];
	if (!*value)
		die(EXIT_USAGE, "%s: which?", name);
	return true;
}

const char *fmt_text(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return need(text);
}
