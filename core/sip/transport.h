/*
 * Transports (RFC 3261, section 18): they carry messages to and from the network, and know nothing
 * of what these mean. A transport belongs to the stack that listens on it. On the stack's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/sip/flow.h"
#include "core/sip/msg.h"

struct text;
struct sip_tcp; /* a listener and its connections */

struct sip_transport {
	struct list link; /* in the stack's list */
	struct sip_stack *stack;
	const struct sip_carrier *carrier;
	struct addr local; /* as bound: may be 0.0.0.0 */
	bool calls_only;   /* it is not bound */
	union {
		struct udp *udp;
		struct sip_tcp *tcp;
	};
};

/* What differs from one kind of transport to another. */
struct sip_carrier_ops {
	int (*open)(struct sip_transport *transport, const struct addr *local);
	int (*send)(struct sip_flow *flow, struct slice bytes);
	/* Addresses of this host have gone: so are connections from there. NULL: it has none. */
	void (*reroute)(struct sip_transport *transport);
	/* See sip_flow_nudge() and sip_flow_drop(). */
	int (*nudge)(const struct sip_flow *flow, struct slice bytes);
	void (*drop)(const struct sip_flow *flow); /* NULL: there are no connections */
	void (*close)(struct sip_transport *transport);
};

struct sip_carrier {
	const struct sip_carrier_ops *ops;
	enum sip_transport_kind kind;
	const char *name;  /* as it stands in Via */
	const char *param; /* of a URI, where it has to say so, */
	uint16_t port;     /* where it listens, as a rule */
	bool reliable;     /* what is sent arrives, or the connection ends */
	bool secure;       /* nobody on the way can read it, or change it */
	bool web;          /* it has messages, and nobody can connect to us */
	bool named;        /* it goes to whom a name stands for (flow->host) */
};

extern const struct sip_carrier sip_carrier_udp;
extern const struct sip_carrier sip_carrier_tcp;
extern const struct sip_carrier sip_carrier_tls;
extern const struct sip_carrier sip_carrier_ws;
extern const struct sip_carrier sip_carrier_wss;

/* Binds and starts to receive. What loop_udp_open() or loop_tcp_listen() returns, or -ENOMEM. */
int sip_transport_new(struct sip_transport **out, struct sip_stack *stack,
	enum sip_transport_kind kind, const struct addr *local);

/* From any address of that family, and nobody can connect to it: of TLS or WebSocket. -ENOMEM. */
int sip_transport_new_calling(struct sip_transport **out, struct sip_stack *stack,
	enum sip_transport_kind kind, enum addr_family family);

/* NULL is allowed. */
void sip_transport_free(struct sip_transport *transport);

/* "UDP", as it stands in Via. */
const char *sip_transport_name(const struct sip_transport *transport);

/* Where we say that we are, to a far end that is reached by flow: host and port, as in Via. */
void sip_flow_print_host(struct text *out, const struct sip_flow *flow);

/* Where a far end that is reached by flow reaches us: a URI. user may be empty. */
void sip_flow_print_uri(struct text *out, const struct sip_flow *flow, struct slice user);

/* Our Contact, a whole line, for a far end that is reached by flow; user may be empty. */
void sip_flow_print_contact(struct text *out, const struct sip_flow *flow, struct slice user);

/* Whether nothing has to be repeated that goes by flow (section 17). */
bool sip_flow_is_reliable(const struct sip_flow *flow);

/* Whether nobody on the way can read it, or change it. */
bool sip_flow_is_secure(const struct sip_flow *flow);

/* Whether a connection that we made by kind, of TLS or WebSocket, to remote stands. */
bool sip_stack_stands(
	struct sip_stack *stack, enum sip_transport_kind kind, const struct addr *remote);

/* Whether nobody can reach us there but by a connection of ours. */
bool sip_flow_is_one_way(const struct sip_flow *flow);

/* The flow to remote over transport, or what loop_route() returns. */
int sip_transport_flow(
	struct sip_flow *out, struct sip_transport *transport, const struct addr *remote);

/*
 * Sends a whole message; what udp_send() returns. By TCP: -ENOMEM, -ENFILE with too many
 * connections, -ENOBUFS if the far end does not read, or what loop_tcp_connect() returns; what goes
 * wrong after that, sip_client_lost() hears.
 */
int sip_flow_send(const struct sip_flow *flow, struct slice bytes);

/* The same, and notes in flow by which connection it went. */
int sip_flow_send_on(struct sip_flow *flow, struct slice bytes);

/* Whether local is no address of this host any more. */
bool sip_stack_has_lost(const struct sip_stack *stack, const struct addr *local);

/*
 * Sends what is no message, by the connection of flow and no other: -ENOTCONN if that is over, or
 * as sip_flow_send().
 */
int sip_flow_nudge(const struct sip_flow *flow, struct slice bytes);

/* Closes the connection of flow, if it has one that stands: nothing comes by it any more. */
void sip_flow_drop(const struct sip_flow *flow);

/*
 * Where the responses to a request go that came by flow with that topmost Via (RFC 3261, section
 * 18.2.2; RFC 3581, section 4); by TCP, if the connection is gone that the request came by.
 */
struct addr sip_flow_reply_to(const struct sip_flow *flow, const struct sip_via *via);

/* For the carriers: whoever looks on is told, and a message that came is handed on. */
void sip_transport_trace(bool sent, const struct sip_flow *flow, struct slice bytes);
