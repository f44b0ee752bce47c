/*
 * One call as SIP sees it: an INVITE, its dialog and their end (RFC 3261, sections 12 to 15). It
 * sends ACK and repeats it, repeats our 200 until its ACK comes, holds CANCEL back until a
 * provisional response allows it, ends by BYE what a late 200 has begun. It knows nothing of sound.
 *
 * The agent's call owns it and frees it after ended; before that, sip_invite_free() forgets it at
 * once without a word to the far end. On the stack's thread. Any event function may free it.
 */
#pragma once

#include "core/sip/msg.h"
#include "core/sip/server.h"

struct sip_invite;

enum sip_invite_state {
	SIP_INVITE_CALLING,    /* we called; nothing was heard */
	SIP_INVITE_PROCEEDING, /* a provisional response came */
	SIP_INVITE_CANCELLING, /* we gave up: CANCEL is sent or waits until it may be */
	SIP_INVITE_INCOMING,   /* we are called and have not answered */
	SIP_INVITE_ACCEPTED,   /* our 200 is out, its ACK is not here */
	SIP_INVITE_CONFIRMED,
	SIP_INVITE_ENDING, /* our BYE is out, its answer is not here */
	SIP_INVITE_ENDED,
};

enum sip_invite_cause {
	SIP_ENDED_LOCAL,    /* we hung up, cancelled or rejected */
	SIP_ENDED_REMOTE,   /* BYE, or CANCEL, from there */
	SIP_ENDED_REJECTED, /* status says how */
	SIP_ENDED_TIMEOUT,  /* nobody answered our INVITE at all (Timer B), or our 200 (no ACK) */
	SIP_ENDED_UNREACHABLE, /* err says why: -ECONNREFUSED (ICMP port unreachable), ... */
	SIP_ENDED_ERROR,       /* err: ours (-ENOMEM, -EMSGSIZE), or -EPROTO: a broken far end */
};

struct sip_invite_end {
	enum sip_invite_cause cause;
	uint16_t status;     /* of the response that ended it, theirs or ours; 0 if none did */
	struct slice reason; /* phrase of the response, if it was received */
	int err;
	const struct sip_msg *msg; /* the message that ended it, or NULL */
};

struct sip_invite_events {
	/* 101..199 to our INVITE. */
	void (*provisional)(void *arg, const struct sip_msg *response);
	/* The first 2xx to our INVITE, from whose dialog the call lives; ACK goes when this
	 * returns. */
	void (*answered)(void *arg, const struct sip_msg *response);
	/* The ACK to our 200 came. */
	void (*confirmed)(void *arg, const struct sip_msg *ack);
	/* The last of all events, once. The state is SIP_INVITE_ENDED. */
	void (*ended)(void *arg, const struct sip_invite_end *end);
};

struct sip_invite_config {
	const struct sip_flow *flow;
	struct slice target;       /* Request-URI and To */
	struct slice from_uri;     /* "sip:alice@192.0.2.1" */
	struct slice from_display; /* plain text, printed quoted; may be empty */
	struct slice
		contact_user; /* user part of our Contact; its host is the flow's local address */
	struct slice headers; /* whole lines to be added, checked by sip_header_check() */
	const char *content_type;
	struct slice body;
};

/*
 * Sends INVITE. Everything in config is copied. Returns -ENOMEM, -EMSGSIZE, -EINVAL (target
 * or from_uri is no URI) or what udp_send() does, and there is no call then.
 */
int sip_invite_call(struct sip_invite **out, struct sip_stack *stack,
	const struct sip_invite_config *config, const struct sip_invite_events *events, void *arg);

/*
 * Takes over the server transaction of an INVITE that sip_stack_events.request has brought, during
 * that call. 100 has been or will be sent by itself. On error the INVITE has been answered 500.
 */
int sip_invite_take(struct sip_invite **out, struct sip_stack *stack, struct sip_server *server,
	const struct sip_msg *msg, struct slice contact_user,
	const struct sip_invite_events *events, void *arg);

/* Sends 180 or another 1xx. Only while INCOMING. */
int sip_invite_ring(struct sip_invite *invite, uint16_t status);

/* Sends 200 with the answer. Only while INCOMING; -ENOMEM, -EMSGSIZE: it still is, nothing was
 * sent. */
int sip_invite_accept(struct sip_invite *invite, const char *content_type, struct slice body);

/* Sends 3xx..6xx; ended (LOCAL) comes before it returns. Only while INCOMING. */
void sip_invite_reject(struct sip_invite *invite, const struct sip_response *response);

/*
 * Ends it as its state asks: CANCEL, BYE, or 480 to a caller who is not answered. ended may come
 * before it returns, or when the far end has answered or has had its time. Harmless when it is
 * ending. reason_header: a whole Reason line (RFC 3326) to go with it, or empty.
 */
void sip_invite_hangup(struct sip_invite *invite, struct slice reason_header);

enum sip_invite_state sip_invite_state(const struct sip_invite *invite);

/* Good as long as the invite is. */
struct slice sip_invite_call_id(const struct sip_invite *invite);

/* How the call goes to the far end. */
const struct sip_flow *sip_invite_flow(const struct sip_invite *invite);

/*
 * Hangs up if it is not ending, and forgets its owner: no event comes any more, what it still owes
 * to the far end it does by itself (CANCEL for a late 180, ACK and BYE for a late 200), then it
 * goes, at the latest with the stack.
 */
void sip_invite_leave(struct sip_invite *invite);

/* NULL is allowed. */
void sip_invite_free(struct sip_invite *invite);
