#include "core/sip/request.h"

#include "core/sip/locate.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

enum { MAX_FORWARDS = 70 }; /* section 8.1.1.6 */

struct sip_request {
	struct list link;
	struct sip_stack *stack;
	struct sip_request_config config; /* flow is not kept; the rest stands in text */
	char *text;
	struct sip_locate *locate; /* NULL: not at it */
	struct sip_client *client; /* NULL: none yet, or no more */
	const struct sip_request_events *events;
	void *arg;
};

/* Section 8.1.1, with rport of RFC 3581, section 3. */
void sip_request_print(struct text *out, const struct sip_stack *stack, const struct sip_flow *flow,
	const struct sip_request_config *config)
{
	char token[SIP_TOKEN_SIZE];
	char local[ADDR_TEXT_SIZE];

	sip_print_request_line(out, config->method, config->uri);
	sip_print_header_text(out, SIP_VIA, "SIP/2.0/%s %s;branch=%s%s;rport",
		sip_transport_name(flow->transport), addr_print_port(local, &flow->local),
		SIP_BRANCH_COOKIE, sip_token(token, stack->loop));
	sip_print_header_text(out, SIP_MAX_FORWARDS, "%d", MAX_FORWARDS);
	text_put(out, config->headers);
	sip_print_header_text(out, SIP_CSEQ, "%lu %s", (unsigned long)config->cseq,
		sip_method_name(config->method));
	sip_print_header(out, SIP_USER_AGENT, slice_of(stack->config.user_agent));
	text_put(out, config->more);
	sip_print_body(out, config->content_type, config->body);
}

/* Moves a slice's bytes to the end of text, each piece with a NUL behind it. */
static struct slice move(struct text *text, struct slice bytes)
{
	struct slice moved = {(const uint8_t *)text->data + text->len, bytes.len};

	text_put(text, bytes);
	text_putc(text, '\0');
	return moved;
}

/* -ENOMEM. */
static int copy_config(struct sip_request *request, const struct sip_request_config *config)
{
	struct slice type = slice_of(config->content_type ? config->content_type : "");
	size_t size = config->uri.len + config->headers.len + config->more.len + type.len +
		      config->body.len + 8;
	struct text text;

	request->text = calloc(size, 1);
	if (!request->text)
		return -ENOMEM;

	text = text_in(request->text, size);
	request->config = *config;
	request->config.flow = NULL;
	request->config.uri = move(&text, config->uri);
	request->config.headers = move(&text, config->headers);
	request->config.more = move(&text, config->more);
	request->config.body = move(&text, config->body);
	request->config.content_type = (const char *)move(&text, type).data;
	assert(!text.cut);
	return 0;
}

static bool is_last(const struct sip_request *request, const struct sip_msg *response)
{
	return response->status >= 300 ||
	       (response->status >= 200 && request->config.method != SIP_INVITE);
}

static void receive(void *arg, const struct sip_msg *response)
{
	struct sip_request *request = arg;

	if (is_last(request, response))
		request->client = NULL;
	if (request->events)
		request->events->response(request->arg, response);
	else if (!request->client)
		sip_request_free(request);
}

static void end(struct sip_request *request, int err, const struct fault *why)
{
	request->client = NULL;
	if (request->events)
		request->events->ended(request->arg, err, why);
	else
		sip_request_free(request);
}

static void client_ended(void *arg, int err)
{
	end(arg, err, NULL);
}

static int transmit(struct sip_request *request, const struct sip_flow *flow)
{
	static const struct sip_client_events events = {.response = receive, .ended = client_ended};
	struct text text = sip_stack_scratch(request->stack);

	sip_request_print(&text, request->stack, flow, &request->config);
	if (text.cut)
		return -EMSGSIZE;
	return sip_client_new(
		&request->client, request->stack, flow, text_slice(&text), &events, request);
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct sip_request *request = arg;

	(void)count; /* at least one without an error, and the first is the best */
	request->locate = NULL;
	if (!err) {
		err = transmit(request, &flows[0]);
		why = NULL;
	}
	if (err)
		end(request, err, why);
}

static int locate(struct sip_request *request)
{
	struct sip_uri uri;

	if (sip_uri_parse(&uri, request->config.uri, NULL))
		return -EINVAL;
	return sip_locate(&request->locate, request->stack, &uri, located, request);
}

int sip_request_send(struct sip_request **out, struct sip_stack *stack,
	const struct sip_request_config *config, const struct sip_request_events *events, void *arg)
{
	struct sip_request *request;
	int err;

	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;

	list_init(&request->link);
	request->stack = stack;
	request->events = events;
	request->arg = arg;
	err = copy_config(request, config);
	if (err)
		goto out;
	err = config->flow ? transmit(request, config->flow) : locate(request);
	if (err)
		goto out;
	list_add(&stack->requests, &request->link);
	if (out)
		*out = request;
	request = NULL;
out:
	sip_request_free(request);
	return err;
}

const struct sip_msg *sip_request_message(const struct sip_request *request)
{
	return sip_client_request(request->client);
}

int sip_request_cancel(struct sip_request *request, struct slice headers)
{
	return sip_client_cancel(request->client, headers);
}

void sip_request_orphan(struct sip_request *request)
{
	if (!request)
		return;

	request->events = NULL;
	if (!request->client && !request->locate)
		sip_request_free(request);
}

void sip_request_free(struct sip_request *request)
{
	if (!request)
		return;

	list_remove(&request->link);
	sip_locate_cancel(request->locate);
	sip_client_release(request->client);
	free(request->text);
	free(request);
}

void sip_request_free_all(struct sip_stack *stack)
{
	list_each(link, &stack->requests)
		sip_request_free(container_of(link, struct sip_request, link));
}
