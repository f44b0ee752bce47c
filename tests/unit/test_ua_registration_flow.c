/*
 * core/ua/registration: the way to the registrar is kept open (RFC 5626, section 4.4), and sought
 * again once it is dead or leads elsewhere.
 */
#include "core/ua/lifeline.h"
#include "tests/unit/registrar_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* How often something comes that keeps the way open, in 2.5 minutes, and what. */
static void test_keep_alive(void **state)
{
	static const struct {
		const char *seen, *headers;
		uint32_t every_s;
		bool stun;
		size_t least, most;
	} rows[] = {
		{NULL, "", 0, false, 0, 0},
		{";rport;keep", "", 0, false, 0, 0}, /* an echo is no consent */
		{";rport=5060;keep=30", "", 0, true, 4, 6},
		{";rport=5060;keep=0", "", 0, true, 5, 7},
		{";rport=5060;keep=x", "", 0, false, 0, 0},
		{NULL, "Require: outbound\r\n", 0, true, 5, 7},
		{NULL, "Flow-Timer: 60\r\n", 0, true, 2, 3},
		{NULL, "Require: outbound\r\nFlow-Timer: 60\r\n", 0, true, 2, 3},
		{NULL, "Require: outbound\r\nFlow-Timer: 60\r\n", 20, true, 7, 9},
		{NULL, "Require: outbound\r\nFlow-Timer: 20\r\n", 60, true, 7, 9},
		{NULL, "Require: outbound\r\n", LIFELINE_NEVER, true, 0, 0},
		{AT_NAT, "", 0, false, 5, 7},
		{AT_NAT, "", 50, false, 3, 4},
		{AT_NAT, "", LIFELINE_NEVER, false, 0, 0},
		{NULL, "", 50, false, 3, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;
		size_t count = 0;

		stage_open(&stage, "sip:192.0.2.3", NULL);
		stage.account.instance = INSTANCE;
		stage.account.expires_s = 3600;
		stage.account.keep_alive_s = rows[i].every_s;
		registration_free(stage.registration);
		stage_make_registration(&stage);
		stage_begin(&stage);
		stage.seen = rows[i].seen;
		stage_respond(&stage, "200 OK", rows[i].headers);
		if (stage.c.count > 1)
			stage_respond(&stage, "200 OK", rows[i].headers);
		for (unsigned step = 0; step < 700; step++) {
			size_t before = stage.c.stuns;

			stage_run_s(&stage, 0.2);
			if (stage.c.stuns > before)
				stage_answer_stun(&stage, "192.0.2.1:5060", 0);
		}
		count = rows[i].stun ? stage.c.stuns : stage.c.empty;
		if (count < rows[i].least || count > rows[i].most)
			fail_msg("row %zu: %zu", i, count);
		assert_int_equal(rows[i].stun ? stage.c.empty : stage.c.stuns, 0);
		assert_true(registration_stands(stage.registration));
		stage_close(&stage);
	}
}

static void open_kept(struct stage *stage)
{
	stage_open_outbound(stage);
	stage_respond(stage, "200 OK", "Require: outbound\r\n");
	stage_expect_log(stage, OK_LOG("600"));
}

/* Waits for the next STUN request, half a minute at most. */
static void await_stun(struct stage *stage)
{
	size_t before = stage->c.stuns;

	for (unsigned i = 0; i < 300 && stage->c.stuns == before; i++)
		stage_run_s(stage, 0.1);
	assert_int_equal(stage->c.stuns, before + 1);
}

/* RFC 5626, section 4.4.2, and RFC 8489, section 6.2.1: asked seven times in 31.5 s, given up 8 s
 * after the last; then sought again. */
static void test_way_dies(void **state)
{
	struct stage stage;
	size_t asked;

	(void)state;
	open_kept(&stage);
	for (unsigned i = 0; i < 6; i++) {
		await_stun(&stage);
		stage_answer_stun(&stage, "192.0.2.1:5060", 0);
	}
	await_stun(&stage);
	asked = stage.c.stuns;
	stage_run_s(&stage, 31.6);
	assert_int_equal(stage.c.stuns, asked + 6);
	assert_true(registration_stands(stage.registration));
	stage_run_s(&stage, 6);
	stage_expect_log(&stage, "");
	stage_run_s(&stage, 2);
	stage_expect_log(&stage, "lost(0 192.0.2.3:5060 does not answer any more) ");
	assert_int_equal(stage.retry_s, 1);
	assert_int_equal(stage.c.count, 1);
	stage_run_s(&stage, 1.1);
	assert_int_equal(stage.c.count, 2);
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	stage_expect_log(&stage, OK_LOG("600"));

	/* one that does not last is forgiven once */
	await_stun(&stage);
	stage_answer_stun(&stage, "192.0.2.1:5060", 0);
	await_stun(&stage);
	stage_run_s(&stage, 40);
	stage_expect_log(&stage, "lost(0 192.0.2.3:5060 does not answer any more) ");
	assert_int_equal(stage.retry_s, 1);
	stage_run_s(&stage, 0.6);
	assert_int_equal(stage.c.count, 3);
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	stage_expect_log(&stage, OK_LOG("600"));
	await_stun(&stage);
	stage_run_s(&stage, 40);
	stage_expect_log(&stage, "lost(0 192.0.2.3:5060 does not answer any more) ");
	assert_in_range(stage.retry_s, 30, 60);
	stage_run_s(&stage, stage.retry_s - 0.3);
	assert_int_equal(stage.c.count, 4);
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	await_stun(&stage);
	stage_run_s(&stage, 40);
	assert_in_range(stage.retry_s, 60, 120);
	stage_run_s(&stage, stage.retry_s - 0.3);
	stage_expect_log(&stage, OK_LOG("600") "lost(0 192.0.2.3:5060 does not answer any more) ");
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	stage_expect_log(&stage, OK_LOG("600"));

	/* and who has agreed and never answers is not asked any more, but told */
	stage_run_s(&stage, 200);
	stage_expect_log(&stage, "");
	assert_true(registration_stands(stage.registration));
	stage_close(&stage);
}

/* The STUN answer shows another address: registered anew at once, without a word of a loss. */
static void test_way_moves(void **state)
{
	struct stage stage;

	(void)state;
	open_kept(&stage);
	await_stun(&stage);
	stage_answer_stun(&stage, "192.0.2.1:5060", 0);
	await_stun(&stage);
	stage_answer_stun(&stage, "203.0.113.5:6000", 1); /* not to what was asked */
	stage_run_s(&stage, 1);
	stage_answer_stun(&stage, "203.0.113.5:6000", 0);
	assert_int_equal(stage.c.count, 2);
	assert_non_null(strstr(stage.c.last, "\r\nContact: <" PUBLIC ">;reg-id"));
	stage.seen = AT_NAT;
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	stage_expect_log(&stage, "ok(600 " PUBLIC ") ");

	/* what STUN says for ever and the registrar does not see, is no news */
	for (unsigned i = 0; i < 4; i++) {
		await_stun(&stage);
		stage_answer_stun(&stage, "203.0.113.5:7000", 0);
		if (stage.c.count == 3 && i == 0)
			stage_respond(&stage, "200 OK", "Require: outbound\r\n");
		if (stage.c.count == 4 && i == 0)
			stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	}
	assert_int_equal(stage.c.count, 4);
	assert_true(registration_stands(stage.registration));
	stage_close(&stage);
}

/* What no packet comes from is no place to be called at. */
static void test_way_moves_nowhere(void **state)
{
	static const char *const rows[] = {"0.0.0.0:6000", "203.0.113.5:0"};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_kept(&stage);
		await_stun(&stage);
		stage_answer_stun(&stage, rows[i], 0);
		assert_int_equal(stage.c.count, 1);
		assert_true(registration_stands(stage.registration));
		stage_close(&stage);
	}
}

/* ICMP tells that nobody is there: not for longer than the next that keeps the way open. */
static void test_way_is_closed(void **state)
{
	struct stage stage;

	(void)state;
	open_kept(&stage);
	world_peer_close(&stage.c);
	stage_run_s(&stage, 30);
	assert_non_null(strstr(stage.log, "lost(0 the way to 192.0.2.3:5060 is lost: "));
	world_peer_open(&stage.c, stage.pair.c, "192.0.2.3:5060");
	stage.log[0] = '\0';
	stage_run_s(&stage, 65);
	assert_true(stage.c.count > 0);
	stage_respond(&stage, "200 OK", "");
	assert_true(registration_stands(stage.registration));
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_way_dies),
		cmocka_unit_test(test_way_moves),
		cmocka_unit_test(test_way_moves_nowhere),
		cmocka_unit_test(test_way_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
