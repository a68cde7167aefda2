/* SPDX-License-Identifier: GPL-2.0 */
/* The commands, and the kernel's files that they read. */
#ifndef ANYIP6_TOOL_H
#define ANYIP6_TOOL_H

#define TOGGLE		"/proc/sys/net/ipv6/anyip_bind"
#define NONLOCAL	"/proc/sys/net/ipv6/ip_nonlocal_bind"
#define COUNTERS	"/proc/thread-self/net/anyip6"
#define MODULE		"/sys/module/anyip6/"

int cmd_explain(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
