/* core/sip/body: bodies alone and in multiparts, good ones, odd ones and broken ones. */
#include "core/base/text.h"
#include "core/sip/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD                                                                                       \
	"INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\n"                \
	"To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
#define SDP "Content-Type: application/sdp\r\n"
#define TEXT "Content-Type: text/plain\r\n"
#define MIXED "Content-Type: multipart/mixed;boundary=cut\r\n"
#define LONG_70 "0123456789012345678901234567890123456789012345678901234567890123456789"

/* Looked for is application/sdp; found NULL: it is not there. */
static const struct row {
	const char *name;
	const char *headers;
	const char *body;
	const char *found;
} rows[] = {
	{"alone", SDP, "v=0", "v=0"},
	{"nothing", SDP, "", NULL},
	{"no type", "", "v=0", NULL},
	{"another type", TEXT, "v=0", NULL},
	{"in capitals", "CONTENT-TYPE: APPLICATION/SDP\r\n", "v=0", "v=0"},
	{"compact", "c: application/sdp\r\n", "v=0", "v=0"},
	{"with a parameter", "c: application/sdp;charset=\"x\"\r\n", "v=0", "v=0"},
	{"with spaces", "c: application / sdp ; a = b\r\n", "v=0", "v=0"},
	{"folded", "c: application/sdp;\r\n a=b\r\n", "v=0", "v=0"},
	{"one that begins alike", "c: application/sdpx\r\n", "v=0", NULL},
	{"one that ends alike", "c: xapplication/sdp\r\n", "v=0", NULL},
	{"half of it", "c: application\r\n", "v=0", NULL},
	{"two words", "c: application/sdp x\r\n", "v=0", NULL},
	{"empty type", "c:\r\n", "v=0", NULL},
	{"gzip", SDP "Content-Encoding: gzip\r\n", "v=0", NULL},
	{"compact gzip", SDP "e: gzip\r\n", "v=0", NULL},
	{"identity", SDP "e: Identity\r\n", "v=0", "v=0"},
	{"session", SDP "Content-Disposition: Session;handling=required\r\n", "v=0", "v=0"},
	{"early session", SDP "Content-Disposition: early-session\r\n", "v=0", NULL},

	{"one part", MIXED, "--cut\r\n" SDP "\r\nv=0\r\n--cut--\r\n", "v=0"},
	{"its own line end", MIXED, "--cut\r\n" SDP "\r\nv=0\r\n\r\n--cut--", "v=0\r\n"},
	{"LF alone", MIXED, "--cut\n" SDP "\nv=0\n--cut--\n", "v=0"},
	{"the second", MIXED, "--cut\r\n" TEXT "\r\nhi\r\n--cut\r\n" SDP "\r\nv=0\r\n--cut--",
		"v=0"},
	{"the first of two", MIXED, "--cut\r\n" SDP "\r\nv=0\r\n--cut\r\n" SDP "\r\nv=1\r\n--cut--",
		"v=0"},
	{"preamble and epilogue", MIXED,
		"before\r\n" SDP "\r\nv=9\r\n--cut\r\n" SDP "\r\nv=0\r\n--cut--\r\n--cut\r\n" SDP
		"\r\nv=8",
		"v=0"},
	{"only an epilogue", MIXED, "--cut--\r\n--cut\r\n" SDP "\r\nv=8", NULL},
	{"no end", MIXED, "--cut\r\n" SDP "\r\nv=0\r\n", "v=0\r\n"},
	{"no part", MIXED, SDP "\r\nv=0\r\n", NULL},
	{"empty part", MIXED, "--cut\r\n" SDP "\r\n\r\n--cut--", ""},
	{"part without empty line", MIXED, "--cut\r\n" SDP "--cut--", ""},
	{"part without headers", MIXED, "--cut\r\n\r\nv=0\r\n--cut--", NULL},
	{"nothing in a part", MIXED, "--cut\r\n--cut\r\n" SDP "\r\nv=0\r\n--cut--", "v=0"},
	{"spaces after the boundary", MIXED, "--cut \t\r\n" SDP "\r\nv=0\r\n--cut-- \r\n", "v=0"},
	{"boundary that begins alike", MIXED,
		"--cut\r\n" SDP "\r\nv=0\r\n--cutter\r\n--cut-\r\n--cut--",
		"v=0\r\n--cutter\r\n--cut-"},
	{"boundary within a line", MIXED, "--cut\r\n" SDP "\r\nv=0 --cut\r\n--cut--", "v=0 --cut"},
	{"boundary cut short", MIXED, "--cut\r\n" SDP "\r\nv=0\r\n--cu", "v=0\r\n--cu"},
	{"quoted boundary", "c: multipart/mixed; boundary=\"a, b;c\"\r\n",
		"--a, b;c\r\n" SDP "\r\nv=0\r\n--a, b;c--", "v=0"},
	{"escapes in a boundary", "c: multipart/mixed;boundary=\"a\\\"\\\\b\"\r\n",
		"--a\"\\b\r\n" SDP "\r\nv=0\r\n--a\"\\b--", "v=0"},
	{"boundary after others", "c: multipart/mixed;x=\"boundary=no\";BOUNDARY = cut\r\n",
		"--cut\r\n" SDP "\r\nv=0\r\n--cut--", "v=0"},
	{"other subtype", "c: Multipart/Alternative;boundary=cut\r\n",
		"--cut\r\n" SDP "\r\nv=0\r\n--cut--", "v=0"},
	{"boundary of 70", "c: multipart/mixed;boundary=" LONG_70 "\r\n",
		"--" LONG_70 "\r\n" SDP "\r\nv=0\r\n--" LONG_70 "--", "v=0"},
	{"boundary of 71", "c: multipart/mixed;boundary=" LONG_70 "0\r\n",
		"--" LONG_70 "0\r\n" SDP "\r\nv=0\r\n--" LONG_70 "0--", NULL},
	{"empty boundary", "c: multipart/mixed;boundary=\"\"\r\n", "--\r\n" SDP "\r\nv=0\r\n----",
		NULL},
	{"boundary without value", "c: multipart/mixed;boundary\r\n",
		"--\r\n" SDP "\r\nv=0\r\n----", NULL},
	{"no boundary", "c: multipart/mixed\r\n", "--\r\n" SDP "\r\nv=0\r\n----", NULL},
	{"broken boundary", "c: multipart/mixed;boundary=\"cut\r\n",
		"--cut\r\n" SDP "\r\nv=0\r\n--cut--", NULL},
	{"no multipart", "c: text/plain;boundary=cut\r\n", "--cut\r\n" SDP "\r\nv=0\r\n--cut--",
		NULL},

	{"compact in a part", MIXED, "--cut\r\nC : application/sdp\r\n\r\nv=0\r\n--cut--", "v=0"},
	{"folded in a part", MIXED,
		"--cut\r\nX: y\r\nContent-Type:\r\n\tapplication/sdp;\r\n a=b\r\nX: "
		"y\r\n\r\nv=0\r\n"
		"--cut--",
		"v=0"},
	{"binary", MIXED, "--cut\r\n" SDP "Content-Transfer-Encoding: Binary\r\n\r\nv=0\r\n--cut--",
		"v=0"},
	{"folded 8bit", MIXED,
		"--cut\r\n" SDP "Content-Transfer-Encoding:\r\n 8bit\r\n\r\nv=0\r\n--cut--", "v=0"},
	{"7bit", MIXED, "--cut\r\n" SDP "Content-Transfer-Encoding:7BIT\r\n\r\nv=0\r\n--cut--",
		"v=0"},
	{"base64", MIXED,
		"--cut\r\n" SDP "Content-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--cut--", NULL},
	{"gzip in a part", MIXED, "--cut\r\n" SDP "Content-Encoding: gzip\r\n\r\nv=0\r\n--cut--",
		NULL},
	{"base64, then plain", MIXED,
		"--cut\r\n" SDP "Content-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--cut\r\n" SDP
		"\r\nv=0\r\n--cut--",
		"v=0"},
	{"early session, then session", MIXED,
		"--cut\r\n" SDP "Content-Disposition: early-session\r\n\r\nv=9\r\n--cut\r\n" SDP
		"Content-Disposition: session\r\n\r\nv=0\r\n--cut--",
		"v=0"},
	{"early session, then a part that says nothing of it", MIXED,
		"--cut\r\n" SDP "Content-Disposition: early-session\r\n\r\nv=9\r\n--cut\r\n" SDP
		"\r\nv=0\r\n--cut--",
		"v=0"},
	{"line without colon", MIXED, "--cut\r\nnothing\r\n: x\r\n" SDP "\r\nv=0\r\n--cut--",
		"v=0"},
};

static struct sip_msg *message(const char *headers, const char *body)
{
	static char room[SIP_MESSAGE_MAX];
	struct text text = TEXT_IN(room);
	struct sip_msg *msg = NULL;

	text_printf(&text, HEAD "%s\r\n%s", headers, body);
	assert_false(text.cut);
	assert_int_equal(sip_msg_parse(&msg, text_slice(&text)), 0);
	assert_int_equal(msg->fault_status, 0);
	return msg;
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sip_msg *msg = message(rows[i].headers, rows[i].body);
		struct slice found = slice_of("untouched");
		bool is = sip_body_find(&found, msg, "application/sdp");

		if (is != (rows[i].found != NULL) ||
			!slice_is(found, is ? rows[i].found : "untouched"))
			fail_msg("%s: %d '%.*s'", rows[i].name, is, (int)found.len,
				(const char *)found.data);
		sip_msg_free(msg);
	}
}

/* A part without a type is text (RFC 2046, section 5.1); a multipart itself may be looked for. */
static void test_types(void **state)
{
	struct sip_msg *msg = message(MIXED, "--cut\r\n\r\nhi\r\n--cut--");
	struct slice found;

	(void)state;
	assert_true(sip_body_find(&found, msg, "text/plain"));
	assert_true(slice_is(found, "hi"));
	assert_true(sip_body_find(&found, msg, "multipart/mixed"));
	assert_true(slice_is(found, "--cut\r\n\r\nhi\r\n--cut--"));
	sip_msg_free(msg);
}

/* Multiparts within multiparts, each with a boundary of its own: "b1" in "b0" and so on. */
static void nest(struct text *body, int depth)
{
	for (int i = 0; i < depth; i++)
		text_printf(body,
			"--b%d\r\nContent-Type: multipart/related;\r\n boundary=\"b%d\"\r\n\r\n", i,
			i + 1);
	text_printf(body, "--b%d\r\n" SDP "\r\nv=0\r\n", depth);
	for (int i = depth; i >= 0; i--)
		text_printf(body, "--b%d--\r\n", i);
}

static void test_depth(void **state)
{
	(void)state;
	for (int depth = 0; depth < 6; depth++) {
		char room[2000];
		struct text body = TEXT_IN(room);
		struct sip_msg *msg;
		struct slice found;

		nest(&body, depth);
		msg = message("c: multipart/mixed;boundary=b0\r\n", room);
		assert_int_equal(sip_body_find(&found, msg, "application/sdp"), depth < 4);
		if (depth < 4)
			assert_true(slice_is(found, "v=0"));
		sip_msg_free(msg);
	}
}

/* The first is not it: the search goes on behind the inner multipart. */
static void test_after_an_inner_one(void **state)
{
	struct sip_msg *msg = message(MIXED,
		"--cut\r\nContent-Type: multipart/mixed;boundary=in\r\n\r\n--in\r\n" TEXT
		"\r\nhi\r\n--in--\r\n--cut\r\n" SDP "\r\nv=0\r\n--cut--");
	struct slice found;

	(void)state;
	assert_true(sip_body_find(&found, msg, "application/sdp"));
	assert_true(slice_is(found, "v=0"));
	sip_msg_free(msg);
}

/* A type of 512 bytes is understood, a longer one is none that is known. */
static void test_long_type(void **state)
{
	static const char start[] = "application/sdp;a=";

	(void)state;
	for (int len = 511; len <= 513; len++) {
		char room[1000], value[600] = "";
		struct text body = TEXT_IN(room);
		struct sip_msg *msg;
		struct slice found;

		memset(value, 'x', (size_t)len - strlen(start));
		text_printf(
			&body, "--cut\r\nContent-Type:%s%s\r\n\r\nv=0\r\n--cut--", start, value);
		msg = message(MIXED, room);
		assert_int_equal(sip_body_find(&found, msg, "application/sdp"), len <= 512);
		sip_msg_free(msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_after_an_inner_one),
		cmocka_unit_test(test_long_type),
	};

	return cmocka_run_group_tests_name("sip/body", tests, NULL, NULL);
}
