#include "core/sip/locate_flow.h"

#include "core/sip/registry.h"
#include "core/sip/secure.h"
#include "core/sip/transport.h"

const struct locate_way locate_ways[LOCATE_WAYS] = {
	{SIP_UDP, SIP_UDP, "udp", "SIP+D2U", "_sip._udp.", SIP_PORT},
	{SIP_TCP, SIP_TLS, "tcp", "SIP+D2T", "_sip._tcp.", SIP_PORT},
	{SIP_TLS, SIP_TLS, "tls", "SIPS+D2T", "_sips._tcp.", SIPS_PORT},
	{SIP_WS, SIP_WSS, "ws", "SIP+D2W", "_sip._ws.", SIP_WS_PORT},
	{SIP_WSS, SIP_WSS, "wss", "SIPS+D2W", "_sips._ws.", SIP_WSS_PORT},
};

const char *locate_show(char out[static LOCATE_SHOWN_SIZE], struct slice name)
{
	struct text text = text_in(out, LOCATE_SHOWN_SIZE);

	text_put_escaped(&text, name);
	return out;
}

/*
 * Section 4.1: UDP for a numeric host or a port, and where there is no NAPTR nor SRV. sips: is TLS,
 * whichever stream is named for it to go over (RFC 3261, sections 19.1.1 and 26.2.2), or a
 * WebSocket over that (RFC 7118, section 5.2.2).
 */
int locate_transport(enum sip_transport_kind *out, const struct sip_uri *uri)
{
	bool sips = uri->scheme == SIP_SCHEME_SIPS;
	struct slice transport;

	*out = sips ? SIP_TLS : SIP_UDP;
	if (!sip_param(&transport, uri->params, "transport"))
		return 0;
	for (size_t i = 0; i < LOCATE_WAYS; i++) {
		if (!slice_is_nocase(transport, locate_ways[i].transport))
			continue;
		*out = sips ? locate_ways[i].secure : locate_ways[i].kind;
		return sips && locate_ways[i].kind == SIP_UDP ? -EPROTONOSUPPORT : 0;
	}
	return -EPROTONOSUPPORT;
}

int locate_choose(enum sip_transport_kind *out, struct fault *why, const struct sip_uri *uri)
{
	char shown[LOCATE_SHOWN_SIZE];
	struct slice transport;

	if (uri->scheme == SIP_SCHEME_TEL)
		return fault_set(why, -EPROTONOSUPPORT,
			"a telephone number needs a SIP server to be called through");
	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return fault_set(why, -EPROTONOSUPPORT, "%s: is no way to call",
			locate_show(shown, uri->scheme_name));
	if (locate_transport(out, uri) == 0)
		return 0;
	sip_param(&transport, uri->params, "transport");
	if (uri->scheme == SIP_SCHEME_SIPS)
		return fault_set(why, -EPROTONOSUPPORT,
			"sips: goes by TLS, and transport=%s cannot carry that",
			locate_show(shown, transport));
	return fault_set(why, -EPROTONOSUPPORT,
		"transport=%s is asked for, and we speak UDP, TCP, TLS and WebSocket only",
		locate_show(shown, transport));
}

struct slice locate_host(const struct sip_uri *uri)
{
	struct slice maddr;

	return sip_param(&maddr, uri->params, "maddr") && maddr.len > 0 ? maddr : uri->host;
}

uint16_t locate_port(uint16_t port, enum sip_transport_kind kind)
{
	for (size_t i = 0; i < LOCATE_WAYS && !port; i++)
		if (locate_ways[i].kind == kind)
			port = locate_ways[i].port;
	return port;
}

bool locate_is_called_only(enum sip_transport_kind kind)
{
	return kind != SIP_UDP && kind != SIP_TCP;
}

bool locate_is_secure(enum sip_transport_kind kind)
{
	return kind == SIP_TLS || kind == SIP_WSS;
}

static int find_flow(struct sip_flow *out, struct sip_stack *stack, struct fault *why,
	enum sip_transport_kind kind, const struct addr *to)
{
	static const char *const names[] = {[SIP_UDP] = "",
		[SIP_TCP] = " and TCP",
		[SIP_TLS] = " and TLS",
		[SIP_WS] = " and WebSocket",
		[SIP_WSS] = " and WebSocket"};
	char text[ADDR_TEXT_SIZE];
	int err;

	/* a server's own URIs say ws for both (RFC 7118, section 5.2.2) */
	if (kind == SIP_WS && sip_stack_stands(stack, SIP_WSS, to))
		kind = SIP_WSS;
	err = locate_is_called_only(kind) ? sip_secure_open(stack, kind, to->family, why) : 0;

	if (err)
		return err;
	err = sip_stack_flow(out, stack, kind, to);

	if (err == -EAFNOSUPPORT)
		return fault_set(why, err,
			"%s is reached by %s%s, and we listen on no such address",
			addr_print(text, to), to->family == ADDR_IPV6 ? "IPv6" : "IPv4",
			names[kind]);
	if (err)
		return fault_set(
			why, err, "no way to %s: %s", addr_print(text, to), strerror(-err));
	return 0;
}

/*
 * By TLS whoever is there has to be who was asked for, whatever DNS has made of the name (RFC 5922,
 * section 4): name is that of the URI. To a WebSocket it tells, besides, which of several it is.
 */
static int name_flow(struct sip_flow *flow, struct sip_stack *stack, struct fault *why,
	struct slice name, bool sips)
{
	if (!flow->transport->carrier->named)
		return 0;
	flow->sips = sips && sip_flow_is_secure(flow);
	if (!flow->transport->carrier->web)
		name.len = slice_find(name, '/');
	flow->host = sip_secure_host(stack, name);
	return flow->host ? 0 : fault_set(why, -ENOMEM, "out of memory");
}

int locate_flow(struct sip_flow *out, struct sip_stack *stack, struct fault *why,
	enum sip_transport_kind kind, const struct addr *to, struct slice name, bool sips)
{
	int err = find_flow(out, stack, why, kind, to);

	return err ? err : name_flow(out, stack, why, name, sips);
}
