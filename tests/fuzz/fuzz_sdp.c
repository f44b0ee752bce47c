/*
 * core/sdp: any bytes, read as a description, answered as an offer and taken as an answer to ours.
 * What we print we must be able to read again, and no result may lie outside its ranges.
 */
#include "core/sdp/offer_answer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sdp_codec codecs[] = {
	{"opus", 48000, 2, SDP_PT_DYNAMIC, false, "useinbandfec=1", 0},
	{"G722", 8000, 1, 9, false, NULL, 1},
	{"PCMA", 8000, 1, 8, false, NULL, 2},
	{"PCMU", 8000, 1, 0, false, NULL, 3},
	{"telephone-event", 8000, 1, SDP_PT_DYNAMIC, true, "0-16", 4},
};

enum { CODECS = sizeof(codecs) / sizeof(codecs[0]) };

/* Reads each byte of slices that borrow, for the sanitizer to see. */
static void touch(struct slice text)
{
	struct slice value = {0};
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < text.len; i++)
		sum = (uint8_t)(sum + text.data[i]);
	if (sdp_fmtp_get(&value, text, "useinbandfec"))
		assert(value.len <= text.len);
}

static void touch_all(const struct sdp_session *session)
{
	assert(session->media_count <= SDP_MEDIA_MAX);
	touch(session->origin.user);
	touch(session->name);
	for (size_t i = 0; i < session->media_count; i++) {
		const struct sdp_media *media = &session->media[i];

		assert(media->format_count <= SDP_FORMATS_MAX);
		for (size_t f = 0; f < media->format_count; f++) {
			touch(media->formats[f].encoding);
			touch(media->formats[f].fmtp);
		}
		for (size_t a = 0; a < media->attributes.count; a++) {
			touch(media->attributes.list[a].name);
			touch(media->attributes.list[a].value);
		}
	}
}

static void check_result(const struct sdp_result *result)
{
	assert(result->rtp.family != ADDR_NONE && result->rtp.port != 0);
	assert(result->rtcp.family == ADDR_NONE || result->rtcp.port != 0);
	assert(result->ptime_ms >= SDP_PTIME_MIN_MS && result->ptime_ms <= SDP_PTIME_MAX_MS);
	assert(result->codec_count >= 1 && result->codec_count <= CODECS);
	assert(!codecs[result->codecs[0].id].auxiliary);
	for (size_t i = 0; i < result->codec_count; i++) {
		assert(result->codecs[i].payload_type <= SDP_PAYLOAD_TYPE_MAX);
		assert(result->codecs[i].receive_payload_type <= SDP_PAYLOAD_TYPE_MAX);
		touch(result->codecs[i].fmtp);
	}
}

static void check_fault(const struct fault *why)
{
	assert(why->words[0] != '\0');
	for (const char *p = why->words; *p; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
}

static struct sdp_session *read_ours(const struct text *text)
{
	struct sdp_session *ours = NULL;
	int err = sdp_parse(&ours, text_slice(text), NULL);

	assert(err == 0);
	return ours;
}

/* In a later offer of ours each line of the session stands in its place, and we can answer it. */
static void offer_again(
	const struct sdp_session *session, const struct sdp_result *agreed, struct sdp_local local)
{
	char room[SDP_TEXT_SIZE], back_room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room), back = TEXT_IN(back_room);
	struct sdp_line lines[SDP_MEDIA_MAX];
	struct sdp_session *offer, *answer;
	struct sdp_result result;
	int err;

	for (size_t i = 0; i < session->media_count; i++)
		sdp_line_of(&lines[i], &session->media[i]);
	local.lines = lines;
	local.line_count = session->media_count;
	local.line = agreed->media;
	err = sdp_offer(&text, &local);
	assert(err == 0);
	offer = read_ours(&text);
	assert(offer->media_count == session->media_count);
	for (size_t i = 0; i < offer->media_count; i++) {
		assert((offer->media[i].port != 0) == (i == agreed->media));
		assert(slice_equal(offer->media[i].kind, session->media[i].kind) ||
			i == agreed->media);
	}

	err = sdp_answer(&back, &result, offer, &local, NULL);
	assert(err == 0 && result.media == agreed->media);
	answer = read_ours(&back);
	err = sdp_apply_answer(&result, answer, &local, NULL);
	assert(err == 0 && result.media == agreed->media);
	assert(result.codec_count == CODECS && result.rtcp_mux == local.rtcp_mux);
	check_result(&result);
	sdp_free(answer);
	sdp_free(offer);

	/* and theirs as an answer to such an offer */
	err = sdp_apply_answer(&result, session, &local, NULL);
	assert(err == 0 && result.media == agreed->media);
}

/* Our answer to what they offer has a line for each of theirs, and one of them has a port. */
static void answer(const struct sdp_session *offer, const struct sdp_local *local)
{
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);
	struct sdp_session *ours;
	struct sdp_result result;
	struct fault why = {0};
	int err;

	err = sdp_answer(&text, &result, offer, local, &why);
	assert(err == 0 || err == -ENOTSUP || err == -EPROTO);
	if (err) {
		assert(text.len == 0);
		check_fault(&why);
		return;
	}

	check_result(&result);
	ours = read_ours(&text);
	assert(ours->media_count == offer->media_count);
	for (size_t i = 0; i < ours->media_count; i++)
		assert((ours->media[i].port != 0) == (i == result.media));
	assert(ours->media[result.media].direction == result.direction);
	assert(ours->media[result.media].format_count == result.codec_count);
	sdp_free(ours);
	offer_again(offer, &result, *local);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_local local = {
		.rtp = {.family = ADDR_IPV4, .port = 4000, .ip = {192, 0, 2, 1}},
		.rtcp_mux = size % 2,
		.direction = SDP_SENDRECV,
		.prefer_own = size % 3 == 0,
		.codecs = codecs,
		.codec_count = CODECS,
	};
	struct sdp_session *session = NULL;
	struct sdp_result result;
	struct fault why = {0};
	int err;

	if (sdp_parse(&session, (struct slice){data, size}, &why) != 0) {
		check_fault(&why);
		return 0;
	}

	touch_all(session);
	answer(session, &local);
	err = sdp_apply_answer(&result, session, &local, &why);
	assert(err == 0 || err == -ENOTSUP || err == -EPROTO);
	if (err)
		check_fault(&why);
	else
		check_result(&result);
	sdp_free(session);
	return 0;
}
