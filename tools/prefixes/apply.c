// SPDX-License-Identifier: GPL-2.0
/* The routes of the prefixes. iproute2 makes them, so its errors are what people know. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/anyip6.h"
#include "../lib/fib.h"
#include "../lib/module.h"
#include "apply.h"
#include "neigh.h"

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

static const char *missing_device(const struct prefix *p)
{
	const char *const devs[] = { p->vrf, p->dev, p->neigh };

	for (size_t i = 0; i < sizeof(devs) / sizeof(*devs); i++)
		if (*devs[i] && !if_nametoindex(devs[i]))
			return devs[i];
	return NULL;
}

static bool wait_for_devices(const struct config *config, unsigned int seconds)
{
	unsigned int tenths = seconds * 10;
	bool good = true;

	for (size_t i = 0; i < config->n; i++) {
		const struct prefix *p = &config->prefixes[i];
		const char *dev;

		while ((dev = missing_device(p)) && tenths--)
			usleep(100000);
		if (!dev)
			continue;
		tenths = 0;
		good = false;
		prefix_complain(p, "%s: no such device", dev);
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

/*
 * Does a route that is there, and stays? A route of ours that the files lack goes.
 * Only what comes from a file has a place there.
 */
static bool routed_out(const struct fib *fib, const struct prefix *p,
		       const struct in6_addr *ip)
{
	const uint32_t table = table_of(fib, p);

	for (size_t i = 0; i < fib->n_routes; i++) {
		const struct route *r = &fib->routes[i];

		if (r->protocol == PREFIX_PROTO && *p->where)
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
			    const struct prefix *p)
{
	char ip[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < fib->n_gateways; i++) {
		const struct gateway *g = &fib->gateways[i];

		if (!prefix_covers(&p->address.ip, p->address.len, &g->ip) ||
		    carved_out(config, p, &g->ip) || routed_out(fib, p, &g->ip))
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
static int check_domain(const struct config *config, const char *vrf)
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
		} else if (!strcmp(p->type, "local") && !spares_gateways(&fib, config, p)) {
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

/* Nothing is changed before this has found everything in order. */
static int check_all(const struct config *config, unsigned int seconds)
{
	int code = need_module();

	if (!code && !neigh_possible(config))
		code = EXIT_CANNOT;
	if (!code && !wait_for_devices(config, seconds))
		code = EXIT_USAGE;
	for (size_t i = 0; !code && i < config->n; i++)
		if (first_of_domain(config, i))
			code = check_domain(config, config->prefixes[i].vrf);
	return code;
}

/* --- The routes --- */

static void add_route(struct batch *b, const struct fib *fib, const struct prefix *p,
		      const char *proto)
{
	fprintf(b->f, "route replace %s %s", p->type, p->address.text);
	if (!IS_PREFIX(&p->address))
		fprintf(b->f, "/128");
	if (strcmp(p->type, "unreachable"))
		fprintf(b->f, " dev %s", *p->dev ? p->dev : *p->vrf ? p->vrf : "lo");
	fprintf(b->f, " table %u%s\n", table_of(fib, p), proto);
}

static bool is_wanted(const struct config *config, const struct fib *fib,
		      const struct route *r)
{
	for (size_t i = 0; i < config->n; i++) {
		const struct prefix *p = &config->prefixes[i];

		if (p->address.len == r->len &&
		    !memcmp(&p->address.ip, &r->dst, sizeof(r->dst)) &&
		    table_of(fib, p) == r->table)
			return true;
	}
	return false;
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
			fprintf(b->f, "route del %s %s table %u proto %d\n",
				route_type(r), route_prefix(r), r->table, PREFIX_PROTO);
	}
}

/* What is carved out comes first, for the same reason. */
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

int apply(const struct config *config, unsigned int seconds)
{
	int code = check_all(config, seconds);
	struct batch b;
	struct fib fib;

	code = code ?: read_ours(&fib);
	if (code)
		return code;
	batch_begin(&b);
	add_routes(&b, config, &fib, false);
	take_back(&b, config, &fib, true);
	add_routes(&b, config, &fib, true);
	take_back(&b, config, &fib, false);
	neigh_batch(b.f, config);
	fib_free(&fib);
	return batch_run(&b) ?: neigh_apply(config);
}

int apply_once(const struct prefix *p)
{
	const struct config config = { (struct prefix *)p, 1 };
	int code = check_all(&config, 0);
	struct batch b;
	struct fib fib;

	code = code ?: read_ours(&fib);
	if (code)
		return code;
	batch_begin(&b);
	add_route(&b, &fib, p, "");
	fib_free(&fib);
	return batch_run(&b);
}

int apply_delete(const struct prefix *p)
{
	struct batch b;
	struct fib fib;
	int code = read_ours(&fib);

	if (code)
		return code;
	batch_begin(&b);
	fprintf(b.f, "route del %s table %u\n", p->address.text, table_of(&fib, p));
	fib_free(&fib);
	return batch_run(&b);
}
