#include "core/base/text.h"
#include "core/sip/grammar.h"
#include "core/sip/msg.h"
#include "core/sip/msg_private.h"

#include <assert.h>

enum {
	CSEQ_MAX = INT32_MAX, /* section 8.1.1.5 */
	MAX_FORWARDS_MAX = 255,
	STATUS_DIGITS = 3,
	STATUS_MIN = 100,
	STATUS_MAX = 699,
};

/* What a first look at the datagram tells. */
struct shape {
	size_t lines; /* with the start line, folded ones counted once */
	/* of each, where it ends: at its LF, or where the bytes end */
	uint32_t ends[1 + SIP_HEADERS_MAX];
	bool folded;      /* some are */
	size_t head_size; /* with the empty line */
	bool closed;      /* there is an empty line */
};

/* A message on its way in: our copy of the bytes, taken line by line. */
struct reader {
	struct sip_msg *msg;
	struct sip_header *headers;
	uint8_t *head;
	const struct shape *shape;
	bool has_zero; /* somewhere before the body, where hardly any is */
};

static_assert(SIP_MESSAGE_MAX < UINT32_MAX, "where a line ends");
static_assert(SIP_HEADERS_MAX < UINT8_MAX, "where a header stands in the index");

/* The first thing that is wrong is what the far end is told. */
static void fault(struct sip_msg *msg, uint16_t status, const char *reason)
{
	if (msg->fault_status)
		return;
	msg->fault_status = status;
	msg->fault_reason = reason;
}

/* Section 7.5: empty lines before the start line are passed over. */
static struct slice skip_empty_lines(struct slice bytes)
{
	while (bytes.len > 0 && (*bytes.data == '\r' || *bytes.data == '\n')) {
		bytes.data++;
		bytes.len--;
	}
	return bytes;
}

/*
 * Finds the lines before the body, so that the index of headers is sized before it is filled. A
 * line that begins with white space continues the one before it (section 7.3.1). A lone LF ends a
 * line as well as CR LF does.
 */
static int measure(struct shape *shape, struct slice bytes)
{
	size_t at = 0;

	while (at < bytes.len && !shape->closed) {
		const uint8_t *line = bytes.data + at;
		const uint8_t *feed = memchr(line, '\n', bytes.len - at);
		size_t end = feed ? (size_t)(feed - bytes.data) : bytes.len;

		if (line == feed || (line + 1 == feed && *line == '\r')) {
			shape->closed = true;
		} else if (shape->lines > 0 && sip_is_space(*line)) {
			shape->folded = true;
			shape->ends[shape->lines - 1] = (uint32_t)end;
		} else {
			if (shape->lines == 1 + SIP_HEADERS_MAX)
				return -EMSGSIZE;
			shape->ends[shape->lines++] = (uint32_t)end;
		}
		at = feed ? end + 1 : end;
	}
	shape->head_size = at;
	return 0;
}

/* Whether the zero byte at p is the second one of an escape inside quotes, the only place for it.
 */
static bool is_escaped(struct slice line, const uint8_t *zero)
{
	bool quoted = false;

	for (const uint8_t *p = line.data; p < zero; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && ++p == zero)
			return true;
	}
	return false;
}

/* Section 25.1 has zero bytes in quoted strings, escaped. */
static bool has_bare_zero(struct slice line)
{
	const uint8_t *end = line.data + line.len;

	for (const uint8_t *p = line.data; (p = memchr(p, '\0', (size_t)(end - p))); p++)
		if (!is_escaped(line, p))
			return true;
	return false;
}

/*
 * Neither a CR inside a line, which others may take for its end, nor a zero byte. Inline, because
 * it is one call of memchr() for each line, and hardly ever more.
 */
static inline bool is_clean(const struct reader *reader, struct slice line)
{
	return slice_find(line, '\r') == line.len && !(reader->has_zero && has_bare_zero(line));
}

/* The line ends inside a line become spaces (section 7.3.1). */
static void join_folds(uint8_t *from, const uint8_t *to)
{
	for (uint8_t *p = from; p < to; p++) {
		if (*p != '\n')
			continue;
		*p = ' ';
		if (p > from && p[-1] == '\r')
			p[-1] = ' ';
	}
}

/* A line without its end. */
static struct slice get_line(const struct reader *reader, size_t at)
{
	const struct shape *shape = reader->shape;
	size_t from = at > 0 ? shape->ends[at - 1] + (size_t)1 : 0;
	size_t end = shape->ends[at];

	if (shape->folded)
		join_folds(reader->head + from, reader->head + end);
	if (end < shape->head_size && end > from && reader->head[end - 1] == '\r')
		end--; /* of CR LF; it is none where the bytes end */
	return (struct slice){reader->head + from, end - from};
}

/* "SIP/2.0" and the like. */
static bool is_version(struct slice text)
{
	struct sip_scan scan = sip_scan_of(text, NULL);

	if (!slice_starts_nocase(text, "SIP/"))
		return false;
	scan.p += 4;
	if (sip_scan_run(&scan, SIP_C_DIGIT).len == 0 || !sip_scan_at(&scan, '.'))
		return false;
	scan.p++;
	return sip_scan_run(&scan, SIP_C_DIGIT).len > 0 && scan.p == scan.end;
}

static bool is_our_version(struct slice text)
{
	return slice_is_nocase(text, "SIP/2.0");
}

/* Section 7.2; the space before an empty phrase is sometimes left out. */
static int read_status_line(struct sip_msg *msg, struct slice line)
{
	struct slice version, status;
	uint64_t number;

	slice_cut(&version, &line, ' ');
	slice_cut(&status, &line, ' ');
	if (!is_our_version(version) || status.len != STATUS_DIGITS ||
		slice_number(&number, status, STATUS_MAX) || number < STATUS_MIN)
		return -EPROTO;

	msg->status = (uint16_t)number;
	msg->reason = line;
	return 0;
}

/* Section 7.1. More than one space between the parts is let in, and some at the end. */
static int read_request_line(struct sip_msg *msg, struct slice line)
{
	struct sip_scan scan = sip_scan_of(sip_trim(line), NULL);
	const uint8_t *space;
	struct slice version;

	msg->request = true;
	msg->method_name = sip_scan_run(&scan, SIP_C_TOKEN);
	space = memrchr(scan.p, ' ', (size_t)(scan.end - scan.p));
	if (msg->method_name.len == 0 || !sip_scan_at(&scan, ' ') || space == scan.p)
		return -EPROTO;

	version = (struct slice){space + 1, (size_t)(scan.end - space - 1)};
	if (!is_version(version))
		return -EPROTO;
	if (!is_our_version(version))
		fault(msg, 505, "Version Not Supported");

	msg->method = sip_method_find(msg->method_name);
	msg->uri_text = sip_trim((struct slice){scan.p, (size_t)(space - scan.p)});
	if (sip_uri_fill(&msg->uri, msg->uri_text, NULL)) {
		msg->uri = (struct sip_uri){0};
		fault(msg, 400, "Bad Request-URI");
	}
	return 0;
}

static int read_start_line(struct reader *reader)
{
	struct slice line = get_line(reader, 0);

	if (slice_starts_nocase(line, "SIP/"))
		return is_clean(reader, line) ? read_status_line(reader->msg, line) : -EPROTO;
	return read_request_line(reader->msg, line);
}

/*
 * What stands before the colon, and white space there. A name that we know needs no look at its
 * bytes; any other has to be a token.
 */
static int take_name(struct slice *name, enum sip_header_name *id, struct slice *line)
{
	const uint8_t *colon = memchr(line->data, ':', line->len);
	const uint8_t *end = colon;

	if (!colon)
		return -EPROTO;
	while (end > line->data && sip_is_space(end[-1]))
		end--;

	*name = (struct slice){line->data, (size_t)(end - line->data)};
	*id = sip_header_find(*name);
	if (*id == SIP_HEADER_OTHER &&
		(name->len == 0 || sip_skip(name->data, end, SIP_C_TOKEN) < end))
		return -EPROTO;

	line->len -= (size_t)(colon + 1 - line->data);
	line->data = colon + 1;
	return 0;
}

/* One that is no header is left out of the index. */
static void read_header(struct reader *reader, struct slice line)
{
	struct slice value = line;
	enum sip_header_name id;
	struct slice name;

	if (take_name(&name, &id, &value)) {
		fault(reader->msg, 400, "Bad header line");
		return;
	}
	if (!is_clean(reader, value)) /* in a name that is one there is nothing of that kind */
		fault(reader->msg, 400, "Bad character in a header");
	reader->headers[reader->msg->header_count++] = (struct sip_header){
		.id = id,
		.name = name,
		.value = sip_trim(value),
	};
}

/* From the last to the first, so that each finds the one that comes after it. */
static void link_headers(struct reader *reader)
{
	uint8_t *first = reader->msg->first;

	for (size_t i = reader->msg->header_count; i > 0; i--) {
		struct sip_header *header = &reader->headers[i - 1];

		header->next = first[header->id];
		first[header->id] = (uint8_t)i;
	}
}

static void read_headers(struct reader *reader)
{
	for (size_t i = 1; i < reader->shape->lines; i++)
		read_header(reader, get_line(reader, i));
	link_headers(reader);
}

/* Why it is broken, or NULL. */
typedef const char *read_single(struct sip_msg *msg, struct slice value);

static const char *read_from(struct sip_msg *msg, struct slice value)
{
	if (sip_name_addr_parse(&msg->from, value) || msg->from.wildcard)
		return "Bad From header";
	return NULL;
}

static const char *read_to(struct sip_msg *msg, struct slice value)
{
	if (sip_name_addr_parse(&msg->to, value) || msg->to.wildcard)
		return "Bad To header";
	return NULL;
}

/* Section 25.1 allows fewer characters; what makes calls differ is only that they are the same. */
static const char *read_call_id(struct sip_msg *msg, struct slice value)
{
	if (value.len == 0 || slice_find(value, ' ') < value.len ||
		slice_find(value, '\t') < value.len)
		return "Bad Call-ID header";
	msg->call_id = value;
	return NULL;
}

/* Section 20.16. */
static const char *read_cseq(struct sip_msg *msg, struct slice value)
{
	struct sip_scan scan = sip_scan_of(value, NULL);
	struct slice digits = sip_scan_run(&scan, SIP_C_DIGIT);
	struct slice method;
	uint64_t number;

	if (scan.p == scan.end || !sip_is_space(*scan.p) || slice_number(&number, digits, CSEQ_MAX))
		return "Bad CSeq header";
	sip_scan_space(&scan);
	method = sip_scan_run(&scan, SIP_C_TOKEN);
	if (scan.p < scan.end)
		return "Bad CSeq header";

	msg->cseq = (uint32_t)number;
	msg->cseq_method_name = method;
	msg->cseq_method = sip_method_find(method);
	if (msg->request && !slice_equal(method, msg->method_name))
		return "CSeq method differs from that of the request";
	return NULL;
}

static const char *read_max_forwards(struct sip_msg *msg, struct slice value)
{
	uint64_t number;

	if (slice_number(&number, value, MAX_FORWARDS_MAX))
		return "Bad Max-Forwards header";
	msg->max_forwards = (int)number;
	return NULL;
}

/* Section 18.3: what goes beyond it is not ours to read; what is missing cannot be read. */
static const char *read_content_length(struct sip_msg *msg, struct slice value)
{
	uint64_t number;
	int err = slice_number(&number, value, msg->body.len);

	if (err == -ERANGE)
		return "Content-Length larger than the datagram";
	if (err)
		return "Bad Content-Length header";
	msg->body.len = (size_t)number;
	return NULL;
}

/* Headers that are given once at most, in the order in which their faults are told. */
static const struct {
	enum sip_header_name id;
	read_single *read;
	const char *missing; /* NULL: it may be */
	const char *twice;
} singles[] = {
	{SIP_CALL_ID, read_call_id, "Missing Call-ID header", "More than one Call-ID header"},
	{SIP_FROM, read_from, "Missing From header", "More than one From header"},
	{SIP_TO, read_to, "Missing To header", "More than one To header"},
	{SIP_CSEQ, read_cseq, "Missing CSeq header", "More than one CSeq header"},
	{SIP_MAX_FORWARDS, read_max_forwards, NULL, "More than one Max-Forwards header"},
	{SIP_CONTENT_LENGTH, read_content_length, NULL, "More than one Content-Length header"},
};

static void read_singles(struct sip_msg *msg)
{
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
		size_t first = msg->first[singles[i].id];
		const char *broken;

		if (first == 0) {
			if (singles[i].missing)
				fault(msg, 400, singles[i].missing);
			continue;
		}
		broken = singles[i].read(msg, msg->headers[first - 1].value);
		if (msg->headers[first - 1].next)
			fault(msg, 400, singles[i].twice);
		if (broken)
			fault(msg, 400, broken);
	}
}

/* Each value of one line; the first of all is the topmost, without which nothing can be answered.
 */
static int read_via_line(struct sip_msg *msg, struct slice line)
{
	struct sip_scan scan = sip_scan_of(line, NULL);
	struct slice value;
	bool more;

	do {
		more = sip_scan_list(&value, &scan);
		if (msg->via.host.len == 0) {
			if (sip_via_parse(&msg->via, value))
				return -EPROTO;
		} else if (!slice_starts_nocase(value, "SIP")) {
			fault(msg, 400, "Bad Via header");
		}
	} while (more);
	return 0;
}

static int read_vias(struct sip_msg *msg)
{
	size_t next;
	int err;

	for (size_t at = msg->first[SIP_VIA]; at > 0; at = next) {
		err = read_via_line(msg, msg->headers[at - 1].value);
		if (err)
			return err;
		next = msg->headers[at - 1].next;
	}
	return msg->first[SIP_VIA] ? 0 : -EPROTO;
}

static int read_message(struct reader *reader, size_t size)
{
	size_t head_size = reader->shape->head_size;
	struct sip_msg *msg = reader->msg;
	int err;

	reader->has_zero = memchr(reader->head, '\0', head_size);
	err = read_start_line(reader);
	if (err)
		return err;

	msg->max_forwards = -1;
	msg->body = (struct slice){reader->head + head_size, size - head_size};
	read_headers(reader);
	if (!reader->shape->closed)
		fault(msg, 400, "No empty line after the headers");
	err = read_vias(msg);
	if (err)
		return err;
	read_singles(msg);

	msg->raw = (struct slice){reader->head, head_size + msg->body.len};
	return msg->request || !msg->fault_status ? 0 : -EPROTO;
}

int sip_msg_parse(struct sip_msg **out, struct slice datagram)
{
	struct slice bytes = skip_empty_lines(datagram);
	struct shape shape = {0};
	struct reader reader = {.shape = &shape};
	int err;

	if (datagram.len > SIP_MESSAGE_MAX)
		return -EMSGSIZE;
	if (bytes.len == 0)
		return -EPROTO;
	err = measure(&shape, bytes);
	if (err)
		return err;

	err = sip_msg_new(&reader.msg, &reader.headers, &reader.head, shape.lines - 1, bytes.len);
	if (err)
		return err;

	memcpy(reader.head, bytes.data, bytes.len);
	err = read_message(&reader, bytes.len);
	if (err) {
		sip_msg_free(reader.msg);
		return err;
	}
	*out = reader.msg;
	return 0;
}
