#include "cmd/command.h"

#include "cmd/commands/table.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

/* In the order in which help shows each group. */
static const struct command *const table[] = {
	&command_call,
	&command_answer,
	&command_reject,
	&command_hangup,
	&command_hold,
	&command_resume,
	&command_dial,
	&command_mute,
	&command_codec,
	&command_play,
	&command_record,
	&command_devices,
	&command_contacts,
	&command_accounts,
	&command_calls,
	&command_history,
	&command_register,
	&command_unregister,
	&command_stats,
	&command_number,
	&command_ping,
	&command_ladder,
	&command_wait,
	&command_expect,
	&command_audio_match,
	&command_set,
	&command_help,
	&command_quit,
};

enum { COUNT = sizeof(table) / sizeof(table[0]) };

const struct command *command_at(size_t i)
{
	return i < COUNT ? table[i] : NULL;
}

const struct command *command_find(struct slice name)
{
	const struct command *found = NULL;
	size_t count = 0;

	if (name.len == 0)
		return NULL;

	for (size_t i = 0; i < COUNT; i++) {
		struct slice start = {(const uint8_t *)table[i]->name, name.len};

		if (slice_is(name, table[i]->name) ||
			(table[i]->alias && slice_is(name, table[i]->alias)))
			return table[i];
		if (strlen(table[i]->name) > name.len && slice_equal(start, name)) {
			found = table[i];
			count++;
		}
	}
	return count == 1 ? found : NULL;
}

static const char *name_at(const void *arg, size_t i)
{
	(void)arg;
	return table[i]->name;
}

const char *command_nearest(struct slice name)
{
	return nearest_name(name, COUNT, name_at, NULL);
}
