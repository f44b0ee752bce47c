/*
 * What a registrar grants by its 200 to a REGISTER. A plain value that borrows the response.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/sip/msg.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRANT_EXPIRES_MAX_S = 24 * 3600 }; /* what a registrar may make of our wish */

struct grant {
	uint32_t expires_s;
	bool outbound;   /* what comes for us comes by the way of this REGISTER (RFC 5626) */
	bool answers;    /* it answers what keeps that way open (RFC 5626, RFC 6223) */
	uint32_t keep_s; /* how often that is to be sent, at least; 0: it does not say */
	/* URIs that lead to this very phone (RFC 5627); temporary: which say not whose it is. Or
	 * empty. */
	struct slice gruu, temporary;
};

/* What we have asked for. */
struct grant_wish {
	struct slice contact; /* the URI of our Contact */
	const char *instance; /* a URN, or NULL */
	uint32_t expires_s;
};

/* Reads a 2xx; what is broken in it is as if it were not there. */
void grant_read(struct grant *out, const struct sip_msg *response, const struct grant_wish *wish);
