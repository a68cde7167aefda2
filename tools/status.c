// SPDX-License-Identifier: GPL-2.0
/* anyip6 status: the module, and its state in each network namespace. */
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "anyip6.h"
#include "fib.h"
#include "json.h"
#include "module.h"
#include "netns.h"
#include "text.h"

#define MAX_SHOWN	20	/* prefixes in text, without --all */

static bool show_all;

/* The sysctls of a netns, -1 if there is none. */
struct sysctls {
	int on, ndisc, nonlocal;
};

static struct sysctls read_sysctls(void)
{
	return (struct sysctls){
		file_number(TOGGLE), file_number(NDISC), file_number(NONLOCAL),
	};
}

static void json_hook(char (*w)[64])
{
	json_open(NULL, '{');
	json_string("caller", w[0]);
	json_string("check", w[1]);
	json_string("state", w[2]);
	json_close();
}

static void print_hook(char (*w)[64])
{
	if (strcmp(w[2], "absent") && strcmp(w[2], "off"))
		printf("  %-24s %-23s %s\n", w[0], w[1], w[2]);
}

static void print_absent(char (*w)[64])
{
	if (!strcmp(w[2], "absent"))
		printf(" %s", w[0]);
}

static void print_off(char (*w)[64])
{
	if (!strcmp(w[2], "off"))
		printf(" %s", w[0]);
}

/* What is not hooked has its reason, so it stands apart, in one line each. */
static void print_hooks(void)
{
	const char *text = file_read(HOOKS);
	const bool absent = text && strstr(text, " absent");
	const bool off = text && strstr(text, " off");
	const bool unproven = text && strstr(text, " unproven");

	if (!text)
		return;
	printf("hooks (caller, check, how it is known):\n");
	file_each_line(HOOKS, 3, print_hook);
	if (absent) {
		printf("  not needed, as the kernel does not have them now:");
		file_each_line(HOOKS, 3, print_absent);
		putchar('\n');
	}
	if (off) {
		printf("  not asked for with ndisc=1:");
		file_each_line(HOOKS, 3, print_off);
		putchar('\n');
	}
	if (unproven)
		puts("warning: what is unproven keeps the kernel's answers; see the kernel log");
}

static void print_counter(char (*w)[64])
{
	if (want_json)
		json_number(w[0], strtoul(w[1], NULL, 10));
	else
		printf("  %-32s %s\n", w[0], w[1]);
}

/* The host route of a configured address is no Any-IP prefix. */
static bool is_address(const struct fib *fib, const struct route *r)
{
	return r->len == 128 && fib_has_addr(fib, &r->dst);
}

static bool is_read(const struct fib *fib, uint32_t table)
{
	for (size_t i = 0; i < fib->n_links; i++)
		if (fib->links[i].vrf_table == table)
			return true;
	return table == RT_TABLE_LOCAL;
}

static void print_prefix(const struct fib *fib, const struct route *r)
{
	char text[512];

	if (!want_json) {
		snprintf(text, sizeof(text), "%s", route_text(fib, r));
		printf("  %s\n", plain(text));
		return;
	}
	json_open(NULL, '{');
	json_string("prefix", route_prefix(r));
	json_string("device", r->n_nexthops ?
		    fib_link_name(fib, r->nexthops[0].link) : NULL);
	json_string("table", table_text(r->table));
	json_close();
}

static bool is_prefix(const struct fib *fib, const struct route *r)
{
	return r->type == RTN_LOCAL && route_for_any_source(r) &&
		is_read(fib, r->table) && !is_address(fib, r);
}

static void print_prefixes(const struct fib *fib)
{
	size_t n = 0;

	for (size_t i = 0; i < fib->n_routes; i++)
		if (is_prefix(fib, &fib->routes[i]) &&
		    (n++ < MAX_SHOWN || want_json || show_all))
			print_prefix(fib, &fib->routes[i]);
	if (want_json)
		return;
	if (!n)
		printf("  none\n");
	if (n > MAX_SHOWN && !show_all)
		printf("  and %zu more (--all or --json)\n", n - MAX_SHOWN);
}

static const char *toggle_text(int value)
{
	return value < 0 ? "is not there" : value ? "is 1" : "is 0";
}

/*
 * Only a module that was loaded with ndisc=1 has the second sysctl. The third is
 * the kernel's, and worth a word only if it is 1.
 */
static void print_text(const char *name, const struct fib *fib,
		       const struct sysctls *s)
{
	char text[512];

	snprintf(text, sizeof(text), "%s", name ?: "(this one)");
	printf("netns %s: net.ipv6.anyip_bind %s", plain(text), toggle_text(s->on));
	if (s->ndisc >= 0)
		printf(", net.ipv6.anyip_ndisc %s", toggle_text(s->ndisc));
	if (s->nonlocal == 1)
		printf(", net.ipv6.ip_nonlocal_bind is 1");
	putchar('\n');
	if (s->on >= 0)
		printf(" decisions:\n");
	file_each_line(COUNTERS, 2, print_counter);
	printf(" Any-IP prefixes:\n");
	print_prefixes(fib);
}

static void print_json(const char *name, const struct fib *fib,
		       const struct sysctls *s)
{
	json_open(NULL, '{');
	json_string("name", name);
	if (s->on >= 0)
		json_bool("anyip_bind", s->on);
	if (s->ndisc >= 0)
		json_bool("anyip_ndisc", s->ndisc);
	if (s->nonlocal >= 0)
		json_bool("ip_nonlocal_bind", s->nonlocal);
	json_open("prefixes", '[');
	print_prefixes(fib);
	json_close();
	json_open("counters", '{');
	file_each_line(COUNTERS, 2, print_counter);
	json_close();
	json_close();
}

/* Prints the netns of this process, or complains. */
static bool print_netns(const char *name)
{
	const struct sysctls sysctls = read_sysctls();
	struct fib fib;
	int err = fib_read(&fib, FIB_LOCAL, NULL);

	if (err)
		complain("netns %s: netlink: %s", name ?: "(this one)", fib_error(err));
	else if (want_json)
		print_json(name, &fib, &sysctls);
	else
		print_text(name, &fib, &sysctls);
	fib_free(&fib);
	return !err;
}

/* The answer to "does it work here?": a word, and why. */
struct summary {
	const char *verdict;
	char why[640];
	int code;
};

__attribute__((format(printf, 3, 4)))
static struct summary summary(const char *verdict, int code, const char *fmt, ...)
{
	struct summary s = { .verdict = verdict, .code = code };
	va_list args;

	va_start(args, fmt);
	vsnprintf(s.why, sizeof(s.why), fmt, args);
	va_end(args);
	return s;
}

static struct summary summarize(const struct module *m)
{
	const struct sysctls s = read_sysctls();

	if (m->is == CANNOT_SEE)
		return summary("unknown", EXIT_CANNOT, "/proc/sys and /sys are hidden here");
	if (m->is == NOT_LOADED)
		return summary("not loaded", EXIT_NOT_LOADED, "%s",
			       *m->why ? m->why : "to load it: modprobe anyip6");
	if (s.on < 0)
		return summary("unknown", EXIT_CANNOT,
			       "the module is loaded, but net.ipv6.anyip_bind cannot be seen here");
	if (s.nonlocal == 1)
		return summary("not asked", 0,
			       "net.ipv6.ip_nonlocal_bind is 1 here, so every address can be bound, mistyped ones too");
	if (!s.on)
		return summary("off", 0, "net.ipv6.anyip_bind is 0 here; to turn it on: anyip6 on");
	return summary("on", 0, "addresses of local routes can be bound here");
}

static void print_module(const struct module *m, const char *release)
{
	if (m->is == BUILT_IN)
		printf("the rule is built into the kernel, %s\n", release);
	else if (m->is != LOADED)
		printf("kernel %s\n", release);
	else if (!*m->version)
		printf("anyip6, whose version is in /sys, which is hidden here, kernel %s\n",
		       release);
	else
		printf("anyip6 %s, kernel %s\n", m->version, release);
	if (*m->version && strcmp(m->version, ANYIP6_VERSION))
		printf("hint: this tool is of version %s; to load the installed module: %s\n",
		       ANYIP6_VERSION, "modprobe -r anyip6 && modprobe anyip6");
	print_hooks();
}

static void json_module(const struct module *m, const char *release)
{
	/* It loads only if its self-test of TCP and UDP has passed. */
	const bool loaded = m->is == LOADED;

	json_bool("loaded", loaded);
	json_string("version", *m->version ? m->version : NULL);
	json_string("tool_version", ANYIP6_VERSION);
	json_string("kernel", release);
	json_string("self_test", loaded ? "passed" : NULL);
	json_open("hooks", '[');
	file_each_line(HOOKS, 3, json_hook);
	json_close();
}

static bool print_all(const struct module *m, const char *release, struct summary *s)
{
	bool complete;

	if (want_json) {
		json_open(NULL, '{');
		json_string("verdict", s->verdict);
		json_string("reason", s->why);
		json_module(m, release);
		json_open("netns", '[');
	} else {
		printf("%s: %s\n", s->verdict, plain(s->why));
		print_module(m, release);
	}
	complete = print_netns(NULL);
	if (show_all)
		complete &= each_netns(print_netns);
	if (want_json) {
		json_close();
		json_close();
	}
	return complete;
}

int cmd_status(int argc, char **argv)
{
	struct summary s;
	struct module m;
	struct utsname uts;

	show_all = argc == 2 && !strcmp(argv[1], "--all");
	if (argc > 1 + show_all)
		die(EXIT_USAGE, "status: --all and --json are all it takes");
	if (show_all && geteuid())
		die(EXIT_CANNOT, "status --all: only root may enter other namespaces");
	uname(&uts);
	m = module_state(uts.release);
	s = summarize(&m);
	return print_all(&m, uts.release, &s) ? s.code : EXIT_CANNOT;
}
