/* core/sip/invite: an INVITE that several have got, and what each may do before one answers. */
#include "core/base/text.h"
#include "core/sip/print.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define EMPTY "Content-Length: 0\r\n\r\n"
#define CONTACT_C "Contact: <sip:c@192.0.2.3:5070>\r\n"
#define SDP "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\noffer"

/* a calls c, which is all its forks. */
struct bench {
	struct pair pair;
	struct world_peer peer;
	char invite[4096];
	struct sip_msg *msg; /* the same */
};

static void open_bench(struct bench *bench, bool late)
{
	struct phone c = {.addr = world_addr("192.0.2.3:5070")};

	pair_open(&bench->pair);
	phone_allow_update(&bench->pair.a);
	world_peer_open(&bench->peer, bench->pair.c, "192.0.2.3:5070");
	bench->pair.a.late = late;
	assert_int_equal(phone_call(&bench->pair.a, &c), 0);
	pair_run_ms(&bench->pair, 10);
	strcpy(bench->invite, bench->peer.last);
	assert_int_equal(sip_msg_parse(&bench->msg, slice_of(bench->invite)), 0);
}

static void close_bench(struct bench *bench)
{
	phone_hangup(&bench->pair.a);
	sip_msg_free(bench->msg);
	world_peer_close(&bench->peer);
	pair_close(&bench->pair);
}

static void reply_to(struct bench *bench, const char *request, uint16_t status, const char *tag,
	const char *lines)
{
	char room[4096];
	struct text text = TEXT_IN(room);
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(request)), 0);
	sip_print_status_line(&text, status, NULL);
	sip_print_copies(&text, msg, SIP_VIA);
	sip_print_copies(&text, msg, SIP_FROM);
	text_printf(&text, "To: <sip:b@192.0.2.3>;tag=%s\r\n", tag);
	sip_print_copies(&text, msg, SIP_CALL_ID);
	sip_print_copies(&text, msg, SIP_CSEQ);
	text_puts(&text, lines);
	sip_print_body(&text, NULL, (struct slice){0});
	sip_msg_free(msg);
	world_peer_send(&bench->peer, "192.0.2.1:5060", "%s", room);
	pair_run_ms(&bench->pair, 10);
}

static void reply(struct bench *bench, uint16_t status, const char *tag, const char *lines)
{
	reply_to(bench, bench->invite, status, tag, lines);
}

/* A request of the fork with that tag, and the status that it gets. */
static unsigned int ask(struct bench *bench, const char *method, const char *tag, unsigned int cseq,
	const char *rest)
{
	const struct sip_msg *msg = bench->msg;
	static unsigned int branch;

	world_peer_send(&bench->peer, "192.0.2.1:5060",
		"%s sip:a@192.0.2.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKe%u\r\nMax-Forwards: 70\r\n"
		"From: <sip:b@192.0.2.3>;tag=%s\r\nTo: <sip:a@192.0.2.1>;tag=%.*s\r\n"
		"Call-ID: %.*s\r\nCSeq: %u %s\r\n%s",
		method, branch++, tag, (int)msg->from.tag.len, (const char *)msg->from.tag.data,
		(int)msg->call_id.len, (const char *)msg->call_id.data, cseq, method, rest);
	pair_run_ms(&bench->pair, 10);
	return (unsigned int)strtoul(bench->peer.last + 8, NULL, 10);
}

/* Each fork is known by its tag from its first 1xx on, and counts for itself (section 12.2.2). */
static void test_requests(void **state)
{
	static const struct {
		const char *method, *tag;
		unsigned int cseq;
		const char *rest;
		unsigned int status;
	} rows[] = {
		{"OPTIONS", "one", 5, EMPTY, 200},
		{"OPTIONS", "two", 3, EMPTY, 200},
		{"OPTIONS", "one", 4, EMPTY, 500},
		{"OPTIONS", "two", 4, EMPTY, 200},
		{"OPTIONS", "three", 1, EMPTY, 481},
		{"OPTIONS", "ONE", 6, EMPTY, 481},
		{"UPDATE", "one", 6, CONTACT_C SDP, 491},
		{"UPDATE", "one", 7, CONTACT_C EMPTY, 200},
		{"UPDATE", "one", 6, CONTACT_C EMPTY, 500},
		{"UPDATE", "three", 8, CONTACT_C EMPTY, 481},
		{"INVITE", "one", 9, CONTACT_C EMPTY, 491},
		{"INFO", "one", 10, EMPTY, 405},
		{"BYE", "three", 1, EMPTY, 481},
	};
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	reply(&bench, 180, "one", CONTACT_C);
	reply(&bench, 183, "two", CONTACT_C);
	reply(&bench, 180, "one", CONTACT_C);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int status =
			ask(&bench, rows[i].method, rows[i].tag, rows[i].cseq, rows[i].rest);

		if (status != rows[i].status)
			fail_msg("row %zu, %s: %u", i, rows[i].method, status);
	}
	pair_expect_logs(&bench.pair, "180 183 180 ", "");

	/* the dialog of the 2xx goes on with the numbers of its early one */
	reply(&bench, 200, "one", CONTACT_C);
	assert_int_equal(ask(&bench, "OPTIONS", "one", 8, EMPTY), 500);
	assert_int_equal(ask(&bench, "OPTIONS", "one", 9, EMPTY), 200);
	assert_int_equal(ask(&bench, "OPTIONS", "two", 9, EMPTY), 481); /* that one is over */
	close_bench(&bench);
}

/* Without an offer of ours that is open, one that comes too early is to come again. */
static void test_update_of_late_offer(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, true);
	reply(&bench, 180, "one", CONTACT_C);
	assert_int_equal(ask(&bench, "UPDATE", "one", 1, CONTACT_C SDP), 500);
	assert_non_null(strstr(bench.peer.last, "Retry-After: "));
	pair_expect_logs(&bench.pair, "180 ", "");
	close_bench(&bench);
}

/* Section 13.2.2.4: the route set and the target of an early dialog are of no account then. */
static void test_route_set_anew(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	reply(&bench, 180, "one",
		"Contact: <sip:early@192.0.2.3:5070>\r\nRecord-Route: <sip:192.0.2.9;lr>\r\n");
	reply(&bench, 200, "one",
		CONTACT_C "Record-Route: <sip:192.0.2.3:5070;lr>, <sip:192.0.2.8;lr>\r\n");
	phone_hangup(&bench.pair.a);
	assert_match(pair_sent(&bench.pair, "BYE", 0)->text,
		"BYE sip:c@192.0.2.3:5070 SIP/2.0\r\n"
		"Via: *\r\nMax-Forwards: 70\r\nRoute: <sip:192.0.2.8;lr>\r\n"
		"Route: <sip:192.0.2.3:5070;lr>\r\nFrom: *\r\nTo: *;tag=one\r\nCall-ID: *\r\n"
		"CSeq: 2 BYE\r\nUser-Agent: test\r\nReason: SIP;cause=1\r\n" EMPTY);
	close_bench(&bench);
}

/* RFC 6228: a fork has ended, and the others ring on. */
static void test_199(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	reply(&bench, 180, "one", CONTACT_C);
	reply(&bench, 180, "two", CONTACT_C);
	reply(&bench, 199, "one", "");
	assert_int_equal(ask(&bench, "OPTIONS", "one", 1, EMPTY), 481);
	assert_int_equal(ask(&bench, "OPTIONS", "two", 1, EMPTY), 200);
	reply(&bench, 199, "three", "");
	assert_int_equal(ask(&bench, "OPTIONS", "three", 1, EMPTY), 481);
	pair_expect_logs(&bench.pair, "180 180 199 199 ", "");
	close_bench(&bench);
}

/* A fork whose 200 was lost has hung up: with the last of them the call is over. */
static void test_bye(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	reply(&bench, 180, "one", CONTACT_C);
	reply(&bench, 180, "two", CONTACT_C);
	assert_int_equal(ask(&bench, "BYE", "one", 1, EMPTY), 200);
	pair_expect_logs(&bench.pair, "180 180 ", "");
	assert_int_equal(ask(&bench, "BYE", "one", 2, EMPTY), 481);
	assert_int_equal(ask(&bench, "BYE", "two", 1, EMPTY), 200);
	pair_expect_logs(&bench.pair, "180 180 ended(remote 0 0) ", "");
	close_bench(&bench);
}

/* No end of forks: 32 are told apart. */
static void test_many(void **state)
{
	struct bench bench;
	char tag[16];

	(void)state;
	open_bench(&bench, false);
	for (int i = 0; i < 40; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		reply(&bench, 180, tag, CONTACT_C);
	}
	assert_int_equal(ask(&bench, "OPTIONS", "t31", 1, EMPTY), 200);
	assert_int_equal(ask(&bench, "OPTIONS", "t32", 1, EMPTY), 481);
	reply(&bench, 199, "t0", "");
	reply(&bench, 180, "t32", CONTACT_C);
	assert_int_equal(ask(&bench, "OPTIONS", "t32", 1, EMPTY), 200);
	reply(&bench, 200, "t39", CONTACT_C); /* it may answer all the same */
	assert_int_equal(sip_invite_state(bench.pair.a.invite), SIP_INVITE_CONFIRMED);
	close_bench(&bench);
}

/* What makes no dialog: 100, no tag, a Contact that cannot be called. */
static void test_none(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	reply(&bench, 100, "one", CONTACT_C);
	reply(&bench, 180, "two", "Contact: <tel:1>\r\n");
	assert_int_equal(ask(&bench, "OPTIONS", "one", 1, EMPTY), 481);
	assert_int_equal(ask(&bench, "OPTIONS", "two", 1, EMPTY), 481);
	reply(&bench, 180, "two", CONTACT_C);
	assert_int_equal(ask(&bench, "OPTIONS", "two", 1, EMPTY), 200);
	reply(&bench, 404, "two", "");
	pair_expect_logs(&bench.pair, "180 180 ended(rejected 404 0) ", "");
	assert_int_equal(ask(&bench, "OPTIONS", "two", 2, EMPTY), 481);
	close_bench(&bench);
}

/* CANCEL goes to all, and the one that has answered meanwhile gets BYE (section 9.1). */
static void test_cancel(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, false);
	reply(&bench, 180, "one", CONTACT_C);
	reply(&bench, 180, "two", CONTACT_C);
	phone_hangup(&bench.pair.a);
	pair_run_ms(&bench.pair, 10);
	assert_int_equal(pair_count(&bench.pair, "CANCEL"), 1);
	reply_to(&bench, bench.peer.last, 200, "p", "");
	reply(&bench, 200, "two", CONTACT_C);
	assert_int_equal(pair_count(&bench.pair, "ACK"), 1);
	assert_non_null(strstr(pair_sent(&bench.pair, "BYE", 0)->text, ";tag=two\r\n"));
	reply_to(&bench, bench.peer.last, 200, "two", "");
	pair_expect_logs(&bench.pair, "180 180 ended(local 0 0) ", "");
	reply(&bench, 487, "one", ""); /* a proxy's mistake: after a 2xx it is nothing */
	assert_int_equal(pair_count(&bench.pair, "ACK"), 1);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_update_of_late_offer),
		cmocka_unit_test(test_route_set_anew),
		cmocka_unit_test(test_199),
		cmocka_unit_test(test_bye),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests_name("sip/invite, early dialogs", tests, NULL, NULL);
}
