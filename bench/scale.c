// SPDX-License-Identifier: GPL-2.0
/*
 * What a bind costs beside many of something, in powers of ten. Prints a line
 * for each: SERIES-WAY, how many, 0, min, median. The line SERIES-WAY-setup has
 * the cost of making one of the many, and SERIES-WAY-bytes its memory.
 *
 * Usage: scale SERIES WAY MAX
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PORT		5555
#define BATCH		(32 * 1024)

static const struct way {
	const char *name;
	int family;
	enum anyip6_mode mode;
	bool freebind;
} ways[] = {
	{ .name = "stock", .family = AF_INET6, .mode = MODE_ABSENT },
	{ .name = "freebind", .family = AF_INET6, .mode = MODE_ABSENT, .freebind = true },
	{ .name = "ipv4", .family = AF_INET, .mode = MODE_ABSENT },
	{ .name = "on", .family = AF_INET6, .mode = MODE_ON },
};

static const struct way *way;
static unsigned int many;	/* how many there are now */
static unsigned int lo;

/* An address in the i-th /64 of 2001:db8::/32, or 10.0.0.0/8's i-th address. */
static void of_prefix(union sockaddr_any *sa, unsigned int i)
{
	memset(sa, 0, sizeof(*sa));
	sa->sa.sa_family = way->family;
	if (way->family == AF_INET) {
		sa->in.sin_port = htons(PORT);
		sa->in.sin_addr.s_addr = htonl(0x0a000000 + i);
		return;
	}
	sa->in6.sin6_port = htons(PORT);
	sa->in6.sin6_addr.s6_addr32[0] = htonl(0x20010db8);
	sa->in6.sin6_addr.s6_addr32[1] = htonl(i);
}

/* The i-th address of one /64, or of 10.0.0.0/8. */
static void of_address(union sockaddr_any *sa, unsigned int i)
{
	if (way->family == AF_INET)
		return of_prefix(sa, i);
	of_prefix(sa, 0);
	sa->in6.sin6_addr.s6_addr32[3] = htonl(i);
}

/* Netlink: many requests at a time. An error of any of them ends the program. */

struct request {
	struct nlmsghdr hdr;
	union {
		struct rtmsg route;
		struct ifaddrmsg addr;
	};
	char attrs[64];
};

static struct {
	int fd;
	unsigned int seq;
	size_t len;
	struct nlmsghdr *last;
	char buf[BATCH];
} nl;

/* Reads up to the answer to the last request. Others are answered on error. */
static void nl_read_errors(void)
{
	char buf[8192];
	struct nlmsghdr *hdr;
	unsigned int seq = 0;
	int len;

	while (seq != nl.seq) {
		len = recv(nl.fd, buf, sizeof(buf), 0);
		if (len < 0)
			must(-errno, "netlink");
		for (hdr = (void *)buf; NLMSG_OK(hdr, (unsigned int)len);
		     hdr = NLMSG_NEXT(hdr, len)) {
			must(((struct nlmsgerr *)NLMSG_DATA(hdr))->error, "netlink");
			seq = hdr->nlmsg_seq;
		}
	}
}

static void nl_flush(void)
{
	if (!nl.len)
		return;
	nl.last->nlmsg_flags |= NLM_F_ACK;
	if (send(nl.fd, nl.buf, nl.len, 0) < 0)
		must(-errno, "netlink");
	nl_read_errors();
	nl.len = 0;
}

static void nl_attr(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *attr = (void *)r + NLMSG_ALIGN(r->hdr.nlmsg_len);

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	r->hdr.nlmsg_len = NLMSG_ALIGN(r->hdr.nlmsg_len) + RTA_ALIGN(attr->rta_len);
}

static void nl_attr_addr(struct request *r, int type, const union sockaddr_any *sa)
{
	if (sa->sa.sa_family == AF_INET)
		nl_attr(r, type, &sa->in.sin_addr, sizeof(sa->in.sin_addr));
	else
		nl_attr(r, type, &sa->in6.sin6_addr, sizeof(sa->in6.sin6_addr));
}

static void nl_queue(struct request *r)
{
	if (nl.len + sizeof(*r) > BATCH)
		nl_flush();
	r->hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
	r->hdr.nlmsg_seq = ++nl.seq;
	nl.last = memcpy(nl.buf + nl.len, r, r->hdr.nlmsg_len);
	nl.len += r->hdr.nlmsg_len;
}

/* The things to make many of */

static void add_route(unsigned int i)
{
	struct request r = {
		.hdr.nlmsg_len	= NLMSG_LENGTH(sizeof(r.route)),
		.hdr.nlmsg_type	= RTM_NEWROUTE,
		.route = {
			.rtm_family	= way->family,
			.rtm_dst_len	= way->family == AF_INET ? 32 : 64,
			.rtm_table	= RT_TABLE_LOCAL,
			.rtm_protocol	= RTPROT_BOOT,
			.rtm_scope	= RT_SCOPE_HOST,
			.rtm_type	= RTN_LOCAL,
		},
	};
	union sockaddr_any sa;

	of_prefix(&sa, i);
	nl_attr_addr(&r, RTA_DST, &sa);
	nl_attr(&r, RTA_OIF, &lo, sizeof(lo));
	nl_queue(&r);
}

static void add_addr(unsigned int i)
{
	struct request r = {
		.hdr.nlmsg_len	= NLMSG_LENGTH(sizeof(r.addr)),
		.hdr.nlmsg_type	= RTM_NEWADDR,
		.addr = {
			.ifa_family	= way->family,
			.ifa_prefixlen	= 128,
			.ifa_flags	= IFA_F_NODAD,
			.ifa_index	= lo,
		},
	};
	union sockaddr_any sa;

	of_address(&sa, i);
	nl_attr_addr(&r, IFA_LOCAL, &sa);
	nl_queue(&r);
}

/* The namespace goes away with the program. */
static void add_netns(unsigned int i)
{
	static int home = -1;

	if (!i)
		home = open("/proc/thread-self/ns/net", O_RDONLY);
	else
		netns_new();
	netns_enter(home);
}

static int open_socket(void *ctx)
{
	const int one = 1;

	int *fd = ctx;

	*fd = socket(way->family, SOCK_DGRAM, 0);
	if (*fd >= 0 && (!way->freebind ||
			 !setsockopt(*fd, SOL_IP, IP_FREEBIND, &one, sizeof(one))))
		return 0;
	return -errno;
}

static int bind_socket(int fd, const union sockaddr_any *sa)
{
	return bind(fd, &sa->sa, sizeof(*sa)) ? -errno : 0;
}

static int new_socket(unsigned int i)
{
	union sockaddr_any sa;
	int fd;

	of_address(&sa, i);
	must(open_socket(&fd), "socket");
	must(bind_socket(fd, &sa), "bind");
	return fd;
}

static void add_socket(unsigned int i)
{
	new_socket(i);
}

static void pass_socket(unsigned int i)
{
	close(new_socket(i));
}

/* The addresses to bind: some of the many, or the next ones after them. */

static void pick_prefix(union sockaddr_any *sa, unsigned int n)
{
	of_prefix(sa, n % many);
}

static void pick_address(union sockaddr_any *sa, unsigned int n)
{
	of_address(sa, n % many);
}

static void pick_first(union sockaddr_any *sa, unsigned int n)
{
	(void)n;
	of_prefix(sa, 0);
}

static void pick_next(union sockaddr_any *sa, unsigned int n)
{
	of_address(sa, many + n);
}

static const struct series {
	const char *name;
	bool route;	/* the first route is there from the start */
	void (*add)(unsigned int i);
	void (*pick)(union sockaddr_any *sa, unsigned int n);
} series[] = {
	{ "routes", false, add_route, pick_prefix },
	{ "configured", false, add_addr, pick_address },
	{ "beside", true, add_addr, pick_next },
	{ "netns", true, add_netns, pick_first },
	{ "sockets", true, add_socket, pick_next },
	{ "addresses", true, pass_socket, pick_next },
};

/* One bind of the n-th address that is picked. */
struct pick {
	const struct series *series;
	union sockaddr_any sa;
	unsigned int n;
	int fd;
};

static int prepare(void *ctx)
{
	struct pick *p = ctx;

	/* 7919 is prime. The order differs from the one they were made in. */
	p->series->pick(&p->sa, p->n++ * 7919);
	return open_socket(&p->fd);
}

static int act(void *ctx)
{
	const struct pick *p = ctx;

	return bind_socket(p->fd, &p->sa);
}

static void tidy(void *ctx)
{
	const struct pick *p = ctx;

	close(p->fd);
}

/*
 * The kernel's memory in slabs and for each CPU. Free memory tells less: it
 * leaves out the megabytes of pages that each CPU keeps for itself.
 */
static long mem_used(void)
{
	long kb, sum = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %ld", &kb) == 1 ||
		    sscanf(line, "Percpu: %ld", &kb) == 1)
			sum += kb;
	if (f)
		fclose(f);
	return sum * 1024;
}

/* The same, after the kernel's cleanup: unchanged for a second. */
static long mem_settled(void)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	long was = 0, is;

	for (int same = 0; same < 10; same++) {
		nanosleep(&pause, NULL);
		is = mem_used();
		if (is != was)
			same = 0;
		was = is;
	}
	return was;
}

static void report(const struct series *s, const char *what, unsigned long min,
		   unsigned long median)
{
	printf("%s-%s%s\t%u\t0\t%lu\t%lu\n", s->name, way->name, what, many,
	       min, median);
}

/*
 * QEMU resizes its TLB to the guest's need, but only when the guest flushes it.
 * With its first size, code that walks through all of the many takes longer.
 * Return: what the switch took.
 */
static unsigned long switch_tasks(void)
{
	unsigned long begin = now();
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return now() - begin;
}

static void run(const struct series *s, unsigned int max)
{
	static const struct act binding = { prepare, act, tidy };
	long before = mem_settled(), used;
	struct pick p = { .series = s };
	unsigned long begin, setup = 0;
	struct cost cost;

	for (unsigned int to = 1; to <= max; to *= 10) {
		begin = now();
		for (; many < to; many++) {
			s->add(many);
			if (many % 256 == 0)
				setup -= switch_tasks();
		}
		nl_flush();
		setup += now() - begin;
		used = mem_used() - before;
		cost = measure(&binding, &p);
		must(cost.err, s->name);
		report(s, "", cost.min, cost.median);
		report(s, "-setup", setup / many, setup / many);
		used = used < 0 ? 0 : used / many;
		report(s, "-bytes", used, used);
	}
}

static void start(const struct series *s)
{
	struct rlimit files = { 1048576, 1048576 };

	new_host(way->mode, "link set lo up\n");
	setrlimit(RLIMIT_NOFILE, &files);
	lo = if_nametoindex("lo");
	nl.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (s->route)
		add_route(0);
	nl_flush();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(argv[2], ways[i].name))
			way = &ways[i];
	for (size_t i = 0; way && i < sizeof(series) / sizeof(*series); i++)
		if (!strcmp(argv[1], series[i].name)) {
			start(&series[i]);
			run(&series[i], strtoul(argv[3], NULL, 10));
			return 0;
		}
	return 2;
}
