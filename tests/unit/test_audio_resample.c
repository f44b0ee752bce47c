/* audio/resample: a tone stays what it is, where it is and how loud; lengths are exact. */
#include "audio/resample.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

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

static int16_t tone(double hz, uint32_t rate, size_t i)
{
	return (int16_t)lround(10000 * sin(2 * M_PI * hz * (double)i / rate));
}

/* Sends count samples through in pieces of piece; what comes out is for the caller to free. */
static int16_t *convert(
	size_t *made, uint32_t from, uint32_t to, const int16_t *in, size_t count, size_t piece)
{
	struct resampler *resampler;
	size_t room = (size_t)((uint64_t)count * to / from) + 1;
	int16_t *out = calloc(room, sizeof(*out)); /* not one more than the promise */

	*made = 0;
	assert_non_null(out);
	assert_int_equal(resampler_new(&resampler, from, to, RESAMPLE_QUALITY), 0);
	for (size_t at = 0; at < count; at += piece) {
		size_t len = count - at < piece ? count - at : piece;
		size_t most = resampler_room(resampler, len);
		size_t got = resampler_process(resampler, out + *made, in + at, len);

		assert_true(got <= most);
		*made += got;
	}
	assert_true(resampler_room(resampler, 0) + *made <= room);
	*made += resampler_flush(resampler, out + *made);
	assert_int_equal(resampler_flush(resampler, out), 0);
	resampler_free(resampler);
	return out;
}

static void test_tone_kept(void **state)
{
	static const struct {
		uint32_t from, to;
		size_t piece;
	} rows[] = {
		{8000, 48000, 160},
		{48000, 8000, 960},
		{16000, 8000, 1024},
		{44100, 48000, 441},
		{44100, 8000, 7},
		{22050, 16000, 100000},
		{8000, 44101, 333},
		{8000, 8000, 160},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		size_t count = rows[r].from; /* a second */
		int16_t *in = calloc(count, sizeof(*in));
		double worst = 0;
		int16_t *out;
		size_t made;

		assert_non_null(in);
		for (size_t i = 0; i < count; i++)
			in[i] = tone(700, rows[r].from, i);
		out = convert(&made, rows[r].from, rows[r].to, in, count, rows[r].piece);
		if (made != rows[r].to)
			fail_msg("%u to %u: %zu", rows[r].from, rows[r].to, made);
		/* but for the edges, where the tone begins and ends */
		for (size_t i = made / 50; i < made - made / 50; i++) {
			double off = fabs((double)out[i] - tone(700, rows[r].to, i));

			worst = off > worst ? off : worst;
		}
		if (worst > 100)
			fail_msg("%u to %u: off by %f", rows[r].from, rows[r].to, worst);
		free(in);
		free(out);
	}
}

/* Short pieces too come out whole, n * out / in rounded up. */
static void test_lengths(void **state)
{
	static const uint32_t rates[] = {8000, 11025, 16000, 44100, 48000};
	static const size_t counts[] = {0, 1, 2, 7, 160, 1001};
	static int16_t in[1001];

	(void)state;
	for (size_t a = 0; a < 5; a++)
		for (size_t b = 0; b < 5; b++)
			for (size_t c = 0; c < 6; c++) {
				uint64_t want = (uint64_t)counts[c] * rates[b];
				size_t made;

				free(convert(&made, rates[a], rates[b], in, counts[c], 13));
				want = want / rates[a] + (want % rates[a] > 0);
				if (made != want)
					fail_msg("%zu from %u to %u: %zu", counts[c], rates[a],
						rates[b], made);
			}
}

/* What the lower rate cannot carry is gone, and not folded down. */
static void test_no_alias(void **state)
{
	int16_t *in = calloc(48000, sizeof(*in));
	double sum = 0;
	int16_t *out;
	size_t made;

	(void)state;
	assert_non_null(in);
	for (size_t i = 0; i < 48000; i++)
		in[i] = tone(6000, 48000, i);
	out = convert(&made, 48000, 8000, in, 48000, 960);
	for (size_t i = 500; i < made - 500; i++)
		sum += (double)out[i] * out[i];
	assert_true(sqrt(sum / (double)(made - 1000)) < 20);
	free(in);
	free(out);
}

/* Another sound after the end of one is as if it were new, to the sample. */
static void test_restart_in_step(void **state)
{
	static const uint32_t pairs[][2] = {{8000, 48000}, {48000, 8000}, {44100, 16000}};
	int16_t in[4410], *fresh;

	(void)state;
	for (size_t i = 0; i < 4410; i++)
		in[i] = tone(440, 44100, i);
	for (size_t p = 0; p < 3; p++) {
		struct resampler *resampler;
		size_t made, again;
		int16_t *out;

		fresh = convert(&made, pairs[p][0], pairs[p][1], in, 4410, 441);
		assert_int_equal(resampler_new(&resampler, pairs[p][0], pairs[p][1], 5), 0);
		out = calloc(resampler_room(resampler, 4410) + 1, sizeof(*out));
		assert_non_null(out);
		resampler_process(resampler, out, in + 1000, 1234);
		resampler_flush(resampler, out);
		resampler_restart(resampler, RESAMPLER_IN_STEP);
		again = resampler_process(resampler, out, in, 4410);
		again += resampler_flush(resampler, out + again);
		assert_int_equal(again, made);
		assert_memory_equal(out, fresh, made * sizeof(*out));
		resampler_free(resampler);
		free(out);
		free(fresh);
	}
}

/* Each tick's samples make a tick's, from the first one on; the tone comes a little later. */
static void test_restart_at_once(void **state)
{
	static const uint32_t rates[] = {8000, 16000, 44100, 48000};

	(void)state;
	for (size_t a = 0; a < 4; a++)
		for (size_t b = 0; b < 4; b++) {
			struct resampler *resampler;
			int16_t in[480], out[481];
			size_t count = rates[a] / 100, due = rates[b] / 100;
			double sum = 0;

			assert_int_equal(resampler_new(&resampler, rates[a], rates[b], 5), 0);
			resampler_restart(resampler, RESAMPLER_AT_ONCE);
			for (size_t tick = 0; tick < 100; tick++) {
				for (size_t i = 0; i < count; i++)
					in[i] = tone(440, rates[a], tick * count + i);
				assert_int_equal(resampler_room(resampler, count), due);
				assert_int_equal(resampler_process(resampler, out, in, count), due);
				for (size_t i = 0; tick > 1 && i < due; i++)
					sum += (double)out[i] * out[i];
			}
			sum = sqrt(sum / (98.0 * (double)due)) * sqrt(2);
			if (fabs(sum - 10000) > 100)
				fail_msg("%u to %u: %f", rates[a], rates[b], sum);
			resampler_free(resampler);
		}
}

static void test_equal_rates_copy(void **state)
{
	int16_t in[100], *out;
	size_t made;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		in[i] = (int16_t)(i * 321);
	out = convert(&made, 16000, 16000, in, 100, 33);
	assert_int_equal(made, 100);
	assert_memory_equal(out, in, sizeof(in));
	free(out);
}

static void test_limits(void **state)
{
	struct resampler *resampler = NULL;

	(void)state;
	assert_int_equal(resampler_new(&resampler, 0, 8000, 5), -EINVAL);
	assert_int_equal(resampler_new(&resampler, 8000, 0, 5), -EINVAL);
	assert_int_equal(resampler_new(&resampler, RESAMPLE_RATE_MIN - 1, 8000, 5), -EINVAL);
	assert_int_equal(resampler_new(&resampler, 8000, RESAMPLE_RATE_MAX + 1, 5), -EINVAL);
	assert_int_equal(resampler_new(&resampler, 8000, 8000, 11), -EINVAL);
	assert_int_equal(resampler_new(&resampler, 8000, 8000, -1), -EINVAL);
	allocations_left = 0;
	assert_int_equal(resampler_new(&resampler, 8000, 16000, 5), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(resampler);
	assert_int_equal(resampler_new(&resampler, RESAMPLE_RATE_MIN, RESAMPLE_RATE_MAX, 0), 0);
	resampler_free(resampler);
	resampler_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone_kept),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_no_alias),
		cmocka_unit_test(test_restart_in_step),
		cmocka_unit_test(test_restart_at_once),
		cmocka_unit_test(test_equal_rates_copy),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("audio/resample", tests, NULL, NULL);
}
