// SPDX-License-Identifier: GPL-2.0
/*
 * The parity matrix: what the host says without a socket that names the
 * subject. ICMP errors, unbound sockets on a route that names a source, and
 * WireGuard.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "parity.h"
#include "rtnl.h"
#include "wg.h"

#define WG_PINGS	20

/* An ICMP error: the peer asks at the subject, where nobody listens. */

static int asker_new(const struct run *r)
{
	const bool v4 = r->family == AF_INET;
	int fd = sock_new(r->family, r->t->kind);

	set_int(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
	if (r->t->op == OP_ERROR_HOPS)
		set_int(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, 1);
	return fd;
}

/* Whether @fd has got an error for @asked. Raw sockets get those of others too. */
static bool error_for(int fd, const union sockaddr_any *asked, union sockaddr_any *offender)
{
	union sockaddr_any about;

	while (!error_read(fd, offender, &about))
		if (addr_same(&about, asked))
			return true;
	return false;
}

static void error_await(int fd, const union sockaddr_any *asked)
{
	struct pollfd wait = { .fd = fd };
	union sockaddr_any offender;

	while (poll(&wait, 1, ERROR_DEADLINE) == 1)
		if (error_for(fd, asked, &offender))
			return;
	die("no error of %s", sockaddr_text(asked));
}

static void ask(const struct run *r, int fd, union sockaddr_any *at)
{
	if (send_to(r, fd, at, addr_from_peer(r, at, r->port)))
		die_errno("asking");
}

/*
 * Packets keep their order. The peer then asks at another address. When that
 * has answered, the subject's error has arrived, or there is none.
 */
static int error_of(const struct run *r)
{
	const struct tuple next = {
		.kind = r->t->kind, .op = r->t->op, .binding = r->t->binding,
		.class = in(B_VRF, r->t->binding) ? C_VRF_PORT : C_HOST,
	};
	const struct run r_next = { .t = &next, .family = r->family, .port = r->port };
	union sockaddr_any at, at_next, offender;
	int fd, fd_next;
	bool got;

	topo_enter_peer();
	fd = asker_new(r);
	fd_next = asker_new(r);
	ask(r, fd, &at);
	ask(&r_next, fd_next, &at_next);
	error_await(fd_next, &at_next);
	got = error_for(fd, &at, &offender);
	close(fd);
	close(fd_next);
	if (!got)
		return OUTCOME(S_FIRST, E_LOST);
	return addr_same(&offender, &at) ? 0 : OUTCOME(S_FIRST, E_OTHER_SOURCE);
}

/* A route to the peer that names a source, and the Any-IP route of the source */

static struct route route_to_peer(const struct run *r)
{
	const bool vrf = in(B_VRF, r->t->binding);
	struct route route = {
		.type = RTN_UNICAST, .table = vrf ? VRF_TABLE : RT_TABLE_MAIN,
		.scope = RT_SCOPE_LINK, .plen = r->family == AF_INET ? 32 : 128,
		.dev = vrf ? "veth1" : "veth0",
	};

	addr_of_peer(r, &route.to, 0);
	return route;
}

static struct route route_of_subject(const struct run *r)
{
	const bool vrf = r->t->class == C_VRF_ANY;
	struct route route = {
		.type = RTN_LOCAL, .table = vrf ? VRF_TABLE : RT_TABLE_LOCAL,
		.scope = RT_SCOPE_HOST, .plen = r->family == AF_INET ? 24 : 64,
		.dev = vrf ? "vrf0" : "lo",
	};

	addr_subject(r, &route.to, 0);
	return route;
}

/* The subject is the source of an unbound socket. */
static int speak(const struct run *r)
{
	int fd = sock_new_in(r), peer, out;

	peer_listen(r, &peer);
	topo_enter_host();
	out = connect_to_peer(r, fd, peer);
	close(peer);
	close(fd);
	topo_enter_host();
	return out;
}

/* The Any-IP route of the subject is gone for a while. */
static int speak_without(const struct run *r)
{
	const struct route route = route_of_subject(r);
	int out;

	if (route_change(&route, RTM_DELROUTE, 0))
		die("the Any-IP route of %s does not go", sockaddr_text(&route.to));
	out = speak(r);
	if (route_change(&route, RTM_NEWROUTE, NLM_F_EXCL))
		die("the Any-IP route of %s does not come", sockaddr_text(&route.to));
	return out;
}

/* What the kernel refuses to replace stays. */
static int route_source(const struct run *r)
{
	const bool replace = r->t->op == OP_ROUTE_SRC_REPLACE;
	struct route route = route_to_peer(r);
	union sockaddr_any source;
	int out, err, gone;

	topo_enter_host();
	if (replace && route_change(&route, RTM_NEWROUTE, NLM_F_EXCL))
		die("no route to %s", sockaddr_text(&route.to));
	addr_subject(r, &source, 0);
	route.source = &source;
	err = -route_change(&route, RTM_NEWROUTE, replace ? NLM_F_REPLACE : NLM_F_EXCL);
	if (err)
		out = OUTCOME(S_FIRST, err);
	else if (r->t->op == OP_ROUTE_SRC_GONE)
		out = speak_without(r);
	else
		out = speak(r);
	route.source = NULL;
	gone = -route_change(&route, RTM_DELROUTE, 0);
	return gone == (err && !replace ? ESRCH : 0) ? out : OUTCOME(S_CONNECT, E_GARBLED);
}

/* WireGuard: the client's server is at the subject. */

/* Each of the pings is answered, and the client still sends to the subject. */
static int wg_speak(struct wg *wg, bool firewall)
{
	for (int i = 0; i < WG_PINGS; i++)
		if (!wg_ping(wg))
			return OUTCOME(S_FIRST, wg->wrong_source ? E_OTHER_SOURCE : E_LOST);
	return firewall || wg_at_asked(wg) ? 0 : OUTCOME(S_FIRST, E_OTHER_SOURCE);
}

static int wireguard(const struct run *r)
{
	const bool firewall = r->t->op == OP_WG_FIREWALL;
	union sockaddr_any asked;
	struct wg wg;
	int out;

	addr_from_peer(r, &asked, r->port);
	wg_open(&wg, topo_host(), topo_peer(), &asked, firewall);
	out = wg_speak(&wg, firewall);
	wg_close(&wg);
	return out;
}

static int (*const speak_ops[NR_OPS])(const struct run *r) = {
	[OP_ERROR_PORT]		= error_of,
	[OP_ERROR_PROTOCOL]	= error_of,
	[OP_ERROR_HOPS]		= error_of,
	[OP_ROUTE_SRC]		= route_source,
	[OP_ROUTE_SRC_REPLACE]	= route_source,
	[OP_ROUTE_SRC_GONE]	= route_source,
	[OP_WG]			= wireguard,
	[OP_WG_FIREWALL]	= wireguard,
};

bool speak_does(enum op op)
{
	return speak_ops[op];
}

int speak_run(const struct run *r)
{
	return speak_ops[r->t->op](r);
}
