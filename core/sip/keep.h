/*
 * Keeping the way to a server of ours open through the NATs on it, and noticing that it is not any
 * more (RFC 5626, sections 4.4 and 8). Whoever was let in by a server owns one, and frees it before
 * the stack. On the stack's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/sip/flow.h"

#include <stdbool.h>
#include <stdint.h>

struct sip_keep;
struct sip_msg;
struct sip_via;
struct slice;

enum sip_keep_how {
	SIP_KEEP_HELD,  /* nothing is sent; its connection is not given up for being idle */
	SIP_KEEP_TOLD,  /* empty lines, which nobody has agreed to answer */
	SIP_KEEP_ASKED, /* the same, to be answered in 10 s; by UDP a STUN request */
};

struct sip_keep_config {
	const struct sip_flow *flow; /* with its connection, if it is by one */
	bool follows; /* by UDP: flow outlives the keep, and is looked at anew each time */
	enum sip_keep_how how;
	uint32_t every_s; /* the longest pause; 0: what section 4.4 says */
};

struct sip_keep_events {
	/* An answer came. mapped: where they see us, or NULL if it does not tell. */
	void (*alive)(void *arg, const struct addr *mapped);
	/*
	 * The last event: the way is dead, its connection closed. -ETIMEDOUT: there was no answer,
	 * or why it broke.
	 */
	void (*dead)(void *arg, int err);
};

/*
 * Copies config. The events may free it. -ENOMEM. events NULL: nobody does anything about a way
 * that is dead; by UDP it goes on, only that no answer is asked for any more.
 *
 * Of several on one way, what one of them sends counts for all that want no more.
 */
int sip_keep_new(struct sip_keep **out, struct sip_stack *stack,
	const struct sip_keep_config *config, const struct sip_keep_events *events, void *arg);

/* NULL is allowed. */
void sip_keep_free(struct sip_keep *keep);

/*
 * Whether a response to us agrees by keep in its topmost Via, our own (RFC 6223, section 4.3), and
 * how often, at least, in s; 0: that is up to us. An echo of ours alone does not.
 */
bool sip_keep_agreed(uint32_t *every_s, const struct sip_via *via);

/*
 * Whether who sent us a request asks whether he may keep his way to us open (RFC 6223, section
 * 4.4): the far end itself, without a proxy between.
 */
bool sip_keep_is_asked(const struct sip_msg *request);

/* That who is at the other end of flow may, and has answers. Whoever lets him owns it. */
struct sip_keep_leave {
	struct list link;
	struct sip_flow flow;
};

void sip_keep_allow(
	struct sip_keep_leave *leave, struct sip_stack *stack, const struct sip_flow *flow);

/* For the transports: an empty line came by a connection, whether somebody has waited for it; that
 * is over; STUN came; an ICMP error about what was sent to to. */
bool sip_keep_pong(struct sip_stack *stack, uint64_t connection);
void sip_keep_lost(struct sip_stack *stack, uint64_t connection, int err);
void sip_keep_stun(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *from, struct slice datagram);
void sip_keep_unreachable(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *to, int err);

/* For the stack: whether a connection is kept. */
bool sip_keep_uses(const struct sip_stack *stack, uint64_t connection);
