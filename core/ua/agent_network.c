/*
 * The network that an agent is on: what its calls and accounts do when this host has other
 * addresses than before, or other routes.
 */
#include "core/ua/agent_private.h"

#include <errno.h>

/* Addresses of the documentation's networks (RFC 5737, RFC 3849): what would be sent there goes the
 * way of all that has no better one. Nothing is. */
static const struct addr anywhere[] = {
	{.family = ADDR_IPV4, .ip = {198, 51, 100, 1}, .port = 9},
	{.family = ADDR_IPV6, .ip = {0x20, 0x01, 0x0d, 0xb8}, .port = 9},
};

static bool holds(const struct addr *list, size_t count, const struct addr *one)
{
	for (size_t i = 0; i < count; i++)
		if (addr_same_host(&list[i], one))
			return true;
	return false;
}

static void look(struct agent_network *out, struct loop *loop)
{
	*out = (struct agent_network){0};
	out->count = loop_addresses(out->addresses, AGENT_ADDRESSES_MAX, loop);
	for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++)
		if (loop_route(&out->ways[i], loop, &anywhere[i]) != 0)
			out->ways[i] = (struct addr){.family = ADDR_NONE};
}

static bool is_same(const struct agent_network *a, const struct agent_network *b)
{
	for (size_t i = 0; i < AGENT_WAYS; i++)
		if (!addr_same_host(&a->ways[i], &b->ways[i]))
			return false;
	for (size_t i = 0; i < a->count; i++)
		if (!holds(b->addresses, b->count, &a->addresses[i]))
			return false;
	return a->count == b->count;
}

/* Those of a that b has not. */
static size_t without(
	struct addr *out, const struct agent_network *a, const struct agent_network *b)
{
	size_t count = 0;

	for (size_t i = 0; i < a->count; i++)
		if (!holds(b->addresses, b->count, &a->addresses[i]))
			out[count++] = a->addresses[i];
	return count;
}

static void tell(
	struct agent *agent, const struct agent_network *before, const struct agent_network *now)
{
	struct addr added[AGENT_ADDRESSES_MAX], removed[AGENT_ADDRESSES_MAX];
	struct ua_event event = {
		.kind = UA_NETWORK_CHANGED,
		.wall_ns = loop_wall(agent->config.loop),
		.network =
			{
				.addresses = now->addresses,
				.count = now->count,
				.added = added,
				.added_count = without(added, now, before),
				.removed = removed,
				.removed_count = without(removed, before, now),
			},
	};

	agent->config.event(agent->config.arg, &event);
}

/* Whoever is told may close the agent, or end calls: these leave later, the lists stand still. */
static void changed(void *arg)
{
	struct agent *agent = arg;
	struct agent_network before = agent->network;
	bool news;

	look(&agent->network, agent->config.loop);
	news = !is_same(&before, &agent->network);
	if (news && !agent->closing)
		tell(agent, &before, &agent->network);
	sip_stack_reroute(agent->stack);
	if (agent->closing)
		return;
	agent_reroute_accounts(agent, news && agent->network.count > 0);
	list_each(link, &agent->calls.calls) call_reroute(call_of(link));
}

int agent_watch_network(struct agent *agent)
{
	int err;

	look(&agent->network, agent->config.loop);
	err = loop_network_watch(&agent->network_watch, agent->config.loop, changed, agent);
	return err == -ENOMEM ? err : 0; /* else it goes on as if the network never changed */
}

void agent_unwatch_network(struct agent *agent)
{
	network_unwatch(agent->network_watch);
	agent->network_watch = NULL;
}
