#include "audio/device_sink.h"

#include "audio/edge.h"
#include "core/base/list.h"

#include <errno.h>
#include <stdlib.h>

enum { PIECE_MS = 20 }; /* of what is written, at a time: bent, it fits a block of the elastic */

struct device_sink {
	struct sink sink;
	struct edge edge;
	sink_done *done;
	void *arg;
	int16_t bent[ELASTIC_BLOCK_MAX];
};

/* Silence goes where sound is missing already. */
static void fill_up(struct port *port, size_t count)
{
	static const int16_t zeros[PORT_RATE / 100];

	while (count > 0) {
		size_t want = count < PORT_RATE / 100 ? count : PORT_RATE / 100;

		(void)port_write(port, zeros, want);
		count -= want;
	}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Too much lies there: of what comes, that much is left out. Or too little, and it gets silence,
 * but for what need not be left out any more. */
static void set_right(struct device_sink *self, struct port *port, long jump)
{
	size_t lacks = jump < 0 ? (size_t)-jump : 0;
	size_t kept = least(lacks, self->edge.left_out);

	self->edge.left_out += jump > 0 ? (size_t)jump : 0;
	self->edge.left_out -= kept;
	fill_up(port, lacks - kept);
}

static void play(struct device_sink *self, struct port *port, const int16_t *samples, size_t count)
{
	size_t piece = self->edge.setup.rate / 1000 * PIECE_MS;

	while (count > 0) {
		size_t want = count < piece ? count : piece;
		size_t made = elastic_process(
			self->edge.elastic, self->bent, ELASTIC_BLOCK_MAX, samples, want);
		size_t out = least(made, self->edge.left_out);

		self->edge.left_out -= out;
		(void)port_write(port, self->bent + out, made - out);
		samples += want;
		count -= want;
	}
}

static void device_write(struct sink *sink, const int16_t *samples, size_t count)
{
	struct device_sink *self = container_of(sink, struct device_sink, sink);
	struct port *port;
	long jump;

	port = edge_tick(&self->edge, count, &jump);
	if (!port)
		return;
	set_right(self, port, jump);
	play(self, port, samples, count);
}

static void closed(void *arg)
{
	struct device_sink *self = arg;
	sink_done *done = self->done;
	void *done_arg = self->arg;

	free(self);
	if (done)
		done(done_arg, 0);
}

static void device_close(struct sink *sink, sink_done *done, void *arg)
{
	struct device_sink *self = container_of(sink, struct device_sink, sink);

	self->done = done;
	self->arg = arg;
	edge_close(&self->edge, closed, self);
}

static const struct sink_ops device_ops = {device_write, device_close};

int device_sink_open(struct sink **out, const struct audio_setup *setup,
	const struct device_maker *maker, const char *name, struct fault *why)
{
	struct device_sink *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a sound device");

	self->sink.ops = &device_ops;
	err = edge_open(&self->edge, setup, maker, PORT_OUT, name, why);
	if (err) {
		free(self);
		return err;
	}
	*out = &self->sink;
	return 0;
}
