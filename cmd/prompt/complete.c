#include "cmd/prompt/complete.h"

#include "cmd/command_line.h"
#include "cmd/settings/settings.h"
#include "codecs/codec.h"

#include <stdlib.h>

/* Of one question. */
struct asked {
	const struct complete *complete;
	const struct command_word *words; /* that stand before */
	size_t count;
	void (*offer)(void *arg, const char *word);
	void *arg;
	struct complete_more more;
};

void complete_free(struct complete *complete)
{
	for (size_t i = 0; i < COMPLETE_LISTS; i++)
		free(complete->words[i]);
	*complete = (struct complete){0};
}

void complete_set(struct complete *complete, enum complete_list list, char *words, size_t len)
{
	free(complete->words[list]);
	complete->words[list] = words;
	complete->lens[list] = len;
}

static void offer_list(struct asked *asked, enum complete_list list)
{
	const char *words = asked->complete->words[list];

	for (size_t at = 0; at < asked->complete->lens[list]; at += strlen(words + at) + 1)
		asked->offer(asked->arg, words + at);
}

static void offer_words(struct asked *asked, const char *const *words)
{
	for (; *words; words++)
		asked->offer(asked->arg, *words);
}

static void offer_mics(struct asked *asked)
{
	static const char *const words[] = {
		"default", "device:", "file:", "tone:", "silence", "loop", "exec:", NULL};

	offer_words(asked, words);
	offer_list(asked, COMPLETE_MICS);
	asked->more.devices = true;
}

static void offer_speakers(struct asked *asked)
{
	static const char *const words[] = {"default", "device:", "file:", "null", "exec:", NULL};

	offer_words(asked, words);
	offer_list(asked, COMPLETE_SPEAKERS);
	asked->more.devices = true;
}

static void offer_commands(struct asked *asked)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)); i++)
		asked->offer(asked->arg, command->name);
}

static void offer_codecs(struct asked *asked)
{
	for (size_t i = 0; i < codec_count(); i++)
		asked->offer(asked->arg, codec_at(i)->key);
}

static void offer_settings(struct asked *asked)
{
	const struct setting *setting;

	for (size_t i = 0; (setting = setting_at(i)); i++)
		asked->offer(asked->arg, setting_name(setting));
}

static void offer_switch(struct asked *asked)
{
	static const char *const words[] = {"on", "off", NULL};

	offer_words(asked, words);
}

static void offer_calls(struct asked *asked)
{
	offer_list(asked, COMPLETE_CALLS);
}

static void offer_targets(struct asked *asked)
{
	offer_list(asked, COMPLETE_CONTACTS);
}

static void offer_files(struct asked *asked)
{
	asked->more.files = true;
}

/* A word that follows a setting is its value. */
static void offer_value(struct asked *asked)
{
	static const struct {
		const char *setting;
		void (*offer)(struct asked *asked);
	} values[] = {
		{"mic", offer_mics},
		{"speaker", offer_speakers},
		{"codecs", offer_codecs},
		{"anonymous", offer_switch},
		{"reject-anonymous", offer_switch},
	};
	struct slice before = asked->words[asked->count - 1].text;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (slice_is(before, values[i].setting))
			values[i].offer(asked);
}

static void (*const offers[])(struct asked *asked) = {
	[ARG_WORD] = NULL,
	[ARG_TARGET] = offer_targets,
	[ARG_CALL] = offer_calls,
	[ARG_CODE] = NULL,
	[ARG_COUNT] = NULL,
	[ARG_DURATION] = NULL,
	[ARG_DECIBELS] = NULL,
	[ARG_CODEC] = offer_codecs,
	[ARG_SOURCE] = offer_mics,
	[ARG_FILE] = offer_files,
	[ARG_SWITCH] = offer_switch,
	[ARG_COMMAND] = offer_commands,
	[ARG_SETTING] = offer_settings,
	[ARG_REST] = NULL,
};

/* A name in small letters is the word itself. */
static void offer_arg(struct asked *asked, const struct command_arg *args, size_t i)
{
	if (i > 0 && args[i - 1].kind == ARG_SETTING)
		offer_value(asked);
	else if (args[i].kind == ARG_WORD && args[i].name[0] >= 'a' && args[i].name[0] <= 'z')
		asked->offer(asked->arg, args[i].name);
	else if (offers[args[i].kind])
		offers[args[i].kind](asked);
}

/* Passes by as command_parse() does: where the next word could be for several, it is for each. */
static void offer_args(struct asked *asked, const struct command *command)
{
	size_t next = 1;

	for (size_t i = 0; i < COMMAND_ARGS_MAX && command->args[i].name; i++) {
		const struct command_arg *arg = &command->args[i];
		struct command_value value;
		struct fault why;
		bool fits = false;

		if (next == asked->count)
			offer_arg(asked, command->args, i);
		else if (arg->kind == ARG_REST)
			return;
		else if (!command_read(&value, arg->kind, asked->words[next].text, &why))
			fits = true;
		next += fits;
		if (!fits && !arg->optional)
			return;
	}
}

/* The quote that the word at hand begins with is not closed yet, and so is not cut. */
static int cut_before(struct command_word *words, size_t *count, char *room, char *line)
{
	struct fault why;
	size_t at;
	int err;

	err = command_cut(words, count, room, line, &why, &at);
	if (err && at + 1 == strlen(line)) {
		line[at] = '\0';
		err = command_cut(words, count, room, line, &why, &at);
	}
	/* what is right before is a part of the word at hand, "file:" say */
	at = strlen(line);
	if (!err && *count > 0 && words[*count - 1].end == at)
		(*count)--;
	return err;
}

void complete_each(struct complete_more *more, const struct complete *complete, const char *before,
	void (*offer)(void *arg, const char *word), void *arg)
{
	struct command_word words[COMMAND_WORDS_MAX];
	struct asked asked = {.complete = complete, .words = words, .offer = offer, .arg = arg};
	size_t size = strlen(before) + 1;
	char *room = malloc(2 * size);
	const struct command *command;

	*more = (struct complete_more){0};
	if (!room)
		return;

	memcpy(room, before, size);
	if (cut_before(words, &asked.count, room + size, room))
		asked.count = COMMAND_WORDS_MAX; /* nothing could be right */
	command = asked.count > 0 ? command_find(words[0].text) : NULL;
	if (asked.count == 0) {
		offer_commands(&asked);
		offer_targets(&asked); /* a target alone calls it */
	} else if (asked.count < COMMAND_WORDS_MAX && command) {
		offer_args(&asked, command);
	}
	*more = asked.more;
	free(room);
}
