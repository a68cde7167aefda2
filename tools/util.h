/* SPDX-License-Identifier: GPL-2.0 */
/* What all parts of the tool use. */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>

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

/* All of a small file or NULL. The next call reuses the memory. */
char *file_read(const char *path);
/* The number in a file, or -1 if it cannot be read. */
int file_number(const char *path);

#endif
