/* The accounts that there are. */
#include "cmd/columns.h"
#include "cmd/commands/table.h"
#include "core/base/text.h"

enum { LINE_SIZE = 2048, NAME_COLUMNS = 12, AOR_COLUMNS = 32 };

static const char *state_of(const struct agent_account *account)
{
	if (account->registered)
		return "registered";
	return account->trying ? "trying to register" : "not registered";
}

static void say_account(struct command_run *run, const struct agent_account *account, bool first)
{
	char room[LINE_SIZE];
	struct text line = TEXT_IN(room);

	text_putc(&line, first ? '*' : ' ');
	columns_pad(&line, slice_of(account->settings->name), NAME_COLUMNS);
	text_puts(&line, "  ");
	columns_pad(&line, slice_of(account->settings->aor), AOR_COLUMNS);
	text_printf(&line, "  %s", state_of(account));
	command_say(run, "%s", room);
}

static enum command_state run_accounts(struct command_run *run)
{
	const struct agent *agent = run->handset->agent;
	struct agent_account account = {0};
	size_t count = 0;

	while (agent_account_next(&account, agent))
		say_account(run, &account, count++ == 0);
	if (count == 0)
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
