// SPDX-License-Identifier: GPL-2.0
/*
 * A WireGuard server at an Any-IP address, for wireguard_reload.sh.
 *
 * wgask once		print where the client sends to after some pings: "asked",
 *			or "other"
 * wgask count N	send pings through a firewall that drops answers from other
 *			addresses; print "RESULT COUNT" for each result
 * wgask until		print "answered" after the first ping that was; then the same
 *			until SIGTERM, and "last RESULT" for one more ping after it
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wg.h"

#define ONCE		3
#define PORT		51820

enum result {
	OK,
	OTHER,
	LOST,
	RESULTS
};

static const char *const names[] = { "ok", "other", "lost" };

/* SIGTERM is blocked and polled, so the counts are complete. */
static bool told_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) && sigismember(&pending, SIGTERM);
}

static const char *once(struct wg *wg)
{
	for (int i = 0; i < ONCE; i++)
		if (!wg_ping(wg))
			return "lost";
	return wg_at_asked(wg) ? "asked" : "other";
}

static enum result ping(struct wg *wg)
{
	wg->wrong_source = false;
	if (wg_ping(wg))
		return OK;
	return wg->wrong_source ? OTHER : LOST;
}

static void count(struct wg *wg, unsigned long most)
{
	unsigned long counts[RESULTS] = {};

	for (unsigned long i = 0; i < most && !told_to_end(); i++)
		counts[ping(wg)]++;
	for (int i = 0; i < RESULTS; i++)
		printf("%s %lu\n", names[i], counts[i]);
}

/* Whoever started this program changes something only after this line. */
static void first(struct wg *wg)
{
	while (!wg_ping(wg) && !told_to_end())
		;
	puts("answered");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const struct world w = world_new(0);
	union sockaddr_any asked;
	sigset_t term;
	struct wg wg;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	addr_fill(&asked, AF_INET6, ADDR_ANY, PORT);
	wg_open(&wg, w.host, w.peer, &asked, strcmp(what, "once"));
	if (!strcmp(what, "once")) {
		puts(once(&wg));
	} else if (!strcmp(what, "count") && argc > 2) {
		count(&wg, strtoul(argv[2], NULL, 10));
	} else if (!strcmp(what, "until")) {
		first(&wg);
		count(&wg, ~0UL);
		printf("last %s\n", names[ping(&wg)]);
	} else {
		die("wgask once | count N | until");
	}
	return 0;
}
