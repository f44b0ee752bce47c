/* core/sip/transport_tcp: connections, found again, made anew and given up. */
#include "core/base/text.h"
#include "tests/unit/sip_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define TO_B "sip:b@192.0.2.2;transport=tcp"
#define TO_RAW "sip:c@192.0.2.3:5070;transport=tcp"
#define OPTIONS                                                                                    \
	"OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.3:5070;branch=z9hG4bKr\r\n"   \
	"Max-Forwards: 70\r\nFrom: <sip:c@x>;tag=c\r\nTo: <sip:b@x>\r\nCall-ID: r\r\n"             \
	"CSeq: 1 OPTIONS\r\n"

static void send_raw(struct sim *sim, const char *bytes)
{
	assert_int_equal(tcp_send(sim->raw.tcp, slice_of(bytes)), 0);
}

static void on_quiet_response(void *arg, const struct sip_msg *response)
{
	*(bool *)arg |= response->status >= 200;
}

/* One connection serves all requests, and nothing is repeated on it. */
static void test_reuse(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	for (size_t i = 1; i <= 3; i++) {
		sim_options(&sim, TO_B, 0);
		assert_string_equal(sim.a.log, "200 ");
		assert_int_equal(sim.b.received[1], i);
		assert_int_equal(play_left(sim.play).connections, 1);
	}
	assert_int_equal(sim.b.received[0], 0);
	sim_close(&sim);
}

/* Section 17, table 4: Timers D, I, J and K are zero, so that only the connection's own two run. */
static void test_nothing_lingers(void **state)
{
	static const struct sip_request_events events = {.response = on_quiet_response};
	static const enum sip_method methods[] = {SIP_OPTIONS, SIP_INVITE};
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim_options(&sim, TO_B, 0);
	sim.b.status = 486;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const struct sip_request_config config = {.method = methods[i],
			.uri = slice_of(TO_B),
			.cseq = 1,
			.headers = slice_of("From: <sip:a@x>;tag=a\r\nTo: <sip:b@x>\r\n"
					    "Call-ID: y\r\nContact: <sip:a@192.0.2.1>\r\n")};
		struct sip_request *request;
		bool answered = false;

		assert_int_equal(
			sip_request_send(&request, sim.a.stack, &config, &events, &answered), 0);
		sim_run_ms(&sim, 100);
		assert_true(answered);
		assert_int_equal(play_left(sim.play).timers, 2);
		sip_request_free(request);
	}
	sim_close(&sim);
}

static void test_no_answer(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim_listen(&sim, "192.0.2.3:5070");
	sim_options(&sim, TO_RAW, 0);
	assert_string_equal(sim.a.log, "ended(-110) ");
	assert_int_equal(sim.a.sent[1], 1); /* no Timer E */
	sim_close(&sim);
}

static void test_refused(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, false);
	sim_options(&sim, TO_B, 0);
	assert_string_equal(sim.a.log, "ended(-111) ");
	assert_int_equal(play_left(sim.play).connections, 0);
	sim_close(&sim);
}

/* A request whose connection is lost goes again, once. */
static void test_lost(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim_listen(&sim, "192.0.2.3:5070");
	sim.raw.hang_up = true;
	sim_options(&sim, TO_RAW, 0);
	assert_int_equal(sim.raw.accepted, 2);
	assert_int_equal(sim.a.sent[1], 2);
	assert_string_equal(sim.a.log, "ended(-110) ");
	sim_close(&sim);
}

/* RFC 5626, section 4.4.1. */
static void test_ping(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim, "\r\n\r\n");
	sim_run_ms(&sim, 1000);
	assert_string_equal(sim.raw.got, "\r\n");
	send_raw(&sim, "\r\n\r\n" OPTIONS "Content-Length: 0\r\n\r\n");
	sim_run_ms(&sim, 1000);
	assert_memory_equal(sim.raw.got, "\r\n\r\nSIP/2.0 200 OK\r\n", 20);
	sim_close(&sim);
}

/* Section 18.3: a request without Content-Length is answered, and the stream ends. */
static void test_broken(void **state)
{
	static const struct {
		const char *bytes, *answer;
	} rows[] = {
		{OPTIONS "\r\n", "SIP/2.0 400 Missing Content-Length header\r\n"},
		{OPTIONS "Content-Length: 1\r\nl: 2\r\n\r\n",
			"SIP/2.0 400 Content-Length headers contradict each other\r\n"},
		{OPTIONS "Content-Length: 2\r\nl: 1\r\n\r\n",
			"SIP/2.0 400 Content-Length headers contradict each other\r\n"},
		{OPTIONS "l: 70000\r\n\r\n", "SIP/2.0 513 "},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim sim;

		sim_open(&sim, true);
		sim_connect(&sim, "192.0.2.2:5060");
		send_raw(&sim, rows[i].bytes);
		sim_run_ms(&sim, 1000);
		if (strncmp(sim.raw.got, rows[i].answer, strlen(rows[i].answer)) != 0)
			fail_msg("row %zu: %s", i, sim.raw.got);
		assert_int_equal(sim.raw.closed, 1);
		assert_int_equal(sim.b.received[1], 0);
		sim_close(&sim);
	}
}

/* What begins must end within 30 s; what is idle goes after 5 minutes. */
static void test_times(void **state)
{
	static const struct {
		const char *bytes;
		uint64_t ms;
	} rows[] = {{OPTIONS, 30000}, {"\r\n", 300000}, {OPTIONS "l: 0\r\n\r\n", 300000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim sim;

		sim_open(&sim, true);
		sim_connect(&sim, "192.0.2.2:5060");
		send_raw(&sim, rows[i].bytes);
		sim_run_ms(&sim, rows[i].ms - 100);
		assert_int_equal(sim.raw.closed, 0);
		sim_run_ms(&sim, 300);
		assert_int_equal(sim.raw.closed, 1);
		sim_close(&sim);
	}
}

/* Section 18.2.2: without its connection, a response goes where the Via says, by a new one. */
static void test_response_elsewhere(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 0;
	sim_listen(&sim, "192.0.2.3:5070");
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim, OPTIONS "l: 0\r\n\r\n");
	sim_run_ms(&sim, 1000);
	assert_non_null(sim.b.server);
	tcp_free(sim.raw.tcp);
	sim.raw.tcp = NULL;
	sim_run_ms(&sim, 1000);
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 486});
	sim_run_ms(&sim, 1000);
	assert_int_equal(sim.raw.accepted, 1);
	assert_memory_equal(sim.raw.got, "SIP/2.0 486 ", 12);
	sim_close(&sim);
}

/* RFC 4320: 100 after 3.5 s, never before; after 32 s no answer at all. */
static void test_late_answer(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 0;
	sim_options(&sim, "sip:b@192.0.2.2", 0);
	assert_memory_equal(sim.a.log, "100 ", 4);
	assert_non_null(strstr(sim.a.log, "100 ended(-110) "));
	assert_int_equal(sim.b.received[0], 11); /* 0, 0.5, 1.5, 3.5, 7.5, ... 31.5 s */
	assert_true(sim.b.sent[0] <= 9);         /* nothing to the first three */
	sim_close(&sim);
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		found++;
	return found;
}

/* Section 13.3.1.1: what rings says so each minute; Timer G is not for TCP; H is. */
static void test_invite(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, true);
	sim.b.status = 0;
	sim_connect(&sim, "192.0.2.2:5060");
	send_raw(&sim,
		"INVITE sip:b@192.0.2.2 SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 192.0.2.3:5070;branch=z9hG4bKi\r\nMax-Forwards: 70\r\n"
		"From: <sip:c@x>;tag=c\r\nTo: <sip:b@x>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:c@192.0.2.3:5070;transport=tcp>\r\nContent-Length: 0\r\n\r\n");
	sim_run_ms(&sim, 100);
	assert_non_null(sim.b.server);
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 180});
	sim_run_ms(&sim, 59000);
	assert_int_equal(count(sim.raw.got, "SIP/2.0 180"), 1);
	sim_run_ms(&sim, 2000);
	assert_int_equal(count(sim.raw.got, "SIP/2.0 180"), 2);
	sip_server_respond(sim.b.server, &(struct sip_response){.status = 486});
	sim_run_ms(&sim, 10000);
	assert_int_equal(count(sim.raw.got, "SIP/2.0 486"), 1);
	assert_true(sip_stack_owes(sim.b.stack));
	sim_run_ms(&sim, 23000);
	assert_false(sip_stack_owes(sim.b.stack));
	sim_close(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_nothing_lingers),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_response_elsewhere),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_invite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
