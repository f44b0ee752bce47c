/*
 * core/ua/registration: under which address the registrar has us, behind a NAT and without, and
 * which one calls have: the public one, that of a flow (RFC 5626), or a GRUU (RFC 5627).
 */
#include "core/base/text.h"
#include "tests/unit/registrar_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static void open_trusted(struct stage *stage)
{
	stage_open(stage, "sip:192.0.2.3", NULL);
	stage_begin(stage);
}

/* Our Contact in calls by a flow to that place. */
static const char *contact_to(char room[static 128], struct stage *stage, const char *remote)
{
	const struct addr at = world_addr(remote);
	struct text text = text_in(room, 128);
	struct sip_flow flow;

	assert_int_equal(sip_stack_flow(&flow, stage->pair.a.stack, SIP_UDP, &at), 0);
	return registration_print_contact(&text, stage->registration, &flow, stage->anonymous)
		       ? room
		       : "-";
}

/* Behind a NAT: what the registrar sees takes the place of what we know. */
static void test_behind_nat(void **state)
{
	struct stage stage;
	char room[128];

	(void)state;
	open_trusted(&stage);
	stage.seen = AT_NAT;
	stage_respond(&stage, "401 No", "");
	stage_expect_log(
		&stage, "failed(401 the server asks for a password in a way that cannot be read) ");
	stage_begin(&stage);
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, ""); /* it is not of use yet */
	assert_int_equal(stage.c.count, 3);
	assert_non_null(strstr(stage.c.last, "CSeq: 3 REGISTER"));
	assert_non_null(strstr(
		stage.c.last, "\r\nContact: <" PUBLIC ">\r\nContact: " OURS ";expires=0\r\n"));
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "-");
	stage_respond(
		&stage, "200 OK", "Contact: " OURS ";expires=7, <" PUBLIC ">;expires=300\r\n");
	stage_expect_log(&stage, "ok(300 " PUBLIC ") ");
	assert_int_equal(stage.c.count, 3);
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), PUBLIC);
	assert_string_equal(contact_to(room, &stage, "192.0.2.9:5060"), "-"); /* not our server */

	stage_run_s(&stage, 220.3); /* refreshed as it stands */
	assert_int_equal(stage.c.count, 4);
	assert_non_null(strstr(stage.c.last, "\r\nContact: <" PUBLIC ">\r\n"));
	stage.seen = ";received=203.0.113.5;rport=6001"; /* the NAT has forgotten us */
	stage_respond(&stage, "200 OK", "");
	assert_non_null(strstr(stage.c.last, "\r\nContact: <sip:alice@203.0.113.5:6001>\r\n"
					     "Contact: <" PUBLIC ">;expires=0\r\n"));
	stage.seen = ";received=203.0.113.5;rport=6002"; /* it does so each time */
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, "ok(600 sip:alice@203.0.113.5:6001) ");
	assert_int_equal(stage.c.count, 5);
	registration_stop(stage.registration);
	stage_run_s(&stage, 0.02);
	assert_non_null(strstr(stage.c.last, "\r\nContact: <sip:alice@203.0.113.5:6001>\r\n"));
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, "gone ");
	stage_close(&stage);
}

/* What is no reason to say anything else, each in a new registration. */
static void test_no_nat(void **state)
{
	static const struct {
		const char *seen;
		bool own; /* as the account has it */
	} rows[] = {
		{NULL, false},
		{";received=192.0.2.1;rport=5060", false},
		{";received=192.0.2.1;rport", false},
		{";rport=5060", false},
		{";received=2001:db8::1;rport=5060", false},
		{";received=nonsense;rport=5060", false},
		{";received=0.0.0.0;rport=5060", false},
		{AT_NAT, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage stage;
		char room[128];

		stage_open(&stage, "sip:192.0.2.3", NULL);
		registration_free(stage.registration);
		stage.account.own_contact = rows[i].own;
		stage_make_registration(&stage);
		stage_begin(&stage);
		stage.seen = rows[i].seen;
		stage_respond(&stage, "200 OK", "");
		stage_expect_log(&stage, OK_LOG("600"));
		assert_int_equal(stage.c.count, 1);
		assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "-");
		stage_close(&stage);
	}
}

/* A registrar that wants no second Contact has us as before, and is not asked again. */
static void test_rewriting_is_refused(void **state)
{
	struct stage stage;

	(void)state;
	open_trusted(&stage);
	stage.seen = AT_NAT;
	stage_respond(&stage, "200 OK", "");
	stage_respond(&stage, "400 One at a time", "");
	assert_non_null(strstr(stage.c.last, "\r\nContact: " OURS "\r\n"));
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	stage_respond(&stage, "200 OK", "");
	stage_expect_log(&stage, OK_LOG("600"));
	assert_int_equal(stage.c.count, 4);
	stage_close(&stage);
}

/* RFC 5626, section 4.2, and RFC 5627. */
static void test_outbound(void **state)
{
	struct stage stage;
	char room[128];

	(void)state;
	stage_open_outbound(&stage);
	assert_non_null(strstr(stage.c.last,
		"\r\nContact: " OURS ";reg-id=1;+sip.instance=\"<" INSTANCE ">\"\r\n"));
	assert_non_null(strstr(stage.c.last, "\r\nSupported: path, outbound, gruu\r\n"));
	assert_non_null(strstr(stage.c.last, ";rport;keep\r\n"));
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	stage_expect_log(&stage, OK_LOG("600"));
	assert_string_equal(
		contact_to(room, &stage, "192.0.2.3:5060"), "sip:alice@192.0.2.1:5060;ob");
	assert_string_equal(contact_to(room, &stage, "192.0.2.9:5060"), "-");

	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	stage_respond(&stage, "200 OK",
		"Contact: <sip:alice@192.0.2.8>;+sip.instance=\"<urn:uuid:other>\""
		";pub-gruu=\"sip:wrong\";expires=9, "
		"<sip:proxy.test>;reg-id=1;+sip.instance=\"<URN:UUID:F81D4FAE-7DEC-11D0-A765-"
		"00A0C91E6BF6>\";pub-gruu=\"" GRUU "\";temp-gruu=\"sip:t@sip.test;gr\""
		";expires=450\r\n");
	stage_expect_log(&stage, OK_LOG("450"));
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), GRUU);
	stage.anonymous = true;
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "sip:t@sip.test;gr");
	stage.anonymous = false;
	assert_string_equal(contact_to(room, &stage, "192.0.2.9:5060"), "-");

	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	stage_respond(&stage, "200 OK", /* it grants nothing any more */
		"Contact: " OURS ";+sip.instance=\"<urn:uuid:other>\";pub-gruu=\"sip:wrong\"\r\n");
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "-");
	stage_close(&stage);
}

/* The registrar replaces what has the same instance and reg-id: nothing has to be taken back. */
static void test_outbound_behind_nat(void **state)
{
	struct stage stage;
	char room[128];

	(void)state;
	stage_open_outbound(&stage);
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	stage.seen = AT_NAT;
	registration_start(stage.registration);
	stage_run_s(&stage, 0.02);
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	assert_non_null(strstr(stage.c.last, "\r\nContact: <" PUBLIC ">;reg-id=1;+sip.instance=\""
					     "<" INSTANCE ">\"\r\n"));
	stage_respond(&stage, "200 OK", "Require: outbound\r\n");
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), PUBLIC ";ob");
	stage.anonymous = true;
	assert_string_equal(contact_to(room, &stage, "192.0.2.3:5060"), "sip:203.0.113.5:6000;ob");
	stage_close(&stage);
}

/* RFC 5626, section 11.6: 439, once. */
static void test_no_outbound_there(void **state)
{
	struct stage stage;

	(void)state;
	stage_open_outbound(&stage);
	stage_respond(&stage, "439 First Hop Lacks Outbound Support", "");
	assert_non_null(
		strstr(stage.c.last, "\r\nContact: " OURS ";+sip.instance=\"<" INSTANCE ">\"\r\n"));
	assert_non_null(strstr(stage.c.last, "\r\nSupported: path, gruu\r\n"));
	stage_respond(&stage, "439 Again", "");
	stage_expect_log(&stage, "failed(439) ");
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_behind_nat),
		cmocka_unit_test(test_no_nat),
		cmocka_unit_test(test_rewriting_is_refused),
		cmocka_unit_test(test_outbound),
		cmocka_unit_test(test_outbound_behind_nat),
		cmocka_unit_test(test_no_outbound_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
