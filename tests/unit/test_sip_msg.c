/* core/sip/msg: whole messages good, faulty and refused; values of headers; lists; no memory. */
#include "core/base/text.h"
#include "core/sip/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) (literal), sizeof(literal) - 1

#define START "INVITE sip:bob@h SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP a.example;branch=z9hG4bKx\r\n"
#define FROM "From: <sip:alice@a>;tag=1\r\n"
#define TO "To: <sip:bob@h>\r\n"
#define CALL_ID "Call-ID: c@a\r\n"
#define CSEQ "CSeq: 1 INVITE\r\n"
#define HEAD START VIA FROM TO CALL_ID CSEQ
#define OK "SIP/2.0 200 OK\r\n"
#define OK_HEAD OK VIA FROM TO CALL_ID CSEQ

static size_t allocations_left = SIZE_MAX;

/* The linker sends each malloc() of this program to the first, by --wrap=malloc. */
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_malloc(size);
}

/* Parses a copy with no byte after it, which is gone before the message is looked at. */
static int parse(struct sip_msg **out, const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len);
	int err;

	assert_true(copy || len == 0);
	if (len > 0)
		memcpy(copy, bytes, len);
	err = sip_msg_parse(out, (struct slice){copy, len});
	free(copy);
	return err;
}

static struct sip_msg *parsed(const char *text)
{
	struct sip_msg *msg = NULL;

	if (parse(&msg, text, strlen(text)))
		fail_msg("not parsed: %s", text);
	return msg;
}

static void check_slice(const char *name, struct slice got, const char *wanted)
{
	if (!slice_is(got, wanted))
		fail_msg(
			"%s: '%.*s', not '%s'", name, (int)got.len, (const char *)got.data, wanted);
}

static void test_invite_900(void **state)
{
	uint8_t bytes[2000];
	struct sip_msg *msg;
	FILE *file = fopen("tests/data/invite-900.sip", "rb");
	size_t len;

	(void)state;
	assert_non_null(file); /* tests are run from the root of the tree */
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);

	assert_in_range(len, 880, 920);
	assert_int_equal(sip_msg_parse(&msg, (struct slice){bytes, len}), 0);
	assert_int_equal(msg->fault_status, 0);
	assert_int_equal(msg->header_count, 17);
	assert_int_equal(msg->max_forwards, 68);
	assert_int_equal(msg->raw.len, len);
	assert_memory_equal(msg->raw.data, bytes, len);
	check_slice("display", msg->from.display, "Alice Example");
	check_slice("branch", msg->via.branch, "z9hG4bK7d1e");
	check_slice("start of body", (struct slice){msg->body.data, 3}, "v=0");
	sip_msg_free(msg);
}

static void test_request(void **state)
{
	struct sip_msg *msg = parsed("INVITE sip:bob@h;lr SIP/2.0\r\n"
				     "Via: SIP/2.0/TCP a.example:5070;branch=z9x;rport\r\n"
				     "Max-Forwards: 70\r\n"
				     "From: \"A\" <sip:alice@a>;tag=f1\r\n"
				     "To: <tel:100>;tag=t1\r\n"
				     "Call-ID: c@a\r\nCSeq: 4711 INVITE\r\n"
				     "Content-Length: 4\r\n\r\nbody");

	(void)state;
	assert_true(msg->request);
	assert_int_equal(msg->method, SIP_INVITE);
	check_slice("method", msg->method_name, "INVITE");
	check_slice("uri", msg->uri_text, "sip:bob@h;lr");
	check_slice("user", msg->uri.user, "bob");
	check_slice("transport", msg->via.transport, "TCP");
	check_slice("host", msg->via.host, "a.example");
	assert_int_equal(msg->via.port, 5070);
	assert_true(msg->via.has_rport);
	check_slice("from", msg->from.uri_text, "sip:alice@a");
	check_slice("from tag", msg->from.tag, "f1");
	assert_int_equal(msg->to.uri.scheme, SIP_SCHEME_TEL);
	check_slice("to tag", msg->to.tag, "t1");
	check_slice("call-id", msg->call_id, "c@a");
	assert_int_equal(msg->cseq, 4711);
	assert_int_equal(msg->cseq_method, SIP_INVITE);
	check_slice("cseq", msg->cseq_method_name, "INVITE");
	assert_int_equal(msg->max_forwards, 70);
	check_slice("body", msg->body, "body");
	assert_int_equal(msg->fault_status, 0);
	assert_null(msg->fault_reason);
	sip_msg_free(msg);
	sip_msg_free(NULL);
}

static void test_response(void **state)
{
	static const struct {
		const char *line;
		int status; /* 0: refused */
		const char *reason;
	} rows[] = {
		{"SIP/2.0 200 OK", 200, "OK"},
		{"sip/2.0 100 Trying", 100, "Trying"},
		{"SIP/2.0 699 x", 699, "x"},
		{"SIP/2.0 180 ", 180, ""},
		{"SIP/2.0 180", 180, ""},
		{"SIP/2.0 404 \xc3\xbc= 2**3 \"", 404, "\xc3\xbc= 2**3 \""},
		{"SIP/2.0 099 x", 0, NULL},
		{"SIP/2.0 700 x", 0, NULL},
		{"SIP/2.0 4294967496 x", 0, NULL},
		{"SIP/2.0 20 x", 0, NULL},
		{"SIP/2.0 2000 x", 0, NULL},
		{"SIP/2.0 2x0 x", 0, NULL},
		{"SIP/2.0 -20 x", 0, NULL},
		{"SIP/2.0  200 x", 0, NULL},
		{"SIP/2.1 200 x", 0, NULL},
		{"SIP/3.0 200 x", 0, NULL},
		{"SIP/2.0", 0, NULL},
		{"SIP/2.0 200 O\rK", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[400];
		struct sip_msg *msg = NULL;
		int err;

		snprintf(
			text, sizeof(text), "%s\r\n" VIA FROM TO CALL_ID CSEQ "\r\n", rows[i].line);
		err = parse(&msg, text, strlen(text));
		if (err != (rows[i].status ? 0 : -EPROTO))
			fail_msg("%s: got %d", rows[i].line, err);
		if (err)
			continue;
		assert_false(msg->request);
		assert_int_equal(msg->status, rows[i].status);
		check_slice(rows[i].line, msg->reason, rows[i].reason);
		assert_int_equal(msg->max_forwards, -1);
		sip_msg_free(msg);
	}
}

/* fault 0: it is good. */
static const struct row {
	const char *name;
	const char *bytes;
	size_t len;
	int err;
	int fault;
	const char *reason;
} rows[] = {
	{"plain", BYTES(HEAD "\r\n"), 0, 0, NULL},
	{"empty lines before", BYTES("\r\n\r\n\n" HEAD "\r\n"), 0, 0, NULL},
	{"LF alone",
		BYTES("BYE sip:h SIP/2.0\nv:SIP/2.0/UDP a\nf:sip:a@b\nt:sip:c@d\ni:1\n"
		      "CSeq:1 BYE\n\nbody"),
		0, 0, NULL},
	{"spaces before the colon",
		BYTES(START VIA "From \t: sip:a@b\r\nTo : sip:c@d\r\n"
				"Call-ID  : 1\r\n" CSEQ "\r\n"),
		0, 0, NULL},
	{"spaces in the request line",
		BYTES("INVITE  sip:bob@h  SIP/2.0 \r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0, 0,
		NULL},
	{"small version", BYTES("INVITE sip:bob@h sip/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0,
		0, NULL},
	{"unknown scheme", BYTES("INVITE nobody:x SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0,
		0, NULL},
	{"other schemes in From and To",
		BYTES(START VIA CALL_ID CSEQ
			"From: <http://x.example>;tag=1\r\nTo: isbn:2983\r\n\r\n"),
		0, 0, NULL},
	{"unknown method",
		BYTES("!%*_+`'~ sip:h SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 !%*_+`'~\r\n\r\n"),
		0, 0, NULL},
	{"Via of another version",
		BYTES(START "Via: SIP/7.0/UDP a\r\n" FROM TO CALL_ID CSEQ "\r\n"), 0, 0, NULL},
	{"odd values", BYTES(HEAD "X: ;;,,;;,;\r\nSubject:\r\ns :\r\n\r\n"), 0, 0, NULL},
	{"Max-Forwards 0", BYTES(HEAD "Max-Forwards: 0\r\n\r\n"), 0, 0, NULL},
	{"Max-Forwards 255", BYTES(HEAD "Max-Forwards: 00255\r\n\r\n"), 0, 0, NULL},
	{"largest CSeq", BYTES(START VIA FROM TO CALL_ID "CSeq: 2147483647 INVITE\r\n\r\n"), 0, 0,
		NULL},
	{"CSeq 0", BYTES(START VIA FROM TO CALL_ID "CSeq: 0009\tINVITE\r\n\r\n"), 0, 0, NULL},
	{"escaped zero in quotes",
		BYTES(START VIA FROM CALL_ID CSEQ "To: \"a\\\\\\\0\" <sip:b@c>\r\n\r\n"), 0, 0,
		NULL},
	{"control character", BYTES(HEAD "X: a\001b\r\n\r\n"), 0, 0, NULL},
	{"no body", BYTES(HEAD "Content-Length: 0\r\n\r\n"), 0, 0, NULL},

	{"version 7.0", BYTES("INVITE sip:bob@h SIP/7.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0,
		505, "Version Not Supported"},
	{"version 2.01", BYTES("INVITE sip:bob@h SIP/2.01\r\n" VIA "\r\n"), 0, 505,
		"Version Not Supported"},
	{"space in the Request-URI",
		BYTES("INVITE sip:bob@h; lr SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0, 400,
		"Bad Request-URI"},
	{"brackets around the Request-URI",
		BYTES("INVITE <sip:bob@h> SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0, 400,
		"Bad Request-URI"},
	{"no Request-URI", BYTES("INVITE  SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"), 0, 400,
		"Bad Request-URI"},
	{"neither URI nor space", BYTES("INVITE SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"),
		-EPROTO, 0, NULL},
	{"no From", BYTES(START VIA TO CALL_ID CSEQ "\r\n"), 0, 400, "Missing From header"},
	{"no To", BYTES(START VIA FROM CALL_ID CSEQ "\r\n"), 0, 400, "Missing To header"},
	{"no Call-ID", BYTES(START VIA FROM TO CSEQ "\r\n"), 0, 400, "Missing Call-ID header"},
	{"no CSeq", BYTES(START VIA FROM TO CALL_ID "\r\n"), 0, 400, "Missing CSeq header"},
	{"two From", BYTES(HEAD "f: <sip:x@y>\r\n\r\n"), 0, 400, "More than one From header"},
	{"two From, then two others", BYTES(HEAD "f: <sip:x@y>\r\nRoute: a\r\nRoute: b\r\n\r\n"), 0,
		400, "More than one From header"},
	{"two To", BYTES(HEAD "t: <sip:x@y>\r\n\r\n"), 0, 400, "More than one To header"},
	{"two Call-ID", BYTES(HEAD "i: d\r\n\r\n"), 0, 400, "More than one Call-ID header"},
	{"two CSeq", BYTES(HEAD CSEQ "\r\n"), 0, 400, "More than one CSeq header"},
	{"two Max-Forwards", BYTES(HEAD "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n"), 0, 400,
		"More than one Max-Forwards header"},
	{"two Content-Length", BYTES(HEAD "Content-Length: 0\r\nl: 0\r\n\r\n"), 0, 400,
		"More than one Content-Length header"},
	{"empty From", BYTES(START VIA TO CALL_ID CSEQ "From:\r\n\r\n"), 0, 400, "Bad From header"},
	{"From *", BYTES(START VIA TO CALL_ID CSEQ "From: *\r\n\r\n"), 0, 400, "Bad From header"},
	{"To *", BYTES(START VIA FROM CALL_ID CSEQ "To: *\r\n\r\n"), 0, 400, "Bad To header"},
	{"comma in an unquoted name",
		BYTES(START VIA TO CALL_ID CSEQ "From: Bell, A <sip:a@b>;tag=1\r\n\r\n"), 0, 400,
		"Bad From header"},
	{"quote not closed", BYTES(START VIA FROM CALL_ID CSEQ "To: \"Mr. J <sip:a@b>\r\n\r\n"), 0,
		400, "Bad To header"},
	{"name ends in a backslash", BYTES(START VIA FROM CALL_ID CSEQ "To: \"Mr. J\\\r\n\r\n"), 0,
		400, "Bad To header"},
	{"empty Call-ID", BYTES(START VIA FROM TO CSEQ "Call-ID: \r\n\r\n"), 0, 400,
		"Bad Call-ID header"},
	{"space in Call-ID", BYTES(START VIA FROM TO CSEQ "Call-ID: a b\r\n\r\n"), 0, 400,
		"Bad Call-ID header"},
	{"tab in Call-ID", BYTES(START VIA FROM TO CSEQ "Call-ID: a\tb\r\n\r\n"), 0, 400,
		"Bad Call-ID header"},
	{"CSeq too large", BYTES(START VIA FROM TO CALL_ID "CSeq: 2147483648 INVITE\r\n\r\n"), 0,
		400, "Bad CSeq header"},
	{"CSeq far too large",
		BYTES(START VIA FROM TO CALL_ID "CSeq: 36893488147419103233 INVITE\r\n\r\n"), 0,
		400, "Bad CSeq header"},
	{"CSeq without method", BYTES(START VIA FROM TO CALL_ID "CSeq: 1\r\n\r\n"), 0, 400,
		"Bad CSeq header"},
	{"CSeq without number", BYTES(START VIA FROM TO CALL_ID "CSeq: INVITE\r\n\r\n"), 0, 400,
		"Bad CSeq header"},
	{"CSeq with more", BYTES(START VIA FROM TO CALL_ID "CSeq: 1 INVITE x\r\n\r\n"), 0, 400,
		"Bad CSeq header"},
	{"CSeq negative", BYTES(START VIA FROM TO CALL_ID "CSeq: -1 INVITE\r\n\r\n"), 0, 400,
		"Bad CSeq header"},
	{"CSeq of another method", BYTES(START VIA FROM TO CALL_ID "CSeq: 1 BYE\r\n\r\n"), 0, 400,
		"CSeq method differs from that of the request"},
	{"CSeq in small letters", BYTES(START VIA FROM TO CALL_ID "CSeq: 1 invite\r\n\r\n"), 0, 400,
		"CSeq method differs from that of the request"},
	{"Max-Forwards 256", BYTES(HEAD "Max-Forwards: 256\r\n\r\n"), 0, 400,
		"Bad Max-Forwards header"},
	{"Max-Forwards empty", BYTES(HEAD "Max-Forwards:\r\n\r\n"), 0, 400,
		"Bad Max-Forwards header"},
	{"body too short", BYTES(HEAD "Content-Length: 5\r\n\r\nbody"), 0, 400,
		"Content-Length larger than the datagram"},
	{"length far too large", BYTES(HEAD "Content-Length: 18446744073709551617\r\n\r\nbody"), 0,
		400, "Content-Length larger than the datagram"},
	{"length negative", BYTES(HEAD "Content-Length: -1\r\n\r\nbody"), 0, 400,
		"Bad Content-Length header"},
	{"length with words", BYTES(HEAD "Content-Length: 4 bytes\r\n\r\nbody"), 0, 400,
		"Bad Content-Length header"},
	{"zero byte", BYTES(HEAD "X: a\0b\r\n\r\n"), 0, 400, "Bad character in a header"},
	{"zero byte in quotes", BYTES(HEAD "X: \"a\0b\"\r\n\r\n"), 0, 400,
		"Bad character in a header"},
	{"zero byte after an escape", BYTES(HEAD "X: \"a\\\\\0b\"\r\n\r\n"), 0, 400,
		"Bad character in a header"},
	{"escape outside of quotes", BYTES(HEAD "X: \"a\" \\\0\r\n\r\n"), 0, 400,
		"Bad character in a header"},
	{"CR in a value", BYTES(HEAD "X: a\rY: b\r\n\r\n"), 0, 400, "Bad character in a header"},
	{"no colon", BYTES(HEAD "Nothing\r\n\r\n"), 0, 400, "Bad header line"},
	{"no name", BYTES(HEAD ": x\r\n\r\n"), 0, 400, "Bad header line"},
	{"space in a name", BYTES(HEAD "A b: x\r\n\r\n"), 0, 400, "Bad header line"},
	{"no empty line", BYTES(HEAD), 0, 400, "No empty line after the headers"},
	{"cut in a header", BYTES(HEAD "Cont"), 0, 400, "Bad header line"},
	{"cut in the empty line", BYTES(HEAD "\r"), 0, 400, "Bad header line"},
	{"empty second Via",
		BYTES(START "Via: SIP/2.0/UDP h;;,;,,\r\n" FROM TO CALL_ID CSEQ "\r\n"), 0, 400,
		"Bad Via header"},
	{"second Via of nothing", BYTES(HEAD "Via: x\r\n\r\n"), 0, 400, "Bad Via header"},

	{"nothing", BYTES(""), -EPROTO, 0, NULL},
	{"only empty lines", BYTES("\r\n\r\n"), -EPROTO, 0, NULL},
	{"no Via", BYTES(START FROM TO CALL_ID CSEQ "\r\n"), -EPROTO, 0, NULL},
	{"bad Via", BYTES(START "Via: SIP/2.0/UDP\r\n" FROM TO CALL_ID CSEQ "\r\n"), -EPROTO, 0,
		NULL},
	{"bad Via before a good one", BYTES(START "Via: x\r\n" VIA FROM TO CALL_ID CSEQ "\r\n"),
		-EPROTO, 0, NULL},
	{"empty Via before a good one",
		BYTES(START "Via: , SIP/2.0/UDP a\r\n" FROM TO CALL_ID CSEQ "\r\n"), -EPROTO, 0,
		NULL},
	{"HTTP", BYTES("GET / HTTP/1.1\r\n" VIA "\r\n"), -EPROTO, 0, NULL},
	{"no version", BYTES("INVITE sip:bob@h\r\n" VIA "\r\n"), -EPROTO, 0, NULL},
	{"version without minor", BYTES("INVITE sip:bob@h SIP/2.\r\n" VIA "\r\n"), -EPROTO, 0,
		NULL},
	{"version without point", BYTES("INVITE sip:bob@h SIP/2\r\n" VIA "\r\n"), -EPROTO, 0, NULL},
	{"version and more", BYTES("INVITE sip:bob@h SIP/2.0x\r\n" VIA "\r\n"), -EPROTO, 0, NULL},
	{"method alone", BYTES("INVITE"), -EPROTO, 0, NULL},
	{"no method", BYTES("@ sip:bob@h SIP/2.0\r\n" VIA "\r\n"), -EPROTO, 0, NULL},
	{"folded start line", BYTES(" INVITE sip:bob@h SIP/2.0\r\n x\r\n" VIA "\r\n"), -EPROTO, 0,
		NULL},
	{"response without From", BYTES(OK VIA TO CALL_ID CSEQ "\r\n"), -EPROTO, 0, NULL},
	{"response without Via", BYTES(OK FROM TO CALL_ID CSEQ "\r\n"), -EPROTO, 0, NULL},
	{"response, too short", BYTES(OK_HEAD "Content-Length: 1\r\n\r\n"), -EPROTO, 0, NULL},
	{"response, bad line", BYTES(OK_HEAD "Nothing\r\n\r\n"), -EPROTO, 0, NULL},
	{"response, cut", BYTES(OK_HEAD), -EPROTO, 0, NULL},
	{"response", BYTES(OK_HEAD "\r\n"), 0, 0, NULL},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sip_msg *msg = NULL;
		int err = parse(&msg, rows[i].bytes, rows[i].len);

		if (err != rows[i].err)
			fail_msg("%s: got %d", rows[i].name, err);
		assert_int_equal(msg != NULL, err == 0);
		if (err)
			continue;
		if (msg->fault_status != rows[i].fault ||
			(rows[i].fault == 0) != !msg->fault_reason ||
			(msg->fault_reason && strcmp(msg->fault_reason, rows[i].reason) != 0))
			fail_msg("%s: fault %u, %s", rows[i].name, msg->fault_status,
				msg->fault_reason ? msg->fault_reason : "none");
		sip_msg_free(msg);
	}
}

/* Cut anywhere and with any byte changed, it is read or refused, and nothing is read past. */
static void test_cut_and_changed(void **state)
{
	static const char text[] =
		"INVITE sip:b@h;x SIP/2.0\r\nv: SIP / 2.0 / UDP [::1]:5;branch=z , "
		"SIP/2.0/UDP b\r\nf:\"\\\"x\" <sip:a@b> ; tag=1\r\n t: y\r\nt:sip:c@d"
		"\r\ni:1\r\nCSeq: 1\r\n INVITE\r\nl : 2\r\n\r\nxyz";
	struct sip_msg *msg;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		if (parse(&msg, text, len) == 0)
			sip_msg_free(msg);

	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (const char *byte = "\r\n \t\";,<>:@\\(%=a[\xff"; *byte; byte++) {
			char changed[sizeof(text)];
			int err;

			memcpy(changed, text, sizeof(text));
			changed[at] = *byte;
			err = parse(&msg, changed, sizeof(text) - 1);
			assert_true(err == 0 || err == -EPROTO);
			if (!err)
				sip_msg_free(msg);
		}
}

/* Everything of section 7.3.1 at once. */
static void test_tortuous(void **state)
{
	struct sip_msg *msg =
		parsed("INVITE sip:v@h;unknownparam SIP/2.0\r\n"
		       "TO :\r\n sip:v@h ;   tag    = 1918n\r\n"
		       "from   : \"J R \\\\\\\"\"       <sip:j@h>\r\n  ;\r\n  tag = 98\r\n"
		       "MaX-fOrWaRdS: 0068\r\nCall-ID: w@h\r\nContent-Length   : 2\r\n"
		       "cseq: 0009\r\n  INVITE\r\n"
		       "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390\r\n"
		       "s :\r\nNew:   new\r\n continued\r\n\tvalue\r\n"
		       "v:  SIP  / 2.0  / TCP     s.h   ;\r\n  branch  =   z9  ,\r\n"
		       " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z8\r\n"
		       "\r\nbody");

	(void)state;
	assert_int_equal(msg->fault_status, 0);
	check_slice("to", msg->to.uri_text, "sip:v@h");
	check_slice("to tag", msg->to.tag, "1918n");
	check_slice("from", msg->from.display, "J R \\\\\\\"");
	check_slice("from tag", msg->from.tag, "98");
	assert_int_equal(msg->max_forwards, 68);
	assert_int_equal(msg->cseq, 9);
	check_slice("via", msg->via.host, "192.0.2.2");
	check_slice("branch", msg->via.branch, "390");
	check_slice("body", msg->body, "bo");
	assert_int_equal(msg->header_count, 10);
	check_slice("subject", *sip_msg_header(msg, SIP_SUBJECT), "");
	check_slice("folded", *sip_msg_header_named(msg, "NEW"), "new   continued  \tvalue");
	check_slice("name", msg->headers[0].name, "TO");
	check_slice("end", (struct slice){msg->raw.data + msg->raw.len - 6, 6}, "\r\n\r\nbo");
	sip_msg_free(msg);
}

static void test_caps(void **state)
{
	static char big[SIP_MESSAGE_MAX + 2];
	struct text text;
	struct sip_msg *msg;

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		text = TEXT_IN(big);
		text_puts(&text, HEAD);
		for (size_t i = 0; i < SIP_HEADERS_MAX - 5 + more; i++)
			text_puts(&text, "X: y\r\n z\r\n");
		text_puts(&text, "\r\n");
		assert_int_equal(parse(&msg, big, text.len), more ? -EMSGSIZE : 0);
		if (!more) {
			assert_int_equal(msg->header_count, SIP_HEADERS_MAX);
			assert_int_equal(msg->fault_status, 0);
			sip_msg_free(msg);
		}
	}

	memset(big, 'x', sizeof(big));
	memcpy(big, HEAD "\r\n", strlen(HEAD "\r\n"));
	assert_int_equal(parse(&msg, big, SIP_MESSAGE_MAX), 0);
	assert_int_equal(msg->body.len, SIP_MESSAGE_MAX - strlen(HEAD "\r\n"));
	sip_msg_free(msg);
	assert_int_equal(parse(&msg, big, SIP_MESSAGE_MAX + 1), -EMSGSIZE);
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

static void test_no_memory(void **state)
{
	static const char text[] = HEAD "\r\nbody";
	struct slice bytes = {(const uint8_t *)text, sizeof(text) - 1};
	struct sip_msg *msg = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(sip_msg_parse(&msg, bytes), -ENOMEM);
	assert_null(msg);
	allocations_left = 1; /* is all that it takes */
	assert_int_equal(sip_msg_parse(&msg, bytes), 0);
	allocations_left = SIZE_MAX;
	sip_msg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_invite_900),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cut_and_changed),
		cmocka_unit_test(test_tortuous),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_via),
		cmocka_unit_test(test_name_addr),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("sip/msg", tests, NULL, NULL);
}
