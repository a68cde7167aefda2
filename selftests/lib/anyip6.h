/* SPDX-License-Identifier: GPL-2.0 */
/* What all anyip6 selftests share: modes, topology, addresses, sockets. */
#ifndef ANYIP6_SELFTEST_H
#define ANYIP6_SELFTEST_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

#include "kselftest.h"

/* Not in the libc of older suites. */
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT	75
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND		78
#endif

/*
 * The topology, built once per mode and never named, so it goes when the
 * program ends:
 *
 *    host                                    peer
 *    lo      Any-IP prefixes of the ADDR_*   lo     "other" Any-IP prefix
 *    dummy0  one more Any-IP prefix
 *    veth0   2001:db8:1::1  192.0.2.1 ------ veth0  2001:db8:1::2  192.0.2.2
 *    vrf0    table 10, port dummy1           routes to host's Any-IP prefixes
 */
enum anyip6_mode {
	MODE_ABSENT,	/* module not loaded */
	MODE_OFF,	/* loaded, net.ipv6.anyip_bind = 0 */
	MODE_ON,	/* loaded, net.ipv6.anyip_bind = 1 */
	NR_MODES,
};

/* What a program needs of it; PARTS: it asks topology_lacks() for each case. */
enum topology_need { TOPOLOGY_NONE, TOPOLOGY_PARTS, TOPOLOGY_WHOLE };

#define TOGGLE		"net/ipv6/anyip_bind"
#define HOST_ADDRS(X)							\
	/* what an operator writes: Any-IP on lo and on another device */ \
	X(ANY,			"2001:db8:a::1",	"198.51.100.1")	\
	X(ANY2,			"2001:db8:a::2",	"198.51.100.2")	\
	X(DUMMY,		"2001:db8:d::1",	"203.0.113.1")	\
	X(HOST,			"2001:db8:1::1",	"192.0.2.1")	\
	X(PEER,			"2001:db8:1::2",	"192.0.2.2")	\
	X(OUTSIDE,		"2001:db8:99::1",	"10.9.9.9")	\
	X(LOOPBACK,		"::1",			"127.0.0.1")	\
	X(WILDCARD,		"::",			"0.0.0.0")	\
	X(MULTICAST,		"ff02::1",		"224.0.0.1")	\
	/* more specific routes of another type inside the prefix */	\
	X(UNREACHABLE,		"2001:db8:a:0:1::1",	"198.51.100.17")	\
	X(BLACKHOLE,		"2001:db8:a:0:2::1",	"198.51.100.33")	\
	X(PROHIBIT,		"2001:db8:a:0:3::1",	"198.51.100.49")	\
	X(THROW,		"2001:db8:a:0:4::1",	"198.51.100.65")	\
	X(UNICAST,		"2001:db8:a:0:5::1",	"198.51.100.81")	\
	X(ANYCAST,		"2001:db8:a:0:6::1",	"198.51.100.97")	\
	X(MAIN_UNREACHABLE,	"2001:db8:a:0:8::1",	"198.51.100.129") \
	X(RULE_UNREACHABLE,	"2001:db8:a:0:9::1",	"198.51.100.145") \
	X(HOLE,			"2001:db8:c::2",	"10.0.12.2")	\
	X(IN_HOLE,		"2001:db8:c::1",	"10.0.12.1")	\
	/* local routes that are not in the table the rule reads */	\
	X(FWMARK_TABLE,		"2001:db8:100::1",	"10.0.100.1")	\
	X(RULE_TABLE,		"2001:db8:101::1",	"10.1.101.1")	\
	X(MAIN_TABLE,		"2001:db8:b::1",	"10.0.11.1")	\
	X(OTHER_NETNS,		"2001:db8:e::1",	"10.0.14.1")	\
	X(VRF_ANY,		"2001:db8:f::1",	"10.0.15.1")	\
	X(VRF_HOLE,		"2001:db8:f:0:1::1",	"10.0.15.17")	\
	X(VRF_PORT,		"2001:db8:2::1",	"10.0.2.1")	\
	X(ANY_AND_VRF_PORT,	"2001:db8:a:0:a::1",	"198.51.100.161") \
	/* configured as well as covered by the prefix */		\
	X(ANY_AND_HOST,		"2001:db8:a:0:b::1",	"198.51.100.177") \
	X(TENTATIVE,		"2001:db8:a:0:7::1",	NULL)		\
	X(DADFAILED,		"2001:db8:a:0:7::2",	NULL)		\
	X(OPTIMISTIC,		"2001:db8:a:0:7::3",	NULL)		\
	/* link-local: a route on veth0, one on lo, configured on veth0 */ \
	X(LL_ANY,		"fe80::1234",		NULL)		\
	X(LL_TWO,		"fe80::2345",		NULL)		\
	X(LL_LO,		"fe80:0:0:1::1",	NULL)		\
	X(LL_VRF,		"fe80::4321",		NULL)		\
	X(LL_HOST,		"fe80::1",		NULL)		\
	X(LL_OUTSIDE,		"fe80::99",		NULL)		\
	X(MAPPED_ANY,		"::ffff:198.51.100.1",	NULL)		\
	X(MAPPED_HOST,		"::ffff:192.0.2.1",	NULL)		\
	X(MAPPED_OUTSIDE,	"::ffff:10.9.9.9",	NULL)		\
	/* no route as the topology stands: for tests that add one */	\
	X(FREE,			"2001:db8:20::1",	"10.0.32.1")

enum anyip6_addr {
#define X(name, v6, v4) ADDR_##name,
	HOST_ADDRS(X)
#undef X
	NR_ADDRS,
};

struct proto {
	int type;
	int number;
};

#define PROTO_tcp	{ SOCK_STREAM, IPPROTO_TCP }
#define PROTO_udp	{ SOCK_DGRAM, IPPROTO_UDP }
#define PROTO_udplite	{ SOCK_DGRAM, 136 }
#define PROTO_dccp	{ 6 /* SOCK_DCCP */, 33 }
#define PROTO_mptcp	{ SOCK_STREAM, 262 }

enum sock_opt {
	OPT_REUSEADDR	= 1 << 0,
	OPT_REUSEPORT	= 1 << 1,
	OPT_V6ONLY	= 1 << 2,
	OPT_FREEBIND	= 1 << 3,
	OPT_TRANSPARENT	= 1 << 4,
	OPT_MARK	= 1 << 5,	/* SO_MARK 1, what the fwmark rule asks */
	OPT_LISTEN	= 1 << 6,
	OPT_ANY_PORT	= 1 << 7,
	OPT_LOW_PORT	= 1 << 8,
	OPT_SCOPE	= 1 << 9,	/* dev goes into sin6_scope_id */
	OPT_FAMILY_4	= 1 << 10,	/* an IPv4 socket whatever the test's family */
	OPT_FREEBIND_IP	= 1 << 11,	/* IP_FREEBIND, also on an IPv6 socket */
};

#define TEST_PORT	4242
#define LOW_PORT	81

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Everything that decides one bind(), but the family. */
struct bind_spec {
	struct proto proto;
	enum anyip6_addr addr;
	unsigned int opts;
	const char *dev;
};

/* Modes: a test named after its mode runs in that mode's namespaces. */
bool anyip6_loaded(void);
enum anyip6_mode mode_by_name(const char *name);
void enter_host(enum anyip6_mode mode);
void enter_peer(enum anyip6_mode mode);
const char *topology_lacks(const struct bind_spec *spec);
int anyip6_main(int argc, char **argv, enum topology_need need,
		int (*harness)(int argc, char **argv));

/* ANYIP6_CASE: only the cases whose name contains it. None is a failure. */
bool case_chosen(void);
bool case_wanted(const char *name);
int no_case(void);

/* No fixed sleeps: do ... while (poll_again()), false at the deadline. */
struct poll_until {
	time_t deadline;
};

struct poll_until poll_begin(void);
bool poll_again(const struct poll_until *until);

/*
 * An emulator that runs the processors in turn goes on to the next one here, and
 * else after 100 ms: too long where the kernel waits for all of them.
 */
static inline void let_others_run(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause");
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Namespaces */
int netns_new(void);
void netns_enter(int fd);
int netns_any_ip(void);
int ip_batch(int family, const char *lines);
int ip_run(const char *fmt, ...) __printf(1, 2);
const char *ip_message(void);
int sysctl_write(const char *path, const char *value);
int sysctl_read(const char *path);
void toggle_set(enum anyip6_mode mode);

/*
 * The kernel's own lookup as a judge, in one table alone: a packet whose mark
 * is the table's number is looked up there and nowhere else. Lines for ip -6:
 * rules of IPv4 would take its table local apart from main.
 */
#define ONE_TABLE_RULES(number)						\
	"rule add pref 1 fwmark " number " lookup " number "\n"		\
	"rule add pref 2 fwmark " number " prohibit\n"
bool fib_says_local(const struct in6_addr *addr, unsigned int table);

/* Addresses and sockets. All return -errno on failure. */
const char *addr_text(enum anyip6_addr addr, int family);
socklen_t addr_fill(union sockaddr_any *sa, int family, enum anyip6_addr addr,
		    int port);
bool addr_same(const union sockaddr_any *a, const union sockaddr_any *b);
const char *sockaddr_text(const union sockaddr_any *sa);
int sock_open(int family, const struct bind_spec *spec);
int sock_bind(int fd, int family, const struct bind_spec *spec);
int sock_bound(int family, const struct bind_spec *spec);

#endif
