#include "core/ua/reach.h"

#include "core/sip/transport.h"

static const struct addr nowhere = {.family = ADDR_NONE};

void reach_go(struct reach *reach, const struct sip_flow *flow)
{
	if (reach->transport == flow->transport && addr_equal(&reach->local, &flow->local))
		return;
	*reach = (struct reach){
		.fixed = reach->fixed, .transport = flow->transport, .local = flow->local};
}

/* Who does not write down what he sees, sees what we have said. */
void reach_learn(struct reach *reach, const struct sip_msg *response)
{
	const struct sip_via *via = &response->via;
	struct addr seen;

	if (addr_parse(&seen, via->received.len > 0 ? via->received : via->host) ||
		seen.family != reach->local.family || addr_is_any(&seen))
		return;
	seen.scope = reach->local.scope;
	seen.port = via->rport > 0 ? via->rport : reach->local.port;
	reach->seen = seen;
}

static bool is_reliable(const struct reach *reach)
{
	return reach->transport->carrier->reliable;
}

/* Where we should say that we are. */
static struct addr wanted(const struct reach *reach)
{
	const struct addr *seen = &reach->seen;

	if (seen->family == ADDR_NONE || reach->fixed)
		return reach->local;
	if (is_reliable(reach) && addr_same_host(seen, &reach->local))
		return reach->local;
	return *seen;
}

static struct addr said(const struct reach *reach)
{
	return reach->public.family == ADDR_NONE ? reach->local : reach->public;
}

bool reach_differs(const struct reach *reach)
{
	const struct addr is = said(reach), should = wanted(reach);

	return !addr_equal(&is, &should);
}

void reach_rewrite(struct reach *reach)
{
	const struct addr next = wanted(reach);

	reach->stale = said(reach);
	reach->public = addr_equal(&next, &reach->local) ? nowhere : next;
}

void reach_fix(struct reach *reach)
{
	reach->fixed = true;
	reach->public = nowhere;
	reach->stale = nowhere;
}

bool reach_is_natted(const struct reach *reach)
{
	const struct addr *seen = &reach->seen;

	if (seen->family == ADDR_NONE)
		return false;
	return !addr_same_host(seen, &reach->local) ||
	       (!is_reliable(reach) && seen->port != reach->local.port);
}

static void print_at(
	struct text *out, const struct addr *at, const struct sip_flow *flow, struct slice user)
{
	struct sip_flow from_there = *flow;

	if (at->family != ADDR_NONE)
		from_there.local = *at;
	sip_flow_print_uri(out, &from_there, user);
}

void reach_print(
	struct text *out, const struct reach *reach, const struct sip_flow *flow, struct slice user)
{
	print_at(out, &reach->public, flow, user);
}

void reach_print_stale(
	struct text *out, const struct reach *reach, const struct sip_flow *flow, struct slice user)
{
	print_at(out, &reach->stale, flow, user);
}
