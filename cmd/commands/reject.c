/* Refuses a call that rings here. */
#include "cmd/commands/table.h"

enum { CODE, CALL, CODE_BEHIND, BUSY_HERE = 486 };

static enum command_state run_reject(struct command_run *run)
{
	const struct command_value *code = &run->values[CODE];
	struct desk_call *call;
	int err;

	if (!pick_incoming(&call, run, CALL))
		return COMMAND_FAILED;

	if (!code->given)
		code = &run->values[CODE_BEHIND];
	err = agent_reject(
		run->handset->agent, run->call, (uint16_t)(code->given ? code->number : BUSY_HERE));
	return err ? fail_call(run, err) : COMMAND_WAITING;
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	return event->kind == UA_CALL_ENDED && is_mine(run, event) ? COMMAND_DONE : COMMAND_WAITING;
}

const struct command command_reject = {
	.name = "reject",
	.alias = "r",
	.group = COMMAND_CALLS,
	.args = {{"CODE", ARG_CODE, true}, {"CALL", ARG_CALL, true}, {"", ARG_CODE, true}},
	.help = "refuse a call that rings here",
	.about = "With 486 Busy Here, or another status from 300 to 699: 603 declines, 480 says\n"
		 "that nobody is there.",
	.examples = {"reject", "reject 2 603"},
	.run = run_reject,
	.event = see_event,
};
