/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoint anyip6:anyip6_decision. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM anyip6

#if !defined(ANYIP6_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ANYIP6_TRACE_H

#include <linux/sched.h>
#include <linux/tracepoint.h>
#include <net/net_namespace.h>

#include "anyip6.h"
#include "compat.h"

#define ANYIP6_CALLER_LEN	32

/* Tools that print the raw record by its format need the numbers. */
#define ANYIP6_NUMBER(step, ...) TRACE_DEFINE_ENUM(ANYIP6_##step);
ANYIP6_STEPS(ANYIP6_NUMBER, ANYIP6_NUMBER)

#define ANYIP6_LAST_WORD(step, counter, word) { ANYIP6_##step, word }
#define ANYIP6_WORD(...) ANYIP6_LAST_WORD(__VA_ARGS__),

TRACE_EVENT(anyip6_decision,

	TP_PROTO(const struct net *net, unsigned long caller,
		 const struct in6_addr *addr, const struct net_device *dev,
		 u32 table, enum anyip6_step step),

	TP_ARGS(net, caller, addr, dev, table, step),

	TP_STRUCT__entry(
		__field(u64, cookie)
		__field(unsigned int, netns)
		__field(u32, table)
		__field(int, step)
		__field(bool, allowed)
		__array(u8, addr, 16)
		__array(char, dev, IFNAMSIZ)
		__array(char, caller, ANYIP6_CALLER_LEN)
		__array(char, comm, TASK_COMM_LEN)
	),

	TP_fast_assign(
		const struct anyip6_path *path = anyip6_path_at(caller);

		__entry->cookie = anyip6_net_cookie(net);
		__entry->netns = net->ns.inum;
		__entry->table = table;
		__entry->step = step;
		__entry->allowed = step == ANYIP6_ALLOWED;
		memcpy(__entry->addr, addr, 16);
		strscpy(__entry->dev, dev ? dev->name : "-", IFNAMSIZ);
		strscpy(__entry->caller, path ? path->caller : "?",
			ANYIP6_CALLER_LEN);
		memcpy(__entry->comm, current->comm, TASK_COMM_LEN);
	),

	TP_printk("netns=%u cookie=%llu comm=%s caller=%s addr=%pI6c dev=%s table=%u allowed=%d step=%s",
		  __entry->netns, __entry->cookie, __entry->comm,
		  __entry->caller, __entry->addr, __entry->dev, __entry->table,
		  __entry->allowed,
		  __print_symbolic(__entry->step,
				   ANYIP6_STEPS(ANYIP6_WORD, ANYIP6_LAST_WORD)))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
