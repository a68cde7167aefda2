/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the tool share: the kernel's files, exit codes, complaints, the commands. */
#ifndef ANYIP6_TOOL_H
#define ANYIP6_TOOL_H

#include <stdbool.h>

#define TOGGLE		"/proc/sys/net/ipv6/anyip_bind"
#define NDISC		"/proc/sys/net/ipv6/anyip_ndisc"
#define PROXY_NDP	"/proc/sys/net/ipv6/conf/%s/proxy_ndp"
#define NONLOCAL	"/proc/sys/net/ipv6/ip_nonlocal_bind"
#define COUNTERS	"/proc/thread-self/net/anyip6"
#define MODULE		"/sys/module/anyip6/"
#define HOOKS		MODULE "parameters/hooks"

/* Exit codes, promised in anyip6(8). */
enum {
	EXIT_ALLOWED	= 0,
	EXIT_REFUSED	= 1,
	EXIT_USAGE	= 2,
	EXIT_NOT_LOADED	= 3,
	EXIT_CANNOT	= 4,
};

extern bool want_json;

__attribute__((format(printf, 1, 2)))
void complain(const char *fmt, ...);
__attribute__((noreturn, format(printf, 2, 3)))
void die(int code, const char *fmt, ...);

/* Ends the program if @memory is NULL, else returns it. */
void *need(void *memory);

/* A text that stays until the program ends. */
__attribute__((format(printf, 1, 2)))
const char *fmt_text(const char *fmt, ...);

/* All of a small file or NULL. The next call reuses the memory. */
char *file_read(const char *path);
/* Calls @each with the first three words of each line that has @words of them. */
void file_each_line(const char *path, int words, void (*each)(char (*words)[64]));
/* The number in a file, or -1 if it cannot be read. */
int file_number(const char *path);

/* Writes to a file of /proc/sys. Returns 0, or -1 with errno. */
int file_write(const char *path, const char *text);
/* Takes an option out of the command's words. Returns whether it was there. */
bool take_word(int *argc, char **argv, const char *word);
/* Takes the value of --NAME VALUE or --NAME=VALUE at @i. False if that is another word. */
bool take_value(char **argv, int *i, const char *name, const char **value);

int cmd_add(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_del(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_off(int argc, char **argv);
int cmd_on(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_watch(int argc, char **argv);

struct question;

/* explain --ndisc. Returns the exit code. */
int explain_ndisc(const struct question *q);

#endif
