#include "codecs/spandsp.h"

#include "core/base/library.h"

#include <pthread.h>
#include <stdlib.h>

#define FUNCTION(name)                                                                             \
	{                                                                                          \
#name, offsetof(struct spandsp, name)                                              \
	}

static const struct library_symbol symbols[] = {
	FUNCTION(g722_encode_init),
	FUNCTION(g722_encode),
	FUNCTION(g722_encode_free),
	FUNCTION(g722_decode_init),
	FUNCTION(g722_decode),
	FUNCTION(g722_decode_free),
	FUNCTION(gsm0610_init),
	FUNCTION(gsm0610_encode),
	FUNCTION(gsm0610_decode),
	FUNCTION(gsm0610_free),
	FUNCTION(lpc10_encode_init),
	FUNCTION(lpc10_encode),
	FUNCTION(lpc10_encode_free),
	FUNCTION(lpc10_decode_init),
	FUNCTION(lpc10_decode),
	FUNCTION(lpc10_decode_free),
};

/* One for the program, as the library is. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct spandsp functions;
static bool loaded;

/* Each time the same, which is never freed. */
static int load(const struct spandsp **out, struct fault *why)
{
	int err = 0;

	pthread_mutex_lock(&lock);
	if (!loaded) /* nor the last time, but somebody may have installed it since */
		err = library_load(&functions, "libspandsp.so.2", symbols,
			sizeof(symbols) / sizeof(symbols[0]), why);
	loaded = !err;
	pthread_mutex_unlock(&lock);
	if (err)
		return err;

	*out = &functions;
	return 0;
}

int spandsp_row_load(struct fault *why)
{
	const struct spandsp *spandsp;

	return load(&spandsp, why);
}

int spandsp_coder_new(struct spandsp_coder **out, const struct codec *codec)
{
	const struct spandsp *spandsp;
	struct spandsp_coder *coder;
	int err;

	err = load(&spandsp, NULL);
	if (err)
		return err;

	coder = calloc(1, sizeof(*coder));
	if (!coder)
		return -ENOMEM;

	coder->encoder.codec = codec; /* which is the decoder's, too */
	coder->spandsp = spandsp;
	*out = coder;
	return 0;
}

int spandsp_encoder_done(struct encoder **out, struct spandsp_coder *coder)
{
	if (!coder->state) {
		free(coder);
		return -ENOMEM;
	}
	*out = &coder->encoder;
	return 0;
}

int spandsp_decoder_done(struct decoder **out, struct spandsp_coder *coder)
{
	if (!coder->state) {
		free(coder);
		return -ENOMEM;
	}
	*out = &coder->decoder;
	return 0;
}
