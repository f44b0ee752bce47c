#include "core/media/ends.h"

#include "audio/level.h"

#include <assert.h>
#include <string.h>

void ends_init(struct ends *ends, struct source *source, struct sink *sink,
	struct recorder *recorder, uint32_t rate, const struct media_volume *volume)
{
	*ends = (struct ends){.source = source, .sink = sink, .recorder = recorder};
	gain_init(&ends->mic, rate, volume->mic_db, volume->mic_muted);
	gain_init(&ends->speaker, rate, volume->speaker_db, false);
	ends_forget_levels(ends);
}

void ends_set_microphone(struct ends *ends, enum ends_mic microphone)
{
	ends->microphone = microphone;
}

void ends_set_volume(struct ends *ends, const struct media_volume *volume)
{
	gain_set(&ends->mic, volume->mic_db, volume->mic_muted);
	gain_set(&ends->speaker, volume->speaker_db, false);
}

void ends_forget_levels(struct ends *ends)
{
	ends->near_dbfs = AUDIO_QUIET;
	ends->far_dbfs = AUDIO_QUIET;
}

static void loudest(double *level, const int16_t *samples, size_t count)
{
	double mean = audio_level(samples, count).mean_db;

	if (mean > *level)
		*level = mean;
}

struct ends_clip *ends_turn_clip(struct ends *ends, struct ends_clip *clip)
{
	struct ends_clip *before = ends->clip;

	ends->clip = clip;
	return before;
}

struct recorder *ends_turn_recorder(struct ends *ends, struct recorder *recorder)
{
	struct recorder *before = ends->recorder;

	ends->recorder = recorder;
	return before;
}

struct ear *ends_turn_ear(struct ends *ends, struct ear *ear)
{
	struct ear *before = ends->ear;

	ends->ear = ear;
	return before;
}

static size_t take_from(struct source *source, int16_t *near, const int16_t *far, size_t count)
{
	if (source)
		return source_read(source, near, count);

	memcpy(near, far, count * sizeof(*near));
	return count;
}

/* Over the first got samples of near; where the clip ends, they go on. Returns how many there are.
 */
static size_t take_clip(
	struct ends *ends, int16_t *near, size_t got, const int16_t *far, size_t count)
{
	struct ends_clip *clip = ends->clip;
	size_t taken = take_from(clip->source, near, far, count);

	if (taken < count) {
		ends->clip = NULL;
		clip->over(clip);
	}
	return taken > got ? taken : got;
}

/* What is not sent is read on all the same, in time, and nobody hears it. */
void ends_take(
	struct ends *ends, int16_t *near, const int16_t *far, size_t count, enum ends_gate gate)
{
	size_t got = 0;

	if (ends->microphone != ENDS_MIC_WAITS) {
		got = take_from(ends->source, near, far, count);
		if (got < count)
			ends->source_ended = true;
	}
	if (ends->microphone != ENDS_MIC_OPEN || gate != ENDS_ALL)
		got = 0;
	if (ends->clip)
		got = take_clip(ends, near, got, far, count);
	if (gate == ENDS_NOTHING)
		got = 0;
	memset(near + got, 0, (count - got) * sizeof(*near));
	gain_apply(&ends->mic, near, count);
	loudest(&ends->near_dbfs, near, count);
	if (ends->recorder)
		recorder_near(ends->recorder, near, count);
}

/* A recording is for those who were not there: how loud the loudspeaker was is not in it. */
void ends_play(struct ends *ends, int16_t *far, size_t count)
{
	if (ends->ear)
		ear_hear(ends->ear, far, count);
	if (ends->recorder)
		recorder_far(ends->recorder, far, count);
	gain_apply(&ends->speaker, far, count);
	sink_write(ends->sink, far, count);
	loudest(&ends->far_dbfs, far, count);
}

static void finish(struct ends *ends)
{
	if (--ends->closing == 0)
		ends->done(ends->arg, &ends->result);
}

static void sink_closed(void *arg, int err)
{
	struct ends *ends = arg;

	ends->result.sink_err = err;
	finish(ends);
}

static void source_closed(void *arg)
{
	finish(arg);
}

static void recorder_closed(void *arg, int err, uint64_t written, uint64_t dropped)
{
	struct ends *ends = arg;

	(void)written;
	(void)dropped;
	ends->result.recorder_err = err;
	finish(ends);
}

void ends_close(struct ends *ends, ends_done *done, void *arg)
{
	assert(!ends->clip);

	ends->done = done;
	ends->arg = arg;
	ends->closing = ends->recorder ? 2 : 1;
	if (source_close(ends->source, source_closed, ends))
		ends->closing++;
	ends->source = NULL;
	ear_free(ends->ear);
	ends->ear = NULL;
	sink_close(ends->sink, sink_closed, ends);
	if (ends->recorder)
		recorder_close(ends->recorder, recorder_closed, ends);
}
