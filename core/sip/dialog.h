/*
 * Dialogs (RFC 3261, section 12): what two user agents keep in mind about each other, so that
 * requests between them find their way. Whoever makes one owns it. On the stack's thread.
 */
#pragma once

#include "core/sip/msg.h"
#include "core/sip/request.h"
#include "core/sip/server.h"

struct sip_dialog;

/* What a message carries; empty bytes: nothing. */
struct sip_body {
	const char *type; /* Content-Type */
	struct slice bytes;
};

/*
 * The dialog that a 101..299 to our INVITE makes (section 12.1.2), which we sent by flow.
 * Returns -EPROTO if it does not say how to reach its sender, -ENOMEM.
 */
int sip_dialog_from_response(struct sip_dialog **out, struct sip_stack *stack,
	const struct sip_flow *flow, const struct sip_sent *sent, const struct sip_msg *response);

/* The dialog of an INVITE that came by flow and gets that tag of ours (section 12.1.1). Same
 * errors. */
int sip_dialog_from_request(struct sip_dialog **out, struct sip_stack *stack,
	const struct sip_flow *flow, const struct sip_msg *request, const char *tag);

/*
 * For the dialog of a 2xx, which has its route set and target from that alone (section 13.2.2.4):
 * it counts on where the early dialog of the same fork has stopped.
 */
void sip_dialog_inherit(struct sip_dialog *dialog, const struct sip_dialog *early);

/*
 * The far end may be elsewhere from now on, as the Contact of a target refresh request or of a 2xx
 * to one says (sections 12.2.1.2 and 12.2.2): the next hop is located again, the route set stays.
 * Without a Contact nothing changes, and nothing does on error: -EPROTO if it is none that can be
 * called, -ENOMEM.
 */
int sip_dialog_refresh(struct sip_dialog *dialog, const struct sip_msg *msg);

/* The addresses of this host have changed: as sip_flow_reroute(). */
bool sip_dialog_reroute(struct sip_dialog *dialog);

/*
 * Whose credentials its requests carry. Within a dialog, who answers is the far end: unless that is
 * the account's server itself, a challenge to BYE, to anything in a call that came from there, or
 * in the name of a realm that has not asked before, may be its own and gets nothing.
 */
void sip_dialog_authorize(struct sip_dialog *dialog, struct sip_auth *auth);

/* NULL is allowed. */
void sip_dialog_free(struct sip_dialog *dialog);

struct sip_stack *sip_dialog_stack(const struct sip_dialog *dialog);
struct slice sip_dialog_remote_tag(const struct sip_dialog *dialog);

/* The way to the next hop; it may still change, while the name of that is looked up. */
const struct sip_flow *sip_dialog_flow(const struct sip_dialog *dialog);

/*
 * Whether a request, which has our tag and Call-ID, is good in this dialog (section 12.2.2).
 * -ENOENT if it is another's, -ERANGE if it comes too late.
 */
int sip_dialog_receive(struct sip_dialog *dialog, const struct sip_msg *request);

/* Sends a request within it (section 12.2.1.1). more: whole lines to be added. As
 * sip_request_send().
 */
int sip_dialog_send(struct sip_request **out, struct sip_dialog *dialog, enum sip_method method,
	struct slice more, const struct sip_request_events *events, void *arg);

/* The same for INVITE with an offer (section 14.1). */
int sip_dialog_offer(struct sip_request **out, struct sip_dialog *dialog, struct slice more,
	const struct sip_body *body, const struct sip_request_events *events, void *arg);

/* The CSeq number of the last request that was sent within it; that this one was used. */
uint32_t sip_dialog_local_seq(const struct sip_dialog *dialog);
void sip_dialog_count(struct sip_dialog *dialog, uint32_t cseq);

/* Prints the ACK for a 2xx to the INVITE with that CSeq number and those credentials (section
 * 13.2.2.4), as it goes by flow. */
void sip_dialog_print_ack(struct text *out, const struct sip_dialog *dialog,
	const struct sip_flow *flow, uint32_t cseq, struct slice credentials,
	const struct sip_body *body);
