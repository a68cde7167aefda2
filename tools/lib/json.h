/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes JSON to stdout, an object as a whole when it is closed. The name of an
 * array's element is NULL.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>

void json_open(const char *name, char bracket);
void json_close(void);
void json_string(const char *name, const char *value);
void json_number(const char *name, unsigned long value);
void json_bool(const char *name, bool value);

#endif
