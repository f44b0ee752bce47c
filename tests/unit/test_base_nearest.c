/* core/base/nearest: what counts as a slip of the finger, and what does not. */
#include "core/base/nearest.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const char *const names[] = {
	"codecs",
	"calls",
	"mic",
	"max-calls",
	NULL,
	"timeout",
	"trace",
	"duration",
	"abcdefghijklmnopqrstuvwxyz01234",  /* as long as may be */
	"zyxwvutsrqponmlkjihgfedcba012345", /* longer */
	"durable",
};

static const struct {
	const char *word;
	const char *near; /* NULL: none */
} rows[] = {
	{"codec", "codecs"},   /* left out */
	{"codecss", "codecs"}, /* put in */
	{"kodecs", "codecs"},  /* changed */
	{"cdoecs", "codecs"},  /* swapped */
	{"ocdecs", "codecs"},  /* swapped at the start */
	{"ocdec", "codecs"},
	{"a", NULL},
	{"codesc", "codecs"}, /* swapped at the end */
	{"cdoesc", "codecs"}, /* two swaps */
	{"CODEC", "codecs"},  /* case */
	{"Calls", "calls"},   /* case alone */
	{"calls", "calls"},   /* itself */
	{"coedsc", "codecs"}, /* two swaps side by side */
	{"cdoesx", NULL},     /* three changes */
	{"mik", "mic"},       /* one of three */
	{"mi", "mic"},        /* one of two */
	{"m", NULL},          /* one letter could be anything */
	{"mxx", NULL},        /* two of three are no likeness */
	{"", NULL},
	{"dura", NULL},        /* two begin like that */
	{"durat", "duration"}, /* one does */
	{"tim", "timeout"},    /* the beginning */
	{"T", NULL},           /* too short a beginning */
	{"zyxw", "zyxwvutsrqponmlkjihgfedcba012345"},
	{"zyxwvutsrqponmlkjihgfedcba01234x", NULL}, /* too long a name to be compared */
	{"abcdefghijklmnopqrstuvwxyz01234", "abcdefghijklmnopqrstuvwxyz01234"},
	{"abcdefghijklmnopqrstuvwxyz01234xy", "abcdefghijklmnopqrstuvwxyz01234"},
	{"abcdefghijklmnopqrstuvwxyz01234xyz", NULL},
	{"nothing like it", NULL},
};

static const char *name_at(const void *arg, size_t i)
{
	const char *const *list = arg;

	return list[i];
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *near = nearest_name(
			slice_of(rows[i].word), sizeof(names) / sizeof(names[0]), name_at, names);

		if ((near == NULL) != (rows[i].near == NULL) ||
			(near && strcmp(near, rows[i].near) != 0))
			fail_msg("\"%s\": got %s", rows[i].word, near ? near : "none");
	}
}

static void test_first_of_equals(void **state)
{
	static const char *const both[] = {"cat", "bat"};

	(void)state;
	assert_string_equal(nearest_name(slice_of("hat"), 2, name_at, both), "cat");
	assert_string_equal(nearest_name(slice_of("bat"), 2, name_at, both), "bat");
	assert_null(nearest_name(slice_of("hat"), 0, name_at, both));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_first_of_equals),
	};

	return cmocka_run_group_tests_name("base/nearest", tests, NULL, NULL);
}
