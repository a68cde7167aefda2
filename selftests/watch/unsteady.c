// SPDX-License-Identifier: GPL-2.0
/*
 * The tool anyip6(8) while devices, addresses and routes change all the time.
 * Each run has the right exit code, and prints a complete JSON object or
 * nothing.
 *
 * ANYIP6_TOOL_RUNS: the number of runs of explain, and of status.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "rtnl.h"
#include "tool.h"

#define RUNS		20	/* unless ANYIP6_TOOL_RUNS says otherwise */
#define GROUP		7	/* the link group of devices that come and go */
#define NR_LINKS	24	/* enough for a dump in several parts */
#define IFA_NODAD	2	/* IFA_F_NODAD */

/* The writer */

static int netlink = -1;
static struct {
	unsigned long links, routes, rounds;
} *changes;

/* Returns whether the change was made. Routes and addresses go with their device. */
static bool change(const struct rtnl_request *r)
{
	return !rtnl_ask(netlink, r, NULL);
}

static int flags_of(int type)
{
	return type == RTM_NEWADDR || type == RTM_NEWROUTE ? NLM_F_EXCL : 0;
}

static void add_link(const char *name)
{
	const struct ifinfomsg ifi = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct rtnl_request r = rtnl_new(RTM_NEWLINK, NLM_F_EXCL, &ifi, sizeof(ifi));
	const int group = GROUP;
	struct rtattr *info;

	rtnl_put_text(&r, IFLA_IFNAME, name);
	rtnl_put(&r, IFLA_GROUP, &group, sizeof(group));
	info = rtnl_put(&r, IFLA_LINKINFO, NULL, 0);
	rtnl_put(&r, IFLA_INFO_KIND, "dummy", 5);
	rtnl_put_end(&r, info);
	changes->links += change(&r);
}

static void del_links(void)
{
	const struct ifinfomsg ifi = {};
	struct rtnl_request r = rtnl_new(RTM_DELLINK, 0, &ifi, sizeof(ifi));
	const int group = GROUP;

	rtnl_put(&r, IFLA_GROUP, &group, sizeof(group));
	changes->links += change(&r);
}

static void change_addr(int type, int n, const char *dev)
{
	const struct ifaddrmsg ifa = {
		.ifa_family = AF_INET6, .ifa_prefixlen = 128, .ifa_flags = IFA_NODAD,
		.ifa_index = if_nametoindex(dev),
	};
	struct rtnl_request r = rtnl_new(type, flags_of(type), &ifa, sizeof(ifa));
	struct in6_addr ip;

	inet_pton(AF_INET6, "2001:db8:30::", &ip);
	ip.s6_addr[15] = n;
	rtnl_put(&r, IFA_LOCAL, &ip, sizeof(ip));
	changes->routes += change(&r);
}

static void change_route(int type, const char *prefix, int len, int kind, int dev)
{
	const struct rtmsg rtm = {
		.rtm_family = AF_INET6, .rtm_dst_len = len, .rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = RTPROT_STATIC, .rtm_type = kind,
	};
	struct rtnl_request r = rtnl_new(type, flags_of(type), &rtm, sizeof(rtm));
	struct in6_addr ip;

	inet_pton(AF_INET6, prefix, &ip);
	rtnl_put(&r, RTA_DST, &ip, sizeof(ip));
	if (dev)
		rtnl_put(&r, RTA_OIF, &dev, sizeof(dev));
	changes->routes += change(&r);
}

/*
 * Devices come one by one, each with an address and a prefix. They go all at
 * once, because the kernel then waits for readers only once.
 */
static void change_links(int n)
{
	char name[IFNAMSIZ], prefix[INET6_ADDRSTRLEN];

	if (n % NR_LINKS == 0)
		del_links();
	snprintf(name, sizeof(name), "any%d", n % NR_LINKS);
	snprintf(prefix, sizeof(prefix), "2001:db8:31:%x::", n % NR_LINKS);
	add_link(name);
	change_addr(RTM_NEWADDR, 100 + n % NR_LINKS, name);
	change_route(RTM_NEWROUTE, prefix, 64, RTN_LOCAL, if_nametoindex(name));
}

static void change_routes(int n)
{
	change_addr(n & 1 ? RTM_DELADDR : RTM_NEWADDR, 1, "dummy0");
	change_route(n & 1 ? RTM_DELROUTE : RTM_NEWROUTE, "2001:db8:20::", 64,
		     RTN_LOCAL, if_nametoindex("lo"));
	change_route(n & 1 ? RTM_NEWROUTE : RTM_DELROUTE, "2001:db8:a:0:1::", 80,
		     RTN_UNREACHABLE, 0);
}

static void write_on(unsigned int unused)
{
	(void)unused;
	netlink = rtnl_open();
	for (int n = 0;; n++) {
		change_links(n);
		change_routes(n);
		changes->rounds += n % NR_LINKS == NR_LINKS - 1;
	}
}

/* The reader */

static const struct ask {
	const char *args;
	int code, or_code;
	const char *step, *or_step;	/* of the verdict for that exit code */
	const char *reason;
	const char *between;		/* or this step, for that exit code */
} asks[] = {
	{ "explain 2001:db8:a::1 --json", 0, 0, "allowed", "allowed",
	  "local 2001:db8:a::/64 dev lo table local" },
	{ "explain 2001:db8:20::1 --json", 0, 1, "allowed", "no-route", "" },
	{ "explain 2001:db8:a::1 --dev any0 --json", 0, 2, "allowed", NULL, "" },
	{ "explain 2001:db8:99::1 --json", 1, 1, "no-route", "no-route",
	  "no local route to it in table local" },
	{ "explain 2001:db8:a:0:1::1 --json", 0, 1, "allowed", "carved-out", "" },
	{ "explain 2001:db8:1::1 --dev any1 --json", 0, 2, "configured", NULL, "" },
	/* The kernel forgets the address before its route. Until then the route allows it. */
	{ "explain 2001:db8:30::1 --json", 0, 1, "configured", "no-route", "", "allowed" },
}, status = {
	"status --json", 0, 0, NULL, NULL,
	"{\"prefix\":\"2001:db8:a::/64\",\"device\":\"lo\",\"table\":\"local\"}", NULL,
};

static bool right(const struct ask *ask, int code, const char *out)
{
	const char *step = code == ask->code ? ask->step : ask->or_step;

	if (code != ask->code && code != ask->or_code)
		return false;
	/* 2: the device is gone, and nothing is printed */
	if (code == 2)
		return !*out;
	return json_valid(out) && strstr(out, ask->reason) &&
		(!step || has(out, "step", step) ||
		 (ask->between && code == ask->code && has(out, "step", ask->between)));
}

static bool asked_right(const struct ask *ask, int run)
{
	char out[16384];
	int code = run_tool_to(TOOL_STDOUT, out, sizeof(out), "%s", ask->args);

	if (right(ask, code, out))
		return true;
	printf("# run %d: %s: exit code %d%s: %s\n", run, ask->args, code,
	       json_valid(out) ? "" : ", no JSON", out);
	return false;
}

FIXTURE(unsteady)
{
	pid_t writer;
};

FIXTURE_SETUP(unsteady)
{
	if (access(tool(), X_OK))
		SKIP(return, "no tool");
	netns_any_ip();
	ASSERT_EQ(0, ip_batch(AF_UNSPEC, "link add dummy0 up type dummy\n"
			      "addr add 2001:db8:1::1/64 dev dummy0 nodad\n"));
	changes = mmap(NULL, sizeof(*changes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, changes);
	self->writer = process_start(write_on, 0);
}

FIXTURE_TEARDOWN(unsteady)
{
	EXPECT_EQ(0, kill(self->writer, SIGKILL));
	EXPECT_EQ(self->writer, waitpid(self->writer, NULL, 0));
}

static void wait_for_writer(struct __test_metadata *_metadata)
{
	struct poll_until until = poll_begin();

	while (!changes->rounds)
		ASSERT_EQ(true, poll_again(&until));
}

TEST_F_TIMEOUT(unsteady, on, 7200)
{
	const char *want = getenv("ANYIP6_TOOL_RUNS");
	int runs = want ? atoi(want) : RUNS, wrong[2] = {};

	wait_for_writer(_metadata);
	for (int i = 0; i < runs; i++) {
		wrong[0] += !asked_right(&asks[i % ARRAY_SIZE(asks)], i);
		wrong[1] += !asked_right(&status, i);
	}
	EXPECT_EQ(0, wrong[0]);
	EXPECT_EQ(0, wrong[1]);
	EXPECT_LT(0, runs);
	/* otherwise nothing changed during the test */
	EXPECT_LT((unsigned long)runs, changes->links);
	EXPECT_LT((unsigned long)runs, changes->routes);
	TH_LOG("of %d runs each explain was wrong in %d, status in %d", runs, wrong[0],
	       wrong[1]);
	TH_LOG("meanwhile %lu links came or went, %lu addresses and routes",
	       changes->links, changes->routes);
}

ANYIP6_HARNESS_MAIN(WORLD_NONE)
