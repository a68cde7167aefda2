/* SPDX-License-Identifier: GPL-2.0 */
/* The measuring programs share a clock and the costs that it counts. */
#ifndef ANYIP6_BENCH_H
#define ANYIP6_BENCH_H

#include <time.h>

#include "run.h"

#define ITERATIONS	1000

/* The cost of one thing that was done ITERATIONS times. */
struct cost {
	unsigned long min;
	unsigned long median;
	int err;	/* the result, the same each time */
};

/*
 * A way to do one thing. Only act is counted. All three get the same context.
 * prepare and act return 0 or -errno.
 */
struct act {
	int (*prepare)(void *ctx);
	int (*act)(void *ctx);
	void (*tidy)(void *ctx);
};

/*
 * In a machine of `scripts/vm --icount` both clocks count instructions. The
 * first one avoids the rounding and the calibration of the kernel's clocks.
 */
static inline unsigned long now(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
#endif
}

int compare_costs(const void *a, const void *b);
struct cost measure(const struct act *act, void *ctx);
unsigned long clock_check(void);
void must(int err, const char *what);
void new_host(enum anyip6_mode mode, const char *lines);

#endif
