/*
 * Whose packets are whose: the codecs that the far end may speak, by their payload types, and what
 * makes sound of each at the rate of the call's ends. What was agreed on before stays understood
 * for a while. It belongs to its playout, on the media thread; a set that is on its way to one, to
 * whoever makes it.
 */
#pragma once

#include "audio/conceal.h"
#include "audio/resample.h"
#include "audio/stretch.h"
#include "codecs/codec.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOICES_MAX = CODEC_LIST_MAX };

/* What a payload type means. */
struct media_format {
	const struct codec *codec;
	uint8_t payload_type;
};

/* No codec twice, no payload type twice. */
struct media_formats {
	size_t count; /* 1..VOICES_MAX */
	struct media_format list[VOICES_MAX];
};

/* Whether the same types mean the same, in the same order. */
bool media_formats_equal(const struct media_formats *a, const struct media_formats *b);

/* What makes sound of one codec's payloads. */
struct voice {
	const struct codec *codec;
	struct decoder *decoder;
	struct conceal *conceal; /* NULL where the codec has its own */
	struct stretch stretch;
	struct resampler *resampler; /* to the rate of the ends; NULL where that is the codec's */
	int16_t samples[];           /* the longest packet, if there is a resampler */
};

struct voice_set {
	struct media_formats formats;
	struct voice *voices[VOICES_MAX]; /* of each; NULL: the one that is there already */
};

struct voices {
	struct voice_set now;
	struct voice_set before;  /* until the last turn; some of its voices may be the same */
	uint64_t before_until_ns; /* when packets of before become strangers; UINT64_MAX: not yet */
};

/*
 * Makes what understands formats; for what is in known, which may be NULL, there is a voice
 * already. rate: of the ends, Hz. Returns -ENOMEM or what the codec says. Any thread.
 */
int voice_set_make(struct voice_set *out, const struct media_formats *formats,
	const struct media_formats *known, uint32_t rate);

bool voice_set_has(const struct voice_set *set, const struct voice *voice);

/* Frees its voices, and leaves it empty. */
void voice_set_free(struct voice_set *set);

void voices_free(struct voices *voices);

/*
 * From now on they speak what is in *set. What still comes with an old type is understood until a
 * second after the first with one that is new. *set has then what is not needed any more, for the
 * caller to free. Returns false, with nothing changed, if all is as it was.
 */
bool voices_turn(struct voices *voices, struct voice_set *set);

/* Whose packet one is that arrives; NULL: nobody's. */
struct voice *voices_of(struct voices *voices, uint8_t payload_type, uint64_t arrival_ns);

/* What a type means that is spoken now, else NULL. */
const struct media_format *voices_format(const struct voices *voices, uint8_t payload_type);

/* Whose it was, of one that has waited; NULL after two turns while it did. */
struct voice *voices_at(const struct voices *voices, uint8_t payload_type);
