/*
 * IP packets that are made up around what was said, as they must have been: for a file that reads
 * packets. Pure bytes; any thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"

enum { CAPTURE_HEADERS_MAX = 60 }; /* IPv6 and TCP */

/*
 * Writes the IP and UDP header that stand before payload. Returns how many bytes they are; 0 if
 * from and to are not of one kind, or payload is longer than a packet.
 */
size_t capture_udp(uint8_t out[static CAPTURE_HEADERS_MAX], const struct addr *from,
	const struct addr *to, struct slice payload);

/* The same of a TCP segment. */
size_t capture_tcp(uint8_t out[static CAPTURE_HEADERS_MAX], const struct addr *from,
	const struct addr *to, uint32_t seq, uint32_t ack, struct slice payload);
