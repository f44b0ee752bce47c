#include "core/base/spool.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * As audio/ring.c, of bytes: each count is stored by one thread only, with release after it has
 * touched the bytes, and loaded by the other with acquire before it touches any. written and
 * consumed run on past SIZE_MAX to 0; the low bits are the place.
 */
struct spool {
	uint8_t *bytes; /* this and capacity stay as spool_new() set them */
	size_t capacity;
	atomic_size_t written; /* by the writer, as is its loss */
	atomic_size_t dropped;
	atomic_size_t consumed; /* by the reader */
};

static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "the spool needs lock-free atomics");

int spool_new(struct spool **out, size_t capacity)
{
	size_t start = SIZE_MAX - capacity + 1; /* so that each test passes SIZE_MAX */
	struct spool *spool;

	assert(capacity > 0 && (capacity & (capacity - 1)) == 0 && capacity <= 1U << 31);

	spool = calloc(1, sizeof(*spool));
	if (!spool)
		return -ENOMEM;

	spool->bytes = calloc(1, capacity);
	if (!spool->bytes) {
		free(spool);
		return -ENOMEM;
	}
	spool->capacity = capacity;
	atomic_init(&spool->written, start);
	atomic_init(&spool->dropped, 0);
	atomic_init(&spool->consumed, start);
	*out = spool;
	return 0;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;

	free(spool->bytes);
	free(spool);
}

/* Up to the edge, and on from the beginning. */
static size_t copy_in(struct spool *spool, size_t at, struct slice bytes)
{
	size_t place = at & (spool->capacity - 1);
	size_t before = spool->capacity - place;

	before = bytes.len < before ? bytes.len : before;
	if (bytes.len == 0)
		return at; /* data may be NULL */
	memcpy(spool->bytes + place, bytes.data, before);
	memcpy(spool->bytes, bytes.data + before, bytes.len - before);
	return at + bytes.len;
}

static void copy_out(uint8_t *out, const struct spool *spool, size_t at, size_t len)
{
	size_t place = at & (spool->capacity - 1);
	size_t before = spool->capacity - place;

	before = len < before ? len : before;
	memcpy(out, spool->bytes + place, before);
	memcpy(out + before, spool->bytes, len - before);
}

bool spool_put(struct spool *spool, struct slice head, struct slice body)
{
	size_t written = atomic_load_explicit(&spool->written, memory_order_relaxed);
	size_t consumed = atomic_load_explicit(&spool->consumed, memory_order_acquire);
	size_t room = spool->capacity - (written - consumed);
	uint8_t len[SPOOL_RECORD_MORE];

	/* one by one, for their sum may be more than a size_t holds */
	if (room < SPOOL_RECORD_MORE || head.len > room - SPOOL_RECORD_MORE ||
		body.len > room - SPOOL_RECORD_MORE - head.len) {
		size_t dropped = atomic_load_explicit(&spool->dropped, memory_order_relaxed);

		atomic_store_explicit(&spool->dropped, dropped + 1, memory_order_relaxed);
		return false;
	}
	be32_put(len, (uint32_t)(head.len + body.len));
	written = copy_in(spool, written, (struct slice){len, sizeof(len)});
	written = copy_in(spool, written, head);
	written = copy_in(spool, written, body);
	atomic_store_explicit(&spool->written, written, memory_order_release);
	return true;
}

size_t spool_filled(const struct spool *spool)
{
	size_t written = atomic_load_explicit(&spool->written, memory_order_acquire);

	return written - atomic_load_explicit(&spool->consumed, memory_order_relaxed);
}

int spool_take(struct buf *out, struct spool *spool)
{
	size_t consumed = atomic_load_explicit(&spool->consumed, memory_order_relaxed);
	uint8_t head[SPOOL_RECORD_MORE];
	uint8_t *room;
	size_t len;
	int err;

	if (spool_filled(spool) == 0)
		return -ENODATA;

	copy_out(head, spool, consumed, sizeof(head));
	len = be32_get(head);
	err = buf_take(&room, out, len);
	if (err)
		return err;

	if (len > 0)
		copy_out(room, spool, consumed + sizeof(head), len);
	atomic_store_explicit(
		&spool->consumed, consumed + sizeof(head) + len, memory_order_release);
	return 0;
}

size_t spool_dropped(const struct spool *spool)
{
	return atomic_load_explicit(&spool->dropped, memory_order_relaxed);
}
