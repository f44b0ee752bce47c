/* The people of the configuration. */
#include "cmd/columns.h"
#include "cmd/commands/table.h"
#include "cmd/words.h"
#include "core/base/text.h"

enum { NAME_SIZE = 320, TARGET_SIZE = 600, NAME_COLUMNS = 20 };

static void say_contact(struct command_run *run, const struct contact *contact)
{
	char name_room[NAME_SIZE], padded_room[NAME_SIZE], target_room[TARGET_SIZE];
	struct text name = TEXT_IN(name_room), padded = TEXT_IN(padded_room);
	struct text target = TEXT_IN(target_room);

	text_put_escaped(&name, slice_of(contact->name));
	columns_pad(&padded, text_slice(&name), NAME_COLUMNS);
	words_put_uri(&target, slice_of(contact->target));
	command_say(run, "  %s %s", padded_room, target_room);
}

/* Whether part, of any case, begins name or a word in it. */
static bool has_part(struct slice name, struct slice part)
{
	for (bool begins = true; name.len >= part.len; begins = name.data[-1] == ' ') {
		struct slice start = {name.data, part.len};

		if (begins && slice_equal_nocase(start, part))
			return true;
		if (slice_take(&start, &name, 1) != 0)
			break;
	}
	return false;
}

static enum command_state run_contacts(struct command_run *run)
{
	const struct contacts *contacts = desk_contacts(run->desk);
	const struct command_value *part = &run->values[0];
	size_t shown = 0;

	for (size_t i = 0; i < contacts_count(contacts); i++) {
		const struct contact *contact = contacts_at(contacts, i);

		if (part->given && !has_part(slice_of(contact->name), part->text))
			continue;
		say_contact(run, contact);
		shown++;
	}
	if (shown == 0)
		command_say(run, part->given ? "nobody whose name begins so"
					     : "no contacts; sipcall.conf may have some");
	return COMMAND_DONE;
}

const struct command command_contacts = {
	.name = "contacts",
	.group = COMMAND_PEOPLE,
	.args = {{"NAME", ARG_WORD, true}},
	.help = "who can be called by name",
	.about = "All of sipcall.conf, or those whose name, or a word of it, begins so.",
	.examples = {"contacts", "contacts bo"},
	.run = run_contacts,
};
