/* Puts a call on hold, and takes it off. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"

#include <errno.h>

/* What the agent was asked for: only it knows what is under way. */
static enum command_state asked(struct command_run *run, int err)
{
	if (err == -EALREADY)
		return COMMAND_DONE;
	return err ? fail_call(run, err) : COMMAND_WAITING;
}

static enum command_state run_hold(struct command_run *run)
{
	struct desk_call *call;

	if (!pick_talking(&call, run, 0))
		return COMMAND_FAILED;
	return asked(run, agent_hold(run->handset->agent, run->call));
}

/* Without a number: the newest that is on hold. */
static struct desk_call *find_held(struct handset *handset)
{
	struct desk_call *found = NULL;

	list_each(link, &handset->calls)
	{
		struct desk_call *call = container_of(link, struct desk_call, link);

		if (call->held)
			found = call;
	}
	return found;
}

static enum command_state run_resume(struct command_run *run)
{
	struct desk_call *call = find_held(run->handset);

	if ((run->values[0].given || !call) && !pick_talking(&call, run, 0))
		return COMMAND_FAILED;
	run->call = call->number;
	return asked(run, agent_resume(run->handset->agent, run->call));
}

static enum command_state see(
	struct command_run *run, const struct ua_event *event, enum ua_event_kind wanted)
{
	enum ua_wish mine = wanted == UA_CALL_HELD ? UA_WISH_HOLD : UA_WISH_RESUME;
	enum ua_wish other = wanted == UA_CALL_HELD ? UA_WISH_RESUME : UA_WISH_HOLD;

	if (!is_mine(run, event))
		return COMMAND_WAITING;
	if (event->kind == wanted && !event->hold.remote)
		return COMMAND_DONE;
	if (event->kind == UA_CALL_ENDED)
		return fail_ended(run, event);
	if (event->kind != UA_ERROR)
		return COMMAND_WAITING;
	if (event->error.wish ==
		other) /* which was to end what is asked for here: it is so still */
		return COMMAND_DONE;
	if (event->error.wish != mine)
		return COMMAND_WAITING;

	run->told = true;
	return command_fail(run, VERDICT_REJECTED, "%s", event->error.words);
}

static enum command_state see_hold(struct command_run *run, const struct ua_event *event)
{
	return see(run, event, UA_CALL_HELD);
}

static enum command_state see_resume(struct command_run *run, const struct ua_event *event)
{
	return see(run, event, UA_CALL_RESUMED);
}

const struct command command_hold = {
	.name = "hold",
	.group = COMMAND_CALLS,
	.args = {{"CALL", ARG_CALL, true}},
	.help = "ask the far end to be quiet",
	.about = "Nothing of the microphone is sent either, until resume; what play plays\n"
		 "is. Fails where the far end refuses.",
	.examples = {"hold", "hold 2"},
	.run = run_hold,
	.event = see_hold,
	.limit_ns = COMMAND_CHANGE_NS,
};

const struct command command_resume = {
	.name = "resume",
	.group = COMMAND_CALLS,
	.args = {{"CALL", ARG_CALL, true}},
	.help = "go on with a call that is on hold",
	.about = "Without a number, the newest that is on hold. Fails where the far end refuses.",
	.examples = {"resume", "resume 1"},
	.run = run_resume,
	.event = see_resume,
	.limit_ns = COMMAND_CHANGE_NS,
};
