/* What can be typed. */
#include "cmd/commands/table.h"
#include "core/base/text.h"

enum { FORM_SIZE = 200, FORM_COLUMNS = 26 };

static const char *const groups[] = {
	[COMMAND_CALLS] = "Calls",
	[COMMAND_AUDIO] = "Audio",
	[COMMAND_PEOPLE] = "People",
	[COMMAND_LOOKING] = "Looking in",
	[COMMAND_SCRIPTS] = "Scripts",
	[COMMAND_LEAVING] = "Leaving",
};

/* "reject [CODE] [CALL]" */
static void put_form(struct text *out, const struct command *command)
{
	text_puts(out, command->name);
	for (size_t i = 0; i < COMMAND_ARGS_MAX && command->args[i].name; i++) {
		const struct command_arg *arg = &command->args[i];

		if (arg->name[0] != '\0') /* one that may stand in another place, too */
			text_printf(out, arg->optional ? " [%s]" : " %s", arg->name);
	}
}

static void say_one(struct command_run *run, const struct command *command)
{
	char room[FORM_SIZE];
	struct text form = TEXT_IN(room);
	struct slice about = slice_of(command->about);
	struct slice line;

	put_form(&form, command);
	command_say(run, "%s   %s", room, command->help);
	if (command->alias)
		command_say(run, "  short: %s", command->alias);
	while (about.len > 0) {
		(void)slice_cut(&line, &about, '\n');
		command_say(run, "  %.*s", (int)line.len, (const char *)line.data);
	}
	for (size_t i = 0; i < COMMAND_EXAMPLES && command->examples[i]; i++)
		command_say(run, "  > %s", command->examples[i]);
}

static void say_group(struct command_run *run, enum command_group group)
{
	const struct command *command;
	bool any = false;

	for (size_t i = 0; (command = command_at(i)); i++) {
		char room[FORM_SIZE];
		struct text form = TEXT_IN(room);

		if (command->group != group)
			continue;
		if (!any)
			command_say(run, "%s", groups[group]);
		any = true;
		put_form(&form, command);
		command_say(run, "  %-*s %s", FORM_COLUMNS, room, command->help);
	}
}

static enum command_state run_help(struct command_run *run)
{
	if (run->values[0].given) {
		say_one(run, command_find(run->values[0].text));
		return COMMAND_DONE;
	}
	for (size_t group = 0; group < COMMAND_GROUPS; group++)
		say_group(run, (enum command_group)group);
	return COMMAND_DONE;
}

const struct command command_help = {
	.name = "help",
	.alias = "?",
	.group = COMMAND_LEAVING,
	.args = {{"COMMAND", ARG_COMMAND, true}},
	.help = "this, or all about one command",
	.about = "The first letters of a name are enough where no other begins so.",
	.examples = {"help", "help call"},
	.run = run_help,
};
