/* SPDX-License-Identifier: GPL-2.0 */
/* Names are bytes to the kernel; these make text of them. */
#ifndef TEXT_H
#define TEXT_H

/* The bytes of the UTF-8 character that @s begins with; 0 if it is none. */
int utf8_length(const char *s);
/* Fit for a terminal: ? for a control character and a byte that is not UTF-8. */
const char *plain(char *s);

#endif
