#include "core/sip/framing.h"

#include "core/base/text.h"
#include "core/sip/grammar.h"
#include "core/sip/msg.h"

#include <stdlib.h>

enum {
	FIRST_SIZE = 2048, /* what is allocated at first */
	KEPT_SIZE = 8192,  /* what a stream keeps from one message to the next */
	LENGTH_MAX = 1 << 30,
};

static void restart(struct sip_framing *framing)
{
	if (framing->size > KEPT_SIZE) {
		free(framing->data);
		framing->data = NULL;
		framing->size = 0;
	}
	framing->len = 0;
	framing->line = 0;
	framing->head = 0;
	framing->whole = 0;
	framing->told = false;
}

/* Room doubles, so that a long message is copied less than once more on the whole. -ENOMEM. */
static int reserve(struct sip_framing *framing, size_t size)
{
	size_t room = framing->size ? framing->size : FIRST_SIZE;
	uint8_t *data;

	if (size <= framing->size)
		return 0;
	while (room < size)
		room *= 2;
	data = calloc(room, 1);
	if (!data)
		return -ENOMEM;

	if (framing->len > 0)
		memcpy(data, framing->data, framing->len);
	free(framing->data);
	framing->data = data;
	framing->size = room;
	return 0;
}

static int append(struct sip_framing *framing, struct slice bytes)
{
	int err = reserve(framing, framing->len + bytes.len);

	if (err)
		return err;
	memcpy(framing->data + framing->len, bytes.data, bytes.len);
	framing->len += bytes.len;
	return 0;
}

static void broken(
	struct sip_frame *out, struct sip_framing *framing, uint16_t status, const char *reason)
{
	framing->broken = true;
	*out = (struct sip_frame){.kind = SIP_FRAME_BROKEN,
		.bytes = {framing->data, framing->len},
		.status = status,
		.reason = reason};
}

/* Takes the empty lines before a message; true: there were two on end. */
static bool take_empty_lines(struct sip_framing *framing, struct slice *from)
{
	static const uint8_t ping[] = {'\r', '\n', '\r', '\n'};

	while (from->len > 0 && (*from->data == '\r' || *from->data == '\n')) {
		uint8_t byte = *from->data;

		from->data++;
		from->len--;
		framing->ping = byte == ping[framing->ping] ? framing->ping + 1 : byte == '\r';
		framing->lines += framing->ping == sizeof(ping) / 2;
		if (framing->ping == sizeof(ping)) {
			framing->lines++;
			framing->ping = 0;
			return true;
		}
	}
	return false;
}

/* The next line of head with those that continue it (section 7.3.1), line ends and all. */
static struct slice take_line(struct slice *head)
{
	struct slice line = {head->data, 0};

	do {
		const uint8_t *feed = memchr(head->data, '\n', head->len);
		size_t len = feed ? (size_t)(feed - head->data) + 1 : head->len;

		head->data += len;
		head->len -= len;
		line.len += len;
	} while (head->len > 0 && sip_is_space(*head->data));
	return line;
}

static struct slice trim(struct slice value)
{
	while (value.len > 0 && memchr(" \t\r\n", value.data[value.len - 1], 4))
		value.len--;
	while (value.len > 0 && memchr(" \t\r\n", *value.data, 4)) {
		value.data++;
		value.len--;
	}
	return value;
}

static bool is_content_length(struct slice *value, struct slice line)
{
	struct sip_scan scan = sip_scan_of(line, NULL);
	struct slice name = sip_scan_run(&scan, SIP_C_TOKEN);

	sip_scan_space(&scan);
	if (!sip_scan_at(&scan, ':') || sip_header_find(name) != SIP_CONTENT_LENGTH)
		return false;
	scan.p++;
	*value = trim(sip_scan_rest(&scan));
	return true;
}

/* The one Content-Length of head; a reason if there is none that can be believed. */
static const char *read_length(uint64_t *out, struct slice head)
{
	struct slice value;
	uint64_t number;
	bool found = false;
	int err;

	take_line(&head); /* the start line */
	while (head.len > 0) {
		if (!is_content_length(&value, take_line(&head)))
			continue;
		err = slice_number(&number, value, LENGTH_MAX);
		if (err == -ERANGE)
			number = LENGTH_MAX; /* too large in any case */
		else if (err)
			return "Bad Content-Length header";
		if (found && number != *out)
			return "Content-Length headers contradict each other";
		*out = number;
		found = true;
	}
	return found ? NULL : "Missing Content-Length header";
}

/* The head is there: how long is the rest? */
static void end_head(struct sip_frame *out, struct sip_framing *framing)
{
	uint64_t length = 0;
	const char *reason = read_length(&length, (struct slice){framing->data, framing->len});

	if (reason)
		broken(out, framing, 400, reason);
	else if (length > SIP_MESSAGE_MAX - framing->len)
		broken(out, framing, 513, NULL);
	framing->head = framing->len;
	framing->whole = framing->len + (size_t)length;
}

/* Takes the rest of a line, or as much as there is of it. -ENOMEM. */
static int take_head(struct sip_frame *out, struct sip_framing *framing, struct slice *from)
{
	const uint8_t *feed = memchr(from->data, '\n', from->len);
	size_t len = feed ? (size_t)(feed - from->data) + 1 : from->len;
	struct slice part = {0};
	size_t line;
	int err;

	if (len > SIP_HEAD_MAX - framing->len) {
		broken(out, framing, 513, NULL);
		return 0;
	}
	slice_take(&part, from, len);
	err = append(framing, part);
	if (err || !feed)
		return err;

	line = framing->len - framing->line;
	if (line == 1 || (line == 2 && framing->data[framing->line] == '\r'))
		end_head(out, framing);
	framing->line = framing->len;
	return 0;
}

static int take_body(struct sip_framing *framing, struct slice *from)
{
	size_t missing = framing->whole - framing->len;
	struct slice part = {0};

	slice_take(&part, from, from->len < missing ? from->len : missing);
	return part.len > 0 ? append(framing, part) : 0;
}

static bool is_whole(const struct sip_framing *framing)
{
	return framing->head > 0 && framing->len == framing->whole;
}

int sip_framing_next(struct sip_frame *out, struct sip_framing *framing, struct slice *from)
{
	int err = 0;

	*out = (struct sip_frame){.kind = SIP_FRAME_MORE};
	if (framing->broken)
		return 0;
	if (framing->told)
		restart(framing);
	if (framing->len == 0 && take_empty_lines(framing, from)) {
		out->kind = SIP_FRAME_PING;
		return 0;
	}
	while (from->len > 0 && !framing->broken && !is_whole(framing) && !err) {
		framing->ping = 0;
		err = framing->head > 0 ? take_body(framing, from) : take_head(out, framing, from);
	}
	if (err) {
		framing->broken = true;
		return err;
	}
	if (!framing->broken && is_whole(framing)) {
		framing->told = true;
		*out = (struct sip_frame){
			.kind = SIP_FRAME_MESSAGE, .bytes = {framing->data, framing->len}};
	}
	return 0;
}

void sip_framing_take_line(struct sip_framing *framing)
{
	framing->ping = 0;
}

bool sip_framing_is_amid(const struct sip_framing *framing)
{
	return framing->len > 0 && !framing->told;
}

void sip_framing_close(struct sip_framing *framing)
{
	free(framing->data);
	*framing = (struct sip_framing){0};
}
