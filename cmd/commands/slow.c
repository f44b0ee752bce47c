#include "cmd/commands/slow.h"

#include "cmd/desk.h"
#include "cmd/readers/verdict.h"

#include <stdlib.h>
#include <string.h>

static void run_work(struct work *work)
{
	struct slow *slow = container_of(work, struct slow, work);

	slow->toil(slow);
}

static void free_slow(struct slow *slow)
{
	if (slow->clear)
		slow->clear(slow);
	free(slow);
}

static void work_done(struct work *work)
{
	struct slow *slow = container_of(work, struct slow, work);
	struct command_run *run = slow->run;
	enum command_state state = COMMAND_DONE;

	if (run) {
		run->data = NULL;
		state = slow->done(slow, run);
	}
	free_slow(slow);
	if (run)
		command_finish(run, state);
}

enum command_state slow_begin(struct slow *slow, struct command_run *run)
{
	int err;

	slow->work = (struct work){run_work, work_done};
	slow->run = run;
	err = loop_work(desk_loop(run->desk), &slow->work);
	if (err) {
		free_slow(slow);
		return command_fail(run, VERDICT_LOCAL, "%s", strerror(-err));
	}
	run->data = slow;
	return COMMAND_WAITING;
}

void slow_drop(struct command_run *run)
{
	struct slow *slow = run->data;

	if (slow)
		slow->run = NULL;
	run->data = NULL;
}
