// SPDX-License-Identifier: GPL-2.0
/* Two worlds. In the second one, IPv4 has no policy rule, and so no VRF. */
#include <stdio.h>

#include "parity.h"

static struct world worlds[2];
static int chosen;

/*
 * Enable Fast Open without a cookie for clients and servers, ping sockets for
 * everyone, and ICMP errors without a limit. One limit covers the whole machine,
 * so no type may count towards it. IPv6's mask is a list of types, and none has
 * the number 255.
 */
static void settings(void)
{
	char ports[32];

	snprintf(ports, sizeof(ports), "%d 65535", LAST_PORT + 1);
	sysctl_must("net/ipv4/ip_local_port_range", ports);
	sysctl_must("net/ipv4/tcp_fastopen", "519");
	sysctl_must("net/ipv4/ping_group_range", "0 2147483647");
	sysctl_must("net/ipv4/icmp_ratemask", "0");
	sysctl_must("net/ipv6/icmp/ratemask", "255");
}

void topo_setup(void)
{
	for (int merged = 0; merged < 2; merged++) {
		worlds[merged] = world_new(WORLD_MATRIX | (merged ? WORLD_MERGED : 0));
		topo_choose(merged);
		settings();
		topo_enter_peer();
		settings();
	}
	topo_choose(false);
}

/* Choose the world of the next case. */
void topo_choose(bool merged)
{
	chosen = merged;
}

int topo_host(void)
{
	return worlds[chosen].host;
}

int topo_peer(void)
{
	return worlds[chosen].peer;
}

void topo_enter_host(void)
{
	netns_enter(topo_host());
}

void topo_enter_peer(void)
{
	netns_enter(topo_peer());
}

void topo_nonlocal(bool on)
{
	sysctl_must("net/ipv6/ip_nonlocal_bind", on ? "1" : "0");
	sysctl_must("net/ipv4/ip_nonlocal_bind", on ? "1" : "0");
}
