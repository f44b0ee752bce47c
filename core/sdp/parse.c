#include "core/sdp/session.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

enum {
	PTIME_MIN_MS = 5,
	PTIME_MAX_MS = 200,
	MAXPTIME_MAX_MS = 1000,
	FIRST_LINE = 1,
	MEDIA_WORDS = 3, /* of an m= line, before its formats */
};

struct parser {
	struct sdp_session *session;
	struct sdp_media *media; /* the one at hand; NULL while in the session's own lines */
	struct sdp_media *next_media;
	struct sdp_format *formats; /* of the media at hand */
	struct sdp_format *next_format;
	struct sdp_format *end_format;
	struct sdp_attribute *next_attribute;
	struct fault *why;
	unsigned line;
	bool has_zero; /* some line has a zero byte, which hardly any text has */
	size_t rtpmap_count;
	bool has_origin;
	bool has_connection; /* this and the next for the level at hand */
	bool has_direction;
};

/* What one calloc() holds; behind the last of the media stand the formats, then the attributes. */
struct room {
	struct sdp_session session;
	struct sdp_media media[];
};

static_assert(alignof(struct sdp_format) <= alignof(struct sdp_media), "one room for both");
static_assert(alignof(struct sdp_attribute) <= alignof(struct sdp_format), "one room for both");

/* How many of each there are at most: exactly so many in what is not broken, but for formats. */
struct counts {
	size_t media;
	size_t formats;
	size_t attributes;
};

static int broken(const struct parser *p, const char *what)
{
	return fault_set(p->why, -EPROTO, "their session description is broken in line %u: %s",
		p->line, what);
}

/* Cuts the next word off text, whatever the number of spaces. Returns whether there was one. */
static bool next_word(struct slice *out, struct slice *text)
{
	struct slice rest = slice_trim(*text);
	size_t len = 0;

	while (len < rest.len && rest.data[len] != ' ')
		len++; /* words are short */
	*out = (struct slice){rest.data, len};
	if (len < rest.len)
		len++;
	if (len > 0) /* NULL + 0 is undefined */
		rest.data += len;
	rest.len -= len;
	*text = rest;
	return out->len > 0;
}

/* The same from the end. */
static bool last_word(struct slice *out, struct slice *text)
{
	size_t start;

	*text = slice_trim(*text);
	start = text->len;
	while (start > 0 && text->data[start - 1] != ' ')
		start--;
	*out = (struct slice){text->data + start, text->len - start};
	text->len = start;
	return out->len > 0;
}

/* A word of an m= line is printed again when the line is refused, so it has to be harmless. */
static bool word_is_clean(struct slice word)
{
	if (word.len > SDP_WORD_MAX)
		return false;

	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] <= ' ' || word.data[i] >= 0x7f)
			return false;
	return true;
}

/* Reads a number of min..max into out; leaves it as it is for anything else. */
static bool read_number(uint64_t *out, struct slice text, uint64_t min, uint64_t max)
{
	uint64_t number;

	if (slice_number(&number, text, max) != 0 || number < min)
		return false;

	*out = number;
	return true;
}

/* RFC 3551, table 4, by payload type. */
static const struct static_type {
	uint8_t channels; /* 0: it stands for nothing */
	uint32_t clock_rate;
	const char *encoding;
} static_types[] = {
	[0] = {1, 8000, "PCMU"},
	[3] = {1, 8000, "GSM"},
	[4] = {1, 8000, "G723"},
	[5] = {1, 8000, "DVI4"},
	[6] = {1, 16000, "DVI4"},
	[7] = {1, 8000, "LPC"},
	[8] = {1, 8000, "PCMA"},
	[9] = {1, 8000, "G722"},
	[10] = {2, 44100, "L16"},
	[11] = {1, 44100, "L16"},
	[12] = {1, 8000, "QCELP"},
	[13] = {1, 8000, "CN"},
	[14] = {1, 90000, "MPA"},
	[15] = {1, 8000, "G728"},
	[16] = {1, 11025, "DVI4"},
	[17] = {1, 22050, "DVI4"},
	[18] = {1, 8000, "G729"},
};

static void use_static_type(struct sdp_format *format)
{
	size_t at = (size_t)format->payload_type;
	const struct static_type *type;

	if (at >= sizeof(static_types) / sizeof(static_types[0]))
		return;
	type = &static_types[at];
	if (type->channels == 0)
		return;
	format->encoding = slice_of(type->encoding);
	format->clock_rate = type->clock_rate;
	format->channels = type->channels;
}

static int payload_type_of(struct slice word)
{
	uint64_t number;

	return read_number(&number, word, 0, SDP_PAYLOAD_TYPE_MAX) ? (int)number : SDP_PT_NONE;
}

/* The format of the media at hand with that payload type, or with that word; NULL: none. */
static struct sdp_format *find_format(const struct parser *p, int payload_type, struct slice word)
{
	for (size_t i = 0; i < p->media->format_count; i++) {
		struct sdp_format *format = &p->formats[i];

		if (format->payload_type != payload_type)
			continue; /* one word is not two types */
		if (payload_type != SDP_PT_NONE || slice_equal(format->word, word))
			return format;
	}
	return NULL;
}

/* RFC 8866, section 5.7. Behind a slash stand the TTL of a group and how many of them there are. */
static bool read_connection(struct sdp_connection *out, struct slice value)
{
	struct slice net_type, addr_type, word, host;
	struct addr addr;

	if (!next_word(&net_type, &value) || !next_word(&addr_type, &value) ||
		!next_word(&word, &value))
		return false;
	slice_cut(&host, &word, '/');
	if (host.len == 0)
		return false;

	*out = (struct sdp_connection){.host = host};
	if (!slice_is_nocase(net_type, "IN"))
		return true;
	if (addr_parse(&addr, host) != 0 || addr.scope != 0)
		return true; /* a name, or an interface of theirs, which means nothing here */

	if (slice_is_nocase(addr_type, addr.family == ADDR_IPV6 ? "IP6" : "IP4"))
		out->addr = addr;
	return true;
}

/* RFC 8866, section 6.7. Returns whether name is one of these; the first of a level holds. */
static bool read_direction(struct parser *p, struct slice name)
{
	static const struct {
		const char *name;
		enum sdp_direction direction;
	} directions[] = {
		{"sendrecv", SDP_SENDRECV},
		{"sendonly", SDP_SENDONLY},
		{"recvonly", SDP_RECVONLY},
		{"inactive", SDP_INACTIVE},
	};

	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		if (!slice_is_nocase(name, directions[i].name))
			continue;
		if (!p->has_direction && p->media)
			p->media->direction = directions[i].direction;
		else if (!p->has_direction)
			p->session->direction = directions[i].direction;
		p->has_direction = true;
		return true;
	}
	return false;
}

/* RFC 8866, section 6.6. One that is malformed leaves the format as unknown as it was. */
static int attribute_rtpmap(struct parser *p, struct slice value)
{
	struct slice word, encoding, clock_rate;
	uint64_t hz, channels = 1;
	struct sdp_format *format;
	bool more;

	if (++p->rtpmap_count > SDP_FORMATS_MAX)
		return broken(p, "more than 64 rtpmap attributes for one m= line");
	if (!next_word(&word, &value))
		return 0;
	format = find_format(p, payload_type_of(word), word);
	if (!format || format->payload_type == SDP_PT_NONE || format->mapped)
		return 0;

	value = slice_trim(value);
	slice_cut(&encoding, &value, '/');
	more = slice_cut(&clock_rate, &value, '/');
	if (encoding.len == 0 || !word_is_clean(encoding) ||
		!read_number(&hz, clock_rate, 1, UINT32_MAX))
		return 0;
	if (more && !read_number(&channels, value, 1, UINT8_MAX))
		return 0;

	format->mapped = true;
	format->encoding = encoding;
	format->clock_rate = (uint32_t)hz;
	format->channels = (uint8_t)channels;
	return 0;
}

static int attribute_fmtp(struct parser *p, struct slice value)
{
	struct sdp_format *format;
	struct slice word;

	if (!next_word(&word, &value))
		return 0;
	format = find_format(p, payload_type_of(word), word);
	if (format && format->fmtp.len == 0)
		format->fmtp = slice_trim(value);
	return 0;
}

static int attribute_ptime(struct parser *p, struct slice value)
{
	uint64_t ms;

	if (read_number(&ms, slice_trim(value), PTIME_MIN_MS, PTIME_MAX_MS))
		p->media->ptime_ms = (uint32_t)ms;
	return 0;
}

static int attribute_maxptime(struct parser *p, struct slice value)
{
	uint64_t ms;

	if (read_number(&ms, slice_trim(value), PTIME_MIN_MS, MAXPTIME_MAX_MS))
		p->media->maxptime_ms = (uint32_t)ms;
	return 0;
}

/* RFC 3605, section 2.1. */
static int attribute_rtcp(struct parser *p, struct slice value)
{
	struct sdp_connection connection = {0};
	struct slice word;
	uint64_t port;

	if (!next_word(&word, &value) || !read_number(&port, word, 1, UINT16_MAX))
		return 0;
	if (slice_trim(value).len > 0 && !read_connection(&connection, value))
		return 0;

	p->media->rtcp_port = (uint16_t)port;
	p->media->rtcp_connection = connection;
	return 0;
}

static int attribute_rtcp_mux(struct parser *p, struct slice value)
{
	(void)value;
	p->media->rtcp_mux = true;
	return 0;
}

/* Those of a media level. */
static const struct {
	const char *name;
	int (*read)(struct parser *p, struct slice value);
} attributes[] = {
	{"rtpmap", attribute_rtpmap},
	{"fmtp", attribute_fmtp},
	{"ptime", attribute_ptime},
	{"maxptime", attribute_maxptime},
	{"rtcp", attribute_rtcp},
	{"rtcp-mux", attribute_rtcp_mux},
};

static int line_attribute(struct parser *p, struct slice value)
{
	struct sdp_attribute *attribute = p->next_attribute++;
	struct sdp_attributes *list;

	list = p->media ? &p->media->attributes : &p->session->attributes;
	if (list->count++ == 0)
		list->list = attribute;
	slice_cut(&attribute->name, &value, ':');
	attribute->value = value;

	if (read_direction(p, attribute->name) || !p->media)
		return 0;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (slice_is_nocase(attribute->name, attributes[i].name))
			return attributes[i].read(p, value);
	return 0;
}

static int line_version(struct parser *p, struct slice value)
{
	if (p->line != FIRST_LINE)
		return broken(p, "a second v= line");
	if (!slice_is(slice_trim(value), "0"))
		return broken(p, "not version 0");
	return 0;
}

/* RFC 8866, section 5.2. Read from its end, because there are users with spaces in them. */
static int line_origin(struct parser *p, struct slice value)
{
	struct sdp_origin *origin = &p->session->origin;

	if (p->media || p->has_origin)
		return broken(p, "an o= line where none may be");
	if (!last_word(&origin->host, &value) || !last_word(&origin->addr_type, &value) ||
		!last_word(&origin->net_type, &value) || !last_word(&origin->version, &value) ||
		!last_word(&origin->session_id, &value))
		return broken(p, "an o= line of less than six words");

	origin->user = slice_trim(value);
	p->has_origin = true;
	return 0;
}

static int line_name(struct parser *p, struct slice value)
{
	if (!p->media && p->session->name.len == 0)
		p->session->name = value;
	return 0;
}

static int line_time(struct parser *p, struct slice value)
{
	if (!p->media && p->session->time.len == 0)
		p->session->time = value;
	return 0;
}

static int line_bandwidth(struct parser *p, struct slice value)
{
	struct slice *bandwidth = p->media ? &p->media->bandwidth : &p->session->bandwidth;

	if (bandwidth->len == 0)
		*bandwidth = value;
	return 0;
}

/* Groups in layers have more than one; the first is that of the base layer. */
static int line_connection(struct parser *p, struct slice value)
{
	struct sdp_connection connection;

	if (!read_connection(&connection, value))
		return broken(p, "a c= line of less than three words");
	if (p->has_connection)
		return 0;

	p->has_connection = true;
	if (p->media)
		p->media->connection = connection;
	else
		p->session->connection = connection;
	return 0;
}

static void add_format(struct parser *p, int payload_type, struct slice word, bool audio)
{
	struct sdp_format *format = p->next_format++;

	assert(format < p->end_format);
	format->word = word;
	format->payload_type = payload_type;
	format->channels = 1;
	if (audio && payload_type != SDP_PT_NONE)
		use_static_type(format);
	p->media->format_count++;
}

static int read_formats(struct parser *p, struct slice rest)
{
	struct sdp_media *media = p->media;
	bool audio = slice_is_nocase(media->kind, "audio");
	struct slice word;

	while (next_word(&word, &rest)) {
		int payload_type = payload_type_of(word);

		if (!word_is_clean(word))
			return broken(p, "an m= line with a format that is no word");
		if (find_format(p, payload_type, word))
			continue;
		if (media->format_count == SDP_FORMATS_MAX)
			return broken(p, "more than 64 formats");
		add_format(p, payload_type, word, audio);
	}
	if (media->format_count == 0 && media->port != 0)
		return broken(p, "an m= line without a format");
	return 0;
}

/* RFC 8866, section 5.14. */
static int line_media(struct parser *p, struct slice value)
{
	struct sdp_media *media = p->next_media++;
	uint64_t number, count = 1;
	struct slice ports, port;

	p->media = media;
	p->formats = p->next_format;
	media->formats = p->formats;
	p->session->media_count++;
	p->rtpmap_count = 0;
	p->has_connection = false;
	p->has_direction = false;
	media->connection = p->session->connection;
	media->direction = p->session->direction;

	if (!next_word(&media->kind, &value) || !next_word(&ports, &value) ||
		!next_word(&media->proto, &value))
		return broken(p, "an m= line of less than three words");
	if (!word_is_clean(media->kind) || !word_is_clean(media->proto))
		return broken(p, "an m= line of what are no words");
	if (slice_cut(&port, &ports, '/') && !read_number(&count, ports, 1, UINT16_MAX))
		return broken(p, "a number of ports that is none");
	if (!read_number(&number, port, 0, UINT16_MAX))
		return broken(p, "a port that is none");

	media->port = (uint16_t)number;
	media->port_count = (uint16_t)count;
	return read_formats(p, value);
}

static const struct {
	char type;
	int (*read)(struct parser *p, struct slice value);
} lines[] = {
	{'a', line_attribute}, /* most of them are */
	{'m', line_media},
	{'v', line_version},
	{'o', line_origin},
	{'s', line_name},
	{'c', line_connection},
	{'b', line_bandwidth},
	{'t', line_time},
};

static int read_line(struct parser *p, struct slice line)
{
	struct slice value = line;
	struct slice head;

	if (slice_take(&head, &value, 2) != 0 || head.data[1] != '=')
		return broken(p, "not a letter and an equals sign");
	if (p->line == FIRST_LINE && head.data[0] != 'v')
		return broken(p, "not the v= that each begins with");

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].type == (char)head.data[0])
			return lines[i].read(p, value);
	return 0;
}

/* Cuts the next line off text. RFC 8866, section 5, allows LF alone. */
static struct slice next_line(struct slice *text)
{
	struct slice line;

	slice_cut(&line, text, '\n');
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool line_is_clean(const struct parser *p, struct slice line)
{
	return slice_find(line, '\r') == line.len &&
	       (!p->has_zero || slice_find(line, '\0') == line.len);
}

static int read_lines(struct parser *p, struct slice text)
{
	bool ended = false;
	int err;

	p->has_zero = slice_find(text, '\0') < text.len;
	while (text.len > 0) {
		struct slice line = next_line(&text);

		p->line++;
		if (!line_is_clean(p, line))
			return broken(p, "a byte that may be in no line");
		if (line.len == 0) {
			ended = true;
			continue;
		}
		if (ended)
			return broken(p, "text after an empty line");
		err = read_line(p, line);
		if (err)
			return err;
	}
	if (!p->has_origin)
		return broken(p, "the end, and no o= line before");
	return 0;
}

/* As many as an m= line has words beyond the first three, each behind a space; no more are kept. */
static size_t count_formats(struct slice line)
{
	size_t words = 1;

	for (size_t i = 0; i < line.len; i++)
		words += line.data[i] == ' ';
	if (words <= MEDIA_WORDS)
		return 0;
	words -= MEDIA_WORDS;
	return words < SDP_FORMATS_MAX ? words : SDP_FORMATS_MAX;
}

static int over_cap(struct fault *why, size_t max, char type)
{
	return fault_set(
		why, -EPROTO, "their session description has more than %zu %c= lines", max, type);
}

static int count_lines(struct counts *out, struct slice text, struct fault *why)
{
	while (text.len > 0) {
		struct slice line = next_line(&text);
		uint8_t type = line.len > 0 ? line.data[0] : '\0';

		if (type == 'a') {
			out->attributes++;
		} else if (type == 'm') {
			out->media++;
			out->formats += count_formats(line);
		}
	}
	if (out->media > SDP_MEDIA_MAX)
		return over_cap(why, SDP_MEDIA_MAX, 'm');
	if (out->attributes > SDP_ATTRIBUTES_MAX)
		return over_cap(why, SDP_ATTRIBUTES_MAX, 'a');
	return 0;
}

/*
 * Zeroed, so that each direction is to be set where it begins. No larger than this text needs:
 * clearing room for what it may have by the caps would take longer than reading it.
 */
static int make_room(struct parser *p, const struct counts *counts)
{
	struct room *room;

	room = calloc(1, sizeof(*room) + counts->media * sizeof(struct sdp_media) +
				 counts->formats * sizeof(struct sdp_format) +
				 counts->attributes * sizeof(struct sdp_attribute));
	if (!room)
		return fault_set(p->why, -ENOMEM, "no memory for their session description");

	p->session = &room->session;
	p->session->direction = SDP_SENDRECV; /* RFC 8866, section 6.7 */
	p->session->media = room->media;
	p->next_media = room->media;
	p->next_format = (struct sdp_format *)(void *)(room->media + counts->media);
	p->end_format = p->next_format + counts->formats;
	p->next_attribute = (struct sdp_attribute *)(void *)p->end_format;
	return 0;
}

int sdp_parse(struct sdp_session **out, struct slice text, struct fault *why)
{
	struct parser p = {.why = why};
	struct counts counts = {0};
	int err;

	if (text.len > SDP_SIZE_MAX)
		return fault_set(why, -EPROTO, "their session description has more than %d bytes",
			SDP_SIZE_MAX);
	err = count_lines(&counts, text, why);
	if (!err)
		err = make_room(&p, &counts);
	if (err)
		return err;

	err = read_lines(&p, text);
	if (err)
		goto out;
	*out = p.session;
	p.session = NULL; /* the caller's from here on */
out:
	sdp_free(p.session);
	return err;
}

/* The session is the first member of its room. */
void sdp_free(struct sdp_session *session)
{
	free(session);
}

bool sdp_attribute_get(struct slice *value, struct sdp_attributes list, const char *name)
{
	for (size_t i = 0; i < list.count; i++) {
		if (slice_is_nocase(list.list[i].name, name)) {
			*value = list.list[i].value;
			return true;
		}
	}
	return false;
}

bool sdp_fmtp_get(struct slice *value, struct slice fmtp, const char *name)
{
	while (fmtp.len > 0) {
		struct slice parameter, key;

		slice_cut(&parameter, &fmtp, ';');
		slice_cut(&key, &parameter, '=');
		if (slice_is_nocase(slice_trim(key), name)) {
			*value = slice_trim(parameter);
			return true;
		}
	}
	return false;
}
