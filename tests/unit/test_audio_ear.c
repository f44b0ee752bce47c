/* audio/ear: tones in silence, in noise, in speech and beside others, and how long they last. */
#include "audio/ear.h"

#include "core/base/random.h"
#include "core/base/text.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

enum { LOG_SIZE = 1024, ROOM = 48000 * 4 };

static bool no_memory;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

/* What an ear hears, piece by piece, and what it tells of that. */
struct listener {
	struct ear *ear;
	uint32_t rate;
	size_t at;
	struct random chance;
	char room[LOG_SIZE];
	struct text log;
};

static void note(void *arg, const struct ear_tone *tone)
{
	struct listener *listener = arg;

	text_printf(&listener->log, "%g%s%u/%.0f ", tone->hz, tone->on ? "+" : "-", tone->ms,
		tone->level_dbfs);
}

static void listen(struct listener *listener, uint32_t rate, const double *hz, size_t count)
{
	listener->rate = rate;
	listener->at = 0;
	random_init(&listener->chance, 1);
	listener->log = TEXT_IN(listener->room);
	assert_true(ear_may(hz, count));
	assert_int_equal(ear_new(&listener->ear, rate, hz, count, note, listener), 0);
}

static void stop(struct listener *listener, const char *told)
{
	ear_free(listener->ear);
	if (strcmp(listener->room, told) != 0)
		fail_msg("%u Hz: \"%s\", not \"%s\"", listener->rate, listener->room, told);
}

/* Two tones of that peak each (hz 0: none) in white noise, for ms. */
static void hear(
	struct listener *listener, unsigned ms, double hz, double other, double peak, double noise)
{
	int16_t sample;

	for (size_t i = 0; i < (size_t)ms * listener->rate / 1000; i++, listener->at++) {
		double t = 2 * M_PI * (double)listener->at / listener->rate;
		double chance = (double)random_below(&listener->chance, 2001) / 1000 - 1;
		double value = (hz > 0 ? peak * sin(hz * t) : 0) +
			       (other > 0 ? peak * sin(other * t) : 0) + noise * chance;

		sample = (int16_t)lrint(32767 * value);
		ear_hear(listener->ear, &sample, 1);
	}
}

static const uint32_t rates[] = {8000, 16000, 48000};

static void test_how_long(void **state)
{
	struct listener listener;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		listen(&listener, rates[i], (const double[]){440}, 1);
		hear(&listener, 100, 0, 0, 0, 0);
		hear(&listener, 1000, 440, 0, 0.5, 0);
		hear(&listener, 200, 0, 0, 0, 0);
		hear(&listener, 100, 440, 0, 0.5, 0); /* just so long */
		hear(&listener, 200, 0, 0, 0, 0);
		hear(&listener, 80, 440, 0, 0.5, 0); /* too short */
		hear(&listener, 200, 0, 0, 0, 0);
		hear(&listener, 200, 440, 0, 0.5, 0); /* a lost packet does not part it, */
		hear(&listener, 60, 0, 0, 0, 0);
		hear(&listener, 200, 440, 0, 0.5, 0);
		hear(&listener, 100, 0, 0, 0, 0); /* a pause does */
		hear(&listener, 200, 440, 0, 0.5, 0);
		stop(&listener, "440+100/-9 440-1000/-9 440+100/-9 440-100/-9 "
				"440+100/-9 440-460/-9 440+100/-9 ");
	}
}

static void test_which(void **state)
{
	static const double tones[] = {400, 440, 480, 1000, 3900, 20000};
	struct listener listener;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		listen(&listener, rates[i], tones, 6);
		hear(&listener, 300, 440, 0, 0.1, 0);
		hear(&listener, 300, 446, 0, 0.1, 0); /* a little off */
		hear(&listener, 100, 0, 0, 0, 0);
		hear(&listener, 300, 600, 0, 0.1, 0); /* which nobody listens for */
		hear(&listener, 100, 0, 0, 0, 0);
		hear(&listener, 300, 1000, 3900, 0.1, 0);
		hear(&listener, 300, 0, 0, 0, 0);
		stop(&listener, "440+100/-23 440-600/-23 1000+100/-23 3900+100/-23 "
				"1000-300/-23 3900-300/-23 ");
	}
}

static void test_in_noise(void **state)
{
	struct listener listener;

	(void)state;
	listen(&listener, 8000, (const double[]){440, 1000}, 2);
	hear(&listener, 20000, 0, 0, 0, 0.5);
	hear(&listener, 1000, 440, 0, 0.2, 0.2); /* noise has two thirds of the power of the tone */
	hear(&listener, 1000, 0, 0, 0, 0.2);
	hear(&listener, 1000, 440, 0, 0.0005, 0); /* less than a codec makes of silence */
	hear(&listener, 1000, 440, 0, 0.002, 0);
	stop(&listener, "440+100/-16 440-960/-16 440+100/-57 ");
}

/* A voice is no tone, whichever is listened for. */
static void test_in_speech(void **state)
{
	static const char *const files[] = {"tests/data/speech.wav", "tests/data/speech-other.wav"};
	static const double tones[] = {350, 400, 425, 440, 480, 600, 620, 697, 770, 852, 941, 1000,
		1209, 1336, 1477, 2100};
	static int16_t samples[ROOM];
	struct listener listener;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		SF_INFO info = {0};
		SNDFILE *file = sf_open(files[i], SFM_READ, &info);
		sf_count_t count;

		assert_non_null(file);
		listen(&listener, (uint32_t)info.samplerate, tones, EAR_TONES_MAX);
		while ((count = sf_readf_short(file, samples, ROOM)) > 0)
			ear_hear(listener.ear, samples, (size_t)count);
		sf_close(file);
		stop(&listener, "");
	}
}

static void test_what_may_be(void **state)
{
	static const struct {
		double hz[2];
		size_t count;
		bool may;
	} rows[] = {
		{{EAR_HZ_MIN, EAR_HZ_MAX}, 2, true},
		{{440, 49.9}, 2, false},
		{{20000.1, 440}, 2, false},
		{{NAN, 440}, 2, false},
		{{INFINITY, 440}, 2, false},
		{{-440, 440}, 2, false},
		{{440, 0}, 1, true},
		{{440, 0}, 0, false},
	};
	double many[EAR_TONES_MAX + 1];
	struct ear *ear;

	(void)state;
	for (size_t i = 0; i <= EAR_TONES_MAX; i++)
		many[i] = 440;
	assert_true(ear_may(many, EAR_TONES_MAX));
	assert_false(ear_may(many, EAR_TONES_MAX + 1));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ear_may(rows[i].hz, rows[i].count), rows[i].may);
	no_memory = true;
	assert_int_equal(ear_new(&ear, 8000, many, 1, note, NULL), -ENOMEM);
	no_memory = false;
	ear_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_long),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_in_noise),
		cmocka_unit_test(test_in_speech),
		cmocka_unit_test(test_what_may_be),
	};

	return cmocka_run_group_tests_name("audio/ear", tests, NULL, NULL);
}
