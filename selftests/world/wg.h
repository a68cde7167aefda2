/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A WireGuard server and its client, without wg(8). Each has a device wg0. The
 * server is 10.77.0.1 in the tunnel, the client 10.77.0.2.
 */
#ifndef ANYIP6_WG_H
#define ANYIP6_WG_H

#include "sock.h"

struct wg {
	int server, client;	/* namespaces */
	int ping;		/* the client's socket for pings through the tunnel */
	/* The firewall, a process of ours between the client and the server. */
	int inside, outside;
	union sockaddr_any asked, behind;
	bool wrong_source;	/* it has dropped an answer from another address */
};

/*
 * Make both devices. The client asks at @asked, to whose port the server
 * listens. With @firewall, answers from other addresses do not reach the client.
 */
void wg_open(struct wg *wg, int server, int client, const union sockaddr_any *asked,
	     bool firewall);
void wg_close(struct wg *wg);

/* Send a ping through the tunnel. Returns false if no answer comes. */
bool wg_ping(struct wg *wg);

/*
 * Does the client still send to the address that it asked? Without a firewall it
 * follows the server's answers.
 */
bool wg_at_asked(const struct wg *wg);

#endif
