#include "core/sdp/session.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

enum {
	PTIME_MIN_MS = 5,
	PTIME_MAX_MS = 200,
	MAXPTIME_MAX_MS = 1000,
	FIRST_LINE = 1,
};

struct parser {
	struct sdp_session *session;
	struct sdp_media *media; /* the one at hand; NULL while in the session's own lines */
	struct sdp_media *next_media;
	struct sdp_attribute *next_attribute;
	struct fault *why;
	unsigned line;
	size_t rtpmap_count;
	bool has_origin;
	bool has_connection; /* this and the next for the level at hand */
	bool has_direction;
};

/* What one calloc() holds; the attributes stand behind the last of the media. */
struct room {
	struct sdp_session session;
	struct sdp_media media[];
};

static_assert(alignof(struct sdp_attribute) <= alignof(struct sdp_media), "one room for both");

static int broken(const struct parser *p, const char *what)
{
	return fault_set(p->why, -EPROTO, "their session description is broken in line %u: %s",
		p->line, what);
}

/* Cuts the next word off text, whatever the number of spaces. Returns whether there was one. */
static bool next_word(struct slice *out, struct slice *text)
{
	*text = slice_trim(*text);
	slice_cut(out, text, ' ');
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

/* RFC 3551, table 4. */
static const struct static_type {
	uint8_t payload_type;
	uint8_t channels;
	uint32_t clock_rate;
	const char *encoding;
} static_types[] = {
	{0, 1, 8000, "PCMU"},
	{3, 1, 8000, "GSM"},
	{4, 1, 8000, "G723"},
	{5, 1, 8000, "DVI4"},
	{6, 1, 16000, "DVI4"},
	{7, 1, 8000, "LPC"},
	{8, 1, 8000, "PCMA"},
	{9, 1, 8000, "G722"},
	{10, 2, 44100, "L16"},
	{11, 1, 44100, "L16"},
	{12, 1, 8000, "QCELP"},
	{13, 1, 8000, "CN"},
	{14, 1, 90000, "MPA"},
	{15, 1, 8000, "G728"},
	{16, 1, 11025, "DVI4"},
	{17, 1, 22050, "DVI4"},
	{18, 1, 8000, "G729"},
};

static void use_static_type(struct sdp_format *format)
{
	for (size_t i = 0; i < sizeof(static_types) / sizeof(static_types[0]); i++) {
		if (static_types[i].payload_type != format->payload_type)
			continue;
		format->encoding = slice_of(static_types[i].encoding);
		format->clock_rate = static_types[i].clock_rate;
		format->channels = static_types[i].channels;
	}
}

static int payload_type_of(struct slice word)
{
	uint64_t number;

	return read_number(&number, word, 0, SDP_PAYLOAD_TYPE_MAX) ? (int)number : SDP_PT_NONE;
}

/* The format of the media at hand that word names; NULL if there is none. */
static struct sdp_format *find_format(const struct parser *p, struct slice word)
{
	int payload_type = payload_type_of(word);

	for (size_t i = 0; i < p->media->format_count; i++) {
		struct sdp_format *format = &p->media->formats[i];

		if (payload_type != SDP_PT_NONE && format->payload_type == payload_type)
			return format;
		if (slice_equal(format->word, word))
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
	format = find_format(p, word);
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
	format = find_format(p, word);
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

static int read_formats(struct parser *p, struct slice rest)
{
	struct sdp_media *media = p->media;
	struct slice word;

	while (next_word(&word, &rest)) {
		struct sdp_format format = {.word = word, .channels = 1};

		if (!word_is_clean(word))
			return broken(p, "an m= line with a format that is no word");
		if (find_format(p, word))
			continue;
		if (media->format_count == SDP_FORMATS_MAX)
			return broken(p, "more than 64 formats");
		format.payload_type = payload_type_of(word);
		if (slice_is_nocase(media->kind, "audio"))
			use_static_type(&format);
		media->formats[media->format_count++] = format;
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
	{'v', line_version},
	{'o', line_origin},
	{'s', line_name},
	{'c', line_connection},
	{'b', line_bandwidth},
	{'t', line_time},
	{'a', line_attribute},
	{'m', line_media},
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

static int read_lines(struct parser *p, struct slice text)
{
	bool ended = false;
	int err;

	while (text.len > 0) {
		struct slice line = next_line(&text);

		p->line++;
		if (slice_find(line, '\r') < line.len || slice_find(line, '\0') < line.len)
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

/* How many lines of that type there are at most: exactly so many in what is not broken. */
static int count_lines(size_t *out, struct slice text, char type, size_t max, struct fault *why)
{
	size_t count = 0;

	while (text.len > 0) {
		struct slice line = next_line(&text);

		if (line.len > 0 && line.data[0] == (uint8_t)type)
			count++;
	}
	if (count > max)
		return fault_set(why, -EPROTO,
			"their session description has more than %zu %c= lines", max, type);

	*out = count;
	return 0;
}

/* Zeroed, so that each direction is to be set where it begins. */
static int make_room(struct parser *p, size_t media_count, size_t attribute_count)
{
	struct room *room;

	room = calloc(1, sizeof(*room) + media_count * sizeof(struct sdp_media) +
				 attribute_count * sizeof(struct sdp_attribute));
	if (!room)
		return fault_set(p->why, -ENOMEM, "no memory for their session description");

	p->session = &room->session;
	p->session->direction = SDP_SENDRECV; /* RFC 8866, section 6.7 */
	p->session->media = room->media;
	p->next_media = room->media;
	p->next_attribute = (struct sdp_attribute *)(void *)(room->media + media_count);
	return 0;
}

int sdp_parse(struct sdp_session **out, struct slice text, struct fault *why)
{
	struct parser p = {.why = why};
	size_t media_count = 0, attribute_count = 0;
	int err;

	if (text.len > SDP_SIZE_MAX)
		return fault_set(why, -EPROTO, "their session description has more than %d bytes",
			SDP_SIZE_MAX);
	err = count_lines(&media_count, text, 'm', SDP_MEDIA_MAX, why);
	if (!err)
		err = count_lines(&attribute_count, text, 'a', SDP_ATTRIBUTES_MAX, why);
	if (!err)
		err = make_room(&p, media_count, attribute_count);
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
