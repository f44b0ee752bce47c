/* Talks by another codec from now on. */
#include "codecs/codec.h"
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"

#include <errno.h>
#include <string.h>

enum { CALL, CODEC };

static const struct codec *wanted(const struct command_run *run)
{
	return codec_find(run->values[CODEC].text);
}

static enum command_state run_codec(struct command_run *run)
{
	struct desk_call *call;
	int err;

	if (!pick_talking(&call, run, CALL))
		return COMMAND_FAILED;

	err = agent_codec(run->handset->agent, run->call, wanted(run));
	if (err == -EALREADY)
		return COMMAND_DONE;
	if (err == -EINVAL)
		return command_fail_at(run, CODEC, 0, "%s is not among the codecs of this phone",
			wanted(run)->key);
	return err ? fail_call(run, err) : COMMAND_WAITING;
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	if (!is_mine(run, event))
		return COMMAND_WAITING;
	if (event->kind == UA_CALL_MEDIA && strcmp(event->media.codec, wanted(run)->key) == 0)
		return COMMAND_DONE;
	if (event->kind == UA_CALL_ENDED)
		return fail_ended(run, event);
	if (event->kind != UA_ERROR || event->error.wish != UA_WISH_CODEC ||
		strcmp(event->error.codec, wanted(run)->key) != 0)
		return COMMAND_WAITING;

	run->told = true;
	return command_fail(run, VERDICT_MEDIA, "%s", event->error.words);
}

const struct command command_codec = {
	.name = "codec",
	.group = COMMAND_AUDIO,
	.args = {{"CALL", ARG_CALL, true}, {"CODEC", ARG_CODEC, false}},
	.help = "talk by another codec from now on",
	.about = "Asks the far end by a re-INVITE; fails where it refuses, and all stays as it\n"
		 "was.",
	.examples = {"codec pcmu", "codec #2 opus"},
	.run = run_codec,
	.event = see_event,
	.limit_ns = COMMAND_CHANGE_NS,
};
