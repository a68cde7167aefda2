/* SPDX-License-Identifier: GPL-2.0 */
/* kselftest's harness, for programs whose tests run in several modes (run.h). */
#ifndef ANYIP6_HARNESS_H
#define ANYIP6_HARNESS_H

#include "kselftest_harness.h"
#include "run.h"

#define MAX_ARGS	8192

static inline char *full_name(const struct __fixture_metadata *f,
			      const struct __fixture_variant_metadata *v,
			      const struct __test_metadata *t)
{
	char *name;

	if (asprintf(&name, "%s%s%s.%s", f->name, v ? "." : "", v ? v->name : "",
		     t->name) < 0)
		exit(KSFT_FAIL);
	return name;
}

/* Append the harness's option for each wanted test to the arguments. */
static inline int add_wanted(int argc, char **args)
{
	const struct __fixture_variant_metadata *v;
	const struct __fixture_metadata *f;
	const struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next) {
		v = f->variant;
		do {
			for (t = f->tests; t; t = t->next) {
				char *name = full_name(f, v, t);

				if (!case_wanted(name))
					continue;
				if (argc + 2 > MAX_ARGS)
					die("too many cases have that name");
				args[argc++] = "-r";
				args[argc++] = name;
			}
			v = v ? v->next : NULL;
		} while (v);
	}
	return argc;
}

static inline int harness_main(int argc, char **argv, enum world_need need,
			       int (*harness)(int argc, char **argv))
{
	static char *args[MAX_ARGS];
	int n = argc;

	memcpy(args, argv, argc * sizeof(*argv));
	if (case_chosen()) {
		n = add_wanted(argc, args);
		if (n == argc)
			return no_case();
	}
	return anyip6_main(n, args, need, harness);
}

/* The same test in several modes. @check may use what TEST_F() offers. */
#define TEST_LOADED(fixture, check)					\
	TEST_F(fixture, off)						\
	{								\
		check;							\
	}								\
	TEST_F(fixture, on)						\
	{								\
		check;							\
	}
#define TEST_EVERY_MODE(fixture, check)					\
	TEST_F(fixture, absent)						\
	{								\
		check;							\
	}								\
	TEST_LOADED(fixture, check)

#define ANYIP6_HARNESS_MAIN(need)					\
int main(int argc, char **argv)						\
{									\
	return harness_main(argc, argv, need, test_harness_run);	\
}

#endif
