/* core/sip/transaction: server transactions (RFC 3261, section 17.2), exactly when; the transport.
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
	uint64_t start_ns;
};

static void open_bench(struct bench *bench)
{
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

/* A request to a, with a Via of the test's choice. */
static void ask_via(struct bench *bench, const char *method, const char *via, const char *lines)
{
	world_peer_send(&bench->peer, "192.0.2.1:5060",
		"%s sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s\r\nMax-Forwards: 70\r\n"
		"From: <sip:c@192.0.2.3>;tag=c\r\nTo: <sip:a@192.0.2.1>\r\nCall-ID: y\r\n"
		"CSeq: 3 %s\r\nContact: <sip:c@192.0.2.3:5070>\r\n%sContent-Length: 0\r\n\r\n",
		method, via, method, lines);
	world_run(&bench->pair.world, WORLD_WAY_NS);
}

static void ask(struct bench *bench, const char *method)
{
	ask_via(bench, method, "192.0.2.3:5070;branch=z9hG4bKserver", "");
}

static void respond(struct bench *bench, uint16_t status)
{
	sip_server_respond(bench->pair.a.server, &(struct sip_response){.status = status});
}

/* Section 17.2.1: 100 after 200 ms if the user has said nothing. */
static void test_server_trying(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask_via(&bench, "INVITE", "192.0.2.3:5070;branch=z9hG4bKserver", "Timestamp: 54\r\n");
	run_to_ms(&bench, 1000);
	EXPECT_TIMES(&bench, "SIP/2.0", 201);
	assert_match(bench.peer.last,
		"SIP/2.0 100 Trying\r\n"
		"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKserver\r\n"
		"From: <sip:c@192.0.2.3>;tag=c\r\nTo: <sip:a@192.0.2.1>\r\nCall-ID: y\r\n"
		"CSeq: 3 INVITE\r\nTimestamp: 54\r\nServer: test\r\nContent-Length: 0\r\n\r\n");
	ask(&bench, "INVITE");
	EXPECT_TIMES(&bench, "SIP/2.0", 201, 1001);
	respond(&bench, 180);
	run_to_ms(&bench, 2000);
	ask(&bench, "INVITE");
	EXPECT_TIMES(&bench, "SIP/2.0 180", 1001, 2001);
	assert_string_equal(bench.pair.a.log, "INVITE ");
	respond(&bench, 486);
	close_bench(&bench);
}

static void test_server_needs_no_trying(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "INVITE");
	run_to_ms(&bench, 200);
	respond(&bench, 180);
	run_to_ms(&bench, 10000);
	EXPECT_TIMES(&bench, "SIP/2.0", 200);
	respond(&bench, 486);
	close_bench(&bench);
}

/* Timers G and H. */
static void test_server_completed(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "INVITE");
	respond(&bench, 486);
	run_to_ms(&bench, 600);
	ask(&bench, "INVITE");
	run_to_ms(&bench, 32000);
	EXPECT_TIMES(&bench, "SIP/2.0 486", 1, 501, 601, 1501, 3501, 7501, 11501, 15501, 19501,
		23501, 27501, 31501);
	assert_false(phone_is_idle(&bench.pair.a));
	run_to_ms(&bench, 32001);
	assert_true(phone_is_idle(&bench.pair.a));
	close_bench(&bench);
}

/* Timer I. */
static void test_server_confirmed(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "INVITE");
	respond(&bench, 486);
	run_to_ms(&bench, 699);
	ask(&bench, "ACK");
	ask(&bench, "ACK");
	ask(&bench, "INVITE");
	run_to_ms(&bench, 5699);
	EXPECT_TIMES(&bench, "SIP/2.0 486", 1, 501);
	assert_false(phone_is_idle(&bench.pair.a));
	run_to_ms(&bench, 5700);
	assert_true(phone_is_idle(&bench.pair.a));
	assert_string_equal(bench.pair.a.log, "INVITE ");
	close_bench(&bench);
}

/* RFC 6026, Timer L: the INVITE again gets nothing, as the user repeats its 2xx. */
static void test_server_accepted(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "INVITE");
	respond(&bench, 200);
	ask(&bench, "INVITE");
	run_to_ms(&bench, 32000);
	EXPECT_TIMES(&bench, "SIP/2.0", 1);
	assert_false(phone_is_idle(&bench.pair.a));
	run_to_ms(&bench, 32001);
	assert_true(phone_is_idle(&bench.pair.a));
	assert_string_equal(bench.pair.a.log, "INVITE ");
	close_bench(&bench);
}

/* Section 17.2.2, Timer J. */
static void test_server_other(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "OPTIONS");
	ask(&bench, "OPTIONS"); /* nothing to repeat yet */
	run_to_ms(&bench, 9);
	ask(&bench, "OPTIONS");
	respond(&bench, 200);
	run_to_ms(&bench, 32008);
	ask(&bench, "OPTIONS");
	EXPECT_TIMES(&bench, "SIP/2.0", 10, 32009);
	run_to_ms(&bench, 32009);
	assert_false(phone_is_idle(&bench.pair.a));
	run_to_ms(&bench, 32010);
	assert_true(phone_is_idle(&bench.pair.a));
	assert_string_equal(bench.pair.a.log, "OPTIONS ");
	ask(&bench, "OPTIONS"); /* so long after, it is a new one */
	assert_string_equal(bench.pair.a.log, "OPTIONS OPTIONS ");
	respond(&bench, 200);
	close_bench(&bench);
}

static void count_gone(void *arg)
{
	(*(size_t *)arg)++;
}

/* RFC 4320, section 4.2: whoever asked has given up after 64 T1, and no answer is sent any more. */
static void test_server_never_answers(void **state)
{
	static const struct sip_server_events events = {.gone = count_gone};
	struct bench bench;
	size_t gone = 0;

	(void)state;
	open_bench(&bench);
	ask(&bench, "OPTIONS");
	sip_server_watch(bench.pair.a.server, &events, &gone);
	run_to_ms(&bench, 32000);
	assert_int_equal(gone, 0);
	run_to_ms(&bench, 32001);
	assert_int_equal(gone, 1);
	assert_true(phone_is_idle(&bench.pair.a));
	EXPECT_TIMES(&bench, "SIP/2.0 100", 3501);
	close_bench(&bench);
}

/* The same section: 408 tells who has given up already, and nobody who has not. */
static void test_server_is_no_408(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "OPTIONS");
	respond(&bench, 408);
	run_to_ms(&bench, 33000);
	assert_int_equal(pair_count(&bench.pair, "SIP/2.0"), 0);
	assert_true(phone_is_idle(&bench.pair.a));
	close_bench(&bench);
}

/* Section 17.2.3. Each row's second request is the first one again, or new (and merged: 482). */
static void test_server_matching(void **state)
{
	static const struct {
		const char *first, *second;
		bool same;
	} rows[] = {
		{"192.0.2.3:5070;branch=z9hG4bKx", "192.0.2.3:5070;branch=z9hG4bKx", true},
		{"h.org;branch=z9hG4bKx", "H.org;rport;branch=z9hG4bKx", true},
		{"192.0.2.3:5070;branch=z9hG4bKx", "192.0.2.3:5070;branch=z9hG4bKy", false},
		{"192.0.2.3:5070;branch=z9hG4bKx", "192.0.2.3;branch=z9hG4bKx", false},
		{"192.0.2.3:5070;branch=z9hG4bKx", "192.0.2.4:5070;branch=z9hG4bKx", false},
		{"192.0.2.3:5070", "192.0.2.3:5070", true}, /* RFC 2543 */
		{"192.0.2.3:5070;branch=1", "192.0.2.3:5070;branch=1", true},
		{"192.0.2.3:5070;branch=1", "192.0.2.3:5070;branch=z9hG4bKx", false},
	};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_bench(&bench);
		ask_via(&bench, "OPTIONS", rows[i].first, "");
		ask_via(&bench, "OPTIONS", rows[i].second, "");
		if (pair_count(&bench.pair, "SIP/2.0 482") != !rows[i].same)
			fail_msg("row %zu", i);
		assert_string_equal(bench.pair.a.log, "OPTIONS ");
		respond(&bench, 200);
		close_bench(&bench);
	}
}

/* Section 18.2.2 and RFC 3581, section 4. */
static void test_reply_to(void **state)
{
	static const struct {
		const char *via, *to, *received;
	} rows[] = {
		{"192.0.2.3:5070;branch=z9hG4bKx;rport", "192.0.2.3:5070", "rport=5070"},
		{"10.0.0.1:9;branch=z9hG4bKx;rport", "192.0.2.3:5070", "received=192.0.2.3"},
		{"10.0.0.1:9;branch=z9hG4bKx", "192.0.2.3:9", "received=192.0.2.3"},
		{"10.0.0.1;branch=z9hG4bKx", "192.0.2.3:5060", "received=192.0.2.3"},
		{"c.org:9;branch=z9hG4bKx;maddr=192.0.2.9", "192.0.2.3:9", "received=192.0.2.3"},
	};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct world_sent *sent;
		struct addr to = world_addr(rows[i].to);

		open_bench(&bench);
		ask_via(&bench, "OPTIONS", rows[i].via, "");
		respond(&bench, 200);
		sent = pair_sent(&bench.pair, "SIP/2.0 200", 0);
		if (!addr_equal(&sent->to, &to) || !strstr(sent->text, rows[i].received))
			fail_msg("row %zu:\n%s", i, sent->text);
		close_bench(&bench);
	}
}

/* RFC 2543 has no branch: CSeq number and From tag tell a new request from an old one. */
static void test_no_branch(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.pair.a.reply = 200;
	for (unsigned int i = 0; i < 6; i++) {
		world_peer_send(&bench.peer, "192.0.2.1:5060",
			"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3:5070\r\n"
			"From: <sip:c@192.0.2.3>;tag=%c\r\nTo: <sip:a@192.0.2.1>\r\n"
			"Call-ID: y\r\nCSeq: %u OPTIONS\r\nContent-Length: 0\r\n\r\n",
			i < 4 ? 'c' : 'd', i < 4 ? i / 2 : 1);
		world_run(&bench.pair.world, WORLD_WAY_NS);
	}
	assert_string_equal(bench.pair.a.log, "OPTIONS OPTIONS OPTIONS ");
	assert_int_equal(pair_count(&bench.pair, "SIP/2.0 200"), 6);
	close_bench(&bench);
}

static void test_noise(void **state)
{
	static const char *const noise[] = {"\r\n", "\r\n\r\n", "\n", "", "x", "SIP/2.0",
		"OPTIONS sip:a SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"};
	struct bench bench;

	(void)state;
	open_bench(&bench);
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		world_peer_send(&bench.peer, "192.0.2.1:5060", "%s", noise[i]);
	world_run(&bench.pair.world, NS_PER_S);
	assert_int_equal(bench.peer.count, 0);
	assert_true(phone_is_idle(&bench.pair.a));
	close_bench(&bench);
}

struct seen {
	size_t sent, received;
};

static void look(void *arg, bool sent, enum sip_transport_kind kind, const struct addr *local,
	const struct addr *remote, struct slice bytes)
{
	struct seen *seen = arg;
	struct addr host = world_addr("192.0.2.2:5060");
	struct addr peer = world_addr("192.0.2.3:5070");

	assert_int_equal(kind, SIP_UDP);
	assert_true(addr_equal(local, &host) && addr_equal(remote, &peer) && bytes.len > 0);
	if (sent)
		seen->sent++;
	else
		seen->received++;
}

static void test_trace(void **state)
{
	static const struct sip_stack_events events = {.trace = look};
	struct bench bench;
	struct seen seen = {0};

	(void)state;
	open_bench(&bench);
	bench.pair.b.stack->config.events = &events;
	bench.pair.b.stack->config.arg = &seen;
	world_peer_send(&bench.peer, "192.0.2.2:5060", "\r\n\r\n");
	world_peer_send(&bench.peer, "192.0.2.2:5060",
		"FLY sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKx\r\n"
		"From: <sip:c@192.0.2.3>;tag=c\r\nTo: <sip:b@192.0.2.2>\r\nCall-ID: z\r\n"
		"CSeq: 1 FLY\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
	world_run(&bench.pair.world, NS_PER_S);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(seen.received, 1);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_trying),
		cmocka_unit_test(test_server_needs_no_trying),
		cmocka_unit_test(test_server_completed),
		cmocka_unit_test(test_server_confirmed),
		cmocka_unit_test(test_server_accepted),
		cmocka_unit_test(test_server_other),
		cmocka_unit_test(test_server_never_answers),
		cmocka_unit_test(test_server_is_no_408),
		cmocka_unit_test(test_server_matching),
		cmocka_unit_test(test_reply_to),
		cmocka_unit_test(test_no_branch),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_trace),
	};

	return cmocka_run_group_tests_name("sip/transaction_server", tests, NULL, NULL);
}
