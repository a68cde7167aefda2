// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF program at a kernel function's entry or exit, for coexist.sh. It prints
 * "attached" or an error. For each line of its input it prints how often it was
 * called. It ends when the input ends.
 *
 * Usage: fentry fentry|fexit FUNCTION
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VMLINUX	"/sys/kernel/btf/vmlinux"

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static long bpf(int cmd, union bpf_attr *attr, unsigned int size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

/* Read the whole file. fstat() gives its length. */
static void *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	struct stat st;
	char *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	data = malloc(st.st_size);
	while (data && (n = read(fd, data + len, st.st_size - len)) > 0)
		len += n;
	close(fd);
	return data;
}

/* How many more bytes belong to a type. */
static size_t btf_extra(const struct btf_type *t)
{
	unsigned int vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case 17: /* BTF_KIND_DECL_TAG, since 5.16 */
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return vlen * 8;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case 19: /* BTF_KIND_ENUM64, since 6.0 */
		return vlen * 12;
	}
	return 0;
}

/* Returns the id of a function's type, or 0. */
static __u32 btf_function(const void *btf, const char *name)
{
	const struct btf_header *h = btf;
	const char *types = (const char *)btf + h->hdr_len + h->type_off;
	const char *names = (const char *)btf + h->hdr_len + h->str_off;
	const struct btf_type *t;
	__u32 id = 1;

	for (size_t at = 0; at < h->type_len; id++) {
		t = (const struct btf_type *)(types + at);
		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC &&
		    !strcmp(names + t->name_off, name))
			return id;
		at += sizeof(*t) + btf_extra(t);
	}
	return 0;
}

static int load(bool at_exit, __u32 id)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type		= BPF_PROG_TYPE_TRACING,
		.insns			= (uintptr_t)nothing,
		.insn_cnt		= 2,
		.license		= (uintptr_t)"GPL",
		.expected_attach_type	= at_exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY,
		.attach_btf_id		= id,
	};

	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Returns a file. The kernel keeps statistics while it is open. */
static int attach(int prog)
{
	union bpf_attr stats = { .enable_stats.type = BPF_STATS_RUN_TIME };
	union bpf_attr attr = { .raw_tracepoint.prog_fd = prog };

	if (bpf(BPF_ENABLE_STATS, &stats, sizeof(stats)) < 0)
		return -1;
	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
}

static int answer(int prog)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {
		.info = { prog, sizeof(info), (uintptr_t)&info },
	};

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		return fail("info");
	printf("called %llu\n", (unsigned long long)info.run_cnt);
	return 0;
}

int main(int argc, char **argv)
{
	__u32 id;
	void *btf;
	int prog;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3)
		return 2;
	btf = read_file(VMLINUX);
	if (!btf)
		return fail(VMLINUX);
	id = btf_function(btf, argv[2]);
	errno = ENOENT;
	if (!id)
		return fail(argv[2]);
	prog = load(!strcmp(argv[1], "fexit"), id);
	if (prog < 0)
		return fail("load");
	if (attach(prog) < 0)
		return fail("attach");
	puts("attached");
	while (getchar() == '\n')
		if (answer(prog))
			return 1;
	return 0;
}
