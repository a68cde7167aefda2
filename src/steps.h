/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The steps of the rule, in its order but for the yes. Programs include this
 * too, so it includes nothing.
 */
#ifndef ANYIP6_STEPS_H
#define ANYIP6_STEPS_H

/*
 * Each step has a name, a counter in /proc/net/anyip6 and a word in the trace.
 * LAST is for lists whose last entry has no comma.
 */
#define ANYIP6_STEPS(STEP, LAST)					\
	/* a local route is the longest match */			\
	STEP(ALLOWED,	   "Anyip6Allowed",		"allowed")	\
	/* the toggle is 0 */						\
	STEP(OFF,	   "Anyip6RefusedOff",		"off")		\
	STEP(NOT_UNICAST,  "Anyip6RefusedNotUnicast",	"not-unicast")	\
	/* in any state, so the kernel's own no stands */		\
	STEP(CONFIGURED,   "Anyip6RefusedConfigured",	"configured")	\
	/* in the one table that is asked */				\
	STEP(NO_ROUTE,	   "Anyip6RefusedNoRoute",	"no-route")	\
	/* the longest match is not a local route */			\
	STEP(CARVED_OUT,   "Anyip6RefusedCarvedOut",	"carved-out")	\
	/* link-local, and its route is through another device */	\
	LAST(WRONG_DEVICE, "Anyip6RefusedWrongDevice",	"wrong-device")

#endif
