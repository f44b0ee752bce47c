/* Ends a call, whatever its state, or all. */
#include "cmd/commands/table.h"
#include "cmd/verdict.h"
#include "core/base/text.h"

static enum command_state hang_up_all(struct command_run *run)
{
	if (!slice_is(run->values[1].text, "all"))
		return command_fail_at(run, 1, 0, "a call's number, or all");

	list_each(link, &run->handset->calls)
	{
		struct desk_call *call = container_of(link, struct desk_call, link);

		(void)agent_hangup(run->handset->agent, call->number);
	}
	return list_empty(&run->handset->calls) ? COMMAND_DONE : COMMAND_WAITING;
}

static enum command_state run_hangup(struct command_run *run)
{
	struct desk_call *call;
	int err;

	if (run->values[1].given)
		return hang_up_all(run);
	if (!pick_call(&call, run, 0))
		return COMMAND_FAILED;

	err = agent_hangup(run->handset->agent, run->call);
	return err ? fail_call(run, err) : COMMAND_WAITING;
}

static enum command_state see_event(struct command_run *run, const struct ua_event *event)
{
	if (run->values[1].given)
		return list_empty(&run->handset->calls) ? COMMAND_DONE : COMMAND_WAITING;
	return event->kind == UA_CALL_ENDED && is_mine(run, event) ? COMMAND_DONE : COMMAND_WAITING;
}

const struct command command_hangup = {
	.name = "hangup",
	.alias = "h",
	.group = COMMAND_CALLS,
	.args = {{"CALL", ARG_CALL, true}, {"all", ARG_WORD, true}},
	.help = "end a call, or all of them",
	.about = "Ends when the far end has confirmed, at the latest after 4 s.",
	.examples = {"hangup", "hangup all"},
	.run = run_hangup,
	.event = see_event,
};
