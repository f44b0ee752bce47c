/* Which call a command is for, and how it fails. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "cmd/words.h"

#include <string.h>

bool pick_call(struct desk_call **out, struct command_run *run, size_t arg)
{
	const struct command_value *value = &run->values[arg];

	*out = value->given ? handset_call(run->handset, value->number)
			    : handset_current(run->handset);
	if (*out)
		run->call = (*out)->number;
	else if (value->given)
		command_fail_at(run, arg, 0, "there is no call %u; \"calls\" shows those that are",
			value->number);
	else
		command_fail(run, VERDICT_USAGE, "there is no call");
	return *out;
}

bool pick_talking(struct desk_call **out, struct command_run *run, size_t arg)
{
	if (!pick_call(out, run, arg))
		return false;
	if ((*out)->state == DESK_TALKING)
		return true;

	command_fail(run, VERDICT_USAGE, "call %u is not answered yet", (*out)->number);
	return false;
}

bool pick_incoming(struct desk_call **out, struct command_run *run, size_t arg)
{
	if (run->values[arg].given) {
		if (!pick_call(out, run, arg))
			return false;
		if ((*out)->state == DESK_INCOMING)
			return true;
		command_fail_at(run, arg, 0, "call %u waits for no answer of ours", (*out)->number);
		return false;
	}
	*out = handset_incoming(run->handset);
	if (*out)
		run->call = (*out)->number;
	else
		command_fail(run, VERDICT_USAGE, "no call waits for an answer");
	return *out;
}

enum command_state fail_call(struct command_run *run, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTCONN:
		return command_fail(run, VERDICT_USAGE, "call %u is ending", run->call);
	case -EALREADY:
		return command_fail(
			run, VERDICT_USAGE, "call %u waits for no answer of ours", run->call);
	default:
		return command_fail(run, VERDICT_LOCAL, "%s", strerror(-err));
	}
}

enum command_state fail_ended(struct command_run *run, const struct ua_event *event)
{
	int exit = verdict_of(event);
	char room[FAULT_SIZE];
	struct text text = TEXT_IN(room);

	run->told = true;
	if (exit == VERDICT_DONE) /* a good end of the call, but not of this */
		return command_fail(run, VERDICT_MEDIA, "call %u ended before", run->call);
	if (event->ended.words) {
		text_put_escaped(&text, slice_of(event->ended.words));
	} else {
		text_printf(&text, "%u ", event->ended.code);
		words_put(&text, event->ended.reason);
	}
	return command_fail(run, exit, "%s", room);
}

bool is_mine(const struct command_run *run, const struct ua_event *event)
{
	const char *name = run->handset->name;

	return event->call == run->call && strcmp(event->phone ? event->phone : "", name) == 0;
}

enum command_state see_answer(struct command_run *run, const struct ua_event *event)
{
	if (!is_mine(run, event))
		return COMMAND_WAITING;
	if (event->kind == UA_CALL_ANSWERED)
		return COMMAND_DONE;
	if (event->kind == UA_CALL_ENDED)
		return fail_ended(run, event);
	return COMMAND_WAITING;
}
