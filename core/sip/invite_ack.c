#include "core/sip/invite_private.h"
#include "core/sip/registry.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

/* The call is over, and a response to its re-INVITE will hardly come any more. */
static void limit_reached(void *arg)
{
	sip_caller_free(arg);
}

int sip_caller_new(struct sip_caller **out, struct sip_invite *invite)
{
	struct sip_caller *caller = calloc(1, sizeof(*caller));

	if (!caller)
		return -ENOMEM;

	caller->stack = invite->stack;
	caller->invite = invite;
	caller->flow = invite->flow;
	caller->auth = invite->auth;
	list_init(&caller->answers);
	timer_init(&caller->limit, invite->stack->loop, limit_reached, caller);
	list_add(&invite->stack->callers, &caller->link);
	*out = caller;
	return 0;
}

static void free_answer(struct sip_answer *answer)
{
	list_remove(&answer->link);
	free(answer->ack);
	free(answer->stream);
	free(answer);
}

void sip_caller_free(struct sip_caller *caller)
{
	struct sip_invite *invite;

	if (!caller)
		return;

	invite = caller->invite;
	if (invite && invite->caller == caller)
		invite->caller = NULL;
	if (invite && invite->change == caller)
		invite->change = NULL;
	timer_stop(&caller->limit);
	list_each(link, &caller->answers) free_answer(container_of(link, struct sip_answer, link));
	list_remove(&caller->link);
	sip_request_free(caller->request);
	free(caller);
}

void sip_caller_free_all(struct sip_stack *stack)
{
	list_each(link, &stack->callers)
		sip_caller_free(container_of(link, struct sip_caller, link));
}

/*
 * Section 13.2.2.4: the same ACK for each repetition of a 2xx; an error is a loss like any. One for
 * TCP goes that way at first; who repeats the 2xx all the same may take no TCP (section 18.1.1).
 */
void sip_answer_send(struct sip_answer *answer)
{
	char *stream = answer->stream;
	struct slice bytes = {(const uint8_t *)stream, answer->stream_len};
	bool sent;

	answer->stream = NULL;
	sent = stream && sip_flow_send(&answer->stream_flow, bytes) == 0;
	free(stream);
	if (!sent)
		sip_flow_send(&answer->flow,
			(struct slice){(const uint8_t *)answer->ack, answer->ack_len});
}

void sip_caller_flush(struct sip_invite *invite)
{
	struct sip_answer *answer = invite->unacked;

	invite->unacked = NULL;
	if (answer)
		sip_answer_send(answer);
}

/* Section 22.1: ACK cannot be asked for them, so it has those of the INVITE, if a dialog may. */
static struct slice credentials_of(const struct sip_caller *caller)
{
	return caller->auth ? sip_request_credentials(caller->request) : (struct slice){0};
}

/* -EMSGSIZE, -ENOMEM. */
static int print_ack(char **out, size_t *len, const struct sip_dialog *dialog,
	const struct sip_flow *flow, const struct sip_answer *answer, const struct sip_body *body)
{
	struct text text = sip_stack_scratch(sip_dialog_stack(dialog));

	sip_dialog_print_ack(
		&text, dialog, flow, answer->cseq, credentials_of(answer->caller), body);
	if (text.cut)
		return -EMSGSIZE;
	*out = slice_copy(text_slice(&text));
	*len = text.len;
	return *out ? 0 : -ENOMEM;
}

int sip_answer_renew(
	struct sip_answer *answer, const struct sip_dialog *dialog, const struct sip_body *body)
{
	const struct sip_flow *flow = sip_dialog_flow(dialog);
	struct sip_flow by;
	char *stream = NULL;
	size_t len, stream_len = 0;
	char *ack;
	int err;

	err = print_ack(&ack, &len, dialog, flow, answer, body);
	if (err)
		return err;
	if (sip_request_stream(&by, sip_dialog_stack(dialog), flow, len))
		err = print_ack(&stream, &stream_len, dialog, &by, answer, body);
	if (err) {
		free(ack);
		return err;
	}

	free(answer->ack);
	free(answer->stream);
	answer->ack = ack;
	answer->ack_len = len;
	answer->flow = *flow;
	answer->stream = stream;
	answer->stream_len = stream_len;
	if (stream)
		answer->stream_flow = by;
	return 0;
}

int sip_answer_new(struct sip_answer **out, struct sip_caller *caller,
	const struct sip_dialog *dialog, uint32_t cseq)
{
	struct slice tag = sip_dialog_remote_tag(dialog);
	struct sip_answer *answer = calloc(1, sizeof(*answer) + tag.len + 1);
	int err;

	if (!answer)
		return -ENOMEM;

	list_init(&answer->link);
	answer->caller = caller;
	answer->cseq = cseq;
	answer->tag = (struct slice){(const uint8_t *)answer->text, tag.len};
	if (tag.len > 0)
		memcpy(answer->text, tag.data, tag.len);
	err = sip_answer_renew(answer, dialog, &(struct sip_body){0});
	if (err) {
		free_answer(answer);
		return err;
	}
	list_add(&caller->answers, &answer->link);
	caller->answer_count++;
	*out = answer;
	return 0;
}

int sip_invite_answer(struct sip_invite *invite, const char *content_type, struct slice body)
{
	assert(invite->unacked);
	return sip_answer_renew(
		invite->unacked, invite->dialog, &(struct sip_body){content_type, body});
}
