// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../explain/rule.h"
#include "../lib/anyip6.h"
#include "../prefixes/apply.h"
#include "../prefixes/networkd.h"
#include "check.h"

static void check_switches(const struct host *host)
{
	if (file_number("/proc/sys/net/ipv6/conf/lo/disable_ipv6") == 1)
		report("ipv6", "sysctl net.ipv6.conf.lo.disable_ipv6=0", "IPv6 is off on lo");
	if (file_number(NONLOCAL) == 1)
		report("nonlocal", "sysctl net.ipv6.ip_nonlocal_bind=0",
		       "net.ipv6.ip_nonlocal_bind is 1, so every address can be bound, mistyped ones too");
	if (host->module.is != NOT_LOADED && file_number(TOGGLE) == 0)
		report("off", "anyip6 on --save", "net.ipv6.anyip_bind is 0 here");
}

/* --- /etc/anyip6/prefixes.d --- */

#define APPLY		"systemctl reload-or-restart anyip6"

/* Is this the netns of process 1? If that cannot be seen, yes. */
static bool is_of_init(void)
{
	struct stat own, init;

	return stat("/proc/thread-self/ns/net", &own) || stat("/proc/1/ns/net", &init) ||
		own.st_ino == init.st_ino;
}

static void bad_line(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report("prefixes", "correct the line, then: " APPLY, "%s", text);
}

/* neigh is on for all lines or for none, but for what others set. */
static void check_neigh(const struct prefix *p)
{
	if (*p->neigh && (file_number(NDISC) != 1 ||
			  file_number(fmt_text(PROXY_NDP, p->neigh)) != 1))
		report("neigh", "load the module with ndisc=1, then: " APPLY,
		       "%s: solicitations on %s are not answered", p->where, p->neigh);
}

/* The files are those of the host. Another netns has none of their routes. */
static void check_prefixes(void)
{
	struct config config;
	struct fib fib;

	config_read(&config, bad_line);
	if (!fib_read_proto(&fib, PREFIX_PROTO))
		for (size_t i = 0; i < config.n && (fib.n_routes || is_of_init()); i++) {
			const struct prefix *p = &config.prefixes[i];

			if (!prefix_route(&fib, p))
				report("not-applied", APPLY,
				       "%s: %s has no route that anyip6 apply made",
				       p->where, p->address.text);
			else
				check_neigh(p);
		}
	fib_free(&fib);
	config_free(&config);
}

static bool has_carve_out(const struct fib *fib)
{
	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->table == RT_TABLE_LOCAL && r->protocol != RTPROT_KERNEL &&
		    r->type != RTN_LOCAL)
			return true;
	}
	return false;
}

static void check_networkd(const struct fib *fib)
{
	static const char fix[] = "ManageForeignRoutes=no; see docs/install.md#the-route-at-boot";
	const char *file = networkd_file_of_lo();

	if (!networkd_deletes_routes())
		return;
	if (has_carve_out(fib))
		report("networkd", fix,
		       "systemd-networkd deletes what is carved out when it starts next, and that becomes local");
	else if (file && *file)
		report("networkd", fix,
		       "systemd-networkd owns lo by %s, so its next start deletes the routes of lo that others made",
		       file);
}

/* --- What the prefixes cover --- */

/* @fib does not have what is carved out in a VRF, so nothing is said of its devices. */
static bool is_any_ip(const struct fib *fib, const struct in6_addr *ip, unsigned int dev,
		      struct answer *a)
{
	if (IN6_IS_ADDR_LINKLOCAL(ip) || fib_has_addr(fib, ip) ||
	    fib_vrf(fib, fib_link(fib, dev)))
		return false;
	rule_any_ip(fib, ip, NULL, a);
	return a->step == STEP_ALLOWED;
}

static bool seen_before(const struct gateway *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!memcmp(&list[i].ip, &list[n].ip, sizeof(list[i].ip)) &&
		    list[i].link == list[n].link)
			return true;
	return false;
}

static void check_others(const struct fib *fib, const struct gateway *list, size_t n,
			 const char *id, const char *what)
{
	char ip[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < n; i++) {
		const char *dev = fib_link_name(fib, list[i].link);
		struct answer a = {};

		if (seen_before(list, i) ||
		    !is_any_ip(fib, &list[i].ip, list[i].link, &a))
			continue;
		inet_ntop(AF_INET6, &list[i].ip, ip, sizeof(ip));
		report(id, fmt_text("anyip6 add unicast %s dev %s --save", ip, dev),
		       "%s is %s on %s, and in %s too: packets to it stay in this host",
		       ip, what, dev, a.route.prefix);
	}
}

static void check_lo(const struct fib *fib)
{
	const struct link *lo = fib_link_by_name(fib, "lo");

	if (lo && !lo->up)
		report("lo", "ip link set lo up", "lo is down, so it has no routes");
}

static bool has_prefix(const struct fib *fib)
{
	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->type == RTN_LOCAL && !(r->len == 128 && fib_has_addr(fib, &r->dst)))
			return true;
	}
	return false;
}

/* --- Neighbour solicitations --- */

static void check_ndisc(const struct fib *fib)
{
	bool answers = false;

	if (file_number(NDISC) != 1)
		return;
	for (size_t i = 0; i < fib->n_links; i++) {
		const struct link *link = &fib->links[i];

		if (file_number(fmt_text(PROXY_NDP, link->name)) != 1)
			continue;
		answers = true;
		if (!link->all_groups)
			report("allmulticast",
			       fmt_text("ip link set dev %s allmulticast on", link->name),
			       "%s takes packets to its own groups only, so most solicitations do not arrive",
			       link->name);
	}
	if (!answers && file_number("/proc/sys/net/ipv6/conf/all/proxy_ndp") != 1)
		report("proxy-ndp", "sysctl net.ipv6.conf.DEV.proxy_ndp=1",
		       "net.ipv6.anyip_ndisc is 1, but no device answers");
}

void check_netns(const struct host *host)
{
	struct gateway *neighbours;
	struct fib fib;
	size_t n;

	check_switches(host);
	check_prefixes();
	if (fib_read(&fib, FIB_GATEWAYS, NULL)) {
		report("netlink", "try again", "the routes cannot be read");
		fib_free(&fib);
		return;
	}
	check_lo(&fib);
	check_networkd(&fib);
	if (!has_prefix(&fib))
		report("no-prefix", "anyip6 add PREFIX --save",
		       "no local route has a prefix here, so there is nothing to bind to");
	check_others(&fib, fib.gateways, fib.n_gateways, "gateway", "a gateway");
	n = fib_neighbours(&neighbours);
	check_others(&fib, neighbours, n, "neighbour", "another host");
	free(neighbours);
	check_ndisc(&fib);
	fib_free(&fib);
}
