/*
 * In which order what the name service offers is taken. Pure functions but for chance: on the
 * loop's thread.
 */
#pragma once

#include "core/base/loop.h"

/*
 * Servers by priority, and those of one priority by chance, in proportion to their weights (RFC
 * 2782, "Usage rules").
 */
void sip_srv_order(struct dns_record *records, size_t count, struct loop *loop);

/*
 * Services by order and preference (RFC 3403, section 4.1). What records have in name, flags and
 * service is not looked at.
 */
void sip_naptr_order(struct dns_record *records, size_t count);
