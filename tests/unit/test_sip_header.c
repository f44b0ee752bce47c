/* core/sip/msg: headers found by name, lists, values of Via, From and their like, names, phrases.
 */
#include "core/base/text.h"
#include "core/sip/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD                                                                                       \
	"INVITE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bKx\r\n"               \
	"From: <sip:alice@a>;tag=1\r\nTo: <sip:bob@h>\r\nCall-ID: c@a\r\nCSeq: 1 INVITE\r\n"

static struct sip_msg *parsed(const char *text)
{
	struct sip_msg *msg = NULL;

	if (sip_msg_parse(&msg, slice_of(text)))
		fail_msg("not parsed: %s", text);
	return msg;
}

static void check_slice(const char *name, struct slice got, const char *wanted)
{
	if (!slice_is(got, wanted))
		fail_msg(
			"%s: '%.*s', not '%s'", name, (int)got.len, (const char *)got.data, wanted);
}

static void test_headers(void **state)
{
	struct sip_msg *msg = parsed(
		HEAD "k: a, b\r\nSUPPORTED: c\r\nX-One: 1\r\nx-one: 2\r\no: presence\r\nAccept:\r\n"
		     "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nRequire: , 100rel ,,\r\n"
		     "r: <sip:x@y>\r\n\r\n");
	struct sip_cursor cursor = {0};
	struct slice value;

	(void)state;
	check_slice("first", *sip_msg_header(msg, SIP_SUPPORTED), "a, b");
	assert_null(sip_msg_header(msg, SIP_ROUTE));
	check_slice("named", *sip_msg_header_named(msg, "X-ONE"), "1");
	check_slice("known", *sip_msg_header_named(msg, "supported"), "a, b");
	check_slice("compact", *sip_msg_header_named(msg, "Event"), "presence");
	check_slice("compact", *sip_msg_header_named(msg, "refer-to"), "<sip:x@y>");
	assert_null(sip_msg_header_named(msg, "X-On"));
	assert_null(sip_msg_header_named(msg, "Route"));

	assert_true(sip_msg_has_token(msg, SIP_SUPPORTED, "B"));
	assert_true(sip_msg_has_token(msg, SIP_SUPPORTED, "c"));
	assert_false(sip_msg_has_token(msg, SIP_SUPPORTED, "d"));
	assert_false(sip_msg_has_token(msg, SIP_SUPPORTED, ""));
	assert_true(sip_msg_has_token(msg, SIP_REQUIRE, "100rel"));
	assert_false(sip_msg_has_token(msg, SIP_ACCEPT, "a"));

	assert_true(sip_msg_next(&value, &cursor, msg, SIP_WWW_AUTHENTICATE));
	check_slice("no list", value, "Digest realm=\"a\", nonce=\"b\"");
	assert_false(sip_msg_next(&value, &cursor, msg, SIP_WWW_AUTHENTICATE));
	sip_msg_free(msg);
}

/* A bar ends each value. */
static void test_lists(void **state)
{
	static const struct {
		const char *lines, *values;
	} lists[] = {
		{"", ""},
		{"Contact: a\r\n", "a|"},
		{"Contact: a,b\r\n", "a|b|"},
		{"Contact: a , b\r\nX: y\r\nm: c\r\n", "a|b|c|"},
		{"Contact: ,,a,,\r\nContact:\r\nContact: , b\r\n", "a|b|"},
		{"Contact: \"x, \\\", y\" <a>, b\r\n", "\"x, \\\", y\" <a>|b|"},
		{"Contact: <sip:a,b;c=\"d>, e\r\n", "<sip:a,b;c=\"d>|e|"},
		{"Contact: a (b, (c, \\), d), e), f\r\n", "a (b, (c, \\), d), e)|f|"},
		{"Contact: a;b=\"c, d\", e\r\n", "a;b=\"c, d\"|e|"},
		{"Contact: \"a, b\r\n", "\"a, b|"},
		{"Contact: \"a, b\\\r\n", "\"a, b\\|"},
		{"Contact: <a, b\r\n", "<a, b|"},
		{"Contact: (a, b\r\n", "(a, b|"},
		{"Contact: (a, b\\\r\n", "(a, b\\|"},
		{"Contact: a>, b), c\r\n", "a>|b)|c|"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		char room[500], got[100];
		struct text text = TEXT_IN(room);
		struct text values = TEXT_IN(got);
		struct sip_cursor cursor = {0};
		struct sip_msg *msg;
		struct slice value;

		text_printf(&text, HEAD "%s\r\n", lists[i].lines);
		msg = parsed(room);
		while (sip_msg_next(&value, &cursor, msg, SIP_CONTACT)) {
			text_put(&values, value);
			text_putc(&values, '|');
		}
		assert_false(sip_msg_next(&value, &cursor, msg, SIP_CONTACT));
		assert_string_equal(got, lists[i].values);
		sip_msg_free(msg);
	}
}

static const struct via_row {
	const char *text, *transport, *host; /* transport NULL: refused */
	int port;
	const char *branch, *received;
	int rport; /* -1: none */
} vias[] = {
	{"SIP/2.0/UDP h", "UDP", "h", 0, "", "", -1},
	{"sip/2.0/tls h", "tls", "h", 0, "", "", -1},
	{"SIP/2.0/X-Y h:1", "X-Y", "h", 1, "", "", -1},
	{" SIP / 2.0 / UDP\th : 5060 ; branch = z9", "UDP", "h", 5060, "z9", "", -1},
	{"SIP/2.0/UDP [::1]", "UDP", "::1", 0, "", "", -1},
	{"SIP/2.0/UDP [2001:db8::9:1]:5070;branch=b", "UDP", "2001:db8::9:1", 5070, "b", "", -1},
	{"SIP/2.0/UDP h;received=192.0.2.1;BRANCH=b", "UDP", "h", 0, "b", "192.0.2.1", -1},
	{"SIP/2.0/UDP h;received=2001:db8::1", "UDP", "h", 0, "", "2001:db8::1", -1},
	{"SIP/2.0/UDP h;received=[2001:db8::1]", "UDP", "h", 0, "", "2001:db8::1", -1},
	{"SIP/2.0/UDP h;rport", "UDP", "h", 0, "", "", 0},
	{"SIP/2.0/UDP h;rport=", "UDP", "h", 0, "", "", 0},
	{"SIP/2.0/UDP h;rport=65535", "UDP", "h", 0, "", "", 65535},
	{"SIP/2.0/UDP h;x=\"a;rport\";y", "UDP", "h", 0, "", "", -1},
	{"SIP/2.0/UDP h;;branch=b;", "UDP", "h", 0, "b", "", -1},
	{"SIP/2.0/UDP h;branch=", "UDP", "h", 0, "", "", -1},
	{"SIP/7.0/UDP h", "UDP", "h", 0, "", "", -1},
	{"", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP ", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP//UDP h", NULL, NULL, 0, NULL, NULL, 0},
	{"HTTP/1.1/UDP h", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP;h", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP[::1]", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP [::1", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP ::1", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP ;branch=x", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP :5060", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h:", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h:0", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h:65536", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h i", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h branch=x", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;a b", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;=b", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;a=\"b", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;a=\"b\"c", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;rport=x", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;rport=65536", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;rport;rport", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;branch=a;branch=a", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;branch;branch=a", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h;received=a;received=a", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP h, SIP/2.0/UDP i", NULL, NULL, 0, NULL, NULL, 0},
	{"SIP/2.0/UDP 1.2.3", NULL, NULL, 0, NULL, NULL, 0},
};

static void test_via(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vias); i++) {
		const struct via_row *row = &vias[i];
		struct sip_via via = {.port = 7};
		int err = sip_via_parse(&via, slice_of(row->text));

		if (err != (row->transport ? 0 : -EPROTO))
			fail_msg("%s: got %d", row->text, err);
		if (err) {
			assert_int_equal(via.port, 7);
			continue;
		}
		check_slice(row->text, via.transport, row->transport);
		check_slice(row->text, via.host, row->host);
		check_slice(row->text, via.branch, row->branch);
		check_slice(row->text, via.received, row->received);
		assert_int_equal(via.port, row->port);
		if (via.has_rport != (row->rport >= 0) ||
			via.rport != (row->rport > 0 ? row->rport : 0))
			fail_msg("%s: rport %d, %u", row->text, via.has_rport, via.rport);
	}
}

static const struct name_row {
	const char *text, *uri, *display, *params, *tag; /* uri NULL: refused */
} names[] = {
	{"sip:a@b", "sip:a@b", "", "", ""},
	{"sip:a@b;tag=1", "sip:a@b", "", ";tag=1", "1"},
	{"sip:a@b ; tag = 1 ", "sip:a@b", "", "; tag = 1", "1"},
	{"<sip:a@b;x=y>;TAG=1;z", "sip:a@b;x=y", "", ";TAG=1;z", "1"},
	{"<sip:a@b?c=d,e>", "sip:a@b?c=d,e", "", "", ""},
	{"Bob <sip:a@b>", "sip:a@b", "Bob", "", ""},
	{"caller<sip:a@b>", "sip:a@b", "caller", "", ""},
	{"  Bob  von  X\t<sip:a@b> ", "sip:a@b", "Bob  von  X", "", ""},
	{"J. R. (x) <sip:a@b>", "sip:a@b", "J. R. (x)", "", ""},
	{"B\xc3\xb6"
	 "b <sip:a@b>",
		"sip:a@b",
		"B\xc3\xb6"
		"b",
		"", ""},
	{"\"Bob\" <sip:a@b>", "sip:a@b", "Bob", "", ""},
	{"\"Bob\"<sip:a@b>", "sip:a@b", "Bob", "", ""},
	{"\"\" <sip:a@b>", "sip:a@b", "", "", ""},
	{"\"a \\\" <b>, \\\\\" <sip:a@b>", "sip:a@b", "a \\\" <b>, \\\\", "", ""},
	{"<tel:+1>", "tel:+1", "", "", ""},
	{"isbn:2983792873", "isbn:2983792873", "", "", ""},
	{"<name:John_Smith>", "name:John_Smith", "", "", ""},
	{"<sip:a@[::1]:5>;x=\"y;tag=2\";tag=3", "sip:a@[::1]:5", "", ";x=\"y;tag=2\";tag=3", "3"},
	{"<sip:a@b>;tag", "sip:a@b", "", ";tag", ""},
	{"<sip:a@b>;expires=3600;+sip.instance=\"<urn:x>\";q=0.5", "sip:a@b", "",
		";expires=3600;+sip.instance=\"<urn:x>\";q=0.5", ""},
	{"", NULL, NULL, NULL, NULL},
	{"<>", NULL, NULL, NULL, NULL},
	{"<", NULL, NULL, NULL, NULL},
	{"<sip:a@b", NULL, NULL, NULL, NULL},
	{"sip:a@b>", NULL, NULL, NULL, NULL},
	{"\"", NULL, NULL, NULL, NULL},
	{"\"\\", NULL, NULL, NULL, NULL},
	{"\"Bob\\\"", NULL, NULL, NULL, NULL},
	{"\"Bob <sip:a@b>", NULL, NULL, NULL, NULL},
	{"\"Bob\"", NULL, NULL, NULL, NULL},
	{"\"Bob\" sip:a@b", NULL, NULL, NULL, NULL},
	{"\"Bob\" x <sip:a@b>", NULL, NULL, NULL, NULL},
	{"Bob", NULL, NULL, NULL, NULL},
	{"Bell, A <sip:a@b>", NULL, NULL, NULL, NULL},
	{"Bob: <sip:a@b>", NULL, NULL, NULL, NULL},
	{"< sip:a@b>", NULL, NULL, NULL, NULL},
	{"<sip:a@b >", NULL, NULL, NULL, NULL},
	{"<sip:a@b> x", NULL, NULL, NULL, NULL},
	{"<sip:a@b>, <sip:c@d>", NULL, NULL, NULL, NULL},
	{"<sip:a@b>;tag=1, <sip:c@d>", NULL, NULL, NULL, NULL},
	{"<sip:a@b>;tag=1;tag=1", NULL, NULL, NULL, NULL},
	{"<sip:a@b>;tag=\"1", NULL, NULL, NULL, NULL},
	{"<sip:a@b>;a b", NULL, NULL, NULL, NULL},
	{"sip:a@b x", NULL, NULL, NULL, NULL},
	{"sip:a@b?c=d", NULL, NULL, NULL, NULL},
	{"sip:a,c@b", NULL, NULL, NULL, NULL},
	{"**", NULL, NULL, NULL, NULL},
};

static void test_name_addr(void **state)
{
	struct sip_name_addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct name_row *row = &names[i];
		size_t len = strlen(row->text);
		uint8_t *copy = malloc(len); /* no byte longer than it is */
		int err;

		memcpy(copy, row->text, len);
		addr = (struct sip_name_addr){.wildcard = true};
		err = sip_name_addr_parse(&addr, (struct slice){copy, len});
		if (err != (row->uri ? 0 : -EPROTO))
			fail_msg("%s: got %d", row->text, err);
		assert_int_equal(addr.wildcard, err != 0);
		if (!err) {
			check_slice(row->text, addr.uri_text, row->uri);
			check_slice(row->text, addr.display, row->display);
			check_slice(row->text, addr.params, row->params);
			check_slice(row->text, addr.tag, row->tag);
		}
		free(copy);
	}

	assert_int_equal(sip_name_addr_parse(&addr, slice_of(" * ")), 0);
	assert_true(addr.wildcard);
	assert_int_equal(addr.uri_text.len, 0);
}

static void test_names(void **state)
{
	/* in the slot of To, and the same up to that one's end and beyond */
	static const char long_name[34] = {'T', 'o', [33] = 'o'};
	static const struct {
		const char *name;
		enum sip_header_name id;
	} compact[] = {{"i", SIP_CALL_ID}, {"m", SIP_CONTACT}, {"e", SIP_CONTENT_ENCODING},
		{"l", SIP_CONTENT_LENGTH}, {"c", SIP_CONTENT_TYPE}, {"f", SIP_FROM},
		{"s", SIP_SUBJECT}, {"k", SIP_SUPPORTED}, {"t", SIP_TO}, {"v", SIP_VIA},
		{"T", SIP_TO}, {"z", SIP_HEADER_OTHER}, {"", SIP_HEADER_OTHER},
		{"fr", SIP_HEADER_OTHER}, {"Fr0m", SIP_HEADER_OTHER}, {"Contacu", SIP_HEADER_OTHER},
		{"Call_ID", SIP_HEADER_OTHER}, {"Call\rID", SIP_HEADER_OTHER},
		{"To ", SIP_HEADER_OTHER}};

	(void)state;
	for (int i = 0; i < SIP_METHOD_OTHER; i++) {
		const char *name = sip_method_name((enum sip_method)i);

		assert_int_equal(sip_method_find(slice_of(name)), i);
		assert_int_equal(
			sip_method_find((struct slice){(const uint8_t *)name, strlen(name) - 1}),
			SIP_METHOD_OTHER);
	}
	assert_string_equal(sip_method_name(SIP_METHOD_OTHER), "");
	assert_int_equal(sip_method_find(slice_of("invite")), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_find((struct slice){NULL, 0}), SIP_METHOD_OTHER);

	for (int i = 0; i < SIP_HEADER_OTHER; i++) {
		const char *name = sip_header_canonical((enum sip_header_name)i);
		char turned[40] = "";

		for (size_t c = 0; name[c]; c++)
			turned[c] = (char)(name[c] == '-' ? '-' : name[c] ^ 0x20);
		assert_int_equal(sip_header_find(slice_of(name)), i);
		assert_int_equal(sip_header_find(slice_of(turned)), i);
	}
	assert_int_equal(sip_header_find((struct slice){NULL, 0}), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_find(slice_of("Reject")), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_find(slice_of("Advent")), SIP_HEADER_OTHER);
	assert_int_equal(
		sip_header_find((struct slice){(const uint8_t *)long_name, sizeof(long_name)}),
		SIP_HEADER_OTHER);
	for (size_t i = 0; i < COUNT(compact); i++)
		assert_int_equal(sip_header_find(slice_of(compact[i].name)), compact[i].id);
}

static void test_reasons(void **state)
{
	static const struct {
		uint16_t status;
		const char *reason;
	} reasons[] = {{100, "Trying"}, {180, "Ringing"}, {183, "Session Progress"}, {200, "OK"},
		{302, "Moved Temporarily"}, {400, "Bad Request"},
		{481, "Call/Transaction Does Not Exist"}, {486, "Busy Here"},
		{487, "Request Terminated"}, {503, "Service Unavailable"}, {603, "Decline"},
		{606, "Not Acceptable"}, {199, "Provisional"}, {299, "Success"},
		{399, "Redirection"}, {499, "Client Error"}, {599, "Server Error"},
		{699, "Global Failure"}, {99, ""}, {700, ""}, {65535, ""}};

	(void)state;
	for (size_t i = 0; i < COUNT(reasons); i++)
		assert_string_equal(sip_reason(reasons[i].status), reasons[i].reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_via),
		cmocka_unit_test(test_name_addr),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests_name("sip/header", tests, NULL, NULL);
}
