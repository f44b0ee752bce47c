#include "core/media/talker.h"

#include "audio/resample.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct talker {
	struct encoder *encoder;
	struct resampler *resampler; /* NULL: the samples have the codec's rate */
	size_t taken;                /* samples a packet, as they come, */
	size_t made;                 /* and as the codec has them */
	int16_t samples[];           /* these, if there is a resampler */
};

int talker_new(struct talker **out, const struct codec *codec,
	const struct codec_settings *settings, uint32_t rate)
{
	bool converts = rate != codec->sample_rate;
	size_t made = codec_frame(codec, settings->ptime_ms);
	struct talker *talker;
	int err;

	talker = calloc(1, sizeof(*talker) + (converts ? made : 0) * sizeof(talker->samples[0]));
	if (!talker)
		return -ENOMEM;

	err = codec_encoder_new(&talker->encoder, codec, settings);
	if (!err && converts)
		err = resampler_new(&talker->resampler, rate, codec->sample_rate, RESAMPLE_QUALITY);
	if (err) {
		talker_free(talker);
		return err;
	}
	/* each packet is due with its tick, not when the filter has seen what follows */
	if (converts)
		resampler_restart(talker->resampler, RESAMPLER_AT_ONCE);
	talker->made = made;
	talker->taken = talker->made * rate / codec->sample_rate;
	*out = talker;
	return 0;
}

void talker_free(struct talker *talker)
{
	if (!talker)
		return;

	codec_encoder_free(talker->encoder);
	resampler_free(talker->resampler);
	free(talker);
}

size_t talker_frame(const struct talker *talker)
{
	return talker->taken;
}

int talker_encode(struct talker *talker, struct buf *out, const int16_t *samples)
{
	size_t made;

	if (!talker->resampler)
		return codec_encode(talker->encoder, out, samples, talker->made);

	assert(resampler_room(talker->resampler, talker->taken) == talker->made);
	made = resampler_process(talker->resampler, talker->samples, samples, talker->taken);
	assert(made == talker->made);
	return codec_encode(talker->encoder, out, talker->samples, made);
}

void talker_expect_loss(struct talker *talker, uint32_t percent)
{
	codec_expect_loss(talker->encoder, percent);
}
