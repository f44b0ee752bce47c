/*
 * Who calls, or is called, as far as it can be believed, and who wants that not to be known (RFC
 * 3323, 3325, 5079, 5876). Pure functions: any thread.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/sip/msg.h"

/* Who calls anonymously (RFC 3323, section 4.1.1.3). */
#define IDENTITY_ANONYMOUS_NAME "Anonymous"
#define IDENTITY_ANONYMOUS_URI "sip:anonymous@anonymous.invalid"

/*
 * Whom a server says that a message is from. Whether that is to be believed is the caller's to
 * know: it is worth as much as the hop that it came from. Returns whether somebody is named.
 */
bool identity_asserted(struct sip_name_addr *out, const struct sip_msg *msg);

/* Whether who sends the request wants not to be known (RFC 5079, section 3). */
bool identity_is_withheld(const struct sip_msg *request);

enum { IDENTITY_SIZE = 1536 }; /* room for what identity_read() makes */

/*
 * Reads what somebody types to be called by, "alice@example.org", "tel:+4930123" or
 * "\"Alice\" <sip:alice@example.org>", and appends it as a name-addr. -EINVAL with words in why.
 */
int identity_read(struct text *out, struct slice typed, struct fault *why);
