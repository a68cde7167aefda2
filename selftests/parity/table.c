// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the matrix as markdown. The output is the same on every kernel: it
 * leaves out what only some kernels have, and shows listed differences as
 * listed. Rows with equal cells become one row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define MAX_COLUMNS	9
#define CELL_SIZE	160

struct column {
	const char *heading;
	__u64 classes;
};

struct table {
	const char *heading;
	__u64 bindings;
	size_t required;	/* this many columns come first; a row needs one of them */
	struct column columns[MAX_COLUMNS];
};

static const struct table tables[] = {
	{
		"Sockets of the default domain",
		B(NONE) | B(VETH0) | B(DUMMY0) | B(LO), MAX_COLUMNS, {
			{ "configured", C(HOST) | C(ANY_AND_HOST) },
			{ "Any-IP", C_ANYIP | C(RULE_UNREACHABLE) },
			{ "carved out of Any-IP", C_CARVED },
			{ "not local, or in another table", C_ELSEWHERE },
			{ "Any-IP, its device down", C(DOWN) },
			{ "local, before a blackhole nexthop object", C(NHID_BESIDE) },
			{ "loopback", C(LOOPBACK) },
			{ "multicast", C(GROUP) },
		},
	}, {
		"VRF",
		B_ALL, 3, {
			{ "Any-IP of the VRF", C(VRF_ANY) },
			{ "carved out of it", C(VRF_HOLE) },
			{ "configured in the VRF", C(VRF_PORT) },
			{ "Any-IP of the default domain", C(ANY) },
			{ "configured in the default domain", C(HOST) },
		},
	}, {
		"Addresses that only IPv6 has",
		B_ALL, MAX_COLUMNS, {
			{ "v4-mapped Any-IP", C(MAPPED_ANY) },
			{ "v4-mapped outside", C(MAPPED_OUTSIDE) | C(MAPPED_ROUTED) },
			{ "Any-IP, tentative or DAD failed",
			  C(TENTATIVE) | C(DADFAILED) },
			{ "Any-IP, multipath", C(MULTIPATH) },
			{ "local of pref high, or from ::/1",
			  C(PREF_WON) | C(FROM_ANY) },
			{ "local of pref low, from another prefix, or beside one from it",
			  C(PREF_LOST) | C(FROM_OTHER) | C(FROM_BESIDE) },
			{ "link-local, configured on veth0", C(LL_HOST) },
			{ "link-local Any-IP, on veth0", C(LL_ANY) },
			{ "link-local outside", C(LL_OUTSIDE) },
		},
	},
};

enum { ROW_OP, ROW_KIND, ROW_BINDING, ROW_OPTION, NR_ROW_SETS };

struct row {
	__u64 sets[NR_ROW_SETS];
	char cells[MAX_COLUMNS][CELL_SIZE];
	bool gone;
};

static struct row *rows;
static size_t n_rows;

/* Leaves out what some kernels lack or do differently. */
static bool is_everywhere(const struct tuple *t)
{
	bool sctp = t->kind == K_SCTP || t->kind == K_SCTP_N;

	return t->kind != K_UDPLITE && t->kind != K_DCCP &&
		t->op != OP_URING_BIND && !(sctp && t->binding != B_NONE);
}

static void cell_text(char *text, size_t size, const struct parity_case *c)
{
	if (c->diff)
		snprintf(text, size, "≠ v4 %s / v6 %s (note %d)",
			 outcome_text(c->diff->v4), outcome_text(c->diff->v6),
			 c->diff->note + 1);
	else
		snprintf(text, size, "%s", outcome_text(c->v6));
}

/* If the addresses of a cell differ, the cell shows all results side by side. */
static void cell_add(char *cell, const struct parity_case *c)
{
	char text[CELL_SIZE];
	size_t len = strlen(cell);

	cell_text(text, sizeof(text), c);
	if (strstr(cell, text))
		return;
	snprintf(cell + len, CELL_SIZE - len, "%s%s", len ? "; " : "", text);
}

static struct row *row_of(const struct tuple *t)
{
	const __u64 sets[NR_ROW_SETS] = {
		BIT(t->op), BIT(t->kind), BIT(t->binding), BIT(t->option),
	};

	for (size_t i = 0; i < n_rows; i++)
		if (!memcmp(rows[i].sets, sets, sizeof(sets)))
			return &rows[i];
	rows = realloc(rows, (n_rows + 1) * sizeof(*rows));
	if (!rows)
		die("out of memory");
	memset(&rows[n_rows], 0, sizeof(*rows));
	memcpy(rows[n_rows].sets, sets, sizeof(sets));
	return &rows[n_rows++];
}

static void rows_fill(const struct table *table)
{
	n_rows = 0;
	for (size_t i = 0; i < n_cases; i++) {
		const struct parity_case *c = &cases[i];

		if (!in(table->bindings, c->t.binding) || !is_everywhere(&c->t))
			continue;
		for (size_t j = 0; j < MAX_COLUMNS; j++)
			if (in(table->columns[j].classes, c->t.class))
				cell_add(row_of(&c->t)->cells[j], c);
	}
}

static bool may_merge(const struct row *a, const struct row *b, int set)
{
	for (int i = 0; i < NR_ROW_SETS; i++)
		if (i != set && a->sets[i] != b->sets[i])
			return false;
	return !memcmp(a->cells, b->cells, sizeof(a->cells));
}

/* Merge rows that have equal cells and differ in only one other thing. */
static void rows_merge(int set)
{
	for (size_t i = 0; i < n_rows; i++)
		for (size_t j = i + 1; !rows[i].gone && j < n_rows; j++)
			if (!rows[j].gone && may_merge(&rows[i], &rows[j], set)) {
				rows[i].sets[set] |= rows[j].sets[set];
				rows[j].gone = true;
			}
}

static const char *member_text(int set, int member)
{
	switch (set) {
	case ROW_OP:
		return ops[member].text;
	case ROW_KIND:
		return kind_names[member];
	case ROW_BINDING:
		return binding_dev[member] ?: "–";
	}
	return option_names[member] ?: "–";
}

static void row_print(const struct row *row, size_t columns)
{
	for (int set = 0; set < NR_ROW_SETS; set++) {
		const char *separator = "| ";

		for (int i = 0; i < 64; i++)
			if (in(row->sets[set], i)) {
				printf("%s%s", separator, member_text(set, i));
				separator = ", ";
			}
		printf(" ");
	}
	for (size_t i = 0; i < columns; i++)
		printf("| %s ", row->cells[i]);
	printf("|\n");
}

static void rows_require(size_t columns)
{
	for (size_t i = 0; i < n_rows; i++) {
		rows[i].gone = true;
		for (size_t j = 0; j < columns; j++)
			if (*rows[i].cells[j])
				rows[i].gone = false;
	}
}

static void one_table_print(const struct table *table)
{
	size_t columns = 0;

	while (columns < MAX_COLUMNS && table->columns[columns].heading)
		columns++;
	rows_fill(table);
	rows_require(table->required);
	rows_merge(ROW_KIND);
	rows_merge(ROW_BINDING);
	rows_merge(ROW_OPTION);
	rows_merge(ROW_OP);
	printf("**%s**\n\n| operation | sockets | bound to | option ",
	       table->heading);
	for (size_t i = 0; i < columns; i++)
		printf("| %s ", table->columns[i].heading);
	printf("|\n");
	for (size_t i = 0; i < NR_ROW_SETS + columns; i++)
		printf("|---");
	printf("|\n");
	for (size_t i = 0; i < n_rows; i++)
		if (!rows[i].gone)
			row_print(&rows[i], columns);
	printf("\n");
}

void table_print(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		one_table_print(&tables[i]);
	for (int i = 0; i < NR_NOTES; i++)
		printf("%d. %s\n", i + 1, note_text[i]);
}
