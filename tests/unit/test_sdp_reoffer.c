/* core/sdp/offer_answer: the lines of a session that is changed, in offers and in answers. */
#include "core/sdp/offer_answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define HEAD "v=0\r\no=- 7 8 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define OUR_HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct sdp_codec codecs[] = {
	{"opus", 48000, 2, 111, false, NULL, 0},
	{"PCMU", 8000, 1, 0, false, NULL, 1},
};

static struct sdp_local local_of(const struct sdp_line *lines, size_t count, size_t line)
{
	return (struct sdp_local){
		.session_id = 1,
		.version = 2,
		.rtp = {.family = ADDR_IPV4, .port = 4000, .ip = {192, 0, 2, 1}},
		.direction = SDP_SENDRECV,
		.codecs = codecs,
		.codec_count = ROWS(codecs),
		.lines = lines,
		.line_count = count,
		.line = line,
	};
}

static struct sdp_session *parse(const char *text)
{
	struct sdp_session *session = NULL;

	assert_int_equal(sdp_parse(&session, slice_of(text), NULL), 0);
	return session;
}

/* RFC 3264, section 8: no line goes, none moves. */
static void test_all_lines_are_offered(void **state)
{
	static const char theirs[] = HEAD "m=video 6000 RTP/SAVPF 98 99\r\n"
					  "m=audio 5000 RTP/AVPF 0\r\n"
					  "m=text 0 TCP/MSRP *\r\n";
	struct sdp_session *session = parse(theirs);
	struct sdp_line lines[3];
	struct sdp_local local = local_of(lines, 3, 1);
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		sdp_line_of(&lines[i], &session->media[i]);
	assert_int_equal(sdp_offer(&text, &local), 0);
	assert_string_equal(text.data, OUR_HEAD "m=video 0 RTP/SAVPF 98\r\n"
						"m=audio 4000 RTP/AVP 111 0\r\n"
						"a=rtpmap:111 opus/48000/2\r\n"
						"a=rtpmap:0 PCMU/8000\r\n"
						"a=ptime:20\r\na=sendrecv\r\n"
						"m=text 0 TCP/MSRP *\r\n");

	/* what could be done is told without a session */
	text = TEXT_IN(room);
	assert_int_equal(sdp_capabilities(&text, &local), 0);
	assert_null(strstr(room, "m=video"));
	assert_non_null(strstr(room, "m=audio 0 RTP/AVP 111 0\r\n"));
	sdp_free(session);
}

#define V "m=video 6000 RTP/AVP 31\r\n"
#define V0 "m=video 0 RTP/AVP 31\r\n"
#define A "m=audio 5000 RTP/AVP 0\r\n"
#define A0 "m=audio 0 RTP/AVP 0\r\n"

/* Of several audio lines it is the one of the session, as long as it can be done. */
static void test_which_line_is_answered(void **state)
{
	static const struct {
		const char *lines;
		size_t ours; /* the session's */
		size_t taken;
		int err;
	} rows[] = {
		{A A, 0, 0, 0},
		{A A, 1, 1, 0},
		{A A0, 1, 0, 0},
		{A V, 1, 0, 0},
		{V A, 1, 1, 0},
		{A, 1, 0, 0},
		{A "m=audio 5000 RTP/SAVP 0\r\n", 1, 0, 0},
		{A "m=audio 5000 RTP/AVP 7\r\n", 1, 0, 0},
		{V A0, 1, 0, -ENOTSUP},
	};
	static const struct sdp_line lines[2];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sdp_local local = local_of(lines, 2, rows[i].ours);
		char offer[512], room[SDP_TEXT_SIZE];
		struct text text = TEXT_IN(room), theirs = TEXT_IN(offer);
		struct sdp_session *session;
		struct sdp_result result = {.media = 99};
		int err;

		text_printf(&theirs, HEAD "%s", rows[i].lines);
		session = parse(offer);
		err = sdp_answer(&text, &result, session, &local, NULL);
		if (err != rows[i].err || (!err && result.media != rows[i].taken))
			fail_msg("%s: got %d, line %zu", rows[i].lines, err, result.media);
		sdp_free(session);
	}
}

/* Answers to an offer of two lines, the second of which is our audio. */
static void test_answers_to_two_lines(void **state)
{
	static const struct {
		const char *lines;
		int err;
		size_t taken;
	} rows[] = {
		{V0 A, 0, 1},
		{V A, 0, 1}, /* they may not, and we have no video all the same */
		{A A, 0, 1},
		{V0 A V0, 0, 1}, /* more than were offered */
		{A, 0, 0},       /* the refused one left out */
		{V0, -EPROTO, 0},
		{"", -EPROTO, 0},
		{V0 A0, -ENOTSUP, 0},
		{A0, -ENOTSUP, 0},
		{A V0, -EPROTO, 0},
		{V0 V0 A, -EPROTO, 0},
	};
	static const struct sdp_line lines[2];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sdp_local local = local_of(lines, 2, 1);
		struct sdp_result result = {.media = 99};
		struct sdp_session *session;
		char answer[512];
		struct text theirs = TEXT_IN(answer);
		int err;

		text_printf(&theirs, HEAD "%s", rows[i].lines);
		session = parse(answer);
		err = sdp_apply_answer(&result, session, &local, NULL);
		if (err != rows[i].err || result.media != (err ? 99 : rows[i].taken))
			fail_msg("%s: got %d, line %zu", rows[i].lines, err, result.media);
		sdp_free(session);
	}
}

static void test_who_holds(void **state)
{
	static const struct {
		const char *lines;
		bool held;
	} rows[] = {
		{"", false},
		{"a=sendrecv\r\n", false},
		{"a=recvonly\r\n", false},
		{"a=sendonly\r\n", true},
		{"a=inactive\r\n", true},
		{"c=IN IP4 0.0.0.0\r\n", true},
		{"c=IN IP4 0.0.0.0\r\na=recvonly\r\n", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (int ours = SDP_INACTIVE; ours <= SDP_SENDRECV; ours++) {
			struct sdp_local local = local_of(NULL, 0, 0);
			struct sdp_result result;
			struct sdp_session *session;
			char answer[512];
			struct text theirs = TEXT_IN(answer);

			local.direction = (enum sdp_direction)ours;
			text_printf(&theirs, HEAD A "%s", rows[i].lines);
			session = parse(answer);
			assert_int_equal(sdp_apply_answer(&result, session, &local, NULL), 0);
			if (result.held != rows[i].held)
				fail_msg("%s: got %d", rows[i].lines, result.held);
			sdp_free(session);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_lines_are_offered),
		cmocka_unit_test(test_which_line_is_answered),
		cmocka_unit_test(test_answers_to_two_lines),
		cmocka_unit_test(test_who_holds),
	};

	return cmocka_run_group_tests_name("sdp/reoffer", tests, NULL, NULL);
}
