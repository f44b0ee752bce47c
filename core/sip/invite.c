#include "core/sip/invite.h"

#include "core/base/log.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

#define BIT(state) (1u << SIP_INVITE_##state)

void sip_invite_become(struct sip_invite *invite, enum sip_invite_state next)
{
	static const unsigned int allowed[] = {
		[SIP_INVITE_CALLING] =
			BIT(PROCEEDING) | BIT(CANCELLING) | BIT(CONFIRMED) | BIT(ENDED),
		/* back, when a challenge is answered */
		[SIP_INVITE_PROCEEDING] =
			BIT(CALLING) | BIT(CANCELLING) | BIT(CONFIRMED) | BIT(ENDED),
		[SIP_INVITE_CANCELLING] = BIT(ENDING) | BIT(ENDED),
		[SIP_INVITE_INCOMING] = BIT(ACCEPTED) | BIT(ENDED),
		[SIP_INVITE_ACCEPTED] = BIT(CONFIRMED) | BIT(ENDING) | BIT(ENDED),
		[SIP_INVITE_CONFIRMED] = BIT(ENDING) | BIT(ENDED),
		[SIP_INVITE_ENDING] = BIT(ENDED),
		[SIP_INVITE_ENDED] = 0,
	};

	assert(allowed[invite->state] & 1u << next);
	invite->state = next;
}

static struct slice put(struct text *text, struct slice bytes)
{
	struct slice copy = {(const uint8_t *)text->data + text->len, bytes.len};

	text_put(text, bytes);
	return copy;
}

int sip_invite_make_contact(struct sip_invite *invite, const struct sip_flow *flow)
{
	size_t size = invite->user.len + invite->contact_uri.len + 2 * ADDR_TEXT_SIZE;
	char *line = calloc(size, 1);
	struct text text;

	if (!line)
		return -ENOMEM;
	text = text_in(line, size);
	if (invite->contact_uri.len > 0 && addr_equal(&flow->local, &invite->flow.local))
		sip_print_header_text(&text, SIP_CONTACT, "<%.*s>", (int)invite->contact_uri.len,
			(const char *)invite->contact_uri.data);
	else
		sip_flow_print_contact(&text, flow, invite->user);
	if (text.cut) {
		free(line);
		return -EMSGSIZE;
	}
	free(invite->contact_line);
	invite->contact_line = line;
	invite->contact = text_slice(&text);
	return 0;
}

static int copy_names(struct sip_invite *invite, struct slice call_id, struct slice tag,
	const struct sip_contact *contact)
{
	size_t size = call_id.len + tag.len + contact->uri.len + contact->user.len + 1;
	struct text text;

	invite->text = calloc(size, 1);
	if (!invite->text)
		return -ENOMEM;

	text = text_in(invite->text, size);
	invite->call_id = put(&text, call_id);
	invite->tag = put(&text, tag);
	invite->user = put(&text, contact->user);
	invite->contact_uri = put(&text, contact->uri);
	return text.cut ? -EMSGSIZE : sip_invite_make_contact(invite, &invite->flow);
}

/*
 * The session is over with the BYE, not with its answer (section 15.1.1), which can hardly be
 * expected from who did not send an ACK (section 13.3.1.4) or does not know of the call.
 */
void sip_invite_abandon(struct sip_invite *invite, const struct sip_invite_end *end)
{
	if (sip_dialog_send(NULL, invite->dialog, SIP_BYE, (struct slice){0}, NULL, NULL))
		log_warning("sip: cannot say that a call has ended");
	sip_invite_end(invite, end);
}

static void end_with_cause(struct sip_invite *invite)
{
	sip_invite_end(invite, &(struct sip_invite_end){.cause = invite->cause});
}

/* The wait for the answer to our CANCEL is over (section 9.1). */
static void limit_reached(void *arg)
{
	end_with_cause(arg);
}

int sip_invite_new(struct sip_invite **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct slice call_id, struct slice tag, const struct sip_contact *contact,
	const struct sip_invite_events *events, void *arg)
{
	struct sip_invite *invite;
	int err;

	invite = calloc(1, sizeof(*invite));
	if (!invite)
		return -ENOMEM;

	list_init(&invite->link);
	list_init(&invite->leave.link);
	invite->stack = stack;
	invite->events = events;
	invite->arg = arg;
	invite->flow = *flow;
	list_init(&invite->earlies);
	list_init(&invite->accepts);
	timer_init(&invite->limit, stack->loop, limit_reached, invite);
	timer_init(&invite->pause, stack->loop, sip_change_retry, invite);
	err = copy_names(invite, call_id, tag, contact);
	if (err)
		goto out;
	*out = invite;
	invite = NULL;
out:
	sip_invite_free(invite);
	return err;
}

void sip_invite_publish(struct sip_invite *invite)
{
	struct sip_stack *stack = invite->stack;

	list_add(&stack->invites, &invite->link);
	table_add(&stack->invite_table, &invite->node,
		sip_stack_hash(stack, invite->call_id, invite->tag));
}

static void unpublish(struct sip_invite *invite)
{
	if (list_empty(&invite->link))
		return;
	list_remove(&invite->link);
	table_remove(&invite->stack->invite_table, &invite->node);
}

struct sip_invite *sip_invite_find(
	const struct sip_stack *stack, struct slice call_id, struct slice tag)
{
	for (struct table_node *node =
			table_find(&stack->invite_table, sip_stack_hash(stack, call_id, tag));
		node; node = table_find_next(node)) {
		struct sip_invite *invite = container_of(node, struct sip_invite, node);

		if (slice_equal(invite->call_id, call_id) && slice_equal(invite->tag, tag))
			return invite;
	}
	return NULL;
}

/* How the call goes to the far end. */
static const struct sip_flow *flow_of(const struct sip_invite *invite)
{
	return invite->dialog ? sip_dialog_flow(invite->dialog) : &invite->flow;
}

/* All or nothing: who says that he is elsewhere has to be. */
static int renew_contact(struct sip_invite *invite, const struct sip_flow *flow)
{
	char *line = invite->contact_line;
	struct slice old = invite->contact;
	int err;

	invite->contact_line = NULL;
	err = sip_invite_make_contact(invite, flow);
	if (!err)
		err = sip_called_renew(invite, old);
	if (!err) {
		free(line);
		return 0;
	}
	free(invite->contact_line);
	invite->contact_line = line;
	invite->contact = old;
	return err;
}

bool sip_invite_reroute(struct addr *local, struct sip_invite *invite)
{
	struct sip_flow flow;

	assert(invite->dialog);
	flow = *sip_dialog_flow(invite->dialog);
	if (!sip_flow_reroute(&flow) || renew_contact(invite, &flow) != 0)
		return false;

	(void)sip_dialog_reroute(invite->dialog);
	*local = flow.local;
	return true;
}

static bool leads_by(const struct sip_flow *flow, const struct sip_flow *by)
{
	return flow->transport == by->transport &&
	       (flow->connection == by->connection || addr_equal(&flow->remote, &by->remote));
}

bool sip_invite_uses(const struct sip_stack *stack, const struct sip_flow *flow)
{
	list_each(link, &stack->invites)
	{
		const struct sip_invite *invite = container_of(link, struct sip_invite, link);

		if (leads_by(&invite->flow, flow) || leads_by(flow_of(invite), flow))
			return true;
	}
	return false;
}

/* What is still on its way to the far end goes on without the call. */
void sip_invite_end(struct sip_invite *invite, const struct sip_invite_end *end)
{
	sip_invite_become(invite, SIP_INVITE_ENDED);
	timer_stop(&invite->limit);
	sip_way_leave(invite);
	list_remove(&invite->leave.link);
	unpublish(invite);
	sip_caller_flush(invite);
	sip_caller_leave(invite);
	sip_change_leave(invite);
	sip_called_leave(invite);
	sip_accept_free_all(invite);
	sip_early_free_all(invite);
	sip_request_orphan(invite->bye);
	invite->bye = NULL;
	invite->events->ended(invite->arg, end);
}

void sip_invite_keep_reason(struct sip_invite *invite, struct slice line)
{
	free(invite->reason);
	invite->reason = line.len > 0 ? slice_copy(line) : NULL;
}

struct slice sip_invite_reason(const struct sip_invite *invite)
{
	return invite->reason ? slice_of(invite->reason) : (struct slice){0};
}

/* Whatever it is: they know, or they know no such call (section 15.1.1). */
static void bye_answered(void *arg, const struct sip_msg *response)
{
	struct sip_invite *invite = arg;

	if (response->status >= 200)
		end_with_cause(invite);
}

static void bye_ended(void *arg, int err, const struct fault *why)
{
	(void)err;
	(void)why;
	end_with_cause(arg);
}

void sip_invite_bye(struct sip_invite *invite)
{
	static const struct sip_request_events events = {
		.response = bye_answered, .ended = bye_ended};

	timer_stop(&invite->limit);
	invite->held = false;
	sip_caller_flush(invite);
	sip_change_leave(invite);
	sip_accept_free_all(invite);
	if (invite->state != SIP_INVITE_ENDING)
		sip_invite_become(invite, SIP_INVITE_ENDING);
	if (sip_dialog_send(&invite->bye, invite->dialog, SIP_BYE, sip_invite_reason(invite),
		    &events, invite))
		end_with_cause(invite);
}

/*
 * Section 15: CANCEL before there is a dialog; BYE after, but not while our 200 has no ACK, for
 * that BYE might overtake the 200.
 */
void sip_invite_hangup(struct sip_invite *invite, struct slice reason_header)
{
	enum sip_invite_state state = invite->state;

	if (state == SIP_INVITE_CANCELLING || state == SIP_INVITE_ENDING ||
		state == SIP_INVITE_ENDED)
		return;

	invite->cause = SIP_ENDED_LOCAL;
	sip_invite_keep_reason(invite, reason_header);
	if (state == SIP_INVITE_INCOMING) {
		sip_called_refuse(invite, 480);
		sip_invite_end(
			invite, &(struct sip_invite_end){.cause = invite->cause, .status = 480});
	} else if (state == SIP_INVITE_ACCEPTED) {
		sip_invite_become(invite, SIP_INVITE_ENDING);
		invite->held = true;
	} else if (state == SIP_INVITE_CONFIRMED) {
		sip_invite_bye(invite);
	} else {
		sip_invite_become(invite, SIP_INVITE_CANCELLING);
		invite->held = true;
		if (state == SIP_INVITE_PROCEEDING)
			sip_caller_cancel(invite);
	}
}

static void left_ended(void *arg, const struct sip_invite_end *end)
{
	(void)end;
	sip_invite_free(arg);
}

void sip_invite_leave(struct sip_invite *invite)
{
	static const struct sip_invite_events nobody = {.ended = left_ended};

	invite->events = &nobody;
	invite->arg = invite;
	sip_invite_hangup(invite, (struct slice){0});
}

void sip_invite_free_all(struct sip_stack *stack)
{
	list_each(link, &stack->invites)
		sip_invite_free(container_of(link, struct sip_invite, link));
}

void sip_invite_authorize(struct sip_invite *invite, struct sip_auth *auth)
{
	invite->auth = auth;
	sip_dialog_authorize(invite->dialog, auth);
}

enum sip_invite_state sip_invite_state(const struct sip_invite *invite)
{
	return invite->state;
}

struct slice sip_invite_call_id(const struct sip_invite *invite)
{
	return invite->call_id;
}

struct slice sip_invite_tag(const struct sip_invite *invite)
{
	return invite->tag;
}

uint32_t sip_invite_cseq(const struct sip_invite *invite)
{
	return invite->cseq;
}

void sip_invite_free(struct sip_invite *invite)
{
	if (!invite)
		return;

	if (invite->freed)
		*invite->freed = true;
	timer_stop(&invite->limit);
	sip_way_leave(invite);
	list_remove(&invite->leave.link);
	unpublish(invite);
	sip_caller_free(invite->caller);
	sip_change_leave(invite);
	sip_called_leave(invite);
	sip_accept_free_all(invite);
	sip_early_free_all(invite);
	sip_request_free(invite->bye);
	sip_dialog_free(invite->dialog);
	free(invite->reason);
	free(invite->reply_headers);
	free(invite->contact_line);
	free(invite->text);
	free(invite);
}
