#include "core/base/log.h"
#include "core/base/text.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <stdlib.h>

/* Empty lines that keep an address binding alive (RFC 5626, section 3.5.1); not only its two forms.
 */
static bool is_keep_alive(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] != '\r' && bytes.data[i] != '\n' && bytes.data[i] != '\0')
			return false;
	return true;
}

static void trace(bool sent, const struct sip_flow *flow, struct slice bytes)
{
	const struct sip_stack_config *config = &flow->transport->stack->config;

	if (config->events->trace)
		config->events->trace(config->arg, sent, &flow->local, &flow->remote, bytes);
}

static void receive(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct sip_transport *transport = arg;
	struct sip_flow flow;
	char text[ADDR_TEXT_SIZE];
	struct sip_msg *msg;
	int err;

	(void)to;
	(void)arrival_ns;
	if (is_keep_alive(bytes))
		return;
	err = sip_transport_flow(&flow, transport, from);
	if (err) {
		log_debug(
			"sip: no way back to %s: %s", addr_print_port(text, from), strerror(-err));
		return;
	}
	trace(false, &flow, bytes);
	err = sip_msg_parse(&msg, bytes);
	if (err) {
		log_debug("sip: dropped %zu bytes from %s: %s", bytes.len,
			addr_print_port(text, from), strerror(-err));
		return;
	}
	transport->stack->receive(transport->stack, &flow, msg);
}

static void unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	struct sip_transport *transport = arg;

	sip_client_unreachable(transport->stack, transport, to, err, sent);
}

static const struct udp_events events = {.datagram = receive, .unreachable = unreachable};

int sip_transport_udp_new(
	struct sip_transport **out, struct sip_stack *stack, const struct addr *local)
{
	struct sip_transport *transport;
	int err;

	transport = calloc(1, sizeof(*transport));
	if (!transport)
		return -ENOMEM;

	list_init(&transport->link);
	transport->stack = stack;
	transport->kind = SIP_UDP;
	err = loop_udp_open(&transport->udp, stack->loop, local);
	if (err)
		goto out;
	err = udp_start(transport->udp, stack->loop, &events, transport);
	if (err)
		goto out;
	udp_local(&transport->local, transport->udp);
	*out = transport;
	transport = NULL;
out:
	sip_transport_free(transport);
	return err;
}

void sip_transport_free(struct sip_transport *transport)
{
	if (!transport)
		return;

	list_remove(&transport->link);
	udp_free(transport->udp);
	free(transport);
}

const char *sip_transport_name(const struct sip_transport *transport)
{
	static const char *const names[] = {[SIP_UDP] = "UDP"};

	return names[transport->kind];
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

int sip_flow_send(const struct sip_flow *flow, struct slice bytes)
{
	char text[ADDR_TEXT_SIZE];
	int err;

	err = udp_send(flow->transport->udp, &flow->remote, bytes);
	if (err) {
		log_info("sip: cannot send to %s: %s", addr_print_port(text, &flow->remote),
			strerror(-err));
		return err;
	}
	trace(true, flow, bytes);
	return 0;
}

/*
 * The address is always the one that the request came from: it is what received says (section
 * 18.2.1). maddr is for multicast, which we do not join; obeying it would let anyone send our
 * responses to a third party.
 */
struct addr sip_flow_reply_to(const struct sip_flow *flow, const struct sip_via *via)
{
	struct addr to = flow->remote;

	if (!via->has_rport)
		to.port = via->port ? via->port : SIP_PORT;
	return to;
}
