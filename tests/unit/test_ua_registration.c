/*
 * core/ua/registration: what a registrar of plain bytes at 192.0.2.3 gets and says, and when it is
 * asked again.
 */
#include "core/base/text.h"
#include "core/sip/transport.h"
#include "core/ua/config.h"
#include "core/ua/registration.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

struct stage {
	struct pair pair;
	struct world_peer c, d; /* 192.0.2.3:5060 and :5070 */
	struct ua_account account;
	struct sip_auth *auth;
	struct registration *registration;
	char log[1024];
	uint32_t retry_s; /* of the last failure */
	bool stop;        /* within the next event */
	bool start;
};

static void need(void *arg, enum sip_transport_kind kind)
{
	(void)arg;
	(void)kind;
}

static void note(struct stage *stage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct stage *stage, const char *format, ...)
{
	size_t len = strlen(stage->log);
	va_list args;

	va_start(args, format);
	vsnprintf(stage->log + len, sizeof(stage->log) - len, format, args);
	va_end(args);
}

static void told(void *arg, const struct registration_news *news)
{
	static const char *const kinds[] = {"ok", "failed", "lost", "gone"};
	struct stage *stage = arg;

	note(stage, "%s", kinds[news->kind]);
	if (news->kind == REGISTRATION_OK)
		note(stage, "(%u %.*s)", news->expires_s, (int)news->contact.len,
			(const char *)news->contact.data);
	else if (news->kind != REGISTRATION_GONE)
		note(stage, "(%u%s%s)", news->code, news->words ? " " : "",
			news->words ? news->words : "");
	note(stage, " ");
	stage->retry_s = news->retry_s;
	if (stage->stop) {
		stage->stop = false;
		registration_stop(stage->registration);
	}
	if (stage->start) {
		stage->start = false;
		registration_start(stage->registration);
	}
}

static void open_stage(struct stage *stage, const char *registrar, const char *proxy)
{
	struct sip_auth_config auth = {.user = slice_of("alice")};
	struct registration_config config = {.need = need, .told = told, .arg = stage};

	*stage = (struct stage){.retry_s = 0};
	pair_open(&stage->pair);
	world_peer_open(&stage->c, stage->pair.c, "192.0.2.3:5060");
	world_peer_open(&stage->d, stage->pair.c, "192.0.2.3:5070");
	stage->account = (struct ua_account){.name = "work",
		.aor = "sip:alice@sip.test",
		.user = "alice",
		.registrar = registrar,
		.proxy = proxy,
		.expires_s = 600};
	auth.loop = stage->pair.a.loop;
	assert_int_equal(sip_auth_new(&stage->auth, &auth), 0);
	config.loop = stage->pair.a.loop;
	config.stack = stage->pair.a.stack;
	config.account = &stage->account;
	config.auth = stage->auth;
	assert_int_equal(registration_new(&stage->registration, &config), 0);
}

static void close_stage(struct stage *stage)
{
	registration_free(stage->registration);
	world_peer_close(&stage->c);
	world_peer_close(&stage->d);
	pair_close(&stage->pair);
	sip_auth_free(stage->auth);
}

static void run_s(struct stage *stage, double seconds)
{
	pair_run_ms(&stage->pair, (uint64_t)(seconds * 1000));
}

static void begin(struct stage *stage)
{
	registration_start(stage->registration);
	run_s(stage, 0.02);
}

static void respond_as(
	struct stage *stage, struct world_peer *peer, const char *status, const char *headers)
{
	char copied[2048] = "";
	static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char start[32];
		const char *line;

		snprintf(start, sizeof(start), "\r\n%s: ", names[i]);
		line = strstr(peer->last, start);
		assert_non_null(line);
		snprintf(copied + strlen(copied), sizeof(copied) - strlen(copied), "%.*s%s\r\n",
			(int)strcspn(line + 2, "\r"), line + 2,
			strcmp(names[i], "To") == 0 ? ";tag=r" : "");
	}
	world_peer_send(peer, "192.0.2.1:5060", "SIP/2.0 %s\r\n%s%sContent-Length: 0\r\n\r\n",
		status, copied, headers);
	run_s(stage, 0.02);
}

static void respond(struct stage *stage, const char *status, const char *headers)
{
	respond_as(stage, &stage->c, status, headers);
}

static void expect_log(struct stage *stage, const char *log)
{
	assert_string_equal(stage->log, log);
	stage->log[0] = '\0';
}

#define OURS "<sip:alice@192.0.2.1:5060>"
#define OK_LOG(seconds) "ok(" seconds " sip:alice@192.0.2.1:5060) "

static void test_register(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	assert_match(stage.c.last,
		"REGISTER sip:192.0.2.3 SIP/2.0\r\nVia: *\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@sip.test>;tag=*\r\nTo: <sip:alice@sip.test>\r\nCall-ID: *\r\n"
		"Contact: " OURS "\r\nExpires: 600\r\nSupported: path\r\nCSeq: 1 REGISTER\r\n"
		"User-Agent: test\r\nContent-Length: 0\r\n\r\n");
	respond(&stage, "200 OK",
		"Contact: <sip:alice@192.0.2.9>;expires=7, " OURS ";expires=300\r\n");
	expect_log(&stage, OK_LOG("300"));
	assert_true(registration_stands(stage.registration));
	run_s(&stage, 219);
	assert_int_equal(stage.c.count, 1);
	run_s(&stage, 1.3); /* it is refreshed in time for two tries */
	assert_int_equal(stage.c.count, 2);
	assert_non_null(strstr(stage.c.last, "CSeq: 2 REGISTER"));
	respond(&stage, "200 OK", "Expires: 60\r\n");
	expect_log(&stage, OK_LOG("60"));
	run_s(&stage, 30.3);
	assert_int_equal(stage.c.count, 3);
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	registration_stop(stage.registration);
	run_s(&stage, 0.02);
	assert_non_null(strstr(stage.c.last, "\r\nExpires: 0\r\n"));
	expect_log(&stage, "");
	respond(&stage, "200 OK", "");
	expect_log(&stage, "gone ");
	assert_true(registration_is_off(stage.registration));
	close_stage(&stage);
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

		open_stage(&stage, "sip:192.0.2.3", NULL);
		begin(&stage);
		for (size_t j = 0; rows[i].status[j]; j++)
			respond(&stage, rows[i].status[j], rows[i].headers[j]);
		if (strcmp(stage.log, rows[i].log) != 0)
			fail_msg("row %zu: %s", i, stage.log);
		assert_int_equal(stage.c.count, rows[i].asked);
		assert_int_equal(registration_is_off(stage.registration), rows[i].off);
		if (strstr(rows[i].headers[0], "Retry-After"))
			assert_int_equal(stage.retry_s, 900);
		close_stage(&stage);
	}
}

/* RFC 5626, section 4.5: longer each time, but never longer than half an hour; at once well again.
 */
static void test_back_off(void **state)
{
	uint32_t upper = 60;
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	respond(&stage, "200 OK", "");
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	for (size_t i = 0; i < 12; i++) {
		size_t asked = stage.c.count;

		stage.log[0] = '\0';
		respond(&stage, "500 No", "");
		expect_log(&stage, i == 0 ? "lost(500) " : "failed(500) ");
		assert_in_range(stage.retry_s, upper / 2, upper);
		run_s(&stage, stage.retry_s - 1);
		assert_int_equal(stage.c.count, asked);
		run_s(&stage, 1.3);
		assert_int_equal(stage.c.count, asked + 1);
		upper = upper < 900 ? 2 * upper : 1800;
	}
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond(&stage, "500 No", "");
	assert_in_range(stage.retry_s, 30, 60);
	close_stage(&stage);
}

/* A registrar that is not there, or does not answer. */
static void test_silence(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	run_s(&stage, 33);
	expect_log(&stage, "failed(0 nothing came back from 192.0.2.3:5060) ");
	close_stage(&stage);

	open_stage(&stage, "sip:192.0.2.3:9", NULL);
	begin(&stage);
	run_s(&stage, 1);
	assert_non_null(strstr(stage.log, "failed(0 "));
	close_stage(&stage);

	open_stage(&stage, "sip:nowhere.test", NULL);
	begin(&stage);
	run_s(&stage, 1);
	assert_non_null(strstr(stage.log, "failed(0 "));
	close_stage(&stage);
}

/*
 * By a connection that others could not make, calls would not come any more: it registers at once,
 * but a server that ends each is not overrun.
 */
static void test_a_lost_connection(void **state)
{
	const struct addr there = world_addr("192.0.2.3:5060"),
			  other = world_addr("192.0.2.3:5070");
	struct sip_flow flow, another;
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	assert_int_equal(sip_stack_flow(&flow, stage.pair.a.stack, SIP_UDP, &there), 0);
	assert_int_equal(sip_stack_flow(&another, stage.pair.a.stack, SIP_UDP, &other), 0);
	flow.transport->calls_only = true;
	assert_false(registration_keeps(stage.registration, &flow)); /* it does not stand */
	respond(&stage, "200 OK", "");
	assert_true(registration_keeps(stage.registration, &flow));
	assert_false(registration_keeps(stage.registration, &another));
	registration_lost(stage.registration, NS_PER_S);
	run_s(&stage, 0.98);
	assert_int_equal(stage.c.count, 1);
	run_s(&stage, 0.04);
	assert_int_equal(stage.c.count, 2);
	respond(&stage, "200 OK", "");
	for (unsigned i = 0; i < 3; i++) {
		registration_lost(stage.registration, 0);
		run_s(&stage, 9.4);
		assert_int_equal(stage.c.count, 2 + i);
		run_s(&stage, 0.7);
		assert_int_equal(stage.c.count, 3 + i);
		respond(&stage, "200 OK", "");
	}
	expect_log(&stage, OK_LOG("600") OK_LOG("600") OK_LOG("600") OK_LOG("600") OK_LOG("600"));

	/* where others can make it, it is of no use */
	flow.transport->calls_only = false;
	assert_false(registration_keeps(stage.registration, &flow));
	close_stage(&stage);
}

/* Section 8.1.3.4: elsewhere, for this once; from there no credentials are given. */
static void test_redirect(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	begin(&stage);
	respond(&stage, "302 There", "Contact: <sip:192.0.2.3:5070>\r\n");
	assert_int_equal(stage.d.count, 1);
	assert_int_equal(strncmp(stage.d.last, "REGISTER sip:192.0.2.3:5070 ", 28), 0);
	respond_as(&stage, &stage.d, "302 Back", "Contact: <sip:192.0.2.3:5070>\r\n");
	for (size_t i = 0; i < 4; i++)
		respond_as(&stage, &stage.d, "302 Back", "Contact: <sip:192.0.2.3:5070>\r\n");
	expect_log(&stage, "failed(302) ");
	assert_int_equal(stage.d.count, 5);
	run_s(&stage, stage.retry_s + 0.3);
	assert_int_equal(stage.c.count, 2);
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600"));
	close_stage(&stage);
}

/* RFC 3608, and a proxy of ours. */
static void test_routes(void **state)
{
	struct stage stage;
	char room[256];
	struct text text = TEXT_IN(room);

	(void)state;
	open_stage(&stage, "sip:sip.test", "sip:192.0.2.3:5070");
	begin(&stage);
	assert_int_equal(stage.c.count, 0);
	assert_non_null(strstr(stage.d.last, "\r\nRoute: <sip:192.0.2.3:5070;lr>\r\n"));
	respond_as(&stage, &stage.d, "200 OK",
		"Service-Route: <sip:p1;lr>, <sip:p2;lr>\r\nService-Route: <sip:p3;lr>\r\n");
	assert_true(slice_is(registration_routes(stage.registration),
		"Route: <sip:p1;lr>, <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n"));
	assert_string_equal(registration_hop(stage.registration), "sip:p1;lr");
	registration_print_proxy(&text, stage.registration);
	assert_string_equal(room, "Route: <sip:192.0.2.3:5070;lr>\r\n");
	registration_start(stage.registration);
	run_s(&stage, 0.02);
	respond_as(&stage, &stage.d, "200 OK", "Service-Route: p1\r\n");
	assert_null(registration_hop(stage.registration));
	assert_int_equal(registration_routes(stage.registration).len, 0);
	close_stage(&stage);
}

/* Stopped and started in each state, and from within an event. */
static void test_stop(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "sip:192.0.2.3", NULL);
	registration_stop(stage.registration);
	expect_log(&stage, "");
	begin(&stage);
	registration_start(stage.registration); /* it is at it */
	registration_stop(stage.registration);
	expect_log(&stage, "gone ");
	begin(&stage);
	stage.stop = true;
	respond(&stage, "200 OK", "");
	assert_non_null(strstr(stage.c.last, "\r\nExpires: 0\r\n"));
	registration_stop(stage.registration);
	run_s(&stage, 3); /* nobody confirms it */
	expect_log(&stage, OK_LOG("600") "gone ");
	begin(&stage);
	respond(&stage, "200 OK", "");
	registration_stop(stage.registration);
	begin(&stage); /* while it leaves */
	respond(&stage, "200 OK", "");
	expect_log(&stage, OK_LOG("600") OK_LOG("600"));
	registration_stop(stage.registration);
	stage.start = true;
	run_s(&stage, 0.02);
	respond(&stage, "200 OK", "");
	expect_log(&stage, "gone ");
	respond(&stage, "500 No", "");
	expect_log(&stage, "failed(500) ");
	registration_stop(stage.registration);
	expect_log(&stage, "gone ");
	run_s(&stage, 100);
	expect_log(&stage, "");
	close_stage(&stage);
}

static void test_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct stage stage;

		open_stage(&stage, "sip:192.0.2.3", NULL);
		allowed = i;
		registration_start(stage.registration);
		run_s(&stage, 1);
		if (stage.c.count > 0)
			respond(&stage, "200 OK", "Service-Route: <sip:p;lr>\r\n");
		allowed = SIZE_MAX;
		run_s(&stage, 100);
		registration_stop(stage.registration);
		run_s(&stage, 3);
		close_stage(&stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_a_lost_connection),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
