#include "audio/nothing.h"

#include "core/base/list.h"
#include "core/base/loop.h"

#include <stdlib.h>
#include <string.h>

struct null {
	struct sink sink;
	struct loop *loop;
	struct post closed;
	sink_done *done;
	void *arg;
};

static size_t silence_read(struct source *source, int16_t *out, size_t count)
{
	(void)source;
	memset(out, 0, count * sizeof(*out));
	return count;
}

static void silence_free(struct source *source)
{
	free(source);
}

static const struct source_ops silence_ops = {silence_read, silence_free, NULL};

int silence_new(struct source **out)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;

	source->ops = &silence_ops;
	*out = source;
	return 0;
}

static void null_write(struct sink *sink, const int16_t *samples, size_t count)
{
	(void)sink;
	(void)samples;
	(void)count;
}

static void null_closed(struct post *post)
{
	struct null *null = container_of(post, struct null, closed);
	sink_done *done = null->done;
	void *arg = null->arg;

	free(null);
	if (done)
		done(arg, 0);
}

static void null_close(struct sink *sink, sink_done *done, void *arg)
{
	struct null *null = container_of(sink, struct null, sink);

	null->done = done;
	null->arg = arg;
	null->closed.run = null_closed;
	loop_post(null->loop, &null->closed);
}

static const struct sink_ops null_ops = {null_write, null_close};

int null_new(struct sink **out, struct loop *loop)
{
	struct null *null = calloc(1, sizeof(*null));

	if (!null)
		return -ENOMEM;

	null->sink.ops = &null_ops;
	null->loop = loop;
	*out = &null->sink;
	return 0;
}
