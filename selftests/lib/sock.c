// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/capability.h>
#include <linux/types.h>
#include <net/if.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/errqueue.h>

#include "sock.h"

#define IO_DEADLINE	5	/* seconds */

socklen_t addr_parse(union sockaddr_any *sa, int family, const char *text, int port)
{
	void *ip = family == AF_INET ? (void *)&sa->in.sin_addr : &sa->in6.sin6_addr;

	memset(sa, 0, sizeof(*sa));
	sa->sa.sa_family = family;
	sa->in.sin_port = htons(port);
	return inet_pton(family, text, ip) == 1 ? sockaddr_len(sa) : 0;
}

socklen_t addr_fill(union sockaddr_any *sa, int family, enum anyip6_addr addr,
		    int port)
{
	return addr_parse(sa, family, addr_text(addr, family), port);
}

socklen_t sockaddr_len(const union sockaddr_any *sa)
{
	return sa->sa.sa_family == AF_INET ? sizeof(sa->in) : sizeof(sa->in6);
}

socklen_t l2tp_connection(union sockaddr_any *sa, unsigned int connection)
{
	const bool v4 = sa->sa.sa_family == AF_INET;

	memcpy(sa->room + (v4 ? 8 : sizeof(sa->in6)), &connection, sizeof(connection));
	return v4 ? sizeof(sa->in) : sizeof(sa->room);
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

void addr_scattered(union sockaddr_any *sa, int family, unsigned int n)
{
	const __u64 scattered = (n + 1) * 0x9e3779b97f4a7c15ULL;

	if (family == AF_INET) {
		addr_parse(sa, family, "198.18.0.0", TEST_PORT);
		sa->in.sin_addr.s_addr |= htonl(scattered >> 47);
		return;
	}
	addr_parse(sa, family, "2001:db8:a::", TEST_PORT);
	memcpy(&sa->in6.sin6_addr.s6_addr[8], &scattered, sizeof(scattered));
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

int sock_set_options(int fd, int family, unsigned int opts)
{
	const int one = 1;

	for (size_t i = 0; i < ARRAY_SIZE(sock_options); i++) {
		int v4 = family == AF_INET;

		if ((opts & sock_options[i].opt) && sock_options[i].level[v4] != UNSET &&
		    setsockopt(fd, sock_options[i].level[v4],
			       sock_options[i].name[v4], &one, sizeof(one)))
			return -errno;
	}
	return 0;
}

/* MPTCP has no deadlines in 5.15. */
static bool set_deadline(int fd, int name)
{
	const struct timeval deadline = { .tv_sec = IO_DEADLINE };

	return !setsockopt(fd, SOL_SOCKET, name, &deadline, sizeof(deadline)) ||
		errno == EOPNOTSUPP;
}

int sock_open(int family, const struct bind_spec *spec)
{
	int fd;

	family = spec_family(family, spec);
	fd = socket(family, spec->proto.type | SOCK_CLOEXEC, spec->proto.number);
	if (fd < 0)
		return -errno;
	if (!set_deadline(fd, SO_RCVTIMEO) || !set_deadline(fd, SO_SNDTIMEO) ||
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

/* EBADE: bind() returned 0 but the socket has another address. */
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

/* Returns a new socket, bound as the spec says. */
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

int sock_try(int family, const struct bind_spec *spec)
{
	int fd = sock_bound(family, spec);

	return fd < 0 ? fd : close(fd);
}

int udp_try(enum anyip6_addr addr)
{
	const struct bind_spec spec = { .proto = PROTO_udp, .addr = addr };

	return sock_try(AF_INET6, &spec);
}

/* A source address by control message */

void *control_add(struct msghdr *msg, int level, int type, size_t len)
{
	struct cmsghdr *hdr = (void *)((char *)msg->msg_control + msg->msg_controllen);

	*hdr = (struct cmsghdr) {
		.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(len),
	};
	msg->msg_controllen += CMSG_SPACE(len);
	return CMSG_DATA(hdr);
}

void control_source(struct msghdr *msg, const union sockaddr_any *from)
{
	struct in6_pktinfo v6 = {
		.ipi6_addr = from->in6.sin6_addr, .ipi6_ifindex = from->in6.sin6_scope_id,
	};
	struct in_pktinfo v4 = { .ipi_spec_dst = from->in.sin_addr };

	if (from->sa.sa_family == AF_INET)
		memcpy(control_add(msg, SOL_IP, IP_PKTINFO, sizeof(v4)), &v4, sizeof(v4));
	else
		memcpy(control_add(msg, SOL_IPV6, IPV6_PKTINFO, sizeof(v6)), &v6,
		       sizeof(v6));
}

static struct msghdr message_to(const union sockaddr_any *to, union control *control)
{
	return (struct msghdr) {
		.msg_name = (void *)to, .msg_namelen = to ? sockaddr_len(to) : 0,
		.msg_control = control,
	};
}

int send_from(int fd, const union sockaddr_any *from, const union sockaddr_any *to,
	      const char *text, int flags)
{
	struct iovec data = { .iov_base = (void *)text, .iov_len = strlen(text) };
	union control control = {};
	struct msghdr msg = message_to(to, &control);

	msg.msg_iov = &data;
	msg.msg_iovlen = 1;
	control_source(&msg, from);
	return sendmsg(fd, &msg, flags) < 0 ? -errno : 0;
}

int probe_source(int fd, const union sockaddr_any *from, const union sockaddr_any *to)
{
	static const unsigned char options[8] = { 0, 0, 1, 4 }; /* PadN */
	union control control = {};
	struct msghdr msg = message_to(to, &control);

	control_source(&msg, from);
	memcpy(control_add(&msg, SOL_IPV6, IPV6_HOPOPTS, sizeof(options)), options,
	       sizeof(options));
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

int error_read(int fd, union sockaddr_any *offender, union sockaddr_any *asked)
{
	union control control;
	struct msghdr msg = {
		.msg_name = asked, .msg_namelen = sizeof(*asked),
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	while (c && c->cmsg_type != IP_RECVERR && c->cmsg_type != IPV6_RECVERR)
		c = CMSG_NXTHDR(&msg, c);
	if (!c)
		return -ENOMSG;
	memcpy(offender, SO_EE_OFFENDER((struct sock_extended_err *)CMSG_DATA(c)),
	       sizeof(offender->in6));
	return 0;
}

void may_raw(bool may)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		die_errno("capget");
	data[0].effective &= ~(1U << CAP_NET_RAW);
	data[0].effective |= (unsigned int)may << CAP_NET_RAW;
	if (syscall(SYS_capset, &header, data))
		die_errno("capset");
}
