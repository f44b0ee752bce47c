/* audio/likeness: the same speech, late, quieter and stretched; another, and silence. */
#include "audio/likeness.h"

#include "audio/sound_read.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program here, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

struct sound {
	int16_t *samples;
	size_t count;
};

static struct sound sent, same, other;

static int set_up(void **state)
{
	struct fault why;

	(void)state;
	return sound_read(&sent.samples, &sent.count, "tests/data/speech.wav", LIKENESS_SENT_RATE,
		       &why) ||
	       sound_read(&same.samples, &same.count, "tests/data/speech.wav", LIKENESS_HEARD_RATE,
		       &why) ||
	       sound_read(&other.samples, &other.count, "tests/data/speech-other.wav",
		       LIKENESS_HEARD_RATE, &why);
}

static int tear_down(void **state)
{
	(void)state;
	free(sent.samples);
	free(same.samples);
	free(other.samples);
	return 0;
}

static struct likeness measure(const int16_t *heard, size_t count)
{
	struct likeness likeness;

	assert_int_equal(likeness_measure(&likeness, sent.samples, sent.count, heard, count), 0);
	return likeness;
}

static void test_same(void **state)
{
	struct likeness likeness = measure(same.samples, same.count);

	(void)state;
	assert_true(likeness.figure > 0.99);
	assert_true(likeness.voiced > 40);
	assert_int_equal(likeness.windows, likeness.voiced);
}

/* Late by some time that is on no grid, half as loud, and a sample in 2000 twice. */
static void test_changed(void **state)
{
	const size_t late = 11111;
	int16_t *heard = calloc(late + same.count * 2, sizeof(*heard));
	size_t count = late;

	(void)state;
	for (size_t i = 0; i < same.count; i++) {
		heard[count++] = same.samples[i] / 2;
		if (i % 2000 == 0)
			heard[count++] = same.samples[i] / 2;
	}
	assert_true(measure(heard, count).figure > 0.95);
	free(heard);
}

static void test_not_it(void **state)
{
	int16_t *silence = calloc(same.count, sizeof(*silence));

	(void)state;
	assert_true(measure(other.samples, other.count).figure < 0.4);
	assert_true(measure(silence, same.count).figure < 0.1);
	assert_true(measure(same.samples, same.count / 3).figure < 0.1); /* less than half of it */
	assert_true(measure(NULL, 0).figure < 0.1);
	free(silence);
}

static void test_no_speech(void **state)
{
	int16_t silence[8000] = {0};
	struct likeness likeness;

	(void)state;
	assert_int_equal(likeness_measure(&likeness, silence, 8000, same.samples, same.count), 0);
	assert_int_equal(likeness.voiced, 0);
	assert_int_equal(likeness_measure(&likeness, NULL, 0, same.samples, same.count), 0);
	assert_int_equal(likeness.voiced, 0);
}

static void test_no_memory(void **state)
{
	struct likeness likeness;
	struct sound sound;
	struct fault why;
	int err = -ENOMEM;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		allocations_left = i;
		assert_int_equal(likeness_measure(&likeness, sent.samples, sent.count, same.samples,
					 same.count),
			-ENOMEM);
	}
	for (size_t i = 0; err == -ENOMEM; i++) {
		allocations_left = i;
		err = sound_read(&sound.samples, &sound.count, "tests/data/speech.wav", 8000, &why);
	}
	allocations_left = SIZE_MAX;
	assert_int_equal(err, 0);
	assert_int_equal(sound.count, sent.count);
	free(sound.samples);
	assert_int_equal(
		sound_read(&sound.samples, &sound.count, "tests/data", 8000, &why), -EISDIR);
	assert_null(strstr(why.words, "memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_not_it),
		cmocka_unit_test(test_no_speech),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
