// SPDX-License-Identifier: GPL-2.0
/*
 * "IPv6 Any-IP is to sockets what IPv4 Any-IP is", as a table. Each case runs
 * on IPv4 and on IPv6. Both must give the same result, except for listed
 * differences. With the module off or absent, IPv6 must behave as stock.
 *
 *   parity             test, as KTAP
 *   parity --table     print the results as markdown
 *   parity --verbose   print each case with its outcomes
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "kselftest.h"
#include "rtnl.h"
#include "parity.h"

/* Running the cases */

static int case_run(const struct tuple *t, int family)
{
	static int port = FIRST_PORT;
	const struct run r = { .t = t, .family = family, .port = port += 2 };

	if (port > LAST_PORT)
		die("no port is left for another case");
	if (speak_does(t->op))
		return speak_run(&r);
	return sock_does(t->op) ? sock_run(&r) : kernel_run(&r);
}

static void run_both(struct parity_case *c)
{
	topo_choose(c->t.option == O_MERGED);
	topo_enter_host();
	if (c->t.option == O_NONLOCAL)
		topo_nonlocal(true);
	c->v6 = case_run(&c->t, AF_INET6);
	/* The toggle does not affect IPv4, so one run is enough. */
	if (c->v4 == UNKNOWN && !is_alone(&c->t))
		c->v4 = case_run(&c->t, AF_INET);
	topo_enter_host();
	if (c->t.option == O_NONLOCAL)
		topo_nonlocal(false);
}

/*
 * IPv4 must be able to use an address to be a sound judge. If IPv4 lets a
 * socket have the address but then cannot use it, the test is wrong, except for
 * listed cases.
 */
static bool judge_is_sound(const struct parity_case *c)
{
	const __u64 good = C(HOST) | C(ANY_AND_HOST) | C_ANYIP;

	if (is_alone(&c->t) || c->diff || !c->v4 || c->t.op == OP_STICKY)
		return true;
	return OUTCOME_STAGE(c->v4) == S_FIRST &&
		(!in(good, c->t.class) || !in(B_PATH, c->t.binding));
}

static struct {
	size_t pairs, alone, differ, looked_up;
} totals;

/* Compare each answer with the kernel's own lookup for a packet. */
static bool kernel_agrees(const struct parity_case *c)
{
	const bool taken = !c->v6 || OUTCOME_STAGE(c->v6) != S_FIRST;
	const unsigned int table = table_asked(&c->t);
	struct in6_addr addr;
	bool local;

	if (!table)
		return true;
	inet_pton(AF_INET6, class_text(c->t.class, AF_INET6), &addr);
	local = fib_says_local(&addr, table);
	totals.looked_up++;
	if (taken == local)
		return true;
	ksft_print_msg("%s: IPv6 %s, but a packet for it finds %s route\n",
		       tuple_text(&c->t), outcome_text(c->v6),
		       local ? "a local" : "no local");
	return false;
}

static bool case_judge(const struct parity_case *c, enum anyip6_mode mode)
{
	int want = mode == MODE_ON ? expect_on(c) : expect_stock(c);

	if (!judge_is_sound(c)) {
		ksft_print_msg("%s: IPv4 cannot: %s\n", tuple_text(&c->t),
			       outcome_text(c->v4));
		return false;
	}
	if (c->diff && c->v4 != c->diff->v4) {
		ksft_print_msg("%s: a listed difference has changed: IPv4 %s, listed %s\n",
			       tuple_text(&c->t), outcome_text(c->v4),
			       outcome_text(c->diff->v4));
		return false;
	}
	if (mode == MODE_ON && !kernel_agrees(c))
		return false;
	if (c->v6 == want)
		return true;
	ksft_print_msg("%s: IPv6 %s, expected %s (IPv4 %s)\n",
		       tuple_text(&c->t), outcome_text(c->v6), outcome_text(want),
		       is_alone(&c->t) ? "has none" : outcome_text(c->v4));
	return false;
}

static bool case_compare(const struct parity_case *c)
{
	char result[256];

	snprintf(result, sizeof(result), "%s: %s", tuple_text(&c->t), outcome_text(c->v6));
	return result_same(result);
}

static struct {
	bool table, verbose;
} asked;

/* Lines of the result: one operation of one kind of socket */

static bool judge_line(size_t from, size_t to, enum anyip6_mode mode)
{
	bool good = true;

	for (size_t i = from; i < to; i++) {
		run_both(&cases[i]);
		if (asked.verbose)
			ksft_print_msg("%s: IPv4 %s, IPv6 %s\n",
				       tuple_text(&cases[i].t),
				       is_alone(&cases[i].t) ? "has none" :
				       outcome_text(cases[i].v4),
				       outcome_text(cases[i].v6));
		good &= case_judge(&cases[i], mode);
		if (mode != MODE_ON)
			good &= case_compare(&cases[i]);
		totals.alone += is_alone(&cases[i].t);
		totals.pairs += !is_alone(&cases[i].t);
		totals.differ += !!cases[i].diff;
	}
	return good;
}

static bool same_line(const struct parity_case *a, const struct parity_case *b)
{
	return a->t.op == b->t.op && a->t.kind == b->t.kind;
}

static size_t line_end(size_t from)
{
	size_t to = from;

	while (to < n_cases && same_line(&cases[from], &cases[to]))
		to++;
	return to;
}

static const char *line_name(size_t from, enum anyip6_mode mode)
{
	const struct tuple *t = &cases[from].t;
	static char name[128];

	snprintf(name, sizeof(name), "%s: %s: %s", mode_name(mode), kind_names[t->kind],
		 ops[t->op].text);
	return name;
}

static void test_line(size_t from, size_t to, enum anyip6_mode mode)
{
	const struct tuple *t = &cases[from].t;
	const char *name = line_name(from, mode);

	if (!case_wanted(name))
		return;
	if (is_missing(t)) {
		ksft_test_result_skip("%s: this kernel has no %s\n", name, is_missing(t));
		return;
	}
	ksft_test_result(judge_line(from, to, mode), "%s, %zu cases\n", name, to - from);
}

static void toggles_set(enum anyip6_mode mode)
{
	for (int merged = 0; merged < 2; merged++) {
		topo_choose(merged);
		topo_enter_host();
		toggle_set(mode);
	}
}

static void test_mode(enum anyip6_mode mode)
{
	memset(&totals, 0, sizeof(totals));
	toggles_set(mode);
	for (size_t i = 0; i < n_cases; i = line_end(i))
		test_line(i, line_end(i), mode);
	ksft_print_msg("%s: %zu v4/v6 pairs, %zu listed differences, %zu cases of IPv6 alone\n",
		       mode_name(mode), totals.pairs, totals.differ, totals.alone);
	ksft_print_msg("%s: %zu answers beside the kernel's own lookup\n",
		       mode_name(mode), totals.looked_up);
}

static unsigned int count_lines(enum anyip6_mode mode)
{
	unsigned int n = 0;

	for (size_t i = 0; i < n_cases; i = line_end(i))
		n += case_wanted(line_name(i, mode));
	return n;
}

static void read_args(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--table"))
			asked.table = true;
		else if (!strcmp(argv[i], "--verbose"))
			asked.verbose = true;
		else
			die("unknown argument %s", argv[i]);
	}
}

#define LIST_TEST	"every listed difference is asked for"

static void test_list(void)
{
	const struct difference *d = unused_difference();

	if (!case_wanted(LIST_TEST))
		return;
	if (d)
		ksft_print_msg("no case is of a listed difference: %s\n",
			       note_text[d->note]);
	ksft_test_result(!d, LIST_TEST "\n");
}

static int test_all(bool loaded)
{
	unsigned int n = case_wanted(LIST_TEST);

	n += loaded ? count_lines(MODE_ON) + count_lines(MODE_OFF) : count_lines(MODE_ABSENT);
	if (!n)
		return no_case();
	ksft_print_header();
	ksft_set_plan(n);
	results_open("parity", loaded);
	test_list();
	if (loaded) {
		test_mode(MODE_ON);
		test_mode(MODE_OFF);
	} else {
		test_mode(MODE_ABSENT);
	}
	ksft_finished();
}

/* Prints the table only if every result is as expected. */
static void table_only(bool loaded)
{
	if (!loaded)
		die("--table: the module is not loaded");
	toggles_set(MODE_ON);
	for (size_t i = 0; i < n_cases; i++) {
		const struct tuple *t = &cases[i].t;

		if (is_missing(t))
			continue;
		run_both(&cases[i]);
		if (!case_judge(&cases[i], MODE_ON))
			die("not as expected: %s", tuple_text(t));
	}
	table_print();
}

int main(int argc, char **argv)
{
	const bool loaded = anyip6_loaded();
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	/*
	 * Before 5.11, BPF objects count against this limit, even for a while
	 * after they are gone.
	 */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	/* A lost connection is an outcome: EPIPE. */
	signal(SIGPIPE, SIG_IGN);
	check_expectation();
	read_args(argc, argv);
	topo_setup();
	generate();
	if (!asked.table)
		return test_all(loaded);
	table_only(loaded);
	return 0;
}
