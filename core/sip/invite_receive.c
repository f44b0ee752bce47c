#include "core/sip/body.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"

#include <stdlib.h>

bool sip_invite_has_offer(const struct sip_stack *stack, const struct sip_msg *msg)
{
	struct slice offer;

	return sip_body_find(&offer, msg, stack->config.accept) && offer.len > 0;
}

void sip_invite_respond(struct sip_server *server, uint16_t status)
{
	sip_server_respond(server, &(struct sip_response){.status = status});
}

/* Sections 14.2 and RFC 3311, section 5.2: 500, to be tried again within 0 to 10 s. */
static void respond_soon(const struct sip_invite *invite, struct sip_server *server)
{
	char line[64];
	struct text text = TEXT_IN(line);

	sip_print_header_text(&text, SIP_RETRY_AFTER, "%u",
		(unsigned int)loop_random_below(invite->stack->loop, 11));
	sip_server_respond(
		server, &(struct sip_response){.status = 500, .headers = text_slice(&text)});
}

/*
 * The far end hung up. That may cross what we are about; who hung up first here is what we say. An
 * INVITE that waits for our answer gets 487 (section 15.1.2).
 */
void sip_invite_receive_bye(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg)
{
	struct sip_invite_end end = {.cause = SIP_ENDED_REMOTE, .msg = msg};

	sip_invite_respond(server, 200);
	if (invite->state == SIP_INVITE_ENDING || invite->state == SIP_INVITE_CANCELLING)
		end = (struct sip_invite_end){.cause = invite->cause};
	if (invite->state == SIP_INVITE_INCOMING) {
		end.status = 487;
		sip_called_refuse(invite, end.status);
	}
	sip_invite_end(invite, &end);
}

/* What the owner's response carries, behind our Contact (table 2 wants that in each of these). */
static char *headers_of(const struct sip_invite *invite, const struct sip_response *response)
{
	size_t size = invite->contact.len + response->headers.len + 1;
	char *lines = calloc(size, 1);
	struct text text;

	if (!lines)
		return NULL;
	text = text_in(lines, size);
	text_put(&text, invite->contact);
	text_put(&text, response->headers);
	return lines;
}

/* -EPROTO, -ENOMEM, -EMSGSIZE: it is not answered. */
static int accept_change(struct sip_invite *invite, struct sip_dialog *dialog,
	struct sip_server *server, const struct sip_msg *msg, const struct sip_response *response)
{
	struct sip_response full = *response;
	char *lines;
	int err;

	err = sip_dialog_refresh(dialog, msg);
	if (err)
		return err;
	lines = headers_of(invite, response);
	if (!lines)
		return -ENOMEM;

	full.headers = slice_of(lines);
	if (msg->method == SIP_INVITE)
		err = sip_accept_send(invite, server, &full, msg->cseq,
			!sip_invite_has_offer(invite->stack, msg));
	else
		err = sip_server_try(server, &full);
	free(lines);
	return err;
}

static void answer_change(struct sip_invite *invite, struct sip_dialog *dialog,
	struct sip_server *server, const struct sip_msg *msg, const struct sip_response *response)
{
	int err;

	if (response->status >= 300) {
		sip_server_respond(server, response);
		return;
	}
	err = accept_change(invite, dialog, server, msg, response);
	if (err) {
		sip_invite_respond(server, err == -EPROTO ? 400 : 500);
		invite->wants_retry = true; /* an offer that was in it is void */
	}
}

/* The owner decides, and may end or free the call meanwhile. */
static void ask_owner(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg)
{
	struct sip_response response = {.status = 200};
	bool freed = false;

	invite->changing = true;
	invite->freed = &freed;
	invite->events->change(invite->arg, msg, &response);
	if (freed) {
		sip_invite_respond(server, 481);
		return;
	}
	invite->freed = NULL;
	invite->changing = false;
	if (invite->state != SIP_INVITE_CONFIRMED && invite->state != SIP_INVITE_ACCEPTED) {
		sip_invite_respond(server, 481);
		return;
	}
	answer_change(invite, invite->dialog, server, msg, &response);
	sip_change_settle(invite);
}

/* An offer of ours has no answer, so that another one would cross it. */
static bool offer_is_open(const struct sip_invite *invite)
{
	return invite->change || sip_accept_offers(invite) || (!invite->dialog && invite->offered);
}

/*
 * Section 14.2. It may come before the ACK to our 200, which was lost or overtaken; it is good then
 * if that ACK brings nothing (RFC 5407, sections 3.1.4 and 3.1.5).
 */
static void receive_reinvite(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg)
{
	if (invite->state == SIP_INVITE_INCOMING)
		respond_soon(invite, server);
	else if (offer_is_open(invite))
		sip_invite_respond(server, 491);
	else if (!invite->events->change)
		sip_invite_respond(server, 488);
	else
		ask_owner(invite, server, msg);
}

/* RFC 3311, section 5.2. Without an offer it tells us of a new target at most. */
void sip_invite_update(struct sip_invite *invite, struct sip_dialog *dialog,
	struct sip_server *server, const struct sip_msg *msg)
{
	if (!sip_invite_has_offer(invite->stack, msg))
		answer_change(invite, dialog, server, msg, &(struct sip_response){.status = 200});
	else if (offer_is_open(invite))
		sip_invite_respond(server, 491);
	else if (invite->state == SIP_INVITE_INCOMING || !invite->dialog)
		respond_soon(invite, server);
	else if (!invite->events->change)
		sip_invite_respond(server, 488);
	else
		ask_owner(invite, server, msg);
}

/* Section 12.2.2. */
void sip_invite_receive(
	struct sip_invite *invite, struct sip_server *server, const struct sip_msg *msg)
{
	int err;

	if (!invite->dialog) {
		sip_early_receive(invite, server, msg);
		return;
	}
	err = sip_dialog_receive(invite->dialog, msg);
	if (err)
		sip_invite_respond(server, err == -ENOENT ? 481 : 500);
	else if (msg->method == SIP_BYE)
		sip_invite_receive_bye(invite, server, msg);
	else if (invite->state == SIP_INVITE_ENDING)
		sip_invite_respond(server, 481);
	else if (msg->method == SIP_INVITE)
		receive_reinvite(invite, server, msg);
	else if (msg->method == SIP_UPDATE)
		sip_invite_update(invite, invite->dialog, server, msg);
	else
		sip_invite_respond(server, msg->method == SIP_OPTIONS ? 200 : 501);
}

static void confirm(struct sip_invite *invite, const struct sip_msg *ack)
{
	bool freed = false;

	if (invite->state == SIP_INVITE_ACCEPTED && ack->cseq == invite->cseq)
		sip_invite_become(invite, SIP_INVITE_CONFIRMED);
	invite->freed = &freed;
	invite->events->confirmed(invite->arg, ack);
	if (freed)
		return;
	invite->freed = NULL;
	sip_change_settle(invite);
}

void sip_invite_ack(struct sip_invite *invite, const struct sip_msg *ack)
{
	if (!invite->dialog || !slice_equal(sip_dialog_remote_tag(invite->dialog), ack->from.tag) ||
		!sip_accept_ack(invite, ack->cseq))
		return;

	if (invite->state != SIP_INVITE_ENDING)
		confirm(invite, ack);
	else if (ack->cseq == invite->cseq)
		sip_invite_bye(invite);
}
