// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

#define DAD_FAILED	0x08	/* IFA_F_DADFAILED, as /proc/net/if_inet6 shows it */

/* Parts of the world that a kernel may be built without. */
static bool have_vrf, have_rules;

/*
 * Lines for ip(8), written once for both families. @NAME is one of ADDRS or of
 * other_words below. /net, /sub and /one are prefix lengths.
 */

static const char links[] =
	"link set lo up\n"
	"link add dummy0 up type dummy\n"
	"link add veth0 address 02:00:00:00:00:01 type veth peer name veth0 netns /proc/self/fd/%d\n"
	"link add veth1 type veth peer name veth1 netns /proc/self/fd/%d\n"
	"link set veth0 addrgenmode none\n"
	"link set veth1 addrgenmode none up\n";

static const char vrf_links[] =
	"link add vrf0 up type vrf table 10\n"
	"link set veth1 master vrf0\n";

/*
 * The local rule comes after an unreachable rule, as on hosts with VRFs. So the
 * FIB's own answer differs from the answer of the policy rules.
 */
static const char local_rule[] =
	"rule add pref 10 lookup local\n";

static const char rules[] =
	"rule del pref 0\n"
	"rule add pref 5 to @RULE_UNREACHABLE/sub unreachable\n"
	"rule add pref 2000 fwmark 1 lookup 100\n"
	"rule add pref 2001 lookup 101\n";

static const char other_tables[] =
	"route add local default dev lo table 100\n"
	"route add local @RULE_TABLE/net dev lo table 101\n"
	"route add local @MAIN_TABLE/net dev lo table main\n"
	"route add unreachable @MAIN_UNREACHABLE/sub table main\n";

static const char routes[] =
	"addr add @HOST/net dev veth0 @NODAD\n"
	"addr add @ANY_AND_HOST/one dev dummy0 @NODAD\n"
	"route add local @ANY/net dev lo\n"
	"route add local @DUMMY/net dev dummy0\n"
	"route add local @ON_LINK/sub dev lo\n"
	"route add unreachable @UNREACHABLE/sub table local\n"
	"route add blackhole @BLACKHOLE/sub table local\n"
	"route add prohibit @PROHIBIT/sub table local\n"
	"route add throw @THROW/sub table local\n"
	"route add @UNICAST/sub dev veth0 table local\n"
	"route add anycast @ANYCAST/sub dev lo table local\n"
	"route add unreachable @HOLE/net table local\n"
	"route add local @IN_HOLE/one dev lo\n";

static const char routes_v6[] =
	"addr add @LL_HOST/net dev veth0 nodad\n"
	"route add local @LL_ANY/one dev veth0\n"
	"route add local @LL_TWO/one dev dummy0 metric 512\n"
	"route add local @LL_TWO/one dev veth0\n"
	"route add local @LL_LO/net dev lo\n"
	"addr add @TENTATIVE/one dev veth0\n"
	"addr add @DADFAILED/one dev veth0\n"
	"addr add @OPTIMISTIC/one dev veth0 optimistic\n";

static const char vrf_routes[] =
	"addr add @VRF_PORT/net dev veth1 @NODAD\n"
	"addr add @ANY_AND_VRF_PORT/one dev veth1 @NODAD\n"
	"route add local @VRF_ANY/net dev vrf0 table 10\n"
	"route add unreachable @VRF_HOLE/sub table 10\n";

static const char vrf_routes_v6[] =
	"route add local @LL_VRF/one dev veth1 table 10\n";

static const char peer_links[] =
	"link set lo up\n"
	"link set veth0 addrgenmode none up\n"
	"link set veth1 addrgenmode none up\n";

static const char peer_routes[] =
	"addr add @PEER/net dev veth0 @NODAD\n"
	"addr add @VRF_PEER/net dev veth1 @NODAD\n"
	"route add @ALL via @HOST\n"
	"route add @VRF_ANY/net via @VRF_PORT\n"
	"route add local @OTHER_NETNS/net dev lo\n";

/*
 * The address is deprecated. Otherwise it would be the source of packets to
 * that prefix.
 */
static const char peer_v6[] =
	"addr add @DADFAILED/one dev veth0 nodad preferred_lft 0\n";

/* WORLD_MATRIX */

static const char matrix_links[] =
	"link add dummy1 up type dummy\n"
	"link set dummy0 multicast on\n";

static const char matrix_routes[] =
	"route add local @VETH/net dev veth0\n"
	"route add local @DOWN/net dev dummy1\n"
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
	"route add @FAR/net dev dummy0\n";

static const char matrix_v6[] =
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
	"addr add @LL_HOST/net dev veth1 nodad\n"
	"route add local @GROUP_ROUTED/one dev lo table local\n"
	"route add local ::ffff:0:0/96 dev lo\n"
	"nexthop add id 63 dev dummy0\n"
	"link set dummy1 down\n";

/* A group has no family, but ip -6 would give it one. */
static const char matrix_groups[] =
	"nexthop add id 64 group 61/63\n"
	"route add local @MULTIPATH/net nhid 64\n";

/* Nobody answers neighbour solicitations for an Any-IP address. */
static const char matrix_peer[] =
	"addr add fe80::2/64 dev veth0 nodad\n"
	"addr add fe80::2/64 dev veth1 nodad\n"
	"neigh add @LL_ANY lladdr 02:00:00:00:00:01 dev veth0\n";

/* Words in the lines that are not addresses. Nexthop objects have no family. */
static const struct {
	const char *word, *v6, *v4;
} other_words[] = {
	{ "ID1", "61", "41" },
	{ "ID2", "62", "42" },
	{ "NODAD", "nodad", "" },
	{ "ALL", "2001:db8::/32", "198.18.0.0/15" },
};

static const struct {
	const char *name, *v6, *v4;
} addrs[NR_ADDRS] = {
#define X(name, v6, v4) [ADDR_##name] = { #name, v6, v4 },
	ADDRS(X)
#undef X
};

const char *addr_text(enum anyip6_addr addr, int family)
{
	return family == AF_INET ? addrs[addr].v4 : addrs[addr].v6;
}

static bool is_word(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && !strncmp(name, word, len);
}

static const char *word_text(const char *word, size_t len, int family)
{
	bool v4 = family == AF_INET;

	for (int i = 0; i < NR_ADDRS; i++)
		if (is_word(addrs[i].name, word, len))
			return addr_text(i, family);
	for (size_t i = 0; i < ARRAY_SIZE(other_words); i++)
		if (is_word(other_words[i].word, word, len))
			return v4 ? other_words[i].v4 : other_words[i].v6;
	die("world: @%.*s is not known", (int)len, word);
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

/*
 * "NAME/size" is the prefix around the address. In "addr add" the address stays
 * whole.
 */
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

/* Run @lines for @family. If ip gets no family, the addresses tell it. */
static int run_lines(int ip_family, int family, const char *lines)
{
	char *text;
	size_t size, len;
	FILE *out = open_memstream(&text, &size);
	int status;

	for (; *lines; lines += len + 1) {
		len = strcspn(lines, "\n");
		print_line(out, lines, len, family);
	}
	fclose(out);
	status = ip_batch(ip_family, text);
	free(text);
	return status;
}

static void must(int family, const char *lines)
{
	if (run_lines(family, family, lines))
		die("ip: %s", ip_message());
}

static void must_both(const char *lines)
{
	must(AF_INET6, lines);
	must(AF_INET, lines);
}

/* Running means that the link watcher saw the carrier and told IPv6. */
static void wait_running(const char *dev)
{
	struct ifreq ifr = {};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct poll_until until = poll_begin();

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	while (ioctl(fd, SIOCGIFFLAGS, &ifr) || !(ifr.ifr_flags & IFF_RUNNING))
		if (!poll_again(&until))
			die_errno(dev);
	close(fd);
}

static bool addr_has_flag(const char *hex, unsigned int flag)
{
	char line[128], addr[33];
	unsigned int flags;
	bool found = false;
	FILE *f = fopen("/proc/thread-self/net/if_inet6", "r");

	if (!f)
		die_errno("if_inet6");
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
			die_errno("duplicate address detection");
}

/*
 * An address stays tentative while its probes last. The kernel counts up to
 * 255, so the probes last long. Only the duplicate address, which peer has too,
 * must fail at the first probe.
 */
static void host_sysctls(void)
{
	sysctl_must("net/ipv6/conf/veth0/dad_transmits", "255");
	sysctl_must("net/ipv6/neigh/veth0/retrans_time_ms", "10000");
	sysctl_must("net/ipv6/conf/veth0/router_solicitation_delay", "0");
	sysctl_must("net/ipv6/conf/veth0/optimistic_dad", "1");
	sysctl_must("net/ipv6/icmp/ratelimit", "0");
}

/*
 * Only "vrf does not exist" counts as an answer. Any other failure of vrf ends
 * the test.
 */
static void vrf_new(void)
{
	have_vrf = !ip_batch(AF_UNSPEC, vrf_links);
	if (!have_vrf && !strstr(ip_message(), "Unknown device type"))
		die("%s", ip_message());
}

static void rules_new(void)
{
	have_rules = !ip_batch(AF_INET6, local_rule);
	if (have_rules)
		must(AF_INET6, rules);
	must(AF_INET, local_rule);
	must(AF_INET, rules);
}

static void peer_new(const struct world *w, unsigned int parts)
{
	netns_enter(w->peer);
	ip_must(AF_UNSPEC, peer_links);
	must_both(peer_routes);
	must(AF_INET6, peer_v6);
	if (parts & WORLD_MATRIX)
		must(AF_INET6, matrix_peer);
}

static void host_routes(unsigned int parts)
{
	must_both(routes);
	must(AF_INET6, routes_v6);
	if (have_rules)
		must(AF_INET6, other_tables);
	must(AF_INET, other_tables);
	if (!have_vrf || parts & WORLD_MERGED)
		return;
	must_both(vrf_routes);
	must(AF_INET6, vrf_routes_v6);
}

static void host_matrix(void)
{
	ip_must(AF_UNSPEC, matrix_links);
	must_both(matrix_routes);
	must(AF_INET6, matrix_v6);
	if (run_lines(AF_UNSPEC, AF_INET6, matrix_groups))
		die("ip: %s", ip_message());
}

struct world world_new(unsigned int parts)
{
	char lines[sizeof(links) + 32];
	struct world w;

	w.peer = netns_new();
	w.host = netns_new();
	snprintf(lines, sizeof(lines), links, w.peer, w.peer);
	ip_must(AF_UNSPEC, lines);
	if (!(parts & WORLD_MERGED))
		vrf_new();
	peer_new(&w, parts);
	netns_enter(w.host);
	host_sysctls();
	ip_must(AF_UNSPEC, "link set veth0 up\n");
	wait_running("veth0");
	if (!(parts & WORLD_MERGED))
		rules_new();
	host_routes(parts);
	if (parts & WORLD_MATRIX)
		host_matrix();
	wait_dad_failed(ADDR_DADFAILED);
	return w;
}

bool dev_in_vrf(const char *dev)
{
	return !strcmp(dev, "vrf0") || !strcmp(dev, "veth1");
}

static bool needs_vrf(enum anyip6_addr addr, const char *dev)
{
	switch (addr) {
	case ADDR_VRF_ANY:
	case ADDR_VRF_HOLE:
	case ADDR_VRF_PORT:
	case ADDR_ANY_AND_VRF_PORT:
	case ADDR_LL_VRF:
		return true;
	default:
		return dev && dev_in_vrf(dev);
	}
}

static bool needs_rules(enum anyip6_addr addr)
{
	switch (addr) {
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

const char *world_lacks(enum anyip6_addr addr, const char *dev)
{
	if (!have_vrf && needs_vrf(addr, dev))
		return "no VRF in this kernel";
	if (!have_rules && needs_rules(addr))
		return "only one IPv6 table in this kernel";
	return NULL;
}

bool world_is_whole(void)
{
	return have_vrf && have_rules;
}

int netns_any_ip(void)
{
	int fd = netns_new();

	ip_must(AF_UNSPEC, "link set lo up\n"
		"route add local 2001:db8:a::/64 dev lo\n");
	return fd;
}
