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

/* A message on its way in: our copy of the bytes, taken line by line. */
struct reader {
	struct sip_msg *msg;
	struct sip_header *headers;
	size_t header_room;
	uint8_t *p; /* p <= end */
	uint8_t *end;
	bool has_zero;                                    /* somewhere before the body */
	const struct sip_header *first[SIP_HEADER_OTHER]; /* of each name, or NULL */
	uint32_t twice;                                   /* one bit for each name */
};

static_assert(SIP_HEADER_OTHER <= 32, "a bit for each header");

/* What a first look at the datagram tells. */
struct shape {
	size_t headers;
	size_t head_size; /* with the empty line */
	bool closed;      /* there is an empty line */
};

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

/* Counts the lines of headers, folded ones once, so that their index is sized before it is filled.
 */
static int measure(struct shape *out, struct slice bytes)
{
	struct shape shape = {0};
	size_t lines = 0;
	size_t at = 0;

	while (at < bytes.len && !shape.closed) {
		const uint8_t *line = bytes.data + at;
		const uint8_t *feed = memchr(line, '\n', bytes.len - at);
		size_t len = feed ? (size_t)(feed - line) : bytes.len - at;

		if (len == 0 || (len == 1 && *line == '\r'))
			shape.closed = true;
		else if (lines == 0 || !sip_is_space(*line))
			lines++;
		at += feed ? len + 1 : len;
	}
	if (lines > 1 + SIP_HEADERS_MAX)
		return -EMSGSIZE;

	shape.headers = lines > 0 ? lines - 1 : 0;
	shape.head_size = at;
	*out = shape;
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

/*
 * Neither a CR inside a line, which others may take for its end, nor a zero byte. Section 25.1 has
 * the latter in quoted strings, escaped.
 */
static bool is_clean(const struct reader *reader, struct slice line)
{
	const uint8_t *end = line.data + line.len;
	const uint8_t *p = line.data;

	if (memchr(p, '\r', line.len))
		return false;
	if (!reader->has_zero)
		return true;

	while ((p = memchr(p, '\0', (size_t)(end - p)))) {
		if (!is_escaped(line, p))
			return false;
		p++;
	}
	return true;
}

/*
 * Takes a line with those that continue it (section 7.3.1), whose line ends become spaces. A lone
 * LF ends a line as well as CR LF does.
 */
static struct slice take_line(struct reader *reader)
{
	uint8_t *from = reader->p;

	for (;;) {
		uint8_t *feed = memchr(reader->p, '\n', (size_t)(reader->end - reader->p));
		uint8_t *to = feed ? feed : reader->end;
		bool has_return = feed && to > from && to[-1] == '\r';

		reader->p = feed ? feed + 1 : reader->end;
		if (has_return)
			to--;
		if (to == from || reader->p == reader->end || !sip_is_space(*reader->p))
			return (struct slice){from, (size_t)(to - from)};

		*feed = ' ';
		if (has_return)
			*to = ' ';
	}
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
	if (sip_uri_parse(&msg->uri, msg->uri_text, NULL))
		fault(msg, 400, "Bad Request-URI");
	return 0;
}

static int read_start_line(struct reader *reader)
{
	struct slice line = take_line(reader);

	if (slice_starts_nocase(line, "SIP/"))
		return is_clean(reader, line) ? read_status_line(reader->msg, line) : -EPROTO;
	return read_request_line(reader->msg, line);
}

static void add_header(struct reader *reader, struct slice name, struct slice value)
{
	enum sip_header_name id = sip_header_find(name);
	struct sip_header *header = &reader->headers[reader->msg->header_count];

	assert(reader->msg->header_count < reader->header_room);
	reader->msg->header_count++;
	*header = (struct sip_header){id, name, value};

	if (id == SIP_HEADER_OTHER)
		return;
	if (reader->first[id])
		reader->twice |= UINT32_C(1) << id;
	else
		reader->first[id] = header;
}

/* One that is no header is left out of the index. */
static void read_header(struct reader *reader, struct slice line)
{
	struct sip_scan scan = sip_scan_of(line, NULL);
	struct slice name = sip_scan_run(&scan, SIP_C_TOKEN);

	sip_scan_space(&scan);
	if (name.len == 0 || !sip_scan_at(&scan, ':')) {
		fault(reader->msg, 400, "Bad header line");
		return;
	}
	scan.p++;
	if (!is_clean(reader, line))
		fault(reader->msg, 400, "Bad character in a header");
	add_header(reader, name, sip_trim(sip_scan_rest(&scan)));
}

static void read_headers(struct reader *reader)
{
	while (reader->p < reader->end) {
		struct slice line = take_line(reader);

		if (line.len > 0) /* else it is the empty one at the end */
			read_header(reader, line);
	}
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

static void read_singles(struct reader *reader)
{
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
		const struct sip_header *header = reader->first[singles[i].id];
		const char *broken = NULL;

		if (header)
			broken = singles[i].read(reader->msg, header->value);
		else if (singles[i].missing)
			fault(reader->msg, 400, singles[i].missing);
		if (reader->twice & UINT32_C(1) << singles[i].id)
			fault(reader->msg, 400, singles[i].twice);
		if (broken)
			fault(reader->msg, 400, broken);
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

static int read_vias(struct reader *reader)
{
	int err;

	for (size_t i = 0; i < reader->msg->header_count; i++) {
		if (reader->headers[i].id != SIP_VIA)
			continue;
		err = read_via_line(reader->msg, reader->headers[i].value);
		if (err)
			return err;
	}
	return reader->first[SIP_VIA] ? 0 : -EPROTO;
}

static int read_message(struct reader *reader, const struct shape *shape, size_t size)
{
	struct sip_msg *msg = reader->msg;
	uint8_t *from = reader->p;
	int err;

	reader->end = from + shape->head_size;
	reader->has_zero = memchr(from, '\0', shape->head_size);
	err = read_start_line(reader);
	if (err)
		return err;

	msg->max_forwards = -1;
	msg->body = (struct slice){reader->end, size - shape->head_size};
	read_headers(reader);
	if (!shape->closed)
		fault(msg, 400, "No empty line after the headers");
	err = read_vias(reader);
	if (err)
		return err;
	read_singles(reader);

	msg->raw = (struct slice){from, shape->head_size + msg->body.len};
	return msg->request || !msg->fault_status ? 0 : -EPROTO;
}

int sip_msg_parse(struct sip_msg **out, struct slice datagram)
{
	struct slice bytes = skip_empty_lines(datagram);
	struct reader reader = {0};
	struct shape shape;
	int err;

	if (datagram.len > SIP_MESSAGE_MAX)
		return -EMSGSIZE;
	if (bytes.len == 0)
		return -EPROTO;
	err = measure(&shape, bytes);
	if (err)
		return err;

	reader.header_room = shape.headers;
	err = sip_msg_new(&reader.msg, &reader.headers, &reader.p, shape.headers, bytes.len);
	if (err)
		return err;

	memcpy(reader.p, bytes.data, bytes.len);
	err = read_message(&reader, &shape, bytes.len);
	if (err) {
		sip_msg_free(reader.msg);
		return err;
	}
	*out = reader.msg;
	return 0;
}
