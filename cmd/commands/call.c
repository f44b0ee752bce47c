/* Places a call; answered is its good end. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdlib.h>

static enum command_state run_call(struct command_run *run)
{
	const char *contact = desk_contact(run->desk, run->values[0].text);
	char *target = contact ? NULL : slice_copy(run->values[0].text);
	struct fault why;
	size_t at = 0;
	int err;

	if (!contact && !target)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	err = agent_call(&run->call, run->handset->agent, contact ? contact : target, &why, &at);
	if (!err)
		desk_call_begun(run->handset, run->call, run->values[0].text);
	free(target);
	if (err == -EINVAL)
		return command_fail_at(run, 0, contact ? 0 : at, "%s", why.words);
	if (err)
		return command_fail(run, VERDICT_LOCAL, "%s", why.words);
	return COMMAND_WAITING;
}

/* What is no name of a contact has to be an address. */
static int check_call(const struct command_run *run, struct fault *why, size_t *at)
{
	struct slice text = run->values[0].text;
	bool is_address = slice_find(text, '@') < text.len || slice_find(text, ':') < text.len;
	char *target = slice_copy(text);
	size_t offset = 0;
	int err = 0;

	if (!target)
		return fault_set(why, -ENOMEM, "too little memory");

	if (is_address)
		err = agent_check_target(
			target, true, why, &offset); /* who calls, is not known yet */
	*at = run->values[0].at + offset;
	free(target);
	return err;
}

const struct command command_call = {
	.name = "call",
	.alias = "c",
	.group = COMMAND_CALLS,
	.args = {{"TARGET", ARG_TARGET, false}},
	.help = "ring somebody",
	.about = "Ends when the call is answered, or fails as the call does. A target is like\n"
		 "bob@example.org, sip:bob@192.0.2.7:5070 or the name of a contact.",
	.examples = {"call bob@example.org", "call sip:bob@192.0.2.7:5070;transport=tcp"},
	.run = run_call,
	.event = see_answer,
	.check = check_call,
};
