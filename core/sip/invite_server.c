#include "core/base/log.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

/* Section 9.2. */
static void cancelled(void *arg, const struct sip_msg *cancel)
{
	struct sip_invite *invite = arg;

	sip_called_refuse(invite, 487);
	sip_invite_end(invite,
		&(struct sip_invite_end){.cause = SIP_ENDED_REMOTE, .status = 487, .msg = cancel});
}

static void gone(void *arg)
{
	struct sip_invite *invite = arg;

	invite->server = NULL;
}

/* What section 12.1.1 wants in each response that makes the dialog. -ENOMEM, -EMSGSIZE. */
static int prepare_reply(struct sip_invite *invite, const struct sip_msg *msg)
{
	struct text text = sip_stack_scratch(invite->stack);

	sip_print_copies(&text, msg, SIP_RECORD_ROUTE);
	text_put(&text, invite->contact);
	if (text.cut)
		return -EMSGSIZE;
	invite->reply_headers = slice_copy(text_slice(&text));
	return invite->reply_headers ? 0 : -ENOMEM;
}

/* It stands at their end. */
int sip_called_renew(struct sip_invite *invite, struct slice old)
{
	size_t before, size;
	struct text text;
	char *lines;

	if (!invite->reply_headers)
		return 0;

	before = strlen(invite->reply_headers) - old.len;
	size = before + invite->contact.len + 1;
	lines = calloc(size, 1);
	if (!lines)
		return -ENOMEM;
	text = text_in(lines, size);
	text_put(&text, (struct slice){(const uint8_t *)invite->reply_headers, before});
	text_put(&text, invite->contact);
	free(invite->reply_headers);
	invite->reply_headers = lines;
	return 0;
}

static int take(struct sip_invite **out, struct sip_stack *stack, struct sip_server *server,
	const struct sip_msg *msg, const struct sip_contact *contact,
	const struct sip_invite_events *events, void *arg)
{
	const char *tag = sip_server_tag(server);
	struct sip_invite *invite;
	struct sip_flow flow;
	int err;

	sip_server_flow(&flow, server);
	flow.sips = msg->uri.scheme == SIP_SCHEME_SIPS && sip_flow_is_secure(&flow);
	err = sip_invite_new(
		&invite, stack, &flow, msg->call_id, slice_of(tag), contact, events, arg);
	if (err)
		return err;

	invite->state = SIP_INVITE_INCOMING;
	invite->cseq = msg->cseq;
	invite->asked = sip_invite_has_offer(stack, msg);
	err = sip_dialog_from_request(&invite->dialog, stack, &flow, msg, tag);
	if (err)
		goto out;
	err = prepare_reply(invite, msg);
	if (err)
		goto out;
	sip_way_allow(invite, msg);
	sip_invite_publish(invite);
	*out = invite;
	invite = NULL;
out:
	sip_invite_free(invite);
	return err;
}

int sip_invite_take(struct sip_invite **out, struct sip_stack *stack, struct sip_server *server,
	const struct sip_msg *msg, const struct sip_contact *contact,
	const struct sip_invite_events *events, void *arg)
{
	static const struct sip_server_events server_events = {
		.cancelled = cancelled, .gone = gone};
	int err = take(out, stack, server, msg, contact, events, arg);

	if (err) {
		sip_server_respond(server, &(struct sip_response){.status = 500});
		return err;
	}
	(*out)->server = server;
	sip_server_watch(server, &server_events, *out);
	return 0;
}

int sip_invite_ring(struct sip_invite *invite, uint16_t status)
{
	assert(invite->state == SIP_INVITE_INCOMING && status > 100 && status < 200);
	return sip_server_respond(
		invite->server, &(struct sip_response){.status = status,
					.headers = slice_of(invite->reply_headers)});
}

int sip_invite_progress(struct sip_invite *invite, const char *content_type, struct slice body)
{
	assert(invite->state == SIP_INVITE_INCOMING && invite->asked);
	return sip_server_respond(
		invite->server, &(struct sip_response){
					.status = 183,
					.headers = slice_of(invite->reply_headers),
					.content_type = content_type,
					.body = body,
				});
}

int sip_invite_accept(struct sip_invite *invite, const char *content_type, struct slice body)
{
	int err;

	assert(invite->state == SIP_INVITE_INCOMING);
	err = sip_accept_send(invite, invite->server,
		&(struct sip_response){
			.status = 200,
			.headers = slice_of(invite->reply_headers),
			.content_type = content_type,
			.body = body,
		},
		invite->cseq, !invite->asked);
	if (err)
		return err;

	invite->server = NULL;
	sip_invite_become(invite, SIP_INVITE_ACCEPTED);
	return 0;
}

void sip_invite_reject(struct sip_invite *invite, const struct sip_response *response)
{
	assert(invite->state == SIP_INVITE_INCOMING && response->status >= 300);
	sip_server_respond(invite->server, response);
	sip_invite_end(invite,
		&(struct sip_invite_end){.cause = SIP_ENDED_LOCAL, .status = response->status});
}

void sip_called_refuse(struct sip_invite *invite, uint16_t status)
{
	sip_server_respond(invite->server,
		&(struct sip_response){.status = status, .headers = sip_invite_reason(invite)});
}

/* What is not answered is forgotten without a word; an answer is repeated without the call. */
void sip_called_leave(struct sip_invite *invite)
{
	struct sip_server *server = invite->server;

	if (!server)
		return;
	invite->server = NULL;
	sip_server_watch(server, NULL, NULL);
	if (!sip_server_is_answered(server))
		sip_server_discard(server);
}
