/* Ends the program, and before that all calls. */
#include "cmd/commands/table.h"

static enum command_state run_quit(struct command_run *run)
{
	desk_quit(run->desk);
	return COMMAND_DONE;
}

const struct command command_quit = {
	.name = "quit",
	.alias = "q",
	.group = COMMAND_LEAVING,
	.help = "hang up all calls and leave",
	.about = "So does Ctrl-D on an empty line.",
	.examples = {"quit", NULL},
	.run = run_quit,
};
