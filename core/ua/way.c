#include "core/ua/way.h"

#include "core/sip/locate_flow.h"
#include "core/sip/transport.h"

#include <errno.h>
#include <string.h>

const char *way_name(enum sip_transport_kind kind)
{
	static const char *const names[SIP_TRANSPORTS] = {[SIP_UDP] = "udp",
		[SIP_TCP] = "tcp",
		[SIP_TLS] = "tls",
		[SIP_WS] = "ws",
		[SIP_WSS] = "wss"};

	return names[kind];
}

const char *way_of(const struct sip_flow *flow)
{
	return way_name(flow->transport ? flow->transport->carrier->kind : SIP_UDP);
}

enum sip_transport_kind way_wanted(const struct sip_uri *uri)
{
	enum sip_transport_kind kind;

	return locate_transport(&kind, uri) == 0 ? kind : SIP_UDP;
}

int way_fault(struct fault *out, const struct sip_flow *flow, int err)
{
	bool by_tcp = flow->transport && flow->transport->carrier->kind != SIP_UDP;
	const char *trouble = sip_flow_trouble(flow);
	char at[ADDR_TEXT_SIZE];

	addr_print_port(at, &flow->remote);
	if (trouble)
		return fault_set(out, err, "%s", trouble);
	switch (-err) {
	case ECONNREFUSED:
		return fault_set(out, err, "nothing listens on %s (%s)", at,
			by_tcp ? "connection refused" : "port unreachable");
	case EHOSTUNREACH:
	case ENETUNREACH:
		return fault_set(out, err, "there is no way to %s (%s)", at, strerror(-err));
	default:
		return fault_set(out, err, "sending to %s failed: %s", at, strerror(-err));
	}
}
