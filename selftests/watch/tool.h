/* SPDX-License-Identifier: GPL-2.0 */
/* Run the tool anyip6(8), and check what it prints. */
#ifndef ANYIP6_TOOL_SELFTEST_H
#define ANYIP6_TOOL_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

/* ANYIP6_TOOL names the program, if it is not beside this one. */
const char *tool(void);

/*
 * All return the exit code. @out gets stdout and stderr, only stdout, or only
 * stderr.
 */
int run_tool(char *out, size_t size, const char *fmt, ...);
int run_tool_stdout(char *out, size_t size, const char *fmt, ...);
/* Runs the tool with /dev/full as its stdout. */
int run_tool_full(char *out, size_t size, const char *fmt, ...);

/* Is it one JSON value and a newline, by RFC 8259, in UTF-8? */
bool json_valid(const char *text);
/* Does it have a member with that string? */
bool has(const char *json, const char *name, const char *value);

#endif
