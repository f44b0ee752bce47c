/* What another one can do, and how fast it says so: OPTIONS (RFC 3261, section 11). */
#include "core/base/list.h"
#include "core/sip/locate.h"
#include "core/sip/query.h"
#include "core/ua/account.h"
#include "core/ua/agent_private.h"
#include "core/ua/identity.h"
#include "core/ua/target.h"
#include "core/ua/way.h"

#include <errno.h>
#include <stdlib.h>

enum { ALLOW_SIZE = 512, ROUTES_SIZE = 4096 };

struct ping {
	struct list link;
	struct agent *agent;
	struct target target;
	struct account *account; /* the agent's, or NULL */
	bool by_account;         /* flows lead to a hop of its own */
	uint64_t call_id, tag;
	struct sip_locate *locate; /* NULL: it is located */
	struct sip_flow flows[SIP_LOCATE_MAX];
	size_t flow_at, flow_count;
	struct sip_request *request; /* NULL: none is out */
	uint64_t sent_ns;
	agent_pinged *done;
	void *arg;
};

static void ping_free(struct ping *ping)
{
	list_remove(&ping->link);
	sip_locate_cancel(ping->locate);
	sip_request_free(ping->request);
	free(ping);
}

/* The last that happens. Whoever is told finds it forgotten already. */
static void finish(struct ping *ping, struct agent_pong *pong)
{
	agent_pinged *done = ping->done;
	void *arg = ping->arg;

	if (ping->flow_count > 0) {
		pong->address = ping->flows[ping->flow_at].remote;
		pong->transport = way_of(&ping->flows[ping->flow_at]);
	} else {
		pong->transport = way_name(way_wanted(&ping->target.uri));
	}
	ping_free(ping);
	done(arg, pong);
}

static void fail(struct ping *ping, const char *words)
{
	finish(ping, &(struct agent_pong){.words = words});
}

/* A header may stand there several times (section 7.3.1); what has no room is left out. */
static void list_allow(struct text *out, const struct sip_msg *response)
{
	struct sip_cursor cursor = {0};
	struct slice method;

	while (sip_msg_next(&method, &cursor, response, SIP_ALLOW))
		text_printf(out, "%s%.*s", out->len > 0 ? ", " : "", (int)method.len,
			(const char *)method.data);
}

/* Answers have Server, by section 20.35; some far ends write User-Agent. */
static struct slice program_of(const struct sip_msg *response)
{
	const struct slice *name = sip_msg_header(response, SIP_SERVER);

	if (!name)
		name = sip_msg_header(response, SIP_USER_AGENT);
	return name ? *name : (struct slice){0};
}

static void tell_answer(struct ping *ping, const struct sip_msg *response)
{
	uint64_t took_ns = loop_now(ping->agent->config.loop) - ping->sent_ns;
	char room[ALLOW_SIZE];
	struct text allow = TEXT_IN(room);

	list_allow(&allow, response);
	finish(ping, &(struct agent_pong){
			     .code = response->status,
			     .reason = response->reason,
			     .rtt_ms = (double)took_ns / NS_PER_MS,
			     .user_agent = program_of(response),
			     .allow = text_slice(&allow),
		     });
}

static void tell_failure(struct ping *ping, int err)
{
	const struct sip_flow *flow = &ping->flows[ping->flow_at];
	char at[ADDR_TEXT_SIZE];
	struct fault words;

	if (err == -ETIMEDOUT)
		fault_set(&words, err, "nothing came back from %s",
			addr_print_port(at, &flow->remote));
	else
		way_fault(&words, flow, err);
	fail(ping, words.words);
}

static int ask(struct ping *ping);

/* RFC 3263, section 4.3: the next address has its turn. Returns whether there was one that took it.
 */
static bool ask_next(struct ping *ping)
{
	sip_request_free(ping->request);
	ping->request = NULL;
	while (ping->flow_at + 1 < ping->flow_count) {
		ping->flow_at++;
		if (ask(ping) == 0)
			return true;
	}
	return false;
}

static void answered(void *arg, const struct sip_msg *response)
{
	struct ping *ping = arg;

	if (response->status < 200)
		return;
	if (response->status != 503 || !ask_next(ping))
		tell_answer(ping, response);
}

static void ended(void *arg, int err, const struct fault *why)
{
	struct ping *ping = arg;

	(void)why; /* of what is located: nothing */
	if (!ask_next(ping))
		tell_failure(ping, err);
}

static int ask(struct ping *ping)
{
	static const struct sip_request_events events = {.response = answered, .ended = ended};
	const struct ua_config *config = &ping->agent->config;
	char room[ROUTES_SIZE];
	struct text routes = TEXT_IN(room);
	struct sip_query query = {
		.method = SIP_OPTIONS,
		.flow = &ping->flows[ping->flow_at],
		.target = slice_of(ping->target.text),
		.user = slice_of(config->user),
		.call_id = ping->call_id,
		.tag = ping->tag,
	};

	if (ping->account) {
		const struct ua_account *settings = account_settings(ping->account);

		account_print_routes(&routes, ping->account);
		query.user = slice_of(settings->user);
		query.from = slice_of(settings->aor);
		query.routes = text_slice(&routes);
		query.auth = account_auth(ping->account);
	}
	if (account_is_anonymous(ping->account, config->anonymous)) {
		query.user = slice_of("");
		query.from = slice_of(IDENTITY_ANONYMOUS_URI);
		query.anonymous = true;
	}
	ping->sent_ns = loop_now(config->loop);
	return sip_query_send(&ping->request, ping->agent->stack, &query, &events, ping);
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct ping *ping = arg;

	ping->locate = NULL;
	for (size_t i = 0; i < count && i < SIP_LOCATE_MAX; i++) {
		ping->flows[ping->flow_count++] = flows[i];
		if (ping->by_account)
			sip_auth_trust(account_auth(ping->account), &flows[i]);
	}
	if (err) {
		fail(ping, why->words);
		return;
	}
	err = ask(ping);
	if (err && !ask_next(ping))
		tell_failure(ping, err);
}

/* By the account's server, where calls would go by that. */
static int locate(struct ping *ping)
{
	const char *hop = ping->account ? account_hop(ping->account, &ping->target.uri) : NULL;
	struct sip_uri uri = ping->target.uri;

	ping->by_account = hop != NULL;
	if (hop && sip_uri_parse(&uri, slice_of(hop), NULL))
		return -EINVAL;
	uri.local = true;
	agent_need(ping->agent, way_wanted(&uri));
	return sip_locate(&ping->locate, ping->agent->stack, &uri, located, ping);
}

int agent_ping(struct agent *agent, const char *target, agent_pinged *done, void *arg,
	struct fault *why, size_t *at)
{
	struct target_home home;
	struct ping *ping;
	int err;

	if (agent->closing)
		return fault_set(why, -ESHUTDOWN, "the phone is being put down");

	ping = calloc(1, sizeof(*ping));
	if (!ping)
		return fault_set(why, -ENOMEM, "out of memory");

	list_init(&ping->link);
	ping->agent = agent;
	ping->done = done;
	ping->arg = arg;
	loop_random(agent->config.loop, &ping->call_id, sizeof(ping->call_id));
	loop_random(agent->config.loop, &ping->tag, sizeof(ping->tag));
	ping->account = account_first(&agent->accounts);
	err = target_parse_in(
		&ping->target, slice_of(target), agent_home(&home, ping->account), why, at);
	if (err)
		goto out;
	err = locate(ping);
	if (err) {
		fault_set(why, err, "out of memory");
		goto out;
	}
	list_add(&agent->pings, &ping->link);
	return 0;
out:
	ping_free(ping);
	return err;
}

void agent_ping_cancel(struct agent *agent, const void *arg)
{
	list_each(link, &agent->pings)
	{
		struct ping *ping = container_of(link, struct ping, link);

		if (ping->arg == arg)
			ping_free(ping);
	}
}

/* One after the other from the front, for who is told may cancel others. */
void agent_end_pings(struct agent *agent)
{
	while (!list_empty(&agent->pings))
		fail(container_of(agent->pings.next, struct ping, link),
			"the phone is being put down");
}
