/*
 * What the files of a call share among each other, and with nobody else: call.c has its life,
 * call_out.c and call_in.c how it begins from either side.
 */
#pragma once

#include "core/media/media.h"
#include "core/sip/invite.h"
#include "core/sip/locate.h"
#include "core/ua/call.h"
#include "core/ua/negotiation.h"

enum call_state {
	CALL_LOCATING, /* outgoing: the far end's address is being looked up */
	CALL_CALLING,  /* outgoing: INVITE is out */
	CALL_MOVING,   /* outgoing: in vain; the next address is due once the sockets are closed */
	CALL_INCOMING, /* not answered yet */
	CALL_AGREEING, /* incoming: answered by an offer of ours; theirs to it comes with ACK */
	CALL_TALKING,
	CALL_ENDING,   /* SIP or media has not finished yet */
	CALL_FINISHED, /* all that is left is to tell so */
};

/* Why and how it ended; the first reason counts. */
struct call_end {
	enum ua_cause cause;
	uint16_t code;
	char *reason; /* NULL: the standard's for code */
	struct fault words;
};

struct call {
	struct list link;
	struct call_list *list;
	unsigned number;
	bool outgoing;
	enum call_state state;

	char *peer;
	char *display;
	char *call_id; /* empty before SIP has begun */
	uint16_t last_provisional;

	struct sip_locate *locate;
	struct sip_flow flows[SIP_LOCATE_MAX]; /* outgoing: all that may be tried */
	size_t flow_count;
	size_t flow_at;
	bool told; /* outgoing: UA_CALL_OUTGOING was emitted */
	struct sip_flow flow;
	struct sip_invite *invite; /* NULL: not begun, or over */
	struct media *media;       /* NULL: likewise */
	struct negotiation negotiation;
	struct media_params params; /* what was agreed on, from TALKING on; codec NULL before */
	char *recording;            /* path, or NULL */
	char *description;          /* incoming: what we will answer with */

	struct timer limit; /* of what the present state waits for */
	bool answered;
	uint64_t answered_ns; /* when, if it was */
	double talked_s;      /* from the answer to the end */
	uint64_t stats_ns;    /* when UA_CALL_STATS is due next */
	struct stream_report last;
	struct call_end end;
	struct post finish;
};

/* An empty call in list. NULL if there is no memory. */
struct call *call_new(
	struct call_list *list, enum call_state state, struct slice peer, struct slice display);

void call_change_state(struct call *call, enum call_state to);

/* A copy of text in *out. -ENOMEM. */
int call_keep(char **out, struct slice text);

/* Hands event to the readers with what is known of the call. */
void call_emit(struct call *call, struct ua_event *event);

/* Opens the sockets of its sound on the address by which the far end sees us. Words in why. */
int call_open_media(struct call *call, struct fault *why);

/* Tells once that it is called, and where if that is known. */
void call_tell_outgoing(struct call *call);

/*
 * Whether, where this address was in vain, another is tried; if so, the end of the INVITE is not
 * that of the call.
 */
bool call_move(struct call *call, const struct sip_invite_end *end);

/* The sockets of the last try are closed: calls the next address. */
void call_move_on(struct call *call);

/* What was agreed on starts to be heard. */
void call_talk(struct call *call);

/*
 * Ends it for this reason, unless it is ending already. words, if not NULL, may be words of the
 * call itself.
 */
void call_finish(struct call *call, enum ua_cause cause, uint16_t code, struct slice reason,
	const struct fault *words);

/* Ends it because something here failed. */
void call_fail(struct call *call, int err, const char *what);

/* Refuses an incoming call by response and ends it; words for our own reader, or NULL. */
void call_refuse(struct call *call, const struct sip_response *response, const struct fault *words);

/* Answers an incoming call. */
void call_accept(struct call *call);

/* Tells the end, once nothing of it goes on any more. */
void call_settle(struct call *call);

/* What happens to its INVITE; both sides share the last two. */
void call_provisional(void *arg, const struct sip_msg *response);
void call_answered(void *arg, const struct sip_msg *response);
void call_confirmed(void *arg, const struct sip_msg *ack);
void call_invite_ended(void *arg, const struct sip_invite_end *end);
