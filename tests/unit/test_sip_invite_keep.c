/* core/sip/invite: the way of a call through a NAT, with a far end of plain bytes. */
#include "core/base/text.h"
#include "core/nat/stun.h"
#include "core/sip/print.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define CONTACT_C "Contact: <sip:c@192.0.2.3:5070>\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define AS_SENT ";rport=5060;received=192.0.2.1"
#define NATTED ";rport=5060;received=203.0.113.9"
#define REMAPPED ";rport=40000;received=192.0.2.1"

enum { HOUR_MS = 3600 * 1000 };

struct stage {
	struct pair pair;
	struct world_peer peer;
	char invite[4096];
};

/* To the request that it got, with params at the end of our Via in the place of rport and keep. */
static void reply(struct stage *stage, const char *request, uint16_t status, const char *params)
{
	char room[4096];
	struct text text = TEXT_IN(room);
	const char *via = strstr(request, "Via: ");
	const char *rport = strstr(via, ";rport");
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(request)), 0);
	sip_print_status_line(&text, status, NULL);
	text_printf(&text, "%.*s%s\r\n", (int)(rport - via), via, params);
	sip_print_copies(&text, msg, SIP_FROM);
	text_printf(&text, "To: <sip:b@192.0.2.3>%s\r\n", status > 100 ? ";tag=x" : "");
	sip_print_copies(&text, msg, SIP_CALL_ID);
	sip_print_copies(&text, msg, SIP_CSEQ);
	text_puts(&text, CONTACT_C EMPTY);
	sip_msg_free(msg);
	world_peer_send(&stage->peer, "192.0.2.1:5060", "%s", room);
	pair_run_ms(&stage->pair, 10);
}

static void call(struct stage *stage)
{
	struct phone c = {.addr = world_addr("192.0.2.3:5070")};

	assert_int_equal(phone_call(&stage->pair.a, &c), 0);
	pair_run_ms(&stage->pair, 10);
	strcpy(stage->invite, stage->peer.last);
}

static void open_stage(struct stage *stage)
{
	*stage = (struct stage){0};
	pair_open(&stage->pair);
	world_peer_open(&stage->peer, stage->pair.c, "192.0.2.3:5070");
}

static void end_call(struct stage *stage)
{
	phone_hangup(&stage->pair.a);
	pair_run_ms(&stage->pair, 10);
	reply(stage, stage->peer.last, 200, AS_SENT);
	assert_null(strstr(stage->pair.a.log, "error"));
}

static void close_stage(struct stage *stage)
{
	world_peer_close(&stage->peer);
	pair_close(&stage->pair);
}

/* Nothing else comes for so long but that many lines; then those are forgotten. */
static void expect_lines(struct stage *stage, uint64_t ms, size_t least, size_t most)
{
	pair_run_ms(&stage->pair, ms);
	assert_in_range(stage->peer.empty, least, most);
	assert_int_equal(stage->peer.stuns, 0);
	stage->peer.empty = 0;
}

/* As long as it rings and as long as it lasts, a line in 23.2 to 29 s. */
static void test_nat(void **state)
{
	static const char *const rows[] = {NATTED, REMAPPED};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_stage(&stage);
		call(&stage);
		expect_lines(&stage, 5000, 0, 0); /* nobody has said anything yet */
		reply(&stage, stage.invite, 180, rows[i]);
		expect_lines(&stage, 29100, 1, 1);
		expect_lines(&stage, 290000, 9, 13);
		reply(&stage, stage.invite, 200, rows[i]);
		expect_lines(&stage, HOUR_MS, 124, 156);
		end_call(&stage);
		expect_lines(&stage, HOUR_MS, 0, 0);
		close_stage(&stage);
	}
}

/* No NAT shows, and nobody has agreed: an echo of keep is no consent (RFC 6223, section 4.3). */
static void test_no_need(void **state)
{
	static const char *const rows[] = {AS_SENT, ";rport;keep", "",
		AS_SENT ";keep=", AS_SENT ";keep=x", ";rport=0", ";received=nonsense"};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_stage(&stage);
		call(&stage);
		assert_non_null(strstr(stage.invite, ";rport;keep\r\n"));
		reply(&stage, stage.invite, 180, rows[i]);
		reply(&stage, stage.invite, 200, rows[i]);
		assert_null(strstr(stage.peer.last, "keep")); /* in ACK */
		expect_lines(&stage, HOUR_MS, 0, 0);
		end_call(&stage);
		close_stage(&stage);
	}
}

/* Who has agreed is asked as often as he wants it. */
static void test_agreed(void **state)
{
	struct stage stage;
	struct stun_msg msg;

	(void)state;
	open_stage(&stage);
	call(&stage);
	reply(&stage, stage.invite, 180, AS_SENT ";keep=10");
	reply(&stage, stage.invite, 200, AS_SENT); /* that holds */
	for (unsigned i = 1; i <= 10; i++) {
		struct buf out;
		uint8_t room[STUN_SUCCESS_SIZE];

		pair_run_ms(&stage.pair, i == 1 ? 7900 : 7500);
		assert_int_equal(stage.peer.stuns, i - 1);
		pair_run_ms(&stage.pair, 2550);
		assert_true(stage.peer.stuns >= i);
		assert_int_equal(stun_parse(&msg, (struct slice){stage.peer.stun, 20}), 0);
		out = (struct buf){.data = room, .size = sizeof(room)};
		assert_int_equal(stun_print_mapped(&out, &msg.id, &stage.pair.a.addr), 0);
		assert_int_equal(
			udp_send(stage.peer.udp, &stage.pair.a.addr, (struct slice){room, out.len}),
			0);
		stage.peer.stuns = i;
	}
	assert_int_equal(stage.peer.empty, 0);
	end_call(&stage);
	stage.peer.stuns = 0;
	expect_lines(&stage, HOUR_MS, 0, 0);
	close_stage(&stage);
}

/* Who has agreed and does not answer has lines. */
static void test_no_answer(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	call(&stage);
	reply(&stage, stage.invite, 200, AS_SENT ";keep=0");
	pair_run_ms(&stage.pair, 29000 + 39500);
	assert_int_equal(stage.peer.stuns, 7);
	stage.peer.stuns = 0;
	expect_lines(&stage, HOUR_MS, 122, 156);
	end_call(&stage);
	expect_lines(&stage, HOUR_MS, 0, 0);
	close_stage(&stage);
}

static void test_unkept(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	stage.pair.a.unkept = true;
	call(&stage);
	assert_null(strstr(stage.invite, "keep"));
	reply(&stage, stage.invite, 180, NATTED);
	reply(&stage, stage.invite, 200, NATTED ";keep=10");
	expect_lines(&stage, HOUR_MS, 0, 0);
	end_call(&stage);
	close_stage(&stage);
}

/* Two calls by one way have one keep-alive, which ends with the last. */
static void test_shared(void **state)
{
	struct stage stage;
	struct sip_invite *first;

	(void)state;
	open_stage(&stage);
	call(&stage);
	reply(&stage, stage.invite, 200, NATTED);
	first = stage.pair.a.invite;
	pair_run_ms(&stage.pair, 13000);
	call(&stage);
	reply(&stage, stage.invite, 200, NATTED);
	expect_lines(&stage, HOUR_MS, 124, 156);
	end_call(&stage);
	sip_invite_free(stage.pair.a.invite);
	for (unsigned i = 0; i < 20; i++) { /* without a gap */
		pair_run_ms(&stage.pair, 29000);
		assert_in_range(stage.peer.empty, 1, 2);
		stage.peer.empty = 0;
	}
	stage.pair.a.invite = first;
	end_call(&stage);
	expect_lines(&stage, HOUR_MS, 0, 0);
	close_stage(&stage);
}

/* ICMP says that nobody is there, for a while; the call lives on, and its way is kept. */
static void test_unreachable(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	call(&stage);
	reply(&stage, stage.invite, 200, NATTED);
	world_peer_close(&stage.peer);
	pair_run_ms(&stage.pair, 100000);
	world_peer_open(&stage.peer, stage.pair.c, "192.0.2.3:5070");
	stage.peer.empty = 0;
	expect_lines(&stage, 29100, 1, 2);
	end_call(&stage);
	close_stage(&stage);
}

static void ask(struct stage *stage)
{
	struct stun_id id = {{1, 2, 3}};
	uint8_t room[STUN_REQUEST_SIZE];
	struct buf out = {.data = room, .size = sizeof(room)};

	stage->peer.stuns = 0;
	assert_int_equal(stun_print_binding(&out, &id), 0);
	assert_int_equal(
		udp_send(stage->peer.udp, &stage->pair.b.addr, (struct slice){room, out.len}), 0);
	pair_run_ms(&stage->pair, 10);
}

static void invite_b(struct stage *stage, const char *vias)
{
	world_peer_send(&stage->peer, "192.0.2.2:5060",
		"INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
		"10.0.0.1;branch=z9hG4bKk;rport%s\r\nMax-Forwards: 70\r\n"
		"From: <sip:c@192.0.2.3>;tag=c\r\nTo: <sip:b@192.0.2.2>\r\nCall-ID: k\r\n"
		"CSeq: 1 INVITE\r\n" CONTACT_C EMPTY,
		vias);
	pair_run_ms(&stage->pair, 10);
}

/* RFC 6223, section 4.4: who asks for it may keep his way open, and has answers by STUN (RFC 5626,
 * section 8) from the first response that says so until the end of the call. */
static void test_asked(void **state)
{
	struct stun_msg msg;
	struct stage stage;

	(void)state;
	open_stage(&stage);
	ask(&stage);
	assert_int_equal(stage.peer.stuns, 0); /* we are no server of STUN for everybody */
	invite_b(&stage, ";keep");
	assert_non_null(strstr(stage.peer.last, "SIP/2.0 180"));
	assert_non_null(strstr(stage.peer.last, ";keep=0;rport=5070;received=192.0.2.3\r\n"));
	phone_accept(&stage.pair.b);
	pair_run_ms(&stage.pair, 10);
	assert_non_null(strstr(stage.peer.last, "SIP/2.0 200"));
	assert_non_null(strstr(stage.peer.last, ";keep=0;"));
	ask(&stage);
	assert_int_equal(stage.peer.stuns, 1);
	assert_int_equal(stun_parse(&msg, (struct slice){stage.peer.stun, 32}), 0);
	assert_int_equal(msg.class, STUN_SUCCESS);
	assert_int_equal(msg.id.bytes[2], 3);
	assert_int_equal(msg.mapped.port, 5070);
	stage.peer.stuns = 0;
	world_peer_close(&stage.peer); /* another port is another's */
	world_peer_open(&stage.peer, stage.pair.c, "192.0.2.3:5071");
	world_forget(&stage.pair.world);
	ask(&stage);
	assert_int_equal(
		stage.pair.world.sent_count, 1); /* the question, and no answer to anybody */
	world_peer_close(&stage.peer);
	world_peer_open(&stage.peer, stage.pair.c, "192.0.2.3:5070");
	sip_invite_free(stage.pair.b.invite);
	stage.pair.b.invite = NULL;
	ask(&stage);
	assert_int_equal(stage.peer.stuns, 0);
	close_stage(&stage);
}

/* Through a proxy it is not the far end's way to us; without the question there is no answer. */
static void test_not_asked(void **state)
{
	static const char *const rows[] = {
		"", ";keep\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKl", ";keep=5"};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_stage(&stage);
		invite_b(&stage, rows[i]);
		assert_non_null(strstr(stage.peer.last, "SIP/2.0 180"));
		assert_null(strstr(stage.peer.last, "keep=0"));
		ask(&stage);
		assert_int_equal(stage.peer.stuns, 0);
		sip_invite_free(stage.pair.b.invite);
		stage.pair.b.invite = NULL;
		close_stage(&stage);
	}
}

/* Both ours: what is agreed on is done, and answered. */
static void test_between_two(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_talk(&pair);
	pair_run_ms(&pair, HOUR_MS);
	assert_in_range(pair.world.sent_count, 2 * 124, 2 * 156);
	assert_int_equal(pair_count(&pair, "\r\n\r\n"), 0);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 100);
	world_forget(&pair.world);
	pair_run_ms(&pair, HOUR_MS);
	assert_int_equal(pair.world.sent_count, 0);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_no_need),
		cmocka_unit_test(test_agreed),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_unkept),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_between_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
