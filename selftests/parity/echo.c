// SPDX-License-Identifier: GPL-2.0
/*
 * A UDP echo server for a whole prefix. It has one wildcard socket without
 * IP_FREEBIND, and answers each datagram from the datagram's destination.
 */
#include <errno.h>
#include <sys/socket.h>

#include "harness.h"

#define ADDRESSES	1000

static int udp(int family)
{
	const struct bind_spec spec = { .proto = PROTO_udp };
	int fd = sock_open(family, &spec);

	if (fd < 0)
		die("socket: %s", strerror(-fd));
	return fd;
}

static int server_new(int family)
{
	union sockaddr_any any;
	socklen_t len = addr_fill(&any, family, ADDR_WILDCARD, TEST_PORT);
	int fd = udp(family), one = 1;

	if (setsockopt(fd, family == AF_INET ? SOL_IP : SOL_IPV6,
		       family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO, &one, sizeof(one)))
		die_errno("RECVPKTINFO");
	if (bind(fd, &any.sa, len))
		die_errno("bind");
	return fd;
}

/* Sends the received control message back. The destination becomes the source. */
static int server_answer(int fd)
{
	union sockaddr_any from;
	union control control;
	char buf[32];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &msg, 0);

	if (len < 0)
		return errno;
	iov.iov_len = len;
	if (from.sa.sa_family == AF_INET) {
		struct in_pktinfo *info = (void *)CMSG_DATA(&control.hdr);

		info->ipi_spec_dst = info->ipi_addr;
		info->ipi_ifindex = 0;
	} else {
		struct in6_pktinfo *info = (void *)CMSG_DATA(&control.hdr);

		info->ipi6_ifindex = 0;
	}
	return sendmsg(fd, &msg, 0) < 0 ? errno : 0;
}

/* Returns 0, the server's errno, or EBADE if the answer had another source. */
static int ask(int server, int client, int family, unsigned int n)
{
	union sockaddr_any to, from;
	socklen_t len = sizeof(from);
	char buf[32];
	int err;

	addr_scattered(&to, family, n);
	if (sendto(client, &n, sizeof(n), 0, &to.sa, sockaddr_len(&to)) < 0)
		return errno;
	err = server_answer(server);
	if (err)
		return err;
	if (recvfrom(client, buf, sizeof(buf), 0, &from.sa, &len) < 0)
		return errno;
	return addr_same(&from, &to) && !memcmp(buf, &n, sizeof(n)) ? 0 : EBADE;
}

/* Neighbour solicitations come from a configured address, or else a link-local one. */
static const char host_lines[] =
	"link set lo up\n"
	"link set veth0 addrgenmode none up\n"
	"addr add fe80::1/64 dev veth0 nodad\n"
	"addr add 2001:db8:1::1/64 dev veth0 nodad\n"
	"route add local 2001:db8:a::/64 dev lo\n";
static const char host_lines4[] =
	"addr add 192.0.2.1/24 dev veth0\n"
	"route add local 198.18.0.0/15 dev lo\n";
static const char peer_lines[] =
	"link set lo up\n"
	"link set veth0 addrgenmode none up\n"
	"addr add fe80::2/64 dev veth0 nodad\n"
	"addr add 2001:db8:1::2/64 dev veth0 nodad\n"
	"route add 2001:db8:a::/64 via 2001:db8:1::1\n";
static const char peer_lines4[] =
	"addr add 192.0.2.2/24 dev veth0\n"
	"route add 198.18.0.0/15 via 192.0.2.1\n";

FIXTURE(echo) {
	int host, peer;
};

FIXTURE_VARIANT(echo) {
	int family;
};

FIXTURE_VARIANT_ADD(echo, ipv6) { .family = AF_INET6 };
FIXTURE_VARIANT_ADD(echo, ipv4) { .family = AF_INET };

FIXTURE_SETUP(echo)
{
	self->peer = netns_new();
	self->host = netns_new();
	toggle_set(mode_by_name(_metadata->name));
	ASSERT_EQ(0, ip_run("link add veth0 type veth peer name veth0 netns /proc/self/fd/%d",
			    self->peer));
	ASSERT_EQ(0, ip_batch(AF_INET6, host_lines));
	ASSERT_EQ(0, ip_batch(AF_INET, host_lines4));
	netns_enter(self->peer);
	ASSERT_EQ(0, ip_batch(AF_INET6, peer_lines));
	ASSERT_EQ(0, ip_batch(AF_INET, peer_lines4));
}

FIXTURE_TEARDOWN(echo) {}

static void echo_check(struct __test_metadata *_metadata, int host, int peer,
		       int family, int want)
{
	int server, client, err, good = 0;

	netns_enter(host);
	server = server_new(family);
	netns_enter(peer);
	client = udp(family);
	for (int n = 0; n < ADDRESSES; n++) {
		err = ask(server, client, family, n);
		if (err == want)
			good++;
		else
			TH_LOG("address %d: %s", n, strerror(err));
	}
	EXPECT_EQ(ADDRESSES, good);
	close(server);
	close(client);
}

#define TEST_IN_MODE(mode, err)						\
	TEST_F_TIMEOUT(echo, mode, 600)					\
	{								\
		echo_check(_metadata, self->host, self->peer,		\
			   variant->family,				\
			   variant->family == AF_INET6 ? err : 0);	\
	}

TEST_IN_MODE(absent, EINVAL)
TEST_IN_MODE(off, EINVAL)
TEST_IN_MODE(on, 0)

ANYIP6_HARNESS_MAIN(WORLD_NONE)
