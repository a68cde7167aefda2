// SPDX-License-Identifier: GPL-2.0
/* The names of a case's parts and of its outcome. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parity.h"

static const enum anyip6_addr class_addr[NR_CLASSES] = {
#define X(name, text) [C_##name] = ADDR_##name,
	CLASSES(X)
#undef X
};

const char *const binding_dev[NR_BINDINGS] = {
#define X(name, dev) [B_##name] = dev,
	BINDINGS(X)
#undef X
};

const char *const class_names[NR_CLASSES] = {
#define X(name, text) [C_##name] = text,
	CLASSES(X)
#undef X
};

const char *const kind_names[NR_KINDS] = {
#define X(name, text, type, protocol) [K_##name] = text,
	KINDS(X)
#undef X
};

const struct op_desc ops[NR_OPS] = {
#define X(name, text, refused) [OP_##name] = { text, refused },
	OPS(X)
#undef X
};

const char *const option_names[NR_OPTIONS] = {
	[O_NONE]	= NULL,
	[O_REUSEADDR]	= "SO_REUSEADDR",
	[O_MARK]	= "SO_MARK",
	[O_FREEBIND]	= "FREEBIND",
	[O_TRANSPARENT]	= "TRANSPARENT",
	[O_NONLOCAL]	= "ip_nonlocal_bind=1",
	[O_MERGED]	= "no IPv4 policy rule",
};

const char *class_text(enum class_id class, int family)
{
	return addr_text(class_addr[class], family);
}

bool is_alone(const struct tuple *t)
{
	return !class_text(t->class, AF_INET);
}

const char *outcome_text(int outcome)
{
	static const char *const stages[NR_STAGES] = {
		[S_FIRST] = "", [S_CONNECT] = "connect: ", [S_SEND] = "send: ",
		[S_RECV] = "receive: ", [S_ANSWER] = "answer: ",
	};
	static char texts[4][64];
	static int next;
	char *text = texts[next++ % 4];
	int err = OUTCOME_ERR(outcome);
	const char *what = err == E_OTHER_SOURCE ? "other source" :
		err == E_LOST ? "lost" : err == E_GARBLED ? "garbled" : result_name(err);

	snprintf(text, sizeof(texts[0]), "%s%s", stages[OUTCOME_STAGE(outcome)],
		 what ?: "?");
	return text;
}

const char *tuple_text(const struct tuple *t)
{
	static char text[192];
	const char *dev = binding_dev[t->binding];
	const char *option = option_names[t->option];

	snprintf(text, sizeof(text), "%s %s, %s%s%s%s%s", kind_names[t->kind],
		 ops[t->op].text, class_names[t->class], dev ? ", on " : "",
		 dev ?: "", option ? ", " : "", option ?: "");
	return text;
}
