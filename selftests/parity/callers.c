// SPDX-License-Identifier: GPL-2.0
/*
 * Other callers of the address check: gateways, tunnels, anycast groups,
 * neighbour discovery. A yes would mean something else to them, so they get the
 * kernel's own answers in every mode. So do ICMPv6 errors, except for their
 * source where the asked address is Any-IP. speak.c asks for that.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest.h"
#include "run.h"

#define LINE		320
#define MAX_ASKED	6
#define CLOSED_PORT	4244
#define LIMITED		20	/* packets that each would cause an error */
#define PEER		"2001:db8:1::2"

/* An address that is asked about, and the answer. */
struct asked {
	enum anyip6_addr addr;
	const char *answer;
};

/* %s in a command of ip is the address. undo runs if the command worked. */
struct question {
	const char *name;
	const char *(*ask)(const struct question *q, enum anyip6_addr addr);
	const char *how;	/* a command of ip, or a device */
	const char *undo;
	struct asked asked[MAX_ASKED];
};

#define TAKEN		"taken"

/* The mode whose world answers. */
static enum anyip6_mode mode;

/* Answers: each in words */

static const char *ask_ip(const struct question *q, enum anyip6_addr addr)
{
	static char answer[LINE];

	if (ip_run(q->how, addr_text(addr, AF_INET6)))
		return ip_message();
	snprintf(answer, sizeof(answer), TAKEN "%s%s", *ip_message() ? " " : "", ip_message());
	if (q->undo)
		ip_run("%s", q->undo);
	return answer;
}

static union sockaddr_any sockaddr_of(enum anyip6_addr addr)
{
	union sockaddr_any sa;

	addr_fill(&sa, AF_INET6, addr, CLOSED_PORT);
	if (IN6_IS_ADDR_LINKLOCAL(&sa.in6.sin6_addr))
		sa.in6.sin6_scope_id = if_nametoindex("veth0");
	return sa;
}

static void send_to(const union sockaddr_any *to)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	sendto(fd, "x", 1, 0, &to->sa, sizeof(to->in6));
	close(fd);
}

/* Only the device's counters show whether a packet goes out. */
static const char *ask_tunnel(const struct question *q, enum anyip6_addr addr)
{
	static const char *const words[2][2] = {
		{ "does nothing", "drops" }, { "sends", "sends and drops" },
	};
	union sockaddr_any far;
	struct dev_counts before, after;

	if (ip_run(q->how, addr_text(addr, AF_INET6)))
		return ip_message();
	ip_must(AF_INET6, "route add 2001:db8:78::/64 dev tun6\n");
	addr_parse(&far, AF_INET6, "2001:db8:78::1", CLOSED_PORT);
	before = dev_counts("tun6");
	send_to(&far);
	after = dev_counts("tun6");
	ip_run("%s", q->undo);
	return words[after.sent > before.sent][after.failed > before.failed];
}

static const char *ask_join(const struct question *q, enum anyip6_addr addr)
{
	struct ipv6_mreq mreq = { .ipv6mr_multiaddr = sockaddr_of(addr).in6.sin6_addr };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), err;

	mreq.ipv6mr_interface = q->how ? if_nametoindex(q->how) : 0;
	err = setsockopt(fd, SOL_IPV6, IPV6_JOIN_ANYCAST, &mreq, sizeof(mreq)) ? errno : 0;
	close(fd);
	return err ? strerror(err) : "joined";
}

/* The source address of an unbound socket's packets. */
static const char *ask_source(const struct question *q, enum anyip6_addr addr)
{
	const union sockaddr_any to = sockaddr_of(addr);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), err;
	union sockaddr_any from = {};
	socklen_t len = sizeof(from);

	(void)q;
	err = connect(fd, &to.sa, sizeof(to.in6)) || getsockname(fd, &from.sa, &len) ? errno : 0;
	close(fd);
	return err ? strerror(err) : sockaddr_text(&from);
}

/* ICMPv6 errors: the peer asks at the address. */

static int error_socket(const char *from)
{
	const struct bind_spec udp = { .proto = PROTO_udp, .opts = OPT_FREEBIND };
	int fd = sock_open(AF_INET6, &udp);
	const int one = 1;
	union sockaddr_any sa;

	addr_parse(&sa, AF_INET6, from, 0);
	if (bind(fd, &sa.sa, sizeof(sa.in6)) ||
	    setsockopt(fd, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one)))
		die_errno("error socket");
	return fd;
}

static const char *icmp_answer(int fd)
{
	struct pollfd poll_error = { .fd = fd };
	union sockaddr_any offender, asked;
	int err = poll(&poll_error, 1, ERROR_DEADLINE) == 1 ?
		error_read(fd, &offender, &asked) : -ETIMEDOUT;

	close(fd);
	return err ? strerror(-err) : sockaddr_text(&offender);
}

static const char *ask_icmp(const struct question *q, enum anyip6_addr addr)
{
	const union sockaddr_any to = sockaddr_of(addr);
	int fd = error_socket(PEER);

	(void)q;
	sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6));
	return icmp_answer(fd);
}

/* The host has joined the address as an anycast group. */
static const char *ask_icmp_joined(const struct question *q, enum anyip6_addr addr)
{
	struct ipv6_mreq mreq = { .ipv6mr_multiaddr = sockaddr_of(addr).in6.sin6_addr };
	const char *answer;
	int member;

	enter_host(mode);
	mreq.ipv6mr_interface = if_nametoindex("veth0");
	member = socket(AF_INET6, SOCK_DGRAM, 0);
	if (setsockopt(member, SOL_IPV6, IPV6_JOIN_ANYCAST, &mreq, sizeof(mreq)))
		die_errno("anycast");
	enter_peer(mode);
	/* A member takes its time to answer a solicitation. */
	ip_run("neigh replace %s lladdr 02:00:00:00:00:01 dev veth0", addr_text(addr, AF_INET6));
	answer = ask_icmp(q, addr);
	ip_run("neigh del %s dev veth0", addr_text(addr, AF_INET6));
	close(member);
	return answer;
}

/* Only an unknown option makes a host report a packet to a group. */
static const char *ask_icmp_option(const struct question *q, enum anyip6_addr addr)
{
	static const unsigned char options[8] = { 0, 0, 0x9e, 4 };
	union sockaddr_any to = sockaddr_of(addr);
	int fd = error_socket(PEER);
	const int zero = 0;

	(void)q;
	to.in6.sin6_scope_id = if_nametoindex("veth0");
	if (setsockopt(fd, SOL_IPV6, IPV6_DSTOPTS, options, sizeof(options)) ||
	    setsockopt(fd, SOL_IPV6, IPV6_MULTICAST_LOOP, &zero, sizeof(zero)))
		die_errno("IPV6_DSTOPTS");
	sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6));
	return icmp_answer(fd);
}

/* A socket cannot send while it has an error to tell. */
static void send_surely(int fd, const union sockaddr_any *to)
{
	while (sendto(fd, "x", 1, 0, &to->sa, sizeof(to->in6)) < 0 && errno == ECONNREFUSED)
		;
}

/* Packets keep their order. When this is refused, the host has seen all before it. */
static void wait_for_host(void)
{
	const union sockaddr_any to = sockaddr_of(ADDR_HOST);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (!connect(fd, &to.sa, sizeof(to.in6)) || errno != ECONNREFUSED)
		die_errno("a closed port");
	close(fd);
}

/*
 * The peer sends to the address as if it were a neighbour. It solicits once, and
 * packets keep their order. So what was not answered before the host has refused a
 * connection is not answered at all, however slow the machine is.
 */
static const char *ask_neighbour(const struct question *q, enum anyip6_addr addr)
{
	const char *text = addr_text(addr, AF_INET6);
	const union sockaddr_any to = sockaddr_of(addr);
	bool answers;

	(void)q;
	wait_for_host();	/* its own solicitations come before */
	sysctl_must("net/ipv6/neigh/veth0/mcast_solicit", "1");
	sysctl_must("net/ipv6/neigh/veth0/retrans_time_ms", "60000");
	ip_run("-6 neigh flush dev veth0 to %s", text);
	ip_run("-6 route add %s dev veth0", text);
	send_to(&to);
	wait_for_host();
	ip_run("-6 -o neigh show %s dev veth0", text);
	answers = strstr(ip_message(), "lladdr");
	ip_run("-6 route del %s dev veth0", text);
	ip_run("-6 neigh flush dev veth0 to %s", text);
	sysctl_must("net/ipv6/neigh/veth0/mcast_solicit", "3");
	sysctl_must("net/ipv6/neigh/veth0/retrans_time_ms", "1000");
	return answers ? "answers" : "does not answer";
}

/*
 * How many of several errors the limit lets through. It counts for each address
 * that gets them. A new one has 60 seconds saved up.
 */
static const char *ask_icmp_limit(const struct question *q, enum anyip6_addr addr)
{
	const union sockaddr_any to = sockaddr_of(addr);
	union sockaddr_any offender, asked;
	static unsigned int used;
	static char answer[32];
	char from[32];
	int fd, got = 0;

	(void)q;
	snprintf(from, sizeof(from), "2001:db8:e::%x", ++used);
	enter_host(mode);
	sysctl_must("net/ipv6/icmp/ratelimit", "10000");
	ip_run("-6 route add %s via " PEER, from);
	enter_peer(mode);
	fd = error_socket(from);
	for (int i = 0; i < LIMITED; i++)
		send_surely(fd, &to);
	wait_for_host();
	while (!error_read(fd, &offender, &asked))
		got++;
	close(fd);
	enter_host(mode);
	sysctl_must("net/ipv6/icmp/ratelimit", "0");
	snprintf(answer, sizeof(answer), "%d of %d", got, LIMITED);
	return answer;
}

/* Questions */

#define ROUTE		"-6 route add 2001:db8:77::/64 "
#define DEL_ROUTE	"-6 route flush root 2001:db8:77::/64 table all"
#define NEXTHOP		"nexthop add id 77 "
#define DEL_NEXTHOP	"nexthop del id 77"
#define TUNNEL		"link add tun6 up type "
#define DEL_TUNNEL	"link del tun6"

#define NO_ROUTE	"No route to host"
#define NO_DEVICE	"Egress device not specified"
#define LOOPBACK	"Egress device can not be loopback device"
#define IS_LOCAL	"Gateway can not be a local address"
#define NO_ADDRESS	"Cannot assign requested address"
#define INVALID		"Invalid argument"
#define JOINED		"joined"
#define SENDS		"sends"
#define DROPS		"drops"
#define SILENT		"does not answer"

static const struct question questions[] = {
	{ "gateway", ask_ip, ROUTE "via %s", DEL_ROUTE, {
		{ ADDR_ANY, LOOPBACK }, { ADDR_ON_LINK, TAKEN },
		{ ADDR_LL_ANY, NO_DEVICE }, { ADDR_HOST, IS_LOCAL } } },
	{ "gateway, device", ask_ip, ROUTE "via %s dev veth0", DEL_ROUTE, {
		{ ADDR_ANY, NO_ROUTE }, { ADDR_ON_LINK, TAKEN },
		{ ADDR_LL_ANY, TAKEN }, { ADDR_HOST, IS_LOCAL } } },
	{ "gateway, dummy0", ask_ip, ROUTE "via %s dev dummy0", DEL_ROUTE, {
		{ ADDR_DUMMY, TAKEN } } },
	{ "gateway, onlink", ask_ip, ROUTE "via %s dev veth0 onlink", DEL_ROUTE, {
		{ ADDR_ANY, TAKEN }, { ADDR_ON_LINK, TAKEN },
		{ ADDR_LL_ANY, TAKEN }, { ADDR_HOST, IS_LOCAL } } },
	{ "gateway, VRF", ask_ip, ROUTE "via %s dev veth1 table 10", DEL_ROUTE, {
		{ ADDR_VRF_ANY, NO_ROUTE } } },
	{ "gateway, source", ask_ip, ROUTE "via %s dev veth0 src 2001:db8:a::2", DEL_ROUTE, {
		{ ADDR_ANY, NO_ROUTE }, { ADDR_VRF_ANY, NO_ROUTE }, { ADDR_HOST, IS_LOCAL } } },
	{ "nexthop object", ask_ip, NEXTHOP "via %s dev veth0", DEL_NEXTHOP, {
		{ ADDR_ANY, NO_ROUTE }, { ADDR_ON_LINK, TAKEN },
		{ ADDR_LL_ANY, TAKEN }, { ADDR_HOST, IS_LOCAL } } },
	{ "nexthop object, dummy0", ask_ip, NEXTHOP "via %s dev dummy0", DEL_NEXTHOP, {
		{ ADDR_DUMMY, TAKEN } } },
	{ "route to it", ask_ip, "-6 -o route get %s", NULL, {
		{ ADDR_ANY, "taken local" }, { ADDR_ON_LINK, "taken local" },
		{ ADDR_LL_ANY, "taken local" }, { ADDR_HOST, "taken local" } } },
	{ "ip6tnl, local", ask_tunnel, TUNNEL "ip6tnl local %s remote 2001:db8:1::2", DEL_TUNNEL, {
		{ ADDR_ANY, DROPS }, { ADDR_ON_LINK, DROPS },
		{ ADDR_LL_ANY, DROPS }, { ADDR_HOST, SENDS } } },
	{ "ip6tnl, remote", ask_tunnel, TUNNEL "ip6tnl local 2001:db8:1::1 remote %s", DEL_TUNNEL, {
		{ ADDR_ANY, SENDS }, { ADDR_ON_LINK, SENDS }, { ADDR_LL_ANY, DROPS },
		{ ADDR_HOST, DROPS }, { ADDR_ANY_AND_HOST, DROPS } } },
	{ "ip6gre, local", ask_tunnel, TUNNEL "ip6gre local %s remote 2001:db8:1::2", DEL_TUNNEL, {
		{ ADDR_ANY, DROPS }, { ADDR_ON_LINK, DROPS },
		{ ADDR_LL_ANY, DROPS }, { ADDR_HOST, SENDS } } },
	{ "anycast group", ask_join, NULL, NULL, {
		{ ADDR_ANY, NO_ADDRESS }, { ADDR_ON_LINK, NO_ADDRESS },
		{ ADDR_LL_ANY, JOINED }, { ADDR_HOST, INVALID } } },
	{ "anycast group on veth0", ask_join, "veth0", NULL, {
		{ ADDR_ANY, NO_ADDRESS }, { ADDR_ON_LINK, JOINED },
		{ ADDR_LL_ANY, JOINED }, { ADDR_HOST, INVALID } } },
	{ "anycast group on dummy0", ask_join, "dummy0", NULL, {
		{ ADDR_ANY, NO_ADDRESS }, { ADDR_DUMMY, NO_ADDRESS }, { ADDR_ON_LINK, NO_ADDRESS },
		{ ADDR_LL_ANY, JOINED }, { ADDR_HOST, INVALID } } },
	{ "anycast group on lo", ask_join, "lo", NULL, {
		{ ADDR_ANY, NO_ADDRESS }, { ADDR_ON_LINK, NO_ADDRESS },
		{ ADDR_LL_ANY, NO_ADDRESS }, { ADDR_HOST, INVALID } } },
	{ "neighbour solicitation", ask_neighbour, NULL, NULL, {
		{ ADDR_ANY, SILENT }, { ADDR_ON_LINK, SILENT },
		{ ADDR_LL_ANY, SILENT }, { ADDR_HOST, "answers" } } },
	{ "source to it", ask_source, NULL, NULL, {
		{ ADDR_ANY, "2001:db8:a:0:b::1" }, { ADDR_ON_LINK, "2001:db8:1::1" },
		{ ADDR_LL_ANY, "fe80::1" }, { ADDR_HOST, "2001:db8:1::1" },
		{ ADDR_PEER, "2001:db8:1::1" } } },
	{ "source of ICMPv6 errors", ask_icmp, NULL, NULL, {
		{ ADDR_HOST, "2001:db8:1::1" }, { ADDR_ANY_AND_HOST, "2001:db8:a:0:b::1" },
		{ ADDR_UNREACHABLE, "2001:db8:1::1" }, { ADDR_ANYCAST, "2001:db8:1::1" },
		{ ADDR_TENTATIVE, "2001:db8:1::1" } } },
	{ "source of ICMPv6 errors, anycast", ask_icmp_joined, NULL, NULL, {
		{ ADDR_ON_LINK, "2001:db8:1:0:a::1" } } },
	{ "source of ICMPv6 errors, group", ask_icmp_option, NULL, NULL, {
		{ ADDR_MULTICAST, "2001:db8:1::1" } } },
	{ "ICMPv6 errors, limited", ask_icmp_limit, NULL, NULL, {
		{ ADDR_ANY, "6 of 20" }, { ADDR_HOST, "6 of 20" } } },
};

/* Tests: one for each address of each question */

static const char *name_of(const struct question *q, const struct asked *a)
{
	static char name[LINE / 2];

	snprintf(name, sizeof(name), "%s, %s", q->name, addr_text(a->addr, AF_INET6));
	return name;
}

static bool asks_from_peer(const struct question *q)
{
	return q->ask == ask_neighbour || q->ask == ask_icmp || q->ask == ask_icmp_option;
}

static const char *ask(const struct question *q, const struct asked *a, enum anyip6_mode in)
{
	mode = in;
	if (asks_from_peer(q))
		enter_peer(mode);
	else
		enter_host(mode);
	return q->ask(q, a->addr);
}

/* ip's messages have more words than what is expected. */
static bool is_known(const struct question *q, const struct asked *a, const char *answer)
{
	return q->ask == ask_ip ? !!strstr(answer, a->answer) : !strcmp(answer, a->answer);
}

static bool is_right(const struct question *q, const struct asked *a, bool loaded)
{
	char line[LINE];
	const char *first = line + snprintf(line, sizeof(line), "%s: ", name_of(q, a)), *on;

	strncat(line, ask(q, a, loaded ? MODE_OFF : MODE_ABSENT),
		sizeof(line) - strlen(line) - 1);
	on = loaded ? ask(q, a, MODE_ON) : first;
	if (!is_known(q, a, first))
		ksft_print_msg("%s; expected: %s\n", line, a->answer);
	if (strcmp(first, on))
		ksft_print_msg("%s; on: %s\n", line, on);
	return result_same(line) && is_known(q, a, first) && !strcmp(first, on);
}

static void test(const struct question *q, const struct asked *a, bool loaded)
{
	const char *lack = world_lacks(a->addr, NULL);

	if (!case_wanted(name_of(q, a)))
		return;
	if (lack)
		ksft_test_result_skip("%s: %s\n", name_of(q, a), lack);
	else
		ksft_test_result(is_right(q, a, loaded), "%s\n", name_of(q, a));
}

static unsigned int plan(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		for (const struct asked *a = questions[i].asked; a->answer; a++)
			n += case_wanted(name_of(&questions[i], a));
	return n;
}

static int run(int argc, char **argv)
{
	const bool loaded = anyip6_loaded();

	(void)argc;
	(void)argv;
	if (!plan())
		return no_case();
	ksft_print_header();
	ksft_set_plan(plan());
	results_open("callers", loaded);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		for (const struct asked *a = questions[i].asked; a->answer; a++)
			test(&questions[i], a, loaded);
	ksft_finished();
}

int main(int argc, char **argv)
{
	return anyip6_main(argc, argv, WORLD_PARTS, run);
}
