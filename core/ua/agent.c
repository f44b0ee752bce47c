#include "core/ua/agent.h"

#include "core/base/list.h"
#include "core/ua/account.h"
#include "core/ua/agent_private.h"
#include "core/ua/dialplan.h"
#include "core/ua/identity.h"
#include "core/ua/target.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define METHODS "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"
#define BODIES "application/sdp"

/* How long an agent that closes waits for the ACK to a refusal, and how often it looks. */
#define CLOSE_NS (4 * NS_PER_S)
#define LINGER_NS (10 * NS_PER_MS)

static struct policy_decision decide(const struct agent *agent, const struct sip_msg *msg)
{
	const struct policy_state state = {
		agent->calls.live, agent->closing, identity_is_withheld(msg)};

	return policy_incoming(&agent->config.policy, &state);
}

/* A closing agent makes no call any more, not even one to be refused. */
static void take_invite(struct agent *agent, struct sip_server *server, const struct sip_msg *msg)
{
	if (agent->closing)
		sip_server_respond(
			server, &(struct sip_response){.status = decide(agent, msg).refuse_code});
	else
		call_in(&agent->calls, server, msg);
}

/* RFC 3261, section 11.2: as an INVITE would be answered; the stack adds what we can do. */
static void take_options(struct agent *agent, struct sip_server *server, const struct sip_msg *msg)
{
	struct policy_decision decision = decide(agent, msg);
	struct sip_response response = {.status = 200};

	if (decision.refuse_code >= 400)
		response.status = decision.refuse_code;
	sip_server_respond(server, &response);
}

static void take_request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	static const struct {
		enum sip_method method;
		void (*take)(
			struct agent *agent, struct sip_server *server, const struct sip_msg *msg);
	} methods[] = {
		{SIP_INVITE, take_invite},
		{SIP_OPTIONS, take_options},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].method == msg->method) {
			methods[i].take(arg, server, msg);
			return;
		}
	/* a BYE of no dialog, which a far end sends only by mistake */
	sip_server_respond(server, &(struct sip_response){.status = 481});
}

static void trace_message(void *arg, bool sent, enum sip_transport_kind kind,
	const struct addr *local, const struct addr *remote, struct slice bytes)
{
	struct agent *agent = arg;

	agent->config.trace(agent->config.arg, sent, kind, local, remote, bytes);
}

/*
 * Once. A refusal that is not acknowledged may be lost and is repeated as long as we are here, so
 * we stay a little.
 */
static void check_closed(void *arg)
{
	struct agent *agent = arg;
	uint64_t now = loop_now(agent->config.loop);

	if (!agent->closing || agent->closed || agent->calls.count > 0)
		return;
	if (agent_has_registrations(agent))
		return;

	if (sip_stack_owes(agent->stack) && now < agent->close_limit_ns) {
		timer_start(&agent->linger, now + LINGER_NS);
		return;
	}
	agent->closed = true;
	agent->on_closed(agent->closed_arg);
}

void agent_settle(struct agent *agent)
{
	check_closed(agent);
}

static void call_gone(struct call_list *list)
{
	check_closed(container_of(list, struct agent, calls));
}

static void call_needs(struct call_list *list, enum sip_transport_kind kind)
{
	agent_need(container_of(list, struct agent, calls), kind);
}

int agent_new(struct agent **out, const struct ua_config *config)
{
	static const struct sip_stack_events quiet = {.request = take_request};
	static const struct sip_stack_events traced = {take_request, trace_message};
	struct sip_stack_config stack = {
		.loop = config->loop,
		.user_agent = config->user_agent,
		.allow = METHODS,
		.accept = BODIES,
		.tls = config->tls,
		.events = config->trace ? &traced : &quiet,
	};
	struct agent *agent;
	int err;

	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;

	agent->config = *config;
	timer_init(&agent->linger, config->loop, check_closed, agent);
	timer_init(&agent->next_leave, config->loop, agent_leave, agent);
	stack.arg = agent;
	err = account_list_init(&agent->accounts);
	if (err)
		goto out;
	err = sip_stack_new(&agent->stack, &stack);
	if (err)
		goto out;
	err = agent_watch_network(agent);
	if (err)
		goto out;
	agent->calls.config = &agent->config;
	agent->calls.stack = agent->stack;
	agent->calls.accounts = &agent->accounts;
	agent->calls.gone = call_gone;
	agent->calls.need = call_needs;
	list_init(&agent->calls.calls);
	list_init(&agent->pings);
	*out = agent;
	return 0;
out:
	sip_stack_free(agent->stack);
	account_list_close(&agent->accounts);
	free(agent);
	return err;
}

void agent_configure(struct agent *agent, const struct ua_config *config)
{
	struct ua_config next = *config;

	next.loop = agent->config.loop;
	next.media_loop = agent->config.media_loop;
	next.event = agent->config.event;
	next.trace = agent->config.trace;
	next.arg = agent->config.arg;
	agent->config = next;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;

	assert(list_empty(&agent->calls.calls) && list_empty(&agent->pings));

	timer_stop(&agent->linger);
	timer_stop(&agent->next_leave);
	agent_unwatch_network(agent);
	list_each(link, &agent->accounts.all) account_silence(account_of(link));
	sip_stack_free(agent->stack);
	account_list_close(&agent->accounts);
	free(agent);
}

/* A person talks with one at a time. Those that have no answer yet are of no concern. */
static void hold_others(struct agent *agent, const struct call *but)
{
	if (!agent->config.policy.hold_others)
		return;

	list_each(link, &agent->calls.calls) if (call_of(link) != but)
	{
		(void)call_hold(call_of(link), true);
	}
}

const struct target_home *agent_home(struct target_home *out, const struct account *account)
{
	if (!account)
		return NULL;
	*out = (struct target_home){account_domain(account), account_settings(account)->dial};
	return out;
}

/* It goes its way: whoever it is routed to can only be told by a person where help is needed. */
static void warn_of_emergency(
	struct agent *agent, const struct target *target, const struct dialplan *plan)
{
	struct slice number = target_number(target);
	struct ua_event event = {.kind = UA_NOTICE, .wall_ns = loop_wall(agent->config.loop)};
	struct fault words;

	if (!dialplan_is_emergency(plan, number))
		return;
	fault_set(&words, 0,
		"%.*s is an emergency number, and this is no telephone for that: nobody is told "
		"where you are; if it fails, use another",
		(int)number.len, (const char *)number.data);
	event.notice.words = words.words;
	agent->config.event(agent->config.arg, &event);
}

int agent_dial(struct text *out, const char **rule, struct agent *agent, const char *typed,
	struct fault *why, size_t *at)
{
	struct target_home home;
	struct target target;
	int err = target_parse_in(&target, slice_of(typed),
		agent_home(&home, account_first(&agent->accounts)), why, at);

	if (err)
		return err;
	text_puts(out, target.text);
	*rule = target.rule;
	return 0;
}

int agent_call(
	unsigned *out, struct agent *agent, const char *target, struct fault *why, size_t *at)
{
	struct account *account = account_first(&agent->accounts);
	struct target_home home;
	struct target parsed;
	struct call *call;
	int err;

	if (agent->closing)
		return fault_set(why, -ESHUTDOWN, "the phone is being put down");

	err = target_parse_in(&parsed, slice_of(target), agent_home(&home, account), why, at);
	if (err)
		return err;

	warn_of_emergency(agent, &parsed, account ? home.dial : NULL);
	err = call_out(&call, &agent->calls, &parsed);
	if (err)
		return fault_set(why, err, "out of memory");

	*out = call_number(call);
	hold_others(agent, call);
	return 0;
}

int agent_check_target(const char *target, bool account, struct fault *why, size_t *at)
{
	const struct target_home home = {.domain = slice_of("localhost")};
	struct target parsed;

	return target_parse_in(&parsed, slice_of(target), account ? &home : NULL, why, at);
}

bool agent_is_number(struct slice target)
{
	char room[DIALPLAN_NUMBER_MAX + 1];
	struct text number = TEXT_IN(room);

	return slice_starts_nocase(target, "tel:") || dialplan_read(&number, target);
}

/* NULL if there is no such call. */
static struct call *find(struct agent *agent, unsigned number)
{
	list_each(link, &agent->calls.calls) if (call_number(call_of(link)) == number)
	{
		return call_of(link);
	}
	return NULL;
}

int agent_hangup(struct agent *agent, unsigned number)
{
	struct call *call = find(agent, number);

	if (!call)
		return -ENOENT;

	call_hangup(call);
	return 0;
}

int agent_answer(struct agent *agent, unsigned number)
{
	struct call *call = find(agent, number);
	int err;

	if (!call)
		return -ENOENT;

	err = call_answer(call);
	if (!err)
		hold_others(agent, call);
	return err;
}

int agent_reject(struct agent *agent, unsigned number, uint16_t code)
{
	struct call *call = find(agent, number);

	return call ? call_reject(call, code) : -ENOENT;
}

int agent_hold(struct agent *agent, unsigned number)
{
	struct call *call = find(agent, number);

	return call ? call_hold(call, true) : -ENOENT;
}

int agent_resume(struct agent *agent, unsigned number)
{
	struct call *call = find(agent, number);

	return call ? call_hold(call, false) : -ENOENT;
}

int agent_codec(struct agent *agent, unsigned number, const struct codec *codec)
{
	struct call *call = find(agent, number);

	return call ? call_turn(call, codec) : -ENOENT;
}

int agent_mute(struct agent *agent, unsigned number, bool muted)
{
	struct call *call = find(agent, number);

	return call ? call_mute(call, muted) : -ENOENT;
}

int agent_volume(struct agent *agent, unsigned number, double mic_db, double speaker_db)
{
	struct call *call = find(agent, number);

	return call ? call_volume(call, mic_db, speaker_db) : -ENOENT;
}

int agent_play(struct agent *agent, unsigned number, const char *source)
{
	struct call *call = find(agent, number);

	return call ? call_play(call, source) : -ENOENT;
}

int agent_record(struct agent *agent, unsigned number, const char *pattern, struct fault *why)
{
	struct call *call = find(agent, number);

	if (!call)
		return fault_set(why, -ENOENT, "there is no call %u", number);
	return call_record(call, pattern, why);
}

int agent_listen_in(struct agent *agent, unsigned number, const double *tones_hz, size_t count)
{
	struct call *call = find(agent, number);

	return call ? call_listen_in(call, tones_hz, count) : -ENOENT;
}

unsigned agent_calls(const struct agent *agent)
{
	return agent->calls.count;
}

/* A call leaves the list by a post, never within call_hangup(): the list stands still. */
void agent_close(struct agent *agent, agent_closed *closed, void *arg)
{
	assert(!agent->closing);

	agent->closing = true;
	agent->close_limit_ns = loop_now(agent->config.loop) + CLOSE_NS;
	agent->on_closed = closed;
	agent->closed_arg = arg;
	list_each(link, &agent->calls.calls) call_hangup(call_of(link));
	agent_end_pings(agent);
	agent_end_accounts(agent);
	check_closed(agent);
}
