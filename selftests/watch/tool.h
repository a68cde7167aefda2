/* SPDX-License-Identifier: GPL-2.0 */
/* Run the tool anyip6(8), and check what it prints. */
#ifndef ANYIP6_TOOL_SELFTEST_H
#define ANYIP6_TOOL_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

/* ANYIP6_TOOL names the program, if it is not beside this one. */
const char *tool(void);

/* What @out gets. With TOOL_FULL, the tool's stdout is /dev/full. */
enum tool_out { TOOL_BOTH, TOOL_STDOUT, TOOL_FULL };

/* Returns the exit code. */
int run_tool_to(enum tool_out to, char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* What the tool reads from stdin, or -1 for what this program has. */
extern int tool_stdin;

#define run_tool(...)	run_tool_to(TOOL_BOTH, __VA_ARGS__)

/* Is it one JSON value and a newline, by RFC 8259, in UTF-8? */
bool json_valid(const char *text);
/* Does it have a member with that string? */
bool has(const char *json, const char *name, const char *value);

#endif
