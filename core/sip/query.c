#include "core/sip/query.h"

#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transport.h"

#include <errno.h>
#include <inttypes.h>

enum { URI_SIZE = 2048 };

/* Section 11.1: Accept tells which bodies the answer may have. */
static void print_lines(struct text *out, const struct sip_stack *stack,
	const struct sip_query *query, struct slice uri)
{
	const struct sip_flow *flow = query->flow;
	char host[ADDR_TEXT_SIZE];

	addr_print_host(host, &flow->local);
	text_put(out, query->routes);
	if (query->from.len > 0)
		sip_print_header_text(out, SIP_FROM, "<%.*s>;tag=%016" PRIx64, (int)query->from.len,
			(const char *)query->from.data, query->tag);
	else
		sip_print_header_text(out, SIP_FROM, "<sip:%.*s@%s>;tag=%016" PRIx64,
			(int)query->user.len, (const char *)query->user.data, host, query->tag);
	sip_print_header_text(out, SIP_TO, "<%.*s>", (int)uri.len, (const char *)uri.data);
	sip_print_header_text(out, SIP_CALL_ID, "%016" PRIx64 "%s%s", query->call_id,
		query->anonymous ? "" : "@", query->anonymous ? "" : host);
	if (query->anonymous)
		text_puts(out, "Privacy: id\r\n");
	sip_flow_print_contact(out, flow, query->user);
	sip_print_header(out, SIP_ACCEPT, slice_of(stack->config.accept));
}

int sip_query_send(struct sip_request **out, struct sip_stack *stack, const struct sip_query *query,
	const struct sip_request_events *events, void *arg)
{
	struct text lines = sip_stack_scratch(stack);
	char room[URI_SIZE];
	struct text target = TEXT_IN(room);
	struct sip_uri uri;
	struct sip_request_config request = {
		.method = query->method, .cseq = 1, .flow = query->flow, .auth = query->auth};

	if (sip_uri_parse(&uri, query->target, NULL))
		return -EINVAL;
	sip_uri_print(&target, &uri);
	request.uri = text_slice(&target);
	print_lines(&lines, stack, query, request.uri);
	if (target.cut || lines.cut)
		return -EMSGSIZE;

	request.headers = text_slice(&lines);
	return sip_request_send(out, stack, &request, events, arg);
}
