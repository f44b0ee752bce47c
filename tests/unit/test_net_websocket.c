/*
 * core/net: a WebSocket over the simulated world's TCP, which cuts bytes anywhere and in which 25 s
 * take no time. The far end is bytes that the test says; its hand for the handshake is upgrade's.
 */
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/net/upgrade.h"
#include "core/net/websocket.h"
#include "tests/unit/scarce.h"
#include "tests/unit/web_far.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LIMIT_S = 60, ROOM = 200000 };

struct stage {
	struct world *world;
	struct loop *loop;
	struct tcp_listener *listener;
	struct addr at;
	struct tcp *far;    /* of plain TCP */
	uint8_t said[ROOM]; /* by us, as it came there */
	size_t said_len;
	size_t far_closes;
	struct tcp *near;
	char heard[ROOM]; /* messages, "[...]" each */
	size_t heard_len;
	size_t messages, connects, closes;
	int err;
	char words[FAULT_SIZE];
	char frees_at;     /* the event at which it is freed */
	const char *reply; /* what it says to a message */
};

static void far_received(void *arg, struct slice bytes)
{
	struct stage *stage = arg;

	assert_true(stage->said_len + bytes.len <= ROOM);
	memcpy(stage->said + stage->said_len, bytes.data, bytes.len);
	stage->said_len += bytes.len;
}

static void far_closed(void *arg, int err)
{
	(void)err;
	((struct stage *)arg)->far_closes++;
}

static void accepted(void *arg, struct tcp *tcp)
{
	static const struct tcp_events events = {NULL, far_received, far_closed};
	struct stage *stage = arg;

	assert_null(stage->far);
	stage->far = tcp;
	tcp_start(tcp, &events, stage);
}

static void act(struct stage *stage, char what)
{
	if (stage->frees_at != what)
		return;
	tcp_free(stage->near);
	stage->near = NULL;
}

static void connected(void *arg)
{
	((struct stage *)arg)->connects++;
	act(arg, 'c');
}

static void received(void *arg, struct slice bytes)
{
	struct stage *stage = arg;

	assert_true(stage->heard_len + bytes.len + 2 < ROOM);
	stage->heard[stage->heard_len++] = '[';
	if (bytes.len > 0) /* what is empty may be NULL */
		memcpy(stage->heard + stage->heard_len, bytes.data, bytes.len);
	stage->heard_len += bytes.len;
	stage->heard[stage->heard_len++] = ']';
	stage->messages++;
	if (stage->reply)
		assert_int_equal(tcp_send(stage->near, slice_of(stage->reply)), 0);
	act(stage, 'r');
}

static void closed(void *arg, int err)
{
	struct stage *stage = arg;

	stage->err = err;
	stage->closes++;
	snprintf(stage->words, sizeof(stage->words), "%s", websocket_words(stage->near));
	act(stage, 'x');
}

static const struct tcp_events events = {connected, received, closed};

static int set_up(void **state)
{
	const struct world_config config = {.seed = 7};
	struct addr host = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
	const struct addr local = {ADDR_IPV4, 80, 0, {127, 0, 0, 1}};
	struct stage *stage = calloc(1, sizeof(*stage));
	struct world_host *on;

	alarm(LIMIT_S);
	assert_non_null(stage);
	assert_int_equal(websocket_need(NULL), 0);
	assert_int_equal(world_new(&stage->world, &config), 0);
	assert_int_equal(world_host_new(&on, stage->world, &host), 0);
	assert_int_equal(world_loop_new(&stage->loop, on), 0);
	assert_int_equal(
		loop_tcp_listen(&stage->listener, stage->loop, &local, accepted, stage), 0);
	tcp_listener_local(&stage->at, stage->listener);
	*state = stage;
	return 0;
}

static void run_for(struct stage *stage, uint64_t ns)
{
	world_run(stage->world, world_now(stage->world) + ns);
}

/* Both ends are gone, and all that was heard is forgotten. */
static void drop(struct stage *stage)
{
	tcp_free(stage->near);
	tcp_free(stage->far);
	stage->near = stage->far = NULL;
	run_for(stage, NS_PER_S);
	stage->said_len = stage->far_closes = stage->heard_len = 0;
	stage->messages = stage->connects = stage->closes = 0;
	stage->err = 0;
	stage->words[0] = stage->frees_at = '\0';
	stage->reply = NULL;
}

/* Nothing is left behind. */
static int tear_down(void **state)
{
	struct stage *stage = *state;
	struct world_left left;

	allocations_left = SIZE_MAX;
	drop(stage);
	tcp_listener_free(stage->listener);
	run_for(stage, 600 * NS_PER_S);
	world_left(&left, stage->world);
	assert_int_equal(left.timers, 0);
	assert_int_equal(left.connections, 0);
	world_loop_free(stage->loop);
	world_free(stage->world);
	free(stage);
	alarm(0);
	return 0;
}

static int try_connect(struct stage *stage)
{
	const struct websocket_config config = {
		.loop = stage->loop, .to = stage->at, .host = "pbx.test", .path = "/ws"};

	return websocket_connect(&stage->near, &config, &events, stage);
}

static void far_says(struct stage *stage, const void *bytes, size_t len)
{
	assert_int_equal(tcp_send(stage->far, (struct slice){bytes, len}), 0);
}

/* The far end takes the question, and says more behind its answer. */
static void far_agrees(struct stage *stage, const void *more, size_t len)
{
	char room[1024];
	struct text text = TEXT_IN(room);

	web_far_agree(&text, (struct slice){stage->said, stage->said_len});
	assert_true(text.len > 0);
	text_put(&text, (struct slice){more, len});
	assert_false(text.cut);
	far_says(stage, room, text.len);
}

static void open_pair(struct stage *stage)
{
	assert_int_equal(try_connect(stage), 0);
	run_for(stage, NS_PER_S);
	far_agrees(stage, "", 0);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->connects, 1);
	assert_int_equal(stage->closes, 0);
	stage->said_len = 0;
}

/* The next frame that came from us: unmasked into out, its opcode; -1: there is none. */
static int next_frame(struct slice *out, struct stage *stage, size_t *at)
{
	uint8_t *p = stage->said + *at;
	size_t head = 2, len;
	uint8_t *mask;

	if (stage->said_len - *at < 2)
		return -1;
	assert_true(p[0] & 0x80); /* whole */
	assert_true(p[1] & 0x80); /* masked (section 5.1) */
	len = p[1] & 0x7f;
	if (len == 126) {
		len = be16_get(p + 2);
		head = 4;
	} else if (len == 127) {
		assert_int_equal(be32_get(p + 2), 0);
		len = be32_get(p + 6);
		head = 10;
	}
	mask = p + head;
	assert_true(*at + head + 4 + len <= stage->said_len);
	for (size_t i = 0; i < len; i++)
		mask[4 + i] ^= mask[i % 4];
	*out = (struct slice){mask + 4, len};
	*at += head + 4 + len;
	return p[0] & 0xf;
}

static void test_messages_go_both_ways(void **state)
{
	struct stage *stage = *state;
	struct slice bytes;
	size_t at = 0;

	assert_int_equal(try_connect(stage), 0);
	assert_int_equal(tcp_send(stage->near, slice_of("one")), 0); /* it waits */
	assert_int_equal(tcp_send(stage->near, slice_of("t\xc3\xbcwo")), 0);
	assert_int_equal(tcp_send(stage->near, slice_of("th\xffree")), 0);
	run_for(stage, NS_PER_S);
	assert_non_null(memmem(stage->said, stage->said_len, "GET /ws HTTP/1.1\r\n", 18));
	assert_null(memmem(stage->said, stage->said_len, "one", 3));
	assert_int_equal(stage->connects, 0);
	at = stage->said_len;
	far_agrees(stage, "\x81\x02hi", 4); /* with the very answer */
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->connects, 1);
	assert_memory_equal(stage->heard, "[hi]", 4);
	assert_int_equal(next_frame(&bytes, stage, &at), 1);
	assert_true(slice_is(bytes, "one"));
	assert_int_equal(next_frame(&bytes, stage, &at), 1);
	assert_true(slice_is(bytes, "t\xc3\xbcwo"));
	assert_int_equal(next_frame(&bytes, stage, &at), 2); /* it is no text */
	assert_true(slice_is(bytes, "th\xffree"));
	assert_int_equal(next_frame(&bytes, stage, &at), -1);
}

/* The answer and the frame behind it may be cut anywhere, and so may what comes before it. */
static void test_an_answer_in_pieces(void **state)
{
	struct stage *stage = *state;
	size_t len = 2;

	for (size_t cut = 1; cut < len; cut++) {
		char room[1024];
		struct text text = TEXT_IN(room);

		assert_int_equal(try_connect(stage), 0);
		run_for(stage, NS_PER_S);
		text_puts(&text, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\na: b\r\n\r\n");
		web_far_agree(&text, (struct slice){stage->said, stage->said_len});
		text_puts(&text, "\x81\x02hi");
		len = text.len;
		far_says(stage, room, cut);
		run_for(stage, NS_PER_S);
		far_says(stage, room + cut, len - cut);
		run_for(stage, NS_PER_S);
		assert_int_equal(stage->connects, 1);
		assert_int_equal(stage->heard_len, 4);
		assert_memory_equal(stage->heard, "[hi]", 4);
		drop(stage);
	}
}

/* No two masks are alike, and none is nothing. */
static void test_each_frame_has_a_mask_of_its_own(void **state)
{
	struct stage *stage = *state;
	uint8_t masks[8][4];

	open_pair(stage);
	for (size_t i = 0; i < 8; i++) {
		stage->said_len = 0;
		assert_int_equal(tcp_send(stage->near, slice_of("x")), 0);
		run_for(stage, NS_PER_S);
		assert_int_equal(stage->said_len, 7);
		memcpy(masks[i], stage->said + 2, 4);
		assert_memory_not_equal(masks[i], "\0\0\0\0", 4);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(masks[i], masks[j], 4);
	}
}

static void test_what_the_far_end_says(void **state)
{
	static const struct {
		const char *said;
		size_t len;
		const char *heard;
		int pongs;
		int err; /* 1: it goes on */
		const char *words;
	} rows[] = {
		{"\x81\x03one\x82\x03two", 10, "[one][two]", 0, 1, ""},
		{"\x81\x00", 2, "[]", 0, 1, ""},
		/* fragments, and what may stand between them */
		{"\x01\x02he\x00\x01l\x80\x02lo", 11, "[hello]", 0, 1, ""},
		{"\x01\x02he\x89\x01x\x80\x03llo", 12, "[hello]", 1, 1, ""},
		{"\x89\x00\x8a\x00\x89\x02yo", 8, "", 2, 1, ""},
		/* goodbyes */
		{"\x88\x00", 2, "", 0, 0, ""},
		{"\x88\x02\x03\xe8", 4, "", 0, 0, ""},
		{"\x88\x02\x03\xe9\x81\x01x", 7, "", 0, 0, ""},
		{"\x88\x0a\x03\xf0go away\x1b", 12, "", 0, -EPROTO,
			"pbx.test has closed the WebSocket: 1008 go away\\x1b"},
		/* what is against the rules */
		{"\x81\x81\0\0\0\0x", 7, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\x83\x01x", 3, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\xc1\x01x", 3, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\x80\x01x", 3, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\x01\x01x\x01\x01x", 6, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\x09\x00", 2, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\x89\x7e\x00\x7e", 4, "", 0, -EPROTO, "not in WebSocket's frames"},
		{"\x81\x01\xff", 3, "", 0, -EPROTO, "it sent text that is none"},
		{"\x82\x7f\0\0\0\0\0\1\0\1x", 11, "", 0, -EMSGSIZE, "more than 64 KiB"},
		{"\x02\x01x\x80\x7f\0\0\0\0\0\1\0\0x", 14, "", 0, -EMSGSIZE, "more than 64 KiB"},
		{"\x82\x7f\x80\0\0\0\0\0\0\0", 10, "", 0, -EPROTO, "not in WebSocket's"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage *stage = *state;
		struct slice frame;
		size_t at = 0;
		int pongs = 0, byes = 0, opcode;

		open_pair(stage);
		far_says(stage, rows[i].said, rows[i].len);
		run_for(stage, NS_PER_S);
		stage->heard[stage->heard_len] = '\0';
		while ((opcode = next_frame(&frame, stage, &at)) >= 0) {
			pongs += opcode == 10;
			byes += opcode == 8;
		}
		if (strcmp(stage->heard, rows[i].heard) != 0 || pongs != rows[i].pongs ||
			stage->closes != (rows[i].err != 1) || byes != (rows[i].err != 1) ||
			(stage->closes && stage->err != rows[i].err) ||
			!strstr(stage->words, rows[i].words))
			fail_msg("row %zu: %s, %d pongs, %d byes, %d, %s", i, stage->heard, pongs,
				byes, stage->err, stage->words);
		if (stage->closes)
			assert_int_equal(tcp_send(stage->near, slice_of("x")), -EPIPE);
		drop(stage);
	}
}

static void test_the_largest_message(void **state)
{
	struct stage *stage = *state;
	static uint8_t bytes[WEBSOCKET_MESSAGE_MAX + 10] = "\x82\x7f\0\0\0\0\0\1\0\0";

	open_pair(stage);
	memset(bytes + 10, 'x', WEBSOCKET_MESSAGE_MAX);
	far_says(stage, bytes, sizeof(bytes));
	run_for(stage, 10 * NS_PER_S);
	assert_int_equal(stage->messages, 1);
	assert_int_equal(stage->heard_len, WEBSOCKET_MESSAGE_MAX + 2);
	stage->said_len = 0;
	assert_int_equal(
		tcp_send(stage->near, (struct slice){bytes + 10, WEBSOCKET_MESSAGE_MAX}), 0);
	run_for(stage, 10 * NS_PER_S);
	assert_int_equal(stage->said_len, WEBSOCKET_MESSAGE_MAX + 14);
}

static void test_who_does_not_agree(void **state)
{
	static char endless[UPGRADE_ANSWER_MAX + 1];
	const struct {
		const char *said; /* NULL: it closes */
		int err;
		const char *words;
	} rows[] = {
		{"HTTP/1.1 404 Not Found\r\n\r\n", -EPROTO, "it answers 404 Not Found"},
		{"SIP/2.0 400 Bad\r\n\r\n", -EPROTO,
			"no WebSocket with pbx.test: it speaks no HTTP"},
		{"HTTP/1.1 100 x\r\n\r\n", -ETIMEDOUT, "it took the connection, and says nothing"},
		{"HTTP/1.1 101 x\r\n", -ETIMEDOUT, "it took the connection, and says nothing"},
		{"", -ETIMEDOUT, "it took the connection, and says nothing"},
		{NULL, -EPROTO, "it closed the connection without an answer"},
		{endless, -EPROTO, "its answer has no end"},
	};

	memset(endless, 'x', sizeof(endless) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage *stage = *state;

		assert_int_equal(try_connect(stage), 0);
		run_for(stage, NS_PER_S);
		if (rows[i].said) {
			far_says(stage, rows[i].said, strlen(rows[i].said));
		} else {
			tcp_free(stage->far);
			stage->far = NULL;
		}
		run_for(stage, 3 * NS_PER_S);
		assert_int_equal(stage->closes, rows[i].err != -ETIMEDOUT);
		if (!stage->closes)
			assert_non_null(strstr(websocket_words(stage->near), rows[i].words));
		run_for(stage, 3 * NS_PER_S);
		assert_int_equal(stage->closes, 1);
		assert_int_equal(stage->connects, 0);
		assert_int_equal(stage->err, rows[i].err);
		if (!strstr(stage->words, rows[i].words))
			fail_msg("row %zu: %s", i, stage->words);
		drop(stage);
	}
}

static void test_nobody_is_there(void **state)
{
	struct stage *stage = *state;

	stage->at.port = 9;
	assert_int_equal(try_connect(stage), 0);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->err, -ECONNREFUSED);
	assert_string_equal(stage->words, "");
}

/* Who is freed says goodbye if it stands, whatever event it is in; and then hears nothing more. */
static void test_it_is_freed_by_its_event(void **state)
{
	static const char when[] = {'c', 'r', 'x'};

	for (size_t i = 0; i < sizeof(when); i++) {
		struct stage *stage = *state;
		size_t at = 0;
		struct slice frame;

		assert_int_equal(try_connect(stage), 0);
		stage->frees_at = when[i];
		run_for(stage, NS_PER_S);
		at = stage->said_len;
		far_agrees(stage, "\x81\x01x\x81\x01y\x88\x00", 8);
		run_for(stage, NS_PER_S);
		assert_null(stage->near);
		assert_int_equal(stage->messages, i);
		assert_int_equal(stage->far_closes, 1);
		assert_int_equal(next_frame(&frame, stage, &at), 8);
		assert_int_equal(next_frame(&frame, stage, &at), -1);
		drop(stage);
	}
}

/* From within an event, as a SIP transaction answers. */
static void test_it_answers_at_once(void **state)
{
	struct stage *stage = *state;
	struct slice frame;
	size_t at = 0;

	open_pair(stage);
	stage->reply = "yes";
	far_says(stage, "\x81\x01x\x89\x01z\x81\x01y", 9);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->messages, 2);
	for (size_t i = 0, answers = 0; i < 3; i++) {
		int opcode = next_frame(&frame, stage, &at);

		answers += opcode == 1;
		assert_true(opcode == 10 || (opcode == 1 && slice_is(frame, "yes")));
		assert_true(i < 2 || answers == 2);
	}
}

/* Whoever is between may forget a connection that is silent for a minute. */
static void test_it_pings(void **state)
{
	struct stage *stage = *state;
	struct slice frame;
	size_t at = 0;

	open_pair(stage);
	run_for(stage, 24 * NS_PER_S);
	assert_int_equal(stage->said_len, 0);
	run_for(stage, 30 * NS_PER_S);
	assert_int_equal(next_frame(&frame, stage, &at), 9);
	assert_int_equal(next_frame(&frame, stage, &at), 9);
	assert_int_equal(next_frame(&frame, stage, &at), -1);
	assert_int_equal(stage->closes, 0);
}

static void test_what_waits_is_capped(void **state)
{
	struct stage *stage = *state;
	uint8_t *bytes = calloc(1, TCP_UNSENT_MAX + 1);

	assert_int_equal(try_connect(stage), 0);
	assert_int_equal(
		tcp_send(stage->near, (struct slice){bytes, TCP_UNSENT_MAX + 1}), -ENOBUFS);
	assert_int_equal(tcp_send(stage->near, (struct slice){bytes, TCP_UNSENT_MAX}), 0);
	assert_int_equal(tcp_send(stage->near, (struct slice){bytes, 1}), -ENOBUFS);
	free(bytes);
}

static void test_memory_may_be_short(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0;; i++) {
		int err;

		allocations_left = i;
		err = try_connect(stage);
		allocations_left = SIZE_MAX;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_true(i < 10);
	}
	run_for(stage, NS_PER_S);
	far_agrees(stage, "", 0);
	run_for(stage, NS_PER_S);
	assert_int_equal(stage->connects, 1);
	allocations_left = 0;
	assert_int_equal(tcp_send(stage->near, slice_of("x")), -ENOMEM);
	allocations_left = SIZE_MAX;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages_go_both_ways),
		TEST(test_an_answer_in_pieces),
		TEST(test_each_frame_has_a_mask_of_its_own),
		TEST(test_what_the_far_end_says),
		TEST(test_the_largest_message),
		TEST(test_who_does_not_agree),
		TEST(test_nobody_is_there),
		TEST(test_it_is_freed_by_its_event),
		TEST(test_it_answers_at_once),
		TEST(test_it_pings),
		TEST(test_what_waits_is_capped),
		TEST(test_memory_may_be_short),
	};

	return cmocka_run_group_tests_name("net/websocket", tests, NULL, NULL);
}
