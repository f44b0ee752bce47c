/*
 * The bodies that a message carries: one alone, or several in a multipart body (RFC 2046, section
 * 5.1; RFC 5621). What is found borrows the message's bytes. Nothing is kept, so any thread that
 * may read the message may call.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/sip/msg.h"

#include <stdbool.h>

/*
 * Finds the first body of a media type ("application/sdp", in any case, parameters left out of
 * account): that of the message, or a part of it, looked for up to four multiparts deep. What is
 * encoded (gzip, base64, ...) is not found, as it could not be read, and neither is what its
 * Content-Disposition sets apart ("early-session" is no description of the call, RFC 3959). A part
 * without a Content-Type is text/plain (RFC 2046, section 5.1); a message without one has no body
 * of any type (RFC 3261, section 20.15). Returns whether there is one; out is untouched otherwise.
 */
bool sip_body_find(struct slice *out, const struct sip_msg *msg, const char *type);
