#include "audio/pipe_source.h"

#include "audio/pipe_end.h"
#include "audio/resample.h"
#include "core/base/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024 }; /* samples that are read at once at most */

struct pipe_source {
	struct source source;
	struct pipe_end end;
	struct resampler *resampler;
	bool over; /* nothing more comes */
	uint8_t bytes[PIECE * sizeof(int16_t)];
	struct buf in; /* bytes: what was read and is no whole sample */
	int16_t piece[PIECE];
	size_t at, len; /* of ready */
	int16_t *ready;
	source_done *done;
	void *arg;
};

static size_t take_ready(struct pipe_source *self, int16_t *out, size_t count)
{
	size_t left = self->len - self->at;
	size_t taken = count < left ? count : left;

	memcpy(out, self->ready + self->at, taken * sizeof(*out));
	self->at += taken;
	return taken;
}

/* Makes whole samples of the bytes that have come; half a one waits for its other half. */
static size_t take_samples(struct pipe_source *self)
{
	size_t count = self->in.len / sizeof(int16_t);

	for (size_t i = 0; i < count; i++)
		self->piece[i] =
			(int16_t)(self->bytes[2 * i] | (uint16_t)(self->bytes[2 * i + 1] << 8));
	self->in.len %= sizeof(int16_t);
	if (self->in.len > 0)
		self->bytes[0] = self->bytes[2 * count];
	return count;
}

static void end_it(struct pipe_source *self, int err)
{
	self->over = true;
	self->len = resampler_flush(self->resampler, self->ready);
	if (err != -ENODATA)
		audio_tell(&self->end.setup, AUDIO_FAILED, "%s cannot be read: %s", self->end.name,
			strerror(-err));
}

/* Reads about what count samples are made of. Whether that came to something. */
static bool refill(struct pipe_source *self, size_t count)
{
	const struct audio_setup *setup = &self->end.setup;
	uint64_t wanted = ((uint64_t)count * setup->pipe_rate + setup->rate - 1) / setup->rate;
	size_t before = self->in.len;
	int err;

	self->at = self->len = 0;
	if (self->over)
		return false;

	self->in.size = sizeof(int16_t) * (wanted < PIECE ? (size_t)wanted : PIECE);
	err = pipe_read(&self->in, self->end.pipe);
	if (err) {
		end_it(self, err);
		return self->len > 0;
	}
	if (self->in.len == before)
		return false;

	self->len =
		resampler_process(self->resampler, self->ready, self->piece, take_samples(self));
	return true;
}

static size_t pipe_read_source(struct source *source, int16_t *out, size_t count)
{
	struct pipe_source *self = container_of(source, struct pipe_source, source);
	size_t given = take_ready(self, out, count);

	while (given < count && refill(self, count - given))
		given += take_ready(self, out + given, count - given);
	if (self->over) {
		(void)pipe_end_exited(&self->end);
		return given;
	}
	memset(out + given, 0, (count - given) * sizeof(*out));
	source->missed += count - given;
	return count;
}

static void destroy(struct pipe_source *self)
{
	resampler_free(self->resampler);
	free(self->ready);
	free(self);
}

static void pipe_closed(void *arg, const struct pipe_report *report)
{
	struct pipe_source *self = arg;
	source_done *done = self->done;
	void *done_arg = self->arg;

	pipe_end_tell(&self->end, &report->exit);
	destroy(self);
	if (done)
		done(done_arg);
}

static void pipe_source_close(struct source *source, source_done *done, void *arg)
{
	struct pipe_source *self = container_of(source, struct pipe_source, source);

	self->done = done;
	self->arg = arg;
	pipe_close(self->end.pipe, pipe_closed, self);
}

static void pipe_source_free(struct source *source)
{
	pipe_source_close(source, NULL, NULL);
}

static const struct source_ops ops = {pipe_read_source, pipe_source_free, pipe_source_close};

int pipe_source_open(struct source **out, const struct audio_setup *setup, const char *command,
	struct fault *why)
{
	struct pipe_source *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a pipe");

	self->source.ops = &ops;
	self->in.data = self->bytes;
	err = resampler_new(&self->resampler, setup->pipe_rate, setup->rate, RESAMPLE_QUALITY);
	if (!err) {
		/* and what the filter held back: 40 samples of the lower rate */
		self->ready = calloc(resampler_room(self->resampler, PIECE) + setup->rate / 8,
			sizeof(*self->ready));
		err = self->ready ? 0 : -ENOMEM;
	}
	if (err) {
		destroy(self);
		return fault_set(why, err, "too little memory for a pipe");
	}

	err = pipe_end_open(&self->end, setup, PIPE_IN, command, why);
	if (err) {
		destroy(self);
		return err;
	}
	*out = &self->source;
	return 0;
}
