/*
 * What the files of sip_invite share. invite.c has its state and common end; invite_client.c is the
 * caller, with invite_early.c for forks that ring and invite_ack.c for those that answer;
 * invite_server.c is the called, with invite_accept.c for 200s that wait for their ACK;
 * invite_keep.c keeps our way to the far end open; invite_receive.c takes requests of the dialog,
 * and invite_change.c sends re-INVITE. On the stack's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/table.h"
#include "core/sip/dialog.h"
#include "core/sip/invite.h"
#include "core/sip/keep.h"

enum { SIP_EARLY_MAX = 32 }; /* forks of one INVITE that we tell apart */

/*
 * What acknowledges every 2xx to an INVITE of ours. It is in the stack's list, and outlives its
 * call as long as the INVITE's transaction may bring a 2xx.
 */
struct sip_caller {
	struct list link;
	struct sip_stack *stack;
	struct sip_invite *invite; /* NULL: it has ended, or has its answer to a re-INVITE */
	struct sip_flow flow;
	struct sip_request *request;
	struct list answers;
	size_t answer_count;
	struct timer limit; /* of the wait for a response to a re-INVITE, when the call is over */
	struct sip_auth *auth;
};

/* A 2xx, known by the tag of its sender. */
struct sip_answer {
	struct list link;
	const struct sip_caller *caller;
	struct sip_flow flow;
	uint32_t cseq;
	char *ack;
	size_t ack_len;
	struct sip_flow stream_flow;
	char *stream; /* what goes in its place once, if it is too long for a datagram; or NULL */
	size_t stream_len;
	struct slice tag; /* points into text */
	char text[];
};

/* The way of a call of ours as long as that lives: through NATs it would be forgotten. */
struct sip_way {
	bool unkept;      /* nothing is sent for this alone */
	bool natted;      /* there is a NAT on it */
	bool agreed;      /* they answer what keeps it open */
	uint32_t every_s; /* how often we want to, at least; 0: as is usual */
	uint32_t agreed_s;
	struct sip_keep *keep; /* NULL: there is no need */
	enum sip_keep_how how;
	struct sip_flow flow;
};

struct sip_invite {
	struct table_node node;
	struct list link;
	struct sip_stack *stack;
	const struct sip_invite_events *events;
	void *arg;
	enum sip_invite_state state;
	struct sip_flow flow; /* of the INVITE */
	struct slice call_id; /* points into text */
	struct slice tag;     /* ours */
	struct slice user;    /* of our Contact */
	struct slice
		contact_uri; /* of it, as long as we are where we were; empty: as the flow says */
	char *text;
	struct slice contact; /* our Contact header, a whole line: this */
	char *contact_line;
	uint32_t cseq;             /* number of the INVITE */
	struct sip_dialog *dialog; /* NULL: our INVITE is not answered */
	bool *freed;               /* set by sip_invite_free(), for who must know */

	/* How it will end once the far end has answered our CANCEL or BYE. */
	enum sip_invite_cause cause;
	char *reason; /* the line to go with that, or NULL */
	bool held;    /* that CANCEL or BYE waits until it may be sent */
	struct sip_request *bye;
	struct timer limit; /* of the wait for the answer to our CANCEL */

	struct sip_auth *auth; /* whose credentials our requests carry, or NULL */

	struct sip_way way;
	struct sip_keep_leave leave; /* in no list: who called us has not asked for it */

	bool calls;          /* the INVITE and the Call-ID are ours */
	bool offered;        /* our INVITE made an offer */
	struct list earlies; /* the early dialogs of our INVITE */
	size_t early_count;
	struct sip_caller *caller;  /* of our INVITE; NULL: we are the called, or it is over */
	struct sip_answer *unacked; /* the answer whose ACK is about to go */

	struct sip_server *server; /* of their INVITE, until it is answered */
	bool asked;                /* that INVITE made an offer */
	char *reply_headers;       /* what each response that makes the dialog carries */
	struct list accepts;       /* our 200s that have no ACK */

	/* How the session changes once it stands (section 14). */
	struct sip_caller *change; /* our re-INVITE, until its final response */
	bool changing;             /* the owner looks at a re-INVITE or UPDATE of theirs */
	bool wants_retry;
	struct timer pause; /* until retry */
};

/* Has our Contact be the one for who is reached by flow. -ENOMEM, with the old one as it was. */
int sip_invite_make_contact(struct sip_invite *invite, const struct sip_flow *flow);

/* invite_server.c: the new Contact in the place of the old one in what responses will carry; the
 * old one is still ours. -ENOMEM. */
int sip_called_renew(struct sip_invite *invite, struct slice old);

/* Makes one that nobody can find yet. Everything is copied. -ENOMEM, -EMSGSIZE. */
int sip_invite_new(struct sip_invite **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct slice call_id, struct slice tag, const struct sip_contact *contact,
	const struct sip_invite_events *events, void *arg);

/* For the stack: the end of those that have no owner any more. */
void sip_invite_free_all(struct sip_stack *stack);

/* From here on requests of its dialog find it. */
void sip_invite_publish(struct sip_invite *invite);

/* The one place where the state changes. */
void sip_invite_become(struct sip_invite *invite, enum sip_invite_state next);

/* Lets go of everything and tells the owner; invite may be gone when it returns. */
void sip_invite_end(struct sip_invite *invite, const struct sip_invite_end *end);

/* Remembers the Reason line; without memory it goes without. */
void sip_invite_keep_reason(struct sip_invite *invite, struct slice line);
struct slice sip_invite_reason(const struct sip_invite *invite);

/*
 * Sends BYE, and goes on to ENDING if it is not there yet; the end comes with the answer, or at
 * once if it cannot be sent: invite may be gone when it returns.
 */
void sip_invite_bye(struct sip_invite *invite);

/* For the stack: whom an in-dialog request is for; such a request; an ACK that no transaction ate.
 */
struct sip_invite *sip_invite_find(
	const struct sip_stack *stack, struct slice call_id, struct slice tag);
void sip_invite_receive(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg);
void sip_invite_ack(struct sip_invite *invite, const struct sip_msg *ack);

/* For the stack: whether a call came by the connection of flow, or its next request may go by it.
 */
bool sip_invite_uses(const struct sip_stack *stack, const struct sip_flow *flow);

/* Says that the call is over by a BYE whose answer nobody waits for, and ends it. */
void sip_invite_abandon(struct sip_invite *invite, const struct sip_invite_end *end);

/* invite_client.c: CANCEL as soon as it may be; the end of the call. */
void sip_caller_cancel(struct sip_invite *invite);
void sip_caller_leave(struct sip_invite *invite);

/*
 * invite_ack.c: a caller of its own; the ACK that is due; the ACK of a 2xx of dialog, or to be of
 * one; that again with another body. -ENOMEM, -EMSGSIZE, with everything as it was.
 */
int sip_caller_new(struct sip_caller **out, struct sip_invite *invite);
void sip_caller_free(struct sip_caller *caller);
void sip_caller_free_all(struct sip_stack *stack);
void sip_caller_flush(struct sip_invite *invite);
int sip_answer_new(struct sip_answer **out, struct sip_caller *caller,
	const struct sip_dialog *dialog, uint32_t cseq);
int sip_answer_renew(
	struct sip_answer *answer, const struct sip_dialog *dialog, const struct sip_body *body);
void sip_answer_send(struct sip_answer *answer);

/*
 * invite_change.c: our re-INVITE, as the call ends; whether no other may be sent, as one is open
 * in either direction; that this may be over.
 */
void sip_change_leave(struct sip_invite *invite);
bool sip_change_is_busy(const struct sip_invite *invite);
void sip_change_settle(struct sip_invite *invite);
void sip_change_retry(void *arg);

/*
 * invite_accept.c: answers an INVITE by a 2xx, which is repeated until its ACK; offers: the answer
 * comes with that. -ENOMEM, -EMSGSIZE, and nothing was sent. Whether an ACK with that CSeq number
 * was waited for; whether one is that has to bring an answer.
 */
int sip_accept_send(struct sip_invite *invite, struct sip_server *server,
	const struct sip_response *response, uint32_t cseq, bool offers);
bool sip_accept_ack(struct sip_invite *invite, uint32_t cseq);
bool sip_accept_offers(const struct sip_invite *invite);
void sip_accept_free_all(struct sip_invite *invite);

/*
 * invite_receive.c: whether a message brings an offer; an answer without more; BYE, and UPDATE in
 * the dialog of the call or in an early one.
 */
bool sip_invite_has_offer(const struct sip_stack *stack, const struct sip_msg *msg);
void sip_invite_respond(struct sip_server *server, uint16_t status);
void sip_invite_receive_bye(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg);
void sip_invite_update(struct sip_invite *invite, struct sip_dialog *dialog,
	struct sip_server *server, const struct sip_msg *msg);

/* invite_early.c: early dialogs (section 12.1.2). */
struct sip_dialog *sip_early_find(const struct sip_invite *invite, struct slice remote_tag);
void sip_early_learn(
	struct sip_invite *invite, const struct sip_sent *sent, const struct sip_msg *response);
void sip_early_receive(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg);
void sip_early_free_all(struct sip_invite *invite);

/*
 * invite_keep.c: what a response to our INVITE, and the dialog if there is one by then, say of our
 * way; what the INVITE of who called us asks about his; ours is not kept any more.
 */
void sip_way_learn(struct sip_invite *invite, const struct sip_msg *response);
void sip_way_allow(struct sip_invite *invite, const struct sip_msg *request);
void sip_way_leave(struct sip_invite *invite);

/* invite_server.c: refuses with status; the end of the call. */
void sip_called_refuse(struct sip_invite *invite, uint16_t status);
void sip_called_leave(struct sip_invite *invite);
