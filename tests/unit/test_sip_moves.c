/* core/sip/invite: a far end of plain bytes that moves, changes the session and crosses our way. */
#include "core/base/text.h"
#include "core/sip/print.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define EMPTY "Content-Length: 0\r\n\r\n"
#define HERE "Contact: <sip:c@192.0.2.3:5070>\r\n"
#define THERE "Contact: <sip:d@192.0.2.3:5071>\r\n"
#define SDP "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\noffer"
#define ANSWER "Content-Type: application/sdp\r\nContent-Length: 6\r\n\r\nanswer"

/* c calls b; there is where it moves to. */
struct bench {
	struct pair pair;
	struct world_peer peer, there;
	char tag[64]; /* of b */
	unsigned int branch;
};

static void ask(struct bench *bench, const char *method, unsigned int cseq, const char *rest)
{
	world_peer_send(&bench->peer, "192.0.2.2:5060",
		"%s sip:b@192.0.2.2 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKm%u\r\nMax-Forwards: 70\r\n"
		"From: <sip:c@192.0.2.3>;tag=c\r\nTo: <sip:b@192.0.2.2>%s%s\r\n"
		"Call-ID: raw\r\nCSeq: %u %s\r\n%s",
		method, bench->branch++, bench->tag[0] ? ";tag=" : "", bench->tag, cseq, method,
		rest);
	pair_run_ms(&bench->pair, 10);
}

static void expect(struct bench *bench, const char *status)
{
	if (strncmp(bench->peer.last + strlen("SIP/2.0 "), status, strlen(status)) != 0)
		fail_msg("wanted %s, got:\n%s", status, bench->peer.last);
}

static void read_tag(struct bench *bench)
{
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(bench->peer.last)), 0);
	snprintf(bench->tag, sizeof(bench->tag), "%.*s", (int)msg->to.tag.len,
		(const char *)msg->to.tag.data);
	sip_msg_free(msg);
}

/* It rings; rest: of the INVITE from its Contact on. */
static void open_ringing(struct bench *bench, const char *rest)
{
	*bench = (struct bench){0};
	pair_open(&bench->pair);
	phone_allow_update(&bench->pair.b);
	world_peer_open(&bench->peer, bench->pair.c, "192.0.2.3:5070");
	world_peer_open(&bench->there, bench->pair.c, "192.0.2.3:5071");
	ask(bench, "INVITE", 1, rest);
	expect(bench, "180");
	read_tag(bench);
}

static void open_talk(struct bench *bench)
{
	open_ringing(bench, HERE SDP);
	phone_accept(&bench->pair.b);
	ask(bench, "ACK", 1, EMPTY);
	assert_int_equal(sip_invite_state(bench->pair.b.invite), SIP_INVITE_CONFIRMED);
	bench->pair.b.log[0] = '\0';
}

static void close_bench(struct bench *bench)
{
	phone_hangup(&bench->pair.b);
	pair_run_ms(&bench->pair, 40000);
	world_peer_close(&bench->peer);
	world_peer_close(&bench->there);
	pair_close(&bench->pair);
}

/* What the far end says to a request that it got. */
static void reply(struct bench *bench, const char *request, uint16_t status, const char *lines)
{
	char room[4096];
	struct text text = TEXT_IN(room);
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(request)), 0);
	sip_print_status_line(&text, status, NULL);
	sip_print_copies(&text, msg, SIP_VIA);
	sip_print_copies(&text, msg, SIP_FROM);
	sip_print_copies(&text, msg, SIP_TO);
	sip_print_copies(&text, msg, SIP_CALL_ID);
	sip_print_copies(&text, msg, SIP_CSEQ);
	text_puts(&text, lines);
	sip_print_body(&text, NULL, (struct slice){0});
	sip_msg_free(msg);
	world_peer_send(&bench->peer, "192.0.2.2:5060", "%s", room);
	pair_run_ms(&bench->pair, 10);
}

/* Section 12.2.1.2: the 2xx to our re-INVITE moves the target, for its ACK already. */
static void test_target_of_2xx(void **state)
{
	static const struct {
		uint16_t status;
		const char *lines, *log, *bye;
	} rows[] = {
		{200, THERE, "changed() ", "BYE sip:d@192.0.2.3:5071 "},
		{299, THERE, "changed() ", "BYE sip:d@192.0.2.3:5071 "},
		{200, "", "changed() ", "BYE sip:c@192.0.2.3:5070 "},
		{200, "Contact: *\r\n", "changed() ", "BYE sip:c@192.0.2.3:5070 "},
		{183, THERE, "", "BYE sip:c@192.0.2.3:5070 "},
		{488, THERE, "unchanged(488) ", "BYE sip:c@192.0.2.3:5070 "},
	};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char invite[4096];
		const char *ack;

		open_talk(&bench);
		world_forget(&bench.pair.world);
		assert_int_equal(phone_change(&bench.pair.b), 0);
		pair_run_ms(&bench.pair, 10);
		strcpy(invite, bench.peer.last);
		reply(&bench, invite, rows[i].status, rows[i].lines);
		assert_string_equal(bench.pair.b.log, rows[i].log);
		if (rows[i].status >= 200 && rows[i].status < 300) {
			ack = pair_sent(&bench.pair, "ACK", 0)->text;
			assert_memory_equal(ack + 4, rows[i].bye + 4, strlen(rows[i].bye) - 4);
			reply(&bench, invite, rows[i].status, rows[i].lines);
			assert_string_equal(pair_sent(&bench.pair, "ACK", 1)->text, ack);
			assert_string_equal(bench.pair.b.log, rows[i].log);
		}
		phone_hangup(&bench.pair.b);
		pair_run_ms(&bench.pair, 10);
		pair_sent(&bench.pair, rows[i].bye, 0);
		close_bench(&bench);
	}
}

/* A re-INVITE that has had 100 and never more is forgotten 32 s after the call, which ends at once;
 * close_bench() sees what is left. */
static void test_never_answered(void **state)
{
	struct bench bench;

	(void)state;
	for (int late = 0; late < 2; late++) {
		char invite[4096];

		open_talk(&bench);
		assert_int_equal(phone_change(&bench.pair.b), 0);
		pair_run_ms(&bench.pair, 10);
		strcpy(invite, bench.peer.last);
		reply(&bench, invite, 100, "");
		pair_run_ms(&bench.pair, 40000);
		phone_hangup(&bench.pair.b);
		pair_run_ms(&bench.pair, 10);
		reply(&bench, bench.peer.last, 200, "");
		assert_string_equal(bench.pair.b.log, "ended(local 0 0) ");
		world_forget(&bench.pair.world);
		pair_run_ms(&bench.pair, late ? 32000 : 31900);
		reply(&bench, invite, 200, HERE);
		assert_int_equal(pair_count(&bench.pair, "ACK"), late ? 0 : 1);
		close_bench(&bench);
	}
}

/* Section 12.2.2: INVITE and UPDATE move the target, if they are good; nothing else does. */
static void test_target(void **state)
{
	static const struct {
		const char *method, *rest;
		uint16_t refuse;
		const char *status;
		bool moves;
	} rows[] = {
		{"INVITE", THERE EMPTY, 0, "200", true},
		{"INVITE", THERE SDP, 0, "200", true},
		{"INVITE", THERE SDP, 488, "488", false},
		{"INVITE", HERE SDP, 0, "200", false},
		{"INVITE", SDP, 0, "400", false},
		{"INVITE", "Contact: <tel:1>\r\n" SDP, 0, "400", false},
		{"UPDATE", THERE EMPTY, 0, "200", true},
		{"UPDATE", THERE EMPTY, 488, "200", true}, /* nobody is asked */
		{"UPDATE", THERE SDP, 0, "200", true},
		{"UPDATE", THERE SDP, 504, "504", false},
		{"UPDATE", EMPTY, 0, "200", false},
		{"UPDATE", "Contact: *\r\n" EMPTY, 0, "400", false},
		{"OPTIONS", THERE EMPTY, 0, "200", false},
	};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_talk(&bench);
		bench.pair.b.refuse = rows[i].refuse;
		ask(&bench, rows[i].method, 2, rows[i].rest);
		expect(&bench, rows[i].status);
		if (strcmp(rows[i].status, "200") == 0 && rows[i].method[0] != 'O')
			assert_non_null(
				strstr(bench.peer.last, "Contact: <sip:b@192.0.2.2:5060>\r\n"));
		if (strcmp(rows[i].method, "INVITE") == 0)
			ask(&bench, "ACK", 2, EMPTY);
		phone_hangup(&bench.pair.b);
		pair_run_ms(&bench.pair, 10);
		if (strncmp(bench.there.last, "BYE sip:d@192.0.2.3:5071 ", 25) == 0)
			assert_true(rows[i].moves);
		else if (rows[i].moves)
			fail_msg("row %zu: nothing moved", i);
		else
			pair_sent(&bench.pair, "BYE sip:c@192.0.2.3:5070 ", 0);
		close_bench(&bench);
	}
}

/* Our 2xx to an UPDATE carries the answer, and is never repeated by itself. */
static void test_update(void **state)
{
	struct bench bench;

	(void)state;
	open_talk(&bench);
	ask(&bench, "UPDATE", 2, HERE SDP);
	expect(&bench, "200");
	assert_non_null(strstr(bench.peer.last, "\r\n\r\nnew answer"));
	assert_string_equal(bench.pair.b.log, "change(UPDATE offer) ");
	world_forget(&bench.pair.world);
	ask(&bench, "UPDATE", 1, HERE SDP); /* comes too late */
	expect(&bench, "500");
	ask(&bench, "UPDATE", 77, HERE EMPTY); /* a gap is none (section 12.2.2) */
	expect(&bench, "200");
	pair_run_ms(&bench.pair, 5000);
	pair_expect_sent(&bench.pair, "UPDATE 500 UPDATE 200");
	assert_string_equal(bench.pair.b.log, "change(UPDATE offer) ");
	close_bench(&bench);
}

/* RFC 3311, section 5.2: what crosses an offer that is open. */
static void test_update_too_early(void **state)
{
	struct bench bench;

	(void)state;
	open_ringing(&bench, HERE SDP);
	ask(&bench, "UPDATE", 2, HERE SDP);
	expect(&bench, "500");
	assert_non_null(strstr(bench.peer.last, "Retry-After: "));
	ask(&bench, "UPDATE", 3, THERE EMPTY);
	expect(&bench, "200");
	phone_accept(&bench.pair.b);
	ask(&bench, "UPDATE", 4, HERE SDP); /* the answer is out */
	expect(&bench, "200");
	ask(&bench, "ACK", 1, EMPTY);
	assert_int_equal(phone_change(&bench.pair.b), 0);
	pair_run_ms(&bench.pair, 10);
	ask(&bench, "UPDATE", 5, HERE SDP); /* ours is open */
	expect(&bench, "491");
	ask(&bench, "INVITE", 6, HERE SDP);
	expect(&bench, "491");
	ask(&bench, "UPDATE", 7, HERE EMPTY); /* crosses nothing */
	expect(&bench, "200");
	close_bench(&bench);
}

/* RFC 5407, sections 3.1.4 and 3.1.5: a re-INVITE before the ACK to our first 200. */
static void test_reinvite_before_ack(void **state)
{
	struct bench bench;

	(void)state;
	open_ringing(&bench, HERE SDP);
	phone_accept(&bench.pair.b);
	ask(&bench, "INVITE", 2, HERE SDP);
	expect(&bench, "200");
	ask(&bench, "ACK", 2, EMPTY);
	assert_int_equal(sip_invite_state(bench.pair.b.invite), SIP_INVITE_ACCEPTED);
	world_forget(&bench.pair.world);
	pair_run_ms(&bench.pair, 600);
	assert_int_equal(pair_count(&bench.pair, "SIP/2.0 200"), 1); /* the first one alone */
	assert_non_null(strstr(bench.pair.world.sent[0].text, "CSeq: 1 INVITE\r\n"));
	ask(&bench, "ACK", 1, EMPTY);
	assert_int_equal(sip_invite_state(bench.pair.b.invite), SIP_INVITE_CONFIRMED);
	assert_string_equal(
		bench.pair.b.log, "incoming(offer) change(INVITE offer) confirmed confirmed ");
	close_bench(&bench);

	open_ringing(&bench, HERE EMPTY); /* the ACK has to bring an answer first */
	phone_accept(&bench.pair.b);
	ask(&bench, "INVITE", 2, HERE SDP);
	expect(&bench, "491");
	ask(&bench, "UPDATE", 3, HERE SDP);
	expect(&bench, "491");
	ask(&bench, "ACK", 1, ANSWER);
	ask(&bench, "INVITE", 4, HERE SDP);
	expect(&bench, "200");
	ask(&bench, "ACK", 4, EMPTY);
	assert_string_equal(
		bench.pair.b.log, "incoming() confirmed(answer) change(INVITE offer) confirmed ");
	close_bench(&bench);
}

/* A late offer within the call: the next one has to wait for its answer. */
static void test_late_offer(void **state)
{
	struct bench bench;

	(void)state;
	open_talk(&bench);
	ask(&bench, "INVITE", 2, HERE EMPTY);
	expect(&bench, "200");
	assert_non_null(strstr(bench.peer.last, "\r\n\r\ncounter"));
	ask(&bench, "INVITE", 3, HERE SDP);
	expect(&bench, "491");
	ask(&bench, "ACK", 3, EMPTY); /* of the 491 */
	ask(&bench, "ACK", 2, ANSWER);
	ask(&bench, "ACK", 2, ANSWER); /* once more, for nothing */
	assert_string_equal(bench.pair.b.log, "change(INVITE ) confirmed(answer) ");
	close_bench(&bench);
}

/* Who hangs up with the first 200 unacknowledged waits for that ACK, not for another's. */
static void test_hangup_before_ack(void **state)
{
	struct bench bench;

	(void)state;
	open_ringing(&bench, HERE SDP);
	phone_accept(&bench.pair.b);
	ask(&bench, "INVITE", 2, HERE SDP);
	phone_hangup(&bench.pair.b);
	ask(&bench, "ACK", 2, EMPTY);
	assert_int_equal(pair_count(&bench.pair, "BYE"), 0);
	ask(&bench, "ACK", 1, EMPTY);
	assert_int_equal(pair_count(&bench.pair, "BYE"), 1);
	close_bench(&bench);

	open_ringing(&bench, HERE SDP); /* BYE of theirs, before their ACK */
	phone_accept(&bench.pair.b);
	ask(&bench, "BYE", 2, EMPTY);
	expect(&bench, "200");
	ask(&bench, "ACK", 1, EMPTY);
	assert_string_equal(bench.pair.b.log, "incoming(offer) ended(remote 0 0) ");
	pair_run_ms(&bench.pair, 5000);
	assert_int_equal(pair_count(&bench.pair, "SIP/2.0 200"), 2);
	close_bench(&bench);
}

/* Section 8.1.3.4: what a redirected call keeps. */
static void test_redirected(void **state)
{
	struct phone c = {.addr = world_addr("192.0.2.3:5070")};
	struct world_peer peer;
	struct sip_flow flow;
	struct sip_invite *invite;
	static const struct sip_invite_events events = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	world_peer_open(&peer, pair.c, "192.0.2.3:5070");
	assert_int_equal(sip_stack_flow(&flow, pair.a.stack, SIP_UDP, &c.addr), 0);
	assert_int_equal(sip_invite_call(&invite, pair.a.stack,
				 &(struct sip_invite_config){
					 .flow = &flow,
					 .target = slice_of("sip:new@192.0.2.3:5070?subject=x"),
					 .to = slice_of("sip:old@192.0.2.9;x=y?subject=x"),
					 .from_uri = slice_of("sip:a@192.0.2.1"),
					 .call_id = slice_of("the-old-id"),
					 .tag = slice_of("the-old-tag"),
					 .cseq = 41,
				 },
				 &events, NULL),
		0);
	assert_int_equal(sip_invite_cseq(invite), 42);
	assert_true(slice_is(sip_invite_tag(invite), "the-old-tag"));
	assert_true(slice_is(sip_invite_call_id(invite), "the-old-id"));
	pair_run_ms(&pair, 10);
	assert_match(peer.last,
		"INVITE sip:new@192.0.2.3:5070 SIP/2.0\r\nVia: *\r\nMax-Forwards: 70\r\n"
		"From: <sip:a@192.0.2.1>;tag=the-old-tag\r\nTo: <sip:old@192.0.2.9;x=y>\r\n"
		"Call-ID: the-old-id\r\nContact: <sip:192.0.2.1:5060>\r\n"
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: \r\n"
		"Accept: application/sdp\r\n"
		"CSeq: 42 INVITE\r\nUser-Agent: test\r\n" EMPTY);
	sip_invite_free(invite);
	world_peer_close(&peer);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_target_of_2xx),
		cmocka_unit_test(test_never_answered),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_update_too_early),
		cmocka_unit_test(test_reinvite_before_ack),
		cmocka_unit_test(test_late_offer),
		cmocka_unit_test(test_hangup_before_ack),
		cmocka_unit_test(test_redirected),
	};

	return cmocka_run_group_tests_name("sip/invite, a far end that moves", tests, NULL, NULL);
}
