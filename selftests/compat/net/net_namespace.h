/* SPDX-License-Identifier: GPL-2.0 */
#include "../kernel.h"

struct net {
#if KERNEL >= 512
	u64 net_cookie;
#else
	struct {
		long long counter;
	} net_cookie;
#endif
};
