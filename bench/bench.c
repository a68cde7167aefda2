// SPDX-License-Identifier: GPL-2.0
/*
 * What sockets pay. Measures all rows of a table in the columns that are asked
 * for. Prints a line for each: column, row, errno, min, median.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define SOURCE_PORT	5555

/* The ways to use an address that is not configured, in the order of a boot. */
static const struct column {
	const char *name;
	int family;
	enum anyip6_mode mode;
	bool freebind;		/* IP_FREEBIND on each socket, not counted */
	bool nonlocal;		/* ip_nonlocal_bind=1 */
	bool shim;		/* LD_PRELOAD has shim.so */
} columns[] = {
	{ .name = "stock", .family = AF_INET6, .mode = MODE_ABSENT },
	{ .name = "freebind", .family = AF_INET6, .mode = MODE_ABSENT, .freebind = true },
	{ .name = "nonlocal", .family = AF_INET6, .mode = MODE_ABSENT, .nonlocal = true },
	{ .name = "shim", .family = AF_INET6, .mode = MODE_ABSENT, .shim = true },
	{ .name = "ipv4", .family = AF_INET, .mode = MODE_ABSENT },
	{ .name = "off", .family = AF_INET6, .mode = MODE_OFF },
	{ .name = "on", .family = AF_INET6, .mode = MODE_ON },
};

static const char lines[] =
	"link set lo up\n"
	"link add dummy0 type dummy\n"
	"link set dummy0 addrgenmode none\n"
	"link set dummy0 up\n"
	"addr add 192.0.2.1/24 dev dummy0\n"
	"addr add 2001:db8:1::1/64 dev dummy0 nodad\n"
	/* a peer that takes everything and whose MAC address is known */
	"neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 nud permanent dev dummy0\n"
	"neigh add 2001:db8:1::2 lladdr 02:00:00:00:00:02 nud permanent dev dummy0\n"
	"route add local 198.18.0.0/24 dev lo\n"
	"route add local 2001:db8:a::/64 dev lo\n";

/* Where a datagram goes. On the host nobody listens there. */
enum to { TO_PEER, TO_HOST, TO_ANY, TO_GROUP, NR_TO };

static const enum anyip6_addr to_addr[NR_TO] = {
	[TO_PEER]	= ADDR_PEER,
	[TO_HOST]	= ADDR_HOST,
	[TO_ANY]	= ADDR_ANY,
	[TO_GROUP]	= ADDR_MULTICAST,
};

struct row {
	const char *name;
	struct act act;
	int type;
	enum anyip6_addr from;	/* bound to, or PKTINFO's source */
	bool pktinfo;
	bool bound;		/* before the count begins */
	enum to to;
	bool (*skip)(const struct column *col);
};

/* One row in one column. */
struct cell {
	const struct column *col;
	const struct row *row;
	union sockaddr_any from, to;
	socklen_t len;
	int fd, listener;
	struct msghdr msg;
	union control control;
};

/* Acts. Each makes one or two system calls, which are counted. */

static int act_socket(void *ctx)
{
	struct cell *c = ctx;

	c->fd = socket(c->col->family, c->row->type | SOCK_CLOEXEC, 0);
	return c->fd < 0 ? -errno : 0;
}

static int act_setsockopt(void *ctx)
{
	const struct cell *c = ctx;
	const int one = 1;

	return setsockopt(c->fd, SOL_IP, IP_FREEBIND, &one, sizeof(one)) ?
		-errno : 0;
}

static int act_bind(void *ctx)
{
	const struct cell *c = ctx;

	return bind(c->fd, &c->from.sa, c->len) ? -errno : 0;
}

static int act_setsockopt_bind(void *ctx)
{
	return act_setsockopt(ctx) ?: act_bind(ctx);
}

static int act_send(void *ctx)
{
	const struct cell *c = ctx;

	return sendmsg(c->fd, &c->msg, 0) < 0 ? -errno : 0;
}

static int act_connect(void *ctx)
{
	const struct cell *c = ctx;

	return connect(c->fd, &c->to.sa, c->len) ? -errno : 0;
}

static int act_bind_connect(void *ctx)
{
	return act_bind(ctx) ?: act_connect(ctx);
}

static int act_receive(void *ctx)
{
	const struct cell *c = ctx;
	char byte;

	return recv(c->fd, &byte, sizeof(byte), MSG_DONTWAIT) == 1 ? 0 : -errno;
}

/* Before and after */

static int open_socket(void *ctx)
{
	const struct cell *c = ctx;
	int err = act_socket(ctx);

	if (!err && c->col->freebind)
		err = act_setsockopt(ctx);
	if (!err && c->row->bound)
		err = act_bind(ctx);
	return err;
}

/* Opens a socket as if the column had no freebind. */
static int open_plain(void *ctx)
{
	return act_socket(ctx);
}

static void close_socket(void *ctx)
{
	const struct cell *c = ctx;

	close(c->fd);
}

/* A close sends a reset, so no socket stays in TIME_WAIT. */
static int open_stream(void *ctx)
{
	const struct linger reset = { .l_onoff = 1 };
	const struct cell *c = ctx;
	const int one = 1;
	int err = act_socket(ctx);

	if (!err && c->col->freebind)
		err = act_setsockopt(ctx);
	if (!err && (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ||
		     setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))))
		err = -errno;
	if (!err && c->row->bound)
		err = act_bind(ctx);
	return err;
}

static void close_stream(void *ctx)
{
	const struct cell *c = ctx;

	close(c->fd);
	close(accept(c->listener, NULL, NULL));
}

static int open_and_get(void *ctx)
{
	const struct cell *c = ctx;
	int err = open_socket(ctx);

	if (!err && sendto(c->fd, "", 1, 0, &c->from.sa, c->len) != 1)
		err = -errno;
	return err;
}

static bool lacks_anyip(const struct column *col)
{
	return col->family == AF_INET6 && col->mode != MODE_ON &&
	       !col->freebind && !col->nonlocal && !col->shim;
}

/* IPv4 needs an option to send to a group on a device. */
static bool is_ipv4(const struct column *col)
{
	return col->family == AF_INET;
}

static bool not_freebind(const struct column *col)
{
	return !col->freebind;
}

#define UDP(prepare_, act_)						\
	.type = SOCK_DGRAM,						\
	.act = { .prepare = prepare_, .act = act_, .tidy = close_socket }
#define TCP(prepare_, act_)						\
	.type = SOCK_STREAM,						\
	.act = { .prepare = prepare_, .act = act_, .tidy = close_stream }

#define FREEBIND	.skip = not_freebind
#define BOUND		.bound = true
#define PKTINFO		.pktinfo = true
#define UNREACHABLE	.to = TO_HOST
#define ANY_UNREACHABLE	.to = TO_ANY
#define GROUP		.to = TO_GROUP, .skip = is_ipv4
#define HOST		.from = ADDR_HOST
#define ANY		.from = ADDR_ANY
#define OUTSIDE		.from = ADDR_OUTSIDE

static const struct row rows[] = {
	{ "socket", HOST,		UDP(NULL, act_socket) },
	{ "setsockopt", HOST,		UDP(open_plain, act_setsockopt), FREEBIND },
	{ "bind_configured", HOST,	UDP(open_socket, act_bind) },
	{ "bind_anyip", ANY,		UDP(open_socket, act_bind) },
	{ "bind_sum", ANY,		UDP(open_plain, act_setsockopt_bind), FREEBIND },
	{ "bind_refused", OUTSIDE,	UDP(open_socket, act_bind) },
	{ "send", HOST,			UDP(open_socket, act_send), BOUND },
	{ "unreachable", HOST,		UDP(open_socket, act_send), BOUND, UNREACHABLE },
	{ "unreachable_anyip", HOST,	UDP(open_socket, act_send), BOUND, ANY_UNREACHABLE },
	{ "group", HOST,		UDP(open_socket, act_send), BOUND, GROUP },
	{ "pktinfo_configured", HOST,	UDP(open_socket, act_send), PKTINFO },
	{ "pktinfo_anyip", ANY,		UDP(open_socket, act_send), PKTINFO },
	{ "connect_configured", HOST,	TCP(open_stream, act_connect), BOUND },
	{ "connect_anyip", ANY,		TCP(open_stream, act_connect), BOUND, .skip = lacks_anyip },
	{ "both_configured", HOST,	TCP(open_stream, act_bind_connect) },
	{ "both_anyip", ANY,		TCP(open_stream, act_bind_connect), .skip = lacks_anyip },
	{ "receive", HOST,		UDP(open_and_get, act_receive), BOUND },
};

/* The kernel's answer in this cell. Any other answer ends the program. */
static int expected(const struct cell *c)
{
	bool all = c->col->freebind || c->col->nonlocal || c->col->shim;

	if (c->row->from == ADDR_OUTSIDE && !all)
		return -EADDRNOTAVAIL;
	if (c->row->from == ADDR_ANY && lacks_anyip(c->col))
		return c->row->pktinfo ? -EINVAL : -EADDRNOTAVAIL;
	return 0;
}

static int listener(const struct cell *c)
{
	int fd = socket(c->col->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &c->to.sa, c->len) || listen(fd, 1))
		must(-errno, "listening");
	return fd;
}

static void run_cell(const struct column *col, const struct row *row)
{
	bool stream = row->type == SOCK_STREAM;
	enum anyip6_addr to = stream ? ADDR_HOST : to_addr[row->to];
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct cell c = { .col = col, .row = row, .listener = -1 };
	struct cost cost;

	if (row->skip && row->skip(col))
		return;
	c.len = addr_fill(&c.from, col->family, row->from, SOURCE_PORT);
	addr_fill(&c.to, col->family, to, TEST_PORT);
	if (row->to == TO_GROUP)
		c.to.in6.sin6_scope_id = if_nametoindex("dummy0");
	c.msg.msg_name = &c.to;
	c.msg.msg_namelen = c.len;
	c.msg.msg_iov = &byte;
	c.msg.msg_iovlen = 1;
	if (row->pktinfo) {
		c.msg.msg_control = &c.control;
		control_source(&c.msg, &c.from);
	}
	if (stream)
		c.listener = listener(&c);
	cost = measure(&row->act, &c);
	close(c.listener);
	if (cost.err != expected(&c))
		must(cost.err ?: -EBADE, row->name);
	printf("%s\t%s\t%d\t%lu\t%lu\n", col->name, row->name, -cost.err,
	       cost.min, cost.median);
}

static void run_column(const struct column *col)
{
	new_host(col->mode, lines);
	if (col->nonlocal)
		must(sysctl_write("net/ipv6/ip_nonlocal_bind", "1"), "sysctl");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		run_cell(col, &rows[i]);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("clock\t-\t0\t%lu\t%lu\n", clock_check(), clock_check());
	for (int arg = 1; arg < argc; arg++)
		for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
			if (!strcmp(argv[arg], columns[i].name))
				run_column(&columns[i]);
	return 0;
}
