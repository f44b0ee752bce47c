/*
 * By what a URI is called, and the flow to an address: what core/sip/locate knows without asking a
 * name service. Nothing is kept: on the stack's thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/sip/flow.h"
#include "core/sip/uri.h"

struct sip_stack;

enum {
	LOCATE_WAYS = 5,
	LOCATE_NAME_SIZE = 1024, /* with a path; what is too long leads nowhere */
	LOCATE_SHOWN_SIZE = 128, /* of a name in a sentence; what is too long is cut */
};

/*
 * What we speak, in the order in which we prefer it; in the words of a URI's transport (RFC 3261,
 * section 19.1.1), of NAPTR and of SRV (RFC 3263, sections 4.1 and 4.2; RFC 7118, section 5.3).
 */
struct locate_way {
	enum sip_transport_kind kind;
	enum sip_transport_kind secure; /* what it is for sips: */
	const char *transport, *service, *prefix;
	uint16_t port;
};

extern const struct locate_way locate_ways[LOCATE_WAYS];

/* Harmless in a sentence. Returns out. */
const char *locate_show(char out[static LOCATE_SHOWN_SIZE], struct slice name);

/* The transport that a uri asks for; TLS if it is a sips: one, else UDP if none. -EPROTONOSUPPORT:
 * we do not speak it, or it is none for sips:. */
int locate_transport(enum sip_transport_kind *out, const struct sip_uri *uri);

/* The same, with words in why. */
int locate_choose(enum sip_transport_kind *out, struct fault *why, const struct sip_uri *uri);

/* maddr stands for the host (RFC 3263, section 4). */
struct slice locate_host(const struct sip_uri *uri);

/* port, or, if that is 0, what is usual for kind. */
uint16_t locate_port(uint16_t port, enum sip_transport_kind kind);

/* What needs nobody listening: it goes by connections of ours. */
bool locate_is_called_only(enum sip_transport_kind kind);

bool locate_is_secure(enum sip_transport_kind kind);

/* The flow to to, for the name of a URI, of sips: or not. The errors of sip_located, words in why.
 */
int locate_flow(struct sip_flow *out, struct sip_stack *stack, struct fault *why,
	enum sip_transport_kind kind, const struct addr *to, struct slice name, bool sips);
