#include "cmd/prompt/listing.h"

#include "audio/portaudio.h"
#include "core/base/list.h"
#include "core/base/loop.h"

#include <stdlib.h>

/* The words of one list. */
struct listed {
	char *words; /* each ended by a NUL */
	size_t len;
};

struct listing {
	struct loop *loop;
	void (*done)(void *arg, enum complete_list list, char *words, size_t len);
	void *arg;
	struct work work;
	bool working;
	bool orphan; /* freed meanwhile */

	/* The work's, while it is out. */
	struct listed mics;
	struct listed speakers;
};

/* With no memory for it, a name is left out. */
static void add_name(void *arg, const char *name)
{
	static const char kind[] = "device:";
	struct listed *self = arg;
	size_t size = strlen(kind) + strlen(name) + 1;
	char *more = realloc(self->words, self->len + size);

	if (!more)
		return;
	memcpy(more + self->len, kind, strlen(kind));
	memcpy(more + self->len + strlen(kind), name, strlen(name) + 1);
	self->words = more;
	self->len += size;
}

/* A thread of the pool. Where there are none, there is nothing to complete to. */
static void look(struct work *work)
{
	struct listing *self = container_of(work, struct listing, work);

	(void)portaudio_each(PORT_IN, add_name, &self->mics, NULL);
	(void)portaudio_each(PORT_OUT, add_name, &self->speakers, NULL);
}

static void destroy(struct listing *self)
{
	free(self->mics.words);
	free(self->speakers.words);
	free(self);
}

static void hand_over(struct listing *self, enum complete_list list, struct listed *words)
{
	self->done(self->arg, list, words->words, words->len);
	*words = (struct listed){0};
}

static void finish(struct work *work)
{
	struct listing *self = container_of(work, struct listing, work);

	self->working = false;
	if (self->orphan) {
		destroy(self);
		return;
	}
	hand_over(self, COMPLETE_MICS, &self->mics);
	hand_over(self, COMPLETE_SPEAKERS, &self->speakers);
}

int listing_new(struct listing **out, struct loop *loop,
	void (*done)(void *arg, enum complete_list list, char *words, size_t len), void *arg)
{
	struct listing *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->done = done;
	self->arg = arg;
	self->work = (struct work){look, finish};
	*out = self;
	return 0;
}

void listing_free(struct listing *listing)
{
	if (!listing)
		return;

	if (listing->working)
		listing->orphan = true;
	else
		destroy(listing);
}

void listing_ask(struct listing *listing)
{
	if (!listing->working)
		listing->working = loop_work(listing->loop, &listing->work) == 0;
}
