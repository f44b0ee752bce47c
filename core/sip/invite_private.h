/*
 * What the files of sip_invite share: its state and common end in invite.c, what only the caller
 * does in invite_client.c, what only the called does in invite_server.c. On the stack's thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/table.h"
#include "core/sip/dialog.h"
#include "core/sip/invite.h"

struct sip_caller; /* what acknowledges every 2xx to an INVITE of ours, even when the call is over
		    */
struct sip_answer; /* one such 2xx and its ACK */

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
	struct slice contact; /* our Contact header, a whole line */
	char *text;
	struct sip_dialog *dialog; /* NULL: our INVITE is not answered */
	bool *freed;               /* set by sip_invite_free(), for who must know */

	/* How it will end once the far end has answered our CANCEL or BYE. */
	enum sip_invite_cause cause;
	char *reason; /* the line to go with that, or NULL */
	bool held;    /* that CANCEL or BYE waits until it may be sent */
	struct sip_request *bye;

	struct timer again; /* our 200 */
	uint64_t again_ns;
	struct timer limit; /* of the wait for its ACK, or for the answer to our CANCEL */

	struct sip_caller *caller;  /* NULL: we are the called, or nothing is pending */
	struct sip_answer *unacked; /* the answer whose ACK is about to go */

	struct sip_server *server; /* of the INVITE; NULL: we are the caller, or it is over */
	uint32_t invite_seq;       /* its CSeq number */
	char *reply_headers;       /* what each response that makes the dialog carries */
};

/* Makes one that nobody can find yet. Everything is copied. -ENOMEM, -EMSGSIZE. */
int sip_invite_new(struct sip_invite **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct slice call_id, struct slice tag, struct slice contact_user,
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

/* invite_client.c: the ACK that is due; CANCEL as soon as it may be; the end of the call. */
void sip_caller_flush(struct sip_invite *invite);
void sip_caller_cancel(struct sip_invite *invite);
void sip_caller_leave(struct sip_invite *invite);
void sip_caller_free(struct sip_caller *caller);
void sip_caller_free_all(struct sip_stack *stack);

/* invite_server.c: refuses with status; the called hangs up; the end of the call. */
void sip_called_refuse(struct sip_invite *invite, uint16_t status);
void sip_called_confirm(struct sip_invite *invite, const struct sip_msg *ack);
void sip_called_leave(struct sip_invite *invite);
