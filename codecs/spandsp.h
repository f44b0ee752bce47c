/*
 * What codecs are made of that libspandsp does. Linked, it would cost each start of the program a
 * millisecond and 3 MB, and most calls need none of it: so it is loaded for the first encoder or
 * decoder that does, and stays. For the files of those codecs alone; threads are as in
 * codecs/codec.h.
 */
#pragma once

#include "codecs/codec.h"

#include <spandsp/telephony.h> /* before the others, which need it */

#include <spandsp/g722.h>
#include <spandsp/gsm0610.h>
#include <spandsp/lpc10.h>

/* As its headers declare them. */
struct spandsp {
	g722_encode_state_t *(*g722_encode_init)(g722_encode_state_t *s, int rate, int options);
	int (*g722_encode)(g722_encode_state_t *s, uint8_t out[], const int16_t in[], int count);
	int (*g722_encode_free)(g722_encode_state_t *s);
	g722_decode_state_t *(*g722_decode_init)(g722_decode_state_t *s, int rate, int options);
	int (*g722_decode)(g722_decode_state_t *s, int16_t out[], const uint8_t in[], int len);
	int (*g722_decode_free)(g722_decode_state_t *s);

	gsm0610_state_t *(*gsm0610_init)(gsm0610_state_t *s, int packing);
	int (*gsm0610_encode)(gsm0610_state_t *s, uint8_t out[], const int16_t in[], int count);
	int (*gsm0610_decode)(gsm0610_state_t *s, int16_t out[], const uint8_t in[], int len);
	int (*gsm0610_free)(gsm0610_state_t *s);

	lpc10_encode_state_t *(*lpc10_encode_init)(lpc10_encode_state_t *s, int error_correction);
	int (*lpc10_encode)(lpc10_encode_state_t *s, uint8_t out[], const int16_t in[], int count);
	int (*lpc10_encode_free)(lpc10_encode_state_t *s);
	lpc10_decode_state_t *(*lpc10_decode_init)(lpc10_decode_state_t *s, int error_correction);
	int (*lpc10_decode)(lpc10_decode_state_t *s, int16_t out[], const uint8_t in[], int len);
	int (*lpc10_decode_free)(lpc10_decode_state_t *s);
};

/* For the row of a codec that needs the library: what library_load() says. Any thread. */
int spandsp_row_load(struct fault *why);

/* An encoder or a decoder. */
struct spandsp_coder {
	union {
		struct encoder encoder;
		struct decoder decoder;
	};
	const struct spandsp *spandsp;
	void *state; /* spandsp's; of which type, the codec knows that it is of */
};

/* With no state yet. -ENOMEM, or as spandsp_row_load(). It is freed by free(), its state before. */
int spandsp_coder_new(struct spandsp_coder **out, const struct codec *codec);

/* Hands over a coder whose state was just made; or frees it and returns -ENOMEM, if it was not. */
int spandsp_encoder_done(struct encoder **out, struct spandsp_coder *coder);
int spandsp_decoder_done(struct decoder **out, struct spandsp_coder *coder);
