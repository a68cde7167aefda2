// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some threads change the FIB while others ask, each on its own processor. An
 * address that every state allows must never be refused. One that every state
 * refuses must never be allowed. One that flips must get the answer of the
 * state, unless the state changed during the question.
 *
 * A reader that goes down the tree before one change and up after the next can
 * see a state that never existed. The kernel's own can, too. So no race changes
 * the routes that decide about addresses that do not flip.
 *
 * Each race asks the kernel's own lookup the same and judges it the same way.
 */

#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <net/addrconf.h>

#include "suite.h"

#define MOST_THREADS	8
#define MOST_ASKS	8
#define MOST_CHANGES	16
#define RANDOM_PLACES	64
#define BATCH		32	/* answers before we look whether to stop */
#define REST		200	/* pauses of a writer, so that some answers see the state */

enum want { ALLOWED = 1, REFUSED, FLIPS };

struct ask {
	const char *addr;
	enum want want;
};

enum how { ADD = 1, AGAIN, DEL, REPLACE, NEXTHOP, LINK_UP, LINK_DOWN };

struct change {
	enum how how;
	struct route route;
	struct nexthop_row nexthop;
	enum want then;		/* what flipping addresses become, if they change */
};

struct race {
	const char *name;
	bool vrf;		/* uses the VRF's table, else local */
	bool namespaces;	/* namespaces come and go, nothing else changes */
	bool random;		/* more writers add and delete at random */
	const struct route *fixed;
	struct nexthop_row nexthop;
	const struct ask *asks;
	const struct change *changes;
};

struct count {
	unsigned long answers;
	unsigned long wrong;
	unsigned long kernel_answers;
	unsigned long kernel_wrong;
	unsigned long disturbed;
	unsigned long flips_allowed;	/* judged answers about what flips */
	unsigned long flips_refused;
	unsigned long changes;
	unsigned long failed;	/* changes that the kernel refused */
	struct in6_addr first;	/* address of the first wrong answer */
};

struct running;

struct runner {
	struct running *run;
	struct task_struct *task;
	struct count count;
	struct rnd_state rnd;
	struct fib6_config places[RANDOM_PLACES];
	bool there[RANDOM_PLACES];
} ____cacheline_aligned_in_smp;

struct running {
	const struct race *race;
	struct world w;
	u32 table;
	struct in6_addr addrs[MOST_ASKS];
	struct fib6_config changes[MOST_CHANGES];
	struct net __rcu *net;		/* the one that comes and goes */
	/* Odd while the writer that flips addresses makes a change. */
	unsigned int generation ____cacheline_aligned_in_smp;
	enum want state;
	struct runner runners[MOST_THREADS];
};

/* The asking side */

struct seen {
	unsigned int generation;
	enum want state;
};

static struct seen see(const struct running *run)
{
	struct seen seen;

	/* Comes before the question. Pairs with change_ends(). */
	seen.generation = smp_load_acquire(&run->generation);
	seen.state = READ_ONCE(run->state);
	return seen;
}

/* What the answer had to be, or 0 if that changed meanwhile. */
static enum want wanted(const struct running *run, const struct ask *ask,
			const struct seen *before)
{
	if (ask->want != FLIPS)
		return ask->want;
	/* Comes after the answer. Pairs with smp_wmb() in change_begins(). */
	smp_rmb();
	if (before->generation & 1 ||
	    READ_ONCE(run->generation) != before->generation)
		return 0;
	return before->state;
}

static bool is_wrong(enum want want, bool answer)
{
	return want && answer != (want == ALLOWED);
}

static void ask_kernel(struct runner *r, struct net *net, int i)
{
	struct running *run = r->run;
	struct seen before = see(run);
	bool answer = kernel_is_local(net, run->table, &run->addrs[i]);

	r->count.kernel_answers++;
	r->count.kernel_wrong += is_wrong(wanted(run, &run->race->asks[i], &before), answer);
}

static void ask_module(struct runner *r, struct net *net, int i)
{
	struct running *run = r->run;
	const struct ask *ask = &run->race->asks[i];
	struct net_device *dev = run->race->vrf ? run->w.vrf : NULL;
	struct seen before = see(run);
	bool answer = suite_ask(net, &run->addrs[i], dev);
	enum want want = wanted(run, ask, &before);

	r->count.answers++;
	r->count.disturbed += !want;
	r->count.flips_allowed += ask->want == FLIPS && want == ALLOWED;
	r->count.flips_refused += ask->want == FLIPS && want == REFUSED;
	if (unlikely(is_wrong(want, answer)) && !r->count.wrong++)
		r->count.first = run->addrs[i];
}

/* The namespace to ask in. We hold it as a socket would. */
static struct net *net_get(struct running *run)
{
	struct net *net;

	if (!run->race->namespaces)
		return run->w.net;
	rcu_read_lock();
	net = rcu_dereference(run->net);
	net = net ? maybe_get_net(net) : NULL;
	rcu_read_unlock();
	return net;
}

static void net_put(struct running *run, struct net *net)
{
	if (run->race->namespaces)
		put_net(net);
}

static int asker(void *data)
{
	struct runner *r = data;
	struct running *run = r->run;
	struct net *net;
	int i = 0, n;

	while (!kthread_should_stop()) {
		net = net_get(run);
		for (n = 0; net && n < BATCH; n++) {
			i = run->race->asks[i].addr ? i : 0;
			ask_module(r, net, i);
			/* Less often, as it serves only for comparison. */
			if (n % 8 == 0)
				ask_kernel(r, net, i);
			i++;
		}
		if (net)
			net_put(run, net);
		let_others_run();
	}
	return 0;
}

/* The changing side */

static void change_begins(struct running *run)
{
	WRITE_ONCE(run->generation, run->generation + 1);
	/* The change comes after it. Pairs with smp_rmb() in wanted(). */
	smp_wmb();
}

static void change_ends(struct running *run, enum want then)
{
	if (then)
		WRITE_ONCE(run->state, then);
	/* The change comes before it. Pairs with see(). */
	smp_store_release(&run->generation, run->generation + 1);
}

static int make_change(struct running *run, int i)
{
	const struct change *change = &run->race->changes[i];

	switch (change->how) {
	case ADD:
		return route_add(&run->changes[i], 0);
	case AGAIN:
		/* The existing route takes its lifetime from this one. */
		return route_add(&run->changes[i], 0) == -EEXIST ? 0 : -EINVAL;
	case DEL:
		return route_del(&run->changes[i]);
	case REPLACE:
		return route_add(&run->changes[i], NLM_F_REPLACE);
	case NEXTHOP:
		return world_nexthop(&run->w, &change->nexthop, NLM_F_REPLACE);
	case LINK_UP:
	case LINK_DOWN:
		return world_link(&run->w, run->w.d1, change->how == LINK_UP);
	}
	return -EINVAL;
}

/* One round of all changes. After it everything is as before. */
static void change_all(struct runner *r)
{
	struct running *run = r->run;
	const struct change *change = run->race->changes;
	int i, rest;

	for (i = 0; change[i].how; i++) {
		change_begins(run);
		if (make_change(run, i))
			r->count.failed++;
		change_ends(run, change[i].then);
		r->count.changes++;
		for (rest = 0; change[i].then && rest < REST; rest++)
			cpu_relax();
	}
}

/* Shows the askers a namespace with the race's routes, then takes it away. */
static void namespace_comes_and_goes(struct runner *r)
{
	struct running *run = r->run;
	struct world w;

	if (world_init(&w) || routes_add(&w, run->race->fixed, run->table)) {
		r->count.failed++;
		world_exit(&w);
		return;
	}
	rcu_assign_pointer(run->net, w.net);
	msleep(20);
	RCU_INIT_POINTER(run->net, NULL);
	synchronize_rcu();
	world_exit(&w);
	r->count.changes++;
}

static int changer(void *data)
{
	struct runner *r = data;

	while (!kthread_should_stop()) {
		if (r->run->race->namespaces)
			namespace_comes_and_goes(r);
		else
			change_all(r);
		let_others_run();
	}
	return 0;
}

static bool covers_an_ask(const struct running *run, const struct fib6_config *cfg)
{
	int i;

	for (i = 0; run->race->asks[i].addr; i++)
		if (ipv6_prefix_equal(&cfg->fc_dst, &run->addrs[i], cfg->fc_dst_len))
			return true;
	return false;
}

/* Prefixes next to the deciding one, near enough to make nodes above it. */
static void random_place(struct runner *r, int place)
{
	static const u8 types[] = { RTN_LOCAL, RTN_UNREACHABLE, RTN_THROW, RTN_UNICAST };
	struct running *run = r->run;
	struct fib6_config *cfg = &r->places[place];
	u32 rnd = prandom_u32_state(&r->rnd);
	struct route route = {
		.to = "::/0",
		.type = types[rnd % ARRAY_SIZE(types)],
		.dev = rnd & 0x100 ? "d0" : NULL,
		.metric = 1000 + place + RANDOM_PLACES * (r - run->runners),
		.from = rnd % 16 ? NULL : "2001:db8:9::/48",
	};
	int i;

	route_config(&run->w, &route, run->table, cfg);
	do {
		i = prandom_u32_state(&r->rnd) % MOST_ASKS;
		cfg->fc_dst = run->addrs[run->race->asks[i].addr ? i : 0];
		i = 64 + prandom_u32_state(&r->rnd) % 64;
		cfg->fc_dst.s6_addr[i / 8] ^= 0x80 >> i % 8;
		cfg->fc_dst_len = min(128, i + 1 + (int)(prandom_u32_state(&r->rnd) % 32));
	} while (covers_an_ask(run, cfg));
}

static int random_changer(void *data)
{
	struct runner *r = data;
	int i;

	while (!kthread_should_stop()) {
		i = prandom_u32_state(&r->rnd) % RANDOM_PLACES;
		if (r->there[i] ? route_del(&r->places[i]) : route_add(&r->places[i], 0))
			r->count.failed++;
		else
			r->there[i] = !r->there[i];
		r->count.changes++;
		let_others_run();
	}
	return 0;
}

/* Both sides */

static int start(struct running *run, int i, int (*func)(void *), int cpu)
{
	struct runner *r = &run->runners[i];
	struct task_struct *task;

	r->run = run;
	task = kthread_create(func, r, "anyip6-%d", i);
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	kthread_bind(task, cpu);
	r->task = task;
	wake_up_process(task);
	return 0;
}

/* The askers get the first half of the processors, the changers the other. */
static int start_all(struct running *run)
{
	int cpus = min_t(int, num_online_cpus(), MOST_THREADS), half = cpus / 2, i, err = 0;
	int writers = run->race->random ? clamp(cpus - half, 2, MOST_THREADS - half) : 1;

	if (!half)
		return -ENODEV;
	for (i = 0; i < half && !err; i++)
		err = start(run, i, asker, i);
	for (i = 0; i < writers && !err; i++) {
		struct runner *r = &run->runners[half + i];
		int place;

		if (!i) {
			err = start(run, half, changer, half);
			continue;
		}
		r->run = run;
		prandom_seed_state(&r->rnd, i);
		for (place = 0; place < RANDOM_PLACES; place++)
			random_place(r, place);
		err = start(run, half + i, random_changer, half + i % (cpus - half));
	}
	return err;
}

static void add_up(const struct running *run, struct count *sum)
{
	const unsigned long *from;
	unsigned long *to;
	int i, j;

	memset(sum, 0, sizeof(*sum));
	to = (unsigned long *)sum;
	for (i = 0; i < MOST_THREADS; i++) {
		from = (const unsigned long *)&run->runners[i].count;
		for (j = 0; j < offsetof(struct count, first) / sizeof(long); j++)
			to[j] += READ_ONCE(from[j]);
		if (run->runners[i].count.wrong)
			sum->first = run->runners[i].count.first;
	}
}

static void wait_for_enough(const struct running *run)
{
	unsigned long end = jiffies + suite_seconds * HZ;
	struct count sum;

	do {
		msleep(50);
		add_up(run, &sum);
	} while (time_before(jiffies, end) || sum.answers < max(suite_answers, 1) ||
		 sum.changes < max(suite_changes, 1));
}

static void stop_all(struct running *run)
{
	int i;

	for (i = 0; i < MOST_THREADS; i++) {
		if (!run->runners[i].task)
			continue;
		kthread_stop(run->runners[i].task);
		put_task_struct(run->runners[i].task);
	}
}

static int prepare(struct running *run)
{
	const struct race *race = run->race;
	int i, err = world_init(&run->w);

	if (!err && race->nexthop.id)
		err = world_nexthop(&run->w, &race->nexthop, 0);
	err = err ?: routes_add(&run->w, race->fixed, run->table);
	for (i = 0; race->asks[i].addr; i++)
		run->addrs[i] = addr_of(race->asks[i].addr);
	for (i = 0; race->changes && race->changes[i].how && !err; i++) {
		/* All changes together restore the start. */
		run->state = race->changes[i].then ?: run->state;
		if (race->changes[i].route.to)
			err = route_config(&run->w, &race->changes[i].route, run->table,
					   &run->changes[i]);
	}
	return err;
}

static void tell(struct kunit *test, const struct count *sum, ktime_t since)
{
	u64 ms = max(1, ktime_ms_delta(ktime_get(), since));

	kunit_info(test, "%lu answers beside %lu changes in %llu ms, %lu wrong; %llu answers/s, %llu changes/s",
		   sum->answers, sum->changes, ms, sum->wrong,
		   sum->answers * 1000ULL / ms, sum->changes * 1000ULL / ms);
	kunit_info(test, "the state changed during %lu answers", sum->disturbed);
	kunit_info(test, "kernel's own: %lu wrong of %lu", sum->kernel_wrong,
		   sum->kernel_answers);
}

#define P		"2001:db8:1:2::/64"

/* The random writers build nodes above and beside those below P. */
static const struct route nested[] = {
	{ P, RTN_LOCAL },
	{ "2001:db8:1:2:4000::/80", RTN_UNREACHABLE },
	{ "2001:db8:1:2:4000::8000/113", RTN_LOCAL },
	{ "2001:db8:1:2:c000::/96", RTN_LOCAL, .dev = "d0" },
	{ "2001:db8:1:2:c000:0:8000:0/98", RTN_THROW },
	{ "2001:db8:1:2:c000:0:8000:8/128", RTN_LOCAL },
	{}
};

static const struct ask ask_nested[] = {
	{ "2001:db8:1:2::7777", ALLOWED },
	{ "2001:db8:1:2:4000::7", REFUSED },
	{ "2001:db8:1:2:4000::8007", ALLOWED },
	{ "2001:db8:1:2:c000::7", ALLOWED },
	{ "2001:db8:1:2:c000:0:8000:7", REFUSED },
	{ "2001:db8:1:2:c000:0:8000:8", ALLOWED },
	{ "2001:db8:1:3::7", REFUSED },
	{}
};

static const struct change carve_out[] = {
	{ ADD, { "2001:db8:1:2::5", RTN_UNREACHABLE }, .then = REFUSED },
	{ DEL, { "2001:db8:1:2::5", RTN_UNREACHABLE }, .then = ALLOWED },
	{}
};

static const struct race races[] = {
	{
		.name = "one_carved_out",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7777", ALLOWED }, { "2001:db8:1:3::7", REFUSED }, {}
		},
		.changes = carve_out,
	}, {
		.name = "carved_out_flips",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::5", FLIPS }, { "2001:db8:1:2::6", ALLOWED }, {}
		},
		.changes = carve_out,
	}, {
		/* A node above the refusing one. At that node P would match. */
		.name = "node_above_what_refuses",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL }, { "2001:db8:1:2::8/125", RTN_UNREACHABLE }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::9", REFUSED }, { "2001:db8:1:2::17", ALLOWED }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { "2001:db8:1:2::20", RTN_LOCAL } },
			{ DEL, { "2001:db8:1:2::20", RTN_LOCAL } },
			{ ADD, { "2001:db8:1:2::/122", RTN_LOCAL } },
			{ DEL, { "2001:db8:1:2::/122", RTN_LOCAL } }, {}
		},
	}, {
		.name = "node_above_what_allows",
		.fixed = (const struct route[]) {
			{ P, RTN_UNREACHABLE }, { "2001:db8:1:2::8/125", RTN_LOCAL }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::9", ALLOWED }, { "2001:db8:1:2::17", REFUSED }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { "2001:db8:1:2::20", RTN_UNREACHABLE } },
			{ DEL, { "2001:db8:1:2::20", RTN_UNREACHABLE } },
			{ ADD, { "2001:db8:1:2::/122", RTN_THROW } },
			{ DEL, { "2001:db8:1:2::/122", RTN_THROW } }, {}
		},
	}, {
		/* Two branches keep the node. It gets the leaf of one of them. */
		.name = "prefix_without_routes",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL },
			{ "2001:db8:1:2::/80", RTN_UNREACHABLE },
			{ "2001:db8:1:2:0:80::/96", RTN_LOCAL },
			{ "2001:db8:1:2:0:1::/96", RTN_LOCAL }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2:0:4::7", REFUSED },
			{ "2001:db8:1:2:0:80::7", ALLOWED }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { "2001:db8:1:2::/88", RTN_THROW } },
			{ DEL, { "2001:db8:1:2::/88", RTN_THROW } }, {}
		},
	}, {
		.name = "type_replaced",
		.fixed = (const struct route[]) {
			{ P, RTN_UNREACHABLE }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", FLIPS }, { "2001:db8:1:3::7", REFUSED }, {}
		},
		.changes = (const struct change[]) {
			{ REPLACE, { P, RTN_LOCAL }, .then = ALLOWED },
			{ REPLACE, { P, RTN_UNREACHABLE }, .then = REFUSED }, {}
		},
	}, {
		.name = "device_replaced",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL }, { "2001:db8:1::/48", RTN_UNREACHABLE }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", ALLOWED }, {}
		},
		.changes = (const struct change[]) {
			{ REPLACE, { P, RTN_LOCAL, .dev = "d0" } },
			{ REPLACE, { P, RTN_LOCAL } }, {}
		},
	}, {
		.name = "others_of_the_prefix",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL, .metric = 8 }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", ALLOWED }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { P, RTN_UNREACHABLE, .metric = 9 } },
			{ ADD, { P, RTN_UNICAST, PREF_LOW, 8, .dev = "d0" } },
			{ ADD, { P, RTN_UNICAST, PREF_HIGH, 9, .dev = "d1" } },
			{ DEL, { P, RTN_UNICAST, PREF_LOW, 8, .dev = "d0" } },
			{ DEL, { P, RTN_UNREACHABLE, .metric = 9 } },
			{ DEL, { P, RTN_UNICAST, PREF_HIGH, 9, .dev = "d1" } }, {}
		},
	}, {
		.name = "better_one_of_the_prefix",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL, .dev = "d0" }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", FLIPS }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { P, RTN_UNICAST, PREF_HIGH, .dev = "d1" }, .then = REFUSED },
			{ DEL, { P, RTN_UNICAST, PREF_HIGH, .dev = "d1" }, .then = ALLOWED }, {}
		},
	}, {
		.name = "lifetime_changes",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL, .expires = 500 }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", ALLOWED }, {}
		},
		.changes = (const struct change[]) {
			{ AGAIN, { P, RTN_LOCAL, .expires = 1000 } },
			{ AGAIN, { P, RTN_LOCAL, .expires = 500 } }, {}
		},
	}, {
		.name = "nexthop_replaced",
		.nexthop = { 1, "d0" },
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL, .nhid = 1 }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", FLIPS }, { "2001:db8:1:3::7", REFUSED }, {}
		},
		.changes = (const struct change[]) {
			{ NEXTHOP, .nexthop = { 1 }, .then = REFUSED },
			{ NEXTHOP, .nexthop = { 1, "d1" }, .then = ALLOWED }, {}
		},
	}, {
		/* Its neighbour decides while the object is no blackhole. */
		.name = "nexthop_beside_another",
		.nexthop = { 1 },
		.fixed = (const struct route[]) {
			{ P, RTN_UNICAST, .dev = "d0", .metric = 10 },
			{ P, RTN_LOCAL, .nhid = 1, .metric = 10, .flags = NLM_F_APPEND }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", REFUSED }, {}
		},
		.changes = (const struct change[]) {
			{ NEXTHOP, .nexthop = { 1, "d1" } },
			{ NEXTHOP, .nexthop = { 1 } }, {}
		},
	}, {
		.name = "nexthop_device_replaced",
		.nexthop = { 1, "d0" },
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL, .nhid = 1 }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7", ALLOWED }, {}
		},
		.changes = (const struct change[]) {
			{ NEXTHOP, .nexthop = { 1, "d1" } },
			{ NEXTHOP, .nexthop = { 1, "d0" } }, {}
		},
	}, {
		.name = "routes_for_some_sources",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL }, { "2001:db8:1:2::8/125", RTN_UNREACHABLE }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7777", ALLOWED },
			{ "2001:db8:1:2::9", REFUSED },
			{ "2001:db8:1:2::20", FLIPS }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { "2001:db8:1:2::20", RTN_UNREACHABLE, .from = "::/1" },
			  .then = REFUSED },
			{ ADD, { "2001:db8:1:2::20", RTN_UNREACHABLE, .from = "8000::/1" } },
			{ DEL, { "2001:db8:1:2::20", RTN_UNREACHABLE, .from = "::/1" },
			  .then = ALLOWED },
			{ DEL, { "2001:db8:1:2::20", RTN_UNREACHABLE, .from = "8000::/1" } }, {}
		},
	}, {
		.name = "device_down_and_up",
		.fixed = (const struct route[]) {
			{ P, RTN_LOCAL }, { "2001:db8:1:2::20/124", RTN_UNREACHABLE }, {}
		},
		.asks = (const struct ask[]) {
			{ "2001:db8:1:2::7777", ALLOWED },
			{ "2001:db8:1:2::21", REFUSED }, {}
		},
		.changes = (const struct change[]) {
			{ ADD, { "2001:db8:1:2::20", RTN_LOCAL, .dev = "d1" } },
			{ LINK_DOWN },
			{ LINK_UP }, {}
		},
	}, {
		.name = "many_writers",
		.random = true,
		.fixed = nested,
		.asks = ask_nested,
		.changes = carve_out,
	}, {
		.name = "many_writers_vrf",
		.vrf = true,
		.random = true,
		.fixed = nested,
		.asks = ask_nested,
		.changes = carve_out,
	}, {
		.name = "namespaces",
		.namespaces = true,
		.fixed = nested,
		.asks = ask_nested,
	},
};

static bool has_flips(const struct race *race)
{
	const struct ask *ask;

	for (ask = race->asks; ask->addr; ask++)
		if (ask->want == FLIPS)
			return true;
	return false;
}

static const struct race *race_of(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(races); i++)
		if (!strcmp(races[i].name, name))
			return &races[i];
	return NULL;
}

static void race_run(struct kunit *test)
{
	const struct race *race = race_of(test->name);
	struct running *run = kvzalloc(sizeof(*run), GFP_KERNEL);
	ktime_t since = ktime_get();
	struct count sum;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, run);
	KUNIT_ASSERT_NOT_NULL(test, race);
	run->race = race;
	run->table = race->vrf ? VRF_TABLE : RT6_TABLE_LOCAL;
	err = prepare(run) ?: start_all(run);
	if (!err)
		wait_for_enough(run);
	stop_all(run);
	add_up(run, &sum);
	tell(test, &sum, since);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ_MSG(test, sum.wrong, 0, "such as %pI6c", &sum.first);
	KUNIT_EXPECT_EQ_MSG(test, sum.failed, 0, "changes that the kernel refused");
	KUNIT_EXPECT_GT(test, sum.answers, 0);
	KUNIT_EXPECT_GT(test, sum.changes, 0);
	if (has_flips(race)) {
		KUNIT_EXPECT_GT(test, sum.flips_allowed, 0);
		KUNIT_EXPECT_GT(test, sum.flips_refused, 0);
	}
	world_exit(&run->w);
	kvfree(run);
}

/* One case for each race above. */
#define RACE(_name) {							\
	.run_case = race_run, .name = _name, .module_name = KBUILD_MODNAME,	\
	.attr.speed = KUNIT_SPEED_SLOW						\
}

struct kunit_case race_cases[] = {
	RACE("one_carved_out"),
	RACE("carved_out_flips"),
	RACE("node_above_what_refuses"),
	RACE("node_above_what_allows"),
	RACE("prefix_without_routes"),
	RACE("type_replaced"),
	RACE("device_replaced"),
	RACE("others_of_the_prefix"),
	RACE("better_one_of_the_prefix"),
	RACE("lifetime_changes"),
	RACE("nexthop_replaced"),
	RACE("nexthop_beside_another"),
	RACE("nexthop_device_replaced"),
	RACE("routes_for_some_sources"),
	RACE("device_down_and_up"),
	RACE("many_writers"),
	RACE("many_writers_vrf"),
	RACE("namespaces"),
	{}
};
