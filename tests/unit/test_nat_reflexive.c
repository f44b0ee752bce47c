/* core/nat/reflexive: how two sockets learn from a server at 192.0.2.2 how they are seen. */
#include "core/nat/reflexive.h"

#include "core/base/text.h"
#include "core/nat/stun.h"
#include "tests/unit/sim_play.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { COOKIE = 0x2112a442, MESSAGE_SIZE = 44 };

static const struct addr near = {ADDR_IPV4, 0, 0, {192, 0, 2, 1}};
static const struct addr server = {ADDR_IPV4, 3478, 0, {192, 0, 2, 2}};

struct stage {
	struct play play;
	struct udp *sockets[2];
	struct udp *server;
	struct reflexive *reflexive;
	unsigned asked;   /* requests that came to it */
	unsigned deaf_to; /* the first of them that it does not answer */
	bool lies;        /* answers have another number */
	bool refuses;     /* answers are errors */
	const char
		*veiled; /* what XOR-MAPPED-ADDRESS has, unveiled; NULL: 203.0.113.1 and a port */
	size_t veiled_len;
	unsigned told;
	struct addr mapped[2];
	unsigned stray; /* datagrams at a socket after it was stopped, and started again */
};

/* As a server sees who is behind a NAT that adds 1000 to each port: RFC 8489, section 14.2. */
static size_t print_answer(uint8_t out[static MESSAGE_SIZE], const struct stage *stage,
	struct slice request, const struct addr *from)
{
	uint16_t port = (uint16_t)(from->port + 1000);

	memcpy(out, request.data, 20);
	if (stage->veiled) {
		be16_put(out, 0x0101);
		be16_put(out + 2, (uint16_t)(4 + stage->veiled_len));
		be16_put(out + 20, 0x0020);
		be16_put(out + 22, (uint16_t)stage->veiled_len);
		memcpy(out + 24, stage->veiled, stage->veiled_len);
		for (size_t i = 2; i < stage->veiled_len; i++)
			out[24 + i] ^= request.data[i < 4 ? i + 2 : i];
		return 24 + stage->veiled_len;
	}
	be16_put(out, stage->refuses ? 0x0111 : 0x0101);
	if (stage->lies)
		out[19] ^= 1;
	be16_put(out + 2, 12);
	be16_put(out + 20, stage->refuses ? 0x0009 : 0x0020);
	be16_put(out + 22, 8);
	if (stage->refuses) {
		memcpy(out + 24, "\0\0\5\0oops", 8);
		return 32;
	}
	out[24] = 0;
	out[25] = 1;
	be16_put(out + 26, (uint16_t)(port ^ (COOKIE >> 16)));
	be32_put(out + 28, (203u << 24 | 113u << 8 | 1u) ^ COOKIE);
	return 32;
}

static void answer(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct stage *stage = arg;
	uint8_t out[MESSAGE_SIZE];

	(void)to;
	(void)arrival_ns;
	assert_int_equal(bytes.len, STUN_REQUEST_SIZE);
	if (stage->asked++ < stage->deaf_to)
		return;
	assert_int_equal(udp_send(stage->server, from,
				 (struct slice){out, print_answer(out, stage, bytes, from)}),
		0);
}

static void stray(void *arg, const struct addr *from, const struct addr *to, struct slice bytes,
	uint64_t arrival_ns)
{
	struct stage *stage = arg;

	(void)from;
	(void)to;
	(void)bytes;
	(void)arrival_ns;
	stage->stray++;
}

static void done(void *arg, const struct addr *mapped)
{
	struct stage *stage = arg;

	stage->told++;
	stage->reflexive = NULL;
	memcpy(stage->mapped, mapped, sizeof(stage->mapped));
}

static const struct udp_events server_events = {.datagram = answer};
static const struct udp_events stray_events = {.datagram = stray};

static void set_up(struct stage *stage)
{
	*stage = (struct stage){.asked = 0};
	play_open(&stage->play, 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(loop_udp_open(&stage->sockets[i], stage->play.loop, &near), 0);
	assert_int_equal(loop_udp_open(&stage->server, stage->play.loops[1][0], &server), 0);
	assert_int_equal(
		udp_start(stage->server, stage->play.loops[1][0], &server_events, stage), 0);
}

/* The sockets are free to be started, by another loop, too. */
static void tear_down(struct stage *stage)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			udp_start(stage->sockets[i], stage->play.loops[0][1], &stray_events, stage),
			0);
		udp_free(stage->sockets[i]);
	}
	udp_free(stage->server);
	play_close(&stage->play);
}

static int ask(struct stage *stage, const char *name)
{
	return reflexive_ask(
		&stage->reflexive, stage->play.loop, name, stage->sockets, 2, done, stage);
}

static void expect_mapped(struct stage *stage)
{
	for (unsigned i = 0; i < 2; i++) {
		struct addr local;

		udp_local(&local, stage->sockets[i]);
		assert_int_equal(stage->mapped[i].port, local.port + 1000);
		assert_int_equal(stage->mapped[i].ip[0], 203);
	}
}

static void test_both_at_once(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage);
	assert_int_equal(ask(&stage, "192.0.2.2"), 0);
	assert_int_equal(stage.told, 0);
	play_run(&stage.play, 50 * NS_PER_MS);
	assert_int_equal(stage.told, 1);
	assert_int_equal(stage.asked, 2);
	expect_mapped(&stage);
	play_run(&stage.play, 2 * NS_PER_S);
	assert_int_equal(stage.told, 1);
	assert_int_equal(stage.asked, 2); /* what is answered is not asked again */
	tear_down(&stage);
}

/* Each again after 100, 200 and 400 ms, and no more after a second. */
static void test_asks_again(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage);
	stage.deaf_to = 6;
	assert_int_equal(ask(&stage, "192.0.2.2:3478"), 0);
	play_run(&stage.play, 350 * NS_PER_MS);
	assert_int_equal(stage.asked, 6);
	assert_int_equal(stage.told, 0);
	play_run(&stage.play, 400 * NS_PER_MS);
	assert_int_equal(stage.asked, 8);
	assert_int_equal(stage.told, 1);
	expect_mapped(&stage);

	stage.told = stage.asked = 0;
	stage.deaf_to = 100;
	assert_int_equal(ask(&stage, "192.0.2.2"), 0);
	play_run(&stage.play, NS_PER_S - 1);
	assert_int_equal(stage.told, 0);
	play_run(&stage.play, 10 * NS_PER_MS);
	assert_int_equal(stage.told, 1);
	assert_int_equal(stage.mapped[0].family, ADDR_NONE);
	assert_int_equal(stage.mapped[1].family, ADDR_NONE);
	assert_int_equal(stage.asked, 8);
	tear_down(&stage);
}

/* Who does not know the number of the request has not seen it; an error tells nothing. */
static void test_what_is_no_answer(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage);
	stage.lies = true;
	assert_int_equal(ask(&stage, "192.0.2.2"), 0);
	play_run(&stage.play, 2 * NS_PER_S);
	assert_int_equal(stage.told, 1);
	assert_int_equal(stage.mapped[0].family, ADDR_NONE);
	stage.lies = false;
	stage.refuses = true;
	stage.asked = 0;
	assert_int_equal(ask(&stage, "192.0.2.2"), 0);
	play_run(&stage.play, 100 * NS_PER_MS);
	assert_int_equal(stage.told, 2);
	assert_int_equal(stage.asked, 2);
	assert_int_equal(stage.mapped[0].family, ADDR_NONE);
	tear_down(&stage);
}

/* An address that nobody can send to, or that a description of ours cannot have. */
static void test_what_is_of_no_use(void **state)
{
	static const struct {
		const char *veiled;
		size_t len;
		bool good;
	} rows[] = {
		{"\0\1\4\0\xcb\0\x71\1", 8, true},
		{"\0\1\0\0\xcb\0\x71\1", 8, false}, /* port 0 says that there is no sound */
		{"\0\1\4\0\0\0\0\0", 8, false},     /* and this nothing at all */
		{"\0\1\4\0\xe0\0\0\1", 8, false},   /* to many */
		{"\0\1\4\0\xff\xff\xff\xff", 8, false},
		{"\0\2\4\0\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 20, false}, /* IPv6 */
	};
	struct stage stage;

	(void)state;
	set_up(&stage);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stage.told = 0;
		stage.veiled = rows[i].veiled;
		stage.veiled_len = rows[i].len;
		assert_int_equal(ask(&stage, "192.0.2.2"), 0);
		play_run(&stage.play, 50 * NS_PER_MS);
		assert_int_equal(stage.told, 1);
		if ((stage.mapped[0].family != ADDR_NONE) != rows[i].good)
			fail_msg("row %zu", i);
	}
	tear_down(&stage);
}

static void test_names(void **state)
{
	const struct dns_record services[] = {{.priority = 2, .port = 9, .name = "nowhere.test"},
		{.priority = 1, .weight = 1, .port = 9, .name = "nowhere.test"},
		{.priority = 1, .weight = 5, .port = 3478, .name = "a.test"}};
	struct addr host = server;
	struct stage stage;

	(void)state;
	set_up(&stage);
	host.port = 0;
	assert_int_equal(world_name(stage.play.world, "a.test", &host), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(world_record(stage.play.world, "_stun._udp.stun.test", DNS_SRV,
					 &services[i], 60),
			0);
	assert_int_equal(ask(&stage, "stun.test"), 0); /* the service */
	play_run(&stage.play, 500 * NS_PER_MS);
	assert_int_equal(stage.told, 1);
	expect_mapped(&stage);
	assert_int_equal(ask(&stage, "a.test"), 0); /* the host, as there is none */
	play_run(&stage.play, 500 * NS_PER_MS);
	assert_int_equal(stage.told, 2);
	expect_mapped(&stage);
	assert_int_equal(ask(&stage, "stun.test:3478"), 0); /* no such host; nobody waits for it */
	play_run(&stage.play, 500 * NS_PER_MS);
	assert_int_equal(stage.told, 3);
	assert_int_equal(stage.mapped[0].family, ADDR_NONE);
	world_silence_names(stage.play.world, true);
	assert_int_equal(ask(&stage, "a.test:3478"), 0);
	play_run(&stage.play, 1100 * NS_PER_MS);
	assert_int_equal(stage.told, 4);
	assert_int_equal(ask(&stage, "2001:db8::1"), 0); /* of another family */
	play_run(&stage.play, 10 * NS_PER_MS);
	assert_int_equal(stage.told, 5);
	tear_down(&stage);
}

static void test_what_is_no_server(void **state)
{
	static const char *const good[] = {
		"stun.example.org", "a:1", "192.0.2.1", "192.0.2.1:65535", "[::1]:3478", "::1"};
	static const char *const bad[] = {"", ":3478", "a:", "a:0", "a:65536", "a b", "stun:a",
		".a", "-a", "0.0.0.0", "a/b", "a:1:2"};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(reflexive_is_server(good[i]));
	set_up(&stage);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(reflexive_is_server(bad[i]));
		assert_int_equal(ask(&stage, bad[i]), -EINVAL);
	}
	tear_down(&stage);
}

/* A call that ends meanwhile; and one for which there is no memory. */
static void test_cancel(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage);
	assert_int_equal(ask(&stage, "192.0.2.2"), 0);
	reflexive_cancel(stage.reflexive);
	reflexive_cancel(NULL);
	play_run(&stage.play, 2 * NS_PER_S);
	assert_int_equal(stage.told, 0);
	assert_int_equal(ask(&stage, "a.test"), 0);
	reflexive_cancel(stage.reflexive);
	play_allocations = 0;
	assert_int_equal(ask(&stage, "192.0.2.2"), -ENOMEM);
	play_allocations = SIZE_MAX;
	tear_down(&stage);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_at_once),
		cmocka_unit_test(test_asks_again),
		cmocka_unit_test(test_what_is_no_answer),
		cmocka_unit_test(test_what_is_of_no_use),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_no_server),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
