/*
 * Where samples go to: passive, as a source is. 16 bit, mono, at the rate that it was opened with.
 * A sink belongs to the thread of the loop that it was opened with.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sink;

/* err: 0, or a negative error code if not everything got to where it should. */
typedef void sink_done(void *arg, int err);

struct sink_ops {
	void (*write)(struct sink *sink, const int16_t *samples, size_t count);
	void (*close)(struct sink *sink, sink_done *done, void *arg);
};

/* The first member of each kind. */
struct sink {
	const struct sink_ops *ops;
};

/* Takes count samples. It never waits: what there is no room for is dropped and told by close. */
static inline void sink_write(struct sink *sink, const int16_t *samples, size_t count)
{
	sink->ops->write(sink, samples, count);
}

/*
 * Ends it: what was written gets to where it should, then done is called once on the loop's thread,
 * never before sink_close() returns, and the sink is gone. done may be NULL.
 */
static inline void sink_close(struct sink *sink, sink_done *done, void *arg)
{
	sink->ops->close(sink, done, arg);
}
