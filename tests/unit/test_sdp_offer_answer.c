/* core/sdp/offer_answer: the bytes that we offer and answer, and what both sides may then do. */
#include "core/sdp/offer_answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define HEAD "v=0\r\no=- 7 8 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define BARE_HEAD "v=0\r\no=- 7 8 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\n"
#define OUR_HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define PCMU "m=audio 5000 RTP/AVP 0\r\n"
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { OPUS, G722, PCMA_CODEC, PCMU_CODEC, GSM, EVENT };

static const struct sdp_codec codecs[] = {
	{"opus", 48000, 2, SDP_PT_DYNAMIC, false, "useinbandfec=1", OPUS},
	{"G722", 8000, 1, 9, false, NULL, G722},
	{"PCMA", 8000, 0, 8, false, NULL, PCMA_CODEC},
	{"PCMU", 8000, 1, 0, false, NULL, PCMU_CODEC},
	{"GSM", 8000, 1, 3, false, NULL, GSM},
	{"telephone-event", 8000, 1, SDP_PT_DYNAMIC, true, "0-16", EVENT},
};

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

static struct sdp_local local_of(const struct sdp_codec *list, size_t count)
{
	return (struct sdp_local){
		.session_id = 1,
		.version = 2,
		.rtp = {.family = ADDR_IPV4, .port = 4000, .ip = {192, 0, 2, 1}},
		.rtcp_port = 4001,
		.direction = SDP_SENDRECV,
		.ptime_ms = 20,
		.codecs = list,
		.codec_count = count,
	};
}

static struct sdp_local our_local(void)
{
	return local_of(codecs, ROWS(codecs));
}

static struct sdp_session *parse(const char *text)
{
	struct sdp_session *session = NULL;
	struct fault why;

	if (sdp_parse(&session, slice_of(text), &why) != 0)
		fail_msg("%s: %s", text, why.words);
	return session;
}

/* What came of an exchange. */
struct outcome {
	struct sdp_session *theirs;
	char text[SDP_TEXT_SIZE];
	struct sdp_result result;
	struct fault why;
	int err;
};

/* result is of use only while the outcome lives, its slices are theirs; forget() it. */
static void answer(struct outcome *out, const char *offer, const struct sdp_local *local)
{
	struct text text;

	memset(out, 0, sizeof(*out));
	out->theirs = parse(offer);
	text = TEXT_IN(out->text);
	out->result.ptime_ms = 77;
	/* that nothing is allocated is what the header's silence about -ENOMEM promises */
	allocations_left = 0;
	out->err = sdp_answer(&text, &out->result, out->theirs, local, &out->why);
	allocations_left = SIZE_MAX;
	assert_int_equal(out->text[0] == '\0', out->err != 0);
	assert_int_equal(out->result.ptime_ms == 77, out->err != 0);
	assert_int_equal(out->why.words[0] == '\0', out->err == 0);
}

static void apply(struct outcome *out, const char *their_answer, const struct sdp_local *offered)
{
	memset(out, 0, sizeof(*out));
	out->theirs = parse(their_answer);
	out->result.ptime_ms = 77;
	allocations_left = 0;
	out->err = sdp_apply_answer(&out->result, out->theirs, offered, &out->why);
	allocations_left = SIZE_MAX;
	assert_int_equal(out->result.ptime_ms == 77, out->err != 0);
	assert_int_equal(out->why.words[0] == '\0', out->err == 0);
}

static void forget(struct outcome *outcome)
{
	sdp_free(outcome->theirs);
}

static void expect_ok(const char *row, const struct outcome *outcome)
{
	if (outcome->err)
		fail_msg("%s: got %d (%s)", row, outcome->err, outcome->why.words);
}

static void expect_addr(const char *row, const struct addr *got, const char *wanted)
{
	char text[ADDR_TEXT_SIZE] = "none";

	if (got->family != ADDR_NONE)
		addr_print_port(text, got);
	if (strcmp(text, wanted) != 0)
		fail_msg("%s: got %s, not %s", row, text, wanted);
}

static void expect_codecs(const char *row, const struct sdp_result *result, const char *wanted)
{
	char room[256];
	struct text text = TEXT_IN(room);

	for (size_t i = 0; i < result->codec_count; i++) {
		const struct sdp_agreed *codec = &result->codecs[i];

		text_printf(&text, i ? " %s:%u" : "%s:%u", codecs[codec->id].name,
			(unsigned int)codec->payload_type);
		if (codec->receive_payload_type != codec->payload_type)
			text_printf(&text, "<%u", (unsigned int)codec->receive_payload_type);
		if (codec->fmtp.len > 0)
			text_printf(&text, "(%.*s)", (int)codec->fmtp.len,
				(const char *)codec->fmtp.data);
	}
	if (strcmp(text.data, wanted) != 0)
		fail_msg("%s: got %s, not %s", row, text.data, wanted);
}

static void test_offer_bytes(void **state)
{
	struct sdp_local local = our_local();
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	assert_int_equal(sdp_offer(&text, &local), 0);
	assert_string_equal(text.data, OUR_HEAD "m=audio 4000 RTP/AVP 96 9 8 0 3 97\r\n"
						"a=rtpmap:96 opus/48000/2\r\n"
						"a=fmtp:96 useinbandfec=1\r\n"
						"a=rtpmap:9 G722/8000\r\n"
						"a=rtpmap:8 PCMA/8000\r\n"
						"a=rtpmap:0 PCMU/8000\r\n"
						"a=rtpmap:3 GSM/8000\r\n"
						"a=rtpmap:97 telephone-event/8000\r\n"
						"a=fmtp:97 0-16\r\n"
						"a=ptime:20\r\n"
						"a=sendrecv\r\n");
}

static void test_offer_of_another_kind(void **state)
{
	static const struct sdp_codec list[] = {
		{"a", 8000, 1, SDP_PT_DYNAMIC, false, NULL, 0},
		{"b", 8000, 1, 96, false, NULL, 1},
		{"c", 8000, 1, SDP_PT_DYNAMIC, false, NULL, 2},
		{"d", 8000, 1, 98, false, NULL, 3},
		{"e", 8000, 1, SDP_PT_DYNAMIC, false, NULL, 4},
	};
	struct sdp_local local = local_of(list, ROWS(list));
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	local.rtp = (struct addr){.family = ADDR_IPV6, .port = 4000, .ip = {0x20, 1, 0xd, 0xb8}};
	local.rtcp_port = 4003;
	local.rtcp_mux = true;
	local.ptime_ms = 0;
	local.direction = SDP_SENDONLY;
	text_puts(&text, "before ");
	assert_int_equal(sdp_offer(&text, &local), 0);
	assert_string_equal(text.data, "before v=0\r\no=- 1 2 IN IP6 2001:db8::\r\ns=-\r\n"
				       "c=IN IP6 2001:db8::\r\nt=0 0\r\n"
				       "m=audio 4000 RTP/AVP 97 96 99 98 100\r\n"
				       "a=rtpmap:97 a/8000\r\na=rtpmap:96 b/8000\r\n"
				       "a=rtpmap:99 c/8000\r\na=rtpmap:98 d/8000\r\n"
				       "a=rtpmap:100 e/8000\r\n"
				       "a=ptime:20\r\na=rtcp:4003\r\na=rtcp-mux\r\na=sendonly\r\n");
}

/* As many codecs as there are dynamic payload types, all of which fit. */
static void test_offer_of_all_numbers(void **state)
{
	struct sdp_codec list[SDP_CODECS_MAX] = {0};
	struct sdp_local local = local_of(list, SDP_CODECS_MAX);
	struct sdp_session *session;
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	for (size_t i = 0; i < SDP_CODECS_MAX; i++)
		list[i] =
			(struct sdp_codec){"x", (uint32_t)i + 1, 1, SDP_PT_DYNAMIC, false, NULL, 0};
	assert_int_equal(sdp_offer(&text, &local), 0);
	session = parse(text.data);
	assert_int_equal(session->media[0].format_count, SDP_CODECS_MAX);
	assert_int_equal(session->media[0].formats[31].payload_type, 127);
	sdp_free(session);
}

static void test_answer_bytes(void **state)
{
	struct sdp_local local = our_local();
	struct outcome got;

	(void)state;
	answer(&got,
		HEAD "a=group:BUNDLE 0 1\r\n"
		     "m=video 6000 RTP/AVP 31 99\r\na=mid:0\r\n"
		     "m=audio 5000 RTP/AVPF 101 120 8 7 111 0\r\n"
		     "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
		     "a=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 stereo=1\r\n"
		     "a=rtpmap:120 SILK/16000\r\na=mid:1\r\na=ptime:40\r\n"
		     "m=audio 5002 RTP/AVP 0\r\n"
		     "m=image 0 udptl t38\r\n"
		     "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
		     "m=text 0 RTP/AVP\r\n",
		&local);
	expect_ok("answer", &got);
	assert_string_equal(got.text,
		OUR_HEAD "m=video 0 RTP/AVP 31\r\n"
			 "m=audio 4000 RTP/AVPF 8 111 0 101\r\n"
			 "a=rtpmap:8 PCMA/8000\r\n"
			 "a=rtpmap:111 opus/48000/2\r\n"
			 "a=fmtp:111 useinbandfec=1\r\n"
			 "a=rtpmap:0 PCMU/8000\r\n"
			 "a=rtpmap:101 telephone-event/8000\r\n"
			 "a=fmtp:101 0-16\r\n"
			 "a=ptime:40\r\n"
			 "a=sendrecv\r\n"
			 "m=audio 0 RTP/AVP 0\r\n"
			 "m=image 0 udptl t38\r\n"
			 "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
			 "m=text 0 RTP/AVP 0\r\n");
	assert_int_equal(got.result.media, 1);
	expect_codecs("answer", &got.result,
		"PCMA:8 opus:111(stereo=1) PCMU:0 telephone-event:101(0-15)");
	expect_addr("rtp", &got.result.rtp, "192.0.2.9:5000");
	expect_addr("rtcp", &got.result.rtcp, "192.0.2.9:5001");
	assert_int_equal(got.result.direction, SDP_SENDRECV);
	assert_int_equal(got.result.ptime_ms, 40);
	assert_int_equal(got.result.maxptime_ms, 0);
	assert_false(got.result.rtcp_mux);
	forget(&got);
}

/* What is answered with a port goes by the answer, in their numbers; our order if we insist. */
static void test_answer_prefers_own(void **state)
{
	static const char offer[] = HEAD "m=audio 5000 RTP/AVP 101 3 0 8 120\r\n"
					 "a=rtpmap:101 telephone-event/8000\r\n"
					 "a=rtpmap:120 opus/48000/2\r\n";
	struct sdp_local local = our_local();
	struct outcome got;

	(void)state;
	answer(&got, offer, &local);
	expect_codecs("theirs", &got.result, "GSM:3 PCMU:0 PCMA:8 opus:120 telephone-event:101");
	forget(&got);

	local.prefer_own = true;
	answer(&got, offer, &local);
	expect_codecs("ours", &got.result, "opus:120 PCMA:8 PCMU:0 GSM:3 telephone-event:101");
	assert_non_null(strstr(got.text, "m=audio 4000 RTP/AVP 120 8 0 3 101\r\n"));
	forget(&got);
}

/* clang-format off */
static const struct {
	const char *offer;
	const char *codecs; /* NULL: refused */
	int err;
	const char *words;
} offers[] = {
	/* which codecs are the same */
	{HEAD PCMU, "PCMU:0", 0, ""},
	{HEAD "m=AUDIO 5000 rtp/avp 0\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000/2 RTP/AVP 0\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 0 00 0\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 96 0\r\na=fmtp:96 a=b\r\na=rtpmap:96 pcma/8000/1\r\n",
		"PCMA:96(a=b) PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 96 97 0\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 opus/48000/2\r\n",
		"opus:96 PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 96 0\r\na=rtpmap:96 opus/48000\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 96 0\r\na=rtpmap:96 opus/44100/2\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 96 0\r\na=rtpmap:96 G722/16000\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 0 8\r\na=rtpmap:0 x/1\r\n", "PCMA:8", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 0 65536 -1 x\r\n", "PCMU:0", 0, ""},

	/* which line is taken */
	{HEAD "m=audio 0 RTP/AVP 8\r\n" PCMU, "PCMU:0", 0, ""},
	{HEAD "m=audio 1 RTP/SAVP 8\r\n" PCMU, "PCMU:0", 0, ""},
	{HEAD "m=audio 1 RTP/AVP 7\r\n" PCMU, "PCMU:0", 0, ""},
	{HEAD "m=audio 1 RTP/AVP 8\r\nc=IN IP4 a.example\r\n" PCMU, "PCMU:0", 0, ""},
	{BARE_HEAD "m=audio 1 RTP/AVP 8\r\n" PCMU "c=IN IP4 192.0.2.9\r\n", "PCMU:0", 0, ""},
	{BARE_HEAD PCMU "c=IN IP4 192.0.2.9\r\nm=video 2 RTP/AVP 31\r\n", "PCMU:0", 0, ""},

	/* why none is */
	{HEAD, NULL, -ENOTSUP, "they offer no audio"},
	{HEAD "m=video 5000 RTP/AVP 31\r\n", NULL, -ENOTSUP, "they offer no audio"},
	{HEAD "m=audio 0 RTP/AVP 0\r\n", NULL, -ENOTSUP, "they offer no audio"},
	{HEAD "m=audio 1 RTP/SAVP 0\r\nm=audio 1 RTP/AVP 7\r\n", NULL, -ENOTSUP,
		"they want the audio as RTP/SAVP, and we do RTP/AVP only"},
	{HEAD "m=audio 1 UDP/TLS/RTP/SAVPF 0\r\n", NULL, -ENOTSUP,
		"they want the audio as UDP/TLS/RTP/SAVPF, and we do RTP/AVP only"},
	{HEAD "m=audio 1 RTP/AVPFF 0\r\n", NULL, -ENOTSUP,
		"they want the audio as RTP/AVPFF, and we do RTP/AVP only"},
	{BARE_HEAD PCMU, NULL, -EPROTO,
		"their session description is broken: no c= line tells where the audio goes"},
	{HEAD PCMU "c=IN IP4 media.example.com\r\n", NULL, -ENOTSUP,
		"they want the audio sent to media.example.com, which is no IP address that we can use"},
	{HEAD PCMU "c=IN IP4 \x1b[2J\x80\r\n", NULL, -ENOTSUP,
		"they want the audio sent to \\x1b[2J\\x80, which is no IP address that we can use"},
	{HEAD PCMU "c=IN IP4 224.2.1.1/127\r\n", NULL, -ENOTSUP,
		"they want the audio sent to 224.2.1.1, which is more than one receiver"},
	{HEAD PCMU "c=IN IP4 239.255.255.255\r\n", NULL, -ENOTSUP,
		"they want the audio sent to 239.255.255.255, which is more than one receiver"},
	{HEAD PCMU "c=IN IP4 255.255.255.255\r\n", NULL, -ENOTSUP,
		"they want the audio sent to 255.255.255.255, which is more than one receiver"},
	{HEAD PCMU "c=IN IP6 ff15::101/3\r\n", NULL, -ENOTSUP,
		"they want the audio sent to ff15::101, which is more than one receiver"},
	{HEAD PCMU "c=IN IP4 223.255.255.255\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 1 RTP/AVP 7 96 97 101 98\r\na=rtpmap:96 SILK/8000\r\na=rtpmap:97 opus/48000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n", NULL, -ENOTSUP,
		"they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: lpc, silk, opus/48000, 98)"},
	{HEAD "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 OPUS/16000/2\r\n", NULL, -ENOTSUP,
		"they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: opus/16000/2)"},
	{HEAD "m=audio 1 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", NULL, -ENOTSUP,
		"they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: none)"},
	{HEAD "m=audio 1 RTP/AVP 1 2 4 5 6 7 10 11 12\r\n", NULL, -ENOTSUP,
		"they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; "
		"they: 1, 2, g723, dvi4, dvi4, lpc, l16, l16, ...)"},
	{HEAD "m=audio 1 RTP/AVP 1 2 4 5 6 7 10 11\r\n", NULL, -ENOTSUP,
		"they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; "
		"they: 1, 2, g723, dvi4, dvi4, lpc, l16, l16)"},
	{HEAD "m=audio 1 RTP/AVP %s%n%n\r\n", NULL, -ENOTSUP,
		"they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: %s%n%n)"},
	{HEAD "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 abcdefghijklmnopqrstuvwxyz0123456789/8000\r\n", NULL,
		-ENOTSUP, "they offer no codec of ours (we: opus, g722, pcma, pcmu, gsm; "
		"they: abcdefghijklmnopqrstuvwxyz012345)"},
};
/* clang-format on */

static void test_offers(void **state)
{
	struct sdp_local local = our_local();

	(void)state;
	for (size_t i = 0; i < ROWS(offers); i++) {
		struct outcome got;

		answer(&got, offers[i].offer, &local);
		if (got.err != offers[i].err || strcmp(got.why.words, offers[i].words) != 0)
			fail_msg("%s: got %d (%s)", offers[i].offer, got.err, got.why.words);
		if (!got.err) {
			struct sdp_session *session = parse(got.text);

			expect_codecs(offers[i].offer, &got.result, offers[i].codecs);
			assert_int_equal(session->media_count, got.theirs->media_count);
			for (size_t m = 0; m < session->media_count; m++)
				assert_int_equal(
					session->media[m].port, m == got.result.media ? 4000 : 0);
			sdp_free(session);
		}
		forget(&got);
	}
}

/* The words of the screen that a person sees. */
static void test_words_of_one_codec(void **state)
{
	struct sdp_local local = local_of(&codecs[GSM], 1);
	struct outcome got;

	(void)state;
	answer(&got, HEAD "m=audio 5000 RTP/AVP 96 0\r\na=rtpmap:96 opus/48000/2\r\n", &local);
	assert_int_equal(got.err, -ENOTSUP);
	assert_string_equal(
		got.why.words, "they offer no codec of ours (we: gsm; they: opus, pcmu)");
	assert_int_equal(sdp_answer(&(struct text){got.text, 0, 1, false}, &got.result, got.theirs,
				 &local, NULL),
		-ENOTSUP);
	forget(&got);
}

static void test_direction(void **state)
{
	static const struct {
		const char *lines; /* of their medium */
		enum sdp_direction ours;
		enum sdp_direction result;
		const char *printed;
	} rows[] = {
		{"", SDP_SENDRECV, SDP_SENDRECV, "sendrecv"},
		{"a=sendrecv\r\n", SDP_SENDRECV, SDP_SENDRECV, "sendrecv"},
		{"a=sendonly\r\n", SDP_SENDRECV, SDP_RECVONLY, "recvonly"},
		{"a=recvonly\r\n", SDP_SENDRECV, SDP_SENDONLY, "sendonly"},
		{"a=inactive\r\n", SDP_SENDRECV, SDP_INACTIVE, "inactive"},
		{"", SDP_SENDONLY, SDP_SENDONLY, "sendonly"},
		{"", SDP_RECVONLY, SDP_RECVONLY, "recvonly"},
		{"", SDP_INACTIVE, SDP_INACTIVE, "inactive"},
		{"a=sendonly\r\n", SDP_SENDONLY, SDP_INACTIVE, "inactive"},
		{"a=recvonly\r\n", SDP_SENDONLY, SDP_SENDONLY, "sendonly"},
		{"a=recvonly\r\n", SDP_RECVONLY, SDP_INACTIVE, "inactive"},
		{"c=IN IP4 0.0.0.0\r\n", SDP_SENDRECV, SDP_RECVONLY, "recvonly"},
		{"c=IN IP6 ::\r\n", SDP_SENDRECV, SDP_RECVONLY, "recvonly"},
		{"c=IN IP4 0.0.0.0\r\na=recvonly\r\n", SDP_SENDRECV, SDP_INACTIVE, "inactive"},
		{"c=IN IP4 0.0.0.0\r\na=inactive\r\n", SDP_SENDRECV, SDP_INACTIVE, "inactive"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sdp_local local = our_local();
		struct outcome got;
		char text[512], line[32];

		local.direction = rows[i].ours;
		snprintf(text, sizeof(text), HEAD PCMU "%s", rows[i].lines);
		snprintf(line, sizeof(line), "a=%s\r\n", rows[i].printed);
		answer(&got, text, &local);
		expect_ok(rows[i].lines, &got);
		if (got.result.direction != rows[i].result || !strstr(got.text, line))
			fail_msg("%s with %u: got %u, %s", rows[i].lines, rows[i].ours,
				got.result.direction, got.text);
		forget(&got);

		apply(&got, text, &local);
		expect_ok(rows[i].lines, &got);
		assert_int_equal(got.result.direction, rows[i].result);
		forget(&got);
	}
}

static void test_direction_of_the_session(void **state)
{
	struct sdp_local local = our_local();
	struct outcome got;

	(void)state;
	answer(&got, HEAD "a=sendonly\r\n" PCMU, &local);
	assert_int_equal(got.result.direction, SDP_RECVONLY);
	forget(&got);
	answer(&got, HEAD "a=sendonly\r\n" PCMU "a=sendrecv\r\n", &local);
	assert_int_equal(got.result.direction, SDP_SENDRECV);
	forget(&got);
}

static void test_ptime(void **state)
{
	static const struct {
		const char *lines;
		unsigned int ours, ptime_ms, maxptime_ms;
	} rows[] = {
		{"", 0, 20, 0},
		{"", 30, 30, 0},
		{"a=ptime:40\r\n", 20, 40, 0},
		{"a=ptime:5\r\n", 20, 10, 0},
		{"a=ptime:60\r\n", 20, 60, 0},
		{"a=ptime:61\r\n", 20, 60, 0},
		{"a=ptime:200\r\n", 20, 60, 0},
		{"a=ptime:201\r\n", 20, 20, 0},
		{"a=ptime:4294967316\r\n", 20, 20, 0},
		{"a=ptime:0\r\n", 30, 30, 0},
		{"a=maxptime:40\r\n", 60, 40, 40},
		{"a=maxptime:40\r\n", 20, 20, 40},
		{"a=ptime:60\r\na=maxptime:30\r\n", 20, 30, 30},
		{"a=ptime:20\r\na=maxptime:5\r\n", 20, 10, 5},
		{"a=ptime:200\r\na=maxptime:150\r\n", 20, 60, 150},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sdp_local local = our_local();
		struct outcome got;
		char text[512], line[32];

		local.ptime_ms = rows[i].ours;
		snprintf(text, sizeof(text), HEAD PCMU "%s", rows[i].lines);
		snprintf(line, sizeof(line), "a=ptime:%u\r\n", rows[i].ptime_ms);
		answer(&got, text, &local);
		expect_ok(rows[i].lines, &got);
		if (got.result.ptime_ms != rows[i].ptime_ms ||
			got.result.maxptime_ms != rows[i].maxptime_ms || !strstr(got.text, line))
			fail_msg("%s: got %u, %u", rows[i].lines, got.result.ptime_ms,
				got.result.maxptime_ms);
		forget(&got);
	}
}

static void test_rtcp(void **state)
{
	static const struct {
		const char *lines; /* after the session's head */
		bool mux;          /* ours */
		const char *rtp;
		const char *rtcp;
		bool muxed;
	} rows[] = {
		{PCMU, true, "192.0.2.9:5000", "192.0.2.9:5001", false},
		{PCMU "a=rtcp-mux\r\n", true, "192.0.2.9:5000", "192.0.2.9:5000", true},
		{PCMU "a=rtcp-mux\r\n", false, "192.0.2.9:5000", "192.0.2.9:5001", false},
		{PCMU "a=rtcp:9\r\n", false, "192.0.2.9:5000", "192.0.2.9:9", false},
		{PCMU "a=rtcp:9\r\na=rtcp-mux\r\n", true, "192.0.2.9:5000", "192.0.2.9:5000", true},
		{PCMU "a=rtcp:9 IN IP4 192.0.2.8\r\n", false, "192.0.2.9:5000", "192.0.2.8:9",
			false},
		{PCMU "a=rtcp:9 IN IP4 a.example\r\n", false, "192.0.2.9:5000", "none", false},
		{PCMU "a=rtcp:9 IN IP4 224.0.0.1\r\n", false, "192.0.2.9:5000", "none", false},
		{PCMU "c=IN IP6 2001:db8::2\r\n", false, "[2001:db8::2]:5000", "[2001:db8::2]:5001",
			false},
		{PCMU "c=IN IP4 0.0.0.0\r\n", false, "0.0.0.0:5000", "none", false},
		{"m=audio 65534 RTP/AVP 0\r\n", false, "192.0.2.9:65534", "192.0.2.9:65535", false},
		{"m=audio 65535 RTP/AVP 0\r\n", false, "192.0.2.9:65535", "none", false},
		{"m=audio 65535 RTP/AVP 0\r\na=rtcp:7\r\n", false, "192.0.2.9:65535", "192.0.2.9:7",
			false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sdp_local local = our_local();
		struct outcome got;
		char text[512];

		local.rtcp_mux = rows[i].mux;
		snprintf(text, sizeof(text), HEAD "%s", rows[i].lines);
		answer(&got, text, &local);
		expect_ok(rows[i].lines, &got);
		expect_addr(rows[i].lines, &got.result.rtp, rows[i].rtp);
		expect_addr(rows[i].lines, &got.result.rtcp, rows[i].rtcp);
		assert_int_equal(got.result.rtcp_mux, rows[i].muxed);
		assert_int_equal(strstr(got.text, "a=rtcp-mux\r\n") != NULL, rows[i].muxed);
		forget(&got);
	}
}

/* Each medium of theirs, at most as long as it may be, is in the answer; too little room is told.
 */
static void test_answer_room(void **state)
{
	char room[SDP_TEXT_SIZE], word[SDP_WORD_MAX + 1] = {0};
	struct sdp_local local = our_local();
	struct text offer = TEXT_IN(room);
	struct outcome got;
	size_t len;

	(void)state;
	memset(word, 'x', SDP_WORD_MAX);
	text_puts(&offer, HEAD);
	for (size_t i = 0; i < SDP_MEDIA_MAX - 1; i++)
		text_printf(&offer, "m=%s 1 %s %s %s\r\n", word, word, word, "y");
	text_puts(&offer, PCMU);
	assert_false(offer.cut);

	answer(&got, offer.data, &local);
	expect_ok("long", &got);
	assert_int_equal(got.result.media, SDP_MEDIA_MAX - 1);
	len = strlen(got.text);
	for (size_t size = len; size <= len + 1; size++) {
		struct sdp_result result = {.ptime_ms = 77};
		struct text text = text_in(got.text, size);
		struct fault why = {0};
		int err = sdp_answer(&text, &result, got.theirs, &local, &why);

		assert_int_equal(err, size == len ? -ENOBUFS : 0);
		assert_int_equal(result.ptime_ms == 77, err != 0);
		assert_string_equal(why.words,
			err ? "our answer has no room for all the lines of their offer" : "");
	}
	forget(&got);
}

/* clang-format off */
static const struct {
	const char *answer; /* to the offer of all our codecs: opus 96, telephone-event 97 */
	const char *codecs; /* NULL: refused */
	int err;
	const char *words;
} answers[] = {
	{HEAD PCMU, "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVPF 0\r\n", "PCMU:0", 0, ""},
	{HEAD PCMU "m=video 1 RTP/AVP 31\r\n", "PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 3 8 96\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1\r\n",
		"GSM:3 PCMA:8 opus:96(stereo=1)", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 97 96\r\na=rtpmap:97 telephone-event/8000\r\na=rtpmap:96 opus/48000/2\r\n",
		"opus:96 telephone-event:97", 0, ""},
	/* numbers without a map are those of the offer */
	{HEAD "m=audio 5000 RTP/AVP 96 97\r\n", "opus:96 telephone-event:97", 0, ""},
	/* other numbers than those of the offer */
	{HEAD "m=audio 5000 RTP/AVP 111 0\r\na=rtpmap:111 opus/48000/2\r\n", "opus:111<96 PCMU:0", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 97 96\r\na=rtpmap:97 opus/48000/2\r\na=rtpmap:96 telephone-event/8000\r\n",
		"opus:97<96 telephone-event:96<97", 0, ""},
	{HEAD "m=audio 5000 RTP/AVP 100\r\na=rtpmap:100 PCMA/8000\r\n", "PCMA:100<8", 0, ""},
	/* a number of ours that is another thing there is none of ours */
	{HEAD "m=audio 5000 RTP/AVP 96 0\r\na=rtpmap:96 SILK/8000\r\n", "PCMU:0", 0, ""},
	/* what we did not offer */
	{HEAD "m=audio 5000 RTP/AVP 7 0 120\r\n", "PCMU:0", 0, ""},

	{HEAD, NULL, -EPROTO, "they answer our offer of audio without any"},
	{HEAD "m=video 1 RTP/AVP 31\r\n" PCMU, NULL, -EPROTO, "they answer our offer of audio without any"},
	{HEAD "m=audio 0 RTP/AVP 0\r\n", NULL, -ENOTSUP, "they refuse the audio"},
	{HEAD "m=audio 0 RTP/AVP 0\r\n" PCMU, NULL, -ENOTSUP, "they refuse the audio"},
	{HEAD "m=audio 1 RTP/SAVP 0\r\n", NULL, -ENOTSUP,
		"they want the audio as RTP/SAVP, and we do RTP/AVP only"},
	{BARE_HEAD PCMU, NULL, -EPROTO,
		"their session description is broken: no c= line tells where the audio goes"},
	{HEAD PCMU "c=IN IP4 224.2.1.1\r\n", NULL, -ENOTSUP,
		"they want the audio sent to 224.2.1.1, which is more than one receiver"},
	{HEAD "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 SILK/8000\r\n", NULL, -ENOTSUP,
		"they answer with no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: silk)"},
	{HEAD "m=audio 1 RTP/AVP 97 98\r\n", NULL, -ENOTSUP,
		"they answer with no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: 98)"},
	{HEAD "m=audio 1 RTP/AVP x 224\r\n", NULL, -ENOTSUP,
		"they answer with no codec of ours (we: opus, g722, pcma, pcmu, gsm; they: x, 224)"},
};
/* clang-format on */

static void test_answers(void **state)
{
	struct sdp_local local = our_local();

	(void)state;
	for (size_t i = 0; i < ROWS(answers); i++) {
		struct outcome got;

		apply(&got, answers[i].answer, &local);
		if (got.err != answers[i].err || strcmp(got.why.words, answers[i].words) != 0)
			fail_msg("%s: got %d (%s)", answers[i].answer, got.err, got.why.words);
		if (!got.err) {
			expect_codecs(answers[i].answer, &got.result, answers[i].codecs);
			expect_addr(answers[i].answer, &got.result.rtp, "192.0.2.9:5000");
			expect_addr(answers[i].answer, &got.result.rtcp, "192.0.2.9:5001");
			assert_int_equal(got.result.media, 0);
		}
		forget(&got);
	}
}

/* Two of us understand each other, and each knows where the other listens. */
static void test_we_two(void **state)
{
	struct sdp_local alice = our_local();
	struct sdp_local bob = local_of(&codecs[PCMA_CODEC], 4);
	char room[SDP_TEXT_SIZE];
	struct text offer = TEXT_IN(room);
	struct outcome got, back;

	(void)state;
	bob.rtp.ip[3] = 2;
	bob.rtp.port = 6000;
	bob.rtcp_port = 6007;
	bob.ptime_ms = 40;
	alice.rtcp_port = 0;
	alice.direction = SDP_SENDONLY;
	assert_int_equal(sdp_offer(&offer, &alice), 0);

	answer(&got, offer.data, &bob);
	expect_ok("bob", &got);
	assert_null(strstr(offer.data, "a=rtcp:"));
	assert_non_null(strstr(got.text, "a=rtcp:6007\r\n"));
	expect_addr("bob", &got.result.rtp, "192.0.2.1:4000");
	expect_codecs("bob", &got.result, "PCMA:8 PCMU:0 GSM:3 telephone-event:97(0-16)");
	assert_int_equal(got.result.direction, SDP_RECVONLY);
	assert_int_equal(got.result.ptime_ms, 20);

	apply(&back, got.text, &alice);
	expect_ok("alice", &back);
	expect_addr("alice", &back.result.rtp, "192.0.2.2:6000");
	expect_addr("alice", &back.result.rtcp, "192.0.2.2:6007");
	expect_codecs("alice", &back.result, "PCMA:8 PCMU:0 GSM:3 telephone-event:97(0-16)");
	assert_int_equal(back.result.direction, SDP_SENDONLY);
	forget(&back);
	forget(&got);
}

static void test_capabilities(void **state)
{
	struct sdp_local local = local_of(&codecs[PCMU_CODEC], 1);
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	(void)state;
	local.rtcp_port = 4005;
	assert_int_equal(sdp_capabilities(&text, &local), 0);
	assert_string_equal(text.data, OUR_HEAD "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
						"a=ptime:20\r\na=sendrecv\r\n");
	assert_int_equal(local.rtp.port, 4000);

	text = text_in(room, 20);
	assert_int_equal(sdp_capabilities(&text, &local), -ENOBUFS);
}

static void test_explain(void **state)
{
	static const struct {
		const char *theirs; /* NULL: they say nothing */
		const char *words;
	} rows[] = {
		{NULL, "we offered gsm"},
		{HEAD, "we offered gsm"},
		{HEAD "m=video 0 RTP/AVP 31\r\n", "we offered gsm"},
		{HEAD "m=audio 0 RTP/AVP 3\r\n", "we offered gsm"},
		{HEAD "m=audio 0 RTP/AVP 0 8\r\n",
			"they offer no codec of ours (we: gsm; they: pcmu, pcma)"},
	};
	struct sdp_local local = local_of(&codecs[GSM], 1);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sdp_session *theirs = rows[i].theirs ? parse(rows[i].theirs) : NULL;
		struct fault why = {0};

		sdp_explain(&why, theirs, &local);
		assert_string_equal(why.words, rows[i].words);
		sdp_free(theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer_bytes),
		cmocka_unit_test(test_offer_of_another_kind),
		cmocka_unit_test(test_offer_of_all_numbers),
		cmocka_unit_test(test_answer_bytes),
		cmocka_unit_test(test_answer_prefers_own),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_words_of_one_codec),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_direction_of_the_session),
		cmocka_unit_test(test_ptime),
		cmocka_unit_test(test_rtcp),
		cmocka_unit_test(test_answer_room),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_we_two),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests_name("sdp/offer_answer", tests, NULL, NULL);
}
