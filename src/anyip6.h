/* SPDX-License-Identifier: GPL-2.0 */
/*
 * anyip6: an IPv6 address covered by an RTN_LOCAL route (Any-IP) is local for
 * sockets, as it is in IPv4.
 */
#ifndef ANYIP6_H
#define ANYIP6_H

#include <linux/ftrace.h>
#include <linux/in6.h>
#include <linux/sched.h>
#include <linux/netdevice.h>
#include <linux/ratelimit_types.h>
#include <net/net_namespace.h>

#include "steps.h"

/**
 * struct anyip6_check - a kernel function that tells whether an address is local
 * @name:  the function that ftrace redirects
 * @ops:   our hold on it; @ops.func decides which calls are redirected
 * @armed: @ops is registered
 * @told:  limits how often we warn that callers are hidden
 */
struct anyip6_check {
	const char *name;
	struct ftrace_ops ops;
	bool armed;
	struct ratelimit_state told;
};

/**
 * struct anyip6_path - a way for a socket to ask for a local address
 * @caller:   the kernel function whose calls of @check we answer
 * @module:   the module that contains @caller and may come and go, or NULL
 * @optional: the kernel may lack @caller
 * @check:    the check that @caller calls
 * @prove:    takes this path as a program would and returns 0 or an errno, or
 *	      NULL if the path is not proven
 * @type:     socket type for @prove
 * @protocol: protocol for @prove
 * @start:    first address of @caller
 * @size:     length of @caller in bytes, 0 while @caller is absent
 */
struct anyip6_path {
	const char *caller;
	const char *module;
	bool optional;
	struct anyip6_check *check;
	int (*prove)(const struct anyip6_path *path, struct net *net);
	int type;
	int protocol;
	unsigned long start;
	unsigned long size;
};

#define ANYIP6_STEP(step, ...) ANYIP6_##step,

/* The step that decided. */
enum anyip6_step {
	ANYIP6_STEPS(ANYIP6_STEP, ANYIP6_STEP)
	ANYIP6_N_STEPS,
};

/* hook.c: the checks that we answer for the kernel */
enum { ANYIP6_CHK_ADDR, ANYIP6_CHK_ACAST, ANYIP6_N_CHECKS };

extern struct anyip6_check anyip6_checks[ANYIP6_N_CHECKS];

int anyip6_hook_init(void);
void anyip6_hook_exit(void);
bool anyip6_is_held(const char *function);
const char *anyip6_caller_name(unsigned long ip);

/* paths.c: the length is a constant, so that the callbacks need not load it */
#define ANYIP6_N_PATHS 7

extern struct anyip6_path anyip6_paths[];

int anyip6_paths_follow(void);
void anyip6_paths_unfollow(void);
int anyip6_paths_take(void);

/* proof.c */
extern struct task_struct *anyip6_prover;

int anyip6_prove(const struct anyip6_path *path);
int anyip6_prove_bind(const struct anyip6_path *path, struct net *net);
int anyip6_prove_ping(const struct anyip6_path *path, struct net *net);
int anyip6_prove_pktinfo(const struct anyip6_path *path, struct net *net);
bool anyip6_proof_answer(const struct in6_addr *addr);

/* local.c */
bool anyip6_is_local(struct net *net, const struct in6_addr *addr,
		     const struct net_device *dev, unsigned long caller);

/* netns.c */
int anyip6_netns_init(bool default_on);
void anyip6_netns_exit(void);
bool anyip6_enabled(const struct net *net);
void anyip6_count(const struct net *net, enum anyip6_step step);

#endif
