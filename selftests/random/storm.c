// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets ask for addresses from all sides while everything that decides about
 * them changes. The module loads and unloads, and the toggle flips. A route is
 * added and deleted. Namespaces are made and destroyed. sctp or l2tp_ip6 is
 * loaded and removed. For storm.sh.
 *
 * storm MODULE.ko CYCLES SECONDS REST
 *	Load and unload the module CYCLES times, and for at least SECONDS. Each
 *	worker rests REST ms between operations. Then print
 *	"OPERATION TARGET EXPECTED RESULT COUNT", followed by "WRONG" if that
 *	result was not possible, and a summary at the end. The exit code is 0
 *	if it ran to its end. The caller judges wrong results.
 *
 * A writer announces a change of a fact before and after it. A worker reads the
 * facts before and after its operation. Facts that did not change meanwhile
 * decide the expected result. If a fact changed, both results are right. At the
 * end nothing changes any more, and the kernel's own lookup decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rtnl.h"
#include "run.h"

#define NR_WORKERS	8
#define SERVER_PORT	4243
#define SINK_PORT	4244
#define MAX_ERRNO	256
#define OPS_PER_STATE	400	/* at least, with the module and without */
#define LONG_EVERY	10	/* one cycle in this many is long, the others do a tenth */
#define OPS_PER_TOGGLE	60
#define OPS_PER_ROUTE	70
#define OPS_PER_RELOAD	300
#define OPS_PER_NETNS	50
#define STUCK		120	/* seconds without a finished operation */
#define CONNECT_MS	60000

/* Facts */

enum fact { MODULE, TOGGLED_ON, ROUTED, NR_FACTS };

/* The last two say which fact caused the no, so the sums show that each one matters. */
enum truth { NO, YES, UNKNOWN, NO_TOGGLE, NO_ROUTE, NR_TRUTHS };

static const char *const truth_names[] = {
	[NO] = "no", [YES] = "yes", [UNKNOWN] = "either",
	[NO_TOGGLE] = "no,toggle-0", [NO_ROUTE] = "no,route-gone",
};

/* The low two bits of a word are a truth. The other bits count its changes. */
struct facts {
	unsigned int word[NR_FACTS];
	unsigned int toggled_for;	/* the word of MODULE that TOGGLED_ON belongs to */
};

enum expectation {
	LOCAL	= 1 << NR_FACTS,
	NEVER	= 1 << (NR_FACTS + 1),
};

static const struct target {
	const char *name;
	enum anyip6_addr addr;
	unsigned int needs;	/* facts as bits; enum expectation */
} targets[] = {
	{ "configured", ADDR_HOST, LOCAL },
	{ "any-ip", ADDR_ANY, 1 << MODULE | 1 << TOGGLED_ON },
	{ "any-ip,route-comes-and-goes", ADDR_FREE,
	  1 << MODULE | 1 << TOGGLED_ON | 1 << ROUTED },
	{ "carved-out", ADDR_UNREACHABLE, NEVER },
	{ "never-local", ADDR_OUTSIDE, NEVER },
	/* only for the process that makes namespaces */
	{ "any-ip,new-netns", ADDR_ANY, 1 << MODULE },
	{ "never-local,new-netns", ADDR_FREE, NEVER },
};

#define NR_TARGETS	ARRAY_SIZE(targets)
#define NEW_NETNS	5	/* the index of the first of these two */

/* Operations */

struct op;
typedef int op_fn(const struct op *op, int fd, const struct target *target);

static op_fn op_bind, op_bind_l2tp, op_pktinfo, op_listen, op_connect;

static const struct op {
	const char *name;
	struct proto proto;
	int port;
	op_fn *ask;		/* asks for the address: 0 or an errno */
	int refusal;		/* stock's errno for an address that is not local */
	int tolerated;		/* an errno that may replace a yes, or 0 */
	op_fn *then;		/* runs after a yes, and is judged too; or NULL */
	const char *then_name;
} ops[] = {
#define BIND		op_bind, EADDRNOTAVAIL
#define PKTINFO		op_pktinfo, EINVAL
#define NO_MORE		NULL, NULL
	{ "bind-tcp", PROTO_tcp, TEST_PORT, BIND, EADDRINUSE, NO_MORE },
	{ "bind-udp", PROTO_udp, TEST_PORT, BIND, EADDRINUSE, NO_MORE },
	{ "bind-raw", PROTO_raw, 0, BIND, 0, NO_MORE },
	{ "bind-to-listen", PROTO_tcp, 0, BIND, 0,
	  op_listen, "listen-and-be-reached" },
	{ "bind-to-connect", PROTO_tcp, 0, BIND, 0,
	  op_connect, "connect-from" },
	{ "pktinfo-udp", PROTO_udp, SINK_PORT, PKTINFO, 0, NO_MORE },
	{ "pktinfo-raw", PROTO_raw, 0, PKTINFO, 0, NO_MORE },
	/* only for the process that reloads sctp or l2tp_ip6 */
	{ "bind-sctp-1-1", PROTO_sctp_1_1, TEST_PORT, BIND, 0, NO_MORE },
	{ "bind-sctp-1-n", PROTO_sctp_1_n, TEST_PORT, BIND, 0, NO_MORE },
	{ "bind-l2tp", PROTO_l2tp, 0, op_bind_l2tp, EADDRNOTAVAIL, 0, NO_MORE },
#undef BIND
#undef PKTINFO
#undef NO_MORE
};

#define NR_OPS		ARRAY_SIZE(ops)
#define OPS_OF_ALL	7	/* the other operations belong to modules that come and go */

static const struct comes_and_goes {
	const char *module, *refs;
	size_t ops, end;	/* of its operations in ops[] */
	int removal;		/* flags of delete_module() */
} sctp = {
	/* SCTP holds references to itself, see sctp_reload.sh. */
	"sctp", "/sys/module/sctp/refcnt",
	OPS_OF_ALL, OPS_OF_ALL + 2, O_NONBLOCK | O_TRUNC,
}, l2tp_ip6 = {
	"l2tp_ip6", "/sys/module/l2tp_ip6/refcnt",
	OPS_OF_ALL + 2, NR_OPS, O_NONBLOCK,
};

/* Data that all processes share. */
static struct shared {
	struct facts facts;
	bool stop;
	unsigned long done;	/* operations */
	long rest_ms;
	pthread_mutex_t netns;	/* held while an extra namespace exists */
	unsigned long counts[NR_OPS][2][NR_TARGETS][NR_TRUTHS][MAX_ERRNO];
	unsigned long toggles, routes, namespaces, reloads;
} *shared;

/* Stop everything. The caller sees the exit code of this process. */
static void fail(const char *what)
{
	printf("storm: %s: %s\n", what, strerror(errno));
	shared->stop = true;
	exit(1);
}

static struct facts facts_now(void)
{
	struct facts f;

	for (int i = 0; i < NR_FACTS; i++)
		f.word[i] = __atomic_load_n(&shared->facts.word[i],
					    __ATOMIC_SEQ_CST);
	f.toggled_for = __atomic_load_n(&shared->facts.toggled_for,
					__ATOMIC_SEQ_CST);
	return f;
}

/* Each fact has one process that changes it. */
static void fact_becomes(enum fact fact, enum truth truth)
{
	unsigned int *word = &shared->facts.word[fact];

	__atomic_store_n(word, ((*word | 3) + 1) | truth, __ATOMIC_SEQ_CST);
}

static enum truth truth_of(enum fact fact, const struct facts *before,
			   const struct facts *after)
{
	if (before->word[fact] != after->word[fact])
		return UNKNOWN;
	/* After a reload of the module, all toggles are 1. */
	if (fact == TOGGLED_ON &&
	    (before->toggled_for != before->word[MODULE] ||
	     after->toggled_for != after->word[MODULE]))
		return UNKNOWN;
	return before->word[fact] & 3;
}

static enum truth expected(unsigned int needs, const struct facts *before,
			   const struct facts *after)
{
	static const enum truth no_by[] = {
		[MODULE] = NO, [TOGGLED_ON] = NO_TOGGLE, [ROUTED] = NO_ROUTE,
	};
	enum truth all = YES;

	if (needs & (LOCAL | NEVER))
		return needs & LOCAL ? YES : NO;
	for (int fact = 0; fact < NR_FACTS; fact++) {
		if (!(needs & 1 << fact))
			continue;
		switch (truth_of(fact, before, after)) {
		case NO:
			return no_by[fact];
		case YES:
			break;
		default:
			all = UNKNOWN;
		}
	}
	return all;
}

/* Operations: each returns 0 or an errno. */

static int op_bind(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any sa;
	socklen_t len = addr_fill(&sa, AF_INET6, target->addr, op->port);

	return bind(fd, &sa.sa, len) ? errno : 0;
}

static int op_bind_l2tp(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any sa;

	addr_fill(&sa, AF_INET6, target->addr, op->port);
	return bind(fd, &sa.sa, l2tp_connection(&sa, TEST_PORT)) ? errno : 0;
}

static int op_pktinfo(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any to, from;

	addr_fill(&to, AF_INET6, ADDR_HOST, op->port);
	addr_fill(&from, AF_INET6, target->addr, 0);
	return -send_from(fd, &from, &to, "storm", 0);
}

/* Gives up when the route to @target has changed. */
static int connect_to(int fd, const union sockaddr_any *to,
		      const struct target *target)
{
	const struct facts before = facts_now();
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = ETIMEDOUT;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!connect(fd, &to->sa, sizeof(to->in6)))
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	for (int ms = 0; ms < CONNECT_MS; ms += 10) {
		const struct facts now = facts_now();

		if (poll(&pfd, 1, 10) > 0) {
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
			return err;
		}
		if (target->needs & 1 << ROUTED &&
		    truth_of(ROUTED, &before, &now) != YES)
			break;
	}
	return err;
}

/* Close with a reset, so that the socket and its port are free at once. */
static void reset_at_close(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static int op_listen(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any to;
	socklen_t len = sizeof(to);
	int client, err;

	(void)op;
	if (listen(fd, 1) || getsockname(fd, &to.sa, &len))
		return errno;
	client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0)
		return errno;
	reset_at_close(client);
	err = connect_to(client, &to, target);
	close(client);
	return err;
}

static int op_connect(const struct op *op, int fd, const struct target *target)
{
	union sockaddr_any to;

	(void)op;
	addr_fill(&to, AF_INET6, ADDR_HOST, SERVER_PORT);
	return connect_to(fd, &to, target);
}

static int op_socket(const struct op *op)
{
	int fd = socket(AF_INET6, op->proto.type | SOCK_CLOEXEC, op->proto.number);

	if (fd < 0)
		fail("socket");
	return fd;
}

static void count(const struct op *op, int then, const struct target *target,
		  enum truth truth, int err)
{
	__atomic_fetch_add(&shared->counts[op - ops][then][target - targets]
			   [truth][err % MAX_ERRNO], 1, __ATOMIC_RELAXED);
}

/* @before has the facts that @target depends on, from the start of the operation. */
static void perform(const struct op *op, const struct target *target,
		    struct facts before)
{
	int fd = op_socket(op), err;
	struct facts after;

	if (op->proto.type == SOCK_STREAM)
		reset_at_close(fd);
	err = op->ask(op, fd, target);
	after = facts_now();
	count(op, 0, target, expected(target->needs, &before, &after), err);
	if (!err && op->then) {
		enum truth truth;

		before = after;
		err = op->then(op, fd, target);
		after = facts_now();
		/* A bound socket stays usable, but it needs a route. */
		truth = truth_of(ROUTED, &before, &after);
		if (truth == NO)
			truth = target->needs & 1 << ROUTED ? UNKNOWN : YES;
		count(op, 1, target, truth, err);
	}
	close(fd);
	__atomic_fetch_add(&shared->done, 1, __ATOMIC_RELAXED);
}

/* Processes */

static bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

/* Wait without a fixed pause until other processes have made progress. */
static void wait_until(const unsigned long *counter, unsigned long end)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	unsigned long done, last = 0;
	time_t progress = time(NULL);

	while (!stopped() && __atomic_load_n(counter, __ATOMIC_RELAXED) < end) {
		done = __atomic_load_n(&shared->done, __ATOMIC_RELAXED);
		if (done != last)
			progress = time(NULL);
		last = done;
		errno = ETIMEDOUT;
		if (time(NULL) - progress > STUCK)
			fail("no operation was done");
		nanosleep(&pause, NULL);
	}
}

static void wait_ops(unsigned long n)
{
	wait_until(&shared->done, shared->done + n);
}

static void rest(void)
{
	const struct timespec pause = {
		.tv_sec = shared->rest_ms / 1000,
		.tv_nsec = shared->rest_ms % 1000 * 1000000,
	};

	if (shared->rest_ms)
		nanosleep(&pause, NULL);
	else
		let_others_run();
}

static void work(unsigned int seed)
{
	const struct op *op;

	/*
	 * Otherwise, on few processors, the writers would have to wait for the
	 * workers.
	 */
	if (nice(10) < 0)
		fail("nice");
	while (!stopped()) {
		op = &ops[random_of(&seed, OPS_OF_ALL)];
		perform(op, &targets[random_of(&seed, NEW_NETNS)],
			facts_now());
		rest();
	}
}

/* The client closes first, with a reset. Otherwise a port would stay busy. */
static void serve(unsigned int listener)
{
	char byte;
	int fd;

	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		while (read(fd, &byte, 1) > 0)
			;
		close(fd);
	}
}

/*
 * Runs while the module loads and unloads. A write counts only if the module
 * was loaded the whole time.
 */
static void flip_toggle(unsigned int unused)
{
	struct facts before, after;
	bool on = false;
	int err;

	(void)unused;
	while (!stopped()) {
		fact_becomes(TOGGLED_ON, UNKNOWN);
		before = facts_now();
		err = sysctl_write(TOGGLE, on ? "1" : "0");
		after = facts_now();
		if (!err && truth_of(MODULE, &before, &after) == YES) {
			__atomic_store_n(&shared->facts.toggled_for,
					 before.word[MODULE], __ATOMIC_SEQ_CST);
			fact_becomes(TOGGLED_ON, on ? YES : NO);
			shared->toggles++;
		}
		wait_ops(err ? 1 : OPS_PER_TOGGLE);
		on = !on;
	}
}

/*
 * Change a local route. Returns an errno. A process for each change would be
 * too slow.
 */
static int local_route(int command, enum anyip6_addr addr, int prefix_len)
{
	struct route route = {
		.type = RTN_LOCAL, .table = RT_TABLE_LOCAL, .plen = prefix_len, .dev = "lo",
	};

	addr_fill(&route.to, AF_INET6, addr, 0);
	return -route_change(&route, command, 0);
}

/*
 * The route to ADDR_ANY changes no answer. It changes the tree at the branch to
 * the prefix that is carved out.
 */
static void flip_route(unsigned int unused)
{
	bool there = false;
	int type;

	(void)unused;
	while (!stopped()) {
		type = there ? RTM_DELROUTE : RTM_NEWROUTE;
		fact_becomes(ROUTED, UNKNOWN);
		errno = local_route(type, ADDR_FREE, 64) ?:
			local_route(type, ADDR_ANY, 128);
		if (errno)
			fail("a route");
		there = !there;
		fact_becomes(ROUTED, there ? YES : NO);
		shared->routes++;
		wait_ops(OPS_PER_ROUTE);
	}
}

static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		fail("lo");
	close(fd);
}

/* A namespace that is made while the module is loaded has the toggle at 1. */
static void make_namespaces(unsigned int home)
{
	while (!stopped()) {
		const struct facts before = facts_now();

		pthread_mutex_lock(&shared->netns);
		close(netns_new());
		lo_up();
		if (local_route(RTM_NEWROUTE, ADDR_ANY, 64))
			fail("a route of a new netns");
		for (int i = 0; i < 2; i++)
			for (size_t t = NEW_NETNS; t < NR_TARGETS; t++)
				perform(&ops[i], &targets[t], before);
		netns_enter(home);
		pthread_mutex_unlock(&shared->netns);
		shared->namespaces++;
		wait_ops(OPS_PER_NETNS);
	}
}

/* Modules of protocols. Forced removal disables lockdep until the next boot. */
static const struct comes_and_goes *reloaded(void)
{
	return access("/proc/lockdep_stats", F_OK) ? &sctp : &l2tp_ip6;
}

static bool modprobe(const struct comes_and_goes *m)
{
	pid_t pid = fork();
	int status = 1;

	if (!pid) {
		execlp("modprobe", "modprobe", "-q", m->module, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return !status && !access(m->refs, F_OK);
}

static int refs_of(const struct comes_and_goes *m)
{
	FILE *f = fopen(m->refs, "r");
	int refs = -1;

	if (f && fscanf(f, "%d", &refs) != 1)
		refs = -1;
	if (f)
		fclose(f);
	return refs;
}

/* Each namespace holds a reference to sctp, until well after the namespace is gone. */
static void remove_module(const struct comes_and_goes *m, int *own_refs)
{
	struct poll_until until = poll_begin();

	pthread_mutex_lock(&shared->netns);
	while (refs_of(m) > *own_refs && poll_again(&until))
		;
	/* At the start, some references may have been about to go. */
	if (refs_of(m) < *own_refs)
		*own_refs = refs_of(m);
	if (refs_of(m) == *own_refs &&
	    !syscall(SYS_delete_module, m->module, m->removal))
		shared->reloads++;
	pthread_mutex_unlock(&shared->netns);
}

static void reload(unsigned int refs)
{
	const struct comes_and_goes *m = reloaded();
	int own_refs = refs;

	while (!stopped()) {
		if (!modprobe(m))
			fail(m->module);
		for (unsigned long end = shared->done + OPS_PER_RELOAD;
		     !stopped() && shared->done < end;)
			for (size_t i = m->ops; i < m->end; i++)
				for (size_t t = 0; t < NEW_NETNS; t++) {
					perform(&ops[i], &targets[t], facts_now());
					rest();
				}
		remove_module(m, &own_refs);
	}
}

/* The module */

static long ms_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - begin->tv_sec) * 1000 +
	       (now.tv_nsec - begin->tv_nsec) / 1000000;
}

static void load_module(const char *path, long *longest)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct timespec begin;
	long ms;

	fact_becomes(MODULE, UNKNOWN);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail(path);
	ms = ms_since(&begin);
	fact_becomes(MODULE, YES);
	close(fd);
	if (ms > *longest)
		*longest = ms;
}

static void unload_module(long *longest)
{
	struct timespec begin;
	long ms;

	fact_becomes(MODULE, UNKNOWN);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (syscall(SYS_delete_module, "anyip6", O_NONBLOCK))
		fail("unload");
	ms = ms_since(&begin);
	fact_becomes(MODULE, NO);
	if (ms > *longest)
		*longest = ms;
}

/* Every LONG_EVERY cycles, stay long enough for each kind of answer in this state. */
static void stay(bool loaded, unsigned long cycle)
{
	const bool is_long = cycle % LONG_EVERY == 0;
	const unsigned long done =
		shared->done + OPS_PER_STATE / (is_long ? 1 : LONG_EVERY);
	/* The first of the two may have begun earlier. */
	const unsigned long namespaces = shared->namespaces + 2;
	const unsigned long toggles = shared->toggles + (loaded ? 3 : 0);

	wait_until(&shared->done, done);
	if (!is_long)
		return;
	wait_until(&shared->namespaces, namespaces);
	wait_until(&shared->toggles, toggles);
}

/*
 * Load and unload wait for grace periods. The cycles use both normal and
 * expedited ones.
 */
static void expedite(bool on)
{
	int fd = open("/sys/kernel/rcu_expedited", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		fail("rcu_expedited");
	close(fd);
}

/* Progress for someone who waits for a thousand cycles. */
static void say_progress(unsigned long cycle, const struct timespec *begin)
{
	static long said;
	const long minutes = ms_since(begin) / 60000;

	if (minutes == said)
		return;
	said = minutes;
	fprintf(stderr, "# %ld min: %lu cycles, %lu operations\n", minutes,
		cycle, shared->done);
}

/* Sums */

struct sums {
	unsigned long judged;
	unsigned long decided;	/* no fact changed meanwhile */
	unsigned long wrong;
};

/* Without a route, a connection reaches nobody. */
static bool no_way(int err)
{
	return err == ENETUNREACH || err == EHOSTUNREACH || err == ETIMEDOUT;
}

static bool possible(const struct op *op, int then, enum truth truth, int err)
{
	const bool yes = truth == YES || truth == UNKNOWN;

	if (!err)
		return yes;
	if (then)
		return truth == UNKNOWN && no_way(err);
	if (err == op->refusal)
		return truth != YES;
	return yes && op->tolerated && err == op->tolerated;
}

static void print_cell(const struct op *op, int then, const struct target *target,
		       enum truth truth, struct sums *sums)
{
	const unsigned long *counts =
		shared->counts[op - ops][then][target - targets][truth];

	for (int err = 0; err < MAX_ERRNO; err++) {
		bool right = possible(op, then, truth, err);

		if (!counts[err])
			continue;
		printf("%s %s %s %s %lu%s\n", then ? op->then_name : op->name,
		       target->name, truth_names[truth],
		       result_name(err), counts[err],
		       right ? "" : " WRONG");
		sums->judged += counts[err];
		sums->decided += truth == UNKNOWN ? 0 : counts[err];
		sums->wrong += right ? 0 : counts[err];
	}
}

static void print_sums(struct sums *sums)
{
	for (size_t op = 0; op < NR_OPS; op++)
		for (int then = 0; then < 2; then++)
			for (size_t t = 0; t < NR_TARGETS; t++)
				for (int truth = NO; truth < NR_TRUTHS; truth++)
					print_cell(&ops[op], then, &targets[t],
						   truth, sums);
}

/* Setting */

static int socket_at(int type, int port)
{
	union sockaddr_any sa;
	socklen_t len = addr_fill(&sa, AF_INET6, ADDR_WILDCARD, port);
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &sa.sa, len))
		fail("a server");
	reset_at_close(fd);
	if (type == SOCK_STREAM && listen(fd, 4096))
		fail("listen");
	return fd;
}

static void share(void)
{
	pthread_mutexattr_t attr;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("storm: mmap");
		exit(1);
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->netns, &attr);
}

/* The workers are gone, so the port must be free. */
static bool port_is_free(const struct op *op)
{
	int fd = op_socket(op);
	int err = op->ask(op, fd, &targets[0]);

	if (err)
		printf("%s at the end: %s\n", op->name, result_name(err));
	close(fd);
	return !err;
}

/*
 * Nothing changes any more. The result must match the kernel's own lookup for a
 * packet.
 */
static void compare(const struct op *op, const struct target *target,
		    struct sums *sums)
{
	const enum anyip6_addr addr = target->addr;
	int fd = op_socket(op), err;
	union sockaddr_any sa;
	bool local, right;

	addr_fill(&sa, AF_INET6, addr, 0);
	local = fib_says_local(&sa.in6.sin6_addr, RT_TABLE_LOCAL);
	err = op->ask(op, fd, target);
	close(fd);
	right = local ? !err : err == op->refusal;
	printf("%s %s %s %s 1%s\n", op->name, target->name,
	       local ? "at-rest,local" : "at-rest,not-local",
	       result_name(err), right ? "" : " WRONG");
	sums->judged++;
	sums->decided++;
	sums->wrong += !right;
}

/* With and without the route that was added and deleted. */
static void compare_all(const char *path, struct sums *sums)
{
	const bool there = (shared->facts.word[ROUTED] & 3) == YES;
	long unused = 0;

	if (ip_batch(AF_INET6, ONE_TABLE_RULES("255"))) {
		errno = EINVAL;
		fail(ip_message());
	}
	load_module(path, &unused);
	for (int round = 0; round < 2; round++) {
		for (size_t op = 0; op < OPS_OF_ALL; op++)
			for (size_t t = 0; t < NEW_NETNS; t++)
				compare(&ops[op], &targets[t], sums);
		if (!round && local_route(there ? RTM_DELROUTE : RTM_NEWROUTE,
					  ADDR_FREE, 64))
			fail("a route");
	}
	unload_module(&unused);
}

static int settle(void)
{
	int home = netns_any_ip();

	if (ip_batch(AF_INET6, "addr add 2001:db8:1::1/128 dev lo nodad\n"
			       "route add unreachable 2001:db8:a:0:1::/80 table local\n")) {
		errno = EINVAL;
		fail(ip_message());
	}
	return home;
}

static int storm(const char *path, unsigned long cycles, time_t seconds,
		 long rest_ms)
{
	unsigned long cycle, dead = 0;
	struct sums sums = {};
	long longest_load = 0, longest_unload = 0;
	int home, status, n = 0;
	pid_t pids[NR_WORKERS + 4], server;
	const struct comes_and_goes *m = reloaded();
	bool reloads;
	struct timespec begin;

	share();
	shared->rest_ms = rest_ms;
	home = settle();
	socket_at(SOCK_DGRAM, SINK_PORT);
	server = process_start(serve, socket_at(SOCK_STREAM, SERVER_PORT));
	reloads = modprobe(m);
	if (reloads)
		pids[n++] = process_start(reload, refs_of(m));
	else
		printf("no module %s\n", m->module);
	for (int i = 0; i < NR_WORKERS; i++)
		pids[n++] = process_start(work, i);
	pids[n++] = process_start(flip_toggle, 0);
	pids[n++] = process_start(flip_route, 0);
	pids[n++] = process_start(make_namespaces, home);

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (cycle = 0; !stopped() && (cycle < cycles || ms_since(&begin) < seconds * 1000);
	     cycle++) {
		expedite(cycle % LONG_EVERY);
		load_module(path, &longest_load);
		stay(true, cycle);
		unload_module(&longest_unload);
		stay(false, cycle);
		say_progress(cycle + 1, &begin);
	}
	/* A storm of few cycles may end too early for this. */
	if (reloads)
		wait_until(&shared->reloads, 1);
	expedite(false);
	shared->stop = true;
	for (int i = 0; i < n; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			dead++;
	kill(server, SIGKILL);
	if (!port_is_free(&ops[0]) || !port_is_free(&ops[1]))
		dead++;
	print_sums(&sums);
	compare_all(path, &sums);
	printf("beside it: %lu toggles, %lu routes, %lu namespaces, %lu removals of %s\n",
	       shared->toggles, shared->routes, shared->namespaces,
	       shared->reloads, m->module);
	printf("in all: %lu operations judged, %lu of them undisturbed, %lu wrong, ",
	       sums.judged, sums.decided, sums.wrong);
	printf("%lu cycles in %ld s, ", cycle, ms_since(&begin) / 1000);
	printf("longest load %ld ms, longest unload %ld ms\n", longest_load,
	       longest_unload);
	return dead ? 1 : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 5)
		return storm(argv[1], strtoul(argv[2], NULL, 0), atol(argv[3]),
			     atol(argv[4]));
	fprintf(stderr, "usage: storm MODULE.ko CYCLES SECONDS REST\n");
	return 2;
}
