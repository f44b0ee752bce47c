#include "core/ua/negotiation.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_DYNAMIC = 96 }; /* RFC 3551, section 6 */

void negotiation_init(struct negotiation *negotiation, struct loop *loop,
	const struct codec *const *codecs, size_t count)
{
	uint32_t id;

	assert(count >= 1 && count <= NEGOTIATION_CODECS_MAX);

	*negotiation = (struct negotiation){.codecs = codecs, .count = count};
	for (size_t i = 0; i < count; i++)
		negotiation->described[i] = (struct sdp_codec){
			.name = codecs[i]->name,
			.clock_rate = codecs[i]->clock_rate,
			.channels = codecs[i]->rtp_channels,
			.payload_type = codecs[i]->payload_type == CODEC_DYNAMIC
						? SDP_PT_DYNAMIC
						: codecs[i]->payload_type,
			.fmtp = codecs[i]->fmtp,
			.id = (int)i,
		};

	loop_random(loop, &id, sizeof(id));
	negotiation->local = (struct sdp_local){
		.session_id = id,
		.version = 1,
		.rtcp_mux = true,
		.direction = SDP_SENDRECV,
		.codecs = negotiation->described,
		.codec_count = count,
	};
}

static void forget(struct negotiation_theirs *theirs)
{
	sdp_free(theirs->session);
	free(theirs->text);
	*theirs = (struct negotiation_theirs){0};
}

void negotiation_free(struct negotiation *negotiation)
{
	forget(&negotiation->theirs);
	forget(&negotiation->settled);
	free(negotiation->sent);
	negotiation->sent = NULL;
}

/* Keeps a copy: the message that it came in goes, and what was agreed on stays. */
static int read_theirs(struct negotiation_theirs *out, struct slice text, struct fault *why)
{
	int err;

	*out = (struct negotiation_theirs){.text = slice_copy(text)};
	if (!out->text)
		return fault_set(why, -ENOMEM, "out of memory");

	err = sdp_parse(&out->session, (struct slice){(const uint8_t *)out->text, text.len}, why);
	if (err)
		forget(out);
	return err;
}

/* Only now that theirs can be met does it take the place of what was agreed on before. */
static void take_theirs(struct negotiation *negotiation, const struct negotiation_theirs *theirs,
	const struct sdp_result *result)
{
	forget(&negotiation->theirs);
	negotiation->theirs = *theirs;
	negotiation->held = result->held;
	negotiation->agreed = true;
	negotiation->current = (size_t)result->codecs[0].id;
	for (size_t i = 0; i < negotiation->count; i++)
		negotiation->numbers[i] = SDP_PT_DYNAMIC;
}

/*
 * What begins at start in out was just printed with the version of what was sent before. Returns
 * whether it is something else and has to be printed with the next one.
 */
static bool is_new(const struct negotiation *negotiation, const struct text *out, size_t start)
{
	return negotiation->sent && strcmp(negotiation->sent, out->data + start) != 0;
}

static int keep_sent(struct negotiation *negotiation, const char *text)
{
	char *copy = slice_copy(slice_of(text));

	if (!copy)
		return -ENOMEM;

	free(negotiation->sent);
	negotiation->sent = copy;
	return 0;
}

static void fill_params(struct media_params *params, const struct negotiation *negotiation,
	const struct sdp_result *result)
{
	const struct sdp_agreed *voice = &result->codecs[0];
	const struct codec *codec = negotiation->codecs[voice->id];

	*params = (struct media_params){
		.codec = codec,
		.remote_fmtp = voice->fmtp,
		.send_payload_type = voice->payload_type,
		.ptime_ms = codec_ptime(codec, result->ptime_ms),
		.sends = result->direction & SDP_SENDONLY,
		.receives = result->direction & SDP_RECVONLY,
		.holds = negotiation->hold,
		.remote_rtp = result->rtp,
		.remote_rtcp = result->rtcp,
		.rtcp_mux = result->rtcp_mux,
	};
	for (size_t i = 0; i < result->codec_count && params->heard.count < VOICES_MAX; i++)
		params->heard.list[params->heard.count++] =
			(struct media_format){negotiation->codecs[result->codecs[i].id],
				result->codecs[i].receive_payload_type};
}

void negotiation_rtcp(struct negotiation *negotiation, uint16_t port)
{
	negotiation->local.rtcp_port = port;
}

void negotiation_hold(struct negotiation *negotiation, bool hold)
{
	negotiation->hold = hold;
}

bool negotiation_is_held(const struct negotiation *negotiation)
{
	return negotiation->held;
}

static bool number_is_free(const struct negotiation *negotiation, size_t count, int number)
{
	for (size_t i = 0; i < count; i++)
		if (negotiation->kept[i].payload_type == number)
			return false;
	return true;
}

/*
 * The current codec, then those that have a number of their own, which we may offer, then those
 * that only the far end could give one.
 */
static void keep_codecs(struct negotiation *negotiation)
{
	const struct sdp_codec *described = negotiation->described;
	bool numbered[NEGOTIATION_CODECS_MAX] = {0};
	size_t count = 0;

	negotiation->kept[count++] = described[negotiation->current];
	for (size_t i = 0; i < negotiation->count; i++) {
		int number = described[i].payload_type;

		if (i == negotiation->current || number == SDP_PT_DYNAMIC ||
			!number_is_free(negotiation, count, number))
			continue;
		numbered[i] = true;
		negotiation->kept[count++] = described[i];
	}
	negotiation->numbered = count;

	for (size_t i = 0; i < negotiation->count; i++)
		if (i != negotiation->current && !numbered[i])
			negotiation->kept[count++] = described[i];
	negotiation->kept_count = count;
	negotiation->local.prefer_own = true;
}

/* The offer told which lines the session has; an answer to ours changes none. */
static void keep_lines(struct negotiation *negotiation)
{
	const struct sdp_session *session = negotiation->theirs.session;

	if (!negotiation->offered_by_them)
		return;

	for (size_t i = 0; i < session->media_count; i++)
		sdp_line_of(&negotiation->lines[i], &session->media[i]);
	negotiation->local.lines = negotiation->lines;
	negotiation->local.line_count = session->media_count;
	negotiation->local.line = negotiation->line;
	forget(&negotiation->settled);
	negotiation->settled = negotiation->theirs;
	negotiation->theirs = (struct negotiation_theirs){0};
}

void negotiation_settle(struct negotiation *negotiation)
{
	if (!negotiation->agreed)
		return;

	negotiation->agreed = false;
	for (size_t i = 0; i < negotiation->count; i++) /* RFC 3264, section 8.3.2 */
		if (negotiation->described[i].payload_type == SDP_PT_DYNAMIC)
			negotiation->described[i].payload_type = negotiation->numbers[i];
	keep_lines(negotiation);
	keep_codecs(negotiation);
}

static bool has_number(const struct negotiation_theirs *theirs, int number)
{
	const struct sdp_session *session = theirs->session;

	for (size_t i = 0; session && i < session->media_count; i++)
		for (size_t f = 0; f < session->media[i].format_count; f++)
			if (session->media[i].formats[f].payload_type == number)
				return true;
	return false;
}

/* RFC 3264, section 8.3.2: one that means nothing in this session yet, to neither side. */
static int free_number(const struct negotiation *negotiation)
{
	for (int number = FIRST_DYNAMIC; number <= SDP_PAYLOAD_TYPE_MAX; number++)
		if (number_is_free(negotiation, negotiation->kept_count, number) &&
			!has_number(&negotiation->settled, number) &&
			!has_number(&negotiation->theirs, number))
			return number;
	return SDP_PT_DYNAMIC;
}

static bool has_own_number(const struct negotiation *negotiation, const struct sdp_codec *codec)
{
	for (size_t i = 0; i < negotiation->kept_count; i++)
		if (negotiation->kept[i].id != codec->id &&
			negotiation->kept[i].payload_type == codec->payload_type)
			return false;
	return codec->payload_type != SDP_PT_DYNAMIC;
}

int negotiation_only(struct negotiation *negotiation, const struct codec *codec)
{
	size_t at = 0;

	negotiation->alone = false;
	if (!codec)
		return 0;
	while (at < negotiation->count && negotiation->codecs[at] != codec)
		at++;
	if (at == negotiation->count)
		return -EINVAL;

	negotiation->one = negotiation->described[at];
	if (!has_own_number(negotiation, &negotiation->one))
		negotiation->one.payload_type = free_number(negotiation);
	if (negotiation->one.payload_type == SDP_PT_DYNAMIC)
		return -ENOSPC;
	negotiation->alone = true;
	return 0;
}

/* What an offer of ours has. */
static void offer_codecs(struct negotiation *negotiation)
{
	struct sdp_local *local = &negotiation->local;

	if (negotiation->alone) {
		local->codecs = &negotiation->one;
		local->codec_count = 1;
	} else if (negotiation->kept_count > 0) {
		local->codecs = negotiation->kept;
		local->codec_count = negotiation->numbered;
	}
}

/* RFC 3264, section 8.4: who is held and holds offers a stream that is quiet both ways. */
static enum sdp_direction offered_direction(const struct negotiation *negotiation)
{
	if (!negotiation->hold)
		return SDP_SENDRECV;
	return negotiation->held ? SDP_INACTIVE : SDP_SENDONLY;
}

int negotiation_offer(struct text *out, struct negotiation *negotiation, const struct addr *rtp)
{
	struct sdp_local *local = &negotiation->local;
	struct text before = *out;
	int err;

	offer_codecs(negotiation);
	local->rtp = *rtp;
	local->direction = offered_direction(negotiation);
	err = sdp_offer(out, local);
	if (!err && is_new(negotiation, out, before.len)) {
		*out = before;
		local->version++;
		err = sdp_offer(out, local);
	}
	return err ? err : keep_sent(negotiation, out->data + before.len);
}

static bool has_format(const struct media_formats *formats, const struct media_format *format)
{
	for (size_t i = 0; i < formats->count; i++)
		if (formats->list[i].codec == format->codec ||
			formats->list[i].payload_type == format->payload_type)
			return true;
	return false;
}

void negotiation_expect(struct media_formats *formats, const struct negotiation *negotiation)
{
	const struct sdp_local *local = &negotiation->local;
	uint8_t numbers[SDP_CODECS_MAX];

	sdp_numbers(numbers, local);
	for (size_t i = 0; i < local->codec_count && formats->count < VOICES_MAX; i++) {
		const struct media_format format = {
			negotiation->codecs[local->codecs[i].id], numbers[i]};

		if (!has_format(formats, &format))
			formats->list[formats->count++] = format;
	}
}

/*
 * Of several common voices only the first goes into the answer, so that the far end does not change
 * from one to another in the middle of the stream.
 */
static int print_answer(struct text *out, struct sdp_result *result,
	struct negotiation *negotiation, const struct sdp_session *offer, struct sdp_local *one,
	struct fault *why)
{
	struct text before = *out;
	int err;

	one->codecs = &negotiation->described[result->codecs[0].id];
	one->codec_count = 1;
	err = sdp_answer(out, result, offer, one, why);
	if (!err && is_new(negotiation, out, before.len)) {
		*out = before;
		one->version++;
		err = sdp_answer(out, result, offer, one, why);
	}
	if (err)
		return err;
	if (keep_sent(negotiation, out->data + before.len) != 0)
		return fault_set(why, -ENOMEM, "out of memory");

	negotiation->local.version = one->version;
	return 0;
}

int negotiation_answer(struct text *out, struct media_params *params,
	struct negotiation *negotiation, struct slice offer, const struct addr *rtp,
	struct fault *why)
{
	struct sdp_local local = negotiation->local;
	struct negotiation_theirs theirs;
	struct text before = *out;
	struct sdp_result common, result;
	int err;

	err = read_theirs(&theirs, offer, why);
	if (err)
		return err;

	local.rtp = *rtp;
	local.direction = negotiation->hold ? SDP_SENDONLY : SDP_SENDRECV;
	if (negotiation->kept_count > 0) {
		local.codecs = negotiation->kept;
		local.codec_count = negotiation->kept_count;
	}
	err = sdp_answer(out, &common, theirs.session, &local, why);
	if (err)
		goto out;

	*out = before;
	result = common;
	err = print_answer(out, &result, negotiation, theirs.session, &local, why);
	if (err)
		goto out;

	take_theirs(negotiation, &theirs, &result);
	theirs = (struct negotiation_theirs){0}; /* the negotiation's from here on */
	negotiation->offered_by_them = true;
	negotiation->line = result.media;
	for (size_t i = 0; i < common.codec_count; i++)
		negotiation->numbers[common.codecs[i].id] = common.codecs[i].payload_type;
	fill_params(params, negotiation, &result);
out:
	forget(&theirs);
	return err;
}

int negotiation_apply(struct media_params *params, struct negotiation *negotiation,
	struct slice answer, struct fault *why)
{
	const struct sdp_local *local = &negotiation->local;
	uint8_t numbers[SDP_CODECS_MAX];
	struct negotiation_theirs theirs;
	struct sdp_result result;
	int err;

	if (answer.len == 0)
		return fault_set(why, -EPROTO, "they answered without a session description");

	err = read_theirs(&theirs, answer, why);
	if (err)
		return err;
	err = sdp_apply_answer(&result, theirs.session, local, why);
	if (err) {
		forget(&theirs);
		return err;
	}

	take_theirs(negotiation, &theirs, &result);
	negotiation->offered_by_them = false;
	sdp_numbers(numbers, local);
	for (size_t i = 0; i < local->codec_count; i++)
		negotiation->numbers[local->codecs[i].id] = numbers[i];
	fill_params(params, negotiation, &result);
	return 0;
}

int negotiation_capabilities(
	struct text *out, struct negotiation *negotiation, const struct addr *host)
{
	struct sdp_local local = negotiation->local;

	local.rtp = *host;
	local.rtp.port = 0;
	return sdp_capabilities(out, &local);
}

void negotiation_explain(
	struct fault *out, struct negotiation *negotiation, struct slice capabilities)
{
	struct negotiation_theirs theirs = {0};
	struct fault broken;

	if (capabilities.len > 0)
		read_theirs(&theirs, capabilities, &broken);
	sdp_explain(out, theirs.session, &negotiation->local);
	forget(&theirs);
}
