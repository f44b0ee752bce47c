/*
 * core/sip: a stack that reaches servers by WebSocket, in the simulated world: what it says of
 * itself, by which connections its messages go and come, and how long these stay.
 */
#include "core/base/text.h"
#include "core/sip/locate.h"
#include "core/sip/request.h"
#include "core/sip/stack.h"
#include "tests/unit/sim_play.h"
#include "tests/unit/web_far.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LINKS_MAX = 4, ROOM = 8192 };

/* A connection at the server: the answer to its question goes out by itself. */
struct link {
	struct stage *stage;
	struct tcp *tcp;
	uint8_t got[ROOM];
	size_t got_len;
	bool agreed;
	bool over;
	char path[64];
};

struct stage {
	struct play *play;
	struct sip_stack *stack;
	struct sip_request *request;
	struct tcp_listener *listener;
	struct link links[LINKS_MAX];
	size_t link_count;
	char messages[ROOM]; /* all that came, unmasked, "\n" behind each */
	size_t frames;
	char log[256];
};

static void answer(struct link *link, struct slice message)
{
	char via[128] = "";
	char room[1024], frame[1100];
	struct text text = TEXT_IN(room);
	const char *from = strstr((const char *)message.data, "Via: ");

	if (!slice_starts_nocase(message, "OPTIONS"))
		return;
	snprintf(via, sizeof(via), "%.*s", (int)strcspn(from, "\r"), from);
	text_printf(&text,
		"SIP/2.0 200 OK\r\n%s\r\nFrom: <sip:a@b>;tag=a\r\nTo: <sip:a@b>;tag=b\r\n"
		"Call-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
		via);
	assert_true(text.len > 125);
	frame[0] = '\x81';
	frame[1] = 126;
	be16_put((uint8_t *)frame + 2, (uint16_t)text.len);
	memcpy(frame + 4, room, text.len);
	assert_int_equal(
		tcp_send(link->tcp, (struct slice){(const uint8_t *)frame, text.len + 4}), 0);
}

/* One frame off what has come; false: there is none that is whole. */
static bool take_frame(struct link *link)
{
	struct stage *stage = link->stage;
	uint8_t *p = link->got;
	size_t head = 2, len, at = strlen(stage->messages);

	if (link->got_len < 4)
		return false;
	len = p[1] & 0x7f;
	if (len == 126) {
		len = be16_get(p + 2);
		head = 4;
	}
	if (link->got_len < head + 4 + len)
		return false;
	for (size_t i = 0; i < len; i++)
		p[head + 4 + i] ^= p[head + i % 4];
	if ((p[0] & 0xf) == 1) {
		stage->frames++;
		snprintf(stage->messages + at, ROOM - at, "%.*s\n", (int)len,
			(const char *)p + head + 4);
		answer(link, slice_of(stage->messages + at));
	}
	link->got_len -= head + 4 + len;
	memmove(p, p + head + 4 + len, link->got_len);
	return true;
}

static void link_received(void *arg, struct slice bytes)
{
	struct link *link = arg;
	char room[1024];
	struct text agreement = TEXT_IN(room);

	assert_true(link->got_len + bytes.len <= ROOM);
	memcpy(link->got + link->got_len, bytes.data, bytes.len);
	link->got_len += bytes.len;
	if (!link->agreed) {
		if (!memmem(link->got, link->got_len, "\r\n\r\n", 4))
			return;
		sscanf((const char *)link->got, "GET %63s", link->path);
		web_far_agree(&agreement, (struct slice){link->got, link->got_len});
		link->got_len = 0;
		link->agreed = true;
		assert_int_equal(tcp_send(link->tcp, text_slice(&agreement)), 0);
	}
	while (take_frame(link))
		;
}

static void link_closed(void *arg, int err)
{
	(void)err;
	((struct link *)arg)->over = true;
}

static void accepted(void *arg, struct tcp *tcp)
{
	static const struct tcp_events events = {NULL, link_received, link_closed};
	struct stage *stage = arg;
	struct link *link = &stage->links[stage->link_count++];

	assert_true(stage->link_count <= LINKS_MAX);
	link->stage = stage;
	link->tcp = tcp;
	tcp_start(tcp, &events, link);
}

static void on_request(void *arg, struct sip_server *server, const struct sip_msg *msg)
{
	(void)arg;
	(void)msg;
	sip_server_respond(server, &(struct sip_response){.status = 486});
}

static int set_up(void **state)
{
	static const struct sip_stack_events events = {.request = on_request};
	const struct addr at = {ADDR_IPV4, 80, 0, {192, 0, 2, 3}};
	struct stage *stage = calloc(1, sizeof(*stage));
	struct sip_stack_config config = {
		.user_agent = "test",
		.allow = "INVITE, ACK, BYE, CANCEL, OPTIONS",
		.accept = "application/sdp",
		.events = &events,
		.arg = stage,
	};

	assert_non_null(stage);
	stage->play = calloc(1, sizeof(*stage->play));
	play_open(stage->play, 1);
	config.loop = stage->play->loops[0][0];
	assert_int_equal(sip_stack_new(&stage->stack, &config), 0);
	assert_int_equal(
		loop_tcp_listen(&stage->listener, stage->play->loops[2][0], &at, accepted, stage),
		0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	sip_request_free(stage->request);
	sip_stack_free(stage->stack);
	for (size_t i = 0; i < stage->link_count; i++)
		tcp_free(stage->links[i].tcp);
	tcp_listener_free(stage->listener);
	play_run(stage->play, 200 * NS_PER_S);
	play_close(stage->play);
	free(stage->play);
	free(stage);
	return 0;
}

static void on_response(void *arg, const struct sip_msg *response)
{
	struct stage *stage = arg;
	size_t at = strlen(stage->log);

	snprintf(stage->log + at, sizeof(stage->log) - at, "%u ", response->status);
}

static void on_ended(void *arg, int err, const struct fault *why)
{
	struct stage *stage = arg;
	size_t at = strlen(stage->log);

	(void)why;
	snprintf(stage->log + at, sizeof(stage->log) - at, "ended(%d) ", err);
}

/* local: as somebody here has written it. */
static void ask_as(struct stage *stage, const char *text, bool local)
{
	static const struct sip_request_events events = {
		.response = on_response, .ended = on_ended};
	struct sip_request_config config = {
		.method = SIP_OPTIONS,
		.uri = slice_of(text),
		.cseq = 1,
		.headers = slice_of("From: <sip:a@b>;tag=a\r\nTo: <sip:a@b>\r\nCall-ID: x\r\n"),
	};
	struct sip_flow flow;
	struct sip_uri uri;

	assert_int_equal(sip_uri_parse(&uri, slice_of(text), NULL), 0);
	uri.local = local;
	assert_int_equal(sip_locate_now(&flow, stage->stack, &uri, NULL), 0);
	config.flow = &flow;
	sip_request_free(stage->request);
	assert_int_equal(
		sip_request_send(&stage->request, stage->stack, &config, &events, stage), 0);
	play_run(stage->play, NS_PER_S);
}

static void ask(struct stage *stage, const char *text)
{
	ask_as(stage, text, true);
}

static void test_a_message_in_each_frame(void **state)
{
	struct stage *stage = *state;
	char host[64];
	const char *via;

	ask(stage, "sip:192.0.2.3;transport=ws");
	assert_string_equal(stage->log, "200 ");
	assert_int_equal(stage->frames, 1);
	assert_string_equal(stage->links[0].path, "/");
	via = strstr(stage->messages, "Via: SIP/2.0/WS ");
	assert_non_null(via);
	assert_int_equal(sscanf(via, "Via: SIP/2.0/WS %63[^;];", host), 1);
	assert_int_equal(strlen(host), 16 + strlen(".invalid"));
	assert_string_equal(host + 16, ".invalid");

	/* it is the same ever after, and by the same connection */
	stage->messages[0] = '\0';
	ask(stage, "sip:192.0.2.3;transport=ws");
	assert_int_equal(stage->link_count, 1);
	assert_int_equal(stage->frames, 2);
	assert_non_null(strstr(stage->messages, host));
}

/* What needs no path goes by any; two paths are two servers. */
static void test_paths(void **state)
{
	static const struct {
		const char *uri, *path; /* NULL: by a connection that there is */
	} rows[] = {
		{"sip:192.0.2.3;transport=ws;ws-path=/a", "/a"},
		{"sip:192.0.2.3;transport=ws;ws-path=/b/c%3Fd%3De", "/b/c?d=e"},
		{"sip:192.0.2.3;transport=ws;ws-path=/a", NULL},
		{"sip:192.0.2.3;transport=ws", NULL}, {"sip:192.0.2.3:80;transport=ws;lr", NULL},
		{"sip:192.0.2.3;transport=ws;ws-path=a", NULL}, /* is none */
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t before = stage->link_count;

		ask(stage, rows[i].uri);
		assert_int_equal(stage->frames, i + 1);
		assert_int_equal(stage->link_count - before, rows[i].path ? 1 : 0);
		if (rows[i].path)
			assert_string_equal(stage->links[before].path, rows[i].path);
	}
}

/* Or it could have us ask anybody by HTTP for anything. */
static void test_a_far_end_says_no_path(void **state)
{
	struct stage *stage = *state;

	ask_as(stage, "sip:192.0.2.3;transport=ws;ws-path=/delete-all", false);
	assert_int_equal(stage->link_count, 1);
	assert_string_equal(stage->links[0].path, "/");
}

static void say(struct link *link, const char *message)
{
	char frame[1024];
	size_t len = strlen(message), head = len < 126 ? 2 : 4;

	frame[0] = '\x82';
	frame[1] = len < 126 ? (char)len : 126;
	if (len >= 126)
		be16_put((uint8_t *)frame + 2, (uint16_t)len);
	memcpy(frame + head, message, len);
	assert_int_equal(
		tcp_send(link->tcp, (struct slice){(const uint8_t *)frame, len + head}), 0);
	play_run(link->stage->play, NS_PER_S);
}

static void test_requests_come_by_it(void **state)
{
	struct stage *stage = *state;

	ask(stage, "sip:192.0.2.3;transport=ws");
	stage->messages[0] = '\0';
	say(&stage->links[0], "OPTIONS sip:a@x.invalid;transport=ws SIP/2.0\r\n"
			      "Via: SIP/2.0/WS 192.0.2.9:1;branch=z9hG4bKx\r\n"
			      "From: <sip:b@c>;tag=b\r\nTo: <sip:a@b>\r\nCall-ID: y\r\n"
			      "CSeq: 7 OPTIONS\r\nMax-Forwards: 7\r\n\r\n");
	assert_int_equal(strncmp(stage->messages, "SIP/2.0 486 ", 12), 0);
	assert_non_null(strstr(stage->messages, "Via: SIP/2.0/WS 192.0.2.9:1;branch=z9hG4bKx"));
	assert_int_equal(stage->link_count, 1);

	/* a sign of life, one that wants none, and garbage */
	stage->messages[0] = '\0';
	say(&stage->links[0], "\r\n\r\n");
	assert_string_equal(stage->messages, "\r\n\n");
	say(&stage->links[0], "\r\n");
	say(&stage->links[0], "");
	say(&stage->links[0], "garbage");
	assert_string_equal(stage->messages, "\r\n\n");
	assert_false(stage->links[0].over);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_in_each_frame),
		TEST(test_paths),
		TEST(test_a_far_end_says_no_path),
		TEST(test_requests_come_by_it),
	};

	return cmocka_run_group_tests_name("sip/web", tests, NULL, NULL);
}
