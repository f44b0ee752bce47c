/*
 * The way to one next hop. A plain value, good as long as the stack listens where it did.
 */
#pragma once

#include "core/base/addr.h"

#include <stdbool.h>

struct sip_stack;
struct sip_transport;

enum sip_transport_kind {
	SIP_UDP,
	SIP_TCP,
	SIP_TLS,
	SIP_WS,  /* RFC 7118, over TCP */
	SIP_WSS, /* over TLS */
	SIP_TRANSPORTS,
};

struct sip_flow {
	struct sip_transport *transport;
	struct addr remote;
	struct addr local; /* ours, as the far end should see it: never 0.0.0.0; with our port */
	/* Of all but UDP: the connection that it came by, which is used while it stands. 0, or
	 * after that: any that leads to remote, or a new one. */
	uint64_t connection;
	/* Located (core/sip/locate.h) with others behind it: they have their turn if no sign of
	 * life comes from here in SIP_PATIENCE_NS (core/sip/transaction.h). */
	bool others;
	/* Of TLS and WebSocket: the name that it was called by (core/sip/secure.h), which the
	 * certificate there has to bear, and by no connection to another it goes. 0: they came to
	 * us, and no other connection leads there. */
	uint32_t host;
	bool sips; /* it was asked for by a sips: URI, and so shall we be */
};

/*
 * The flow to remote over kind. -EAFNOSUPPORT if we listen on nothing of its address family, or
 * what loop_route() returns.
 */
int sip_stack_flow(struct sip_flow *out, struct sip_stack *stack, enum sip_transport_kind kind,
	const struct addr *remote);

/*
 * Whether the way to where flow leads goes from another address of this host by now; then flow is
 * that way. False, too, where there is none, or where we listen on no other address.
 */
bool sip_flow_reroute(struct sip_flow *flow);

/* Whether what flow goes from is no address of this host any more. */
bool sip_flow_is_lost(const struct sip_flow *flow);

/*
 * Why there is no connection of TLS or WebSocket to where flow leads, for people: of the newest one
 * that failed. NULL: nothing is known, or it is of neither.
 */
const char *sip_flow_trouble(const struct sip_flow *flow);

/* Whether it listens by kind on an address of that family. */
bool sip_stack_listens(
	const struct sip_stack *stack, enum sip_transport_kind kind, enum addr_family family);
