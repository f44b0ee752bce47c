/* audio/background: the least that is heard is the background, and what is loud never is. */
#include "audio/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	RATE = 8000,
	FRAME = 160,
	A_SECOND = 50,
};

/* Whether the last of count frames that loud, as a square wave, was the background. */
static bool hear(struct background *background, int16_t loud, int count)
{
	int16_t samples[FRAME];
	bool quiet = false;

	for (size_t i = 0; i < FRAME; i++)
		samples[i] = i / 8 % 2 ? loud : (int16_t)-loud;
	while (count-- > 0)
		quiet = background_hear(background, samples, FRAME, RATE);
	return quiet;
}

static void test_levels(void **state)
{
	struct background background = {0};

	(void)state;
	assert_true(hear(&background, 100, 1)); /* the first is the least */
	assert_true(hear(&background, 199, 1));
	assert_false(hear(&background, 210, 1));
	assert_true(hear(&background, 50, 1));
	assert_false(hear(&background, 110, 1));
	assert_true(hear(&background, 0, 1));
	assert_true(hear(&background, 32, 1)); /* 60 dB down: nobody hears it */
	assert_false(hear(&background, 34, 1));
}

/* What is a little louder is believed after some seconds, and not before. */
static void test_rises(void **state)
{
	struct background background = {0};

	(void)state;
	hear(&background, 60, 1);
	assert_false(hear(&background, 200, A_SECOND));
	assert_true(hear(&background, 200, 6 * A_SECOND));
	assert_true(hear(&background, 60, 1));
	assert_false(hear(&background, 200, 1)); /* at once the other way */
	assert_true(hear(&background, 0, 1));
	assert_false(hear(&background, 60, A_SECOND)); /* from nothing, too */
	assert_true(hear(&background, 60, 9 * A_SECOND));
}

static void test_never_loud(void **state)
{
	struct background background = {0};

	(void)state;
	assert_false(hear(&background, 300, 100 * A_SECOND));
	assert_false(hear(&background, -32768, 1));
	assert_true(hear(&background, 250, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_rises),
		cmocka_unit_test(test_never_loud),
	};

	return cmocka_run_group_tests_name("audio/background", tests, NULL, NULL);
}
