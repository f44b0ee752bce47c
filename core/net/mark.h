/*
 * Marks by which routers know what is in a hurry: the DSCP (RFC 2474) of what a socket sends. For
 * core/net alone. Any thread.
 */
#pragma once

#include "core/base/addr.h"

/*
 * dscp: 0..63, 0: as everybody's. Where the system does not let us, it returns a negative error
 * code, which the log tells once, at its lowest level: all works without it.
 */
int mark_socket(int fd, enum addr_family family, unsigned dscp);
