#include "cmd/script/expect_private.h"

#include "audio/ear.h"
#include "cmd/command_line.h"
#include "cmd/readers/json.h"
#include "cmd/words.h"
#include "core/base/loop.h"
#include "core/base/nearest.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum {
	NAME_SIZE = 64,
	SHOWN_SIZE = 200,
	REASON_SIZE = 100,
	KEYS_MAX = 64,
	BRACES_MAX = 2, /* "((a{255}){255}){255}" takes all memory that there is */
};

static const uint64_t usual_limit_ns = 10 * NS_PER_S;
static const uint64_t usual_silence_ns = NS_PER_S;

/* A line that is being read. */
struct reader {
	struct expectation *out;
	struct command_word words[COMMAND_WORDS_MAX];
	const char *strings[COMMAND_WORDS_MAX];
	size_t count;
	size_t next;
	json_t *sample; /* an event of that kind: it has all the fields */
	struct fault *why;
	size_t at;
};

static bool next_is(const struct reader *reader, const char *word)
{
	return reader->next < reader->count && !reader->words[reader->next].quoted &&
	       slice_is(reader->words[reader->next].text, word);
}

static int missing(struct reader *reader, const char *words)
{
	reader->at = reader->count > 0 ? reader->words[reader->count - 1].end : 0;
	return fault_set(reader->why, -EINVAL, "%s", words);
}

/* The next word, which is wrong. */
static int wrong(struct reader *reader, const char *before, const char *behind)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	words_put(&text, reader->words[reader->next].text);
	reader->at = reader->words[reader->next].at;
	return fault_set(reader->why, -EINVAL, "%s%s%s", before, shown, behind);
}

/* What we do ourselves is nothing that happens to us. */
static bool can_be_expected(unsigned kind)
{
	return kind < UA_EVENT_KINDS && kind != UA_COMMAND_DONE &&
	       json_tells((enum ua_event_kind)kind);
}

/* An event of that kind with nothing in it; NULL: no memory. */
static json_t *sample_of(enum ua_event_kind kind)
{
	const struct ua_event event = {.kind = kind};

	return json_make(&event);
}

static const char call_prefix[] = "call.";

/* "call.answered", or "answered" for short. */
static bool is_named(enum ua_event_kind kind, struct slice word)
{
	const char *name = ua_event_name(kind);

	return slice_is(word, name) || (strncmp(name, call_prefix, sizeof(call_prefix) - 1) == 0 &&
					       slice_is(word, name + sizeof(call_prefix) - 1));
}

/* Each event twice: its name, and the short one. */
static const char *event_at(const void *arg, size_t i)
{
	const char *name = ua_event_name((enum ua_event_kind)(i / 2));

	(void)arg;
	if (!can_be_expected((unsigned)i / 2))
		return NULL;
	if (i % 2 == 0)
		return name;
	return strncmp(name, call_prefix, sizeof(call_prefix) - 1) == 0
		       ? name + sizeof(call_prefix) - 1
		       : NULL;
}

static int no_event(struct reader *reader)
{
	struct slice word = reader->words[reader->next].text;
	const char *near = nearest_name(word, (size_t)UA_EVENT_KINDS * 2, event_at, NULL);
	char behind[REASON_SIZE];
	struct text text = TEXT_IN(behind);

	text_printf(&text, near ? "\"; did you mean %s?" : "\"; man sipcall-script has them", near);
	return wrong(reader, "no event \"", behind);
}

static int read_event(struct reader *reader)
{
	unsigned kind = 0;

	if (reader->next == reader->count)
		return missing(reader, "which event? Like expect call.answered");

	while (kind < UA_EVENT_KINDS &&
		!is_named((enum ua_event_kind)kind, reader->words[reader->next].text))
		kind++;
	if (!can_be_expected(kind))
		return no_event(reader);

	reader->sample = sample_of((enum ua_event_kind)kind);
	if (!reader->sample)
		return fault_set(reader->why, -ENOMEM, "too little memory");

	reader->out->kind = (enum ua_event_kind)kind;
	reader->next++;
	return 0;
}

struct keys {
	const char *names[KEYS_MAX];
	size_t count;
};

static const char *key_at(const void *arg, size_t i)
{
	const struct keys *keys = arg;

	return keys->names[i];
}

static int no_field(struct reader *reader)
{
	struct keys keys = {.count = 0};
	char before[NAME_SIZE], behind[REASON_SIZE];
	struct text text = TEXT_IN(before);
	const char *near, *key;
	json_t *value;

	json_object_foreach(reader->sample, key, value) if (keys.count < KEYS_MAX)
		keys.names[keys.count++] = key;
	near = nearest_name(reader->words[reader->next].text, keys.count, key_at, &keys);
	text_printf(&text, "%s has no field \"", ua_event_name(reader->out->kind));
	text = TEXT_IN(behind);
	text_printf(&text, near ? "\"; did you mean %s?" : "\"; man sipcall-script has its fields",
		near);
	return wrong(reader, before, behind);
}

static const char *const op_names[] = {
	[EXPECT_EQUAL] = "==",
	[EXPECT_NOT_EQUAL] = "!=",
	[EXPECT_LESS] = "<",
	[EXPECT_AT_MOST] = "<=",
	[EXPECT_MORE] = ">",
	[EXPECT_AT_LEAST] = ">=",
	[EXPECT_LIKE] = "~",
};

enum { OPS = sizeof(op_names) / sizeof(op_names[0]) };

static int read_op(struct reader *reader, struct expect_condition *condition)
{
	unsigned op = 0;

	if (reader->next == reader->count)
		return missing(reader, "what is the field to be? Like code == 486");

	while (op < OPS && !slice_is(reader->words[reader->next].text, op_names[op]))
		op++;
	if (op == OPS)
		return wrong(reader, "\"", "\" compares nothing; == != < <= > >= and ~ do");

	condition->op = (enum expect_op)op;
	reader->next++;
	return 0;
}

static int read_regex(struct reader *reader, struct expect_condition *condition)
{
	char behind[REASON_SIZE] = "\" is no regular expression: ";
	size_t len = strlen(behind);
	size_t braces = 0;
	int code;

	for (const char *at = condition->value; *at != '\0'; at++)
		braces += *at == '{';
	if (braces > BRACES_MAX)
		return wrong(reader, "\"", "\" repeats by more than two {}");
	code = regcomp(&condition->regex, condition->value, REG_EXTENDED | REG_NOSUB);
	if (code == 0)
		return 0;

	(void)regerror(code, &condition->regex, behind + len, sizeof(behind) - len);
	return wrong(reader, "\"", behind);
}

static int read_value(struct reader *reader, struct expect_condition *condition)
{
	char *end;

	if (reader->next == reader->count)
		return missing(reader, "a value is missing; \"\" is an empty one");

	condition->value = reader->strings[reader->next];
	condition->number = strtod(condition->value, &end);
	condition->is_number =
		end > condition->value && *end == '\0' && isfinite(condition->number);
	if (expect_is_ordered(condition->op) && !condition->is_number)
		return wrong(reader, "\"", "\" is no number, which is more or less than others");
	if (condition->op == EXPECT_LIKE && read_regex(reader, condition))
		return -EINVAL;

	reader->next++;
	return 0;
}

/* "code == 486" */
static int read_condition(struct reader *reader)
{
	struct expect_condition condition = {0};
	int err;

	if (reader->out->count == EXPECT_CONDITIONS_MAX)
		return wrong(reader, "\"", "\" is a ninth condition; eight are enough");

	condition.field = reader->strings[reader->next];
	if (!json_object_get(reader->sample, condition.field))
		return no_field(reader);

	reader->next++;
	err = read_op(reader, &condition);
	if (!err)
		err = read_value(reader, &condition);
	if (!err)
		reader->out->conditions[reader->out->count++] = condition;
	return err;
}

/* The time behind the next word. */
static int read_time(struct reader *reader, uint64_t *ns, const char *lacking)
{
	struct command_value value = {0};
	int err;

	reader->next++;
	if (reader->next == reader->count)
		return missing(reader, lacking);

	reader->at = reader->words[reader->next].at;
	err = command_read(&value, ARG_DURATION, reader->words[reader->next].text, reader->why);
	*ns = value.ns;
	reader->next++;
	return err;
}

/* "within 3s", which ends the line. */
static int read_limit(struct reader *reader)
{
	int err = read_time(reader, &reader->out->limit_ns, "within what time? Like within 3s");

	if (err)
		return err;
	if (reader->next < reader->count)
		return wrong(reader, "\"", "\" comes behind within, which ends the line");
	if (reader->out->what == EXPECT_SILENCE && reader->out->limit_ns <= reader->out->lasts_ns) {
		reader->next--;
		return wrong(reader, "\"",
			"\" has to be longer than the silence itself: for 1s within 2s");
	}
	return 0;
}

/* A number that is the next word. */
static int read_number(struct reader *reader, double *number, const char *lacking)
{
	const char *string;
	char *end;

	if (reader->next == reader->count)
		return missing(reader, lacking);

	string = reader->strings[reader->next];
	*number = strtod(string, &end);
	if (end == string || *end != '\0' || !isfinite(*number))
		return wrong(reader, "\"", "\" is no number");

	reader->next++;
	return 0;
}

/* "440" */
static int read_tone(struct reader *reader)
{
	int err = read_number(reader, &reader->out->hz, "which tone? Like rx.tone 440");

	if (err || ear_may(&reader->out->hz, 1))
		return err;

	reader->next--;
	return wrong(reader, "\"", "\" is no tone; 50 to 20000 Hz are");
}

/* "for 2s" */
static int read_silence(struct reader *reader)
{
	int err;

	reader->out->lasts_ns = usual_silence_ns;
	if (reader->out->no)
		return missing(reader, "no silence is a sound: rx.level > -50");
	if (!next_is(reader, "for"))
		return 0;
	err = read_time(reader, &reader->out->lasts_ns, "for how long? Like for 2s");
	reader->out->limit_ns += reader->out->lasts_ns;
	return err;
}

/* "> -20" */
static int read_level(struct reader *reader)
{
	struct expect_condition *level = &reader->out->conditions[0];
	int err;

	if (reader->out->no)
		return missing(reader, "rx.level has no \"no\"; turn the comparison around");

	err = read_op(reader, level);
	if (err)
		return err;
	if (!expect_is_ordered(level->op)) {
		reader->next--;
		return wrong(reader, "\"", "\" is no way to compare loudness; < <= > and >= are");
	}
	return read_number(reader, &level->number, "how loud? Like rx.level > -20");
}

static const struct {
	const char *name;
	enum expect_what what;
	int (*read)(struct reader *reader);
} sounds[] = {
	{"rx.tone", EXPECT_TONE, read_tone},
	{"rx.silence", EXPECT_SILENCE, read_silence},
	{"rx.level", EXPECT_LEVEL, read_level},
};

static bool is_sound(const struct reader *reader)
{
	return reader->next < reader->count &&
	       slice_starts_nocase(reader->words[reader->next].text, "rx.");
}

static int read_sound(struct reader *reader)
{
	for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++)
		if (slice_is(reader->words[reader->next].text, sounds[i].name)) {
			reader->out->what = sounds[i].what;
			reader->next++;
			return sounds[i].read(reader);
		}
	return wrong(reader, "no sound \"", "\"; rx.tone, rx.silence and rx.level are");
}

static int read_all(struct reader *reader)
{
	int err;

	if (next_is(reader, "no")) {
		reader->out->no = true;
		reader->next++;
	}
	err = is_sound(reader) ? read_sound(reader) : read_event(reader);
	while (!err && reader->out->what == EXPECT_EVENT && reader->next < reader->count &&
		!next_is(reader, "within"))
		err = read_condition(reader);
	if (err)
		return err;
	if (next_is(reader, "within"))
		return read_limit(reader);
	if (reader->next < reader->count)
		return wrong(reader, "\"", "\" is too much; only within may follow");
	if (reader->out->no)
		return missing(reader, "for how long not? Like within 2s");
	return 0;
}

/* A copy of each word with a NUL behind it. */
static void take_strings(struct reader *reader)
{
	char *string = reader->out->strings;

	for (size_t i = 0; i < reader->count; i++) {
		struct slice text = reader->words[i].text;

		memcpy(string, text.data, text.len);
		string[text.len] = '\0';
		reader->strings[i] = string;
		string += text.len + 1;
	}
}

/* The same of a string. */
static int read_line(struct expectation **out, const char *text, struct fault *why, size_t *at)
{
	struct expectation *self = calloc(1, sizeof(*self));
	struct reader reader = {.out = self, .why = why};
	size_t size = strlen(text) + 1;
	int err;

	*at = 0;
	if (!self)
		return fault_set(why, -ENOMEM, "too little memory");

	self->limit_ns = usual_limit_ns;
	self->room = calloc(1, size);
	self->strings = calloc(1, size + COMMAND_WORDS_MAX);
	err = self->room && self->strings ? 0 : fault_set(why, -ENOMEM, "too little memory");
	if (err)
		goto out;

	err = command_cut(reader.words, &reader.count, self->room, text, why, &reader.at);
	if (err)
		goto out;

	take_strings(&reader);
	err = read_all(&reader);
out:
	json_decref(reader.sample);
	*at = reader.at;
	if (err)
		expect_free(self);
	else
		*out = self;
	return err;
}

int expect_read(struct expectation **out, struct slice text, struct fault *why, size_t *at)
{
	char *line = slice_copy(text);
	int err;

	*at = 0;
	if (!line)
		return fault_set(why, -ENOMEM, "too little memory");

	err = read_line(out, line, why, at);
	free(line);
	return err;
}

bool expect_is_of(struct slice text, enum ua_event_kind kind)
{
	struct expectation *expectation;
	struct fault why;
	size_t at;
	bool is;

	if (expect_read(&expectation, text, &why, &at))
		return false;

	is = expectation->what == EXPECT_EVENT && !expectation->no && expectation->kind == kind;
	expect_free(expectation);
	return is;
}
