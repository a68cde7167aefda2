// SPDX-License-Identifier: GPL-2.0
/*
 * A program may have any name, also one with a line break or with words of a record in
 * it. It has 15 bytes at most, which is too short for what begins or ends a record, or
 * for the line of lost events. So we look for these, and take the name for what is left.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anyip6.h"
#include "record.h"
#include "text.h"

#define START	": anyip6_decision: netns="

static char record[4096];
static size_t length;

static char *last(char *text, const char *needle)
{
	char *found = NULL;

	for (char *at = text; (at = strstr(at, needle)); at++)
		found = at;
	return found;
}

/* "PROGRAM-PID [CPU] FLAGS SECOND.US", which it cuts up */
static bool take_head(char *head, struct decision *d)
{
	char *stamp = strrchr(head, ' '), *cpu, *pid;

	if (!stamp || sscanf(stamp, " %lu.%lu", &d->second, &d->us) != 2)
		return false;
	cpu = strrchr(head, '[');
	if (!cpu)
		return false;
	*cpu = '\0';
	pid = strrchr(head, '-');
	return pid && sscanf(pid, "-%d", &d->pid) == 1;
}

/* "N cookie=N comm=PROGRAM caller=WORD addr=..." */
static bool take_fields(char *fields, struct decision *d)
{
	char address[INET6_ADDRSTRLEN], *caller = last(fields, " caller=");
	int program = 0, allowed;

	if (!caller)
		return false;
	*caller++ = '\0';
	if (sscanf(fields, "%u cookie=%*u comm=%n", &d->netns, &program) != 1 || !program)
		return false;
	snprintf(d->program, sizeof(d->program), "%s", fields + program);
	if (sscanf(caller, "caller=%31s addr=%45s dev=%15s table=%u allowed=%d step=%31s",
		   d->caller, address, d->device, &d->table, &allowed, d->step) != 6)
		return false;
	d->allowed = allowed;
	if (!strcmp(d->device, "-"))
		*d->device = '\0';
	return inet_pton(AF_INET6, address, &d->address) == 1;
}

static bool parse(char *text, struct decision *d)
{
	char *start = strstr(text, START);

	if (!start)
		return false;
	*start = '\0';
	*d = (struct decision){};
	return take_head(text, d) && take_fields(start + strlen(START), d);
}

/* "CPU:N [LOST N EVENTS]", or without the second number */
static bool take_lost(const struct reader *reader)
{
	static const char unknown[] = " [LOST EVENTS]";
	const char *rest = strchr(record, ' ');
	unsigned long n;

	if (strncmp(record, "CPU:", 4) || !rest)
		return false;
	if (!strcmp(rest, unknown))
		n = 0;
	else if (sscanf(rest, " [LOST %lu EVENTS]", &n) != 1)
		return false;
	reader->lost(n, reader->data);
	return true;
}

static bool is_complete(void)
{
	const char *tail = last(record, " allowed=");
	char step[32];
	int end = 0;

	return tail && sscanf(tail, " allowed=%*d step=%31s%n", step, &end) == 1 && !tail[end];
}

static void take_record(const struct reader *reader)
{
	struct decision d;

	if (parse(record, &d))
		reader->decided(&d, reader->data);
	else
		complain("watch: not understood: %s", plain(record));
}

static void take_line(const struct reader *reader)
{
	record[length] = '\0';
	if (take_lost(reader)) {
		length = 0;
	} else if (is_complete()) {
		take_record(reader);
		length = 0;
	} else {
		record[length++] = '\n';
	}
}

void record_take(const struct reader *reader, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (length > sizeof(record) - 2) {
			complain("watch: not understood: %.100s...", plain(record));
			length = 0;
		}
		if (bytes[i] == '\n')
			take_line(reader);
		else
			record[length++] = bytes[i];
	}
}
