#include "audio/pipe_sink.h"

#include "audio/pipe_end.h"
#include "audio/resample.h"
#include "core/base/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024 }; /* samples that are written at once at most */

struct pipe_sink {
	struct sink sink;
	struct pipe_end end;
	struct resampler *resampler;
	uint64_t dropped; /* samples, in the pipe's rate */
	int err;          /* nothing is written any more */
	bool told;        /* that */
	int16_t *piece;
	uint8_t *bytes;
	sink_done *done;
	void *arg;
};

static void tell_err(struct pipe_sink *self)
{
	self->told = true;
	audio_tell(&self->end.setup, AUDIO_FAILED, "%s cannot be written: %s", self->end.name,
		strerror(-self->err));
}

/* Who has read enough has read enough, and that is no failure; a command has its exit code to say
 * that it is one. */
static void tell_unread(struct pipe_sink *self)
{
	if (self->end.command && !pipe_end_exited(&self->end))
		return; /* soon */

	self->told = true;
	if (!self->end.failed)
		audio_tell(&self->end.setup, AUDIO_NOTE,
			"%s is not read any more, and what comes is not heard", self->end.name);
}

static void put_samples(struct pipe_sink *self, size_t count)
{
	int err;

	for (size_t i = 0; i < count; i++) {
		self->bytes[2 * i] = (uint8_t)self->piece[i];
		self->bytes[2 * i + 1] = (uint8_t)((uint16_t)self->piece[i] >> 8);
	}
	err = pipe_write(self->end.pipe, (struct slice){self->bytes, 2 * count});
	if (err == -ENOBUFS)
		self->dropped += count;
	else
		self->err = err;
}

static void pipe_sink_write(struct sink *sink, const int16_t *samples, size_t count)
{
	struct pipe_sink *self = container_of(sink, struct pipe_sink, sink);

	while (count > 0 && !self->err) {
		size_t taken = count < PIECE ? count : PIECE;

		put_samples(self, resampler_process(self->resampler, self->piece, samples, taken));
		samples += taken;
		count -= taken;
	}
	if (self->told || !self->err)
		return;
	if (self->err == -EPIPE)
		tell_unread(self);
	else
		tell_err(self);
}

static void destroy(struct pipe_sink *self)
{
	resampler_free(self->resampler);
	free(self->piece);
	free(self->bytes);
	free(self);
}

static void pipe_closed(void *arg, const struct pipe_report *report)
{
	struct pipe_sink *self = arg;
	const struct audio_setup *setup = &self->end.setup;
	sink_done *done = self->done;
	void *done_arg = self->arg;

	pipe_end_tell(&self->end, &report->exit);
	if (report->err == -ETIMEDOUT)
		self->dropped += report->unsent / sizeof(int16_t);
	else if (!self->err)
		self->err = report->err;
	if (self->err && self->err != -EPIPE && !self->told)
		tell_err(self);
	if (self->dropped > 0)
		audio_tell(setup, AUDIO_FAILED, "%s was too slow: %.2f s of sound were dropped",
			self->end.name, (double)self->dropped / setup->pipe_rate);
	destroy(self);
	if (done)
		done(done_arg, 0); /* all is told */
}

static void pipe_sink_close(struct sink *sink, sink_done *done, void *arg)
{
	struct pipe_sink *self = container_of(sink, struct pipe_sink, sink);

	self->done = done;
	self->arg = arg;
	if (!self->err)
		put_samples(self, resampler_flush(self->resampler, self->piece));
	pipe_close(self->end.pipe, pipe_closed, self);
}

static const struct sink_ops ops = {pipe_sink_write, pipe_sink_close};

static int make_rooms(struct pipe_sink *self, const struct audio_setup *setup)
{
	size_t room;
	int err;

	err = resampler_new(&self->resampler, setup->rate, setup->pipe_rate, RESAMPLE_QUALITY);
	if (err)
		return err;

	/* and what the filter held back: 40 samples of the lower rate */
	room = resampler_room(self->resampler, PIECE) + setup->pipe_rate / 8;
	self->piece = calloc(room, sizeof(*self->piece));
	self->bytes = calloc(2 * room, sizeof(*self->bytes));
	return self->piece && self->bytes ? 0 : -ENOMEM;
}

int pipe_sink_open(
	struct sink **out, const struct audio_setup *setup, const char *command, struct fault *why)
{
	struct pipe_sink *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a pipe");

	self->sink.ops = &ops;
	err = make_rooms(self, setup);
	if (err)
		fault_set(why, err, "too little memory for a pipe");
	else
		err = pipe_end_open(&self->end, setup, PIPE_OUT, command, why);
	if (err) {
		destroy(self);
		return err;
	}
	*out = &self->sink;
	return 0;
}
