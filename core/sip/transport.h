/*
 * Transports (RFC 3261, section 18): they carry messages to and from the network, and know nothing
 * of what these mean. A transport belongs to the stack that listens on it. On the stack's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/sip/flow.h"
#include "core/sip/msg.h"

struct sip_transport {
	struct list link; /* in the stack's list */
	struct sip_stack *stack;
	enum sip_transport_kind kind;
	struct addr local; /* as bound: may be 0.0.0.0 */
	struct udp *udp;
};

/* Binds and starts to receive. What loop_udp_open() returns, or -ENOMEM. */
int sip_transport_udp_new(
	struct sip_transport **out, struct sip_stack *stack, const struct addr *local);

/* NULL is allowed. */
void sip_transport_free(struct sip_transport *transport);

/* "UDP", as it stands in Via. */
const char *sip_transport_name(const struct sip_transport *transport);

/* The flow to remote over transport, or what loop_route() returns. */
int sip_transport_flow(
	struct sip_flow *out, struct sip_transport *transport, const struct addr *remote);

/* Sends a whole message; what udp_send() returns. */
int sip_flow_send(const struct sip_flow *flow, struct slice bytes);

/*
 * Where the responses to a request go that came by flow with that topmost Via (RFC 3261, section
 * 18.2.2; RFC 3581, section 4).
 */
struct addr sip_flow_reply_to(const struct sip_flow *flow, const struct sip_via *via);
