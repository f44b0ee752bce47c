#include "audio/file_source.h"

#include "audio/file_input.h"
#include "audio/path.h"
#include "audio/resample.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/loop.h"

#include <stdlib.h>

enum {
	CHUNK = 1024, /* frames read at once, so that their room is small */
};

/* About a second of what is heard. */
struct block {
	int16_t *samples;
	size_t len;
	bool last;
};

/*
 * Two blocks: one is played, the other is filled by the work meanwhile. While working, the work
 * owns input, resampler, frames, mono and filling, and the loop's thread everything else.
 */
struct file_source {
	struct source source;
	struct loop *loop;
	struct work work;
	struct file_input input;
	struct resampler *resampler;
	float *frames; /* CHUNK, of all channels */
	int16_t *mono; /* CHUNK */
	size_t chunks; /* of a block */
	struct block playing, filling;
	size_t at; /* in playing */
	bool working;
	bool ready;  /* filling is full and nobody has looked yet */
	bool orphan; /* it was freed while working */
};

int file_source_check(const char *path, struct fault *why)
{
	struct file_input input;
	int err;

	err = file_input_open(&input, path, why);
	if (err)
		return err;

	file_input_close(&input);
	return 0;
}

/* All channels as one, each as loud as the others. Returns how many frames there still were. */
static size_t read_mono(struct file_source *self)
{
	size_t channels = (size_t)self->input.info.channels;
	sf_count_t got = sf_readf_float(self->input.file, self->frames, CHUNK);
	size_t count = got > 0 ? (size_t)got : 0;

	for (size_t i = 0; i < count; i++) {
		float sum = 0;

		for (size_t c = 0; c < channels; c++)
			sum += self->frames[i * channels + c];
		self->mono[i] = file_input_sample(sum / (float)channels);
	}
	return count;
}

/* Fills the block that is not played. On the work's thread, but for the first. */
static void fill(struct file_source *self)
{
	struct block *block = &self->filling;

	block->len = 0;
	for (size_t i = 0; i < self->chunks && !block->last; i++) {
		size_t count = read_mono(self);

		block->len += resampler_process(
			self->resampler, block->samples + block->len, self->mono, count);
		if (count < CHUNK) {
			block->last = true;
			block->len += resampler_flush(self->resampler, block->samples + block->len);
		}
	}
}

static void work_run(struct work *work)
{
	fill(container_of(work, struct file_source, work));
}

static void destroy(struct file_source *self)
{
	resampler_free(self->resampler);
	file_input_close(&self->input);
	free(self->frames);
	free(self->mono);
	free(self->playing.samples);
	free(self->filling.samples);
	free(self);
}

static void work_done(struct work *work)
{
	struct file_source *self = container_of(work, struct file_source, work);

	self->working = false;
	self->ready = true;
	if (self->orphan)
		destroy(self);
}

/* Should it fail, the next read tries again. */
static void read_ahead(struct file_source *self)
{
	int err;

	if (self->working || self->ready || self->playing.last)
		return;

	self->working = true;
	err = loop_work(self->loop, &self->work);
	if (err) {
		self->working = false;
		log_warning("reading ahead of a file that is played: %s", strerror(-err));
	}
}

static void swap(struct file_source *self)
{
	struct block played = self->playing;

	self->playing = self->filling;
	self->filling = played;
	self->at = 0;
	self->ready = false;
}

static size_t file_read(struct source *source, int16_t *out, size_t count)
{
	struct file_source *self = container_of(source, struct file_source, source);
	size_t given = 0;

	while (given < count) {
		size_t left = self->playing.len - self->at;
		size_t moved = count - given < left ? count - given : left;

		memcpy(out + given, self->playing.samples + self->at, moved * sizeof(*out));
		self->at += moved;
		given += moved;
		if (given == count || self->playing.last)
			break;
		if (!self->ready) {
			memset(out + given, 0, (count - given) * sizeof(*out));
			source->missed += count - given;
			given = count;
			break;
		}
		swap(self);
	}
	read_ahead(self);
	return given;
}

static void file_free(struct source *source)
{
	struct file_source *self = container_of(source, struct file_source, source);

	if (self->working)
		self->orphan = true;
	else
		destroy(self);
}

static const struct source_ops file_ops = {file_read, file_free, NULL};

static int make_rooms(struct file_source *self, uint32_t rate)
{
	uint32_t in_rate = (uint32_t)self->input.info.samplerate;
	size_t room;
	int err;

	err = resampler_new(&self->resampler, in_rate, rate, RESAMPLE_QUALITY);
	if (err)
		return err;

	/* And what the filter held back of the block before: 40 samples of the lower rate. */
	self->chunks = (in_rate + CHUNK - 1) / CHUNK;
	room = resampler_room(self->resampler, self->chunks * CHUNK) + rate / 8;
	self->frames = calloc((size_t)self->input.info.channels * CHUNK, sizeof(*self->frames));
	self->mono = calloc(CHUNK, sizeof(*self->mono));
	self->playing.samples = calloc(room, sizeof(*self->playing.samples));
	self->filling.samples = calloc(room, sizeof(*self->filling.samples));
	if (!self->frames || !self->mono || !self->playing.samples || !self->filling.samples)
		return -ENOMEM;
	return 0;
}

int file_source_open(
	struct source **out, struct loop *loop, const char *path, uint32_t rate, struct fault *why)
{
	struct file_source *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return path_fault(why, -ENOMEM, path);

	self->source.ops = &file_ops;
	self->loop = loop;
	self->work = (struct work){work_run, work_done};
	err = file_input_open(&self->input, path, why);
	if (err) {
		self->input.fd = -1;
		goto out;
	}
	err = make_rooms(self, rate);
	if (err) {
		path_fault(why, err, path);
		goto out;
	}

	fill(self);
	swap(self); /* the first read goes on, on the loop's own thread, with a second in hand */
	*out = &self->source;
	self = NULL;
out:
	if (self)
		destroy(self);
	return err;
}
