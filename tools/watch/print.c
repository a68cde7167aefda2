// SPDX-License-Identifier: GPL-2.0
/* How a decision reads. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../explain/rule.h"
#include "anyip6.h"
#include "fib.h"
#include "json.h"
#include "netns.h"
#include "print.h"
#include "text.h"
#include "watch.h"

#define US	1000000L

#define SOLICITED "ndisc"	/* asks whether to answer, the others for a source */

/* What asks, by the function of the kernel. See src/paths.c. */
static const struct {
	const char *caller, *word;
} paths[] = {
	{ "__inet6_bind", "bind" },
	{ "rawv6_bind", "raw-bind" },
	{ "ping_bind", "ping-bind" },
	{ "ping_check_bind_addr", "ping-bind" },
	{ "sctp_v6_available", "sctp-bind" },
	{ "l2tp_ip6_bind", "l2tp-bind" },
	{ "ip6_datagram_send_ctl", "pktinfo" },
	{ "icmp6_send", "icmp-error" },
	{ "ip6_route_info_create", "route-src" },
	{ "ip6_route_info_create_nh", "route-src" },
	{ "fib6_remove_prefsrc", "route-src" },
	{ "send6", "wireguard" },
	{ "ovpn_udp6_output", "openvpn" },
	{ "ndisc_recv_ns", SOLICITED },
	{ "ndisc_rcv", SOLICITED },
	{ "pndisc_redo", SOLICITED },
};

static const char *path_of(const struct decision *d)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!strcmp(d->caller, paths[i].caller))
			return paths[i].word;
	return d->caller;
}

/* A newer module may have steps that this tool does not know. */
static const char *reason_of(const struct decision *d)
{
	for (enum step step = STEP_ALLOWED; step <= STEP_WRONG_DEVICE; step++)
		if (!strcmp(d->step, step_word(step)))
			return step_reason(step, d->table);
	return d->step;
}

static const char *verdict_of(const struct decision *d)
{
	if (!strcmp(path_of(d), SOLICITED))
		return d->allowed ? "answered" : "ignored";
	return d->allowed ? "allowed" : "refused";
}

/* The trace has the time since boot, without what the machine slept. */
static const char *when(const struct decision *d)
{
	struct timespec wall, mono;
	long us;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	us = (wall.tv_nsec - mono.tv_nsec) / 1000 + (long)d->us;
	us += (wall.tv_sec - mono.tv_sec + (long)d->second) * US;
	return time_text(us / US, us % US);
}

/* Its name, or NULL. Decisions of one netns often follow each other. */
static const char *netns_of(unsigned int inode)
{
	static unsigned int known;
	static char name[256];

	if (inode != known && !netns_name(inode, name, sizeof(name)))
		*name = '\0';
	known = inode;
	return *name ? name : NULL;
}

/* With a space behind it; empty if only one netns is watched. */
static const char *netns_text(unsigned int inode, unsigned int own)
{
	static char text[300];
	const char *name = own && inode != own ? netns_of(inode) : "(this one)";

	if (!own)
		return "";
	if (name)
		snprintf(text, sizeof(text), "netns %s ", name);
	else
		snprintf(text, sizeof(text), "netns %u ", inode);
	return text;
}

static void print_text(const struct decision *d, unsigned int own)
{
	char address[INET6_ADDRSTRLEN], line[640];

	inet_ntop(AF_INET6, &d->address, address, sizeof(address));
	snprintf(line, sizeof(line), "%s %s%s[%d] %s %s: %s%s%s%s%s", when(d),
		 netns_text(d->netns, own), d->program, d->pid, path_of(d),
		 verdict_of(d), address, *d->device ? "%" : "", d->device,
		 d->allowed ? " by " : ": ", reason_of(d));
	puts(plain(line));
}

static void print_json(const struct decision *d)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &d->address, address, sizeof(address));
	json_open(NULL, '{');
	json_string("time", when(d));
	json_number("netns", d->netns);
	json_string("netns_name", netns_of(d->netns));
	json_string("program", d->program);
	json_number("pid", d->pid);
	json_string("path", path_of(d));
	json_string("caller", d->caller);
	json_string("address", address);
	json_string("device", *d->device ? d->device : NULL);
	json_string("table", d->table ? table_text(d->table) : NULL);
	json_string("verdict", verdict_of(d));
	json_string("step", d->step);
	json_string("reason", reason_of(d));
	json_close();
}

void print_decision(const struct decision *d, unsigned int own)
{
	if (want_json)
		print_json(d);
	else
		print_text(d, own);
}

void print_lost(unsigned long decisions)
{
	if (want_json) {
		json_open(NULL, '{');
		if (decisions)
			json_number("lost", decisions);
		else
			json_string("lost", NULL);
		json_close();
	} else if (decisions) {
		printf("lost: %lu decisions came faster than they could be read\n", decisions);
	} else {
		puts("lost: decisions, and the kernel does not know how many");
	}
}
