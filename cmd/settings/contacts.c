#include "cmd/settings/contacts.h"

#include "core/base/nearest.h"
#include "core/ua/agent.h"

#include <assert.h>
#include <stdlib.h>

enum { SHOWN_SIZE = 4 * CONTACTS_NAME_MAX + 1, FIRST_ROOM = 16 };

struct contacts {
	struct contact *all;
	size_t count;
	size_t room;
};

int contacts_new(struct contacts **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static void drop(struct contact *contact)
{
	free(contact->name);
	free(contact->target);
}

void contacts_free(struct contacts *contacts)
{
	if (!contacts)
		return;

	for (size_t i = 0; i < contacts->count; i++)
		drop(&contacts->all[i]);
	free(contacts->all);
	free(contacts);
}

/* A name must be fit to be shown, and not take the place of an address or of a call's number. */
static int check_name(struct slice name, const char *string, struct fault *why)
{
	char shown[SHOWN_SIZE];
	struct text text = TEXT_IN(shown);

	text_put_escaped(&text, name);

	if (name.len == 0)
		return fault_set(why, -EINVAL, "a contact needs a name");
	if (name.len > CONTACTS_NAME_MAX)
		return fault_set(
			why, -EINVAL, "a contact's name has at most %d bytes", CONTACTS_NAME_MAX);
	if (!slice_equal(text_slice(&text), name))
		return fault_set(why, -EINVAL, "a contact's name is text in UTF-8, not %s", shown);
	if (name.data[0] == '#' || name.data[0] == '-')
		return fault_set(why, -EINVAL, "a contact's name cannot begin like %s", shown);
	if (slice_find(name, '@') < name.len || agent_check_target(string, false, NULL, NULL) == 0)
		return fault_set(why, -EINVAL, "%s is an address; a contact needs a name", shown);
	return 0;
}

static int check(const struct contact *contact, struct fault *why)
{
	struct fault target_why;
	int err = check_name(slice_of(contact->name), contact->name, why);

	if (err)
		return err;
	/* who calls is not known yet, and what name he has at home: a number is one everywhere */
	if (agent_check_target(
		    contact->target, agent_is_number(slice_of(contact->target)), &target_why, NULL))
		return fault_set(why, -EINVAL, "%s: %s", contact->name, target_why.words);
	return 0;
}

static int grow(struct contacts *contacts, struct fault *why)
{
	size_t room = contacts->room > 0 ? 2 * contacts->room : FIRST_ROOM;
	struct contact *all;

	if (contacts->count == CONTACTS_MAX)
		return fault_set(why, -ENOSPC, "%d contacts are enough", CONTACTS_MAX);
	if (contacts->count < contacts->room)
		return 0;
	all = calloc(room, sizeof(*all));
	if (!all)
		return -ENOMEM;

	if (contacts->count > 0)
		memcpy(all, contacts->all, contacts->count * sizeof(*all));
	free(contacts->all);
	contacts->all = all;
	contacts->room = room;
	return 0;
}

int contacts_add(
	struct contacts *contacts, struct slice name, struct slice target, struct fault *why)
{
	struct contact contact;
	int err;

	if (contacts_find(contacts, name))
		return -EEXIST;
	err = grow(contacts, why);
	if (err)
		return err;

	contact = (struct contact){slice_copy(name), slice_copy(target)};
	err = contact.name && contact.target ? check(&contact, why) : -ENOMEM;
	if (err)
		drop(&contact);
	else
		contacts->all[contacts->count++] = contact;
	return err;
}

const struct contact *contacts_find(const struct contacts *contacts, struct slice name)
{
	for (size_t i = 0; i < contacts_count(contacts); i++)
		if (slice_is_nocase(name, contacts->all[i].name))
			return &contacts->all[i];
	return NULL;
}

static const char *name_at(const void *arg, size_t i)
{
	const struct contacts *contacts = arg;

	return contacts->all[i].name;
}

const char *contacts_nearest(const struct contacts *contacts, struct slice word)
{
	return nearest_name(word, contacts_count(contacts), name_at, contacts);
}

size_t contacts_count(const struct contacts *contacts)
{
	return contacts ? contacts->count : 0;
}

const struct contact *contacts_at(const struct contacts *contacts, size_t i)
{
	assert(i < contacts_count(contacts));
	return &contacts->all[i];
}
