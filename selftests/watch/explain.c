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

#include "counts.h"
#include "harness.h"
#include "tool.h"

#define SUBJECT		"2001:db8:20::1"	/* ADDR_FREE */

/* The devices that the sockets of the matrix are bound to. */
static const char *const devices[] = { NULL, "veth0", "dummy0", "lo", "vrf0", "veth1" };

/* Run the ip commands of a case, if it has any. */
static void ip_of_case(struct __test_metadata *_metadata, const char *lines)
{
	if (lines)
		EXPECT_EQ(0, ip_batch(AF_INET6, lines)) {
			TH_LOG("%s", ip_message());
		}
}

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

/* The first line repeats the address, and the device of the socket. */
static const char *subject_of(const struct situation *s)
{
	static char text[128];
	const char *dev = s->sock.dev;

	if (s->args)
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(s->args, " "), s->args);
	else
		snprintf(text, sizeof(text), "%s%s%s", addr_text(s->sock.addr, AF_INET6),
			 dev ? "%" : "", dev ?: "");
	return text;
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
	enter_host(mode_by_name(_metadata->name));
	ASSERT_EQ(0, sysctl_write("net/ipv6/conf/default/ignore_routes_with_linkdown", "1"));
	ASSERT_EQ(0, sysctl_write("net/ipv4/ping_group_range", "0 2147483647"));
	ip_of_case(_metadata, variant->s.setup);
}

FIXTURE_TEARDOWN(explain)
{
	ip_of_case(_metadata, variant->s.undo);
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

#define EXPLAIN_ANY(proto)						\
	EXPLAIN(any_##proto, "2001:db8:a::1 --proto " #proto, "allowed", "allowed", \
		IN_ANY, "refused")
EXPLAIN_ANY(udp);
EXPLAIN_ANY(raw);
EXPLAIN_ANY(ping);
EXPLAIN_ANY(sctp);
EXPLAIN_ANY(l2tp);

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
	char out[2048], first[256];

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
	snprintf(first, sizeof(first), "%s: %s%s", verdict, subject_of(s),
		 strcmp(decided, "allowed") ? ": " : " by ");
	EXPECT_EQ(0, strncmp(out, first, strlen(first)));
	EXPECT_NE(NULL, strstr(out, s->reason));
	if (_metadata->exit_code)
		TH_LOG("explain %s: %s", args, out);
}

TEST_EVERY_MODE(explain, explain_check(_metadata, &variant->s))

/* Tests that change more than routes */

FIXTURE(special) {};

FIXTURE_SETUP(special)
{
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
		 "allowed: %s: net.ipv6.ip_nonlocal_bind=1\n%s, this bind would be %s: %s",
		 address, with, verdict, reason);
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
		 IN_ANY);
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
	static const char hint[] =
		"\nhint: the module is not asked until: sysctl net.ipv6.ip_nonlocal_bind=0\n";
	char out[2048];

	nonlocal_check(_metadata, "with 0");
	run_tool(out, sizeof(out), "explain 2001:db8:a::1");
	EXPECT_NE(NULL, strstr(out, hint));
}

/* The ways to ask, and the whole answer */

struct way {
	const char *args;
	int code;
	const char *out;
	const char *setup;	/* ip commands */
	const char *in;		/* stdin */
};

FIXTURE(way) {};

FIXTURE_VARIANT(way) { struct way w; };

/* One namespace for all, as a new one takes long. */
static int way_ns;

static void enter_way(const char *mode)
{
	netns_enter(way_ns);
	toggle_set(mode_by_name(mode));
}

/* Back to what netns_any_ip() made. Most cases lack most of this. */
static void undo_way(void)
{
	static const char *const undo[] = {
		"link del dummy0", "link del vrf0", "link set lo up",
		"-6 addr flush dev lo scope global",
		"-6 route flush root 2001:db8::/32 table local",
		"-6 route flush root default", "-6 route flush root 2001:db8::/32",
	};

	for (size_t i = 0; i < ARRAY_SIZE(undo); i++)
		ip_run("%s", undo[i]);
}

FIXTURE_SETUP(way)
{
	enter_way(_metadata->name);
	ip_of_case(_metadata, variant->w.setup);
}

FIXTURE_TEARDOWN(way)
{
	if (!variant->w.setup)
		return;
	undo_way();
	EXPECT_EQ(0, ip_run("-6 route replace local 2001:db8:a::/64 dev lo"));
}

/* A pipe keeps what the tool is to read. */
static void way_stdin(struct __test_metadata *_metadata, const char *text)
{
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	ASSERT_EQ((ssize_t)strlen(text), write(fds[1], text, strlen(text)));
	close(fds[1]);
	tool_stdin = fds[0];
}

static void way_check(struct __test_metadata *_metadata, const struct way *w)
{
	char out[4096];

	if (w->in)
		way_stdin(_metadata, w->in);
	EXPECT_EQ(w->code, run_tool(out, sizeof(out), "explain %s", w->args));
	EXPECT_STREQ(w->out, out);
}

TEST_F_TIMEOUT(way, on, 300)
{
	way_check(_metadata, &variant->w);
}

#define WAY(name, ...)							\
	FIXTURE_VARIANT_ADD(way, name) { .w = { __VA_ARGS__ } }
#define BY_ANY		" by " IN_ANY "\n"
#define IS_ANY		"allowed: 2001:db8:a::1" BY_ANY
#define NO_LOCAL	": no local route to it in table local\n"
#define ADD_LOCAL	"ip -6 route add local "

/* the ways to write an address */
WAY(plain, "2001:db8:a::1", 0, IS_ANY);
WAY(upper_case, "2001:DB8:A::1", 0, IS_ANY);
WAY(zeros, "2001:0db8:000a:0000:0000:0000:0000:0001", 0, IS_ANY);
WAY(brackets, "[2001:db8:a::1]", 0, IS_ANY);
WAY(port, "[2001:db8:a::1]:443", 0,
    IS_ANY "hint: only the address is tried, not port 443\n");
WAY(port_at, "2001:db8:a::1@53", 0, IS_ANY "hint: only the address is tried, not port 53\n");
WAY(device, "2001:db8:a::1%lo", 0, "allowed: 2001:db8:a::1%lo" BY_ANY);
WAY(device_in_brackets, "[2001:db8:a::1%lo]:80", 0, "allowed: 2001:db8:a::1%lo" BY_ANY
    "hint: only the address is tried, not port 80\n");
WAY(device_twice, "2001:db8:a::1%lo --dev lo", 0, "allowed: 2001:db8:a::1%lo" BY_ANY);
WAY(device_equals, "--dev=lo 2001:db8:a::1", 0, "allowed: 2001:db8:a::1%lo" BY_ANY);
WAY(length_128, "2001:db8:a::1/128", 0, IS_ANY);
WAY(bare_port, "2001:db8:a::1:443", 0, "allowed: 2001:db8:a::1:443" BY_ANY
    "hint: read as the address 2001:db8:a::1:443; port 443 of 2001:db8:a::1 is [2001:db8:a::1]:443\n");
WAY(bare_port_of_five, "2001:db8:a::1:65000", 2,
    "anyip6: 2001:db8:a::1:65000: not an IPv6 address; with a port it is [2001:db8:a::1]:65000\n");
WAY(bare_port_of_nine, "2001:db8:a:0:0:0:0:1:443", 2,
    "anyip6: 2001:db8:a:0:0:0:0:1:443: not an IPv6 address; with a port it is [2001:db8:a:0:0:0:0:1]:443\n");
WAY(group_is_no_port, "2001:db8:a::1:0", 0, "allowed: 2001:db8:a::1:0" BY_ANY);
WAY(name, "www.example.org", 2, "anyip6: www.example.org: not an IPv6 address\n");

#define NEEDS_NONE	": IPv4 needs no module: it binds to every address of a local route\n"
WAY(ipv4, "192.0.2.1", 2, "anyip6: 192.0.2.1" NEEDS_NONE);
WAY(ipv4_port, "192.0.2.1:80", 2, "anyip6: 192.0.2.1:80" NEEDS_NONE);
WAY(ipv4_prefix, "192.0.2.0/24", 2, "anyip6: 192.0.2.0/24" NEEDS_NONE);

/* protocols and options */
WAY(proto_upper_case, "2001:db8:a::1 --proto UDP", 0, IS_ANY);
WAY(proto_equals, "2001:db8:a::1 --proto=Udp", 0, IS_ANY);
WAY(pkt, "2001:db8:a::1 --pkt", 0, IS_ANY);
WAY(pkt_refused, "2001:db8:99::1 --pkt", 1, "refused: 2001:db8:99::1" NO_LOCAL
    "hint: if it is of this host: " ADD_LOCAL "2001:db8:99::1/128 dev lo\n");
WAY(pkt_no_way_out, "2001:db8:b::1 --pkt", 0,
    "allowed: 2001:db8:b::1 by local 2001:db8:b::/64 dev dummy0 table local\n",
    "link add dummy0 up type dummy\nroute add local 2001:db8:b::/64 dev dummy0\n"
    "link set lo down\n");

/* several addresses: all is checked before the first is asked */
WAY(several, "2001:db8:a::1 ::1", 0, IS_ANY "allowed: ::1: configured on lo\n");
WAY(several_worst, "2001:db8:99::1 ::1", 1, "refused: 2001:db8:99::1" NO_LOCAL
    "hint: if it is of this host: " ADD_LOCAL "2001:db8:99::1/128 dev lo\n"
    "allowed: ::1: configured on lo\n");
WAY(several_one_wrong, "2001:db8:a::1 x", 2, "anyip6: x: not an IPv6 address\n");
WAY(from_stdin, "-", 0, IS_ANY "allowed: ::1: configured on lo\n", NULL,
    "2001:db8:a::1\n\n\t[::1] \r\n");
WAY(from_stdin_unfinished, "-", 0, IS_ANY, NULL, "2001:db8:a::1");
WAY(from_stdin_wrong, "-", 2, "anyip6: line 3: x: not an IPv6 address\n", NULL,
    "2001:db8:a::1\n\nx\n");
WAY(from_stdin_empty, "-", 2, "anyip6: no address on stdin\n", NULL, "\n");

/* prefixes */
#define PARTLY(prefix)	"partly: " prefix "; for an address, its longest prefix below counts:\n"
#define CARVED		"route add unreachable 2001:db8:a:0:bad::/80 table local\n"
#define IS_CARVED	"unreachable 2001:db8:a:0:bad::/80 dev lo table local is more specific\n"
WAY(prefix, "2001:db8:a::/64", 0, "allowed: all of 2001:db8:a::/64" BY_ANY);
WAY(prefix_with_host, "2001:db8:a::1/64", 0, "allowed: all of 2001:db8:a::/64" BY_ANY);
WAY(prefix_inside, "2001:db8:a:0:1::/80", 0, "allowed: all of 2001:db8:a:0:1::/80" BY_ANY);
WAY(prefix_carved, "2001:db8:a::/64", 1, PARTLY("2001:db8:a::/64")
    "  allowed: 2001:db8:a::/64" BY_ANY
    "  refused: 2001:db8:a:0:bad::/80: " IS_CARVED, CARVED);
WAY(prefix_carved_inside, "2001:db8:a:0:bad:1::/96", 1,
    "refused: all of 2001:db8:a:0:bad:1::/96: " IS_CARVED, CARVED);
WAY(prefix_carved_but_for, "2001:db8:a::/64", 1, PARTLY("2001:db8:a::/64")
    "  allowed: 2001:db8:a::/64" BY_ANY
    "  refused: 2001:db8:a:0:bad::/80: " IS_CARVED
    "  allowed: 2001:db8:a:0:bad:7::/96 by local 2001:db8:a:0:bad:7::/96 dev lo table local\n"
    "  allowed: 2001:db8:a:0:bad:8:0:1: configured on lo\n",
    CARVED "route add local 2001:db8:a:0:bad:7::/96 dev lo\n"
    "addr add 2001:db8:a:0:bad:8::1/128 dev lo nodad\n");
WAY(prefix_same_verdict, "2001:db8:a::/64", 0, "allowed: all of 2001:db8:a::/64" BY_ANY,
    "route add local 2001:db8:a:0:7::/80 dev lo\n"
    "addr add 2001:db8:a::7/128 dev lo nodad\n");
/* The longer prefixes take up the whole, so its own route decides nothing. */
WAY(prefix_in_halves, "2001:db8:a::/64", 1, PARTLY("2001:db8:a::/64")
    "  allowed: 2001:db8:a::/65 by local 2001:db8:a::/65 dev lo table local\n"
    "  refused: 2001:db8:a:0:8000::/65: unreachable 2001:db8:a:0:8000::/65 dev lo table local is more specific\n",
    "route add local 2001:db8:a::/65 dev lo\n"
    "route add unreachable 2001:db8:a:0:8000::/65 table local\n");
WAY(prefix_wider, "2001:db8:a::/48", 1, PARTLY("2001:db8:a::/48")
    "  refused: 2001:db8:a::/48" NO_LOCAL
    "  allowed: 2001:db8:a::/64" BY_ANY);
WAY(prefix_outside, "2001:db8:99::/64", 1, "refused: all of 2001:db8:99::/64" NO_LOCAL
    "hint: if it is of this host: " ADD_LOCAL "2001:db8:99::/64 dev lo\n");
WAY(prefix_all, "::/0", 1, PARTLY("::/0") "  refused: ::/0" NO_LOCAL
    "  allowed: ::: every address of the host\n"
    "  allowed: ::1: configured on lo\n"
    "  allowed: ::ffff:0.0.0.0/96: IPv4-mapped, so IPv4's own rule decides\n"
    "  allowed: 2001:db8:a::/64" BY_ANY);

/* what to do */
WAY(local_forgotten, "2001:db8:7::1", 1, "refused: 2001:db8:7::1" NO_LOCAL
    "hint: unicast 2001:db8:7::/64 dev lo table main is not local; if it is of this host: "
    ADD_LOCAL "2001:db8:7::/64 dev lo\n", "route add 2001:db8:7::/64 dev lo\n");
WAY(local_forgotten_on_dummy0, "2001:db8:7::1", 1, "refused: 2001:db8:7::1" NO_LOCAL
    "hint: unicast 2001:db8:7::/64 dev dummy0 table main is not local; if it is of this host: "
    ADD_LOCAL "2001:db8:7::/64 dev lo\n",
    "link add dummy0 up type dummy\nroute add 2001:db8:7::/64 dev dummy0\n");
WAY(local_forgotten_prefix, "2001:db8:7::/64", 1, "refused: all of 2001:db8:7::/64" NO_LOCAL
    "hint: unicast 2001:db8:7::/64 dev lo table main is not local; if it is of this host: "
    ADD_LOCAL "2001:db8:7::/64 dev lo\n", "route add 2001:db8:7::/64 dev lo\n");
/* All of these would cut the host off if the whole prefix became local. */
#define LINK		"link add dummy0 up type dummy\naddr add 2001:db8:7::5/64 dev dummy0 nodad\n"
#define THIS_ALONE	": no local route to it in table local\n"	\
			"hint: if it is of this host: " ADD_LOCAL "2001:db8:7::9/128 dev lo\n"
WAY(of_the_link, "2001:db8:7::9", 1, "refused: 2001:db8:7::9" THIS_ALONE, LINK);
WAY(routed_away, "2001:db8:7::9", 1, "refused: 2001:db8:7::9" THIS_ALONE,
    "link add dummy0 up type dummy\nroute add 2001:db8:7::/64 via fe80::1 dev dummy0\n");
WAY(with_its_gateway, "2001:db8:7::9", 1, "refused: 2001:db8:7::9" THIS_ALONE,
    "link add dummy0 up type dummy\nroute add 2001:db8:7::/64 dev dummy0\n"
    "route add default via 2001:db8:7::1 dev dummy0\n");
WAY(gateway, "2001:db8:7::1", 1, "refused: 2001:db8:7::1" NO_LOCAL
    "hint: it is a gateway of this host\n",
    LINK "route add default via 2001:db8:7::1 dev dummy0\n");
WAY(prefix_of_gateway, "2001:db8:7::/126", 1, "refused: all of 2001:db8:7::/126" NO_LOCAL
    "hint: it has a gateway of this host\n",
    LINK "route add default via 2001:db8:7::1 dev dummy0\n");
WAY(by_default_route, "2001:db8:7::9", 1, "refused: 2001:db8:7::9" THIS_ALONE,
    "link add dummy0 up type dummy\nroute add default dev dummy0\n");
WAY(link_local, "fe80::9%dummy0", 1, "refused: fe80::9%dummy0" NO_LOCAL
    "hint: if it is of this host: " ADD_LOCAL "fe80::9/128 dev dummy0\n",
    "link add dummy0 up type dummy\n");
WAY(in_vrf, "2001:db8:7::9 --dev vrf0", 1,
    "refused: 2001:db8:7::9%vrf0: no local route to it in table 10\n"
    "hint: if it is of this host: " ADD_LOCAL "2001:db8:7::9/128 dev vrf0 table 10\n",
    "link add vrf0 up type vrf table 10\n");
/* A VRF has one table for its local and its other routes. */
WAY(in_vrf_not_local, "2001:db8:7::9 --dev vrf0", 1,
    "refused: 2001:db8:7::9%vrf0: unicast 2001:db8:7::/64 dev vrf0 table 10 decides\n",
    "link add vrf0 up type vrf table 10\nroute add 2001:db8:7::/64 dev vrf0 table 10\n");
WAY(of_a_vrf, "2001:db8:7::9", 1,
    "refused: 2001:db8:7::9: local 2001:db8:7::/64 dev vrf0 table 10 is of VRF vrf0, to which the socket is not bound\n"
    "hint: to ask in the VRF: anyip6 explain 2001:db8:7::9 --dev vrf0\n",
    "link add vrf0 up type vrf table 10\nroute add local 2001:db8:7::/64 dev vrf0 table 10\n");

/* a gateway inside the prefix */
#define CUT_OFF(prefix, dev, table)					\
	"warning: 2001:db8:7::1 is a gateway of this host, and in " prefix \
	" too: packets to it stay in this host; to carve it out: "	\
	"ip -6 route replace 2001:db8:7::1/128 dev " dev " table " table "\n"
#define BY_7		" by local 2001:db8:7::/64 dev lo table local\n"
#define LOCAL_7		"route add local 2001:db8:7::/64 dev lo\n"
#define GATEWAY_7	LINK "route add default via 2001:db8:7::1 dev dummy0\n" LOCAL_7
WAY(gateway_inside, "2001:db8:7::9", 0, "allowed: 2001:db8:7::9" BY_7
    CUT_OFF("2001:db8:7::/64", "dummy0", "local"), GATEWAY_7);
WAY(gateway_inside_prefix, "2001:db8:7::/64", 0, "allowed: all of 2001:db8:7::/64" BY_7
    CUT_OFF("2001:db8:7::/64", "dummy0", "local"), GATEWAY_7);
WAY(gateway_of_some_route, "2001:db8:7::9", 0, "allowed: 2001:db8:7::9" BY_7
    CUT_OFF("2001:db8:7::/64", "dummy0", "local"),
    LINK "route add 2001:db8:8::/64 via 2001:db8:7::1 dev dummy0\n" LOCAL_7);
WAY(gateway_of_several, "2001:db8:7::9", 0, "allowed: 2001:db8:7::9" BY_7
    CUT_OFF("2001:db8:7::/64", "dummy0", "local"),
    LINK "route add default nexthop via fe80::2 dev dummy0 nexthop via 2001:db8:7::1 dev dummy0\n"
    LOCAL_7);
WAY(gateway_carved_out, "2001:db8:7::9", 0, "allowed: 2001:db8:7::9" BY_7,
    GATEWAY_7 "route replace 2001:db8:7::1/128 dev dummy0 table local\n");
WAY(gateway_elsewhere, "2001:db8:a::1", 0, IS_ANY, GATEWAY_7);
WAY(gateway_in_vrf, "2001:db8:7::9 --dev vrf0", 0,
    "allowed: 2001:db8:7::9%vrf0 by local 2001:db8:7::/64 dev vrf0 table 10\n"
    CUT_OFF("2001:db8:7::/64", "dummy0", "10"),
    "link add vrf0 up type vrf table 10\nlink add dummy0 up master vrf0 type dummy\n"
    "addr add 2001:db8:7::5/64 dev dummy0 nodad\n"
    "route add default via 2001:db8:7::1 dev dummy0 table 10\n"
    "route add local 2001:db8:7::/64 dev vrf0 table 10 metric 100\n");

/* The module is not there, or off: what it would decide, and what to do. */

struct not_asked {
	const char *args, *absent, *off;
};

FIXTURE(not_asked) {};

FIXTURE_VARIANT(not_asked) { struct not_asked n; };

FIXTURE_SETUP(not_asked)
{
	enter_way(_metadata->name);
}

FIXTURE_TEARDOWN(not_asked) {}

TEST_F_TIMEOUT(not_asked, absent, 300)
{
	const struct way w = { .args = variant->n.args, .code = 1, .out = variant->n.absent };

	way_check(_metadata, &w);
}

TEST_F_TIMEOUT(not_asked, off, 300)
{
	const struct way w = { .args = variant->n.args, .code = 1, .out = variant->n.off };

	way_check(_metadata, &w);
}

#define NOT_ASKED(name, ...)						\
	FIXTURE_VARIANT_ADD(not_asked, name) { .n = { __VA_ARGS__ } }
#define ABSENT		": not configured, and anyip6 is not loaded\nnot loaded; with it, "
#define OFF_HERE	": net.ipv6.anyip_bind is 0 here\nwith 1, "
#define LOAD_IT		"hint: to load the module: modprobe anyip6\n"
#define TURN_ON		"hint: to turn it on here: anyip6 on\n"
#define OF_THIS_HOST	"hint: if it is of this host: " ADD_LOCAL "2001:db8:99::1/128 dev lo\n"
#define BIND_WOULD	"this bind would be allowed: " IN_ANY "\n"
#define SOURCE_WOULD	"this source would be allowed: " IN_ANY "\n"
#define ALL_WOULD	"it would be allowed: all of 2001:db8:a::/64" BY_ANY
#define BIND_WOULD_NOT	"this bind would be refused" NO_LOCAL

NOT_ASKED(any, "2001:db8:a::1", "refused: 2001:db8:a::1" ABSENT BIND_WOULD LOAD_IT,
	  "refused: 2001:db8:a::1" OFF_HERE BIND_WOULD TURN_ON);
NOT_ASKED(any_pkt, "2001:db8:a::1 --pkt",
	  "refused: 2001:db8:a::1" ABSENT SOURCE_WOULD LOAD_IT,
	  "refused: 2001:db8:a::1" OFF_HERE SOURCE_WOULD TURN_ON);
NOT_ASKED(prefix, "2001:db8:a::/64", "refused: all of 2001:db8:a::/64" ABSENT ALL_WOULD LOAD_IT,
	  "refused: all of 2001:db8:a::/64" OFF_HERE ALL_WOULD TURN_ON);
NOT_ASKED(outside, "2001:db8:99::1",
	  "refused: 2001:db8:99::1" ABSENT BIND_WOULD_NOT OF_THIS_HOST,
	  "refused: 2001:db8:99::1" OFF_HERE BIND_WOULD_NOT OF_THIS_HOST);

FIXTURE(usage) {};

FIXTURE_SETUP(usage)
{
	netns_any_ip();
}

FIXTURE_TEARDOWN(usage) {}

static void usage_check(struct __test_metadata *_metadata)
{
	static const char *const wrong[] = {
		"", "explain", "explain x", "explain ::1 x", "explain ::1 --dev nosuch",
		"explain ::1 --proto nosuch",
		"explain ::1 --dev", "explain --nosuch ::1", "nosuch", "status x",
		"explain ::1 --ndisc", "explain ::1 --ndisc --dev nosuch",
		"explain ::1 --ndisc --dev lo --proto tcp",
		"explain ::1 --ndisc --dev lo --pkt", "explain ::/64 --ndisc --dev lo",
		"explain ::1 --pkt --proto tcp", "explain ::1%lo --dev dummy0",
		"explain [::1", "explain [::1]x", "explain [::1]:0", "explain [::1]:65536",
		"explain ::1]", "explain ::1%", "explain ::1%longer-than-a-name",
		"explain ::1@", "explain ::1@x", "explain ::1/", "explain ::1/129",
		"explain ::1/6x", "explain 2001:db8::1::2",
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
	EXPECT_EQ(4, run_tool_to(TOOL_STDOUT, out, sizeof(out), "status --all --json"));
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
		"explain 2001:db8:99::1 --json", "explain 2001:db8:99::1 --dev lo --ndisc",
		"explain 2001:db8:99::1 --dev lo --ndisc --json",
	};
	char out[4096];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		EXPECT_EQ(4, run_tool_to(TOOL_FULL, out, sizeof(out), "%s", all[i])) {
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
	run_tool(out, sizeof(out), "explain " SUBJECT " --ndisc --json --dev %s", name);
	EXPECT_EQ(true, json_valid(out));
	EXPECT_EQ(true, has(out, "device", json));
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
	EXPECT_NE(NULL, strstr(out, IN_ANY));
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
	EXPECT_NE(NULL, strstr(out, "net.ipv6.anyip_bind is 1\n"));
	EXPECT_EQ(0, strncmp(out, "on: ", 4));
	EXPECT_NE(NULL, strstr(out, IN_ANY));
	EXPECT_EQ(NULL, strstr(out, "::1/128"));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "status --all --json"));
	EXPECT_EQ(true, json_valid(out));
	/* as an ordinary user */
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "status --json"));
	EXPECT_EQ(0, run_tool(out, sizeof(out), "explain 2001:db8:a::1"));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "explain 2001:db8:a::1 --proto raw"));
	EXPECT_NE(NULL, strstr(out, "by the rule: allowed"));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "off"));
	EXPECT_EQ(4, run_tool(out, sizeof(out), "status --all"));
}

TEST_F(usage, ndisc)
{
	char out[4096];

	run_tool(out, sizeof(out), "status");
	EXPECT_NE(NULL, strstr(out, "net.ipv6.anyip_bind is 1, net.ipv6.anyip_ndisc is 0\n"));
	run_tool(out, sizeof(out), "status --json");
	EXPECT_EQ(true, json_valid(out));
	EXPECT_NE(NULL, strstr(out, "\"anyip_ndisc\":false"));
	ASSERT_EQ(0, sysctl_write(NDISC_TOGGLE, "1"));
	run_tool(out, sizeof(out), "status");
	EXPECT_NE(NULL, strstr(out, "net.ipv6.anyip_bind is 1, net.ipv6.anyip_ndisc is 1\n"));
	run_tool(out, sizeof(out), "status --json");
	EXPECT_NE(NULL, strstr(out, "\"anyip_ndisc\":true"));
}

/* --ndisc: whether a solicitation is answered. ../rule/ndisc.c asks the module. */

struct solicitation {
	const char *args;
	enum { KERNEL, MODULE } by;
	const char *verdict;		/* with all switches on */
	const char *step, *reason;
	const char *setup, *undo;	/* ip commands */
	const char *warning;
};

#define PROXY_NDP(dev)	"net/ipv6/conf/" dev "/proxy_ndp"

static void enter_link(struct __test_metadata *_metadata)
{
	enter_host(mode_by_name(_metadata->name));
	toggle_set(mode_by_name(_metadata->name));
	ASSERT_EQ(0, sysctl_write(PROXY_NDP("all"), "0"));
	ASSERT_EQ(0, sysctl_write(PROXY_NDP("veth0"), "1"));
	ASSERT_EQ(0, sysctl_write(PROXY_NDP("veth1"), "1"));
	ASSERT_EQ(0, ip_batch(AF_INET6, "link set veth0 allmulticast on\n"
			      "link set veth1 allmulticast on\n"));
}

FIXTURE(solicitation) {};

FIXTURE_VARIANT(solicitation) { struct solicitation s; };

FIXTURE_SETUP(solicitation)
{
	enter_link(_metadata);
	ip_of_case(_metadata, variant->s.setup);
}

FIXTURE_TEARDOWN(solicitation)
{
	ip_of_case(_metadata, variant->s.undo);
}

/* @off: the step of the switch that decides, or NULL if all are on. */
static void solicitation_check(struct __test_metadata *_metadata,
			       const struct solicitation *s, const char *off)
{
	const char *verdict;
	char out[2048], want[512];

	off = s->by == KERNEL ? NULL : off;
	verdict = off ? "ignored" : s->verdict;
	EXPECT_EQ(!strcmp(verdict, "ignored"),
		  run_tool(out, sizeof(out), "explain %s --ndisc --json", s->args));
	EXPECT_EQ(true, json_valid(out));
	snprintf(want, sizeof(want), "\"verdict\":\"%s\",\"step\":\"%s\",", verdict,
		 off ?: s->step);
	EXPECT_NE(NULL, strstr(out, want));
	EXPECT_EQ(!off, !strstr(out, "\"would\":{"));
	EXPECT_EQ(true, has(out, "step", s->step));
	EXPECT_NE(NULL, strstr(out, s->reason));
	EXPECT_EQ(!!s->warning, !strstr(out, "\"warnings\":[]"));
	run_tool(out, sizeof(out), "explain %s --ndisc", s->args);
	snprintf(want, sizeof(want), "\nwith all switches on, it would be %s: ", s->verdict);
	EXPECT_EQ(!off, !strstr(out, want));
	EXPECT_NE(NULL, strstr(out, s->reason));
	EXPECT_EQ(0, strncmp(out, verdict, strlen(verdict)));
	EXPECT_EQ(!s->warning, !strstr(out, "\nwarning: "));
	EXPECT_NE(NULL, strstr(out, s->warning ?: ""));
	if (_metadata->exit_code)
		TH_LOG("explain %s --ndisc: %s", s->args, out);
}

TEST_F(solicitation, absent)
{
	solicitation_check(_metadata, &variant->s, "not-loaded");
}

TEST_F(solicitation, on)
{
	solicitation_check(_metadata, &variant->s, "parameter");
}

TEST_F(solicitation, ndisc)
{
	solicitation_check(_metadata, &variant->s, NULL);
}

#define SOLICITATION(name, ...)						\
	FIXTURE_VARIANT_ADD(solicitation, name) { .s = { __VA_ARGS__ } }

SOLICITATION(any, "2001:db8:a::1 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64 dev lo table local");
SOLICITATION(carved_out, "2001:db8:a:0:1::1 --dev veth0", MODULE, "ignored", "carved-out",
	     "unreachable 2001:db8:a:0:1::/80 dev ");
SOLICITATION(outside, "2001:db8:99::1 --dev veth0", MODULE, "ignored", "no-route",
	     "route is in table 100, which does not count");
SOLICITATION(elsewhere, "2001:db8:a:0:b::1 --dev veth0", MODULE, "ignored", "configured",
	     "configured on dummy0, and the solicitation arrives at veth0");
SOLICITATION(link_local, "fe80::1234 --dev veth0", MODULE, "ignored", "link-local",
	     "link-local, and not configured on veth0");
SOLICITATION(mapped, "::ffff:198.18.0.1 --dev veth0", MODULE, "ignored", "not-unicast",
	     "not a unicast address");
SOLICITATION(unspecified, ":: --dev veth0", MODULE, "ignored", "not-unicast",
	     "not a unicast address");
SOLICITATION(configured, "2001:db8:1::1 --dev veth0", KERNEL, "answered", "configured",
	     "configured on veth0");
SOLICITATION(configured_link_local, "fe80::1%veth0", KERNEL, "answered", "configured",
	     "configured on veth0");
SOLICITATION(tentative, "2001:db8:a:0:7::1 --dev veth0", KERNEL, "ignored", "configured",
	     "configured on veth0 but tentative");
SOLICITATION(group, "ff02::1 --dev veth0", KERNEL, "ignored", "multicast", "multicast");
SOLICITATION(vrf, "2001:db8:f::1 --dev veth1", MODULE, "answered", "allowed",
	     "local 2001:db8:f::/64 dev vrf0 table 10");
SOLICITATION(vrf_address, "2001:db8:99::1 --dev veth1", KERNEL, "answered", "configured",
	     "configured on vrf0", "addr add 2001:db8:99::1/128 dev vrf0 nodad\n",
	     "addr del 2001:db8:99::1/128 dev vrf0\n");
SOLICITATION(not_of_vrf, "2001:db8:a::1 --dev veth1", MODULE, "ignored", "no-route",
	     "dev lo table local is not of VRF vrf0, to which the device belongs");
SOLICITATION(of_vrf, "2001:db8:f::1 --dev veth0", MODULE, "ignored", "no-route",
	     "table 10 is of VRF vrf0, to which the device does not belong");
SOLICITATION(of_port, "2001:db8:2::1 --dev veth0", MODULE, "ignored", "no-route",
	     "configured on veth1, of another L3 domain (VRF) than the device");

/* Warnings, for addresses that are answered for */
#define GROUPS	"warning: veth0 does not take all groups"
#define GATEWAY	"warning: it is the gateway of a default route"
#define VIA_ANY	"via 2001:db8:a::1 dev veth0"

SOLICITATION(no_groups, "2001:db8:a::1 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64", "link set veth0 allmulticast off\n", NULL, GROUPS);
SOLICITATION(no_groups_but_promisc, "2001:db8:a::1 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64",
	     "link set veth0 allmulticast off\n"
	     "link set veth0 promisc on\n",
	     "link set veth0 promisc off\n");
SOLICITATION(no_groups_ignored, "2001:db8:a:0:1::1 --dev veth0", MODULE, "ignored", "carved-out",
	     "unreachable", "link set veth0 allmulticast off\n");
SOLICITATION(no_groups_configured, "2001:db8:1::1 --dev veth0", KERNEL, "answered", "configured",
	     "configured on veth0", "link set veth0 allmulticast off\n");
SOLICITATION(gateway, "2001:db8:a::1 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64", "route add default " VIA_ANY " onlink\n",
	     "route del default " VIA_ANY "\n", GATEWAY);
SOLICITATION(gateway_of_several, "2001:db8:a::1 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64",
	     "route add default nexthop via fe80::2 dev veth0 nexthop " VIA_ANY " onlink\n",
	     "route flush root default\n", GATEWAY);
SOLICITATION(gateway_other, "2001:db8:a::2 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64", "route add default " VIA_ANY " onlink\n",
	     "route del default " VIA_ANY "\n");
SOLICITATION(gateway_of_prefix, "2001:db8:a::1 --dev veth0", MODULE, "answered", "allowed",
	     "local 2001:db8:a::/64", "route add 2001:db8:77::/64 " VIA_ANY " onlink\n",
	     "route del 2001:db8:77::/64\n");
SOLICITATION(gateway_vrf, "2001:db8:20::1 --dev veth1", MODULE, "answered", "allowed",
	     "local 2001:db8:20::/64",
	     "route add default via 2001:db8:20::1 dev veth1 table 10 onlink\n"
	     "route add local 2001:db8:20::/64 dev vrf0 table 10\n",
	     "route del default table 10\n"
	     "route del local 2001:db8:20::/64 table 10\n", GATEWAY);

/* Each switch that is off */

struct ndisc_switch {
	const char *sysctl, *step, *reason;
};

FIXTURE(ndisc_switch) {};

FIXTURE_VARIANT(ndisc_switch) { struct ndisc_switch c; };

FIXTURE_SETUP(ndisc_switch)
{
	enter_link(_metadata);
	ASSERT_EQ(0, sysctl_write(variant->c.sysctl, "0"));
}

FIXTURE_TEARDOWN(ndisc_switch) {}

TEST_F(ndisc_switch, ndisc)
{
	const struct solicitation any = {
		.args = "2001:db8:a::1 --dev veth0", .by = MODULE,
		.verdict = "answered", .step = "allowed",
		.reason = "local 2001:db8:a::/64 dev lo table local",
	};
	char out[2048];

	solicitation_check(_metadata, &any, variant->c.step);
	run_tool(out, sizeof(out), "explain %s --ndisc", any.args);
	EXPECT_NE(NULL, strstr(out, variant->c.reason)) {
		TH_LOG("%s", out);
	}
	/* proxy_ndp of all devices is as good as that of the device */
	ASSERT_EQ(0, sysctl_write(PROXY_NDP("all"), "1"));
	if (!strcmp(variant->c.step, "proxy-ndp"))
		solicitation_check(_metadata, &any, NULL);
}

#define NDISC_SWITCH(name, ...)						\
	FIXTURE_VARIANT_ADD(ndisc_switch, name) { .c = { __VA_ARGS__ } }

NDISC_SWITCH(anyip_ndisc, NDISC_TOGGLE, "ndisc-off",
	     "ignored: 2001:db8:a::1%veth0: net.ipv6.anyip_ndisc is 0 here\n");
NDISC_SWITCH(proxy_ndp, PROXY_NDP("veth0"), "proxy-ndp",
	     "ignored: 2001:db8:a::1%veth0: net.ipv6.conf.veth0.proxy_ndp is 0\n");
NDISC_SWITCH(anyip_bind, TOGGLE, "off",
	     "ignored: 2001:db8:a::1%veth0: net.ipv6.anyip_bind is 0 here\n");

/*
 * Every address of world/world.h, on a TCP socket bound to each device. The other
 * protocols use only an unbound socket, which saves minutes.
 */

/* Returns the step whose counter grew by one, or NULL if the kernel said yes itself. */
static const char *counted(const struct counts *before)
{
	const struct counts after = counts_must();

	for (int i = 0; i < NR_STEPS; i++)
		if (after.of[i] != before->of[i])
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
	{ "raw", PROTO_raw },
	{ "ping", { SOCK_DGRAM, IPPROTO_ICMPV6 } },
};

static bool matrix_agrees(const struct matrix_proto *p, enum anyip6_addr addr,
			  const char *dev)
{
	const struct bind_spec spec = {
		.proto = p->proto, .addr = addr, .dev = dev, .opts = OPT_ANY_PORT,
	};
	const bool refused = sock_try(AF_INET6, &spec);
	const char *text = addr_text(addr, AF_INET6), *step;
	/* A ping socket also asks about the wildcard, and ignores a no. */
	const bool asked_in_vain = p->proto.number == IPPROTO_ICMPV6 && addr == ADDR_WILDCARD;
	const struct counts before = counts_must();
	char out[2048];
	int code;

	code = run_tool(out, sizeof(out), "explain %s --json --proto %s%s%s", text,
			p->name, dev ? " --dev " : "", dev ?: "");
	step = asked_in_vain ? NULL : counted(&before);
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
	int wrong = 0;

	for (int a = 0; a < NR_ADDRS; a++)
		for (int b = 0; b < bindings; b++)
			wrong += !matrix_agrees(p, a, devices[b]);
	EXPECT_EQ(0, wrong);
}

TEST_F_TIMEOUT(matrix, on, 600)
{
	matrix_check(_metadata, &matrix_protos[variant->proto], variant->bindings);
}

static int run(int argc, char **argv)
{
	if (access(tool(), X_OK))
		skip_all("no tool");
	way_ns = netns_any_ip();
	return test_harness_run(argc, argv);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv, WORLD_WHOLE, run);
}
