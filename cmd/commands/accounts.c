/* The accounts that there are. */
#include "cmd/commands/table.h"
#include "core/base/text.h"

enum { LINE_SIZE = 2048, NAME_COLUMNS = 12, AOR_COLUMNS = 32 };

static const char *state_of(const struct agent_account *account)
{
	if (account->registered)
		return "registered";
	return account->trying ? "trying to register" : "not registered";
}

static enum command_state run_accounts(struct command_run *run)
{
	const struct agent *agent = run->handset->agent;
	struct agent_account account;
	size_t i = 0;

	for (; agent_account_at(&account, agent, i); i++)
		command_say(run, "%s%-*s  %-*s  %s", i == 0 ? "*" : " ", NAME_COLUMNS,
			account.settings->name, AOR_COLUMNS, account.settings->aor,
			state_of(&account));
	if (i == 0)
		command_say(run, "no accounts");
	return COMMAND_DONE;
}

const struct command command_accounts = {
	.name = "accounts",
	.group = COMMAND_LOOKING,
	.help = "the accounts, and whether they are registered",
	.about = "A star is at the one that outgoing calls are made with.",
	.examples = {"accounts", NULL},
	.run = run_accounts,
};
