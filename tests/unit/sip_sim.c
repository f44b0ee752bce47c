#include "tests/unit/sip_sim.h"

#include "core/base/text.h"
#include "core/sip/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse_port(&addr, slice_of(text)), 0);
	return addr;
}

static void on_request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	struct sim_end *end = arg;

	(void)msg;
	end->server = server;
	if (end->status)
		sip_server_respond(server, &(struct sip_response){.status = end->status});
}

static void on_trace(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	struct sim_end *end = arg;
	bool tcp = kind == SIP_TCP;

	(void)local;
	(void)remote;
	if (sent && end->first_len == 0)
		end->first_len = bytes.len;
	if (sent)
		end->sent[tcp]++;
	else
		end->received[tcp]++;
}

static void open_end(struct sim_end *end, struct loop *loop, const char *at, bool tcp)
{
	static const struct sip_stack_events events = {.request = on_request, .trace = on_trace};
	struct sip_stack_config config = {.loop = loop,
		.user_agent = "test",
		.allow = "INVITE, ACK, BYE, CANCEL, OPTIONS",
		.accept = "application/sdp",
		.events = &events,
		.arg = end};
	struct addr local = addr_of(at);

	end->status = 200;
	assert_int_equal(sip_stack_new(&end->stack, &config), 0);
	assert_int_equal(sip_stack_listen(NULL, end->stack, SIP_UDP, &local), 0);
	if (tcp)
		assert_int_equal(sip_stack_listen(NULL, end->stack, SIP_TCP, &local), 0);
	assert_true(sip_stack_listens(end->stack, SIP_TCP, local.family) == tcp);
	assert_false(sip_stack_listens(
		end->stack, SIP_TCP, local.family == ADDR_IPV4 ? ADDR_IPV6 : ADDR_IPV4));
}

void sim_move(struct sim_end *end, struct loop *loop, const char *at)
{
	sip_stack_free(end->stack);
	open_end(end, loop, at, true);
}

void sim_open(struct sim *sim, bool tcp)
{
	*sim = (struct sim){0};
	sim->play = calloc(1, sizeof(*sim->play));
	assert_non_null(sim->play);
	play_open(sim->play, 1);
	open_end(&sim->a, sim->play->loops[0][0], "192.0.2.1:5060", true);
	open_end(&sim->b, sim->play->loops[1][0], "192.0.2.2:5060", tcp);
}

void sim_close(struct sim *sim)
{
	sip_stack_free(sim->a.stack);
	sip_stack_free(sim->b.stack);
	tcp_free(sim->raw.tcp);
	tcp_listener_free(sim->raw.listener);
	play_run(sim->play, 200 * NS_PER_S);
	play_close(sim->play);
	free(sim->play);
}

void sim_run_ms(struct sim *sim, uint64_t ms)
{
	play_run(sim->play, ms * NS_PER_MS);
}

static void on_response(void *arg, const struct sip_msg *response)
{
	struct sim_end *end = arg;
	size_t at = strlen(end->log);

	snprintf(end->log + at, sizeof(end->log) - at, "%u ", response->status);
}

static void on_ended(void *arg, int err, const struct fault *why)
{
	struct sim_end *end = arg;
	size_t at = strlen(end->log);

	(void)why;
	snprintf(end->log + at, sizeof(end->log) - at, "ended(%d) ", err);
}

static const struct sip_request_events request_events = {
	.response = on_response, .ended = on_ended};

static int send_options(struct sip_request **out, struct sim *sim, const char *uri, size_t body)
{
	static uint8_t bytes[4096];
	struct sip_request_config config = {.method = SIP_OPTIONS,
		.uri = slice_of(uri),
		.cseq = 1,
		.headers = slice_of("From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:b@192.0.2.2>\r\n"
				    "Call-ID: x\r\n"),
		.content_type = "text/plain",
		.body = {bytes, body}};

	memset(bytes, 'x', sizeof(bytes));
	sim->a.log[0] = '\0';
	sim->a.first_len = 0;
	return sip_request_send(out, sim->a.stack, &config, &request_events, &sim->a);
}

void sim_options(struct sim *sim, const char *uri, size_t body)
{
	struct sip_request *request;

	assert_int_equal(send_options(&request, sim, uri, body), 0);
	sim_run_ms(sim, 40000);
	sip_request_free(request);
}

void sim_try_options(struct sim *sim, const char *uri, size_t body, size_t allowed)
{
	struct sip_request *request = NULL;

	play_fails_once = true;
	play_allocations = allowed;
	if (send_options(&request, sim, uri, body))
		return;
	sim_run_ms(sim, 40000);
	assert_true(strlen(sim->a.log) > 0);
	sip_request_free(request);
}

static void raw_received(void *arg, struct slice bytes)
{
	struct sim_raw *raw = arg;

	assert_true(strlen(raw->got) + bytes.len < sizeof(raw->got));
	strncat(raw->got, (const char *)bytes.data, bytes.len);
	if (raw->hang_up) {
		raw->hang_up = false;
		tcp_free(raw->tcp);
		raw->tcp = NULL;
	}
}

static void raw_closed(void *arg, int err)
{
	struct sim_raw *raw = arg;

	(void)err;
	raw->closed++;
	tcp_free(raw->tcp);
	raw->tcp = NULL;
}

static void raw_connected(void *arg)
{
	(void)arg;
}

static const struct tcp_events raw_events = {raw_connected, raw_received, raw_closed};

static void raw_accepted(void *arg, struct tcp *tcp)
{
	struct sim_raw *raw = arg;

	tcp_free(raw->tcp);
	raw->tcp = tcp;
	raw->accepted++;
	tcp_start(tcp, &raw_events, raw);
}

void sim_listen(struct sim *sim, const char *at)
{
	struct addr local = addr_of(at);

	assert_int_equal(loop_tcp_listen(&sim->raw.listener, sim->play->loops[2][0], &local,
				 raw_accepted, &sim->raw),
		0);
}

void sim_connect(struct sim *sim, const char *to)
{
	struct addr remote = addr_of(to);

	assert_int_equal(loop_tcp_connect(&sim->raw.tcp, sim->play->loops[2][0], &(struct addr){0},
				 &remote, &raw_events, &sim->raw),
		0);
}
