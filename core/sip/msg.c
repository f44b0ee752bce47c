#include "core/sip/msg.h"
#include "core/base/text.h"
#include "core/sip/grammar.h"
#include "core/sip/msg_private.h"

#include <assert.h>
#include <stdlib.h>

/* The block: the message, its header index, the bytes. */
struct block {
	struct sip_msg msg;
	struct sip_header headers[];
};

int sip_msg_new(struct sip_msg **out, struct sip_header **headers, uint8_t **bytes,
	size_t header_count, size_t byte_count)
{
	size_t index_size = header_count * sizeof(struct sip_header);
	struct block *block;

	assert(header_count <= SIP_HEADERS_MAX && byte_count <= SIP_MESSAGE_MAX);

	/* not calloc(): clearing what is filled at once costs more than the rest of this */
	block = malloc(sizeof(*block) + index_size + byte_count);
	if (!block)
		return -ENOMEM;

	block->msg = (struct sip_msg){.headers = block->headers};
	*out = &block->msg;
	*headers = block->headers;
	*bytes = (uint8_t *)(block->headers + header_count);
	return 0;
}

void sip_msg_free(struct sip_msg *msg)
{
	free(msg); /* the first member of its block */
}

const struct slice *sip_msg_header(const struct sip_msg *msg, enum sip_header_name id)
{
	return msg->first[id] ? &msg->headers[msg->first[id] - 1].value : NULL;
}

static bool is_named(const struct sip_header *header, struct slice name)
{
	const char *full = sip_header_expand(header->name);

	return slice_equal_nocase(header->name, name) || (full && slice_is_nocase(name, full));
}

const struct slice *sip_msg_header_named(const struct sip_msg *msg, const char *name)
{
	struct slice wanted = slice_of(name);
	enum sip_header_name id = sip_header_find(wanted);

	if (id != SIP_HEADER_OTHER)
		return sip_msg_header(msg, id);

	for (size_t at = msg->first[id]; at > 0; at = msg->headers[at - 1].next)
		if (is_named(&msg->headers[at - 1], wanted))
			return &msg->headers[at - 1].value;
	return NULL;
}

/* Takes a comment with those inside it; one that is not closed ends with the text. */
static void skip_comment(struct sip_scan *scan)
{
	size_t depth = 0;

	for (; scan->p < scan->end; scan->p++) {
		if (*scan->p == '(') {
			depth++;
		} else if (*scan->p == ')') {
			if (--depth == 0) {
				scan->p++;
				return;
			}
		} else if (*scan->p == '\\' && scan->p + 1 < scan->end) {
			scan->p++;
		}
	}
}

/* Takes what may hide a comma; what is not closed ends with the text. */
static void skip_hiding(struct sip_scan *scan)
{
	struct slice ignored;
	const uint8_t *close;

	switch (*scan->p) {
	case '"':
		if (sip_scan_quoted(&ignored, scan))
			scan->p = scan->end;
		break;
	case '<':
		close = memchr(scan->p, '>', (size_t)(scan->end - scan->p));
		scan->p = close ? close + 1 : scan->end;
		break;
	default:
		skip_comment(scan);
	}
}

bool sip_scan_commas(struct slice *out, struct sip_scan *scan)
{
	const uint8_t *from = scan->p;
	const uint8_t *to;

	for (;;) {
		while (scan->p < scan->end && sip_is(*scan->p, SIP_C_PLAIN))
			scan->p++;
		if (scan->p == scan->end || *scan->p == ',')
			break;
		skip_hiding(scan);
	}

	to = scan->p;
	*out = sip_trim((struct slice){from, (size_t)(to - from)});
	if (scan->p == scan->end)
		return false;
	scan->p++;
	return true;
}

/* The next value in the line that the cursor stands in, or false at its end. */
static bool next_in_line(
	struct slice *value, struct sip_cursor *cursor, const struct sip_header *header)
{
	struct sip_scan scan = sip_scan_of(header->value, NULL);
	struct slice found = {0};

	if (cursor->offset == header->value.len)
		return false;
	if (!sip_header_is_list(header->id)) {
		cursor->offset = header->value.len;
		*value = header->value;
		return true;
	}

	scan.p += cursor->offset;
	while (scan.p < scan.end && found.len == 0)
		sip_scan_list(&found, &scan);
	cursor->offset = (size_t)(scan.p - scan.start);
	if (found.len > 0)
		*value = found;
	return found.len > 0;
}

bool sip_msg_next(struct slice *value, struct sip_cursor *cursor, const struct sip_msg *msg,
	enum sip_header_name id)
{
	bool begins = cursor->header == 0 && cursor->offset == 0;
	size_t at = begins ? msg->first[id] : cursor->header + 1;

	assert(id < SIP_HEADER_OTHER);

	while (at > 0 && at <= msg->header_count) {
		cursor->header = at - 1;
		if (next_in_line(value, cursor, &msg->headers[at - 1]))
			return true;
		at = msg->headers[at - 1].next;
		cursor->offset = 0;
	}
	cursor->header = msg->header_count; /* the end */
	return false;
}

bool sip_msg_has_token(const struct sip_msg *msg, enum sip_header_name id, const char *token)
{
	struct sip_cursor cursor = {0};
	struct slice value;

	while (sip_msg_next(&value, &cursor, msg, id))
		if (slice_is_nocase(value, token))
			return true;
	return false;
}

/* "18 (in a meeting);duration=5" */
bool sip_msg_retry_after(uint64_t *out_s, const struct sip_msg *msg, uint64_t max_s)
{
	const struct slice *header = sip_msg_header(msg, SIP_RETRY_AFTER);
	struct slice rest = header ? *header : (struct slice){0};
	struct slice number, digits;

	slice_cut(&number, &rest, ';');
	slice_cut(&digits, &number, '(');
	return slice_number(out_s, slice_trim(digits), max_s) == 0;
}
