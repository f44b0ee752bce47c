#include "core/ua/reach.h"

#include "core/sip/transport.h"

static const struct addr nowhere = {.family = ADDR_NONE};

bool reach_is_by(const struct reach *reach, const struct sip_flow *flow)
{
	return reach->way.transport == flow->transport &&
	       addr_equal(&reach->way.local, &flow->local);
}

void reach_go(struct reach *reach, const struct sip_flow *flow)
{
	if (!reach_is_by(reach, flow))
		*reach = (struct reach){.fixed = reach->fixed, .way = *flow};
}

bool reach_see(struct reach *reach, const struct addr *seen)
{
	if (seen->family != reach->way.local.family || addr_is_any(seen) || seen->port == 0)
		return false;

	reach->seen = *seen;
	reach->seen.scope = reach->way.local.scope; /* which nobody else knows */
	return true;
}

/* Who does not write down what he sees, sees what we have said. */
void reach_learn(struct reach *reach, const struct sip_msg *response)
{
	const struct sip_via *via = &response->via;
	struct addr seen;

	if (addr_parse(&seen, via->received.len > 0 ? via->received : via->host))
		return;
	seen.port = via->rport > 0 ? via->rport : reach->way.local.port;
	(void)reach_see(reach, &seen);
}

static bool is_reliable(const struct reach *reach)
{
	return sip_flow_is_reliable(&reach->way);
}

/* Where we should say that we are. */
static struct addr wanted(const struct reach *reach)
{
	const struct addr *seen = &reach->seen;

	if (seen->family == ADDR_NONE || reach->fixed)
		return reach->way.local;
	if (is_reliable(reach) && addr_same_host(seen, &reach->way.local))
		return reach->way.local;
	return *seen;
}

static struct addr said(const struct reach *reach)
{
	return reach->public.family == ADDR_NONE ? reach->way.local : reach->public;
}

bool reach_differs(const struct reach *reach)
{
	const struct addr is = said(reach), should = wanted(reach);

	return !addr_equal(&is, &should);
}

void reach_rewrite(struct reach *reach, bool replaced)
{
	const struct addr next = wanted(reach);

	reach->stale = replaced ? nowhere : said(reach);
	reach->public = addr_equal(&next, &reach->way.local) ? nowhere : next;
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
	return !addr_same_host(seen, &reach->way.local) ||
	       (!is_reliable(reach) && seen->port != reach->way.local.port);
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
