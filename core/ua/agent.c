#include "core/ua/agent.h"

#include "core/base/list.h"
#include "core/base/log.h"
#include "core/sip/stack.h"
#include "core/ua/call.h"
#include "core/ua/target.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define METHODS "INVITE, ACK, BYE, CANCEL, OPTIONS"
#define BODIES "application/sdp"

struct agent {
	struct ua_config config;
	struct sip_stack *stack;
	struct call_list calls;
	bool listens_ipv4;
	bool listens_ipv6;
	agent_closed *closed; /* not NULL: closing */
	void *closed_arg;
};

static void take_invite(struct agent *agent, struct sip_server *server, const struct sip_msg *msg)
{
	struct policy_decision decision =
		policy_incoming(&agent->config.policy, agent->calls.live, agent->closed != NULL);

	call_in(&agent->calls, server, msg, &decision);
}

/* RFC 3261, section 11.2: as an INVITE would be answered; the stack adds what we can do. */
static void take_options(struct agent *agent, struct sip_server *server, const struct sip_msg *msg)
{
	struct policy_decision decision =
		policy_incoming(&agent->config.policy, agent->calls.live, agent->closed != NULL);
	struct sip_response response = {.status = 200};

	(void)msg;
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

static void trace_message(void *arg, bool sent, const struct addr *local, const struct addr *remote,
	struct slice bytes)
{
	struct agent *agent = arg;

	agent->config.trace(agent->config.arg, sent, local, remote, bytes);
}

static void check_closed(struct agent *agent)
{
	if (agent->closed && agent->calls.count == 0)
		agent->closed(agent->closed_arg);
}

static void call_gone(struct call_list *list)
{
	check_closed(container_of(list, struct agent, calls));
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
		.events = config->trace ? &traced : &quiet,
	};
	struct agent *agent;
	int err;

	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;

	agent->config = *config;
	stack.arg = agent;
	err = sip_stack_new(&agent->stack, &stack);
	if (err) {
		free(agent);
		return err;
	}
	agent->calls.config = &agent->config;
	agent->calls.stack = agent->stack;
	agent->calls.gone = call_gone;
	list_init(&agent->calls.calls);
	*out = agent;
	return 0;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;

	assert(list_empty(&agent->calls.calls));

	sip_stack_free(agent->stack);
	free(agent);
}

static int listen_on(struct addr *bound, struct agent *agent, const struct addr *local)
{
	int err;

	err = sip_stack_listen(bound, agent->stack, SIP_UDP, local);
	if (err)
		return err;

	if (local->family == ADDR_IPV4)
		agent->listens_ipv4 = true;
	else
		agent->listens_ipv6 = true;
	return 0;
}

int agent_listen(struct agent *agent, const struct addr *local, bool fallback, struct fault *why)
{
	struct ua_event event = {.kind = UA_LISTENING};
	struct addr at = *local;
	char text[ADDR_TEXT_SIZE];
	int err;

	err = listen_on(&event.listening.address, agent, &at);
	if (err == -EADDRINUSE && fallback) {
		at.port = 0;
		event.listening.fallback = true;
		err = listen_on(&event.listening.address, agent, &at);
	}
	if (err)
		return fault_set(why, err, "cannot listen on udp %s: %s",
			addr_print_port(text, local), strerror(-err));

	event.listening.transport = "udp";
	event.wall_ns = loop_wall(agent->config.loop);
	agent->config.event(agent->config.arg, &event);
	return 0;
}

/* A caller who listens nowhere needs a port of each family that there is, to hear answers. */
static void open_quietly(struct agent *agent)
{
	const struct addr ipv4 = {.family = ADDR_IPV4};
	const struct addr ipv6 = {.family = ADDR_IPV6};
	int err4 = 0, err6 = 0;

	if (!agent->listens_ipv4)
		err4 = listen_on(NULL, agent, &ipv4);
	if (!agent->listens_ipv6)
		err6 = listen_on(NULL, agent, &ipv6);
	if (err4 && err6)
		log_error("no UDP port can be opened: %s", strerror(-err4));
}

int agent_call(
	unsigned *out, struct agent *agent, const char *target, struct fault *why, size_t *at)
{
	struct target parsed;
	struct call *call;
	int err;

	assert(!agent->closed);

	err = target_parse(&parsed, slice_of(target), why, at);
	if (err)
		return err;

	open_quietly(agent);
	err = call_out(&call, &agent->calls, &parsed);
	if (err)
		return fault_set(why, err, "out of memory");

	*out = call_number(call);
	return 0;
}

int agent_check_target(const char *target, struct fault *why, size_t *at)
{
	struct target parsed;

	return target_parse(&parsed, slice_of(target), why, at);
}

int agent_hangup(struct agent *agent, unsigned number)
{
	list_each(link, &agent->calls.calls) if (call_number(call_of(link)) == number)
	{
		call_hangup(call_of(link));
		return 0;
	}
	return -ENOENT;
}

unsigned agent_calls(const struct agent *agent)
{
	return agent->calls.count;
}

/* A call leaves the list by a post, never within call_hangup(): the list stands still. */
void agent_close(struct agent *agent, agent_closed *closed, void *arg)
{
	assert(!agent->closed);

	agent->closed = closed;
	agent->closed_arg = arg;
	list_each(link, &agent->calls.calls) call_hangup(call_of(link));
	if (list_empty(&agent->calls.calls))
		check_closed(agent);
}
