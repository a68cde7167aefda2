/* SPDX-License-Identifier: GPL-2.0 */
/* Reads decisions from the text of trace_pipe. */
#ifndef RECORD_H
#define RECORD_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_LEN	15	/* what the kernel keeps of a program's name */

struct decision {
	unsigned long second, us;	/* of the trace's clock */
	unsigned int netns;		/* an inode */
	int pid;
	char program[PROGRAM_LEN + 1];
	char caller[32];
	struct in6_addr address;
	char device[IFNAMSIZ];		/* empty if the caller names none */
	uint32_t table;			/* 0 if none was asked */
	bool allowed;
	char step[32];
};

struct reader {
	void (*decided)(const struct decision *d, void *data);
	/* 0: nobody knows how many */
	void (*lost)(unsigned long decisions, void *data);
	void *data;
};

/* Takes the next bytes. A record may begin in one call and end in a later one. */
void record_take(const struct reader *reader, const char *bytes, size_t n);

#endif
