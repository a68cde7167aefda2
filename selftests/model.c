// SPDX-License-Identifier: GPL-2.0
/* The answers that fuzz.c compares with: stock Linux, and the rule on top. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct model model;
struct model_bytes model_addrs[NR_MADDRS], model_prefixes[NR_PREFIXES];

static bool covers[NR_PREFIXES][NR_MADDRS];

struct text {
	const char *v6;
	int len6;
	const char *v4;
	int len4;
};

static const struct text addr_texts[] = {
#define X(name, v6, v4) { v6, 128, v4, 32 },
	MODEL_ADDRS(X)
#undef X
};

static const struct text prefix_texts[] = {
#define X(name, v6, len6, v4, len4) { v6, len6, v4, len4 },
	MODEL_PREFIXES(X)
#undef X
};

static void bytes_init(struct model_bytes *b, const struct text *t)
{
	inet_pton(AF_INET6, t->v6, b->v6);
	b->len6 = t->len6;
	b->has_v4 = t->v4;
	b->len4 = t->len4;
	if (t->v4)
		inet_pton(AF_INET, t->v4, b->v4);
}

static bool same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	for (int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* IPv4 can judge only if its prefixes cover the same of its addresses. */
static void covers_init(const struct model_bytes *p, const struct model_bytes *a,
			bool *answer)
{
	*answer = same_bits(p->v6, a->v6, p->len6);
	if (p->has_v4 && a->has_v4 &&
	    *answer != same_bits(p->v4, a->v4, p->len4)) {
		fprintf(stderr, "model: IPv4 prefix %ld is not like IPv6's\n",
			(long)(p - model_prefixes));
		exit(2);
	}
}

void model_init(void)
{
	for (int a = 0; a < NR_MADDRS; a++)
		bytes_init(&model_addrs[a], &addr_texts[a]);
	for (int p = 0; p < NR_PREFIXES; p++) {
		bytes_init(&model_prefixes[p], &prefix_texts[p]);
		for (int a = 0; a < NR_MADDRS; a++)
			covers_init(&model_prefixes[p], &model_addrs[a],
				    &covers[p][a]);
	}
}

static void net_reset(struct model_net *n)
{
	memset(n, 0, sizeof(*n));
	n->toggle = true;
	for (int dev = DEV_LO; dev < NR_DEVS; dev++)
		n->up[dev] = true;
	n->addr[DEV_LO][MADDR_LOOP] = STATE_USABLE;
}

/* As it starts; loaded, strict and wrong stay. */
void model_reset(void)
{
	for (int i = 0; i < NR_NETS; i++)
		net_reset(&model.net[i]);
}

/* The rule */

static bool is_link_local(int addr)
{
	return addr >= MADDR_LINK_ONE && addr <= MADDR_LINK_OTHER;
}

/* The L3 domain: DEV_VRF, or DEV_NONE for the default one. */
static int domain(const struct model_net *n, int dev)
{
	return dev == DEV_VRF || (dev == DEV_D1 && n->port) ? DEV_VRF : DEV_NONE;
}

/* Whether it is in the L3 domain of @dev: in any state, or (@usable) for use. */
static bool configured(const struct model_net *n, int addr, int dev, bool usable)
{
	bool of_device = is_link_local(addr) || addr == MADDR_LOOP;

	for (int d = DEV_LO; d < NR_DEVS; d++) {
		if (!n->addr[d][addr] || domain(n, d) != domain(n, dev))
			continue;
		if (!usable)
			return true;
		if (n->addr[d][addr] != STATE_TENTATIVE &&
		    (!of_device || !dev || d == dev))
			return true;
	}
	return false;
}

/*
 * Of the routes to one prefix the one that a lookup for @dev finds: through
 * that device if there is one, else that of lowest metric.
 */
static const struct model_route *best(const struct model_route *routes, int dev)
{
	const struct model_route *found = NULL;

	for (int i = 0; i < NR_METRICS; i++) {
		if (!routes[i].type || (model.wrong && routes[i].type == TYPE_PROHIBIT))
			continue;
		if (model.strict && dev && routes[i].dev != dev)
			continue;
		if (dev && routes[i].dev == dev)
			return &routes[i];
		if (!found)
			found = &routes[i];
	}
	return found;
}

/* Step 5: the longest match in the one table. */
static enum model_step ask_table(const struct model_net *n, int addr, int dev)
{
	int table = domain(n, dev) == DEV_VRF ? TABLE_VRF : TABLE_LOCAL;
	int only = is_link_local(addr) ? dev : DEV_NONE;
	const struct model_route *found = NULL, *r;
	int len = -1;

	for (int p = 0; p < NR_PREFIXES; p++) {
		if (!covers[p][addr] || model_prefixes[p].len6 < len)
			continue;
		r = best(n->route[table][p], only);
		if (!r)
			continue;
		found = r;
		len = model_prefixes[p].len6;
	}
	if (!found)
		return STEP_NO_ROUTE;
	if (found->type != TYPE_LOCAL)
		return STEP_CARVED_OUT;
	return !only || found->dev == only ? STEP_ALLOWED : STEP_WRONG_DEVICE;
}

/* The steps of "How it decides" that follow the kernel's no. */
static enum model_step decide(const struct model_net *n, int addr, int dev)
{
	if (addr == MADDR_MULTICAST)
		return STEP_NOT_UNICAST;
	if (configured(n, addr, dev, false))
		return STEP_CONFIGURED;
	return ask_table(n, addr, dev);
}

/* Sockets, as the kernel has them around the check. */

static int ask(const struct model_net *n, const struct op *op, int dev, int refusal)
{
	if (n->nonlocal || op->freebind)
		return 0;
	if (configured(n, op->addr, dev, true))
		model.step = STEP_STOCK;
	else if (!model.loaded)
		model.step = STEP_ABSENT;
	else if (!n->toggle)
		model.step = STEP_OFF;
	else
		model.step = decide(n, op->addr, dev);
	return model.step == STEP_STOCK || model.step == STEP_ALLOWED ? 0 : refusal;
}

static int answer_bind(struct model_net *n, const struct op *op)
{
	bool ping = op->sock == SOCK_PING;
	int dev = op->dev;

	if (op->addr == MADDR_MULTICAST)
		return ping || op->sock == SOCK_TCP ? -EINVAL : 0;
	/* A scope goes before the device. ping reads it of any address, */
	if (op->scope && (ping || is_link_local(op->addr)))
		dev = op->scope;
	/* and wants one even if the socket is bound to a device. */
	if (is_link_local(op->addr) && !(ping ? op->scope : dev))
		return -EINVAL;
	return ask(n, op, dev, -EADDRNOTAVAIL);
}

/* A device beside that of the socket may only be a port of it. */
static int answer_pktinfo(struct model_net *n, const struct op *op)
{
	int dev = op->scope ? op->scope : op->dev;

	if (op->dev && dev != op->dev &&
	    !(op->dev == DEV_VRF && domain(n, dev) == DEV_VRF))
		return -EINVAL;
	if (is_link_local(op->addr) && !dev)
		return -EINVAL;
	/* EPERM: see perform_pktinfo(). */
	return ask(n, op, dev, -EINVAL) ?: -EPERM;
}

/*
 * IPv4 has no toggle, so this tells what the rule itself is worth. It has no
 * tentative addresses either.
 */
static int answer_bind4(struct model_net *n, const struct op *op)
{
	enum model_step step;

	if (configured(n, op->addr, op->dev, true))
		return 0;
	step = decide(n, op->addr, op->dev);
	if (step == STEP_CONFIGURED)
		return MODEL_UNJUDGED;
	return step == STEP_ALLOWED ? 0 : -EADDRNOTAVAIL;
}

/* Who asks the same check and is no socket: the source that a route prefers. */
static int answer_prefsrc(struct model_net *n, const struct op *op)
{
	if (!n->up[op->dev])
		return -ENETDOWN;
	return configured(n, op->addr, op->dev, true) ? 0 : -EINVAL;
}

/* Changes */

static int route_add(struct model_net *n, const struct op *op)
{
	struct model_route *r = &n->route[op->table][op->prefix][op->metric];

	if (!n->up[op->dev])
		return -ENETDOWN;
	if (r->type)
		return -EEXIST;
	r->type = op->route;
	r->dev = op->dev;
	return 0;
}

static int route_del(struct model_net *n, const struct op *op)
{
	struct model_route *r = &n->route[op->table][op->prefix][op->metric];

	if (!r->type)
		return -ESRCH;
	memset(r, 0, sizeof(*r));
	return 0;
}

static int addr_add(struct model_net *n, const struct op *op)
{
	if (n->addr[op->dev][op->addr])
		return -EEXIST;
	n->addr[op->dev][op->addr] = op->state;
	return 0;
}

static int addr_del(struct model_net *n, const struct op *op)
{
	if (!n->addr[op->dev][op->addr])
		return -EADDRNOTAVAIL;
	n->addr[op->dev][op->addr] = STATE_NONE;
	return 0;
}

/* IPv6 forgets what it knew of a device that goes down or to another domain. */
static void flush(struct model_net *n, int dev)
{
	struct model_route *r = &n->route[0][0][0];

	memset(n->addr[dev], 0, sizeof(n->addr[dev]));
	for (size_t i = 0; i < sizeof(n->route) / sizeof(*r); i++)
		if (r[i].dev == dev)
			memset(&r[i], 0, sizeof(r[i]));
}

static int link_set(struct model_net *n, const struct op *op)
{
	if (n->up[op->dev] && !op->value)
		flush(n, op->dev);
	n->up[op->dev] = op->value;
	return 0;
}

static int port_set(struct model_net *n, const struct op *op)
{
	if (n->port != op->value)
		flush(n, DEV_D1);
	n->port = op->value;
	return 0;
}

/* To table 100; nothing may come of it. */
static int rule_add(struct model_net *n, const struct op *op)
{
	(void)op;
	if (n->rule)
		return -EEXIST;
	n->rule = true;
	return 0;
}

static int rule_del(struct model_net *n, const struct op *op)
{
	(void)op;
	if (!n->rule)
		return -ENOENT;
	n->rule = false;
	return 0;
}

static int toggle_set_to(struct model_net *n, const struct op *op)
{
	if (!model.loaded)
		return -ENOENT;
	if (op->value > 1)
		return -EINVAL;
	n->toggle = op->value;
	return 0;
}

static int nonlocal_set(struct model_net *n, const struct op *op)
{
	n->nonlocal = op->value;
	return 0;
}

static int netns_renew(struct model_net *n, const struct op *op)
{
	(void)op;
	net_reset(n);
	return 0;
}

/* 0, -errno, or MODEL_UNJUDGED; the model is then as after the operation. */
int model_answer(const struct op *op)
{
	static int (*const answers[NR_OPS])(struct model_net *n, const struct op *op) = {
		[OP_ROUTE_ADD]	= route_add,
		[OP_ROUTE_DEL]	= route_del,
		[OP_ADDR_ADD]	= addr_add,
		[OP_ADDR_DAD]	= addr_add,
		[OP_ADDR_DEL]	= addr_del,
		[OP_LINK]	= link_set,
		[OP_PORT]	= port_set,
		[OP_RULE_ADD]	= rule_add,
		[OP_RULE_DEL]	= rule_del,
		[OP_TOGGLE]	= toggle_set_to,
		[OP_NONLOCAL]	= nonlocal_set,
		[OP_NETNS]	= netns_renew,
		[OP_BIND]	= answer_bind,
		[OP_BIND_SCTP]	= answer_bind,
		[OP_BIND4]	= answer_bind4,
		[OP_PKTINFO]	= answer_pktinfo,
		[OP_PREFSRC]	= answer_prefsrc,
	};

	model.step = STEP_ASKED_NOTHING;
	return answers[op->type](&model.net[op->net], op);
}
