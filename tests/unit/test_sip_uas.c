/* core/sip/uas: what requests are refused with, before anybody looks at what they want. */
#include "core/base/text.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/uas.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define VIA "Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKu\r\nMax-Forwards: 70\r\n"
#define FROM "From: <sip:c@192.0.2.3>;tag=c\r\n"
#define TO "To: <sip:a@192.0.2.1>\r\n"
#define IDS VIA FROM TO "Call-ID: u\r\n"
#define CONTACT "Contact: <sip:c@192.0.2.3:5070>\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define SDP "Content-Type: application/sdp\r\n"
#define BODY "Content-Length: 3\r\n\r\nv=0"

/* status 0: no answer, nor does the user hear of it; 1: the user hears of it */
static const struct row {
	const char *name;
	const char *request;
	unsigned int status;
	const char *has; /* what the answer has beside that */
} rows[] = {
	{"good", "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\n" EMPTY, 1, NULL},
	{"good INVITE",
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT SDP BODY, 1,
		NULL},
	{"INVITE without body",
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT EMPTY, 1,
		NULL},
	{"tel", "OPTIONS tel:+123 SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\n" EMPTY, 1, NULL},
	{"no tag in From",
		"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n" VIA "From: <sip:c@192.0.2.3>\r\n" TO
		"Call-ID: u\r\nCSeq: 1 OPTIONS\r\n" EMPTY,
		1, NULL},

	{"no Call-ID", "OPTIONS sip:a SIP/2.0\r\n" VIA FROM TO "CSeq: 1 OPTIONS\r\n" EMPTY, 400,
		NULL},
	{"CSeq of another method", "OPTIONS sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" EMPTY, 400,
		NULL},
	{"bad Content-Length",
		"OPTIONS sip:a SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\nContent-Length: 9\r\n\r\n", 400,
		NULL},
	{"INVITE without Contact",
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" EMPTY, 400,
		"SIP/2.0 400 Missing Contact\r\n"},
	{"INVITE with Contact: *",
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\nContact: *\r\n" EMPTY,
		400, "SIP/2.0 400 Bad Contact\r\n"},
	{"INVITE with tel Contact",
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\n" IDS
		"CSeq: 1 INVITE\r\nContact: <tel:1>\r\n" EMPTY,
		400, "SIP/2.0 400 Bad Contact\r\n"},

	{"known method", "INFO sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 INFO\r\n" EMPTY, 405,
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"},
	{"known method in a dialog that is not there",
		"UPDATE sip:a SIP/2.0\r\n" VIA FROM "To: <sip:a@192.0.2.1>;tag=t\r\nCall-ID: u\r\n"
		"CSeq: 1 UPDATE\r\n" EMPTY,
		405, "Allow: "},
	{"unknown method", "FLY sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 FLY\r\n" EMPTY, 501,
		NULL},
	{"methods have a case", "options sip:a SIP/2.0\r\n" IDS "CSeq: 1 options\r\n" EMPTY, 501,
		NULL},
	{"a prefix of one that is allowed", "INVIT sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVIT\r\n" EMPTY,
		501, NULL},
	{"version", "OPTIONS sip:a SIP/3.0\r\n" IDS "CSeq: 1 OPTIONS\r\n" EMPTY, 505, NULL},
	{"scheme", "OPTIONS http://a/ SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\n" EMPTY, 416, NULL},

	{"Require",
		"OPTIONS sip:a SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\nRequire: 100rel, x\r\n" EMPTY,
		420, "Unsupported: 100rel\r\nUnsupported: x\r\n"},

	{"dialog",
		"OPTIONS sip:a SIP/2.0\r\n" VIA FROM
		"To: <sip:a@192.0.2.1>;tag=t\r\nCall-ID: u\r\nCSeq: 1 OPTIONS\r\n" EMPTY,
		481, "To: <sip:a@192.0.2.1>;tag=t\r\n"},
	{"re-INVITE outside",
		"INVITE sip:a SIP/2.0\r\n" VIA FROM
		"To: <sip:a@192.0.2.1>;tag=t\r\nCall-ID: u\r\nCSeq: 1 INVITE\r\n" CONTACT SDP BODY,
		481, NULL},
	{"BYE outside",
		"BYE sip:a SIP/2.0\r\n" VIA FROM
		"To: <sip:a@192.0.2.1>;tag=t\r\nCall-ID: u\r\nCSeq: 1 BYE\r\n" EMPTY,
		481, NULL},
	{"CANCEL", "CANCEL sip:a SIP/2.0\r\n" IDS "CSeq: 1 CANCEL\r\n" EMPTY, 481, NULL},
	{"CANCEL's Require is ignored",
		"CANCEL sip:a SIP/2.0\r\n" IDS "CSeq: 1 CANCEL\r\nRequire: x\r\n" EMPTY, 481, NULL},
	{"ACK", "ACK sip:a SIP/2.0\r\n" IDS "CSeq: 1 ACK\r\n" EMPTY, 0, NULL},
	{"ACK in a dialog",
		"ACK sip:a SIP/2.0\r\n" VIA FROM
		"To: <sip:a@192.0.2.1>;tag=t\r\nCall-ID: u\r\nCSeq: 1 ACK\r\n" EMPTY,
		0, NULL},
	{"bad ACK", "ACK sip:a SIP/3.0\r\n" IDS "CSeq: 1 ACK\r\nRequire: x\r\n" EMPTY, 0, NULL},

	{"body of another type",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Content-Type: text/plain\r\n" BODY,
		415, "Accept: application/sdp\r\n"},
	{"body of no type", "INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT BODY, 415,
		"Accept: application/sdp\r\n"},
	{"type with a parameter, in capitals",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Content-Type: Application/SDP ;x=y\r\n" BODY,
		1, NULL},
	{"no description is accepted",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Accept: text/plain, text/*;q=1, application/sdp2\r\n" EMPTY,
		406, NULL},
	{"nothing is accepted",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT "Accept:\r\n" EMPTY,
		406, NULL},
	{"a description is accepted",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Accept: text/plain, Application/SDP ;level=1\r\n" EMPTY,
		1, NULL},
	{"all applications are accepted",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Accept: application/*\r\n" EMPTY,
		1, NULL},
	{"anything is accepted",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT "Accept: */*\r\n" EMPTY,
		1, NULL},
	{"several bodies",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Content-Type: multipart/mixed;boundary=b\r\nContent-Length: 87\r\n\r\n"
		"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
		"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n",
		1, NULL},
	{"several bodies, none of them ours",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Content-Type: multipart/mixed;boundary=b\r\nContent-Length: 44\r\n\r\n"
		"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n",
		415, "Accept: application/sdp\r\n"},
	{"body that may be passed over",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Content-Type: text/plain\r\n"
		"Content-Disposition: icon ; handling=Optional\r\n" BODY,
		1, NULL},
	{"body that may not",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT
		"Content-Type: text/plain\r\n"
		"Content-Disposition: icon;handling=required\r\n" BODY,
		415, "Accept: application/sdp\r\n"},
	{"languages are not ours to judge",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT SDP
		"Content-Language: fr, de\r\n" BODY,
		1, NULL},
	{"encoding",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT SDP
		"Content-Encoding: gzip\r\n" BODY,
		415, "Accept-Encoding: identity\r\n"},
	{"no encoding",
		"INVITE sip:a SIP/2.0\r\n" IDS "CSeq: 1 INVITE\r\n" CONTACT SDP
		"Content-Encoding: identity\r\n" BODY,
		1, NULL},
};

struct bench {
	struct pair pair;
	struct world_peer peer;
};

static void open_bench(struct bench *bench)
{
	pair_open(&bench->pair);
	world_peer_open(&bench->peer, bench->pair.c, "192.0.2.3:5070");
	bench->pair.a.untaken = true;
	bench->pair.a.reply = 0;
}

static void close_bench(struct bench *bench)
{
	world_peer_close(&bench->peer);
	pair_close(&bench->pair);
}

static unsigned int status_of(const struct bench *bench)
{
	return bench->peer.count > 0 ? (unsigned int)strtoul(bench->peer.last + 8, NULL, 10) : 0;
}

static void run_row(const struct row *row, struct bench *bench)
{
	bool heard;

	world_peer_send(&bench->peer, "192.0.2.1:5060", "%s", row->request);
	world_run(&bench->pair.world, 10 * NS_PER_MS);
	heard = bench->pair.a.log[0] != '\0';
	if (heard != (row->status == 1))
		fail_msg("%s: the user heard \"%s\"", row->name, bench->pair.a.log);
	if (heard)
		sip_server_respond(bench->pair.a.server, &(struct sip_response){.status = 404});
	else if (status_of(bench) != row->status)
		fail_msg("%s:\n%s", row->name, bench->peer.last);
	if (row->has && !strstr(bench->peer.last, row->has))
		fail_msg("%s: no \"%s\" in\n%s", row->name, row->has, bench->peer.last);
}

static void test_table(void **state)
{
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_bench(&bench);
		run_row(&rows[i], &bench);
		close_bench(&bench);
	}
}

/* Section 8.2.2.2: the same request by another way. */
static void test_merged(void **state)
{
	static const char again[] =
		"INVITE sip:a@192.0.2.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKother\r\nMax-Forwards: 70\r\n" FROM
			TO "Call-ID: %s\r\nCSeq: %u INVITE\r\n" CONTACT EMPTY;
	static const struct {
		const char *call_id;
		unsigned int cseq, status;
	} seconds[] = {{"u", 1, 482}, {"v", 1, 0}, {"u", 2, 0}};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		struct sip_server *first;

		open_bench(&bench);
		world_peer_send(&bench.peer, "192.0.2.1:5060", "%s", rows[2].request);
		world_run(&bench.pair.world, 10 * NS_PER_MS);
		first = bench.pair.a.server;
		world_peer_send(
			&bench.peer, "192.0.2.1:5060", again, seconds[i].call_id, seconds[i].cseq);
		world_run(&bench.pair.world, 10 * NS_PER_MS);
		assert_int_equal(status_of(&bench), seconds[i].status);
		if (bench.pair.a.server != first)
			sip_server_respond(
				bench.pair.a.server, &(struct sip_response){.status = 404});
		sip_server_respond(first, &(struct sip_response){.status = 404});
		close_bench(&bench);
	}
}

/* Section 11.2: what an answer to OPTIONS tells of us. */
static void test_options(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.pair.a.reply = 200;
	world_peer_send(&bench.peer, "192.0.2.1:5060", "%s", rows[0].request);
	world_run(&bench.pair.world, 10 * NS_PER_MS);
	assert_match(bench.peer.last,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.3:5070;branch=z9hG4bKu\r\n" FROM
		"To: <sip:a@192.0.2.1>;tag=*\r\nCall-ID: u\r\nCSeq: 1 OPTIONS\r\n"
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nAccept: application/sdp\r\n"
		"Supported: \r\n"
		"Server: test\r\nContent-Length: 0\r\n\r\n");
	close_bench(&bench);
}

/* An answer that does not fit becomes a bare 500; there is no user left who could do better. */
static void test_answer_too_large(void **state)
{
	static char large[70000];
	struct bench bench;

	(void)state;
	memset(large, 'x', sizeof(large));
	open_bench(&bench);
	world_peer_send(&bench.peer, "192.0.2.1:5060", "%s", rows[0].request);
	world_run(&bench.pair.world, 10 * NS_PER_MS);
	assert_int_equal(sip_server_respond(bench.pair.a.server,
				 &(struct sip_response){.status = 200,
					 .content_type = "text/plain",
					 .body = {(const uint8_t *)large, sizeof(large)}}),
		-EMSGSIZE);
	world_run(&bench.pair.world, 10 * NS_PER_MS);
	assert_int_equal(status_of(&bench), 500);
	close_bench(&bench);
}

/* RFC 3311 knows it within a dialog alone. */
static void test_update_outside(void **state)
{
	static const char request[] = "UPDATE sip:a@192.0.2.1 SIP/2.0\r\n" VIA FROM "%s" CONTACT
				      "Call-ID: u\r\nCSeq: 1 UPDATE\r\n" EMPTY;
	static const char *const tos[] = {TO, "To: <sip:a@192.0.2.1>;tag=t\r\n"};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_bench(&bench);
		phone_allow_update(&bench.pair.a);
		world_peer_send(&bench.peer, "192.0.2.1:5060", request, tos[i]);
		world_run(&bench.pair.world, 10 * NS_PER_MS);
		assert_int_equal(status_of(&bench), 481);
		assert_string_equal(bench.pair.a.log, "");
		close_bench(&bench);
	}
}

/* What is asked for may be more than can be told: only whole lines are, and the end is there. */
static void test_too_much_required(void **state)
{
	char asked[60 * 72 + 1];
	struct text text = TEXT_IN(asked);
	const char *answer, *last;
	struct bench bench;

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		text_printf(&text, "Require: a%060u\r\n", i);
	assert_false(text.cut);
	open_bench(&bench);
	world_peer_send(&bench.peer, "192.0.2.1:5060",
		"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\n%s" EMPTY, asked);
	world_run(&bench.pair.world, 10 * NS_PER_MS);
	assert_int_equal(bench.pair.world.sent_count, 2);
	answer = bench.pair.world.sent[1].text;
	assert_non_null(strstr(answer, "SIP/2.0 420"));
	assert_non_null(strstr(answer, "\r\nUnsupported: a000"));
	last = strrchr(answer, ':');
	assert_string_equal(last - strlen("\r\nContent-Length"), "\r\nContent-Length: 0\r\n\r\n");
	close_bench(&bench);
}

/* Requests whose answers are long: so much is kept of them, and no more. */
static void test_flood_of_long_requests(void **state)
{
	enum { LONG = 30000, MOST = (1 << 28) / LONG + 1 };
	static char room[LONG + 1024], branches[LONG];
	struct bench bench;
	struct udp *udp;
	const struct addr from = world_addr("192.0.2.3:5071"), to = world_addr("192.0.2.1:5060");
	unsigned sent = 0;

	(void)state;
	open_bench(&bench);
	bench.pair.world.quiet = true;
	bench.pair.a.reply = 200;
	bench.pair.a.untaken = false;
	assert_int_equal(loop_udp_open(&udp, bench.pair.c, &from), 0);
	memset(branches, 'x', sizeof(branches) - 1);
	while (bench.pair.a.stack->answer_bytes < SIP_SERVERS_BYTES_MAX && sent <= MOST) {
		struct text text = TEXT_IN(room);

		text_printf(&text,
			"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
			"192.0.2.3:5071;branch=z9hG4bK%u\r\n"
			"Via: SIP/2.0/UDP p;branch=z9hG4bK%s\r\n" FROM TO
			"Call-ID: u%u\r\nCSeq: 1 OPTIONS\r\n" EMPTY,
			sent, branches, sent);
		assert_false(text.cut);
		assert_int_equal(udp_send(udp, &to, text_slice(&text)), 0);
		world_run(&bench.pair.world, 2 * NS_PER_MS);
		sent++;
	}
	assert_in_range(sent, 1000, MOST);
	world_peer_send(&bench.peer, "192.0.2.1:5060",
		"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 1 OPTIONS\r\n" EMPTY);
	world_run(&bench.pair.world, 2 * NS_PER_MS);
	assert_int_equal(status_of(&bench), 503);
	world_run(&bench.pair.world, 32 * NS_PER_S);
	assert_int_equal(bench.pair.a.stack->answer_bytes, 0);
	world_peer_send(&bench.peer, "192.0.2.1:5060",
		"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n" IDS "CSeq: 2 OPTIONS\r\n" EMPTY);
	world_run(&bench.pair.world, 2 * NS_PER_MS);
	assert_int_equal(status_of(&bench), 200);
	udp_free(udp);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_answer_too_large),
		cmocka_unit_test(test_update_outside),
		cmocka_unit_test(test_too_much_required),
		cmocka_unit_test(test_flood_of_long_requests),
	};

	return cmocka_run_group_tests_name("sip/uas", tests, NULL, NULL);
}
