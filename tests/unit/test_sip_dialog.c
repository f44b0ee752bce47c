/* core/sip/dialog: route sets, targets, sequence numbers; what goes where by them. */
#include "core/base/text.h"
#include "core/sip/dialog.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static struct sip_msg *parse(const char *text)
{
	struct sip_msg *msg;

	assert_int_equal(sip_msg_parse(&msg, slice_of(text)), 0);
	return msg;
}

static struct sip_flow flow_of(struct pair *pair)
{
	struct addr to = world_addr("192.0.2.2:5060");
	struct sip_flow flow;

	assert_int_equal(sip_stack_flow(&flow, pair->a.stack, SIP_UDP, &to), 0);
	return flow;
}

static const char request_text[] =
	"INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKd\r\n"
	"Max-Forwards: 70\r\nFrom: \"A\" <sip:a@192.0.2.1>;tag=a;x=y\r\nTo: <sip:b@192.0.2.2>\r\n"
	"Call-ID: d\r\nCSeq: 10 INVITE\r\nContact: <sip:a@192.0.2.3:5070>\r\n%s"
	"Content-Length: 0\r\n\r\n";

static const char response_text[] =
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKd\r\n"
	"From: \"A\" <sip:a@192.0.2.1>;tag=a;x=y\r\nTo: Bob <sip:b@192.0.2.2>;tag=b;z\r\n"
	/* section 12.1.2 does not ask it for that */
	"Call-ID: other\r\nCSeq: 10 INVITE\r\n%sContent-Length: 0\r\n\r\n";

/* The dialog of a for an INVITE that it has sent; or got, with lines in that. -EPROTO. */
static int make(struct sip_dialog **out, struct pair *pair, bool caller, const char *lines)
{
	struct sip_flow flow = flow_of(pair);
	struct sip_msg *request, *response;
	struct sip_sent sent;
	char text[8192];
	int err;

	snprintf(text, sizeof(text), request_text, caller ? "" : lines);
	request = parse(text);
	snprintf(text, sizeof(text), response_text, caller ? lines : "");
	response = parse(text);
	sent = (struct sip_sent){
		.uri = request->uri_text,
		.from = *sip_msg_header(request, SIP_FROM),
		.call_id = request->call_id,
		.cseq = request->cseq,
	};
	err = caller ? sip_dialog_from_response(out, pair->a.stack, &flow, &sent, response)
		     : sip_dialog_from_request(out, pair->a.stack, &flow, request, "local");
	sip_msg_free(request);
	sip_msg_free(response);
	return err;
}

#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK*;rport\r\nMax-Forwards: 70\r\n"
#define CALLER_NAMES                                                                               \
	"From: \"A\" <sip:a@192.0.2.1>;tag=a;x=y\r\nTo: Bob <sip:b@192.0.2.2>;tag=b;z\r\n"         \
	"Call-ID: d\r\n"
#define CALLED_NAMES                                                                               \
	"From: <sip:b@192.0.2.2>;tag=local\r\nTo: \"A\" <sip:a@192.0.2.1>;tag=a;x=y\r\n"           \
	"Call-ID: d\r\n"
#define TAIL "User-Agent: test\r\nX-More: 1\r\nContent-Length: 0\r\n\r\n"
#define CONTACT "Contact: <sip:c@192.0.2.3:5071;x=1>\r\n"

static const struct row {
	const char *name;
	bool caller;
	const char *lines;
	const char *to;  /* where requests go; NULL: no dialog can be made */
	const char *bye; /* how they look */
} rows[] = {
	{"target", true, CONTACT, "192.0.2.3:5071",
		"BYE sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA CALLER_NAMES
		"CSeq: 11 BYE\r\n" TAIL},
	{"default port", true, "Contact: sip:c@192.0.2.3\r\n", "192.0.2.3:5060",
		"BYE sip:c@192.0.2.3 SIP/2.0\r\n" VIA CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"no target", true, "", "192.0.2.2:5060",
		"BYE sip:b@192.0.2.2 SIP/2.0\r\n" VIA CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"called", false, "", "192.0.2.3:5070",
		"BYE sip:a@192.0.2.3:5070 SIP/2.0\r\n" VIA CALLED_NAMES "CSeq: 1 BYE\r\n" TAIL},
	{"routes of the caller, reversed", true,
		CONTACT "Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8:5;lr>;q=1\r\n"
			"Record-Route: <sip:192.0.2.7:4;lr>\r\n",
		"192.0.2.7:4",
		"BYE sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA "Route: <sip:192.0.2.7:4;lr>\r\n"
		"Route: <sip:192.0.2.8:5;lr>;q=1\r\n"
		"Route: <sip:192.0.2.9;lr>\r\n" CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"routes of the called, in order", false,
		"Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8:5;lr>\r\n", "192.0.2.9:5060",
		"BYE sip:a@192.0.2.3:5070 SIP/2.0\r\n" VIA "Route: <sip:192.0.2.9;lr>\r\n"
		"Route: <sip:192.0.2.8:5;lr>\r\n" CALLED_NAMES "CSeq: 1 BYE\r\n" TAIL},
	{"a strict router", true,
		CONTACT "Record-Route: <sip:192.0.2.9;lr>\r\nRecord-Route: <sip:r@192.0.2.7>\r\n",
		"192.0.2.7:5060",
		"BYE sip:r@192.0.2.7 SIP/2.0\r\n" VIA "Route: <sip:192.0.2.9;lr>\r\n"
		"Route: <sip:c@192.0.2.3:5071;x=1>\r\n" CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"a transport that we have not", true, "Contact: <sip:c@192.0.2.3;transport=sctp>\r\n",
		"192.0.2.2:5060",
		"BYE sip:c@192.0.2.3;transport=sctp SIP/2.0\r\n" VIA CALLER_NAMES
		"CSeq: 11 BYE\r\n" TAIL},
	{"an address that we cannot reach", true, "Contact: <sip:c@[2001:db8::1]>\r\n",
		"192.0.2.2:5060",
		"BYE sip:c@[2001:db8::1] SIP/2.0\r\n" VIA CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"a name nobody knows", true, "Contact: <sip:c@nowhere.org>\r\n", "192.0.2.2:5060",
		"BYE sip:c@nowhere.org SIP/2.0\r\n" VIA CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"an address to go by", true,
		"Contact: <sip:c@nowhere.org;maddr=192.0.2.3;transport=udp>\r\n", "192.0.2.3:5060",
		"BYE sip:c@nowhere.org;maddr=192.0.2.3;transport=udp SIP/2.0\r\n" VIA CALLER_NAMES
		"CSeq: 11 BYE\r\n" TAIL},
	{"headers, which no request line has", true, "Contact: <sip:c@192.0.2.3?subject=x>\r\n",
		"192.0.2.3:5060",
		"BYE sip:c@192.0.2.3 SIP/2.0\r\n" VIA CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
	{"a strict router before the called", false,
		"Record-Route: <sip:192.0.2.7?x=y>, <sip:192.0.2.9;lr>\r\n", "192.0.2.7:5060",
		"BYE sip:192.0.2.7 SIP/2.0\r\n" VIA "Route: <sip:192.0.2.9;lr>\r\n"
		"Route: <sip:a@192.0.2.3:5070>\r\n" CALLED_NAMES "CSeq: 1 BYE\r\n" TAIL},
	{"strict routers alone", false, "Record-Route: <sip:192.0.2.7>, <sip:192.0.2.9>\r\n",
		"192.0.2.7:5060",
		"BYE sip:192.0.2.7 SIP/2.0\r\n" VIA "Route: <sip:192.0.2.9>\r\n"
		"Route: <sip:a@192.0.2.3:5070>\r\n" CALLED_NAMES "CSeq: 1 BYE\r\n" TAIL},
	{"a strict router behind a loose one", false,
		"Record-Route: <sip:192.0.2.7;lr=on>, <sip:192.0.2.9>\r\n", "192.0.2.7:5060",
		"BYE sip:a@192.0.2.3:5070 SIP/2.0\r\n" VIA "Route: <sip:192.0.2.7;lr=on>\r\n"
		"Route: <sip:192.0.2.9>\r\n" CALLED_NAMES "CSeq: 1 BYE\r\n" TAIL},
	{"lr of the header is not the router's", false, "Record-Route: <sip:192.0.2.7>;lr\r\n",
		"192.0.2.7:5060",
		"BYE sip:192.0.2.7 SIP/2.0\r\n" VIA "Route: <sip:a@192.0.2.3:5070>\r\n" CALLED_NAMES
		"CSeq: 1 BYE\r\n" TAIL},
	{"bad target", true, "Contact: <sip:>\r\n", NULL, NULL},
	{"no address at all", true, "Contact: *\r\n", NULL, NULL},
	{"number as target", true, "Contact: <tel:123>\r\n", NULL, NULL},
	{"bad route", true, CONTACT "Record-Route: <sip:>\r\n", NULL, NULL},
	{"no address as route", true, CONTACT "Record-Route: *\r\n", NULL, NULL},
	{"bad route of a caller", false, "Record-Route: <x\r\n", NULL, NULL},
};

static void run_row(const struct row *row, struct pair *pair)
{
	struct sip_dialog *dialog;
	const struct world_sent *sent;
	struct addr to;
	int err = make(&dialog, pair, row->caller, row->lines);

	if (err != (row->to ? 0 : -EPROTO))
		fail_msg("%s: %d", row->name, err);
	if (err)
		return;

	to = world_addr(row->to);
	world_run(&pair->world, 10 * NS_PER_MS);
	assert_int_equal(
		sip_dialog_send(NULL, dialog, SIP_BYE, slice_of("X-More: 1\r\n"), NULL, NULL), 0);
	sent = pair_sent(pair, "BYE", 0);
	assert_match(sent->text, row->bye);
	if (!addr_equal(&sent->to, &to) || !addr_equal(&sip_dialog_flow(dialog)->remote, &to))
		fail_msg("%s goes elsewhere", row->name);
	sip_dialog_free(dialog);
}

static void test_table(void **state)
{
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pair_open(&pair);
		run_row(&rows[i], &pair);
		pair_close(&pair);
	}
}

/* 64 routes are enough for anybody; one more is a broken message. */
/* By UDP: who is not where he believes to be is behind a NAT, and is called where he was seen. */
static void test_behind_nat(void **state)
{
	static const struct {
		const char *via, *contact, *more, *to;
	} natted[] = {
		{"10.0.0.1", "sip:a@10.0.0.1:5070", "", "192.0.2.2:5060"},
		{"10.0.0.1:5070", "sip:a@10.0.0.1", "", "192.0.2.2:5060"},
		{"10.0.0.1", "sip:a@192.0.2.3:5070", "", "192.0.2.3:5070"},
		{"192.0.2.2:9", "sip:a@192.0.2.2:5070", "", "192.0.2.2:5070"},
		{"phone.test", "sip:a@192.0.2.3:5070", "", "192.0.2.3:5070"},
		{"10.0.0.1", "sip:a@10.0.0.1:5070", "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKp\r\n",
			"10.0.0.1:5070"},
		{"10.0.0.1", "sip:a@10.0.0.1:5070", "Record-Route: <sip:192.0.2.9;lr>\r\n",
			"192.0.2.9:5060"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(natted) / sizeof(natted[0]); i++) {
		struct sip_dialog *dialog;
		struct sip_msg *request;
		struct sip_flow flow;
		struct pair pair;
		struct addr to = world_addr(natted[i].to);
		char text[1024];

		pair_open(&pair);
		flow = flow_of(&pair);
		snprintf(text, sizeof(text),
			"INVITE sip:b@192.0.2.1 SIP/2.0\r\n"
			"Via: SIP/2.0/UDP %s;branch=z9hG4bKd\r\n%sMax-Forwards: 70\r\n"
			"From: <sip:a@x>;tag=a\r\nTo: <sip:b@x>\r\nCall-ID: d\r\n"
			"CSeq: 10 INVITE\r\nContact: <%s>\r\nContent-Length: 0\r\n\r\n",
			natted[i].via, natted[i].more, natted[i].contact);
		request = parse(text);
		assert_int_equal(
			sip_dialog_from_request(&dialog, pair.a.stack, &flow, request, "local"), 0);
		if (!addr_equal(&sip_dialog_flow(dialog)->remote, &to))
			fail_msg("row %zu", i);
		sip_msg_free(request);
		sip_dialog_free(dialog);
		pair_close(&pair);
	}
}

static void test_many_routes(void **state)
{
	char lines[64 * 24 + 128];
	struct sip_dialog *dialog;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (int count = 64; count <= 65; count++) {
		struct text text = TEXT_IN(lines);

		text_puts(&text, "Record-Route: <sip:192.0.2.7;lr>");
		for (int i = 1; i < count; i++)
			text_puts(&text, ",<sip:192.0.2.8;lr>");
		text_puts(&text, "\r\n");
		assert_false(text.cut);
		assert_int_equal(make(&dialog, &pair, false, lines), count == 64 ? 0 : -EPROTO);
	}
	assert_int_equal(sip_dialog_send(NULL, dialog, SIP_BYE, (struct slice){0}, NULL, NULL), 0);
	assert_non_null(strstr(pair_sent(&pair, "BYE", 0)->text,
		"70\r\nRoute: <sip:192.0.2.7;lr>\r\nRoute: <sip:192.0.2.8;lr>\r\nRoute: "));
	sip_dialog_free(dialog);
	pair_close(&pair);
}

/* The name of the next hop is found later, or never if the dialog is gone. */
static void test_name(void **state)
{
	struct addr found = world_addr("192.0.2.3:5061");
	struct sip_dialog *dialog;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.world.name = "c.example.org";
	pair.world.name_addr[0] = world_addr("192.0.2.3");
	pair.world.name_addr_count = 1;
	for (int freed = 0; freed < 2; freed++) {
		assert_int_equal(
			make(&dialog, &pair, true, "Contact: <sip:c@c.example.org:5061>\r\n"), 0);
		if (freed) {
			assert_int_equal(pair.world.event_count, 1);
			break;
		}
		assert_false(addr_equal(&sip_dialog_flow(dialog)->remote, &found));
		world_run(&pair.world, 10 * NS_PER_MS);
		assert_true(addr_equal(&sip_dialog_flow(dialog)->remote, &found));
		sip_dialog_free(dialog);
	}
	sip_dialog_free(dialog);
	assert_int_equal(pair.world.event_count, 0);
	pair_close(&pair);
}

static int receive(struct sip_dialog *dialog, const char *from_tag, unsigned int cseq)
{
	char text[1024];
	struct sip_msg *msg;
	int err;

	snprintf(text, sizeof(text),
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKo\r\n"
		"From: <sip:b@192.0.2.2>;tag=%s\r\nTo: <sip:a@192.0.2.1>;tag=a\r\nCall-ID: d\r\n"
		"CSeq: %u OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		from_tag, cseq);
	msg = parse(text);
	err = sip_dialog_receive(dialog, msg);
	sip_msg_free(msg);
	return err;
}

/* Section 12.2.2. */
static void test_sequence(void **state)
{
	struct sip_dialog *dialog;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(make(&dialog, &pair, true, CONTACT), 0);
	assert_int_equal(receive(dialog, "x", 5), -ENOENT);
	assert_int_equal(receive(dialog, "B", 5), -ENOENT);
	assert_int_equal(receive(dialog, "b", 0), 0); /* any first number */
	assert_int_equal(receive(dialog, "b", 7), 0);
	assert_int_equal(receive(dialog, "x", 9), -ENOENT); /* changes nothing */
	assert_int_equal(receive(dialog, "b", 8), 0);
	assert_int_equal(receive(dialog, "b", 8), 0);
	assert_int_equal(receive(dialog, "b", 7), -ERANGE);
	assert_int_equal(receive(dialog, "b", 2147483647), 0);
	sip_dialog_free(dialog);

	assert_int_equal(make(&dialog, &pair, false, ""), 0);
	assert_true(slice_is(sip_dialog_remote_tag(dialog), "a"));
	assert_int_equal(receive(dialog, "a", 9), -ERANGE); /* the INVITE had 10 */
	assert_int_equal(receive(dialog, "a", 11), 0);
	sip_dialog_free(dialog);
	sip_dialog_free(NULL);
	pair_close(&pair);
}

/* Section 13.2.2.4: with the INVITE's CSeq number, and the next request one above it. */
static void test_ack(void **state)
{
	char room[2048];
	struct text text = TEXT_IN(room);
	struct sip_dialog *dialog;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(make(&dialog, &pair, true, CONTACT), 0);
	sip_dialog_print_ack(&text, dialog, sip_dialog_flow(dialog), 10, (struct slice){0},
		&(struct sip_body){0});
	assert_match(room,
		"ACK sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA CALLER_NAMES "CSeq: 10 ACK\r\n"
		"User-Agent: test\r\nContent-Length: 0\r\n\r\n");
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			sip_dialog_send(NULL, dialog, SIP_OPTIONS, (struct slice){0}, NULL, NULL),
			0);
	assert_non_null(strstr(pair_sent(&pair, "OPTIONS", 0)->text, "CSeq: 11 OPTIONS\r\n"));
	assert_non_null(strstr(pair_sent(&pair, "OPTIONS", 1)->text, "CSeq: 12 OPTIONS\r\n"));
	sip_dialog_free(dialog);
	pair_close(&pair);
}

/* Sections 12.2.1.2 and 12.2.2: the target moves, the route set does not. */
static void test_refresh(void **state)
{
	static const struct {
		const char *name, *lines, *moved;
		int err;
		const char *to, *bye;
	} cases[] = {
		{"no routes", "", "Contact: <sip:n@192.0.2.4:5080>\r\n", 0, "192.0.2.4:5080",
			"BYE sip:n@192.0.2.4:5080 SIP/2.0\r\n" VIA CALLER_NAMES
			"CSeq: 11 BYE\r\n" TAIL},
		{"loose", "Record-Route: <sip:192.0.2.7;lr>\r\n",
			"Contact: <sip:n@192.0.2.4>\r\nRecord-Route: <sip:192.0.2.8;lr>\r\n", 0,
			"192.0.2.7:5060",
			"BYE sip:n@192.0.2.4 SIP/2.0\r\n" VIA
			"Route: <sip:192.0.2.7;lr>\r\n" CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
		{"strict", "Record-Route: <sip:192.0.2.7>\r\n", "Contact: <sip:n@192.0.2.4>\r\n", 0,
			"192.0.2.7:5060",
			"BYE sip:192.0.2.7 SIP/2.0\r\n" VIA
			"Route: <sip:n@192.0.2.4>\r\n" CALLER_NAMES "CSeq: 11 BYE\r\n" TAIL},
		{"no Contact", "", "", 0, "192.0.2.3:5071",
			"BYE sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA CALLER_NAMES
			"CSeq: 11 BYE\r\n" TAIL},
		{"the same", "", CONTACT, 0, "192.0.2.3:5071",
			"BYE sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA CALLER_NAMES
			"CSeq: 11 BYE\r\n" TAIL},
		{"wildcard", "", "Contact: *\r\n", -EPROTO, "192.0.2.3:5071",
			"BYE sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA CALLER_NAMES
			"CSeq: 11 BYE\r\n" TAIL},
		{"number", "", "Contact: <tel:1>\r\n", -EPROTO, "192.0.2.3:5071",
			"BYE sip:c@192.0.2.3:5071;x=1 SIP/2.0\r\n" VIA CALLER_NAMES
			"CSeq: 11 BYE\r\n" TAIL},
	};
	char text[4096];
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr to = world_addr(cases[i].to);
		const struct world_sent *sent;
		struct sip_dialog *dialog;
		struct sip_msg *msg;

		pair_open(&pair);
		snprintf(text, sizeof(text), CONTACT "%s", cases[i].lines);
		assert_int_equal(make(&dialog, &pair, true, text), 0);
		snprintf(text, sizeof(text), response_text, cases[i].moved);
		msg = parse(text);
		assert_int_equal(sip_dialog_refresh(dialog, msg), cases[i].err);
		sip_msg_free(msg);
		assert_int_equal(sip_dialog_send(NULL, dialog, SIP_BYE, slice_of("X-More: 1\r\n"),
					 NULL, NULL),
			0);
		sent = pair_sent(&pair, "BYE", 0);
		assert_match(sent->text, cases[i].bye);
		if (!addr_equal(&sent->to, &to))
			fail_msg("%s goes elsewhere", cases[i].name);
		sip_dialog_free(dialog);
		pair_close(&pair);
	}
}

/* A name that is being looked up is of no interest any more when the target has moved on. */
static void test_refresh_while_looking_up(void **state)
{
	struct addr moved = world_addr("192.0.2.4:5080");
	struct sip_dialog *dialog;
	struct pair pair;
	struct sip_msg *msg;
	char text[4096];

	(void)state;
	pair_open(&pair);
	pair.world.name = "c.example.org";
	pair.world.name_addr[0] = world_addr("192.0.2.3");
	pair.world.name_addr_count = 1;
	assert_int_equal(make(&dialog, &pair, true, "Contact: <sip:c@c.example.org>\r\n"), 0);
	assert_int_equal(pair.world.event_count, 1);
	world_run(&pair.world, 10 * NS_PER_MS);
	snprintf(text, sizeof(text), response_text, "Contact: <sip:c@c.example.org>\r\n");
	msg = parse(text);
	assert_int_equal(sip_dialog_refresh(dialog, msg), 0); /* which is no news */
	sip_msg_free(msg);
	assert_int_equal(pair.world.event_count, 0);
	sip_dialog_free(dialog);

	assert_int_equal(make(&dialog, &pair, true, "Contact: <sip:c@c.example.org>\r\n"), 0);
	snprintf(text, sizeof(text), response_text, "Contact: <sip:n@192.0.2.4:5080>\r\n");
	msg = parse(text);
	assert_int_equal(sip_dialog_refresh(dialog, msg), 0);
	sip_msg_free(msg);
	world_run(&pair.world, 10 * NS_PER_MS);
	assert_true(addr_equal(&sip_dialog_flow(dialog)->remote, &moved));
	sip_dialog_free(dialog);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_behind_nat),
		cmocka_unit_test(test_many_routes),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_refresh_while_looking_up),
	};

	return cmocka_run_group_tests_name("sip/dialog", tests, NULL, NULL);
}
