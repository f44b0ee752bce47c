#include "audio/elastic.h"

#include "core/base/library.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <samplerate.h>

enum {
	WAITING_MAX = 2 * ELASTIC_BLOCK_MAX,
	AHEAD_MAX = 4096, /* samples that a filter could want to see before the first comes out */
};

/* Its functions, found when the first device is opened. */
static struct {
	__typeof__(src_new) *make;
	__typeof__(src_delete) *destroy;
	__typeof__(src_process) *process;
	__typeof__(src_short_to_float_array) *to_float;
	__typeof__(src_float_to_short_array) *to_short;
} library;

struct elastic {
	SRC_STATE *state;
	double plain;   /* out_rate / in_rate */
	double ratio;   /* as it is bent */
	double before;  /* as it was for what was made last */
	double owed;    /* of the input, what the output so far was made from and has not come */
	size_t waiting; /* samples in input that the filter has not taken */
	float input[WAITING_MAX];
	float output[ELASTIC_BLOCK_MAX];
};

static int load(struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"src_new", offsetof(__typeof__(library), make)},
		{"src_delete", offsetof(__typeof__(library), destroy)},
		{"src_process", offsetof(__typeof__(library), process)},
		{"src_short_to_float_array", offsetof(__typeof__(library), to_float)},
		{"src_float_to_short_array", offsetof(__typeof__(library), to_short)},
	};

	return library_load(
		&library, "libsamplerate.so.0", symbols, sizeof(symbols) / sizeof(symbols[0]), why);
}

static void take_in(struct elastic *elastic, const int16_t *in, size_t count)
{
	assert(count <= WAITING_MAX - elastic->waiting);

	library.to_float(in, elastic->input + elastic->waiting, (int)count);
	elastic->waiting += count;
	elastic->owed -= (double)count;
}

/* Within a block the ratio glides from the one before, and so does what the block is made from. */
static double made_from(const struct elastic *elastic, size_t count)
{
	return (double)count * 2 / (elastic->before + elastic->ratio);
}

static size_t make(struct elastic *elastic, size_t room)
{
	SRC_DATA data = {
		.data_in = elastic->input,
		.input_frames = (long)elastic->waiting,
		.data_out = elastic->output,
		.output_frames = (long)room,
		.src_ratio = elastic->ratio,
	};
	size_t used, made;

	if (library.process(elastic->state, &data) != 0)
		return 0; /* only for arguments that it cannot have */

	used = (size_t)data.input_frames_used;
	made = (size_t)data.output_frames_gen;
	elastic->waiting -= used;
	memmove(elastic->input, elastic->input + used, elastic->waiting * sizeof(float));
	elastic->owed += made_from(elastic, made);
	if (made > 0)
		elastic->before = elastic->ratio;
	return made;
}

/* The filter looks ahead, and does not tell how far: it gets silence until something comes out. */
static void prime(struct elastic *elastic)
{
	static const int16_t zero;

	for (size_t i = 0; i < AHEAD_MAX && make(elastic, 1) == 0; i++)
		take_in(elastic, &zero, 1);
	elastic->owed = 1; /* a sample in hand, for what is rounded */
}

int elastic_new(struct elastic **out, uint32_t in_rate, uint32_t out_rate, struct fault *why)
{
	struct elastic *elastic;
	int err;

	assert(in_rate >= 8000 && in_rate <= 48000 && out_rate >= 8000 && out_rate <= 48000);

	err = load(why);
	if (err)
		return err;

	elastic = calloc(1, sizeof(*elastic));
	if (!elastic)
		return fault_set(why, -ENOMEM, "too little memory for a resampler");

	/* its cheapest filter keeps what is beyond 80 % of the band and 97 dB down: for speech,
	 * plenty */
	elastic->state = library.make(SRC_SINC_FASTEST, 1, &err);
	if (!elastic->state) {
		free(elastic);
		return fault_set(why, -ENOMEM, "too little memory for a resampler");
	}
	elastic->plain = (double)out_rate / in_rate;
	elastic->ratio = elastic->plain;
	elastic->before = elastic->plain;
	prime(elastic);
	*out = elastic;
	return 0;
}

void elastic_free(struct elastic *elastic)
{
	if (!elastic)
		return;

	library.destroy(elastic->state);
	free(elastic);
}

void elastic_bend(struct elastic *elastic, double ppm)
{
	assert(fabs(ppm) <= ELASTIC_BEND_MAX_PPM);
	elastic->ratio = elastic->plain / (1 + ppm / 1e6);
}

size_t elastic_needs(const struct elastic *elastic, size_t count)
{
	double wanted = elastic->owed + made_from(elastic, count);
	size_t needs = wanted > 0 ? (size_t)ceil(wanted) : 0;

	return needs < ELASTIC_BLOCK_MAX ? needs : ELASTIC_BLOCK_MAX;
}

size_t elastic_process(
	struct elastic *elastic, int16_t *out, size_t room, const int16_t *in, size_t count)
{
	size_t made;

	assert(room <= ELASTIC_BLOCK_MAX);

	take_in(elastic, in, count);
	made = make(elastic, room);
	library.to_short(elastic->output, out, (int)made);
	return made;
}
