// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rule of src/local.c while the FIB changes, on processors that run at the
 * same time. The suite links that file as it is. What the file calls in the rest
 * of the module is here, and never says no.
 */

#include "suite.h"

int suite_seconds = 2;
module_param_named(seconds, suite_seconds, int, 0444);
MODULE_PARM_DESC(seconds, "How long each race lasts");

ulong suite_answers;
module_param_named(answers, suite_answers, ulong, 0444);
MODULE_PARM_DESC(answers, "Each race lasts until there were so many answers");

ulong suite_changes;
module_param_named(changes, suite_changes, ulong, 0444);
MODULE_PARM_DESC(changes, "Each race lasts until there were so many changes");

int suite_rounds = 9;
module_param_named(rounds, suite_rounds, int, 0444);
MODULE_PARM_DESC(rounds, "How often the latency is measured");

int suite_seeds = 200;
module_param_named(seeds, suite_seeds, int, 0444);
MODULE_PARM_DESC(seeds, "How many sequences of random changes there are");

struct task_struct *anyip6_prover;

bool anyip6_proof_asks(const struct in6_addr *addr)
{
	return false;
}

bool anyip6_proof_answer(void)
{
	return false;
}

bool anyip6_enabled(const struct net *net)
{
	return true;
}

void anyip6_count(const struct net *net, enum anyip6_asker asker,
		  enum anyip6_step step)
{
}

static struct kunit_case quiet_cases[] = {
	KUNIT_CASE(quiet_table),
	KUNIT_CASE(quiet_link_local),
	KUNIT_CASE_SLOW(quiet_random),
	{}
};

static struct kunit_case latency_cases[] = {
	KUNIT_CASE_SLOW(latency),
	{}
};

static struct kunit_suite quiet_suite = {
	.name = "anyip6_quiet",
	.test_cases = quiet_cases,
};

static struct kunit_suite race_suite = {
	.name = "anyip6_race",
	.test_cases = race_cases,
};

static struct kunit_suite latency_suite = {
	.name = "anyip6_latency",
	.test_cases = latency_cases,
};

kunit_test_suites(&quiet_suite, &race_suite, &latency_suite);

MODULE_DESCRIPTION("Tests of anyip6's rule beside a changing FIB");
MODULE_LICENSE("GPL");
