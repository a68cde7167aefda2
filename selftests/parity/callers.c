// SPDX-License-Identifier: GPL-2.0
/*
 * Other callers of the address check: gateways, sources of routes, tunnels,
 * anycast groups, neighbour discovery. They get the same answers whether the
 * module is on, off, or (with a file) absent.
 *
 * ANYIP6_CALLERS_FILE=FILE: written when the module is absent, and compared
 * when it is loaded.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest.h"
#include "run.h"

#define ANSWER		192

#define SENSE		"stock's answers are known ones"
#define ON_AS_OFF	"on as off"
#define OFF_AS_ABSENT	"off as absent"

static const char *const subjects[] = {
	"2001:db8:a::5",	/* Any-IP, dev lo */
	"2001:db8:1:0:a::5",	/* Any-IP inside the prefix of veth0 */
	"fe80::1234",		/* Any-IP, link-local, on veth0 */
	"2001:db8:1::1",	/* configured */
};

/* Commands for ip(8). %1$s is the subject. undo may fail. */
static const struct command {
	const char *name, *ask, *undo;
} commands[] = {
	{ "gateway", "-6 route add 2001:db8:77::/64 via %1$s",
	  "-6 route del 2001:db8:77::/64" },
	{ "gateway, device", "-6 route add 2001:db8:77::/64 via %1$s dev veth0",
	  "-6 route del 2001:db8:77::/64" },
	{ "gateway, onlink",
	  "-6 route add 2001:db8:77::/64 via %1$s dev veth0 onlink",
	  "-6 route del 2001:db8:77::/64" },
	{ "source of a route",
	  "-6 route add 2001:db8:77::/64 dev veth0 src %1$s",
	  "-6 route del 2001:db8:77::/64" },
	{ "nexthop object", "nexthop add id 77 via %1$s dev veth0",
	  "nexthop del id 77" },
	{ "route to it", "-6 -o route get %1$s", NULL },
};

/* Tunnels: only the device's counters show whether a packet goes out. */
static const struct command tunnels[] = {
	{ "ip6tnl, local", "link add tun6 up type ip6tnl local %1$s remote 2001:db8:1::2",
	  "link del tun6" },
	{ "ip6tnl, remote", "link add tun6 up type ip6tnl local 2001:db8:1::1 remote %1$s",
	  "link del tun6" },
	{ "ip6gre, local", "link add tun6 up type ip6gre local %1$s remote 2001:db8:1::2",
	  "link del tun6" },
};

static const char *const join_devices[] = { NULL, "veth0", "dummy0", "lo" };

static int host, peer;

static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, ip_message());
	exit(KSFT_FAIL);
}

static void setup(void)
{
	static const char host_lines[] =
		"link set lo up\n"
		"link add dummy0 up type dummy\n"
		"link set veth0 addrgenmode none up\n"
		"addr add 2001:db8:1::1/64 dev veth0 nodad\n"
		"addr add fe80::1/64 dev veth0 nodad\n"
		"route add local 2001:db8:a::/64 dev lo\n"
		"route add local 2001:db8:1:0:a::/80 dev lo\n"
		"route add local fe80::1234/128 dev veth0\n";
	static const char peer_lines[] =
		"link set lo up\n"
		"link set veth0 addrgenmode none up\n"
		"addr add 2001:db8:1::2/64 dev veth0 nodad\n"
		"addr add fe80::2/64 dev veth0 nodad\n"
		"route add 2001:db8::/32 dev veth0\n";

	peer = netns_new();
	host = netns_new();
	if (ip_run("link add veth0 type veth peer name veth0 netns /proc/self/fd/%d",
		   peer) || ip_batch(AF_INET6, host_lines))
		bail("host");
	netns_enter(peer);
	if (ip_batch(AF_INET6, peer_lines) ||
	    sysctl_write("net/ipv6/neigh/veth0/mcast_solicit", "1") ||
	    sysctl_write("net/ipv6/neigh/veth0/retrans_time_ms", "100"))
		bail("peer");
	netns_enter(host);
}

/* Answers */

static int ip_asked(const char *fmt, const char *subject)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), fmt, subject);
	return ip_run("%s", cmd);
}

static void ask_command(const struct command *c, const char *subject,
			char *answer)
{
	int status = ip_asked(c->ask, subject);

	snprintf(answer, ANSWER, "%s, %s: %s %s", c->name, subject,
		 status ? "refused" : "taken", ip_message());
	if (!status && c->undo)
		ip_asked(c->undo, subject);
}

static struct sockaddr_in6 sockaddr_of(const char *text)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons(9) };

	inet_pton(AF_INET6, text, &sa.sin6_addr);
	if (IN6_IS_ADDR_LINKLOCAL(&sa.sin6_addr))
		sa.sin6_scope_id = if_nametoindex("veth0");
	return sa;
}

static void send_to(const char *text)
{
	struct sockaddr_in6 to = sockaddr_of(text);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	close(fd);
}

static void ask_tunnel(const struct command *c, const char *subject, char *answer)
{
	int status = ip_asked(c->ask, subject);
	struct dev_counts before = {}, after = {};

	if (!status && !ip_run("-6 route add 2001:db8:78::/64 dev tun6")) {
		before = dev_counts("tun6");
		send_to("2001:db8:78::1");
		after = dev_counts("tun6");
	}
	snprintf(answer, ANSWER, "%s, %s: %s, %s%s", c->name, subject,
		 status ? "refused" : "taken", after.sent > before.sent ? "sends" : "",
		 after.failed > before.failed ? "drops" : "");
	if (!status)
		ip_run("%s", c->undo);
}

static void ask_join(const char *dev, const char *subject, char *answer)
{
	struct ipv6_mreq mreq = { .ipv6mr_interface = dev ? if_nametoindex(dev) : 0 };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), err;

	inet_pton(AF_INET6, subject, &mreq.ipv6mr_multiaddr);
	err = setsockopt(fd, SOL_IPV6, IPV6_JOIN_ANYCAST, &mreq, sizeof(mreq)) ?
		errno : 0;
	snprintf(answer, ANSWER, "anycast group on %s, %s: %s", dev ?: "any device",
		 subject, err ? strerror(err) : "joined");
	close(fd);
}

/* The peer sends to the subject as if it were a neighbour. A neighbour answers. */
static void ask_neighbour(const char *subject, char *answer)
{
	struct poll_until until = poll_begin();
	const char *state;

	netns_enter(peer);
	send_to(subject);
	do {
		ip_run("-6 -o neigh show %s dev veth0", subject);
		state = strstr(ip_message(), "FAILED") ? "does not answer" :
			strstr(ip_message(), "lladdr") ? "answers" : NULL;
	} while (!state && poll_again(&until));
	snprintf(answer, ANSWER, "neighbour solicitation, %s: %s", subject,
		 state ?: "undecided");
	netns_enter(host);
}

/* The source address of an unbound socket's packets. */
static void ask_source(const char *subject, char *answer)
{
	struct sockaddr_in6 to = sockaddr_of(subject), from = {};
	socklen_t len = sizeof(from);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	char text[INET6_ADDRSTRLEN] = "none";

	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
	    !getsockname(fd, (struct sockaddr *)&from, &len))
		inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
	snprintf(answer, ANSWER, "source to %s: %s", subject, text);
	close(fd);
}

#define PER_SUBJECT	(ARRAY_SIZE(commands) + ARRAY_SIZE(tunnels) +	\
			 ARRAY_SIZE(join_devices) + 2)
#define QUESTIONS	(ARRAY_SIZE(subjects) * PER_SUBJECT)

struct answers {
	char text[QUESTIONS][ANSWER];
};

static void ask_all(struct answers *answers)
{
	char (*next)[ANSWER] = answers->text;

	for (size_t s = 0; s < ARRAY_SIZE(subjects); s++) {
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			ask_command(&commands[i], subjects[s], *next++);
		for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++)
			ask_tunnel(&tunnels[i], subjects[s], *next++);
		for (size_t i = 0; i < ARRAY_SIZE(join_devices); i++)
			ask_join(join_devices[i], subjects[s], *next++);
		ask_neighbour(subjects[s], *next++);
		ask_source(subjects[s], *next++);
	}
}

/* Comparison */

static void test_same(const char *what, const struct answers *want,
		      const struct answers *got)
{
	unsigned int wrong = 0;

	if (!case_wanted(what))
		return;
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (!strcmp(want->text[i], got->text[i]))
			continue;
		ksft_print_msg("%s; not as expected: %s\n", want->text[i], got->text[i]);
		wrong++;
	}
	ksft_test_result(!wrong, "%s: %zu answers\n", what, QUESTIONS);
}

/* Proves that the questions can be answered. Otherwise all answers would be equal. */
static void test_sense(const struct answers *got)
{
	static const char *const known[] = {
		"gateway, device, 2001:db8:1::1: refused",
		"gateway, onlink, 2001:db8:a::5: taken",
		"source of a route, 2001:db8:a::5: refused",
		"source of a route, 2001:db8:1::1: taken",
		"nexthop object, 2001:db8:1::1: refused",
		"ip6tnl, local, 2001:db8:1::1: taken, sends",
		"ip6tnl, local, 2001:db8:a::5: taken, drops",
		"ip6tnl, remote, 2001:db8:a::5: taken, sends",
		"ip6gre, local, 2001:db8:1::1: taken, sends",
		"ip6gre, local, 2001:db8:a::5: taken, drops",
		"anycast group on veth0, 2001:db8:1::1: Invalid argument",
		"neighbour solicitation, 2001:db8:1::1: answers",
		"neighbour solicitation, 2001:db8:1:0:a::5: does not answer",
		"source to 2001:db8:a::5: 2001:db8:1::1",
	};
	unsigned int missing = 0;

	if (!case_wanted(SENSE))
		return;
	for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
		size_t i = 0;

		while (i < QUESTIONS && strncmp(got->text[i], known[k], strlen(known[k])))
			i++;
		if (i < QUESTIONS)
			continue;
		ksft_print_msg("not so: %s\n", known[k]);
		missing++;
	}
	ksft_test_result(!missing, SENSE "\n");
}

static void file_write(const char *path, struct answers *answers)
{
	FILE *f = fopen(path, "w");

	for (size_t i = 0; f && i < QUESTIONS; i++)
		fprintf(f, "%s\n", answers->text[i]);
	if (!f || fclose(f))
		bail(path);
}

static void file_read(const char *path, struct answers *answers)
{
	FILE *f = fopen(path, "r");

	for (size_t i = 0; f && i < QUESTIONS; i++)
		if (fgets(answers->text[i], ANSWER, f))
			answers->text[i][strcspn(answers->text[i], "\n")] = '\0';
	if (!f || fclose(f))
		bail(path);
}

/* The tests by name. Without the module only the first one runs. */
static const char *const names[] = { SENSE, ON_AS_OFF, OFF_AS_ABSENT };

static unsigned int plan(size_t n)
{
	unsigned int wanted = 0;

	for (size_t i = 0; i < n; i++)
		wanted += case_wanted(names[i]);
	return wanted;
}

static int run_absent(const char *file)
{
	static struct answers absent;

	ksft_set_plan(plan(1));
	ask_all(&absent);
	test_sense(&absent);
	if (file)
		file_write(file, &absent);
	ksft_finished();
}

static int run_loaded(const char *file)
{
	static struct answers absent, off, on;

	ksft_set_plan(plan(file ? 3 : 2));
	toggle_set(MODE_OFF);
	ask_all(&off);
	toggle_set(MODE_ON);
	ask_all(&on);
	test_sense(&off);
	test_same(ON_AS_OFF, &off, &on);
	if (file) {
		file_read(file, &absent);
		test_same(OFF_AS_ABSENT, &absent, &off);
	}
	ksft_finished();
}

static int run(int argc, char **argv)
{
	const char *file = getenv("ANYIP6_CALLERS_FILE");

	(void)argc;
	(void)argv;
	if (!plan(ARRAY_SIZE(names)))
		return no_case();
	ksft_print_header();
	setup();
	return anyip6_loaded() ? run_loaded(file) : run_absent(file);
}

int main(int argc, char **argv)
{
	return anyip6_main(argc, argv, WORLD_NONE, run);
}
