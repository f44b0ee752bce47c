/*
 * What a person writes to say whom to call, made into a URI: "bob@example.org",
 * "sip:bob@192.0.2.7:5080", "<sip:...>", "Bob <sip:...>", "192.0.2.7". Pure functions: any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/sip/uri.h"

enum { TARGET_MAX = 1024 }; /* bytes */

struct dialplan;

struct target {
	char text[TARGET_MAX + 8]; /* the whole URI, with its scheme */
	struct sip_uri uri;        /* borrows text */
	const char *rule;          /* by which a number was made into that; NULL: by none */
};

/* Where names and numbers alone are, for who has an account. */
struct target_home {
	struct slice domain;         /* "example.org", with a port if it has one */
	const struct dialplan *dial; /* NULL: numbers are dialled as they are */
};

/*
 * Reads what was typed. Returns -EINVAL with words in why and the place in typed, in bytes, in at;
 * both may be NULL. out is its own: it must not be moved.
 */
int target_parse(struct target *out, struct slice typed, struct fault *why, size_t *at);

/*
 * The same where a name alone, "bob", and a number, "0171 234-5" or "tel:+49-171-2345", is one of
 * home. NULL: as above.
 */
int target_parse_in(struct target *out, struct slice typed, const struct target_home *home,
	struct fault *why, size_t *at);

/*
 * The number that it calls, as far as it has one: the user, if that may be one. Of others it is
 * empty.
 */
struct slice target_number(const struct target *target);
