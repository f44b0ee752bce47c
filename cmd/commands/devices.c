/* The sound devices that there are. */
#include "cmd/devices.h"
#include "cmd/commands/slow.h"
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"

#include <stdlib.h>

struct look {
	struct slow slow;
	char list[DEVICES_LIST_SIZE];
	int err;
	struct fault why;
};

static void look_for(struct slow *slow)
{
	struct look *look = container_of(slow, struct look, slow);
	struct text text = TEXT_IN(look->list);

	look->err = devices_list(&text, &look->why);
}

static enum command_state show(struct slow *slow, struct command_run *run)
{
	struct look *look = container_of(slow, struct look, slow);
	struct slice lines = slice_of(look->list);
	struct slice line;

	if (look->err)
		return command_fail(run, VERDICT_LOCAL, "%s", look->why.words);

	while (lines.len > 0) {
		(void)slice_cut(&line, &lines, '\n');
		command_say(run, "%.*s", (int)line.len, (const char *)line.data);
	}
	return COMMAND_DONE;
}

static enum command_state run_devices(struct command_run *run)
{
	struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	look->slow.toil = look_for;
	look->slow.done = show;
	return slow_begin(&look->slow, run);
}

const struct command command_devices = {
	.name = "devices",
	.group = COMMAND_AUDIO,
	.help = "the sound devices that there are",
	.about = "Use one of them with set mic device:NAME and set speaker device:NAME.",
	.examples = {"devices", NULL},
	.run = run_devices,
	.drop = slow_drop,
};
