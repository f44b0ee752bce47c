/*
 * What the name service tells (RFC 1035), as plain values. Who asks is loop_resolve()
 * (core/base/loop.h).
 */
#pragma once

#include "core/base/addr.h"

#include <stddef.h>
#include <stdint.h>

enum dns_type {
	DNS_HOST,  /* A and AAAA, and what the system knows beside: /etc/hosts, localhost */
	DNS_SRV,   /* RFC 2782 */
	DNS_NAPTR, /* RFC 3403 */
};

enum {
	DNS_RECORDS_MAX = 16, /* of one answer; what is beyond is not looked at */
	DNS_NAME_SIZE = 256,
	DNS_WORD_SIZE = 16,
	DNS_TTL_MAX_S = 3600, /* for longer nothing is believed */
};

/* What a type does not have is 0 or empty. */
struct dns_record {
	struct addr addr;          /* HOST: port 0 */
	uint16_t priority;         /* SRV; NAPTR: the order */
	uint16_t weight;           /* SRV; NAPTR: the preference */
	uint16_t port;             /* SRV */
	char flags[DNS_WORD_SIZE]; /* NAPTR: "s"; what is too long is left empty, so below */
	char service[DNS_WORD_SIZE];
	char name[DNS_NAME_SIZE]; /* SRV: the target; NAPTR: the replacement. Empty: the root */
};

/*
 * err 0 and count > 0, or a negative error code: -ENOENT: there is no such name, or it has nothing
 * of that type; -ETIMEDOUT: nobody has said anything; -ECONNREFUSED, -EAGAIN: no server is there,
 * or none could tell; -EPROTO: what came is no answer.
 */
struct dns_answer {
	int err;
	size_t count;
	const struct dns_record *records; /* HOST: in order of preference */
	uint32_t ttl_s;                   /* for how long it holds; 0: only now */
	const char *servers; /* that were asked: "192.0.2.53, 192.0.2.54:5353"; "": not known */
};
