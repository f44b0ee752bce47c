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
	/* 101..199 to our INVITE; of several forks each has a To tag of its own. */
	void (*provisional)(void *arg, const struct sip_msg *response);
	/* The first 2xx to our INVITE, from whose dialog the call lives; ACK goes when this
	 * returns, with what sip_invite_answer() has put into it. */
	void (*answered)(void *arg, const struct sip_msg *response);
	/* The ACK to a 200 of ours came: to the first, or to that of a re-INVITE. */
	void (*confirmed)(void *arg, const struct sip_msg *ack);
	/*
	 * A re-INVITE (section 14.2) or an UPDATE (RFC 3311), which may change the session once the
	 * first offer and answer are through; fills response, 200 at first, whose texts last until
	 * the next event. With 200 the body is the answer, or, to a re-INVITE without an offer, an
	 * offer, whose answer comes with confirmed. It never comes while an offer of ours is open:
	 * one that was made and had no other end is void then, and retry will follow. NULL:
	 * refused.
	 */
	void (*change)(void *arg, const struct sip_msg *request, struct sip_response *response);
	/* A 2xx to sip_invite_change(); ACK goes when this returns, as after answered. */
	void (*changed)(void *arg, const struct sip_msg *response);
	/* Any other end of sip_invite_change(): the session stays as it was. response is NULL if
	 * there was none. Where the standard ends the call (408, 481), ended comes in its place. */
	void (*unchanged)(void *arg, const struct sip_msg *response);
	/* What sip_invite_change() could not do yet, or was refused for a moment (491, glare,
	 * section 14.1; Retry-After of at most a minute), may be tried now, if it is still wanted.
	 * In the second case it comes in the place of unchanged. No offer of ours is open: one that
	 * was made in change could not be sent. */
	void (*retry)(void *arg);
	/* The last of all events, once. The state is SIP_INVITE_ENDED. */
	void (*ended)(void *arg, const struct sip_invite_end *end);
};

/* What our Contact in a call has. */
struct sip_contact {
	struct slice uri;  /* all of it; empty: */
	struct slice user; /* its user part, at the flow's local address; may be empty */
};

struct sip_invite_config {
	const struct sip_flow *flow;
	struct slice target;       /* Request-URI */
	struct slice to;           /* URI of To; empty: target */
	struct slice from_uri;     /* "sip:alice@192.0.2.1" */
	struct slice from_display; /* plain text, printed quoted; may be empty */
	struct sip_contact contact;
	struct slice routes;  /* whole Route lines, if it goes by a proxy of ours */
	struct slice headers; /* whole lines to be added, checked by sip_header_check() */
	struct slice trusted; /* the same, for hops of auth's own alone */
	/* What we make up here does not tell of our host, where it need not; and credentials, which
	 * have a name in them, go with the INVITE alone. */
	bool anonymous;
	const char *content_type;
	struct slice body;     /* empty: the far end makes the offer, in its 200 */
	struct sip_auth *auth; /* whose credentials its requests carry, or NULL */
	/* How often, at least, something goes its way while it lives, where it is agreed that this
	 * shall be so or a NAT shows (RFC 6223); 0: as is usual. unkept: never. */
	uint32_t keep_s;
	bool unkept;

	/* Of a call that was redirected (section 8.1.3.4), what is kept; empty and 0 at first. The
	 * number is that of the last INVITE: the new one counts on. */
	struct slice call_id;
	struct slice tag;
	uint32_t cseq;
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
	const struct sip_msg *msg, const struct sip_contact *contact,
	const struct sip_invite_events *events, void *arg);

/* Whose credentials requests of this call carry that we were called by. */
void sip_invite_authorize(struct sip_invite *invite, struct sip_auth *auth);

/* Sends 180 or another 1xx, and again each minute. Only while INCOMING. */
int sip_invite_ring(struct sip_invite *invite, uint16_t status);

/*
 * The same, 183 with our answer ahead, which sip_invite_accept() has to repeat (section 13.3.1.1):
 * what is sent from here on may be heard before it is answered. Only where they made an offer.
 */
int sip_invite_progress(struct sip_invite *invite, const char *content_type, struct slice body);

/* Sends 200 with the answer. Only while INCOMING; -ENOMEM, -EMSGSIZE: it still is, nothing was
 * sent. */
int sip_invite_accept(struct sip_invite *invite, const char *content_type, struct slice body);

/* Puts our answer into the ACK that is about to go; only during answered and changed. Copied. */
int sip_invite_answer(struct sip_invite *invite, const char *content_type, struct slice body);

/*
 * Offers to change the session by a re-INVITE; only while ACCEPTED or CONFIRMED. changed, unchanged
 * or ended tells how it went. -EAGAIN: not now, as the ACK is not here, another change is under way
 * from either side, or the far end asked for a pause; retry will tell when. -ENOMEM, -EMSGSIZE, or
 * what sending returns.
 */
int sip_invite_change(struct sip_invite *invite, const char *content_type, struct slice body);

/*
 * The addresses of this host have changed. Whether the far end is reached from another one by now:
 * then what is sent goes from there, with a Contact that says so, and local is it. Those who have
 * the old Contact learn of it by sip_invite_change(). Only once there is a dialog, which an INVITE
 * of ours has not that is not answered. False, too, without memory.
 */
bool sip_invite_reroute(struct addr *local, struct sip_invite *invite);

/* Sends 3xx..6xx; ended (LOCAL) comes before it returns. Only while INCOMING. */
void sip_invite_reject(struct sip_invite *invite, const struct sip_response *response);

/*
 * Ends it as its state asks: CANCEL, BYE, or 480 to a caller who is not answered. ended may come
 * before it returns, or when the far end has answered or has had its time. Harmless when it is
 * ending. reason_header: a whole Reason line (RFC 3326) to go with it, or empty.
 */
void sip_invite_hangup(struct sip_invite *invite, struct slice reason_header);

/* Whether that can be done now; if not, retry will tell when. Only while ACCEPTED or CONFIRMED. */
bool sip_invite_may_change(struct sip_invite *invite);

enum sip_invite_state sip_invite_state(const struct sip_invite *invite);

/* Good as long as the invite is. */
struct slice sip_invite_call_id(const struct sip_invite *invite);

/* Our tag, as long as the invite is there; the CSeq number of its INVITE. */
struct slice sip_invite_tag(const struct sip_invite *invite);
uint32_t sip_invite_cseq(const struct sip_invite *invite);

/*
 * Hangs up if it is not ending, and forgets its owner: no event comes any more, what it still owes
 * to the far end it does by itself (CANCEL for a late 180, ACK and BYE for a late 200), then it
 * goes, at the latest with the stack.
 */
void sip_invite_leave(struct sip_invite *invite);

/* NULL is allowed. */
void sip_invite_free(struct sip_invite *invite);
