/*
 * What a person writes to say whom to call, made into a URI: "bob@example.org",
 * "sip:bob@192.0.2.7:5080", "<sip:...>", "Bob <sip:...>", "192.0.2.7". Pure functions: any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/sip/uri.h"

enum { TARGET_MAX = 1024 }; /* bytes */

struct target {
	char text[TARGET_MAX + 8]; /* the whole URI, with its scheme */
	struct sip_uri uri;        /* borrows text */
};

/*
 * Reads what was typed. Returns -EINVAL with words in why and the place in typed, in bytes, in at;
 * both may be NULL. out is its own: it must not be moved.
 */
int target_parse(struct target *out, struct slice typed, struct fault *why, size_t *at);

/*
 * The same where a name alone, "bob", is one of domain: "example.org", with a port if it has one.
 * Empty: as above.
 */
int target_parse_in(
	struct target *out, struct slice typed, struct slice domain, struct fault *why, size_t *at);
