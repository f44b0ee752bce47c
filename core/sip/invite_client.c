#include "core/base/log.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <stdlib.h>

enum {
	ANSWERS_MAX = 32, /* forks of one INVITE that we end one by one */
	URI_SIZE = 2048,
	NAME_SIZE = 1024,
	FIRST_CSEQ = 1,
};

/* In the stack's list. It outlives its call as long as the INVITE's transaction may bring a 2xx. */
struct sip_caller {
	struct list link;
	struct sip_stack *stack;
	struct sip_invite *invite; /* NULL: it has ended */
	struct sip_flow flow;
	struct sip_request *request;
	struct list answers;
	size_t answer_count;
};

/* A 2xx, known by the tag of its sender. */
struct sip_answer {
	struct list link;
	struct sip_flow flow;
	struct slice tag; /* points into text, as does ack */
	struct slice ack;
	char text[];
};

void sip_caller_free(struct sip_caller *caller)
{
	if (!caller)
		return;

	if (caller->invite)
		caller->invite->caller = NULL;
	list_each(link, &caller->answers) free(container_of(link, struct sip_answer, link));
	list_remove(&caller->link);
	sip_request_free(caller->request);
	free(caller);
}

void sip_caller_free_all(struct sip_stack *stack)
{
	list_each(link, &stack->callers)
		sip_caller_free(container_of(link, struct sip_caller, link));
}

void sip_caller_leave(struct sip_invite *invite)
{
	struct sip_caller *caller = invite->caller;

	if (!caller)
		return;
	if (caller->answer_count == 0) {
		sip_caller_free(caller);
		return;
	}
	caller->invite = NULL;
	invite->caller = NULL;
}

/* Section 13.2.2.4: the same ACK for each repetition of a 2xx; an error is a loss like any. */
static void send_ack(const struct sip_answer *answer)
{
	sip_flow_send(&answer->flow, answer->ack);
}

void sip_caller_flush(struct sip_invite *invite)
{
	const struct sip_answer *answer = invite->unacked;

	invite->unacked = NULL;
	if (answer)
		send_ack(answer);
}

/* If it cannot be sent, the limit ends the call all the same. */
void sip_caller_cancel(struct sip_invite *invite)
{
	int err = sip_request_cancel(invite->caller->request, sip_invite_reason(invite));

	if (err)
		log_warning("sip: cannot send CANCEL: %s", strerror(-err));
	invite->held = false;
	timer_start_in(&invite->limit, SIP_64T1_NS); /* section 9.1 */
}

static void provisional(struct sip_invite *invite, const struct sip_msg *response)
{
	if (invite->state == SIP_INVITE_CANCELLING) {
		if (invite->held)
			sip_caller_cancel(invite);
		return;
	}
	if (invite->state == SIP_INVITE_CALLING)
		sip_invite_become(invite, SIP_INVITE_PROCEEDING);
	if (response->status > 100)
		invite->events->provisional(invite->arg, response);
}

/* A final response other than 2xx; to who gave up, whatever it is, it is what was wanted. */
static void rejected(struct sip_invite *invite, const struct sip_msg *response)
{
	bool wanted = invite->state == SIP_INVITE_CANCELLING;

	sip_invite_end(invite, &(struct sip_invite_end){
				       .cause = wanted ? invite->cause : SIP_ENDED_REJECTED,
				       .status = response->status,
				       .reason = response->reason,
				       .msg = response,
			       });
}

static struct sip_answer *find_answer(struct sip_caller *caller, struct slice tag)
{
	list_each(link, &caller->answers)
	{
		struct sip_answer *answer = container_of(link, struct sip_answer, link);

		if (slice_equal(answer->tag, tag))
			return answer;
	}
	return NULL;
}

/* -ENOMEM, -EMSGSIZE. */
static int add_answer(struct sip_answer **out, struct sip_caller *caller,
	const struct sip_dialog *dialog, uint32_t cseq)
{
	struct text text = sip_stack_scratch(caller->stack);
	struct slice tag = sip_dialog_remote_tag(dialog);
	struct sip_answer *answer;
	struct text copy;

	sip_dialog_print_ack(&text, dialog, cseq);
	if (text.cut)
		return -EMSGSIZE;
	answer = calloc(1, sizeof(*answer) + tag.len + text.len + 1);
	if (!answer)
		return -ENOMEM;

	copy = text_in(answer->text, tag.len + text.len + 1);
	text_put(&copy, tag);
	text_put(&copy, text_slice(&text));
	answer->tag = (struct slice){(const uint8_t *)copy.data, tag.len};
	answer->ack = (struct slice){(const uint8_t *)copy.data + tag.len, text.len};
	answer->flow = *sip_dialog_flow(dialog);
	list_add(&caller->answers, &answer->link);
	caller->answer_count++;
	*out = answer;
	return 0;
}

/*
 * The 2xx that the call lives from. The owner hears of it before ACK goes, and may hang up, which
 * sends ACK first, or free the call. If the call was given up, 200 and CANCEL have crossed.
 */
static void take_answer(struct sip_invite *invite, struct sip_answer *answer,
	struct sip_dialog *dialog, const struct sip_msg *response)
{
	bool freed = false;

	invite->dialog = dialog;
	invite->unacked = answer;
	if (invite->state == SIP_INVITE_CANCELLING) {
		sip_invite_bye(invite);
		return;
	}
	sip_invite_become(invite, SIP_INVITE_CONFIRMED);
	invite->freed = &freed;
	invite->events->answered(invite->arg, response);
	if (freed)
		return;
	invite->freed = NULL;
	sip_caller_flush(invite);
}

/* Section 13.2.2.4: what we do not want of the forks, is acknowledged and ended. */
static void refuse_fork(struct sip_answer *answer, struct sip_dialog *dialog)
{
	send_ack(answer);
	if (sip_dialog_send(NULL, dialog, SIP_BYE, (struct slice){0}, NULL, NULL))
		log_warning("sip: cannot end another fork of the call");
	sip_dialog_free(dialog);
}

/* The name of its next hop may have been found since. */
static void repeat_ack(struct sip_caller *caller, struct sip_answer *answer)
{
	struct sip_dialog *dialog = caller->invite ? caller->invite->dialog : NULL;

	if (dialog && slice_equal(sip_dialog_remote_tag(dialog), answer->tag))
		answer->flow = *sip_dialog_flow(dialog);
	send_ack(answer);
}

/* Without memory it is as if the 2xx had been lost: it will be repeated. */
static void answer_failed(struct sip_invite *invite, int err, const struct sip_msg *response)
{
	log_warning("sip: cannot acknowledge an answer: %s", strerror(-err));
	if (err != -ENOMEM && invite && !invite->dialog)
		sip_invite_end(
			invite, &(struct sip_invite_end){
					.cause = SIP_ENDED_ERROR, .err = err, .msg = response});
}

static void accepted(struct sip_caller *caller, const struct sip_msg *response)
{
	struct sip_answer *answer = find_answer(caller, response->to.tag);
	const struct sip_msg *request = sip_request_message(caller->request);
	struct sip_invite *invite = caller->invite;
	struct sip_dialog *dialog;
	int err;

	if (answer) {
		repeat_ack(caller, answer);
		return;
	}
	if (caller->answer_count == ANSWERS_MAX)
		return;
	err = sip_dialog_from_response(&dialog, caller->stack, &caller->flow, request, response);
	if (err) {
		answer_failed(invite, err, response);
		return;
	}
	err = add_answer(&answer, caller, dialog, request->cseq);
	if (err) {
		sip_dialog_free(dialog);
		answer_failed(invite, err, response);
		return;
	}
	if (invite && !invite->dialog)
		take_answer(invite, answer, dialog, response);
	else
		refuse_fork(answer, dialog);
}

static void receive(void *arg, const struct sip_msg *response)
{
	struct sip_caller *caller = arg;

	if (response->status < 200)
		provisional(caller->invite, response); /* there is one until a final response */
	else if (response->status < 300)
		accepted(caller, response);
	else
		rejected(caller->invite, response);
}

/* Why the INVITE has no answer: nobody did, it could not be sent, or we had no memory for it. */
static enum sip_invite_cause cause_of(int err)
{
	if (err == -ETIMEDOUT)
		return SIP_ENDED_TIMEOUT;
	return err == -ENOMEM || err == -EMSGSIZE ? SIP_ENDED_ERROR : SIP_ENDED_UNREACHABLE;
}

/* The transaction is over, after an answer by Timer M. */
static void ended(void *arg, int err, const struct fault *why)
{
	struct sip_caller *caller = arg;
	struct sip_invite *invite = caller->invite;
	struct sip_invite_end end = {.err = err ? err : -ENOMEM};

	(void)why;
	if (!invite || invite->dialog) {
		sip_caller_free(caller);
		return;
	}
	end.cause = cause_of(end.err);
	if (invite->state == SIP_INVITE_CANCELLING)
		end = (struct sip_invite_end){.cause = invite->cause};
	sip_invite_end(invite, &end);
}

static int new_caller(struct sip_invite *invite)
{
	struct sip_caller *caller = calloc(1, sizeof(*caller));

	if (!caller)
		return -ENOMEM;

	caller->stack = invite->stack;
	caller->invite = invite;
	caller->flow = invite->flow;
	list_init(&caller->answers);
	list_add(&invite->stack->callers, &caller->link);
	invite->caller = caller;
	return 0;
}

/* Section 8.1.1.3, and To as section 8.1.1.2 wants it in a first request: without a tag. */
static void print_names(struct text *out, const struct sip_invite *invite,
	const struct sip_invite_config *config, struct slice target)
{
	char room[NAME_SIZE];
	struct text display = TEXT_IN(room);

	if (config->from_display.len > 0) {
		sip_print_quoted(&display, config->from_display);
		text_putc(&display, ' ');
	}
	out->cut |= display.cut;
	sip_print_header_text(out, SIP_FROM, "%s<%.*s>;tag=%.*s", display.data,
		(int)config->from_uri.len, (const char *)config->from_uri.data,
		(int)invite->tag.len, (const char *)invite->tag.data);
	sip_print_header_text(out, SIP_TO, "<%.*s>", (int)target.len, (const char *)target.data);
	sip_print_header(out, SIP_CALL_ID, invite->call_id);
	text_put(out, invite->contact);
	sip_print_header(out, SIP_ALLOW, slice_of(invite->stack->config.allow));
}

static int send_invite(struct sip_invite *invite, const struct sip_invite_config *config)
{
	static const struct sip_request_events events = {.response = receive, .ended = ended};
	struct text lines = sip_stack_scratch(invite->stack);
	struct sip_request_config request = {.method = SIP_INVITE, .cseq = FIRST_CSEQ};
	char room[URI_SIZE];
	struct text target = TEXT_IN(room);
	struct sip_uri uri;

	if (sip_uri_parse(&uri, config->target, NULL))
		return -EINVAL;

	sip_uri_print(&target, &uri); /* without what a Request-URI may not have */
	print_names(&lines, invite, config, text_slice(&target));
	if (lines.cut || target.cut)
		return -EMSGSIZE;
	request.uri = text_slice(&target);
	request.headers = text_slice(&lines);
	request.more = config->headers;
	request.content_type = config->content_type;
	request.body = config->body;
	request.flow = &invite->flow;
	return sip_request_send(
		&invite->caller->request, invite->stack, &request, &events, invite->caller);
}

int sip_invite_call(struct sip_invite **out, struct sip_stack *stack,
	const struct sip_invite_config *config, const struct sip_invite_events *events, void *arg)
{
	char id[SIP_TOKEN_SIZE + ADDR_TEXT_SIZE];
	struct text call_id = TEXT_IN(id);
	char token[SIP_TOKEN_SIZE];
	char host[ADDR_TEXT_SIZE];
	struct sip_invite *invite;
	int err;

	text_printf(&call_id, "%s@%s", sip_token(token, stack->loop),
		addr_print_host(host, &config->flow->local));
	err = sip_invite_new(&invite, stack, config->flow, text_slice(&call_id),
		slice_of(sip_token(token, stack->loop)), config->contact_user, events, arg);
	if (err)
		return err;

	invite->state = SIP_INVITE_CALLING;
	err = new_caller(invite);
	if (err)
		goto out;
	err = send_invite(invite, config);
	if (err)
		goto out;
	sip_invite_publish(invite);
	*out = invite;
	invite = NULL;
out:
	sip_invite_free(invite);
	return err;
}
