#include "core/sip/body.h"
#include "core/base/text.h"
#include "core/sip/grammar.h"

enum {
	DEPTH_MAX = 4,     /* multiparts in multiparts */
	BOUNDARY_MAX = 70, /* RFC 2046, section 5.1.1 */
	TYPE_SIZE = 512,   /* of a Content-Type that is understood, folded lines joined */
};

/* A body with what its headers say of it. */
struct entity {
	struct slice type; /* the value of Content-Type */
	struct slice body;
	bool encoded; /* in a way that is not undone here */
	bool aside;   /* for another use than the message's own */
	char *room;   /* TYPE_SIZE bytes for the type of a part */
};

/* What parts the bodies of a multipart. */
struct boundary {
	uint8_t bytes[BOUNDARY_MAX];
	size_t len;
};

static bool is_line_space(uint8_t byte)
{
	return sip_is_space(byte) || byte == '\r' || byte == '\n';
}

/* The first token of a value that may be folded. */
static struct slice first_word(struct slice value)
{
	struct sip_scan scan = sip_scan_of(value, NULL);

	while (scan.p < scan.end && is_line_space(*scan.p))
		scan.p++;
	return sip_scan_run(&scan, SIP_C_TOKEN);
}

/* "type/subtype", white space around the slash allowed (RFC 3261, section 25.1). */
static int take_type(struct slice *type, struct slice *subtype, struct sip_scan *scan)
{
	*type = sip_scan_run(scan, SIP_C_TOKEN);
	sip_scan_space(scan);
	if (!sip_scan_at(scan, '/'))
		return -EPROTO;
	scan->p++;
	sip_scan_space(scan);
	*subtype = sip_scan_run(scan, SIP_C_TOKEN);
	sip_scan_space(scan);
	return scan->p == scan->end || *scan->p == ';' ? 0 : -EPROTO;
}

static bool is_type(struct slice value, const char *wanted)
{
	struct sip_scan scan = sip_scan_of(value, NULL);
	struct slice subtype = slice_of(wanted);
	struct slice type, own, own_subtype;

	slice_cut(&type, &subtype, '/');
	return take_type(&own, &own_subtype, &scan) == 0 && slice_equal_nocase(own, type) &&
	       slice_equal_nocase(own_subtype, subtype);
}

/* The value of the parameter, its quotes and escapes undone. */
static int copy_boundary(struct boundary *out, struct slice value)
{
	bool quoted = value.len > 0 && *value.data == '"';
	struct boundary boundary = {0};

	if (quoted)
		value = (struct slice){value.data + 1, value.len - 2};
	for (size_t i = 0; i < value.len; i++) {
		if (quoted && value.data[i] == '\\')
			i++; /* a closed string does not end with it */
		if (boundary.len == BOUNDARY_MAX)
			return -EPROTO;
		boundary.bytes[boundary.len++] = value.data[i];
	}
	if (boundary.len == 0)
		return -EPROTO;
	*out = boundary;
	return 0;
}

/* -EPROTO if it is no multipart, or none that can be taken apart. */
static int read_boundary(struct boundary *out, struct slice value)
{
	struct sip_scan scan = sip_scan_of(value, NULL);
	struct slice type, subtype;
	struct sip_pair pair;
	int err;

	err = take_type(&type, &subtype, &scan);
	if (err || !SIP_IS_WORD(type, "multipart"))
		return -EPROTO;

	do
		err = sip_scan_pair(&pair, &scan);
	while (!err && !SIP_IS_WORD(pair.name, "boundary"));
	return err ? -EPROTO : copy_boundary(out, pair.value);
}

/* Takes a line, without its end; a lone LF ends one as well as CR LF does. */
static struct slice take_line(struct slice *text)
{
	struct slice line;

	slice_cut(&line, text, '\n');
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Whether a line parts two bodies or, as the last, ends them. */
static bool is_delimiter(bool *last, struct slice line, const struct boundary *boundary)
{
	bool closing;

	if (line.len < 2 + boundary->len || memcmp(line.data, "--", 2) != 0 ||
		memcmp(line.data + 2, boundary->bytes, boundary->len) != 0)
		return false;

	line.data += 2 + boundary->len;
	line.len -= 2 + boundary->len;
	closing = line.len >= 2 && memcmp(line.data, "--", 2) == 0;
	if (closing) {
		line.data += 2;
		line.len -= 2;
	}
	if (sip_trim(line).len > 0) /* the boundary of another multipart, which begins alike */
		return false;
	*last = closing;
	return true;
}

/*
 * Takes what stands before the next delimiter, and that. The line end before a delimiter is a part
 * of it (RFC 2046, section 5.1.1). A text without one is taken whole and is the last.
 */
static struct slice take_part(bool *last, struct slice *text, const struct boundary *boundary)
{
	struct slice part = *text;

	*last = true;
	while (text->len > 0) {
		const uint8_t *line = text->data;

		if (!is_delimiter(last, take_line(text), boundary))
			continue;
		part.len = (size_t)(line - part.data);
		if (part.len > 0)
			part.len--;
		if (part.len > 0 && part.data[part.len - 1] == '\r')
			part.len--;
		break;
	}
	return part;
}

/* Takes a header with the lines that continue it. Returns whether there was one. */
static bool take_field(struct slice *out, struct slice *text)
{
	struct slice field = take_line(text);

	while (field.len > 0 && text->len > 0 && sip_is_space(*text->data)) {
		struct slice more = take_line(text);

		field.len = (size_t)(more.data + more.len - field.data);
	}
	*out = field;
	return field.len > 0;
}

/* Keeps it with its folded lines joined; one that is too long is of no known type. */
static void read_type(struct entity *entity, struct slice value)
{
	if (value.len > TYPE_SIZE)
		value.len = 0;
	for (size_t i = 0; i < value.len; i++)
		entity->room[i] = is_line_space(value.data[i]) ? ' ' : (char)value.data[i];
	entity->type = sip_trim((struct slice){(const uint8_t *)entity->room, value.len});
}

/* RFC 2046, section 6; RFC 3261, section 20.12: those that leave the bytes as they are. */
static void read_encoding(struct entity *entity, struct slice value)
{
	static const char *const plain[] = {"identity", "binary", "8bit", "7bit"};
	struct slice word = first_word(value);

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (slice_is_nocase(word, plain[i]))
			return;
	entity->encoded = true;
}

/* RFC 3261, section 20.11. */
static void read_disposition(struct entity *entity, struct slice value)
{
	struct slice word = first_word(value);

	entity->aside = !slice_is_nocase(word, "session") && !slice_is_nocase(word, "render");
}

static const struct {
	const char *name;
	const char *compact;
	void (*read)(struct entity *entity, struct slice value);
} fields[] = {
	{"Content-Type", "c", read_type},
	{"Content-Encoding", "e", read_encoding},
	{"Content-Transfer-Encoding", "", read_encoding},
	{"Content-Disposition", "", read_disposition},
};

static void read_field(struct entity *entity, struct slice field)
{
	struct slice name;

	slice_cut(&name, &field, ':');
	name = sip_trim(name);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (slice_is_nocase(name, fields[i].name) ||
			(name.len > 0 && slice_is_nocase(name, fields[i].compact)))
			fields[i].read(entity, field);
}

static void read_part(struct entity *entity, struct slice part)
{
	struct slice field;

	entity->type = slice_of("text/plain");
	entity->encoded = false;
	entity->aside = false;
	while (take_field(&field, &part))
		read_field(entity, field);
	entity->body = part;
}

static bool find_in_parts(
	struct slice *out, const struct entity *entity, const char *type, unsigned depth);

static bool find_in(
	struct slice *out, const struct entity *entity, const char *type, unsigned depth)
{
	if (entity->encoded)
		return false;
	if (!is_type(entity->type, type))
		return depth < DEPTH_MAX && find_in_parts(out, entity, type, depth);
	if (!entity->aside)
		*out = entity->body;
	return !entity->aside;
}

static bool find_in_parts(
	struct slice *out, const struct entity *entity, const char *type, unsigned depth)
{
	struct slice rest = entity->body;
	struct boundary boundary;
	char room[TYPE_SIZE];
	struct entity part = {.room = room};
	bool last;

	if (read_boundary(&boundary, entity->type))
		return false;

	take_part(&last, &rest, &boundary); /* a preamble, for those who know no multipart */
	while (!last) {
		read_part(&part, take_part(&last, &rest, &boundary));
		if (find_in(out, &part, type, depth + 1))
			return true;
	}
	return false;
}

bool sip_body_find(struct slice *out, const struct sip_msg *msg, const char *type)
{
	const struct slice *content_type = sip_msg_header(msg, SIP_CONTENT_TYPE);
	const struct slice *encoding = sip_msg_header(msg, SIP_CONTENT_ENCODING);
	const struct slice *disposition = sip_msg_header_named(msg, "Content-Disposition");
	struct entity entity = {0};

	if (!content_type || msg->body.len == 0)
		return false;

	entity.type = *content_type;
	entity.body = msg->body;
	if (encoding)
		read_encoding(&entity, *encoding);
	if (disposition)
		read_disposition(&entity, *disposition);
	return find_in(out, &entity, type, 0);
}
