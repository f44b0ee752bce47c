/* Follows the bytes of TCP connections: cuts them into messages, by Content-Length alone (RFC 3261,
 * section 18.3). */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

enum { ROOM_MIN = 2048, ROOM_MAX = 32768 };

#define STANDS_NS (UINT64_C(200) * 1000000000) /* without being used, at least */

static struct lane *find(const struct checks *checks, uint64_t key)
{
	for (struct table_node *node = table_find(&checks->pipes, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct lane *pipe = container_of(node, struct lane, node);

		if (pipe->key == key)
			return pipe;
	}
	return NULL;
}

/* NULL: no memory. */
static struct lane *pipe_of(struct checks *checks, const struct way *way)
{
	uint64_t key = checks_mix(checks_hash_addr(&way->from), checks_hash_addr(&way->to));
	const struct agent *agent = checks_agent(checks, &way->from);
	struct lane *pipe = find(checks, key);

	if (pipe)
		return pipe;
	pipe = checks_alloc(checks, sizeof(*pipe));
	if (!pipe)
		return NULL;
	pipe->key = key;
	pipe->from = way->from;
	pipe->to = way->to;
	list_add(&checks->all_pipes, &pipe->link);
	pipe->crashes = agent ? agent->crashes : 0;
	table_add(&checks->pipes, &pipe->node, (uint32_t)key);
	return pipe;
}

/* Without memory, or of too much, it is a failure. */
static bool reserve(struct checks *checks, struct lane *pipe, size_t size)
{
	size_t room = pipe->room ? pipe->room : ROOM_MIN;
	uint8_t *bytes;

	while (room < size)
		room *= 2;
	if (room == pipe->room)
		return true;
	if (room > ROOM_MAX) {
		checks_fail(checks, STREAM_WHOLE, "%zu bytes are no message", size);
		return false;
	}
	bytes = checks_alloc(checks, room);
	if (!bytes)
		return false;
	if (pipe->len > 0)
		memcpy(bytes, pipe->bytes, pipe->len);
	pipe->bytes = bytes;
	pipe->room = room;
	return true;
}

/* How long the message is that text begins with; 0: it is not whole. */
static size_t length(struct slice text)
{
	static const char end[] = "\r\n\r\n", key[] = "\r\nContent-Length: ";
	const uint8_t *body = memmem(text.data, text.len, end, 4);
	const uint8_t *digits;
	size_t len = 0;

	if (!body)
		return 0;
	body += 4;
	digits = memmem(text.data, (size_t)(body - text.data), key, sizeof(key) - 1);
	if (digits)
		for (digits += sizeof(key) - 1; *digits >= '0' && *digits <= '9'; digits++)
			len = len * 10 + (size_t)(*digits - '0');
	return (size_t)(body - text.data) + len <= text.len ? (size_t)(body - text.data) + len : 0;
}

/* Empty lines between messages keep a connection alive (RFC 5626, section 3.5.1). */
static bool is_blank(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] != '\r' && bytes.data[i] != '\n')
			return false;
	return true;
}

/* Where no connection breaks, one is enough from each phone to each other. */
static void check_reuse(struct checks *checks, const struct agent *agent, const struct lane *pipe)
{
	list_each(link, &checks->all_pipes)
	{
		const struct lane *other = container_of(link, struct lane, link);

		if (other == pipe || !addr_equal(&other->to, &pipe->to) ||
			!addr_same_host(&other->from, &pipe->from) || !other->stands ||
			checks->now_ns > other->used_ns + STANDS_NS)
			continue;
		checks_fail(checks, STREAM_REUSED, "phone %c: ports %u and %u", checks_name(agent),
			other->from.port, pipe->from.port);
	}
}

void checks_stream_sent(struct checks *checks, const struct way *way, struct slice bytes)
{
	struct agent *agent = checks_agent(checks, &way->from);
	struct lane *pipe = pipe_of(checks, way);

	if (!agent || !pipe || pipe->crashes != agent->crashes)
		return; /* who is dead goes on, and nobody hears it */
	checks_know(checks, &way->from);
	if (checks->config.perfect && pipe->used_ns == 0)
		check_reuse(checks, agent, pipe);
	pipe->used_ns = checks->now_ns;
	if (is_blank(bytes))
		return;
	if (length(bytes) != bytes.len)
		checks_fail(checks, STREAM_WHOLE, "phone %c sent %zu bytes, which are %zu",
			checks_name(agent), bytes.len, length(bytes));
	else
		checks_sip_sent(checks, agent, way, bytes);
}

static void cut(struct checks *checks, const struct way *way, struct slice *rest)
{
	size_t len;

	while (rest->len > 0) {
		if (rest->data[0] == '\r' || rest->data[0] == '\n') {
			rest->data++;
			rest->len--;
			continue;
		}
		len = length(*rest);
		if (len == 0)
			return;
		checks_sip_arrived(checks, way, (struct slice){rest->data, len});
		rest->data += len;
		rest->len -= len;
	}
}

/* What is left over stays for what comes next. */
void checks_stream_arrived(struct checks *checks, const struct way *way, struct slice bytes)
{
	const struct way back = {way->to, way->from, true};
	struct lane *pipe = pipe_of(checks, way);
	struct slice rest;

	if (!pipe || !pipe_of(checks, &back) || !reserve(checks, pipe, pipe->len + bytes.len))
		return;

	memcpy(pipe->bytes + pipe->len, bytes.data, bytes.len);
	pipe->len += bytes.len;
	pipe->stands = true;
	rest = (struct slice){pipe->bytes, pipe->len};
	cut(checks, way, &rest);
	memmove(pipe->bytes, rest.data, rest.len);
	pipe->len = rest.len;
}
