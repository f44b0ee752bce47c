/*
 * What the lines of a script may speak of: its variables with their values, and its phones. Whoever
 * makes a scope owns it. One thread at a time.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stdbool.h>

struct scope;

enum {
	SCRIPT_LINE_MAX = 4096, /* bytes, before and after values have taken the place of names */
	SCRIPT_PHONES_MAX = 64,
};

/* -ENOMEM. */
int scope_new(struct scope **out);

/* NULL is allowed. */
void scope_free(struct scope *scope);

/* Whether name can be that of a variable: a letter or "_", then these, digits and "-". */
bool scope_is_name(struct slice name);

/*
 * Gives a variable a value; both are copied. One that is fixed keeps it, whatever comes later.
 * -ENOMEM.
 */
int scope_set(struct scope *scope, struct slice name, struct slice value, bool fixed);

/* NULL: there is none of that name. */
const char *scope_get(const struct scope *scope, struct slice name);

/* -EEXIST, -ENOSPC, -ENOMEM. */
int scope_add_phone(struct scope *scope, struct slice name);
bool scope_has_phone(const struct scope *scope, struct slice name);
size_t scope_phones(const struct scope *scope);

/* The name of the phone that was added as number i. */
const char *scope_phone(const struct scope *scope, size_t i);

/* A line with values in the place of names. */
struct expanded {
	char text[SCRIPT_LINE_MAX + 1];
	uint16_t from[SCRIPT_LINE_MAX + 1]; /* where each byte stood before */
};

/*
 * Puts the values of "$NAME" and "${NAME}" into line, and leaves its comment away. Within 'single'
 * quotes and behind a backslash a dollar is one. A value stays one word, whatever is in it. -EINVAL
 * with words in why and at the place in line, of at most SCRIPT_LINE_MAX bytes.
 */
int scope_expand(struct expanded *out, const struct scope *scope, const char *line,
	struct fault *why, size_t *at);
