/* Answers a call that rings here. */
#include "cmd/commands/table.h"

static enum command_state run_answer(struct command_run *run)
{
	struct desk_call *call;
	int err;

	if (!pick_incoming(&call, run, 0))
		return COMMAND_FAILED;

	err = agent_answer(run->handset->agent, run->call);
	if (err)
		return fail_call(run, err);

	call = handset_call(run->handset, run->call);
	return call && call->state == DESK_TALKING ? COMMAND_DONE : COMMAND_WAITING;
}

const struct command command_answer = {
	.name = "answer",
	.alias = "a",
	.group = COMMAND_CALLS,
	.args = {{"CALL", ARG_CALL, true}},
	.help = "take a call that rings here",
	.about = "Without a number, the one that has rung longest. Calls that go on are put on\n"
		 "hold.",
	.examples = {"answer", "answer 2"},
	.run = run_answer,
	.event = see_answer,
};
