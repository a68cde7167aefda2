/* SPDX-License-Identifier: GPL-2.0 */
/* What anyip6 check looks at. Each part reports what is wrong and how to put it right. */
#ifndef CHECK_H
#define CHECK_H

#include "../lib/fib.h"
#include "../lib/module.h"

struct host {
	const char *release;	/* of the running kernel */
	struct module module;
	bool booted;		/* with systemd, so units count */
};

/* @id names the kind of problem for programs. @fix is a command, or says what to do. */
__attribute__((format(printf, 3, 4)))
void report(const char *id, const char *fix, const char *fmt, ...);
/* The first line that a command prints, without its end, or "" if it fails. */
const char *command_line(const char *command);

/* The module's file, the module, the kernel, the units. */
void check_host(const struct host *host);
/* Profiles of lo. When one comes up, NetworkManager deletes the routes that others made. */
void check_networkmanager(void);
/* Switches, prefixes and neighbours of this network namespace. */
void check_netns(const struct host *host);
#endif
