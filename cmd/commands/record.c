/* Records a call from the middle of it. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

enum { CALL, FILE_NAME };

static bool stops(const struct command_run *run)
{
	return slice_is(run->values[FILE_NAME].text, "off");
}

static enum command_state run_record(struct command_run *run)
{
	struct desk_call *call;
	struct fault why;
	char *pattern;
	int err;

	if (!pick_call(&call, run, CALL))
		return COMMAND_FAILED;

	pattern = stops(run) ? NULL : slice_copy(run->values[FILE_NAME].text);
	if (!stops(run) && !pattern)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	err = agent_record(run->handset->agent, run->call, pattern, &why);
	free(pattern);
	if (err == -EINVAL || err == -ENAMETOOLONG)
		return command_fail_at(run, FILE_NAME, 0, "%s", why.words);
	if (err)
		return command_fail(run, VERDICT_USAGE, "%s", why.words);
	return COMMAND_WAITING;
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	if (!is_mine(run, event))
		return COMMAND_WAITING;
	if (event->kind == UA_CALL_ENDED)
		return fail_ended(run, event);
	if (event->kind != UA_CALL_RECORDING)
		return COMMAND_WAITING;
	if (!event->recording.words)
		return COMMAND_DONE;
	return command_fail(run, VERDICT_LOCAL, "%s", event->recording.words);
}

const struct command command_record = {
	.name = "record",
	.group = COMMAND_AUDIO,
	.args = {{"CALL", ARG_CALL, true}, {"FILE", ARG_FILE, false}},
	.help = "record both sides from now on",
	.about = "As a stereo file: left we, right they. %n, %t and %p in its name are the call's\n"
		 "number, the time and the far end. off ends it. No file is ever overwritten.",
	.examples = {"record call-%t.wav", "record off"},
	.run = run_record,
	.event = see_event,
};
