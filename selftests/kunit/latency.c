// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an answer takes, in a quiet table and while another processor changes
 * the same table 10,000 times a second.
 *
 * The clock is the processor's time stamp counter. It costs less than an answer
 * and ticks often enough to measure each answer. We measure its own cost and
 * subtract it. The kernel's clocks are those of the host here.
 *
 * The machine has other work, so the three states take turns and the median of
 * the rounds counts. If the host takes a processor away for a while, that makes
 * the longest answers. It is too rare to be among the 99 of 100.
 */

#include <linux/kthread.h>
#include <linux/sort.h>
#include <net/addrconf.h>

#include "suite.h"

#define SAMPLES		1000000
#define TICKS		20000	/* longer answers are counted as that long */
#define EACH_NS		100000	/* from one change to the next */
#define LEAST		1000	/* changes a second: with fewer there is nothing to compare */
#define FIXED		200
#define MOST_ROUNDS	99

enum changing { QUIET, ELSEWHERE, BESIDE, N_STATES };

static const char * const state_names[] = {
	[QUIET] = "quiet", [ELSEWHERE] = "changes elsewhere", [BESIDE] = "changes beside",
};

struct spread {
	u32 p50, p99, p999;
	u64 longest;
	unsigned long changes;
	u64 ns;
};

struct latency {
	struct world asked, other;
	struct in6_addr addrs[4];
	struct fib6_config change[2];	/* of the table that is asked, of the other's */
	u32 ticks[TICKS + 1];
	u32 clock;			/* what reading it costs */
	enum changing state;
	unsigned long changes;
	struct spread spreads[N_STATES][MOST_ROUNDS];
	int round;
};

/* Runs after all code before it, and before all code after it. */
static __always_inline u64 now(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc; lfence" : "=a" (low), "=d" (high) :: "memory");
	return (u64)high << 32 | low;
}

static int paced_changer(void *data)
{
	struct latency *l = data;
	u64 next = ktime_get_ns();
	struct fib6_config *cfg;
	enum changing state;

	while (!kthread_should_stop()) {
		let_others_run();
		if (ktime_get_ns() < next)
			continue;
		next += EACH_NS;
		state = READ_ONCE(l->state);
		if (state == QUIET)
			continue;
		cfg = &l->change[state == ELSEWHERE];
		if (route_del(cfg))
			route_add(cfg, 0);
		WRITE_ONCE(l->changes, l->changes + 1);
	}
	return 0;
}

static void one_answer(struct latency *l, struct spread *s, int i)
{
	u64 t = now();

	suite_ask(l->asked.net, &l->addrs[i % ARRAY_SIZE(l->addrs)], NULL);
	t = now() - t;
	t -= min_t(u64, t, l->clock);
	l->ticks[min_t(u64, t, TICKS)]++;
	s->longest = max(s->longest, t);
}

/* The ticks that @of of 1000 answers took at most. */
static u32 part(const struct latency *l, u32 of)
{
	u64 sum = 0;
	u32 t;

	for (t = 0; t < TICKS; t++) {
		sum += l->ticks[t];
		if (sum * 1000 >= (u64)SAMPLES * of)
			break;
	}
	return t;
}

static void measure(struct latency *l, enum changing state, int round)
{
	struct spread *s = &l->spreads[state][round];
	unsigned long changes;
	u64 begin;
	int i;

	WRITE_ONCE(l->state, state);
	msleep(20);
	memset(l->ticks, 0, sizeof(l->ticks));
	changes = READ_ONCE(l->changes);
	begin = ktime_get_ns();
	for (i = 0; i < SAMPLES; i++) {
		one_answer(l, s, i);
		if (i % 1024 == 0)
			cond_resched();
	}
	s->ns = ktime_get_ns() - begin;
	s->changes = READ_ONCE(l->changes) - changes;
	s->p50 = part(l, 500);
	s->p99 = part(l, 990);
	s->p999 = part(l, 999);
}

static void measure_clock(struct latency *l)
{
	u64 t, least = U64_MAX;
	int i;

	for (i = 0; i < 10000; i++) {
		t = now();
		t = now() - t;
		least = min(least, t);
	}
	l->clock = least;
}

static int measurer(void *data)
{
	struct latency *l = data;
	enum changing state;

	measure_clock(l);
	for (l->round = 0; l->round < min(suite_rounds, MOST_ROUNDS); l->round++)
		for (state = 0; state < N_STATES; state++)
			measure(l, state, l->round);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* A table of some size. The changes are next to the asked addresses. */
static int fill(struct latency *l)
{
	struct route route = { "2001:db8:1::/48", RTN_LOCAL };
	struct route change = { "2001:db8:1:2::5", RTN_UNREACHABLE };
	struct fib6_config cfg;
	int i, err;

	l->addrs[0] = addr_of("2001:db8:1:2::7777");
	l->addrs[1] = addr_of("2001:db8:1:2::6");
	l->addrs[2] = addr_of("2001:db8:1:3::7");
	l->addrs[3] = addr_of("2001:db8:2::7");
	err = route_config(&l->asked, &change, RT6_TABLE_LOCAL, &l->change[0]);
	err = err ?: route_config(&l->other, &change, RT6_TABLE_LOCAL, &l->change[1]);
	for (i = 0; i < FIXED && !err; i++) {
		route_config(&l->asked, &route, RT6_TABLE_LOCAL, &cfg);
		if (i) {
			cfg.fc_dst_len = 64;
			cfg.fc_dst.s6_addr[7] = i;
		}
		err = route_add(&cfg, 0);
	}
	return err;
}

static struct task_struct *start(int (*func)(void *), struct latency *l, int cpu)
{
	struct task_struct *task = kthread_create(func, l, "anyip6-latency");

	if (IS_ERR(task))
		return NULL;
	get_task_struct(task);
	kthread_bind(task, cpu);
	wake_up_process(task);
	return task;
}

static void stop(struct task_struct *task)
{
	if (!task)
		return;
	kthread_stop(task);
	put_task_struct(task);
}

static void run(struct latency *l)
{
	struct task_struct *changer = start(paced_changer, l, num_online_cpus() - 1);
	struct task_struct *asker = start(measurer, l, 0);

	while (changer && asker && READ_ONCE(l->round) < min(suite_rounds, MOST_ROUNDS))
		msleep(20);
	stop(asker);
	stop(changer);
}

static int by_size(const void *a, const void *b)
{
	return cmp_int(*(const u32 *)a, *(const u32 *)b);
}

/* The median of all rounds. @offset selects the number. */
static u32 middle(const struct latency *l, enum changing state, size_t offset)
{
	u32 of[MOST_ROUNDS];
	int i;

	for (i = 0; i < l->round; i++)
		of[i] = *(const u32 *)((const void *)&l->spreads[state][i] + offset);
	sort(of, l->round, sizeof(*of), by_size, NULL);
	return l->round ? of[l->round / 2] : 0;
}

/* Tells what a state was like, and returns how many changes a second there were. */
static u64 tell(struct kunit *test, const struct latency *l, enum changing state)
{
	u64 longest = 0, changes = 0, ns = 0, rate;
	int i;

	for (i = 0; i < l->round; i++) {
		const struct spread *s = &l->spreads[state][i];

		changes += s->changes;
		ns += s->ns;
		longest = max(longest, s->longest);
	}
	rate = changes * NSEC_PER_SEC / max(ns, 1);
	kunit_info(test, "%s: p50 %u, p99 %u, p99.9 %u; longest %llu; %llu changes, %llu/s",
		   state_names[state], middle(l, state, offsetof(struct spread, p50)),
		   middle(l, state, offsetof(struct spread, p99)),
		   middle(l, state, offsetof(struct spread, p999)),
		   longest, changes, rate);
	return rate;
}

void latency(struct kunit *test)
{
	struct latency *l = kvzalloc(sizeof(*l), GFP_KERNEL);
	u64 rates[N_STATES];
	u32 quiet, beside;
	enum changing state;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, l);
	err = world_init(&l->asked) ?: world_init(&l->other) ?: fill(l);
	KUNIT_EXPECT_EQ(test, err, 0);
	if (!err)
		run(l);
	kunit_info(test, "ticks of the processor's counter, less the %u that reading it takes; %d rounds of %d answers",
		   l->clock, l->round, SAMPLES);
	for (state = 0; state < N_STATES; state++)
		rates[state] = tell(test, l, state);
	quiet = middle(l, QUIET, offsetof(struct spread, p99));
	beside = middle(l, BESIDE, offsetof(struct spread, p99));
	KUNIT_EXPECT_GT(test, quiet, 0);
	KUNIT_EXPECT_LE_MSG(test, 2 * beside, 3 * quiet,
			    "p99 beside changes is over 1.5 of that of a quiet table");
	KUNIT_EXPECT_GE(test, rates[BESIDE], LEAST);
	world_exit(&l->other);
	world_exit(&l->asked);
	kvfree(l);
}
