/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ANYIP6_TOOL_H
#define ANYIP6_TOOL_H

#include <stdbool.h>

/* Exit codes, promised in anyip6(8). */
enum {
	EXIT_ALLOWED	= 0,
	EXIT_REFUSED	= 1,
	EXIT_USAGE	= 2,
	EXIT_NOT_LOADED	= 3,
	EXIT_CANNOT	= 4,
};

#define TOGGLE		"/proc/sys/net/ipv6/anyip_bind"
#define NONLOCAL	"/proc/sys/net/ipv6/ip_nonlocal_bind"
#define COUNTERS	"/proc/thread-self/net/anyip6"
#define MODULE		"/sys/module/anyip6/"

extern bool want_json;

/* main.c */
__attribute__((format(printf, 1, 2)))
void complain(const char *fmt, ...);
__attribute__((noreturn, format(printf, 2, 3)))
void die(int code, const char *fmt, ...);
char *file_read(const char *path);
int file_number(const char *path);

/* explain.c, status.c */
int cmd_explain(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
