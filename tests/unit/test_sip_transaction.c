/* core/sip/transaction: client transactions (RFC 3261, section 17.1): what they do, and exactly
 * when.
 */
#include "core/base/text.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* One stack, a, and a far end of plain bytes at 192.0.2.3:5070. */
struct bench {
	struct pair pair;
	struct world_peer peer;
	struct sip_client *client;
	char log[256]; /* what the client transaction's events said */
	uint64_t start_ns;
};

static void log_response(void *arg, const struct sip_msg *response)
{
	struct bench *bench = arg;
	size_t len = strlen(bench->log);

	snprintf(bench->log + len, sizeof(bench->log) - len, "%u ", response->status);
}

static void log_ended(void *arg, int err)
{
	struct bench *bench = arg;
	size_t len = strlen(bench->log);

	snprintf(bench->log + len, sizeof(bench->log) - len, "ended(%d) ", err);
}

static void open_bench(struct bench *bench)
{
	*bench = (struct bench){0};
	pair_open(&bench->pair);
	world_peer_open(&bench->peer, bench->pair.c, "192.0.2.3:5070");
	bench->pair.a.untaken = true;
	bench->pair.a.reply = 0;
	bench->start_ns = bench->pair.world.now_ns;
}

static void close_bench(struct bench *bench)
{
	world_peer_close(&bench->peer);
	pair_close(&bench->pair);
}

/* Goes to a time since the start; everything due before it is done, and what is due then too. */
static void run_to_ms(struct bench *bench, uint64_t ms)
{
	struct world *world = &bench->pair.world;

	world_run(world, bench->start_ns + ms * NS_PER_MS - world->now_ns);
}

static void expect_times(
	struct bench *bench, const char *start, const uint64_t *times_ms, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t at_ns = pair_sent(&bench->pair, start, i)->at_ns - bench->start_ns;

		if (at_ns != times_ms[i] * NS_PER_MS)
			fail_msg("%s %zu at %llu us", start, i, (unsigned long long)at_ns / 1000);
	}
	assert_int_equal(pair_count(&bench->pair, start), count);
}

#define EXPECT_TIMES(bench, start, ...)                                                            \
	expect_times((bench), (start), (const uint64_t[]){__VA_ARGS__},                            \
		sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* A client transaction of a to the far end. */
static void send_client_for(
	struct bench *bench, const char *method, const struct sip_client_events *events)
{
	struct addr to = world_addr("192.0.2.3:5070");
	struct sip_flow flow;
	char text[1024];

	snprintf(text, sizeof(text),
		"%s sip:c@192.0.2.3:5070 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKclient;rport\r\n"
		"Max-Forwards: 70\r\nRoute: <sip:192.0.2.3:5070;lr>\r\n"
		"From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:c@192.0.2.3>\r\nCall-ID: x\r\n"
		"CSeq: 7 %s\r\nContact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
		method, method);
	assert_int_equal(sip_stack_flow(&flow, bench->pair.a.stack, SIP_UDP, &to), 0);
	assert_int_equal(sip_client_new(&bench->client, bench->pair.a.stack, &flow, slice_of(text),
				 events, bench),
		0);
}

static void send_client(struct bench *bench, const char *method)
{
	static const struct sip_client_events events = {log_response, log_ended};

	send_client_for(bench, method, &events);
}

/* The far end answers; 1 ms later it is there. */
static void answer(struct bench *bench, unsigned int status, const char *method, const char *branch)
{
	world_peer_send(&bench->peer, "192.0.2.1:5060",
		"SIP/2.0 %u X\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%s;rport\r\n"
		"From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:c@192.0.2.3>;tag=c\r\nCall-ID: x\r\n"
		"CSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
		status, branch, method);
	world_run(&bench->pair.world, WORLD_WAY_NS);
}

#define BRANCH "z9hG4bKclient"

/* Section 17.1.1.2: Timers A and B. */
static void test_client_invite_timeout(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	run_to_ms(&bench, 31999);
	EXPECT_TIMES(&bench, "INVITE", 0, 500, 1500, 3500, 7500, 15500, 31500);
	assert_string_equal(bench.log, "");
	run_to_ms(&bench, 32000);
	assert_string_equal(bench.log, "ended(-110) ");
	assert_true(phone_is_idle(&bench.pair.a));
	close_bench(&bench);
}

/* Section 17.1.2.2: Timers E and F. */
static void test_client_other_timeout(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	run_to_ms(&bench, 31999);
	EXPECT_TIMES(&bench, "OPTIONS", 0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500,
		31500);
	assert_string_equal(bench.log, "");
	run_to_ms(&bench, 32000);
	assert_string_equal(bench.log, "ended(-110) ");
	close_bench(&bench);
}

static void test_client_invite_proceeding(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	run_to_ms(&bench, 600);
	answer(&bench, 100, "INVITE", BRANCH);
	answer(&bench, 180, "INVITE", BRANCH);
	run_to_ms(&bench, 300000); /* it may ring for as long as it likes */
	EXPECT_TIMES(&bench, "INVITE", 0, 500);
	assert_string_equal(bench.log, "100 180 ");
	answer(&bench, 404, "INVITE", BRANCH);
	assert_string_equal(bench.log, "100 180 404 ");
	close_bench(&bench);
}

/* In Proceeding, Timer E is T2; Timer F goes on. */
static void test_client_other_proceeding(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	run_to_ms(&bench, 600);
	answer(&bench, 100, "OPTIONS", BRANCH);
	run_to_ms(&bench, 32000);
	EXPECT_TIMES(
		&bench, "OPTIONS", 0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500);
	assert_string_equal(bench.log, "100 ended(-110) ");
	close_bench(&bench);
}

/* Completed: each final response gets its ACK (section 17.1.1.3), for 32 s (Timer D). */
static void test_client_invite_completed(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	run_to_ms(&bench, 9);
	answer(&bench, 486, "INVITE", BRANCH);
	EXPECT_TIMES(&bench, "ACK", 10);
	assert_match(pair_sent(&bench.pair, "ACK", 0)->text,
		"ACK sip:c@192.0.2.3:5070 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKclient;rport\r\n"
		"Max-Forwards: 70\r\nRoute: <sip:192.0.2.3:5070;lr>\r\n"
		"From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:c@192.0.2.3>;tag=c\r\nCall-ID: x\r\n"
		"CSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n");
	answer(&bench, 486, "INVITE", BRANCH);
	answer(&bench, 180, "INVITE", BRANCH);
	answer(&bench, 200, "INVITE", BRANCH);
	run_to_ms(&bench, 32008);
	answer(&bench, 486, "INVITE", BRANCH);
	EXPECT_TIMES(&bench, "ACK", 10, 11, 32009);
	assert_string_equal(
		pair_sent(&bench.pair, "ACK", 0)->text, pair_sent(&bench.pair, "ACK", 2)->text);
	assert_false(phone_is_idle(&bench.pair.a));
	run_to_ms(&bench, 32010);
	assert_true(phone_is_idle(&bench.pair.a));
	answer(&bench, 486, "INVITE", BRANCH);
	assert_int_equal(pair_count(&bench.pair, "ACK"), 3);
	assert_string_equal(bench.log, "486 ");
	close_bench(&bench);
}

/* Completed: repetitions are absorbed for T4 (Timer K). */
static void test_client_other_completed(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	run_to_ms(&bench, 9);
	answer(&bench, 200, "OPTIONS", BRANCH);
	answer(&bench, 200, "OPTIONS", BRANCH);
	run_to_ms(&bench, 5009);
	assert_false(phone_is_idle(&bench.pair.a));
	run_to_ms(&bench, 5010);
	assert_true(phone_is_idle(&bench.pair.a));
	EXPECT_TIMES(&bench, "OPTIONS", 0);
	assert_string_equal(bench.log, "200 ");
	close_bench(&bench);
}

/* RFC 6026: each 2xx is the user's, for 64*T1 (Timer M). */
static void test_client_accepted(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	run_to_ms(&bench, 9);
	answer(&bench, 200, "INVITE", BRANCH);
	answer(&bench, 486, "INVITE", BRANCH);
	answer(&bench, 180, "INVITE", BRANCH);
	run_to_ms(&bench, 32008);
	answer(&bench, 200, "INVITE", BRANCH);
	assert_string_equal(bench.log, "200 200 ");
	run_to_ms(&bench, 32010);
	assert_string_equal(bench.log, "200 200 ended(0) ");
	assert_int_equal(pair_count(&bench.pair, "ACK"), 0);
	close_bench(&bench);
}

/* Section 17.1.3: branch and method have to be the same. */
static void test_client_strangers(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	answer(&bench, 200, "OPTIONS", "z9hG4bKother");
	answer(&bench, 200, "BYE", BRANCH);
	answer(&bench, 200, "OPTIONS", "z9hG4bKclienT");
	assert_string_equal(bench.log, "");
	answer(&bench, 404, "OPTIONS", BRANCH);
	assert_string_equal(bench.log, "404 ");
	close_bench(&bench);
}

/* Section 17.1.4: a repetition that cannot be sent ends it. */
static void test_client_send_fails(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	bench.pair.world.send_err = -ENETDOWN;
	run_to_ms(&bench, 500);
	assert_string_equal(bench.log, "ended(-100) ");
	bench.pair.world.send_err = 0;
	close_bench(&bench);
}

static void test_client_released(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	run_to_ms(&bench, 600);
	sip_client_release(bench.client);
	run_to_ms(&bench, 40000);
	EXPECT_TIMES(&bench, "OPTIONS", 0, 500);
	assert_string_equal(bench.log, "");
	close_bench(&bench);
}

/* An ICMP error ends the one that it quotes, or, if it quotes too little, all that send there. */
static void test_client_unreachable(void **state)
{
	static const struct {
		const char *sent, *to, *log;
	} rows[] = {
		{"", "192.0.2.3:5070", "ended(-111) "},
		{"", "192.0.2.3:5071", ""},
		{"OPTIONS sip:c SIP/2.0\r\nVia: x;branch=z9hG4bKclient\r", "192.0.2.3:9",
			"ended(-111) "},
		{"OPTIONS sip:c SIP/2.0\r\nVia: x;branch=z9hG4bKclien", "192.0.2.3:5070",
			"ended(-111) "}, /* cut */
		{"OPTIONS sip:c SIP/2.0\r\nVia: x;branch=z9hG4bKother\r", "192.0.2.3:5070", ""},
		{"ACK sip:c SIP/2.0\r\nVia: x;branch=z9hG4bKclient\r", "192.0.2.3:5070", ""},
	};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr to = world_addr(rows[i].to);
		struct sip_flow flow;

		open_bench(&bench);
		send_client(&bench, "OPTIONS");
		assert_int_equal(sip_stack_flow(&flow, bench.pair.a.stack, SIP_UDP, &to), 0);
		sip_client_unreachable(bench.pair.a.stack, flow.transport, &to, -ECONNREFUSED,
			slice_of(rows[i].sent));
		if (strcmp(bench.log, rows[i].log) != 0)
			fail_msg("row %zu: \"%s\"", i, bench.log);
		close_bench(&bench);
	}
}

/* Only one that may still be sending is meant, and over that transport. */
static void test_client_not_unreachable(void **state)
{
	static const char quote[] = "INVITE sip:c SIP/2.0\r\nVia: x;branch=z9hG4bKclient\r\n";
	struct addr to = world_addr("192.0.2.3:5070");
	struct sip_flow flow;
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	assert_int_equal(sip_stack_flow(&flow, bench.pair.a.stack, SIP_UDP, &to), 0);
	sip_client_unreachable(bench.pair.a.stack, NULL, &to, -ECONNREFUSED, slice_of(""));
	answer(&bench, 180, "INVITE", BRANCH);
	for (int i = 0; i < 2; i++) {
		sip_client_unreachable(bench.pair.a.stack, flow.transport, &to, -ECONNREFUSED,
			slice_of(i == 0 ? quote : ""));
		assert_string_equal(bench.log, "180 ");
	}
	answer(&bench, 486, "INVITE", BRANCH);
	sip_client_unreachable(
		bench.pair.a.stack, flow.transport, &to, -ECONNREFUSED, slice_of(quote));
	assert_false(phone_is_idle(&bench.pair.a)); /* it still has ACKs to send */
	assert_string_equal(bench.log, "180 486 ");
	close_bench(&bench);
}

/* Who has had a provisional response, is not concerned by an error that quotes nothing. */
static void test_client_unreachable_but_heard(void **state)
{
	static const char quote[] = "OPTIONS sip:c SIP/2.0\r\nVia: x;branch=z9hG4bKclient\r\n";
	struct addr to = world_addr("192.0.2.3:5070");
	struct sip_flow flow;
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "OPTIONS");
	answer(&bench, 100, "OPTIONS", BRANCH);
	assert_int_equal(sip_stack_flow(&flow, bench.pair.a.stack, SIP_UDP, &to), 0);
	sip_client_unreachable(
		bench.pair.a.stack, flow.transport, &to, -ECONNREFUSED, slice_of(""));
	assert_string_equal(bench.log, "100 ");
	sip_client_unreachable(
		bench.pair.a.stack, flow.transport, &to, -ECONNREFUSED, slice_of(quote));
	assert_string_equal(bench.log, "100 ended(-111) ");
	close_bench(&bench);
}

/* Tries again, as a user may. */
static void try_again(void *arg, int err)
{
	struct bench *bench = arg;

	log_ended(bench, err);
	send_client(bench, "BYE");
}

static void test_client_started_by_event(void **state)
{
	static const struct sip_client_events events = {log_response, try_again};
	struct addr to = world_addr("192.0.2.3:5070");
	struct sip_flow flow;
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client_for(&bench, "OPTIONS", &events);
	assert_int_equal(sip_stack_flow(&flow, bench.pair.a.stack, SIP_UDP, &to), 0);
	sip_client_unreachable(
		bench.pair.a.stack, flow.transport, &to, -ECONNREFUSED, (struct slice){0});
	assert_string_equal(bench.log, "ended(-111) "); /* and not the new one, too */
	answer(&bench, 200, "BYE", BRANCH);
	assert_string_equal(bench.log, "ended(-111) 200 ");
	close_bench(&bench);
}

/* Section 9.1: no CANCEL for what has a final response. */
static void test_client_cancel(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	answer(&bench, 180, "INVITE", BRANCH);
	assert_int_equal(sip_client_cancel(bench.client, slice_of("X: 1\r\n")), 0);
	assert_match(pair_sent(&bench.pair, "CANCEL", 0)->text,
		"CANCEL sip:c@192.0.2.3:5070 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKclient;rport\r\n"
		"Max-Forwards: 70\r\nRoute: <sip:192.0.2.3:5070;lr>\r\n"
		"From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:c@192.0.2.3>\r\nCall-ID: x\r\n"
		"CSeq: 7 CANCEL\r\nX: 1\r\nContent-Length: 0\r\n\r\n");
	answer(&bench, 200, "CANCEL", BRANCH);
	answer(&bench, 200, "INVITE", BRANCH);
	assert_int_equal(sip_client_cancel(bench.client, (struct slice){0}), 0);
	assert_int_equal(pair_count(&bench.pair, "CANCEL"), 1);
	assert_string_equal(bench.log, "180 200 ");
	close_bench(&bench);
}

static void test_client_accepted_released(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	send_client(&bench, "INVITE");
	answer(&bench, 200, "INVITE", BRANCH);
	sip_client_release(bench.client);
	sip_client_release(NULL);
	assert_true(phone_is_idle(&bench.pair.a));
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_invite_timeout),
		cmocka_unit_test(test_client_other_timeout),
		cmocka_unit_test(test_client_invite_proceeding),
		cmocka_unit_test(test_client_other_proceeding),
		cmocka_unit_test(test_client_invite_completed),
		cmocka_unit_test(test_client_other_completed),
		cmocka_unit_test(test_client_accepted),
		cmocka_unit_test(test_client_strangers),
		cmocka_unit_test(test_client_send_fails),
		cmocka_unit_test(test_client_released),
		cmocka_unit_test(test_client_unreachable),
		cmocka_unit_test(test_client_not_unreachable),
		cmocka_unit_test(test_client_unreachable_but_heard),
		cmocka_unit_test(test_client_started_by_event),
		cmocka_unit_test(test_client_cancel),
		cmocka_unit_test(test_client_accepted_released),
	};

	return cmocka_run_group_tests_name("sip/transaction", tests, NULL, NULL);
}
