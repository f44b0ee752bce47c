#include "core/sip/request.h"

#include "core/sip/locate.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

enum {
	MAX_FORWARDS = 70,   /* section 8.1.1.6 */
	DATAGRAM_MAX = 1300, /* section 18.1.1: what is longer is sent by TCP */
	CREDENTIALS_SIZE = 4096,
};

struct sip_request {
	struct list link;
	struct sip_stack *stack;
	struct sip_request_config config; /* flow is not kept; the rest stands in text */
	char *text;
	struct sip_locate *locate; /* NULL: not at it */
	struct sip_client *client; /* NULL: none yet, or no more */
	struct sip_flow *rest;     /* all that were located, if there are more than one; or NULL */
	size_t rest_at, rest_count;
	struct sip_flow *datagram; /* that it goes by if TCP, taken for its size, fails; or NULL */
	bool settled;              /* a response or a CANCEL has bound it to where it went */
	struct sip_flow by;        /* of the last response */
	struct sip_auth_course course;
	char *credentials; /* lines that it went with last, or NULL */
	const struct sip_request_events *events;
	void *arg;
};

/* Section 8.1.1, with rport of RFC 3581, section 3, and keep of RFC 6223, section 4.3. */
void sip_request_print(struct text *out, const struct sip_stack *stack, const struct sip_flow *flow,
	const struct sip_request_config *config)
{
	char token[SIP_TOKEN_SIZE];
	char room[ADDR_TEXT_SIZE];
	struct text host = TEXT_IN(room);

	sip_flow_print_host(&host, flow);
	sip_print_request_line(out, config->method, config->uri);
	sip_print_header_text(out, SIP_VIA, "SIP/2.0/%s %s;branch=%s%s;rport%s",
		sip_transport_name(flow->transport), room, SIP_BRANCH_COOKIE,
		sip_token(token, stack->loop), config->keeps ? ";keep" : "");
	sip_print_header_text(out, SIP_MAX_FORWARDS, "%d", MAX_FORWARDS);
	text_put(out, config->headers);
	text_put(out, config->credentials);
	sip_print_header_text(out, SIP_CSEQ, "%lu %s", (unsigned long)config->cseq,
		sip_method_name(config->method));
	sip_print_header(out, SIP_USER_AGENT, slice_of(stack->config.user_agent));
	text_put(out, config->more);
	text_put(out, config->trusted);
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
	size_t size = config->uri.len + config->headers.len + config->more.len +
		      config->trusted.len + type.len + config->body.len + 8;
	struct text text;

	request->text = calloc(size, 1);
	if (!request->text)
		return -ENOMEM;

	text = text_in(request->text, size);
	request->config = *config;
	request->config.flow = NULL;
	request->config.credentials = (struct slice){0};
	request->config.uri = move(&text, config->uri);
	request->config.headers = move(&text, config->headers);
	request->config.more = move(&text, config->more);
	request->config.trusted = move(&text, config->trusted);
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

static struct sip_auth_request describe(const struct sip_request *request)
{
	const struct sip_request_config *config = &request->config;

	return (struct sip_auth_request){config->method, config->uri, config->body};
}

static int make_credentials(struct sip_request *request)
{
	struct sip_auth_request what = describe(request);
	char room[CREDENTIALS_SIZE];
	struct text lines = TEXT_IN(room);

	sip_auth_print(&lines, request->config.auth, &what, &request->course);
	if (lines.cut)
		return -EMSGSIZE;
	if (lines.len == 0)
		return 0;
	request->credentials = slice_copy(text_slice(&lines));
	if (!request->credentials)
		return -ENOMEM;
	request->config.credentials = slice_of(request->credentials);
	return 0;
}

/* What the account knows goes along without being asked for, each time with a new count. */
static int put_credentials(struct sip_request *request, const struct sip_flow *flow)
{
	free(request->credentials);
	request->credentials = NULL;
	request->config.credentials = (struct slice){0};
	request->course.carried[SIP_AUTH_WWW] = false;
	request->course.carried[SIP_AUTH_PROXY] = false;
	return sip_auth_trusts(request->config.auth, flow) ? make_credentials(request) : 0;
}

/* Whether a response is a challenge that is answered; nothing is sent yet. */
static bool wants_again(
	struct sip_request *request, const struct sip_msg *response, const struct sip_flow *by)
{
	struct sip_auth_request what = describe(request);

	if ((response->status != 401 && response->status != 407) || request->settled)
		return false;
	if (request->config.peer_asks || !sip_auth_trusts(request->config.auth, by))
		return false;
	if (!addr_same_host(&response->source, &by->remote))
		return false; /* round the server, by who has read our Via beyond it */
	if (!sip_auth_challenge(request->config.auth, response, &what, &request->course))
		return false;
	return !request->events || !request->events->again ||
	       request->events->again(request->arg, request->config.cseq + 1);
}

static int transmit(struct sip_request *request, const struct sip_flow *flow);

/* err 0: after a 503. */
static bool try_next(struct sip_request *request, int err);

/* It is answered: what was kept for sending it elsewhere has done its duty. */
static void settle(struct sip_request *request)
{
	request->settled = true;
	free(request->rest);
	request->rest = NULL;
	free(request->text);
	request->text = NULL;
}

static void end(struct sip_request *request, int err, const struct fault *why);

/* Section 22.2: the same again, by the same way, as the next in its Call-ID. */
static void send_again(struct sip_request *request, const struct sip_flow *by)
{
	int err;

	request->config.cseq++;
	err = transmit(request, by);
	if (err && !try_next(request, err))
		end(request, err, NULL);
}

static void drop_datagram(struct sip_request *request)
{
	free(request->datagram);
	request->datagram = NULL;
}

/* RFC 3263, section 4.3, has 503 stand for a host that cannot be reached. */
static void receive(void *arg, const struct sip_msg *response)
{
	struct sip_request *request = arg;
	struct sip_flow by = sip_client_flow(request->client);

	request->by = by;
	drop_datagram(request); /* it was read */
	if (is_last(request, response))
		request->client = NULL;
	if (wants_again(request, response, &by)) {
		send_again(request, &by);
		return;
	}
	if (response->status == 503 && try_next(request, 0))
		return;
	if (response->status > 100)
		settle(request);
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
	struct sip_request *request = arg;

	request->client = NULL;
	if (!err || !try_next(request, err))
		end(request, err, NULL);
}

static int print(struct text *out, struct sip_request *request, const struct sip_flow *flow)
{
	struct sip_request_config config;
	int err = put_credentials(request, flow);

	if (err)
		return err;
	config = request->config;
	if (!sip_auth_trusts(config.auth, flow))
		config.trusted = (struct slice){0};
	*out = sip_stack_scratch(request->stack);
	sip_request_print(out, request->stack, flow, &config);
	return out->cut ? -EMSGSIZE : 0;
}

static int send_text(
	struct sip_request *request, const struct sip_flow *flow, const struct text *text)
{
	static const struct sip_client_events events = {.response = receive, .ended = client_ended};

	return sip_client_new(
		&request->client, request->stack, flow, text_slice(text), &events, request);
}

/* By flow and nothing else. */
static int transmit_by(struct sip_request *request, const struct sip_flow *flow)
{
	struct text text;
	int err = print(&text, request, flow);

	return err ? err : send_text(request, flow, &text);
}

bool sip_request_stream(
	struct sip_flow *out, struct sip_stack *stack, const struct sip_flow *flow, size_t len)
{
	if (len <= DATAGRAM_MAX || sip_flow_is_reliable(flow) ||
		!sip_stack_listens(stack, SIP_TCP, flow->remote.family) ||
		sip_stack_flow(out, stack, SIP_TCP, &flow->remote) != 0)
		return false;
	out->others = flow->others;
	return true;
}

/* Without memory, what TCP does not take is lost. */
static void keep_datagram(struct sip_request *request, const struct sip_flow *flow)
{
	drop_datagram(request);
	request->datagram = calloc(1, sizeof(*flow));
	if (request->datagram)
		*request->datagram = *flow;
}

static int transmit(struct sip_request *request, const struct sip_flow *flow)
{
	struct sip_flow stream;
	struct text text;
	int err = print(&text, request, flow);

	if (err)
		return err;
	if (!sip_request_stream(&stream, request->stack, flow, text.len))
		return send_text(request, flow, &text);
	if (transmit_by(request, &stream))
		return transmit_by(request, flow);
	keep_datagram(request, flow);
	return 0;
}

/*
 * After a failure: by UDP what went by TCP for its size alone (but not if there was no answer: it
 * was read), else to the next place that was located. False: there is no other way.
 */
static bool try_next(struct sip_request *request, int err)
{
	struct sip_flow *datagram = request->datagram;
	bool sent;

	if (request->settled)
		return false;
	request->datagram = NULL;
	sent = datagram && err && err != -ETIMEDOUT && transmit_by(request, datagram) == 0;
	free(datagram);
	if (sent)
		return true;
	while (request->rest_at < request->rest_count)
		if (transmit(request, &request->rest[request->rest_at++]) == 0)
			return true;
	return false;
}

static void keep_rest(struct sip_request *request, const struct sip_flow *flows, size_t count)
{
	if (count < 2)
		return;
	request->rest = calloc(count, sizeof(*flows));
	if (!request->rest)
		return; /* the first one will have to do */

	memcpy(request->rest, flows, count * sizeof(*flows));
	request->rest_at = 1;
	request->rest_count = count;
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct sip_request *request = arg;

	request->locate = NULL;
	if (!err) {
		keep_rest(request, flows, count);
		err = transmit(request, &flows[0]);
		if (err && try_next(request, err))
			err = 0;
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

struct sip_flow sip_request_flow(const struct sip_request *request)
{
	return request->by;
}

struct sip_sent sip_request_sent(const struct sip_request *request)
{
	return sip_client_sent(request->client);
}

struct slice sip_request_credentials(const struct sip_request *request)
{
	return request && request->credentials ? slice_of(request->credentials) : (struct slice){0};
}

int sip_request_cancel(struct sip_request *request, struct slice headers)
{
	request->settled = true;
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
	free(request->rest);
	free(request->text);
	free(request->credentials);
	drop_datagram(request);
	free(request);
}

void sip_request_free_all(struct sip_stack *stack)
{
	list_each(link, &stack->requests)
		sip_request_free(container_of(link, struct sip_request, link));
}
