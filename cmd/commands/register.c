/* Registers an account, or withdraws that. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

static bool has_name(const struct agent_account *account, struct slice name)
{
	return name.len == 0 || slice_is(name, account->settings->name);
}

/* The account that is named, or the first. */
static bool pick(struct agent_account *out, struct command_run *run)
{
	const struct agent *agent = run->handset->agent;
	struct slice name = run->values[0].text;

	*out = (struct agent_account){0};
	while (agent_account_next(out, agent))
		if (has_name(out, name))
			return true;
	if (name.len == 0)
		command_fail(run, VERDICT_USAGE,
			"there is no account: start with --account alice@example.org, or write an "
			"[account] section into the configuration");
	else
		command_fail_at(
			run, 0, 0, "no account of that name; accounts shows those that there are");
	return false;
}

static enum command_state begin(struct command_run *run, const struct agent_account *account,
	int (*go)(struct agent *agent, const char *name))
{
	run->data = (void *)account->settings->name; /* for comparing alone; the agent's */
	return go(run->handset->agent, account->settings->name) ? COMMAND_DONE : COMMAND_WAITING;
}

static enum command_state run_register(struct command_run *run)
{
	struct agent_account account;

	return pick(&account, run) ? begin(run, &account, agent_register) : COMMAND_FAILED;
}

static enum command_state run_unregister(struct command_run *run)
{
	struct agent_account account;

	return pick(&account, run) ? begin(run, &account, agent_unregister) : COMMAND_FAILED;
}

static bool is_about(const struct command_run *run, const struct ua_event *event)
{
	return event->account && strcmp(event->account, run->data) == 0;
}

/* The event has told the rest. */
static enum command_state fail_registration(struct command_run *run, const struct ua_event *event)
{
	run->told = true;
	return command_fail(run, verdict_of_registration(event), "%s is not registered",
		(const char *)run->data);
}

static enum command_state see_registered(struct command_run *run, const struct ua_event *event)
{
	if (!is_about(run, event))
		return COMMAND_WAITING;
	if (event->kind == UA_REGISTRATION_OK)
		return COMMAND_DONE;
	if (event->kind == UA_REGISTRATION_FAILED || event->kind == UA_REGISTRATION_LOST)
		return fail_registration(run, event);
	return COMMAND_WAITING;
}

static enum command_state see_unregistered(struct command_run *run, const struct ua_event *event)
{
	return is_about(run, event) && event->kind == UA_REGISTRATION_LOST ? COMMAND_DONE
									   : COMMAND_WAITING;
}

const struct command command_register = {
	.name = "register",
	.group = COMMAND_PEOPLE,
	.args = {{"ACCOUNT", ARG_WORD, true}},
	.help = "let calls to an account come here",
	.about = "Ends when the registrar has said yes, or no. It is refreshed until the end, and\n"
		 "what fails is tried again. Without a name it is the first account.",
	.examples = {"register", "register work"},
	.run = run_register,
	.event = see_registered,
};

const struct command command_unregister = {
	.name = "unregister",
	.group = COMMAND_PEOPLE,
	.args = {{"ACCOUNT", ARG_WORD, true}},
	.help = "let calls to an account come here no more",
	.about = "Ends when the registrar has confirmed it, or after 2 s.",
	.examples = {"unregister", "unregister work"},
	.run = run_unregister,
	.event = see_unregistered,
};
