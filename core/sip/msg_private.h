/*
 * What the files that read, keep and print messages share among themselves; nothing here is for
 * other rooms. Nothing is kept, so any thread may call.
 */
#pragma once

#include "core/sip/msg.h"

/* One block for a message with room for so many headers and bytes; free with sip_msg_free(). */
int sip_msg_new(struct sip_msg **out, struct sip_header **headers, uint8_t **bytes,
	size_t header_count, size_t byte_count);

/* Whether several of these may stand in one line, parted by commas (section 7.3.1). */
bool sip_header_is_list(enum sip_header_name id);

/* Whether the stack writes this header itself, whatever a person asks. */
bool sip_header_is_ours(struct slice name);

/* The long form for the compact one of a header that has no id ("o": "Event"), or NULL. */
const char *sip_header_expand(struct slice name);
