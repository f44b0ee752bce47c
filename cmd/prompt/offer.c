#include "cmd/prompt/offer.h"

#include "core/base/list.h"
#include "core/base/loop.h"

#include <stdlib.h>
#include <string.h>

struct offer {
	struct post post;
	struct complete *complete;
	enum complete_list list;
	atomic_uint *posted;
	char *words; /* each ended by a NUL */
	size_t len;
};

static void run_offer(struct post *post)
{
	struct offer *offer = container_of(post, struct offer, post);
	atomic_uint *posted = offer->posted;

	complete_set(offer->complete, offer->list, offer->words, offer->len);
	free(offer);
	atomic_fetch_sub(posted, 1);
}

static struct offer *offer_new(const char *const *words, size_t count)
{
	struct offer *self = calloc(1, sizeof(*self));
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	if (self)
		self->words = malloc(len + 1);
	if (!self || !self->words) {
		free(self);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(words[i]) + 1;

		memcpy(self->words + self->len, words[i], size);
		self->len += size;
	}
	return self;
}

void offer_post(struct loop *loop, struct complete *complete, enum complete_list list,
	const char *const *words, size_t count, atomic_uint *posted)
{
	struct offer *offer = offer_new(words, count);

	if (!offer)
		return;
	offer->post.run = run_offer;
	offer->complete = complete;
	offer->list = list;
	offer->posted = posted;
	atomic_fetch_add(posted, 1);
	loop_post(loop, &offer->post);
}
