/* core/media/voices: whose a packet is, before, while and after what is agreed on changes. */
#include "core/media/voices.h"

#include "core/base/loop.h"
#include "core/base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

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

static const struct codec *codec(const char *key)
{
	return codec_find(slice_of(key));
}

static struct media_formats formats(const char *a, uint8_t at_a, const char *b, uint8_t at_b)
{
	return (struct media_formats){
		.count = b ? 2 : 1, .list = {{codec(a), at_a}, {b ? codec(b) : NULL, at_b}}};
}

static void begin(struct voices *voices, const struct media_formats *first)
{
	*voices = (struct voices){0};
	assert_int_equal(voice_set_make(&voices->now, first, NULL, 8000), 0);
}

static bool turn(struct voices *voices, const struct media_formats *to)
{
	const struct media_formats from = voices->now.formats;
	struct voice_set set;
	bool turned;

	assert_int_equal(voice_set_make(&set, to, &from, 8000), 0);
	turned = voices_turn(voices, &set);
	voice_set_free(&set);
	return turned;
}

static const char *whose(struct voices *voices, uint8_t payload_type, uint64_t at_ns)
{
	const struct voice *voice = voices_of(voices, payload_type, at_ns);

	return voice ? voice->codec->key : "";
}

static void test_turns(void **state)
{
	const struct media_formats first = formats("pcmu", 0, "opus", 96);
	const struct media_formats second = formats("pcma", 8, "opus", 97);
	const struct media_formats third = formats("pcmu", 0, NULL, 0);
	struct voices voices;
	struct voice *opus;

	(void)state;
	begin(&voices, &first);
	assert_string_equal(whose(&voices, 0, 1), "pcmu");
	assert_string_equal(whose(&voices, 96, 1), "opus");
	assert_string_equal(whose(&voices, 8, 1), "");
	assert_false(turn(&voices, &first));

	opus = voices_of(&voices, 96, 1);
	assert_true(turn(&voices, &second));
	assert_ptr_equal(voices_of(&voices, 96, 1000 * NS_PER_S), opus); /* nothing new yet */
	assert_string_equal(whose(&voices, 0, 1000 * NS_PER_S), "pcmu");
	assert_null(voices_format(&voices, 0));
	assert_ptr_equal(voices_of(&voices, 97, 1000 * NS_PER_S), opus); /* with all it knows */
	assert_int_equal(voices_format(&voices, 97)->payload_type, 97);
	assert_string_equal(whose(&voices, 0, 1001 * NS_PER_S - 1), "pcmu");
	assert_string_equal(whose(&voices, 0, 1001 * NS_PER_S), "");
	assert_ptr_equal(voices_at(&voices, 96), opus); /* what has waited was taken in time */

	assert_true(turn(&voices, &third));
	assert_ptr_equal(voices_at(&voices, 97), opus);
	assert_null(voices_at(&voices, 96));
	assert_true(turn(&voices, &second));
	assert_true(turn(&voices, &first));
	voices_free(&voices);
}

/* What is only added ends nothing: whom it is agreed on with still may send either. */
static void test_more(void **state)
{
	const struct media_formats few = formats("pcmu", 0, NULL, 0);
	const struct media_formats more = formats("pcmu", 0, "pcma", 8);
	struct voices voices;
	struct voice *pcmu;

	(void)state;
	begin(&voices, &few);
	pcmu = voices_of(&voices, 0, 1);
	turn(&voices, &more);
	assert_ptr_equal(voices_of(&voices, 0, 1), pcmu);
	assert_string_equal(whose(&voices, 8, 1), "pcma");
	assert_ptr_equal(voices_of(&voices, 0, 9 * NS_PER_S), pcmu);
	turn(&voices, &few);
	assert_string_equal(whose(&voices, 8, 10 * NS_PER_S), "pcma");
	assert_ptr_equal(voices_of(&voices, 0, 10 * NS_PER_S), pcmu);
	voices_free(&voices);
}

static void test_equal(void **state)
{
	const struct media_formats a = formats("pcmu", 0, "pcma", 8);
	const struct media_formats others[] = {formats("pcmu", 0, NULL, 0),
		formats("pcma", 8, "pcmu", 0), formats("pcmu", 0, "pcma", 9),
		formats("pcmu", 0, "opus", 8)};

	(void)state;
	assert_true(media_formats_equal(&a, &a));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (media_formats_equal(&a, &others[i]))
			fail_msg("%zu", i);
}

/* Each allocation in turn; what came before it, LeakSanitizer sees freed. */
static void test_no_memory(void **state)
{
	const struct media_formats both = formats("pcmu", 0, "opus", 96);
	struct voice_set set;
	size_t left = 0;
	int err;

	(void)state;
	do {
		allocations_left = left++;
		err = voice_set_make(&set, &both, NULL, 16000);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
	} while (err);
	assert_true(left > 5);
	voice_set_free(&set);
	assert_int_equal(set.formats.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("media/voices", tests, NULL, NULL);
}
