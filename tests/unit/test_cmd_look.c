/* cmd/look: what is told of it, and who waits for it how long. */
#include "cmd/look.h"

#include "cmd/devices.h"
#include "cmd/say.h"
#include "tests/unit/fake_loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *missing; /* what the machine lacks */
static char said[256];
static unsigned ended;

void __wrap_devices_missing(struct text *out, const struct options *options);
void __wrap_say_line(struct terminal *terminal, const char *words);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool no_memory;

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

void __wrap_devices_missing(struct text *out, const struct options *options)
{
	(void)options;
	text_puts(out, missing);
}

void __wrap_say_line(struct terminal *terminal, const char *words)
{
	struct text text = TEXT_IN(said);

	(void)terminal;
	text_printf(&text, "%s.", words);
}

static void on_end(void *arg)
{
	(void)arg;
	ended++;
}

/* A machine, and somebody who looks at it. */
struct stage {
	struct fake_loop loop;
	struct options options;
	struct look *look;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	missing = "no device";
	said[0] = '\0';
	ended = 0;
	fake_loop_init(&stage->loop);
	assert_int_equal(look_new(&stage->look, &stage->loop.loop, &stage->options, NULL), 0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	while (fake_loop_run_work(&stage->loop))
		;
	fake_loop_end(&stage->loop);
	look_free(stage->look);
	free(stage);
	return 0;
}

static void a_machine_without_devices_says_so(void **state)
{
	struct stage *stage = *state;

	look_begin(stage->look);
	assert_string_equal(said, "");
	assert_true(fake_loop_run_work(&stage->loop));
	assert_string_equal(said, "no device.");
	look_end(stage->look, on_end, NULL);
	assert_int_equal(ended, 1);
}

static void one_with_devices_says_nothing(void **state)
{
	struct stage *stage = *state;

	missing = "";
	look_begin(stage->look);
	assert_true(fake_loop_run_work(&stage->loop));
	look_end(stage->look, on_end, NULL);
	assert_string_equal(said, "");
	assert_int_equal(ended, 1);
}

static void a_run_that_is_over_first_waits_for_it(void **state)
{
	struct stage *stage = *state;

	look_begin(stage->look);
	look_end(stage->look, on_end, NULL);
	assert_int_equal(ended, 0);
	assert_true(fake_loop_run_work(&stage->loop));
	assert_string_equal(said, "no device.");
	assert_int_equal(ended, 1);
	assert_false(look_is_stuck(stage->look));
}

static void but_not_for_ever(void **state)
{
	struct stage *stage = *state;

	look_begin(stage->look);
	look_end(stage->look, on_end, NULL);
	assert_int_equal(fake_loop_next_timer(&stage->loop), stage->loop.now_ns + NS_PER_S);
	stage->loop.work_count = 0; /* it hangs */
	fake_loop_advance(&stage->loop, NS_PER_S);
	assert_int_equal(ended, 1);
	assert_true(look_is_stuck(stage->look));
	assert_string_equal(said, "");
}

static void one_that_comes_too_late_tells_nothing(void **state)
{
	struct stage *stage = *state;

	look_begin(stage->look);
	look_end(stage->look, on_end, NULL);
	look_hurry(stage->look);
	assert_int_equal(ended, 1);
	assert_true(look_is_stuck(stage->look));
	assert_true(fake_loop_run_work(&stage->loop));
	assert_string_equal(said, "");
	assert_int_equal(ended, 1);
	assert_false(look_is_stuck(stage->look));
}

static void who_is_in_a_hurry_before_the_end_does_not_wait_at_it(void **state)
{
	struct stage *stage = *state;

	look_begin(stage->look);
	look_hurry(stage->look);
	assert_int_equal(ended, 0);
	look_end(stage->look, on_end, NULL);
	assert_int_equal(ended, 1);
}

static void who_has_said_what_to_use_or_wants_no_words_has_no_look(void **state)
{
	static const struct options cases[] = {
		{.quiet = true},
		{.mic = "silence", .speaker = "null"},
		{.answer_code = 486},
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stage->options = cases[i];
		look_begin(stage->look);
		assert_int_equal(stage->loop.work_count, 0);
	}
	look_end(stage->look, on_end, NULL);
	assert_int_equal(ended, 1);
}

static void without_a_thread_for_it_nobody_waits(void **state)
{
	struct stage *stage = *state;

	stage->loop.work_err = -ENOMEM;
	look_begin(stage->look);
	look_end(stage->look, on_end, NULL);
	assert_int_equal(ended, 1);
}

static void without_memory_there_is_none(void **state)
{
	struct stage *stage = *state;
	struct look *look = NULL;

	no_memory = true;
	assert_int_equal(look_new(&look, &stage->loop.loop, &stage->options, NULL), -ENOMEM);
	no_memory = false;
	assert_null(look);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_machine_without_devices_says_so),
		TEST(one_with_devices_says_nothing),
		TEST(a_run_that_is_over_first_waits_for_it),
		TEST(but_not_for_ever),
		TEST(one_that_comes_too_late_tells_nothing),
		TEST(who_is_in_a_hurry_before_the_end_does_not_wait_at_it),
		TEST(who_has_said_what_to_use_or_wants_no_words_has_no_look),
		TEST(without_a_thread_for_it_nobody_waits),
		TEST(without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
