/*
 * core/net: TLS, and a WebSocket over it, on the real loop and by a bad way (torn.h): what is sent
 * arrives whole, or the connection ends and says why; and whose certificate is not good is told
 * apart from whom the network has let down. The far end is ours by TLS, and plain bytes within it.
 */
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"
#include "core/net/tls.h"
#include "core/net/websocket.h"
#include "tests/unit/torn.h"
#include "tests/unit/web_far.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	LIMIT_S = 60,
	PATH_SIZE = 256,
	MESSAGES = 6,
	MESSAGE_MAX = 6000,
	ROOM = 1 << 17,
	PLAYS = 8, /* of each kind */
};

static char folder[] = "/tmp/sipcall-torn-XXXXXX";

struct stage {
	struct loop *loop;
	struct tls *ours, *theirs;
	struct tcp_listener *listener;
	struct addr server, at; /* at: the beginning of the bad way there */
	struct torn *torn;
	struct timer limit;
	bool web;

	struct tcp *far;    /* sends back what comes */
	uint8_t held[ROOM]; /* of a WebSocket: what is no whole frame yet */
	size_t held_len;
	bool agreed;

	struct tcp *near;
	size_t sizes[MESSAGES], total;
	size_t came, messages;
	size_t connects, closes;
	bool wrong, late;
	int err;
	char words[FAULT_SIZE];
};

static uint8_t byte_at(size_t place)
{
	return (uint8_t)('a' + place % 23); /* text */
}

/* One frame, or the question, off what is held; false: it is not whole. */
static bool send_back(struct stage *stage)
{
	uint8_t *p = stage->held;
	char room[1024];
	struct text agreement = TEXT_IN(room);
	size_t head = 2, len;

	if (!stage->agreed) {
		uint8_t *end = memmem(p, stage->held_len, "\r\n\r\n", 4);

		if (!end)
			return false;
		web_far_agree(&agreement, (struct slice){p, stage->held_len});
		stage->agreed = true;
		stage->held_len = 0;
		(void)tcp_send(stage->far, text_slice(&agreement));
		return true;
	}
	if (stage->held_len < 4)
		return false;
	len = p[1] & 0x7f;
	if (len == 126) {
		len = be16_get(p + 2);
		head = 4;
	}
	if (stage->held_len < head + 4 + len)
		return false;
	for (size_t i = 0; i < len; i++)
		p[head + 4 + i] ^= p[head + i % 4];
	p[1] &= 0x7f;
	if ((p[0] & 0xf) <= 2) {
		(void)tcp_send(stage->far, (struct slice){p, head});
		(void)tcp_send(stage->far, (struct slice){p + head + 4, len});
	}
	stage->held_len -= head + 4 + len;
	memmove(p, p + head + 4 + len, stage->held_len);
	return true;
}

static void far_received(void *arg, struct slice bytes)
{
	struct stage *stage = arg;

	if (!stage->web) {
		(void)tcp_send(stage->far, bytes);
		return;
	}
	assert_true(bytes.len <= ROOM - stage->held_len);
	memcpy(stage->held + stage->held_len, bytes.data, bytes.len);
	stage->held_len += bytes.len;
	while (send_back(stage))
		;
}

static void far_closed(void *arg, int err)
{
	struct stage *stage = arg;

	(void)err;
	tcp_free(stage->far);
	stage->far = NULL;
}

static void accepted(void *arg, struct tcp *tcp)
{
	static const struct tcp_events events = {NULL, far_received, far_closed};
	struct stage *stage = arg;

	assert_null(stage->far);
	if (tls_accept(&stage->far, stage->theirs, stage->loop, tcp) == 0)
		tcp_start(stage->far, &events, stage);
}

static void send_all(struct stage *stage)
{
	uint8_t bytes[MESSAGE_MAX];
	size_t place = 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		for (size_t j = 0; j < stage->sizes[i]; j++)
			bytes[j] = byte_at(place++);
		(void)tcp_send(stage->near, (struct slice){bytes, stage->sizes[i]});
	}
}

static void connected(void *arg)
{
	struct stage *stage = arg;

	stage->connects++;
	send_all(stage);
}

static void received(void *arg, struct slice bytes)
{
	struct stage *stage = arg;

	stage->wrong |= stage->closes > 0 || bytes.len > stage->total - stage->came;
	/* a message is one that was sent, from its first byte to its last */
	stage->wrong |= stage->web &&
			(stage->messages == MESSAGES || bytes.len != stage->sizes[stage->messages]);
	for (size_t i = 0; i < bytes.len && !stage->wrong; i++)
		stage->wrong |= bytes.data[i] != byte_at(stage->came + i);
	stage->came += bytes.len;
	stage->messages++;
	if (stage->came == stage->total || stage->wrong)
		loop_uv_stop(stage->loop);
}

static void closed(void *arg, int err)
{
	struct stage *stage = arg;

	stage->closes++;
	stage->err = err;
	snprintf(stage->words, sizeof(stage->words), "%s",
		stage->web ? websocket_words(stage->near) : tls_words(stage->near));
	loop_uv_stop(stage->loop);
}

static void be_late(void *arg)
{
	struct stage *stage = arg;

	stage->late = true;
	loop_uv_stop(stage->loop);
}

static int make(struct tls **out, const char *authority, const char *certificate)
{
	char rooms[3][PATH_SIZE];
	struct tls_config config = {0};

	snprintf(rooms[0], PATH_SIZE, "%s/%s.pem", folder, authority ? authority : "");
	snprintf(rooms[1], PATH_SIZE, "%s/%s.pem", folder, certificate ? certificate : "");
	snprintf(rooms[2], PATH_SIZE, "%s/%s.key", folder, certificate ? certificate : "");
	config.ca_file = authority ? rooms[0] : NULL;
	config.certificate = certificate ? rooms[1] : NULL;
	config.key = certificate ? rooms[2] : NULL;
	return tls_new(out, &config, NULL);
}

static int begin(struct stage *stage, const char *host)
{
	static const struct tcp_events events = {connected, received, closed};
	const struct addr any = {0};

	if (stage->web)
		return websocket_connect(&stage->near,
			&(struct websocket_config){.loop = stage->loop,
				.tls = stage->ours,
				.to = stage->at,
				.host = host,
				.path = "/"},
			&events, stage);
	return tls_connect(
		&stage->near, stage->ours, stage->loop, &any, &stage->at, host, &events, stage);
}

/* One connection to host, with that certificate there, by a way as config says. */
static void play(struct stage *stage, bool web, struct torn_config config, const char *certificate,
	const char *host)
{
	const struct addr local = {ADDR_IPV4, 0, 0, {127, 0, 0, 1}};
	struct random random;

	*stage = (struct stage){.web = web};
	random_init(&random, random_derive(config.seed, 1));
	for (size_t i = 0; i < MESSAGES; i++) {
		stage->sizes[i] = 1 + (size_t)random_below(&random, MESSAGE_MAX);
		stage->total += stage->sizes[i];
	}
	assert_int_equal(loop_uv_new(&stage->loop), 0);
	timer_init(&stage->limit, stage->loop, be_late, stage);
	assert_int_equal(make(&stage->ours, "ca", NULL), 0);
	assert_int_equal(make(&stage->theirs, NULL, certificate), 0);
	assert_int_equal(
		loop_tcp_listen(&stage->listener, stage->loop, &local, accepted, stage), 0);
	tcp_listener_local(&stage->server, stage->listener);
	config.to = stage->server;
	assert_int_equal(torn_new(&stage->torn, stage->loop, &config, &stage->at), 0);
	assert_int_equal(begin(stage, host), 0);
	timer_start_in(&stage->limit, 10 * NS_PER_S);
	loop_uv_run(stage->loop);

	timer_stop(&stage->limit);
	tcp_free(stage->near);
	tcp_free(stage->far);
	torn_free(stage->torn);
	tcp_listener_free(stage->listener);
	tls_free(stage->ours);
	tls_free(stage->theirs);
	loop_uv_free(stage->loop);
	if (stage->wrong || stage->late)
		fail_msg("seed %llu: %s", (unsigned long long)config.seed,
			stage->late ? "neither end has come" : "what came was not what was sent");
}

static void test_what_is_held_back_and_cut_arrives_whole(void **state)
{
	struct stage *stage = *state;

	for (uint64_t i = 0; i < PLAYS; i++) {
		play(stage, i % 2, (struct torn_config){.seed = i}, "good", "localhost");
		assert_int_equal(stage->connects, 1);
		assert_int_equal(stage->closes, 0);
		assert_int_equal(stage->came, stage->total);
	}
}

/* At any byte: of the handshake of TLS, of that of HTTP, of a frame's head, of a message. */
static void test_what_breaks_is_told(void **state)
{
	struct stage *stage = *state;
	size_t early = 0, late = 0;
	struct random random;

	random_init(&random, 42);
	for (uint64_t i = 0; i < 2 * PLAYS; i++) {
		uint64_t most = i % 4 < 2 ? 2500 : 12000; /* a handshake takes about 2,000 */
		struct torn_config config = {.seed = i, .cut_at = 1 + random_below(&random, most)};

		play(stage, i % 2, config, "good", "localhost");
		assert_int_equal(stage->closes, 1);
		assert_true(stage->came < stage->total);
		early += stage->connects == 0;
		late += stage->connects == 1;
		if (stage->connects == 0 && (stage->err == 0 || stage->words[0] == '\0'))
			fail_msg("cut at %llu: %d, %s", (unsigned long long)config.cut_at,
				stage->err, stage->words);
	}
	assert_true(early > 0 && late > 0);
}

/* Nothing that is damaged is taken for what was sent. */
static void test_what_is_damaged_is_noticed(void **state)
{
	struct stage *stage = *state;
	struct random random;

	random_init(&random, 43);
	for (uint64_t i = 0; i < 2 * PLAYS; i++) {
		uint64_t most = i % 4 < 2 ? 2500 : 12000;
		struct torn_config config = {.seed = i, .flip_at = 1 + random_below(&random, most)};

		play(stage, i % 2, config, "good", "localhost");
		assert_int_equal(stage->closes, 1);
		assert_true(stage->came < stage->total);
	}
}

/* Whoever is asked for by a bad way is judged as by a good one. */
static void test_certificates_are_told_apart(void **state)
{
	static const struct {
		const char *certificate, *host, *words; /* NULL: it is good */
	} rows[] = {
		{"good", "localhost", NULL},
		{"named", "127.0.0.1", "the certificate of 127.0.0.1 is for localhost: "},
		{"wrong", "localhost", "the certificate of localhost is for www.example.org: "},
		{"expired", "localhost", "the certificate of localhost has expired; "},
		{"self", "localhost", "is signed by an unknown authority; "},
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const char *words = rows[i / 2].words;

		play(stage, i % 2, (struct torn_config){.seed = i}, rows[i / 2].certificate,
			rows[i / 2].host);
		assert_int_equal(stage->closes, words ? 1 : 0);
		assert_int_equal(stage->came, words ? 0 : stage->total);
		assert_int_equal(stage->err, words ? -EKEYREJECTED : 0);
		if (words && !strstr(stage->words, words))
			fail_msg("%s: %s", rows[i / 2].certificate, stage->words);
	}
}

static int set_up(void **state)
{
	char command[PATH_SIZE];

	alarm(LIMIT_S);
	*state = calloc(1, sizeof(struct stage));
	assert_non_null(*state);
	assert_int_equal(websocket_need(NULL), 0);
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command), "sh tests/certificates.sh %s", folder);
	return system(command);
}

static int tear_down(void **state)
{
	char command[PATH_SIZE];

	free(*state);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_held_back_and_cut_arrives_whole),
		cmocka_unit_test(test_what_breaks_is_told),
		cmocka_unit_test(test_what_is_damaged_is_noticed),
		cmocka_unit_test(test_certificates_are_told_apart),
	};

	return cmocka_run_group_tests_name("net/torn", tests, set_up, tear_down);
}
