/* SPDX-License-Identifier: GPL-2.0 */
/* Runs of the tool anyip6(8), and what it prints. */
#ifndef ANYIP6_TOOL_SELFTEST_H
#define ANYIP6_TOOL_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

/* ANYIP6_TOOL names the program, if it is not beside this one. */
const char *tool(void);

/* All return the exit code; @out gets stdout and stderr, stdout alone, stderr alone. */
int run_tool(char *out, size_t size, const char *fmt, ...);
int run_tool_stdout(char *out, size_t size, const char *fmt, ...);
/* Its stdout is /dev/full. */
int run_tool_full(char *out, size_t size, const char *fmt, ...);

/* Whether it is one JSON value and a newline, by RFC 8259, in UTF-8. */
bool json_valid(const char *text);
/* Whether a member with that string is in it. */
bool has(const char *json, const char *name, const char *value);

#endif
