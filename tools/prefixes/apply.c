// SPDX-License-Identifier: GPL-2.0
/* The routes of the prefixes. iproute2 makes them, so its errors are what people know. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../explain/rule.h"
#include "../lib/anyip6.h"
#include "../lib/module.h"
#include "apply.h"
#include "neigh.h"
#include "networkd.h"

/* What ip reads. It stays where it is, because the stream writes to its members. */
struct batch {
	FILE *f;
	char *text;
	size_t len;
};

static void batch_begin(struct batch *b)
{
	b->f = need(open_memstream(&b->text, &b->len));
}

/* Each line is tried, also behind one that fails: then the exit code is EXIT_CANNOT. */
static int batch_run(struct batch *b)
{
	int status = 0;
	FILE *ip;

	fclose(b->f);
	if (b->len) {
		ip = need(popen("ip -6 -force -batch -", "we"));
		fputs(b->text, ip);
		status = pclose(ip);
	}
	free(b->text);
	return status ? EXIT_CANNOT : 0;
}

/* --- Is all there that the prefixes need? --- */

/* Where the routes of @p are: 0 if its VRF is not there. */
static uint32_t table_of(const struct fib *fib, const struct prefix *p)
{
	const struct link *vrf;

	if (!*p->vrf)
		return RT_TABLE_LOCAL;
	vrf = fib_link_by_name(fib, p->vrf);
	return vrf ? vrf->vrf_table : 0;
}

static bool is_up(const char *dev)
{
	struct ifreq ifr = {};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	strcpy(ifr.ifr_name, dev);
	err = fd < 0 ? -1 : ioctl(fd, SIOCGIFFLAGS, &ifr);
	if (fd >= 0)
		close(fd);
	return !err && (ifr.ifr_flags & IFF_UP);
}

/* What the line needs and is not there, or NULL. The kernel routes to a device that is up. */
static const char *lacks(const struct prefix *p)
{
	const char *const devs[] = { p->vrf, p->dev, p->neigh };

	for (size_t i = 0; i < sizeof(devs) / sizeof(*devs); i++)
		if (*devs[i] && !if_nametoindex(devs[i]))
			return fmt_text("%s: no such device", devs[i]);
	if (!strcmp(p->type, "unicast") && !is_up(p->dev))
		return fmt_text("%s is down", p->dev);
	return NULL;
}

/* Is @p carved out of @of? */
static bool is_part(const struct prefix *p, const struct prefix *of)
{
	return strcmp(p->type, "local") && !strcmp(of->type, "local") &&
		!strcmp(p->vrf, of->vrf) && p->address.len > of->address.len &&
		prefix_covers(&of->address.ip, of->address.len, &p->address.ip);
}

/* Takes a line out, and what it is carved out of: that must not become local as a whole. */
static void leave_out(struct config *config, const struct prefix *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < config->n; i++) {
		const struct prefix *q = &config->prefixes[i];

		if (is_part(p, q))
			prefix_complain(q, "%s is left out too", q->address.text);
		else if (!prefix_same(p, q))
			config->prefixes[kept++] = *q;
	}
	config->n = kept;
}

/*
 * Leaves out what still lacks a device after @seconds. Returns whether nothing was
 * left out.
 */
static bool wait_for_devices(struct config *config, unsigned int seconds)
{
	unsigned int tenths = seconds * 10;
	bool good = true;

	for (size_t i = 0; i < config->n;) {
		const struct prefix p = config->prefixes[i];
		const char *why;

		for (why = lacks(&p); why && tenths; tenths--) {
			usleep(100000);
			why = lacks(&p);
		}
		if (!why) {
			i++;
			continue;
		}
		prefix_complain(&p, "%s", why);
		leave_out(config, &p);
		good = false;
		i = 0;
	}
	return good;
}

static int need_module(void)
{
	struct utsname uts;
	struct module m;

	uname(&uts);
	m = module_state(uts.release);
	if (m.is == LOADED || m.is == BUILT_IN)
		return 0;
	complain("the module is not loaded: %s",
		 m.is == CANNOT_SEE ? "/proc/sys and /sys are hidden here" :
		 *m.why ? m.why : "to load it: modprobe anyip6");
	return EXIT_NOT_LOADED;
}

/* --- A host that takes packets to its own gateway cannot reach it --- */

/* Do the prefixes leave @ip out of @p? */
static bool carved_out(const struct config *config, const struct prefix *p,
		       const struct in6_addr *ip)
{
	for (size_t i = 0; i < config->n; i++) {
		const struct prefix *q = &config->prefixes[i];

		if (q->address.len > p->address.len && strcmp(q->type, "local") &&
		    !strcmp(q->vrf, p->vrf) &&
		    prefix_covers(&q->address.ip, q->address.len, ip))
			return true;
	}
	return false;
}

/* Does a route that is there, and stays? With @all, ours go unless the files have them. */
static bool routed_out(const struct fib *fib, const struct prefix *p,
		       const struct in6_addr *ip, bool all)
{
	const uint32_t table = table_of(fib, p);

	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->protocol == PREFIX_PROTO && all)
			continue;
		if (r->table == table && r->type != RTN_LOCAL &&
		    r->len > p->address.len && route_covers(r, ip))
			return true;
	}
	return false;
}

#define GATEWAY		"%s is a gateway of this host and in %s; " \
			"carve it out first: unicast %s/128 dev %s%s%s"

static bool spares_gateways(const struct fib *fib, const struct config *config,
			    const struct prefix *p, bool all)
{
	char ip[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < fib->n_gateways; i++) {
		const struct gateway *g = &fib->gateways[i];

		if (!prefix_covers(&p->address.ip, p->address.len, &g->ip) ||
		    carved_out(config, p, &g->ip) || routed_out(fib, p, &g->ip, all))
			continue;
		inet_ntop(AF_INET6, &g->ip, ip, sizeof(ip));
		prefix_complain(p, GATEWAY, ip, p->address.text, ip,
				fib_link_name(fib, g->link), *p->vrf ? " vrf " : "",
				p->vrf);
		return false;
	}
	return true;
}

/* All prefixes of an L3 domain: reading the routes of a router takes a moment. */
static int check_domain(const struct config *config, const char *vrf, bool all)
{
	struct fib fib;
	int err = fib_read(&fib, FIB_GATEWAYS, *vrf ? vrf : NULL), code = 0;

	if (err) {
		complain("netlink: %s", fib_error(err));
		code = EXIT_CANNOT;
	}
	for (size_t i = 0; !code && i < config->n; i++) {
		const struct prefix *p = &config->prefixes[i];

		if (strcmp(p->vrf, vrf))
			continue;
		if (!table_of(&fib, p)) {
			prefix_complain(p, "%s is no VRF", vrf);
			code = EXIT_USAGE;
		} else if (!strcmp(p->type, "local") && !spares_gateways(&fib, config, p, all)) {
			code = EXIT_USAGE;
		}
	}
	fib_free(&fib);
	return code;
}

static bool first_of_domain(const struct config *config, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(config->prefixes[i].vrf, config->prefixes[n].vrf))
			return false;
	return true;
}

#define NETWORKD	"systemd-networkd would delete this route at its next start, " \
			"unless networkd.conf has ManageForeignRoutes=no"

/* networkd deletes what is carved out when it starts, and keeps the routes of lo. */
static bool networkd_spares(const struct config *config)
{
	for (size_t i = 0; i < config->n; i++) {
		const struct prefix *p = &config->prefixes[i];

		if (!strcmp(p->type, "local") || !networkd_deletes_routes())
			continue;
		prefix_complain(p, NETWORKD);
		return false;
	}
	return true;
}

/* @all: the prefixes are those of all files. */
static int check_routes(const struct config *config, bool all)
{
	int code = networkd_spares(config) ? 0 : EXIT_USAGE;

	for (size_t i = 0; !code && i < config->n; i++)
		if (first_of_domain(config, i))
			code = check_domain(config, config->prefixes[i].vrf, all);
	return code;
}

/* --- The routes --- */

/*
 * The kernel deletes a route to a device that goes down. So what is carved out for
 * another host has a second route, behind the first, that sends the lookup on to the
 * next table.
 */
#define BEHIND		2048	/* a metric. By default it is 1024 */

static void add_route(struct batch *b, const struct fib *fib, const struct prefix *p,
		      const char *proto)
{
	const uint32_t table = table_of(fib, p);
	const char *dev = *p->dev ? p->dev : *p->vrf ? p->vrf : "lo";

	fprintf(b->f, "route replace %s %s", p->type, p->address.text);
	if (strcmp(p->type, "unreachable"))
		fprintf(b->f, " dev %s", dev);
	fprintf(b->f, " table %u%s\n", table, proto);
	if (!strcmp(p->type, "unicast"))
		fprintf(b->f, "route replace throw %s table %u metric %d%s\n",
			p->address.text, table, BEHIND, proto);
}

/* Has a line this route, or one in its place? */
static bool is_wanted(const struct config *config, const struct fib *fib,
		      const struct route *r)
{
	for (size_t i = 0; i < config->n; i++) {
		const struct prefix *p = &config->prefixes[i];

		if (p->address.len == r->len &&
		    !memcmp(&p->address.ip, &r->dst, sizeof(r->dst)) &&
		    table_of(fib, p) == r->table)
			return r->metric != BEHIND || !strcmp(p->type, "unicast");
	}
	return false;
}

static void del_route(struct batch *b, const struct route *r)
{
	fprintf(b->f, "route del %s %s table %u metric %u proto %u\n", route_type(r),
		route_prefix(r), r->table, r->metric, r->protocol);
}

/* Local routes go first, so that what was carved out of them never becomes local. */
static void take_back(struct batch *b, const struct config *config,
		      const struct fib *fib, bool local)
{
	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->protocol != PREFIX_PROTO || is_wanted(config, fib, r))
			continue;
		if (local ? r->type == RTN_LOCAL : r->type != RTN_LOCAL)
			del_route(b, r);
	}
}

static void add_routes(struct batch *b, const struct config *config,
		       const struct fib *fib, bool local)
{
	char proto[32];

	snprintf(proto, sizeof(proto), " proto %d", PREFIX_PROTO);
	for (size_t i = 0; i < config->n; i++)
		if (!strcmp(config->prefixes[i].type, "local") == local)
			add_route(b, fib, &config->prefixes[i], proto);
}

/* The devices, and the routes that are ours. Returns the exit code. */
static int read_ours(struct fib *fib)
{
	int err = fib_read_proto(fib, PREFIX_PROTO);

	if (err) {
		complain("netlink: %s", fib_error(err));
		fib_free(fib);
	}
	return err ? EXIT_CANNOT : 0;
}

/* If a part cannot be carved out, nothing becomes local. */
static int carve_out(const struct config *config, const struct fib *fib)
{
	struct batch b;
	int code;

	batch_begin(&b);
	add_routes(&b, config, fib, false);
	code = batch_run(&b);
	if (code)
		complain("not everything could be carved out, so no prefix was made local");
	return code;
}

static int make_local(const struct config *config, const struct fib *fib)
{
	struct batch b;

	batch_begin(&b);
	take_back(&b, config, fib, true);
	add_routes(&b, config, fib, true);
	take_back(&b, config, fib, false);
	neigh_batch(b.f, config);
	return batch_run(&b);
}

static int apply_ready(const struct config *config)
{
	int code = check_routes(config, true), neigh;
	struct fib fib;

	code = code ?: read_ours(&fib);
	if (code)
		return code;
	code = carve_out(config, &fib) ?: make_local(config, &fib);
	fib_free(&fib);
	neigh = neigh_apply(config);
	return code ?: neigh;
}

int apply(const struct config *config, unsigned int seconds)
{
	int code = need_module(), late = 0;
	struct config ready = {};

	if (!code && !neigh_possible(config))
		code = EXIT_CANNOT;
	if (code)
		return code;
	for (size_t i = 0; i < config->n; i++)
		config_add(&ready, &config->prefixes[i]);
	if (!wait_for_devices(&ready, seconds))
		late = seconds ? EXIT_CANNOT : EXIT_USAGE;
	/* At boot, one device that is missing does not take all prefixes away. */
	if (late != EXIT_USAGE)
		code = apply_ready(&ready);
	config_free(&ready);
	return code ?: late;
}

int apply_once(const struct prefix *p)
{
	struct prefix one = *p;
	struct config config = { &one, 1 };
	int code = need_module();
	struct batch b;
	struct fib fib;

	if (!code && !wait_for_devices(&config, 0))
		code = EXIT_USAGE;
	code = code ?: check_routes(&config, false) ?: read_ours(&fib);
	if (code)
		return code;
	batch_begin(&b);
	add_route(&b, &fib, p, "");
	fib_free(&fib);
	return batch_run(&b);
}

struct route *prefix_route(const struct fib *fib, const struct prefix *p)
{
	const uint32_t table = table_of(fib, p);

	for (size_t i = 0; i < fib->n_routes; i++) {
		struct route *r = &fib->routes[i];

		if (r->table == table && r->len == p->address.len &&
		    !memcmp(&r->dst, &p->address.ip, sizeof(r->dst)) &&
		    !strcmp(route_type(r), p->type) && r->protocol != RTPROT_KERNEL)
			return r;
	}
	return NULL;
}

/* Would a gateway be local without the route @r? */
static bool frees_gateway(struct fib *fib, const struct prefix *p, struct route *r)
{
	const struct route kept = *r;
	struct answer a = {};
	bool frees = false;

	*r = fib->routes[fib->n_routes - 1];
	fib->n_routes--;
	for (size_t i = 0; i < fib->n_gateways && !frees; i++) {
		if (!route_covers(&kept, &fib->gateways[i].ip))
			continue;
		rule_any_ip(fib, &fib->gateways[i].ip, fib_link_by_name(fib, p->vrf), &a);
		frees = a.step == STEP_ALLOWED;
	}
	if (frees)
		complain("%s is carved out for a gateway of this host, which would become local",
			 p->address.text);
	return frees;
}

static int delete_one(struct fib *fib, const struct prefix *p)
{
	struct route *r = prefix_route(fib, p), gone;
	struct batch b;

	if (!table_of(fib, p)) {
		complain("%s is no VRF", p->vrf);
		return EXIT_USAGE;
	}
	if (!r) {
		complain("there is no %s route to %s", p->type, p->address.text);
		return EXIT_USAGE;
	}
	gone = *r;
	if (frees_gateway(fib, p, r))
		return EXIT_USAGE;
	batch_begin(&b);
	del_route(&b, &gone);
	return batch_run(&b);
}

int apply_delete(const struct prefix *p)
{
	struct fib fib;
	int err = fib_read(&fib, FIB_GATEWAYS, *p->vrf ? p->vrf : NULL), code;

	if (err) {
		complain("netlink: %s", fib_error(err));
		code = EXIT_CANNOT;
	} else {
		code = delete_one(&fib, p);
	}
	fib_free(&fib);
	return code;
}
