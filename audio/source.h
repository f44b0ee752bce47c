/*
 * Where samples come from, and nothing of when: a source is passive, and whoever owns it asks it
 * for the next ones, tick by tick. 16 bit, mono, at the rate that it was opened with. One thread at
 * a time; one with a loop belongs to that loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source;

typedef void source_done(void *arg);

struct source_ops {
	size_t (*read)(struct source *source, int16_t *out, size_t count);
	void (*free)(struct source *source);
	void (*close)(struct source *source, source_done *done, void *arg); /* or NULL */
};

/* The first member of each kind. */
struct source {
	const struct source_ops *ops;
	uint64_t missed; /* samples that were not there in time, with silence in their place */
};

/*
 * Writes the next count samples to out and returns how many there were: fewer only where the source
 * ends, 0 after its end. The rest of out is untouched, for the caller to fill with silence.
 */
static inline size_t source_read(struct source *source, int16_t *out, size_t count)
{
	return source->ops->read(source, out, count);
}

/* Samples that came too late (of a disk), since it was opened. */
static inline uint64_t source_missed(const struct source *source)
{
	return source->missed;
}

/* NULL is allowed. */
static inline void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

/*
 * Ends it as source_free() does. Returns whether it takes a while, as a command does that is to
 * end: done is then called once on the loop's thread, after this returns, and until then it may
 * tell. NULL is allowed.
 */
static inline bool source_close(struct source *source, source_done *done, void *arg)
{
	if (!source || !source->ops->close) {
		source_free(source);
		return false;
	}
	source->ops->close(source, done, arg);
	return true;
}
