/*
 * How a SIP stack is set up, and whom it tells: plain values, made by whoever makes the stack.
 */
#pragma once

#include "core/base/loop.h"
#include "core/net/tls.h"
#include "core/sip/flow.h"
#include "core/sip/msg.h"

struct sip_server; /* a server transaction (RFC 3261, section 17.2) */

struct sip_stack_events {
	/*
	 * A request outside of any dialog that has passed the checks of section 8.2, with its
	 * server transaction, which waits for sip_server_respond() or sip_invite_take(); it may be
	 * answered during the call or after. msg is good during the call only. Never ACK or CANCEL.
	 */
	void (*request)(void *arg, struct sip_server *server, const struct sip_msg *msg);

	/* Each message as it goes out or comes in, for whoever looks on. NULL: nobody does. */
	void (*trace)(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
		const struct addr *remote, struct slice bytes);
};

struct sip_stack_config {
	struct loop *loop;
	const char *user_agent; /* for User-Agent and Server */
	const char *allow;      /* "INVITE, ACK, BYE, CANCEL, OPTIONS": others are answered 405 */
	const char *accept;     /* "application/sdp": other bodies in INVITE are answered 415 */
	struct tls_config tls;
	const struct sip_stack_events *events;
	void *arg;
};
