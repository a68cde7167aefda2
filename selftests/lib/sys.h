/* SPDX-License-Identifier: GPL-2.0 */
/* Namespaces, ip(8), sysctls and waiting. */
#ifndef ANYIP6_SYS_H
#define ANYIP6_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "kselftest.h"

#define NOBODY		65534	/* the user with the fewest rights */

/* End the program, because the test cannot go on. */
__noreturn __printf(1, 2) void die(const char *fmt, ...);
__noreturn void die_errno(const char *what);
__noreturn void skip_all(const char *why);

/* "ok" for 0, else the errno's name */
const char *result_name(int err);

/*
 * Wait without fixed sleeps: do ... while (poll_again()). It is false at the
 * deadline.
 */
struct poll_until {
	time_t deadline;
};

struct poll_until poll_begin(void);
bool poll_again(const struct poll_until *until);

/*
 * An emulator that runs the processors in turn switches to the next one here.
 * Otherwise it switches after 100 ms, which is too long where the kernel waits
 * for all processors.
 */
static inline void let_others_run(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause");
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Start a process that ends when this one ends, or when @process returns. */
pid_t process_start(void (*process)(unsigned int), unsigned int arg);

/* A random number below @n. Each run gives the same sequence. */
static inline unsigned int random_of(unsigned int *state, unsigned int n)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % n;
}

/* Namespaces are plain descriptors. ip inherits them as /proc/self/fd/N. */
int netns_new(void);
void netns_enter(int fd);

/*
 * Run ip(8). These return its exit status and keep the first line of its
 * output. All lines are of one family, or (AF_UNSPEC) each has the family of
 * its addresses.
 */
int ip_batch(int family, const char *lines);
void ip_must(int family, const char *lines);
int ip_run(const char *fmt, ...) __printf(1, 2);
const char *ip_message(void);

/* The packets that a device sent, and the packets that it failed to send. */
struct dev_counts {
	unsigned long sent, failed;
};

struct dev_counts dev_counts(const char *dev);

/* Returns @buf with the whole file, or NULL. */
char *file_read(const char *path, char *buf, size_t size);

/* Files below /proc/sys. All return -errno on failure. */
int sysctl_write(const char *path, const char *value);
void sysctl_must(const char *path, const char *value);
int sysctl_read(const char *path);

#endif
