// SPDX-License-Identifier: GPL-2.0
/*
 * What shows how the module decides: /proc/net/anyip6 and the tracepoint.
 *
 * ANYIP6_OPS=N: the number of operations in the test that adds up the counters.
 */
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../rule/decision.h"
#include "harness.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE	71
#endif

#ifndef MSG_PROBE
#define MSG_PROBE	0x10
#endif

#define NOBODY		65534
#define COUNTERS	"/proc/thread-self/net/anyip6"
#define TRACEFS		"/sys/kernel/tracing"
#define EVENT		"events/anyip6/anyip6_decision/enable"
#define DEFAULT_OPS	2000
#define MAX_CPUS	64

struct counts {
	unsigned long of[NR_STEPS];
};

static char *file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, buf + len, size - 1 - len)) > 0)
		len += got;
	buf[len] = '\0';
	if (fd >= 0)
		close(fd);
	return fd < 0 ? NULL : buf;
}

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

/* The file has these names in this order, and nothing else. */
static bool counts_parse(const char *text, struct counts *c)
{
	char name[64];
	int used;

	for (int i = 0; i < NR_STEPS; i++, text += used) {
		if (sscanf(text, "%63s %lu\n%n", name, &c->of[i], &used) != 2 ||
		    strcmp(name, decisions[i].counter))
			return false;
	}
	return !*text;
}

static bool counts_read(struct counts *c)
{
	char text[1024];

	return file_read(COUNTERS, text, sizeof(text)) && counts_parse(text, c);
}

static unsigned long counts_sum(const struct counts *c)
{
	unsigned long sum = 0;

	for (int i = 0; i < NR_STEPS; i++)
		sum += c->of[i];
	return sum;
}

/* One socket operation that asks for an address. */

struct ask {
	struct bind_spec sock;	/* UDP unless given */
	bool pktinfo;
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
static unsigned int ask_table(const struct ask *a, enum step step)
{
	const char *dev = a->sock.dev ?: "";

	if (step == OFF || step == NOT_UNICAST || step == CONFIGURED)
		return 0;
	return strcmp(dev, "vrf0") && strcmp(dev, "veth1") ? RT_TABLE_LOCAL : VRF_TABLE;
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
	int fd = sock_open(AF_INET6, &spec);
	int err;

	if (fd < 0)
		return fd;
	err = a->pktinfo ? pktinfo_probe(fd, a->sock.addr) :
			   sock_bind(fd, AF_INET6, &spec);
	close(fd);
	return err;
}

static enum step ask_step(const struct ask *a, enum anyip6_mode mode)
{
	return mode == MODE_OFF && is_counted(a->step) ? OFF : a->step;
}

static int ask_want(const struct ask *a, enum anyip6_mode mode)
{
	int err = decisions[ask_step(a, mode)].on;

	return err && a->pktinfo ? -EINVAL : -err;
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

#define RAW		.sock.proto = { SOCK_RAW, 253 }
#define PKTINFO		.pktinfo = true

ASK(any_tcp, ANY, ALLOWED, .sock.proto = PROTO_tcp);
ASK(any_raw, ANY, ALLOWED, RAW);
ASK(any_pktinfo, ANY, ALLOWED, PKTINFO);
ASK(configured_pktinfo, HOST, USABLE, PKTINFO);
ASK(dadfailed_pktinfo, DADFAILED, CONFIGURED, PKTINFO);
ASK(group_pktinfo, MULTICAST, NOT_UNICAST, DEV("veth0"), PKTINFO);
ASK(mapped_pktinfo, MAPPED_ANY, NOT_UNICAST, PKTINFO);
ASK(outside_pktinfo, OUTSIDE, NO_ROUTE, PKTINFO);
ASK(prohibit_pktinfo, PROHIBIT, CARVED_OUT, PKTINFO);

/* The tracepoint, in a separate trace buffer. */

static char instance[128];

static const char *in_instance(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	return path;
}

static bool trace_begin(void)
{
	char pid[16];

	snprintf(instance, sizeof(instance), TRACEFS "/instances/anyip6-%d",
		 getpid());
	snprintf(pid, sizeof(pid), "%d", getpid());
	return !mkdir(instance, 0700) &&
		file_write(in_instance("set_event_pid"), pid) &&
		file_write(in_instance(EVENT), "1");
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

static const char *ask_caller(const struct ask *a)
{
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

static void trace_expect(struct __test_metadata *_metadata, const struct ask *a,
			 enum anyip6_mode mode, const char *caller)
{
	enum step step = ask_step(a, mode);
	const char *lines = trace_lines();
	char want[256];

	ASSERT_NE(NULL, lines);
	if (!is_counted(step)) {
		EXPECT_STREQ("", lines);
		return;
	}
	snprintf(want, sizeof(want),
		 " caller=%s addr=%s dev=%s table=%u allowed=%d step=%s\n",
		 caller, addr_text(a->sock.addr, AF_INET6), a->sock.dev ?: "-",
		 ask_table(a, step), step == ALLOWED,
		 decisions[step].word);
	trace_expect_origin(_metadata, lines);
	ASSERT_NE(NULL, strstr(lines, " caller="));
	EXPECT_STREQ(want, strstr(lines, " caller="));
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
	for (int i = 0; i < NR_STEPS; i++) {
		EXPECT_EQ(before.of[i] + (step == (enum step)i), after.of[i]) {
			TH_LOG("%s", decisions[i].counter);
		}
	}
	trace_expect(_metadata, a, mode, ask_caller(a));
	trace_end();
}

TEST_F(decision, off)
{
	decision_check(_metadata, &variant->ask, self->mode);
}

TEST_F(decision, on)
{
	decision_check(_metadata, &variant->ask, self->mode);
}

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
	static const char *const documented[NR_STEPS][2] = {
		{ "Anyip6Allowed",		"allowed" },
		{ "Anyip6RefusedOff",		"off" },
		{ "Anyip6RefusedNotUnicast",	"not-unicast" },
		{ "Anyip6RefusedConfigured",	"configured" },
		{ "Anyip6RefusedNoRoute",	"no-route" },
		{ "Anyip6RefusedCarvedOut",	"carved-out" },
		{ "Anyip6RefusedWrongDevice",	"wrong-device" },
	};

	for (int i = 0; i < NR_STEPS; i++) {
		EXPECT_STREQ(documented[i][0], decisions[i].counter);
		EXPECT_STREQ(documented[i][1], decisions[i].word);
	}
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
	for (int i = 0; i < NR_STEPS; i++) {
		EXPECT_EQ(want.of[i], got.of[i]) {
			TH_LOG("%s", decisions[i].counter);
		}
	}
	TH_LOG("%lu operations on %d CPUs, %lu decisions counted",
	       share * self->n_cpus, self->n_cpus, counts_sum(&got));
}

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
