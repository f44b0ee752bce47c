/*
 * Bytes of known length, borrowed: a slice is read from its front, a buffer is filled at its end.
 * Neither owns its memory nor allocates, and neither can be moved past its end, so a length that
 * came from the network is only ever asked for, never believed. Plain values: any thread.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *data;
	size_t len;
};

struct buf {
	uint8_t *data;
	size_t len;  /* filled so far */
	size_t size; /* room in all; len <= size */
};

/* Cuts the first len bytes off from into out. -EPROTO, with nothing changed, if it has fewer. */
static inline int slice_take(struct slice *out, struct slice *from, size_t len)
{
	if (len > from->len)
		return -EPROTO;

	*out = (struct slice){from->data, len};
	from->data = len > 0 ? from->data + len : from->data; /* NULL + 0 is undefined */
	from->len -= len;
	return 0;
}

/* Points out at the next len bytes of to, to be filled. -ENOBUFS, with nothing changed, if full. */
static inline int buf_take(uint8_t **out, struct buf *to, size_t len)
{
	if (len > to->size - to->len)
		return -ENOBUFS;

	*out = to->len > 0 ? to->data + to->len : to->data; /* NULL + 0 is undefined */
	to->len += len;
	return 0;
}

/* Appends bytes to to, or returns -ENOBUFS and leaves it as it was. They must not overlap. */
static inline int buf_put(struct buf *to, struct slice bytes)
{
	uint8_t *room;
	int err;

	err = buf_take(&room, to, bytes.len);
	if (err)
		return err;

	if (bytes.len > 0) /* an empty slice may be NULL, which memcpy() must not be given */
		memcpy(room, bytes.data, bytes.len);
	return 0;
}

/* Network byte order, at any alignment. */
static inline uint16_t be16_get(const uint8_t p[static 2])
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32_get(const uint8_t p[static 4])
{
	return (uint32_t)be16_get(p) << 16 | be16_get(p + 2);
}

static inline void be16_put(uint8_t p[static 2], uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void be32_put(uint8_t p[static 4], uint32_t value)
{
	be16_put(p, (uint16_t)(value >> 16));
	be16_put(p + 2, (uint16_t)value);
}
