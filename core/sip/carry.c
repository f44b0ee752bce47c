#include "core/sip/carry.h"

#include "core/base/text.h"
#include "core/net/tls.h"
#include "core/net/websocket.h"
#include "core/sip/registry.h"
#include "core/sip/secure.h"

enum { NAME_SIZE = 1024 };

static int begin_secure(struct tcp **out, const struct sip_flow *flow, const char *name,
	const struct tcp_events *events, void *arg)
{
	struct sip_stack *stack = flow->transport->stack;

	return tls_connect(out, sip_secure_tls(stack), stack->loop, &flow->local, &flow->remote,
		name, events, arg);
}

/* Behind a host's name the path may stand, without which it is "/". */
static int begin_web(struct tcp **out, const struct sip_flow *flow, const char *name,
	const struct tcp_events *events, void *arg)
{
	struct sip_stack *stack = flow->transport->stack;
	struct slice path = slice_of(name), host;
	char room[NAME_SIZE];
	struct text copy = TEXT_IN(room);

	slice_cut(&host, &path, '/');
	text_put(&copy, host);
	if (copy.cut)
		return -ENAMETOOLONG;
	return websocket_connect(out,
		&(struct websocket_config){
			.loop = stack->loop,
			.tls = flow->transport->carrier->secure ? sip_secure_tls(stack) : NULL,
			.from = flow->local,
			.to = flow->remote,
			.host = room,
			.path = name[host.len] == '/' ? name + host.len : "/",
		},
		events, arg);
}

int sip_carry_begin(
	struct tcp **out, const struct sip_flow *flow, const struct tcp_events *events, void *arg)
{
	const struct sip_carrier *carrier = flow->transport->carrier;
	struct sip_stack *stack = flow->transport->stack;
	const char *name;

	if (!carrier->named)
		return loop_tcp_connect(out, stack->loop, &flow->local, &flow->remote, events, arg);
	name = sip_secure_name(stack, flow->host);
	if (!name)
		return -ENOTCONN;
	return carrier->web ? begin_web(out, flow, name, events, arg)
			    : begin_secure(out, flow, name, events, arg);
}

int sip_carry_take(struct tcp **tcp, struct sip_transport *transport)
{
	if (!transport->carrier->secure)
		return 0;
	return tls_accept(tcp, sip_secure_tls(transport->stack), transport->stack->loop, *tcp);
}

const char *sip_carry_words(const struct sip_transport *transport, const struct tcp *tcp)
{
	if (transport->carrier->web)
		return websocket_words(tcp);
	return transport->carrier->secure ? tls_words(tcp) : "";
}
