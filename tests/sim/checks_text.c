/* Reads messages line by line, knowing only what a check needs. */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

#include <stdlib.h>

uint64_t checks_hash(struct slice bytes)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = bytes.len * factor + 1;
	uint64_t word;

	while (bytes.len >= sizeof(word)) {
		memcpy(&word, bytes.data, sizeof(word));
		hash = (hash ^ word) * factor;
		hash ^= hash >> 32;
		bytes.data += sizeof(word);
		bytes.len -= sizeof(word);
	}
	word = 0;
	if (bytes.len > 0)
		memcpy(&word, bytes.data, bytes.len);
	hash = (hash ^ word) * factor;
	return (hash ^ hash >> 29) | 1; /* never 0 */
}

uint64_t checks_hash_addr(const struct addr *addr)
{
	uint8_t bytes[sizeof(addr->ip) + 2];

	memcpy(bytes, addr->ip, sizeof(addr->ip));
	be16_put(bytes + sizeof(addr->ip), addr->port);
	return checks_hash((struct slice){bytes, sizeof(bytes)});
}

static struct slice next_line(struct slice *rest)
{
	const uint8_t *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : rest->len;
	struct slice line = {rest->data, len};

	rest->data += end ? len + 1 : len;
	rest->len -= end ? len + 1 : len;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* What follows key in text, up to one of the bytes that end it; empty: it is not there. */
static struct slice value_after(struct slice text, const char *key)
{
	size_t len = strlen(key);
	const uint8_t *at = text.len > 0 ? memmem(text.data, text.len, key, len) : NULL;
	struct slice value;

	if (!at)
		return (struct slice){0};
	value.data = at + len;
	value.len = 0;
	while (value.data + value.len < text.data + text.len &&
		!memchr("; >\t,", value.data[value.len], 5))
		value.len++;
	return value;
}

static uint64_t hash_after(struct slice text, const char *key)
{
	struct slice value = value_after(text, key);

	return value.len > 0 ? checks_hash(value) : 0;
}

/* The digits that text begins with. */
static int64_t number(struct slice text)
{
	int64_t value = -1;

	for (size_t i = 0; i < text.len && i < 12; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			break;
		value = (value < 0 ? 0 : value * 10) + (text.data[i] - '0');
	}
	return value;
}

static bool starts(struct slice text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static enum method method_of(struct slice name)
{
	static const char *const names[] = {
		[INVITE] = "INVITE", [ACK] = "ACK", [BYE] = "BYE", [CANCEL] = "CANCEL"};

	for (size_t i = 0; i < OTHER; i++)
		if (slice_is(name, names[i]))
			return (enum method)i;
	return OTHER;
}

static void read_start(struct message *out, struct slice line, struct slice *method)
{
	size_t len = line.len < START_SIZE ? line.len : START_SIZE - 1;

	memcpy(out->start, line.data, len);
	for (size_t i = 0; i < len; i++)
		if (out->start[i] < ' ' || out->start[i] > '~')
			out->start[i] = '?';
	if (starts(line, "SIP/2.0 ")) {
		int64_t status = number((struct slice){line.data + 8, line.len - 8});

		out->status = status > 0 && status < 1000 ? (uint16_t)status : 0;
		return;
	}
	out->request = true;
	slice_cut(method, &line, ' ');
}

static void read_header(struct message *out, struct slice line, struct slice method)
{
	struct slice name, value = line;

	slice_cut(&name, &value, ':');
	value = slice_trim(value);
	if (slice_is(name, "Via") && out->branch == 0) {
		out->branch = hash_after(value, "branch=");
		out->via_tcp = starts(value, "SIP/2.0/TCP ");
		out->has_cookie = starts(value_after(value, "branch="), "z9hG4bK");
	} else if (slice_is(name, "From")) {
		out->from_tag = hash_after(value, ";tag=");
	} else if (slice_is(name, "To")) {
		out->to_tag = hash_after(value, ";tag=");
	} else if (slice_is(name, "Call-ID")) {
		out->call_id = checks_hash(value);
	} else if (slice_is(name, "CSeq")) {
		struct slice digits;

		slice_cut(&digits, &value, ' ');
		out->cseq = (uint32_t)number(digits);
		out->method = method_of(value);
		out->method_matches = !out->request || slice_equal(value, method);
	} else if (slice_is(name, "Max-Forwards")) {
		out->has_forwards = number(value) >= 0;
	} else if (slice_is(name, "Content-Length")) {
		out->length = number(value);
	}
}

/* "m=audio 40000 RTP/AVP 0 96" */
static void read_media(struct sound *sound, struct slice line)
{
	struct slice word;

	slice_cut(&word, &line, ' ');
	slice_cut(&word, &line, ' ');
	sound->rtp.port = (uint16_t)number(word);
	slice_cut(&word, &line, ' ');
	while (line.len > 0 && sound->count < TYPES_MAX) {
		slice_cut(&word, &line, ' ');
		sound->clocks[sound->count] = 8000; /* of the static ones that we have */
		sound->types[sound->count++] = (uint8_t)number(word);
	}
}

/* "a=rtpmap:96 opus/48000/2" */
static void read_map(struct sound *sound, struct slice line)
{
	int64_t type = number(value_after(line, "a=rtpmap:"));
	struct slice name;

	slice_cut(&name, &line, '/');
	for (unsigned i = 0; i < sound->count; i++)
		if (sound->types[i] == type)
			sound->clocks[i] = (uint32_t)number(line);
}

/* "o=sipcall 1234 2 IN IP4 10.0.0.1" */
static void read_origin(struct sound *sound, struct slice line)
{
	struct slice word;

	slice_cut(&word, &line, ' ');
	sound->session = checks_hash(word);
	slice_cut(&word, &line, ' ');
	sound->session = checks_mix(sound->session, checks_hash(word));
	slice_cut(&word, &line, ' ');
	sound->version = (uint64_t)number(word);
	sound->session = checks_mix(sound->session, checks_hash(line));
}

static void read_direction(struct sound *sound, struct slice line)
{
	static const struct {
		const char *name;
		unsigned direction;
	} names[] = {{"a=sendrecv", SENDS | RECEIVES}, {"a=sendonly", SENDS},
		{"a=recvonly", RECEIVES}, {"a=inactive", 0}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(line, names[i].name))
			sound->direction = names[i].direction;
}

static void read_sound(struct message *out, struct checks *checks, struct slice body)
{
	struct sound *sound;

	if (!starts(body, "v=0"))
		return;
	sound = checks_alloc(checks, sizeof(*sound));
	if (!sound)
		return;

	sound->ptime_ms = 20;
	sound->direction = SENDS | RECEIVES;
	sound->content = 1;
	while (body.len > 0) {
		struct slice line = next_line(&body);
		uint16_t port = sound->rtp.port;

		if (starts(line, "o="))
			read_origin(sound, line);
		else
			sound->content = checks_mix(sound->content, checks_hash(line));
		sound->lines += starts(line, "m=");
		read_direction(sound, line);
		if (starts(line, "c=IN IP4 ") || starts(line, "c=IN IP6 ")) {
			if (addr_parse(&sound->rtp, (struct slice){line.data + 9, line.len - 9}))
				return;
			sound->rtp.port = port;
		} else if (starts(line, "m=audio ")) {
			read_media(sound, line);
		} else if (starts(line, "a=rtpmap:")) {
			read_map(sound, line);
		} else if (starts(line, "a=ptime:")) {
			sound->ptime_ms = (uint32_t)number(value_after(line, "a=ptime:"));
		}
	}
	if (sound->rtp.port != 0 && sound->rtp.family != ADDR_NONE)
		out->sound = sound;
}

void checks_read(struct message *out, struct checks *checks, struct slice bytes)
{
	struct slice method = {0};
	struct slice rest = bytes;

	out->length = -1;
	out->size = bytes.len;
	out->method = OTHER;
	read_start(out, next_line(&rest), &method);
	while (rest.len > 0) {
		struct slice line = next_line(&rest);

		if (line.len == 0) {
			out->readable = true;
			break;
		}
		read_header(out, line, method);
	}
	out->body = rest.len;
	out->readable &= out->call_id != 0 && out->branch != 0 && out->method_matches &&
			 (out->request || out->status >= 100);
	if (out->readable && rest.len > 0)
		read_sound(out, checks, rest);
}
