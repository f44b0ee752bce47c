/*
 * The people of the configuration: names, and the addresses that they stand for. Filled while the
 * file is read; after that a value that nobody changes, for any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"

enum { CONTACTS_MAX = 4096, CONTACTS_NAME_MAX = 64 /* bytes */ };

struct contact {
	char *name;
	char *target; /* as people type whom to call */
};

struct contacts;

/* -ENOMEM. */
int contacts_new(struct contacts **out);

/* NULL is allowed, here and where contacts are const: there is nobody then. */
void contacts_free(struct contacts *contacts);

/*
 * Adds one, in the order of the calls. -EINVAL with words: the name could be something else than a
 * name, or the target cannot be called; -EEXIST: there is one of that name (contacts_find());
 * -ENOSPC with words; -ENOMEM.
 */
int contacts_add(
	struct contacts *contacts, struct slice name, struct slice target, struct fault *why);

/* The one of that name, the case of ASCII letters aside; NULL if there is none. */
const struct contact *contacts_find(const struct contacts *contacts, struct slice name);

/* The name that comes nearest to word, for "did you mean", or NULL. */
const char *contacts_nearest(const struct contacts *contacts, struct slice word);

/* In the order of the file. */
size_t contacts_count(const struct contacts *contacts);
const struct contact *contacts_at(const struct contacts *contacts, size_t i);
