/* SPDX-License-Identifier: GPL-2.0 */
/* How programs run: in several modes, or only some of their cases. */
#ifndef ANYIP6_RUN_H
#define ANYIP6_RUN_H

#include "sock.h"

enum anyip6_mode {
	MODE_ABSENT,	/* module not loaded */
	MODE_OFF,	/* loaded, net.ipv6.anyip_bind = 0 */
	MODE_ON,	/* loaded, net.ipv6.anyip_bind = 1 */
	MODE_NDISC,	/* loaded with ndisc=1, and both sysctls = 1 */
	NR_MODES,
};

#define TOGGLE		"net/ipv6/anyip_bind"
#define COUNTERS	"/proc/thread-self/net/anyip6"
#define NDISC_TOGGLE	"net/ipv6/anyip_ndisc"

bool anyip6_loaded(void);
void toggle_set(enum anyip6_mode mode);

/* A test that is named after its mode runs in that mode's world. */
enum anyip6_mode mode_by_name(const char *name);
const char *mode_name(enum anyip6_mode mode);
struct world world_of(enum anyip6_mode mode);
void enter_host(enum anyip6_mode mode);
void enter_peer(enum anyip6_mode mode);

/* ANYIP6_EXPECT: a run meant to test the module must not pass without it. */
void check_expectation(void);

/* ANYIP6_CASE: run only the cases whose names contain it. No match is a failure. */
bool case_chosen(void);
bool case_wanted(const char *name);
int no_case(void);

/*
 * ANYIP6_RESULTS=FOLDER: without the module, results go to a file there. With it,
 * they must be the same while the toggle is 0.
 */
void results_open(const char *name, bool loaded);
bool result_same(const char *result);

/*
 * What a program needs of the world. With PARTS it calls world_lacks() for each
 * case.
 */
enum world_need { WORLD_NONE, WORLD_PARTS, WORLD_WHOLE };

int anyip6_main(int argc, char **argv, enum world_need need,
		int (*harness)(int argc, char **argv));

#endif
