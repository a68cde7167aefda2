/* SPDX-License-Identifier: GPL-2.0 */
/* The prefixes of a host, as /etc/anyip6/prefixes.d has them. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

#define CONFIG_DIR	"/etc/anyip6/prefixes.d"
#define SAVED		CONFIG_DIR "/saved.conf"	/* what --save writes */

/* The protocol of the routes, which ip-route(8) shows as `proto anyip6`. It marks ours. */
#define PREFIX_PROTO	106

struct prefix {
	const char *type;	/* as in ip-route(8) */
	struct address address;
	char dev[IFNAMSIZ], vrf[IFNAMSIZ], neigh[IFNAMSIZ];	/* empty if not given */
	char where[512];	/* FILE:LINE, or empty */
};

struct config {
	struct prefix *prefixes;
	size_t n;
};

/* Reads words such as "local PREFIX dev DEV". Returns NULL, or what is wrong. */
const char *prefix_parse(char **words, int n, struct prefix *p);
/* What it lacks to become a route, or NULL. */
const char *prefix_lacks(const struct prefix *p);
/* Complains about @p, and says where it stands if that is a file. */
__attribute__((format(printf, 2, 3)))
void prefix_complain(const struct prefix *p, const char *fmt, ...);
/* Whether both are the same prefix in the same L3 domain. */
bool prefix_same(const struct prefix *a, const struct prefix *b);
/*
 * Reads all files. @wrong gets a text about each bad line. Returns whether there
 * was none.
 */
bool config_read(struct config *config, void (*wrong)(const char *fmt, ...));
void config_add(struct config *config, const struct prefix *p);
const struct prefix *config_find(const struct config *config, const struct prefix *p);
void config_free(struct config *config);

#endif
