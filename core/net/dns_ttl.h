/*
 * How long an answer of the name service holds (RFC 1035, section 4.1): the one thing in it that
 * c-ares does not tell of SRV and NAPTR. A pure function: any thread.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdint.h>

/*
 * The least TTL of the records in the answer section of a whole message. 0, which nobody keeps, if
 * there are none or it is broken.
 */
uint32_t dns_ttl_s(struct slice message);
