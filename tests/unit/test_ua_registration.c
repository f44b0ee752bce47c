/*
 * core/ua/registration: what a registrar of plain bytes at 192.0.2.3 gets and says, and when it is
 * asked again.
 */
#include "core/base/text.h"
#include "tests/unit/registrar_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#include <cmocka.h> /* after the headers that it needs */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

static size_t allowed = SIZE_MAX; /* allocations until one fails */

void *__wrap_calloc(size_t count, size_t size)
{
	if (allowed == SIZE_MAX || allowed-- > 0)
		return __real_calloc(count, size);
	allowed = SIZE_MAX;
	return NULL;
}

static void test_register(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:192.0.2.3", NULL);
	stage_begin(&stage);
	assert_match(stage.c.last,
		"REGISTER sip:192.0.2.3 SIP/2.0\r\nVia: *\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@sip.test>;tag=*\r\nTo: <sip:alice@sip.test>\r\nCall-ID: *\r\n"
		"Contact: " OURS "\r\nExpires: 600\r\nSupported: path\r\nCSeq: 1 REGISTER\r\n"
		"User-Agent: test\r\nContent-Length: 0\r\n\r\n");
	stage_respond(&stage, "200 OK",
		"Contact: <sip:alice@192.0.2.9>;expires=7, " OURS ";expires=300\r\n");
	stage_expect_log(&stage, OK_LOG("300"));
	assert_true(registration_stands(stage.registration));
	stage_run_s(&stage, 219);
	assert_int_equal(stage.c.count, 1);
	stage_run_s(&stage, 1.3); /* it is refreshed in time for two tries */
	assert_int_equal(stage.c.count, 2);
	assert_non_null(strstr(stage.c.last, "CSeq: 2 REGISTER"));
	stage_respond(&stage, "200 OK", "Expires: 60\r\n");
	stage_expect_log(&stage, OK_LOG("60"));
	stage_run_s(&stage, 30.3);
	assert_int_equal(stage.c.count, 3);
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	registration_stop(stage.registration);
	stage_run_s(&stage, 0.02);
	assert_non_null(strstr(stage.c.last, "\r\nExpires: 0\r\n"));
	stage_expect_log(&stage, "");
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, "gone ");
	assert_true(registration_is_off(stage.registration));
	stage_close(&stage);
}

/* Its name leads to another address meanwhile: it is looked up each time. */
static void test_registrar_moves(void **state)
{
	struct world_peer other;
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:sip.test:5060", NULL);
	stage.pair.world.name = "sip.test";
	stage.pair.world.name_addr[0] = world_addr("192.0.2.3:0");
	stage.pair.world.name_addr_count = 1;
	stage_begin(&stage);
	stage_respond(&stage, "200 OK", "Expires: 60\r\n");
	stage_expect_log(&stage, OK_LOG("60"));

	world_peer_open(&other, world_host(&stage.pair.world, "192.0.2.8"), "192.0.2.8:5060");
	stage.pair.world.name_addr[0] = world_addr("192.0.2.8:0");
	stage_run_s(&stage, 31);
	assert_int_equal(stage.c.count, 1);
	assert_non_null(strstr(other.last, "CSeq: 2 REGISTER"));
	stage_respond_as(&stage, &other, "200 OK", "Expires: 60\r\n");
	stage_expect_log(&stage, OK_LOG("60"));
	world_peer_close(&other);
	stage_close(&stage);
}

/* What a registrar says, in turn, and what comes of it. */
static void test_answers(void **state)
{
	static const struct {
		const char *status[4], *headers[4], *log;
		size_t asked;
		bool off; /* it is not tried again */
	} rows[] = {
		{{"403 Forbidden"}, {""}, "failed(403) ", 1, false},
		{{"401 No"}, {""},
			"failed(401 the server asks for a password in a way that cannot be read) ",
			1, true},
		{{"401 No"}, {"WWW-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n"},
			"failed(401 the server knows only MD5, which allow_md5 = no forbids) ", 1,
			true},
		{{"503 No"}, {"Retry-After: 900\r\n"}, "failed(503) ", 1, false},
		{{"423 Brief", "200 OK"}, {"Min-Expires: 1800\r\n", ""}, OK_LOG("1800"), 2, false},
		{{"423 Brief", "423 Brief"}, {"Min-Expires: 1800\r\n", "Min-Expires: 3600\r\n"},
			"failed(423) ", 2, false},
		{{"423 Brief"}, {"Min-Expires: 600\r\n"}, "failed(423) ", 1, false},
		{{"423 Brief"}, {"Min-Expires: x\r\n"}, "failed(423) ", 1, false},
		{{"423 Brief"}, {""}, "failed(423) ", 1, false},
		{{"200 OK"}, {"Contact: " OURS ";expires=0\r\n"},
			"failed(0 the registrar has taken it back at once) ", 1, false},
		{{"302 There"}, {""}, "failed(302) ", 1, false},
		{{"302 There"}, {"Contact: *\r\n"}, "failed(302) ", 1, false},
		{{"100 Trying", "200 OK"}, {"", "Contact: " OURS ";expires=99999\r\n"},
			OK_LOG("600"), 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;

		stage_open(&stage, "sip:192.0.2.3", NULL);
		stage_begin(&stage);
		for (size_t j = 0; rows[i].status[j]; j++)
			stage_respond(&stage, rows[i].status[j], rows[i].headers[j]);
		if (strcmp(stage.log, rows[i].log) != 0)
			fail_msg("row %zu: %s", i, stage.log);
		assert_int_equal(stage.c.count, rows[i].asked);
		assert_int_equal(registration_is_off(stage.registration), rows[i].off);
		if (strstr(rows[i].headers[0], "Retry-After"))
			assert_int_equal(stage.retry_s, 900);
		stage_close(&stage);
	}
}

/* RFC 5626, section 4.5: longer each time, but never longer than half an hour; at once well again.
 */
static void test_back_off(void **state)
{
	uint32_t upper = 60;
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:192.0.2.3", NULL);
	stage_begin(&stage);
	stage_respond(&stage, "200 OK", "");
	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	for (size_t i = 0; i < 12; i++) {
		size_t asked = stage.c.count;

		stage.log[0] = '\0';
		stage_respond(&stage, "500 No", "");
		stage_expect_log(&stage, i == 0 ? "lost(500) " : "failed(500) ");
		assert_in_range(stage.retry_s, upper / 2, upper);
		stage_run_s(&stage, stage.retry_s - 1);
		assert_int_equal(stage.c.count, asked);
		stage_run_s(&stage, 1.3);
		assert_int_equal(stage.c.count, asked + 1);
		upper = upper < 900 ? 2 * upper : 1800;
	}
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	stage_respond(&stage, "500 No", "");
	assert_in_range(stage.retry_s, 30, 60);
	stage_close(&stage);
}

/* A registrar that is not there, or does not answer. */
static void test_silence(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:192.0.2.3", NULL);
	stage_begin(&stage);
	stage_run_s(&stage, 33);
	stage_expect_log(&stage, "failed(0 nothing came back from 192.0.2.3:5060) ");
	stage_close(&stage);

	stage_open(&stage, "sip:192.0.2.3:9", NULL);
	stage_begin(&stage);
	stage_run_s(&stage, 1);
	assert_non_null(strstr(stage.log, "failed(0 "));
	stage_close(&stage);

	stage_open(&stage, "sip:nowhere.test", NULL);
	stage_begin(&stage);
	stage_run_s(&stage, 1);
	assert_non_null(strstr(stage.log, "failed(0 "));
	stage_close(&stage);
}

/* Section 8.1.3.4: elsewhere, for this once; from there no credentials are given. */
static void test_redirect(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:192.0.2.3", NULL);
	stage_begin(&stage);
	stage_respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	assert_int_equal(stage.d.count, 1);
	assert_int_equal(strncmp(stage.d.last, "REGISTER sip:192.0.2.3:5070 ", 28), 0);
	stage_respond_as(&stage, &stage.d, "302 Back", "Contact: <sip:192.0.2.3:5070>\r\n");
	for (size_t i = 0; i < 4; i++)
		stage_respond_as(&stage, &stage.d, "302 Back", "Contact: <sip:192.0.2.3:5070>\r\n");
	stage_expect_log(&stage, "failed(302) ");
	assert_int_equal(stage.d.count, 5);
	stage_run_s(&stage, stage.retry_s + 0.3);
	assert_int_equal(stage.c.count, 2);
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	stage_close(&stage);
}

/* Section 21.3.3: the next time it is the registrar itself that is asked; but what stands elsewhere
 * is withdrawn there. */
static void test_redirect_is_for_once(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:192.0.2.3", NULL);
	stage_begin(&stage);
	stage_respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	stage_respond_as(&stage, &stage.d, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	stage_run_s(&stage, 520.2);
	assert_int_equal(stage.c.count, 2);
	assert_int_equal(stage.d.count, 1);
	stage_respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	stage_respond_as(&stage, &stage.d, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	registration_stop(stage.registration);
	stage_run_s(&stage, 0.02);
	assert_non_null(strstr(stage.d.last, "\r\nExpires: 0\r\n"));
	assert_int_equal(strncmp(stage.d.last, "REGISTER sip:192.0.2.3:5070 ", 28), 0);
	stage_close(&stage);
}

/* RFC 3608, and a proxy of ours. */
static void test_routes(void **state)
{
	struct stage stage;
	char room[256];
	struct text text = TEXT_IN(room);

	(void)state;
	stage_open(&stage, "sip:sip.test", "sip:192.0.2.3:5070");
	stage_begin(&stage);
	assert_int_equal(stage.c.count, 0);
	assert_non_null(strstr(stage.d.last, "\r\nRoute: <sip:192.0.2.3:5070;lr>\r\n"));
	stage_respond_as(&stage, &stage.d, "200 OK",
		"Service-Route: <sip:p1;lr>, <sip:p2;lr>\r\nService-Route: <sip:p3;lr>\r\n");
	assert_true(slice_is(registration_routes(stage.registration),
		"Route: <sip:p1;lr>, <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n"));
	assert_string_equal(registration_hop(stage.registration), "sip:p1;lr");
	registration_print_proxy(&text, stage.registration);
	assert_string_equal(room, "Route: <sip:192.0.2.3:5070;lr>\r\n");
	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	stage_respond_as(&stage, &stage.d, "200 OK", "Service-Route: p1\r\n");
	assert_null(registration_hop(stage.registration));
	assert_int_equal(registration_routes(stage.registration).len, 0);
	stage_close(&stage);
}

/* Stopped and started in each state, and from within an event. */
static void test_stop(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, "sip:192.0.2.3", NULL);
	registration_stop(stage.registration);
	stage_expect_log(&stage, "");
	stage_begin(&stage);
	registration_start(stage.registration); /* it is at it */
	registration_stop(stage.registration);
	stage_expect_log(&stage, "gone ");
	stage_begin(&stage);
	stage.stop = true;
	stage_respond(&stage, "200 OK", "");
	assert_non_null(strstr(stage.c.last, "\r\nExpires: 0\r\n"));
	registration_stop(stage.registration);
	stage_run_s(&stage, 3); /* nobody confirms it */
	stage_expect_log(&stage, OK_LOG("600") "gone ");
	stage_begin(&stage);
	stage_respond(&stage, "200 OK", "");
	registration_stop(stage.registration);
	stage_begin(&stage); /* while it leaves */
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600") OK_LOG("600"));
	registration_stop(stage.registration);
	stage.start = true;
	stage_run_s(&stage, 0.02);
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, "gone ");
	stage_respond(&stage, "500 No", "");
	stage_expect_log(&stage, "failed(500) ");
	registration_stop(stage.registration);
	stage_expect_log(&stage, "gone ");
	stage_run_s(&stage, 100);
	stage_expect_log(&stage, "");
	stage_close(&stage);
}

static void test_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct stage stage;

		stage_open(&stage, "sip:192.0.2.3", NULL);
		allowed = i;
		registration_start(stage.registration);
		stage_run_s(&stage, 1);
		if (stage.c.count > 0)
			stage_respond(&stage, "200 OK", "Service-Route: <sip:p;lr>\r\n");
		allowed = SIZE_MAX;
		stage_run_s(&stage, 100);
		registration_stop(stage.registration);
		stage_run_s(&stage, 3);
		stage_close(&stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_registrar_moves),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_redirect_is_for_once),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
