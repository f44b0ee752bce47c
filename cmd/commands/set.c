/* What can be changed of the phone while it is there. */
#include "cmd/commands/slow.h"
#include "cmd/commands/table.h"
#include "cmd/readers/verdict.h"
#include "cmd/settings/settings.h"
#include "cmd/words.h"

#include <stdlib.h>

enum { SETTING, VALUE, NAME_COLUMNS = 16 };

/* A value that has to be looked for on the disk. */
struct trial {
	struct slow slow;
	const struct setting *setting;
	int err;
	struct fault why;
	size_t len;
	uint8_t value[];
};

static void say_setting(struct command_run *run, const struct setting *setting)
{
	char room[SETTING_SHOWN_SIZE];
	struct text text = TEXT_IN(room);

	setting_show(&text, setting, run->handset);
	command_say(run, "  %-*s %s   (%s)", NAME_COLUMNS, setting_name(setting), room,
		setting_about(setting));
}

static enum command_state apply(
	struct command_run *run, const struct setting *setting, struct slice value)
{
	struct fault why;

	if (setting_set(setting, run->handset, value, &why))
		return command_fail_at(run, VALUE, 0, "%s", why.words);
	return COMMAND_DONE;
}

static void look_for(struct slow *slow)
{
	struct trial *trial = container_of(slow, struct trial, slow);
	struct slice value = {trial->value, trial->len};

	trial->err = setting_check(trial->setting, value, &trial->why);
}

static enum command_state use(struct slow *slow, struct command_run *run)
{
	struct trial *trial = container_of(slow, struct trial, slow);

	if (trial->err)
		return command_fail_at(run, VALUE, 0, "%s", trial->why.words);
	return apply(run, trial->setting, (struct slice){trial->value, trial->len});
}

static enum command_state try(
	struct command_run *run, const struct setting *setting, struct slice value)
{
	struct trial *trial = calloc(1, sizeof(*trial) + value.len);

	if (!trial)
		return command_fail(run, VERDICT_LOCAL, "out of memory");

	trial->slow.toil = look_for;
	trial->slow.done = use;
	trial->setting = setting;
	trial->len = value.len;
	memcpy(trial->value, value.data, value.len);
	return slow_begin(&trial->slow, run);
}

static enum command_state no_setting(struct command_run *run)
{
	struct slice name = run->values[SETTING].text;
	const char *near = setting_nearest(name);
	char room[64];
	struct text text = TEXT_IN(room);

	words_put(&text, name);
	if (near)
		return command_fail_at(run, SETTING, 0,
			"there is nothing to set called \"%s\"; did you mean %s?", room, near);
	return command_fail_at(run, SETTING, 0,
		"there is nothing to set called \"%s\"; set alone shows all", room);
}

static enum command_state run_set(struct command_run *run)
{
	const struct setting *setting;

	if (!run->values[SETTING].given) {
		for (size_t i = 0; (setting = setting_at(i)); i++)
			say_setting(run, setting);
		return COMMAND_DONE;
	}
	setting = setting_find(run->values[SETTING].text);
	if (!setting)
		return no_setting(run);
	if (!run->values[VALUE].given) {
		say_setting(run, setting);
		return COMMAND_DONE;
	}
	if (setting_is_slow(setting))
		return try(run, setting, run->values[VALUE].text);
	return apply(run, setting, run->values[VALUE].text);
}

const struct command command_set = {
	.name = "set",
	.group = COMMAND_LOOKING,
	.args = {{"SETTING", ARG_SETTING, true}, {"VALUE", ARG_WORD, true}},
	.help = "show settings, or change one until the end",
	.about = "Names and values are those of the options: man sipcall. What is to stay goes\n"
		 "into sipcall.conf.",
	.examples = {"set volume +6", "set mic device:headset"},
	.run = run_set,
	.drop = slow_drop,
};
