/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the module is loaded, which one it is, and why not. */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>
#include <stddef.h>

enum presence {
	NOT_LOADED,
	LOADED,
	BUILT_IN,	/* the kernel has the rule and no module */
	CANNOT_SEE,	/* /proc/sys and /sys are hidden here */
};

struct module {
	enum presence is;
	char version[64];	/* empty if it is not loaded, or /sys is hidden */
	char why[512];		/* of NOT_LOADED, empty if nothing tells */
};

struct module module_state(const char *release);
/* Whether modprobe knows no file of ours for that kernel. False if it cannot be told. */
bool module_file_missing(const char *release);
/*
 * The last line of the module in the kernel log that has @needle, unless the module
 * was unloaded later. False if there is none to read.
 */
bool module_logged(const char *needle, char *last, size_t size);

#endif
