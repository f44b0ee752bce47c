/* Transports over connections: how each begins, and ends. */
#include "core/base/text.h"
#include "core/sip/connection.h"
#include "core/sip/msg.h"
#include "core/sip/registry.h"
#include "core/sip/secure.h"

#include <stdlib.h>

static void close_tcp(struct sip_transport *transport)
{
	struct sip_tcp *all = transport->tcp;

	if (!all)
		return;
	list_each(link, &all->connections)
		sip_connection_free(container_of(link, struct sip_connection, link));
	tcp_listener_free(all->listener);
	table_close(&all->ids);
	table_close(&all->remotes);
	free(all);
}

static int listen_on(struct sip_transport *transport, const struct addr *local)
{
	int err = loop_tcp_listen(&transport->tcp->listener, transport->stack->loop, local,
		sip_connection_accepted, transport);

	if (!err)
		tcp_listener_local(&transport->local, transport->tcp->listener);
	return err;
}

static int open_tables(struct sip_transport *transport)
{
	struct sip_tcp *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;

	transport->tcp = all;
	list_init(&all->connections);
	return table_init(&all->ids) || table_init(&all->remotes) ? -ENOMEM : 0;
}

/* Nobody connects to us by a WebSocket, which is for those who call servers. */
static int may_open(const struct sip_transport *transport)
{
	const struct sip_carrier *carrier = transport->carrier;
	int err;

	if (!carrier->named)
		return 0;
	err = sip_secure_need_for(transport->stack, carrier->kind, NULL);
	if (!err && !transport->calls_only &&
		(carrier->web || !sip_secure_serves(transport->stack)))
		err = -EINVAL;
	return err;
}

static int open_tcp(struct sip_transport *transport, const struct addr *local)
{
	int err = may_open(transport);

	if (!err)
		err = open_tables(transport);
	if (err)
		return err;
	if (!transport->calls_only)
		return listen_on(transport, local);
	transport->local = *local;
	return 0;
}

static const struct sip_carrier_ops by_connections = {
	.open = open_tcp,
	.send = sip_connection_send,
	.reroute = sip_connection_reroute,
	.nudge = sip_connection_nudge,
	.drop = sip_connection_drop,
	.close = close_tcp,
};

const struct sip_carrier sip_carrier_tcp = {
	.ops = &by_connections,
	.kind = SIP_TCP,
	.name = "TCP",
	.param = ";transport=tcp",
	.port = SIP_PORT,
	.reliable = true,
};

const struct sip_carrier sip_carrier_tls = {
	.ops = &by_connections,
	.kind = SIP_TLS,
	.name = "TLS",
	.param = ";transport=tls",
	.port = SIPS_PORT,
	.reliable = true,
	.secure = true,
	.named = true,
};

const struct sip_carrier sip_carrier_ws = {
	.ops = &by_connections,
	.kind = SIP_WS,
	.name = "WS",
	.param = ";transport=ws",
	.port = SIP_WS_PORT,
	.reliable = true,
	.web = true,
	.named = true,
};

/* Its URIs say ws, too (RFC 7118, section 5.2.2). */
const struct sip_carrier sip_carrier_wss = {
	.ops = &by_connections,
	.kind = SIP_WSS,
	.name = "WSS",
	.param = ";transport=ws",
	.port = SIP_WSS_PORT,
	.reliable = true,
	.secure = true,
	.web = true,
	.named = true,
};
