/* core/sip/invite: a session that changes, by re-INVITE from either side and by both at once. */
#include "core/base/text.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define VIA_A "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK*;rport"
#define VIA_A_BACK VIA_A "=5060;received=192.0.2.1\r\n"
#define FROM_A "From: \"Al \\\"A\\\"\" <sip:a@192.0.2.1>;tag=*\r\n"
#define TO_B "To: <sip:b@192.0.2.2:5060>;tag=*\r\n"
#define CALL_ID "Call-ID: *@192.0.2.1\r\n"

static void open_talk(struct pair *pair)
{
	pair_open(pair);
	pair_talk(pair);
}

static void close_talk(struct pair *pair)
{
	phone_hangup(&pair->a);
	phone_hangup(&pair->b);
	pair_close(pair);
}

static void test_changed(void **state)
{
	static const char *const wire[] = {
		"INVITE sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A
		"\r\nMax-Forwards: 70\r\n" FROM_A TO_B CALL_ID "CSeq: 2 INVITE\r\n"
		"User-Agent: test\r\nContact: <sip:a@192.0.2.1:5060>\r\n"
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: \r\n"
		"Content-Type: application/sdp\r\n"
		"Content-Length: 9\r\n\r\nnew offer",

		"SIP/2.0 200 OK\r\n" VIA_A_BACK FROM_A TO_B CALL_ID
		"CSeq: 2 INVITE\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: \r\n"
		"Server: test\r\n"
		"Contact: <sip:b@192.0.2.2:5060>\r\nContent-Type: application/sdp\r\n"
		"Content-Length: 10\r\n\r\nnew answer",

		"ACK sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A
		"\r\nMax-Forwards: 70\r\n" FROM_A TO_B CALL_ID
		"CSeq: 2 ACK\r\nUser-Agent: test\r\nContent-Length: 0\r\n\r\n",
	};
	struct pair pair;

	(void)state;
	open_talk(&pair);
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "changed(new answer) ", "change(INVITE new offer) confirmed ");
	assert_int_equal(pair.world.sent_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_match(pair.world.sent[i].text, wire[i]);
	pair_run_ms(&pair, 40000); /* nothing is repeated */
	assert_int_equal(pair_count(&pair, "INVITE"), 1);
	assert_int_equal(pair_count(&pair, "SIP/2.0"), 1);
	assert_int_equal(pair_count(&pair, "ACK"), 1);
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 100);
	assert_non_null(strstr(pair_sent(&pair, "INVITE", 1)->text, "CSeq: 3 INVITE\r\n"));
	phone_hangup(&pair.a);
	assert_non_null(strstr(pair_sent(&pair, "BYE", 0)->text, "CSeq: 4 BYE\r\n"));
	close_talk(&pair);
}

/* The called may offer, too; its CSeq numbers are its own. */
static void test_changed_by_called(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	assert_int_equal(phone_change(&pair.b), 0);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "change(INVITE new offer) confirmed ", "changed(new answer) ");
	pair_expect_sent(&pair, "INVITE 200 ACK");
	assert_non_null(strstr(pair.world.sent[0].text, "CSeq: 1 INVITE\r\n"));
	close_talk(&pair);
}

static void test_200_and_ack_lost(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	pair.start = "ACK";
	pair.drop = 2;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 10000);
	pair_expect_logs(&pair, "changed(new answer) ", "change(INVITE new offer) confirmed ");
	pair_expect_sent(&pair, "INVITE 200 ACK 200 ACK 200 ACK");
	assert_string_equal(pair_sent(&pair, "ACK", 2)->text, pair_sent(&pair, "ACK", 0)->text);
	close_talk(&pair);

	open_talk(&pair);
	pair.start = "SIP/2.0 200";
	pair.drop = 1;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 10000);
	pair_expect_logs(&pair, "changed(new answer) ", "change(INVITE new offer) confirmed ");
	pair_expect_sent(&pair, "INVITE 200 INVITE 200 ACK");
	close_talk(&pair);
}

/* Section 14.2: the same as with the first 200, from which there is no coming back. */
static void test_ack_never_comes(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	pair.start = "ACK";
	pair.drop = 100;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 32000);
	pair_expect_logs(&pair, "changed(new answer) ", "change(INVITE new offer) ");
	assert_int_equal(pair_count(&pair, "BYE"), 0);
	pair_run_ms(&pair, 10);
	assert_int_equal(pair_count(&pair, "SIP/2.0 200"), 12); /* 11, and one to BYE */
	pair_expect_logs(&pair, "changed(new answer) ended(remote 0 0) ",
		"change(INVITE new offer) ended(timeout 0 0) ");
	close_talk(&pair);
}

/* A re-INVITE without an offer is answered with one, and ACK brings the answer. */
static void test_late_offers(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.a.late = true;
	pair.a.in_ack = "late answer";
	pair.b.accept = true;
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "180 answered(answer) ", "incoming() confirmed(late answer) ");
	assert_non_null(strstr(pair_sent(&pair, "INVITE", 0)->text, "Accept: application/sdp\r\n"));
	assert_null(strstr(pair_sent(&pair, "INVITE", 0)->text, "Content-Type"));
	assert_match(strstr(pair_sent(&pair, "ACK", 0)->text, "CSeq"),
		"CSeq: 1 ACK\r\nUser-Agent: test\r\nContent-Type: application/sdp\r\n"
		"Content-Length: 11\r\n\r\nlate answer");

	assert_int_equal(sip_invite_change(pair.a.invite, NULL, (struct slice){0}), 0);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "180 answered(answer) changed(counter) ",
		"incoming() confirmed(late answer) change(INVITE ) confirmed(late answer) ");
	close_talk(&pair);
}

/* Each final response, what it means for the call, and what goes over the wire. */
static void test_refusals(void **state)
{
	static const struct {
		uint16_t status;
		const char *lines, *a, *b, *sent;
	} rows[] = {
		{488, NULL, "unchanged(488) ", "", "INVITE 488 ACK"},
		{302, NULL, "unchanged(302) ", "", "INVITE 302 ACK"},
		{603, NULL, "unchanged(603) ", "", "INVITE 603 ACK"},
		{500, NULL, "unchanged(500) ", "", "INVITE 500 ACK"},
		{500, "Retry-After: x\r\n", "unchanged(500) ", "", "INVITE 500 ACK"},
		{503, "Retry-After: 61\r\n", "unchanged(503) ", "", "INVITE 503 ACK"},
		{486, "Retry-After: 1\r\n", "unchanged(486) ", "", "INVITE 486 ACK"},
		{500, "Retry-After: 1 (soon) ;duration=9\r\n", "retry ", "", "INVITE 500 ACK"},
		{503, "Retry-After: 0\r\n", "retry ", "", "INVITE 503 ACK"},
		{491, NULL, "retry ", "", "INVITE 491 ACK"},
		{481, NULL, "ended(rejected 481 0) ", "ended(remote 0 0) ",
			"INVITE 481 ACK BYE 200"},
		{408, NULL, "ended(rejected 408 0) ", "ended(remote 0 0) ",
			"INVITE 408 ACK BYE 200"},
	};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char b[128];

		open_talk(&pair);
		pair.b.refuse = rows[i].status;
		pair.b.change_lines = rows[i].lines;
		assert_int_equal(phone_change(&pair.a), 0);
		pair_run_ms(&pair, 5000);
		snprintf(b, sizeof(b), "change(INVITE new offer) %s", rows[i].b);
		pair_expect_logs(&pair, rows[i].a, b);
		pair_expect_sent(&pair, rows[i].sent);
		close_talk(&pair);
	}
}

/* Nobody answers our re-INVITE, by Timer B; or its host has gone. */
static void test_no_response(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	pair.start = "INVITE";
	pair.drop = 100;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 31999);
	pair_expect_logs(&pair, "", "");
	pair_run_ms(&pair, 10);
	pair_expect_logs(&pair, "ended(timeout 0 -110) ", "ended(remote 0 0) ");
	assert_int_equal(pair_count(&pair, "INVITE"), 7);
	close_talk(&pair);

	open_talk(&pair);
	phone_close(&pair.b);
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 10);
	assert_string_equal(pair.a.log, "unchanged(0) ");
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_CONFIRMED);
	assert_int_equal(phone_open(&pair.b, pair.b.loop, "192.0.2.2:5060"), 0);
	close_talk(&pair);
}

/* Section 14.1: both offer at once, get 491, and try again at times that cannot be the same. */
static void test_glare(void **state)
{
	struct pair pair;
	uint64_t start_ns, at_ns;

	(void)state;
	for (int seed = 0; seed < 50; seed++) {
		open_talk(&pair);
		pair.world.random += (uint64_t)seed * 1000003;
		pair.a.persist = true;
		pair.b.persist = true;
		assert_int_equal(phone_change(&pair.a), 0);
		assert_int_equal(phone_change(&pair.b), 0);
		pair_run_ms(&pair, 2);
		start_ns = pair.world.now_ns;
		pair_run_ms(&pair, 10000);
		pair_expect_logs(&pair,
			"change(INVITE new offer) confirmed retry changed(new answer) ",
			"retry changed(new answer) change(INVITE new offer) confirmed ");
		assert_int_equal(pair_count(&pair, "SIP/2.0 491"), 2);
		at_ns = pair_sent(&pair, "INVITE sip:a@", 1)->at_ns - start_ns;
		assert_in_range(at_ns, 0, 2000 * NS_PER_MS);
		assert_int_equal(at_ns % (10 * NS_PER_MS), 0);
		at_ns = pair_sent(&pair, "INVITE sip:b@", 1)->at_ns - start_ns;
		assert_in_range(at_ns, 2100 * NS_PER_MS, 4000 * NS_PER_MS);
		assert_int_equal(at_ns % (10 * NS_PER_MS), 0);
		close_talk(&pair);
	}
}

/* One change at a time; who has to wait hears when it may. */
static void test_one_at_a_time(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	assert_int_equal(phone_change(&pair.a), 0);
	assert_int_equal(phone_change(&pair.a), -EAGAIN);
	pair_run_ms(&pair, 100);
	pair_expect_logs(
		&pair, "changed(new answer) retry ", "change(INVITE new offer) confirmed ");
	close_talk(&pair);

	open_talk(&pair); /* their 200 has no ACK */
	pair.start = "ACK";
	pair.drop = 1;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 100);
	assert_int_equal(phone_change(&pair.b), -EAGAIN);
	pair_run_ms(&pair, 300);
	pair_expect_logs(&pair, "changed(new answer) ", "change(INVITE new offer) ");
	pair.b.persist = true;
	pair_run_ms(&pair, 1000);
	pair_expect_logs(&pair, "changed(new answer) change(INVITE new offer) confirmed ",
		"change(INVITE new offer) confirmed retry changed(new answer) ");
	close_talk(&pair);

	open_talk(&pair); /* a pause that was asked for */
	pair.b.refuse = 500;
	pair.b.change_lines = "Retry-After: 3\r\n";
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 100);
	assert_int_equal(phone_change(&pair.a), -EAGAIN);
	pair_run_ms(&pair, 2900);
	pair_expect_logs(&pair, "", "change(INVITE new offer) ");
	pair_run_ms(&pair, 10);
	pair_expect_logs(&pair, "retry ", "change(INVITE new offer) ");
	close_talk(&pair);
}

/* BYE at once; what comes of the re-INVITE is acknowledged all the same (section 15.1.2). */
static void test_hangup_while_open(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	pair.start = "SIP/2.0 200";
	pair.content = "INVITE\r\n";
	pair.drop = 1;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "ended(local 0 0) ", "change(INVITE new offer) ended(remote 0 0) ");
	pair_expect_sent(&pair, "INVITE 200 BYE 200");
	close_talk(&pair);

	open_talk(&pair); /* it crosses the 200 */
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 1);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "ended(local 0 0) ", "change(INVITE new offer) ended(remote 0 0) ");
	pair_expect_sent(&pair, "INVITE 200 BYE ACK 200");
	close_talk(&pair);

	open_talk(&pair); /* the other side, which waits for its ACK */
	pair.start = "ACK";
	pair.drop = 1;
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "changed(new answer) ended(remote 0 0) ",
		"change(INVITE new offer) ended(local 0 0) ");
	pair_expect_sent(&pair, "INVITE 200 ACK BYE 200");
	close_talk(&pair);
}

/* An offer made within an event waits for what that event is about, or goes at once. */
static void test_offer_in_event(void **state)
{
	static const struct {
		bool caller;
		enum phone_event event;
		uint16_t refuse;
		const char *a, *b;
	} rows[] = {
		{false, PHONE_CHANGE, 0, "changed(new answer) change(INVITE new offer) confirmed ",
			"change(INVITE new offer) offer(-11) confirmed retry changed(new answer) "},
		{false, PHONE_CHANGE, 488, "unchanged(488) change(INVITE new offer) confirmed ",
			"change(INVITE new offer) offer(-11) retry changed(new answer) "},
		{true, PHONE_CHANGED, 0, "changed(new answer) offer(-11) retry ",
			"change(INVITE new offer) confirmed change(INVITE new offer) confirmed "},
		{true, PHONE_UNCHANGED, 488, "unchanged(488) offer(0) unchanged(488) ",
			"change(INVITE new offer) change(INVITE new offer) "},
	};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct phone *phone;

		open_talk(&pair);
		phone = rows[i].caller ? &pair.a : &pair.b;
		phone->persist = true;
		phone->action[rows[i].event] = PHONE_OFFER;
		pair.b.refuse = rows[i].refuse;
		assert_int_equal(phone_change(&pair.a), 0);
		pair_run_ms(&pair, 1000);
		if (strncmp(pair.a.log, rows[i].a, strlen(rows[i].a)) != 0)
			fail_msg("%zu: a \"%s\"", i, pair.a.log);
		assert_string_equal(pair.b.log, rows[i].b);
		close_talk(&pair);
	}
}

/* RFC 5407, section 3.3.1: a re-INVITE that crosses a BYE comes to an end with the call. */
static void test_crosses_bye(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	assert_int_equal(phone_change(&pair.a), 0);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "ended(remote 0 0) ", "ended(local 0 0) ");
	pair_expect_sent(&pair, "INVITE BYE 481 200 ACK");
	close_talk(&pair);
}

/* What could not be sent has changed nothing. */
static void test_not_sent(void **state)
{
	static char large[70000];
	struct slice body = {(const uint8_t *)large, sizeof(large)};
	struct pair pair;

	(void)state;
	memset(large, 'x', sizeof(large));
	open_talk(&pair);
	assert_int_equal(sip_invite_change(pair.a.invite, "application/sdp", body), -EMSGSIZE);
	assert_int_equal(phone_change(&pair.a), 0); /* nothing is open */
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "changed(new answer) ", "change(INVITE new offer) confirmed ");
	pair.world.send_err = -ENETUNREACH;
	assert_int_equal(phone_change(&pair.a), -ENETUNREACH);
	pair.world.send_err = 0;
	assert_int_equal(phone_change(&pair.a), 0);
	close_talk(&pair);
}

/* Whoever owns a call does in each event of a change what it likes. */
static void test_events_free(void **state)
{
	static const enum phone_event events[] = {PHONE_CHANGE, PHONE_CHANGED, PHONE_UNCHANGED,
		PHONE_RETRY, PHONE_CONFIRMED, PHONE_ENDED};
	struct pair pair;

	(void)state;
	for (int n = 0; n < 6 * 4 * 2 * 4; n++) {
		enum phone_event event = events[n % 6];
		enum phone_action action = (enum phone_action)(n / 6 % 4);
		static const uint16_t refusals[] = {0, 488, 491, 481};

		open_talk(&pair);
		pair.b.refuse = refusals[n / 48];
		(n / 24 % 2 ? &pair.a : &pair.b)->action[event] = action;
		assert_int_equal(phone_change(&pair.a), 0);
		assert_int_equal(phone_change(&pair.a), -EAGAIN);
		pair_run_ms(&pair, 70000);
		close_talk(&pair);
	}
}

/* "Retry-After: 0" is no leave to do nothing else. */
static void test_retried_at_once_for_ever(void **state)
{
	struct pair pair;

	(void)state;
	open_talk(&pair);
	pair.a.persist = true;
	pair.b.refuse = 500;
	pair.b.change_lines = "Retry-After: 0\r\n";
	assert_int_equal(phone_change(&pair.a), 0);
	pair_run_ms(&pair, 10000);
	assert_in_range(pair_count(&pair, "INVITE"), 10, 20);
	pair.a.persist = false;
	close_talk(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_by_called),
		cmocka_unit_test(test_200_and_ack_lost),
		cmocka_unit_test(test_ack_never_comes),
		cmocka_unit_test(test_late_offers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_response),
		cmocka_unit_test(test_glare),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_hangup_while_open),
		cmocka_unit_test(test_offer_in_event),
		cmocka_unit_test(test_crosses_bye),
		cmocka_unit_test(test_not_sent),
		cmocka_unit_test(test_retried_at_once_for_ever),
		cmocka_unit_test(test_events_free),
	};

	return cmocka_run_group_tests_name("sip/invite, its changes", tests, NULL, NULL);
}
