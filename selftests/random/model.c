// SPDX-License-Identifier: GPL-2.0
/*
 * The model's answers, which fuzz.c compares with: stock Linux, and the rule on
 * top.
 *
 * fuzz.c reads the routes in the tables from a dump after each change, in the
 * kernel's order. A dump does not show two things:
 * - It leaves out routes between the siblings of a multipath route.
 * - If a prefix has only routes with a source, the kernel's result depends on
 *   the past. When the prefix's last other route goes, its node borrows a
 *   child's route. The address then has to match that route's prefix.
 *
 * If a lookup meets one of these, the model has no answer (STEP_UNSURE). Then
 * only the kernel's lookup judges.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct model model;
struct model_bytes model_addrs[NR_MADDRS], model_prefixes[NR_PREFIXES];

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

bool model_same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	for (int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* IPv4 can judge only if its prefix covers the counterparts of the same addresses. */
static void covers_check(const struct model_bytes *p, const struct model_bytes *a)
{
	if (p->has_v4 && a->has_v4 &&
	    model_same_bits(p->v6, a->v6, p->len6) !=
	    model_same_bits(p->v4, a->v4, p->len4)) {
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
			covers_check(&model_prefixes[p], &model_addrs[a]);
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

/* The initial state. loaded, strict and wrong keep their values. */
void model_reset(void)
{
	for (int i = 0; i < NR_NETS; i++)
		net_reset(&model.net[i]);
}

/* The rule */

bool model_is_link_local(int addr)
{
	return addr >= MADDR_LINK_ONE && addr <= MADDR_LINK_OTHER;
}

/* The L3 domain: DEV_VRF, or DEV_NONE for the default one. */
int model_domain(const struct model_net *n, int dev)
{
	return dev == DEV_VRF || (dev == DEV_D1 && n->port) ? DEV_VRF : DEV_NONE;
}

/* Is the address in the L3 domain of @dev: in any state, or (@usable) in use? */
static bool configured(const struct model_net *n, int addr, int dev, bool usable)
{
	bool of_device = model_is_link_local(addr) || addr == MADDR_LOOP;

	for (int d = DEV_LO; d < NR_DEVS; d++) {
		if (!n->addr[d][addr] || model_domain(n, d) != model_domain(n, dev))
			continue;
		if (!usable)
			return true;
		if (n->addr[d][addr] != STATE_TENTATIVE &&
		    (!of_device || !dev || d == dev))
			return true;
	}
	return false;
}

#define FITS		8	/* more than any preference */
#define MAX_COVERING	256

/* The routes of one table whose destination covers the address, in order. */
struct covering {
	unsigned int n;
	const struct model_route *r[MAX_COVERING];
};

static void covering_get(const struct model_net *n, int table, int addr,
			 struct covering *c)
{
	c->n = 0;
	for (unsigned int i = 0; i < n->nr_routes && c->n < MAX_COVERING; i++) {
		const struct model_route *r = &n->route[i];

		if (r->table == table &&
		    model_same_bits(r->dst, model_addrs[addr].v6, r->len) &&
		    !(model.wrong && r->plain && r->type == TYPE_PROHIBIT))
			c->r[c->n++] = r;
	}
}

static bool through(const struct model_route *r, int dev)
{
	return r->devs & 1 << dev;
}

/* A route through the requested device beats all others. */
static int score(const struct model_route *r, int only)
{
	if (!r)
		return -1;
	return r->pref + (only && !through(r, only) ? 0 : FITS);
}

static bool can_use(const struct model_route *r, int only)
{
	model.kinds |= r->kinds & (KIND(EXPIRED) | KIND(LINKDOWN));
	if (r->kinds & KIND(EXPIRED))
		return false;
	if (r->kinds & KIND(BLACKHOLE))
		return true;
	return r->devs && !(model.strict && only && !through(r, only));
}

/*
 * Choose among the routes to one prefix. Among the routes of lowest metric, the
 * highest preference wins, then the first. A blackhole nexthop object ends the
 * search. If none of these is usable, all other routes are compared in the same
 * way, whatever their metrics.
 */
static const struct model_route *best(const struct covering *c, int len,
				      int src_len, int only)
{
	const struct model_route *first = NULL, *found = NULL;

	for (unsigned int i = 0; i < c->n; i++) {
		const struct model_route *r = c->r[i];

		if (r->len != len || r->src_len != src_len)
			continue;
		first = first ?: r;
		if (r->metric != first->metric && score(found, only) >= FITS)
			break;
		if (!can_use(r, only))
			continue;
		if (score(r, only) > score(found, only) ||
		    r->kinds & KIND(BLACKHOLE))
			found = r;
		if (r->kinds & KIND(BLACKHOLE))
			break;
	}
	if (found && found->metric != first->metric)
		model.kinds |= KIND(HIGHER_METRIC);
	return found;
}

static bool from_any(const struct model_route *r)
{
	static const unsigned char any[16];

	return model_same_bits(r->src, any, r->src_len);
}

/*
 * Routes with a source that covers `::` come first. A prefix may have routes
 * with a source, none of which covers `::`. Then the walk up from the longest
 * prefix skips all routes of this prefix, unless it is ::/0. But after the walk
 * has met a prefix that it could search (*@seen), it also finds a prefix's
 * routes without a source.
 */
static const struct model_route *ask_prefix(const struct covering *c, int len,
					    int only, bool *seen)
{
	bool plain = false, sources = false, match = false;
	const struct model_route *found = NULL;
	int longest = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		const struct model_route *r = c->r[i];

		if (r->len != len)
			continue;
		plain |= !r->src_len;
		sources |= r->src_len;
		match |= r->src_len && from_any(r);
		if (from_any(r) && r->src_len > longest)
			longest = r->src_len;
	}
	if (sources && !match && !*seen && len) {
		model.kinds |= plain ? KIND(FROM_PASSED) : 0;
		return NULL;
	}
	*seen |= plain || match;
	for (int s = longest; s >= 0 && !found; s--)
		found = best(c, len, s, only);
	return found;
}

static int next_length(const struct covering *c, int below)
{
	int len = -1;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->r[i]->len < below && c->r[i]->len > len)
			len = c->r[i]->len;
	return len;
}

/* Does a dump show everything about this prefix? See the top. */
static bool is_known(const struct covering *c, int len)
{
	bool plain = false, sources = false;

	for (unsigned int i = 0; i < c->n; i++) {
		const struct model_route *r = c->r[i];

		if (r->len != len)
			continue;
		if (r->kinds & KIND(MULTIPATH))
			return false;
		plain |= !r->src_len;
		sources |= r->src_len;
	}
	return plain || !sources;
}

static unsigned int kinds_of(const struct covering *c, const struct model_route *r)
{
	unsigned int kinds = r->kinds;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->r[i] != r && c->r[i]->len == r->len &&
		    c->r[i]->src_len == r->src_len && c->r[i]->metric == r->metric)
			kinds |= KIND(SAME_METRIC);
	return kinds;
}

/* The longest match. *@sure says whether everything on the way to it was known. */
static const struct model_route *lookup(const struct covering *c, int only,
					bool *sure)
{
	const struct model_route *found = NULL;
	bool seen = false;
	int len = 129;

	*sure = true;
	while (!found) {
		len = next_length(c, len);
		if (len < 0)
			break;
		found = ask_prefix(c, len, only, &seen);
		*sure &= is_known(c, len);
	}
	if (found)
		model.kinds |= kinds_of(c, found);
	return found;
}

static int table_of(const struct model_net *n, int dev)
{
	return model_domain(n, dev) == DEV_VRF ? TABLE_VRF : TABLE_LOCAL;
}

/* Step 5: the longest match in the one table. */
static enum model_step ask_table(const struct model_net *n, int addr, int dev)
{
	int only = model_is_link_local(addr) ? dev : DEV_NONE;
	const struct model_route *found;
	struct covering c;
	bool sure;

	covering_get(n, table_of(n, dev), addr, &c);
	found = lookup(&c, only, &sure);
	model.other_device = !sure || (found && score(found, only) < FITS);
	if (!sure)
		return STEP_UNSURE;
	if (!found)
		return STEP_NO_ROUTE;
	if (found->type != TYPE_LOCAL || found->kinds & KIND(BLACKHOLE))
		return STEP_CARVED_OUT;
	return model.other_device ? STEP_WRONG_DEVICE : STEP_ALLOWED;
}

/* The steps of "How it decides" after the kernel has said no. */
static enum model_step decide(const struct model_net *n, int addr, int dev)
{
	if (addr == MADDR_MULTICAST)
		return STEP_NOT_UNICAST;
	if (configured(n, addr, dev, false))
		return STEP_CONFIGURED;
	return ask_table(n, addr, dev);
}

/* About the last answer. */
bool model_asked_table(void)
{
	switch (model.step) {
	case STEP_UNSURE:
	case STEP_NO_ROUTE:
	case STEP_CARVED_OUT:
	case STEP_WRONG_DEVICE:
	case STEP_ALLOWED:
		return true;
	default:
		return false;
	}
}

/* Operations: what the kernel checks around the address check. */

static int ask(const struct model_net *n, const struct op *op, int dev, int refusal)
{
	if (configured(n, op->addr, dev, true))
		model.step = STEP_STOCK;
	else if (!model.loaded)
		model.step = STEP_ABSENT;
	else if (!n->toggle)
		model.step = STEP_OFF;
	else
		model.step = decide(n, op->addr, dev);
	model.dev = dev;
	if (model.step == STEP_UNSURE)
		return MODEL_UNJUDGED;
	return model.step == STEP_STOCK || model.step == STEP_ALLOWED ? 0 : refusal;
}

/* Sockets have ways round the check. */
static int ask_socket(const struct model_net *n, const struct op *op, int dev, int refusal)
{
	return n->nonlocal || op->freebind ? 0 : ask(n, op, dev, refusal);
}

static int answer_bind(struct model_net *n, const struct op *op)
{
	bool ping = op->sock == SOCK_PING;
	int dev = op->dev;

	if (op->addr == MADDR_MULTICAST)
		return ping || op->sock == SOCK_TCP ? -EINVAL : 0;
	/* A scope replaces the device. A ping socket uses it with any address. */
	if (op->scope && (ping || model_is_link_local(op->addr)))
		dev = op->scope;
	/* A ping socket needs a scope even if it is bound to a device. */
	if (model_is_link_local(op->addr) && !(ping ? op->scope : dev))
		return -EINVAL;
	return ask_socket(n, op, dev, -EADDRNOTAVAIL);
}

/* The scope may differ from the socket's device only if it is a port of that device. */
static int answer_pktinfo(struct model_net *n, const struct op *op)
{
	int dev = op->scope ? op->scope : op->dev;

	if (op->dev && dev != op->dev &&
	    !(op->dev == DEV_VRF && model_domain(n, dev) == DEV_VRF))
		return -EINVAL;
	if (model_is_link_local(op->addr) && !dev)
		return -EINVAL;
	/* EPERM: see perform_pktinfo(). */
	return ask_socket(n, op, dev, -EINVAL) ?: -EPERM;
}

/* Are all routes that count possible in IPv4 too? */
static bool like_ipv4(const struct model_net *n, int addr, int dev)
{
	struct covering c;

	covering_get(n, table_of(n, dev), addr, &c);
	for (unsigned int i = 0; i < c.n; i++)
		if (c.r[i]->own && !c.r[i]->plain)
			return false;
	return true;
}

/*
 * IPv4 has no toggle, so this compares the rule itself. It has no tentative
 * addresses either.
 */
static int answer_bind4(struct model_net *n, const struct op *op)
{
	enum model_step step;

	if (configured(n, op->addr, op->dev, true))
		return 0;
	if (!like_ipv4(n, op->addr, op->dev))
		return MODEL_UNJUDGED;
	step = decide(n, op->addr, op->dev);
	if (step == STEP_CONFIGURED)
		return MODEL_UNJUDGED;
	return step == STEP_ALLOWED ? 0 : -EADDRNOTAVAIL;
}

/* The preferred source of a route. No option and no sysctl is a way round the check. */
static int answer_prefsrc(struct model_net *n, const struct op *op)
{
	if (!n->up[op->dev])
		return -ENETDOWN;
	return ask(n, op, op->dev, -EINVAL);
}

/* Changes */

/* The result is read from the kernel. */
static int by_the_kernel(struct model_net *n, const struct op *op)
{
	(void)n;
	(void)op;
	return MODEL_UNJUDGED;
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

/* IPv6 deletes a device's addresses when it goes down or changes its domain. */
static void flush(struct model_net *n, int dev)
{
	memset(n->addr[dev], 0, sizeof(n->addr[dev]));
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

/* A rule for table 100. It must change no answer. */
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

/*
 * Returns 0, -errno, or MODEL_UNJUDGED. The model then has the state after the
 * operation.
 */
int model_answer(const struct op *op)
{
	static int (*const answers[NR_OPS])(struct model_net *n, const struct op *op) = {
		[OP_ROUTE]	= by_the_kernel,
		[OP_ROUTE_DEL]	= by_the_kernel,
		[OP_NEXTHOP]	= by_the_kernel,
		[OP_GROUP]	= by_the_kernel,
		[OP_NEXTHOP_DEL] = by_the_kernel,
		[OP_ADDR_ADD]	= addr_add,
		[OP_ADDR_DAD]	= addr_add,
		[OP_ADDR_DEL]	= addr_del,
		[OP_LINK]	= link_set,
		[OP_PORT]	= port_set,
		[OP_DORMANT]	= by_the_kernel,
		[OP_LINKDOWN]	= by_the_kernel,
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
	model.kinds = 0;
	return answers[op->type](&model.net[op->net], op);
}
