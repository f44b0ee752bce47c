/* cmd/readers/ladder: rows as they are drawn, whose they are, what is kept, and what a hostile far
 * end can not do to them. */
#include "cmd/readers/ladder.h"

#include "cmd/columns.h"
#include "core/base/loop.h"
#include "core/base/text.h"
#include "tests/unit/scarce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM_SIZE = 65536, MESSAGE_SIZE = 8192 };

/* All that was printed, with how wide lines may be. */
struct sheet {
	char room[ROOM_SIZE];
	struct text text;
	size_t columns;
	size_t widest;
};

static void sheet_init(struct sheet *sheet, size_t columns)
{
	sheet->text = TEXT_IN(sheet->room);
	sheet->columns = columns;
	sheet->widest = 0;
}

/* Each line ends once, at its end, and holds nothing that moves a cursor. */
static void take_line(void *arg, struct slice line)
{
	struct sheet *sheet = arg;
	size_t width;

	assert_true(line.len > 0 && line.data[line.len - 1] == '\n');
	assert_int_equal(slice_find(line, '\n'), line.len - 1);
	for (size_t i = 0; i + 1 < line.len; i++)
		assert_true(line.data[i] >= 0x20 && line.data[i] != 0x7f);
	assert_true(line.len < 2 || line.data[line.len - 2] != ' ');
	width = columns_count((struct slice){line.data, line.len - 1});
	sheet->widest = width > sheet->widest ? width : sheet->widest;
	text_put(&sheet->text, line);
	assert_false(sheet->text.cut);
}

static size_t sheet_columns(void *arg)
{
	return ((struct sheet *)arg)->columns;
}

static struct ladder *ladder_on(struct sheet *sheet, size_t columns, bool utf8)
{
	const struct ladder_config config = {
		.utf8 = utf8, .columns = sheet_columns, .line = take_line, .arg = sheet};
	struct ladder *ladder;

	sheet_init(sheet, columns);
	assert_int_equal(ladder_new(&ladder, &config), 0);
	return ladder;
}

static const struct addr ours = {.family = ADDR_IPV4, .port = 5060, .ip = {192, 0, 2, 7}};
static const struct addr proxy = {.family = ADDR_IPV4, .port = 5070, .ip = {192, 0, 2, 9}};
static const struct addr other = {.family = ADDR_IPV6, .port = 5080, .ip = {0x20, [15] = 9}};

#define NOON (1795215600 * NS_PER_S)
#define SENT true
#define CAME false
#define OFFER                                                                                      \
	"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"                \
	"m=audio 4000 RTP/AVP 96 0 101 97 98 13\r\na=rtpmap:96 opus/48000/2\r\n"                   \
	"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:97 L16/16000\r\na=rtpmap:98 L16/8000\r\n"
#define ANSWER                                                                                     \
	"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"                \
	"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"

/* A message of a call from us. Its start line, of a response the method it answers, what differs.
 */
struct said {
	unsigned ms;
	bool sent;
	const struct addr *remote;
	const char *start;
	const char *method; /* of CSeq */
	const char *tag;    /* of To, or "" */
	const char *more;   /* headers, or "" */
	const char *body;
};

static void say_as(struct ladder *ladder, const char *call_id, const struct said *said)
{
	char room[MESSAGE_SIZE];
	struct text text = TEXT_IN(room);

	text_printf(&text,
		"%s\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK%s\r\n"
		"From: \"A\" <sip:alice@192.0.2.7>;tag=us\r\nTo: <sip:bob@example.org>%s%s\r\n"
		"Call-ID: %s\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n%s%sContent-Length: "
		"%zu\r\n\r\n%s",
		said->start, said->method, said->tag[0] ? ";tag=" : "", said->tag, call_id,
		said->method, said->more, said->body[0] ? "Content-Type: application/sdp\r\n" : "",
		strlen(said->body), said->body);
	assert_false(text.cut);
	ladder_message(ladder, NOON + said->ms * NS_PER_MS, said->sent, &ours, said->remote,
		text_slice(&text));
}

static void say_all(struct ladder *ladder, const struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say_as(ladder, "1@x", &said[i]);
}

#define SAY_ALL(ladder, table) say_all((ladder), (table), sizeof(table) / sizeof((table)[0]))
#define REQUEST(ms, method, tag)                                                                   \
	{                                                                                          \
		(ms), SENT, &proxy, method " sip:bob@example.org SIP/2.0", method, tag, "", ""     \
	}
#define RESPONSE(ms, start, method, tag)                                                           \
	{                                                                                          \
		(ms), CAME, &proxy, "SIP/2.0 " start, method, tag, "", ""                          \
	}
#define INVITE(ms)                                                                                 \
	{                                                                                          \
		(ms), SENT, &proxy, "INVITE sip:bob@example.org SIP/2.0", "INVITE", "", "", OFFER  \
	}

static struct ua_event event_of(enum ua_event_kind kind, unsigned ms)
{
	return (struct ua_event){.kind = kind,
		.wall_ns = NOON + ms * NS_PER_MS,
		.call = 3,
		.call_id = slice_of("1@x")};
}

static void tell(struct ladder *ladder, enum ua_event_kind kind, unsigned ms)
{
	struct ua_event event = event_of(kind, ms);

	ladder_event(ladder, &event);
}

static void tell_media(
	struct ladder *ladder, const char *codec, const char *received, const char *srtp)
{
	struct ua_event event = event_of(UA_CALL_MEDIA, 0);

	event.media = (struct ua_media){.codec = codec, .received = received, .srtp = srtp};
	event.media.remote = proxy;
	ladder_event(ladder, &event);
}

static void tell_stats(
	struct ladder *ladder, double duration_s, unsigned sent, unsigned received, bool last)
{
	struct ua_event event = event_of(last ? UA_CALL_STATS : UA_CALL_METER, 2300);

	event.wall_ns += (uint64_t)(duration_s * (double)NS_PER_S);
	event.stats.duration_s = duration_s;
	event.stats.now.sent = sent;
	event.stats.now.received = received;
	event.stats.final = last;
	ladder_event(ladder, &event);
}

static const struct said whole_call[] = {
	INVITE(0),
	INVITE(500),
	RESPONSE(501, "100 Trying", "INVITE", ""),
	RESPONSE(520, "180 Ringing", "INVITE", "b"),
	{2301, CAME, &proxy, "SIP/2.0 200 OK", "INVITE", "b", "", ANSWER},
	{2302, SENT, &other, "ACK sip:b@[2000::9]:5080 SIP/2.0", "ACK", "b", "", ""},
};

static const struct said whole_end[] = {
	{9000, SENT, &other, "BYE sip:b@[2000::9]:5080 SIP/2.0", "BYE", "b", "", ""},
	{9001, CAME, &other, "SIP/2.0 200 OK", "BYE", "b", "", ""},
};

/* With its tag known, the far end is one column wherever its messages go. */
static const char whole_shown[] = "  alice                         bob\n"
				  "192.0.2.7:5060            192.0.2.9:5070\n"
				  "    │ INVITE ───────────────────▶│    0.000  opus pcmu l16\n"
				  "    │ INVITE ───────────────────▶│    0.500  again\n"
				  "    │◀─────────────── 100 Trying │    0.501\n"
				  "    │◀────────────── 180 Ringing │    0.520\n"
				  "    │◀─────────────────── 200 OK │    2.301  sendonly pcmu\n"
				  "    │ ACK ──────────────────────▶│    2.302\n"
				  "    │══════ RTP opus 50/s ══════▶│    3.500  192.0.2.9:5070\n"
				  "    │◀══════ RTP pcmu 25/s ══════│    3.500\n"
				  "    │ BYE ──────────────────────▶│    9.000\n"
				  "    │◀───────────── 200 OK (BYE) │    9.001\n";

static const char whole_narrow[] = "  alice             bob\n"
				   "192.0.2.7:5060 192.0.2.9:5070\n"
				   "    | INVITE ------->|    0.000  opus pc\n"
				   "    | INVITE ------->|    0.500  again\n"
				   "    |<--- 100 Trying |    0.501\n"
				   "    |<-- 180 Ringing |    0.520\n"
				   "    |<------- 200 OK |    2.301  sendonl\n"
				   "    | ACK ---------->|    2.302\n"
				   "    | RTP opus 50/s >|    3.500  192.0.2\n"
				   "    |< RTP pcmu 25/s |    3.500\n"
				   "    | BYE ---------->|    9.000\n"
				   "    |<- 200 OK (BYE) |    9.001\n";

static void play_whole(struct ladder *ladder)
{
	SAY_ALL(ladder, whole_call);
	tell_media(ladder, "opus", "pcmu", NULL);
	tell_stats(ladder, 1.2, 60, 30, false);
	SAY_ALL(ladder, whole_end);
	tell(ladder, UA_CALL_ENDED, 9001);
}

static void test_whole_call(void **state)
{
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	play_whole(ladder);
	assert_string_equal(sheet.room, whole_shown);

	/* and once more when it is over, by what has become known */
	sheet_init(&sheet, 79);
	assert_int_equal(ladder_print(ladder, 3, take_line, &sheet), 0);
	assert_non_null(strstr(sheet.room, "  bob   #3\n"));
	assert_string_equal(strchr(sheet.room, '\n') + 1, strchr(whole_shown, '\n') + 1);
	assert_int_equal(ladder_print(ladder, 4, take_line, &sheet), -ENOENT);
	assert_int_equal(ladder_print(ladder, 0, take_line, &sheet), 0);
	ladder_free(ladder);
}

static void test_narrow_and_ascii(void **state)
{
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 40, false);

	(void)state;
	play_whole(ladder);
	assert_string_equal(sheet.room, whole_narrow);
	ladder_free(ladder);
}

static void test_last(void **state)
{
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	assert_int_equal(ladder_last(ladder, 0, 5, take_line, &sheet), -ENOENT);
	play_whole(ladder);
	sheet_init(&sheet, 79);
	assert_int_equal(ladder_last(ladder, 3, 4, take_line, &sheet), 0);
	assert_string_equal(sheet.room,
		"    bob > alice  200 OK                             +2.301\n"
		"    alice > bob  ACK b@[2000::9]:5080               +2.302\n"
		"    alice > bob  BYE b@[2000::9]:5080               +9.000\n"
		"    bob > alice  200 OK (BYE)                       +9.001\n");
	sheet_init(&sheet, 79);
	assert_int_equal(ladder_last(ladder, 3, 100, take_line, &sheet), 0);
	assert_non_null(strstr(sheet.room, "alice > bob  INVITE bob@example.org"));
	assert_int_equal(ladder_last(ladder, 3, 0, take_line, &sheet), 0);
	assert_int_equal(ladder_last(ladder, 8, 5, take_line, &sheet), -ENOENT);
	ladder_free(ladder);
}

/* Each place that a redirection leads to has its column, with a new head when it comes. */
static void test_redirection(void **state)
{
	static const struct said said[] = {
		INVITE(0),
		{10, CAME, &proxy, "SIP/2.0 302 Moved", "INVITE", "p",
			"Contact: <sip:carol@example.net>\r\n", ""},
		REQUEST(11, "ACK", "p"),
		{12, SENT, &other, "INVITE sip:carol@example.net SIP/2.0", "INVITE", "", "", OFFER},
		{20, CAME, &other, "SIP/2.0 486 Busy Here", "INVITE", "c", "", ""},
		{21, SENT, &other, "ACK sip:carol@example.net SIP/2.0", "ACK", "c", "", ""},
		{22, SENT, &other, "INVITE sip:dave@example.net SIP/2.0", "INVITE", "", "", OFFER},
		{30, CAME, &other, "SIP/2.0 200 OK", "INVITE", "d", "", ANSWER},
	};
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	SAY_ALL(ladder, said);
	assert_string_equal(sheet.room,
		"  alice                         bob\n"
		"192.0.2.7:5060            192.0.2.9:5070\n"
		"    │ INVITE ───────────────────▶│    0.000  opus pcmu l16\n"
		"    │◀──────────────── 302 Moved │    0.010  to carol@example.net\n"
		"    │ ACK ──────────────────────▶│    0.011\n"
		"\n"
		"  alice                   bob                   carol\n"
		"192.0.2.7:5060      192.0.2.9:5070         [2000::9]:5080\n"
		"    │ INVITE ──────────────┼─────────────────────▶│    0.012  opus pcmu l16\n"
		"    │◀─────────────────────┼─────── 486 Busy Here │    0.020\n"
		"    │ ACK ─────────────────┼─────────────────────▶│    0.021\n"
		"\n"
		"  alice             bob             carol            dave\n"
		"192.0.2.7:5060 192.0.2.9:5070  [2000::9]:5080   [2000::9]:5080\n"
		"    │ INVITE ────────┼────────────────┼───────────────▶│    0.022  opus pcmu l1\n"
		"    │◀───────────────┼────────────────┼──────── 200 OK │    0.030  sendonly "
		"pcm\n");
	ladder_free(ladder);
}

/* A proxy that forks answers for each branch by its own tag; what ends for one ends for it alone.
 */
static void test_fork(void **state)
{
	static const struct said said[] = {
		INVITE(0),
		{10, CAME, &proxy, "SIP/2.0 180 Ringing", "INVITE", "b1",
			"Contact: <sip:desk@192.0.2.20>\r\n", ""},
		{11, CAME, &proxy, "SIP/2.0 180 Ringing", "INVITE", "b2",
			"Contact: <sip:mobile@192.0.2.21>\r\n", ""},
		{12, CAME, &proxy, "SIP/2.0 200 OK", "INVITE", "b1", "", ""},
		REQUEST(13, "ACK", "b1"),
		{14, CAME, &proxy, "SIP/2.0 200 OK", "INVITE", "b2", "", ""},
		REQUEST(15, "ACK", "b2"),
		REQUEST(16, "BYE", "b2"),
		RESPONSE(17, "200 OK", "BYE", "b2"),
	};
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	SAY_ALL(ladder, said);
	assert_string_equal(strstr(sheet.room, "\n\n") + 2,
		"  alice                   bob                  mobile\n"
		"192.0.2.7:5060      192.0.2.9:5070         192.0.2.9:5070\n"
		"    │◀─────────────────────┼───────── 180 Ringing │    0.011\n"
		"    │◀───────────── 200 OK │                      │    0.012\n"
		"    │ ACK ────────────────▶│                      │    0.013\n"
		"    │◀─────────────────────┼────────────── 200 OK │    0.014\n"
		"    │ ACK ─────────────────┼─────────────────────▶│    0.015\n"
		"    │ BYE ─────────────────┼─────────────────────▶│    0.016\n"
		"    │◀─────────────────────┼──────── 200 OK (BYE) │    0.017\n");
	ladder_free(ladder);
}

/* A refusal may come by a tag that no later answer has, as from a proxy that asks for a password;
 * one within a dialog leaves it as it was. */
static void test_same_far_end(void **state)
{
	static const struct said said[] = {
		INVITE(0),
		RESPONSE(1, "401 Unauthorized", "INVITE", "p1"),
		REQUEST(2, "ACK", "p1"),
		INVITE(3),
		RESPONSE(4, "180 Ringing", "INVITE", "b"),
		RESPONSE(5, "200 OK", "INVITE", "b"),
		REQUEST(6, "ACK", "b"),
		REQUEST(7, "INVITE", "b"),
		RESPONSE(8, "488 Not Acceptable Here", "INVITE", "b"),
		REQUEST(9, "ACK", "b"),
		{10, SENT, &other, "BYE sip:b@[2000::9]:5080 SIP/2.0", "BYE", "b", "", ""},
	};
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	SAY_ALL(ladder, said);
	assert_null(strstr(sheet.room, "\n\n"));
	ladder_free(ladder);
}

/* Whatever is said, lines stay within their width and hold no byte that does harm. */
static void test_hostile(void **state)
{
	static char long_text[6000];
	static const char *const texts[] = {
		"\x1b]0;owned\x07\x1b[2J",
		"\xff\xfe\xed\xa0\x80",
		"\xe2\x80\xae"
		"evil",
		"\xe5\xbc\xa0\xe5\xbc\xa0\xe5\xbc\xa0\xe5\xbc\xa0\xe5\xbc\xa0\xe5\xbc\xa0\xe5\xbc"
		"\xa0",
		"o\xcc\x88\xcc\x88\xcc\x88\xcc\x88\xcc\x88",
		"%s%n%d",
		long_text,
	};
	static const size_t widths[] = {1, 24, 40, 79, 132, 400};
	static struct sheet sheet;
	struct ladder *ladder;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
		ladder = ladder_on(&sheet, widths[w], w % 2 == 0);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			char start[MESSAGE_SIZE / 2 + 2048], more[MESSAGE_SIZE / 2 + 2048];
			struct said said = {1, CAME, &proxy, start, "INVITE", "t", more, ANSWER};

			snprintf(start, sizeof(start), "SIP/2.0 302 %s", texts[i]);
			snprintf(more, sizeof(more), "X: y\r\n");
			say_as(ladder, "2@x", &said);
			said.body = "";
			snprintf(more, sizeof(more), "Contact: <sip:%s@h>\r\n", texts[i]);
			snprintf(start, sizeof(start), "SIP/2.0 302 x");
			say_as(ladder, "2@x", &said);
			said = (struct said){2, SENT, &other, start, "INVITE", "", "", OFFER};
			snprintf(start, sizeof(start), "INVITE sip:%zu@h SIP/2.0", i);
			say_as(ladder, "2@x", &said);
		}
		assert_true(sheet.widest > 0 && sheet.widest <= widths[w]);
		ladder_free(ladder);
	}
}

/* What cannot be read, or has no Call-ID, is no row. */
static void test_no_message(void **state)
{
	static const char *const texts[] = {"", "\r\n\r\n", "INVITE", "SIP/2.0 200 OK\r\n\r\n",
		"OPTIONS sip:x SIP/2.0\r\n\r\n"};
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ladder_message(ladder, NOON, CAME, &ours, &proxy, slice_of(texts[i]));
	tell(ladder, UA_CALL_RINGING, 0);
	tell_stats(ladder, 1, 50, 50, true);
	assert_string_equal(sheet.room, "");
	ladder_free(ladder);
}

/* Sound is told when it begins, when it goes on by another codec and when its rate changes. */
static void test_sound(void **state)
{
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);
	static const char *const steps[] = {
		"RTP opus 50/s", "SRTP pcmu 49/s", "SRTP pcmu 33/s", "SRTP pcmu 0/s"};
	unsigned sent = 0;

	(void)state;
	SAY_ALL(ladder, whole_call);
	tell_stats(ladder, 0.1, 5, 0, false); /* no codec is known yet */
	tell_media(ladder, NULL, NULL, NULL);
	tell_media(ladder, "opus", NULL, NULL);
	for (unsigned s = 1; s <= 20; s++) {
		if (s == 6) /* pcmu from the 6th second on */
			tell_media(ladder, "pcmu", NULL, "aes");
		sent += s <= 10 ? 49 + s % 3 : s <= 15 ? 33 : 0;
		tell_stats(ladder, s, sent, 0, false);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *at = strstr(sheet.room, steps[i]);

		assert_non_null(at);
		assert_null(strstr(at + 1, steps[i]));
	}
	assert_null(strstr(sheet.room, "◀═")); /* nothing came */
	ladder_free(ladder);
}

/* A call that is over before a second has passed is told of with what there was. */
static void test_short_sound(void **state)
{
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);

	(void)state;
	SAY_ALL(ladder, whole_call);
	tell_media(ladder, "opus", NULL, NULL);
	tell_stats(ladder, 0.2, 10, 10, false);
	assert_null(strstr(sheet.room, "RTP"));
	tell_stats(ladder, 0.5, 25, 26, true);
	assert_non_null(strstr(sheet.room, "│══════ RTP opus 50/s ══════▶│"));
	assert_non_null(strstr(sheet.room, "│◀══════ RTP opus 52/s ══════│"));
	ladder_free(ladder);
}

static void say_in(struct ladder *ladder, unsigned number, bool ended)
{
	static const struct said invite = INVITE(0);
	struct ua_event event = {.kind = UA_CALL_RINGING, .call = number};
	char id[32];

	snprintf(id, sizeof(id), "%u@many", number);
	say_as(ladder, id, &invite);
	event.call_id = slice_of(id);
	ladder_event(ladder, &event);
	event.kind = UA_CALL_ENDED;
	if (ended)
		ladder_event(ladder, &event);
}

/* Of many calls those that are over go first, the oldest before the others. */
static void test_bounds(void **state)
{
	static const struct said ringing = RESPONSE(1, "180 Ringing", "INVITE", "b");
	static struct sheet sheet;
	struct ladder_config config = {0};
	struct ladder *ladder;

	(void)state;
	assert_int_equal(ladder_new(&ladder, &config), 0);
	say_in(ladder, 1, false);
	for (unsigned i = 2; i <= LADDER_CALLS + 10; i++)
		say_in(ladder, i, true);
	sheet_init(&sheet, 79);
	assert_int_equal(ladder_print(ladder, 1, take_line, &sheet), 0);
	assert_int_equal(ladder_print(ladder, 11, take_line, &sheet), -ENOENT);
	assert_int_equal(ladder_print(ladder, 12, take_line, &sheet), 0);
	for (unsigned i = 0; i < LADDER_CALLS; i++) /* though all live */
		say_in(ladder, 1000 + i, false);
	assert_int_equal(ladder_print(ladder, 1, take_line, &sheet), -ENOENT);
	say_in(ladder, 2000, false);
	assert_int_equal(ladder_print(ladder, 1000, take_line, &sheet), -ENOENT);

	for (unsigned i = 0; i < LADDER_ENTRIES + 1; i++)
		say_as(ladder, "2000@many", &ringing);
	sheet_init(&sheet, 79);
	assert_int_equal(ladder_print(ladder, 2000, take_line, &sheet), 0);
	assert_non_null(strstr(sheet.room, "\n    2 earlier rows are not kept\n"));
	assert_null(strstr(sheet.room, "INVITE"));
	ladder_free(ladder);
	ladder_free(NULL);
}

/* Two calls side by side: each row stands under the head of its call. */
static void test_two_calls(void **state)
{
	static const struct said invite = INVITE(0);
	static struct sheet sheet;
	struct ladder *ladder = ladder_on(&sheet, 79, true);
	size_t heads = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		say_as(ladder, "a", &invite);
		say_as(ladder, "b", &invite);
	}
	for (const char *at = sheet.room; (at = strstr(at, "alice")); at++)
		heads++;
	assert_int_equal(heads, 4);
	ladder_free(ladder);
}

/* Each allocation fails in turn: a row is missing then, and nothing else. */
static void test_no_memory(void **state)
{
	static struct sheet sheet;
	const struct ladder_config config = {
		.columns = sheet_columns, .line = take_line, .arg = &sheet};
	struct ladder *ladder = NULL;
	size_t allowed = 0;
	bool whole;

	(void)state;
	allocations_left = 0;
	assert_int_equal(ladder_new(&ladder, &config), -ENOMEM);
	do {
		allocations_left = SIZE_MAX;
		sheet_init(&sheet, 40);
		assert_int_equal(ladder_new(&ladder, &config), 0);
		allocations_left = allowed++;
		play_whole(ladder);
		whole = allocations_left > 0;
		allocations_left = SIZE_MAX;
		ladder_free(ladder);
	} while (!whole);
	assert_string_equal(sheet.room, whole_narrow);
	assert_true(allowed > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_call),
		cmocka_unit_test(test_narrow_and_ascii),
		cmocka_unit_test(test_last),
		cmocka_unit_test(test_redirection),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_same_far_end),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_short_sound),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_two_calls),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/readers/ladder", tests, NULL, NULL);
}
