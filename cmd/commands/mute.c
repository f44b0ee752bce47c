/* Sends silence, or the microphone again. */
#include "cmd/commands/table.h"

static enum command_state run_mute(struct command_run *run)
{
	const struct command_value *value = &run->values[1];
	struct desk_call *call;
	bool muted;
	int err;

	if (!pick_call(&call, run, 0))
		return COMMAND_FAILED;

	muted = value->given ? value->number : !call->muted;
	err = agent_mute(run->handset->agent, run->call, muted);
	return err ? fail_call(run, err) : COMMAND_DONE;
}

const struct command command_mute = {
	.name = "mute",
	.alias = "m",
	.group = COMMAND_AUDIO,
	.args = {{"CALL", ARG_CALL, true}, {"on|off", ARG_SWITCH, true}},
	.help = "send silence, or the microphone again",
	.about = "Without on or off, the other of both. The far end is not told.",
	.examples = {"mute", "mute off"},
	.run = run_mute,
};
