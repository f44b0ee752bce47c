/*
 * A request outside of any dialog that asks a far end something and makes nothing: OPTIONS (RFC
 * 3261, section 11). On the stack's thread.
 */
#pragma once

#include "core/sip/flow.h"
#include "core/sip/request.h"

struct sip_query {
	enum sip_method method;
	const struct sip_flow *flow;
	struct slice target;   /* a URI: Request-URI and To */
	struct slice user;     /* user part of From and Contact; their host is the flow's */
	struct slice from;     /* a URI, in the place of From's; or empty */
	struct slice routes;   /* whole Route lines, or empty */
	bool anonymous;        /* nothing that is made up here tells who asks (RFC 3323) */
	struct sip_auth *auth; /* whose credentials go with it, or NULL */
	uint64_t call_id, tag; /* two by chance; the same again at another address */
};

/*
 * Sends it by the flow, and nowhere else. Everything in query is copied. Returns what
 * sip_request_send() does, -EINVAL also if target is no URI.
 */
int sip_query_send(struct sip_request **out, struct sip_stack *stack, const struct sip_query *query,
	const struct sip_request_events *events, void *arg);
