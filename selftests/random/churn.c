// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets ask for addresses while other processors change routes of the same
 * tables. For churn.sh.
 *
 * churn SECONDS
 *	run for SECONDS, then print "OPERATION TARGET: ..." for each, and sums.
 *	The exit code is 0 if it ran to its end. The caller judges wrong answers.
 *
 *    lo     local 2001:db8:a::/64    and in it what churned[] has
 *    vrf0   table 10, local 2001:db8:f::/64, likewise
 *
 * A writer announces a change of a target's route before and after it. An
 * answer is judged only if no change was announced meanwhile. Two judges
 * outside this project answer the same questions: the kernel's own lookup in
 * the table local, and IPv4.
 */
#include <errno.h>
#include <linux/nexthop.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rtnl.h"
#include "sock.h"

#define NEXTHOP		7

/* Decides whether a target is local. The facts after NEVER change. */
enum fact {
	ALWAYS, NEVER,
	UNLESS_UNREACHABLE, IF_LOCAL, IF_REPLACED, IF_NEXTHOP, IF_LOCAL_VRF,
	NR_FACTS,
};

static const struct target {
	const char *name, *addr;
	int family;
	const char *dev;	/* the device that the sockets are bound to, or NULL */
	enum fact fact;
} targets[] = {
	{ "allowed",		"2001:db8:a::7777",	AF_INET6, NULL, ALWAYS },
	{ "allowed,deeper",	"2001:db8:a:0:d::1",	AF_INET6, NULL, ALWAYS },
	{ "allowed,two-routes",	"2001:db8:b::1",	AF_INET6, NULL, ALWAYS },
	{ "carved-out",		"2001:db8:a:0:1::1",	AF_INET6, NULL, NEVER },
	{ "outside",		"2001:db8:99::1",	AF_INET6, NULL, NEVER },
	{ "flips,unreachable",	"2001:db8:a::5",	AF_INET6, NULL, UNLESS_UNREACHABLE },
	{ "flips,local",	"2001:db8:c::1",	AF_INET6, NULL, IF_LOCAL },
	{ "flips,replaced",	"2001:db8:a:0:e::1",	AF_INET6, NULL, IF_REPLACED },
	{ "flips,nexthop",	"2001:db8:e::1",	AF_INET6, NULL, IF_NEXTHOP },
	{ "vrf,allowed",	"2001:db8:f::7777",	AF_INET6, "vrf0", ALWAYS },
	{ "vrf,outside",	"2001:db8:a::7777",	AF_INET6, "vrf0", NEVER },
	{ "vrf,flips",		"2001:db8:f:1::1",	AF_INET6, "vrf0", IF_LOCAL_VRF },
	{ "IPv4,allowed",	"198.51.100.77",	AF_INET, NULL, ALWAYS },
	{ "IPv4,outside",	"203.0.113.1",		AF_INET, NULL, NEVER },
};

/* A route or a nexthop. It changes between the state "there" and the other state. */
static const struct churned {
	int family;
	const char *prefix;
	int len, table;
	int type;		/* its type while it is there */
	int else_type;		/* the type that replaces it; 0: it is deleted */
	int metric;
	enum fact fact;		/* the fact that it decides; ALWAYS: it decides none */
	bool when_gone;		/* the fact's value while the route is gone */
} churned[] = {
#define LOCAL_(prefix, len)	AF_INET6, prefix, len, RT_TABLE_LOCAL
#define VRF_(prefix, len)	AF_INET6, prefix, len, VRF_TABLE
	/* leaves beside an allowed address: each branches at other bits */
	{ LOCAL_("2001:db8:a::5", 128), RTN_UNREACHABLE, 0, 0, UNLESS_UNREACHABLE, true },
	{ LOCAL_("2001:db8:a::7776", 128), RTN_BLACKHOLE, 0, 0, ALWAYS, false },
	{ LOCAL_("2001:db8:a::7f00", 128), RTN_PROHIBIT, 0, 0, ALWAYS, false },
	{ LOCAL_("2001:db8:a:0:8000::", 80), RTN_THROW, 0, 0, ALWAYS, false },
	/* shorter and longer prefixes that change no answer */
	{ LOCAL_("2001:db8:a::", 48), RTN_LOCAL, 0, 0, ALWAYS, false },
	{ LOCAL_("2001:db8::", 32), RTN_UNREACHABLE, 0, 0, ALWAYS, false },
	{ LOCAL_("2001:db8:a:0:d::", 80), RTN_LOCAL, 0, 0, ALWAYS, false },
	{ LOCAL_("2001:db8:a:0:1::1", 128), RTN_UNREACHABLE, 0, 0, ALWAYS, false },
	/* other routes to the same prefix */
	{ LOCAL_("2001:db8:b::", 64), RTN_UNREACHABLE, 0, 2000, ALWAYS, false },
	{ LOCAL_("2001:db8:b::", 64), RTN_LOCAL, 0, 10, ALWAYS, false },
	{ LOCAL_("2001:db8:c::1", 128), RTN_LOCAL, 0, 0, IF_LOCAL, false },
	{ LOCAL_("2001:db8:a:0:e::1", 128), RTN_LOCAL, RTN_UNREACHABLE, 0, IF_REPLACED, false },
	{ LOCAL_(NULL, 0), RTN_LOCAL, RTN_BLACKHOLE, 0, IF_NEXTHOP, false },
	{ VRF_("2001:db8:f::5", 128), RTN_UNREACHABLE, 0, 0, ALWAYS, false },
	{ VRF_("2001:db8:f::7000", 116), RTN_LOCAL, 0, 0, ALWAYS, false },
	{ VRF_("2001:db8::", 32), RTN_BLACKHOLE, 0, 0, ALWAYS, false },
	{ VRF_("2001:db8:f:1::1", 128), RTN_LOCAL, 0, 0, IF_LOCAL_VRF, false },
	{ AF_INET, "198.51.100.5", 32, RT_TABLE_LOCAL, RTN_UNREACHABLE, 0, 0, ALWAYS, false },
	{ AF_INET, "198.51.0.0", 16, RT_TABLE_LOCAL, RTN_UNREACHABLE, 0, 0, ALWAYS, false },
#undef LOCAL_
#undef VRF_
};

static const char lines[] =
	"link set lo up\n"
	"link add d0 up type dummy\n"
	"link add vrf0 up type vrf table 10\n"
	"route add local 2001:db8:a::/64 dev lo\n"
	"route add unreachable 2001:db8:a:0:1::/80 table local\n"
	"route add local 2001:db8:b::/64 dev lo metric 1000\n"
	"route add local 2001:db8:f::/64 dev vrf0 table 10\n"
	ONE_TABLE_RULES("255");

/*
 * The initial routes of the entries that are replaced. They start in the other
 * state.
 */
static const char replaced_lines[] =
	"route add unreachable 2001:db8:a:0:e::1 table local\n"
	"nexthop add id 7 blackhole\n"
	"route add local 2001:db8:e::1 nhid 7 table local\n";

struct op;
typedef int op_fn(const struct op *op, int fd, const struct target *target);

static op_fn ask_bind, ask_pktinfo, ask_kernel;

/* An answer is 0 for yes, or an errno. .refusal is the errno of a no. */
static const struct op {
	const char *name;
	int family;
	struct proto proto;
	op_fn *ask;
	int refusal;
	int port;		/* the port to send to */
	bool of_others;		/* not the project's own: a judge to compare with */
} ops[] = {
	{ "bind-udp", AF_INET6, PROTO_udp, ask_bind, EADDRNOTAVAIL, 0, false },
	{ "bind-tcp", AF_INET6, PROTO_tcp, ask_bind, EADDRNOTAVAIL, 0, false },
	{ "bind-raw", AF_INET6, PROTO_raw, ask_bind, EADDRNOTAVAIL, 0, false },
	{ "pktinfo-udp", AF_INET6, PROTO_udp, ask_pktinfo, EINVAL, 9, false },
	{ "pktinfo-raw", AF_INET6, PROTO_raw, ask_pktinfo, EINVAL, 0, false },
	{ "kernel's-lookup", AF_INET6, {}, ask_kernel, EADDRNOTAVAIL, 0, true },
	{ "IPv4-bind-udp", AF_INET, PROTO_udp, ask_bind, EADDRNOTAVAIL, 0, true },
};

struct count {
	unsigned long yes, no, disturbed, wrong;
	int errors;		/* the last errno that was no refusal */
};

static struct shared {
	bool stop;
	unsigned int fact[NR_FACTS];	/* bit 0: settled; the other bits count changes */
	bool is[NR_FACTS];
	unsigned long changes[ARRAY_SIZE(churned)];
	struct count counts[];		/* one for each reader, operation and target */
} *shared;

#define NR_COUNTS	(ARRAY_SIZE(ops) * ARRAY_SIZE(targets))

static void fail(const char *what)
{
	printf("churn: %s: %s\n", what, strerror(errno));
	shared->stop = true;
	exit(1);
}

static bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

/* Facts */

static void fact_settles(enum fact fact, bool is)
{
	__atomic_store_n(&shared->is[fact], is, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->fact[fact], (shared->fact[fact] | 1) + 2, __ATOMIC_SEQ_CST);
}

static void fact_moves(enum fact fact)
{
	__atomic_store_n(&shared->fact[fact], shared->fact[fact] & ~1U, __ATOMIC_SEQ_CST);
}

static unsigned int fact_version(enum fact fact)
{
	return __atomic_load_n(&shared->fact[fact], __ATOMIC_SEQ_CST);
}

/* Changes */

static struct rtnl_request nexthop_request(int type)
{
	const struct nhmsg nhm = { .nh_family = AF_INET6, .nh_protocol = RTPROT_BOOT };
	struct rtnl_request r = rtnl_new(RTM_NEWNEXTHOP, NLM_F_REPLACE, &nhm, sizeof(nhm));

	rtnl_put_u32(&r, NHA_ID, NEXTHOP);
	if (type == RTN_BLACKHOLE)
		rtnl_put(&r, NHA_BLACKHOLE, NULL, 0);
	else
		rtnl_put_u32(&r, NHA_OIF, if_nametoindex("d0"));
	return r;
}

static unsigned int route_device(const struct churned *c)
{
	return if_nametoindex(c->table == VRF_TABLE ? "vrf0" : "lo");
}

static struct rtnl_request route_request(const struct churned *c, bool there)
{
	const bool new = there || c->else_type;
	const int type = there ? c->type : c->else_type;
	const struct rtmsg rtm = {
		.rtm_family = c->family, .rtm_dst_len = c->len, .rtm_table = c->table,
		.rtm_protocol = RTPROT_BOOT, .rtm_type = new ? type : c->type,
	};
	const int flags = c->else_type ? NLM_F_REPLACE : NLM_F_EXCL;
	struct rtnl_request r;

	if (!c->prefix)
		return nexthop_request(type);
	r = rtnl_new(new ? RTM_NEWROUTE : RTM_DELROUTE, new ? flags : 0, &rtm, sizeof(rtm));
	rtnl_put_addr(&r, RTA_DST, c->family, c->prefix);
	if (c->metric)
		rtnl_put_u32(&r, RTA_PRIORITY, c->metric);
	if (new && type == RTN_LOCAL)
		rtnl_put_u32(&r, RTA_OIF, route_device(c));
	return r;
}

static int netlink_open(void)
{
	int fd = rtnl_open();

	if (fd < 0)
		fail("NETLINK_ROUTE");
	return fd;
}

/* The writer */

static void flip(int fd, const struct churned *c, bool there)
{
	const struct rtnl_request r = route_request(c, there);

	if (c->fact != ALWAYS)
		fact_moves(c->fact);
	errno = -rtnl_ask(fd, &r, NULL);
	if (errno)
		fail(c->prefix ?: "nexthop");
	if (c->fact != ALWAYS)
		fact_settles(c->fact, there != c->when_gone);
	shared->changes[c - churned]++;
}

static void write_routes(unsigned int seed)
{
	bool there[ARRAY_SIZE(churned)] = {};
	int fd = netlink_open();
	unsigned int i;

	while (!stopped()) {
		i = random_of(&seed, ARRAY_SIZE(churned));
		there[i] = !there[i];
		flip(fd, &churned[i], there[i]);
	}
}

/* Readers */

/* The socket takes no port, so it can bind again. */
static int ask_bind(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any sa;
	socklen_t len = addr_parse(&sa, target->family, target->addr, 0);

	(void)op;
	return bind(fd, &sa.sa, len) ? errno : 0;
}

static int ask_pktinfo(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any from, to;
	int err;

	addr_parse(&from, AF_INET6, target->addr, 0);
	addr_fill(&to, AF_INET6, ADDR_LOOPBACK, op->port);
	err = -probe_source(fd, &from, &to);
	return err == EPERM ? 0 : err;
}

/* The kernel's lookup for a packet to the target, in the table local only. */
static int ask_kernel(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any sa;

	addr_parse(&sa, AF_INET6, target->addr, 0);
	return fib_ask(fd, &sa.in6.sin6_addr, RT_TABLE_LOCAL) ? 0 : op->refusal;
}

static int socket_for(const struct op *op, const struct target *target)
{
	const int one = 1;
	int fd;

	if (op->ask == ask_kernel)
		return netlink_open();
	fd = socket(op->family, op->proto.type | SOCK_CLOEXEC, op->proto.number);
	if (fd < 0 ||
	    (op->proto.type != SOCK_RAW && op->ask == ask_bind &&
	     setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one))) ||
	    (target->dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, target->dev,
				       strlen(target->dev) + 1)))
		fail(op->name);
	return fd;
}

static bool makes_sense(const struct op *op, const struct target *target)
{
	/* The policy rule covers only the table local. */
	return op->family == target->family && !(op->ask == ask_kernel && target->dev);
}

static void judge(const struct op *op, const struct target *target, int fd, struct count *n)
{
	const unsigned int before = fact_version(target->fact);
	const bool is = __atomic_load_n(&shared->is[target->fact], __ATOMIC_SEQ_CST);
	const int err = op->ask(op, fd, target);
	const unsigned int after = fact_version(target->fact);

	if (err && err != op->refusal) {
		n->wrong++;
		n->errors = err;
	} else if (before != after || !(before & 1)) {
		n->disturbed++;
	} else if (is == !err) {
		*(err ? &n->no : &n->yes) += 1;
	} else {
		n->wrong++;
	}
}

static void read_answers(unsigned int reader)
{
	struct count *counts = &shared->counts[reader * NR_COUNTS];
	unsigned int i, seed = reader * 7919 + 1;
	int fds[NR_COUNTS];

	for (i = 0; i < NR_COUNTS; i++)
		if (makes_sense(&ops[i / ARRAY_SIZE(targets)], &targets[i % ARRAY_SIZE(targets)]))
			fds[i] = socket_for(&ops[i / ARRAY_SIZE(targets)],
					    &targets[i % ARRAY_SIZE(targets)]);
		else
			fds[i] = -1;
	/* For ask_pktinfo(). The sockets are open already. */
	may_raw(false);
	while (!stopped()) {
		i = random_of(&seed, NR_COUNTS);
		if (fds[i] < 0)
			continue;
		judge(&ops[i / ARRAY_SIZE(targets)], &targets[i % ARRAY_SIZE(targets)], fds[i],
		      &counts[i]);
		let_others_run();
	}
}

/* Sums */

struct sums {
	unsigned long answers, undisturbed, wrong;
};

static void print_cell(const struct op *op, const struct target *target, unsigned int readers,
		       unsigned int cell, struct sums *sums)
{
	struct count all = {};

	for (unsigned int r = 0; r < readers; r++) {
		const struct count *n = &shared->counts[r * NR_COUNTS + cell];

		all.yes += n->yes;
		all.no += n->no;
		all.disturbed += n->disturbed;
		all.wrong += n->wrong;
		all.errors = n->errors ?: all.errors;
	}
	printf("%s %s: %lu yes, %lu no, %lu while it changed, %lu wrong%s%s%s\n", op->name,
	       target->name, all.yes, all.no, all.disturbed, all.wrong,
	       all.errors ? " (" : "", all.errors ? strerror(all.errors) : "",
	       all.errors ? ")" : "");
	sums[op->of_others].answers += all.yes + all.no + all.disturbed + all.wrong;
	sums[op->of_others].undisturbed += all.yes + all.no;
	sums[op->of_others].wrong += all.wrong;
}

static unsigned long print_changes(void)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(churned); i++) {
		printf("changed %s/%d table %d: %lu\n", churned[i].prefix ?: "nexthop",
		       churned[i].len, churned[i].table, shared->changes[i]);
		sum += shared->changes[i];
	}
	return sum;
}

static void print_sums(unsigned int readers)
{
	struct sums sums[2] = {};
	unsigned long changes;

	for (size_t i = 0; i < NR_COUNTS; i++) {
		const struct op *op = &ops[i / ARRAY_SIZE(targets)];
		const struct target *target = &targets[i % ARRAY_SIZE(targets)];

		if (makes_sense(op, target))
			print_cell(op, target, readers, i, sums);
	}
	changes = print_changes();
	printf("others, to compare with: %lu answers, %lu of them undisturbed, %lu wrong\n",
	       sums[1].answers, sums[1].undisturbed, sums[1].wrong);
	printf("in all: %lu answers, %lu of them undisturbed, %lu wrong, %lu route changes\n",
	       sums[0].answers, sums[0].undisturbed, sums[0].wrong, changes);
}

/* Setting */

static void settle(void)
{
	netns_new();
	if (ip_batch(AF_INET6, lines) || ip_batch(AF_INET6, replaced_lines) ||
	    ip_batch(AF_INET, "route add local 198.51.100.0/24 dev lo\n")) {
		errno = EINVAL;
		fail(ip_message());
	}
	for (int fact = 0; fact < NR_FACTS; fact++)
		fact_settles(fact, fact == ALWAYS || fact == UNLESS_UNREACHABLE);
}

int main(int argc, char **argv)
{
	const unsigned int readers = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pids[readers + 1];
	int status, dead = 0;
	time_t end;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: churn SECONDS\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared) + readers * NR_COUNTS * sizeof(struct count),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	settle();
	pids[readers] = process_start(write_routes, 1);
	for (unsigned int r = 0; r < readers; r++)
		pids[r] = process_start(read_answers, r);
	for (end = time(NULL) + atol(argv[1]); time(NULL) < end && !stopped();)
		usleep(100000);
	shared->stop = true;
	for (unsigned int r = 0; r <= readers; r++)
		if (waitpid(pids[r], &status, 0) != pids[r] || status)
			dead++;
	print_sums(readers);
	return dead ? 1 : 0;
}
