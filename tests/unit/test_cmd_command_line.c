/* cmd/command_line: what is typed, as a command with its arguments or as words about a mistake. */
#include "cmd/command_line.h"

#include "core/base/loop.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h> /* after the headers that it needs */

enum { LINE_SIZE = 600, SHOWN_SIZE = 1024 };

/* One string for all that was read: "name|value|value", with "&" in front if nobody waits. */
static void show(struct text *out, const struct command_run *run, bool behind)
{
	text_printf(out, "%s%s", behind ? "&" : "", run->command->name);
	for (size_t i = 0; i < COMMAND_ARGS_MAX && run->command->args[i].name; i++) {
		const struct command_value *value = &run->values[i];

		text_putc(out, '|');
		if (!value->given)
			continue;
		text_put(out, value->text);
		if (run->command->args[i].kind == ARG_CALL ||
			run->command->args[i].kind == ARG_CODE)
			text_printf(out, "=%u", value->number);
	}
}

/* Or, of a mistake, "at: words". */
static void read(struct text *out, const char *line)
{
	struct command_word words[COMMAND_WORDS_MAX];
	struct command_run run = {.command = NULL};
	char room[LINE_SIZE];
	struct fault why = {0};
	bool behind = false;
	size_t count, at = 0;
	int err;

	err = command_cut(words, &count, room, line, &why, &at);
	if (!err)
		err = command_parse(&run, &behind, line, words, count, &why, &at);
	if (err)
		text_printf(out, "%zu: %s", at, why.words);
	else
		show(out, &run, behind);
}

static void test_lines(void **state)
{
	static const struct {
		const char *line, *read;
	} rows[] = {
		{"calls", "calls"},
		{"  calls  # all", "calls"},
		{"\tcalls &", "&calls"},
		{"hangup", "hangup||"},
		{"hangup 2", "hangup|2=2|"},
		{"hangup #2", "hangup|#2=2|"},
		{"hangup #2 # two", "hangup|#2=2|"},
		{"hangup all", "hangup||all"},
		{"h", "hangup||"},
		{"han", "hangup||"},
		{"reject", "reject|||"},
		{"reject 486", "reject|486=486||"},
		{"reject 2", "reject||2=2|"},
		{"reject 2 603", "reject||2=2|603=603"},
		{"reject 603 2", "reject|603=603|2=2|"},
		{"mute on", "mute||on"},
		{"mute 1 off", "mute|1=1|off"},
		{"call bob@example.org", "call|bob@example.org"},
		{"call \"Bob & Co\"", "call|Bob & Co"},
		{"call +49 (171) 234-5", "call|+49 (171) 234-5"},
		{"call 0171 2345 & # bob", "&call|0171 2345"},
		{"call \"0171 2345\"", "call|0171 2345"},
		{"call 0171 bob", "10: call takes no more than that; help call"},
		{"ping 0171 2", "ping|0171|2"},
		{"number 0171 2", "number|0171 2"},
		{"call 'a \"b\" \\'", "call|a \"b\" \\"},
		{"call \"a \\\"b\\\"\"", "call|a \"b\""},
		{"call a\\ b", "call|a b"},
		{"call a'b'c", "call|abc"},
		{"call \"&\"", "call|&"},
		{"call a#b", "call|a#b"},
		{"set mic 'file:a b.wav'", "set|mic|file:a b.wav"},
		{"help he", "help|he"},

		{"", "0: no command"},
		{"&", "0: no command"},
		{"hepl", "0: no command \"hepl\"; did you mean help?"},
		{"  xyzzy", "2: no command \"xyzzy\"; help shows them all"},
		{"h\x1b[2J", "0: no command \"h\\x1b[2J\"; help shows them all"},
		{"cal", "0: no command \"cal\"; did you mean call?"},
		{"help xyzzy", "5: no command \"xyzzy\"; help shows them all"},
		{"call", "4: call needs TARGET; help call"},
		{"call a b", "7: call takes no more than that; help call"},
		{"call \"bob", "5: a quote that is never closed"},
		{"call bob'", "8: a quote that is never closed"},
		{"call ''", "5: an empty word"},
		{"stats 0", "6: \"0\" is no call; \"calls\" shows them"},
		{"hold x", "5: \"x\" is no call; \"calls\" shows them"},
		{"hold 99999999999", "5: \"99999999999\" is no call; \"calls\" shows them"},
		{"mute x", "5: \"x\" is neither on nor off"},
		{"codec opuss", "6: no codec opuss; did you mean opus?"},
		{"codec 0 opus", "6: \"0\" is no call; \"calls\" shows them"},
		{"mute on on", "8: mute takes no more than that; help mute"},
		{"quit now", "5: quit takes no more than that; help quit"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[SHOWN_SIZE];
		struct text text = TEXT_IN(room);

		read(&text, rows[i].line);
		assert_string_equal(room, rows[i].read);
	}
}

static void test_many_words(void **state)
{
	char line[2 * COMMAND_WORDS_MAX + 3] = {0}, room[sizeof(line)];
	struct command_word words[COMMAND_WORDS_MAX];
	struct fault why;
	size_t count, at;

	(void)state;
	for (size_t i = 0; i < COMMAND_WORDS_MAX; i++)
		memcpy(line + 2 * i, "a ", 2);
	assert_int_equal(command_cut(words, &count, room, line, &why, &at), 0);
	assert_int_equal(count, COMMAND_WORDS_MAX);
	line[2 * COMMAND_WORDS_MAX] = 'b';
	assert_int_equal(command_cut(words, &count, room, line, &why, &at), -EINVAL);
	assert_string_equal(why.words, "more than 32 words");
	assert_int_equal(at, 2 * COMMAND_WORDS_MAX);
}

static void test_values(void **state)
{
	static const struct {
		enum command_kind kind;
		const char *text;
		uint64_t value; /* of a time, ns; of decibels, hundredths and 10000 */
		const char *words;
	} rows[] = {
		{ARG_DURATION, "5", 5 * NS_PER_S, NULL},
		{ARG_DURATION, "1.5s", 1500 * NS_PER_MS, NULL},
		{ARG_DURATION, ".25", 250 * NS_PER_MS, NULL},
		{ARG_DURATION, "200ms", 200 * NS_PER_MS, NULL},
		{ARG_DURATION, "2m", 120 * NS_PER_S, NULL},
		{ARG_DURATION, "1h", 3600 * NS_PER_S, NULL},
		{ARG_DURATION, "0", 0, NULL},
		{ARG_DURATION, "1000000", 1000000 * NS_PER_S, NULL},
		{ARG_DURATION, "1000001", 0, "\"1000001\" is more than 1000000 seconds"},
		{ARG_DURATION, "", 0, "\"\" is no time; like 5, 1.5s, 200ms and 2m are"},
		{ARG_DURATION, ".", 0, "\".\" is no time; like 5, 1.5s, 200ms and 2m are"},
		{ARG_DURATION, "1.2.3", 0, "\"1.2.3\" is no time; like 5, 1.5s, 200ms and 2m are"},
		{ARG_DURATION, "-1", 0, "\"-1\" is no time; like 5, 1.5s, 200ms and 2m are"},
		{ARG_DURATION, "5d", 0, "\"5d\" is no time; like 5, 1.5s, 200ms and 2m are"},
		{ARG_DURATION, "ms", 0, "\"ms\" is no time; like 5, 1.5s, 200ms and 2m are"},
		{ARG_DECIBELS, "+3", 10300, NULL},
		{ARG_DECIBELS, "-6.5", 9350, NULL},
		{ARG_DECIBELS, "loud", 0, "\"loud\" is no number of decibels, like +3 or -6.5"},
		{ARG_DECIBELS, "nan", 0, "\"nan\" is no number of decibels, like +3 or -6.5"},
		{ARG_COUNT, "1000000", 1000000, NULL},
		{ARG_COUNT, "0", 0, "\"0\" is no number from 1 to 1000000"},
		{ARG_CODE, "699", 699, NULL},
		{ARG_CODE, "200", 0, "\"200\" refuses nothing; 300 to 699 do"},
		{ARG_SWITCH, "on", 1, NULL},
		{ARG_SWITCH, "maybe", 0, "\"maybe\" is neither on nor off"},
		{ARG_CODEC, "opus,pcmu", 0, "\"opus,pcmu\" is more than one codec"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_value value = {0};
		struct fault why = {0};
		int err = command_read(&value, rows[i].kind, slice_of(rows[i].text), &why);
		uint64_t got = rows[i].kind == ARG_DURATION ? value.ns : value.number;

		if (rows[i].kind == ARG_DECIBELS)
			got = (uint64_t)(value.real * 100 + 10000);
		assert_string_equal(why.words, rows[i].words ? rows[i].words : "");
		assert_int_equal(err, rows[i].words ? -EINVAL : 0);
		if (!err)
			assert_int_equal(got, rows[i].value);
	}
}

/* What help, completion and the parser rely on. */
static void test_table(void **state)
{
	const struct command *command;

	(void)state;
	for (size_t i = 0; (command = command_at(i)); i++) {
		assert_true(strlen(command->help) > 0 && strlen(command->help) <= 48);
		assert_true(strlen(command->about) > 0);
		assert_non_null(command->examples[0]);
		assert_ptr_equal(command_find(slice_of(command->name)), command);
		if (command->alias)
			assert_ptr_equal(command_find(slice_of(command->alias)), command);
		assert_true(command->run);
		for (size_t k = 0; k < COMMAND_EXAMPLES && command->examples[k]; k++) {
			char room[SHOWN_SIZE];
			struct text text = TEXT_IN(room);

			read(&text, command->examples[k]);
			assert_true(slice_starts_nocase(text_slice(&text), command->name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_many_words),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
