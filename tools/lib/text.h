/* SPDX-License-Identifier: GPL-2.0 */
/* Names in the kernel are bytes. These functions make text of them. */
#ifndef TEXT_H
#define TEXT_H

/* Length of the UTF-8 character at the start of @s, 0 if it is none. */
int utf8_length(const char *s);
/* Makes @s fit for a terminal: replaces control characters and bad bytes by ?. */
const char *plain(char *s);

#endif
