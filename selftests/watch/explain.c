// SPDX-License-Identifier: GPL-2.0
/*
 * The tool anyip6(8): the verdict of `explain` matches bind(). The step that it
 * names is the step that decided, according to the module's counters.
 *
 * ANYIP6_TOOL names the program, if it is not beside this one.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../rule/decision.h"
#include "harness.h"
#include "tool.h"

#define COUNTERS	"/proc/thread-self/net/anyip6"
#define SUBJECT		"2001:db8:20::1"	/* ADDR_FREE */

/* The devices that the sockets of the matrix are bound to. */
static const char *const devices[] = { NULL, "veth0", "dummy0", "lo", "vrf0", "veth1" };

/* Situations by name */

struct situation {
	const char *setup, *undo;	/* ip commands */
	const char *args;
	const char *verdict, *step, *reason;
	const char *off;	/* the verdict while the module is off or absent */
	/* of ../rule/cases.h, replaces args and step */
	struct bind_spec sock;
	enum step decided;
};

static const char *args_of(const struct situation *s)
{
	static char args[128];
	bool scoped = s->sock.opts & OPT_SCOPE;

	if (s->args)
		return s->args;
	snprintf(args, sizeof(args), "%s%s%s", addr_text(s->sock.addr, AF_INET6),
		 !s->sock.dev ? "" : scoped ? "%" : " --dev ", s->sock.dev ?: "");
	return args;
}

static const char *step_of(const struct situation *s)
{
	return s->step ?: decisions[s->decided].word;
}

FIXTURE(explain) {};

FIXTURE_VARIANT(explain)
{
	struct situation s;
};

FIXTURE_SETUP(explain)
{
	if (access(tool(), X_OK))
		SKIP(return, "no tool");
	enter_host(mode_by_name(_metadata->name));
	ASSERT_EQ(0, sysctl_write("net/ipv6/conf/default/ignore_routes_with_linkdown", "1"));
	ASSERT_EQ(0, sysctl_write("net/ipv4/ping_group_range", "0 2147483647"));
	if (variant->s.setup)
		ASSERT_EQ(0, ip_batch(AF_INET6, variant->s.setup)) {
			TH_LOG("%s", ip_message());
		}
}

FIXTURE_TEARDOWN(explain)
{
	if (variant->s.undo)
		EXPECT_EQ(0, ip_batch(AF_INET6, variant->s.undo));
}

#define EXPLAIN(name, ...)						\
	FIXTURE_VARIANT_ADD(explain, name) { .s = { NULL, NULL, __VA_ARGS__, .sock = {} } }
#define EXPLAIN_WITH(name, ...)						\
	FIXTURE_VARIANT_ADD(explain, name) { .s = { __VA_ARGS__, .sock = {} } }

/* The cases that bind.c uses */

#define DEV(name)	.sock.dev = name
#define SCOPE(name)	.sock.dev = name, .sock.opts = OPT_SCOPE
#define V4(err)
#define CASE(name, _addr, _decided, _reason, ...)			\
	FIXTURE_VARIANT_ADD(explain, name)				\
	{								\
		.s = {							\
			.sock.addr = ADDR_##_addr,			\
			.verdict = VERDICT(ON_##_decided),		\
			.off = VERDICT(STOCK_##_decided),		\
			.reason = _reason,				\
			.decided = _decided,				\
			__VA_ARGS__					\
		},							\
	}
#define CASE_V6		CASE
#define VERDICT(err)	((err) ? "refused" : "allowed")

#include "../rule/cases.h"

/* The other protocols, and errors of bind() that have other reasons */
EXPLAIN(configured_udp, "2001:db8:1::1 --proto udp", "allowed", "configured",
	"configured on veth0", "allowed");
EXPLAIN(multicast, "ff02::1", "refused", "multicast", "multicast", "refused");
EXPLAIN(multicast_udp, "ff05::1 --proto udp", "allowed", "multicast",
	"multicast", "allowed");
EXPLAIN(any_udp, "2001:db8:a::1 --proto udp", "allowed", "allowed",
	"local 2001:db8:a::/64 dev lo table local", "refused");
EXPLAIN(any_raw, "2001:db8:a::1 --proto raw", "allowed", "allowed",
	"local 2001:db8:a::/64 dev lo table local", "refused");
EXPLAIN(any_ping, "2001:db8:a::1 --proto ping", "allowed", "allowed",
	"local 2001:db8:a::/64 dev lo table local", "refused");
EXPLAIN(any_sctp, "2001:db8:a::1 --proto sctp", "allowed", "allowed",
	"local 2001:db8:a::/64 dev lo table local", "refused");
EXPLAIN(any_l2tp, "2001:db8:a::1 --proto l2tp", "allowed", "allowed",
	"local 2001:db8:a::/64 dev lo table local", "refused");

/* Several routes to one prefix */
#define OTHER		"route append unreachable 2001:db8:20::/64 table local "
#define WITHIN(name, ...)						\
	EXPLAIN_WITH(name, __VA_ARGS__, "refused")
#define TO(dev)		"2001:db8:20::/64 dev " dev " table local"
#define AND_DEL		"route flush root 2001:db8:20::/64 table local\n"

WITHIN(pref_low, "route add local 2001:db8:20::/64 dev dummy0 metric 1024 pref low\n"
       OTHER "metric 1024\n", AND_DEL, SUBJECT, "refused", "carved-out",
       "unreachable " TO("lo") " is preferred to local " TO("dummy0") " pref low");
WITHIN(pref_high, "route add local 2001:db8:20::/64 dev dummy0 metric 1024\n"
       "route append 2001:db8:20::/64 dev veth0 metric 1024 pref high table local\n",
       AND_DEL, SUBJECT, "refused", "carved-out",
       "unicast " TO("veth0") " pref high is preferred to local " TO("dummy0"));
WITHIN(pref_high_local, OTHER "metric 1024\n"
       "route append local 2001:db8:20::/64 dev dummy0 metric 1024 pref high\n",
       AND_DEL, SUBJECT, "allowed", "allowed",
       "local " TO("dummy0") " pref high");
WITHIN(metric, "route add local 2001:db8:20::/64 dev dummy0 metric 200 pref high\n"
       OTHER "metric 100\n", AND_DEL, SUBJECT, "refused", "carved-out",
       "unreachable " TO("lo") " has a lower metric than local " TO("dummy0") " pref high");
WITHIN(equals, OTHER "metric 100\n"
       "route append local 2001:db8:20::/64 dev dummy0 metric 100\n",
       AND_DEL, SUBJECT, "refused", "carved-out",
       "unreachable " TO("lo") " decides");
/* The route of lowest metric is not usable. Then preference counts before metric. */
WITHIN(second_scan, "link add any0 up type dummy\nlink set any0 carrier off\n"
       "route add 2001:db8:20::/64 dev any0 metric 100 table local\n"
       "route add local 2001:db8:20::/64 dev dummy0 metric 200\n"
       "route add 2001:db8:20::/64 dev veth0 metric 300 pref high table local\n",
       AND_DEL "link del any0\n", SUBJECT, "refused", "carved-out",
       "unicast " TO("veth0") " pref high is preferred to local " TO("dummy0"));
WITHIN(nexthop_blackhole, "nexthop add id 90 blackhole\n"
       "route add local 2001:db8:20::/64 nhid 90\n", "nexthop del id 90\n", SUBJECT,
       "refused", "carved-out",
       "blackhole 2001:db8:20::/64 nhid 90 dev lo table local decides: nexthop 90 is a blackhole");
WITHIN(nexthop_behind, "route add local 2001:db8:20::/64 dev dummy0 metric 1024 pref high\n"
       "nexthop add id 90 blackhole\n"
       "route append local 2001:db8:20::/64 nhid 90 metric 1024\n",
       "nexthop del id 90\n" AND_DEL, SUBJECT, "refused", "carved-out",
       "decides: nexthop 90 is a blackhole");
WITHIN(nexthop, "nexthop add id 90 dev dummy0\n"
       "route add local 2001:db8:20::/64 nhid 90\n", "nexthop del id 90\n", SUBJECT,
       "allowed", "allowed", "local 2001:db8:20::/64 nhid 90 dev dummy0 table local");

/* Routes for some sources only: they apply as for a packet from :: */
#define FROM(source)	"route add local 2001:db8:20::/64 from " source " dev lo table local\n"
#define WIDER		"route add local 2001:db8:20::/48 dev lo metric 77\n"
#define DEL_WIDER	"route del local 2001:db8:20::/48 dev lo table local\n"
#define DEL_FROM(source) "route del local 2001:db8:20::/64 from " source " table local\n"

WITHIN(from_covers, FROM("::/1"), DEL_FROM("::/1"), SUBJECT, "allowed", "allowed",
       "local 2001:db8:20::/64 from ::/1 dev lo table local");
WITHIN(from_other, FROM("2001:db8:1::/64"), DEL_FROM("2001:db8:1::/64"), SUBJECT,
       "refused", "no-route",
       "from 2001:db8:1::/64 dev lo table local is only for these sources");
WITHIN(from_hides, FROM("2001:db8:1::/64")
       "route add local 2001:db8:20::/64 dev dummy0\n",
       DEL_FROM("2001:db8:1::/64") AND_DEL, SUBJECT, "refused", "no-route",
       "local " TO("dummy0") " is hidden by routes of its prefix that are only for some sources");
WITHIN(from_hides_carved, FROM("2001:db8:1::/64") OTHER "\n" WIDER,
       DEL_FROM("2001:db8:1::/64") AND_DEL DEL_WIDER, SUBJECT, "allowed", "allowed",
       "local 2001:db8:20::/48 dev lo table local");
/* On the way up from a prefix without a usable route, these hide nothing. */
WITHIN(from_hides_not, "link add any0 up type dummy\nlink set any0 carrier off\n"
       "route add 2001:db8:20::/80 dev any0 metric 100 table local\n"
       FROM("2001:db8:1::/64") OTHER "\n" WIDER,
       "link del any0\n" DEL_FROM("2001:db8:1::/64") AND_DEL DEL_WIDER, SUBJECT,
       "refused", "carved-out",
       "unreachable " TO("lo") " is more specific");

/* No route */
EXPLAIN_WITH(nothing, "route del local default dev lo table 100\n",
	     "route add local default dev lo table 100\n", "2001:db8:99::1",
	     "refused", "no-route", "no local route to it in table local", "refused");
EXPLAIN_WITH(device_down, "route del local default dev lo table 100\n"
	     "route add local 2001:db8:20::/64 dev dummy0\n"
	     "link set dummy0 down\n",
	     "link set dummy0 up\n"
	     "addr add 2001:db8:a:0:b::1/128 dev dummy0 nodad\n"
	     "route add local 2001:db8:d::/64 dev dummy0\n"
	     "route add local default dev lo table 100\n", SUBJECT,
	     "refused", "no-route", "no local route to it in table local", "refused");

static void explain_check(struct __test_metadata *_metadata,
			  const struct situation *s)
{
	enum anyip6_mode mode = mode_by_name(_metadata->name);
	const char *verdict = mode == MODE_ON ? s->verdict : s->off;
	bool refused = !strcmp(verdict, "refused");
	const char *step = step_of(s), *args = args_of(s), *decided = step;
	char out[2048];

	EXPECT_EQ(refused, run_tool(out, sizeof(out), "explain %s --json", args));
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(true, has(out, "verdict", verdict));
	/* The output also has the step that the module would take. */
	EXPECT_EQ(true, has(out, "step", step));
	EXPECT_NE(NULL, strstr(out, s->reason));
	if (strstr(out, "\"would\""))
		decided = mode == MODE_OFF ? "off" : "not-loaded";
	EXPECT_EQ(true, has(out, "step", decided));
	EXPECT_EQ(false, decided == step && strcmp(s->verdict, verdict));
	EXPECT_EQ(refused, run_tool(out, sizeof(out), "explain %s", args));
	EXPECT_EQ(0, strncmp(out, verdict, strlen(verdict)));
	EXPECT_NE(NULL, strstr(out, s->reason));
	if (_metadata->exit_code)
		TH_LOG("explain %s: %s", args, out);
}

TEST_F(explain, absent)
{
	explain_check(_metadata, &variant->s);
}

TEST_F(explain, off)
{
	explain_check(_metadata, &variant->s);
}

TEST_F(explain, on)
{
	explain_check(_metadata, &variant->s);
}

/* Tests that change more than routes */

FIXTURE(special) {};

FIXTURE_SETUP(special)
{
	if (access(tool(), X_OK))
		SKIP(return, "no tool");
	enter_host(MODE_ON);
}

FIXTURE_TEARDOWN(special) {}

/* Routes notice a lost carrier a little later. */
static void wait_for_reason(const char *args, const char *reason)
{
	struct poll_until until = poll_begin();
	char out[2048];

	do {
		run_tool(out, sizeof(out), "explain %s", args);
	} while (!strstr(out, reason) && poll_again(&until));
}

static void expect_step(struct __test_metadata *_metadata, int code,
			const char *args, const char *step, const char *reason)
{
	char out[2048];

	EXPECT_EQ(code, run_tool(out, sizeof(out), "explain %s --json", args));
	EXPECT_EQ(true, has(out, "step", step));
	EXPECT_NE(NULL, strstr(out, reason));
	if (_metadata->exit_code)
		TH_LOG("explain %s: %s", args, out);
}

TEST_F_TIMEOUT(special, on, 120)
{
	ASSERT_EQ(0, sysctl_write("net/ipv6/ip_nonlocal_bind", "1"));
	expect_step(_metadata, 1, "2001:db8:99::1 --proto l2tp", "no-route", "table 100");
	ASSERT_EQ(0, sysctl_write("net/ipv6/ip_nonlocal_bind", "0"));

	/* Local routes ignore the carrier. Routes that carve out do not. */
	ASSERT_EQ(0, ip_batch(AF_INET6,
			      "route add 2001:db8:20::/64 dev dummy0 table local\n"
			      "route add local 2001:db8:20::/48 dev lo\n"));
	expect_step(_metadata, 1, SUBJECT, "carved-out",
		    "unicast 2001:db8:20::/64 dev dummy0");
	ASSERT_EQ(0, sysctl_write("net/ipv6/conf/dummy0/ignore_routes_with_linkdown", "1"));
	ASSERT_EQ(0, ip_run("link set dummy0 carrier off"));
	wait_for_reason(SUBJECT, "/48");
	expect_step(_metadata, 0, SUBJECT, "allowed", "2001:db8:20::/48 dev lo");
	ASSERT_EQ(0, ip_batch(AF_INET6, "route del local 2001:db8:20::/48 dev lo\n"
			      "route del 2001:db8:20::/64 dev dummy0 table local\n"));

	/* A group with one member: the kernel does not list its devices. */
	ASSERT_EQ(0, sysctl_write("net/ipv4/nexthop_compat_mode", "0"));
	ASSERT_EQ(0, ip_batch(AF_INET6, "nexthop add id 90 blackhole\n"
			      "nexthop add id 92 dev veth0\n"));
	ASSERT_EQ(0, ip_batch(AF_UNSPEC, "nexthop add id 91 group 90\n"
			      "nexthop add id 93 group 92\n"
			      "route add local 2001:db8:20::/64 nhid 93\n"));
	expect_step(_metadata, 0, SUBJECT, "allowed",
		    "local 2001:db8:20::/64 nhid 93 dev veth0 table local");
	ASSERT_EQ(0, ip_run("route append local 2001:db8:20::/64 nhid 91"));
	expect_step(_metadata, 1, SUBJECT, "carved-out",
		    "blackhole 2001:db8:20::/64 nhid 91 table local decides: nexthop 91 is a blackhole");
	ASSERT_EQ(0, ip_batch(AF_UNSPEC, "nexthop del id 91\nnexthop del id 93\n"
			      "nexthop del id 90\nnexthop del id 92\n"));

	ASSERT_EQ(0, ip_run("-6 route add local 2001:db8:20::/64 dev lo expires 1000"));
	expect_step(_metadata, 0, SUBJECT, "allowed", "2001:db8:20::/64");
	ASSERT_EQ(0, ip_run("-6 route replace local 2001:db8:20::/64 dev lo expires 1"));
	wait_for_reason("--json " SUBJECT, "no-route");
	expect_step(_metadata, 1, SUBJECT, "no-route", "table");
}

/* ip_nonlocal_bind=1: the tool tells what it would say at 0 */

FIXTURE(nonlocal) {};

FIXTURE_SETUP(nonlocal)
{
	if (access(tool(), X_OK))
		SKIP(return, "no tool");
	enter_host(mode_by_name(_metadata->name));
	ASSERT_EQ(0, sysctl_write("net/ipv6/ip_nonlocal_bind", "1"));
}

FIXTURE_TEARDOWN(nonlocal)
{
	EXPECT_EQ(0, sysctl_write("net/ipv6/ip_nonlocal_bind", "0"));
}

static void would_be(struct __test_metadata *_metadata, const char *with,
		     const char *address, const char *verdict, const char *reason)
{
	char out[2048], want[512];

	EXPECT_EQ(0, run_tool(out, sizeof(out), "explain %s", address));
	snprintf(want, sizeof(want),
		 "allowed: net.ipv6.ip_nonlocal_bind=1\n%s, this bind would be %s: %s",
		 with, verdict, reason);
	EXPECT_EQ(0, strncmp(out, want, strlen(want))) {
		TH_LOG("explain %s: %s", address, out);
	}
	EXPECT_EQ(0, run_tool(out, sizeof(out), "explain %s --json", address));
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(true, has(out, "step", "nonlocal"));
	snprintf(want, sizeof(want), "\"would\":{\"verdict\":\"%s\"", verdict);
	EXPECT_NE(NULL, strstr(out, want));
}

static void nonlocal_check(struct __test_metadata *_metadata, const char *with)
{
	char out[2048];

	would_be(_metadata, with, "2001:db8:a::1", "allowed",
		 "local 2001:db8:a::/64 dev lo table local");
	would_be(_metadata, with, "2001:db8:99::1", "refused", "route is in table 100");
	/* the kernel's own yes stays a yes */
	EXPECT_EQ(0, run_tool(out, sizeof(out), "explain 2001:db8:1::1 --json"));
	EXPECT_EQ(true, has(out, "step", "configured"));
	EXPECT_EQ(NULL, strstr(out, "would"));
}

TEST_F(nonlocal, absent)
{
	nonlocal_check(_metadata, "with 0, and anyip6 loaded");
}

TEST_F(nonlocal, off)
{
	nonlocal_check(_metadata, "with 0, and net.ipv6.anyip_bind=1");
}

TEST_F(nonlocal, on)
{
	nonlocal_check(_metadata, "with 0");
}

FIXTURE(usage) {};

FIXTURE_SETUP(usage)
{
	if (access(tool(), X_OK))
		SKIP(return, "no tool");
	netns_any_ip();
}

FIXTURE_TEARDOWN(usage) {}

static void usage_check(struct __test_metadata *_metadata)
{
	static const char *const wrong[] = {
		"", "explain", "explain 192.0.2.1", "explain x", "explain ::1 ::1",
		"explain ::1 --dev nosuch", "explain ::1 --proto nosuch",
		"explain ::1 --dev", "explain --nosuch ::1", "nosuch", "status x",
	};
	char out[4096];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(2, run_tool(out, sizeof(out), "%s", wrong[i])) {
			TH_LOG("anyip6 %s: %s", wrong[i], out);
		}
	}
	EXPECT_EQ(0, run_tool(out, sizeof(out), "--help"));
}

/* A file that is not a netns comes before one that is. */
static void stale_check(struct __test_metadata *_metadata)
{
	char out[16384];

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("none", "/run", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir("/run/netns", 0755));
	ASSERT_LE(0, close(creat("/run/netns/a", 0444)));
	ASSERT_LE(0, close(creat("/run/netns/b", 0444)));
	ASSERT_EQ(0, mount("/proc/thread-self/ns/net", "/run/netns/b", NULL, MS_BIND, NULL));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "status --all"));
	EXPECT_NE(NULL, strstr(out, "anyip6: netns a: Invalid argument"));
	EXPECT_NE(NULL, strstr(out, "netns b: "));
	EXPECT_EQ(4, run_tool_stdout(out, sizeof(out), "status --all --json"));
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(true, has(out, "name", "b"));
	EXPECT_EQ(false, has(out, "name", "a"));
	EXPECT_EQ(0, umount2("/run", MNT_DETACH));
}

/* A failed write is an error, whatever else the tool has to report. */
static void full_check(struct __test_metadata *_metadata)
{
	static const char *const all[] = {
		"--help", "status", "status --json", "explain 2001:db8:a::1",
		"explain 2001:db8:99::1 --json",
	};
	char out[4096];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		EXPECT_EQ(4, run_tool_full(out, sizeof(out), "%s", all[i])) {
			TH_LOG("anyip6 %s >/dev/full", all[i]);
		}
		EXPECT_EQ(0, strcmp(out, "anyip6: cannot write: No space left on device\n")) {
			TH_LOG("anyip6 %s >/dev/full: %s", all[i], out);
		}
	}
}

/* The kernel treats names as bytes: incomplete or invalid UTF-8, a bell, a quote. */
static const struct {
	const char *name, *json, *text;
} names[] = {
	{ "a\377b", "a\\ufffdb", "a?b" },
	{ "a\303", "a\\ufffd", "a?" },
	{ "\355\260\200", "\\ufffd\\ufffd\\ufffd", "???" },
	{ "\303\251", "\303\251", "\303\251" },
	{ "b\007\033[", "b\\u0007\\u001b[", "b??[" },
	{ "q\"\\", "q\\\"\\\\", "q\"\\" },
};

static void name_check(struct __test_metadata *_metadata, const char *name,
		       const char *json, const char *text)
{
	char out[8192], want[256];

	ASSERT_EQ(0, ip_run("link add %s up type dummy", name)) {
		TH_LOG("%s", ip_message());
	}
	ASSERT_EQ(0, ip_run("-6 route add local 2001:db8:20::/64 dev %s", name));
	run_tool(out, sizeof(out), "status --json");
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(true, has(out, "device", json)) {
		TH_LOG("%s", out);
	}
	run_tool(out, sizeof(out), "status");
	snprintf(want, sizeof(want), "/64 dev %s table", text);
	EXPECT_NE(NULL, strstr(out, want));
	run_tool(out, sizeof(out), "explain " SUBJECT " --json --dev %s", name);
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(true, has(out, "device", json));
	snprintf(want, sizeof(want), "local 2001:db8:20::/64 dev %s table local", json);
	EXPECT_NE(NULL, strstr(out, want)) {
		TH_LOG("%s", out);
	}
	EXPECT_EQ(0, ip_run("link del %s", name));
}

static void names_check(struct __test_metadata *_metadata)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		name_check(_metadata, names[i].name, names[i].json, names[i].text);
}

TEST_F_TIMEOUT(usage, absent, 120)
{
	char out[4096];

	usage_check(_metadata);
	full_check(_metadata);
	names_check(_metadata);
	stale_check(_metadata);
	EXPECT_EQ(3, run_tool(out, sizeof(out), "status"));
	EXPECT_NE(NULL, strstr(out, "local 2001:db8:a::/64 dev lo table local"));
	EXPECT_EQ(3, run_tool(out, sizeof(out), "status --json"));
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(3, run_tool(out, sizeof(out), "on"));
	EXPECT_EQ(3, run_tool(out, sizeof(out), "off"));
}

TEST_F_TIMEOUT(usage, on, 120)
{
	char out[4096];

	usage_check(_metadata);
	full_check(_metadata);
	names_check(_metadata);
	stale_check(_metadata);
	EXPECT_EQ(0, run_tool(out, sizeof(out), "off"));
	EXPECT_EQ(0, sysctl_read(TOGGLE));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "on"));
	EXPECT_EQ(1, sysctl_read(TOGGLE));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "status"));
	EXPECT_NE(NULL, strstr(out, "__inet6_bind"));
	EXPECT_NE(NULL, strstr(out, "Anyip6Allowed"));
	EXPECT_NE(NULL, strstr(out, "local 2001:db8:a::/64 dev lo table local"));
	EXPECT_EQ(NULL, strstr(out, "::1/128"));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "status --all --json"));
	EXPECT_EQ(true, json_valid(out));
	/* as an ordinary user */
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "status --json"));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "explain 2001:db8:a::1"));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "explain 2001:db8:a::1 --proto raw"));
	EXPECT_NE(NULL, strstr(out, "by the rule: allowed"));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "off"));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "status --all"));
}

/*
 * Every address of lib/world.h, on a TCP socket bound to each device. The other
 * protocols use only an unbound socket, which saves minutes.
 */

static void counters_read(unsigned long *value)
{
	FILE *f = fopen(COUNTERS, "r");

	for (int i = 0; i < NR_STEPS; i++)
		if (!f || fscanf(f, "%*s %lu", &value[i]) != 1)
			die(COUNTERS " cannot be read");
	fclose(f);
}

/* Returns the step whose counter grew by one, or NULL if the kernel said yes itself. */
static const char *counted(const unsigned long *before)
{
	unsigned long after[NR_STEPS];

	counters_read(after);
	for (int i = 0; i < NR_STEPS; i++)
		if (after[i] != before[i])
			return decisions[i].word;
	return NULL;
}

struct matrix_proto {
	const char *name;
	struct proto proto;
};

static const struct matrix_proto matrix_protos[] = {
	{ "tcp", PROTO_tcp },
	{ "udp", PROTO_udp },
	{ "raw", { SOCK_RAW, 253 } },
	{ "ping", { SOCK_DGRAM, IPPROTO_ICMPV6 } },
};

static int matrix_bind(const struct matrix_proto *p, const char *text, const char *dev)
{
	union sockaddr_any sa = { .in6 = { .sin6_family = AF_INET6 } };
	int fd = socket(AF_INET6, p->proto.type, p->proto.number);
	int err;

	inet_pton(AF_INET6, text, &sa.in6.sin6_addr);
	if (dev)
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev) + 1);
	err = bind(fd, &sa.sa, sizeof(sa.in6)) ? errno : 0;
	close(fd);
	return err;
}

static bool matrix_agrees(const struct matrix_proto *p, const char *text,
			  const char *dev)
{
	bool refused = matrix_bind(p, text, dev);
	unsigned long before[NR_STEPS];
	const char *step;
	char out[2048];
	int code;

	/* A ping socket also asks about the wildcard, and ignores a no. */
	bool asked_in_vain = p->proto.number == IPPROTO_ICMPV6 && !strcmp(text, "::");

	counters_read(before);
	code = run_tool(out, sizeof(out), "explain %s --json --proto %s%s%s", text,
			p->name, dev ? " --dev " : "", dev ?: "");
	step = asked_in_vain ? NULL : counted(before);
	if (code == refused && has(out, "verdict", refused ? "refused" : "allowed") &&
	    !has(out, "step", "unknown") && (!step || has(out, "step", step)))
		return true;
	printf("# %s %s %s: bind is %s, counted %s, but: %s", p->name, text,
	       dev ?: "-", refused ? "refused" : "allowed", step ?: "nothing", out);
	return false;
}

FIXTURE(matrix) {};

FIXTURE_VARIANT(matrix)
{
	int proto;
	int bindings;
};

FIXTURE_SETUP(matrix)
{
	if (access(tool(), X_OK))
		SKIP(return, "no tool");
	world_new(WORLD_MATRIX);
	sysctl_must("net/ipv4/ping_group_range", "0 2147483647");
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(matrix) {}

FIXTURE_VARIANT_ADD(matrix, tcp) { 0, ARRAY_SIZE(devices) };
FIXTURE_VARIANT_ADD(matrix, udp) { 1, 1 };
FIXTURE_VARIANT_ADD(matrix, raw) { 2, 1 };
FIXTURE_VARIANT_ADD(matrix, ping) { 3, 1 };

static void matrix_check(struct __test_metadata *_metadata,
			 const struct matrix_proto *p, int bindings)
{
	int wrong = 0, asked = 0;

	for (int a = 0; a < NR_ADDRS; a++)
		for (int b = 0; b < bindings; b++, asked++)
			wrong += !matrix_agrees(p, addr_text(a, AF_INET6), devices[b]);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(NR_ADDRS * bindings, asked);
}

TEST_F_TIMEOUT(matrix, on, 600)
{
	matrix_check(_metadata, &matrix_protos[variant->proto], variant->bindings);
}

ANYIP6_HARNESS_MAIN(WORLD_WHOLE)
