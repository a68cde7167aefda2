// SPDX-License-Identifier: GPL-2.0
/*
 * The parity matrix: cases where a BPF program or the kernel takes the local
 * address. The kernel does it for MPTCP subflows and tunnel sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "parity.h"

/* BPF programs, written by hand: so few instructions need no compiler */

#define INSN(c, d, s, o, i)						\
	((struct bpf_insn) { .code = (c), .dst_reg = (d), .src_reg = (s), \
			     .off = (o), .imm = (i) })
#define MOV_IMM(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o)	INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE(d, s, o)	INSN(BPF_STX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE_IMM(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_W, d, 0, o, i)
#define JNE(d, i, o)	INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define JEQ(d, i, o)	INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define CALL(f)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT()		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct prog {
	struct bpf_insn insns[64];
	int n;
};

static void emit(struct prog *p, struct bpf_insn insn)
{
	p->insns[p->n++] = insn;
}

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static int prog_load(const struct prog *p, int type, int attach)
{
	static char log[4096];
	union bpf_attr attr = {
		.prog_type = type, .expected_attach_type = attach,
		.insns = (uintptr_t)p->insns, .insn_cnt = p->n,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("BPF_PROG_LOAD: %s\n%s", strerror(errno), log);
	return fd;
}

/* A link makes the program go with its descriptor. */
static int prog_link(int prog, int target, int attach)
{
	union bpf_attr attr = {
		.link_create = { .prog_fd = prog, .target_fd = target,
				 .attach_type = attach },
	};
	int fd = bpf(BPF_LINK_CREATE, &attr);

	if (fd < 0)
		die_errno("BPF_LINK_CREATE");
	close(prog);
	close(target);
	return fd;
}

static int cgroup_attach(const struct prog *p, int attach)
{
	int cgroup = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0)
		die_errno("/sys/fs/cgroup");
	return prog_link(prog_load(p, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach),
			 cgroup, attach);
}

static int words_of(const union sockaddr_any *a, const __u32 **words)
{
	if (a->sa.sa_family == AF_INET) {
		*words = &a->in.sin_addr.s_addr;
		return 1;
	}
	*words = a->in6.sin6_addr.s6_addr32;
	return 4;
}

/* A program that writes the subject into a field of its context. */
static int attach_writer(const struct run *r, int attach, int off)
{
	struct prog p = {};
	const __u32 *words;
	union sockaddr_any subject;
	int n;

	addr_subject(r, &subject, 0);
	n = words_of(&subject, &words);
	for (int i = 0; i < n; i++) {
		emit(&p, MOV_IMM(BPF_REG_2, words[i]));
		emit(&p, STORE(BPF_REG_1, BPF_REG_2, off + 4 * i));
	}
	emit(&p, MOV_IMM(BPF_REG_0, 1));
	emit(&p, EXIT());
	return cgroup_attach(&p, attach);
}

#define CTX(field)	offsetof(struct bpf_sock_addr, field)

/* A bind to the loopback address: the program replaces it by the subject. */
static int bpf_bind_serve(const struct run *r)
{
	bool v4 = r->family == AF_INET;
	int link = attach_writer(r, v4 ? BPF_CGROUP_INET4_BIND :
				 BPF_CGROUP_INET6_BIND,
				 v4 ? CTX(user_ip4) : CTX(user_ip6));
	int fd = sock_new_in(r), out = 0, client;
	union sockaddr_any asked;
	socklen_t len = addr_make(&asked, r->family, r->t->kind,
				  class_text(C_LOOPBACK, r->family), r->port);

	if (bind(fd, &asked.sa, len))
		out = fail_at(S_FIRST);
	close(link);
	if (!out && r->t->kind == K_TCP && listen(fd, 8))
		out = fail_at(S_CONNECT);
	if (!out) {
		topo_enter_peer();
		client = sock_new(r->family, r->t->kind);
		out = exchange(r, fd, client);
		close(client);
	}
	close(fd);
	return out;
}

/* At connect(), the program calls bpf_bind() and returns its verdict. */
static int attach_binder(const struct run *r)
{
	bool v4 = r->family == AF_INET;
	union sockaddr_any subject;
	int len = addr_subject(r, &subject, 0);
	int base = -(int)sizeof(subject.in6) - 4;
	struct prog p = {};

	for (int i = 0; i < len; i += 4) {
		__s32 word;

		memcpy(&word, subject.room + i, sizeof(word));
		emit(&p, STORE_IMM(BPF_REG_10, base + i, word));
	}
	emit(&p, MOV_REG(BPF_REG_2, BPF_REG_10));
	emit(&p, ADD_IMM(BPF_REG_2, base));
	emit(&p, MOV_IMM(BPF_REG_3, len));
	emit(&p, CALL(BPF_FUNC_bind));
	emit(&p, MOV_REG(BPF_REG_1, BPF_REG_0));
	emit(&p, MOV_IMM(BPF_REG_0, 1));
	emit(&p, JEQ(BPF_REG_1, 0, 1));
	emit(&p, MOV_IMM(BPF_REG_0, 0));
	emit(&p, EXIT());
	return cgroup_attach(&p, v4 ? BPF_CGROUP_INET4_CONNECT :
				      BPF_CGROUP_INET6_CONNECT);
}

static int bpf_bind_connect(const struct run *r)
{
	int link = attach_binder(r), fd = sock_new_in(r), out = 0, peer, conn = -1;
	union sockaddr_any to, from = {};
	socklen_t len = addr_of_peer(r, &to, r->port), size = sizeof(from);

	peer_listen(r, &peer);
	topo_enter_host();
	if (connect(fd, &to.sa, len))
		out = fail_at(S_FIRST);
	close(link);
	if (!out && r->t->kind == K_TCP) {
		conn = accept(peer, &from.sa, &size);
		out = conn < 0 ? fail_at(S_CONNECT) : source_is_subject(r, &from);
	} else if (!out) {
		out = send(fd, token(r), strlen(token(r)), 0) < 0 ?
			fail_at(S_SEND) : peer_sees(r, peer);
	}
	close(conn);
	close(peer);
	close(fd);
	return out;
}

static int bpf_sendmsg(const struct run *r)
{
	bool v4 = r->family == AF_INET;
	int link = attach_writer(r, v4 ? BPF_CGROUP_UDP4_SENDMSG :
				 BPF_CGROUP_UDP6_SENDMSG,
				 v4 ? CTX(msg_src_ip4) : CTX(msg_src_ip6));
	int fd = sock_new_in(r), peer = peer_new(r), out = 0;
	union sockaddr_any to;
	socklen_t len = addr_of_peer(r, &to, r->port);

	if (sendto(fd, token(r), strlen(token(r)), 0, &to.sa, len) < 0)
		out = fail_at(S_FIRST);
	close(link);
	if (!out)
		out = peer_sees(r, peer);
	close(peer);
	close(fd);
	return out;
}

static int sockmap_with(int fd)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4, .value_size = 4,
		.max_entries = 1,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);
	int key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&fd;
	if (map < 0 || bpf(BPF_MAP_UPDATE_ELEM, &attr))
		die_errno("sockmap");
	return map;
}

/* A connection to the port next to ours gets the socket in the map. */
static int attach_steerer(const struct run *r, int map)
{
	int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct prog p = {};
	int link;

	emit(&p, MOV_REG(BPF_REG_6, BPF_REG_1));
	emit(&p, LOAD(BPF_REG_2, BPF_REG_1,
		      offsetof(struct bpf_sk_lookup, local_port)));
	emit(&p, JNE(BPF_REG_2, r->port + 1, 14));
	emit(&p, STORE_IMM(BPF_REG_10, -4, 0));
	emit(&p, MOV_REG(BPF_REG_2, BPF_REG_10));
	emit(&p, ADD_IMM(BPF_REG_2, -4));
	emit(&p, INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
		      map));
	emit(&p, INSN(0, 0, 0, 0, 0));
	emit(&p, CALL(BPF_FUNC_map_lookup_elem));
	emit(&p, JEQ(BPF_REG_0, 0, 7));
	emit(&p, MOV_REG(BPF_REG_7, BPF_REG_0));
	emit(&p, MOV_REG(BPF_REG_1, BPF_REG_6));
	emit(&p, MOV_REG(BPF_REG_2, BPF_REG_0));
	emit(&p, MOV_IMM(BPF_REG_3, 0));
	emit(&p, CALL(BPF_FUNC_sk_assign));
	emit(&p, MOV_REG(BPF_REG_1, BPF_REG_7));
	emit(&p, CALL(BPF_FUNC_sk_release));
	emit(&p, MOV_IMM(BPF_REG_0, SK_PASS));
	emit(&p, EXIT());
	link = prog_link(prog_load(&p, BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP),
			 netns, BPF_SK_LOOKUP);
	close(map);
	return link;
}

/*
 * The socket is bound to the subject. A client connects to a configured address
 * and another port. The accepted connection has that address and port.
 */
static int serve_steered(const struct run *r)
{
	const struct tuple t = {
		.kind = r->t->kind, .op = r->t->op, .class = C_HOST,
	};
	const struct run called = {
		.t = &t, .family = r->family, .port = r->port + 1,
	};
	int fd = sock_new_in(r), out = bind_subject(r, fd, r->port);
	int link, client;

	if (!out && listen(fd, 8))
		out = fail_at(S_CONNECT);
	if (!out) {
		link = attach_steerer(r, sockmap_with(fd));
		topo_enter_peer();
		client = sock_new(r->family, r->t->kind);
		out = exchange(&called, fd, client);
		close(client);
		close(link);
	}
	close(fd);
	return out;
}

/* MPTCP: the kernel opens a second subflow from an endpoint's address. */

#define SOL_MPTCP	284
#define SUBFLOW_ADDRS	3	/* MPTCP_SUBFLOW_ADDRS */

struct subflow_addrs {
	__u32 size, num, kernel, user;
	struct {
		struct sockaddr_storage local, remote;
	} addrs[4];
};

static int get_subflows(int fd, struct subflow_addrs *s)
{
	socklen_t len = sizeof(*s);

	s->size = offsetof(struct subflow_addrs, addrs);
	s->user = sizeof(s->addrs[0]);
	return getsockopt(fd, SOL_MPTCP, SUBFLOW_ADDRS, s, &len);
}

bool kernel_shows_subflows(void)
{
	struct subflow_addrs s = {};
	int fd = sock_new(AF_INET6, K_MPTCP);
	bool shows = !get_subflows(fd, &s) || errno != EOPNOTSUPP;

	close(fd);
	return shows;
}

static bool peer_sees_subflow(const struct run *r, int conn)
{
	struct subflow_addrs s = {};

	if (get_subflows(conn, &s))
		die_errno("MPTCP_SUBFLOW_ADDRS");
	for (__u32 i = 0; i < s.num && i < ARRAY_SIZE(s.addrs); i++)
		if (!source_is_subject(r, (union sockaddr_any *)&s.addrs[i].remote))
			return true;
	return false;
}

/* A kernel worker opens the subflow, so no system call returns an error. */
static int wait_for_subflow(const struct run *r, int conn)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

	topo_enter_peer();
	for (int i = 0; i < 100; i++) {
		if (peer_sees_subflow(r, conn))
			return 0;
		nanosleep(&pause, NULL);
	}
	return OUTCOME(S_FIRST, EHOSTUNREACH);
}

static int subflow_between(const struct run *r, int fd, int peer)
{
	union sockaddr_any to;
	socklen_t len = addr_of_peer(r, &to, r->port);
	char buf[16];
	int conn, out;

	if (connect(fd, &to.sa, len))
		return fail_at(S_CONNECT);
	conn = accept(peer, NULL, NULL);
	/* MPTCP allows more subflows only after data went both ways. */
	if (conn < 0 || send(fd, token(r), 8, 0) < 0 ||
	    recv(conn, buf, sizeof(buf), 0) < 0 || send(conn, buf, 8, 0) < 0 ||
	    recv(fd, buf, sizeof(buf), 0) < 0)
		return fail_at(S_SEND);
	out = wait_for_subflow(r, conn);
	close(conn);
	return out;
}

static int subflow(const struct run *r)
{
	int fd, peer, out;

	/* must come before the socket: it checks the limits only once */
	if (ip_run("mptcp limits set subflows 2") ||
	    ip_run("mptcp endpoint add %s id 7 subflow",
		   class_text(r->t->class, r->family)))
		die("ip mptcp: %s", ip_message());
	peer_listen(r, &peer);
	if (ip_run("mptcp limits set subflows 2"))
		die("ip mptcp: %s", ip_message());
	fd = sock_new_in(r);
	out = subflow_between(r, fd, peer);
	close(fd);
	close(peer);
	topo_enter_host();
	ip_run("mptcp endpoint del id 7");
	return out;
}

/* Tunnels: send a frame into the device; the peer checks its source */

#define L2TP_TUNNEL							\
	"l2tp add tunnel tunnel_id %3$d peer_tunnel_id %3$d "		\
	"local %1$s remote %2$s "
#define L2TP_SESSION							\
	"l2tp add session tunnel_id %3$d session_id %3$d "		\
	"peer_session_id %3$d name par0"

static const struct device {
	enum op op;
	int type, protocol;	/* of the peer's socket that receives it */
	const char *add[2];	/* IPv6, IPv4; %1$s subject, %2$s peer, %3$d port */
	const char *then;
	const char *del;
} devices[] = {
	{
		OP_VXLAN, SOCK_DGRAM, IPPROTO_UDP,
		{ "link add par0 type vxlan id 1 local %1$s remote %2$s dstport %3$d",
		  "link add par0 type vxlan id 1 local %1$s remote %2$s dstport %3$d" },
		NULL, "link del par0",
	}, {
		OP_GRE, SOCK_RAW, IPPROTO_GRE,
		{ "link add par0 type ip6gretap local %1$s remote %2$s",
		  "link add par0 type gretap local %1$s remote %2$s" },
		NULL, "link del par0",
	}, {
		OP_L2TP_UDP, SOCK_DGRAM, IPPROTO_UDP,
		{ L2TP_TUNNEL "encap udp udp_sport %3$d udp_dport %3$d",
		  L2TP_TUNNEL "encap udp udp_sport %3$d udp_dport %3$d" },
		L2TP_SESSION, "l2tp del tunnel tunnel_id %3$d",
	}, {
		OP_L2TP_IP, SOCK_RAW, 115,
		{ L2TP_TUNNEL "encap ip", L2TP_TUNNEL "encap ip" },
		L2TP_SESSION, "l2tp del tunnel tunnel_id %3$d",
	}, {
		OP_FOU, 0, 0,
		{ "-6 fou add port %3$d ipproto 47 local %1$s",
		  "fou add port %3$d ipproto 47 local %1$s" },
		NULL, NULL,
	},
};

/* ip(8) prints the errno's text. */
static int ip_errno(void)
{
	for (int err = 1; err < 134; err++)
		if (strstr(ip_message(), strerror(err)))
			return err;
	die("ip: %s", ip_message());
}

static int device_ip(const struct run *r, const char *fmt)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), fmt, class_text(r->t->class, r->family),
		 addr_text(ADDR_PEER, r->family), r->port);
	return ip_run("%s", cmd) ? OUTCOME(S_FIRST, ip_errno()) : 0;
}

static int device_listen(const struct run *r, const struct device *d)
{
	const struct timeval wait = { .tv_sec = 1 };
	union sockaddr_any any;
	socklen_t len = addr_fill(&any, r->family, ADDR_WILDCARD, r->port);
	int fd;

	topo_enter_peer();
	fd = socket(r->family, d->type | SOCK_CLOEXEC, d->protocol);
	if (fd < 0 || (d->type == SOCK_DGRAM && bind(fd, &any.sa, len)))
		die_errno("peer of a tunnel");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	topo_enter_host();
	return fd;
}

/* An Ethernet frame of an experimental type, with the token at its end */
static int device_send(const struct run *r)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_halen = ETH_ALEN,
		.sll_protocol = htons(ETH_P_802_EX1),
		.sll_ifindex = if_nametoindex("par0"),
	};
	unsigned char frame[60] = {};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int out = 0;

	memset(frame, 0xff, ETH_ALEN);
	memcpy(frame + 2 * ETH_ALEN, &to.sll_protocol, sizeof(to.sll_protocol));
	memcpy(frame + sizeof(frame) - 8, token(r), 8);
	if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		out = fail_at(S_SEND);
	close(fd);
	return out;
}

static int device_through(const struct run *r, const struct device *d)
{
	int peer = device_listen(r, d), out;

	out = ip_run("link set par0 addrgenmode none up") ? OUTCOME(S_CONNECT, ip_errno()) :
					   device_send(r);
	if (!out && dev_counts("par0").failed)
		out = OUTCOME(S_FIRST, E_LOST);
	out = out ?: peer_sees(r, peer);
	close(peer);
	return out;
}

static int device_run(const struct run *r, const struct device *d)
{
	int out;

	topo_enter_host();
	out = device_ip(r, d->add[r->family == AF_INET]);
	if (out)
		return out;
	if (d->then)
		out = device_ip(r, d->then);
	if (!out && d->type)
		out = device_through(r, d);
	topo_enter_host();
	if (d->del)
		device_ip(r, d->del);
	return out;
}

int kernel_run(const struct run *r)
{
	switch (r->t->op) {
	case OP_BPF_BIND:
		return bpf_bind_serve(r);
	case OP_BPF_CONNECT:
		return bpf_bind_connect(r);
	case OP_BPF_SENDMSG:
		return bpf_sendmsg(r);
	case OP_SERVE_STEERED:
		return serve_steered(r);
	case OP_SUBFLOW:
		return subflow(r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].op == r->t->op)
			return device_run(r, &devices[i]);
	die("operation %d is not there", r->t->op);
}
