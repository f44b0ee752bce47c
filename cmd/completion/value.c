#include "cmd/completion/completion.h"

#include "audio/open.h"
#include "audio/tone_plan.h"
#include "cmd/settings/settings.h"
#include "codecs/codec.h"

#include <stdio.h>
#include <string.h>

static bool put(char out[static VALUE_WORD_SIZE], const char *word)
{
	if (!word)
		return false;

	snprintf(out, VALUE_WORD_SIZE, "%s", word);
	return true;
}

/* "file:" of "file:PATH" */
static bool put_start(char out[static VALUE_WORD_SIZE], const char *form)
{
	const char *colon = form ? strchr(form, ':') : NULL;

	if (!put(out, form))
		return false;
	if (colon)
		out[colon + 1 - form] = '\0';
	return true;
}

static bool word_source(char out[static VALUE_WORD_SIZE], size_t i)
{
	return put_start(out, audio_source_form(i));
}

static bool word_sink(char out[static VALUE_WORD_SIZE], size_t i)
{
	return put_start(out, audio_sink_form(i));
}

/* Of the sinks, those at which a telephone can ring. */
static bool word_device(char out[static VALUE_WORD_SIZE], size_t i)
{
	const char *form;

	for (size_t row = 0; (form = audio_sink_form(row)); row++)
		if (audio_sink_is_device(slice_of(form)) && i-- == 0)
			return put_start(out, form);
	return false;
}

static bool word_codec(char out[static VALUE_WORD_SIZE], size_t i)
{
	return put(out, i < codec_count() ? codec_at(i)->key : NULL);
}

static bool word_country(char out[static VALUE_WORD_SIZE], size_t i)
{
	return put(out, i < tone_plan_count() ? tone_plan_country(tone_plan_at(i)) : NULL);
}

static bool word_transport(char out[static VALUE_WORD_SIZE], size_t i)
{
	static const char *const words[] = {"udp:", "tcp:", "tls:", NULL};

	return put(out, words[i]);
}

static bool word_mark(char out[static VALUE_WORD_SIZE], size_t i)
{
	static const char *const words[] = {"ef", "cs5", "cs3", "af41", "0", NULL};

	return put(out, words[i]);
}

static bool word_all(char out[static VALUE_WORD_SIZE], size_t i)
{
	return put(out, i == 0 ? "all" : NULL);
}

static bool word_setting(char out[static VALUE_WORD_SIZE], size_t i)
{
	const struct setting *setting = setting_at(i);

	return put(out, setting ? setting_name(setting) : NULL);
}

static bool word_switch(char out[static VALUE_WORD_SIZE], size_t i)
{
	static const char *const words[] = {"on", "off", NULL};

	return put(out, words[i]);
}

static bool word_command(char out[static VALUE_WORD_SIZE], size_t i)
{
	const struct command *command = command_at(i);

	return put(out, command ? command->name : NULL);
}

/* The commands, and each with what can stand behind its name. */
static bool word_line(char out[static VALUE_WORD_SIZE], size_t i)
{
	const struct command *command;
	char word[VALUE_WORD_SIZE];

	for (size_t row = 0; (command = command_at(row)); row++) {
		size_t at = 0;

		if (i == 0)
			return put(out, command->name);
		i--;
		for (; value_of_command(word, command, at); at++) {
			if (i-- > 0)
				continue;
			snprintf(out, VALUE_WORD_SIZE, "%s %.60s", command->name, word);
			return true;
		}
	}
	return false;
}

static const struct value table[] = {
	{"FILE", NULL, false, true},
	{"PATH", NULL, false, true},
	{"PATH", NULL, false, true},
	{"SOURCE", word_source, false, false},
	{"SINK", word_sink, false, false},
	{"DEVICE", word_device, false, false},
	{"LIST", word_codec, true, false},
	{"CC", word_country, false, false},
	{"udp:ADDR:PORT", word_transport, false, false},
	{"all", word_all, false, false},
	{"COMMAND", word_line, false, false},
	{"ADDR[:PORT]", NULL, false, false},
	{"HOST[:PORT]", NULL, false, false},
	{"'X: y'", NULL, false, false},
	{"DB", NULL, false, false},
	{"DSCP", word_mark, false, false},
	{"HZ", NULL, false, false},
	{"N", NULL, false, false},
	{"NAME=VALUE", NULL, false, false},
	{"SEC", NULL, false, false},
	{"NAME", NULL, false, false},
	{"URI", NULL, false, false},
};

enum { COUNT = sizeof(table) / sizeof(table[0]) };

const struct value *value_at(size_t i)
{
	return i < COUNT ? &table[i] : NULL;
}

const struct value *value_find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* By what an argument is. NULL: no words are known. */
static bool (*const words_of_kind[])(char out[static VALUE_WORD_SIZE], size_t i) = {
	[ARG_SOURCE] = word_source,
	[ARG_CODEC] = word_codec,
	[ARG_SWITCH] = word_switch,
	[ARG_COMMAND] = word_command,
	[ARG_SETTING] = word_setting,
	[ARG_REST] = NULL, /* the last of them */
};

bool value_of_command(char out[static VALUE_WORD_SIZE], const struct command *command, size_t i)
{
	for (size_t arg = 0; arg < COMMAND_ARGS_MAX && command->args[arg].name; arg++) {
		bool (*word)(char *, size_t) = words_of_kind[command->args[arg].kind];

		if (word)
			return word(out, i);
		if (!command->args[arg].optional)
			return false;
	}
	return false;
}
