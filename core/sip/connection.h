/*
 * The connections of a transport by TCP, TLS or WebSocket, as the files of these see them: how they
 * are used is transport_tcp.c, how there come to be any is transport_listen.c. On the stack's
 * thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/table.h"
#include "core/sip/framing.h"
#include "core/sip/transport.h"

enum connection_state {
	CONNECTING,
	STANDING,
	OVER, /* out of the tables; its timer tells who waits on it, and frees it */
};

struct sip_connection {
	struct table_node id_node;
	struct table_node remote_node;
	struct list link;
	struct sip_transport *transport;
	struct tcp *tcp;
	struct addr remote;
	struct addr local; /* as the far end should see us: with the port that we listen on */
	uint64_t id;
	uint32_t host; /* whom we called, and who it is; 0: nobody has a name */
	enum connection_state state;
	bool incoming;
	bool stood;
	int err; /* why it is over */
	struct sip_framing framing;
	size_t lines;      /* empty ones that are told */
	bool amid;         /* of a message */
	uint64_t begun_ns; /* when that message began */
	uint64_t used_ns;  /* when bytes last went or came */
	struct timer limit;
};

struct sip_tcp {
	struct tcp_listener *listener; /* NULL: nobody can connect to it */
	struct list connections;
	struct table ids;
	struct table remotes;
	size_t counts[2]; /* of those that we began, and of incoming ones */
};

/* For tcp_listener: one that has come in, of the transport that is arg. */
void sip_connection_accepted(void *arg, struct tcp *tcp);

/* By the connection that flow came by, any that leads to its far end, or a new one. */
int sip_connection_send(struct sip_flow *flow, struct slice bytes);

/* Ends those that go from an address that this host has lost. */
void sip_connection_reroute(struct sip_transport *transport);

/* See sip_flow_nudge() and sip_flow_drop(). */
int sip_connection_nudge(const struct sip_flow *flow, struct slice bytes);
void sip_connection_drop(const struct sip_flow *flow);

/* At once, and nobody is told. */
void sip_connection_free(struct sip_connection *connection);
