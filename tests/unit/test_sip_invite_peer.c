/* core/sip/invite: calls with a far end of plain bytes, which does what no stack of ours would. */
#include "core/base/text.h"
#include "core/sip/print.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define VIA_A "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK*;rport"
#define FROM_A "From: \"Al \\\"A\\\"\" <sip:a@192.0.2.1>;tag=*\r\n"
#define CALL_ID "Call-ID: *@192.0.2.1\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"

/* A response of a far end of plain bytes to the request that it got. */
static void reply(struct world_peer *peer, const char *request, uint16_t status, const char *tag,
	const char *lines)
{
	char room[4096];
	struct text text = TEXT_IN(room);
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(request)), 0);
	sip_print_status_line(&text, status, NULL);
	sip_print_copies(&text, msg, SIP_VIA);
	sip_print_copies(&text, msg, SIP_FROM);
	text_printf(&text, "To: <sip:b@192.0.2.3>%s%s\r\n", *tag ? ";tag=" : "", tag);
	sip_print_copies(&text, msg, SIP_CALL_ID);
	sip_print_copies(&text, msg, SIP_CSEQ);
	text_puts(&text, lines);
	sip_print_body(&text, NULL, (struct slice){0});
	sip_msg_free(msg);
	world_peer_send(peer, "192.0.2.1:5060", "%s", room);
}

#define CONTACT_C "Contact: <sip:c@192.0.2.3:5070>\r\n"

/* a calls a far end of plain bytes, which has got the INVITE; invite is a copy of that. */
static void call_peer(struct pair *pair, struct world_peer *peer, char invite[static 4096])
{
	struct phone c = {.addr = world_addr("192.0.2.3:5070")};

	pair_open(pair);
	world_peer_open(peer, pair->c, "192.0.2.3:5070");
	assert_int_equal(phone_call(&pair->a, &c), 0);
	pair_run_ms(pair, 10);
	assert_int_equal(peer->count, 1);
	strcpy(invite, peer->last);
}

static void test_forks(void **state)
{
	struct world_peer peer;
	char invite[4096];
	struct pair pair;
	const char *first_ack;

	(void)state;
	call_peer(&pair, &peer, invite);
	reply(&peer, invite, 200, "one", CONTACT_C);
	pair_run_ms(&pair, 10);
	reply(&peer, invite, 200, "two", "Contact: <sip:d@192.0.2.3:5070>\r\n");
	pair_run_ms(&pair, 10);
	pair_expect_logs(&pair, "answered() ", "");
	pair_expect_sent(&pair, "INVITE 200 ACK 200 ACK BYE");
	assert_non_null(strstr(pair_sent(&pair, "ACK", 0)->text, ";tag=one\r\n"));
	assert_non_null(strstr(pair_sent(&pair, "ACK", 1)->text, ";tag=two\r\n"));
	assert_match(pair_sent(&pair, "BYE", 0)->text,
		"BYE sip:d@192.0.2.3:5070 SIP/2.0\r\n" VIA_A "\r\nMax-Forwards: 70\r\n" FROM_A
		"To: <sip:b@192.0.2.3>;tag=two\r\n" CALL_ID
		"CSeq: 2 BYE\r\nUser-Agent: test\r\n" EMPTY);
	reply(&peer, peer.last, 200, "two", "");

	/* each 200 again gets its own ACK again, and nobody a second BYE */
	reply(&peer, invite, 200, "two", CONTACT_C);
	reply(&peer, invite, 200, "one", CONTACT_C);
	pair_run_ms(&pair, 10);
	first_ack = pair_sent(&pair, "ACK", 0)->text;
	assert_string_equal(pair_sent(&pair, "ACK", 2)->text, pair_sent(&pair, "ACK", 1)->text);
	assert_string_equal(pair_sent(&pair, "ACK", 3)->text, first_ack);
	assert_int_equal(pair_count(&pair, "BYE"), 1);

	/* the call is over and forgotten, and a third one answers */
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 10);
	reply(&peer, peer.last, 200, "one", "");
	pair_run_ms(&pair, 10);
	pair_expect_logs(&pair, "answered() ended(local 0 0) ", "");
	sip_invite_free(pair.a.invite);
	pair.a.invite = NULL;
	reply(&peer, invite, 200, "three", CONTACT_C);
	pair_run_ms(&pair, 10);
	assert_non_null(strstr(pair_sent(&pair, "ACK", 4)->text, ";tag=three\r\n"));
	assert_non_null(strstr(pair_sent(&pair, "BYE", 2)->text, ";tag=three\r\n"));
	reply(&peer, invite, 200, "one", CONTACT_C);
	pair_run_ms(&pair, 10);
	assert_string_equal(pair_sent(&pair, "ACK", 5)->text, first_ack);
	assert_int_equal(pair_count(&pair, "BYE"), 3);
	world_peer_close(&peer);
	pair_close(&pair);
}

static void test_odd_answers(void **state)
{
	static const struct {
		const char *tag, *lines, *log, *uri;
	} rows[] = {
		{"x", "", "answered() ", "ACK sip:b@192.0.2.3:5070 SIP"},       /* no Contact */
		{"", CONTACT_C, "answered() ", "ACK sip:c@192.0.2.3:5070 SIP"}, /* RFC 2543 */
		{"x", "Contact: *\r\n", "ended(error 0 -71) ", NULL},
		{"x", "Contact: <tel:1>\r\n", "ended(error 0 -71) ", NULL},
		{"x", CONTACT_C "Record-Route: <sip:\r\n", "ended(error 0 -71) ", NULL},
		{"x", "Contact: <sip:c@192.0.2.3:5070;transport=tcp>\r\n", "answered() ",
			"ACK sip:c@192.0.2.3:5070;transport=tcp SIP"},
	};
	struct world_peer peer;
	char invite[4096];
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		call_peer(&pair, &peer, invite);
		reply(&peer, invite, 200, rows[i].tag, rows[i].lines);
		pair_run_ms(&pair, 10);
		pair_expect_logs(&pair, rows[i].log, "");
		if (rows[i].uri)
			pair_sent(&pair, rows[i].uri, 0);
		assert_int_equal(pair_count(&pair, "ACK"), rows[i].uri != NULL);
		phone_hangup(&pair.a);
		world_peer_close(&peer);
		pair_close(&pair);
	}
}

/* No end of forks: they are ended one by one, but not without bound. */
static void test_many_forks(void **state)
{
	struct world_peer peer;
	char invite[4096];
	char tag[16];
	struct pair pair;

	(void)state;
	call_peer(&pair, &peer, invite);
	for (int i = 0; i < 40; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		reply(&peer, invite, 200, tag, CONTACT_C);
	}
	pair_run_ms(&pair, 10);
	assert_int_equal(pair_count(&pair, "ACK"), 32);
	assert_int_equal(pair_count(&pair, "BYE"), 31);
	phone_hangup(&pair.a);
	world_peer_close(&peer);
	pair_close(&pair);
}

static void test_cancel_without_end(void **state)
{
	struct world_peer peer;
	char invite[4096];
	struct pair pair;

	(void)state;
	call_peer(&pair, &peer, invite);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 10);
	assert_int_equal(pair_count(&pair, "CANCEL"), 0);
	reply(&peer, invite, 100, "", "");
	pair_run_ms(&pair, 10);
	assert_int_equal(pair_count(&pair, "CANCEL"), 1);
	reply(&peer, peer.last, 200, "x", "");
	reply(&peer, invite, 183, "x", ""); /* changes nothing */
	pair_run_ms(&pair, 31990);
	pair_expect_logs(&pair, "", "");
	pair_run_ms(&pair, 10);
	pair_expect_logs(&pair, "ended(local 0 0) ", "");
	assert_int_equal(pair_count(&pair, "CANCEL"), 1);
	world_peer_close(&peer);
	pair_close(&pair);
}

/* Section 17.1.1.2: after its final response an INVITE is over; a 2xx that comes then is nobody's.
 */
static void test_2xx_after_487(void **state)
{
	struct world_peer peer;
	char invite[4096];
	struct pair pair;

	(void)state;
	call_peer(&pair, &peer, invite);
	reply(&peer, invite, 180, "x", CONTACT_C);
	pair_run_ms(&pair, 10);
	phone_hangup(&pair.a);
	pair_run_ms(&pair, 10);
	reply(&peer, peer.last, 200, "x", "");
	reply(&peer, invite, 487, "x", "");
	reply(&peer, invite, 200, "x", CONTACT_C);
	reply(&peer, invite, 487, "x", "");
	pair_run_ms(&pair, 10);
	pair_expect_logs(&pair, "180 ended(local 487 0) ", "");
	pair_expect_sent(&pair, "INVITE 180 CANCEL 200 487 200 487 ACK ACK");
	world_peer_close(&peer);
	pair_close(&pair);
}

/* A request of a far end of plain bytes, which calls b. */
static void send_request(struct world_peer *peer, const char *method, const char *to_tag,
	const char *from_tag, unsigned int cseq)
{
	bool shares_branch = strcmp(method, "CANCEL") == 0;

	world_peer_send(peer, "192.0.2.2:5060",
		"%s sip:b@192.0.2.2 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bK%s%u\r\nMax-Forwards: 70\r\n"
		"From: <sip:c@192.0.2.3>;tag=%s\r\nTo: <sip:b@192.0.2.2>%s%s\r\n"
		"Call-ID: raw\r\nCSeq: %u %s\r\n" CONTACT_C EMPTY,
		method, shares_branch ? "INVITE" : method, cseq, from_tag, *to_tag ? ";tag=" : "",
		to_tag, cseq, method);
}

/* The tag that b gave itself, from the last message. */
static void read_tag(char out[static 64], const struct world_peer *peer)
{
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(peer->last)), 0);
	snprintf(out, 64, "%.*s", (int)msg->to.tag.len, (const char *)msg->to.tag.data);
	sip_msg_free(msg);
}

static void expect_status(struct pair *pair, struct world_peer *peer, const char *status)
{
	pair_run_ms(pair, 10);
	if (strncmp(peer->last + strlen("SIP/2.0 "), status, 3) != 0)
		fail_msg("wanted %s, got:\n%s", status, peer->last);
}

static void test_inside_dialog(void **state)
{
	struct world_peer peer;
	struct pair pair;
	char tag[64];

	(void)state;
	pair_open(&pair);
	world_peer_open(&peer, pair.c, "192.0.2.3:5070");
	send_request(&peer, "INVITE", "", "c", 5);
	expect_status(&pair, &peer, "180");
	read_tag(tag, &peer);
	send_request(&peer, "INVITE", tag, "c", 6); /* section 14.2 */
	expect_status(&pair, &peer, "500");
	assert_non_null(strstr(peer.last, "Retry-After: "));
	phone_accept(&pair.b);
	expect_status(&pair, &peer, "200");
	send_request(&peer, "ACK", tag, "d", 5); /* another's, and for nothing that we sent */
	send_request(&peer, "ACK", tag, "c", 6);
	pair_run_ms(&pair, 10);
	assert_int_equal(sip_invite_state(pair.b.invite), SIP_INVITE_ACCEPTED);
	send_request(&peer, "ACK", tag, "c", 5);
	pair_run_ms(&pair, 10);
	assert_int_equal(sip_invite_state(pair.b.invite), SIP_INVITE_CONFIRMED);

	send_request(&peer, "INVITE", tag, "c", 7);
	expect_status(&pair, &peer, "200");
	send_request(&peer, "ACK", tag, "c", 7);
	send_request(&peer, "OPTIONS", tag, "c", 8);
	expect_status(&pair, &peer, "200");
	send_request(&peer, "INFO", tag, "c", 9);
	expect_status(&pair, &peer, "405");
	send_request(&peer, "OPTIONS", tag, "c", 4);
	expect_status(&pair, &peer, "500");
	send_request(&peer, "BYE", tag, "d", 10);
	expect_status(&pair, &peer, "481");
	send_request(&peer, "CANCEL", "", "c", 5); /* too late: accepted, without effect */
	expect_status(&pair, &peer, "200");
	send_request(&peer, "CANCEL", "", "c", 55);
	expect_status(&pair, &peer, "481");
	assert_string_equal(pair.b.log, "incoming() confirmed change(INVITE ) confirmed ");
	assert_int_equal(sip_invite_state(pair.b.invite), SIP_INVITE_CONFIRMED);

	phone_hangup(&pair.b);
	pair_run_ms(&pair, 10);
	send_request(&peer, "OPTIONS", tag, "c", 11);
	expect_status(&pair, &peer, "481");
	send_request(&peer, "BYE", tag, "c", 12);
	expect_status(&pair, &peer, "200");
	assert_string_equal(
		pair.b.log, "incoming() confirmed change(INVITE ) confirmed ended(local 0 0) ");
	send_request(&peer, "BYE", tag, "c", 13);
	expect_status(&pair, &peer, "481");
	world_peer_close(&peer);
	pair_close(&pair);
}

/* Section 12.1.1: what makes a dialog names the proxies between. */
static void test_record_route(void **state)
{
	static const char routes[] = "Record-Route: <sip:192.0.2.3:5070;lr>, <sip:192.0.2.9;lr>\r\n"
				     "Record-Route: <sip:192.0.2.8;lr>\r\n";
	struct world_peer peer;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	world_peer_open(&peer, pair.c, "192.0.2.3:5070");
	world_peer_send(&peer, "192.0.2.2:5060",
		"INVITE sip:b@192.0.2.2 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKr\r\nMax-Forwards: 70\r\n%s"
		"From: <sip:c@192.0.2.3>;tag=c\r\nTo: <sip:b@192.0.2.2>\r\nCall-ID: raw\r\n"
		"CSeq: 1 INVITE\r\nContact: <sip:c@192.0.2.7>\r\n" EMPTY,
		routes);
	expect_status(&pair, &peer, "180");
	assert_non_null(strstr(peer.last, routes));
	phone_accept(&pair.b);
	expect_status(&pair, &peer, "200");
	assert_non_null(strstr(peer.last, routes));
	phone_hangup(&pair.b);
	pair_run_ms(&pair, 32000);
	assert_match(peer.last,
		"BYE sip:c@192.0.2.7 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK*;rport\r\nMax-Forwards: 70\r\n"
		"Route: <sip:192.0.2.3:5070;lr>\r\nRoute: <sip:192.0.2.9;lr>\r\n"
		"Route: <sip:192.0.2.8;lr>\r\nFrom: <sip:b@192.0.2.2>;tag=*\r\n"
		"To: <sip:c@192.0.2.3>;tag=c\r\nCall-ID: raw\r\nCSeq: 1 BYE\r\n"
		"User-Agent: test\r\nReason: SIP;cause=1\r\n" EMPTY);
	world_peer_close(&peer);
	pair_close(&pair);
}

static void test_bye_while_ringing(void **state)
{
	struct world_peer peer;
	struct pair pair;
	char tag[64];

	(void)state;
	pair_open(&pair);
	world_peer_open(&peer, pair.c, "192.0.2.3:5070");
	send_request(&peer, "INVITE", "", "c", 5);
	expect_status(&pair, &peer, "180");
	read_tag(tag, &peer);
	send_request(&peer, "BYE", tag, "c", 6);
	pair_run_ms(&pair, 10);
	pair_expect_sent(&pair, "INVITE 180 BYE 200 487");
	assert_string_equal(pair.b.log, "incoming() ended(remote 487 0) ");
	world_peer_close(&peer);
	pair_close(&pair);
}

/* The far end's own requests while our INVITE is not answered. */
static void test_early_requests(void **state)
{
	struct world_peer peer;
	char invite[4096];
	struct sip_msg *msg;
	struct pair pair;

	(void)state;
	call_peer(&pair, &peer, invite);
	assert_int_equal(sip_msg_parse(&msg, slice_of(invite)), 0);
	for (int i = 0; i < 2; i++) {
		const char *method = i == 0 ? "INVITE" : "OPTIONS";

		world_peer_send(&peer, "192.0.2.1:5060",
			"%s sip:a@192.0.2.1 SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKq%d\r\n"
			"From: <sip:b@192.0.2.3>;tag=x\r\nTo: <sip:a@192.0.2.1>;tag=%.*s\r\n"
			"Call-ID: %.*s\r\nCSeq: 1 %s\r\n" CONTACT_C EMPTY,
			method, i, (int)msg->from.tag.len, (const char *)msg->from.tag.data,
			(int)msg->call_id.len, (const char *)msg->call_id.data, method);
		expect_status(&pair, &peer, i == 0 ? "491" : "481");
	}
	sip_msg_free(msg);
	reply(&peer, invite, 404, "x", "");
	pair_run_ms(&pair, 10);
	assert_string_equal(pair.a.log, "ended(rejected 404 0) ");
	world_peer_close(&peer);
	pair_close(&pair);
}

/* A dialog whose next hop is a name: found or not, ACK and BYE arrive. */
static void test_next_hop_is_a_name(void **state)
{
	struct world_peer peer, named;
	char invite[4096];
	struct pair pair;

	(void)state;
	for (int known = 0; known < 2; known++) {
		call_peer(&pair, &peer, invite);
		world_peer_open(&named, pair.c, "192.0.2.3:5071");
		pair.world.name = known ? "c.example.org" : NULL;
		pair.world.name_addr[0] = world_addr("192.0.2.3");
		pair.world.name_addr_count = 1;
		reply(&peer, invite, 200, "x", "Contact: <sip:c.example.org:5071>\r\n");
		pair_run_ms(&pair, 10);
		assert_int_equal(peer.count, 2); /* the first ACK cannot wait */
		reply(&peer, invite, 200, "x", "Contact: <sip:c.example.org:5071>\r\n");
		pair_run_ms(&pair, 10);
		assert_int_equal(peer.count, known ? 2 : 3);
		assert_int_equal(named.count, known ? 1 : 0);
		phone_hangup(&pair.a);
		pair_run_ms(&pair, 10);
		assert_int_equal(named.count, known ? 2 : 0);
		world_peer_close(&peer);
		world_peer_close(&named);
		pair_close(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forks),
		cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_many_forks),
		cmocka_unit_test(test_cancel_without_end),
		cmocka_unit_test(test_2xx_after_487),
		cmocka_unit_test(test_inside_dialog),
		cmocka_unit_test(test_record_route),
		cmocka_unit_test(test_bye_while_ringing),
		cmocka_unit_test(test_early_requests),
		cmocka_unit_test(test_next_hop_is_a_name),
	};

	return cmocka_run_group_tests_name("sip/invite_peer", tests, NULL, NULL);
}
