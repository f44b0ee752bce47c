/* cmd/prompt/complete: which words could stand where, by the line before them; and
 * cmd/prompt/choices: how they are shown. */
#include "cmd/prompt/choices.h"
#include "cmd/prompt/complete.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static size_t allocations_left = SIZE_MAX;

/* The linker sends each malloc() of this program to the first, by --wrap=malloc. */
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_malloc(size);
}

static void put_word(void *arg, const char *word)
{
	struct text *out = arg;

	text_printf(out, "|%s", word);
}

static void set(struct complete *complete, enum complete_list list, const char *words, size_t len)
{
	char *copy = malloc(len);

	memcpy(copy, words, len);
	complete_set(complete, list, copy, len);
}

/* The words of those lists, each ended by a NUL. */
#define SET(complete, list, words) set((complete), (list), (words), sizeof(words))

static void fill(struct complete *complete)
{
	SET(complete, COMPLETE_CALLS, "#1\0#2");
	SET(complete, COMPLETE_CONTACTS, "bob\0Bob Example");
	SET(complete, COMPLETE_MICS, "device:Headset");
	SET(complete, COMPLETE_SPEAKERS, "device:Horn");
}

#define MICS "|default|device:|file:|tone:|silence|loop|exec:|device:Headset"
#define SPEAKERS "|default|device:|file:|null|exec:|device:Horn"

static const struct {
	const char *before, *words;
} rows[] = {
	{"call ", "|bob|Bob Example"},
	{"  call\t", "|bob|Bob Example"},
	{"call bob ", ""},
	{"answer ", "|#1|#2"},
	{"hangup ", "|#1|#2|all"},
	{"hangup #1 ", "|all"},
	{"mute ", "|#1|#2|on|off"},
	{"mute 2 ", "|on|off"},
	{"mute on ", ""},
	{"reject ", "|#1|#2"},
	{"set mic ", MICS},
	{"set mic \"", MICS},
	{"set mic '", MICS},
	{"set mic file:", MICS}, /* the word goes on */
	{"set speaker ", SPEAKERS},
	{"set timeout ", ""},
	{"call \"bob", ""}, /* of a quote that is not at the end there is nothing to say */
	{"no-such-command ", ""},
	{"# call ", NULL}, /* a comment: as at the beginning of a line */
	{"", NULL},
	{"  ", NULL},
	{"he", NULL},
	{"help ", NULL},
};

static void test_words(void **state)
{
	struct complete complete = {0};

	(void)state;
	fill(&complete);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[4096];
		struct text text = TEXT_IN(room);
		struct complete_more more;

		complete_each(&more, &complete, rows[i].before, put_word, &text);
		if (more.files || (rows[i].words && strcmp(room, rows[i].words) != 0))
			fail_msg("\"%s\": %s", rows[i].before, room);
		assert_int_equal(more.devices, strstr(room, "|device:") != NULL);
		if (!rows[i].words && (!strstr(room, "|call|") || !strstr(room, "|quit")))
			fail_msg("\"%s\": %s", rows[i].before, room);
		if (rows[i].before[0] == '\0')
			assert_non_null(strstr(room, "|bob|Bob Example"));
	}
	complete_free(&complete);
}

static void test_tables(void **state)
{
	static const struct {
		const char *before, *word;
	} some[] = {{"set ", "|codecs|"}, {"set codecs ", "|pcmu|"}, {"help ", "|hangup|"}};
	const struct complete complete = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		char room[4096];
		struct text text = TEXT_IN(room);
		struct complete_more more;

		complete_each(&more, &complete, some[i].before, put_word, &text);
		text_putc(&text, '|');
		if (!strstr(room, some[i].word))
			fail_msg("\"%s\": %s", some[i].before, room);
	}
}

static void test_no_memory(void **state)
{
	struct complete complete = {0};
	char room[4096];
	struct text text = TEXT_IN(room);
	struct complete_more more = {true, true};

	(void)state;
	fill(&complete);
	allocations_left = 0;
	complete_each(&more, &complete, "call ", put_word, &text);
	allocations_left = SIZE_MAX;
	assert_string_equal(room, "");
	assert_false(more.files || more.devices);
	complete_free(&complete);
}

static const struct {
	const char *words[8];
	size_t columns;
	const char *lines;
} screens[] = {
	{{"a", "b", "c"}, 80, "a  b  c\n"},
	{{"a", "b", "c"}, 7, "a  c\nb\n"},
	{{"a", "b", "c"}, 1, "a\nb\nc\n"},
	{{"long one", "b", "c", "d"}, 20, "long one  c\nb         d\n"},
	{{"\xe6\x97\xa5", "b"}, 20, "\xe6\x97\xa5  b\n"},
	{{"\x1b[2J\n", "b"}, 80, "\\x1b[2J\\x0a  b\n"},
};

static void test_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		size_t count = 0;
		char *lines;

		while (screens[i].words[count])
			count++;
		lines = choices_print(screens[i].words, count, screens[i].columns);
		assert_non_null(lines);
		if (strcmp(lines, screens[i].lines) != 0)
			fail_msg("row %zu: %s", i, lines);
		free(lines);
	}
}

static void test_many_choices(void **state)
{
	const char *words[CHOICES_MAX + 5];
	char *lines;

	(void)state;
	for (size_t i = 0; i < CHOICES_MAX + 5; i++)
		words[i] = "word";
	lines = choices_print(words, CHOICES_MAX + 5, 60);
	assert_non_null(strstr(lines, "word  word\nand 5 more\n"));
	free(lines);
	for (size_t i = 0; i < 2; i++) {
		allocations_left = i;
		assert_null(choices_print(words, 1, 60));
	}
	allocations_left = SIZE_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_many_choices),
	};

	return cmocka_run_group_tests_name("cmd/prompt/complete", tests, NULL, NULL);
}
