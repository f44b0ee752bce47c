/*
 * STUN messages as they stand on the wire (RFC 8489): a Binding request printed, and whatever came
 * back read into plain values. Who is asked, how often and what an answer means is the caller's.
 *
 * Slices borrow the datagram, and nothing is allocated or kept: any thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STUN_ID_SIZE = 12,
	STUN_REQUEST_SIZE = 20, /* of a printed Binding request */
	STUN_SUCCESS_SIZE = 44, /* of the answer to one, at most */
	STUN_UNKNOWN_MAX = 8,   /* kept of the attributes that we had to know and do not */
};

/* The method of each message that we send (RFC 8489, section 18.2). */
enum { STUN_BINDING = 0x001 };

enum stun_class {
	STUN_REQUEST,
	STUN_INDICATION,
	STUN_SUCCESS,
	STUN_ERROR,
};

/* What ties an answer to its request. Of chance, so that nobody can answer who did not see it. */
struct stun_id {
	uint8_t bytes[STUN_ID_SIZE];
};

struct stun_msg {
	enum stun_class class;
	uint16_t method;
	struct stun_id id;
	struct addr mapped;   /* where the server saw us; ADDR_NONE: it does not say */
	uint16_t code;        /* of an error, 300..699; otherwise 0 */
	struct slice reason;  /* of an error, words from outside; mostly UTF-8 */
	bool fingerprinted;   /* it has a FINGERPRINT, and that is right */
	size_t unknown_count; /* attributes that must be known and are not, all of them */
	uint16_t unknown[STUN_UNKNOWN_MAX]; /* the first of those */
	struct slice attributes;            /* all, for stun_attribute_next() */
};

struct stun_attribute {
	uint16_t type;
	struct slice value; /* without its padding */
};

/*
 * Whether a datagram is STUN at all, by what no other protocol on the same socket begins with: two
 * zero bits, the magic cookie, and a length that fits (RFC 8489, section 5). It may still be
 * broken.
 */
bool stun_is(struct slice datagram);

/*
 * Reads one datagram, which must be one message from its first byte to its last. -EPROTO, with out
 * untouched, for anything else: a length that is not kept, an address or an error code that is
 * none, a FINGERPRINT that is wrong or does not come last, an error without its code.
 *
 * Of attributes that stand twice the first counts, and of what follows the integrity none does but
 * the FINGERPRINT (RFC 8489, section 14). XOR-MAPPED-ADDRESS is preferred to MAPPED-ADDRESS, which
 * routers on the way are known to rewrite. Integrity is not checked: that takes a password.
 */
int stun_parse(struct stun_msg *out, struct slice datagram);

/* Reads the next attribute of stun_msg.attributes, padding and all, off rest; false at the end. */
bool stun_attribute_next(struct stun_attribute *out, struct slice *rest);

/*
 * Whether msg answers our Binding request id, well or badly (RFC 8489, section 6.3). What does not
 * is to be passed over in silence.
 */
bool stun_answers(const struct stun_msg *msg, const struct stun_id *id);

/*
 * The address in an answer. -EPROTO if it is an error, has no address, or holds what must be known
 * and is not, which makes the whole of it worthless (RFC 8489, section 6.3.3).
 */
int stun_mapped(struct addr *out, const struct stun_msg *answer);

/* Appends a Binding request of no attribute; -ENOBUFS, with out as it was, if it is full. */
int stun_print_binding(struct buf *out, const struct stun_id *id);

/* The same of the answer to that: it came from mapped. */
int stun_print_mapped(struct buf *out, const struct stun_id *id, const struct addr *mapped);
