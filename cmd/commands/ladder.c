/* What a call's ends have said to each other. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"

static void say(void *arg, struct slice line)
{
	struct command_run *run = arg;

	line.len -= line.len > 0; /* its newline */
	command_say(run, "%.*s", (int)line.len, (const char *)line.data);
}

static enum command_state run_ladder(struct command_run *run)
{
	unsigned call = run->values[0].given ? run->values[0].number : 0;

	if (run->handset->ladder && ladder_print(run->handset->ladder, call, say, run) == 0)
		return COMMAND_DONE;
	if (call > 0)
		return command_fail_at(run, 0, 0, "nothing is kept of a call %u", call);
	return command_fail(run, VERDICT_USAGE, "there was no call");
}

const struct command command_ladder = {
	.name = "ladder",
	.group = COMMAND_LOOKING,
	.args = {{"CALL", ARG_CALL, true}},
	.help = "who said what to whom, and when",
	.about = "Of the latest call, or another one, even if it is over: the last 50 are kept.",
	.examples = {"ladder", "ladder #1"},
	.run = run_ladder,
};
