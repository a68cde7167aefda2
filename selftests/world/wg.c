// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rtnl.h"
#include "wg.h"

#define SERVER		"10.77.0.1"
#define CLIENT		"10.77.0.2"
#define PING_DEADLINE	10000	/* ms */
#define MAX_PACKET	2048

struct key {
	unsigned char bytes[WG_KEY_LEN];
};

/* Any number is a private key. The kernel ignores the low three bits. */
static const struct key server_key = { { 8 } }, client_key = { { 16 } };

/* Generic netlink */

static struct rtnl_request genl_new(int family, int command, int flags)
{
	const struct genlmsghdr genl = { .cmd = command, .version = 1 };
	struct rtnl_request r = { .hdr = {
		.nlmsg_type = family, .nlmsg_len = NLMSG_LENGTH(sizeof(genl)),
		.nlmsg_flags = NLM_F_REQUEST | flags,
	} };

	memcpy(r.rest, &genl, sizeof(genl));
	return r;
}

/* A socket for one request, so that the end of a dump is in nobody's way. */
static void genl_ask(const struct rtnl_request *r, struct rtnl_answer *answer)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	errno = -rtnl_ask(fd, r, answer);
	if (errno)
		die_errno("generic netlink");
	close(fd);
}

static struct rtattr *attr_find(void *attrs, int len, int type)
{
	struct rtattr *rta = attrs;

	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if ((rta->rta_type & NLA_TYPE_MASK) == type)
			return rta;
	die("generic netlink: no attribute %d", type);
}

static struct rtattr *attr_in(struct rtattr *nest, int type)
{
	return attr_find(RTA_DATA(nest), RTA_PAYLOAD(nest), type);
}

static struct rtattr *answer_attr(struct rtnl_answer *answer, int type)
{
	return attr_find(answer->rest + GENL_HDRLEN,
			 answer->hdr.nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), type);
}

static int wg_family(void)
{
	struct rtnl_request r = genl_new(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	struct rtnl_answer answer;

	rtnl_put_text(&r, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	genl_ask(&r, &answer);
	return *(__u16 *)RTA_DATA(answer_attr(&answer, CTRL_ATTR_FAMILY_ID));
}

/* The devices */

static struct rtnl_request device_request(int command, int flags)
{
	struct rtnl_request r = genl_new(wg_family(), command, flags);

	rtnl_put_text(&r, WGDEVICE_A_IFNAME, "wg0");
	return r;
}

static struct rtnl_answer device_get(void)
{
	struct rtnl_request r = device_request(WG_CMD_GET_DEVICE, NLM_F_DUMP);
	struct rtnl_answer answer;

	genl_ask(&r, &answer);
	return answer;
}

/* The kernel knows which public key belongs to the private one. */
static struct key device_key(const struct key *private)
{
	struct rtnl_request r = device_request(WG_CMD_SET_DEVICE, NLM_F_ACK);
	struct rtnl_answer answer;
	struct key public;

	rtnl_put(&r, WGDEVICE_A_PRIVATE_KEY, private, sizeof(*private));
	genl_ask(&r, NULL);
	answer = device_get();
	memcpy(&public, RTA_DATA(answer_attr(&answer, WGDEVICE_A_PUBLIC_KEY)), sizeof(public));
	return public;
}

static void put_allowed(struct rtnl_request *r, const char *inner)
{
	struct rtattr *ips = rtnl_put(r, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED, NULL, 0);
	struct rtattr *ip = rtnl_put(r, NLA_F_NESTED, NULL, 0);

	rtnl_put(r, WGALLOWEDIP_A_FAMILY, &(__u16){ AF_INET }, sizeof(__u16));
	rtnl_put_addr(r, WGALLOWEDIP_A_IPADDR, AF_INET, inner);
	rtnl_put(r, WGALLOWEDIP_A_CIDR_MASK, &(__u8){ 32 }, sizeof(__u8));
	rtnl_put_end(r, ip);
	rtnl_put_end(r, ips);
}

/* The server listens to @port. The client knows an @endpoint. */
static void device_peer(const struct key *public, const char *inner, in_port_t port,
			const union sockaddr_any *endpoint)
{
	struct rtnl_request r = device_request(WG_CMD_SET_DEVICE, NLM_F_ACK);
	struct rtattr *peers, *peer;

	rtnl_put(&r, WGDEVICE_A_LISTEN_PORT, &port, sizeof(port));
	peers = rtnl_put(&r, WGDEVICE_A_PEERS | NLA_F_NESTED, NULL, 0);
	peer = rtnl_put(&r, NLA_F_NESTED, NULL, 0);
	rtnl_put(&r, WGPEER_A_PUBLIC_KEY, public, sizeof(*public));
	if (endpoint)
		rtnl_put(&r, WGPEER_A_ENDPOINT, endpoint, sockaddr_len(endpoint));
	put_allowed(&r, inner);
	rtnl_put_end(&r, peer);
	rtnl_put_end(&r, peers);
	genl_ask(&r, NULL);
}

static void device_new(const char *inner)
{
	if (ip_run("link add wg0 type wireguard") ||
	    ip_run("addr add %s/24 dev wg0", inner))
		die("wg0: %s", ip_message());
}

bool wg_at_asked(const struct wg *wg)
{
	union sockaddr_any endpoint = {};
	struct rtnl_answer answer;
	struct rtattr *rta;

	netns_enter(wg->client);
	answer = device_get();
	rta = attr_in(answer_attr(&answer, WGDEVICE_A_PEERS), 0);
	rta = attr_in(rta, WGPEER_A_ENDPOINT);
	memcpy(&endpoint, RTA_DATA(rta), RTA_PAYLOAD(rta));
	return addr_same(&endpoint, &wg->asked);
}

/* The firewall. It has the client on one side and the server on the other. */

static int udp_new(int family, enum anyip6_addr addr, union sockaddr_any *at)
{
	socklen_t len = addr_fill(at, family, addr, 0);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, &at->sa, len) || getsockname(fd, &at->sa, &len))
		die_errno("firewall");
	return fd;
}

static void firewall_open(struct wg *wg, union sockaddr_any *endpoint)
{
	const int family = wg->asked.sa.sa_family;
	union sockaddr_any any;

	wg->inside = udp_new(family, ADDR_LOOPBACK, endpoint);
	wg->outside = udp_new(family, ADDR_WILDCARD, &any);
}

/* It lets an answer in only if it comes from the address that the client asked. */
static void firewall_pass(struct wg *wg)
{
	union sockaddr_any from = {};
	socklen_t size = sizeof(from);
	char packet[MAX_PACKET];
	ssize_t len;

	len = recvfrom(wg->inside, packet, sizeof(packet), 0, &wg->behind.sa, &size);
	if (len >= 0)
		sendto(wg->outside, packet, len, 0, &wg->asked.sa, sockaddr_len(&wg->asked));
	size = sizeof(from);
	len = recvfrom(wg->outside, packet, sizeof(packet), 0, &from.sa, &size);
	if (len < 0)
		return;
	if (addr_same(&from, &wg->asked))
		sendto(wg->inside, packet, len, 0, &wg->behind.sa, sockaddr_len(&wg->behind));
	else
		wg->wrong_source = true;
}

/* Pings */

static int ping_new(void)
{
	union sockaddr_any to;
	socklen_t len = addr_parse(&to, AF_INET, SERVER, 0);
	int fd;

	sysctl_must("net/ipv4/ping_group_range", "0 2147483647");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (fd < 0 || connect(fd, &to.sa, len))
		die_errno("ping");
	return fd;
}

bool wg_ping(struct wg *wg)
{
	const struct icmphdr echo = { .type = ICMP_ECHO };
	struct pollfd fds[] = {
		{ .fd = wg->ping, .events = POLLIN },
		{ .fd = wg->inside, .events = POLLIN },
		{ .fd = wg->outside, .events = POLLIN },
	};
	char answer[64];

	if (send(wg->ping, &echo, sizeof(echo), 0) < 0)
		return false;
	while (!wg->wrong_source && poll(fds, ARRAY_SIZE(fds), PING_DEADLINE) > 0) {
		if (recv(wg->ping, answer, sizeof(answer), 0) > 0)
			return true;
		firewall_pass(wg);
	}
	return false;
}

void wg_open(struct wg *wg, int server, int client, const union sockaddr_any *asked,
	     bool firewall)
{
	union sockaddr_any endpoint = *asked;
	struct key public;

	*wg = (struct wg) {
		.server = server, .client = client, .asked = *asked,
		.ping = -1, .inside = -1, .outside = -1,
	};
	netns_enter(server);
	device_new(SERVER);
	public = device_key(&server_key);
	netns_enter(client);
	device_new(CLIENT);
	if (firewall)
		firewall_open(wg, &endpoint);
	device_peer(&public, SERVER, 0, &endpoint);
	public = device_key(&client_key);
	ip_must(AF_UNSPEC, "link set wg0 up\n");
	wg->ping = ping_new();
	netns_enter(server);
	device_peer(&public, CLIENT, ntohs(asked->in.sin_port), NULL);
	ip_must(AF_UNSPEC, "link set wg0 up\n");
	netns_enter(client);
}

void wg_close(struct wg *wg)
{
	close(wg->ping);
	close(wg->inside);
	close(wg->outside);
	netns_enter(wg->client);
	ip_run("link del wg0");
	netns_enter(wg->server);
	ip_run("link del wg0");
}
