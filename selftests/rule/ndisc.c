// SPDX-License-Identifier: GPL-2.0
/*
 * Neighbour solicitations for the addresses of an Any-IP prefix that is on the
 * link. The peer asks, and sees what comes back.
 *
 *    host                                   peer
 *    lo     2001:db8:1::/64, local
 *    veth0  fe80::1, fe80::3 -------------- veth0  2001:db8:1::2, fe80::2
 *    vrf0   2001:db8:f::/64, local; port:
 *    veth1  fe80::1, fe80::3 -------------- veth1  2001:db8:f::2, fe80::2
 *
 * IPv4 has the same routes. It answers ARP for them and needs no module, so it
 * is the judge. Where it rightly differs, the row says why.
 *
 * The peer sends its packets by hand and asks for fe80::3 after each. The host
 * takes packets in their order. So a packet without an answer until then gets
 * none.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <sched.h>
#include <time.h>

#include "counts.h"
#include "harness.h"

#define ANY_IP		"2001:db8:1::9"
#define CARVED_OUT	"2001:db8:1::bad"
#define LAST		"fe80::3"
#define ADDRESSES	1000
#define DELAY		"net/ipv6/neigh/veth0/proxy_delay"
#define DEFAULT_DELAY	"80"	/* hundredths of a second */
/* The kernel queues at most 64 answers to be delayed (proxy_qlen). */
#define WINDOW		32

static const unsigned char host_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
static const unsigned char peer_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

static int host, peer;

/* The world */

static const char links[] =
	"link add veth0 type veth peer name veth0 netns /proc/self/fd/%d\n"
	"link add veth1 type veth peer name veth1 netns /proc/self/fd/%d\n";

static const char host_lines[] =
	"link set lo up\n"
	"link add dummy0 up type dummy\n"
	"link add vrf0 up type vrf table 10\n"
	"link set veth1 master vrf0\n"
	"link set veth0 address 02:00:00:00:00:01 addrgenmode none up\n"
	"link set veth1 address 02:00:00:00:00:01 addrgenmode none up\n"
	"addr add fe80::1/64 dev veth0 nodad\n"
	"addr add fe80::3/64 dev veth0 nodad\n"
	"addr add fe80::1/64 dev veth1 nodad\n"
	"addr add fe80::3/64 dev veth1 nodad\n"
	"route add local 2001:db8:1::/64 dev lo\n"
	"route add local 192.0.2.0/24 dev lo\n"
	"route add 2001:db8:1::2/128 dev veth0 table local\n"
	"route add 192.0.2.2/32 dev veth0 table local\n"
	"route add unreachable 2001:db8:1::bad/128 table local\n"
	"route add unreachable 192.0.2.66/32 table local\n"
	"route add local fe80::1234/128 dev veth0\n"
	"route add local 2001:db8:f::/64 dev vrf0 table 10\n"
	"route add local 203.0.113.0/24 dev vrf0 table 10\n"
	"route add 2001:db8:f::2/128 dev veth1 table 10\n"
	"route add 203.0.113.2/32 dev veth1 table 10\n";

static const char peer_lines[] =
	"link set lo up\n"
	"link set veth0 address 02:00:00:00:00:02 addrgenmode none up\n"
	"link set veth1 address 02:00:00:00:00:02 addrgenmode none up\n"
	"addr add 2001:db8:1::2/64 dev veth0 nodad\n"
	"addr add fe80::2/64 dev veth0 nodad\n"
	"addr add 2001:db8:f::2/64 dev veth1 nodad\n"
	"addr add fe80::2/64 dev veth1 nodad\n";

static void world_make(void)
{
	char lines[sizeof(links) + 32];

	peer = netns_new();
	host = netns_new();
	snprintf(lines, sizeof(lines), links, peer, peer);
	ip_must(AF_UNSPEC, lines);
	netns_enter(peer);
	sysctl_must("net/ipv6/conf/veth0/router_solicitation_delay", "0");
	ip_must(AF_UNSPEC, peer_lines);
	netns_enter(host);
	ip_must(AF_UNSPEC, host_lines);
}

/* All three switches are on if the module is loaded with ndisc=1. */
static void switches_set(enum anyip6_mode mode)
{
	netns_enter(host);
	toggle_set(mode);
	sysctl_must("net/ipv6/conf/all/proxy_ndp", "0");
	sysctl_must("net/ipv6/conf/veth0/proxy_ndp", "1");
	sysctl_must("net/ipv6/conf/veth1/proxy_ndp", "1");
	sysctl_must(DELAY, "0");
	sysctl_must("net/ipv6/neigh/veth1/proxy_delay", "0");
}

/* Packets by hand */

struct wire {
	int fd, dev;
};

struct packet {
	struct ip6_hdr ip;
	union {
		struct icmp6_hdr icmp;
		struct nd_neighbor_solicit ns;
		struct nd_neighbor_advert na;
		struct udphdr udp;
	};
	struct {
		struct nd_opt_hdr hdr;
		unsigned char mac[ETH_ALEN];
	} option;
};

/* What the peer got: neighbour advertisements, and replies of ARP. */
struct seen {
	int advertisements, arp;
	struct packet last;
};

/* A test does not wait longer for a packet. */
static void set_patience(int fd)
{
	const struct timeval patience = { .tv_sec = 10 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die_errno("SO_RCVTIMEO");
}

static struct in6_addr ip6(const char *text)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET6, text, &addr) != 1)
		die("%s is no address", text);
	return addr;
}

static bool same(const struct in6_addr *a, const char *b)
{
	const struct in6_addr addr = ip6(b);

	return !memcmp(a, &addr, sizeof(addr));
}

/* The peer's end of the link @dev. */
static struct wire wire_open(const char *dev)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	};
	struct wire w;

	netns_enter(peer);
	sll.sll_ifindex = if_nametoindex(dev);
	w = (struct wire) { socket(AF_PACKET, SOCK_DGRAM, 0), sll.sll_ifindex };
	if (bind(w.fd, (struct sockaddr *)&sll, sizeof(sll)))
		die_errno(dev);
	set_patience(w.fd);
	netns_enter(host);
	return w;
}

static void wire_send(const struct wire *w, int protocol, const unsigned char *mac,
		      const void *data, size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(protocol),
		.sll_ifindex = w->dev, .sll_halen = ETH_ALEN,
	};

	memcpy(to.sll_addr, mac, ETH_ALEN);
	if (sendto(w->fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die_errno("packet socket");
}

static unsigned int sum(const void *data, size_t len)
{
	unsigned int all = 0;
	unsigned short word;

	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, (const char *)data + i, sizeof(word));
		all += word;
	}
	return all;
}

static unsigned short checksum(const struct packet *p, size_t len)
{
	unsigned int all = htons(len) + htons(p->ip.ip6_nxt) +
			   sum(&p->ip.ip6_src, 2 * sizeof(struct in6_addr)) +
			   sum(&p->icmp, len);

	while (all >> 16)
		all = (all & 0xffff) + (all >> 16);
	return ~all;
}

static struct packet packet_to(const struct in6_addr *from, const struct in6_addr *to,
			       int protocol, int hop_limit)
{
	struct packet p = {};

	p.ip.ip6_flow = htonl(6U << 28);
	p.ip.ip6_nxt = protocol;
	p.ip.ip6_hlim = hop_limit;
	p.ip.ip6_src = *from;
	p.ip.ip6_dst = *to;
	return p;
}

/* Sends @len bytes after the IPv6 header. */
static void packet_send(const struct wire *w, struct packet *p, size_t len)
{
	unsigned char mac[ETH_ALEN] = { 0x33, 0x33 };

	p->ip.ip6_plen = htons(len);
	if (p->ip.ip6_nxt == IPPROTO_UDP)
		p->udp.check = checksum(p, len);
	else
		p->icmp.icmp6_cksum = checksum(p, len);
	if (IN6_IS_ADDR_MULTICAST(&p->ip.ip6_dst))
		memcpy(mac + 2, &p->ip.ip6_dst.s6_addr[12], 4);
	else
		memcpy(mac, host_mac, ETH_ALEN);
	wire_send(w, ETH_P_IPV6, mac, p, sizeof(p->ip) + len);
}

static struct in6_addr group_of(const struct in6_addr *addr)
{
	struct in6_addr group = ip6("ff02::1:ff00:0");

	memcpy(group.s6_addr + 13, addr->s6_addr + 13, 3);
	return group;
}

/* Asks for @target, by a packet to it or to its group. The source :: detects a duplicate. */
static void solicit(const struct wire *w, const char *source,
		    const struct in6_addr *target, bool unicast)
{
	const struct in6_addr from = ip6(source), group = group_of(target);
	struct packet p = packet_to(&from, unicast ? target : &group, IPPROTO_ICMPV6, 255);

	p.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	p.ns.nd_ns_target = *target;
	p.option.hdr.nd_opt_type = ND_OPT_SOURCE_LINKADDR;
	p.option.hdr.nd_opt_len = 1;
	memcpy(p.option.mac, peer_mac, ETH_ALEN);
	packet_send(w, &p, sizeof(p.ns) + (IN6_IS_ADDR_UNSPECIFIED(&from) ? 0 : sizeof(p.option)));
}

/* Returns the protocol of the next packet for the peer, or 0 if none comes. */
static int wire_receive(const struct wire *w, void *data, size_t size)
{
	struct sockaddr_ll from;
	socklen_t len;

	do {
		len = sizeof(from);
		memset(data, 0, size);
		if (recvfrom(w->fd, data, size, 0, (struct sockaddr *)&from, &len) < 0)
			return 0;
	} while (from.sll_pkttype == PACKET_OUTGOING);
	return ntohs(from.sll_protocol);
}

static bool is_advertisement(const struct packet *p)
{
	return p->ip.ip6_nxt == IPPROTO_ICMPV6 &&
	       p->na.nd_na_type == ND_NEIGHBOR_ADVERT;
}

/* What came until the answer for LAST. @ended: that answer came. */
static struct seen wire_seen(const struct wire *w, bool *ended)
{
	const struct in6_addr last = ip6(LAST);
	struct seen seen = {};
	union {
		struct packet ip6;
		struct ether_arp arp;
	} in;
	int protocol;

	solicit(w, "fe80::2", &last, false);
	*ended = false;
	while ((protocol = wire_receive(w, &in, sizeof(in)))) {
		if (protocol == ETH_P_ARP)
			seen.arp += ntohs(in.arp.ea_hdr.ar_op) == ARPOP_REPLY;
		if (protocol != ETH_P_IPV6 || !is_advertisement(&in.ip6))
			continue;
		*ended = !memcmp(&in.ip6.na.nd_na_target, &last, sizeof(last));
		if (*ended)
			break;
		seen.advertisements++;
		seen.last = in.ip6;
	}
	return seen;
}

/* A link drops packets at first, until the kernel has seen its carrier. */
static void wait_link(const char *dev)
{
	const struct timeval patience = { .tv_usec = 100 * 1000 };
	struct poll_until until = poll_begin();
	struct wire w = wire_open(dev);
	bool ended;

	setsockopt(w.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	do {
		wire_seen(&w, &ended);
	} while (!ended && poll_again(&until));
	if (!ended)
		die("%s: the host does not answer for " LAST, dev);
	close(w.fd);
}

/* Counters of the host */

/* All are 0 without the module. */
static struct counts counts_now(void)
{
	return access(COUNTERS, F_OK) ? (struct counts) {} : counts_must();
}

/* How many solicitations the host has answered or ignored since @before. */
static int counted_since(const struct counts *before, int counter)
{
	return counts_now().of[counter] - before->of[counter];
}

/* Who is asked for. Each row has its IPv4 counterpart, or NULL. */

enum verdict {
	OWN,		/* configured: the kernel answers itself */
	ANSWERED,
	IGNORED,
	NOT_HERE,	/* ignored; a packet to the address itself does not arrive */
	UNASKED,	/* the module is not asked */
};

struct neighbour_case {
	const char *dev, *ip6, *ip4;
	enum verdict verdict;	/* in mode ndisc */
	bool arp, arp_probe;	/* the answer of IPv4, and to a probe for a duplicate */
	const char *setup, *undo;
};

enum how { IN_PREFIX, LINK_LOCAL, UNICAST, UNICAST_LINK_LOCAL, DUPLICATE, NR_HOWS };

static bool is_unicast(enum how how)
{
	return how == UNICAST || how == UNICAST_LINK_LOCAL;
}

static bool in_vrf(const char *dev)
{
	return !strcmp(dev, "veth1");
}

static const char *how_source(enum how how, const char *dev)
{
	if (how == DUPLICATE)
		return "::";
	if (how == LINK_LOCAL || how == UNICAST_LINK_LOCAL)
		return "fe80::2";
	return in_vrf(dev) ? "2001:db8:f::2" : "2001:db8:1::2";
}

static bool is_answered(enum anyip6_mode mode, const struct neighbour_case *c)
{
	return c->verdict == OWN || (mode == MODE_NDISC && c->verdict == ANSWERED);
}

static bool is_ignored(enum anyip6_mode mode, const struct neighbour_case *c,
		       enum how how)
{
	return mode == MODE_NDISC &&
	       (c->verdict == IGNORED || (c->verdict == NOT_HERE && !is_unicast(how)));
}

/* An answer for an Any-IP address does not override, like one for an anycast address. */
static unsigned int flags_of(const struct neighbour_case *c, enum how how)
{
	const bool overrides = c->verdict == OWN && !is_unicast(how);

	return (how == DUPLICATE ? 0 : ND_NA_FLAG_SOLICITED) |
	       (overrides ? ND_NA_FLAG_OVERRIDE : 0);
}

static void check_advertisement(struct __test_metadata *_metadata,
				const struct packet *p, const struct neighbour_case *c,
				enum how how)
{
	EXPECT_EQ(true, same(&p->na.nd_na_target, c->ip6));
	EXPECT_EQ(flags_of(c, how), p->na.nd_na_flags_reserved);
	EXPECT_EQ(true, IN6_IS_ADDR_LINKLOCAL(&p->ip.ip6_src)) {
		TH_LOG("how %d", how);
	}
	EXPECT_EQ(255, p->ip.ip6_hlim);
	if (how == DUPLICATE)
		EXPECT_EQ(true, same(&p->ip.ip6_dst, "ff02::1"));
	if (!is_unicast(how)) {
		EXPECT_EQ(ND_OPT_TARGET_LINKADDR, p->option.hdr.nd_opt_type);
		EXPECT_EQ(0, memcmp(host_mac, p->option.mac, ETH_ALEN));
	}
}

static void neighbour_ask(struct __test_metadata *_metadata, const struct wire *w,
			  const struct neighbour_case *c, enum how how)
{
	enum anyip6_mode mode = mode_by_name(_metadata->name);
	const bool answered = is_answered(mode, c);
	const struct in6_addr target = ip6(c->ip6);
	const struct counts before = counts_now();
	struct seen seen;
	bool ended;

	solicit(w, how_source(how, c->dev), &target, is_unicast(how));
	seen = wire_seen(w, &ended);
	ASSERT_EQ(true, ended);
	EXPECT_EQ(answered, seen.advertisements) {
		TH_LOG("%s, how %d", c->ip6, how);
	}
	EXPECT_EQ(answered && c->verdict == ANSWERED, counted_since(&before, COUNT_NDISC_YES)) {
		TH_LOG("%s, how %d: Anyip6NdiscAnswered", c->ip6, how);
	}
	EXPECT_EQ(is_ignored(mode, c, how), counted_since(&before, COUNT_NDISC_NO)) {
		TH_LOG("%s, how %d: Anyip6NdiscIgnored", c->ip6, how);
	}
	if (seen.advertisements)
		check_advertisement(_metadata, &seen.last, c, how);
}

/* The sender is 0.0.0.0 in a probe for a duplicate (RFC 5227). */
static void neighbour_arp(struct __test_metadata *_metadata, const struct wire *w,
			  const struct neighbour_case *c, const char *source, bool answered)
{
	static const unsigned char all[ETH_ALEN] = { 255, 255, 255, 255, 255, 255 };
	struct ether_arp arp = {
		.ea_hdr = {
			.ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETH_P_IP),
			.ar_hln = ETH_ALEN, .ar_pln = 4, .ar_op = htons(ARPOP_REQUEST),
		},
	};
	struct seen seen;
	bool ended;

	memcpy(arp.arp_sha, peer_mac, ETH_ALEN);
	inet_pton(AF_INET, source, arp.arp_spa);
	inet_pton(AF_INET, c->ip4, arp.arp_tpa);
	wire_send(w, ETH_P_ARP, all, &arp, sizeof(arp));
	seen = wire_seen(w, &ended);
	ASSERT_EQ(true, ended);
	EXPECT_EQ(answered, seen.arp) {
		TH_LOG("%s, from %s", c->ip4, source);
	}
}

FIXTURE(neighbour) {
	struct wire wire;
};

FIXTURE_VARIANT(neighbour) { struct neighbour_case c; };

FIXTURE_SETUP(neighbour)
{
	switches_set(mode_by_name(_metadata->name));
	self->wire = wire_open(variant->c.dev);
	if (variant->c.setup)
		ip_must(AF_UNSPEC, variant->c.setup);
}

FIXTURE_TEARDOWN(neighbour)
{
	if (variant->c.undo)
		ip_must(AF_UNSPEC, variant->c.undo);
}

static void neighbour_check(struct __test_metadata *_metadata, const struct wire *w,
			    const struct neighbour_case *c)
{
	for (enum how how = 0; how < NR_HOWS; how++)
		neighbour_ask(_metadata, w, c, how);
	if (!c->ip4)
		return;
	neighbour_arp(_metadata, w, c, in_vrf(c->dev) ? "203.0.113.2" : "192.0.2.2", c->arp);
	neighbour_arp(_metadata, w, c, "0.0.0.0", c->arp_probe);
}

#define TEST_NEIGHBOUR(mode)						\
	TEST_F(neighbour, mode)						\
	{								\
		neighbour_check(_metadata, &self->wire, &variant->c);	\
	}

TEST_NEIGHBOUR(absent)
TEST_NEIGHBOUR(off)
TEST_NEIGHBOUR(on)
TEST_NEIGHBOUR(ndisc)

#define NEIGHBOUR(name, ...)						\
	FIXTURE_VARIANT_ADD(neighbour, name) { .c = { __VA_ARGS__ } }

#define YES	true, true
#define NO	false, false
#define NO_ARP	NULL

/*                       dev      IPv6              IPv4           verdict   ARP */
NEIGHBOUR(any,		"veth0", ANY_IP,	   "192.0.2.9",	  ANSWERED, YES);
NEIGHBOUR(unreachable,	"veth0", CARVED_OUT,	   "192.0.2.66",  NOT_HERE, NO);
NEIGHBOUR(gateway,	"veth0", "2001:db8:1::2",  "192.0.2.2",	  NOT_HERE, NO);
NEIGHBOUR(outside,	"veth0", "2001:db8:99::1", "198.18.99.1", NOT_HERE, NO);
NEIGHBOUR(vrf,		"veth1", "2001:db8:f::9",  "203.0.113.9", ANSWERED, YES);
NEIGHBOUR(other_vrf,	"veth0", "2001:db8:f::9",  "203.0.113.9", NOT_HERE, NO);
/* IPv4 has no such scope, and the host no IPv4 address on this link. */
NEIGHBOUR(link_local,	"veth0", "fe80::1234",	   NO_ARP,	  UNASKED,  NO);
NEIGHBOUR(configured,	"veth0", "fe80::1",	   NO_ARP,	  OWN,	    NO);
/*
 * For a request IPv4 goes through the policy rules, which ask the table local
 * before the VRF's. For a probe it asks the VRF's table alone, as anyip6 does.
 */
NEIGHBOUR(not_of_vrf,	"veth1", ANY_IP,	   "192.0.2.9",	  IGNORED,  true, false);
/*
 * IPv4 answers on each device for all addresses of the host, unless arp_ignore
 * is set. IPv6 answers for those of the device.
 */
NEIGHBOUR(elsewhere,	"veth0", "2001:db8:1::d",  "192.0.2.13",  IGNORED,  YES,
	  "addr add 2001:db8:1::d/128 dev dummy0 nodad\naddr add 192.0.2.13/32 dev dummy0\n",
	  "addr del 2001:db8:1::d/128 dev dummy0\naddr del 192.0.2.13/32 dev dummy0\n");

/* What programs of the host hear */

struct hear_case {
	int protocol, hop_limit;
	const char *to;
	bool hears;	/* in mode ndisc, and if the switches are on */
};

#define HEARD	0x4142	/* the packet that is asked about */
#define END	0x4344	/* the packet after it */

struct ears {
	int udp, icmp;
};

/* A raw socket that gets one type of message */
static int icmp_open(int type)
{
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(type, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)))
		die_errno("raw socket");
	set_patience(fd);
	return fd;
}

static struct ears ears_open(void)
{
	const struct bind_spec all = { .proto = PROTO_udp, .addr = ADDR_WILDCARD };
	struct ears e;

	netns_enter(host);
	e.udp = sock_bound(AF_INET6, &all);
	e.icmp = icmp_open(ICMP6_ECHO_REQUEST);
	set_patience(e.udp);
	return e;
}

static void shout(const struct wire *w, const char *to, int protocol, int hop_limit,
		  unsigned short word)
{
	const struct in6_addr from = ip6("fe80::2"), dest = ip6(to);
	struct packet p = packet_to(&from, &dest, protocol, hop_limit);

	if (protocol == IPPROTO_UDP) {
		p.udp.source = htons(word);
		p.udp.dest = htons(TEST_PORT);
		p.udp.len = htons(sizeof(p.ns));
	} else {
		p.icmp.icmp6_type = ICMP6_ECHO_REQUEST;
		p.icmp.icmp6_id = htons(word);
	}
	packet_send(w, &p, sizeof(p.ns));
}

/* The word of the next packet that the socket gets, or 0. */
static unsigned short hear_word(const struct ears *e, int protocol)
{
	struct sockaddr_in6 from = {};
	socklen_t len = sizeof(from);
	struct icmp6_hdr icmp = {};

	if (protocol == IPPROTO_UDP)
		return recvfrom(e->udp, &icmp, sizeof(icmp), 0, (struct sockaddr *)&from,
				&len) < 0 ? 0 : ntohs(from.sin6_port);
	return recv(e->icmp, &icmp, sizeof(icmp), 0) < 0 ? 0 : ntohs(icmp.icmp6_id);
}

static void hear_check(struct __test_metadata *_metadata, const struct wire *w,
		       const struct hear_case *c, bool hears)
{
	struct ears e = ears_open();

	shout(w, c->to, c->protocol, c->hop_limit, HEARD);
	shout(w, "fe80::1", c->protocol, 64, END);
	if (hears)
		EXPECT_EQ(HEARD, hear_word(&e, c->protocol));
	EXPECT_EQ(END, hear_word(&e, c->protocol));
	close(e.udp);
	close(e.icmp);
}

FIXTURE(hear) {
	struct wire wire;
};

FIXTURE_VARIANT(hear) { struct hear_case c; };

FIXTURE_SETUP(hear)
{
	switches_set(mode_by_name(_metadata->name));
	self->wire = wire_open("veth0");
}

FIXTURE_TEARDOWN(hear) {}

#define TEST_HEAR(mode, hears)						\
	TEST_F(hear, mode)						\
	{								\
		hear_check(_metadata, &self->wire, &variant->c, hears);	\
	}

TEST_HEAR(absent, false)
TEST_HEAR(off, false)
TEST_HEAR(on, false)
TEST_HEAR(ndisc, variant->c.hears)

#define HEAR(name, ...)							\
	FIXTURE_VARIANT_ADD(hear, name) { .c = { __VA_ARGS__ } }

/*
 * The group is heard if the packet can be a solicitation. The check does not see
 * the type of an ICMP message, so others are heard too.
 */
HEAR(icmp,		IPPROTO_ICMPV6, 255, "ff02::1:ff00:9", true);
HEAR(icmp_routed,	IPPROTO_ICMPV6, 254, "ff02::1:ff00:9", false);
HEAR(icmp_other_group,	IPPROTO_ICMPV6, 255, "ff02::2:ff00:9", false);
HEAR(udp,		IPPROTO_UDP, 255, "ff02::1:ff00:9", false);

/* The switches, in mode ndisc */

struct switch_case {
	const char *path, *value;
	const char *path2, *value2;
	bool on;	/* it answers, and raw sockets hear the group */
};

FIXTURE(switches) {
	struct wire wire;
};

FIXTURE_VARIANT(switches) { struct switch_case c; };

FIXTURE_SETUP(switches)
{
	switches_set(mode_by_name(_metadata->name));
	self->wire = wire_open("veth0");
	sysctl_must(variant->c.path, variant->c.value);
	if (variant->c.path2)
		sysctl_must(variant->c.path2, variant->c.value2);
}

FIXTURE_TEARDOWN(switches) {}

TEST_F(switches, ndisc)
{
	const struct hear_case icmp = { IPPROTO_ICMPV6, 255, "ff02::1:ff00:9", true };
	const struct in6_addr target = ip6(ANY_IP);
	struct seen seen;
	bool ended;

	for (int unicast = 0; unicast < 2; unicast++) {
		solicit(&self->wire, "2001:db8:1::2", &target, unicast);
		seen = wire_seen(&self->wire, &ended);
		ASSERT_EQ(true, ended);
		EXPECT_EQ(variant->c.on, seen.advertisements) {
			TH_LOG("unicast: %d", unicast);
		}
	}
	hear_check(_metadata, &self->wire, &icmp, variant->c.on);
}

#define SWITCHES(name, ...)						\
	FIXTURE_VARIANT_ADD(switches, name) { .c = { __VA_ARGS__ } }

SWITCHES(anyip_ndisc_0,	NDISC_TOGGLE, "0", NULL, NULL, false);
SWITCHES(anyip_bind_0,	TOGGLE, "0", NULL, NULL, false);
SWITCHES(proxy_ndp_0,	"net/ipv6/conf/veth0/proxy_ndp", "0", NULL, NULL, false);
SWITCHES(proxy_ndp_all,	"net/ipv6/conf/veth0/proxy_ndp", "0",
	 "net/ipv6/conf/all/proxy_ndp", "1", true);

/* The peer's kernel asks */

FIXTURE(kernel) {};

FIXTURE_SETUP(kernel)
{
	switches_set(mode_by_name(_metadata->name));
	netns_enter(peer);
	ASSERT_EQ(0, ip_run("-6 neigh flush dev veth0"));
}

FIXTURE_TEARDOWN(kernel) {}

/* Pings ANY_IP. Returns 0 if the reply comes from there, else an errno. */
static int ping(const char *source)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6, .sin6_addr = ip6(source) };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = ip6(ANY_IP) };
	struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST };
	int fd = icmp_open(ICMP6_ECHO_REPLY), err = 0;

	if (IN6_IS_ADDR_LINKLOCAL(&from.sin6_addr))
		from.sin6_scope_id = if_nametoindex("veth0");
	/* A connected socket gets packets from there only. */
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    send(fd, &echo, sizeof(echo), 0) < 0 ||
	    recv(fd, &echo, sizeof(echo), 0) < 0)
		err = errno;
	close(fd);
	return err;
}

/* Waits until ip says one of two words about an address of the peer. */
static const char *wait_word(const char *command, const char *a, const char *b)
{
	struct poll_until until = poll_begin();
	const char *found;

	do {
		ip_run("%s", command);
		found = strstr(ip_message(), a) ? a : strstr(ip_message(), b) ? b : NULL;
	} while (!found && poll_again(&until));
	return found ?: "neither";
}

#define NEIGH		"-6 -o neigh show " ANY_IP " dev veth0"

TEST_F(kernel, ndisc)
{
	EXPECT_EQ(0, ping("2001:db8:1::2"));
	EXPECT_STREQ("02:00:00:00:00:01", wait_word(NEIGH, "02:00:00:00:00:01", "FAILED"));
	ASSERT_EQ(0, ip_run("-6 neigh flush dev veth0"));
	EXPECT_EQ(0, ping("fe80::2"));
	/* The kernel sends its next solicitation to the address itself. */
	ASSERT_EQ(0, ip_run("-6 neigh change " ANY_IP " dev veth0 nud probe"));
	EXPECT_STREQ("REACHABLE", wait_word(NEIGH, "REACHABLE", "FAILED"));
}

/* Without an answer, duplicate address detection ends after a second. */
static const char *detect(const char *address)
{
	char command[64];

	if (ip_run("-6 addr add %s/64 dev veth0", address))
		return ip_message();
	snprintf(command, sizeof(command), "-6 -o addr show dev veth0 to %s", address);
	/* Without "tentative" the flags are followed by the lifetime at once. */
	return wait_word(command, "dadfailed", "global \\");
}

FIXTURE(duplicate) {};

FIXTURE_SETUP(duplicate)
{
	switches_set(mode_by_name(_metadata->name));
	netns_enter(peer);
}

FIXTURE_TEARDOWN(duplicate)
{
	ip_run("-6 addr del " ANY_IP "/64 dev veth0");
	ip_run("-6 addr del " CARVED_OUT "/64 dev veth0");
}

TEST_F(duplicate, on)
{
	EXPECT_STREQ("global \\", detect(ANY_IP));
}

TEST_F(duplicate, ndisc)
{
	EXPECT_STREQ("dadfailed", detect(ANY_IP)) {
		TH_LOG("%s", ip_message());
	}
	EXPECT_STREQ("global \\", detect(CARVED_OUT)) {
		TH_LOG("%s", ip_message());
	}
}

/* Many addresses, without delay and with the one that the kernel has for anycast */

struct many_case {
	const char *delay;
	int window;	/* solicitations under way */
	int decisions;	/* for each: the kernel asks again when a delay is over */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static struct in6_addr many_address(int i)
{
	struct in6_addr addr = ip6("2001:db8:1::1:0");

	addr.s6_addr[14] = i >> 8;
	addr.s6_addr[15] = i;
	return addr;
}

/* The number of the address that the next advertisement is for, or ADDRESSES. */
static int many_answer(const struct wire *w)
{
	const unsigned char *target;
	struct in6_addr want;
	struct packet p;
	int protocol, i;

	while ((protocol = wire_receive(w, &p, sizeof(p)))) {
		if (protocol != ETH_P_IPV6 || !is_advertisement(&p))
			continue;
		target = p.na.nd_na_target.s6_addr;
		i = target[14] << 8 | target[15];
		want = many_address(i);
		if (i < ADDRESSES && !memcmp(&want, target, sizeof(want)))
			return i;
	}
	return ADDRESSES;
}

FIXTURE(many) {
	struct wire wire;
};

FIXTURE_VARIANT(many) { struct many_case c; };

FIXTURE_SETUP(many)
{
	switches_set(mode_by_name(_metadata->name));
	sysctl_must(DELAY, variant->c.delay);
	self->wire = wire_open("veth0");
}

FIXTURE_TEARDOWN(many) {}

TEST_F_TIMEOUT(many, ndisc, 300)
{
	static double asked[ADDRESSES];
	int sent = 0, answered = 0, i;
	double took, all = 0, most = 0;
	const struct counts before = counts_now();

	while (answered < ADDRESSES) {
		for (; sent < ADDRESSES && sent - answered < variant->c.window; sent++) {
			const struct in6_addr target = many_address(sent);

			asked[sent] = now();
			solicit(&self->wire, "2001:db8:1::2", &target, false);
		}
		i = many_answer(&self->wire);
		if (i == ADDRESSES)
			break;
		took = now() - asked[i];
		all += took;
		most = took > most ? took : most;
		answered++;
	}
	EXPECT_EQ(ADDRESSES, answered);
	EXPECT_EQ(ADDRESSES * variant->c.decisions, counted_since(&before, COUNT_NDISC_YES));
	EXPECT_EQ(0, counted_since(&before, COUNT_NDISC_NO));
	TH_LOG("proxy_delay=%s: %d of %d answered, after %.1f ms on average and %.1f at most",
	       variant->c.delay, answered, sent, all / (answered ?: 1) * 1e3, most * 1e3);
}

FIXTURE_VARIANT_ADD(many, no_delay) { .c = { "0", 1, 1 } };
FIXTURE_VARIANT_ADD(many, default_delay) { .c = { DEFAULT_DELAY, WINDOW, 2 } };

/* On one processor the host takes packets in their order. */
static void stay_here(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die_errno("sched_setaffinity");
}

static int run(int argc, char **argv)
{
	stay_here();
	world_make();
	wait_link("veth0");
	wait_link("veth1");
	return test_harness_run(argc, argv);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv, WORLD_NONE, run);
}
