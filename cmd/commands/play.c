/* Sends something else than the microphone for a while. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CALL, SOURCE };

static const char file_prefix[] = "file:";

static bool has_kind(struct slice source)
{
	static const char *const prefixes[] = {"file:", "device:", "tone:", "exec:"};
	static const char *const names[] = {"default", "silence", "loop", "stdin"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (slice_starts_nocase(source, prefixes[i]))
			return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(source, names[i]))
			return true;
	return false;
}

/* "speech.wav" is a file. NULL: no memory. */
static char *source_of(struct slice text)
{
	const char *prefix = has_kind(text) ? "" : file_prefix;
	size_t size = strlen(prefix) + text.len + 1;
	char *source = calloc(1, size);
	struct text out;

	if (!source)
		return NULL;

	out = text_in(source, size);
	text_puts(&out, prefix);
	text_put(&out, text);
	return source;
}

static enum command_state run_play(struct command_run *run)
{
	struct slice text = run->values[SOURCE].text;
	bool stops = slice_is(text, "off");
	struct desk_call *call;
	char *source;
	int err;

	if (!pick_call(&call, run, CALL))
		return COMMAND_FAILED;

	source = stops ? NULL : source_of(text);
	if (!stops && !source)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	err = agent_play(run->handset->agent, run->call, source);
	free(source);
	if (err == -ENOTCONN)
		return command_fail(run, VERDICT_USAGE, "call %u has no sound yet", run->call);
	if (err)
		return fail_call(run, err);
	return stops ? COMMAND_DONE : COMMAND_WAITING;
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	if (!is_mine(run, event))
		return COMMAND_WAITING;
	if (event->kind == UA_CALL_ENDED)
		return fail_ended(run, event);
	if (event->kind != UA_CALL_PLAYED)
		return COMMAND_WAITING;
	if (!event->played.words)
		return COMMAND_DONE;
	return command_fail(run, VERDICT_LOCAL, "%s", event->played.words);
}

const struct command command_play = {
	.name = "play",
	.group = COMMAND_AUDIO,
	.args = {{"CALL", ARG_CALL, true}, {"SOURCE", ARG_SOURCE, false}},
	.help = "send a file, or another source, for a while",
	.about = "Ends when the file does, and the microphone is sent again; off stops it.\n"
		 "A source is a file's path, or as --mic has it.",
	.examples = {"play greeting.wav", "play tone:440"},
	.run = run_play,
	.event = see_event,
};
