/* core/sip/invite: whole calls between two stacks, what goes over the wire, and every race. */
#include "core/base/text.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define VIA_A "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK*;rport"
#define KEEP ";keep"
#define VIA_A_BACK VIA_A "=5060;received=192.0.2.1\r\n"
#define FROM_A "From: \"Al \\\"A\\\"\" <sip:a@192.0.2.1>;tag=*\r\n"
#define TO_B "To: <sip:b@192.0.2.2:5060>"
#define CALL_ID "Call-ID: *@192.0.2.1\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"

static void test_call(void **state)
{
	static const char *const wire[] = {
		"INVITE sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A KEEP
		"\r\nMax-Forwards: 70\r\n" FROM_A TO_B "\r\n" CALL_ID
		"Contact: <sip:a@192.0.2.1:5060>\r\n"
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: \r\nCSeq: 1 INVITE\r\n"
		"User-Agent: test\r\n"
		"X-Test: 1\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\noffer",

		"SIP/2.0 180 Ringing\r\n" VIA_A_BACK FROM_A TO_B ";tag=*\r\n" CALL_ID
		"CSeq: 1 INVITE\r\nServer: test\r\nContact: <sip:b@192.0.2.2:5060>\r\n" EMPTY,

		"SIP/2.0 200 OK\r\n" VIA_A_BACK FROM_A TO_B ";tag=*\r\n" CALL_ID
		"CSeq: 1 INVITE\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: \r\n"
		"Server: test\r\n"
		"Contact: <sip:b@192.0.2.2:5060>\r\nContent-Type: application/sdp\r\n"
		"Content-Length: 6\r\n\r\nanswer",

		"ACK sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A "\r\nMax-Forwards: 70\r\n" FROM_A TO_B
		";tag=*\r\n" CALL_ID "CSeq: 1 ACK\r\nUser-Agent: test\r\n" EMPTY,

		"BYE sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A "\r\nMax-Forwards: 70\r\n" FROM_A TO_B
		";tag=*\r\n" CALL_ID "CSeq: 2 BYE\r\nUser-Agent: test\r\n"
		"Reason: SIP;cause=1\r\n" EMPTY,

		"SIP/2.0 200 OK\r\n" VIA_A_BACK FROM_A TO_B ";tag=*\r\n" CALL_ID
		"CSeq: 2 BYE\r\nServer: test\r\n" EMPTY,
	};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_CALLING);
	pair_run_ms(&pair, 100);
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_PROCEEDING);
	phone_accept(&pair.b);
	assert_int_equal(sip_invite_state(pair.b.invite), SIP_INVITE_ACCEPTED);
	pair_run_ms(&pair, 100);
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_CONFIRMED);
	assert_int_equal(sip_invite_state(pair.b.invite), SIP_INVITE_CONFIRMED);
	phone_hangup(&pair.a);
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_ENDING);
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "180 answered(answer) ended(local 0 0) ",
		"incoming(offer) confirmed ended(remote 0 0) ");
	assert_int_equal(pair.world.sent_count, sizeof(wire) / sizeof(wire[0]));
	for (size_t i = 0; i < pair.world.sent_count; i++)
		assert_match(pair.world.sent[i].text, wire[i]);
	pair_close(&pair);
}

static void test_called_hangs_up(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_talk(&pair);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "ended(remote 0 0) ", "ended(local 0 0) ");
	assert_match(pair_sent(&pair, "BYE", 0)->text,
		"BYE sip:a@192.0.2.1:5060 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK*;rport\r\nMax-Forwards: 70\r\n"
		"From: <sip:b@192.0.2.2:5060>;tag=*\r\n"
		"To: \"Al \\\"A\\\"\" <sip:a@192.0.2.1>;tag=*\r\n" CALL_ID
		"CSeq: 1 BYE\r\nUser-Agent: test\r\nReason: SIP;cause=1\r\n" EMPTY);
	pair_close(&pair);
}

static void test_rejected(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	sip_invite_reject(pair.b.invite,
		&(struct sip_response){.status = 486, .headers = slice_of("X-Why: 2\r\n")});
	pair_run_ms(&pair, 100);

	pair_expect_logs(
		&pair, "180 ended(rejected 486 0) ", "incoming(offer) ended(local 486 0) ");
	assert_match(pair_sent(&pair, "SIP/2.0 486", 0)->text,
		"SIP/2.0 486 Busy Here\r\n" VIA_A_BACK FROM_A TO_B ";tag=*\r\n" CALL_ID
		"CSeq: 1 INVITE\r\nServer: test\r\nX-Why: 2\r\n" EMPTY);
	assert_match(pair_sent(&pair, "ACK", 0)->text,
		"ACK sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A "\r\nMax-Forwards: 70\r\n" FROM_A TO_B
		";tag=*\r\n" CALL_ID "CSeq: 1 ACK\r\n" EMPTY);
	pair_expect_sent(&pair, "INVITE 180 486 ACK");
	pair_close(&pair);
}

/* An INVITE and its shadow have the same topmost Via; but an ACK must not have keep there (RFC
 * 6223, section 4.3). */
static void expect_same_via(const char *invite, const char *shadow, const char *lacks)
{
	const char *via = strstr(invite, "Via: "), *other = strstr(shadow, "Via: ");
	size_t len = strcspn(via, "\r") - strlen(lacks);

	assert_memory_equal(via, other, len);
	assert_memory_equal(via + len, lacks, strlen(lacks));
	assert_int_equal(other[len], '\r');
}

/* Both have the same To, tag included. */
static void expect_same_to(const char *a, const char *b)
{
	const char *to = strstr(a, "To: ");

	assert_non_null(to);
	assert_non_null(strstr(to, ";tag="));
	assert_memory_equal(to, strstr(b, "To: "), strcspn(to, "\r"));
}

static void test_cancelled(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.a);
	phone_hangup(&pair.a); /* harmless */
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_CANCELLING);
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "180 ended(local 487 0) ", "incoming(offer) ended(remote 487 0) ");
	pair_expect_sent(&pair, "INVITE 180 CANCEL 200 487 ACK");
	assert_match(pair_sent(&pair, "CANCEL", 0)->text,
		"CANCEL sip:b@192.0.2.2:5060 SIP/2.0\r\n" VIA_A KEEP
		"\r\nMax-Forwards: 70\r\n" FROM_A TO_B "\r\n" CALL_ID
		"CSeq: 1 CANCEL\r\nReason: SIP;cause=1\r\n" EMPTY);
	expect_same_via(
		pair_sent(&pair, "INVITE", 0)->text, pair_sent(&pair, "CANCEL", 0)->text, "");
	expect_same_via(
		pair_sent(&pair, "INVITE", 0)->text, pair_sent(&pair, "ACK", 0)->text, KEEP);
	expect_same_to(
		pair_sent(&pair, "SIP/2.0 180", 0)->text, pair_sent(&pair, "SIP/2.0 200", 0)->text);
	expect_same_to(
		pair_sent(&pair, "SIP/2.0 180", 0)->text, pair_sent(&pair, "SIP/2.0 487", 0)->text);
	pair_close(&pair);
}

static void test_cancel_is_held_back(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.start = "INVITE";
	pair.drop = 1;
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 399);
	pair_expect_sent(&pair, "INVITE");
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "ended(local 487 0) ", "incoming(offer) ended(remote 487 0) ");
	pair_expect_sent(&pair, "INVITE INVITE 180 CANCEL 200 487 ACK");
	pair_close(&pair);
}

static void test_nobody_answers(void **state)
{
	struct pair pair;

	(void)state;
	for (int given_up = 0; given_up < 2; given_up++) {
		pair_open(&pair);
		pair.start = "INVITE";
		pair.drop = 100;
		pair_call(&pair);
		if (given_up)
			phone_hangup(&pair.a);
		pair_run_ms(&pair, 31999);
		pair_expect_logs(&pair, "", "");
		pair_run_ms(&pair, 1);
		pair_expect_logs(
			&pair, given_up ? "ended(local 0 0) " : "ended(timeout 0 -110) ", "");
		pair_expect_sent(&pair, "INVITE INVITE INVITE INVITE INVITE INVITE INVITE");
		pair_close(&pair);
	}
}

static void test_unreachable(void **state)
{
	static const size_t quotes[] = {0, 20, 120, SIZE_MAX};
	struct phone nobody = {.addr = world_addr("192.0.2.3:5099")};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		pair_open(&pair);
		pair.world.icmp_quote = quotes[i];
		assert_int_equal(phone_call(&pair.a, &nobody), 0);
		pair_run_ms(&pair, 2);
		pair_expect_logs(&pair, "ended(unreachable 0 -111) ", "");
		pair_expect_sent(&pair, "INVITE");
		pair_close(&pair);
	}
}

/* The far end is gone when we hang up: the call is over at once all the same. */
static void test_bye_unreachable(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_talk(&pair);
	phone_close(&pair.b);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 2);
	assert_string_equal(pair.a.log, "ended(local 0 0) ");
	assert_int_equal(
		phone_open(&pair.b, pair.b.loop, "192.0.2.2:5060"), 0); /* for pair_close() */
	pair_close(&pair);
}

static void test_200_crosses_cancel(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_accept(&pair.b);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 1);
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_ENDING);
	pair_run_ms(&pair, 100);

	pair_expect_logs(
		&pair, "180 ended(local 0 0) ", "incoming(offer) confirmed ended(remote 0 0) ");
	pair_expect_sent(&pair, "INVITE 180 200 CANCEL ACK BYE 200 200");
	assert_non_null(strstr(pair_sent(&pair, "BYE", 0)->text, "Reason: SIP;cause=1\r\n"));
	pair_close(&pair);
}

static void test_ack_lost(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.accept = true;
	pair.start = "ACK";
	pair.drop = 2;
	pair_call(&pair);
	pair_run_ms(&pair, 10000);

	pair_expect_logs(&pair, "180 answered(answer) ", "incoming(offer) confirmed ");
	pair_expect_sent(&pair, "INVITE 180 200 ACK 200 ACK 200 ACK");
	for (size_t i = 1; i < 3; i++)
		assert_string_equal(
			pair_sent(&pair, "ACK", i)->text, pair_sent(&pair, "ACK", 0)->text);
	phone_hangup(&pair.a);
	pair_close(&pair);
}

/* Section 13.3.1.4: the 200 at T1, doubled up to T2, for 64*T1, and then BYE. */
static void test_ack_never_comes(void **state)
{
	static const uint64_t times_ms[] = {
		0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
	struct pair pair;
	uint64_t start_ns;

	(void)state;
	for (int hung_up = 0; hung_up < 2; hung_up++) {
		pair_open(&pair);
		pair.b.accept = true;
		pair.start = "ACK";
		pair.drop = 100;
		pair_call(&pair);
		pair_run_ms(&pair, 1);
		start_ns = pair.world.now_ns;
		if (hung_up) /* BYE has to wait */
			phone_hangup(&pair.b);
		pair_run_ms(&pair, 31999);
		assert_int_equal(pair_count(&pair, "BYE"), 0);
		for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++)
			assert_int_equal(pair_sent(&pair, "SIP/2.0 200", i)->at_ns - start_ns,
				times_ms[i] * NS_PER_MS);
		assert_int_equal(pair_count(&pair, "SIP/2.0 200"), 11);
		pair_run_ms(&pair, 1);
		assert_int_equal(pair_count(&pair, "BYE"), 1);
		pair_run_ms(&pair, 100);
		pair_expect_logs(&pair, "180 answered(answer) ended(remote 0 0) ",
			hung_up ? "incoming(offer) ended(local 0 0) "
				: "incoming(offer) ended(timeout 0 0) ");
		pair_close(&pair);
	}
}

static void test_bye_waits_for_ack(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.accept = true;
	pair.start = "ACK";
	pair.drop = 1;
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.b);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 1000);

	pair_expect_logs(&pair, "180 answered(answer) ended(remote 0 0) ",
		"incoming(offer) ended(local 0 0) ");
	pair_expect_sent(&pair, "INVITE 180 200 ACK 200 ACK BYE 200");
	pair_close(&pair);
}

static void test_bye_overtakes_ack(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.accept = true;
	pair.start = "ACK";
	pair.drop = 1;
	pair.a.action[PHONE_ANSWERED] = PHONE_HANGUP;
	pair_call(&pair);
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "180 answered(answer) ended(local 0 0) ",
		"incoming(offer) ended(remote 0 0) ");
	pair_expect_sent(&pair, "INVITE 180 200 ACK BYE 200");
	pair_run_ms(&pair, 40000);
	pair_expect_sent(&pair, "INVITE 180 200 ACK BYE 200"); /* the 200 is not repeated */
	pair_close(&pair);
}

static void test_byes_cross(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_talk(&pair);
	phone_hangup(&pair.a);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 1);
	pair_expect_logs(&pair, "ended(local 0 0) ", "ended(local 0 0) ");
	pair_run_ms(&pair, 1000);
	pair_expect_sent(&pair, "BYE BYE 200 200");
	pair_close(&pair);
}

static void test_bye_answer_lost(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_talk(&pair);
	pair.start = "SIP/2.0 200";
	pair.drop = 1;
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 1000);
	pair_expect_logs(&pair, "ended(local 0 0) ", "ended(remote 0 0) ");
	pair_expect_sent(&pair, "BYE 200 BYE 200");
	assert_string_equal(pair.world.sent[1].text, pair.world.sent[3].text);
	pair_close(&pair);
}

/* Every 200 is lost: the caller knows from the BYE alone that there was an answer. */
static void test_bye_before_answer(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.accept = true;
	pair.content = "CSeq: 1 INVITE\r\nAllow";
	pair.drop = 100;
	pair_call(&pair);
	pair_run_ms(&pair, 40000);
	pair_expect_logs(&pair, "180 ended(remote 0 0) ", "incoming(offer) ended(timeout 0 0) ");
	pair_close(&pair);
}

static void test_called_refuses_by_hangup(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 100);
	pair_expect_logs(
		&pair, "180 ended(rejected 480 0) ", "incoming(offer) ended(local 480 0) ");
	assert_non_null(
		strstr(pair_sent(&pair, "SIP/2.0 480", 0)->text, "Reason: SIP;cause=1\r\n"));
	pair_close(&pair);
}

static void test_everything_twice(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.twice = 1000;
	pair.b.accept = true;
	pair_call(&pair);
	pair_run_ms(&pair, 1000);
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 1000);
	pair_expect_logs(&pair, "180 answered(answer) ended(remote 0 0) ",
		"incoming(offer) confirmed ended(local 0 0) ");
	assert_int_equal(pair.b.incoming, 1);
	pair_close(&pair);
}

static void test_no_call(void **state)
{
	static char large[70000];
	struct pair pair;
	struct sip_flow flow;
	struct sip_invite *invite = NULL;
	static const struct {
		const char *target, *from;
		size_t body;
		int send_err, err;
	} rows[] = {
		{"sip:b@192.0.2.2", "sip:a@192.0.2.1", 0, -ENETUNREACH, -ENETUNREACH},
		{"sip:b b@192.0.2.2", "sip:a@192.0.2.1", 0, 0, -EINVAL},
		{"sip:b@192.0.2.2", "sip:a b@@", 0, 0, -EINVAL},
		{"sip:b@192.0.2.2", "sip:a@192.0.2.1", sizeof(large), 0, -EMSGSIZE},
		{"sip:b@192.0.2.2", "sip:a@192.0.2.1", 65300, 0, -EMSGSIZE},
	};

	(void)state;
	memset(large, 'x', sizeof(large));
	pair_open(&pair);
	assert_int_equal(sip_stack_flow(&flow, pair.a.stack, SIP_UDP, &pair.b.addr), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_invite_config config = {
			.flow = &flow,
			.target = slice_of(rows[i].target),
			.from_uri = slice_of(rows[i].from),
			.content_type = "application/sdp",
			.body = {(const uint8_t *)large, rows[i].body},
		};

		pair.world.send_err = rows[i].send_err;
		assert_int_equal(
			sip_invite_call(&invite, pair.a.stack, &config, NULL, NULL), rows[i].err);
		assert_null(invite);
		assert_true(phone_is_idle(&pair.a));
	}
	pair.world.send_err = 0;
	pair_close(&pair);
}

/* What does not fit leaves the call as it was. */
static void test_answer_too_large(void **state)
{
	static char large[70000];
	struct pair pair;

	(void)state;
	memset(large, 'x', sizeof(large));
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	assert_int_equal(sip_invite_accept(pair.b.invite, "application/sdp",
				 (struct slice){(const uint8_t *)large, sizeof(large)}),
		-EMSGSIZE);
	assert_int_equal(sip_invite_state(pair.b.invite), SIP_INVITE_INCOMING);
	phone_accept(&pair.b);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 100);
	pair_expect_logs(&pair, "180 answered(answer) ended(local 0 0) ",
		"incoming(offer) confirmed ended(remote 0 0) ");
	pair_close(&pair);
}

/* Owners do in each event what they like, in each kind of call; pair_close() sees what is left. */
static void test_events_free(void **state)
{
	enum kind { TALK_A, TALK_B, CANCEL, REJECT, TIMEOUT, KINDS };
	struct pair pair;

	(void)state;
	for (int n = 0; n < 2 * PHONE_EVENTS * 4 * KINDS; n++) {
		enum kind kind = (enum kind)(n % KINDS);
		enum phone_action action = (enum phone_action)(n / KINDS % 4);
		int event = n / KINDS / 4 % PHONE_EVENTS;
		bool caller = n >= PHONE_EVENTS * 4 * KINDS;
		struct phone *phone = caller ? &pair.a : &pair.b;

		if (event == PHONE_ENDED && action == PHONE_HANGUP_AND_FREE)
			continue;
		pair_open(&pair);
		phone->action[event] = action;
		pair.b.accept = kind == TALK_A || kind == TALK_B;
		pair_call(&pair);
		pair_run_ms(&pair, kind == TIMEOUT ? 0 : 100);
		if (kind == TIMEOUT)
			phone_close(&pair.b);
		if (kind == REJECT && pair.b.invite &&
			sip_invite_state(pair.b.invite) == SIP_INVITE_INCOMING)
			sip_invite_reject(pair.b.invite, &(struct sip_response){.status = 603});
		if (kind == TALK_B)
			phone_hangup(&pair.b);
		else if (kind != REJECT)
			phone_hangup(&pair.a);
		pair_run_ms(&pair, 70000);
		phone_hangup(&pair.a);
		phone_hangup(&pair.b);
		if (kind == TIMEOUT)
			assert_int_equal(phone_open(&pair.b, pair.b.loop, "192.0.2.2:5060"), 0);
		assert_true(pair.a.ended <= 1 && pair.b.ended <= 1);
		assert_true(action >= PHONE_FREE || pair.a.ended == 1);
		pair_close(&pair);
	}
}

/* 100 Trying is nothing to tell of, but it lets CANCEL go. */
static void test_trying(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.ring = 0;
	pair_call(&pair);
	pair_run_ms(&pair, 300);
	pair_expect_sent(&pair, "INVITE 100");
	pair_expect_logs(&pair, "", "incoming(offer) ");
	assert_int_equal(sip_invite_state(pair.a.invite), SIP_INVITE_PROCEEDING);
	phone_hangup(&pair.a);
	assert_int_equal(pair_count(&pair, "CANCEL"), 1);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_called_hangs_up),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancel_is_held_back),
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_bye_unreachable),
		cmocka_unit_test(test_200_crosses_cancel),
		cmocka_unit_test(test_ack_lost),
		cmocka_unit_test(test_ack_never_comes),
		cmocka_unit_test(test_bye_waits_for_ack),
		cmocka_unit_test(test_bye_overtakes_ack),
		cmocka_unit_test(test_byes_cross),
		cmocka_unit_test(test_bye_answer_lost),
		cmocka_unit_test(test_bye_before_answer),
		cmocka_unit_test(test_called_refuses_by_hangup),
		cmocka_unit_test(test_everything_twice),
		cmocka_unit_test(test_no_call),
		cmocka_unit_test(test_answer_too_large),
		cmocka_unit_test(test_events_free),
		cmocka_unit_test(test_trying),
	};

	return cmocka_run_group_tests_name("sip/invite", tests, NULL, NULL);
}
