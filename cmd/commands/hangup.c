/* Ends a call, whatever its state, or all. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/text.h"

/* Those that came later are not meant. */
static bool has_one_of(struct list *calls, unsigned newest)
{
	list_each(link, calls) if (container_of(link, struct desk_call, link)->number <= newest)
	{
		return true;
	}
	return false;
}

static enum command_state hang_up_all(struct command_run *run)
{
	struct command_value *all = &run->values[1];

	if (!slice_is(all->text, "all"))
		return command_fail_at(run, 1, 0, "a call's number, or all");

	all->number = 0; /* that of the newest */
	list_each(link, &run->handset->calls)
	{
		struct desk_call *call = container_of(link, struct desk_call, link);

		all->number = call->number;
		(void)agent_hangup(run->handset->agent, call->number);
	}
	return all->number > 0 ? COMMAND_WAITING : COMMAND_DONE;
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
		return has_one_of(&run->handset->calls, run->values[1].number) ? COMMAND_WAITING
									       : COMMAND_DONE;
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
