// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>

#include "text.h"

/* Which second byte may follow which first byte: RFC 3629, section 4. */
static const struct {
	unsigned char first, last;	/* of the first byte */
	unsigned char low, high;	/* of the second */
	int length;
} forms[] = {
	{ 0x01, 0x7f, 0x00, 0xff, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },	/* no surrogates */
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool continues(const unsigned char *s, int n)
{
	while (n--)
		if ((*s++ & 0xc0) != 0x80)
			return false;
	return true;
}

int utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	for (unsigned int i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		if (forms[i].length == 1)
			return 1;
		if (s[1] < forms[i].low || s[1] > forms[i].high)
			return 0;
		return continues(s + 2, forms[i].length - 2) ? forms[i].length : 0;
	}
	return 0;
}

const char *plain(char *s)
{
	int n;

	for (char *at = s; *at; at += n) {
		n = utf8_length(at);
		if (!n || (n == 1 && (*at < ' ' || *at == 0x7f))) {
			*at = '?';
			n = 1;
		}
	}
	return s;
}
