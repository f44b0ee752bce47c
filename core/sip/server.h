/*
 * A request that came, as whoever is to answer it sees it: a server transaction (RFC 3261, section
 * 17.2). It belongs to the stack. On the stack's thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/sip/flow.h"

struct sip_server;

/* The flow by which a request came, for offering media addresses that its sender can reach. */
void sip_server_flow(struct sip_flow *out, const struct sip_server *server);

struct sip_response {
	uint16_t status;          /* 101..699 */
	const char *reason;       /* NULL: the phrase of section 21 */
	struct slice headers;     /* whole lines with CRLF that are added, or empty */
	const char *content_type; /* of body */
	struct slice body;
};

/*
 * Answers; a final response ends the use of server: it lives on by itself for retransmissions. It
 * fills in Via, From, To with a tag of ours, Call-ID, CSeq, and Allow, Accept, Supported where
 * section 20 wants them. An error (it could not be printed or sent) has been logged; nothing is
 * left to do.
 */
int sip_server_respond(struct sip_server *server, const struct sip_response *response);
