/* Has the keys of a prompt be digits for a call. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"

static enum command_state run_dial(struct command_run *run)
{
	struct desk_call *call;

	if (!pick_talking(&call, run, 0))
		return COMMAND_FAILED;
	if (!command_use_keys(run))
		return command_fail(
			run, VERDICT_USAGE, "dial is for a prompt, whose keys are digits then");

	command_say(run,
		"digits are kept with call %u, and not sent: sipcall has no DTMF yet; Enter ends "
		"this",
		run->call);
	return COMMAND_DONE;
}

const struct command command_dial = {
	.name = "dial",
	.group = COMMAND_CALLS,
	.args = {{"CALL", ARG_CALL, true}},
	.help = "note digits for a call; they are not sent yet",
	.about = "Each key is a digit at once: 0 to 9, *, #, A to D; Enter, Escape or the end of\n"
		 "the call ends that. The digits are kept with the call, where calls shows them;\n"
		 "this version of sipcall does not send them (DTMF).",
	.examples = {"dial", "dial 2"},
	.run = run_dial,
};
