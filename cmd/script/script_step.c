#include "cmd/script/script_step.h"

#include "audio/open.h"
#include "audio/recorder.h"
#include "audio/sound_file.h"
#include "cmd/command_line.h"
#include "cmd/script/expect.h"
#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/text.h"

#include <limits.h>

enum {
	SHOWN_SIZE = 200,
	PHONE_NAME_MAX = 31,
};

/* A line that is being read. */
struct reader {
	struct step *step;
	const struct scope *scope;
	const struct options *defaults;
	struct command_word words[COMMAND_WORDS_MAX];
	size_t count;
	struct fault *why;
	size_t at; /* in step->line */
};

/* Word i, and what is wrong with it. */
static int wrong_word(struct reader *reader, size_t i, const char *before, const char *behind)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, reader->words[i].text);
	reader->at = reader->words[i].at;
	return fault_set(reader->why, -EINVAL, "%s%s%s", before, shown, behind);
}

/* Something lacks behind word i. */
static int missing(struct reader *reader, size_t i, const char *words)
{
	reader->at = reader->words[i].end;
	return fault_set(reader->why, -EINVAL, "%s", words);
}

static int too_many(struct reader *reader, size_t i, const char *words)
{
	reader->at = reader->words[i].at;
	return fault_set(reader->why, -EINVAL, "%s", words);
}

static int read_set(struct reader *reader)
{
	struct step *step = reader->step;

	step->name = reader->words[0].text;
	if (scope_has_phone(reader->scope, step->name))
		return wrong_word(reader, 0, "", " is a phone, and so no variable");
	if (!scope_is_name(step->name))
		return wrong_word(reader, 0, "\"",
			"\" is no name of a variable: letters, digits, \"_\" and \"-\" are");
	if (reader->count < 3)
		return missing(reader, 1, "a value is missing; \"\" is an empty one");
	if (reader->count > 3)
		return too_many(
			reader, 3, "a value is one word; put quotes around what has spaces");

	step->value = reader->words[2].text;
	return 0;
}

static bool is_taken(struct slice name)
{
	static const char *const names[] = {"phone", "net", "repeat", "end"};
	const struct command *command;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(name, names[i]))
			return true;
	for (size_t i = 0; (command = command_at(i)); i++)
		if (slice_is(name, command->name))
			return true;
	return false;
}

static int read_phone_name(struct reader *reader)
{
	struct slice name;

	if (reader->count < 2)
		return missing(reader, 0, "a phone needs a name: phone alice mic=tone:440");

	name = reader->words[1].text;
	reader->step->name = name;
	if (!scope_is_name(name) || name.len > PHONE_NAME_MAX)
		return wrong_word(reader, 1, "\"",
			"\" is no name of a phone: up to 31 letters, digits, \"_\" and \"-\" are");
	if (is_taken(name))
		return wrong_word(reader, 1, "", " is a command; choose another name");
	if (scope_has_phone(reader->scope, name))
		return wrong_word(reader, 1, "there is a phone ", " already");
	if (scope_get(reader->scope, name))
		return wrong_word(reader, 1, "", " is a variable, and so no phone");
	if (scope_phones(reader->scope) == SCRIPT_PHONES_MAX)
		return wrong_word(reader, 1, "", " is one phone too many; 64 are enough");
	return 0;
}

/* A copy of each word from the first on, with a NUL behind it. */
static void take_strings(struct reader *reader, const char **strings, size_t first)
{
	char *room = reader->step->strings;

	for (size_t i = first; i < reader->count; i++) {
		struct slice text = reader->words[i].text;

		memcpy(room, text.data, text.len);
		room[text.len] = '\0';
		*strings++ = room;
		room += text.len + 1;
	}
}

static bool is_one_of(struct slice spec, const char *const *kinds)
{
	for (size_t i = 0; kinds[i]; i++)
		if (slice_starts_nocase(spec, kinds[i]))
			return true;
	return false;
}

/* A script has standard input and output itself, and a simulated world has nothing of the real one
 * but files. */
static int check_spec(const char *spec, const struct options *options, struct fault *why)
{
	static const char *const standard[] = {"stdin", "stdout", NULL};
	static const char *const simulated[] = {"file:", "tone:", "silence", "loop", "null", NULL};
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, slice_of(spec));
	if (is_one_of(slice_of(spec), standard))
		return fault_set(why, -EINVAL,
			"%s is not for the phones of a script; file: and exec: are", shown);
	if (options->in_virtual && !is_one_of(slice_of(spec), simulated))
		return fault_set(why, -EINVAL,
			"%s is not there with --virtual; file:, tone:, silence, loop and null are",
			shown);
	return 0;
}

/* The file of a first call. One that is there already may be gone by then. */
static int check_record(const char *pattern, struct fault *why)
{
	char room[PATH_MAX];
	struct text name = TEXT_IN(room);
	int err = audio_record_name(&name, slice_of(pattern), 1, NS_PER_S, slice_of("a"), why);

	return err ? err : sound_file_check(room, why);
}

int step_check_sound(const struct options *options, struct fault *why)
{
	struct slice mic = slice_of(options->mic), speaker = slice_of(options->speaker);
	int err;

	err = check_spec(options->mic, options, why);
	if (!err && !audio_source_is_loop(mic))
		err = audio_source_check(mic, why);
	if (!err)
		err = check_spec(options->speaker, options, why);
	if (!err)
		err = audio_sink_check(speaker, why);
	if (!err && options->record)
		err = check_record(options->record, why);
	return err;
}

static int read_phone(struct reader *reader)
{
	const char *strings[COMMAND_WORDS_MAX];
	struct step *step = reader->step;
	size_t bad = 0;
	int err;

	err = read_phone_name(reader);
	if (err)
		return err;

	step->options = *reader->defaults;
	take_strings(reader, strings, 2);
	err = options_phone(&step->options, strings, reader->count - 2, &bad, reader->why);
	if (err) {
		reader->at = reader->words[2 + bad].at;
		return err;
	}
	reader->at = reader->words[1].at;
	return step_check_sound(&step->options, reader->why);
}

static int no_phone(struct reader *reader, size_t i)
{
	return wrong_word(reader, i, "no phone ",
		scope_phones(reader->scope) > 0 ? " here; phone NAME makes one"
						: ": this script has one, without a name");
}

static int read_net(struct reader *reader)
{
	struct step *step = reader->step;
	size_t i = 1;

	if (reader->count > 1 && scope_has_phone(reader->scope, reader->words[1].text)) {
		step->name = reader->words[1].text;
		i++;
	} else if (scope_phones(reader->scope) > 0) {
		return reader->count > 1 ? no_phone(reader, 1)
					 : missing(reader, 0, "which phone's network?");
	}
	if (i == reader->count)
		return missing(reader, i - 1, "what does the network do? Like delay 40ms, or off");
	return net_change_read(
		&step->net, reader->words + i, reader->count - i, reader->why, &reader->at);
}

static int read_repeat(struct reader *reader)
{
	struct command_value value = {0};
	int err;

	if (reader->count < 2)
		return missing(reader, 0, "how often? repeat 3");
	if (reader->count > 2)
		return too_many(reader, 2, "repeat takes a number alone");

	reader->at = reader->words[1].at;
	err = command_read(&value, ARG_COUNT, reader->words[1].text, reader->why);
	reader->step->count = value.number;
	return err;
}

static int read_end(struct reader *reader)
{
	return reader->count > 1 ? too_many(reader, 1, "end stands alone") : 0;
}

/* "x=5" */
static int hint_set(struct reader *reader, size_t i)
{
	struct slice rest = reader->words[i].text;
	struct slice name;

	if (i > 0 || !slice_cut(&name, &rest, '=') || !scope_is_name(name) ||
		command_find(reader->words[i].text))
		return 0;

	reader->at = reader->words[i].at + name.len;
	return fault_set(reader->why, -EINVAL, "to set a variable takes spaces: NAME = VALUE");
}

/* What would tell of the real world in another. */
static int check_world(
	const struct command *command, const struct options *options, struct fault *why)
{
	static const char *const real[] = {"devices", "history"};

	for (size_t i = 0; options->in_virtual && i < sizeof(real) / sizeof(real[0]); i++)
		if (strcmp(command->name, real[i]) == 0)
			return fault_set(why, -EINVAL, "%s is not there with --virtual", real[i]);
	return 0;
}

static int read_command(struct reader *reader)
{
	struct step *step = reader->step;
	struct command_run run = {0};
	size_t skip = 0;
	size_t at = 0;
	int err;

	if (scope_has_phone(reader->scope, reader->words[0].text)) {
		step->name = reader->words[0].text;
		skip = 1;
	}
	if (skip == reader->count)
		return missing(reader, 0, "what is that phone to do?");
	err = hint_set(reader, skip);
	if (err)
		return err;

	reader->at = reader->words[skip].at;
	step->command = step->line.text + reader->at;
	for (size_t i = skip; i < reader->count; i++) {
		reader->words[i].at -= reader->at;
		reader->words[i].end -= reader->at;
	}
	err = command_parse(&run, &step->behind, step->command, reader->words + skip,
		reader->count - skip, reader->why, &at);
	if (!err && run.command->check)
		err = run.command->check(&run, reader->why, &at);
	if (!err)
		err = check_world(run.command, reader->defaults, reader->why);
	reader->at += at;
	if (err)
		return err;

	step->expects = run.command == command_find(slice_of("expect")) ||
			run.command == command_find(slice_of("audio-match"));
	step->expects_end = run.command == command_find(slice_of("expect")) &&
			    expect_is_of(run.values[0].text, UA_CALL_ENDED);
	return 0;
}

int step_read(struct step *out, const struct scope *scope, const struct options *defaults,
	const struct script_line *line, struct fault *why, size_t *at)
{
	static int (*const readers[])(struct reader * reader) = {
		[SCRIPT_COMMAND] = read_command,
		[SCRIPT_SET] = read_set,
		[SCRIPT_PHONE] = read_phone,
		[SCRIPT_NET] = read_net,
		[SCRIPT_REPEAT] = read_repeat,
		[SCRIPT_END] = read_end,
	};
	struct reader reader = {.step = out, .scope = scope, .defaults = defaults, .why = why};
	int err;

	*at = 0;
	out->kind = line->kind;
	out->name = (struct slice){0};
	out->command = NULL;
	if (line->wrong)
		return fault_set(why, -EINVAL, "%s", line->wrong);

	err = scope_expand(&out->line, scope, line->text, why, at);
	if (err)
		return err;

	err = command_cut(reader.words, &reader.count, out->room, out->line.text, why, &reader.at);
	if (!err)
		err = readers[line->kind](&reader);
	*at = out->line.from[reader.at];
	return err;
}
