#include "tests/unit/lossy.h"

#include "audio/conceal.h"
#include "codecs/codec.h"
#include "core/base/text.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <sndfile.h>

#define PI 3.14159265358979323846
#define FLOOR 33.0

enum {
	WINDOW = 256,
	HOP = 64,
	LINES = WINDOW / 2,
	HEAR_FIRST = 10, /* frames */
};

static void zero_good(void *arg, int16_t *frame)
{
	(void)arg;
	(void)frame;
}

static void zero_fill(void *arg, int16_t *frame)
{
	(void)arg;
	memset(frame, 0, LOSSY_FRAME * sizeof(*frame));
}

static void repeat_good(void *arg, int16_t *frame)
{
	struct lossy_last *last = arg;

	memcpy(last->frame, frame, sizeof(last->frame));
}

static void repeat_fill(void *arg, int16_t *frame)
{
	const struct lossy_last *last = arg;

	memcpy(frame, last->frame, sizeof(last->frame));
}

static void conceal_frame_good(void *arg, int16_t *frame)
{
	conceal_good(arg, frame, LOSSY_FRAME);
}

static void conceal_frame_fill(void *arg, int16_t *frame)
{
	conceal_fill(arg, frame, LOSSY_FRAME);
}

const struct lossy_way lossy_zero = {"zero", zero_good, zero_fill};
const struct lossy_way lossy_repeat = {"repeat", repeat_good, repeat_fill};
const struct lossy_way lossy_conceal = {"conceal", conceal_frame_good, conceal_frame_fill};

/* Every other sample, of what is below 4 kHz. */
static int16_t halve(const int16_t *around)
{
	static const int taps[] = {3, 0, -25, 0, 150, 256, 150, 0, -25, 0, 3};
	int sum = 0;

	for (int i = 0; i < 11; i++)
		sum += taps[i] * around[i - 5];
	return (int16_t)(sum / 512);
}

static void through_g711(int16_t *frame)
{
	const struct codec *codec = codec_find(slice_of("pcmu"));
	const struct codec_settings settings = {.ptime_ms = 20};
	uint8_t bytes[CODEC_PAYLOAD_MAX];
	struct buf payload = {bytes, 0, sizeof(bytes)};
	struct encoder *encoder;
	struct decoder *decoder;
	size_t got;
	int err = codec_encoder_new(&encoder, codec, &settings);

	assert(err == 0);
	err = codec_decoder_new(&decoder, codec);
	assert(err == 0);
	err = codec_encode(encoder, &payload, frame, LOSSY_FRAME);
	assert(err == 0);
	err = codec_decode(
		decoder, frame, LOSSY_FRAME, &got, (struct slice){payload.data, payload.len});
	assert(err == 0);
	codec_encoder_free(encoder);
	codec_decoder_free(decoder);
}

bool lossy_load(struct lossy *lossy, const char *path)
{
	static int16_t samples[2 * LOSSY_FRAMES_MAX * LOSSY_FRAME + 2 * LOSSY_FRAME];
	SF_INFO info = {0};
	SNDFILE *file = sf_open(path, SFM_READ, &info);
	sf_count_t count;

	if (!file)
		return false;

	memset(samples, 0, sizeof(samples));
	count = sf_read_short(
		file, samples + LOSSY_FRAME, (sf_count_t)2 * LOSSY_FRAMES_MAX * LOSSY_FRAME);
	sf_close(file);
	if (info.samplerate != 2 * LOSSY_RATE || info.channels != 1 || count <= 0)
		return false;

	lossy->frames = (size_t)count / (2 * LOSSY_FRAME);
	for (size_t i = 0; i < lossy->frames * LOSSY_FRAME; i++)
		lossy->clean[i] = halve(samples + LOSSY_FRAME + 2 * i);
	for (size_t i = 0; i < lossy->frames; i++)
		through_g711(lossy->clean + i * LOSSY_FRAME);
	return true;
}

void lossy_draw(struct lossy *lossy, unsigned percent, uint32_t seed)
{
	for (size_t i = 0; i < lossy->frames; i++) {
		seed = seed * 1664525 + 1013904223;
		lossy->lost[i] = i >= HEAR_FIRST && i + 1 < lossy->frames &&
				 (uint64_t)(seed >> 8) * 100 >> 24 < percent;
	}
}

void lossy_run(struct lossy *lossy, const struct lossy_way *way, void *arg)
{
	memcpy(lossy->made, lossy->clean, sizeof(lossy->made));
	for (size_t i = 0; i < lossy->frames; i++)
		(lossy->lost[i] ? way->fill : way->good)(arg, lossy->made + i * LOSSY_FRAME);
}

/* In dB. */
static void spectrum(double out[LINES], const int16_t *samples)
{
	static double wave[WINDOW], shape[WINDOW];

	if (wave[0] == 0)
		for (size_t i = 0; i < WINDOW; i++) {
			wave[i] = cos(2 * PI * (double)i / WINDOW);
			shape[i] = 0.5 - 0.5 * cos(2 * PI * ((double)i + 0.5) / WINDOW);
		}
	for (size_t line = 0; line < LINES; line++) {
		double real = 0, imaginary = 0;

		for (size_t i = 0; i < WINDOW; i++) {
			size_t turn = i * line;
			double value = samples[i] * shape[i];

			real += value * wave[turn % WINDOW];
			imaginary += value * wave[(turn + WINDOW / 4) % WINDOW];
		}
		out[line] = 10 * log10((real * real + imaginary * imaginary) / WINDOW / 0.375 +
					 FLOOR * FLOOR);
	}
}

static double window_distance(const int16_t *a, const int16_t *b)
{
	double x[LINES], y[LINES], sum = 0;

	spectrum(x, a);
	spectrum(y, b);
	for (size_t i = 0; i < LINES; i++)
		sum += (x[i] - y[i]) * (x[i] - y[i]);
	return sqrt(sum / LINES);
}

static bool concerns(const struct lossy *lossy, size_t from)
{
	size_t last = (from + WINDOW - 1) / LOSSY_FRAME;

	for (size_t i = from / LOSSY_FRAME; i <= last; i++)
		if (lossy->lost[i] || (i > 0 && lossy->lost[i - 1]))
			return true;
	return false;
}

double lossy_distance(const struct lossy *lossy)
{
	double sum = 0;
	size_t windows = 0;

	for (size_t at = 0; at + WINDOW <= lossy->frames * LOSSY_FRAME; at += HOP) {
		if (!concerns(lossy, at))
			continue;
		sum += window_distance(lossy->clean + at, lossy->made + at);
		windows++;
	}
	return windows > 0 ? sum / (double)windows : 0;
}
