/* The far end of a WebSocket in tests: what a server answers that agrees (RFC 6455, section 4.2).
 */
#pragma once

#include "core/base/text.h"

/* Appends the answer to the request that has come; nothing, if it has no key. */
void web_far_agree(struct text *out, struct slice request);
