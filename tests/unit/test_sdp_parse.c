/* core/sdp/parse and print: what is read, what is refused with which words, no memory. */
#include "core/sdp/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define V "v=0\r\n"
#define O "o=- 7 8 IN IP4 192.0.2.9\r\n"
#define HEAD V O "s=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0 96\r\n"
#define BROKEN(line, what) "their session description is broken in line " line ": " what
#define BYTES(literal) (literal), sizeof(literal) - 1
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

/* Parses a copy that is no byte longer than it is, so that AddressSanitizer sees one too many. */
struct parsed {
	uint8_t *text;
	struct sdp_session *session;
	struct fault why;
};

static int parse(struct parsed *out, const char *bytes, size_t len)
{
	*out = (struct parsed){.text = malloc(len ? len : 1)};
	assert_non_null(out->text);
	memcpy(out->text, bytes, len);
	return sdp_parse(&out->session, (struct slice){out->text, len}, &out->why);
}

static void forget(struct parsed *parsed)
{
	sdp_free(parsed->session);
	free(parsed->text);
}

static void expect_slice(const char *row, struct slice got, const char *wanted)
{
	if (!slice_is(got, wanted))
		fail_msg("%s: got \"%.*s\", not \"%s\"", row, (int)got.len, (const char *)got.data,
			wanted);
}

/* clang-format off */
static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *words; /* NULL: it is fine */
} rows[] = {
	{"least",               BYTES(V O), NULL},
	{"whole",               BYTES(HEAD AUDIO), NULL},
	{"LF alone",            BYTES("v=0\no=- 7 8 IN IP4 h\ns=-\nt=0 0\nm=audio 1 RTP/AVP 0\n"), NULL},
	{"no last newline",     BYTES(V "o=- 7 8 IN IP4 h"), NULL},
	{"empty lines follow",  BYTES(HEAD AUDIO "\r\n\r\n\n"), NULL},
	{"unknown lines",       BYTES(V O "y=1\r\nx=\r\ni=a\r\nk=prompt\r\nz=0 0\r\n" AUDIO "i=b\r\n"), NULL},
	{"unknown attributes",  BYTES(HEAD "a=\r\na=:\r\na=x\r\n" AUDIO "a=x:y\r\na=:y\r\n"), NULL},
	{"a after c and t",     BYTES(V O "a=x\r\nt=0 0\r\nc=IN IP4 192.0.2.1\r\n"), NULL},
	{"user with spaces",    BYTES(V "o=Some Phone 7 8 IN IP4 192.0.2.9\r\n"), NULL},
	{"no user",             BYTES(V "o=7 8 IN IP4 192.0.2.9\r\n"), NULL},
	{"huge session id",     BYTES(V "o=- 99999999999999999999999999 8 IN IP4 h\r\n"), NULL},
	{"two spaces",          BYTES(HEAD "m=audio  4000  RTP/AVP  0\r\n"), NULL},
	{"port 0, no format",   BYTES(HEAD "m=video 0 RTP/AVP\r\n"), NULL},
	{"largest port",        BYTES(HEAD "m=audio 65535/65535 RTP/AVP 0\r\n"), NULL},
	{"version with space",  BYTES("v=0 \r\n" O), NULL},

	{"nothing",             BYTES(""),             BROKEN("0", "the end, and no o= line before")},
	{"newline alone",       BYTES("\r\n"),         BROKEN("1", "the end, and no o= line before")},
	{"no version",          BYTES(O V),            BROKEN("1", "not the v= that each begins with")},
	{"empty line first",    BYTES("\r\n" V O),     BROKEN("2", "text after an empty line")},
	{"version 1",           BYTES("v=1\r\n" O),    BROKEN("1", "not version 0")},
	{"version 00",          BYTES("v=00\r\n" O),   BROKEN("1", "not version 0")},
	{"no origin",           BYTES(V AUDIO),        BROKEN("2", "the end, and no o= line before")},
	{"two descriptions",    BYTES(V O V O),        BROKEN("3", "a second v= line")},
	{"two origins",         BYTES(V O O),          BROKEN("3", "an o= line where none may be")},
	{"origin of a medium",  BYTES(V AUDIO O),      BROKEN("3", "an o= line where none may be")},
	{"short origin",        BYTES(V "o=7 IN IP4 h\r\n"), BROKEN("2", "an o= line of less than six words")},
	{"empty origin",        BYTES(V "o=\r\n"),     BROKEN("2", "an o= line of less than six words")},
	{"no equals sign",      BYTES(V O "hello\r\n"), BROKEN("3", "not a letter and an equals sign")},
	{"one letter",          BYTES(V O "s"),        BROKEN("3", "not a letter and an equals sign")},
	{"space before equals", BYTES(V O "s =-\r\n"), BROKEN("3", "not a letter and an equals sign")},
	{"text after empty",    BYTES(V O "\r\ns=-\r\n"), BROKEN("4", "text after an empty line")},
	{"NUL",                 BYTES(V O "s=a\0b\r\n"), BROKEN("3", "a byte that may be in no line")},
	{"CR in a line",        BYTES(V O "s=a\rm=b\r\n"), BROKEN("3", "a byte that may be in no line")},
	{"two CR",              BYTES(V O "s=a\r\r\n"), BROKEN("3", "a byte that may be in no line")},

	{"c= empty",            BYTES(V O "c=\r\n"),        BROKEN("3", "a c= line of less than three words")},
	{"c= of two words",     BYTES(V O "c=IN IP4\r\n"),  BROKEN("3", "a c= line of less than three words")},
	{"c= of a TTL",         BYTES(V O "c=IN IP4 /1\r\n"), BROKEN("3", "a c= line of less than three words")},
	{"second c= broken",    BYTES(HEAD AUDIO "c=IN IP4 h\r\nc=x\r\n"), BROKEN("8", "a c= line of less than three words")},

	{"m= empty",            BYTES(HEAD "m=\r\n"),             BROKEN("6", "an m= line of less than three words")},
	{"m= of one word",      BYTES(HEAD "m=audio\r\n"),        BROKEN("6", "an m= line of less than three words")},
	{"m= of two words",     BYTES(HEAD "m=audio 4000\r\n"),   BROKEN("6", "an m= line of less than three words")},
	{"m= without format",   BYTES(HEAD "m=audio 4000 RTP/AVP\r\n"), BROKEN("6", "an m= line without a format")},
	{"m= with tabs",        BYTES(HEAD "m=audio\t4000\tRTP/AVP\t0\r\n"), BROKEN("6", "an m= line of less than three words")},
	{"negative port",       BYTES(HEAD "m=audio -1 RTP/AVP 0\r\n"),  BROKEN("6", "a port that is none")},
	{"signed port",         BYTES(HEAD "m=audio +1 RTP/AVP 0\r\n"),  BROKEN("6", "a port that is none")},
	{"port of letters",     BYTES(HEAD "m=audio x RTP/AVP 0\r\n"),   BROKEN("6", "a port that is none")},
	{"port 65536",          BYTES(HEAD "m=audio 65536 RTP/AVP 0\r\n"), BROKEN("6", "a port that is none")},
	{"port over 64 bits",   BYTES(HEAD "m=audio 18446744073709551617 RTP/AVP 0\r\n"), BROKEN("6", "a port that is none")},
	{"no port, a count",    BYTES(HEAD "m=audio /2 RTP/AVP 0\r\n"),  BROKEN("6", "a port that is none")},
	{"0 ports",             BYTES(HEAD "m=audio 4000/0 RTP/AVP 0\r\n"), BROKEN("6", "a number of ports that is none")},
	{"no count",            BYTES(HEAD "m=audio 4000/ RTP/AVP 0\r\n"),  BROKEN("6", "a number of ports that is none")},
	{"negative count",      BYTES(HEAD "m=audio 4000/-2 RTP/AVP 0\r\n"), BROKEN("6", "a number of ports that is none")},
	{"huge count",          BYTES(HEAD "m=audio 4000/65536 RTP/AVP 0\r\n"), BROKEN("6", "a number of ports that is none")},
	{"kind is no word",     BYTES(HEAD "m=au\x1b""dio 1 RTP/AVP 0\r\n"),  BROKEN("6", "an m= line of what are no words")},
	{"proto is no word",    BYTES(HEAD "m=audio 1 RTP\x7f 0\r\n"),        BROKEN("6", "an m= line of what are no words")},
	{"format is no word",   BYTES(HEAD "m=audio 1 RTP/AVP 0 \xc3\xa4\r\n"), BROKEN("6", "an m= line with a format that is no word")},
};
/* clang-format on */

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct parsed parsed;
		int err = parse(&parsed, rows[i].bytes, rows[i].len);

		if (err != (rows[i].words ? -EPROTO : 0))
			fail_msg("%s: got %d (%s)", rows[i].name, err, parsed.why.words);
		if (rows[i].words && strcmp(parsed.why.words, rows[i].words) != 0)
			fail_msg("%s: got the words %s", rows[i].name, parsed.why.words);
		assert_int_equal(parsed.session != NULL, err == 0);
		forget(&parsed);
	}
}

static void test_every_field(void **state)
{
	static const char text[] = V "o=some phone 11 12 IN IP6 host.example\r\n"
				     "s=a call\r\ns=again\r\ni=more\r\n"
				     "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\n"
				     "b=CT:64\r\nb=AS:1\r\nt=1 2\r\nt=3 4\r\n"
				     "a=group:BUNDLE 1\r\na=recvonly\r\na=inactive\r\n"
				     "m=audio 49170/2 RTP/AVPF 96 0\r\n"
				     "b=AS:50\r\n"
				     "c=IN IP6 2001:db8::1\r\nc=IN IP6 2001:db8::2\r\n"
				     "a=fmtp:96  useinbandfec=1 \r\na=fmtp:96 second\r\n"
				     "a=rtpmap:96 opus/48000/2\r\na=rtpmap:96 other/1\r\n"
				     "a=ptime:40\r\na=maxptime:120\r\n"
				     "a=rtcp:53020 IN IP4 192.0.2.3\r\na=RTCP-mux\r\n"
				     "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n"
				     "a=SendOnly\r\na=sendrecv\r\n"
				     "m=image 4002 udptl t38\r\n";
	const struct sdp_media *media;
	const struct sdp_session *session;
	struct parsed parsed;
	struct slice value = {0};
	struct addr addr;

	(void)state;
	assert_int_equal(parse(&parsed, BYTES(text)), 0);
	session = parsed.session;
	expect_slice("user", session->origin.user, "some phone");
	expect_slice("id", session->origin.session_id, "11");
	expect_slice("version", session->origin.version, "12");
	expect_slice("net", session->origin.net_type, "IN");
	expect_slice("type", session->origin.addr_type, "IP6");
	expect_slice("host", session->origin.host, "host.example");
	expect_slice("name", session->name, "a call");
	expect_slice("time", session->time, "1 2");
	expect_slice("bandwidth", session->bandwidth, "CT:64");
	expect_slice("connection", session->connection.host, "192.0.2.1");
	assert_int_equal(session->direction, SDP_RECVONLY);
	assert_int_equal(session->attributes.count, 3);
	assert_int_equal(session->media_count, 2);

	media = &session->media[0];
	expect_slice("kind", media->kind, "audio");
	expect_slice("proto", media->proto, "RTP/AVPF");
	expect_slice("bandwidth", media->bandwidth, "AS:50");
	assert_int_equal(media->port, 49170);
	assert_int_equal(media->port_count, 2);
	assert_int_equal(addr_parse(&addr, slice_of("2001:db8::1")), 0);
	assert_true(addr_equal(&media->connection.addr, &addr));
	assert_int_equal(media->direction, SDP_SENDONLY);
	assert_int_equal(media->ptime_ms, 40);
	assert_int_equal(media->maxptime_ms, 120);
	assert_int_equal(media->rtcp_port, 53020);
	assert_int_equal(addr_parse(&addr, slice_of("192.0.2.3")), 0);
	assert_true(addr_equal(&media->rtcp_connection.addr, &addr));
	assert_true(media->rtcp_mux);

	assert_int_equal(media->format_count, 2);
	expect_slice("format", media->formats[0].word, "96");
	assert_int_equal(media->formats[0].payload_type, 96);
	assert_true(media->formats[0].mapped);
	expect_slice("encoding", media->formats[0].encoding, "opus");
	assert_int_equal(media->formats[0].clock_rate, 48000);
	assert_int_equal(media->formats[0].channels, 2);
	expect_slice("fmtp", media->formats[0].fmtp, "useinbandfec=1");
	assert_false(media->formats[1].mapped);
	expect_slice("static", media->formats[1].encoding, "PCMU");

	assert_int_equal(media->attributes.count, 11);
	expect_slice("order", media->attributes.list[0].value, "96  useinbandfec=1 ");
	expect_slice("order", media->attributes.list[10].name, "sendrecv");
	assert_true(sdp_attribute_get(&value, media->attributes, "Crypto"));
	expect_slice("unknown", value, "1 AES_CM_128_HMAC_SHA1_80 inline:abc");
	assert_true(sdp_attribute_get(&value, media->attributes, "rtpmap"));
	expect_slice("the first", value, "96 opus/48000/2");
	assert_false(sdp_attribute_get(&value, media->attributes, "rtpma"));
	expect_slice("untouched", value, "96 opus/48000/2");

	media = &session->media[1];
	expect_slice("inherited", media->connection.host, "192.0.2.1");
	assert_int_equal(media->direction, SDP_RECVONLY);
	assert_int_equal(media->port_count, 1);
	assert_int_equal(media->ptime_ms, 0);
	assert_false(media->rtcp_mux);
	assert_int_equal(media->attributes.count, 0);
	assert_int_equal(media->format_count, 1);
	assert_int_equal(media->formats[0].payload_type, SDP_PT_NONE);
	expect_slice("t38", media->formats[0].word, "t38");
	forget(&parsed);
}

static void test_direction_is_both_ways_by_default(void **state)
{
	struct parsed parsed;

	(void)state;
	assert_int_equal(parse(&parsed, BYTES(HEAD AUDIO)), 0);
	assert_int_equal(parsed.session->direction, SDP_SENDRECV);
	assert_int_equal(parsed.session->media[0].direction, SDP_SENDRECV);
	forget(&parsed);
}

static void test_lines_of_the_session_alone(void **state)
{
	struct parsed parsed;

	(void)state;
	assert_int_equal(parse(&parsed, BYTES(V O AUDIO "s=x\r\nt=1 1\r\n")), 0);
	expect_slice("name", parsed.session->name, "");
	expect_slice("time", parsed.session->time, "");
	forget(&parsed);
}

/* clang-format off */
static const struct {
	const char *line;
	const char *host;
	const char *addr; /* NULL: none that can be used */
} connections[] = {
	{"c=IN IP4 192.0.2.1",          "192.0.2.1",    "192.0.2.1"},
	{"c=in ip4 192.0.2.1 ",         "192.0.2.1",    "192.0.2.1"},
	{"c=IN IP4  192.0.2.1 more",    "192.0.2.1",    "192.0.2.1"},
	{"c=IN IP4 0.0.0.0",            "0.0.0.0",      "0.0.0.0"},
	{"c=IN IP4 224.2.1.1/127",      "224.2.1.1",    "224.2.1.1"},
	{"c=IN IP4 224.2.1.1/127/3",    "224.2.1.1",    "224.2.1.1"},
	{"c=IN IP6 ff15::101/3",        "ff15::101",    "ff15::101"},
	{"c=IN IP6 ::",                 "::",           "::"},
	{"c=IN IP6 2001:db8::1",        "2001:db8::1",  "2001:db8::1"},
	{"c=IN IP4 media.example.com",  "media.example.com", NULL},
	{"c=IN IP4 2001:db8::1",        "2001:db8::1",  NULL},
	{"c=IN IP6 192.0.2.1",          "192.0.2.1",    NULL},
	{"c=IN IP5 192.0.2.1",          "192.0.2.1",    NULL},
	{"c=ATM IP4 192.0.2.1",         "192.0.2.1",    NULL},
	{"c=IN IP6 fe80::1%2",          "fe80::1%2",    NULL},
	{"c=IN IP4 192.0.2.256",        "192.0.2.256",  NULL},
	{"c=IN IP4 192.0.2.1:80",       "192.0.2.1:80", NULL},
};
/* clang-format on */

static void test_connections(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(connections); i++) {
		const struct sdp_connection *got;
		struct addr wanted = {0};
		struct parsed parsed;
		char text[256];

		snprintf(text, sizeof(text), V O "%s\r\n" AUDIO, connections[i].line);
		assert_int_equal(parse(&parsed, text, strlen(text)), 0);
		got = &parsed.session->media[0].connection;
		expect_slice(connections[i].line, got->host, connections[i].host);
		if (connections[i].addr)
			assert_int_equal(addr_parse(&wanted, slice_of(connections[i].addr)), 0);
		if (!addr_equal(&got->addr, &wanted))
			fail_msg("%s: another address", connections[i].line);
		forget(&parsed);
	}
}

/* clang-format off */
static const struct {
	const char *lines; /* of a medium with the formats 0, 96 and 126 */
	const char *encoding; /* what 96 is */
	unsigned int clock_rate, channels;
} rtpmaps[] = {
	{"",                                             "",     0,          1},
	{"a=rtpmap:96 opus/48000/2",                     "opus", 48000,      2},
	{"a=rtpmap: 96  opus/48000/2 ",                  "opus", 48000,      2},
	{"a=RTPMAP:96 opus/48000/2",                     "opus", 48000,      2},
	{"a=rtpmap:96 G722/8000",                        "G722", 8000,       1},
	{"a=rtpmap:96 x/4294967295/255",                 "x",    4294967295, 255},
	{"a=rtpmap:096 x/1",                             "x",    1,          1},
	{"a=rtpmap:96 x/8000\r\na=rtpmap:96 y/1",        "x",    8000,       1},
	{"a=rtpmap:96 x\r\na=rtpmap:96 y/1",             "y",    1,          1},
	{"a=rtpmap:96 x/4294967296",                     "",     0,          1},
	{"a=rtpmap:96 x/99999999999999999999",           "",     0,          1},
	{"a=rtpmap:96 x/-1",                             "",     0,          1},
	{"a=rtpmap:96 x/0",                              "",     0,          1},
	{"a=rtpmap:96 x/8000/0",                         "",     0,          1},
	{"a=rtpmap:96 x/8000/256",                       "",     0,          1},
	{"a=rtpmap:96 x/8000/",                          "",     0,          1},
	{"a=rtpmap:96 x/8000/2/2",                       "",     0,          1},
	{"a=rtpmap:96 x/",                               "",     0,          1},
	{"a=rtpmap:96 x",                                "",     0,          1},
	{"a=rtpmap:96 /8000",                            "",     0,          1},
	{"a=rtpmap:96 x y/8000",                         "",     0,          1},
	{"a=rtpmap:96 \x1b[2J/8000",                     "",     0,          1},
	{"a=rtpmap:96",                                  "",     0,          1},
	{"a=rtpmap:",                                    "",     0,          1},
	{"a=rtpmap",                                     "",     0,          1},
	{"a=rtpmap:97 x/8000",                           "",     0,          1},
	{"a=rtpmap:-96 x/8000",                          "",     0,          1},
	{"a=rtpmap:224 x/8000",                          "",     0,          1},
};
/* clang-format on */

static void test_rtpmaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rtpmaps); i++) {
		const struct sdp_format *got;
		struct parsed parsed;
		char text[512];

		snprintf(text, sizeof(text), HEAD "m=audio 1 RTP/AVP 0 96 126\r\n%s\r\n",
			rtpmaps[i].lines);
		assert_int_equal(parse(&parsed, text, strlen(text)), 0);
		got = &parsed.session->media[0].formats[1];
		expect_slice(rtpmaps[i].lines, got->encoding, rtpmaps[i].encoding);
		if (got->clock_rate != rtpmaps[i].clock_rate ||
			got->channels != rtpmaps[i].channels ||
			got->mapped != (rtpmaps[i].clock_rate > 0))
			fail_msg("%s: got %u/%u, %d", rtpmaps[i].lines, got->clock_rate,
				got->channels, got->mapped);
		forget(&parsed);
	}
}

static void test_static_types(void **state)
{
	static const struct {
		const char *kind;
		const char *word;
		const char *encoding;
		unsigned int clock_rate, channels;
	} types[] = {
		{"audio", "0", "PCMU", 8000, 1},
		{"audio", "00", "PCMU", 8000, 1},
		{"audio", "3", "GSM", 8000, 1},
		{"audio", "7", "LPC", 8000, 1},
		{"audio", "8", "PCMA", 8000, 1},
		{"audio", "9", "G722", 8000, 1},
		{"audio", "10", "L16", 44100, 2},
		{"audio", "11", "L16", 44100, 1},
		{"audio", "13", "CN", 8000, 1},
		{"audio", "18", "G729", 8000, 1},
		{"AUDIO", "8", "PCMA", 8000, 1},
		{"audio", "1", "", 0, 1},
		{"audio", "19", "", 0, 1},
		{"audio", "x", "", 0, 1},
		{"video", "0", "", 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(types); i++) {
		const struct sdp_format *got;
		struct parsed parsed;
		char text[256];

		snprintf(text, sizeof(text), HEAD "m=%s 1 RTP/AVP %s\r\n", types[i].kind,
			types[i].word);
		assert_int_equal(parse(&parsed, text, strlen(text)), 0);
		got = &parsed.session->media[0].formats[0];
		expect_slice(types[i].word, got->encoding, types[i].encoding);
		assert_int_equal(got->clock_rate, types[i].clock_rate);
		assert_int_equal(got->channels, types[i].channels);
		forget(&parsed);
	}
}

/* One that says what a static number already was, or another thing: theirs to say. */
static void test_rtpmap_of_a_static_type(void **state)
{
	struct parsed parsed;

	(void)state;
	assert_int_equal(parse(&parsed, BYTES(HEAD AUDIO "a=rtpmap:0 x/9\r\n")), 0);
	expect_slice("said", parsed.session->media[0].formats[0].encoding, "x");
	forget(&parsed);
	assert_int_equal(parse(&parsed, BYTES(HEAD AUDIO "a=rtpmap:0 x\r\n")), 0);
	expect_slice("malformed", parsed.session->media[0].formats[0].encoding, "PCMU");
	forget(&parsed);
}

/* Formats and attributes of several media share one room, which is no larger than they need. */
static void test_full_media(void **state)
{
	static char room[SDP_MEDIA_MAX * 400];
	struct text text = TEXT_IN(room);
	struct parsed parsed;

	(void)state;
	text_puts(&text, HEAD);
	for (size_t m = 0; m < SDP_MEDIA_MAX; m++) {
		text_puts(&text, m % 2 ? "m=audio 2 RTP/AVP" : "m=  audio 2  RTP/AVP  ");
		for (size_t f = 0; f < SDP_FORMATS_MAX; f++)
			text_printf(&text, " %zu", f);
		text_printf(&text, " 0 63 1\r\na=x:%zu\r\na=fmtp:63 y=%zu\r\n", m, m);
	}
	assert_false(text.cut);
	assert_int_equal(parse(&parsed, room, text.len), 0);
	assert_int_equal(parsed.session->media_count, SDP_MEDIA_MAX);
	for (size_t m = 0; m < SDP_MEDIA_MAX; m++) {
		const struct sdp_media *media = &parsed.session->media[m];
		char number[20], fmtp[24];

		assert_int_equal(media->format_count, SDP_FORMATS_MAX);
		for (int f = 0; f < SDP_FORMATS_MAX; f++)
			assert_int_equal(media->formats[f].payload_type, f);
		snprintf(number, sizeof(number), "%zu", m);
		snprintf(fmtp, sizeof(fmtp), "y=%zu", m);
		expect_slice("fmtp", media->formats[SDP_FORMATS_MAX - 1].fmtp, fmtp);
		assert_int_equal(media->attributes.count, 2);
		expect_slice("attribute", media->attributes.list[0].value, number);
	}
	forget(&parsed);
}

static void test_formats_are_kept_once(void **state)
{
	const struct sdp_media *media;
	struct parsed parsed;

	(void)state;
	assert_int_equal(parse(&parsed, BYTES(HEAD "m=audio 1 RTP/AVP 8 0 8 008 128 x x 0\r\n"
						   "a=fmtp:x of a word\r\na=rtpmap:x "
						   "PCMU/8000\r\na=fmtp:9 of none\r\n")),
		0);
	media = &parsed.session->media[0];
	assert_int_equal(media->format_count, 4);
	expect_slice("first", media->formats[0].word, "8");
	expect_slice("second", media->formats[1].word, "0");
	expect_slice("too large", media->formats[2].word, "128");
	assert_int_equal(media->formats[2].payload_type, SDP_PT_NONE);
	expect_slice("word", media->formats[3].word, "x");
	expect_slice("fmtp", media->formats[3].fmtp, "of a word");
	expect_slice("no type", media->formats[3].encoding, "");
	forget(&parsed);
}

/* clang-format off */
static const struct {
	const char *line;
	unsigned int ptime_ms, maxptime_ms, rtcp_port;
	const char *rtcp_host;
} numbers[] = {
	{"a=ptime:20",                       20, 0,    0,     ""},
	{"a=ptime: 20 ",                     20, 0,    0,     ""},
	{"a=ptime:5",                        5,  0,    0,     ""},
	{"a=ptime:200",                      200, 0,   0,     ""},
	{"a=ptime:4",                        0,  0,    0,     ""},
	{"a=ptime:201",                      0,  0,    0,     ""},
	{"a=ptime:0",                        0,  0,    0,     ""},
	{"a=ptime:-20",                      0,  0,    0,     ""},
	{"a=ptime:20.5",                     0,  0,    0,     ""},
	{"a=ptime:99999999999999999999",     0,  0,    0,     ""},
	{"a=ptime",                          0,  0,    0,     ""},
	{"a=maxptime:150",                   0,  150,  0,     ""},
	{"a=maxptime:1000",                  0,  1000, 0,     ""},
	{"a=maxptime:1001",                  0,  0,    0,     ""},
	{"a=maxptime:4",                     0,  0,    0,     ""},
	{"a=rtcp:53020",                     0,  0,    53020, ""},
	{"a=rtcp:53020 IN IP4 192.0.2.3",    0,  0,    53020, "192.0.2.3"},
	{"a=rtcp:53020 IN IP4 host.example", 0,  0,    53020, "host.example"},
	{"a=rtcp:53020 IN",                  0,  0,    0,     ""},
	{"a=rtcp:0 IN IP4 192.0.2.3",        0,  0,    0,     ""},
	{"a=rtcp:0",                         0,  0,    0,     ""},
	{"a=rtcp:65536",                     0,  0,    0,     ""},
	{"a=rtcp:-1",                        0,  0,    0,     ""},
	{"a=rtcp:",                          0,  0,    0,     ""},
};
/* clang-format on */

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(numbers); i++) {
		const struct sdp_media *got;
		struct parsed parsed;
		char text[256];

		snprintf(text, sizeof(text), HEAD "%s\r\n" AUDIO "%s\r\n", numbers[i].line,
			numbers[i].line);
		assert_int_equal(parse(&parsed, text, strlen(text)), 0);
		got = &parsed.session->media[0];
		if (got->ptime_ms != numbers[i].ptime_ms ||
			got->maxptime_ms != numbers[i].maxptime_ms ||
			got->rtcp_port != numbers[i].rtcp_port)
			fail_msg("%s: got %u, %u, %u", numbers[i].line, got->ptime_ms,
				got->maxptime_ms, got->rtcp_port);
		expect_slice(numbers[i].line, got->rtcp_connection.host, numbers[i].rtcp_host);
		forget(&parsed);
	}
}

/* clang-format off */
static const struct {
	const char *before;
	const char *many;
	size_t most;
	const char *words;
} caps[] = {
	{HEAD, "m=audio 1 RTP/AVP 0\r\n", 16, "their session description has more than 16 m= lines"},
	{HEAD, "a=x\r\n", 1024, "their session description has more than 1024 a= lines"},
	{HEAD AUDIO, "a=rtpmap:96 x/8000\r\n", 64,
		BROKEN("71", "more than 64 rtpmap attributes for one m= line")},
	{HEAD AUDIO "a=rtpmap:0 PCMU/8000\r\n" AUDIO, "a=rtpmap:96 x/8000\r\n", 64,
		BROKEN("73", "more than 64 rtpmap attributes for one m= line")},
	{HEAD "m=audio 1 ", "X", 64, BROKEN("6", "an m= line of what are no words")},
	{HEAD "m=", "audio", 12, BROKEN("6", "an m= line of what are no words")},
};
/* clang-format on */

static void test_caps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(caps); i++) {
		char room[8192];

		for (size_t extra = 0; extra < 2; extra++) {
			struct text text = TEXT_IN(room);
			struct parsed parsed;
			int err;

			text_puts(&text, caps[i].before);
			for (size_t n = 0; n < caps[i].most + extra; n++)
				text_puts(&text, caps[i].many);
			if (caps[i].many[1] == 'u')
				text_puts(&text, " 1 RTP/AVP");
			if (caps[i].many[1] == 'u' || caps[i].many[0] == 'X')
				text_puts(&text, " 0\r\n");
			assert_false(text.cut);
			err = parse(&parsed, text.data, text.len);
			if (err != (extra ? -EPROTO : 0) ||
				strcmp(parsed.why.words, extra ? caps[i].words : "") != 0)
				fail_msg("%s, %zu more: got %d (%s)", caps[i].many, extra, err,
					parsed.why.words);
			forget(&parsed);
		}
	}
}

static void test_cap_of_formats(void **state)
{
	(void)state;
	for (unsigned int count = 64; count <= 65; count++) {
		char room[1024];
		struct text text = TEXT_IN(room);
		struct parsed parsed;
		int err;

		text_puts(&text, HEAD "m=audio 1 RTP/AVP");
		for (unsigned int n = 0; n < count; n++)
			text_printf(&text, " %u 0", n); /* the 0 is one that is there already */
		err = parse(&parsed, text.data, text.len);
		assert_int_equal(err, count == 64 ? 0 : -EPROTO);
		assert_string_equal(
			parsed.why.words, count == 64 ? "" : BROKEN("6", "more than 64 formats"));
		if (!err)
			assert_int_equal(parsed.session->media[0].format_count, 64);
		forget(&parsed);
	}
}

static void test_cap_of_bytes(void **state)
{
	static char text[SDP_SIZE_MAX + 1];
	static const char head[] = HEAD "i=";

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, head, sizeof(head) - 1);
	for (size_t extra = 0; extra < 2; extra++) {
		struct parsed parsed;

		assert_int_equal(parse(&parsed, text, SDP_SIZE_MAX + extra), extra ? -EPROTO : 0);
		assert_string_equal(parsed.why.words,
			extra ? "their session description has more than 65536 bytes" : "");
		forget(&parsed);
	}
}

/* Cut off at each byte: refused or understood, but nothing read that is not there. */
static void test_cut_off(void **state)
{
	static const char text[] = HEAD "a=sendonly\r\n" AUDIO "a=rtpmap:96 opus/48000/2\r\n"
					"a=fmtp:96 a=b\r\na=rtcp:1 IN IP4 h\r\na=ptime:20\r\n"
					"m=video 0 RTP/AVP 31\r\n";
	size_t fine = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct parsed parsed;
		int err = parse(&parsed, text, len);

		assert_true(err == 0 || err == -EPROTO);
		fine += err == 0;
		forget(&parsed);
	}
	assert_in_range(fine, 50, sizeof(text) - 20);
}

static void test_fault_may_be_null(void **state)
{
	struct sdp_session *session = NULL;

	(void)state;
	assert_int_equal(sdp_parse(&session, slice_of("v=1\r\n"), NULL), -EPROTO);
	assert_null(session);
}

static void test_no_memory(void **state)
{
	static const char text[] = HEAD AUDIO "a=x\r\n";
	struct sdp_session *session = NULL;
	struct fault why = {0};
	size_t allowed = 0;
	int err;

	(void)state;
	do {
		allocations_left = allowed++;
		err = sdp_parse(&session, slice_of(text), &why);
		allocations_left = SIZE_MAX;

		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(session != NULL, err == 0);
	} while (err);

	assert_string_equal(why.words, "no memory for their session description");
	assert_int_equal(allowed, 2); /* none, the one */
	sdp_free(session);
	sdp_free(NULL);
}

static void test_fmtp(void **state)
{
	static const struct {
		const char *fmtp;
		const char *name;
		const char *value; /* NULL: there is none */
	} fmtps[] = {
		{"a=b;c=d", "a", "b"},
		{"a=b;c=d", "c", "d"},
		{"a=b; C = d e ;f", "c", "d e"},
		{"a=b;c=d", "A", "b"},
		{"a=b=c", "a", "b=c"},
		{"a;c=d", "a", ""},
		{"a=;c=d", "a", ""},
		{"a=1;a=2", "a", "1"},
		{";;a=b;", "a", "b"},
		{"0-15", "0-15", ""},
		{"aa=b", "a", NULL},
		{"a=b", "b", NULL},
		{"", "a", NULL},
		{";=;", "a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(fmtps); i++) {
		struct slice value = slice_of("untouched");
		bool found = sdp_fmtp_get(&value, slice_of(fmtps[i].fmtp), fmtps[i].name);

		assert_int_equal(found, fmtps[i].value != NULL);
		expect_slice(fmtps[i].fmtp, value, found ? fmtps[i].value : "untouched");
	}
}

static void test_print(void **state)
{
	static const char wanted[] = "v=0\r\n"
				     "o=- 18446744073709551615 1 IN IP6 fe80::1\r\n"
				     "s=-\r\n"
				     "c=IN IP6 fe80::1\r\n"
				     "t=0 0\r\n"
				     "m=image 0 udptl t38\r\n"
				     "m=audio 65535 RTP/AVP 96 0\r\n"
				     "a=rtpmap:96 opus/48000/2\r\n"
				     "a=fmtp:96 useinbandfec=1\r\n"
				     "a=rtpmap:0 PCMU/8000\r\n"
				     "a=ptime:20\r\n"
				     "a=rtcp:1\r\n"
				     "a=rtcp-mux\r\n"
				     "a=inactive\r\n"
				     "m=video 0 RTP/AVP 0\r\n";
	static const struct sdp_codec codecs[] = {
		{.name = "opus", .clock_rate = 48000, .channels = 2, .fmtp = "useinbandfec=1"},
		{.name = "PCMU", .clock_rate = 8000, .channels = 1},
	};
	static const struct sdp_described_format formats[] = {{96, &codecs[0]}, {0, &codecs[1]}};
	struct sdp_described_media media[3] = {
		{.kind = slice_of("image"),
			.proto = slice_of("udptl"),
			.refused_format = slice_of("t38")},
		{.kind = slice_of("audio"),
			.proto = slice_of("RTP/AVP"),
			.port = 65535,
			.formats = formats,
			.format_count = 2,
			.ptime_ms = 20,
			.rtcp_port = 1,
			.rtcp_mux = true},
		{.kind = slice_of("video"), .proto = slice_of("RTP/AVP")},
	};
	struct addr addr = {.family = ADDR_IPV6, .port = 9, .scope = 2, .ip = {0xfe, 0x80}};
	struct sdp_description description = {UINT64_MAX, 1, &addr, media, 3};
	char room[sizeof(wanted)];

	(void)state;
	addr.ip[15] = 1;
	for (size_t size = 1; size <= sizeof(room); size++) {
		struct text out = text_in(room, size);
		int err = sdp_print(&out, &description);

		assert_int_equal(err, size < sizeof(wanted) ? -ENOBUFS : 0);
		assert_memory_equal(room, wanted, out.len);
	}
	assert_string_equal(room, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_direction_is_both_ways_by_default),
		cmocka_unit_test(test_lines_of_the_session_alone),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_rtpmaps),
		cmocka_unit_test(test_static_types),
		cmocka_unit_test(test_rtpmap_of_a_static_type),
		cmocka_unit_test(test_full_media),
		cmocka_unit_test(test_formats_are_kept_once),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_cap_of_formats),
		cmocka_unit_test(test_cap_of_bytes),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_fault_may_be_null),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_fmtp),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("sdp/parse", tests, NULL, NULL);
}
