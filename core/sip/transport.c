#include "core/sip/transport.h"

#include "core/base/log.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"

#include <errno.h>
#include <stdlib.h>

static int make(struct sip_transport **out, struct sip_stack *stack, enum sip_transport_kind kind,
	const struct addr *local, bool calls_only)
{
	static const struct sip_carrier *const carriers[] = {[SIP_UDP] = &sip_carrier_udp,
		[SIP_TCP] = &sip_carrier_tcp,
		[SIP_TLS] = &sip_carrier_tls,
		[SIP_WS] = &sip_carrier_ws,
		[SIP_WSS] = &sip_carrier_wss};
	struct sip_transport *transport;
	int err;

	transport = calloc(1, sizeof(*transport));
	if (!transport)
		return -ENOMEM;

	list_init(&transport->link);
	transport->stack = stack;
	transport->carrier = carriers[kind];
	transport->calls_only = calls_only;
	err = transport->carrier->ops->open(transport, local);
	if (err) {
		sip_transport_free(transport);
		return err;
	}
	*out = transport;
	return 0;
}

int sip_transport_new(struct sip_transport **out, struct sip_stack *stack,
	enum sip_transport_kind kind, const struct addr *local)
{
	return make(out, stack, kind, local, false);
}

/* Via and Contact say the usual port for want of one; all goes by the connections that we make. */
int sip_transport_new_calling(struct sip_transport **out, struct sip_stack *stack,
	enum sip_transport_kind kind, enum addr_family family)
{
	const struct addr any = {.family = family, .port = SIPS_PORT};

	return make(out, stack, kind, &any, true);
}

void sip_transport_free(struct sip_transport *transport)
{
	if (!transport)
		return;

	list_remove(&transport->link);
	transport->carrier->ops->close(transport);
	free(transport);
}

const char *sip_transport_name(const struct sip_transport *transport)
{
	return transport->carrier->name;
}

/* RFC 7118, section 5.2.1, has a name that leads nowhere for whom nobody can connect to. */
void sip_flow_print_host(struct text *out, const struct sip_flow *flow)
{
	char local[ADDR_TEXT_SIZE];

	if (flow->transport->carrier->web)
		text_puts(out, sip_stack_alias(flow->transport->stack));
	else
		text_puts(out, addr_print_port(local, &flow->local));
}

/* sips: is TLS, but for a WebSocket it has to be said that it goes over that. */
void sip_flow_print_uri(struct text *out, const struct sip_flow *flow, struct slice user)
{
	const struct sip_carrier *carrier = flow->transport->carrier;

	text_printf(out, "%s:%.*s%s", flow->sips ? "sips" : "sip", (int)user.len,
		(const char *)user.data, user.len > 0 ? "@" : "");
	sip_flow_print_host(out, flow);
	if (!flow->sips || carrier->web)
		text_puts(out, carrier->param);
}

void sip_flow_print_contact(struct text *out, const struct sip_flow *flow, struct slice user)
{
	text_printf(out, "%s: <", sip_header_canonical(SIP_CONTACT));
	sip_flow_print_uri(out, flow, user);
	text_puts(out, ">\r\n");
}

bool sip_flow_is_reliable(const struct sip_flow *flow)
{
	return flow->transport->carrier->reliable;
}

bool sip_flow_is_secure(const struct sip_flow *flow)
{
	return flow->transport->carrier->secure;
}

bool sip_flow_is_one_way(const struct sip_flow *flow)
{
	return flow->transport->calls_only;
}

int sip_transport_flow(
	struct sip_flow *out, struct sip_transport *transport, const struct addr *remote)
{
	struct addr local = transport->local;
	int err;

	if (addr_is_any(&local)) {
		err = loop_route(&local, transport->stack->loop, remote);
		if (err)
			return err;
		local.port = transport->local.port;
	}
	*out = (struct sip_flow){.transport = transport, .remote = *remote, .local = local};
	return 0;
}

void sip_transport_trace(bool sent, const struct sip_flow *flow, struct slice bytes)
{
	const struct sip_stack_config *config = &flow->transport->stack->config;

	if (config->events->trace)
		config->events->trace(config->arg, sent, flow->transport->carrier->kind,
			&flow->local, &flow->remote, bytes);
}

int sip_flow_send_on(struct sip_flow *flow, struct slice bytes)
{
	char text[ADDR_TEXT_SIZE];
	int err = flow->transport->carrier->ops->send(flow, bytes);

	if (err)
		log_info("sip: cannot send to %s by %s: %s", addr_print_port(text, &flow->remote),
			flow->transport->carrier->name, strerror(-err));
	return err;
}

int sip_flow_send(const struct sip_flow *flow, struct slice bytes)
{
	struct sip_flow copy = *flow;

	return sip_flow_send_on(&copy, bytes);
}

int sip_flow_nudge(const struct sip_flow *flow, struct slice bytes)
{
	return flow->transport->carrier->ops->nudge(flow, bytes);
}

void sip_flow_drop(const struct sip_flow *flow)
{
	if (flow->transport->carrier->ops->drop)
		flow->transport->carrier->ops->drop(flow);
}

/*
 * The address is always the one that the request came from: it is what received says (section
 * 18.2.1). maddr is for multicast, which we do not join; obeying it would let anyone send our
 * responses to a third party. The port that a connection came from takes no connections.
 */
struct addr sip_flow_reply_to(const struct sip_flow *flow, const struct sip_via *via)
{
	struct addr to = flow->remote;

	if (!via->has_rport || sip_flow_is_reliable(flow))
		to.port = via->port ? via->port : flow->transport->carrier->port;
	return to;
}

/* What is bound to the very address from which we would send goes before what is bound to any, and
 * that before what is bound to another. route may be NULL. */
static int fitness(const struct sip_transport *transport, const struct addr *route)
{
	if (route && addr_same_host(&transport->local, route))
		return 2;
	return addr_is_any(&transport->local) ? 1 : 0;
}

int sip_stack_flow(struct sip_flow *out, struct sip_stack *stack, enum sip_transport_kind kind,
	const struct addr *remote)
{
	struct sip_transport *best = NULL;
	struct addr route;
	int err = loop_route(&route, stack->loop, remote);

	list_each(link, &stack->transports)
	{
		struct sip_transport *transport = container_of(link, struct sip_transport, link);

		if (transport->carrier->kind != kind || transport->local.family != remote->family)
			continue;
		if (!best || fitness(transport, err ? NULL : &route) >
				     fitness(best, err ? NULL : &route))
			best = transport;
	}
	if (!best)
		return -EAFNOSUPPORT;
	if (err)
		return err;
	return sip_transport_flow(out, best, remote);
}

/* What listens on any address stays; of others, the one may be better now that another was. */
bool sip_flow_reroute(struct sip_flow *flow)
{
	struct sip_transport *transport = flow->transport;
	struct sip_flow now;
	int err;

	if (addr_is_any(&transport->local))
		err = sip_transport_flow(&now, transport, &flow->remote);
	else
		err = sip_stack_flow(
			&now, transport->stack, transport->carrier->kind, &flow->remote);
	if (err || addr_same_host(&now.local, &flow->local))
		return false;

	flow->transport = now.transport;
	flow->local = now.local;
	flow->connection = 0;
	return true;
}

/* Whoever tries to bind to it knows. */
bool sip_stack_has_lost(const struct sip_stack *stack, const struct addr *local)
{
	struct addr at = *local;
	struct udp *udp;
	int err;

	at.port = 0;
	err = loop_udp_open(&udp, stack->loop, &at);
	if (!err)
		udp_free(udp);
	return err == -EADDRNOTAVAIL;
}

bool sip_flow_is_lost(const struct sip_flow *flow)
{
	return sip_stack_has_lost(flow->transport->stack, &flow->local);
}

bool sip_stack_listens(
	const struct sip_stack *stack, enum sip_transport_kind kind, enum addr_family family)
{
	list_each(link, &stack->transports)
	{
		const struct sip_transport *transport =
			container_of(link, struct sip_transport, link);

		if (transport->carrier->kind == kind && transport->local.family == family)
			return true;
	}
	return false;
}
