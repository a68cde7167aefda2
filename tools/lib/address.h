/* SPDX-License-Identifier: GPL-2.0 */
/* The ways in which people write an address: with brackets, port, device, length. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>

struct address {
	struct in6_addr ip;
	unsigned int len;	/* 128, or less for a prefix */
	unsigned int port;	/* 0 if none is given */
	char dev[IFNAMSIZ];	/* empty if none is given */
	char text[INET6_ADDRSTRLEN + 4];	/* as the kernel writes it */
	/* ADDR:PORT without brackets is an address too: what else it can mean */
	char meant[INET6_ADDRSTRLEN];	/* empty if nothing else */
	unsigned int meant_port;
};

/* What a command line and stdin have. */
struct addresses {
	struct address *list;
	size_t n;
};

#define IS_PREFIX(a)	((a)->len < 128)

/* Returns NULL, or what is wrong with @text. The next call reuses that memory. */
const char *address_parse(const char *text, struct address *a);

/*
 * Adds the address in @word. "-" stands for those on stdin, a line each. Ends the
 * program if one is wrong, and if @word is an option.
 */
void addresses_take(struct addresses *all, const char *word);

/* Clears the bits behind the first @len. */
void address_mask(struct in6_addr *ip, unsigned int len);

#endif
