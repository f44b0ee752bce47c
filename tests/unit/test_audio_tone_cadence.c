/* audio/tone_cadence: bursts and pauses to the sample, pitches, levels, edges that do not click. */
#include "audio/tone_cadence.h"

#include "tests/unit/goertzel.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM = 48000 * 3 };

/* -10 dBm0, where a sine of full scale has 3.14 (ITU-T G.711). */
static const double NETWORK_DB = -10 - 3.14;

static const uint32_t rates[] = {8000, 11025, 16000, 24000, 44100, 48000};

static int16_t samples[ROOM];
static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static size_t read_all(const struct tone_cadence *cadence, uint32_t rate, size_t count)
{
	struct source *source;
	size_t got;

	assert_true(count <= ROOM);
	memset(samples, 0x55, sizeof(samples));
	assert_int_equal(tone_cadence_new(&source, cadence, rate), 0);
	got = source_read(source, samples, count);
	if (got < count)
		assert_int_equal(source_read(source, samples, 1), 0);
	source_free(source);
	return got;
}

static bool is_silent(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (samples[i] != 0)
			return false;
	return true;
}

/* Whether it sounds: a pause is longer than a sine is ever at zero. */
static bool sounds(size_t from, size_t to, uint32_t rate)
{
	size_t step = rate / 200; /* 5 ms: what the softest edge takes */

	for (; from + step <= to; from += step)
		if (is_silent(from, from + step))
			return false;
	return true;
}

/* Bursts of ms with a fraction of a sample in them, that come twice and then another. */
static const struct tone_cadence bursts = {
	.bursts =
		{
			{.hz = {425}, .on_ms = 33, .off_ms = 41, .times = 2},
			{.hz = {950}, .on_ms = 57},
			{.hz = {1400}, .on_ms = 101, .off_ms = 33},
		},
};

static void check_bursts(uint32_t rate, size_t count)
{
	static const struct {
		unsigned ms;
		bool on;
	} parts[] = {{33, true}, {41, false}, {33, true}, {41, false}, {158, true}, {33, false}};
	uint64_t ms = 0;

	for (size_t i = 0;; i = (i + 1) % (sizeof(parts) / sizeof(parts[0]))) {
		size_t from = (size_t)(ms * rate / 1000);
		size_t to = (size_t)((ms + parts[i].ms) * rate / 1000);

		if (to > count)
			break;
		if (parts[i].on ? !sounds(from, to, rate) : !is_silent(from, to))
			fail_msg("%u Hz, at %lu ms", rate, (unsigned long)ms);
		ms += parts[i].ms;
	}
	assert_true(ms > 2000);
}

static void test_timing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		size_t count = rates[i] * 5 / 2;

		assert_int_equal(read_all(&bursts, rates[i], count), count);
		check_bursts(rates[i], count);
	}
}

static void test_end(void **state)
{
	struct tone_cadence once = bursts;

	(void)state;
	once.ends = true;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		assert_int_equal(read_all(&once, rates[i], ROOM), 339 * rates[i] / 1000);

	/* as many bursts as there can be, and the end of the last is the end */
	once = (struct tone_cadence){.ends = true};
	for (size_t i = 0; i < TONE_BURSTS_MAX; i++)
		once.bursts[i] = (struct tone_burst){.hz = {400}, .on_ms = 10};
	assert_int_equal(read_all(&once, 8000, ROOM), 80 * TONE_BURSTS_MAX);
}

static void test_pieces(void **state)
{
	static int16_t pieces[8000];
	struct source *source;
	size_t at = 0;

	(void)state;
	read_all(&bursts, 8000, 8000);
	assert_int_equal(tone_cadence_new(&source, &bursts, 8000), 0);
	for (size_t step = 1; at + step <= 8000; at += step++)
		assert_int_equal(source_read(source, pieces + at, step), step);
	assert_true(at > 7800);
	assert_memory_equal(samples, pieces, at * sizeof(pieces[0]));
	assert_int_equal(source_missed(source), 0);
	source_free(source);
}

/* Without its edges, from the middle second of three. */
static double level(uint32_t hz, uint32_t rate)
{
	return goertzel_db(samples + rate, rate, hz, rate);
}

static void close_to(double got, double expected, const char *what, uint32_t rate)
{
	if (fabs(got - expected) > 0.1)
		fail_msg("%s at %u Hz: %f dB, not %f", what, rate, got, expected);
}

static struct tone_cadence steady(struct tone_burst burst)
{
	burst.on_ms = 3000;
	return (struct tone_cadence){.bursts = {burst}, .ends = true};
}

#define STEADY(...) steady((struct tone_burst){__VA_ARGS__})

static void test_sum(void **state)
{
	static const double ratios[] = {0, 3.01, 4.77}; /* that each of so many is softer */
	static const uint16_t hz[] = {440, 480, 620};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (size_t count = 1; count <= 3; count++) {
			struct tone_cadence cadence = STEADY(.hz = {440});

			memcpy(cadence.bursts[0].hz, hz, count * sizeof(hz[0]));
			read_all(&cadence, rates[i], 3 * rates[i]);
			for (size_t j = 0; j < count; j++)
				close_to(level(hz[j], rates[i]), NETWORK_DB - ratios[count - 1],
					"a sum", rates[i]);
			assert_true(level(550, rates[i]) < -80);
		}
}

static void test_louder_and_softer(void **state)
{
	struct tone_cadence cadence = STEADY(.hz = {1000}, .softer_db = 10);

	(void)state;
	read_all(&cadence, 8000, 3 * 8000);
	close_to(level(1000, 8000), NETWORK_DB - 10, "softer", 8000);
	cadence.louder_db = 7;
	read_all(&cadence, 8000, 3 * 8000);
	close_to(level(1000, 8000), NETWORK_DB - 3, "both", 8000);
}

/* The loudest that there can be does not clip: nothing is heard but what is to be. */
static void test_loudest(void **state)
{
	struct tone_cadence cadence = STEADY(.hz = {400, 500, 700});

	(void)state;
	cadence.louder_db = 7;
	read_all(&cadence, 16000, 3 * 16000);
	close_to(level(700, 16000), NETWORK_DB + 7 - 4.77, "the loudest", 16000);
	assert_true(level(2100, 16000) < -80);
	assert_true(level(900, 16000) < -80);
}

/* A carrier and, 7 dB below, its two sides; as loud in all as one tone. */
static void test_beat(void **state)
{
	struct tone_cadence cadence = STEADY(.hz = {400, 25}, .blend = TONE_BEAT);
	double power = 0;

	(void)state;
	read_all(&cadence, 8000, 3 * 8000);
	for (unsigned hz = 375; hz <= 425; hz += 25)
		power += pow(10, level(hz, 8000) / 10);
	close_to(10 * log10(power), NETWORK_DB, "all of it", 8000);
	close_to(level(400, 8000) - level(375, 8000), 6.94, "the lower side", 8000);
	close_to(level(400, 8000) - level(425, 8000), 6.94, "the upper side", 8000);
}

static void test_warble(void **state)
{
	struct tone_cadence cadence = STEADY(.hz = {800, 1000, 20}, .blend = TONE_WARBLE);
	uint32_t piece = 8000 / 20;

	(void)state;
	read_all(&cadence, 8000, 3 * 8000);
	for (size_t i = 20; i < 40; i++) {
		const int16_t *at = samples + i * piece;

		close_to(goertzel_db(at, piece, i % 2 ? 1000 : 800, 8000), NETWORK_DB, "its turn",
			8000);
		assert_true(goertzel_db(at, piece, i % 2 ? 800 : 1000, 8000) < -50);
	}
}

/* The biggest second difference: of a click, as big as its jump; of a tone, far smaller. */
static int roughness(size_t count)
{
	int most = 0;

	for (size_t i = 2; i < count; i++) {
		int rough = abs(samples[i] - 2 * samples[i - 1] + samples[i - 2]);

		most = rough > most ? rough : most;
	}
	return most;
}

/* Where a burst begins and ends, and where pitches change, it is no rougher than its sine is. */
static void test_no_click(void **state)
{
	static const struct tone_cadence rows[] = {
		{.bursts = {{.hz = {425}, .on_ms = 103, .off_ms = 100}}},
		{.bursts = {{.hz = {440, 480}, .on_ms = 197, .off_ms = 103}}},
		{.bursts = {{.hz = {950}, .on_ms = 330}, {.hz = {1400}, .on_ms = 330},
			 {.hz = {1800}, .on_ms = 330, .off_ms = 100}}},
		{.bursts = {{.hz = {800, 1000, 20},
			 .on_ms = 333,
			 .off_ms = 7,
			 .blend = TONE_WARBLE}}},
		{.bursts = {{.hz = {400, 25}, .on_ms = 413, .off_ms = 7, .blend = TONE_BEAT}}},
		{.bursts = {{.hz = {425}, .on_ms = 7, .off_ms = 5}}}, /* all edge */
	};
	static const uint32_t highest[] = {425, 480, 1800, 1000, 425, 425};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double amplitude = 32767 * pow(10, NETWORK_DB / 20) * 1.6;
		double turn = 2 * M_PI * highest[i] / 48000;
		int smooth = (int)(amplitude * turn * turn) + 40;

		read_all(&rows[i], 48000, 48000 * 2);
		if (roughness(48000 * 2) > smooth)
			fail_msg("row %zu: %d, a sine has %d", i, roughness(48000 * 2), smooth);
		assert_true(abs(samples[0]) < 20);
	}
}

static void test_refused(void **state)
{
	static const struct tone_cadence rows[] = {
		{.ends = true},
		{.bursts = {{.on_ms = 100}}},
		{.bursts = {{.hz = {4000}, .on_ms = 100}}},
		{.bursts = {{.hz = {400, 4000}, .on_ms = 100}}},
		{.bursts = {{.hz = {400}, .on_ms = 100}, {.on_ms = 100}}},
		{.bursts = {{.hz = {400}, .on_ms = 100, .blend = TONE_BEAT}}},
		{.bursts = {{.hz = {400, 500}, .on_ms = 100, .blend = TONE_WARBLE}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source = NULL;

		if (tone_cadence_new(&source, &rows[i], 8000) != -EINVAL || source)
			fail_msg("row %zu", i);
	}
}

static void test_no_memory(void **state)
{
	struct source *source = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(tone_cadence_new(&source, &bursts, 8000), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timing),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_louder_and_softer),
		cmocka_unit_test(test_loudest),
		cmocka_unit_test(test_beat),
		cmocka_unit_test(test_warble),
		cmocka_unit_test(test_no_click),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/tone_cadence", tests, NULL, NULL);
}
