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

static size_t device_read(struct source *source, int16_t *out, size_t count)
{
	struct device_source *self = container_of(source, struct device_source, source);
	struct port *port;
	size_t made = 0;
	long jump;

	port = edge_tick(&self->edge, count, &jump);
	if (port && jump > 0)
		port_skip(port, (size_t)jump);
	if (port)
		made = take(self, port, out, count);
	memset(out + made, 0, (count - made) * sizeof(*out));
	source->missed += count - made;
	return count;
}

static void device_free(struct source *source)
{
	struct device_source *self = container_of(source, struct device_source, source);

	edge_close(&self->edge, NULL, NULL);
	free(self);
}

static const struct source_ops device_ops = {device_read, device_free};

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
