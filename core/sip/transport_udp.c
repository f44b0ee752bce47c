#include "core/base/log.h"
#include "core/base/text.h"
#include "core/nat/stun.h"
#include "core/sip/keep.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

/* Empty lines that keep an address binding alive (RFC 5626, section 3.5.1); not only its two forms.
 */
static bool is_keep_alive(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] != '\r' && bytes.data[i] != '\n' && bytes.data[i] != '\0')
			return false;
	return true;
}

static void receive(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct sip_transport *transport = arg;
	struct sip_flow flow = {.transport = transport, .remote = *from, .local = *to};
	char text[ADDR_TEXT_SIZE];
	struct sip_msg *msg;
	int err;

	(void)arrival_ns;
	if (is_keep_alive(bytes))
		return;
	if (stun_is(bytes)) { /* RFC 5626, section 8: no message begins with such a byte */
		sip_keep_stun(transport->stack, transport, from, bytes);
		return;
	}
	sip_transport_trace(false, &flow, bytes);
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
	sip_keep_unreachable(transport->stack, transport, to, err);
}

static int open_udp(struct sip_transport *transport, const struct addr *local)
{
	static const struct udp_events events = {.datagram = receive, .unreachable = unreachable};
	struct loop *loop = transport->stack->loop;
	int err;

	err = loop_udp_open(&transport->udp, loop, local);
	if (err)
		return err;
	err = udp_start(transport->udp, loop, &events, transport);
	if (err)
		return err;
	udp_local(&transport->local, transport->udp);
	return 0;
}

/*
 * From the address that the far end knows us by: what it sent to, or what our Via says. If this
 * host has lost that address, from wherever the route goes.
 */
static int nudge_udp(const struct sip_flow *flow, struct slice bytes)
{
	struct udp *udp = flow->transport->udp;
	int err = -EINVAL;

	if (addr_is_any(&flow->transport->local))
		err = udp_send_from(udp, &flow->local, &flow->remote, bytes);
	if (err == -EINVAL || err == -ENETUNREACH)
		err = udp_send(udp, &flow->remote, bytes);
	return err;
}

static int send_udp(struct sip_flow *flow, struct slice bytes)
{
	int err = nudge_udp(flow, bytes);

	if (!err)
		sip_transport_trace(true, flow, bytes);
	return err;
}

static void close_udp(struct sip_transport *transport)
{
	udp_free(transport->udp);
}

static const struct sip_carrier_ops by_datagrams = {
	.open = open_udp,
	.send = send_udp,
	.nudge = nudge_udp,
	.close = close_udp,
};

const struct sip_carrier sip_carrier_udp = {
	.ops = &by_datagrams,
	.kind = SIP_UDP,
	.name = "UDP",
	.param = "",
	.port = SIP_PORT,
	.reliable = false,
};
