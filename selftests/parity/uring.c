// SPDX-License-Identifier: GPL-2.0
/* io_uring: one entry, one submission, one wait. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parity.h"

#define OP_IO_URING_BIND	56	/* IORING_OP_BIND, since 6.11 */

struct ring {
	int fd;
	struct io_uring_params p;
	char *sq, *cq;
	struct io_uring_sqe *sqe;
};

static struct ring *ring_get(void)
{
	static struct ring r = { .fd = -1 };

	if (r.fd >= 0)
		return &r;
	r.fd = syscall(__NR_io_uring_setup, 1, &r.p);
	if (r.fd < 0)
		return NULL;
	r.sq = mmap(NULL, r.p.sq_off.array + r.p.sq_entries * sizeof(int),
		    PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
	r.cq = mmap(NULL, r.p.cq_off.cqes +
		    r.p.cq_entries * sizeof(struct io_uring_cqe),
		    PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_CQ_RING);
	r.sqe = mmap(NULL, r.p.sq_entries * sizeof(*r.sqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQES);
	if (r.sq == MAP_FAILED || r.cq == MAP_FAILED || r.sqe == MAP_FAILED)
		die_errno("io_uring");
	return &r;
}

static unsigned int *ring_word(char *base, unsigned int off)
{
	return (unsigned int *)(base + off);
}

static int ring_run(const struct io_uring_sqe *sqe)
{
	struct ring *r = ring_get();
	struct io_uring_cqe *cqe;
	unsigned int *head;

	*r->sqe = *sqe;
	*ring_word(r->sq, r->p.sq_off.array) = 0;
	__atomic_add_fetch(ring_word(r->sq, r->p.sq_off.tail), 1,
			   __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		die_errno("io_uring_enter");
	head = ring_word(r->cq, r->p.cq_off.head);
	cqe = (struct io_uring_cqe *)(r->cq + r->p.cq_off.cqes) +
		(*head & (r->p.cq_entries - 1));
	errno = cqe->res < 0 ? -cqe->res : 0;
	__atomic_add_fetch(head, 1, __ATOMIC_RELEASE);
	return errno ? -1 : 0;
}

int uring_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	const struct io_uring_sqe sqe = {
		.opcode = OP_IO_URING_BIND, .fd = fd,
		.addr = (uintptr_t)sa, .addr2 = len,
	};

	return ring_run(&sqe);
}

int uring_sendmsg(int fd, const struct msghdr *msg)
{
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_SENDMSG, .fd = fd,
		.addr = (uintptr_t)msg, .len = 1,
	};

	return ring_run(&sqe);
}

static bool has(int op)
{
	char room[sizeof(struct io_uring_probe) +
		  256 * sizeof(struct io_uring_probe_op)] = {};
	struct io_uring_probe *probe = (struct io_uring_probe *)room;
	struct ring *r = ring_get();

	return r && !syscall(__NR_io_uring_register, r->fd,
			     IORING_REGISTER_PROBE, probe, 256) &&
		op <= probe->last_op &&
		(probe->ops[op].flags & IO_URING_OP_SUPPORTED);
}

bool uring_can(enum op op)
{
	return has(op == OP_URING_BIND ? OP_IO_URING_BIND : IORING_OP_SENDMSG);
}
