// SPDX-License-Identifier: GPL-2.0
/*
 * The namespaces of the parity matrix. They have no names, so they go with the
 * program.
 *
 *    host                                        peer
 *    lo      Any-IP prefixes                     lo     Any-IP of another netns
 *    dummy0  Any-IP prefix, configured address
 *    dummy1  Any-IP prefix, then set down
 *    veth0   2001:db8:1::1/64  192.0.2.1/24 ---- veth0  ...::2  192.0.2.2
 *    vrf0    table 10, its port:
 *    veth1   2001:db8:2::1/64  192.0.3.1/24 ---- veth1  ...::2  192.0.3.2
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kselftest.h"
#include "anyip6.h"
#include "parity.h"

#define DAD_FAILED	0x08	/* IFA_F_DADFAILED, as /proc/net/if_inet6 shows it */
#define DAD_DEADLINE	10	/* seconds */

/* The second: IPv4 has no policy rule, so no VRF either, which brings one. */
static struct topo {
	int host, peer;
} topos[2], *topo = &topos[0];

void die(const char *fmt, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(KSFT_FAIL);
}

static const char links[] =
	"link set lo up\n"
	"link add dummy0 up type dummy\n"
	"link add dummy1 up type dummy\n"
	"link add veth0 address 02:00:00:00:00:01 type veth peer name veth0 netns /proc/self/fd/%d\n"
	"link add veth1 type veth peer name veth1 netns /proc/self/fd/%d\n"
	"link set veth0 addrgenmode none up\n"
	"link set veth1 addrgenmode none up\n"
	"link set dummy0 multicast on\n";

static const char vrf_links[] =
	"link add vrf0 up type vrf table 10\n"
	"link set veth1 master vrf0\n";

/*
 * For both families: @NAME is the address of a class; /net, /sub and /one are
 * prefix lengths. The local rule goes behind an unreachable one, as hosts with
 * VRFs have it: the table's answer and that of the policy rules then differ.
 */
static const char host_rules[] =
	"rule add pref 10 lookup local\n"
	"rule del pref 0\n"
	"rule add pref 5 to @RULE_UNREACHABLE/sub unreachable\n"
	"rule add pref 2000 fwmark 1 lookup 100\n"
	"rule add pref 2001 lookup 101\n";

static const char host_routes[] =
	"route add local default dev lo table 100\n"
	"route add local @RULE_TABLE/net dev lo table 101\n"
	"route add local @MAIN_TABLE/net dev lo table main\n"
	"route add local @ANY/net dev lo\n"
	"route add local @DUMMY/net dev dummy0\n"
	"route add local @VETH/net dev veth0\n"
	"route add local @DOWN/net dev dummy1\n"
	"route add unreachable @UNREACHABLE/sub table local\n"
	"route add blackhole @BLACKHOLE/sub table local\n"
	"route add prohibit @PROHIBIT/sub table local\n"
	"route add throw @THROW/sub table local\n"
	"route add @UNICAST/sub dev veth0 table local\n"
	"route add anycast @ANYCAST/sub dev lo table local\n"
	"route add unreachable @HOLE/net table local\n"
	"route add local @IN_HOLE/one dev lo\n"
	"route add unreachable @IN_MAIN_HOLE/sub table main\n"
	"nexthop add id @ID1 dev lo\n"
	"nexthop add id @ID2 blackhole\n"
	"route add local @NHID/net nhid @ID1\n"
	"route add local @NHID_BLACKHOLE/net nhid @ID2\n"
	"route add local @TWO_DEVS/net dev lo\n"
	"route append local @TWO_DEVS/net dev dummy0\n"
	"route add local @METRIC_WON/net dev lo metric 100\n"
	"route add unreachable @METRIC_WON/net table local metric 200\n"
	"route add unreachable @METRIC_LOST/net table local metric 100\n"
	"route add local @METRIC_LOST/net dev lo metric 200\n"
	"route add local @ORDER_WON/net dev dummy0\n"
	"route append unreachable @ORDER_WON/net table local\n"
	"route add unreachable @ORDER_LOST/net table local\n"
	"route append local @ORDER_LOST/net dev dummy0\n"
	"route add @NHID_REJECT/sub nhid @ID2 table local\n"
	"route add local @NHID_BESIDE/net dev lo\n"
	"route append @NHID_BESIDE/net nhid @ID2 table local\n"
	"addr add @ANY_CONFIGURED/one dev dummy0 @NODAD\n"
	"addr add @CONFIGURED/net dev veth0 @NODAD\n"
	"route add @FAR/net dev dummy0\n";

static const char vrf_routes[] =
	"addr add @VRF_CONFIGURED/net dev veth1 @NODAD\n"
	"route add local @VRF_ANY/net dev vrf0 table 10\n"
	"route add unreachable @VRF_HOLE/sub table 10\n";

/* The groups and multipath of nexthop objects are in topo_host(). */
static const char host_v6[] =
	ONE_TABLE_RULES("255")
	ONE_TABLE_RULES("10")
	"route add @PREF_WON/net dev veth0 table local\n"
	"route append local @PREF_WON/net dev lo pref high\n"
	"route add local @PREF_LOST/net dev dummy0 pref low\n"
	"route append unreachable @PREF_LOST/net table local\n"
	"route add local @FROM_ANY/net from ::/1 dev lo\n"
	"route add local @FROM_OTHER/net from 2001:db8:2f::/64 dev lo\n"
	"route add local @FROM_BESIDE/net dev lo\n"
	"route add local @FROM_BESIDE/net from 2001:db8:2f::/64 dev lo\n"
	"addr add fe80::1/64 dev veth0 nodad\n"
	"addr add fe80::1/64 dev veth1 nodad\n"
	"route add local fe80::1234/128 dev veth0\n"
	"route add local ff05::4244/128 dev lo table local\n"
	"route add local ::ffff:0:0/96 dev lo\n"
	"nexthop add id 63 dev dummy0\n"
	"addr add 2001:db8:a:0:7::1/128 dev veth0\n"
	"addr add 2001:db8:a:0:7::2/128 dev veth0\n"
	"link set dummy1 down\n";

static const char peer_links[] =
	"link set lo up\n"
	"link set veth0 addrgenmode none up\n"
	"link set veth1 addrgenmode none up\n";

static const char peer_routes[] =
	"addr add @PEER/net dev veth0 @NODAD\n"
	"addr add @VRF_PEER/net dev veth1 @NODAD\n"
	"route add @ALL via @CONFIGURED\n"
	"route add @VRF_ANY/net via @VRF_CONFIGURED\n"
	"route add local @OTHER_NETNS/net dev lo\n";

static const char peer_v6[] =
	"addr add fe80::2/64 dev veth0 nodad\n"
	"addr add fe80::2/64 dev veth1 nodad\n"
	/* deprecated, or it would be the source of what goes to that prefix */
	"addr add 2001:db8:a:0:7::2/128 dev veth0 nodad preferred_lft 0\n"
	/* Nobody answers a neighbour solicitation for an Any-IP address. */
	"neigh add fe80::1234 lladdr 02:00:00:00:00:01 dev veth0\n";

/* Words of the template that are not a class. The identifiers are shared. */
static const struct {
	const char *word, *v6, *v4;
} other_words[] = {
	{ "ID1", "61", "41" },
	{ "ID2", "62", "42" },
	{ "NODAD", "nodad", "" },
	{ "VRF_PEER", "2001:db8:2::2", "192.0.3.2" },
	{ "ALL", "2001:db8::/32", "198.18.0.0/15" },
	{ "FAR", "2001:db8:d0::1", "198.51.100.1" },
};

static const char *const class_words[NR_CLASSES] = {
#define X(name, text, v6, v4) [C_##name] = #name,
	CLASSES(X)
#undef X
};

static const char *word_text(const char *word, size_t len, int family)
{
	bool v4 = family == AF_INET;

	for (int i = 0; i < NR_CLASSES; i++)
		if (strlen(class_words[i]) == len &&
		    !strncmp(class_words[i], word, len))
			return class_text[i][v4];
	for (size_t i = 0; i < ARRAY_LEN(other_words); i++)
		if (strlen(other_words[i].word) == len &&
		    !strncmp(other_words[i].word, word, len))
			return v4 ? other_words[i].v4 : other_words[i].v6;
	die("topology: @%.*s is not known", (int)len, word);
}

static int prefix_len(const char *size, int family)
{
	bool v4 = family == AF_INET;

	if (!strncmp(size, "net", 3))
		return v4 ? 24 : 64;
	if (!strncmp(size, "sub", 3))
		return v4 ? 28 : 80;
	return v4 ? 32 : 128;
}

/* "@NAME/size": the prefix around the address; of "addr add" it stays whole. */
static void print_word(FILE *out, const char *word, size_t len, int family,
		       bool whole)
{
	const char *slash = memchr(word, '/', len);
	const char *addr = word_text(word, slash ? (size_t)(slash - word) : len,
				     family);
	unsigned char raw[16];
	char text[64];
	int bits;

	if (!slash) {
		fputs(addr, out);
		return;
	}
	bits = prefix_len(slash + 1, family);
	inet_pton(family, addr, raw);
	for (int i = bits; !whole && i < (family == AF_INET ? 32 : 128); i++)
		raw[i / 8] &= ~(0x80 >> i % 8);
	fprintf(out, "%s/%d", inet_ntop(family, raw, text, sizeof(text)), bits);
}

/* One line of a template; "addr add" keeps its addresses whole. */
static void print_line(FILE *out, const char *line, size_t len, int family)
{
	bool whole = !strncmp(line, "addr", 4);
	const char *end = line + len;

	while (line < end) {
		len = strcspn(line, "@\n");
		fwrite(line, 1, len, out);
		line += len;
		if (*line != '@')
			break;
		len = strcspn(++line, "\n ");
		print_word(out, line, len, family, whole);
		line += len;
	}
	fputc('\n', out);
}

void topo_batch(int family, const char *lines)
{
	FILE *ip;
	size_t len;

	fflush(stdout);
	ip = popen(family == AF_INET6 ? "exec ip -6 -batch - >&2" :
		   "exec ip -4 -batch - >&2", "w");
	if (!ip)
		die("ip -batch: %s", strerror(errno));
	for (; *lines; lines += len + 1) {
		len = strcspn(lines, "\n");
		print_line(ip, lines, len, family);
	}
	if (pclose(ip))
		die("ip -batch: a line of the topology was refused");
}

static void must_write(const char *path, const char *value)
{
	int err = sysctl_write(path, value);

	if (err)
		die("%s: %s", path, strerror(-err));
}

static bool dad_has_failed(void)
{
	static const char addr[] = "20010db8000a00000007000000000002";
	unsigned int flags = 0;
	char line[128];
	FILE *f = fopen("/proc/thread-self/net/if_inet6", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, addr, strlen(addr)))
			sscanf(line, "%*s %*s %*s %*s %x", &flags);
	if (f)
		fclose(f);
	return flags & DAD_FAILED;
}

static void wait_for_dad(void)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	time_t deadline = time(NULL) + DAD_DEADLINE;

	while (!dad_has_failed()) {
		if (time(NULL) > deadline)
			die("duplicate address detection found no duplicate");
		nanosleep(&pause, NULL);
	}
}

/* Fast Open in both roles, without a cookie; ping sockets for everyone. */
static void common_sysctls(void)
{
	char ports[32];

	snprintf(ports, sizeof(ports), "%d 65535", LAST_PORT + 1);
	must_write("net/ipv4/ip_local_port_range", ports);
	must_write("net/ipv4/tcp_fastopen", "519");
	must_write("net/ipv4/ping_group_range", "0 2147483647");
}

/*
 * An address stays tentative while its probes last, so let them last; only
 * the duplicate, which peer holds too, is to fail at the first probe.
 */
static void host_sysctls(void)
{
	common_sysctls();
	/* the most that the kernel's counter of probes holds */
	must_write("net/ipv6/conf/veth0/dad_transmits", "255");
	must_write("net/ipv6/neigh/veth0/retrans_time_ms", "10000");
	must_write("net/ipv6/conf/veth0/router_solicitation_delay", "0");
}

static void topo_peer(void)
{
	netns_enter(topo->peer);
	common_sysctls();
	topo_batch(AF_INET6, peer_links);
	topo_batch(AF_INET6, peer_routes);
	topo_batch(AF_INET, peer_routes);
	topo_batch(AF_INET6, peer_v6);
}

static void topo_host(void)
{
	netns_enter(topo->host);
	host_sysctls();
	topo_batch(AF_INET6, host_routes);
	topo_batch(AF_INET, host_routes);
	topo_batch(AF_INET6, host_v6);
	/* A group has no family, and -6 gives it one. */
	if (ip_run("nexthop add id 64 group 61/63") ||
	    ip_run("-6 route add local 2001:db8:19::/64 nhid 64"))
		die("ip: %s", ip_message());
	wait_for_dad();
}

static void topo_rules(void)
{
	topo_batch(AF_INET6, vrf_links);
	topo_batch(AF_INET6, host_rules);
	topo_batch(AF_INET, host_rules);
	topo_batch(AF_INET6, vrf_routes);
	topo_batch(AF_INET, vrf_routes);
}

static void topo_new(bool merged)
{
	char lines[sizeof(links) + 32];

	topo_choose(merged);
	topo->peer = netns_new();
	topo->host = netns_new();
	snprintf(lines, sizeof(lines), links, topo->peer, topo->peer);
	topo_batch(AF_INET6, lines);
	if (!merged)
		topo_rules();
	topo_peer();
	topo_host();
}

void topo_setup(void)
{
	topo_new(false);
}

/* As well; topo_choose() says in which one the next case runs. */
void topo_setup_merged(void)
{
	topo_new(true);
	topo_choose(false);
}

void topo_choose(bool merged)
{
	topo = &topos[merged];
}

void topo_enter_host(void)
{
	netns_enter(topo->host);
}

void topo_enter_peer(void)
{
	netns_enter(topo->peer);
}

void topo_nonlocal(bool on)
{
	must_write("net/ipv6/ip_nonlocal_bind", on ? "1" : "0");
	must_write("net/ipv4/ip_nonlocal_bind", on ? "1" : "0");
}
