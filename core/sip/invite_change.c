#include "core/base/log.h"
#include "core/sip/invite_private.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"

#include <assert.h>
#include <stdlib.h>

enum {
	PAUSE_STEP_MS = 10,    /* of the random pauses of section 14.1 */
	OWNER_STEPS_MIN = 210, /* 2.1 s to 4 s, if we own the Call-ID */
	OWNER_STEPS_MAX = 400,
	OTHER_STEPS_MAX = 200,  /* 0 s to 2 s, if not */
	RETRY_AFTER_MAX_S = 60, /* for longer nobody waits */
};

/* What Retry-After: 0 is taken for, or a far end that says it for ever would get them as fast as
 * the way allows. */
#define AT_ONCE_NS SIP_T1_NS

bool sip_change_is_busy(const struct sip_invite *invite)
{
	return invite->change || invite->changing || invite->unacked ||
	       !list_empty(&invite->accepts);
}

void sip_change_settle(struct sip_invite *invite)
{
	if (invite->wants_retry && invite->state == SIP_INVITE_CONFIRMED &&
		!sip_change_is_busy(invite) && !timer_running(&invite->pause))
		timer_start_in(&invite->pause, 0);
}

/* If the far end has been faster, its change is waited for, and settles the matter. */
void sip_change_retry(void *arg)
{
	struct sip_invite *invite = arg;

	if (sip_change_is_busy(invite))
		return;
	invite->wants_retry = false;
	invite->events->retry(invite->arg);
}

void sip_change_leave(struct sip_invite *invite)
{
	struct sip_caller *caller = invite->change;

	timer_stop(&invite->pause);
	invite->wants_retry = false;
	if (!caller)
		return;
	caller->invite = NULL;
	invite->change = NULL;
	timer_start_in(&caller->limit, SIP_64T1_NS);
}

static void pause_for(struct sip_invite *invite, uint64_t ns)
{
	invite->wants_retry = true;
	timer_start_in(&invite->pause, ns);
}

/* Section 14.1: who owns the Call-ID lets the other go first. */
static void pause_for_glare(struct sip_invite *invite)
{
	uint32_t min = invite->calls ? OWNER_STEPS_MIN : 0;
	uint32_t max = invite->calls ? OWNER_STEPS_MAX : OTHER_STEPS_MAX;
	uint32_t steps = min + loop_random_below(invite->stack->loop, max - min + 1);

	pause_for(invite, (uint64_t)steps * PAUSE_STEP_MS * NS_PER_MS);
}

static void tell_unchanged(struct sip_invite *invite, const struct sip_msg *response)
{
	bool freed = false;

	invite->freed = &freed;
	invite->events->unchanged(invite->arg, response);
	if (freed)
		return;
	invite->freed = NULL;
	sip_change_settle(invite);
}

/* Sections 12.2.1.2 and 14.1: 408 and 481 end the dialog; the others leave it as it was. */
static void refused(struct sip_invite *invite, const struct sip_msg *response)
{
	uint16_t status = response->status;
	uint64_t seconds;

	if (status == 408 || status == 481)
		sip_invite_abandon(invite, &(struct sip_invite_end){.cause = SIP_ENDED_REJECTED,
						   .status = status,
						   .reason = response->reason,
						   .msg = response});
	else if (status == 491)
		pause_for_glare(invite);
	else if ((status == 500 || status == 503) &&
		 sip_msg_retry_after(&seconds, response, RETRY_AFTER_MAX_S))
		pause_for(invite, seconds > 0 ? seconds * NS_PER_S : AT_ONCE_NS);
	else
		tell_unchanged(invite, response);
}

/* The answer of caller stays for the repetitions of this 2xx. */
static void take_answer(
	struct sip_invite *invite, struct sip_answer *answer, const struct sip_msg *response)
{
	bool freed = false;

	invite->unacked = answer;
	invite->freed = &freed;
	invite->events->changed(invite->arg, response);
	if (freed)
		return;
	invite->freed = NULL;
	sip_caller_flush(invite);
	sip_change_settle(invite);
}

/* Without memory for where the ACK has to go from now on, it is as if the 2xx had been lost. */
static void accepted(struct sip_caller *caller, const struct sip_msg *response)
{
	struct sip_answer *answer = container_of(caller->answers.next, struct sip_answer, link);
	struct sip_invite *invite = caller->invite;
	int err;

	if (!invite) {
		timer_stop(&caller->limit); /* from here on Timer M has its end */
		sip_answer_send(answer);
		return;
	}
	err = sip_dialog_refresh(invite->dialog, response);
	if (err == -EPROTO)
		log_warning("sip: no such Contact can be called; the old one stays");
	if (err != -ENOMEM)
		err = sip_answer_renew(answer, invite->dialog, &(struct sip_body){0});
	if (err) {
		log_warning("sip: cannot acknowledge an answer: %s", strerror(-err));
		return;
	}
	caller->invite = NULL;
	invite->change = NULL;
	take_answer(invite, answer, response);
}

static void receive(void *arg, const struct sip_msg *response)
{
	struct sip_caller *caller = arg;
	struct sip_invite *invite = caller->invite;

	if (response->status < 200)
		return;
	if (response->status < 300) {
		accepted(caller, response);
		return;
	}
	sip_caller_free(caller);
	if (invite)
		refused(invite, response);
}

/* Section 14.1, with section 8.1.3.1: no response is a 408, what cannot be sent a 503. */
static void ended(void *arg, int err, const struct fault *why)
{
	struct sip_caller *caller = arg;
	struct sip_invite *invite = caller->invite;

	(void)why;
	sip_caller_free(caller);
	if (invite && err == -ETIMEDOUT)
		sip_invite_abandon(
			invite, &(struct sip_invite_end){.cause = SIP_ENDED_TIMEOUT, .err = err});
	else if (invite)
		tell_unchanged(invite, NULL);
}

/* A challenge is answered: its ACK has to have another number. Without memory it is refused. */
static bool again(void *arg, uint32_t cseq)
{
	struct sip_caller *caller = arg;
	struct sip_answer *answer = container_of(caller->answers.next, struct sip_answer, link);

	if (!caller->invite)
		return false;
	answer->cseq = cseq;
	sip_dialog_count(caller->invite->dialog, cseq);
	return sip_answer_renew(answer, caller->invite->dialog, &(struct sip_body){0}) == 0;
}

/* Its ACK is ready before it goes, so that there is one, too, when the call is over. */
static int send_offer(struct sip_caller *caller, const struct sip_body *body)
{
	static const struct sip_request_events events = {receive, ended, again};
	struct sip_invite *invite = caller->invite;
	struct text lines;
	struct sip_answer *answer;
	int err;

	err = sip_answer_new(
		&answer, caller, invite->dialog, sip_dialog_local_seq(invite->dialog) + 1);
	if (err)
		return err;
	lines = sip_stack_scratch(invite->stack);
	text_put(&lines, invite->contact);
	sip_print_header(&lines, SIP_ALLOW, slice_of(invite->stack->config.allow));
	sip_print_header(&lines, SIP_SUPPORTED, (struct slice){0}); /* no extension */
	if (lines.cut)
		return -EMSGSIZE;
	return sip_dialog_offer(
		&caller->request, invite->dialog, text_slice(&lines), body, &events, caller);
}

bool sip_invite_may_change(struct sip_invite *invite)
{
	assert(invite->state == SIP_INVITE_CONFIRMED || invite->state == SIP_INVITE_ACCEPTED);

	if (!sip_change_is_busy(invite) && !timer_running(&invite->pause))
		return true;
	invite->wants_retry = true;
	return false;
}

int sip_invite_change(struct sip_invite *invite, const char *content_type, struct slice body)
{
	struct sip_caller *caller;
	int err;

	if (!sip_invite_may_change(invite))
		return -EAGAIN;
	err = sip_caller_new(&caller, invite);
	if (err)
		return err;
	err = send_offer(caller, &(struct sip_body){content_type, body});
	if (err) {
		sip_caller_free(caller);
		return err;
	}
	invite->wants_retry = false;
	invite->change = caller;
	return 0;
}
