/*
 * What the tests of all codecs do: sound through an encoder and back, lengths of payloads, bytes
 * by chance, and memory or a library that is not to be had. Wraps calloc and library_load.
 */
#pragma once

#include "codecs/codec.h"

const struct codec *trial_codec(const char *key);

/* A voice of sorts: a gliding pitch with its harmonics, in syllables with silence between. */
void trial_speak(int16_t *out, size_t count, uint32_t rate);

/*
 * Sends count samples, whole packets of ptime_ms, through the codec, each packet decoded at once.
 * Returns how many bytes there were.
 */
size_t trial_round(int16_t *out, const int16_t *in, size_t count, const struct codec *codec,
	uint32_t ptime_ms);

/* How far out[lag...] is from in, in dB: the higher, the nearer. count samples are compared. */
double trial_snr(const int16_t *in, const int16_t *out, size_t count, size_t lag);

/* The best of it for lags up to max. */
double trial_best_snr(const int16_t *in, const int16_t *out, size_t count, size_t max);

/* Encoding samples at one go has to make exactly these bytes. */
void trial_expect_bytes(const struct codec *codec, const int16_t *samples, size_t count,
	const uint8_t *bytes, size_t len);

struct trial_length {
	size_t len;     /* of a payload */
	size_t samples; /* 0: to be refused */
};

/* Of payloads whose bytes are all `byte`. */
void trial_lengths(
	const struct codec *codec, uint8_t byte, const struct trial_length *rows, size_t count);

/* count samples have no packet, one sample more or less than it neither, and a full buffer takes
 * nothing. */
void trial_refusals(const struct codec *codec, size_t count);

/* What decodes, decodes to the length that was foretold, and is never more than there is room for.
 * first: what each payload's first byte is. */
void trial_chance(const struct codec *codec, uint8_t first);

/* Each allocation fails in turn, spandsp's own included. */
void trial_no_memory(const struct codec *codec);

/* The machine has no libspandsp at first. To be the first of all tests, as it stays once loaded. */
void trial_library_comes_late(const struct codec *codec);
