#include "cmd/command_line.h"

#include "cmd/words.h"
#include "codecs/codec.h"
#include "core/base/loop.h"
#include "core/base/text.h"
#include "core/ua/agent.h"

#include <stdlib.h>

enum {
	SHOWN_SIZE = 200, /* of what a message repeats of the line */
	CODE_MIN = 300,
	CODE_MAX = 699,
	COUNT_MAX = 1000000,
	SECONDS_MAX = 1000000,
	FRACTION_MAX = 9, /* digits */
	DB_MAX = 1000,
};

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* "# ..." at the beginning or after a space, but not "#2", which is a call. */
static bool is_comment(const char *at)
{
	return at[0] == '#' && !(at[1] >= '0' && at[1] <= '9');
}

/* Reads one word from line at *at into room, which is moved on. */
static int cut_word(
	struct command_word *word, char **room, const char *line, size_t *at, struct fault *why)
{
	char *out = *room;
	char quote = '\0';
	size_t opened = 0;

	*word = (struct command_word){.at = *at};
	for (; line[*at] != '\0' && (quote != '\0' || !is_space(line[*at])); (*at)++) {
		char byte = line[*at];

		if (byte == quote) {
			quote = '\0';
		} else if (quote == '\0' && (byte == '"' || byte == '\'')) {
			quote = byte;
			opened = *at;
			word->quoted = true;
		} else {
			if (byte == '\\' && quote != '\'' && line[*at + 1] != '\0')
				byte = line[++*at];
			*out++ = byte;
		}
	}
	if (quote != '\0') {
		*at = opened;
		return fault_set(why, -EINVAL, "a quote that is never closed");
	}
	word->text = (struct slice){(const uint8_t *)*room, (size_t)(out - *room)};
	word->end = *at;
	*room = out;
	return 0;
}

int command_cut(struct command_word *words, size_t *count, char *room, const char *line,
	struct fault *why, size_t *at)
{
	*count = 0;
	for (*at = 0;;) {
		int err;

		while (is_space(line[*at]))
			(*at)++;
		if (line[*at] == '\0' || is_comment(line + *at))
			return 0;
		if (*count == COMMAND_WORDS_MAX)
			return fault_set(why, -EINVAL, "more than %d words", COMMAND_WORDS_MAX);

		err = cut_word(&words[*count], &room, line, at, why);
		if (err)
			return err;
		(*count)++;
	}
}

static int wrong(struct fault *why, struct slice text, const char *what)
{
	char shown[SHOWN_SIZE];
	struct text out = TEXT_IN(shown);

	words_put(&out, text);
	return fault_set(why, -EINVAL, "\"%s\" %s", shown, what);
}

static int read_word(struct command_value *value, struct fault *why)
{
	return value->text.len > 0 ? 0 : fault_set(why, -EINVAL, "an empty word");
}

static int read_call(struct command_value *value, struct fault *why)
{
	struct slice rest = value->text;
	struct slice hash;
	uint64_t number;

	if (slice_starts_nocase(rest, "#"))
		(void)slice_take(&hash, &rest, 1);
	if (slice_number(&number, rest, UINT32_MAX) || number == 0)
		return wrong(why, value->text, "is no call; \"calls\" shows them");

	value->number = (unsigned)number;
	return 0;
}

static int read_code(struct command_value *value, struct fault *why)
{
	uint64_t code;

	if (slice_number(&code, value->text, CODE_MAX) || code < CODE_MIN)
		return wrong(why, value->text, "refuses nothing; 300 to 699 do");

	value->number = (unsigned)code;
	return 0;
}

static int read_count(struct command_value *value, struct fault *why)
{
	uint64_t count;

	if (slice_number(&count, value->text, COUNT_MAX) || count == 0)
		return wrong(why, value->text, "is no number from 1 to 1000000");

	value->number = (unsigned)count;
	return 0;
}

/* What stands behind the number. */
static int read_unit(uint64_t *ns, struct slice unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"", NS_PER_S}, {"s", NS_PER_S}, {"ms", NS_PER_MS}, {"m", 60 * NS_PER_S},
		{"min", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_is(unit, units[i].name)) {
			*ns = units[i].ns;
			return 0;
		}
	return -EINVAL;
}

static int read_duration(struct command_value *value, struct fault *why)
{
	static const char what[] = "is no time; like 5, 1.5s, 200ms and 2m are";
	struct slice rest = value->text;
	struct slice number = {rest.data, 0};
	struct slice whole, fraction;
	uint64_t unit, seconds = 0, part = 0, scale = 1;

	while (number.len < rest.len &&
		(rest.data[number.len] == '.' ||
			(rest.data[number.len] >= '0' && rest.data[number.len] <= '9')))
		number.len++;
	(void)slice_take(&number, &rest, number.len);
	if (read_unit(&unit, rest))
		return wrong(why, value->text, what);

	fraction = number;
	(void)slice_cut(&whole, &fraction, '.');
	if (number.len == 0 || whole.len + fraction.len == 0 || fraction.len > FRACTION_MAX)
		return wrong(why, value->text, what);
	if ((whole.len > 0 && slice_number(&seconds, whole, SECONDS_MAX * UINT64_C(1000))) ||
		(fraction.len > 0 && slice_number(&part, fraction, UINT32_MAX)))
		return wrong(why, value->text, what);

	for (size_t i = 0; i < fraction.len; i++)
		scale *= 10;
	if (seconds > SECONDS_MAX * NS_PER_S / unit)
		return wrong(why, value->text, "is more than 1000000 seconds");
	value->ns = seconds * unit + (uint64_t)((double)part * (double)unit / (double)scale);
	return 0;
}

static int read_decibels(struct command_value *value, struct fault *why)
{
	char room[16];
	struct text text = TEXT_IN(room);
	char *end;

	text_put(&text, value->text);
	value->real = strtod(room, &end);
	if (text.cut || text.len == 0 || *end != '\0' || !(value->real > -DB_MAX) ||
		!(value->real < DB_MAX))
		return wrong(why, value->text, "is no number of decibels, like +3 or -6.5");
	return 0;
}

static int read_codec(struct command_value *value, struct fault *why)
{
	const struct codec *codecs[CODEC_LIST_MAX];
	size_t count;

	if (slice_find(value->text, ',') < value->text.len)
		return wrong(why, value->text, "is more than one codec");
	return codec_list_parse(codecs, &count, value->text, why);
}

static int read_switch(struct command_value *value, struct fault *why)
{
	if (!slice_is(value->text, "on") && !slice_is(value->text, "off"))
		return wrong(why, value->text, "is neither on nor off");

	value->number = slice_is(value->text, "on");
	return 0;
}

static int no_command(struct fault *why, struct slice name)
{
	const char *near = command_nearest(name);
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, name);
	if (near)
		return fault_set(why, -EINVAL, "no command \"%s\"; did you mean %s?", shown, near);
	return fault_set(why, -EINVAL, "no command \"%s\"; help shows them all", shown);
}

static int read_command(struct command_value *value, struct fault *why)
{
	return command_find(value->text) ? 0 : no_command(why, value->text);
}

int command_read(
	struct command_value *value, enum command_kind kind, struct slice text, struct fault *why)
{
	static int (*const readers[])(struct command_value * value, struct fault * why) = {
		[ARG_WORD] = read_word,
		[ARG_TARGET] = read_word,
		[ARG_CALL] = read_call,
		[ARG_CODE] = read_code,
		[ARG_COUNT] = read_count,
		[ARG_DURATION] = read_duration,
		[ARG_DECIBELS] = read_decibels,
		[ARG_CODEC] = read_codec,
		[ARG_SOURCE] = read_word,
		[ARG_FILE] = read_word,
		[ARG_SWITCH] = read_switch,
		[ARG_COMMAND] = read_command,
		[ARG_SETTING] = read_word,
		[ARG_REST] = read_word,
	};

	value->text = text;
	return readers[kind](value, why);
}

/* A line that is being read. */
struct reader {
	struct command_run *run;
	const char *line;
	const struct command_word *words;
	size_t count;
	size_t next;   /* word */
	bool doubtful; /* why tells of an argument that was hardly meant */
	struct fault *why;
	size_t *at;
};

static int missing(const struct reader *reader, const struct command_arg *arg)
{
	*reader->at = reader->count > 0 ? reader->words[reader->count - 1].end : 0;
	return fault_set(reader->why, -EINVAL, "%s needs %s; help %s", reader->run->command->name,
		arg->name, reader->run->command->name);
}

/* All from the next word on. */
static void take_rest(struct reader *reader, struct command_value *value)
{
	const struct command_word *first = &reader->words[reader->next];
	const struct command_word *last = &reader->words[reader->count - 1];

	value->given = true;
	value->at = first->at;
	value->text =
		(struct slice){(const uint8_t *)reader->line + first->at, last->end - first->at};
	reader->next = reader->count;
}

/* A telephone number may have spaces in it, where nothing else can follow. */
static bool take_number(struct reader *reader, size_t i, struct command_value *value)
{
	const struct command_arg *args = reader->run->command->args;
	struct command_value all = {.given = true};
	size_t next = reader->next;

	if (args[i].kind != ARG_TARGET || (i + 1 < COMMAND_ARGS_MAX && args[i + 1].name))
		return false;
	take_rest(reader, &all);
	if (agent_is_number(all.text)) {
		*value = all;
		return true;
	}
	reader->next = next;
	return false;
}

/* A word for what may be left out, and is no number, was meant for what follows. */
static bool is_hardly(enum command_kind kind, struct slice word)
{
	return kind == ARG_CALL && word.len > 0 && word.data[0] != '#' &&
	       !(word.data[0] >= '0' && word.data[0] <= '9');
}

/* Reads the next word for argument i, or passes by an optional one that it does not fit; the first
 * of those that may have been meant has said why. */
static int take(struct reader *reader, size_t i, bool *passed)
{
	const struct command_arg *arg = &reader->run->command->args[i];
	struct command_value *value = &reader->run->values[i];
	const struct command_word *word = &reader->words[reader->next];
	struct command_value read = {.given = true, .at = word->at};
	struct fault why;
	int err;

	if (arg->kind == ARG_REST) {
		take_rest(reader, value);
		return 0;
	}
	if (take_number(reader, i, value))
		return 0;
	err = command_read(&read, arg->kind, word->text, &why);
	if (!err) {
		*value = read;
		reader->next++;
		*passed = false;
		return 0;
	}
	if (!*passed || reader->doubtful) {
		*reader->why = why;
		*reader->at = word->at;
		reader->doubtful = is_hardly(arg->kind, word->text);
	}
	*passed = true;
	return arg->optional ? 0 : err;
}

static int read_values(struct reader *reader)
{
	const struct command *command = reader->run->command;
	bool passed = false;

	for (size_t i = 0; i < COMMAND_ARGS_MAX && command->args[i].name; i++) {
		int err = 0;

		if (reader->next < reader->count)
			err = take(reader, i, &passed);
		else if (!command->args[i].optional)
			err = missing(reader, &command->args[i]);
		if (err)
			return err;
	}
	if (reader->next == reader->count)
		return 0;
	if (passed)
		return -EINVAL;

	*reader->at = reader->words[reader->next].at;
	return fault_set(reader->why, -EINVAL, "%s takes no more than that; help %s", command->name,
		command->name);
}

bool command_is_behind(const struct command_word *words, size_t count)
{
	return count > 0 && !words[count - 1].quoted && slice_is(words[count - 1].text, "&");
}

int command_parse(struct command_run *run, bool *behind, const char *line,
	const struct command_word *words, size_t count, struct fault *why, size_t *at)
{
	struct reader reader = {run, line, words, count, 0, false, why, at};

	*behind = command_is_behind(words, count);
	if (*behind)
		reader.count--;
	run->line = line;
	if (!run->command) {
		*at = count > 0 ? words[0].at : 0;
		if (reader.count == 0)
			return fault_set(why, -EINVAL, "no command");
		run->command = command_find(words[0].text);
		if (!run->command)
			return no_command(why, words[0].text);
		reader.next = 1;
	}
	return read_values(&reader);
}
