/* Lets time pass. */
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "core/base/loop.h"

#include <stdlib.h>

struct wait {
	struct command_run *run;
	struct timer timer;
};

static void drop_wait(struct command_run *run)
{
	struct wait *wait = run->data;

	if (!wait)
		return;

	timer_stop(&wait->timer);
	free(wait);
	run->data = NULL;
}

static void on_time(void *arg)
{
	struct wait *wait = arg;
	struct command_run *run = wait->run;

	drop_wait(run);
	command_finish(run, COMMAND_DONE);
}

static enum command_state run_wait(struct command_run *run)
{
	struct wait *wait = calloc(1, sizeof(*wait));

	if (!wait)
		return command_fail(run, VERDICT_LOCAL, "too little memory");

	wait->run = run;
	timer_init(&wait->timer, desk_loop(run->desk), on_time, wait);
	timer_start_in(&wait->timer, run->values[0].ns);
	run->data = wait;
	return COMMAND_WAITING;
}

const struct command command_wait = {
	.name = "wait",
	.group = COMMAND_SCRIPTS,
	.args = {{"DURATION", ARG_DURATION, false}},
	.help = "let time pass",
	.about = "Between two commands of a script or of -e; calls go on meanwhile.",
	.examples = {"wait 2.5s", "wait 200ms"},
	.run = run_wait,
	.drop = drop_wait,
};
