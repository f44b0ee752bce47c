#include "core/ua/negotiation.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void negotiation_init(struct negotiation *negotiation, struct loop *loop,
	const struct codec *const *codecs, size_t count)
{
	uint32_t id;

	assert(count >= 1 && count <= NEGOTIATION_CODECS_MAX);

	*negotiation = (struct negotiation){.codecs = codecs};
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
		.direction = SDP_SENDRECV,
		.codecs = negotiation->described,
		.codec_count = count,
	};
}

void negotiation_free(struct negotiation *negotiation)
{
	sdp_free(negotiation->theirs);
	negotiation->theirs = NULL;
	free(negotiation->their_text);
	negotiation->their_text = NULL;
}

/* Keeps a copy: the message that it came in goes, and what was agreed on stays. */
static int take_theirs(struct negotiation *negotiation, struct slice text, struct fault *why)
{
	negotiation_free(negotiation);
	negotiation->their_text = slice_copy(text);
	if (!negotiation->their_text)
		return fault_set(why, -ENOMEM, "out of memory");

	return sdp_parse(&negotiation->theirs,
		(struct slice){(const uint8_t *)negotiation->their_text, text.len}, why);
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
		.receive_payload_type = voice->receive_payload_type,
		.ptime_ms = codec_ptime(codec, result->ptime_ms),
		.sends = result->direction & SDP_SENDONLY,
		.receives = result->direction & SDP_RECVONLY,
		.remote_rtp = result->rtp,
		.remote_rtcp = result->rtcp,
	};
}

int negotiation_offer(struct text *out, struct negotiation *negotiation, const struct addr *rtp)
{
	negotiation->local.rtp = *rtp;
	return sdp_offer(out, &negotiation->local);
}

/*
 * Of several common voices only the first goes into the answer, so that the far end does not change
 * from one to another in the middle of the stream.
 */
int negotiation_answer(struct text *out, struct media_params *params,
	struct negotiation *negotiation, struct slice offer, const struct addr *rtp,
	struct fault *why)
{
	struct sdp_local one = negotiation->local;
	struct text before = *out;
	struct sdp_result result;
	int err;

	err = take_theirs(negotiation, offer, why);
	if (err)
		return err;

	one.rtp = *rtp;
	err = sdp_answer(out, &result, negotiation->theirs, &one, why);
	if (err)
		return err;

	*out = before;
	one.codecs = &negotiation->described[result.codecs[0].id];
	one.codec_count = 1;
	err = sdp_answer(out, &result, negotiation->theirs, &one, why);
	if (err)
		return err;

	fill_params(params, negotiation, &result);
	return 0;
}

int negotiation_apply(struct media_params *params, struct negotiation *negotiation,
	struct slice answer, struct fault *why)
{
	struct sdp_result result;
	int err;

	if (answer.len == 0)
		return fault_set(why, -EPROTO, "they answered without a session description");

	err = take_theirs(negotiation, answer, why);
	if (!err)
		err = sdp_apply_answer(&result, negotiation->theirs, &negotiation->local, why);
	if (err)
		return err;

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
	struct fault broken;

	if (capabilities.len == 0 || take_theirs(negotiation, capabilities, &broken) != 0)
		negotiation_free(negotiation);
	sdp_explain(out, negotiation->theirs, &negotiation->local);
}
