/* What becomes of what is dialled. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

enum { LINE_SIZE = 2048 };

static enum command_state run_number(struct command_run *run)
{
	char room[LINE_SIZE];
	struct text uri = TEXT_IN(room);
	char *typed = slice_copy(run->values[0].text);
	const char *rule = NULL;
	struct fault why;
	size_t at = 0;
	int err;

	if (!typed)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	err = agent_dial(&uri, &rule, run->handset->agent, typed, &why, &at);
	free(typed);
	if (err)
		return command_fail_at(run, 0, at, "%s", why.words);
	command_say(run, "%s%s%s", room, rule ? "   by " : "", rule ? rule : "");
	return COMMAND_DONE;
}

const struct command command_number = {
	.name = "number",
	.group = COMMAND_LOOKING,
	.args = {{"NUMBER", ARG_REST, false}},
	.help = "show what a number becomes, and call nobody",
	.about = "The address that the account's server is asked for, and the rule of the account\n"
		 "(dial, country_code) that made it; man sipcall.conf has their language.",
	.examples = {"number 0171 234-5", "number tel:+49-30-123"},
	.run = run_number,
};
