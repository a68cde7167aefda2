/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PRINT_H
#define PRINT_H

#include "record.h"

/* @own: the netns of the caller. If not 0, a line names the netns, too. */
void print_decision(const struct decision *d, unsigned int own);
/* 0: nobody knows how many */
void print_lost(unsigned long decisions);

#endif
