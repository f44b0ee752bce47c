/*
 * One request as its user sees it, over the client transactions that carry it: it finds out where
 * to send it, fills in what every request has, and reports what came of it. Whoever sends it owns
 * it. On the stack's thread; an event function may free it.
 */
#pragma once

#include "core/base/fault.h"
#include "core/sip/auth.h"
#include "core/sip/msg.h"
#include "core/sip/server.h"

struct sip_request;
struct sip_sent;

struct sip_request_config {
	enum sip_method method;
	struct slice uri; /* Request-URI */
	uint32_t cseq;
	struct slice headers; /* whole lines with CRLF: From, To, Call-ID, Route, ... */
	struct slice more;    /* further lines, or empty */
	struct slice trusted; /* further ones, which go to hops of auth's own alone */
	const char *content_type;
	struct slice body;
	const struct sip_flow *flow; /* NULL: wherever uri is located */
	struct slice credentials;    /* whole lines, or empty; auth makes them anew */
	struct sip_auth *auth;       /* whose credentials go with it to hops of its own, or NULL */
	bool keeps;                  /* asks whether its way may be kept open (RFC 6223) */
	bool peer_asks;              /* a challenge would be the far end's: none is answered */
};

struct sip_request_events {
	/* As sip_client_events.response; not of a challenge that is answered. */
	void (*response)(void *arg, const struct sip_msg *response);
	/* As sip_client_events.ended; why: in words if it could not be located, or NULL. */
	void (*ended)(void *arg, int err, const struct fault *why);
	/*
	 * A challenge came, and it is to go again with that CSeq number (RFC 3261, section 22.2).
	 * Returns whether it shall; if not, the challenge is a response like any. NULL: it shall.
	 */
	bool (*again)(void *arg, uint32_t cseq);
};

/*
 * Every place that uri leads to is tried in its order, after a transport's failure, a timeout
 * (SIP_PATIENCE_NS, where there is another) or a 503 of the one before (RFC 3263, section 4.3),
 * until something but 100 has come back or it was cancelled. Beyond 1300 bytes it goes by TCP where
 * we listen by that, too, and by UDP if that fails (section 18.1.1).
 *
 * Sends it, at once if flow is given. All of config is copied. events NULL: nobody wants to know,
 * and it belongs to the stack. Returns -ENOMEM, -EMSGSIZE, -EINVAL or, with a flow, what udp_send()
 * does; there is no request then.
 */
int sip_request_send(struct sip_request **out, struct sip_stack *stack,
	const struct sip_request_config *config, const struct sip_request_events *events,
	void *arg);

/* As sip_client_sent(): only with a flow, and until its final response but 2xx to INVITE. */
struct sip_sent sip_request_sent(const struct sip_request *request);

/* By which way the last response came, with its connection. */
struct sip_flow sip_request_flow(const struct sip_request *request);

/* The lines with credentials that it went with the last time, which its ACK repeats (RFC 3261,
 * section 22.1); good until it goes again. */
struct slice sip_request_credentials(const struct sip_request *request);

/* CANCEL for an INVITE that has had a provisional response. As sip_client_cancel(). */
int sip_request_cancel(struct sip_request *request, struct slice headers);

/* Nobody wants to know any more: it belongs to the stack until it ends. NULL is allowed. */
void sip_request_orphan(struct sip_request *request);

/* Forgets it; a transaction without a final response ends. NULL is allowed. */
void sip_request_free(struct sip_request *request);

/*
 * Whether len bytes are too many for a datagram by flow, and can go by TCP instead: by out (section
 * 18.1.1).
 */
bool sip_request_stream(
	struct sip_flow *out, struct sip_stack *stack, const struct sip_flow *flow, size_t len);

/* Prints it as it goes by flow, with a new branch; config->flow is not looked at. */
void sip_request_print(struct text *out, const struct sip_stack *stack, const struct sip_flow *flow,
	const struct sip_request_config *config);

/* For the stack: the end of all orphans. */
void sip_request_free_all(struct sip_stack *stack);
