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

#define ANYIP6_STEP(step, ...) ANYIP6_##step,
#define ANYIP6_ASKER(asker, ...) ANYIP6_ASKER_##asker,

/* Who asks, as far as the counters tell it apart. */
enum anyip6_asker {
	ANYIP6_ASKER_SOCKET,
	ANYIP6_REPLIES(ANYIP6_ASKER)
	ANYIP6_N_ASKERS,
};

/* The step that decided. */
enum anyip6_step {
	ANYIP6_STEPS(ANYIP6_STEP, ANYIP6_STEP)
	ANYIP6_N_STEPS,
};

/**
 * struct anyip6_check - a kernel function that tells whether an address is local
 * @name:   the function that ftrace redirects
 * @what:   who keeps the kernel's answers without it, or NULL if the module does
 *	    not load without it
 * @ndisc:  redirected only with the module parameter ndisc
 * @ops:    our hold on it; @ops.func decides which calls are redirected
 * @wanted: this load redirects it, as far as that is possible
 * @armed:  @ops is registered
 * @told:   limits how often we warn that callers are hidden
 */
struct anyip6_check {
	const char *name;
	const char *what;
	bool ndisc;
	struct ftrace_ops ops;
	bool wanted;
	bool armed;
	struct ratelimit_state told;
};

/**
 * struct anyip6_path - a way to ask for a local address
 * @caller:   the kernel function whose calls of @check we answer
 * @what:     who keeps the kernel's answers without it, or NULL if the module
 *	      does not load without it
 * @module:   the module that contains @caller and may come and go, or NULL
 * @optional: the kernel may lack @caller
 * @check:    the check that @caller calls
 * @asker:    how its questions are counted; those to ipv6_chk_addr() are always
 *	      counted as those of a socket
 * @prove:    takes this path as a program would and returns 0 or an errno, or
 *	      NULL if the path is not proven
 * @type:     socket type for @prove
 * @protocol: protocol for @prove
 * @unproven: left to the kernel, because @caller was not found, or does not call
 *	      @check
 * @start:    first address of @caller
 * @size:     length of @caller in bytes, 0 while we do not answer it
 */
struct anyip6_path {
	const char *caller;
	const char *what;
	const char *module;
	bool optional;
	struct anyip6_check *check;
	enum anyip6_asker asker;
	int (*prove)(const struct anyip6_path *path, struct net *net);
	int type;
	int protocol;
	bool unproven;
	unsigned long start;
	unsigned long size;
};

/* hook.c: the checks that we answer for the kernel */
enum {
	ANYIP6_CHK_ADDR,
	ANYIP6_CHK_ACAST,
	ANYIP6_CHK_GROUP,
	ANYIP6_CHK_TARGET,
	ANYIP6_N_CHECKS,
};

extern struct anyip6_check anyip6_checks[ANYIP6_N_CHECKS];

int anyip6_hook_init(bool ndisc);
void anyip6_hook_exit(void);
int anyip6_arm_wanted(void);
bool anyip6_is_held(const char *function);
const struct anyip6_path *anyip6_path_at(unsigned long ip);

/* paths.c: the length is a constant, so that the callbacks need not load it */
#define ANYIP6_N_PATHS 18

extern struct anyip6_path anyip6_paths[];

int anyip6_paths_follow(void);
void anyip6_paths_unfollow(void);
int anyip6_paths_take(void);
void anyip6_paths_close(void);
void anyip6_leave(struct anyip6_path *path);
__printf(3, 4)
int anyip6_lack(const char *what, int err, const char *fmt, ...);

/* proof.c */
extern struct task_struct *anyip6_prover;

int anyip6_prove(struct anyip6_path *path);
int anyip6_prove_bind(const struct anyip6_path *path, struct net *net);
int anyip6_prove_ping(const struct anyip6_path *path, struct net *net);
int anyip6_prove_pktinfo(const struct anyip6_path *path, struct net *net);
int anyip6_prove_error(const struct anyip6_path *path, struct net *net);
bool anyip6_proof_asks(const struct in6_addr *addr);
bool anyip6_proof_answer(void);

/* local.c */
bool anyip6_is_local(struct net *net, const struct in6_addr *addr,
		     const struct net_device *dev, unsigned long caller,
		     enum anyip6_asker asker);

/* ndisc.c */
bool anyip6_ndisc_hears(const struct net_device *dev,
			const struct in6_addr *group);
bool anyip6_ndisc_asks(const struct net *net, const struct net_device *dev,
		       const struct in6_addr *target);

/* netns.c */
int anyip6_netns_init(bool default_on, bool ndisc);
void anyip6_netns_exit(void);
bool anyip6_enabled(const struct net *net);
bool anyip6_ndisc_enabled(const struct net *net);
void anyip6_count(const struct net *net, enum anyip6_asker asker,
		  enum anyip6_step step);

#endif
