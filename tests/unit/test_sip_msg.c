/* core/sip/msg: whole messages good, faulty and refused; caps; no memory. */
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
	{"cut in a line end", BYTES(HEAD "X: y\r"), 0, 400, "Bad character in a header"},
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

/* One whose line ends only with the last byte that there may be. */
static void test_longest_line(void **state)
{
	static const char head[] = HEAD "X: ";
	static char big[SIP_MESSAGE_MAX];
	const struct slice *value;
	struct sip_msg *msg;

	(void)state;
	memset(big, 'x', sizeof(big));
	memcpy(big, head, sizeof(head) - 1);
	assert_int_equal(parse(&msg, big, sizeof(big)), 0);
	assert_string_equal(msg->fault_reason, "No empty line after the headers");
	value = sip_msg_header_named(msg, "X");
	assert_non_null(value);
	assert_int_equal(value->len, sizeof(big) - (sizeof(head) - 1));
	sip_msg_free(msg);
}

/* What was understood of a broken Request-URI is not kept. */
static void test_no_half_uri(void **state)
{
	static const char text[] = "INVITE sip:bob@h:0 SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n";
	struct sip_msg *msg;

	(void)state;
	assert_int_equal(parse(&msg, text, sizeof(text) - 1), 0);
	assert_string_equal(msg->fault_reason, "Bad Request-URI");
	check_slice("user", msg->uri.user, "");
	check_slice("host", msg->uri.host, "");
	sip_msg_free(msg);
}

/* Each header is found by its name, in its order, whatever stands between; then no more. */
static void test_index(void **state)
{
	static const char text[] = HEAD "Route: <sip:a>,<sip:b>\r\nX-One: 1\r\nRoute:\r\n"
					"Subject: s\r\nroute: , <sip:c> ,\r\nX-Two: 2\r\n\r\n";
	static const char *const routes[] = {"<sip:a>", "<sip:b>", "<sip:c>"};
	struct sip_cursor cursor = {0};
	struct slice value = {0};
	struct sip_msg *msg;

	(void)state;
	assert_int_equal(parse(&msg, text, sizeof(text) - 1), 0);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		assert_true(sip_msg_next(&value, &cursor, msg, SIP_ROUTE));
		check_slice("route", value, routes[i]);
	}
	assert_false(sip_msg_next(&value, &cursor, msg, SIP_ROUTE));
	assert_false(sip_msg_next(&value, &cursor, msg, SIP_ROUTE));
	check_slice("untouched", value, "<sip:c>");

	cursor = (struct sip_cursor){0};
	assert_true(sip_msg_next(&value, &cursor, msg, SIP_VIA)); /* the first of all headers */
	assert_false(sip_msg_next(&value, &cursor, msg, SIP_VIA));
	cursor = (struct sip_cursor){0};
	assert_false(sip_msg_next(&value, &cursor, msg, SIP_ACCEPT));
	assert_false(sip_msg_next(&value, &cursor, msg, SIP_ACCEPT));

	check_slice("subject", *sip_msg_header(msg, SIP_SUBJECT), "s");
	check_slice("first of many", *sip_msg_header(msg, SIP_ROUTE), "<sip:a>,<sip:b>");
	check_slice("one", *sip_msg_header_named(msg, "x-one"), "1");
	check_slice("two", *sip_msg_header_named(msg, "x-two"), "2");
	assert_null(sip_msg_header_named(msg, "X-Three"));
	assert_null(sip_msg_header(msg, SIP_ACCEPT));
	sip_msg_free(msg);
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
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_no_half_uri),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("sip/msg", tests, NULL, NULL);
}
