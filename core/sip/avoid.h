/*
 * Places that have failed lately (RFC 3263, section 4.3): for a while they are tried last, where
 * there are others. On the stack's thread.
 */
#pragma once

#include "core/sip/flow.h"

#include <stddef.h>

struct sip_msg;

enum {
	SIP_AVOID_S = 30,      /* what could not be reached */
	SIP_AVOID_BUSY_S = 60, /* what has said 503, and not for how long or for longer than: */
	SIP_AVOID_MOST_S = 3600,
};

/* Nothing can be sent by flow, or nothing comes back. */
void sip_avoid(struct sip_stack *stack, const struct sip_flow *flow);

/* Whoever answered by flow with that 503 wants to be left alone. */
void sip_avoid_busy(
	struct sip_stack *stack, const struct sip_flow *flow, const struct sip_msg *response);

/* It works. */
void sip_avoid_no_more(struct sip_stack *stack, const struct sip_flow *flow);

/* Puts those that are to be avoided behind the others; each part keeps its order. */
void sip_avoid_sort(struct sip_stack *stack, struct sip_flow *flows, size_t count);
