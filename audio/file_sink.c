#include "audio/file_sink.h"

#include "audio/file_writer.h"
#include "audio/path.h"
#include "core/base/list.h"

#include <errno.h>
#include <stdlib.h>

struct file_sink {
	struct sink sink;
	struct file_writer *writer;
	sink_done *done;
	void *arg;
};

static void file_write(struct sink *sink, const int16_t *samples, size_t count)
{
	file_writer_write(container_of(sink, struct file_sink, sink)->writer, samples, count);
}

static void written(void *arg, int err, uint64_t samples, uint64_t dropped)
{
	struct file_sink *self = arg;
	sink_done *done = self->done;
	void *done_arg = self->arg;

	(void)samples;
	(void)dropped; /* err says so too */
	free(self);
	if (done)
		done(done_arg, err);
}

static void file_close(struct sink *sink, sink_done *done, void *arg)
{
	struct file_sink *self = container_of(sink, struct file_sink, sink);

	self->done = done;
	self->arg = arg;
	file_writer_close(self->writer, written, self);
}

static const struct sink_ops file_ops = {file_write, file_close};

int file_sink_open(
	struct sink **out, struct loop *loop, const char *path, uint32_t rate, struct fault *why)
{
	struct file_sink *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return path_fault(why, -ENOMEM, path);

	self->sink.ops = &file_ops;
	err = file_writer_open(&self->writer, loop, path, rate, 1, false, why);
	if (err) {
		free(self);
		return err;
	}
	*out = &self->sink;
	return 0;
}
