#include "core/sip/invite_private.h"
#include "core/sip/msg.h"
#include "core/sip/transport.h"

/* By what they have seen of us (RFC 3261, section 18.2.1; RFC 3581, section 4). The port of a
 * connection is never the one that we listen on. */
static bool shows_nat(const struct sip_via *via, const struct sip_flow *flow)
{
	struct addr seen;

	if (via->received.len > 0 && addr_parse(&seen, via->received) == 0) {
		seen.scope = flow->local.scope;
		if (!addr_same_host(&seen, &flow->local))
			return true;
	}
	return !sip_flow_is_reliable(flow) && via->rport > 0 && via->rport != flow->local.port;
}

static bool leads_alike(const struct sip_flow *a, const struct sip_flow *b)
{
	return a->transport == b->transport && addr_equal(&a->remote, &b->remote);
}

/*
 * Which way, and how; false: none. In a dialog it is the one of our next request (RFC 6223, section
 * 4.3), which may lead past whoever has agreed. A connection that is another has carried nothing
 * yet, and is not known.
 */
static bool choose(
	struct sip_keep_config *out, const struct sip_invite *invite, const struct sip_flow *asked)
{
	const struct sip_way *way = &invite->way;
	bool agreed = way->agreed;

	out->flow = asked;
	if (invite->dialog) {
		const struct sip_flow *next = sip_dialog_flow(invite->dialog);
		bool alike = leads_alike(next, asked);

		if (!alike && (sip_flow_is_reliable(next) || sip_flow_is_reliable(asked)))
			return false;
		agreed = agreed && alike;
		if (!sip_flow_is_reliable(next)) {
			out->flow = next;
			out->follows = true;
		}
	}
	out->how = agreed ? SIP_KEEP_ASKED : SIP_KEEP_TOLD;
	return agreed || way->natted;
}

/* As we were told to, or as they want it, whichever is oftener. */
static uint32_t pause_s(const struct sip_way *way)
{
	bool theirs = way->agreed_s > 0 && (way->every_s == 0 || way->agreed_s < way->every_s);

	return theirs ? way->agreed_s : way->every_s;
}

static bool is_kept_so(const struct sip_way *way, const struct sip_keep_config *config)
{
	return way->keep && !config->follows && way->how == config->how &&
	       leads_alike(&way->flow, config->flow) &&
	       way->flow.connection == config->flow->connection;
}

void sip_way_learn(struct sip_invite *invite, const struct sip_msg *response)
{
	const struct sip_flow asked = sip_request_flow(invite->caller->request);
	struct sip_way *way = &invite->way;
	struct sip_keep_config config = {0};

	if (way->unkept)
		return;
	if (sip_keep_agreed(&way->agreed_s, &response->via))
		way->agreed = true;
	if (shows_nat(&response->via, &asked))
		way->natted = true;
	if (!choose(&config, invite, &asked)) {
		sip_way_leave(invite);
		return;
	}
	if (is_kept_so(way, &config))
		return;
	sip_way_leave(invite);
	config.every_s = pause_s(way);
	way->how = config.how;
	way->flow = *config.flow;
	/* without memory it is not kept */
	(void)sip_keep_new(&way->keep, invite->stack, &config, NULL, NULL);
}

void sip_way_allow(struct sip_invite *invite, const struct sip_msg *request)
{
	if (sip_keep_is_asked(request))
		sip_keep_allow(&invite->leave, invite->stack, &invite->flow);
}

void sip_way_leave(struct sip_invite *invite)
{
	sip_keep_free(invite->way.keep);
	invite->way.keep = NULL;
}
