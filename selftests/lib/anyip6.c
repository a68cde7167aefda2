// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "anyip6.h"

#define DAD_FAILED	0x08	/* IFA_F_DADFAILED, as /proc/net/if_inet6 shows it */
#define POLL_DEADLINE	20	/* seconds */
#define IO_DEADLINE	5
#define MAX_WORDS	24

static const char *const mode_names[NR_MODES] = {
	[MODE_ABSENT]	= "absent",
	[MODE_OFF]	= "off",
	[MODE_ON]	= "on",
};

static struct {
	int host;
	int peer;
} topology[NR_MODES];

/* Parts of the topology that a kernel can be configured without. */
static bool have_vrf, have_rules;

static char last_message[256];

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

struct poll_until poll_begin(void)
{
	return (struct poll_until) { .deadline = time(NULL) + POLL_DEADLINE };
}

bool poll_again(const struct poll_until *until)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	errno = ETIMEDOUT;
	return !nanosleep(&pause, NULL) && time(NULL) <= until->deadline;
}

/* Namespaces: plain descriptors, inherited by ip as /proc/self/fd/N. */

int netns_new(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		die("unshare(CLONE_NEWNET)");
	fd = open("/proc/thread-self/ns/net", O_RDONLY);
	if (fd < 0)
		die("/proc/thread-self/ns/net");
	return fd;
}

void netns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		die("setns");
}

/*
 * Not through a shell: that of an initramfs may be one with an ip of its own.
 * The words of a command are split at blanks; its output lands in last_message.
 */
static int ip_spawn(char *cmd, int in, int out)
{
	char *argv[MAX_WORDS + 1] = { "ip" };
	int n = 1, status;
	pid_t pid;

	for (cmd = strtok(cmd, " "); cmd && n < MAX_WORDS; cmd = strtok(NULL, " "))
		argv[n++] = cmd;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return status;
}

static int ip_spawn_quietly(char *cmd, int in)
{
	int out = memfd_create("ip", 0);
	int status = ip_spawn(cmd, in, out);
	ssize_t len;

	len = pread(out, last_message, sizeof(last_message) - 1, 0);
	last_message[len < 0 ? 0 : len] = '\0';
	last_message[strcspn(last_message, "\n")] = '\0';
	close(out);
	return status;
}

/* Several commands, of one family or (AF_UNSPEC) as their addresses say. */
int ip_batch(int family, const char *lines)
{
	char cmd[] = "-0 -batch -";
	int in = memfd_create("batch", 0);
	int status;

	if (write(in, lines, strlen(lines)) < 0 || lseek(in, 0, SEEK_SET))
		die("memfd");
	cmd[1] = family == AF_INET6 ? '6' : '4';
	status = ip_spawn_quietly(family == AF_UNSPEC ? cmd + 3 : cmd, in);
	close(in);
	return status;
}

static void skip_all(const char *why)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	exit(KSFT_SKIP);
}

static void ip_must(int family, const char *lines)
{
	if (ip_batch(family, lines)) {
		if (strstr(last_message, "Unknown device type"))
			skip_all("the kernel lacks dummy or veth");
		errno = EINVAL;
		die(last_message);
	}
}

int ip_run(const char *fmt, ...)
{
	char cmd[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);
	return ip_spawn_quietly(cmd, STDIN_FILENO);
}

/* What the last ip_run() had to say. */
const char *ip_message(void)
{
	return last_message;
}

static int sysctl_open(const char *path, int flags)
{
	char name[128];

	snprintf(name, sizeof(name), "/proc/sys/%s", path);
	return open(name, flags | O_CLOEXEC);
}

int sysctl_write(const char *path, const char *value)
{
	int fd = sysctl_open(path, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int sysctl_read(const char *path)
{
	int fd = sysctl_open(path, O_RDONLY);
	char value[32] = "";
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, value, sizeof(value) - 1);
	close(fd);
	return len < 0 ? -errno : atoi(value);
}

static void sysctl_must(const char *path, const char *value)
{
	errno = -sysctl_write(path, value);
	if (errno)
		die(path);
}

void toggle_set(enum anyip6_mode mode)
{
	if (mode != MODE_ABSENT)
		sysctl_must(TOGGLE, mode == MODE_ON ? "1" : "0");
}

/* The kernel's own lookup */

struct lookup_request {
	struct nlmsghdr hdr;
	struct rtmsg route;
	struct rtattr dst;
	struct in6_addr addr;
	struct rtattr mark;
	unsigned int table;
};

bool fib_says_local(const struct in6_addr *addr, unsigned int table)
{
	const struct lookup_request req = {
		.hdr = {
			.nlmsg_len = sizeof(req), .nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.route = { .rtm_family = AF_INET6, .rtm_dst_len = 128 },
		.dst = { RTA_LENGTH(sizeof(req.addr)), RTA_DST },
		.addr = *addr,
		.mark = { RTA_LENGTH(sizeof(req.table)), RTA_MARK },
		.table = table,
	};
	struct {
		struct nlmsghdr hdr;
		struct rtmsg route;
		char rest[4096];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &req, sizeof(req), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer.hdr))
		die("rtnetlink");
	close(fd);
	/* Anything but a route is the error of one that is not to be used. */
	return answer.hdr.nlmsg_type == RTM_NEWROUTE &&
		answer.route.rtm_type == RTN_LOCAL;
}

/* Topology */

static const char host_links[] =
	"link set lo up\n"
	"link add dummy0 type dummy\n"
	"link set dummy0 up\n"
	"link add dummy1 type dummy\n"
	"link set dummy1 up\n"
	"link add veth0 type veth peer name veth0 netns /proc/self/fd/%d\n"
	"link set veth0 addrgenmode none\n";

/*
 * The local rule goes behind an unreachable one, as hosts with VRFs have it:
 * the FIB's own answer and that of the policy rules then differ.
 */
static const char local_rule[] =
	"rule add pref 10 lookup local\n";

static const char host_rules[] =
	"rule del pref 0\n"
	"rule add pref 5 to RULE_UNREACHABLE/SUB unreachable\n"
	"rule add pref 2000 fwmark 1 lookup 100\n"
	"rule add pref 2001 lookup 101\n"
	"route add local default dev lo table 100\n"
	"route add local RULE_TABLE/NET dev lo table 101\n"
	"route add local MAIN_TABLE/NET dev lo table main\n"
	"route add unreachable MAIN_UNREACHABLE/SUB\n";

static const char host_routes[] =
	"route add local ANY/NET dev lo\n"
	"route add local DUMMY/NET dev dummy0\n"
	"route add unreachable UNREACHABLE/SUB table local\n"
	"route add blackhole BLACKHOLE/SUB table local\n"
	"route add prohibit PROHIBIT/SUB table local\n"
	"route add throw THROW/SUB table local\n"
	"route add UNICAST/SUB dev veth0 table local\n"
	"route add anycast ANYCAST/SUB dev lo table local\n"
	"route add unreachable HOLE/NET table local\n"
	"route add local IN_HOLE/ONE dev lo\n";

static const char vrf_links[] =
	"link add vrf0 type vrf table 10\n"
	"link set vrf0 up\n"
	"link set dummy1 master vrf0\n";

static const char vrf_routes[] =
	"route add local VRF_ANY/NET dev vrf0 table 10\n"
	"route add unreachable VRF_HOLE/SUB table 10\n";

static const char vrf_link_local[] =
	"route add local fe80::4321/128 dev dummy1 table 10\n";

static const char host_addrs[] =
	"addr add 192.0.2.1/24 dev veth0\n"
	"addr add 2001:db8:1::1/64 dev veth0 nodad\n"
	"addr add fe80::1/64 dev veth0 nodad\n"
	"addr add 10.0.2.1/24 dev dummy1\n"
	"addr add 2001:db8:2::1/64 dev dummy1 nodad\n"
	"addr add 198.51.100.161/32 dev dummy1\n"
	"addr add 2001:db8:a:0:a::1/128 dev dummy1 nodad\n"
	"addr add 198.51.100.177/32 dev dummy0\n"
	"addr add 2001:db8:a:0:b::1/128 dev dummy0 nodad\n"
	"route add local fe80::1234/128 dev veth0\n"
	"route add local fe80::2345/128 dev dummy0 metric 512\n"
	"route add local fe80::2345/128 dev veth0\n"
	"route add local fe80:0:0:1::/64 dev lo\n"
	"addr add 2001:db8:a:0:7::1/128 dev veth0\n"
	"addr add 2001:db8:a:0:7::2/128 dev veth0\n"
	"addr add 2001:db8:a:0:7::3/128 dev veth0 optimistic\n";

static const char peer_lines[] =
	"link set lo up\n"
	"link set veth0 addrgenmode none up\n"
	"addr add 192.0.2.2/24 dev veth0\n"
	"addr add 2001:db8:1::2/64 dev veth0 nodad\n"
	"addr add 2001:db8:a:0:7::2/128 dev veth0 nodad\n"
	"route add 198.51.100.0/24 via 192.0.2.1\n"
	"route add 2001:db8:a::/64 via 2001:db8:1::1\n"
	"route add 203.0.113.0/24 via 192.0.2.1\n"
	"route add 2001:db8:d::/64 via 2001:db8:1::1\n"
	"route add 10.0.32.0/24 via 192.0.2.1\n"
	"route add 2001:db8:20::/64 via 2001:db8:1::1\n"
	"route add local 10.0.14.0/24 dev lo\n"
	"route add local 2001:db8:e::/64 dev lo\n";

static const char *const addr_names[NR_ADDRS] = {
#define X(name, v6, v4) \
	[ADDR_##name] = #name,
	HOST_ADDRS(X)
#undef X
};

static int addr_by_name(const char *name, size_t len)
{
	for (int i = 0; i < NR_ADDRS; i++)
		if (strlen(addr_names[i]) == len &&
		    !strncmp(addr_names[i], name, len))
			return i;
	errno = EINVAL;
	die(name);
	return -1;
}

/* "NAME/SIZE": the prefix around a named address, with a length per family. */
static void prefix_print(char *out, size_t size, const char *word, size_t len,
			 int family)
{
	const char *slash = memchr(word, '/', len);
	bool v6 = family == AF_INET6;
	int bits = v6 ? 128 : 32;
	unsigned char addr[16];
	char text[64];

	if (!strncmp(slash, "/NET", 4))
		bits = v6 ? 64 : 24;
	else if (!strncmp(slash, "/SUB", 4))
		bits = v6 ? 80 : 28;
	inet_pton(family,
		  addr_text(addr_by_name(word, slash - word), family), addr);
	for (int i = bits; i < (v6 ? 128 : 32); i++)
		addr[i / 8] &= ~(0x80 >> i % 8);
	inet_ntop(family, addr, text, sizeof(text));
	snprintf(out, size, "%s/%d", text, bits);
}

/* Routes are written once, for both families: the words in capitals differ. */
static void expand_family(char *out, size_t size, const char *line, int family)
{
	static const char blanks[] = { ' ', '\n', '\0' };
	size_t len;

	for (; *line; line += len) {
		len = strcspn(line, blanks);
		if (!len)
			len = snprintf(out, size, "%c", *line);
		else if (memchr(line, '/', len))
			prefix_print(out, size, line, len, family);
		else
			snprintf(out, size, "%.*s", (int)len, line);
		size -= strlen(out);
		out += strlen(out);
	}
}

static void run_lines(const char *lines, int family)
{
	char text[4096];

	expand_family(text, sizeof(text), lines, family);
	ip_must(family, text);
}

/* Running: the link watcher has seen the carrier, and IPv6 has been told. */
static void wait_running(const char *dev)
{
	struct ifreq ifr = {};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct poll_until until = poll_begin();

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	while (ioctl(fd, SIOCGIFFLAGS, &ifr) || !(ifr.ifr_flags & IFF_RUNNING))
		if (!poll_again(&until))
			die(dev);
	close(fd);
}

static bool addr_has_flag(const char *hex, unsigned int flag)
{
	char line[128], addr[33];
	unsigned int flags;
	bool found = false;
	FILE *f = fopen("/proc/thread-self/net/if_inet6", "r");

	if (!f)
		die("if_inet6");
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%32s %*x %*x %*x %x", addr, &flags) == 2 &&
			!strcmp(addr, hex) && (flags & flag);
	fclose(f);
	return found;
}

static void wait_dad_failed(enum anyip6_addr addr)
{
	struct poll_until until = poll_begin();
	unsigned char raw[16];
	char hex[33];

	inet_pton(AF_INET6, addr_text(addr, AF_INET6), raw);
	for (int i = 0; i < 16; i++)
		sprintf(hex + 2 * i, "%02x", raw[i]);
	while (!addr_has_flag(hex, DAD_FAILED))
		if (!poll_again(&until))
			die("duplicate address detection");
}

/*
 * An address stays tentative while its probes last, so let them last: the
 * kernel counts up to 255. Only the duplicate one, which peer holds too, is to
 * fail at the first probe.
 */
static void host_sysctls(void)
{
	sysctl_must("net/ipv6/conf/veth0/dad_transmits", "255");
	sysctl_must("net/ipv6/neigh/veth0/retrans_time_ms", "5000");
	sysctl_must("net/ipv6/conf/veth0/router_solicitation_delay", "0");
	sysctl_must("net/ipv6/conf/veth0/optimistic_dad", "1");
	sysctl_must("net/ipv6/icmp/ratelimit", "0");
}

/* Only that it is not there is an answer: any other failure of vrf is one. */
static void vrf_new(void)
{
	have_vrf = !ip_batch(AF_UNSPEC, vrf_links);
	if (!have_vrf && !strstr(last_message, "Unknown device type")) {
		errno = EINVAL;
		die(last_message);
	}
}

static void rules_new(void)
{
	have_rules = !ip_batch(AF_INET6, local_rule);
	if (have_rules)
		run_lines(host_rules, AF_INET6);
	ip_must(AF_INET, local_rule);
	run_lines(host_rules, AF_INET);
}

static void routes_new(void)
{
	run_lines(host_routes, AF_INET6);
	run_lines(host_routes, AF_INET);
	if (!have_vrf)
		return;
	run_lines(vrf_routes, AF_INET6);
	run_lines(vrf_routes, AF_INET);
	ip_must(AF_UNSPEC, vrf_link_local);
}

static void topology_new(enum anyip6_mode mode)
{
	char links[sizeof(host_links) + 16];
	int peer = netns_new();

	topology[mode].peer = peer;
	topology[mode].host = netns_new();
	toggle_set(mode);
	snprintf(links, sizeof(links), host_links, peer);
	ip_must(AF_UNSPEC, links);
	vrf_new();

	netns_enter(peer);
	ip_must(AF_UNSPEC, peer_lines);

	netns_enter(topology[mode].host);
	host_sysctls();
	ip_must(AF_UNSPEC, "link set veth0 up\n");
	wait_running("veth0");
	ip_must(AF_UNSPEC, host_addrs);
	rules_new();
	routes_new();
	wait_dad_failed(ADDR_DADFAILED);
}

static bool needs_vrf(const struct bind_spec *spec)
{
	switch (spec->addr) {
	case ADDR_VRF_ANY:
	case ADDR_VRF_HOLE:
	case ADDR_VRF_PORT:
	case ADDR_ANY_AND_VRF_PORT:
	case ADDR_LL_VRF:
		return true;
	default:
		return spec->dev && (!strcmp(spec->dev, "vrf0") ||
				     !strcmp(spec->dev, "dummy1"));
	}
}

static bool needs_rules(const struct bind_spec *spec)
{
	switch (spec->addr) {
	case ADDR_MAIN_UNREACHABLE:
	case ADDR_RULE_UNREACHABLE:
	case ADDR_FWMARK_TABLE:
	case ADDR_RULE_TABLE:
	case ADDR_MAIN_TABLE:
		return true;
	default:
		return false;
	}
}

/* The part of the topology that a socket needs and this kernel lacks, or NULL. */
const char *topology_lacks(const struct bind_spec *spec)
{
	if (!have_vrf && needs_vrf(spec))
		return "no VRF in this kernel";
	if (!have_rules && needs_rules(spec))
		return "only one IPv6 table in this kernel";
	return NULL;
}

/* A namespace of its own for tests that change more than routes. */
int netns_any_ip(void)
{
	int fd = netns_new();

	ip_must(AF_UNSPEC, "link set lo up\n"
		 "route add local 2001:db8:a::/64 dev lo\n");
	return fd;
}

/* Modes */

bool anyip6_loaded(void)
{
	return !access("/proc/sys/" TOGGLE, F_OK);
}

enum anyip6_mode mode_by_name(const char *name)
{
	for (int i = 0; i < NR_MODES; i++)
		if (!strcmp(mode_names[i], name))
			return i;
	errno = EINVAL;
	die(name);
	return NR_MODES;
}

void enter_host(enum anyip6_mode mode)
{
	netns_enter(topology[mode].host);
}

void enter_peer(enum anyip6_mode mode)
{
	netns_enter(topology[mode].peer);
}

/* A run that was to test the module must not pass by testing a kernel without. */
static void check_expectation(bool loaded)
{
	const char *expect = getenv("ANYIP6_EXPECT");

	if (!expect || !strcmp(expect, loaded ? "loaded" : "absent"))
		return;
	printf("TAP version 13\n1..1\n"
	       "not ok 1 ANYIP6_EXPECT=%s: the module is %s\n",
	       expect, loaded ? "loaded" : "absent");
	exit(1);
}

static const char *wanted_part(void)
{
	return getenv("ANYIP6_CASE") ?: "";
}

bool case_chosen(void)
{
	return *wanted_part();
}

bool case_wanted(const char *name)
{
	return strstr(name, wanted_part());
}

int no_case(void)
{
	printf("TAP version 13\n1..0 # SKIP no name contains %s\n", wanted_part());
	return KSFT_FAIL;
}

int anyip6_main(int argc, char **argv, enum topology_need need,
		int (*harness)(int argc, char **argv))
{
	bool loaded = anyip6_loaded();
	char **args = calloc(argc + 2 * NR_MODES + 1, sizeof(*args));
	int n = 1;

	if (geteuid())
		skip_all("needs root");
	check_expectation(loaded);
	args[0] = argv[0];
	for (int mode = 0; mode < NR_MODES; mode++) {
		bool absent = mode == MODE_ABSENT;

		if (loaded == absent) {
			args[n++] = "-T";
			args[n++] = (char *)mode_names[mode];
		} else if (need != TOPOLOGY_NONE) {
			topology_new(mode);
		}
	}
	if (need == TOPOLOGY_WHOLE && !(have_vrf && have_rules))
		skip_all("the kernel lacks VRFs or has only one IPv6 table");
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	return harness(n, args);
}

/* Addresses */

static const char *const addr_texts[NR_ADDRS][2] = {
#define X(name, v6, v4) \
	[ADDR_##name] = { v6, v4 },
	HOST_ADDRS(X)
#undef X
};

const char *addr_text(enum anyip6_addr addr, int family)
{
	return addr_texts[addr][family == AF_INET];
}

socklen_t addr_fill(union sockaddr_any *sa, int family, enum anyip6_addr addr,
		    int port)
{
	memset(sa, 0, sizeof(*sa));
	sa->sa.sa_family = family;
	if (family == AF_INET) {
		inet_pton(AF_INET, addr_text(addr, family), &sa->in.sin_addr);
		sa->in.sin_port = htons(port);
		return sizeof(sa->in);
	}
	inet_pton(AF_INET6, addr_text(addr, family), &sa->in6.sin6_addr);
	sa->in6.sin6_port = htons(port);
	return sizeof(sa->in6);
}

bool addr_same(const union sockaddr_any *a, const union sockaddr_any *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
		       sizeof(a->in6.sin6_addr));
}

const char *sockaddr_text(const union sockaddr_any *sa)
{
	static char text[INET6_ADDRSTRLEN];

	if (sa->sa.sa_family == AF_INET)
		return inet_ntop(AF_INET, &sa->in.sin_addr, text, sizeof(text));
	return inet_ntop(AF_INET6, &sa->in6.sin6_addr, text, sizeof(text));
}

/* Sockets */

static int spec_family(int family, const struct bind_spec *spec)
{
	return spec->opts & OPT_FAMILY_4 ? AF_INET : family;
}

#define UNSET	-1

static const struct {
	unsigned int opt;
	int level[2], name[2];	/* IPv6, IPv4 */
} sock_options[] = {
	{ OPT_REUSEADDR, { SOL_SOCKET, SOL_SOCKET },
			 { SO_REUSEADDR, SO_REUSEADDR } },
	{ OPT_REUSEPORT, { SOL_SOCKET, SOL_SOCKET },
			 { SO_REUSEPORT, SO_REUSEPORT } },
	{ OPT_MARK,	 { SOL_SOCKET, SOL_SOCKET }, { SO_MARK, SO_MARK } },
	{ OPT_V6ONLY,	 { SOL_IPV6, UNSET }, { IPV6_V6ONLY, 0 } },
	{ OPT_FREEBIND,	 { SOL_IPV6, SOL_IP }, { IPV6_FREEBIND, IP_FREEBIND } },
	{ OPT_TRANSPARENT, { SOL_IPV6, SOL_IP },
			   { IPV6_TRANSPARENT, IP_TRANSPARENT } },
	{ OPT_FREEBIND_IP, { SOL_IP, SOL_IP }, { IP_FREEBIND, IP_FREEBIND } },
};

static int sock_set_options(int fd, int family, unsigned int opts)
{
	const int one = 1;

	for (size_t i = 0; i < sizeof(sock_options) / sizeof(*sock_options); i++) {
		int v4 = family == AF_INET;

		if ((opts & sock_options[i].opt) && sock_options[i].level[v4] != UNSET &&
		    setsockopt(fd, sock_options[i].level[v4],
			       sock_options[i].name[v4], &one, sizeof(one)))
			return -errno;
	}
	return 0;
}

int sock_open(int family, const struct bind_spec *spec)
{
	const struct timeval deadline = { .tv_sec = IO_DEADLINE };
	int fd;

	family = spec_family(family, spec);
	fd = socket(family, spec->proto.type | SOCK_CLOEXEC, spec->proto.number);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)) ||
	    sock_set_options(fd, family, spec->opts) ||
	    (spec->dev && !(spec->opts & OPT_SCOPE) &&
	     setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec->dev,
			strlen(spec->dev) + 1))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int spec_port(const struct bind_spec *spec)
{
	if (spec->opts & OPT_ANY_PORT)
		return 0;
	return spec->opts & OPT_LOW_PORT ? LOW_PORT : TEST_PORT;
}

/* A bind() that says 0 but left the socket elsewhere is EBADE. */
static int check_bound(int fd, const union sockaddr_any *want)
{
	union sockaddr_any got;
	socklen_t len = sizeof(got);
	in_port_t port = want->in6.sin6_port;

	if (getsockname(fd, &got.sa, &len))
		return -errno;
	if (!addr_same(&got, want) || !got.in6.sin6_port ||
	    (port && port != got.in6.sin6_port))
		return -EBADE;
	return 0;
}

int sock_bind(int fd, int family, const struct bind_spec *spec)
{
	union sockaddr_any sa;
	socklen_t len;

	family = spec_family(family, spec);
	len = addr_fill(&sa, family, spec->addr, spec_port(spec));
	if (spec->opts & OPT_SCOPE)
		sa.in6.sin6_scope_id = if_nametoindex(spec->dev);
	if (bind(fd, &sa.sa, len))
		return -errno;
	if (spec->opts & OPT_LISTEN && spec->proto.type != SOCK_DGRAM &&
	    listen(fd, 1))
		return -errno;
	return check_bound(fd, &sa);
}

/* A new socket, bound as the spec says. */
int sock_bound(int family, const struct bind_spec *spec)
{
	int fd = sock_open(family, spec);
	int err;

	if (fd < 0)
		return fd;
	err = sock_bind(fd, family, spec);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
