#include "audio/device_source.h"

#include "audio/edge.h"
#include "core/base/list.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_MS = 20 }; /* of what is read, at a time: it fits a block of the elastic */

struct device_source {
	struct source source;
	struct edge edge;
	int16_t recorded[ELASTIC_BLOCK_MAX];
};

/* What a tick lacks is silence; the device then has that much more in hand for the next. */
static size_t take(struct device_source *self, struct port *port, int16_t *out, size_t count)
{
	struct elastic *elastic = self->edge.elastic;
	size_t piece = self->edge.setup.rate / 1000 * PIECE_MS;
	size_t made = 0;

	while (made < count) {
		size_t want = count - made < piece ? count - made : piece;
		size_t needs = elastic_needs(elastic, want);
		size_t got;

		needs = needs > 0 ? needs : 1;
		got = port_read(self->recorded, port, needs);
		made += elastic_process(elastic, out + made, want, self->recorded, got);
		if (got < needs)
			break;
	}
	return made;
}

/* How many samples of a tick are silence so that the device gets ahead of us by -jump of its own.
 */
static size_t wait_for(const struct device_source *self, size_t count, long jump)
{
	size_t silent = jump < 0 ? (size_t)-jump * self->edge.setup.rate / PORT_RATE : 0;

	return silent < count ? silent : count;
}

static size_t device_read(struct source *source, int16_t *out, size_t count)
{
	struct device_source *self = container_of(source, struct device_source, source);
	size_t silent = count, made = 0;
	struct port *port;
	long jump;

	port = edge_tick(&self->edge, count, &jump);
	if (port) {
		silent = wait_for(self, count, jump);
		if (jump > 0)
			port_skip(port, (size_t)jump);
		made = take(self, port, out + silent, count - silent);
	}
	memset(out, 0, silent * sizeof(*out));
	memset(out + silent + made, 0, (count - silent - made) * sizeof(*out));
	source->missed += count - made;
	return count;
}

static void device_free(struct source *source)
{
	struct device_source *self = container_of(source, struct device_source, source);

	edge_close(&self->edge, NULL, NULL);
	free(self);
}

static const struct source_ops device_ops = {device_read, device_free, NULL};

int device_source_open(struct source **out, const struct audio_setup *setup,
	const struct device_maker *maker, const char *name, struct fault *why)
{
	struct device_source *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a sound device");

	self->source.ops = &device_ops;
	err = edge_open(&self->edge, setup, maker, PORT_IN, name, why);
	if (err) {
		free(self);
		return err;
	}
	*out = &self->source;
	return 0;
}
