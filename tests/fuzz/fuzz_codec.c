/*
 * Codecs: the bytes are a row of orders to a decoder of each codec: a payload comes, one is lost
 * and made up, or restored from the next. What is decoded is as long as was foretold and stays in
 * its room; what is refused changes nothing that can be seen.
 */
#include "codecs/codec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	STEP_PARTS = 400,  /* of a second: what is made up comes in such steps */
	GUARD = 960,       /* samples behind the room for others, */
	GUARD_IS = 0x5a5a, /* and what they have to stay */
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* As much room as is said, and a guard: AddressSanitizer does not see what libraries write. */
static int16_t *new_room(size_t count)
{
	int16_t *room = malloc((count + GUARD) * sizeof(*room));

	check(room);
	for (size_t i = 0; i < GUARD; i++)
		room[count + i] = GUARD_IS;
	return room;
}

static void free_room(int16_t *room, size_t count)
{
	for (size_t i = 0; i < GUARD; i++)
		check(room[count + i] == GUARD_IS);
	free(room);
}

/* Of the fuzzer's own, whose length has two bytes. */
static int take_payload(struct slice *out, struct slice *orders)
{
	struct slice len;

	if (slice_take(&len, orders, 2))
		return -1;
	return slice_take(out, orders, be16_get(len.data) % 2048);
}

static int decode(struct decoder *decoder, struct slice *orders)
{
	size_t samples = 0, got = 7;
	struct slice payload;
	int16_t *room;
	int known, err;

	if (take_payload(&payload, orders))
		return -1;
	known = codec_duration(&samples, decoder->codec, payload);
	check(known == 0 || known == -EPROTO);
	check(known != 0 || (samples > 0 && samples <= CODEC_SAMPLES_MAX));
	room = new_room(samples);
	err = codec_decode(decoder, room, samples, &got, payload);
	check(err == 0 || err == -EPROTO);
	check(err == 0 ? known == 0 && got == samples : got == 0);
	free_room(room, samples);
	return 0;
}

/* How much was lost, in steps of 2.5 ms, and none too many. */
static int take_loss(size_t *count, const struct decoder *decoder, struct slice *orders)
{
	size_t step = decoder->codec->sample_rate / STEP_PARTS;
	struct slice steps;

	if (slice_take(&steps, orders, 1))
		return -1;
	*count = step * steps.data[0];
	return 0;
}

static bool can_be_lost(const struct decoder *decoder, size_t count)
{
	return count > 0 && count <= codec_frame(decoder->codec, CODEC_PACKET_MAX_MS);
}

static int restore(struct decoder *decoder, struct slice *orders)
{
	struct slice payload;
	int16_t *room;
	size_t count;
	int err;

	if (take_loss(&count, decoder, orders) || take_payload(&payload, orders))
		return -1;
	room = new_room(count);
	err = codec_decode_fec(decoder, room, count, payload);
	check(err == 0 || err == -ENODATA || err == -EPROTO || err == -EINVAL);
	check(decoder->codec->decode_fec || err == -ENODATA);
	check(err != 0 || can_be_lost(decoder, count));
	free_room(room, count);
	return 0;
}

static int conceal(struct decoder *decoder, struct slice *orders)
{
	int16_t *room;
	size_t count;
	int err;

	if (take_loss(&count, decoder, orders))
		return -1;
	room = new_room(count);
	err = codec_conceal(decoder, room, count);
	if (!codec_conceals(decoder->codec))
		check(err == -ENOTSUP);
	else
		check(err == (can_be_lost(decoder, count) ? 0 : -EINVAL));
	free_room(room, count);
	return 0;
}

static void obey_all(const struct codec *codec, struct slice orders)
{
	static int (*const actions[])(struct decoder *, struct slice *) = {
		decode, decode, restore, conceal};
	enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };
	struct decoder *decoder;
	struct slice order;
	int err = 0;

	check(codec_decoder_new(&decoder, codec) == 0);
	while (!err && slice_take(&order, &orders, 1) == 0)
		err = actions[order.data[0] % ACTIONS](decoder, &orders);
	codec_decoder_free(decoder);
}

/* The first byte says which codec it is for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice orders = {data, size};
	struct slice which;

	if (slice_take(&which, &orders, 1) == 0)
		obey_all(codec_at(which.data[0] % codec_count()), orders);
	return 0;
}
