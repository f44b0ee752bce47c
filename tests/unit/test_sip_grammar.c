/*
 * The productions of RFC 3261, section 25.1, as they are read here: for each, what is of it and
 * what is not. Where more is let in than the grammar has, the row says "lenient" at its end.
 */
#include "core/base/text.h"
#include "core/sip/msg.h"
#include "core/sip/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VIA "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
#define FROM "From: <sip:a@h>;tag=1\r\n"
#define TO "To: <sip:b@h>\r\n"
#define CALL_ID "Call-ID: c@h\r\n"
#define CSEQ "CSeq: 1 INVITE\r\n"
#define START "INVITE sip:b@h SIP/2.0\r\n"

typedef bool judge(const char *text);

static bool is_uri(const char *text)
{
	struct sip_uri uri;

	return sip_uri_parse(&uri, slice_of(text), NULL) == 0;
}

static bool is_via(const char *text)
{
	struct sip_via via;

	return sip_via_parse(&via, slice_of(text)) == 0;
}

static bool is_address(const char *text)
{
	struct sip_name_addr addr;

	return sip_name_addr_parse(&addr, slice_of(text)) == 0;
}

static bool is_reason(const char *text)
{
	struct sip_reason_value value;

	return sip_reason_parse(&value, slice_of(text)) == 0;
}

static bool is_message(const char *text)
{
	struct sip_msg *msg;
	bool good;

	if (sip_msg_parse(&msg, slice_of(text)))
		return false;
	good = !msg->fault_status;
	sip_msg_free(msg);
	return good;
}

/* A production, what reads it, and what stands around it there. */
static const struct production {
	const char *name;
	judge *judge;
	const char *before, *after;
	const char *good[16], *bad[16];
} productions[] = {
	{"SIP-URI", is_uri, "", "",
		{"sip:h", "sip:u@h", "SIP:u:p@h:5060;a=b;c?d=e&f=", "sip:+1-22@h;user=phone",
			"sip://u@h"},
		{"", "sip", "sip:", "u@h", " sip:h", "sip:h "}},
	{"SIPS-URI", is_uri, "", "", {"sips:u@h", "SiPs:[::1]:5061"}, {"sips:", "sip s:h"}},
	{"user", is_uri, "sip:", "@h",
		{"a", "A9", "-_.!~*'()", "&=+$,;?/", "%00", "%fF", "a%20b", "#" /* lenient */},
		{"", " ", "a b", "\"a\"", "<", ">", "[", "]", "%", "%4", "%zz", "\\", "^", "a\tb",
			"\xc3\xbc"}},
	{"password", is_uri, "sip:u:", "@h", {"", "p", "&=+$,", "%40"}, {":", ";", "/", "?", " "}},
	{"hostname", is_uri, "sip:", "",
		{"h", "a.b", "a-b.c", "a1.b2", "h.", "1a.b", "a_b" /* lenient */},
		{"-a", "a-", "a..b", ".a", "a.-b", "a b", "a%41", "a!", "a.1", "1"}},
	{"IPv4address", is_uri, "sip:", "", {"0.0.0.0", "192.0.2.1", "255.255.255.255"},
		{"256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.", "01.2.3.4", "1.2.3.1000"}},
	{"IPv6reference", is_uri, "sip:", "",
		{"[::]", "[::1]", "[2001:DB8::9]", "[1:2:3:4:5:6:7:8]", "[::ffff:192.0.2.1]"},
		{"::1", "[", "[]", "[::1", "::1]", "[:::1]", "[1::2::3]", "[1:2:3:4:5:6:7:8:9]",
			"[12345::]", "[::g]", "[fe80::1%25eth0]", "[192.0.2.1]"}},
	{"port", is_uri, "sip:h:", "", {"1", "5060", "65535", "0005060"},
		{"", "0", "65536", "-1", "+1", "1a", "4294972356", " 1"}},
	{"uri-parameters", is_uri, "sip:h", "",
		{"", ";a", ";a=b", ";a;b=c", ";transport=tcp", ";%61=%62", ";a=[::1]:/&+$",
			";;" /* lenient */, ";a=" /* lenient */},
		{";=a", ";a b", ";a=\"b\"", ";a,b", ";a=%4", ";<", ";\xc3\xbc"}},
	{"headers", is_uri, "sip:h?", "",
		{"a=", "a=b", "a=b&c=d", "a=%0d%0a", "a=[::1]:/?+$", "%41=b",
			"a=b=c" /* lenient */},
		{"", "a", "=b", "a=b&", "&a=b", "a=b&&c=d", "a=b c", "a=<", "a=%g0"}},
	{"absoluteURI", is_uri, "", "", {"http://h/p?q", "isbn:123", "urn:a:b", "a+b-c.d:x"},
		{":x", "1a:x", "a_b:x", "http:", "http:a b", "http:<"}},
	{"telephone-uri (RFC 3966)", is_uri, "tel:", "",
		{"+1", "1", "*1#", "+1-(2).3", "1;ext=2", "1;phone-context=+1",
			"7042;phone-context=x.example"},
		{"", "+", "x", "1 2", "1?a=b", "1,2", "1;=2"}},
	{"name-addr", is_address, "", "",
		{"<sip:h>", "a<sip:h>", "a b <sip:h>", "\"a\"<sip:h>", "\"a\" <sip:h>",
			"<sip:h;a=b?c=d>", "<http://h>"},
		{"<>", "<sip:h", "sip:h>", "< sip:h>", "<sip:h >", "<sip:h> x", "<<sip:h>>",
			"a <sip:h> b"}},
	{"addr-spec", is_address, "", "", {"sip:h", "sip:u@h", "tel:1", "sip:h;a=b"},
		{"h", "sip:h?a=b", "sip:u,v@h", "sip:h x"}},
	{"display-name", is_address, "", " <sip:h>",
		{"", "a", "a b", "-.!%*_+`'~", "\"\"", "\"a, b\"",
			"\xc3\x9cml\xc3\xa4ut" /* lenient */, "a (b)" /* lenient */},
		{"a, b", "a; b", "a: b", "a \"b\"", "\"a\" b", "<a>"}},
	{"quoted-string", is_address, "", " <sip:h>",
		{"\"a\"", "\"\\\"\"", "\"\\\\\"", "\"a\\\\\"", "\"<>,;:\"", "\"\xc3\xbc\"",
			"\"\\a\""},
		{"\"", "\"a", "\"a\\\"", "\"\\\\\\\"", "a\"", "\"a\"\""}},
	{"from-param, contact-params", is_address, "<sip:h>", "",
		{";tag=1", " ; tag = 1", ";a", ";a=\"b;c\"", ";a=[::1]", ";q=0.5;expires=60",
			";;" /* lenient */},
		{"tag=1", ";tag=1;tag=2", ";a b", ";=a", ";a=\"b", ";a=\"b\"c", ",", ";a=<"}},
	{"sent-protocol", is_via, "", " h",
		{"SIP/2.0/UDP", "sip/2.0/tcp", "SIP / 2.0 / UDP", "SIP/2.0/X-a.b",
			"SIP/3.0/UDP" /* so that it is answered */},
		{"", "SIP", "SIP/2.0", "SIP/2.0/", "/2.0/UDP", "HTTP/2.0/UDP", "SIP 2.0 UDP",
			"SIP//UDP", "SIP/2.0/UDP/x"}},
	{"sent-by", is_via, "SIP/2.0/UDP ", "",
		{"h", "h:5060", "h : 5060", "[::1]", "[::1]:5060", "192.0.2.1"},
		{"", ":5060", "h:", "h:0", "h:65536", "::1", "[::1", "h h", "h/5060"}},
	{"via-params", is_via, "SIP/2.0/UDP h", "",
		{";branch=z9hG4bK", ";rport", ";rport=1", ";received=192.0.2.1", ";received=[::1]",
			";received=::1" /* RFC 5118, section 4.5 */, ";maddr=h;ttl=1", " ; a = b"},
		{";branch=a;branch=b", ";rport;rport", ";received=a;received=b", ";rport=x",
			";rport=65536", " a", ";=", ";a=\"", ";a b"}},
	{"Method", is_message, "", " sip:b@h SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 X\r\n\r\n",
		{"X", " X" /* lenient */}, {"", "x", "X Y", "\"X\"", "X:", "<X>", "@"}},
	{"Request-Line", is_message, "INVITE", "\r\n" VIA FROM TO CALL_ID CSEQ "\r\n",
		{" sip:b@h SIP/2.0", " sip:b@h sip/2.0", "  sip:b@h  SIP/2.0 " /* lenient */,
			" tel:1 SIP/2.0"},
		{"", " sip:b@h", " SIP/2.0", "\tsip:b@h SIP/2.0", " <sip:b@h> SIP/2.0",
			" sip:b@h SIP/2", " sip:b@h SIP/2.", " sip:b@h SIP/2.1",
			" sip:b@h SIP/02.0", " sip:b@h HTTP/2.0", " sip:b @h SIP/2.0",
			" \"sip:b@h\" SIP/2.0"}},
	{"Status-Line", is_message, "", "\r\n" VIA FROM TO CALL_ID CSEQ "\r\n",
		{"SIP/2.0 200 OK", "SIP/2.0 100 ", "SIP/2.0 699 \xc3\xbc \"x\" %", "sip/2.0 200 OK",
			"SIP/2.0 180" /* lenient */},
		{"SIP/2.0", "SIP/2.0 ", "SIP/2.0 20 x", "SIP/2.0 2000 x", "SIP/2.0 099 x",
			"SIP/2.0 700 x", "SIP/2.0 abc x", "SIP/2.0  200 x", "SIP/2.1 200 x",
			"SIP/2.0\t200 x", "2.0 200 x"}},
	{"message-header", is_message, START VIA FROM TO CALL_ID CSEQ, "\r\n\r\n",
		{"X: y", "X:y", "X:", "X :y", "X\t: y", "x-!%*_+`'~.: y", "X: \xc3\xbc",
			"X: y\r\n z", "X:\r\n\ty", "Subject: s", "s: s", "X: y\r\n \r\n z"},
		{"X", ":y", " X: y\001", "X y: z", "X(: y", "X: y\rz", "\"X\": y", "X: y\r\nz"}},
	{"compact forms", is_message, START CSEQ, "\r\n\r\n",
		{"v: SIP/2.0/UDP h\r\nf: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: c",
			"V: SIP/2.0/UDP h\r\nF: <sip:a@h>;tag=1\r\nT: <sip:b@h>\r\nI: c\r\nl: 0",
			"VIA: SIP/2.0/UDP h\r\nfrom: sip:a@h\r\ntO: sip:b@h\r\ncall-ID: c"},
		{"v: SIP/2.0/UDP h\r\nf: <sip:a@h>\r\nt: <sip:b@h>\r\nc: c",
			"f: <sip:a@h>\r\nt: <sip:b@h>\r\ni: c",
			"v: SIP/2.0/UDP h\r\nf: sip:a@h\r\nt: sip:b@h\r\ni: c\r\nCall-ID: c"}},
	{"Via", is_message, START FROM TO CALL_ID CSEQ "Via: ", "\r\n\r\n",
		{"SIP/2.0/UDP h", "SIP/2.0/UDP h, SIP/2.0/TCP i", "SIP/2.0/UDP h;a=\"b,c\"",
			"SIP/2.0/UDP h\r\nv: SIP/2.0/UDP i"},
		{"", ",", "SIP/2.0/UDP h,", "SIP/2.0/UDP h, x", ", SIP/2.0/UDP h"}},
	{"From, To", is_message, START VIA CALL_ID CSEQ FROM "To: ", "\r\n\r\n",
		{"<sip:b@h>", "sip:b@h;tag=2", "b <tel:1>", "\"b\\\\\" <sip:b@h>"},
		{"", "*", "b", "<sip:a@h>, <sip:b@h>", "\"b\\\" <sip:b@h>", "b, c <sip:b@h>",
			"<sip:b@h>\r\nTo: <sip:b@h>"}},
	{"callid", is_message, START VIA FROM TO CSEQ "Call-ID: ", "\r\n\r\n",
		{"a", "a@b", "()<>:\\\"/[]?{}", "-.!%*_+`'~"},
		{"", "a b", "a\tb", "a\r\nCall-ID: b"}},
	{"CSeq", is_message, START VIA FROM TO CALL_ID "CSeq: ", "\r\n\r\n",
		{"0 INVITE", "2147483647 INVITE", "0001  INVITE", "1\tINVITE", "1\r\n INVITE"},
		{"", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 INVITE",
			"4294967297 INVITE", "18446744073709551617 INVITE", "1 invite", "1 BYE",
			"1 INVITE x", "1.0 INVITE", "0x1 INVITE"}},
	{"Max-Forwards", is_message, START VIA FROM TO CALL_ID CSEQ "Max-Forwards: ", "\r\n\r\n",
		{"0", "70", "255", "070"},
		{"", "-1", "256", "4294967296", "7 0", "70;a", "70\r\nMax-Forwards: 70"}},
	{"Content-Length", is_message, START VIA FROM TO CALL_ID CSEQ "Content-Length: ",
		"\r\n\r\nbody", {"0", "4", "004"},
		{"", "5", "-1", "+4", "4 4", "4,4", "4294967300", "18446744073709551620",
			"4\r\nl: 4"}},
	{"Reason (RFC 3326)", is_reason, "", "",
		{"SIP", "Q.850;cause=16", "SIP ; cause=200 ; text=\"a \\\" b\"", "X;y=z"},
		{"", ";cause=1", "SIP cause=1", "SIP;cause=x", "SIP;cause=1;cause=1",
			"SIP;text=\""}},
};

static size_t count_wrong(
	const struct production *production, const char *const texts[16], bool good)
{
	size_t wrong = 0;

	for (size_t i = 0; i < 16 && texts[i]; i++) {
		char room[1000];
		struct text text = TEXT_IN(room);

		text_printf(&text, "%s%s%s", production->before, texts[i], production->after);
		assert_false(text.cut);
		if (production->judge(room) == good)
			continue;
		print_error("%s: \"%s\" is %s\n", production->name, texts[i],
			good ? "refused" : "taken");
		wrong++;
	}
	return wrong;
}

static void test_productions(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(productions); i++) {
		wrong += count_wrong(&productions[i], productions[i].good, true);
		wrong += count_wrong(&productions[i], productions[i].bad, false);
	}
	assert_int_equal(wrong, 0);
}

/* comment: nested, with escapes; what stands in one parts no values. */
static void test_comment(void **state)
{
	static const struct {
		const char *value;
		size_t count;
	} rows[] = {{"a (b), c", 2}, {"a (b, c)", 1}, {"a (b (c, d), e), f", 2},
		{"a (b \\), c), d", 2}, {"a (b \\(, c), d", 2}, {"a (\", b), c", 2},
		{"a \"(\", b", 2}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char room[1000];
		struct text text = TEXT_IN(room);
		struct sip_cursor cursor = {0};
		struct sip_msg *msg = NULL;
		struct slice value;
		size_t count = 0;

		text_printf(
			&text, START VIA FROM TO CALL_ID CSEQ "Warning: %s\r\n\r\n", rows[i].value);
		assert_int_equal(sip_msg_parse(&msg, text_slice(&text)), 0);
		while (sip_msg_next(&value, &cursor, msg, SIP_WARNING))
			count++;
		if (count != rows[i].count)
			fail_msg("%s: %zu", rows[i].value, count);
		sip_msg_free(msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_productions),
		cmocka_unit_test(test_comment),
	};

	return cmocka_run_group_tests_name("sip/grammar", tests, NULL, NULL);
}
