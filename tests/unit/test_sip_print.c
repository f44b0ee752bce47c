/* core/sip/print: the bytes of each piece, and what fits in no room. */
#include "core/sip/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define REST "From: <sip:a@b>;tag=1\r\nTo: sip:c@d\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n"

static char room[1000];

static struct sip_msg *parsed(const char *vias)
{
	struct sip_msg *msg = NULL;
	char bytes[600];
	struct text text = TEXT_IN(bytes);

	text_printf(&text, "BYE sip:h SIP/2.0\r\n%s" REST, vias);
	assert_false(text.cut);
	assert_int_equal(sip_msg_parse(&msg, text_slice(&text)), 0);
	return msg;
}

static void test_start_lines(void **state)
{
	struct text out = TEXT_IN(room);

	(void)state;
	sip_print_request_line(&out, SIP_INVITE, slice_of("sip:bob@example.org"));
	sip_print_status_line(&out, 180, NULL);
	sip_print_status_line(&out, 400, "Missing To header");
	sip_print_status_line(&out, 499, NULL);
	assert_string_equal(room, "INVITE sip:bob@example.org SIP/2.0\r\n"
				  "SIP/2.0 180 Ringing\r\n"
				  "SIP/2.0 400 Missing To header\r\n"
				  "SIP/2.0 499 Client Error\r\n");
}

static void test_headers(void **state)
{
	struct sip_msg *msg = parsed("v: SIP/2.0/UDP a\r\nroute: <sip:x>, <sip:y>\r\n"
				     "Route: <sip:z>\r\n");
	struct text out = TEXT_IN(room);

	(void)state;
	sip_print_header(&out, SIP_CALL_ID, slice_of("a%s"));
	sip_print_header_text(&out, SIP_CSEQ, "%u %s", 7, "BYE");
	sip_print_copies(&out, msg, SIP_ROUTE);
	sip_print_copies(&out, msg, SIP_VIA);
	sip_print_copies(&out, msg, SIP_CONTACT);
	assert_string_equal(room, "Call-ID: a%s\r\nCSeq: 7 BYE\r\n"
				  "Route: <sip:x>, <sip:y>\r\nRoute: <sip:z>\r\n"
				  "Via: SIP/2.0/UDP a\r\n");
	sip_msg_free(msg);
}

/* The source is 192.0.2.1, port 5061, or [2001:db8::1]:5061. */
static const struct {
	const char *vias, *printed;
	bool ipv6;
} rows[] = {
	{"Via: SIP/2.0/UDP 192.0.2.1;branch=z\r\n", "Via: SIP/2.0/UDP 192.0.2.1;branch=z\r\n",
		false},
	{"Via: SIP/2.0/UDP 192.0.2.1:5061\r\n", "Via: SIP/2.0/UDP 192.0.2.1:5061\r\n", false},
	{"Via: SIP/2.0/UDP 192.0.2.2;branch=z\r\n",
		"Via: SIP/2.0/UDP 192.0.2.2;branch=z;received=192.0.2.1\r\n", false},
	{"Via: SIP/2.0/UDP a.example:7\r\n", "Via: SIP/2.0/UDP a.example:7;received=192.0.2.1\r\n",
		false},
	{"Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z\r\n",
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z;rport=5061;received=192.0.2.1\r\n", false},
	{"Via: SIP/2.0/UDP h;rport=9;received=10.0.0.1;x=\"y;z\";lone\r\n",
		"Via: SIP/2.0/UDP h;x=\"y;z\";lone;rport=5061;received=192.0.2.1\r\n", false},
	{"Via: SIP/2.0/UDP 192.0.2.1;received=10.0.0.1\r\n", "Via: SIP/2.0/UDP 192.0.2.1\r\n",
		false},
	{"v: SIP / 2.0 / UDP h ; branch = z\r\n",
		"Via: SIP / 2.0 / UDP h;branch=z;received=192.0.2.1\r\n", false},
	{"Via: SIP/2.0/UDP [2001:db8:0::1];rport\r\n",
		"Via: SIP/2.0/UDP [2001:db8:0::1];rport=5061;received=2001:db8::1\r\n", true},
	{"Via: SIP/2.0/UDP [2001:db8:0::1]\r\n", "Via: SIP/2.0/UDP [2001:db8:0::1]\r\n", true},
	{"Via: SIP/2.0/UDP h;a=1 , SIP/2.0/UDP i;rport, SIP/2.0/UDP j\r\nVia: SIP/2.0/TCP "
	 "k;received=1\r\n",
		"Via: SIP/2.0/UDP h;a=1;received=192.0.2.1\r\n"
		"Via: SIP/2.0/UDP i;rport, SIP/2.0/UDP j\r\nVia: SIP/2.0/TCP k;received=1\r\n",
		false},
	{"X: y\r\nVia: SIP/2.0/UDP h\r\nSubject: z\r\nVia: SIP/2.0/UDP i\r\n",
		"Via: SIP/2.0/UDP h;received=192.0.2.1\r\nVia: SIP/2.0/UDP i\r\n", false},
};

static void test_vias(void **state)
{
	struct addr sources[2];

	(void)state;
	assert_int_equal(addr_parse_port(&sources[0], slice_of("192.0.2.1:5061")), 0);
	assert_int_equal(addr_parse_port(&sources[1], slice_of("[2001:db8::1]:5061")), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sip_msg *msg = parsed(rows[i].vias);
		struct text out = TEXT_IN(room);

		sip_print_vias_of_response(&out, msg, &sources[rows[i].ipv6], false);
		assert_string_equal(room, rows[i].printed);
		sip_msg_free(msg);
	}
}

/* A zone is ours alone, and does not make the addresses differ. */
static void test_via_scope(void **state)
{
	struct sip_msg *msg = parsed("Via: SIP/2.0/UDP [fe80::1];rport\r\n");
	struct text out = TEXT_IN(room);
	struct addr source;

	(void)state;
	assert_int_equal(addr_parse(&source, slice_of("fe80::1%3")), 0);
	source.port = 1;
	sip_print_vias_of_response(&out, msg, &source, false);
	assert_string_equal(room, "Via: SIP/2.0/UDP [fe80::1];rport=1;received=fe80::1\r\n");
	sip_msg_free(msg);

	msg = parsed("Via: SIP/2.0/UDP [fe80::1]\r\n");
	out = TEXT_IN(room);
	sip_print_vias_of_response(&out, msg, &source, false);
	assert_string_equal(room, "Via: SIP/2.0/UDP [fe80::1]\r\n");
	sip_msg_free(msg);
}

static void test_body(void **state)
{
	struct text out = TEXT_IN(room);

	(void)state;
	sip_print_body(&out, "application/sdp", slice_of("v=0\r\n"));
	assert_string_equal(
		room, "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n");
	out = TEXT_IN(room);
	sip_print_body(&out, NULL, (struct slice){0});
	assert_string_equal(room, "Content-Length: 0\r\n\r\n");
}

/* What does not fit is cut, and that is told. */
static void test_no_room(void **state)
{
	char small[40];
	struct text out = TEXT_IN(small);

	(void)state;
	sip_print_request_line(&out, SIP_BYE, slice_of("sip:a.very.long.name.of.a.host.example"));
	assert_true(out.cut);
	assert_in_range(out.len, 0, sizeof(small) - 1);
}

static void test_quoted(void **state)
{
	static const struct {
		const char *name, *quoted;
	} names[] = {
		{"", "\"\""},
		{"Bob", "\"Bob\""},
		{"a \"b\" \\", "\"a \\\"b\\\" \\\\\""},
		{"a\r\nX: y\x7f\x1b", "\"a  X: y  \""},
		{"B\xc3\xb6"
		 "b",
			"\"B\xc3\xb6"
			"b\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct text out = TEXT_IN(room);

		sip_print_quoted(&out, slice_of(names[i].name));
		assert_string_equal(room, names[i].quoted);
	}
}

static void test_header_check(void **state)
{
	static const char form[] = "a header is written as Name: value";
	static const char control[] = "a header cannot hold a control character or a line end";
	static const char ours[] = "sipcall writes this header itself";
	static const struct {
		const char *line, *what; /* NULL: it may be added */
	} lines[] = {
		{"X-Test: a b", NULL},
		{"Subject: hello", NULL},
		{"s: hello", NULL},
		{"X :", NULL},
		{"X:\ty\xc3\xb6", NULL},
		{"Reason: SIP;cause=200", NULL},
		{"", form},
		{"X", form},
		{": y", form},
		{"X y: z", form},
		{" X: y", form},
		{"X(: y", form},
		{"X: a\r\nVia: b", control},
		{"X: a\nb", control},
		{"X: a\x7f", control},
		{"X: \x1b[2J", control},
		{"Via: x", ours},
		{"via : x", ours},
		{"v: x", ours},
		{"f: x", ours},
		{"T: x", ours},
		{"i: x", ours},
		{"l: 0", ours},
		{"c: x", ours},
		{"m: *", ours},
		{"CSeq: 1 X", ours},
		{"Max-Forwards: 1", ours},
		{"Route: <sip:x>", ours},
		{"Record-Route: <sip:x>", ours},
		{"Authorization: x", ours},
		{"Proxy-Authorization: x", ours},
		{"User-Agent: x", ours},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		const char *what = NULL;
		int err = sip_header_check(slice_of(lines[i].line), &what);

		assert_int_equal(err, lines[i].what ? -EINVAL : 0);
		if (err)
			assert_string_equal(what, lines[i].what);
		else
			assert_null(what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_lines),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_vias),
		cmocka_unit_test(test_via_scope),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_header_check),
	};

	return cmocka_run_group_tests_name("sip/print", tests, NULL, NULL);
}
