/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETWORKD_H
#define NETWORKD_H

#include <stdbool.h>

/* Whether systemd-networkd manages a device, and deletes routes that it did not make. */
bool networkd_deletes_routes(void);
/* The .network file by which it manages lo, or NULL. */
const char *networkd_file_of_lo(void);

#endif
