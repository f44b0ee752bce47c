#include "core/base/log.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"

enum {
	ANSWERS_MAX = 32, /* forks of one INVITE that we end one by one */
	URI_SIZE = 2048,
	NAME_SIZE = 1024,
};

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
	struct sip_sent sent;

	if (invite->state == SIP_INVITE_CANCELLING) {
		if (invite->held)
			sip_caller_cancel(invite);
		return;
	}
	if (invite->state == SIP_INVITE_CALLING)
		sip_invite_become(invite, SIP_INVITE_PROCEEDING);
	sip_way_learn(invite, response);
	sent = sip_request_sent(invite->caller->request);
	sip_early_learn(invite, &sent, response);
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

/*
 * The 2xx that the call lives from. The owner hears of it before ACK goes, and may hang up, which
 * sends ACK first, or free the call. If the call was given up, 200 and CANCEL have crossed.
 */
static void take_answer(struct sip_invite *invite, struct sip_answer *answer,
	struct sip_dialog *dialog, const struct sip_msg *response)
{
	bool freed = false;

	sip_early_free_all(invite);
	invite->dialog = dialog;
	invite->unacked = answer;
	sip_way_learn(invite, response);
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
	sip_change_settle(invite);
}

/* Section 13.2.2.4: what we do not want of the forks, is acknowledged and ended. */
static void refuse_fork(struct sip_answer *answer, struct sip_dialog *dialog)
{
	sip_answer_send(answer);
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
	sip_answer_send(answer);
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

/* The dialog of a 2xx, which goes on where its early dialog has stopped. */
static int make_dialog(struct sip_dialog **out, const struct sip_caller *caller,
	const struct sip_sent *sent, const struct sip_msg *response)
{
	const struct sip_dialog *early =
		caller->invite ? sip_early_find(caller->invite, response->to.tag) : NULL;
	int err = sip_dialog_from_response(out, caller->stack, &caller->flow, sent, response);

	if (err)
		return err;
	if (early)
		sip_dialog_inherit(*out, early);
	sip_dialog_authorize(*out, caller->auth);
	return 0;
}

static void accepted(struct sip_caller *caller, const struct sip_msg *response)
{
	struct sip_answer *answer = find_answer(caller, response->to.tag);
	struct sip_sent sent = sip_request_sent(caller->request);
	struct sip_invite *invite = caller->invite;
	struct sip_dialog *dialog;
	int err;

	if (answer) {
		repeat_ack(caller, answer);
		return;
	}
	if (caller->answer_count == ANSWERS_MAX)
		return;
	err = make_dialog(&dialog, caller, &sent, response);
	if (err) {
		answer_failed(invite, err, response);
		return;
	}
	err = sip_answer_new(&answer, caller, dialog, sent.cseq);
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

/*
 * A challenge is answered, so the call begins anew: what was provisional is void. Who gave up does
 * not answer.
 */
static bool again(void *arg, uint32_t cseq)
{
	struct sip_caller *caller = arg;
	struct sip_invite *invite = caller->invite;

	if (!invite || invite->state == SIP_INVITE_CANCELLING)
		return false;
	if (invite->state == SIP_INVITE_PROCEEDING)
		sip_invite_become(invite, SIP_INVITE_CALLING);
	sip_early_free_all(invite);
	invite->cseq = cseq;
	return true;
}

/* Section 8.1.1.3, and To as section 8.1.1.2 wants it in a first request: without a tag. */
static void print_names(struct text *out, const struct sip_invite *invite,
	const struct sip_invite_config *config, struct slice to)
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
	sip_print_header_text(out, SIP_TO, "<%.*s>", (int)to.len, (const char *)to.data);
	sip_print_header(out, SIP_CALL_ID, invite->call_id);
	text_put(out, invite->contact);
	sip_print_header(out, SIP_ALLOW, slice_of(invite->stack->config.allow));
	sip_print_header(out, SIP_SUPPORTED, (struct slice){0}); /* no extension */
}

/* Into room, as a Request-URI, without what that may not have. -EINVAL, -EMSGSIZE. */
static int print_uri(struct slice *out, char room[static URI_SIZE], struct slice text)
{
	struct text target = text_in(room, URI_SIZE);
	struct sip_uri uri;

	if (sip_uri_parse(&uri, text, NULL))
		return -EINVAL;
	sip_uri_print(&target, &uri);
	*out = text_slice(&target);
	return target.cut ? -EMSGSIZE : 0;
}

static int send_invite(struct sip_invite *invite, const struct sip_invite_config *config)
{
	static const struct sip_request_events events = {receive, ended, again};
	struct text lines = sip_stack_scratch(invite->stack);
	struct sip_request_config request = {.method = SIP_INVITE, .cseq = invite->cseq};
	char target[URI_SIZE], to_room[URI_SIZE];
	struct slice to;
	int err;

	err = print_uri(&request.uri, target, config->target);
	if (err)
		return err;
	err = print_uri(&to, to_room, config->to.len > 0 ? config->to : config->target);
	if (err)
		return err;
	text_put(&lines, config->routes);
	print_names(&lines, invite, config, to);
	if (!invite->offered) /* of what we want the offer to be (section 13.2.1) */
		sip_print_header(&lines, SIP_ACCEPT, slice_of(invite->stack->config.accept));
	if (lines.cut)
		return -EMSGSIZE;
	request.headers = text_slice(&lines);
	request.more = config->headers;
	request.trusted = config->trusted;
	request.content_type = config->content_type;
	request.body = config->body;
	request.flow = &invite->flow;
	request.auth = config->auth;
	request.keeps = !config->unkept;
	return sip_request_send(
		&invite->caller->request, invite->stack, &request, &events, invite->caller);
}

/* What a redirected call keeps (section 8.1.3.4), or what a new one gets. */
static int make_invite(struct sip_invite **out, struct sip_stack *stack,
	const struct sip_invite_config *config, const struct sip_invite_events *events, void *arg)
{
	char id[SIP_TOKEN_SIZE + ADDR_TEXT_SIZE];
	struct text call_id = TEXT_IN(id);
	char token[SIP_TOKEN_SIZE];
	char host[ADDR_TEXT_SIZE];
	struct slice kept = config->call_id;
	struct slice tag = config->tag;

	if (kept.len == 0) {
		text_puts(&call_id, sip_token(token, stack->loop));
		if (!config->anonymous)
			text_printf(&call_id, "@%s", addr_print_host(host, &config->flow->local));
		kept = text_slice(&call_id);
	}
	if (tag.len == 0)
		tag = slice_of(sip_token(token, stack->loop));
	return sip_invite_new(out, stack, config->flow, kept, tag, &config->contact, events, arg);
}

int sip_invite_call(struct sip_invite **out, struct sip_stack *stack,
	const struct sip_invite_config *config, const struct sip_invite_events *events, void *arg)
{
	struct sip_invite *invite;
	int err;

	err = make_invite(&invite, stack, config, events, arg);
	if (err)
		return err;

	invite->state = SIP_INVITE_CALLING;
	invite->calls = true;
	/* A dialog's requests go through to the far end, and what answers for the password has the
	 * name of the account in it: a proxy takes it out only where it has asked. */
	invite->auth = config->anonymous ? NULL : config->auth;
	invite->cseq = config->cseq + 1;
	invite->offered = config->body.len > 0;
	invite->way.unkept = config->unkept;
	invite->way.every_s = config->keep_s;
	err = sip_caller_new(&invite->caller, invite);
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
