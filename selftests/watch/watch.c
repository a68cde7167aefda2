// SPDX-License-Identifier: GPL-2.0
/*
 * What shows how the module decides: /proc/net/anyip6 and the tracepoint.
 *
 * ANYIP6_OPS=N: the number of operations in the test that adds up the counters.
 */
#include <fcntl.h>
#include <poll.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "counts.h"
#include "harness.h"
#include "rtnl.h"
#include "wg.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE	71
#endif

#ifndef MSG_PROBE
#define MSG_PROBE	0x10
#endif

#define TRACEFS		"/sys/kernel/tracing"
#define HOOKS		"/sys/module/anyip6/parameters/hooks"
#define EVENT		"events/anyip6/anyip6_decision/enable"
#define FILTER		"events/anyip6/anyip6_decision/filter"
#define DEFAULT_OPS	2000
#define SAID_PORT	4246
#define MAX_CPUS	64

/* Some files of tracefs take one word at a time. */
static bool file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t done = 1;

	if (fd < 0)
		return false;
	for (; *text && done > 0; text += done)
		done = write(fd, text, strlen(text));
	close(fd);
	return done > 0;
}

static unsigned long counts_sum(const struct counts *c)
{
	unsigned long sum = 0;

	for (int i = 0; i < NR_COUNTERS; i++)
		sum += c->of[i];
	return sum;
}

static void counts_expect(struct __test_metadata *_metadata, const struct counts *want,
			  const struct counts *got)
{
	for (int i = 0; i < NR_COUNTERS; i++) {
		EXPECT_EQ(want->of[i], got->of[i]) {
			TH_LOG("%s", counter_names[i]);
		}
	}
}

/* One operation that asks for an address. A route goes out of the socket's device. */

struct ask {
	struct bind_spec sock;	/* UDP unless given */
	bool pktinfo, route;
	enum step step;		/* with the toggle on */
};

static struct bind_spec ask_spec(const struct ask *a)
{
	struct bind_spec spec = a->sock;

	spec.opts |= OPT_ANY_PORT;
	if (!spec.proto.type)
		spec.proto = (struct proto)PROTO_udp;
	return spec;
}

/* Is this a step that the module takes and counts? */
static bool is_counted(enum step step)
{
	return step < NR_STEPS;
}

/* The table that the rule asks, or 0 if it stops before that. */
static unsigned int table_asked(const char *dev, enum step step)
{
	if (step == OFF || step == NOT_UNICAST || step == CONFIGURED)
		return 0;
	return dev && dev_in_vrf(dev) ? VRF_TABLE : RT_TABLE_LOCAL;
}

/* MSG_PROBE sends nothing. */
static int pktinfo_probe(int fd, enum anyip6_addr addr)
{
	union sockaddr_any from, to;

	addr_fill(&from, AF_INET6, addr, 0);
	addr_fill(&to, AF_INET6, ADDR_PEER, TEST_PORT);
	return send_from(fd, &from, &to, "", MSG_PROBE | MSG_CONFIRM);
}

static int ask(const struct ask *a)
{
	struct bind_spec spec = ask_spec(a);
	int fd, err;

	if (a->route)
		return route_try(a->sock.dev, a->sock.addr);
	fd = sock_open(AF_INET6, &spec);
	if (fd < 0)
		return fd;
	err = a->pktinfo ? pktinfo_probe(fd, a->sock.addr) :
			   sock_bind(fd, AF_INET6, &spec);
	close(fd);
	return err;
}

/* The step in this mode. */
static enum step step_in(enum step step, enum anyip6_mode mode)
{
	return mode == MODE_OFF && is_counted(step) ? OFF : step;
}

static enum step ask_step(const struct ask *a, enum anyip6_mode mode)
{
	return step_in(a->step, mode);
}

static int ask_want(const struct ask *a, enum anyip6_mode mode)
{
	int err = decisions[ask_step(a, mode)].on;

	return err && (a->pktinfo || a->route) ? -EINVAL : -err;
}

FIXTURE(decision) {
	enum anyip6_mode mode;
};

FIXTURE_VARIANT(decision)
{
	struct ask ask;
};

FIXTURE_SETUP(decision)
{
	self->mode = mode_by_name(_metadata->name);
	enter_host(self->mode);
}

FIXTURE_TEARDOWN(decision) {}

#define ASK(name, _addr, _step, ...)					\
	FIXTURE_VARIANT_ADD(decision, name)				\
	{								\
		.ask = {						\
			.sock.addr = ADDR_##_addr, .step = _step,	\
			__VA_ARGS__					\
		},							\
	}
#define DEV(name)	.sock.dev = name
#define SCOPE(name)	.sock.dev = name, .sock.opts = OPT_SCOPE
#define V4(err)
#define CASE(name, addr, decided, reason, ...) ASK(name, addr, decided, __VA_ARGS__)
#define CASE_V6		CASE

#include "../rule/cases.h"

#define RAW		.sock.proto = PROTO_raw
#define PKTINFO		.pktinfo = true
#define ROUTE(dev)	DEV(dev), .route = true

ASK(any_tcp, ANY, ALLOWED, .sock.proto = PROTO_tcp);
ASK(any_raw, ANY, ALLOWED, RAW);
ASK(any_pktinfo, ANY, ALLOWED, PKTINFO);
ASK(configured_pktinfo, HOST, USABLE, PKTINFO);
ASK(dadfailed_pktinfo, DADFAILED, CONFIGURED, PKTINFO);
ASK(group_pktinfo, MULTICAST, NOT_UNICAST, DEV("veth0"), PKTINFO);
ASK(mapped_pktinfo, MAPPED_ANY, NOT_UNICAST, PKTINFO);
ASK(outside_pktinfo, OUTSIDE, NO_ROUTE, PKTINFO);
ASK(prohibit_pktinfo, PROHIBIT, CARVED_OUT, PKTINFO);
ASK(any_route, ANY, ALLOWED, ROUTE("veth0"));
ASK(configured_route, HOST, USABLE, ROUTE("veth0"));
ASK(dadfailed_route, DADFAILED, CONFIGURED, ROUTE("veth0"));
ASK(outside_route, OUTSIDE, NO_ROUTE, ROUTE("dummy0"));
ASK(unreachable_route, UNREACHABLE, CARVED_OUT, ROUTE("veth0"));
ASK(vrf_route, VRF_ANY, ALLOWED, ROUTE("veth1"));
ASK(default_route_in_vrf, ANY, NO_ROUTE, ROUTE("veth1"));

/* The tracepoint, in a separate trace buffer. */

static char instance[128];

static const char *in_instance(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	return path;
}

/* Only events that @file selects: a file of the instance. */
static bool trace_begin_of(const char *file, const char *selection)
{
	snprintf(instance, sizeof(instance), TRACEFS "/instances/anyip6-%d",
		 getpid());
	return !mkdir(instance, 0700) &&
		file_write(in_instance(file), selection) &&
		file_write(in_instance(EVENT), "1");
}

static bool trace_begin(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return trace_begin_of("set_event_pid", pid);
}

static void trace_end(void)
{
	if (*instance) {
		file_write(in_instance(EVENT), "0");
		rmdir(instance);
	}
}

/* Returns the fields of each decision, one line each, or NULL on a read error. */
static char *trace_lines(void)
{
	static char text[16384], out[4096];
	char *line, *at, *rest = text;

	if (!file_read(in_instance("trace"), text, sizeof(text)))
		return NULL;
	*out = '\0';
	while ((line = strsep(&rest, "\n"))) {
		at = strstr(line, "anyip6_decision: ");
		if (*line == '#' || !at)
			continue;
		strcat(out, at + strlen("anyip6_decision: "));
		strcat(out, "\n");
	}
	return out;
}

/* The kernel's function, or its part that asks on newer kernels */
static const char *route_caller(void)
{
	char hooks[2048];

	return strstr(file_read(HOOKS, hooks, sizeof(hooks)) ?: "",
		      "ip6_route_info_create_nh ipv6_chk_addr found") ?
		"ip6_route_info_create_nh" : "ip6_route_info_create";
}

static const char *ask_caller(const struct ask *a)
{
	if (a->route)
		return route_caller();
	if (a->pktinfo)
		return "ip6_datagram_send_ctl";
	return a->sock.proto.type == SOCK_RAW ? "rawv6_bind" : "__inet6_bind";
}

/* Returns 0 if the kernel has no cookies. */
static unsigned long long netns_cookie(void)
{
	unsigned long long cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(fd);
	return cookie;
}

/* The fields that depend on the netns and the program. */
static void trace_expect_origin(struct __test_metadata *_metadata, const char *line)
{
	unsigned long long cookie, want = netns_cookie();
	char comm[32] = "", want_comm[32] = "";
	unsigned int inum = 0;
	struct stat st;

	prctl(PR_GET_NAME, want_comm);
	ASSERT_EQ(0, stat("/proc/thread-self/ns/net", &st));
	if (sscanf(line, "netns=%u cookie=%llu comm=%31s", &inum, &cookie, comm) != 3)
		cookie = 0;
	EXPECT_EQ(st.st_ino, inum);
	EXPECT_STREQ(want_comm, comm);
	if (want)
		EXPECT_EQ(want, cookie);
}

/* The rest of a decision's line */
static const char *trace_want(const char *caller, enum anyip6_addr addr, const char *dev,
			      enum step step)
{
	static char want[256];

	snprintf(want, sizeof(want), " caller=%s addr=%s dev=%s table=%u allowed=%d step=%s\n",
		 caller, addr_text(addr, AF_INET6), dev ?: "-", table_asked(dev, step),
		 step == ALLOWED, decisions[step].word);
	return want;
}

static void trace_expect(struct __test_metadata *_metadata, const struct ask *a,
			 enum anyip6_mode mode, const char *caller)
{
	enum step step = ask_step(a, mode);
	const char *lines = trace_lines();

	ASSERT_NE(NULL, lines);
	if (!is_counted(step)) {
		EXPECT_STREQ("", lines);
		return;
	}
	trace_expect_origin(_metadata, lines);
	ASSERT_NE(NULL, strstr(lines, " caller="));
	EXPECT_STREQ(trace_want(caller, a->sock.addr, a->sock.dev, step),
		     strstr(lines, " caller="));
}

/*
 * A decision is counted and traced exactly once. If the kernel said yes, there
 * is none.
 */
static void decision_check(struct __test_metadata *_metadata,
			   const struct ask *a, enum anyip6_mode mode)
{
	enum step step = ask_step(a, mode);
	struct counts before, after;

	ASSERT_EQ(true, trace_begin());
	ASSERT_EQ(true, counts_read(&before));
	EXPECT_EQ(ask_want(a, mode), ask(a));
	ASSERT_EQ(true, counts_read(&after));
	if (is_counted(step))
		before.of[step]++;
	counts_expect(_metadata, &before, &after);
	trace_expect(_metadata, a, mode, ask_caller(a));
	trace_end();
}

TEST_LOADED(decision, decision_check(_metadata, &variant->ask, self->mode))

/* What the host says by itself, to a peer that asks at an address */

struct said {
	enum anyip6_addr addr;
	enum step step;
	const char *caller, *dev;
	bool (*ask)(enum anyip6_mode mode, const union sockaddr_any *at);
	int yes, no;	/* counters */
};

FIXTURE(said) {
	enum anyip6_mode mode;
};

FIXTURE_VARIANT(said)
{
	struct said said;
};

FIXTURE_SETUP(said)
{
	self->mode = mode_by_name(_metadata->name);
}

FIXTURE_TEARDOWN(said)
{
	trace_end();
}

/* An error arrives. */
static bool ask_error(enum anyip6_mode mode, const union sockaddr_any *at)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd error = { .fd = fd };
	const int one = 1;
	bool got;

	(void)mode;
	got = !setsockopt(fd, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one)) &&
		sendto(fd, "x", 1, 0, &at->sa, sizeof(at->in6)) == 1 &&
		poll(&error, 1, ERROR_DEADLINE) == 1;
	close(fd);
	return got;
}

static bool ask_wireguard(enum anyip6_mode mode, const union sockaddr_any *at)
{
	const struct world w = world_of(mode);
	struct wg wg;
	bool answered;

	wg_open(&wg, w.host, w.peer, at, false);
	answered = wg_ping(&wg);
	wg_close(&wg);
	return answered;
}

#define SAID(name, _addr, _step, ...)					\
	FIXTURE_VARIANT_ADD(said, name)					\
	{								\
		.said = {						\
			.addr = ADDR_##_addr, .step = _step,		\
			__VA_ARGS__					\
		},							\
	}
#define ICMP		.ask = ask_error, .caller = "icmp6_send", .dev = "veth0", \
			.yes = COUNT_ERROR_YES, .no = COUNT_ERROR_NO
#define WIREGUARD	.ask = ask_wireguard, .caller = "send6", \
			.yes = ALLOWED, .no = OFF

SAID(error_any, ANY, ALLOWED, ICMP);
SAID(error_dummy0, DUMMY, ALLOWED, ICMP);
SAID(error_unreachable, UNREACHABLE, CARVED_OUT, ICMP);
SAID(error_outside, OUTSIDE, NO_ROUTE, ICMP);
SAID(error_tentative, TENTATIVE, CONFIGURED, ICMP);
SAID(error_configured, HOST, USABLE, ICMP);
SAID(wireguard_any, ANY, ALLOWED, WIREGUARD);
SAID(wireguard_configured, HOST, USABLE, WIREGUARD);

/* Packets may be sent in any process, so the filter is the namespace. */
static bool trace_begin_netns(void)
{
	char filter[32];
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st))
		return false;
	snprintf(filter, sizeof(filter), "netns == %lu", (unsigned long)st.st_ino);
	return trace_begin_of(FILTER, filter);
}

/* Each of the @n lines is of this decision. */
static void said_lines(struct __test_metadata *_metadata, enum step step,
		       const struct said *v, unsigned long *n)
{
	const char *want = trace_want(v->caller, v->addr, v->dev, step);
	const char *line = trace_lines();

	*n = 0;
	ASSERT_NE(NULL, line);
	while ((line = strstr(line, " caller="))) {
		EXPECT_EQ(0, strncmp(line, want, strlen(want))) {
			TH_LOG("%sexpected:%s", line, want);
		}
		line++;
		++*n;
	}
	EXPECT_EQ(is_counted(step), *n > 0);
}

/*
 * Each decision is counted and traced once. WireGuard asks again when its route
 * changes.
 */
static void said_check(struct __test_metadata *_metadata, enum anyip6_mode mode,
		       const struct said *v)
{
	const enum step step = step_in(v->step, mode);
	const int counter = step == ALLOWED ? v->yes : v->no;
	struct counts before, after;
	union sockaddr_any at;
	unsigned long n;

	enter_host(mode);
	ASSERT_EQ(true, trace_begin_netns());
	ASSERT_EQ(true, counts_read(&before));
	enter_peer(mode);
	addr_fill(&at, AF_INET6, v->addr, SAID_PORT);
	EXPECT_EQ(true, v->ask(mode, &at));
	enter_host(mode);
	ASSERT_EQ(true, counts_read(&after));
	said_lines(_metadata, step, v, &n);
	before.of[counter] += n;
	counts_expect(_metadata, &before, &after);
}

TEST_LOADED(said, said_check(_metadata, self->mode, &variant->said))

/* Other tracers on the same functions. They affect the whole machine. */

FIXTURE(traced) {};

FIXTURE_VARIANT(traced)
{
	const char *tracer;
	bool pktinfo;
};

FIXTURE_VARIANT_ADD(traced, function) { "function", false };
FIXTURE_VARIANT_ADD(traced, function_pktinfo) { "function", true };
FIXTURE_VARIANT_ADD(traced, graph) { "function_graph", false };
FIXTURE_VARIANT_ADD(traced, graph_pktinfo) { "function_graph", true };

FIXTURE_SETUP(traced)
{
	char tracers[256];

	if (!strstr(file_read(TRACEFS "/available_tracers", tracers, sizeof(tracers)) ?: "",
		    variant->tracer))
		SKIP(return, "no tracer %s in this kernel", variant->tracer);
	enter_host(MODE_ON);
	ASSERT_EQ(true, trace_begin());
	ASSERT_EQ(true, file_write(TRACEFS "/set_ftrace_filter",
				   "ip6_* ipv6_* fib6_* __inet6_bind"));
	ASSERT_EQ(true, file_write(TRACEFS "/current_tracer", variant->tracer));
}

FIXTURE_TEARDOWN(traced)
{
	file_write(TRACEFS "/current_tracer", "nop");
	file_write(TRACEFS "/set_ftrace_filter", "\n");
	trace_end();
}

/* A tracer that also follows the function's return may hide the caller. */
TEST_F(traced, on)
{
	const struct ask any = {
		.sock.addr = ADDR_ANY, .pktinfo = variant->pktinfo,
	};
	bool hidden;

	EXPECT_EQ(0, ask(&any));
	hidden = strstr(trace_lines() ?: "", "caller=? ");
	EXPECT_EQ(false, hidden && !strcmp(variant->tracer, "function"));
	trace_expect(_metadata, &any, MODE_ON, hidden ? "?" : ask_caller(&any));
}

FIXTURE(tracepoint) {};
FIXTURE_SETUP(tracepoint) {}
FIXTURE_TEARDOWN(tracepoint) {}

TEST_F(tracepoint, absent)
{
	EXPECT_EQ(-1, access(TRACEFS "/" EVENT, F_OK));
}

TEST_F(tracepoint, on)
{
	char value[8];

	ASSERT_NE(NULL, file_read(TRACEFS "/" EVENT, value, sizeof(value)));
	EXPECT_STREQ("0\n", value);
}

/* The file */

FIXTURE(counters) {};

FIXTURE_SETUP(counters)
{
	netns_any_ip();
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(counters) {}

TEST_F(counters, absent)
{
	EXPECT_EQ(-1, access(COUNTERS, F_OK));
}

/* A new namespace starts at 0 and counts only its own decisions. */
static void counters_check(struct __test_metadata *_metadata, enum step step)
{
	const struct ask any = { .sock.addr = ADDR_ANY };
	int ns = open("/proc/thread-self/ns/net", O_RDONLY);
	struct counts c;

	ASSERT_EQ(true, counts_read(&c));
	EXPECT_EQ(0UL, counts_sum(&c));
	ask(&any);
	netns_any_ip();
	ASSERT_EQ(true, counts_read(&c));
	EXPECT_EQ(0UL, counts_sum(&c));
	netns_enter(ns);
	ASSERT_EQ(true, counts_read(&c));
	EXPECT_EQ(1UL, counts_sum(&c));
	EXPECT_EQ(1UL, c.of[step]);
}

TEST_F(counters, off)
{
	counters_check(_metadata, OFF);
}

TEST_F(counters, on)
{
	counters_check(_metadata, ALLOWED);
}

FIXTURE(names) {};
FIXTURE_SETUP(names) {}
FIXTURE_TEARDOWN(names) {}

/*
 * The names are public: the manual, the exporter and scripts use them. So they
 * stand here again.
 */
TEST_F(names, on)
{
	static const char *const counters[NR_COUNTERS] = {
		"Anyip6Allowed", "Anyip6RefusedOff", "Anyip6RefusedNotUnicast",
		"Anyip6RefusedConfigured", "Anyip6RefusedNoRoute",
		"Anyip6RefusedCarvedOut", "Anyip6RefusedWrongDevice",
		"Anyip6ErrorFromAsked", "Anyip6ErrorFromOther",
		"Anyip6NdiscAnswered", "Anyip6NdiscIgnored",
	};
	static const char *const words[NR_STEPS] = {
		"allowed", "off", "not-unicast", "configured", "no-route",
		"carved-out", "wrong-device",
	};

	for (int i = 0; i < NR_COUNTERS; i++)
		EXPECT_STREQ(counters[i], counter_names[i]);
	for (int i = 0; i < NR_STEPS; i++)
		EXPECT_STREQ(words[i], decisions[i].word);
}

FIXTURE(counters_file) {};
FIXTURE_SETUP(counters_file) {}
FIXTURE_TEARDOWN(counters_file) {}

/* Everyone may read it, and nobody may write it. */
TEST_F(counters_file, on)
{
	struct counts c;
	struct stat st;

	ASSERT_EQ(0, stat(COUNTERS, &st));
	EXPECT_EQ((mode_t)(S_IFREG | 0444), st.st_mode);
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	EXPECT_EQ(true, counts_read(&c));
	EXPECT_EQ(-1, open(COUNTERS, O_WRONLY));
}

/* The view from a container: namespaces of an ordinary user. */
TEST_F(counters_file, off)
{
	const struct ask any = { .sock.addr = ADDR_ANY };
	struct counts c;

	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP(return, "no user namespace: %s", strerror(errno));
	EXPECT_EQ(-EADDRNOTAVAIL, ask(&any));
	ASSERT_EQ(true, counts_read(&c));
	EXPECT_EQ(1UL, counts_sum(&c));
}

/* Namespaces that go while someone reads */

FIXTURE(dying) {};
FIXTURE_SETUP(dying) {}
FIXTURE_TEARDOWN(dying) {}

static void unshare_often(void)
{
	const struct ask any = { .sock.addr = ADDR_ANY };

	for (int i = 0; i < 40; i++) {
		unshare(CLONE_NEWNET);
		ask(&any);
	}
	_exit(0);
}

/* A kernel with debug checks needs seconds to make a namespace. */
TEST_F_TIMEOUT(dying, on, 600)
{
	char path[64], text[1024];
	struct counts c;
	pid_t pid = fork();
	int reads = 0;

	ASSERT_LE(0, pid);
	if (!pid)
		unshare_often();
	snprintf(path, sizeof(path), "/proc/%d/net/anyip6", pid);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (!file_read(path, text, sizeof(text)) || !*text)
			continue;	/* it has just ended */
		EXPECT_EQ(true, counts_parse(text, &c));
		reads++;
	}
	EXPECT_LT(0, reads);
}

/* The counters add up */

FIXTURE(sum) {
	int cpus[MAX_CPUS], n_cpus;
	unsigned long ops;
};

FIXTURE_SETUP(sum)
{
	const char *ops = getenv("ANYIP6_OPS");
	cpu_set_t set;

	self->ops = ops ? strtoul(ops, NULL, 10) : DEFAULT_OPS;
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(set), &set));
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			self->cpus[self->n_cpus++] = cpu;
	enter_host(MODE_ON);
}

FIXTURE_TEARDOWN(sum) {}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * A refused bind leaves the socket as it was, and PKTINFO changes it only once.
 * So only an allowed bind needs a new socket.
 */
static const struct ask mixed[] = {
	{ .sock.addr = ADDR_ANY, .step = ALLOWED },
	{ .sock.addr = ADDR_ANY, .pktinfo = true, .step = ALLOWED },
	{ .sock.addr = ADDR_OUTSIDE, .step = NO_ROUTE },
	{ .sock.addr = ADDR_OUTSIDE, .pktinfo = true, .step = NO_ROUTE },
	{ .sock.addr = ADDR_UNREACHABLE, .step = CARVED_OUT },
	{ .sock.addr = ADDR_TENTATIVE, .step = CONFIGURED },
	{ .sock.addr = ADDR_MAPPED_ANY, .pktinfo = true, .step = NOT_UNICAST },
	{ .sock.addr = ADDR_HOST, .pktinfo = true, .step = USABLE },
};

static bool ask_mixed(unsigned long ops)
{
	const struct bind_spec udp = { .proto = PROTO_udp };
	int sender = sock_open(AF_INET6, &udp);
	int binder = sock_open(AF_INET6, &udp);

	for (unsigned long i = 0; i < ops; i++) {
		const struct ask *a = &mixed[i % ARRAY_SIZE(mixed)];
		const struct bind_spec spec = ask_spec(a);
		int got;

		if (a->pktinfo)
			got = pktinfo_probe(sender, a->sock.addr);
		else if (a->step == ALLOWED)
			got = ask(a);
		else
			got = sock_bind(binder, AF_INET6, &spec);
		if (got != ask_want(a, MODE_ON))
			return false;
	}
	return true;
}

static void count_mixed(unsigned long ops, struct counts *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(mixed); i++)
		if (is_counted(mixed[i].step))
			c->of[mixed[i].step] += ops / ARRAY_SIZE(mixed) +
				(i < ops % ARRAY_SIZE(mixed));
}

TEST_F_TIMEOUT(sum, on, 1200)
{
	unsigned long share = self->ops / self->n_cpus;
	struct counts want, got;
	int status;

	ASSERT_EQ(true, counts_read(&want));
	for (int i = 0; i < self->n_cpus; i++) {
		count_mixed(share, &want);
		if (fork())
			continue;
		pin(self->cpus[i]);
		_exit(ask_mixed(share) ? 0 : 1);
	}
	for (int i = 0; i < self->n_cpus; i++) {
		ASSERT_LT(0, wait(&status));
		EXPECT_EQ(0, status);
	}
	ASSERT_EQ(true, counts_read(&got));
	counts_expect(_metadata, &want, &got);
	TH_LOG("%lu operations on %d CPUs, %lu decisions counted",
	       share * self->n_cpus, self->n_cpus, counts_sum(&got));
}

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
