/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module decides, and how it counts that. Programs include this file
 * too, so it includes no other.
 */
#ifndef ANYIP6_STEPS_H
#define ANYIP6_STEPS_H

/*
 * The steps of the rule: first the yes, then each no in the order of the rule.
 * Each has a name, a counter in /proc/net/anyip6 and a word in the trace. LAST
 * serves lists whose last entry has no comma. The counters are those of sockets
 * and of what names a source address as sockets do: routes, WireGuard, OpenVPN.
 */
#define ANYIP6_STEPS(STEP, LAST)					\
	/* a local route is the longest match */			\
	STEP(ALLOWED,	   "Anyip6Allowed",		"allowed")	\
	/* the toggle is 0 */						\
	STEP(OFF,	   "Anyip6RefusedOff",		"off")		\
	STEP(NOT_UNICAST,  "Anyip6RefusedNotUnicast",	"not-unicast")	\
	/* the address is configured, so the kernel's own no stands */	\
	STEP(CONFIGURED,   "Anyip6RefusedConfigured",	"configured")	\
	/* no route in the one table that is asked */			\
	STEP(NO_ROUTE,	   "Anyip6RefusedNoRoute",	"no-route")	\
	/* the longest match is not a local route */			\
	STEP(CARVED_OUT,   "Anyip6RefusedCarvedOut",	"carved-out")	\
	/* the address is link-local, its route uses another device */	\
	LAST(WRONG_DEVICE, "Anyip6RefusedWrongDevice",	"wrong-device")

/*
 * What else asks the rule. Each has a counter for yes and one for no. A no is
 * not a fault here: a router asks for the destination of each packet that it
 * reports.
 */
#define ANYIP6_REPLIES(REPLY)						\
	/* whether an ICMPv6 error may come from the address asked */	\
	REPLY(ERROR, "Anyip6ErrorFromAsked",  "Anyip6ErrorFromOther")	\
	/* whether to answer a neighbour solicitation */		\
	REPLY(NDISC, "Anyip6NdiscAnswered",   "Anyip6NdiscIgnored")

#endif
